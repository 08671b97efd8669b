/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/stream.h"

#include <inttypes.h>
#include <string.h>

int feed_init(struct feed *f, const struct source *in, bool hash, struct err *e) {
	*f = (struct feed){ .in = in };
	return hash ? digest_init(&f->digest, e) : 0;
}

void feed_wipe(struct feed *f) {
	digest_wipe(&f->digest);
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

static int take(struct feed *f, void *data, size_t len, size_t *got, struct err *e) {
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
	return 0;
}

int feed_take(struct feed *f, void *data, size_t len, size_t *got, struct err *e) {
	int r = take(f, data, len, got, e);

	return r != 0 ? r : digest_add(&f->digest, data, *got, e);
}

int feed_take_past(struct feed *f, void *data, size_t len, struct err *e) {
	size_t got;
	int r;

	if ((r = take(f, data, len, &got, e)) != 0)
		return r;
	return got == len ? 0 : err_set(e, ERR_DAMAGED, "cut off at byte %" PRIu64, f->off);
}

int feed_take_all(struct feed *f, void *data, size_t len, struct err *e) {
	int r = feed_take_past(f, data, len, e);

	return r != 0 ? r : digest_add(&f->digest, data, len, e);
}

int outlet_init(struct outlet *o, const struct sink *out, bool hash, struct err *e) {
	*o = (struct outlet){ .out = out };
	return hash ? digest_init(&o->digest, e) : 0;
}

void outlet_wipe(struct outlet *o) {
	digest_wipe(&o->digest);
	*o = (struct outlet){0};
}

int outlet_put(struct outlet *o, const void *data, size_t len, bool give, struct err *e) {
	int r = 0;

	if (o->out != NULL)
		r = (give ? o->out->give : o->out->write)(o->out->arg, data, len, e);
	o->len += r == 0 ? len : 0;
	return r;
}

int outlet_write(struct outlet *o, const void *data, size_t len, struct err *e) {
	int r = digest_add(&o->digest, data, len, e);

	return r != 0 ? r : outlet_put(o, data, len, false, e);
}
