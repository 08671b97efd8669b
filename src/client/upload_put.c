/* SPDX-License-Identifier: Apache-2.0 */
/* From a file to an object on the drive: straight, or through the spool, from where it can be taken up again. */
#include "client/upload_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "client/note.h"
#include "client/step.h"
#include "pki/cert.h"

#define ASK_MS 60000 /* a long upload asks each minute whether its epoch is still the newest */

/* A gateway that does not answer now may do so at the end; one that refuses us will not. */
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

/* before: the file as it was when its first byte was read, and is still when this returns. */
static int seal(struct upload *u, const struct sink *out, struct stat *before, struct err *e) {
	struct session *s = u->w->session;
	struct io_fd io = { u->fd, u->item->local };
	struct envelope_seal how = {
		.epoch = &u->epoch.v[0],
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
	int r;

	if (lseek(u->fd, 0, SEEK_SET) < 0)
		return err_sys(e, ERR_FAIL, "cannot seek");
	if ((r = source_fd(&io, &in, e)) != 0)
		return r;
	if (fstat(u->fd, before) != 0)
		return err_sys(e, ERR_FAIL, "cannot stat");
	r = envelope_seal(&how, &in, out, &u->sealed, e);
	return r != 0 ? r : check_unchanged(u, before, e);
}

static int put_straight(struct upload *u, struct err *e) {
	struct sink out;
	struct stat before;
	int r;

	u->object = (struct driveio_writer){ .still = still_current, .arg = u };
	if ((r = driveio_create(&u->object, u->w->session->store, &out, e)) != 0)
		return r;
	r = seal(u, &out, &before, e);
	if (r == 0 && (r = driveio_commit(&u->object, e)) == STORE_SPOILED) {
		u->spoiled++;
		return STEP_RESEAL; /* the same bytes would need the same content key */
	}
	return r;
}

/* --- through the spool --- */

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

static int spool_write(void *arg, const void *data, size_t len, struct err *e) {
	struct upload *u = arg;
	struct err why = ERR_INIT;
	int r = still_current(u, e);

	if (r != 0)
		return r;
	r = file_write_all(u->spool.fd, data, len, u->spool.dir, &why);
	return r == 0 ? 0 : err_set(e, r, "%s (-spool-dir names another folder, -no-spool does without)", why.text);
}

static int new_object_id(struct spool_record *rec, struct err *e) {
	uint8_t raw[16];
	int r = random_bytes(raw, sizeof(raw), e);

	if (r == 0)
		text_base32_id(raw, rec->object);
	return r;
}

static int describe(struct upload *u, const struct stat *before, struct err *e) {
	struct spool_record *rec = &u->spool.record;
	const struct session *s = u->w->session;
	size_t len;

	*rec = (struct spool_record){
		.group = xstrdup(s->me.group),
		.path = xstrdup(u->item->path),
		.version = u->version,
		.object_size = u->sealed.object_size,
		.time_s = (uint64_t)clock_now_s(),
	};
	memcpy(rec->member, cert_ski(s->me.cert, &len), SPOOL_SKI_LEN);
	memcpy(rec->put_id, u->put_id, sizeof(rec->put_id));
	memcpy(rec->file_id, u->file_id, sizeof(rec->file_id));
	memcpy(rec->key_id, u->epoch.v[0].key_id, KEY_ID_LEN);
	memcpy(rec->object_sha256, u->sealed.object_sha256, sizeof(rec->object_sha256));
	memcpy(rec->content_sha256, u->sealed.content_sha256, sizeof(rec->content_sha256));
	spool_local_take(before, &rec->local);
	return new_object_id(rec, e);
}

static int seal_spooled(struct upload *u, struct err *e) {
	struct sink out = { .arg = u, .write = spool_write };
	struct stat before;
	int r;

	if ((r = spool_reset(&u->spool, e)) != 0 || (r = seal(u, &out, &before, e)) != 0 || (r = describe(u, &before, e)) != 0)
		return r;
	return spool_keep(&u->spool, e);
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

	return sealed->object_size == rec->object_size && m->size == rec->local.size && m->version == rec->version &&
	    memcmp(sealed->object_sha256, rec->object_sha256, sizeof(rec->object_sha256)) == 0 &&
	    memcmp(m->file_id, rec->file_id, sizeof(rec->file_id)) == 0 && strcmp(m->name, rec->path) == 0 &&
	    X509_cmp(sealed->author, u->w->session->me.cert) == 0;
}

/* A spool is believed as little as a drive: what will be posted under our name is opened and verified first. */
static bool take_up(struct upload *u) {
	struct session *s = u->w->session;
	struct io_fd io = { u->spool.fd, u->spool.dir };
	struct envelope_open how = {
		.keys = &u->epoch,
		.chain = s->me.chain,
		.group = s->me.group,
		.content_sha256 = u->spool.record.content_sha256,
		.in_ledger = true,
		.hash_object = true,
		.threads = u->w->threads,
		.progress = worker_progress,
		.progress_arg = u->w,
	};
	struct source in;

	if (!fits(u) || source_fd(&io, &in, NULL) != 0 || envelope_open(&how, &in, NULL, &u->sealed, NULL) != 0)
		return false;
	if (!is_described(u, &u->sealed)) {
		envelope_result_wipe(&u->sealed);
		return false;
	}
	memcpy(u->put_id, u->spool.record.put_id, sizeof(u->put_id));
	memcpy(u->file_id, u->spool.record.file_id, sizeof(u->file_id));
	return true;
}

static int keep_token(void *arg, const char *token, struct err *e) {
	struct upload *u = arg;
	struct spool_record *rec = &u->spool.record;
	int r = still_current(u, e);

	if (r != 0)
		return r;
	if (rec->token != NULL && strcmp(rec->token, token) == 0)
		return 0;
	free(rec->token);
	rec->token = xstrdup(token);
	return spool_keep(&u->spool, e);
}

static void sent(void *arg, uint64_t bytes) {
	const struct upload *u = arg;

	worker_progress(u->w, bytes);
}

static int send_spooled(struct upload *u, struct err *e) {
	struct spool_record *rec = &u->spool.record;
	OWN(own_free) char *token = rec->token == NULL ? NULL : xstrdup(rec->token);
	struct store_send how = {
		.fd = u->spool.fd,
		.size = rec->object_size,
		.sha256 = rec->object_sha256,
		.token = token,
		.keep = keep_token,
		.progress = sent,
		.arg = u,
	};
	int r;

	u->object = (struct driveio_writer){0};
	memcpy(u->object.id, rec->object, sizeof(rec->object));
	if (!rec->sent) {
		if ((r = store_send(u->w->session->store, rec->object, &how, e)) != 0)
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

static int put_spooled(struct upload *u, struct err *e) {
	int r = take_up(u) ? 0 : seal_spooled(u, e);

	return r != 0 ? r : send_spooled(u, e);
}

int upload_put(struct upload *u, struct err *e) {
	int r = session_epoch(u->w->session, NULL, &u->epoch, e);

	if (r != 0)
		return r;
	u->met_epoch = false;
	u->asked_ms = clock_mono_ms();
	r = u->spool.fd >= 0 ? put_spooled(u, e) : put_straight(u, e);
	return r != 0 && u->met_epoch ? STEP_RESEAL : r;
}
