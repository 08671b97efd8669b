/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: der_take_any, der_take_u64, der_take_time, der_put, der_put_u64, der_put_gentime. What is read is written back alike. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/der.h"

#define DEPTH_MAX 8

static void must_equal(const struct buf *b, struct der whole) {
	if (b->len != whole.len || memcmp(b->data, whole.p, b->len) != 0)
		abort();
}

static void check_element(uint8_t tag, struct der in, struct der whole) {
	struct buf b = { 0 };
	struct der d = whole;
	uint64_t v;
	int64_t t;

	der_put(&b, tag, in.p, in.len);
	must_equal(&b, whole);
	buf_clear(&b);
	if (tag == DER_INTEGER && der_take_u64(&d, &v, "n", NULL) == 0) {
		der_put_u64(&b, v);
		must_equal(&b, whole);
	}
	if (tag == DER_GENTIME && der_take_time(&d, &t, "t", NULL) == 0) {
		der_put_gentime(&b, t);
		must_equal(&b, whole);
	}
	if (tag == DER_UTCTIME)
		(void)!der_take_time(&d, &t, "t", NULL);
	buf_wipe(&b);
}

static void walk(struct der d, int depth) {
	struct der in, whole;
	uint8_t tag;

	while (d.len > 0 && der_take_any(&d, &tag, &in, &whole, "x", NULL) == 0) {
		check_element(tag, in, whole);
		if ((tag & 0x20) != 0 && depth < DEPTH_MAX)
			walk(in, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	walk((struct der){ data, len }, 0);
	return 0;
}
