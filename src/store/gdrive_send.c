/* SPDX-License-Identifier: Apache-2.0 */
/* A put whose bytes lie in a file, in a session that the next process can go on with. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "pki/ossl.h"
#include "store/gdrive_upload.h"

#define HASH_PIECE ((size_t)1 << 20)

struct send {
	struct gdrive *g;
	const char *object;
	const struct store_send *how;
};

static int read_file(void *arg, void *data, size_t len, uint64_t off, struct err *e) {
	const struct send *s = arg;
	size_t got = 0;
	int r = file_pread_full(s->how->fd, data, len, off, &got, "what is to be sent", e);

	return r == 0 && got != len ? err_set(e, ERR_FAIL, "what is to be sent has got shorter") : r;
}

static int hash_file(void *arg, bool md5, char hex[static 65], struct err *e) {
	const struct send *s = arg;
	OWN(own_evp_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	OWN(own_free) uint8_t *piece = NULL;
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	size_t len;
	int r;

	if (!md5 && s->how->sha256 != NULL) {
		text_hex(s->how->sha256, SHA256_LEN, hex);
		return 0;
	}
	piece = xmalloc(HASH_PIECE);
	if (ctx == NULL || EVP_DigestInit_ex(ctx, md5 ? EVP_md5() : EVP_sha256(), NULL) != 1)
		return ossl_err(e, ERR_FAIL, "digest of an object");
	for (uint64_t off = 0; off < s->how->size; off += len) {
		len = s->how->size - off < HASH_PIECE ? (size_t)(s->how->size - off) : HASH_PIECE;
		if ((r = read_file(arg, piece, len, off, e)) != 0)
			return r;
		if (EVP_DigestUpdate(ctx, piece, len) != 1)
			return ossl_err(e, ERR_FAIL, "digest of an object");
	}
	if (EVP_DigestFinal_ex(ctx, sum, &n) != 1 || n > SHA256_LEN)
		return ossl_err(e, ERR_FAIL, "digest of an object");
	text_hex(sum, n, hex);
	return 0;
}

static int wait_for(void *arg, uint64_t end, struct err *e) {
	const struct send *s = arg;

	return s->how->wait != NULL ? s->how->wait(s->how->arg, end, e) : 0;
}

/* Before the first byte goes out. */
static int keep_token(void *arg, const struct gdrive_upload *u, struct err *e) {
	const struct send *s = arg;
	struct gdrive_token t = { .size = u->total };
	OWN(own_free) char *text = NULL;
	int r;

	memcpy(t.folder, s->g->folder, strlen(s->g->folder) + 1);
	memcpy(t.object, s->object, sizeof(t.object));
	memcpy(t.file, u->file, sizeof(t.file));
	memcpy(t.session, u->session, strlen(u->session) + 1);
	text = gdrive_print_token(&t);
	r = s->how->keep != NULL ? s->how->keep(s->how->arg, text, e) : 0;
	secret_clean(text, strlen(text));
	secret_clean(&t, sizeof(t));
	return r;
}

static struct gdrive_upload upload_of(struct send *s) {
	return (struct gdrive_upload){
		.g = s->g,
		.object = s->object,
		.total = s->how->size,
		.read = read_file,
		.wait = wait_for,
		.arg = s,
		.began = keep_token,
		.progress = s->how->progress,
		.progress_arg = s->how->arg,
	};
}

static int send_anew(void *arg, const char *file, struct gdrive_file *f, struct err *e) {
	struct send *s = arg;
	OWN(gdrive_upload_wipe) struct gdrive_upload u = upload_of(s);
	int r;

	memcpy(u.file, file, strlen(file) + 1);
	r = gdrive_upload_run(&u, e);
	*f = u.made;
	return r;
}

/* A session that says it has it all may say so before it is all there. */
static int end_session(struct send *s, struct gdrive_upload *u, struct err *e) {
	int r;

	if (!u->done)
		return gdrive_upload_run(u, e);
	r = wait_for(s, u->total, e);
	return r == ERR_NOTFOUND ? err_recode(e, ERR_FAIL) : r;
}

/* Going on where the token says; same: it is there now and proved. Not same, and no error: to be sent anew. */
static int resume(struct send *s, const struct gdrive_token *t, const struct gdrive_want *want, bool *same, struct err *e) {
	OWN(gdrive_upload_wipe) struct gdrive_upload u = upload_of(s);
	int r;

	*same = false;
	if (!gdrive_is_session(s->g->api, t->session))
		return err_set(e, ERR_DAMAGED, "object %s: its upload session is of another service", s->object);
	memcpy(u.file, t->file, sizeof(u.file));
	gdrive_upload_take(&u, xstrdup(t->session));
	u.sent = u.total; /* in an earlier run: nobody knows how much */
	r = gdrive_upload_ask(&u, e);
	if (r == ERR_NOTFOUND)
		gdrive_upload_take(&u, NULL);
	else if (r != 0)
		return r;
	if ((r = end_session(s, &u, e)) != 0)
		return r == ERR_NOTFOUND ? 0 : r;
	r = gdrive_prove(s->g, want, u.file, &u.made, same, e);
	if (r == 0 && *same)
		gdrive_remember(s->g, s->object, u.file);
	else if (r == 0 && strcmp(u.made.object, s->object) == 0)
		r = gdrive_undo(s->g, s->object, u.file, e);
	return r;
}

/* A token for something else, or of a form that is not known, is none. */
static bool token_fits(const struct send *s, struct gdrive_token *t) {
	return s->how->token != NULL && gdrive_parse_token(s->how->token, t) && strcmp(t->folder, s->g->folder) == 0 &&
	    strcmp(t->object, s->object) == 0 && t->size == s->how->size;
}

int gdrive_send(void *state, const char *id, const struct store_send *how, struct err *e) {
	struct send s = { .g = state, .object = id, .how = how };
	struct gdrive_want want = { .object = id, .size = how->size, .digest = hash_file, .arg = &s };
	struct gdrive_token t;
	bool same = false;
	int r = token_fits(&s, &t) ? resume(&s, &t, &want, &same, e) : 0;

	secret_clean(&t, sizeof(t));
	if (r != 0 || same)
		return r;
	return gdrive_make_proved(s.g, &want, send_anew, &s, e);
}
