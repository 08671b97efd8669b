/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to one file: its events name each other by their base. */
#include "ledger/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"

int history_event(struct ledger *l, uint64_t index, struct event *ev, uint8_t ski[static SKI_LEN], struct err *e) {
	OWN(signed_wipe) struct signed_info info = {0};
	OWN(db_done) struct db_rows rows = {0};
	const uint8_t *der;
	size_t len;
	int r;

	if ((r = db_query(l->db, &rows, e, "SELECT event FROM ledger_entries WHERE n = ?", "i", (int64_t)index)) != 0 ||
	    (r = db_row(&rows, e)) < 0)
		return r;
	if (r == 0)
		return err_set(e, ERR_DAMAGED, "ledger: an entry vanished");
	der = db_blob(&rows, 0, &len);
	if (signed_parse(der, len, &info, e) != 0)
		return err_add(e, "ledger: stored event");
	memcpy(ski, info.ski, SKI_LEN);
	return event_parse(info.content, info.content_len, ev, e);
}

struct chain_of {
	uint64_t *index;
	size_t n, cap;
};

static void chain_of_wipe(struct chain_of *c) {
	free(c->index);
}

/* From the newest event back to the put. Bases fall; a table that says otherwise would lead in a circle. */
static int walk_back(struct ledger *l, uint64_t index, struct chain_of *c, struct err *e) {
	uint8_t ski[SKI_LEN];
	struct event ev;
	int r;

	for (;;) {
		if (c->n == c->cap) {
			c->cap = c->cap > 0 ? 2 * c->cap : 16;
			c->index = xrealloc(c->index, c->cap, sizeof *c->index);
		}
		c->index[c->n++] = index;
		if ((r = history_event(l, index, &ev, ski, e)) != 0)
			return r;
		if (ev.op == EVENT_PUT)
			return 0;
		if ((event_fields(ev.op) & EVENT_HAS_BASE) == 0 || ev.base >= index)
			return err_set(e, ERR_DAMAGED, "ledger: stored events of a file do not lead to its put");
		index = ev.base;
	}
}

int ledger_history(struct ledger *l, const uint8_t file[static 16],
    int (*f)(void *arg, const struct ledger_step *s, struct err *e), void *arg, struct err *e) {
	OWN(chain_of_wipe) struct chain_of c = {0};
	OWN(buf_wipe) struct buf name = {0};
	uint8_t ski[SKI_LEN];
	struct signer *who;
	struct event ev;
	struct row row;
	int r;

	if ((r = row_load(l, file, &row, e)) != 0 || (r = walk_back(l, row.f.base, &c, e)) != 0)
		return r;
	for (size_t i = c.n; i-- > 0;) {
		if ((r = history_event(l, c.index[i], &ev, ski, e)) != 0 || (r = signers_find(l, ski, &who, e)) != 0)
			return r;
		if ((ev.op == EVENT_PUT || ev.op == EVENT_RENAME) && (r = row_name(l, c.index[i], &name, e)) != 0)
			return r;
		if (who == NULL || name.len <= SALT_LEN)
			return err_set(e, ERR_DAMAGED, "ledger: damaged table of signers");
		const struct ledger_step s = {c.index[i], &ev, who->name, buf_str(&name) + SALT_LEN};
		if ((r = f(arg, &s, e)) != 0)
			return r;
	}
	return 0;
}
