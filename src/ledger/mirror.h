/* SPDX-License-Identifier: Apache-2.0 */
/* A member's mirror of the ledger (DIR/ledger.db): synchronised by replay, believing nothing. */
#ifndef SCG_LEDGER_MIRROR_H
#define SCG_LEDGER_MIRROR_H

#include "ledger/ledger.h"
#include "pki/crl.h"

struct mirror;
int mirror_open(struct mirror **m, const char *path, const struct chain *chain, struct err *e) MUST_CHECK;
void mirror_close(struct mirror *m);
struct ledger *mirror_ledger(struct mirror *m);
struct db *mirror_db(struct mirror *m);   /* for the client's own tables (bases) in the same file; see mirror_migrations */

/* How the mirror asks the gateway; src/client gives these over HTTPS, tests from memory. */
struct mirror_transport {
	void *arg;
	int (*head)(void *arg, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e);     /* GET /v1/ledger/head */
	int (*entries)(void *arg, uint64_t from, struct buf *der, struct err *e);                          /* inflated */
};
/* Brings the mirror to the gateway's head, checking every rule of section 5; all cores; constant memory for any number of entries. crl: the highest list seen (a serial on
 * it that no crl event brought is ERR_DAMAGED), or NULL. A forged or forked log: ERR_DAMAGED, the evidence is kept in the database and the mirror stays as it was.
 * Safe with several processes at once. */
int mirror_sync(struct mirror *m, const struct mirror_transport *t, const struct crl_set *crl, int64_t now_s, struct err *e) MUST_CHECK;
/* Replays all that is stored from the first entry (scg ledger audit). */
int mirror_audit(struct mirror *m, const struct crl_set *crl, struct err *e) MUST_CHECK;
/* The last verified head, its DER and when it was fetched; ERR_NOTFOUND before the first. */
int mirror_head(struct mirror *m, struct head *h, struct buf *der, int64_t *fetched_s, struct err *e) MUST_CHECK;

/* The content that this member last uploaded or downloaded, by file: the base of his next upload. index: of the event that brought it. ERR_NOTFOUND. */
int mirror_base_get(struct mirror *m, const uint8_t file[static 16], uint64_t *content_index, struct err *e) MUST_CHECK;
int mirror_base_set(struct mirror *m, const uint8_t file[static 16], uint64_t content_index, struct err *e) MUST_CHECK;

#endif
