/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/envelope.h"

#include <string.h>

#include "envelope/author.h"
#include "envelope/content.h"
#include "envelope/layout.h"
#include "envelope/segments.h"
#include "envelope/ticket.h"
#include "pki/ossl.h"

#define SIGN_VARIES 64u
#define SIGN_TRIES 1000 /* each second to fourth signature of ECDSA has the length that is due */

void envelope_result_wipe(struct envelope_result *r) {
	manifest_wipe(&r->manifest);
	X509_free(r->author);
	*r = (struct envelope_result){0};
}

uint64_t envelope_size_max(uint64_t plain_size) {
	struct layout l;

	layout_make(&l, plain_size, OBJECT_KEK_LEN);
	l.manifest_len = layout_manifest_max(l.count);
	return layout_total(&l);
}

uint64_t envelope_body_size(uint64_t plain_size) {
	struct layout l;

	layout_make(&l, plain_size, OBJECT_KEK_LEN);
	return layout_manifest_off(&l);
}

static int choose_key(const struct envelope_seal *s, struct content *c, struct err *e) {
	if (s->recip != NULL)
		return content_make_for(c, s->recip, e);
	return s->ticket != NULL ? ticket_open(c, s->epoch, s->purpose, s->ticket, e) : content_make(c, s->epoch, e);
}

/* What is known before the first byte is read: refused now rather than after an hour. */
static int describe(const struct envelope_seal *s, struct manifest *m, struct err *e) {
	int r = 0;

	*m = (struct manifest){ .group = xstrdup(s->group), .name = xstrdup(s->name), .version = s->version,
				.segment_size = SEGMENT_LEN, .count = 1 };
	if (s->file_id != NULL)
		memcpy(m->file_id, s->file_id, sizeof m->file_id);
	else
		r = random_uuid(m->file_id, e);
	return r != 0 ? r : manifest_check(m, e);
}

static int seal_segments(const struct envelope_seal *s, const struct content *c, struct ends *x, struct segments *run, struct err *e) {
	int r;

	*run = (struct segments){ .to = c, .threads = s->threads, .progress = s->progress, .progress_arg = s->progress_arg };
	run->known = x->in->read_at != NULL;
	if (run->known)
		layout_make(&run->layout, x->in->size, object_recipient_len(&c->file));
	if (run->known && run->layout.count > SEGMENTS_MAX)
		return err_set(e, ERR_FAIL, "more than 2^24 segments");
	r = ends_run(x, run, e);
	if (r == 0)
		layout_make(&run->layout, layout_plain_size(&run->layout), object_recipient_len(&c->file));
	return r;
}

/* Signed again until the object is as long as was promised: two integers in DER have a leading zero or not (RFC 3279 2.2.3). */
static int sign(const struct envelope_seal *s, struct layout *l, struct envelope_result *r, struct buf *der, struct err *e) {
	int rc = author_sign(s, r, der, e);

	l->manifest_len = der->len;
	for (unsigned i = 0; rc == 0 && s->object_size != 0 && layout_total(l) != s->object_size; i++) {
		if (i == SIGN_TRIES || layout_total(l) + SIGN_VARIES < s->object_size || layout_total(l) > s->object_size + SIGN_VARIES)
			return err_set(e, ERR_FAIL, "the source has another length than it had before it was read");
		buf_wipe(der);
		rc = author_sign(s, r, der, e);
		l->manifest_len = der->len;
	}
	return rc;
}

static int seal_manifest(const struct envelope_seal *s, const struct content *c, struct segments *run, struct ends *x,
			 struct envelope_result *r, struct err *e) {
	OWN(buf_wipe) struct buf der = {0};
	OWN(buf_wipe) struct buf sealed = {0};
	struct object o;
	int rc;

	r->manifest.count = run->layout.count;
	r->manifest.size = layout_plain_size(&run->layout);
	r->manifest.digests = run->digests;
	run->digests = NULL;
	if ((rc = sign(s, &run->layout, r, &der, e)) != 0)
		return rc;
	o = layout_manifest(&run->layout);
	if ((rc = content_seal(c, &o, der.data, &sealed, e)) != 0)
		return rc;
	return ends_write(x, &sealed, layout_manifest_off(&run->layout), e);
}

static int seal(const struct envelope_seal *s, const struct content *c, struct ends *x, struct envelope_result *r, struct err *e) {
	OWN(segments_wipe) struct segments run = {0};
	int rc;

	if ((rc = seal_segments(s, c, x, &run, e)) != 0 || (rc = seal_manifest(s, c, &run, x, r, e)) != 0)
		return rc;
	r->object_size = layout_total(&run.layout);
	memcpy(r->key_id, c->file.key_id, KEY_ID_LEN);
	r->to_certificate = s->recip != NULL;
	if ((rc = stream_digest(x->outlet.md, r->object_sha256, e)) != 0)
		return rc;
	return ends_finish(x, r->object_size, e);
}

int envelope_seal(const struct envelope_seal *s, const struct source *in, const struct sink *out, struct envelope_result *r, struct err *e) {
	OWN(content_wipe) struct content c = {0};
	OWN(ends_wipe) struct ends x = {0};
	int rc;

	*r = (struct envelope_result){0};
	if ((rc = describe(s, &r->manifest, e)) != 0 || (rc = choose_key(s, &c, e)) != 0 ||
	    (rc = ends_init(&x, in, out, false, s->hash_object, e)) != 0 || (rc = seal(s, &c, &x, r, e)) != 0)
		envelope_result_wipe(r);
	return rc;
}

int envelope_seal_size(const struct envelope_seal *s, uint64_t plain_size, uint64_t *object_size, struct err *e) {
	OWN(content_wipe) struct content c = {0};
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	OWN(buf_wipe) struct buf one = {0}, other = {0};
	struct layout l;
	int rc;

	if ((rc = describe(s, &r.manifest, e)) != 0 || (rc = choose_key(s, &c, e)) != 0)
		return rc;
	layout_make(&l, plain_size, object_recipient_len(&c.file));
	if (l.count > SEGMENTS_MAX)
		return err_set(e, ERR_FAIL, "more than 2^24 segments");
	r.manifest.size = plain_size;
	r.manifest.count = l.count;
	r.manifest.digests = xcalloc((size_t)l.count, sizeof *r.manifest.digests);
	/* The longer of two: a very short signature would have to be waited for. */
	if ((rc = author_sign(s, &r, &one, e)) != 0 || (rc = author_sign(s, &r, &other, e)) != 0)
		return rc;
	l.manifest_len = one.len > other.len ? one.len : other.len;
	*object_size = layout_total(&l);
	return 0;
}
