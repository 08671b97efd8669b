/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger in a database: what the gateway appends to and a member's mirror replays, under one set of rules. */
#ifndef SCG_LEDGER_LEDGER_H
#define SCG_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/db.h"
#include "base/secret.h"
#include "ledger/event.h"
#include "pki/chain.h"

/* SQL of the tables (entries, roots, files, names, objects, signers, revoked ...), for db_open's migrations of gateway.db and ledger.db. */
extern const char ledger_schema[];

struct ledger;

/* The tables in d (open for as long as the ledger is). seal: 32 bytes under which salt and path rest (gateway), NULL: in the clear (mirror). */
int ledger_open(struct ledger **l, struct db *d, const struct chain *chain, const struct secret *seal, struct err *e) MUST_CHECK;
void ledger_close(struct ledger *l);

uint64_t ledger_size(const struct ledger *l);
/* The root at size n (0..size). ERR_NOTFOUND beyond. */
int ledger_root(struct ledger *l, uint64_t n, uint8_t root[static 32], struct err *e) MUST_CHECK;

/* A file as the newest event leaves it. */
struct ledger_file {
	char *path;
	uint8_t file[16], salt[SALT_LEN];
	uint64_t version, base;                       /* content version; index of its newest event */
	uint64_t content_index;                       /* index of the event that brought the newest content (put, replace) */
	char object[OBJECT_ID_LEN + 1]; uint64_t object_size; uint8_t object_sha256[32];
	uint8_t content_sha256[32]; uint64_t content_size;
	uint8_t key_id[KEY_ID_LEN];
	char *author;                                 /* CN of who brought the content */
	int64_t time_s;                               /* of the event that brought the content */
	int64_t event_time_s;                         /* of the newest event */
	bool removed;
};
void ledger_file_wipe(struct ledger_file *f);
/* By path (exactly) or by id; ERR_NOTFOUND. */
int ledger_find(struct ledger *l, const char *path, struct ledger_file *f, struct err *e) MUST_CHECK;
int ledger_find_id(struct ledger *l, const uint8_t file[static 16], struct ledger_file *f, struct err *e) MUST_CHECK;
/* All present files in order of path; f returns non-zero to stop (handed on). prefix: "dir/" or NULL. */
int ledger_each(struct ledger *l, const char *prefix, int (*f)(void *arg, const struct ledger_file *file, struct err *e), void *arg,
    struct err *e) MUST_CHECK;
/* An object's standing: current (1), named once but no file's current one (2), never named (0). */
int ledger_object(struct ledger *l, const char *object, int *standing, struct err *e) MUST_CHECK;
/* The current epoch's key id and number as the last epoch event says; ERR_NOTFOUND before the first. */
int ledger_epoch(struct ledger *l, uint8_t key_id[static KEY_ID_LEN], uint64_t *number, struct err *e) MUST_CHECK;
/* The number of the epoch that an event introduced with this key id; ERR_NOTFOUND. */
int ledger_epoch_number(struct ledger *l, const uint8_t key_id[static KEY_ID_LEN], uint64_t *number, struct err *e) MUST_CHECK;
/* Serial revoked by some crl event; has the ledger a member event of this certificate? */
int ledger_is_revoked(struct ledger *l, const uint8_t *serial, size_t len, bool *yes, struct err *e) MUST_CHECK;
int ledger_has_signer(struct ledger *l, const X509 *cert, bool *yes, struct err *e) MUST_CHECK;

/* How an entry comes: posted now (gateway: base newest, epoch current, clock within EVENT_SKEW_S, signer = peer), made by the gateway itself, or replayed. */
enum ledger_mode { LEDGER_POST, LEDGER_OWN, LEDGER_REPLAY };
struct ledger_conflict { bool is; uint64_t index, version; char author[65]; };

/* Checks the entry against every rule and appends it (inside the caller's transaction). peer: the TLS peer's certificate (LEDGER_POST), else NULL.
 * ERR_CONFLICT fills *c (base is not the newest, or path taken); ERR_REFUSED, ERR_DAMAGED name the rule. *index is the new entry's. After a failure the caller
 * rolls the savepoint back and calls ledger_reload. */
int ledger_append(struct ledger *l, enum ledger_mode mode, const struct entry *en, X509 *peer, int64_t now_s, uint64_t *index,
    struct ledger_conflict *c, struct err *e) MUST_CHECK;
/* Forgets what was appended since the last commit: size, edge and caches are read anew. */
int ledger_reload(struct ledger *l, struct err *e) MUST_CHECK;
/* Entries from index on as DER (concatenated), at most max_bytes (but at least one) and until the end; *next is the first one left out. */
int ledger_entries(struct ledger *l, uint64_t from, size_t max_bytes, struct buf *der, uint64_t *next, struct err *e) MUST_CHECK;
/* Every event of one file in order: for -history. */
struct ledger_step { uint64_t index; struct event event; char *signer, *path; };
int ledger_history(struct ledger *l, const uint8_t file[static 16], int (*f)(void *arg, const struct ledger_step *s, struct err *e),
    void *arg, struct err *e) MUST_CHECK;

/* A fresh salt and the event of one step on a file, ready to be signed: fills name, base, seen, version, time as the ledger stands. */
struct ledger_change {
	enum event_op op;
	const char *path;                   /* new path for put and rename; else the present one */
	const uint8_t *file;                /* 16 bytes; put: the new id */
	uint64_t base;                      /* index of the event that this follows (not for put) */
	const char *object; uint64_t object_size; const uint8_t *object_sha256;
	const uint8_t *content_sha256; uint64_t content_size;
	const uint8_t *key_id;
};
/* The DER of one signed entry. */
int ledger_change(struct ledger *l, const struct ledger_change *c, EVP_PKEY *key, X509 *cert, int64_t now_s, struct buf *entry,
    struct err *e) MUST_CHECK;
/* Entries that the gateway makes: a new epoch, a list (revoked: the newly revoked serials), a certificate seen first. */
int ledger_epoch_entry(struct ledger *l, const struct epoch *ep, EVP_PKEY *key, X509 *cert, int64_t now_s, struct buf *entry, struct err *e) MUST_CHECK;
struct crl_set;
int ledger_crl_entry(struct ledger *l, const struct crl_set *old, const struct crl_set *now, size_t der_len, EVP_PKEY *key, X509 *cert,
    int64_t now_s, struct buf *entry, struct err *e) MUST_CHECK;
int ledger_member_entry(struct ledger *l, X509 *seen, EVP_PKEY *key, X509 *cert, int64_t now_s, struct buf *entry, struct err *e) MUST_CHECK;

#endif
