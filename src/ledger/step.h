/* SPDX-License-Identifier: Apache-2.0 */
/* One append in the making: what rules.c asks of it and apply.c does with it. Not for other folders. */
#ifndef SCG_LEDGER_STEP_H
#define SCG_LEDGER_STEP_H

#include "ledger/state.h"

struct step {
	struct ledger *l;
	const struct ledger_how *how;
	struct item *it;
	const struct event *ev;
	struct signer *signer;
	struct row row; /* of the file; a put fills it */
	struct place at, from; /* put, rename: the new place; rename, remove: the old one */
	struct ledger_result *r;
	struct err *e;
};
/* A log that breaks a rule is forged; a post that does is only refused. */
static inline int step_code(const struct step *s) {
	return s->how->mode == LEDGER_REPLAY ? ERR_DAMAGED : ERR_REFUSED;
}
#define step_refuse(s, ...) err_set((s)->e, step_code(s), "event: " __VA_ARGS__)

#define OP(op) (1u << (EVENT_##op))
#define MEMBERS (OP(PUT) | OP(REPLACE) | OP(RENAME) | OP(REMOVE) | OP(REKEY))
#define ALL (MEMBERS | OP(EPOCH) | OP(CRL) | OP(MEMBER))

static inline bool is(const struct step *s, unsigned which) {
	return (1u << s->ev->op & which) != 0;
}

/* Stores the entry, whose rules hold, and all that follows from it. */
int step_append(struct step *s) MUST_CHECK;

#endif
