/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/segments.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/work.h"
#include "envelope/envelope.h"
#include "envelope/piece.h"

#define CHUNK_LEN (256u << 10)  /* larger ones gain nothing, smaller ones cost calls */
/* Each holds a whole segment: what the process may use, 32 MiB, leaves room for four. */
#define TURN_WORKERS_MAX 4
/* As much may be lost, or was gained of late, before pages are given away no more: at first that is the time of some ten segments. */
#define GAIN_SWING_NS INT64_C(20000000)
/* While one reads and one writes two others keep the cores busy. */
#define TURN_WORKERS_MORE 2

void segments_wipe(struct segments *s) {
	free(s->digests);
	s->digests = NULL;
}

static unsigned threads(const struct segments *s) {
	unsigned n = s->threads == 0 ? work_cores() : s->threads;

	return n > ENVELOPE_THREADS_MAX ? ENVELOPE_THREADS_MAX : n;
}

/* Puts the header right before the body; returns its length. */
static size_t put_header(struct piece *p, const struct content *to) {
	OWN(buf_wipe) struct buf b = {0};

	object_header(&to->file, &p->o, &b);
	memcpy(p->body - b.len, b.data, b.len);
	return b.len;
}

static int seal_note(const struct content *to, struct buf *out, struct err *e) {
	struct object note = layout_note_object();

	return content_seal(to, &note, layout_note, out, e);
}

static int check_digest(const struct segments *s, uint64_t i, const uint8_t digest[static 32], struct err *e) {
	if (s->expected == NULL || memcmp(s->expected[i], digest, 32) == 0)
		return 0;
	return err_set(e, ERR_DAMAGED, "SHA-256 is not the one that the author signed");
}

/* Ends a segment whose last len bytes stand at data, its trailer behind them if it came from an object. The trailer that goes out
 * replaces it. */
static int finish(const struct segments *s, struct crypt *c, uint8_t *data, size_t len, uint8_t digest[static 32], struct err *e) {
	const uint8_t *tag_in = NULL;
	uint8_t tag[OBJECT_TAG_LEN];
	int r;

	if (s->from != NULL && (r = object_trailer_parse(data + len, &tag_in, e)) != 0)
		return r;
	if (s->copy)
		return 0;
	if ((r = crypt_end(c, tag_in, tag, digest, e)) != 0)
		return r;
	if (s->to != NULL)
		object_trailer(tag, data + len);
	return 0;
}

static int start(const struct segments *s, struct crypt *c, struct err *e) {
	return s->copy ? 0 : crypt_init(c, s->from, s->to, true, e);
}

static void report(const struct segments *s, uint64_t bytes) {
	if (s->progress != NULL)
		s->progress(s->progress_arg, bytes);
}

/* ---- both ends seekable ---- */

struct at_once {
	struct segments *s;
	const struct source *in;
	const struct sink *out;
	atomic_uint_fast64_t next;
	atomic_bool failed;
};

/* The plaintext side of a segment, or its object: where it begins. */
static uint64_t begin_of(const struct segments *s, const struct content *side, uint64_t i) {
	return side == NULL ? i * SEGMENT_LEN : layout_segment_off(&s->layout, i);
}

/* Where its content begins. */
static uint64_t body_off(const struct segments *s, const struct content *side, const struct object *o) {
	return begin_of(s, side, o->index) + (side == NULL ? 0 : object_header_len(s->layout.recipient_len, o->len));
}

static int write_stretch(const struct at_once *a, struct piece *p, uint64_t pos, size_t n, struct err *e) {
	const struct segments *s = a->s;
	uint64_t off = begin_of(s, s->to, p->o.index) + pos;
	size_t head = 0;

	if (a->out == NULL)
		return 0;
	if (s->to == NULL)
		return a->out->write_at(a->out->arg, p->body, n, off, e);
	if (pos == 0)
		head = put_header(p, s->to);
	else
		off += object_header_len(s->layout.recipient_len, p->o.len);
	if (pos + n == p->o.len)
		n += OBJECT_TRAILER_LEN;
	return a->out->write_at(a->out->arg, p->body - head, head + n, off, e);
}

/* An object that ends early is damaged; a plaintext is somebody's file that he is working on. */
static int read_stretch(const struct at_once *a, struct piece *p, size_t want, uint64_t off, struct err *e) {
	int r = layout_read(a->in, p->body, want, off, e);

	return r == ERR_DAMAGED && a->s->from == NULL ? err_set(e, ERR_FAIL, "the source became shorter while it was read") : r;
}

/* One stretch of a segment, from pos on: n bytes of its content. */
static int stretch(const struct at_once *a, struct crypt *c, struct piece *p, uint64_t pos, size_t n, struct err *e) {
	const struct segments *s = a->s;
	bool last = pos + n == p->o.len;
	uint64_t off = begin_of(s, s->from, p->o.index) + pos;
	size_t want = n;
	uint8_t digest[32];
	int r;

	if (s->from != NULL) {
		off += object_header_len(s->layout.recipient_len, p->o.len);
		want += last ? OBJECT_TRAILER_LEN : 0;
	}
	if ((r = read_stretch(a, p, want, off, e)) != 0 || (!s->copy && (r = crypt_update(c, p->body, n, e)) != 0) ||
	    (last && (r = finish(s, c, p->body, n, digest, e)) != 0))
		return r;
	if (last && !s->copy)
		memcpy(s->digests[p->o.index], digest, sizeof digest);
	return write_stretch(a, p, pos, n, e);
}

static int segment_at_once(const struct at_once *a, struct crypt *c, struct piece *p, uint64_t i, struct err *e) {
	const struct segments *s = a->s;
	uint64_t pos = 0;
	int r;

	p->o = layout_segment(&s->layout, i);
	piece_place(p, body_off(s, s->from, &p->o), body_off(s, s->to, &p->o));
	r = s->copy ? 0 : crypt_begin(c, &p->o, e);
	do {
		size_t n = p->o.len - pos < p->cap ? (size_t)(p->o.len - pos) : p->cap;

		if (r == 0)
			r = stretch(a, c, p, pos, n, e);
		pos += n;
	} while (r == 0 && pos < p->o.len);
	if (r == 0 && !s->copy)
		r = check_digest(s, i, s->digests[i], e);
	if (r == 0)
		report(s, p->o.len);
	return object_blame(&p->o, r, e);
}

static int worker_at_once(void *arg, unsigned who, struct err *e) {
	struct at_once *a = arg;
	OWN(crypt_wipe) struct crypt c = {0};
	OWN(piece_wipe) struct piece p = {0};
	uint64_t size = layout_plain_size(&a->s->layout), i;
	int r;

	(void)who;
	piece_init(&p, size < CHUNK_LEN ? (size_t)size : CHUNK_LEN);
	r = start(a->s, &c, e);
	while (r == 0 && !atomic_load(&a->failed) && (i = atomic_fetch_add(&a->next, 1)) < a->s->layout.count)
		r = segment_at_once(a, &c, &p, i, e);
	if (r != 0)
		atomic_store(&a->failed, true);
	return r;
}

static int note_at_once(const struct segments *s, const struct sink *out, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};
	int r;

	if (!s->layout.has_note || s->to == NULL || out == NULL)
		return 0;
	if ((r = seal_note(s->to, &b, e)) != 0)
		return r;
	return out->write_at(out->arg, b.data, b.len, 0, e);
}

int segments_at_once(struct segments *s, const struct source *in, const struct sink *out, struct err *e) {
	struct at_once a = { .s = s, .in = in, .out = out };
	unsigned n = threads(s);
	int r;

	if ((r = note_at_once(s, out, e)) != 0)
		return r;
	if (!s->copy)
		s->digests = xcalloc((size_t)s->layout.count, sizeof *s->digests);
	return work_run(s->layout.count < n ? (unsigned)s->layout.count : n, worker_at_once, &a, e);
}

/* ---- in order ---- */

struct turns {
	struct segments *s;
	pthread_mutex_t reading;        /* guards all that follows up to ended */
	struct feed *in;
	uint64_t next;                  /* to be read */
	uint64_t last;                  /* none behind it */
	bool ended;
	pthread_mutex_t writing;        /* guards all below */
	pthread_cond_t turned;
	struct outlet *out;
	atomic_bool give;               /* segments leave with their pages */
	int64_t gain_ns;                /* by giving, of late */
	uint64_t turn;                  /* to be written */
	uint64_t room;                  /* of s->digests */
	bool failed;
};

/* Which object is due at index i, where the layout is not known: a full one, or the last one if it says so. */
static struct object due(const struct turns *t, uint64_t i) {
	struct object_file file;
	struct object found = {0};
	size_t header_len;
	bool last = i == 0 && !t->s->layout.has_note;

	if (t->s->known)
		return layout_segment(&t->s->layout, i);
	if (object_parse(t->in->ahead, t->in->ahead_len, &file, &found, &header_len, NULL) != 0)
		found.kind = OBJECT_MORE;
	/* A note announces two segments at least. */
	if (found.kind == OBJECT_LAST && !(i == 0 && t->s->layout.has_note))
		last = true;
	return (struct object){ (uint32_t)i, last ? OBJECT_LAST : OBJECT_MORE, last ? found.len : SEGMENT_LEN };
}

static int read_object(struct turns *t, struct piece *p, uint64_t i, struct err *e) {
	uint8_t header[OBJECT_HEADER_MAX];
	int r;

	if ((r = feed_peek(t->in, OBJECT_HEADER_MAX, e)) != 0)
		return r;
	p->o = due(t, i);
	if (t->in->ahead_len == 0)
		return err_set(e, ERR_DAMAGED, "missing: the file is cut off");
	if ((r = object_expect(t->in->ahead, t->in->ahead_len, &t->s->from->file, &p->o, e)) != 0)
		return r;
	if (p->o.len > SEGMENT_LEN || (p->o.len == 0 && i > 0))
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.1: content of %" PRIu64 " bytes: 1 to %u are due", p->o.len, SEGMENT_LEN);
	t->ended = p->o.kind == OBJECT_LAST || i == t->last;
	if ((r = feed_take_all(t->in, header, object_header_len(object_recipient_len(&t->s->from->file), p->o.len), e)) != 0)
		return r;
	return feed_take_all(t->in, p->body, (size_t)p->o.len + OBJECT_TRAILER_LEN, e);
}

static int read_plain(struct turns *t, struct piece *p, uint64_t i, struct err *e) {
	size_t got;
	int r;

	if ((r = feed_take(t->in, p->body, SEGMENT_LEN, &got, e)) != 0 || (r = feed_peek(t->in, 1, e)) != 0)
		return r;
	t->ended = t->in->ahead_len == 0;
	p->o = (struct object){ (uint32_t)i, t->ended ? OBJECT_LAST : OBJECT_MORE, got };
	return 0;
}

/* As if it were a full one behind a note: one that is not is the last, or small. */
static void place_in_turn(const struct turns *t, struct piece *p, uint64_t i) {
	const struct segments *s = t->s;
	size_t recipient_len = object_recipient_len(s->from != NULL ? &s->from->file : &s->to->file);
	size_t head = object_header_len(recipient_len, SEGMENT_LEN);
	struct layout l;

	layout_make(&l, 2 * (uint64_t)SEGMENT_LEN, recipient_len);
	piece_place(p, t->in->off + (s->from != NULL ? head : 0),
		    s->to != NULL ? layout_segment_off(&l, i) + head : i * SEGMENT_LEN - s->begin);
}

static void new_piece(struct turns *t, struct piece *p) {
	if (atomic_load(&t->give))
		piece_map(p);
	else
		piece_init(p, SEGMENT_LEN);
}

/* The next segment; *done if there is none. */
static int next_piece(struct turns *t, struct piece *p, bool *done, struct err *e) {
	uint64_t i;
	int r = 0;

	(void)pthread_mutex_lock(&t->reading);
	*done = t->ended;
	i = t->next;
	if (!*done) {
		if (p->mem == NULL)
			new_piece(t, p);
		place_in_turn(t, p, i);
		t->next++;
		p->o = (struct object){ .index = (uint32_t)i };
		if (i >= SEGMENTS_MAX)
			r = err_set(e, ERR_FAIL, "more than 2^24 segments");
		else
			r = t->s->from != NULL ? read_object(t, p, i, e) : read_plain(t, p, i, e);
		if (r != 0)
			t->ended = true;
	}
	(void)pthread_mutex_unlock(&t->reading);
	return object_blame(&p->o, r, e);
}

static int work_piece(const struct segments *s, struct crypt *c, struct piece *p, uint8_t digest[static 32], struct err *e) {
	int r;

	if (s->copy)
		return finish(s, c, p->body, (size_t)p->o.len, digest, e);
	if ((r = crypt_begin(c, &p->o, e)) != 0 || (r = crypt_update(c, p->body, (size_t)p->o.len, e)) != 0 ||
	    (r = finish(s, c, p->body, (size_t)p->o.len, digest, e)) != 0)
		return r;
	return check_digest(s, p->o.index, digest, e);
}

static void keep_digest(struct turns *t, uint64_t i, const uint8_t digest[static 32]) {
	if (t->s->copy || t->s->part)
		return;
	if (i >= t->room) {
		t->room = t->room == 0 ? 16 : 2 * t->room;
		t->s->digests = xrealloc(t->s->digests, (size_t)t->room, sizeof *t->s->digests);
	}
	memcpy(t->s->digests[i], digest, 32);
}

/* A mapped piece goes with its pages and is done with, as they must not change afterwards; unless pages come too dear to do so. */
static int write_out(struct turns *t, struct piece *p, const uint8_t *data, size_t len, struct err *e) {
	if (p->mapped == 0 || !atomic_load(&t->give))
		return outlet_write(t->out, data, len, e);
	t->gain_ns += PIECE_COPY_NS - p->cost_ns;
	if (t->gain_ns > GAIN_SWING_NS)
		t->gain_ns = GAIN_SWING_NS;
	if (t->gain_ns < -GAIN_SWING_NS)
		atomic_store(&t->give, false);
	p->given = true;
	return outlet_give(t->out, data, len, e);
}

static int write_plain(struct turns *t, struct piece *p, struct err *e) {
	const struct segments *s = t->s;
	uint64_t at = (uint64_t)p->o.index * SEGMENT_LEN, skip = s->part && s->begin > at ? s->begin - at : 0;
	uint64_t end = s->part && s->end - at < p->o.len ? s->end - at : p->o.len;

	return write_out(t, p, p->body + skip, (size_t)(end - skip), e);
}

static int write_piece(struct turns *t, struct piece *p, const uint8_t digest[static 32], struct err *e) {
	OWN(buf_wipe) struct buf note = {0};
	const struct content *to = t->s->to;
	size_t head;
	int r;

	keep_digest(t, p->o.index, digest);
	if (p->o.kind == OBJECT_LAST) {
		t->s->layout.count = p->o.index + UINT64_C(1);
		t->s->layout.last_len = p->o.len;
	}
	if (to == NULL)
		return write_plain(t, p, e);
	if (p->o.index == 0 && p->o.kind == OBJECT_MORE &&
	    ((r = seal_note(to, &note, e)) != 0 || (r = outlet_write(t->out, note.data, note.len, e)) != 0))
		return r;
	head = put_header(p, to);
	return write_out(t, p, p->body - head, head + (size_t)p->o.len + OBJECT_TRAILER_LEN, e);
}

/* Waits until all before it are written. */
static int hand_out(struct turns *t, struct piece *p, const uint8_t digest[static 32], struct err *e) {
	int r = 0;

	(void)pthread_mutex_lock(&t->writing);
	while (!t->failed && t->turn != p->o.index)
		(void)pthread_cond_wait(&t->turned, &t->writing);
	if (!t->failed && (r = write_piece(t, p, digest, e)) == 0) {
		t->turn++;
		(void)pthread_cond_broadcast(&t->turned);
	}
	(void)pthread_mutex_unlock(&t->writing);
	return r;
}

static bool has_failed(struct turns *t, bool now) {
	bool failed;

	(void)pthread_mutex_lock(&t->writing);
	failed = t->failed = t->failed || now;
	if (now)
		(void)pthread_cond_broadcast(&t->turned);
	(void)pthread_mutex_unlock(&t->writing);
	return failed;
}

static int worker_in_turn(void *arg, unsigned who, struct err *e) {
	struct turns *t = arg;
	OWN(crypt_wipe) struct crypt c = {0};
	OWN(piece_wipe) struct piece p = {0};
	uint8_t digest[32] = {0};
	bool done = false;
	int r = start(t->s, &c, e);

	(void)who;
	while (r == 0 && !has_failed(t, false)) {
		if ((r = next_piece(t, &p, &done, e)) != 0 || done)
			break;
		if ((r = object_blame(&p.o, work_piece(t->s, &c, &p, digest, e), e)) == 0 && (r = hand_out(t, &p, digest, e)) == 0)
			report(t->s, p.o.len);
		if (p.given) {
			piece_wipe(&p);
			new_piece(t, &p); /* now, while nobody waits for this thread */
		}
	}
	if (r != 0)
		(void)has_failed(t, true);
	return r;
}

int segments_in_turn(struct segments *s, struct feed *in, struct outlet *out, struct err *e) {
	struct turns t = { .s = s, .in = in, .out = out, .last = UINT64_MAX };
	unsigned n = threads(s) + (s->threads == 0 ? TURN_WORKERS_MORE : 0);
	int r;

	if (s->known)
		t.last = s->layout.count - 1;
	if (s->part) {
		t.next = t.turn = s->begin / SEGMENT_LEN;
		t.last = (s->end - 1) / SEGMENT_LEN;
	}
	if (n > TURN_WORKERS_MAX)
		n = TURN_WORKERS_MAX;
	if (s->known && t.last - t.next < n - 1)
		n = (unsigned)(t.last - t.next) + 1;
	if (s->from != NULL && !s->layout.has_note)
		n = 1;
	atomic_init(&t.give, out->out != NULL && out->out->give != NULL);
	(void)pthread_mutex_init(&t.reading, NULL);
	(void)pthread_mutex_init(&t.writing, NULL);
	(void)pthread_cond_init(&t.turned, NULL);
	r = work_run(n, worker_in_turn, &t, e);
	(void)pthread_cond_destroy(&t.turned);
	(void)pthread_mutex_destroy(&t.writing);
	(void)pthread_mutex_destroy(&t.reading);
	return r;
}

/* ---- either ---- */

int ends_init(struct ends *x, const struct source *in, const struct sink *out, bool hash_in, bool hash_out, struct err *e) {
	int r;

	*x = (struct ends){ .in = in, .out = out };
	x->at_once = in->read_at != NULL && (out == NULL || out->write_at != NULL) && !hash_in && !hash_out;
	if ((r = feed_init(&x->feed, in, hash_in, e)) != 0)
		return r;
	return outlet_init(&x->outlet, out, hash_out, e);
}

void ends_wipe(struct ends *x) {
	feed_wipe(&x->feed);
	outlet_wipe(&x->outlet);
}

int ends_run(struct ends *x, struct segments *s, struct err *e) {
	return x->at_once ? segments_at_once(s, x->in, x->out, e) : segments_in_turn(s, &x->feed, &x->outlet, e);
}

int ends_write(struct ends *x, const struct buf *b, uint64_t off, struct err *e) {
	if (!x->at_once)
		return outlet_write(&x->outlet, b->data, b->len, e);
	return x->out == NULL ? 0 : x->out->write_at(x->out->arg, b->data, b->len, off, e);
}

int ends_finish(struct ends *x, uint64_t size, struct err *e) {
	if (!x->at_once || x->out == NULL || x->out->end == NULL)
		return 0;
	return x->out->end(x->out->arg, size, e);
}
