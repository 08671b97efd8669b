/* SPDX-License-Identifier: Apache-2.0 */
/* Ledger events (what is signed), entries (what is sent and stored) and heads. */
#ifndef SCG_LEDGER_EVENT_H
#define SCG_LEDGER_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"
#include "keyring/keyring.h"
#include "ledger/path.h"

#define EVENT_MAX_BYTES 8192       /* one SignedData */
#define ENTRY_MAX_BYTES (64u << 20) /* a crl event brings the serials */
#define ENTRIES_MAX_BYTES (64u << 20) /* one reply of /v1/ledger/entries inflated, and one more entry */
#define OBJECT_ID_LEN 26
#define EVENT_SKEW_S 300

enum event_op {
	EVENT_PUT, EVENT_REPLACE, EVENT_RENAME, EVENT_REMOVE, EVENT_REKEY, /* by members */
	EVENT_EPOCH, EVENT_CRL, EVENT_MEMBER,                              /* by the gateway */
	EVENT_SNAPSHOT,                                                    /* reserved: refused */
};

/* The signed text, field by field; what an op does not use is "-" in the text and absent here (has_* or zero). Which op uses which field is
 * doc/FORMAT's table: put, replace, rename, rekey: all; remove: no object/content/epoch/name; epoch: epoch KEYID and version = epoch number;
 * crl: version = CRL number, content = SHA256 of the DER list + its size, object - , name -; member: content = SHA256 + size of the certificate. */
struct event {
	char *group;
	enum event_op op;
	bool has_file; uint8_t file[16];
	bool has_version; uint64_t version;
	bool has_base; uint64_t base;
	bool has_name; uint8_t name[32];
	bool has_object; char object[OBJECT_ID_LEN + 1]; uint64_t object_size; uint8_t object_sha256[32];
	bool has_content; uint8_t content_sha256[32]; uint64_t content_size;
	bool has_epoch; uint8_t key_id[KEY_ID_LEN];
	uint64_t seen; uint8_t seen_root[32];
	int64_t time_s;
};
void event_wipe(struct event *ev);
void event_print(const struct event *ev, struct buf *text);
/* Exactly that form, and exactly the fields of its op. ERR_DAMAGED. */
int event_parse(const uint8_t *text, size_t len, struct event *ev, struct err *e) MUST_CHECK;
const char *event_op_name(enum event_op op);
/* Prints and signs (by SKI, no certificate). */
int event_sign(const struct event *ev, EVP_PKEY *key, X509 *cert, struct buf *der, struct err *e) MUST_CHECK;

struct entry { /* all borrowed from the DER it was parsed from, or from the caller */
	const uint8_t *event; size_t event_len;    /* SignedData ContentInfo */
	const uint8_t *salt;                       /* SALT_LEN bytes or NULL */
	const char *path; size_t path_len;         /* not NUL-terminated; NULL: none */
	const uint8_t *cert; size_t cert_len;      /* DER, or NULL */
	const uint8_t *revoked; size_t revoked_len; /* content of SEQUENCE OF INTEGER (rising), or NULL */
};
void entry_print(const struct entry *en, struct buf *der);
/* Takes one entry off the front of a run of entries (what is left: *d). ERR_DAMAGED. */
struct der;
int entry_take(struct der *d, struct entry *en, struct err *e) MUST_CHECK;

struct head { char *group; uint64_t size; uint8_t root[32]; };
void head_wipe(struct head *h);
/* The C2SP checkpoint text: "scg/GROUP\nSIZE\nBASE64\n". */
void head_print(const struct head *h, struct buf *text);
int head_parse(const uint8_t *text, size_t len, struct head *h, struct err *e) MUST_CHECK;

#endif
