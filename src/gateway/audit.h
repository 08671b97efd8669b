/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log of a group as its gateway writes it: append-only, a Merkle tree as the ledger's (RFC 6962 2.1), its heads signed. Entries wait
 * in memory until the transaction that they belong to is committed; no head speaks of one that is not on disk. */
#ifndef SCG_GATEWAY_AUDIT_H
#define SCG_GATEWAY_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/record.h"
#include "gateway/state.h"
#include "ledger/head.h"
#include "ledger/proof.h"

#define AUDIT_SIGN_MS 1000     /* a head is signed and stored at most so often */
#define AUDIT_WAITING_MAX 10000 /* entries that wait for the database; who would add more has to wait too */

struct audit;

/* The log in s (borrowed), for heads of this group. ERR_DAMAGED: the stored hashes do not fit together. */
int audit_open(struct audit **a, struct state *s, const char *group, struct err *e) MUST_CHECK;
void audit_close(struct audit *a); /* a may be NULL */
/* Cheap: the newest signed head is the gateway's, and the stored hashes give its root. ERR_DAMAGED. */
int audit_check(struct audit *a, const struct chain *chain, struct err *e) MUST_CHECK;
/* What other processes committed is taken over. ERR_DAMAGED: the log no longer contains what it had. */
int audit_reload(struct audit *a, struct err *e) MUST_CHECK;

/* Notes an entry (its number is given later). lasting: it is true whatever becomes of the transaction; else it is forgotten with that. */
void audit_add(struct audit *a, const struct record *r, bool lasting);
/* All that waits is true from here on: what it tells of has happened. */
void audit_keep(struct audit *a);
bool audit_has_to_be_written(const struct audit *a); /* there is something that is not lasting */
size_t audit_waiting(const struct audit *a);

/* Inside a transaction: writes what waits, and a signed head where one is due (sign: even if it is not). by NULL: none can be signed now; its nonce is not used. */
int audit_write(struct audit *a, const struct head_sign *by, bool sign, struct err *e) MUST_CHECK;
/* The committed head is not signed yet, and may be now. */
bool audit_is_due(const struct audit *a);
/* The transaction is on disk; or not: what was written waits again, or is forgotten. */
void audit_committed(struct audit *a);
void audit_undone(struct audit *a);

/* What is committed. */
void audit_head(const struct audit *a, struct head *h);
uint64_t audit_size(const struct audit *a);
int64_t audit_newest_s(const struct audit *a); /* the time of its last entry; 0 where there is none */
uint64_t audit_signed(const struct audit *a);  /* how many entries the newest signed head speaks of */
/* Its text, for SignedData made otherwise; borrowed until the next commit. */
const char *audit_head_text(struct audit *a);
/* That the committed log begins with its first old entries, as of size (old <= size <= the committed one, else ERR_NOTFOUND). */
int audit_prove(struct audit *a, uint64_t old, uint64_t size, uint8_t path[static PROOF_MAX][32], size_t *n, struct err *e) MUST_CHECK;

#endif
