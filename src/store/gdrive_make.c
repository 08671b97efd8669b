/* SPDX-License-Identifier: Apache-2.0 */
/* Objects whose bytes are at hand: one request, the proof that Drive has them, a second object where it has not. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "net/retry.h"
#include "pki/ossl.h"
#include "store/gdrive_upload.h"

int gdrive_digest(const void *data, size_t len, bool md5, char hex[static 65], struct err *e) {
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (EVP_Digest(data, len, sum, &n, md5 ? EVP_md5() : EVP_sha256(), NULL) != 1 || n > SHA256_LEN)
		return ossl_err(e, ERR_FAIL, "digest of an object");
	text_hex(sum, n, hex);
	return 0;
}

static bool is_it(const struct gdrive_want *want, const struct gdrive_file *f) {
	return strcmp(f->object, want->object) == 0 && !f->trashed && f->has_size && f->size == want->size;
}

int gdrive_prove(struct gdrive *g, const struct gdrive_want *want, const char *file, struct gdrive_file *f, bool *same, struct err *e) {
	char hex[65];
	bool md5;
	int r;

	*same = false;
	if (strcmp(f->id, file) != 0)
		return err_set(e, ERR_DAMAGED, "object %s: Drive has made another file than it was told to", want->object);
	if (f->checksum[0] == '\0' && f->md5[0] == '\0' && (r = gdrive_file_get(g, file, GDRIVE_FILE_FIELDS, f, e)) != 0)
		return r == ERR_NOTFOUND ? err_recode(e, ERR_UNREACHABLE) : r;
	if (f->checksum[0] == '\0' && f->md5[0] == '\0')
		return err_set(e, ERR_UNREACHABLE, "object %s: Drive says no checksum of what it stored", want->object);
	if (f->trashed) /* with the folder; gc finds it there */
		return err_set(e, ERR_UNREACHABLE, "object %s: what is put into the drive's folder lies in the trash: so does the folder", want->object);
	md5 = f->checksum[0] == '\0';
	if ((r = want->digest(want->arg, md5, hex, e)) != 0)
		return r;
	*same = is_it(want, f) && strcmp(hex, md5 ? f->md5 : f->checksum) == 0;
	return 0;
}

int gdrive_undo(struct gdrive *g, const char *object, const char *file, struct err *e) {
	struct err why = ERR_INIT;

	if (gdrive_file_destroy(g, file, &why) == 0)
		return 0;
	return err_set(e, ERR_UNREACHABLE, "object %s: Drive stored other bytes than were sent, and keeps them: %s", object, why.text);
}

int gdrive_make_proved(struct gdrive *g, const struct gdrive_want *want,
    int (*make)(void *arg, const char *file, struct gdrive_file *f, struct err *e), void *arg, struct err *e) {
	char file[GDRIVE_FILE_MAX + 1];
	struct gdrive_file f = {0};
	unsigned max = want->size <= GDRIVE_SMALL_MAX ? GDRIVE_TRIES_SMALL : GDRIVE_TRIES;
	unsigned tries = 0, vain = 0, proved = atomic_load(&g->proved);
	bool same = false;
	int r;

	do {
		r = gdrive_new_id(g, file, e);
		if (r == 0)
			r = make(arg, file, &f, e);
		if (r == ERR_NOTFOUND)
			r = err_recode(e, ERR_UNREACHABLE);
		if (r == 0)
			r = gdrive_prove(g, want, file, &f, &same, e);
		if (r != 0)
			return r;
		if (same) {
			(void)atomic_fetch_add(&g->proved, 1);
			gdrive_remember(g, want->object, file);
			return 0;
		}
		if ((r = gdrive_undo(g, want->object, file, e)) != 0)
			return r;
		vain = atomic_load(&g->proved) != proved ? 1 : vain + 1;
		proved = atomic_load(&g->proved);
	} while (++tries < max && vain < GDRIVE_TRIES);
	return err_set(e, ERR_UNREACHABLE, "object %s: Drive stored other bytes than were sent, %u times", want->object, tries);
}

/* A body in three pieces, so that the object is not copied. */
struct pieces {
	struct {
		const uint8_t *data;
		size_t len;
	} v[3];
};

static int read_pieces(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	const struct pieces *p = arg;
	size_t n;

	for (size_t i = 0; i < 3; i++) {
		if (off < p->v[i].len) {
			n = p->v[i].len - (size_t)off;
			*got = n < len ? n : len;
			memcpy(data, p->v[i].data + off, *got);
			return 0;
		}
		off -= p->v[i].len;
	}
	return err_set(e, ERR_FAIL, "read behind the end of an upload");
}

/* RFC 2387. The boundary is random: no ciphertext has it. */
static int frame(const char *meta, struct buf *type, struct buf *before, struct buf *after, struct err *e) {
	uint8_t raw[16];
	char boundary[2 * sizeof(raw) + 1];
	int r = random_bytes(raw, sizeof(raw), e);

	if (r != 0)
		return r;
	text_hex(raw, sizeof(raw), boundary);
	buf_addf(type, "multipart/related; boundary=%s", boundary);
	buf_addf(before, "--%s\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n%s\r\n--%s\r\nContent-Type: " GDRIVE_OBJECT_TYPE "\r\n\r\n",
	    boundary, meta, boundary);
	buf_addf(after, "\r\n--%s--\r\n", boundary);
	return 0;
}

int gdrive_made_anyway(struct gdrive *g, const char *file, int r, struct gdrive_file *f, struct err *e) {
	struct err why = ERR_INIT;
	int there = gdrive_file_get(g, file, GDRIVE_FILE_FIELDS, f, &why);

	if (there == 0)
		return 0;
	/* Used up, and yet not there: made and destroyed again. */
	if (r == ERR_EXISTS && there == ERR_NOTFOUND)
		return err_set(e, ERR_NOTFOUND, "file %s was made and is gone", file);
	return there == ERR_NOTFOUND ? r : err_set(e, there, "%s", why.text);
}

static int made(struct gdrive *g, const char *file, int r, const struct rest_reply *p, struct gdrive_file *f, struct err *e) {
	if (r == 0 && (p->status < 200 || p->status > 299))
		r = gdrive_refuse(p->status, &p->body, "files.create", e);
	else if (r == 0)
		r = gdrive_parse_file(&p->body, f, e);
	if (r == ERR_NOTFOUND)
		return err_set(e, ERR_UNREACHABLE, "the drive's folder is gone, or not shared with this account any more");
	if (r != ERR_DAMAGED && r != ERR_EXISTS)
		return r;
	return gdrive_made_anyway(g, file, r, f, e);
}

/* One object on its way in one request. */
struct small {
	struct gdrive *g;
	const char *file;
	struct rest_request q;
	struct retry retry;
	struct gdrive_luck luck;
	uint64_t reached; /* of the body, in the attempt that came the farthest */
	bool asked;
};

/* All of it went and nothing came back: perhaps it is there, and need not be sent again. Every other time it is sent unasked: where each second request
 * fails, the answered question would else always be followed by the body that is not. */
static bool is_there(struct small *s, int r, uint64_t sent, struct gdrive_file *f) {
	struct err why = ERR_INIT;

	s->asked = r == ERR_UNREACHABLE && sent == s->q.body_len && !s->asked;
	return s->asked && gdrive_file_get(s->g, s->file, GDRIVE_FILE_FIELDS, f, &why) == 0;
}

static bool has_time(struct small *s, const struct rest_reply *p) {
	if (p->sent > s->reached) {
		s->reached = p->sent;
		retry_extend(&s->retry);
	}
	if (retry_pause(&s->retry, p->retry_after_s))
		return true;
	rest_gave_up(s->g->net);
	return false;
}

/* Is what came of an attempt to be followed by another? */
static bool may_go_on(struct small *s, int r, const struct rest_reply *p) {
	if (gdrive_is_garbled(&s->q, r, p))
		return gdrive_again(s->g, &s->luck);
	return gdrive_may_pass(r, p) && has_time(s, p);
}

static int send_small(struct small *s, struct gdrive_file *f, struct err *e) {
	retry_init(&s->retry, rest_patience_s(s->g->net), REST_ATTEMPTS, REST_PATIENCE_S);
	for (;;) {
		OWN(rest_reply_wipe) struct rest_reply p = {0};
		int r;

		s->q.total_s = retry_left_s(&s->retry);
		r = gdrive_rest(s->g, &s->q, &p, e);
		if (!may_go_on(s, r, &p))
			return made(s->g, s->file, r, &p, f, e);
		if (is_there(s, gdrive_is_garbled(&s->q, r, &p) ? ERR_UNREACHABLE : r, p.sent, f))
			return 0;
	}
}

int gdrive_make_small(struct gdrive *g, const char *object, const char *file, const struct buf *data, struct gdrive_file *f, struct err *e) {
	OWN(own_free) char *url =
	    gdrive_url(g, "/upload/drive/v3/files", (const char *const[]){ "uploadType", "multipart", "fields", GDRIVE_MADE_FIELDS, NULL });
	OWN(buf_wipe) struct buf type = {0}, before = {0}, after = {0};
	char name[STORE_ID_LEN + sizeof(".cms")];
	OWN(own_free) char *meta = NULL;
	int r;

	gdrive_name(object, name);
	meta = gdrive_describe(file, name, GDRIVE_OBJECT_TYPE, g->folder);
	if ((r = frame(meta, &type, &before, &after, e)) != 0)
		return r;
	struct pieces body = { { { before.data, before.len }, { data->data, data->len }, { after.data, after.len } } };
	struct small s = { .g = g, .file = file, .q = {
		.method = "POST",
		.url = url,
		.type = buf_str(&type),
		.body_len = before.len + data->len + after.len,
		.read = read_pieces,
		.read_arg = &body,
		.max = GDRIVE_REPLY_MAX,
		.expect = "application/json",
		.once = true, /* by its id it may come twice, but costs its length each time */
	} };
	return send_small(&s, f, e);
}
