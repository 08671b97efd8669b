/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/envelope_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "lib/gauge.h"

static void must(int rc, const struct err *e) {
	if (rc != 0) {
		fprintf(stderr, "envelope lab: %s\n", e->text);
		abort();
	}
}

void lab_init(struct lab *l) {
	struct err e = ERR_INIT;

	*l = (struct lab){0};
	fixture_init(&l->f);
	l->keys.group = xstrdup("lab");
	must(keyring_rotate(&l->keys, l->f.now_s - 60, &e), &e);
	must(keyring_rotate(&l->keys, l->f.now_s - 30, &e), &e);
	l->seal = (struct envelope_seal){ .epoch = keyring_current(&l->keys), .group = "lab", .name = "reports/q1.pdf", .version = 1,
	    .key = l->f.alice.key, .cert = l->f.alice.cert, .threads = 2 };
	l->open = (struct envelope_open){ .keys = &l->keys, .chain = l->f.chain, .group = "lab", .threads = 2 };
}

void lab_wipe(struct lab *l) {
	keyring_wipe(&l->keys);
	fixture_wipe(&l->f);
}

static int in_read_at(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	const struct lab_in *in = arg;

	if (in->fail_at != 0 && off + len > in->fail_at)
		return err_set(e, ERR_FAIL, "the medium is bad");
	*got = off >= in->len ? 0 : in->len - off < len ? in->len - (size_t)off : len;
	if (*got > 0)
		memcpy(data, in->p + off, *got);
	return 0;
}

static int in_read(void *arg, void *data, size_t len, size_t *got, struct err *e) {
	struct lab_in *in = arg;
	int r = in_read_at(arg, data, len, in->at, got, e);

	if (r == 0)
		in->at += *got;
	return r;
}

struct source lab_source(struct lab_in *in, enum lab_end end) {
	return (struct source){ .arg = in, .read = end == LAB_STREAM ? in_read : NULL, .read_at = end == LAB_SEEK ? in_read_at : NULL,
	    .size = in->len };
}

void lab_out_init(struct lab_out *o, size_t cap) {
	*o = (struct lab_out){ .p = xmalloc(cap), .cap = cap };
}

void lab_out_wipe(struct lab_out *o) {
	free(o->p);
	*o = (struct lab_out){0};
}

/* Threads write beside each other: only len is shared, and the order does not matter. */
static int out_write_at(void *arg, const void *data, size_t len, uint64_t off, struct err *e) {
	struct lab_out *o = arg;
	size_t end = (size_t)off + len, was = __atomic_load_n(&o->len, __ATOMIC_RELAXED);

	if (end > o->cap)
		return err_set(e, ERR_FAIL, "the medium is full");
	if (len > 0)
		memcpy(o->p + off, data, len);
	while (was < end && !__atomic_compare_exchange_n(&o->len, &was, end, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return 0;
}

static int out_write(void *arg, const void *data, size_t len, struct err *e) {
	struct lab_out *o = arg;

	return out_write_at(arg, data, len, o->len, e);
}

static int out_end(void *arg, uint64_t size, struct err *e) {
	struct lab_out *o = arg;

	if (size != o->len)
		return err_set(e, ERR_FAIL, "ended at another size than was written");
	o->ended = true;
	return 0;
}

struct sink lab_sink(struct lab_out *o, enum lab_end end) {
	return (struct sink){ .arg = o, .write = out_write, .write_at = end == LAB_SEEK ? out_write_at : NULL,
	    .end = out_end };
}

uint8_t *lab_plain(size_t len) {
	uint8_t *p = xmalloc(len);
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)x;
	}
	return p;
}

void lab_seal(const struct lab *l, const void *plain, size_t len, struct buf *out, struct envelope_result *r) {
	OWN(envelope_result_wipe) struct envelope_result own = {0};
	OWN(lab_out_wipe) struct lab_out o = {0};
	struct lab_in in = { .p = plain, .len = len };
	struct source source = lab_source(&in, LAB_SEEK);
	struct sink sink;
	struct err e = ERR_INIT;

	lab_out_init(&o, (size_t)envelope_size_max(len));
	sink = lab_sink(&o, LAB_SEEK);
	must(envelope_seal(&l->seal, &source, &sink, r != NULL ? r : &own, &e), &e);
	buf_add(out, o.p, o.len);
}

int lab_open(const struct lab *l, const struct buf *sealed, enum lab_end in_end, enum lab_end end, struct lab_out *out,
    struct envelope_result *r, struct err *e) {
	OWN(envelope_result_wipe) struct envelope_result own = {0};
	struct lab_in in = { .p = sealed->data, .len = sealed->len };
	struct source source = lab_source(&in, in_end);
	struct sink sink;
	struct gauge gauge;
	int rc;

	if (out != NULL)
		sink = lab_sink(out, end);
	gauge_start(&gauge);
	rc = envelope_open(&l->open, &source, out == NULL ? NULL : &sink, r != NULL ? r : &own, e);
	if (rc != 0)
		gauge_end(&gauge);
	return rc;
}
