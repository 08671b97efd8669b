/* SPDX-License-Identifier: Apache-2.0 */
/* What mirror.c and audit.c share. Not for other folders. */
#ifndef SCG_LEDGER_MIRROR_STATE_H
#define SCG_LEDGER_MIRROR_STATE_H

#include "ledger/mirror.h"
#include "ledger/state.h"

struct mirror {
	struct db *db;
	struct ledger *ledger;
	const struct chain *chain;
	uint8_t own[SKI_LEN];
	bool has_own;
};

/* --- mine.c --- */
extern const char mirror_mine_schema[];

/* --- mirror.c --- */
/* db_begin, waiting for another process's sync. */
int mirror_begin(struct mirror *m, struct err *e) MUST_CHECK;
/* The stored head, unchecked: only its size is filled in. ERR_NOTFOUND. */
int mirror_stored_head(struct mirror *m, struct head *h, struct buf *der, int64_t *fetched_s, struct err *e) MUST_CHECK;
/* Has every serial on the list a crl event? again: also if this list was checked before. Inside a transaction. */
int mirror_check_crl(struct mirror *m, const struct crl_set *crl, bool again, struct err *e) MUST_CHECK;

#endif
