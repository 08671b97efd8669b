/* SPDX-License-Identifier: Apache-2.0 */
/* The one interface to what the gateway keeps: sealed keys, the accepted revocation list, members seen, and (in the
 * same database, so that one transaction covers all of it) the ledger. The SQL behind it keeps to what PostgreSQL takes
 * too. */
#ifndef SCG_GATEWAY_STATE_H
#define SCG_GATEWAY_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/db.h"
#include "base/err.h"
#include "gateway/state_audit.h"

struct state;

/* Opens, creating it (0600) where create says so; else ERR_NOTFOUND. One handle serves one thread. */
int state_open(struct state **s, const char *path, bool create, struct err *e) MUST_CHECK;
/* What is committed is in the one file after this. *s may be NULL. */
void state_close(struct state **s);
/* For the ledger, whose tables are made with ours. */
struct db *state_db(struct state *s);

/* One transaction at a time; it excludes other processes until it ends. A savepoint inside it undoes one request alone.
 */
int state_begin(struct state *s, struct err *e) MUST_CHECK;
int state_commit(struct state *s, struct err *e) MUST_CHECK; /* on disk when it returns 0; rolled back if it fails */
void state_rollback(struct state *s);
int state_savepoint(struct state *s, struct err *e) MUST_CHECK; /* one level */
int state_savepoint_keep(struct state *s, struct err *e) MUST_CHECK;
void state_savepoint_undo(struct state *s);
/* *changed: some other process committed since this was last asked. */
int state_changed(struct state *s, bool *changed, struct err *e) MUST_CHECK;

/* Small things by name; ERR_NOTFOUND if never put. What is secret comes here sealed. */
#define STATE_KEYS "keys"           /* the epochs, sealed (keyring_seal) */
#define STATE_PATH_KEY "path-key"   /* the key under which the ledger's names rest, sealed alike */
#define STATE_SEALED_TO "sealed-to" /* the gateway's certificate that both are sealed to, DER */
#define STATE_STORE "store"         /* the store that a member set */
int state_get(struct state *s, const char *name, struct buf *out, struct err *e) MUST_CHECK;
int state_put(struct state *s, const char *name, const void *data, size_t len, struct err *e) MUST_CHECK;

/* The newest list accepted (DER, in pieces), whose number is the highest ever seen. ERR_NOTFOUND before the first. */
int state_crl(struct state *s, int (*f)(void *arg, const uint8_t *piece, size_t len, struct err *e), void *arg, struct err *e) MUST_CHECK;
int state_crl_put(struct state *s, uint64_t number, const void *der, size_t len, struct err *e) MUST_CHECK;

/* A member's certificate, kept from the day when it was first seen until its end was dealt with. */
struct state_member {
	uint8_t sha256[32];
	uint8_t serial[20];
	size_t serial_len;
	const char *name; /* CN */
	int64_t not_after_s;
};
/* Seen for the first time; there already is fine. */
int state_member_add(struct state *s, const struct state_member *m, struct err *e) MUST_CHECK;
/* Calls f for each whose notAfter has passed and whose end was not dealt with; non-zero from f ends it (handed on). f
 * may not change the state. */
int state_member_ended(struct state *s, int64_t now_s, int (*f)(void *arg, const struct state_member *m, struct err *e),
    void *arg, struct err *e) MUST_CHECK;
/* The same for each that is still valid and bears this name. */
int state_member_valid(struct state *s, const char *name, int64_t now_s,
    int (*f)(void *arg, const struct state_member *m, struct err *e), void *arg, struct err *e) MUST_CHECK;
/* The end of all whose notAfter has passed is dealt with. */
int state_member_close(struct state *s, int64_t now_s, struct err *e) MUST_CHECK;

#endif
