/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, re-encrypting and re-wrapping are one pass over a file: they differ in what leaves. */
#include "envelope/envelope.h"

#include <inttypes.h>
#include <string.h>

#include "base/own.h"
#include "envelope/author.h"
#include "envelope/content.h"
#include "envelope/layout.h"
#include "envelope/segments.h"
#include "envelope/stock.h"

struct pass {
	const struct envelope_open *o;
	const struct epoch *to;         /* NULL: plaintext leaves */
	bool rewrap;                    /* with to: the content key stays */
	const struct envelope_range *range; /* with neither: only these bytes of it */
	struct envelope_result *r;
	struct ends ends;
	struct content from, dest;
	struct segments run;
	struct buf signed_der;          /* the manifest's SignedData, as its author made it */
};

static void pass_wipe(struct pass *p) {
	ends_wipe(&p->ends);
	content_wipe(&p->from);
	content_wipe(&p->dest);
	segments_wipe(&p->run);
	buf_wipe(&p->signed_der);
}

/* Keys of both sides; the layout is in place as far as it is known. */
static int set_keys(struct pass *p, const struct object_file *f, struct err *e) {
	int r;

	if (f->to.kind != RECIPIENT_GROUP && p->to == NULL && p->o->own_key != NULL)
		r = content_unwrap_own(&p->from, f, p->o->own_cert, p->o->own_key, e);
	else
		r = content_unwrap(&p->from, f, p->o->keys, e);
	if (r != 0)
		return r;
	if (p->to != NULL && (r = p->rewrap ? content_rewrap(&p->dest, &p->from, p->to, e) : content_make(&p->dest, p->to, e)) != 0)
		return r;
	p->run.from = &p->from;
	p->run.to = p->to == NULL ? NULL : &p->dest;
	p->run.copy = p->rewrap;
	p->run.threads = p->o->threads;
	p->run.progress = p->o->progress;
	p->run.progress_arg = p->o->progress_arg;
	return 0;
}

static int open_note(const struct content *c, uint8_t *body, struct err *e) {
	struct object note = layout_note_object();
	int r;

	if ((r = content_open(c, &note, body, e)) == 0 && memcmp(body, layout_note, (size_t)note.len) != 0)
		r = err_set(e, ERR_DAMAGED, "not the text of format 1");
	return object_blame(&note, r, e);
}

static int open_manifest(struct pass *p, const struct object *o, struct err *e) {
	int r;

	if ((r = content_open(&p->from, o, p->signed_der.data, e)) != 0)
		return object_blame(o, r, e);
	p->signed_der.len = (size_t)o->len;
	return author_check(p->o, &p->run.layout, p->signed_der.data, p->signed_der.len, p->r, e);
}

/* The manifest's object under the new key. After a re-wrap key, nonce and text are what they were: so is the object but for its header. */
static int write_manifest(struct pass *p, struct err *e) {
	OWN(buf_wipe) struct buf sealed = {0};
	struct object o = layout_manifest(&p->run.layout);
	int r;

	if (p->to == NULL)
		return 0;
	if ((r = content_seal(&p->dest, &o, p->signed_der.data, &sealed, e)) != 0)
		return r;
	return ends_write(&p->ends, &sealed, layout_manifest_off(&p->run.layout), e);
}

static int finish(struct pass *p, struct err *e) {
	EVP_MD_CTX *md = p->to == NULL ? p->ends.feed.md : p->ends.outlet.md;
	int r;

	memcpy(p->r->key_id, p->to == NULL ? p->from.file.key_id : p->dest.file.key_id, KEY_ID_LEN);
	p->r->to_certificate = p->from.file.to.kind != RECIPIENT_GROUP;
	p->r->object_size = layout_total(&p->run.layout);
	if ((r = write_manifest(p, e)) != 0 || (r = stream_digest(md, p->r->object_sha256, e)) != 0)
		return r;
	return ends_finish(&p->ends, p->to == NULL ? layout_plain_size(&p->run.layout) : p->r->object_size, e);
}

/* ---- a seekable source: the manifest first ---- */

static int read_object(const struct pass *p, const struct object *o, uint64_t off, struct buf *b, struct err *e) {
	size_t recipient_len = p->run.layout.recipient_len;

	return layout_read(p->ends.in, buf_room(b, (size_t)o->len + OBJECT_TRAILER_LEN), (size_t)o->len + OBJECT_TRAILER_LEN,
			   off + object_header_len(recipient_len, o->len), e);
}

static int read_ends(struct pass *p, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};
	struct object manifest = layout_manifest(&p->run.layout), note = layout_note_object();
	int r;

	if ((r = read_object(p, &manifest, layout_manifest_off(&p->run.layout), &p->signed_der, e)) != 0 ||
	    (r = open_manifest(p, &manifest, e)) != 0)
		return r;
	if (!p->run.layout.has_note)
		return 0;
	if ((r = read_object(p, &note, 0, &b, e)) != 0)
		return r;
	return open_note(&p->from, b.data, e);
}

/* In order, for what is hashed on the way: up to the offset. */
static int pass_over(struct pass *p, uint64_t until, struct err *e) {
	uint8_t skip[4096];
	int r = 0;

	while (r == 0 && p->ends.feed.off < until) {
		uint64_t left = until - p->ends.feed.off;

		r = feed_take_all(&p->ends.feed, skip, left < sizeof skip ? (size_t)left : sizeof skip, e);
	}
	return r;
}

static int pass_seekable(struct pass *p, struct err *e) {
	struct layout *l = &p->run.layout;
	struct object_file f;
	int r;

	if ((r = layout_find(p->ends.in, &f, l, e)) != 0 || (r = set_keys(p, &f, e)) != 0 || (r = read_ends(p, e)) != 0)
		return r;
	p->run.known = true;
	p->run.expected = (const uint8_t (*)[32])p->r->manifest.digests;
	if (!p->ends.at_once && (r = pass_over(p, layout_segment_off(l, 0), e)) != 0)
		return r;
	if ((r = ends_run(&p->ends, &p->run, e)) != 0)
		return r;
	if (!p->ends.at_once && (r = pass_over(p, layout_total(l), e)) != 0)
		return r;
	return finish(p, e);
}

/* ---- a range ---- */

/* The signed size is what counts (RFC 9110 14.1.2: what lies behind the end is left out). */
static int clip(struct pass *p, struct err *e) {
	uint64_t size = p->r->manifest.size;

	if (p->range->first > p->range->last)
		return err_set(e, ERR_USAGE, "the range ends before it begins");
	if (p->range->first >= size)
		return err_set(e, ERR_FAIL, "the range begins at byte %" PRIu64 ", but the file's length is %" PRIu64, p->range->first, size);
	p->run.part = true;
	p->run.begin = p->range->first;
	p->run.end = p->range->last < size ? p->range->last + 1 : size;
	return 0;
}

static int pass_range(struct pass *p, struct err *e) {
	const struct source *in = p->ends.in;
	struct layout *l = &p->run.layout;
	struct object_file f;
	int r;

	if (in->read_at == NULL && (r = feed_peek(&p->ends.feed, 1, e)) != 0)
		return r;
	if (in->read_at == NULL)
		return p->ends.feed.ahead_len == 0 ? err_set(e, ERR_DAMAGED, "empty")
						   : err_set(e, ERR_USAGE, "a range of it needs a file: a stream is read from its beginning");
	if ((r = layout_find_ends(in, &f, l, e)) != 0 || (r = set_keys(p, &f, e)) != 0 || (r = read_ends(p, e)) != 0 ||
	    (r = clip(p, e)) != 0)
		return r;
	p->run.known = true;
	p->run.expected = (const uint8_t (*)[32])p->r->manifest.digests;
	p->ends.at_once = false;
	p->ends.feed.off = layout_segment_off(l, p->run.begin / SEGMENT_LEN);
	if ((r = ends_run(&p->ends, &p->run, e)) != 0)
		return r;
	return finish(p, e);
}

/* ---- a stream: the manifest last ---- */

static int stream_note(struct pass *p, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};
	struct object note = layout_note_object();
	size_t head = object_header_len(object_recipient_len(&p->from.file), note.len), len = head + (size_t)note.len + OBJECT_TRAILER_LEN;
	int r;

	if ((r = feed_take_all(&p->ends.feed, buf_room(&b, len), len, e)) != 0)
		return object_blame(&note, r, e);
	return open_note(&p->from, b.data + head, e);
}

static int stream_manifest_header(struct pass *p, struct object *o, struct err *e) {
	struct feed *in = &p->ends.feed;
	uint8_t header[OBJECT_HEADER_MAX];
	struct object_file f;
	size_t header_len;
	int r;

	*o = layout_manifest(&p->run.layout);
	if ((r = feed_peek(in, OBJECT_HEADER_MAX, e)) != 0)
		return r;
	if (in->ahead_len == 0)
		return err_set(e, ERR_DAMAGED, "the manifest is missing");
	if ((r = object_parse(in->ahead, in->ahead_len, &f, o, &header_len, e)) != 0)
		return object_blame(&(struct object){ .kind = OBJECT_MANIFEST }, r, e);
	p->run.layout.manifest_len = o->len;
	*o = layout_manifest(&p->run.layout);
	if (o->len > layout_manifest_max(p->run.layout.count))
		return err_set(e, ERR_DAMAGED, "manifest: longer than any for %" PRIu64 " segments", p->run.layout.count);
	if ((r = object_expect(in->ahead, in->ahead_len, &p->from.file, o, e)) != 0)
		return object_blame(o, r, e);
	return feed_take_all(in, header, header_len, e);
}

static int stream_manifest(struct pass *p, struct err *e) {
	struct feed *in = &p->ends.feed;
	struct object o;
	size_t len;
	int r;

	if ((r = stream_manifest_header(p, &o, e)) != 0)
		return r;
	len = (size_t)o.len + OBJECT_TRAILER_LEN;
	if ((r = feed_take_all(in, buf_room(&p->signed_der, len), len, e)) != 0)
		return object_blame(&o, r, e);
	if ((r = feed_peek(in, 1, e)) != 0)
		return r;
	if (in->ahead_len != 0)
		return err_set(e, ERR_DAMAGED, "bytes behind the manifest");
	return open_manifest(p, &o, e);
}

static int check_digests(const struct pass *p, struct err *e) {
	for (uint64_t i = 0; i < p->run.layout.count && !p->run.copy; i++)
		if (memcmp(p->run.digests[i], p->r->manifest.digests[i], sizeof p->run.digests[i]) != 0)
			return err_set(e, ERR_DAMAGED, "segment %" PRIu64 ": SHA-256 is not the one that the author signed", i);
	return 0;
}

static int pass_stream(struct pass *p, struct err *e) {
	struct feed *in = &p->ends.feed;
	struct layout *l = &p->run.layout;
	struct object_file f;
	struct object first;
	size_t header_len;
	int r;

	if ((r = feed_peek(in, OBJECT_HEADER_MAX, e)) != 0)
		return r;
	if (in->ahead_len == 0)
		return err_set(e, ERR_DAMAGED, "empty");
	if ((r = object_parse(in->ahead, in->ahead_len, &f, &first, &header_len, e)) != 0 || (r = layout_check_first(&first, e)) != 0 ||
	    (r = set_keys(p, &f, e)) != 0)
		return r;
	l->has_note = first.kind == OBJECT_NOTE;
	if (l->has_note && (r = stream_note(p, e)) != 0)
		return r;
	if ((r = ends_run(&p->ends, &p->run, e)) != 0)
		return r;
	layout_make(l, layout_plain_size(l), object_recipient_len(&f));
	if ((r = stream_manifest(p, e)) != 0 || (r = check_digests(p, e)) != 0)
		return r;
	return finish(p, e);
}

/* ---- */

/* A sealed file is never opened as anything less: only what does not look like one of ours goes to the other reader. */
static int is_stock(struct pass *p, bool *stock, struct err *e) {
	struct feed *in = &p->ends.feed;
	struct object_file f;
	struct object o;
	size_t header_len;
	int r;

	*stock = false;
	if (!p->o->allow_unsigned || p->to != NULL || p->range != NULL)
		return 0;
	if ((r = feed_peek(in, OBJECT_HEADER_MAX, e)) != 0)
		return r;
	*stock = object_parse(in->ahead, in->ahead_len, &f, &o, &header_len, NULL) != 0 || !stock_nonce_is_ours(&o);
	return 0;
}

static int pass_by_kind(struct pass *p, struct err *e) {
	bool stock;
	int r;

	if ((r = is_stock(p, &stock, e)) != 0)
		return r;
	if (stock)
		return stock_open(p->o->keys, &p->ends.feed, &p->ends.outlet, p->r, e);
	if (p->range != NULL)
		return pass_range(p, e);
	return p->ends.in->read_at != NULL ? pass_seekable(p, e) : pass_stream(p, e);
}

static int pass(struct pass *p, const struct source *in, const struct sink *out, struct err *e) {
	bool hash = p->o->hash_object && p->range == NULL;
	int r;

	*p->r = (struct envelope_result){0};
	if ((r = ends_init(&p->ends, in, out, p->to == NULL && hash, p->to != NULL && hash, e)) == 0)
		r = pass_by_kind(p, e);
	if (r != 0)
		envelope_result_wipe(p->r);
	return r;
}

int envelope_open(const struct envelope_open *o, const struct source *in, const struct sink *out, struct envelope_result *r, struct err *e) {
	OWN(pass_wipe) struct pass p = { .o = o, .range = o->range, .r = r };

	return pass(&p, in, out, e);
}

static int pass_manifest(struct pass *p, struct err *e) {
	struct object_file f;
	int r;

	if ((r = layout_find_ends(p->ends.in, &f, &p->run.layout, e)) != 0 || (r = set_keys(p, &f, e)) != 0 || (r = read_ends(p, e)) != 0)
		return r;
	return finish(p, e);
}

int envelope_manifest(const struct envelope_open *o, const struct source *in, struct envelope_result *r, struct err *e) {
	OWN(pass_wipe) struct pass p = { .o = o, .r = r };
	int rc;

	*r = (struct envelope_result){0};
	if ((rc = ends_init(&p.ends, in, NULL, false, false, e)) != 0 || (rc = pass_manifest(&p, e)) != 0)
		envelope_result_wipe(r);
	return rc;
}

int envelope_reencrypt(const struct envelope_open *o, const struct epoch *to, const struct source *in, const struct sink *out,
		       struct envelope_result *r, struct err *e) {
	OWN(pass_wipe) struct pass p = { .o = o, .to = to, .r = r };

	return pass(&p, in, out, e);
}

int envelope_rewrap(const struct envelope_open *o, const struct epoch *to, const struct source *in, const struct sink *out,
		    struct envelope_result *r, struct err *e) {
	OWN(pass_wipe) struct pass p = { .o = o, .to = to, .rewrap = true, .r = r };

	return pass(&p, in, out, e);
}
