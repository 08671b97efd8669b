/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway's ledger without sockets for unit tests: real entries in a real database, heads signed by the fixture's
 * gateway. */
#ifndef SCG_TESTS_MEMGATE_H
#define SCG_TESTS_MEMGATE_H

#include "ledger/mirror.h"
#include "lib/fixture.h"

#define MEMGATE_REVOKED_MAX 64

struct memgate {
	const struct fixture *f;
	const struct fixture_id *id; /* who signs; the fixture's gateway at first */
	struct db *db;
	struct ledger *ledger;
	struct secret seal;
	int64_t now_s; /* its clock: the fixture's at first */
	size_t batch_bytes; /* of one reply with entries; ENTRIES_BATCH_BYTES at first */
	X509 *revoked[MEMGATE_REVOKED_MAX]; /* borrowed */
	size_t n_revoked;
	struct crl_set *crl; /* the newest list, NULL before the first */
	struct buf crl_der;  /* its bytes */
	struct mirror_transport transport;
};

/* Opens (creates) the database; a new one gets the gateway's member event and the first epoch. Any failure aborts. */
void memgate_init(struct memgate *g, const struct fixture *f, const char *path);
void memgate_wipe(struct memgate *g);

/* Appends what a gateway makes. */
void memgate_member(struct memgate *g, X509 *cert);
void memgate_epoch(struct memgate *g);
/* A list that names this certificate too (NULL: nobody new), its crl event, and a new epoch. */
void memgate_revoke(struct memgate *g, X509 *cert);
/* Appends one entry by itself, committed; nothing remains of a refused one. */
int memgate_append(
    struct memgate *g, const struct buf *entry, const struct ledger_how *how, struct ledger_result *r, struct err *e);
/* The same as posted by peer, whose member event is written first if there is none. r may be NULL. */
int memgate_post(struct memgate *g, X509 *peer, const struct buf *entry, struct ledger_result *r, struct err *e);
/* Signs a change as the mirror stands (it is synchronised first), and posts it. */
int memgate_change(struct memgate *g, struct mirror *m, const struct fixture_id *who, const struct ledger_change *c,
    struct ledger_result *r, struct err *e);

/* A change with new random object (and file) ids, digests drawn from them, under the current epoch; borrows path and
 * buffers of its own. */
struct memgate_step {
	struct ledger_change c;
	char object[OBJECT_ID_LEN + 1];
	uint8_t file[16], digest[32], key_id[KEY_ID_LEN];
};
void memgate_step(
    struct memgate *g, enum event_op op, const char *path, const struct ledger_file *base, struct memgate_step *s);

#endif
