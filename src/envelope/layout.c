/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/layout.h"

#include <inttypes.h>
#include <string.h>

const char layout_note[] =
    "scg envelope, format 1. This file is a sequence of CMS objects (RFC 5083 AuthEnvelopedData, AES-256-GCM): this note, then the\n"
    "file in segments of 4194304 bytes, then a manifest. What you read is the note alone: open each object by itself. The length of\n"
    "each stands in its first bytes (DER). Every object opens with\n"
    "    openssl cms -decrypt -inform DER -in OBJECT -secretkey KEY -secretkeyid ID -binary -out PIECE\n"
    "and the pieces of all segments, joined in order, are the file. The manifest's piece is signed by the author and names the SHA-256\n"
    "of each segment:\n"
    "    openssl cms -verify -inform DER -in PIECE -CAfile GROUP-CA.crt\n";

#define SIGNED_OVERHEAD_MAX 24576 /* certificate of at most 16 KiB, signature of at most 1 KiB, attributes, and room */

size_t layout_note_len(void) {
	return sizeof layout_note - 1;
}

struct object layout_note_object(void) {
	return (struct object){ .index = 0, .kind = OBJECT_NOTE, .len = sizeof layout_note - 1 };
}

void layout_make(struct layout *l, uint64_t size, size_t recipient_len) {
	uint64_t count = manifest_count(size);

	*l = (struct layout){ .count = count, .has_note = count > 1, .last_len = size - (count - 1) * SEGMENT_LEN };
	l->recipient_len = recipient_len;
	l->note_size = object_size(recipient_len, sizeof layout_note - 1);
	l->full_size = object_size(recipient_len, SEGMENT_LEN);
}

struct object layout_segment(const struct layout *l, uint64_t i) {
	bool last = i + 1 == l->count;

	return (struct object){ (uint32_t)i, last ? OBJECT_LAST : OBJECT_MORE, last ? l->last_len : SEGMENT_LEN };
}

struct object layout_manifest(const struct layout *l) {
	return (struct object){ (uint32_t)l->count, OBJECT_MANIFEST, l->manifest_len };
}

uint64_t layout_segment_off(const struct layout *l, uint64_t i) {
	return (l->has_note ? l->note_size : 0) + i * l->full_size;
}

uint64_t layout_manifest_off(const struct layout *l) {
	return layout_segment_off(l, l->count - 1) + object_size(l->recipient_len, l->last_len);
}

uint64_t layout_plain_size(const struct layout *l) {
	return (l->count - 1) * SEGMENT_LEN + l->last_len;
}

uint64_t layout_total(const struct layout *l) {
	return layout_manifest_off(l) + object_size(l->recipient_len, l->manifest_len);
}

uint64_t layout_manifest_max(uint64_t count) {
	return manifest_text_max(count) + SIGNED_OVERHEAD_MAX;
}

int layout_read(const struct source *in, void *data, size_t len, uint64_t off, struct err *e) {
	size_t got;
	int r;

	if ((r = in->read_at(in->arg, data, len, off, &got, e)) != 0)
		return r;
	return got == len ? 0 : err_set(e, ERR_DAMAGED, "cut off at byte %" PRIu64, off + got);
}

/* As much of a header as there may be. */
struct window { uint8_t p[OBJECT_HEADER_MAX]; size_t len; };

static int look(const struct source *in, uint64_t off, struct window *w, struct err *e) {
	if (off >= in->size)
		return err_set(e, ERR_DAMAGED, "cut off at byte %" PRIu64, in->size);
	return in->read_at(in->arg, w->p, sizeof w->p, off, &w->len, e);
}

int layout_check_first(const struct object *first, struct err *e) {
	if (first->index == 0 && first->kind == OBJECT_LAST) {
		if (first->len <= SEGMENT_LEN)
			return 0;
		return err_set(e, ERR_DAMAGED, "segment 0: RFC 5652 6.1: content of %" PRIu64 " bytes: a segment has at most %u", first->len,
			       SEGMENT_LEN);
	}
	if (first->index == 0 && first->kind == OBJECT_NOTE) {
		if (first->len == sizeof layout_note - 1)
			return 0;
		return err_set(e, ERR_DAMAGED, "note: RFC 5652 6.1: content of %" PRIu64 " bytes where %zu are due", first->len,
			       sizeof layout_note - 1);
	}
	return err_set(e, ERR_DAMAGED, "RFC 5084 3.2: the nonce is not that of a first object: no file sealed by scg, or not its beginning "
		       "(-unsigned opens a lone envelope that nobody signed)");
}

static int check_header(const struct source *in, const struct object_file *f, const struct object *o, uint64_t off, struct err *e) {
	uint8_t trailer[OBJECT_TRAILER_LEN];
	const uint8_t *tag;
	struct window w;
	int r;

	if ((r = look(in, off, &w, e)) == 0 && (r = object_expect(w.p, w.len, f, o, e)) == 0 &&
	    (r = layout_read(in, trailer, sizeof trailer, off + object_size(object_recipient_len(f), o->len) - sizeof trailer, e)) == 0)
		r = object_trailer_parse(trailer, &tag, e);
	return object_blame(o, r, e);
}

/* None of the places where the last segment may begin holds one: the first object that is not what it should be says why. */
static int blame_first(const struct source *in, const struct object_file *f, const struct layout *l, uint64_t top, struct err *e) {
	int r;

	for (uint64_t i = 0; i <= top; i++) {
		struct object more = { (uint32_t)i, OBJECT_MORE, SEGMENT_LEN };

		if ((r = check_header(in, f, &more, layout_segment_off(l, i), e)) != 0)
			return r;
	}
	return err_set(e, ERR_DAMAGED, "cut off: the last segment is missing");
}

/* All full segments have one size, but how long the manifest is follows from nothing: so a few places come into question for the last
 * segment, from the highest index down. That every header below is the one of its index is checked afterwards. */
static int find_last(const struct source *in, const struct object_file *f, struct layout *l, bool all, struct err *e) {
	uint64_t top = in->size < l->note_size ? 0 : (in->size - l->note_size) / l->full_size;
	uint64_t places = layout_manifest_max(top + 1) / l->full_size + 2;
	struct object_file found_file;
	struct object found;
	struct err why = ERR_INIT;
	struct window w;
	size_t header_len;
	int r;

	if (top >= SEGMENTS_MAX)
		return err_set(e, ERR_DAMAGED, "more than 2^24 segments");
	for (uint64_t i = top; i > 0 && places > 0; i--, places--) {
		if ((r = look(in, layout_segment_off(l, i), &w, &why)) != 0 && r != ERR_DAMAGED)
			return err_set(e, r, "%s", why.text);
		if (r != 0 || object_parse(w.p, w.len, &found_file, &found, &header_len, NULL) != 0 || !object_same_file(&found_file, f) ||
		    found.kind != OBJECT_LAST || found.index != i)
			continue;
		if (found.len == 0 || found.len > SEGMENT_LEN)
			return err_set(e, ERR_DAMAGED, "last segment: RFC 5652 6.1: content of %" PRIu64 " bytes: 1 to %u are due",
				       found.len, SEGMENT_LEN);
		l->count = i + 1;
		l->last_len = found.len;
		return 0;
	}
	return all ? blame_first(in, f, l, top, e) : err_set(e, ERR_DAMAGED, "cut off, or the last segment is damaged");
}

static int find_manifest(const struct source *in, const struct object_file *f, struct layout *l, struct err *e) {
	uint64_t off = layout_manifest_off(l);
	struct object_file found_file;
	struct object found, due = layout_manifest(l);
	struct window w;
	size_t header_len;
	int r;

	if (off >= in->size)
		return err_set(e, ERR_DAMAGED, off == in->size ? "the manifest is missing" : "cut off in the last segment");
	if ((r = look(in, off, &w, e)) != 0)
		return r;
	if ((r = object_parse(w.p, w.len, &found_file, &found, &header_len, e)) != 0)
		return object_blame(&due, r, e);
	due.len = l->manifest_len = found.len;
	if (found.len > layout_manifest_max(l->count))
		return err_set(e, ERR_DAMAGED, "manifest: longer than any for %" PRIu64 " segments", l->count);
	if ((r = object_expect(w.p, w.len, f, &due, e)) != 0)
		return object_blame(&due, r, e);
	if (layout_total(l) < in->size)
		return err_set(e, ERR_DAMAGED, "%" PRIu64 " bytes behind the manifest", in->size - layout_total(l));
	return layout_total(l) == in->size ? 0 : err_set(e, ERR_DAMAGED, "cut off in the manifest");
}

static int check_all(const struct source *in, const struct object_file *f, const struct layout *l, struct err *e) {
	struct object note = layout_note_object(), manifest = layout_manifest(l);
	int r;

	if (l->has_note && (r = check_header(in, f, &note, 0, e)) != 0)
		return r;
	for (uint64_t i = 0; i < l->count; i++) {
		struct object o = layout_segment(l, i);

		if ((r = check_header(in, f, &o, layout_segment_off(l, i), e)) != 0)
			return r;
	}
	return check_header(in, f, &manifest, layout_manifest_off(l), e);
}

static int find(const struct source *in, struct object_file *f, struct layout *l, bool all, struct err *e) {
	struct object first;
	struct window w;
	size_t header_len;
	int r;

	if (in->size == 0)
		return err_set(e, ERR_DAMAGED, "empty");
	if ((r = look(in, 0, &w, e)) != 0 || (r = object_parse(w.p, w.len, f, &first, &header_len, e)) != 0 ||
	    (r = layout_check_first(&first, e)) != 0)
		return r;
	if (first.kind == OBJECT_NOTE) {
		layout_make(l, 2 * (uint64_t)SEGMENT_LEN, object_recipient_len(f));
		if ((r = find_last(in, f, l, all, e)) != 0)
			return r;
	} else {
		layout_make(l, first.len, object_recipient_len(f));
	}
	return find_manifest(in, f, l, e);
}

int layout_find(const struct source *in, struct object_file *f, struct layout *l, struct err *e) {
	int r = find(in, f, l, true, e);

	return r != 0 ? r : check_all(in, f, l, e);
}

int layout_find_ends(const struct source *in, struct object_file *f, struct layout *l, struct err *e) {
	return find(in, f, l, false, e);
}
