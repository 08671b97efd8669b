/* SPDX-License-Identifier: Apache-2.0 */
#include "client/gc.h"

#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "client/groupfile.h"
#include "client/listing.h"
#include "client/note.h"
#include "client/spool.h"
#include "envelope/envelope.h"

/* A write in progress touches its file all the time. */
#define SWEEP_S 86400

/* The file, if there is one, that has this very content under the newest epoch. */
struct twin {
	const uint8_t *content_sha256;
	uint8_t key_id[KEY_ID_LEN];
};

static int is_twin(void *arg, const struct ledger_file *f, struct err *e) {
	const struct twin *t = arg;

	(void)e;
	return memcmp(f->content_sha256, t->content_sha256, sizeof(f->content_sha256)) == 0 &&
	    memcmp(f->key_id, t->key_id, KEY_ID_LEN) == 0;
}

/* Left by a re-encryption that was killed: its content, down to the author's signature, is a file's that somebody has
 * re-keyed since. An event that named it would come too late. */
static int is_second_rekey(
    struct session *s, const struct store_stat *st, struct twin *t, bool *dead, struct err *e) {
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	int r;

	if (groupfile_open_stray(s, st, &result, NULL) != 0)
		return 0;
	t->content_sha256 = result.content_sha256;
	r = ledger_each(session_ledger(s), NULL, is_twin, t, e);
	*dead = r == 1;
	return r < 0 ? r : 0;
}

/* An unnamed object that no event can ever name, because it is under an epoch before the head's: the gateway refuses
 * that. So it need not wait. */
static int can_never_be_named(struct session *s, const struct store_stat *st, bool *dead, struct err *e) {
	uint8_t key_id[KEY_ID_LEN];
	struct twin twin;
	uint64_t newest, number;
	int r = ledger_epoch(session_ledger(s), twin.key_id, &newest, e);

	*dead = false;
	if (r != 0)
		return r;
	/* What is no envelope of ours is not ours to be sure about. */
	if (groupfile_key_id(s, st->id, key_id, NULL) != 0)
		return 0;
	r = ledger_epoch_number(session_ledger(s), key_id, &number, e);
	if (r != 0)
		return r == ERR_NOTFOUND ? 0 : r;
	*dead = number < newest;
	return *dead ? 0 : is_second_rekey(s, st, &twin, dead, e);
}

struct sweep {
	struct session *session;
	int64_t orphan_s;
	struct gc_report *report;
	bool trash;  /* what is swept lies in the drive's: a file's own object there is left alone, so that it can be brought back */
};

static int judge(const struct sweep *w, const struct store_stat *st, bool *destroy, struct err *e) {
	struct session *s = w->session;
	enum ledger_standing standing;
	int r = ledger_object(session_ledger(s), st->id, &standing, e);

	*destroy = false;
	if (r != 0 || standing == LEDGER_OBJECT_CURRENT)
		return r;
	*destroy = standing == LEDGER_OBJECT_OLD || clock_now_s() - st->modified_s >= w->orphan_s;
	if (*destroy || w->trash)
		return 0;
	r = can_never_be_named(s, st, destroy, e);
	w->report->waiting += r == 0 && !*destroy ? 1 : 0;
	return r;
}

void gc_report_wipe(struct gc_report *report) {
	left_wipe(&report->owners);
}

static int destroy(const struct sweep *w, const struct store_stat *st, struct err *e) {
	struct gc_report *report = w->report;
	char owner[STORE_OWNER_MAX];
	struct err why = ERR_INIT;
	int r = destroy_object(w->session, st->id, owner, &why);

	if (r == ERR_REFUSED) {
		if (owner[0] == '\0')
			note("%s", why.text);
		report->left++;
		left_add(&report->owners, owner);
		return 0;
	}
	if (r != 0)
		return err_set(e, r, "%s", why.text);
	report->destroyed++;
	report->bytes += st->size;
	return 0;
}

/* Under the newest epoch alone can they still become files. */
static void sweep_spool(struct session *s) {
	OWN(own_free) char *dir = spool_dir(s->me.dir, NULL);
	const struct epoch *current = keyring_current(&s->keys);
	struct err e = ERR_INIT;

	if (spool_sweep(dir, current != NULL ? current->key_id : NULL, &e) != 0)
		note("%s", e.text);
}

static int sweep(const struct sweep *w, const struct listing *list, struct err *e) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		bool gone;

		r = judge(w, &list->v[i], &gone, e);
		if (r == 0 && gone)
			r = destroy(w, &list->v[i], e);
	}
	return r;
}

int gc(struct session *s, int64_t orphan_s, struct gc_report *report, struct err *e) {
	OWN(listing_wipe) struct listing list = {0}, trash = {0};
	const struct sweep live = { s, orphan_s, report, false }, trashed = { s, orphan_s, report, true };
	struct err sweeping = ERR_INIT;
	int r;

	*report = (struct gc_report){0};
	if ((r = session_store(s, e)) != 0 || (r = listing_take(&list, s->store, e)) != 0 ||
	    (r = listing_take_trashed(&trash, s->store, e)) != 0 || (r = session_sync(s, e)) != 0 ||
	    (r = sweep(&live, &list, e)) != 0 || (r = sweep(&trashed, &trash, e)) != 0)
		return r;
	left_sort(&report->owners);
	sweep_spool(s);
	if (store_sweep(s->store, clock_now_s() - SWEEP_S, &report->swept, &sweeping) != 0)
		note("%s", sweeping.text);
	return 0;
}
