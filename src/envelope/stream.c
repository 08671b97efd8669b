/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/stream.h"

#include <inttypes.h>
#include <string.h>

#include "envelope/content.h"
#include "pki/ossl.h"

static int new_md(EVP_MD_CTX **md, bool hash, struct err *e) {
	*md = NULL;
	if (!hash)
		return 0;
	*md = EVP_MD_CTX_new();
	if (*md == NULL || EVP_DigestInit_ex2(*md, content_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(*md);
		*md = NULL;
		return ossl_err(e, ERR_FAIL, "cannot set up SHA-256");
	}
	return 0;
}

static int pass(EVP_MD_CTX *md, const void *data, size_t len, struct err *e) {
	if (md != NULL && EVP_DigestUpdate(md, data, len) != 1)
		return ossl_err(e, ERR_FAIL, "SHA-256 failed");
	return 0;
}

int stream_digest(EVP_MD_CTX *md, uint8_t digest[static 32], struct err *e) {
	if (md != NULL && EVP_DigestFinal_ex(md, digest, NULL) != 1)
		return ossl_err(e, ERR_FAIL, "SHA-256 failed");
	return 0;
}

int feed_init(struct feed *f, const struct source *in, bool hash, struct err *e) {
	*f = (struct feed){ .in = in };
	return new_md(&f->md, hash, e);
}

void feed_wipe(struct feed *f) {
	EVP_MD_CTX_free(f->md);
	*f = (struct feed){0};
}

/* From the source itself, behind what lies ahead. */
static int fetch(struct feed *f, void *data, size_t len, size_t *got, struct err *e) {
	const struct source *in = f->in;

	if (in->read_at != NULL)
		return in->read_at(in->arg, data, len, f->off + f->ahead_len, got, e);
	return in->read(in->arg, data, len, got, e);
}

int feed_peek(struct feed *f, size_t want, struct err *e) {
	size_t got;
	int r;

	if (want > sizeof f->ahead)
		want = sizeof f->ahead;
	if (f->ahead_len >= want)
		return 0;
	if ((r = fetch(f, f->ahead + f->ahead_len, want - f->ahead_len, &got, e)) != 0)
		return r;
	f->ahead_len += got;
	return 0;
}

int feed_take(struct feed *f, void *data, size_t len, size_t *got, struct err *e) {
	size_t n = f->ahead_len < len ? f->ahead_len : len, more = 0;
	int r;

	memcpy(data, f->ahead, n);
	f->ahead_len -= n;
	memmove(f->ahead, f->ahead + n, f->ahead_len);
	f->off += n;
	if (n < len && (r = fetch(f, (uint8_t *)data + n, len - n, &more, e)) != 0)
		return r;
	f->off += more;
	*got = n + more;
	return pass(f->md, data, *got, e);
}

int feed_take_all(struct feed *f, void *data, size_t len, struct err *e) {
	size_t got;
	int r;

	if ((r = feed_take(f, data, len, &got, e)) != 0)
		return r;
	return got == len ? 0 : err_set(e, ERR_DAMAGED, "cut off at byte %" PRIu64, f->off);
}

int outlet_init(struct outlet *o, const struct sink *out, bool hash, struct err *e) {
	*o = (struct outlet){ .out = out };
	return new_md(&o->md, hash, e);
}

void outlet_wipe(struct outlet *o) {
	EVP_MD_CTX_free(o->md);
	*o = (struct outlet){0};
}

int outlet_write(struct outlet *o, const void *data, size_t len, struct err *e) {
	int r;

	if ((r = pass(o->md, data, len, e)) != 0)
		return r;
	if (o->out != NULL && (r = o->out->write(o->out->arg, data, len, e)) != 0)
		return r;
	o->len += len;
	return 0;
}

int outlet_give(struct outlet *o, const void *data, size_t len, struct err *e) {
	int r;

	if ((r = pass(o->md, data, len, e)) != 0 || (r = o->out->give(o->out->arg, data, len, e)) != 0)
		return r;
	o->len += len;
	return 0;
}
