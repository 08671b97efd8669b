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
#include "client/note.h"
#include "client/driveio.h"
#include "client/step.h"
#include "client/worker.h"
#include "envelope/envelope.h"

#define ASK_MS 60000           /* a long upload asks each minute whether its epoch is still the newest */
#define CONFLICT_NAMES_MAX 300 /* copies of one name by one member in a row, a second apart */

/* One file on its way. */
struct upload {
	struct worker *w;
	const struct name_item *item;
	bool replace;
	int fd;
	/* The content that this member saw last, if it was the newest when the upload began. */
	bool has_base;
	uint8_t base_file[16];
	uint64_t base_content;
	/* What the manifest says. */
	uint8_t file_id[16];
	uint64_t version;
	/* The object as sealed. */
	struct keyring epoch; /* of one */
	struct driveio_writer object;
	struct envelope_result sealed;
	int64_t asked_ms;
	bool met_epoch;
	/* What the last attempt posted. */
	uint8_t put_id[16]; /* of a new file */
	uint8_t posted_file[16];
	char *conflict;                 /* the name beside, or NULL */
	char other[NAME_MAX_BYTES + 1]; /* who was faster */
	char old_object[OBJECT_ID_LEN + 1];
};

static void upload_discard(struct upload *u) {
	keyring_wipe(&u->epoch);
	driveio_writer_wipe(&u->object);
	envelope_result_wipe(&u->sealed);
	free(u->conflict);
	u->conflict = NULL;
}

static void upload_wipe(struct upload *u) {
	upload_discard(u);
	own_fd(&u->fd);
}

static int open_local(struct upload *u, struct err *e) {
	struct stat st;

	u->fd = open(u->item->local, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (u->fd < 0)
		return err_sys(e, ERR_FAIL, "cannot open");
	if (fstat(u->fd, &st) != 0)
		return err_sys(e, ERR_FAIL, "cannot stat");
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

/* driveio_writer.still: a gateway that does not answer now may do so at the end; one that refuses us will not. */
static int still_current(void *arg, struct err *e) {
	struct upload *u = arg;
	OWN(buf_wipe) struct buf json = {0};
	OWN(group_info_wipe) struct group_info g = {0};
	int64_t now_ms = clock_mono_ms();
	int r;

	if (now_ms - u->asked_ms < ASK_MS)
		return 0;
	u->asked_ms = now_ms;
	r = gateway_group(u->w->fetch, &json, e);
	if (r == ERR_UNREACHABLE)
		return 0;
	if (r != 0 || (r = group_info_parse(&json, u->w->session->me.group, &g, e)) != 0)
		return r;
	u->met_epoch = g.epoch > u->epoch.v[0].number;
	return u->met_epoch ? err_set(e, ERR_UNREACHABLE, "the group's key has changed") : 0;
}

static int check_unchanged(const struct upload *u, const struct stat *before, struct err *e) {
	struct stat st;

	if (fstat(u->fd, &st) != 0)
		return err_sys(e, ERR_FAIL, "cannot stat");
	if (st.st_size != before->st_size || (uint64_t)st.st_size != u->sealed.manifest.size ||
	    st.st_mtim.tv_sec != before->st_mtim.tv_sec || st.st_mtim.tv_nsec != before->st_mtim.tv_nsec)
		return err_set(e, ERR_FAIL, "was changed while it was read; nothing was uploaded");
	return 0;
}

static int seal(struct upload *u, struct err *e) {
	struct session *s = u->w->session;
	struct io_fd io = { u->fd, u->item->local };
	struct envelope_seal how = {
		.group = s->me.group,
		.name = u->item->path,
		.file_id = u->file_id,
		.version = u->version,
		.key = s->me.key,
		.cert = s->me.cert,
		.threads = u->w->threads,
		.hash_object = true,
		.progress = worker_progress,
		.progress_arg = u->w,
	};
	struct source in;
	struct sink out;
	struct stat st;
	int r;

	if ((r = session_epoch(s, NULL, &u->epoch, e)) != 0 || (r = source_fd(&io, &in, e)) != 0)
		return r;
	how.epoch = &u->epoch.v[0];
	if (fstat(u->fd, &st) != 0)
		return err_sys(e, ERR_FAIL, "cannot stat");
	u->met_epoch = false;
	u->asked_ms = clock_mono_ms();
	u->object = (struct driveio_writer){ .still = still_current, .arg = u };
	if ((r = driveio_create(&u->object, s->store, &out, e)) != 0)
		return r;
	if ((r = envelope_seal(&how, &in, &out, &u->sealed, e)) != 0)
		return u->met_epoch ? STEP_RESEAL : r;
	if ((r = check_unchanged(u, &st, e)) != 0)
		return r;
	return driveio_commit(&u->object, e);
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
	return u->replace ||
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
		r = store_destroy(s->store, u->old_object, &e);
	if (r != 0)
		note("the version before is still on the drive (scg gc): %s", e.text);
}

static int conclude(struct upload *u, char *result, struct err *e) {
	OWN(buf_wipe) struct buf name = {0}, who = {0};

	destroy_old(u);
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

/* One sealing and its event. */
static int attempt(struct upload *u, struct err *e) {
	struct step st = { .arg = u, .prepare = prepare, .landed = landed };
	struct err gone = ERR_INIT;
	int r = seal(u, e);

	if (r == 0)
		r = driveio_look(&u->object, u->w->session->store, e);
	if (r == 0)
		r = step_run(u->w, &st, e);
	/* Not named by any event for certain: then it need not wait for gc. */
	if (r != STEP_POSTED && u->object.committed_s != 0 && !st.uncertain &&
	    store_destroy(u->w->session->store, u->object.id, &gone) != 0)
		note("an object that nobody needs is still on the drive (scg gc): %s", gone.text);
	return r;
}

static int upload_one(void *arg, struct worker *w, size_t i, char *result, struct err *e) {
	const struct upload_job *job = arg;
	OWN(upload_wipe) struct upload u = { .w = w, .item = &job->files->v[i], .replace = job->replace, .fd = -1 };
	int r;

	if ((r = open_local(&u, e)) != 0 || (r = find_base(&u, e)) != 0)
		return r;
	for (int met = 0; (r = attempt(&u, e)) == STEP_RESEAL; upload_discard(&u)) {
		if (++met > UPLOAD_EPOCHS_MAX)
			return err_set(e, ERR_UNREACHABLE, "the group's key changed %d times during the upload", met);
		if ((r = session_sync(w->session, e)) != 0 || (r = session_refresh_keys(w->session, e)) != 0)
			return r;
	}
	return r == STEP_POSTED ? conclude(&u, result, e) : r;
}

static const char *name_of(void *arg, size_t i) {
	const struct upload_job *job = arg;

	return job->files->v[i].path;
}

int upload(struct session *s, const struct upload_job *job, struct err *e) {
	struct upload_job copy = *job;
	struct worker_job run = {
		.verb = "upload",
		.bytes = job->files->bytes,
		.workers = job->workers,
		.threads = job->threads,
		.n = job->files->n,
		.arg = &copy,
		.name = name_of,
		.f = upload_one,
	};

	return worker_run(s, &run, NULL, e);
}
