/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger in a database: what the gateway appends to and a member's mirror replays, under one set of rules. */
#ifndef SCG_LEDGER_LEDGER_H
#define SCG_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/db.h"
#include "base/secret.h"
#include "ledger/entry.h"
#include "ledger/event.h"
#include "ledger/head.h"
#include "pki/chain.h"
#include "pki/crl.h"

/* SQL of the tables, for db_open's migrations of gateway.db and ledger.db. */
extern const char ledger_schema[];

struct ledger;

/* The tables in d, which stays open longer than the ledger; chain is borrowed too. seal: 32 bytes (copied) under which
 * salt and path rest (AES-256-GCM, 96 random bits of nonce a row; look-ups by HMAC-SHA-256): the gateway. NULL: in the
 * clear: a mirror. */
int ledger_open(
    struct ledger **l, struct db *d, const struct chain *chain, const struct secret *seal, struct err *e) MUST_CHECK;
void ledger_close(struct ledger *l);

/* As of the last open, reload or append in this process. */
uint64_t ledger_size(const struct ledger *l);
/* The latest time that a member's event says; 0: none does. */
int64_t ledger_latest_s(const struct ledger *l);
/* The root at size n (0..size). ERR_NOTFOUND beyond. */
int ledger_root(struct ledger *l, uint64_t n, uint8_t root[static 32], struct err *e) MUST_CHECK;
/* Group, size and root now, for head_sign. Between db_begin and db_commit it speaks of what is not yet on disk: never
 * hand that out. */
void ledger_head(const struct ledger *l, struct head *h);

/* A file as its newest event leaves it. */
struct ledger_file {
	char *path;
	uint8_t file[16];
	uint8_t name[32]; /* what events call it: SHA-256 of salt and path */
	uint64_t version; /* counts contents */
	uint64_t base; /* index of its newest event: the base of the next one */
	uint64_t content_index; /* index of the event that brought the newest content (put, replace) */
	char object[OBJECT_ID_LEN + 1];
	uint64_t object_size;
	uint8_t object_sha256[32];
	uint8_t content_sha256[32]; /* of the manifest's SignedData */
	uint64_t content_size; /* bytes of plaintext */
	uint8_t key_id[KEY_ID_LEN]; /* the epoch of the object */
	char author[NAME_MAX_BYTES + 1]; /* CN of who brought the content */
	int64_t time_s; /* of the event that brought the content */
	int64_t event_time_s; /* of the newest event */
	bool removed;
};
/* Releases path; safe on {0}. */
void ledger_file_wipe(struct ledger_file *f);
/* By path (exactly; present files only) or by id (removed ones too); ERR_NOTFOUND. */
int ledger_find(struct ledger *l, const char *path, struct ledger_file *f, struct err *e) MUST_CHECK;
int ledger_find_id(struct ledger *l, const uint8_t file[static 16], struct ledger_file *f, struct err *e) MUST_CHECK;
/* The file that an event gave this object to, as it is now (removed ones too). ERR_NOTFOUND. */
int ledger_find_object(struct ledger *l, const char *object, struct ledger_file *f, struct err *e) MUST_CHECK;
/* All present files in order of path (mirrors only); f returns non-zero to stop (handed on). prefix: "dir/" or NULL. f
 * may look things up, but not append. */
int ledger_each(struct ledger *l, const char *prefix,
    int (*f)(void *arg, const struct ledger_file *file, struct err *e), void *arg, struct err *e) MUST_CHECK;

enum ledger_standing {
	LEDGER_OBJECT_UNKNOWN, /* no event ever named it */
	LEDGER_OBJECT_CURRENT, /* a present file's */
	LEDGER_OBJECT_OLD, /* named once, no file's now */
};
/* Where an object id stands: see above. */
int ledger_object(struct ledger *l, const char *object, enum ledger_standing *standing, struct err *e) MUST_CHECK;
/* The current epoch's key id and number as the last epoch event says; ERR_NOTFOUND before the first. */
int ledger_epoch(struct ledger *l, uint8_t key_id[static KEY_ID_LEN], uint64_t *number, struct err *e) MUST_CHECK;
/* The number of the epoch that an event introduced with this key id; ERR_NOTFOUND. */
int ledger_epoch_number(
    struct ledger *l, const uint8_t key_id[static KEY_ID_LEN], uint64_t *number, struct err *e) MUST_CHECK;
/* The number of the list of the newest crl event (0: none yet) and its SHA-256. */
int ledger_crl(struct ledger *l, uint64_t *number, uint8_t sha256[static 32], struct err *e) MUST_CHECK;
/* Serial (content octets without leading zero) revoked by some crl event? */
int ledger_is_revoked(struct ledger *l, const uint8_t *serial, size_t len, bool *yes, struct err *e) MUST_CHECK;
/* By which one: its index. ERR_NOTFOUND: by none. */
int ledger_revoked_at(struct ledger *l, const uint8_t *serial, size_t len, uint64_t *index, struct err *e) MUST_CHECK;
/* ledger_is_revoked of a certificate, for each connection: who is in the ledger is mostly known without asking the database. */
int ledger_was_revoked(struct ledger *l, const X509 *cert, bool *yes, struct err *e) MUST_CHECK;
/* Has the ledger a member event of this certificate? ERR_REFUSED: it has one of another certificate with the same SKI.
 */
int ledger_has_signer(struct ledger *l, const X509 *cert, bool *yes, struct err *e) MUST_CHECK;

/* A certificate whose revocation a list no longer tells of. */
struct ledger_dropped {
	char name[NAME_MAX_BYTES + 1];
	uint8_t serial[SERIAL_MAX];
	size_t serial_len;
	int64_t until_s; /* its notAfter */
};
/* The first certificate, among those that member events brought, which old names and now does not, although it was to be
 * valid still when now was made (RFC 5280 3.3). ERR_NOTFOUND: there is none. */
int ledger_find_dropped(struct ledger *l, const struct crl_set *old, const struct crl_set *now, struct ledger_dropped *d,
    struct err *e) MUST_CHECK;

/* How many members (by name; gateways do not count) the ledger has ever seen, without those whose certificates are all revoked. */
int ledger_count_members(struct ledger *l, uint64_t *n, struct err *e) MUST_CHECK;

enum ledger_mode {
	LEDGER_POST, /* posted by a member over TLS now */
	LEDGER_OWN, /* made by this gateway now */
	LEDGER_REPLAY, /* from a log: whatever the gateway should have refused is ERR_DAMAGED */
};
struct ledger_how {
	enum ledger_mode mode;
	X509 *peer; /* LEDGER_POST: the TLS peer, whose verdict is good now */
	int64_t now_s; /* LEDGER_POST: the gateway's clock */
};
/* Why an append was refused, as far as the poster can do something about it; names in ledger_why_name are stable
 * ("conflict-base"). */
enum ledger_why {
	LEDGER_WHY_NONE,
	LEDGER_WHY_BASE, /* the file has a newer event: index, version, author are the file's present ones */
	LEDGER_WHY_PATH, /* path taken: index, version, author of the file that has it (zero: a folder, or a file where
			    a folder is needed) */
	LEDGER_WHY_SEEN, /* an event of the same signer that saw more was faster: sign anew */
	LEDGER_WHY_EPOCH, /* there is a newer epoch: seal anew */
	LEDGER_WHY_CLOCK, /* ERR_REFUSED: the clock of the poster is off by more than EVENT_SKEW_S */
};
/* The stable name, which is the problem type of a 409 or 403. */
const char *ledger_why_name(enum ledger_why why);
struct ledger_result {
	uint64_t index; /* after success: the new entry's */
	enum ledger_why why;
	uint64_t file_index, file_version;
	char file_author[NAME_MAX_BYTES + 1];
};
/* Checks the entry against every rule and appends it, inside the caller's transaction. ERR_CONFLICT: base, path, seen,
 * epoch (r->why); ERR_REFUSED: another rule; ERR_DAMAGED: form or signature, and everything when replaying. After a
 * failure the caller rolls back (to his savepoint) and calls ledger_reload. */
int ledger_append(struct ledger *l, const struct entry *en, const struct ledger_how *how, struct ledger_result *r,
    struct err *e) MUST_CHECK;
/* Reads size, edge and caches anew: after a rollback, and at the start of a transaction when other processes write too.
 */
int ledger_reload(struct ledger *l, struct err *e) MUST_CHECK;
/* Appends the SEQUENCE OF Entry from index on, at most max_bytes (but at least one) and until the end; *next is the
 * first one left out. */
int ledger_entries(
    struct ledger *l, uint64_t from, size_t max_bytes, struct buf *der, uint64_t *next, struct err *e) MUST_CHECK;

/* Every event of one file, oldest first. */
struct ledger_step {
	uint64_t index;
	const struct event *event;
	const char *signer;
	const char *path;
};
int ledger_history(struct ledger *l, const uint8_t file[static 16],
    int (*f)(void *arg, const struct ledger_step *s, struct err *e), void *arg, struct err *e) MUST_CHECK;

/* Who makes an event, and when. */
struct ledger_signer {
	EVP_PKEY *key;
	X509 *cert;
	int64_t now_s;
};
/* One step on a file; what the op takes over from the base (event.h) need not be given. */
struct ledger_change {
	enum event_op op;
	const char *path; /* put, rename: the new path */
	const uint8_t *file; /* 16 bytes; put: the new id */
	uint64_t base; /* the file's newest event (not for put) */
	const char *object; /* put, replace, rekey: the new object, likewise its size and digest */
	uint64_t object_size;
	const uint8_t *object_sha256;
	const uint8_t *content_sha256; /* put, replace */
	uint64_t content_size;
	const uint8_t *key_id; /* put, replace, rekey */
};
/* Appends the DER of one signed entry (not the SEQUENCE OF); version, name, seen as the ledger stands now. ERR_CONFLICT
 * when base is not the newest. */
int ledger_change(struct ledger *l, const struct ledger_change *c, const struct ledger_signer *by, struct buf *entry,
    struct err *e) MUST_CHECK;
/* Entries that the gateway makes: a new epoch; a list (old: a list whose serials the ledger has already, or NULL;
 * der_len: the list's); a certificate seen first. The first entry of a ledger, and the first that a renewed gateway
 * writes, is the member event of its own certificate. */
int ledger_epoch_entry(struct ledger *l, const struct epoch *ep, const struct ledger_signer *by, struct buf *entry,
    struct err *e) MUST_CHECK;
int ledger_crl_entry(struct ledger *l, const struct crl_set *old, const struct crl_set *now, size_t der_len,
    const struct ledger_signer *by, struct buf *entry, struct err *e) MUST_CHECK;
int ledger_member_entry(
    struct ledger *l, X509 *seen, const struct ledger_signer *by, struct buf *entry, struct err *e) MUST_CHECK;

#endif
