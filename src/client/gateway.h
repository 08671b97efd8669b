/* SPDX-License-Identifier: Apache-2.0 */
/* What a member asks the gateway (doc/PROTOCOL), one function a resource; replies are capped, errors carry the exit
 * status. */
#ifndef SCG_CLIENT_GATEWAY_H
#define SCG_CLIENT_GATEWAY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "keyring/keyring.h"
#include "net/fetch.h"

#define GROUP_JSON_MAX 16384

struct group_info {
	uint64_t epoch, ledger_size, crl_number;
	uint8_t key_id[KEY_ID_LEN];
	char *store; /* "directory:PATH"; NULL: none yet */
};
/* Releases what is inside; safe on {0}. */
void group_info_wipe(struct group_info *g);
/* Of a stored or received reply; group is what it has to name. ERR_DAMAGED. g begins as {0}; wipe it in every case. */
int group_info_parse(const struct buf *json, const char *group, struct group_info *g, struct err *e) MUST_CHECK;

/* The body is appended as it came. */
int gateway_group(struct fetch *f, struct buf *json, struct err *e) MUST_CHECK;
/* Names the store, where there is none yet. ERR_CONFLICT: there is. */
int gateway_set_store(struct fetch *f, const char *store, struct err *e) MUST_CHECK;
int gateway_crl(struct fetch *f, struct buf *der, struct err *e) MUST_CHECK;
int gateway_keys(struct fetch *f, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e) MUST_CHECK;
/* That the audit log of size to begins with the one of size from: JSON (RFC 6962 4.4). */
int gateway_audit_proof(struct fetch *f, uint64_t from, uint64_t to, struct buf *json, struct err *e) MUST_CHECK;
int gateway_head(struct fetch *f, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e) MUST_CHECK;
int gateway_entries(struct fetch *f, uint64_t from, struct buf *der, struct err *e) MUST_CHECK;
/* entries: a SEQUENCE OF Entry. ERR_CONFLICT: somebody else was first, or a rule's input has changed: synchronise and
 * look; ERR_UNREACHABLE: it may have been taken all the same. */
int gateway_post(struct fetch *f, const struct buf *entries, struct err *e) MUST_CHECK;

#endif
