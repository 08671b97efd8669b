/* SPDX-License-Identifier: Apache-2.0 */
#include "client/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "client/destroy.h"
#include "client/namelock.h"
#include "client/note.h"
#include "client/step.h"
#include "client/upload_state.h"

#define CONFLICT_NAMES_MAX 300 /* copies of one name by one member in a row, a second apart */

static void upload_discard(struct upload *u) {
	keyring_wipe(&u->epoch);
	driveio_writer_wipe(&u->object);
	envelope_result_wipe(&u->sealed);
	free(u->conflict);
	u->conflict = NULL;
}

static void upload_wipe(struct upload *u) {
	upload_discard(u);
	spool_close(&u->spool);
	own_fd(&u->fd);
	own_fd(&u->turn); /* last: who comes next sees all of it */
}

static int open_local(struct upload *u, struct err *e) {
	struct stat st;

	u->fd = open(u->item->local, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (u->fd < 0)
		return err_sys(e, ERR_FAIL, "cannot open");
	if (fstat(u->fd, &st) != 0)
		return err_sys(e, ERR_FAIL, "cannot stat");
	u->size = (uint64_t)st.st_size;
	return S_ISREG(st.st_mode) ? 0 : err_set(e, ERR_FAIL, "not a regular file");
}

static int find_base(struct upload *u, struct err *e) {
	struct session *s = u->w->session;
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	uint64_t seen = 0;
	int r;

	u->version = 1;
	session_lock(s);
	r = ledger_find(session_ledger(s), u->item->path, &f, e);
	if (r == 0) {
		memcpy(u->file_id, f.file, sizeof(u->file_id));
		memcpy(u->base_file, f.file, sizeof(u->base_file));
		u->version = f.version + 1;
		u->base_content = f.content_index;
		r = mirror_base_get(s->mirror, f.file, &seen, e);
		u->has_base = r == 0 && seen == f.content_index;
	}
	session_unlock(s);
	if (r != 0 && r != ERR_NOTFOUND)
		return r;
	if ((r = random_uuid(u->put_id, e)) != 0)
		return r;
	if (u->version == 1)
		memcpy(u->file_id, u->put_id, sizeof(u->file_id));
	return 0;
}

/* A name beside for a version whose author did not see the newest content. */
static int put_beside(struct upload *u, struct ledger *l, struct ledger_change *c, struct err *e) {
	int64_t now_s = clock_now_s();

	for (int64_t i = 0; i < CONFLICT_NAMES_MAX; i++) {
		OWN(ledger_file_wipe) struct ledger_file taken = {0};
		int r;

		free(u->conflict);
		u->conflict = NULL;
		if ((r = path_conflict(u->item->path, u->w->session->me.name, now_s + i, &u->conflict, e)) != 0)
			return r;
		r = ledger_find(l, u->conflict, &taken, e);
		if (r == 0)
			continue;
		c->op = EVENT_PUT;
		c->path = u->conflict;
		c->file = u->put_id;
		return r == ERR_NOTFOUND ? 0 : r;
	}
	return err_set(e, ERR_CONFLICT, "too many conflicting copies of this name");
}

static bool is_seen(const struct upload *u, const struct ledger_file *f) {
	return u->job->replace ||
	    (u->has_base && memcmp(u->base_file, f->file, sizeof(f->file)) == 0 && u->base_content == f->content_index);
}

static int choose_op(struct upload *u, struct ledger *l, struct ledger_change *c, struct err *e) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	int r = ledger_find(l, u->item->path, &f, e);

	free(u->conflict);
	u->conflict = NULL;
	u->old_object[0] = '\0';
	if (r == ERR_NOTFOUND) {
		c->op = EVENT_PUT;
		c->path = u->item->path;
		c->file = u->put_id;
		return 0;
	}
	if (r != 0)
		return r;
	if (!is_seen(u, &f)) {
		(void)snprintf(u->other, sizeof(u->other), "%s", f.author);
		return put_beside(u, l, c, e);
	}
	memcpy(u->posted_file, f.file, sizeof(u->posted_file));
	memcpy(u->old_object, f.object, sizeof(u->old_object));
	c->op = EVENT_REPLACE;
	c->file = u->posted_file;
	c->base = f.base;
	return 0;
}

static int prepare(void *arg, struct ledger *l, struct ledger_change *c, struct err *e) {
	struct upload *u = arg;
	bool old, there;
	int r = step_epoch_is_old(l, &u->epoch.v[0], &old, e);

	if (r != 0 || (r = driveio_is_there(&u->object, u->w->session->store, &there, e)) != 0)
		return r;
	if (old || !there || clock_now_s() - u->object.committed_s > UPLOAD_POST_WITHIN_S)
		return STEP_RESEAL;
	c->object = u->object.id;
	c->object_size = u->sealed.object_size;
	c->object_sha256 = u->sealed.object_sha256;
	c->content_sha256 = u->sealed.content_sha256;
	c->content_size = u->sealed.manifest.size;
	c->key_id = u->epoch.v[0].key_id;
	return choose_op(u, l, c, e);
}

static int landed(void *arg, struct ledger *l, bool *yes, struct err *e) {
	const struct upload *u = arg;

	return step_object_landed(l, u->object.id, yes, e);
}

/* What is superseded goes at once; what cannot go now is left to gc. */
static void destroy_old(struct upload *u) {
	struct session *s = u->w->session;
	enum ledger_standing standing = LEDGER_OBJECT_CURRENT;
	struct err e = ERR_INIT;
	int r;

	if (u->old_object[0] == '\0')
		return;
	session_lock(s);
	r = ledger_object(session_ledger(s), u->old_object, &standing, &e);
	session_unlock(s);
	if (r == 0 && standing == LEDGER_OBJECT_OLD)
		destroy_superseded(s, u->old_object, "the version before");
	if (r != 0)
		note("the version before is still on the drive (scg gc): %s", e.text);
}

static int conclude(struct upload *u, char *result, struct err *e) {
	OWN(buf_wipe) struct buf name = {0}, who = {0};

	destroy_old(u);
	spool_drop(&u->spool); /* last: a run that is killed before finds that it has nothing to send */
	if (u->conflict == NULL) {
		char size[16];

		text_size(u->sealed.manifest.size, size);
		(void)snprintf(result, WORKER_RESULT_MAX, "uploaded, %s", size);
		return 0;
	}
	text_escape(u->conflict, strlen(u->conflict), &name);
	text_escape(u->other, strlen(u->other), &who);
	return err_set(e, ERR_CONFLICT,
	    "%s changed it and you have not seen that: your version is \"%s\" (download theirs, or -replace it)",
	    buf_str(&who), buf_str(&name));
}

/* An earlier run's last words were lost, but the ledger has its event: is this file's content in the group already? */
static int find_landed(struct upload *u, bool *landed, char *result, struct err *e) {
	const struct spool_record *rec = &u->spool.record;
	struct session *s = u->w->session;
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct spool_local now;
	struct stat st;
	int r;

	*landed = false;
	if (!u->spool.kept)
		return 0;
	session_lock(s);
	r = ledger_find_object(session_ledger(s), rec->object, &f, e);
	session_unlock(s);
	if (r != 0)
		return r == ERR_NOTFOUND ? 0 : r;
	if (fstat(u->fd, &st) != 0)
		return err_sys(e, ERR_FAIL, "cannot stat");
	spool_local_take(&st, &now);
	*landed = !f.removed && memcmp(f.content_sha256, rec->content_sha256, sizeof(rec->content_sha256)) == 0 &&
	    spool_local_is(&now, &rec->local);
	if (!*landed)
		return spool_reset(&u->spool, e);
	spool_drop(&u->spool);
	if (strcmp(f.path, u->item->path) == 0) {
		(void)snprintf(result, WORKER_RESULT_MAX, "uploaded before");
		return 0;
	}
	OWN(buf_wipe) struct buf name = {0};
	text_escape(f.path, strlen(f.path), &name);
	return err_set(e, ERR_CONFLICT, "uploaded before: your version is \"%s\"", buf_str(&name));
}

/* What no event names for certain need not wait for gc; what can still be named is left to the next run. */
static void clear_away(struct upload *u, int r, bool uncertain) {
	bool later = u->spool.fd >= 0 && (r == ERR_UNREACHABLE || u->object.seen_ms == 0);
	struct err e = ERR_INIT;

	/* What the drive never said it had is not looked for: it took nothing, or cannot be asked either. */
	if (!uncertain && !later && u->object.seen_ms != 0 &&
	    store_destroy(u->w->session->store, u->object.id, &e) != 0)
		note("an object that nobody needs is still on the drive (scg gc): %s", e.text);
	if (u->spool.fd >= 0 && (r == STEP_RESEAL || (!uncertain && !later)) && spool_reset(&u->spool, &e) != 0)
		note("%s", e.text);
}

/* One sealing and its event. */
static int attempt(struct upload *u, struct err *e) {
	struct step st = { .arg = u, .prepare = prepare, .landed = landed };
	int r = upload_put(u, e);

	if (r == 0)
		r = driveio_look(&u->object, u->w->session->store, e);
	if (r == 0)
		r = step_run(u->w, &st, e);
	if (r != STEP_POSTED)
		clear_away(u, r, st.uncertain);
	return r;
}

static int prepare_one(struct upload *u, bool *done, char *result, struct err *e) {
	int r;

	if ((r = namelock_take(u->w->session->me.dir, u->item->path, &u->turn, e)) != 0 || (r = open_local(u, e)) != 0 || (r = find_base(u, e)) != 0 || (r = upload_open_spool(u, e)) != 0)
		return r;
	return find_landed(u, done, result, e);
}

static int upload_one(void *arg, struct worker *w, size_t i, char *result, struct err *e) {
	const struct upload_job *job = arg;
	OWN(upload_wipe)
	struct upload u = { .w = w, .item = &job->files->v[i], .job = job, .turn = -1, .fd = -1, .spool = SPOOL_INIT, .record_lock = PTHREAD_MUTEX_INITIALIZER };
	bool done;
	int r = prepare_one(&u, &done, result, e);

	if (r != 0 || done)
		return r;
	for (int met = 0; (r = attempt(&u, e)) == STEP_RESEAL; upload_discard(&u)) {
		if (u.spoiled >= STORE_SPOILED_MAX)
			return err_recode(e, ERR_UNREACHABLE);
		if (++met > UPLOAD_EPOCHS_MAX)
			return err_set(e, ERR_UNREACHABLE, "the group's key changed %d times during the upload", met);
		if ((r = session_sync(w->session, e)) != 0 || (r = session_refresh_keys(w->session, e)) != 0)
			return r;
	}
	if (r == STEP_POSTED)
		r = conclude(&u, result, e);
	return r;
}

static const char *name_of(void *arg, size_t i) {
	const struct upload_job *job = arg;

	return job->files->v[i].path;
}

/* What goes through the spool is read and written twice. */
static uint64_t total(const struct session *s, const struct upload_job *job) {
	uint64_t bytes = 0;

	for (size_t i = 0; i < job->files->n; i++) {
		uint64_t size = job->files->v[i].size;

		bytes += upload_is_spooled(s, job, size) ? 2 * size : size;
	}
	return bytes;
}

int upload(struct session *s, const struct upload_job *job, struct err *e) {
	OWN(own_free) char *spool = spool_dir(s->me.dir, job->spool_dir);
	struct upload_job copy = *job;
	struct err sweeping = ERR_INIT;
	struct worker_job run = {
		.verb = "upload",
		.bytes = total(s, job),
		.workers = job->workers,
		.threads = job->threads,
		.n = job->files->n,
		.arg = &copy,
		.name = name_of,
		.f = upload_one,
	};

	if (spool_sweep(spool, NULL, &sweeping) != 0)
		note("%s", sweeping.text);
	return worker_run(s, &run, NULL, e);
}
