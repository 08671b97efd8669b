/* SPDX-License-Identifier: Apache-2.0 */
/* From the spool to the drive, while it is sealed into it (upload_sealing.c). Nothing of it has a name on the drive before it is sealed to its end,
 * recorded, and found unchanged. It can be taken up again at any moment. */
#include "client/upload_state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "base/work.h"
#include "client/note.h"
#include "pki/cert.h"

bool upload_is_spooled(const struct session *s, const struct upload_job *job, uint64_t size) {
	uint64_t chunk = store_chunk(s->store);

	return !job->no_spool && chunk > 0 && envelope_size_max(size) > chunk;
}

int upload_open_spool(struct upload *u, struct err *e) {
	const struct session *s = u->w->session;
	OWN(own_free) char *dir = spool_dir(s->me.dir, u->job->spool_dir);
	struct err why = ERR_INIT;
	const uint8_t *ski;
	size_t len;
	int r;

	if (!upload_is_spooled(s, u->job, u->size) || (ski = cert_ski(s->me.cert, &len)) == NULL || len != SPOOL_SKI_LEN)
		return 0;
	r = spool_open(&u->spool, dir, s->me.group, ski, u->item->path, &why);
	if (r == ERR_EXISTS) {
		OWN(buf_wipe) struct buf name = {0};

		text_escape(u->item->path, strlen(u->item->path), &name);
		note("%s: %s: this one goes straight to the drive", buf_str(&name), why.text);
		return 0;
	}
	return r == 0 ? 0 : err_set(e, r, "%s (-spool-dir names another folder, -no-spool does without)", why.text);
}

/* Is what an earlier run left still what would be sealed now? */
static bool fits(const struct upload *u) {
	const struct spool_record *rec = &u->spool.record;
	struct spool_local now;
	struct stat st;

	if (!u->spool.kept || fstat(u->fd, &st) != 0)
		return false;
	spool_local_take(&st, &now);
	if (!spool_local_is(&now, &rec->local) || memcmp(rec->key_id, u->epoch.v[0].key_id, KEY_ID_LEN) != 0 ||
	    rec->version != u->version)
		return false;
	return memcmp(rec->file_id, u->version == 1 ? rec->put_id : u->file_id, sizeof(rec->file_id)) == 0;
}

static bool is_described(const struct upload *u, const struct envelope_result *sealed) {
	const struct spool_record *rec = &u->spool.record;
	const struct manifest *m = &sealed->manifest;

	if (!rec->sealing && memcmp(sealed->object_sha256, rec->object_sha256, sizeof(rec->object_sha256)) != 0)
		return false;
	return sealed->object_size == rec->object_size && m->size == rec->local.size && m->version == rec->version &&
	    memcmp(m->file_id, rec->file_id, sizeof(rec->file_id)) == 0 && strcmp(m->name, rec->path) == 0 &&
	    X509_cmp(sealed->author, u->w->session->me.cert) == 0;
}

/* A spool is believed as little as a drive: what will be posted under our name is opened and verified first. */
static bool open_spooled(struct upload *u) {
	struct session *s = u->w->session;
	const struct spool_record *rec = &u->spool.record;
	struct io_fd io = { u->spool.fd, u->spool.dir };
	struct envelope_open how = {
		.keys = &u->epoch,
		.chain = s->me.chain,
		.group = s->me.group,
		.content_sha256 = rec->sealing ? NULL : rec->content_sha256,
		.in_ledger = true,
		.hash_object = true,
		.threads = u->w->threads,
		.progress = worker_progress,
		.progress_arg = u->w,
	};
	struct source in;

	if (lseek(u->spool.fd, 0, SEEK_SET) != 0 || source_fd(&io, &in, NULL) != 0 || envelope_open(&how, &in, NULL, &u->sealed, NULL) != 0)
		return false;
	if (is_described(u, &u->sealed))
		return true;
	envelope_result_wipe(&u->sealed);
	return false;
}

static void take_ids(struct upload *u) {
	memcpy(u->put_id, u->spool.record.put_id, sizeof(u->put_id));
	memcpy(u->file_id, u->spool.record.file_id, sizeof(u->file_id));
}

/* Sealed to its end, even if the earlier run did not come to say so. */
static bool take_up(struct upload *u) {
	const struct spool_record *rec = &u->spool.record;
	struct stat st;

	if (fstat(u->spool.fd, &st) != 0 || (uint64_t)st.st_size != rec->object_size || !open_spooled(u))
		return false;
	return !rec->sealing || upload_keep_sealed(u, &rec->local, NULL) == 0;
}

/* Durable, which it has to be before anything is sent; where what is there would not outlast this process, as soon as it is sealed to its end. */
static int save_token(struct upload *u, const char *token, struct err *e) {
	struct spool_record *rec = &u->spool.record;

	if (rec->token != NULL && strcmp(rec->token, token) == 0)
		return 0;
	free(rec->token);
	rec->token = xstrdup(token);
	return u->lasting || u->spool.kept ? spool_keep(&u->spool, e) : 0;
}

/* While it is sealed the sealing asks whether it is still worth it. */
static int keep_token(void *arg, const char *token, struct err *e) {
	struct upload *u = arg;
	int r = u->is_growing ? 0 : upload_still_current(u, e);

	if (r != 0)
		return r;
	(void)pthread_mutex_lock(&u->record_lock);
	r = save_token(u, token, e);
	(void)pthread_mutex_unlock(&u->record_lock);
	return r;
}

static int wait_for(void *arg, uint64_t end, struct err *e) {
	struct upload *u = arg;

	return growing_wait(&u->growing, end, end == u->spool.record.object_size, e);
}

static void sent(void *arg, uint64_t bytes) {
	const struct upload *u = arg;

	worker_progress(u->w, bytes);
}

static int store_it(struct upload *u, struct err *e) {
	const struct spool_record *rec = &u->spool.record;
	OWN(own_free) char *token = rec->token == NULL ? NULL : xstrdup(rec->token);
	struct store_send how = {
		.fd = u->spool.fd,
		.size = rec->object_size,
		.sha256 = rec->object_sha256,
		.token = token,
		.wait = u->is_growing ? wait_for : NULL,
		.keep = keep_token,
		.progress = sent,
		.arg = u,
	};

	return store_send(u->w->session->store, rec->object, &how, e);
}

static int send_part(struct upload *u, struct err *e) {
	struct spool_record *rec = &u->spool.record;
	int r;

	u->object = (struct driveio_writer){0};
	memcpy(u->object.id, rec->object, sizeof(rec->object));
	if (!rec->sent) {
		if ((r = store_it(u, e)) != 0)
			return r;
		u->object.seen_ms = clock_mono_ms();
		rec->sent = true;
		if ((r = spool_keep(&u->spool, e)) != 0)
			return r;
	}
	/* Perhaps seen since the sealing: by an earlier run, whose last words were lost. */
	u->object.committed_s = (int64_t)rec->time_s;
	return 0;
}

/* The sealing comes first where there is no second thread to be had. */
static int part(void *arg, unsigned i, struct err *e) {
	struct upload *u = arg;
	int r;

	if (i == 0)
		return upload_seal_spooled(u, e);
	r = send_part(u, e);
	/* What cannot be reached now is sent by the next run. */
	if (r != 0 && r != ERR_UNREACHABLE)
		growing_stop(&u->growing);
	return r;
}

/* What cannot be sealed to its end is of no use to a later run either. */
static int seal_and_send(struct upload *u, struct err *e) {
	struct err why = ERR_INIT;
	int r;

	growing_init(&u->growing);
	u->is_growing = true;
	r = work_run(2, part, u, e);
	u->is_growing = false;
	growing_wipe(&u->growing);
	if (u->sealing_failed && spool_reset(&u->spool, &why) != 0)
		note("%s", why.text);
	return r;
}

static int begin_anew(struct upload *u, struct err *e) {
	int r;

	if ((r = spool_reset(&u->spool, e)) != 0 || (r = upload_describe(u, e)) != 0)
		return r;
	return seal_and_send(u, e);
}

int upload_put_spooled(struct upload *u, struct err *e) {
	int r;

	if (!fits(u))
		return begin_anew(u, e);
	if (take_up(u)) {
		take_ids(u);
		return send_part(u, e);
	}
	if (!upload_can_go_on(u))
		return begin_anew(u, e);
	take_ids(u);
	r = seal_and_send(u, e);
	return r != 0 && u->differs ? begin_anew(u, e) : r;
}
