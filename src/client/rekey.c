/* SPDX-License-Identifier: Apache-2.0 */
#include "client/rekey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/work.h"
#include "client/groupfile.h"
#include "client/gc.h"
#include "client/note.h"
#include "client/driveio.h"
#include "client/step.h"
#include "client/upload.h"
#include "client/worker.h"
#include "envelope/envelope.h"

#define ATTEMPTS_MAX 10   /* times that one file was changed by others under our hands */
#define LARGE (64u << 20) /* from here on one file alone keeps all cores busy */

struct rekey_item {
	uint8_t file[16];
	char *path;
};

struct rekey_run {
	struct session *session;
	bool rewrap;
	uint8_t key_id[KEY_ID_LEN]; /* the newest epoch's when the run began */
	struct rekey_item *v;
	size_t n, cap;
	uint64_t bytes_ahead;
	struct rekey_report *report;
	pthread_mutex_t lock; /* of the report */
};

void rekey_report_wipe(struct rekey_report *report) {
	left_wipe(&report->owners);
}

static void run_wipe(struct rekey_run *run) {
	for (size_t i = 0; i < run->n; i++)
		free(run->v[i].path);
	free(run->v);
	(void)pthread_mutex_destroy(&run->lock);
}

static int collect(void *arg, const struct ledger_file *f, struct err *e) {
	struct rekey_run *run = arg;
	struct rekey_item item;

	(void)e;
	if (memcmp(f->key_id, run->key_id, KEY_ID_LEN) == 0) {
		run->report->unchanged++;
		return 0;
	}
	if (run->n == run->cap) {
		run->cap = run->cap == 0 ? 64 : run->cap * 2;
		run->v = xrealloc(run->v, run->cap, sizeof(*run->v));
	}
	memcpy(item.file, f->file, sizeof(item.file));
	item.path = xstrdup(f->path);
	run->v[run->n++] = item;
	run->bytes_ahead += f->content_size;
	return 0;
}

/* One file on its way to the newest epoch. */
struct rekeying {
	struct worker *w;
	const struct rekey_item *item;
	bool rewrap;
	struct ledger_file from; /* as it was when its object was read */
	struct keyring to;       /* of one */
	struct driveio_writer object;
	struct envelope_result made;
	uint8_t sha256[32];
	char old_object[OBJECT_ID_LEN + 1];
	unsigned spoiled; /* times that the drive stored other bytes */
	struct driveio_doubt doubt; /* about the old object */
};

static void rekeying_discard(struct rekeying *k) {
	k->doubt = (struct driveio_doubt){0};
	ledger_file_wipe(&k->from);
	k->from = (struct ledger_file){0};
	keyring_wipe(&k->to);
	driveio_writer_wipe(&k->object);
	envelope_result_wipe(&k->made);
}

static int find(struct rekeying *k, struct err *e) {
	struct session *s = k->w->session;
	int r;

	session_lock(s);
	r = ledger_find_id(session_ledger(s), k->item->file, &k->from, e);
	session_unlock(s);
	return r;
}

/* Reads the old object, writes the new one. garbled: it is worth reading it again. */
static int convert(struct rekeying *k, const struct keyring *from, bool *garbled, struct err *e) {
	struct session *s = k->w->session;
	struct envelope_open how = {
		.keys = from,
		.chain = s->me.chain,
		.group = s->me.group,
		.content_sha256 = k->from.content_sha256,
		.in_ledger = true,
		.hash_object = true,
		.threads = k->from.content_size >= LARGE ? 0 : k->w->threads,
		.progress = worker_progress,
		.progress_arg = k->w,
	};
	struct driveio_want want = { .id = k->from.object, .size = k->from.object_size };
	OWN(driveio_reader_wipe) struct driveio_reader old = {0};
	struct source in;
	struct sink out;
	int r;

	if ((r = driveio_open(&old, s->store, &want, &in, e)) != 0) {
		*garbled = r == ERR_DAMAGED && driveio_is_garbled(&old, k->from.object_sha256, &k->doubt);
		return r;
	}
	k->object = (struct driveio_writer){0};
	if ((r = driveio_create(&k->object, s->store, &out, e)) != 0)
		return r;
	r = k->rewrap ? envelope_rewrap(&how, &k->to.v[0], &in, &out, &k->made, e)
		      : envelope_reencrypt(&how, &k->to.v[0], &in, &out, &k->made, e);
	/* The key id of the ledger is among our keys; another one in the object is the drive's doing. */
	if (r == ERR_REFUSED && !atomic_load(&old.failed) && !k->object.failed)
		r = err_recode(e, ERR_DAMAGED);
	*garbled = r == ERR_DAMAGED && !k->object.failed && driveio_is_garbled(&old, k->from.object_sha256, &k->doubt);
	if (r == 0 && (r = driveio_commit(&k->object, e)) == STORE_SPOILED)
		r = ++k->spoiled < STORE_SPOILED_MAX ? STEP_RESEAL : err_recode(e, ERR_UNREACHABLE);
	return r;
}

/* The new object as the drive gives it back: the same bytes, and they open to what the author signed. */
static int read_back(struct rekeying *k, struct err *e) {
	struct ledger_file now = k->from; /* borrows */
	int r;

	memcpy(now.object, k->object.id, sizeof(now.object));
	memcpy(now.key_id, k->to.v[0].key_id, KEY_ID_LEN);
	memcpy(now.object_sha256, k->made.object_sha256, sizeof(now.object_sha256));
	now.object_size = k->made.object_size;
	r = groupfile_check(k->w, &now, e);
	return r != 0 ? err_add(e, "the new object, read back") : 0;
}

static int make_object(struct rekeying *k, struct err *e) {
	struct session *s = k->w->session;
	OWN(keyring_wipe) struct keyring from = {0};
	bool garbled = false;
	int r;

	if ((r = session_epoch(s, k->from.key_id, &from, e)) != 0 || (r = session_epoch(s, NULL, &k->to, e)) != 0)
		return r;
	while ((r = convert(k, &from, &garbled, e)) != 0 && garbled) {
		driveio_writer_wipe(&k->object);
		envelope_result_wipe(&k->made);
	}
	if (r == ERR_DAMAGED && store_prefer(s->store, k->from.object, k->from.object_sha256, NULL) == 0)
		return STEP_RESEAL;
	if (r == 0 && (r = read_back(k, e)) == 0)
		k->object.seen_ms = clock_mono_ms();
	return r;
}

static int prepare(void *arg, struct ledger *l, struct ledger_change *c, struct err *e) {
	struct rekeying *k = arg;
	OWN(ledger_file_wipe) struct ledger_file now = {0};
	bool old, there;
	int r;

	if ((r = step_epoch_is_old(l, &k->to.v[0], &old, e)) != 0 ||
	    (r = ledger_find_id(l, k->item->file, &now, e)) != 0)
		return r;
	if ((r = driveio_is_there(&k->object, k->w->session->store, &there, e)) != 0)
		return r;
	/* Replaced by its author, removed, or re-keyed by another member: the new object has no purpose. */
	if (now.removed || now.content_index != k->from.content_index ||
	    memcmp(now.key_id, k->from.key_id, KEY_ID_LEN) != 0)
		return STEP_MOOT;
	if (old || !there || clock_now_s() - k->object.committed_s > UPLOAD_POST_WITHIN_S)
		return STEP_RESEAL;
	memcpy(k->old_object, now.object, sizeof(k->old_object));
	c->op = EVENT_REKEY;
	c->file = k->item->file;
	c->base = now.base;
	c->object = k->object.id;
	c->object_size = k->made.object_size;
	c->object_sha256 = k->made.object_sha256;
	c->key_id = k->to.v[0].key_id;
	return 0;
}

static int landed(void *arg, struct ledger *l, bool *yes, struct err *e) {
	const struct rekeying *k = arg;

	return step_object_landed(l, k->object.id, yes, e);
}

/* One conversion and its event. */
static int attempt(struct rekeying *k, struct err *e) {
	struct step st = { .arg = k, .prepare = prepare, .landed = landed };
	struct err gone = ERR_INIT;
	int r = make_object(k, e);

	if (r == 0)
		r = step_run(k->w, &st, e);
	if (r != STEP_POSTED && k->object.seen_ms != 0 && !st.uncertain &&
	    store_destroy(k->w->session->store, k->object.id, &gone) != 0)
		note("an object that nobody needs is still on the drive (scg gc): %s", gone.text);
	return r;
}

/* Is there something to do for this file, as the ledger stands now? */
static int is_due(struct rekeying *k, bool *due, struct err *e) {
	OWN(keyring_wipe) struct keyring newest = {0};
	int r;

	if ((r = find(k, e)) != 0 || (r = session_epoch(k->w->session, NULL, &newest, e)) != 0)
		return r;
	*due = !k->from.removed && memcmp(k->from.key_id, newest.v[0].key_id, KEY_ID_LEN) != 0;
	return 0;
}

static int count(struct rekey_run *run, struct rekeying *k, bool posted, char *result) {
	struct session *s = k->w->session;
	char owner[STORE_OWNER_MAX];
	struct err e = ERR_INIT;
	int r = 0;

	/* What is another's is counted by its owner when all is swept up. */
	if (posted)
		r = destroy_object(s, k->old_object, owner, &e);
	if (r != 0 && owner[0] == '\0')
		note("the object before is still on the drive: %s", e.text);
	(void)pthread_mutex_lock(&run->lock);
	if (posted) {
		run->report->rekeyed++;
		run->report->bytes += k->from.content_size;
		run->report->destroyed += r == 0 ? 1 : 0;
		run->report->left += r == 0 ? 0 : 1;
	} else {
		run->report->unchanged++;
	}
	(void)pthread_mutex_unlock(&run->lock);
	(void)snprintf(result, WORKER_RESULT_MAX, "%s", posted ? "rekeyed" : "changed meanwhile");
	return 0;
}

/* After an attempt that came to nothing: 0 when another one is worth it. The old object is gone where another member
 * was faster, or it is damage. */
static int make_ready(struct rekeying *k, int r, const struct err *why, struct err *e) {
	struct session *s = k->w->session;
	struct ledger_file before = k->from;
	int rc = 0;

	if (r == STEP_RESEAL)
		return session_refresh_keys(s, e);
	if (r == STEP_MOOT)
		return 0;
	if (r != ERR_NOTFOUND || before.object[0] == '\0')
		return err_set(e, r, "%s", why->text);
	k->from = (struct ledger_file){0};
	rc = session_sync(s, e);
	if (rc == 0)
		rc = find(k, e);
	if (rc == 0 && strcmp(before.object, k->from.object) == 0)
		rc = groupfile_verdict(s, &k->from, why, e);
	ledger_file_wipe(&before);
	return rc;
}

static int rekey_one(void *arg, struct worker *w, size_t i, char *result, struct err *e) {
	struct rekey_run *run = arg;
	OWN(rekeying_discard) struct rekeying k = { .w = w, .item = &run->v[i], .rewrap = run->rewrap };

	for (int again = 0; again < ATTEMPTS_MAX; again++) {
		struct err why = ERR_INIT;
		bool due;
		int r;

		rekeying_discard(&k);
		if ((r = is_due(&k, &due, e)) != 0)
			return r;
		if (!due)
			return count(run, &k, false, result);
		r = attempt(&k, &why);
		if (r == STEP_POSTED)
			return count(run, &k, true, result);
		if ((r = make_ready(&k, r, &why, e)) != 0)
			return r;
	}
	return err_set(e, ERR_UNREACHABLE, "changes all the time; run rekey again");
}

static const char *name_of(void *arg, size_t i) {
	const struct rekey_run *run = arg;

	return run->v[i].path;
}

static int collect_all(struct rekey_run *run, struct err *e) {
	struct session *s = run->session;
	OWN(keyring_wipe) struct keyring newest = {0};
	int r = session_epoch(s, NULL, &newest, e);

	if (r != 0)
		return r;
	memcpy(run->key_id, newest.v[0].key_id, KEY_ID_LEN);
	run->report->epoch = newest.v[0].number;
	session_lock(s);
	r = ledger_each(session_ledger(s), NULL, collect, run, e);
	session_unlock(s);
	return r;
}

/* Also what an earlier run, killed between an event and the destruction of the old object, left behind. */
static int clean_up(struct session *s, struct rekey_report *report, struct err *e) {
	struct gc_report swept;
	int r = gc(s, UPLOAD_ORPHAN_S, &swept, e);

	report->destroyed += swept.destroyed;
	report->left = swept.left;
	report->owners = swept.owners;
	return r;
}

/* Small files wait for disk and gateway more than for a core. */
static unsigned how_many(void) {
	unsigned cores = work_cores();

	return cores > WORKERS_DEFAULT ? cores : WORKERS_DEFAULT;
}

int rekey(struct session *s, bool rewrap, struct rekey_report *report, struct err *e) {
	OWN(run_wipe) struct rekey_run run = { .session = s, .rewrap = rewrap, .report = report };
	struct err cleaning = ERR_INIT;
	int r;

	*report = (struct rekey_report){0};
	(void)pthread_mutex_init(&run.lock, NULL);
	if ((r = session_store(s, e)) != 0 || (r = collect_all(&run, e)) != 0)
		return r;
	struct worker_job job = {
		.verb = "rekey",
		.bytes = 2 * run.bytes_ahead,
		.workers = how_many(),
		.n = run.n,
		.arg = &run,
		.name = name_of,
		.f = rekey_one,
	};
	r = worker_run(s, &job, &report->failed, e);
	if (r == ERR_REFUSED || r == ERR_UNREACHABLE)
		return r;
	return clean_up(s, report, &cleaning) == 0 || r != 0 ? r : err_set(e, cleaning.code, "%s", cleaning.text);
}
