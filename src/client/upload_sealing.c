/* SPDX-License-Identifier: Apache-2.0 */
/* From a file into the spool, so that a process that is killed meanwhile leaves what the next one goes on with.
 *
 * What is sent while it is still being sealed is sent under a key whose nonces count the segments, so this key must never meet another plaintext at
 * the same place. That it does not rests on this: all that is sent is read from the spool; the record, which holds the key, counts only for this very
 * file of the spool and as long as the machine runs, so that what was ever there still is; what is sealed under it again is held against every byte
 * that is there, and only behind them is written; the manifest, whose signature is never the same twice, is not sent before the record says that all
 * is sealed, and is not made again once a byte of it is there. Where any of this fails, all is thrown away with its key. */
#include "client/upload_state.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "pki/cert.h"

#define COMPARE_LEN ((size_t)64 << 10)

/* len bytes of what an earlier run left, at the place that is due. */
static int compare(struct upload *u, const uint8_t *data, size_t len, struct err *e) {
	OWN(own_free) uint8_t *there = xmalloc(COMPARE_LEN);
	uint64_t off = u->written;
	size_t n, got;
	int r;

	for (; len > 0; data += n, off += n, len -= n) {
		n = len < COMPARE_LEN ? len : COMPARE_LEN;
		if ((r = file_pread_full(u->spool.fd, there, n, off, &got, u->spool.dir, e)) != 0)
			return r;
		if (got != n || memcmp(there, data, n) != 0) {
			u->differs = true;
			return err_set(e, ERR_FAIL, "the spool holds something else than what is sealed now");
		}
	}
	return 0;
}

static int add(struct upload *u, const uint8_t *data, size_t len, uint64_t off, struct err *e) {
	struct err why = ERR_INIT;
	int r = file_pwrite_all(u->spool.fd, data, len, off, u->spool.dir, &why);

	return r == 0 ? 0 : err_set(e, r, "%s (-spool-dir names another folder, -no-spool does without)", why.text);
}

/* What of it may be sent now: nothing of the manifest. */
static uint64_t giveable(const struct upload *u, uint64_t end) {
	return end < u->body ? end : u->body;
}

/* An object of the envelope each time. */
static int spool_write(void *arg, const void *data, size_t len, struct err *e) {
	struct upload *u = arg;
	uint64_t end = u->written + len, begin = u->written;
	size_t old = u->found <= begin ? 0 : u->found < end ? (size_t)(u->found - begin) : len;
	int r = upload_still_current(u, e);

	if (r != 0 || (r = compare(u, data, old, e)) != 0)
		return r;
	if (old < len && (r = add(u, (const uint8_t *)data + old, len - old, begin + old, e)) != 0)
		return r;
	u->written = end;
	u->unwanted = !growing_add(&u->growing, giveable(u, end) - giveable(u, begin));
	return u->unwanted ? err_set(e, ERR_FAIL, "it is not sent any more") : 0;
}

static int new_object_id(struct spool_record *rec, struct err *e) {
	uint8_t raw[16];
	int r = random_bytes(raw, sizeof(raw), e);

	if (r == 0)
		text_base32_id(raw, rec->object);
	return r;
}

static int new_key(struct upload *u, struct err *e) {
	struct spool_record *rec = &u->spool.record;

	spool_record_purpose(rec, u->purpose);
	return envelope_ticket(&u->epoch.v[0], u->purpose, rec->ticket, e);
}

int upload_describe(struct upload *u, struct err *e) {
	struct envelope_seal how = upload_how(u, 0);
	struct spool_record *rec = &u->spool.record;
	const struct session *s = u->w->session;
	struct stat st;
	size_t len;
	int r;

	if (fstat(u->fd, &st) != 0)
		return err_sys(e, ERR_FAIL, "cannot stat");
	*rec = (struct spool_record){ .sealing = true, .group = xstrdup(s->me.group), .path = xstrdup(u->item->path), .version = u->version };
	memcpy(rec->member, cert_ski(s->me.cert, &len), SPOOL_SKI_LEN);
	memcpy(rec->put_id, u->put_id, sizeof(rec->put_id));
	memcpy(rec->file_id, u->file_id, sizeof(rec->file_id));
	memcpy(rec->key_id, u->epoch.v[0].key_id, KEY_ID_LEN);
	spool_local_take(&st, &rec->local);
	rec->time_s = (uint64_t)clock_now_s();
	u->lasting = spool_place(&u->spool, &rec->place);
	u->found = 0;
	if ((r = new_object_id(rec, e)) != 0 || (r = envelope_seal_size(&how, rec->local.size, &rec->object_size, e)) != 0)
		return r;
	return new_key(u, e);
}

bool upload_can_go_on(struct upload *u) {
	struct spool_record *rec = &u->spool.record;
	struct stat st;

	if (!rec->sealing || fstat(u->spool.fd, &st) != 0 || (uint64_t)st.st_size > envelope_body_size(rec->local.size))
		return false;
	spool_record_purpose(rec, u->purpose);
	if (envelope_ticket_check(&u->epoch.v[0], u->purpose, rec->ticket, NULL) != 0)
		return false;
	u->found = (uint64_t)st.st_size;
	u->lasting = true;
	return true;
}

int upload_keep_sealed(struct upload *u, const struct spool_local *local, struct err *e) {
	struct spool_record *rec = &u->spool.record;
	int r;

	(void)pthread_mutex_lock(&u->record_lock);
	rec->sealing = false;
	rec->time_s = (uint64_t)clock_now_s();
	memcpy(rec->object_sha256, u->sealed.object_sha256, sizeof(rec->object_sha256));
	memcpy(rec->content_sha256, u->sealed.content_sha256, sizeof(rec->content_sha256));
	rec->local = *local;
	r = spool_keep(&u->spool, e);
	(void)pthread_mutex_unlock(&u->record_lock);
	return r;
}

int upload_seal_spooled(struct upload *u, struct err *e) {
	struct sink out = { .arg = u, .write = spool_write };
	struct spool_local local;
	struct stat before;
	int r;

	u->written = 0;
	u->differs = u->unwanted = false;
	u->body = envelope_body_size(u->spool.record.local.size);
	r = upload_seal(u, u->spool.record.object_size, &out, &before, e);
	if (r == 0) {
		spool_local_take(&before, &local);
		r = upload_keep_sealed(u, &local, e);
	}
	u->sealing_failed = r != 0 && !u->unwanted;
	growing_end(&u->growing, r, e);
	return growing_is_stopped(&u->growing) ? 0 : r;
}
