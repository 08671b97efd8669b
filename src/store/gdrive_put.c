/* SPDX-License-Identifier: Apache-2.0 */
/* A put: bytes that come one after the other and are not known beforehand. Up to a window they are kept, and then sent at once; beyond, the session
 * is given one window after the other, and what went cannot be sent again. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "pki/ossl.h"
#include "store/gdrive_upload.h"

#define IN_PARTS ((size_t)1 << 20) /* Drive keeps whole units of 256 KiB of what breaks off: of less than four that is little */

struct put {
	struct gdrive *g;
	char object[STORE_ID_LEN + 1];
	bool fresh;
	struct buf data;  /* what comes behind base */
	uint64_t base;
	size_t window;
	EVP_MD_CTX *sha256, *md5; /* of all; MD5 in case that Drive says no other */
	struct gdrive_upload upload;
};

static bool hash(struct put *p, const void *data, size_t len) {
	return EVP_DigestUpdate(p->sha256, data, len) == 1 && (p->md5 == NULL || EVP_DigestUpdate(p->md5, data, len) == 1);
}

/* MD5 is not to be had everywhere (FIPS 140); SHA-256 is. */
static bool start_hashes(struct put *p) {
	p->sha256 = EVP_MD_CTX_new();
	p->md5 = EVP_MD_CTX_new();
	if (p->md5 != NULL && EVP_DigestInit_ex(p->md5, EVP_md5(), NULL) != 1) {
		EVP_MD_CTX_free(p->md5);
		p->md5 = NULL;
	}
	return p->sha256 != NULL && EVP_DigestInit_ex(p->sha256, EVP_sha256(), NULL) == 1;
}

static int end_hash(void *arg, bool md5, char hex[static 65], struct err *e) {
	struct put *p = arg;
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	OWN(own_evp_md_ctx) EVP_MD_CTX *copy = EVP_MD_CTX_new();
	const EVP_MD_CTX *from = md5 ? p->md5 : p->sha256;

	/* A copy, since the same bytes may have to be proved again. */
	if (from == NULL || copy == NULL || EVP_MD_CTX_copy_ex(copy, from) != 1 || EVP_DigestFinal_ex(copy, sum, &n) != 1 || n > SHA256_LEN)
		return ossl_err(e, ERR_FAIL, "digest of an object");
	text_hex(sum, n, hex);
	return 0;
}

static int check_free(struct put *p, struct err *e) {
	struct gdrive_file f;
	int r = gdrive_find(p->g, p->object, false, &f, e);

	if (r == 0)
		return err_set(e, ERR_EXISTS, "object %s is on the drive already", p->object);
	return r == ERR_NOTFOUND ? 0 : r;
}

static int read_window(void *arg, void *data, size_t len, uint64_t off, struct err *e) {
	const struct put *p = arg;

	if (off < p->base || off - p->base > p->data.len || len > p->data.len - (size_t)(off - p->base))
		return err_set(e, ERR_UNREACHABLE, "object %s: Drive has lost what it said it had", p->object);
	memcpy(data, p->data.data + (off - p->base), len);
	return 0;
}

int gdrive_put_open(void *state, const char *id, bool fresh, void **put, struct err *e) {
	struct put *p = xcalloc(1, sizeof(*p));
	int r = 0;

	p->g = state;
	memcpy(p->object, id, sizeof(p->object));
	p->fresh = fresh;
	p->window = p->g->chunk < GDRIVE_WINDOW ? (size_t)p->g->chunk : GDRIVE_WINDOW;
	p->upload = (struct gdrive_upload){ .g = p->g, .object = p->object, .total = GDRIVE_TOTAL_UNKNOWN, .read = read_window, .arg = p };
	if (!start_hashes(p))
		r = ossl_err(e, ERR_FAIL, "digest of an object");
	if (r == 0 && !fresh)
		r = check_free(p, e);
	if (r == 0)
		*put = p;
	else
		gdrive_put_free(p);
	return r;
}

static int begin_session(struct put *p, struct err *e) {
	int r = gdrive_new_id(p->g, p->upload.file, e);

	if (r == 0)
		r = gdrive_upload_begin(&p->upload, e);
	if (r == 0 && p->upload.done)
		r = err_set(e, ERR_UNREACHABLE, "object %s: Drive gave an id that is used already", p->object);
	return r;
}

/* A session that is forgotten before anything was let go of is no loss. */
static int push(struct put *p, struct err *e) {
	int r = ERR_NOTFOUND;

	for (unsigned i = 0; r == ERR_NOTFOUND && i < GDRIVE_TRIES; i++) {
		if (p->upload.session == NULL && (r = begin_session(p, e)) != 0)
			return r;
		r = gdrive_upload_push(&p->upload, p->base + p->data.len, e);
		if (r == ERR_NOTFOUND && p->base == 0)
			gdrive_upload_take(&p->upload, NULL);
		else if (r == ERR_NOTFOUND)
			break;
	}
	return r == ERR_NOTFOUND ? err_set(e, ERR_UNREACHABLE, "object %s: Drive has forgotten its upload session", p->object) : r;
}

/* The window is full, and more comes. */
static int drain(struct put *p, struct err *e) {
	int r = push(p, e);
	size_t gone;

	if (r != 0)
		return r;
	gone = (size_t)(p->upload.have - p->base);
	memmove(p->data.data, p->data.data + gone, p->data.len - gone);
	p->data.len -= gone;
	p->base = p->upload.floor = p->upload.have;
	return 0;
}

int gdrive_put_write(void *put, const void *data, size_t len, struct err *e) {
	struct put *p = put;
	const uint8_t *from = data;
	size_t n;
	int r;

	if (!hash(p, data, len))
		return ossl_err(e, ERR_FAIL, "digest of an object");
	for (; len > 0; from += n, len -= n) {
		if (p->data.len == p->window && (r = drain(p, e)) != 0)
			return r;
		n = p->window - p->data.len < len ? p->window - p->data.len : len;
		buf_add(&p->data, from, n);
	}
	return 0;
}

/* One request more, and what breaks off goes on where it was. */
static int make_in_session(struct put *p, const char *file, struct gdrive_file *f, struct err *e) {
	OWN(gdrive_upload_wipe) struct gdrive_upload u = { .g = p->g, .object = p->object, .total = p->data.len, .read = read_window, .arg = p };
	int r;

	memcpy(u.file, file, strlen(file) + 1);
	r = gdrive_upload_run(&u, e);
	*f = u.made;
	return r;
}

static int make_whole(void *arg, const char *file, struct gdrive_file *f, struct err *e) {
	struct put *p = arg;

	if (p->data.len >= IN_PARTS && rest_is_wary(p->g->net))
		return make_in_session(p, file, f, e);
	return gdrive_make_small(p->g, p->object, file, &p->data, f, e);
}

/* What has begun in a session ends there: if Drive stored it wrongly, only who has the bytes can send them again. */
static int end_session(struct put *p, const struct gdrive_want *want, struct err *e) {
	bool same = false;
	int r;

	p->upload.total = want->size;
	r = push(p, e);
	if (r == 0)
		r = gdrive_prove(p->g, want, p->upload.file, &p->upload.made, &same, e);
	if (r != 0)
		return r;
	if (same) {
		gdrive_remember(p->g, p->object, p->upload.file);
		return 0;
	}
	r = gdrive_undo(p->g, p->object, p->upload.file, e);
	if (r == 0)
		(void)err_set(e, ERR_UNREACHABLE, "object %s: Drive stored other bytes than were sent", p->object);
	return r != 0 ? r : STORE_SPOILED;
}

int gdrive_put_commit(void *put, struct err *e) {
	struct put *p = put;
	struct gdrive_want want = { .object = p->object, .size = p->base + p->data.len, .digest = end_hash, .arg = p };
	int r = p->fresh ? 0 : check_free(p, e);

	if (r != 0)
		return r;
	if (p->upload.session == NULL)
		return gdrive_make_proved(p->g, &want, make_whole, p, e);
	return end_session(p, &want, e);
}

void gdrive_put_free(void *put) {
	struct put *p = put;

	gdrive_upload_wipe(&p->upload);
	buf_wipe(&p->data);
	EVP_MD_CTX_free(p->sha256);
	EVP_MD_CTX_free(p->md5);
	free(p);
}
