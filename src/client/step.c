/* SPDX-License-Identifier: Apache-2.0 */
#include "client/step.h"

#include "base/clock.h"
#include "base/own.h"
#include "ledger/entry.h"

int step_object_landed(struct ledger *l, const char *object, bool *yes, struct err *e) {
	enum ledger_standing standing;
	int r = ledger_object(l, object, &standing, e);

	*yes = r == 0 && standing != LEDGER_OBJECT_UNKNOWN;
	return r;
}

int step_epoch_is_old(struct ledger *l, const struct epoch *ep, bool *yes, struct err *e) {
	uint8_t key_id[KEY_ID_LEN];
	uint64_t number = 0;
	int r = ledger_epoch(l, key_id, &number, e);

	*yes = r == 0 && ep->number < number;
	return r;
}

/* The body of the request as the ledger stands; or what prepare found instead. */
static int make_entry(struct worker *w, struct step *st, struct buf *body, struct err *e) {
	struct session *s = w->session;
	struct ledger_signer by = { .key = s->me.key, .cert = s->me.cert, .now_s = clock_now_s() };
	struct ledger_change c = {0};
	int r;

	session_lock(s);
	r = st->prepare(st->arg, session_ledger(s), &c, e);
	if (r == 0)
		r = ledger_change(session_ledger(s), &c, &by, body, e);
	session_unlock(s);
	if (r == 0)
		entries_wrap(body, 0);
	return r;
}

static int ask_mirror(struct worker *w, struct step *st, bool *landed, uint64_t *size, struct err *e) {
	struct session *s = w->session;
	int r;

	session_lock(s);
	r = st->landed(st->arg, session_ledger(s), landed, e);
	*size = ledger_size(session_ledger(s));
	session_unlock(s);
	return r;
}

/* Where several workers post, one synchronisation brings the events of all that waited for it. */
static int look(struct worker *w, struct step *st, bool *landed, uint64_t *size, struct err *e) {
	int r = ask_mirror(w, st, landed, size, e);

	if (r != 0 || *landed)
		return r;
	r = session_sync(w->session, e);
	return r != 0 ? r : ask_mirror(w, st, landed, size, e);
}

/* How often what went wrong; size is the ledger's at the last conflict. */
struct trouble {
	unsigned conflicts, same, lost;
	uint64_t size;
};

/* Is another attempt worth it? */
static bool may_go_on(struct trouble *t, int code, uint64_t size) {
	if (code == ERR_UNREACHABLE)
		return ++t->lost < STEP_LOST_MAX;
	if (code != ERR_CONFLICT)
		return false;
	/* A conflict with a ledger that does not move is none with somebody faster. */
	t->same = size == t->size ? t->same + 1 : 0;
	t->size = size;
	return t->same < STEP_LOST_MAX && ++t->conflicts < STEP_CONFLICTS_MAX;
}

int step_run(struct worker *w, struct step *st, struct err *e) {
	struct trouble t = {0};

	for (;;) {
		OWN(buf_wipe) struct buf body = {0};
		struct err posting = ERR_INIT;
		bool landed = false, doubt = st->uncertain;
		uint64_t size = 0;
		int r = make_entry(w, st, &body, e), posted;

		if (r != 0 && r != ERR_CONFLICT)
			return r;
		/* Even a refusal proves nothing yet: who is revoked between the commit and the answer hears only of the
		 * second. */
		st->uncertain = doubt || r == 0;
		posted = r != 0 ? r : gateway_post(w->fetch, &body, &posting);
		r = look(w, st, &landed, &size, e);
		if (r != 0)
			return r;
		if (landed)
			return STEP_POSTED;
		if (posted != 0 && posted != ERR_UNREACHABLE)
			st->uncertain = doubt;
		if (posted == 0)
			return err_set(e, ERR_DAMAGED, "the gateway took the event, but its ledger lacks it");
		if (!may_go_on(&t, posted, size)) {
			if (e != NULL && posting.code != 0)
				*e = posting;
			return posted;
		}
	}
}
