/* SPDX-License-Identifier: Apache-2.0 */
#include "client/gc.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "client/listing.h"
#include "client/note.h"

/* A write in progress touches its file all the time. */
#define SWEEP_S 86400

static int judge(struct session *s, const struct store_stat *st, int64_t orphan_s, struct gc_report *report, bool *destroy, struct err *e) {
	enum ledger_standing standing;
	int r = ledger_object(session_ledger(s), st->id, &standing, e);

	*destroy = false;
	if (r != 0 || standing == LEDGER_OBJECT_CURRENT)
		return r;
	*destroy = standing == LEDGER_OBJECT_OLD || clock_now_s() - st->modified_s >= orphan_s;
	if (!*destroy)
		report->waiting++;
	return 0;
}

static int destroy(struct session *s, const struct store_stat *st, struct gc_report *report, struct err *e) {
	struct err why = ERR_INIT;
	int r = store_destroy(s->store, st->id, &why);

	if (r == ERR_REFUSED) {
		note("%s", why.text);
		report->left++;
		return 0;
	}
	if (r != 0)
		return err_set(e, r, "%s", why.text);
	report->destroyed++;
	report->bytes += st->size;
	return 0;
}

int gc(struct session *s, int64_t orphan_s, struct gc_report *report, struct err *e) {
	OWN(listing_wipe) struct listing list = {0};
	struct err sweeping = ERR_INIT;
	int r;

	*report = (struct gc_report){0};
	if ((r = session_store(s, e)) != 0 || (r = listing_take(&list, s->store, e)) != 0 || (r = session_sync(s, e)) != 0)
		return r;
	for (size_t i = 0; i < list.n; i++) {
		bool gone;

		if ((r = judge(s, &list.v[i], orphan_s, report, &gone, e)) != 0)
			return r;
		if (gone && (r = destroy(s, &list.v[i], report, e)) != 0)
			return r;
	}
	if (store_sweep(s->store, clock_now_s() - SWEEP_S, &report->swept, &sweeping) != 0)
		note("%s", sweeping.text);
	return 0;
}
