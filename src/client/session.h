/* SPDX-License-Identifier: Apache-2.0 */
/* One command's view of the group: who we are, what the gateway says now, the ledger as far as it is known, the
 * drive. */
#ifndef SCG_CLIENT_SESSION_H
#define SCG_CLIENT_SESSION_H

#include <pthread.h>
#include <stdbool.h>

#include "base/err.h"
#include "client/gateway.h"
#include "client/identity.h"
#include "client/revocation.h"
#include "client/settings.h"
#include "keyring/keyring.h"
#include "ledger/mirror.h"
#include "net/fetch.h"
#include "store/store.h"

#define SESSION_NONCE_LEN 16

struct session {
	struct identity me;
	struct settings conf;
	char *host; /* of the gateway's URL */
	struct revocation revocation;
	struct fetch *fetch;   /* under the lock where several threads work */
	struct mirror *mirror; /* likewise, and so are keys and group */
	struct keyring keys;
	struct group_info group;
	struct store_env env; /* what the store borrows */
	unsigned drive_wait_s; /* store_env.total_s */
	struct store *store;  /* NULL until session_store */
	bool stale;          /* the gateway was not asked: freshness unknown */
	bool has_lock;
	pthread_mutex_t lock; /* one owner at a time of fetch, mirror, keys and group */
};

/* How a command uses the group. */
struct session_need {
	const char *dir; /* as given, or NULL for the default */
	const char *passin;
	bool stale_ok; /* a gateway that cannot be reached is put up with: for what only reads */
};

/* Loads what lies in the folder; asks nobody. Wipe in every case (it begins as {0}). */
int session_open(struct session *s, const struct session_need *need, struct err *e) MUST_CHECK;
/* Asks the gateway: group, revocation list, ledger, keys, in this order, so that none is older than what it is compared
 * with. Offline and allowed: takes what the last commands left, and sets stale. */
int session_connect(struct session *s, const struct session_need *need, struct err *e) MUST_CHECK;
/* Takes what the last commands left in the folder, asking nobody: group and keys. ERR_NOTFOUND where there never was
 * a command; ERR_UNREACHABLE where the gateway's certificate that signed the keys was revoked since, not only renewed. */
int session_recall(struct session *s, struct err *e) MUST_CHECK;
void session_wipe(struct session *s);

/* A further connection to the gateway, for a thread of its own; fetch_free it. */
int session_fetch(struct session *s, struct fetch **f, struct err *e) MUST_CHECK;

/* The following take the lock. */
/* Brings the mirror to the gateway's head; a new list that an event announces is fetched too. */
int session_sync(struct session *s, struct err *e) MUST_CHECK;
/* Fetches the keys anew. */
int session_refresh_keys(struct session *s, struct err *e) MUST_CHECK;
/* A copy of the epoch with this id (NULL: the current one) as a keyring of its own, for work beside other threads.
 * ERR_REFUSED: we have not got it. */
int session_epoch(struct session *s, const uint8_t *key_id, struct keyring *one, struct err *e) MUST_CHECK;
void session_lock(struct session *s);
void session_unlock(struct session *s);

/* How long an object may take to appear: as scg.conf says, else what a listing of a drive behind a network may lag. */
#define SESSION_REMOTE_SETTLE_S 10
bool session_may_settle(const struct session *s, int64_t since_s);

/* Opens the drive: scg.conf's store, else the one that the gateway names. ERR_FAIL where there is none yet. */
int session_store(struct session *s, struct err *e) MUST_CHECK;
/* The group's drive has yet to be made: session_store would do that. */
bool session_store_is_wish(const struct session *s);
static inline struct ledger *session_ledger(const struct session *s) {
	return mirror_ledger(s->mirror);
}

#endif
