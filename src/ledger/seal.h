/* SPDX-License-Identifier: Apache-2.0 */
/* How salts and paths rest in a ledger's tables: sealed at the gateway, in the clear in a member's mirror. */
#ifndef SCG_LEDGER_SEAL_H
#define SCG_LEDGER_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"
#include "ledger/path.h"

#define SEAL_KEY_LEN 32

/* Two keys drawn from one, by HMAC-SHA-256 over a label each: names are encrypted under the first and looked up by an
 * HMAC under the second. Without a key both do nothing but keep the form. */
struct seal {
	struct secret keys;
};

/* key: SEAL_KEY_LEN bytes, or NULL. */
int seal_init(struct seal *s, const struct secret *key, struct err *e) MUST_CHECK;
void seal_wipe(struct seal *s);

/* Appends salt and path of the entry with this index: nonce (96 random bits), AES-256-GCM ciphertext, tag (16 bytes),
 * with the index as additional data so that rows cannot change places; or salt and path as they are. */
int seal_name(const struct seal *s, uint64_t index, const uint8_t salt[static SALT_LEN], const char *path,
    size_t path_len, struct buf *out, struct err *e) MUST_CHECK;
/* The inverse: name becomes salt and path (NUL-terminated as every buf). ERR_DAMAGED. */
int seal_open(
    const struct seal *s, uint64_t index, const uint8_t *data, size_t len, struct buf *name, struct err *e) MUST_CHECK;
/* What a (folded) path is looked up by. */
int seal_lookup(const struct seal *s, const char *path, size_t len, uint8_t out[static 32], struct err *e) MUST_CHECK;

#endif
