/* SPDX-License-Identifier: Apache-2.0 */
/* The events of the ledger: the text that a member or the gateway signs for each step. */
#ifndef SCG_LEDGER_EVENT_H
#define SCG_LEDGER_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"
#include "keyring/keyring.h"
#include "pki/name.h"

#define EVENT_MAX_BYTES 8192 /* one SignedData: 700 bytes of text and an RSA-8192 signature leave room */
#define EVENT_SKEW_S 300 /* how far the clock of who posts may be from the gateway's */
#define OBJECT_ID_LEN 26

enum event_op {
	EVENT_PUT,
	EVENT_REPLACE,
	EVENT_RENAME,
	EVENT_REMOVE,
	EVENT_REKEY, /* by members */
	EVENT_EPOCH,
	EVENT_CRL,
	EVENT_MEMBER, /* by the gateway */
	EVENT_SNAPSHOT, /* reserved: event_parse refuses it */
};
/* "put" ... as in the signed text. */
const char *event_op_name(enum event_op op);

/* The lines whose presence depends on the op; group, op, seen and time are always there. */
enum event_field {
	EVENT_HAS_FILE = 1,
	EVENT_HAS_VERSION = 2,
	EVENT_HAS_BASE = 4,
	EVENT_HAS_NAME = 8,
	EVENT_HAS_OBJECT = 16,
	EVENT_HAS_CONTENT = 32,
	EVENT_HAS_EPOCH = 64,
};
/* Exactly these fields an op uses; the others are "-" in the text and zero in the struct.
 *   put                            all but base
 *   replace rename remove rekey    all (rename, remove: object and epoch are the base's; rename, remove, rekey: so is
 * content; replace, remove, rekey: so is name) epoch                          version (the epoch's number), epoch crl
 * version (the list's number), content (of the DER list), name (entry_revoked_hash of the new serials) member content
 * (of the DER certificate) */
unsigned event_fields(enum event_op op);

struct event {
	char group[NAME_MAX_BYTES + 1];
	enum event_op op;
	uint8_t file[16];
	uint64_t version; /* 1.. */
	uint64_t base;
	uint8_t name[32];
	char object[OBJECT_ID_LEN + 1];
	uint64_t object_size;
	uint8_t object_sha256[32];
	uint8_t content_sha256[32];
	uint64_t content_size;
	uint8_t key_id[KEY_ID_LEN];
	uint64_t seen;
	uint8_t seen_root[32];
	int64_t time_s;
};

/* Appends the text. */
void event_print(const struct event *ev, struct buf *text);
/* Exactly that form: printed again it gives the same bytes. ERR_DAMAGED. */
int event_parse(const uint8_t *text, size_t len, struct event *ev, struct err *e) MUST_CHECK;
/* Prints and signs (signer by SKI, no certificate inside, signingTime = time_s); the DER is appended. */
int event_sign(const struct event *ev, EVP_PKEY *key, X509 *cert, struct buf *der, struct err *e) MUST_CHECK;

#endif
