/* SPDX-License-Identifier: Apache-2.0 */
#include "client/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "client/groupfile.h"
#include "client/listing.h"
#include "client/worker.h"
#include "envelope/envelope.h"
#include "pki/ossl.h"

struct verify_item {
	char *path;
	uint64_t size;
	char object[OBJECT_ID_LEN + 1];
};

/* Enough of each file to know a copy of its object again. */
struct verify_known {
	uint64_t size;
	uint8_t sha256[SHA256_LEN];
	uint8_t key_id[KEY_ID_LEN];
	char object[OBJECT_ID_LEN + 1];
};

struct verify_run {
	struct session *session;
	struct verify_item *v;
	size_t n, cap;
	struct verify_known *known; /* n_known of them, by size */
	size_t n_known;
	uint64_t bytes;
	struct verify_report *report;
	bool all; /* the files were not named */
};

void verify_report_wipe(struct verify_report *r) {
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].what);
		free(r->v[i].why);
		free(r->v[i].owner);
	}
	free(r->v);
	*r = (struct verify_report){0};
}

static struct verify_finding *find(struct verify_report *r, const char *what, enum verify_kind kind, const char *why) {
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 16 : r->cap * 2;
		r->v = xrealloc(r->v, r->cap, sizeof(*r->v));
	}
	r->v[r->n] = (struct verify_finding){ .kind = kind, .what = xstrdup(what), .why = xstrdup(why) };
	return &r->v[r->n++];
}

static void run_wipe(struct verify_run *run) {
	for (size_t i = 0; i < run->n; i++)
		free(run->v[i].path);
	free(run->v);
	free(run->known);
}

static void add_item(struct verify_run *run, const struct ledger_file *f) {
	if (run->n == run->cap) {
		run->cap = run->cap == 0 ? 64 : run->cap * 2;
		run->v = xrealloc(run->v, run->cap, sizeof(*run->v));
		run->known = xrealloc(run->known, run->cap, sizeof(*run->known));
	}
	struct verify_known *k = &run->known[run->n_known++];
	k->size = f->object_size;
	memcpy(k->sha256, f->object_sha256, sizeof(k->sha256));
	memcpy(k->key_id, f->key_id, sizeof(k->key_id));
	memcpy(k->object, f->object, sizeof(k->object));
	run->v[run->n] = (struct verify_item){ .path = xstrdup(f->path), .size = f->content_size };
	memcpy(run->v[run->n++].object, f->object, sizeof(f->object));
	run->bytes += f->content_size;
}

static int collect(void *arg, const struct ledger_file *f, struct err *e) {
	(void)e;
	add_item(arg, f);
	return 0;
}

static int collect_named(struct verify_run *run, const struct verify_job *job, struct err *e) {
	for (size_t i = 0; i < job->n; i++) {
		OWN(own_free) char *path = NULL;
		OWN(ledger_file_wipe) struct ledger_file f = {0};
		int r = groupfile_path(job->names[i], &path, e);

		if (r == 0)
			r = groupfile_find(run->session, path, &f, e);
		if (r != 0)
			return text_about(job->names[i], r, e);
		add_item(run, &f);
	}
	return 0;
}

static int collect_all(struct verify_run *run, struct err *e) {
	struct session *s = run->session;
	int r;

	session_lock(s);
	r = ledger_each(session_ledger(s), NULL, collect, run, e);
	session_unlock(s);
	return r;
}

static int nothing_to_write(void *arg, const struct ledger_file *f, const struct sink **out, struct err *e) {
	(void)arg;
	(void)f;
	(void)e;
	*out = NULL;
	return 0;
}

/* Meanwhile it got another name, under which it is looked at; or it was removed, and is no file any more. */
static int verify_renamed(struct worker *w, const struct verify_item *v, struct err *e) {
	OWN(ledger_file_wipe) struct ledger_file now = {0}, f = {0};
	struct groupfile_target target = { .begin = nothing_to_write };
	struct session *s = w->session;
	int r;

	session_lock(s);
	r = ledger_find_object(session_ledger(s), v->object, &now, e);
	session_unlock(s);
	if (r != 0 || now.removed)
		return r;
	return groupfile_open_newest(w, now.path, &target, &f, e);
}

static int verify_one(void *arg, struct worker *w, size_t i, char *result, struct err *e) {
	const struct verify_run *run = arg;
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct groupfile_target target = { .begin = nothing_to_write };

	int r = groupfile_open_newest(w, run->v[i].path, &target, &f, e);

	(void)result;
	return r == ERR_NOTFOUND && run->all ? verify_renamed(w, &run->v[i], e) : r;
}

static void verify_failed(void *arg, size_t i, const struct err *e) {
	const struct verify_run *run = arg;

	(void)find(run->report, run->v[i].path, VERIFY_FILE, e->text);
}

static const char *name_of(void *arg, size_t i) {
	const struct verify_run *run = arg;

	return run->v[i].path;
}

/* Content keys are fresh for each object: the same bytes under a second id are nobody's upload. */
static const struct verify_known *find_original(const struct verify_run *run, const struct envelope_result *result) {
	for (size_t i = 0; i < run->n_known; i++)
		if (run->known[i].size == result->object_size &&
		    memcmp(run->known[i].sha256, result->object_sha256, sizeof(result->object_sha256)) == 0)
			return &run->known[i];
	return NULL;
}

/* An object that no event names. */
static int judge_unnamed(struct verify_run *run, const struct store_stat *st, struct err *e) {
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	const struct verify_known *original;
	struct err why = ERR_INIT;
	int r = groupfile_open_stray(run->session, st, &result, &why);

	if (r == ERR_NOTFOUND)
		return 0; /* gone meanwhile: another member's clean-up */
	if (r == ERR_DAMAGED || r == ERR_REFUSED) {
		(void)find(run->report, st->id, VERIFY_OBJECT, why.text);
		run->report->injected++;
		return 0;
	}
	if (r != 0)
		return err_set(e, r, "%s", why.text);
	original = find_original(run, &result);
	if (original != NULL) {
		(void)err_set(
		    &why, ERR_DAMAGED, "a copy of object %s, which nobody of the group made", original->object);
		(void)find(run->report, st->id, VERIFY_OBJECT, why.text);
		run->report->injected++;
		return 0;
	}
	run->report->orphans++;
	return 0;
}

static bool is_old(const struct session *s, const uint8_t key_id[static KEY_ID_LEN]) {
	return memcmp(key_id, keyring_current(&s->keys)->key_id, KEY_ID_LEN) != 0;
}

/* Over a network each look is a request, and a file's object was opened just now. */
static bool was_opened(const struct verify_run *run, const struct store_stat *st) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	const struct session *s = run->session;

	return store_is_remote(s->store) && run->report->failed == 0 &&
	    ledger_find_object(session_ledger(s), st->id, &f, NULL) == 0 && !f.removed && strcmp(f.object, st->id) == 0 &&
	    !is_old(s, f.key_id);
}

/* Which key an object names, without opening it; nothing where it is no envelope: that was said already. What could not be looked at is not taken for
 * clean. */
static int count_old(struct verify_run *run, const struct store_stat *st, struct err *e) {
	struct session *s = run->session;
	char owner[STORE_OWNER_MAX];
	struct verify_finding *finding;
	uint8_t key_id[KEY_ID_LEN];
	int r;

	if (was_opened(run, st))
		return 0;
	if ((r = groupfile_key_id(s, st->id, key_id, e)) == ERR_NOTFOUND || r == ERR_DAMAGED)
		return 0;
	if (r != 0 || !is_old(s, key_id))
		return r;
	finding = find(run->report, st->id, VERIFY_OBJECT, "opens with the key of an older epoch");
	if (store_owner(s->store, st->id, owner, NULL) == 0 && owner[0] != '\0')
		finding->owner = xstrdup(owner);
	run->report->old++;
	return 0;
}

static int count_kept(void *arg, const struct store_kept *k, struct err *e) {
	struct verify_run *run = arg;
	struct session *s = run->session;
	uint8_t head[ENVELOPE_HEAD_LEN], key_id[KEY_ID_LEN];
	OWN(own_free) char *what = xasprintf("%s %s", k->what, k->name);
	struct verify_finding *finding;
	struct err why = ERR_INIT;
	size_t len;
	int r = store_kept_get(s->store, k->handle, 0, head, sizeof(head), &len, &why);

	if (r == ERR_NOTFOUND)
		return 0; /* gone meanwhile */
	if (r == ERR_UNREACHABLE)
		return err_set(e, r, "%s", why.text);
	if (r == 0 && (envelope_head(head, len, key_id, NULL) != 0 || !is_old(s, key_id)))
		return 0;
	/* What cannot be looked at may be anything. */
	finding = find(run->report, what, VERIFY_KEPT, r != 0 ? why.text : "opens with the key of an older epoch");
	if (k->owner[0] != '\0')
		finding->owner = xstrdup(k->owner);
	run->report->old++;
	run->report->kept++;
	return 0;
}

/* Young ones may be half-way through a desktop client's synchronisation. */
static bool may_settle(const struct session *s, const struct store_stat *st) {
	return !store_is_remote(s->store) && session_may_settle(s, st->modified_s);
}

static int judge(struct verify_run *run, const struct store_stat *st, struct err *e) {
	enum ledger_standing standing;
	int r = ledger_object(session_ledger(run->session), st->id, &standing, e);

	if (r != 0)
		return r;
	if (standing == LEDGER_OBJECT_OLD)
		run->report->superseded++;
	/* Offline, a newer event may name it. */
	if (standing != LEDGER_OBJECT_UNKNOWN || run->session->stale || may_settle(run->session, st))
		return 0;
	return judge_unnamed(run, st, e);
}

static int judge_drive(struct verify_run *run, const struct listing *drive, bool old, struct err *e) {
	int r = 0;

	for (size_t i = 0; i < drive->n && r == 0; i++) {
		r = judge(run, &drive->v[i], e);
		if (r == 0 && old)
			r = count_old(run, &drive->v[i], e);
	}
	return r == 0 && old ? store_each_kept(run->session->store, count_kept, run, e) : r;
}

static int conclude(const struct verify_run *run, bool old, struct err *e) {
	const struct verify_report *p = run->report;

	if (p->injected > 0)
		return err_set(e, ERR_DAMAGED, "%" PRIu64 " objects on the drive were put there by nobody of the group, or by "
		    "somebody after his eviction (no file is touched; scg gc destroys them)", p->injected);
	if (old && p->old > 0)
		return err_set(e, ERR_FAIL,
		    "%" PRIu64 " objects on the drive open with an older epoch's key (scg rekey, scg gc)", p->old);
	return 0;
}

int verify(struct session *s, const struct verify_job *job, struct verify_report *report, struct err *e) {
	OWN(run_wipe) struct verify_run run = { .session = s, .report = report, .all = job->n == 0 };
	OWN(listing_wipe) struct listing drive = {0};
	int r, files;

	if ((r = session_store(s, e)) != 0)
		return r;
	/* Listed before the head is fetched: what an event names later is not taken for a stray. */
	if (job->n == 0 &&
	    ((r = listing_take(&drive, s->store, e)) != 0 || (!s->stale && (r = session_sync(s, e)) != 0)))
		return r;
	r = job->n > 0 ? collect_named(&run, job, e) : collect_all(&run, e);
	if (r != 0)
		return r;
	struct worker_job files_job = {
		.verb = "verify",
		.bytes = run.bytes,
		.workers = 1,
		.n = run.n,
		.arg = &run,
		.name = name_of,
		.f = verify_one,
		.failed = verify_failed,
	};
	report->begun = true;
	report->files = run.n;
	files = worker_run(s, &files_job, &report->failed, e);
	if (files == ERR_REFUSED || files == ERR_UNREACHABLE)
		return files;
	struct err rest = ERR_INIT;
	r = judge_drive(&run, &drive, job->old, &rest);
	report->complete = r == 0;
	if (r == 0)
		r = conclude(&run, job->old, &rest);
	return files != 0 || r == 0 ? files : err_set(e, r, "%s", rest.text);
}
