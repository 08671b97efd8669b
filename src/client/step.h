/* SPDX-License-Identifier: Apache-2.0 */
/* One step on the ledger: sign an event as the ledger stands, post it, and find out what became of it. */
#ifndef SCG_CLIENT_STEP_H
#define SCG_CLIENT_STEP_H

#include <stdbool.h>

#include "base/err.h"
#include "client/worker.h"
#include "ledger/ledger.h"

#define STEP_CONFLICTS_MAX 1000 /* lost races in a row; each one means that somebody else got on */
#define STEP_LOST_MAX 3         /* replies that never came */

/* What prepare found, other than an event to post. */
enum step_end {
	STEP_POSTED = 0, /* the event is in the ledger */
	STEP_RESEAL = 1, /* the object may not be posted any more (a newer epoch, too old): seal anew */
	STEP_MOOT = 2,   /* nothing is left to do */
};

struct step {
	void *arg;
	/* Under the session's lock, again before each attempt: fills c from the ledger as it stands; 0, a step_end
	 * above 0, or an error. */
	int (*prepare)(void *arg, struct ledger *l, struct ledger_change *c, struct err *e);
	/* Under the lock, behind a synchronisation: does the ledger have what the last attempt wanted? */
	int (*landed)(void *arg, struct ledger *l, bool *yes, struct err *e);
	/* Out: an event was sent whose fate is not known, so what it names must not be destroyed. */
	bool uncertain;
};

/* A step_end, or an error: of prepare, the gateway's refusal, ERR_CONFLICT where it says no again and again although
 * nothing changes. */
int step_run(struct worker *w, struct step *st, struct err *e) MUST_CHECK;

/* landed() for events that bring a new object. */
int step_object_landed(struct ledger *l, const char *object, bool *yes, struct err *e) MUST_CHECK;
/* The key id is of an epoch before the newest that the ledger knows. */
int step_epoch_is_old(struct ledger *l, const struct epoch *ep, bool *yes, struct err *e) MUST_CHECK;

#endif
