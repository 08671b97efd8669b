/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges: any stretch of a file comes back alone, verified, and at the price of its segments. */
#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/envelope.h"
#include "envelope/layout.h"
#include "lib/envelope_lab.h"
#include "lib/suite.h"

#define SEG ((uint64_t)SEGMENT_LEN)
#define LEN (3 * (size_t)SEGMENT_LEN + 1000) /* four segments */

static struct lab lab;
static uint8_t *plain;
static struct buf sealed;
static struct layout layout;

/* What an author may have signed at most, and the few headers that show where things stand. */
#define ENDS_MAX (layout_manifest_max(4) + 2048 + 8 * (uint64_t)OBJECT_HEADER_MAX)

static void set_up(void) {
	struct lab_in in;
	struct source source;
	struct object_file f;

	lab_init(&lab);
	plain = lab_plain(LEN);
	sealed = (struct buf){0};
	lab_seal(&lab, plain, LEN, &sealed, NULL);
	in = (struct lab_in){ .p = sealed.data, .len = sealed.len };
	source = lab_source(&in, LAB_SEEK);
	ck_assert_int_eq(layout_find(&source, &f, &layout, NULL), 0);
}

static void tear_down(void) {
	buf_wipe(&sealed);
	free(plain);
	lab_wipe(&lab);
}

struct counted { struct lab_in in; struct source below; atomic_uint_fast64_t bytes; };

static int counted_read_at(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	struct counted *c = arg;
	int r = c->below.read_at(c->below.arg, data, len, off, got, e);

	if (r == 0)
		(void)atomic_fetch_add(&c->bytes, *got);
	return r;
}

/* The range of what is sealed into out; *bytes: what was read for it. */
static int take(uint64_t first, uint64_t last, const struct buf *b, struct lab_out *out, uint64_t *bytes, struct err *e) {
	struct envelope_range range = { first, last };
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct counted c = { .in = { .p = b->data, .len = b->len } };
	struct source source;
	struct sink sink;
	int rc;

	c.below = lab_source(&c.in, LAB_SEEK);
	source = (struct source){ .arg = &c, .read_at = counted_read_at, .size = b->len };
	lab.open.range = &range;
	sink = lab_sink(out, LAB_SEEK);
	rc = envelope_open(&lab.open, &source, &sink, &r, e);
	if (bytes != NULL)
		*bytes = c.bytes;
	ck_assert(rc != 0 || (r.author != NULL && r.manifest.digests != NULL && r.object_size == b->len));
	return rc;
}

static void check_taken(uint64_t first, uint64_t last, const struct buf *b, const uint8_t *p, size_t len) {
	OWN(lab_out_wipe) struct lab_out out = {0};
	uint64_t end = last < len ? last + 1 : len, bytes;
	uint64_t segments = (end - 1) / SEG - first / SEG + 1;
	struct err e = ERR_INIT;

	lab_out_init(&out, len + 1);
	ck_assert_msg(take(first, last, b, &out, &bytes, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(out.len, end - first);
	ck_assert_mem_eq(out.p, p + first, out.len);
	ck_assert_uint_le(bytes, segments * (SEG + 2 * (uint64_t)OBJECT_HEADER_MAX) + ENDS_MAX);
}

static const uint64_t borders[] = { 0, 1, SEG - 1, SEG, SEG + 1, 2 * SEG - 1, 2 * SEG,
				    3 * SEG - 1, 3 * SEG, LEN - 1 };
#define N_BORDERS (sizeof borders / sizeof borders[0])

START_TEST(every_stretch_between_borders_comes_back_alone) {
	lab.open.threads = (unsigned)_i;
	for (size_t i = 0; i < N_BORDERS; i++)
		for (size_t k = i; k < N_BORDERS; k++)
			check_taken(borders[i], borders[k], &sealed, plain, LEN);
}
END_TEST

START_TEST(what_lies_behind_the_end_is_left_out) {
	check_taken(SEG + 5, LEN, &sealed, plain, LEN);
	check_taken(LEN - 1, LEN + 100, &sealed, plain, LEN);
	check_taken(3 * SEG, INT64_MAX, &sealed, plain, LEN);
	check_taken(3 * SEG, UINT64_MAX, &sealed, plain, LEN);
}
END_TEST

START_TEST(a_small_file_has_ranges_too) {
	OWN(buf_wipe) struct buf small = {0};

	lab_seal(&lab, plain, 10, &small, NULL);
	check_taken(0, 9, &small, plain, 10);
	check_taken(3, 3, &small, plain, 10);
	check_taken(9, 20, &small, plain, 10);
}
END_TEST

static void refuses(int code, const char *why, uint64_t first, uint64_t last, const struct buf *b) {
	OWN(lab_out_wipe) struct lab_out out = {0};
	struct err e = ERR_INIT;

	lab_out_init(&out, LEN);
	ck_assert_int_eq(take(first, last, b, &out, NULL, &e), code);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
	ck_assert_uint_eq(out.len, 0);
}

START_TEST(a_range_beyond_the_end_is_refused) {
	OWN(buf_wipe) struct buf empty = {0};

	refuses(ERR_FAIL, "but the file's length is 12583912", LEN, LEN, &sealed);
	refuses(ERR_FAIL, "begins at byte", LEN, UINT64_MAX, &sealed);
	refuses(ERR_FAIL, "begins at byte", UINT64_MAX, UINT64_MAX, &sealed);
	lab_seal(&lab, "", 0, &empty, NULL);
	refuses(ERR_FAIL, "length is 0", 0, 0, &empty);
}
END_TEST

START_TEST(an_empty_range_is_refused) {
	refuses(ERR_USAGE, "ends before it begins", 1, 0, &sealed);
	refuses(ERR_USAGE, "ends before it begins", SEG, SEG - 1, &sealed);
}
END_TEST

START_TEST(a_stream_has_no_ranges) {
	struct envelope_range range = { 0, 9 };
	OWN(lab_out_wipe) struct lab_out out = {0};
	struct buf none = {0};
	struct err e = ERR_INIT;

	lab.open.range = &range;
	lab_out_init(&out, LEN);
	ck_assert_int_eq(lab_open(&lab, &sealed, LAB_STREAM, LAB_STREAM, &out, NULL, &e), ERR_USAGE);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(lab_open(&lab, &none, LAB_STREAM, LAB_STREAM, &out, NULL, &e), ERR_DAMAGED);
	ck_assert_int_eq(lab_open(&lab, &none, LAB_SEEK, LAB_STREAM, &out, NULL, &e), ERR_DAMAGED);
}
END_TEST

START_TEST(a_range_is_never_less_than_signed) {
	static const char stock[] = "\x30\x80\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17\xa0\x80\x30\x80";
	OWN(buf_wipe) struct buf b = {0};

	lab.open.allow_unsigned = true;
	buf_add(&b, stock, sizeof stock - 1);
	refuses(ERR_DAMAGED, "", 0, 0, &b);
}
END_TEST

/* ---- damage ---- */

static void flip(uint64_t at) {
	sealed.data[at] ^= 1;
}

START_TEST(damage_elsewhere_does_not_matter) {
	uint64_t at = layout_segment_off(&layout, 1);

	/* header, content, tag of segment 1; the header of segment 2 */
	for (int i = 0; i < 4; i++) {
		uint64_t where = i == 0 ? at : i == 1 ? at + 1000 : i == 2 ? at + layout.full_size - 1 : at + layout.full_size;

		flip(where);
		check_taken(0, SEG - 1, &sealed, plain, LEN);
		check_taken(3 * SEG, LEN, &sealed, plain, LEN);
		flip(where);
	}
}
END_TEST

START_TEST(damage_inside_is_found_before_anything_of_the_segment_leaves) {
	uint64_t at = layout_segment_off(&layout, 1);

	for (uint64_t where = at; where < at + layout.full_size; where += where < at + 220 ? 1 : 500009) {
		flip(where);
		refuses(ERR_DAMAGED, "segment 1", SEG + 7, SEG + 7, &sealed);
		flip(where);
	}
	flip(at + layout.full_size - 1);
	refuses(ERR_DAMAGED, "segment 1", SEG, LEN, &sealed);
}
END_TEST

START_TEST(damage_to_the_ends_is_found) {
	uint64_t last = layout_segment_off(&layout, 3), manifest = layout_manifest_off(&layout);
	const uint64_t places[] = { 0, 100, layout.note_size - 1, last, last + 30, last + object_header_len(OBJECT_KEK_LEN, 1000) - 1, manifest,
				    manifest + 300, sealed.len - 1 };

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		flip(places[i]);
		refuses(ERR_DAMAGED, "", 0, 0, &sealed);
		flip(places[i]);
	}
}
END_TEST

START_TEST(a_file_that_is_cut_off_or_longer_is_refused_in_a_few_reads) {
	for (size_t len = 0; len < sealed.len; len += len < 4000 || len > sealed.len - 4000 ? 1 : 700001) {
		OWN(lab_out_wipe) struct lab_out out = {0};
		struct buf cut = { .data = sealed.data, .len = len };
		uint64_t bytes;

		lab_out_init(&out, LEN);
		ck_assert_int_eq(take(0, 0, &cut, &out, &bytes, NULL), ERR_DAMAGED);
		ck_assert_uint_eq(out.len, 0);
		ck_assert_uint_le(bytes, ENDS_MAX);
	}
	buf_addc(&sealed, 'x');
	refuses(ERR_DAMAGED, "behind the manifest", 0, 0, &sealed);
}
END_TEST

/* Who has the group's key can seal anything, but sign nothing in another's name. */
START_TEST(segments_of_two_files_do_not_mix) {
	OWN(buf_wipe) struct buf other = {0};
	uint64_t at = layout_segment_off(&layout, 1);

	lab_seal(&lab, plain, LEN, &other, NULL);
	memcpy(sealed.data + at, other.data + at, (size_t)layout.full_size);
	refuses(ERR_DAMAGED, "segment 1", SEG, SEG, &sealed);
	check_taken(0, 0, &sealed, plain, LEN);
}
END_TEST

int main(void) {
	TCase *c = tcase_create("ranges");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, every_stretch_between_borders_comes_back_alone, 1, 3);
	tcase_add_test(c, what_lies_behind_the_end_is_left_out);
	tcase_add_test(c, a_small_file_has_ranges_too);
	tcase_add_test(c, a_range_beyond_the_end_is_refused);
	tcase_add_test(c, an_empty_range_is_refused);
	tcase_add_test(c, a_stream_has_no_ranges);
	tcase_add_test(c, a_range_is_never_less_than_signed);
	tcase_add_test(c, damage_elsewhere_does_not_matter);
	tcase_add_test(c, damage_inside_is_found_before_anything_of_the_segment_leaves);
	tcase_add_test(c, damage_to_the_ends_is_found);
	tcase_add_test(c, a_file_that_is_cut_off_or_longer_is_refused_in_a_few_reads);
	tcase_add_test(c, segments_of_two_files_do_not_mix);
	return suite_run("envelope, ranges", c);
}
