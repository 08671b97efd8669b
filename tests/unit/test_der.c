/* SPDX-License-Identifier: Apache-2.0 */
/* base/der: one encoding is accepted for each value, the one that the writer makes. */
#include "base/der.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "lib/suite.h"

#define ARRAY(a) (a), sizeof(a)

static struct der der_of(const uint8_t *p, size_t len) {
	return (struct der){ p, len };
}

/* Takes an element of this tag; the result, and nothing may have moved on failure. */
static int take(const uint8_t *p, size_t len, uint8_t tag) {
	struct der d = der_of(p, len), in;
	struct err e = ERR_INIT;
	int r = der_take(&d, tag, &in, "thing", &e);

	if (r != 0) {
		ck_assert_ptr_eq(d.p, p);
		ck_assert_uint_eq(d.len, len);
		ck_assert_ptr_nonnull(strstr(e.text, "thing"));
	}
	return r;
}

START_TEST(short_and_long_lengths_round_trip) {
	static const size_t sizes[] = { 0, 1, 127, 128, 255, 256, 65535, 65536, 70000 };
	static uint8_t content[70000];

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		OWN(buf_wipe) struct buf b = { 0 };
		struct der d, in;

		der_put(&b, DER_OCTET_STRING, content, sizes[i]);
		d = der_of(b.data, b.len);
		ck_assert_int_eq(der_take(&d, DER_OCTET_STRING, &in, "thing", NULL), 0);
		ck_assert_uint_eq(in.len, sizes[i]);
		ck_assert_uint_eq(b.len, sizes[i] + der_header_len(sizes[i]));
		ck_assert_int_eq(der_end(&d, "thing", NULL), 0);
	}
} END_TEST

START_TEST(another_tag_is_refused) {
	static const uint8_t octets[] = { 0x04, 0x01, 0x00 };

	ck_assert_int_eq(take(ARRAY(octets), DER_OCTET_STRING), 0);
	ck_assert_int_eq(take(ARRAY(octets), DER_SEQUENCE), ERR_DAMAGED);
} END_TEST

START_TEST(indefinite_length_is_refused) {
	static const uint8_t in[] = { 0x30, 0x80, 0x04, 0x00, 0x00, 0x00 };

	ck_assert_int_eq(take(ARRAY(in), DER_SEQUENCE), ERR_DAMAGED);
} END_TEST

START_TEST(length_that_is_not_minimal_is_refused) {
	static const uint8_t long_for_short[] = { 0x04, 0x81, 0x01, 0x00 };
	static const uint8_t leading_zero[] = { 0x04, 0x82, 0x00, 0x01, 0x00 };
	static uint8_t of_128[131] = { 0x04, 0x81, 0x80 };

	ck_assert_int_eq(take(ARRAY(of_128), DER_OCTET_STRING), 0);
	ck_assert_int_eq(take(ARRAY(long_for_short), DER_OCTET_STRING), ERR_DAMAGED);
	ck_assert_int_eq(take(ARRAY(leading_zero), DER_OCTET_STRING), ERR_DAMAGED);
} END_TEST

START_TEST(length_beyond_the_end_is_refused) {
	static const uint8_t one_more[] = { 0x04, 0x02, 0x00 };
	static const uint8_t huge[] = { 0x04, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };
	static const uint8_t wraps[] = { 0x04, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };
	static const uint8_t nine[] = { 0x04, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

	ck_assert_int_eq(take(ARRAY(one_more), DER_OCTET_STRING), ERR_DAMAGED);
	ck_assert_int_eq(take(ARRAY(huge), DER_OCTET_STRING), ERR_DAMAGED);
	ck_assert_int_eq(take(ARRAY(wraps), DER_OCTET_STRING), ERR_DAMAGED);
	ck_assert_int_eq(take(ARRAY(nine), DER_OCTET_STRING), ERR_DAMAGED);
} END_TEST

START_TEST(tags_of_several_bytes_and_end_of_contents_are_refused) {
	static const uint8_t high[] = { 0x1f, 0x81, 0x00, 0x00 };
	static const uint8_t eoc[] = { 0x00, 0x00 };

	ck_assert_int_eq(take(ARRAY(high), 0x1f), ERR_DAMAGED);
	ck_assert_int_eq(take(ARRAY(eoc), 0x00), ERR_DAMAGED);
} END_TEST

START_TEST(bytes_behind_the_end_are_refused) {
	static const uint8_t two[] = { 0x05, 0x00, 0x05, 0x00 };
	struct der d = der_of(ARRAY(two)), in;

	ck_assert_int_eq(der_take(&d, DER_NULL, &in, "thing", NULL), 0);
	ck_assert_int_eq(der_end(&d, "thing", NULL), ERR_DAMAGED);
	ck_assert(der_next_is(&d, DER_NULL));
	ck_assert_int_eq(der_take(&d, DER_NULL, &in, "thing", NULL), 0);
	ck_assert_int_eq(der_end(&d, "thing", NULL), 0);
	ck_assert(!der_next_is(&d, DER_NULL));
} END_TEST

START_TEST(any_element_is_taken_whole) {
	static const uint8_t two[] = { 0xa1, 0x02, 0x05, 0x00, 0x02, 0x01, 0x07 };
	struct der d = der_of(ARRAY(two)), in, whole;
	uint8_t tag;

	ck_assert_int_eq(der_take_any(&d, &tag, &in, &whole, "thing", NULL), 0);
	ck_assert_uint_eq(tag, DER_CTX_CONS(1));
	ck_assert_uint_eq(in.len, 2);
	ck_assert_ptr_eq(whole.p, two);
	ck_assert_uint_eq(whole.len, 4);
} END_TEST

START_TEST(header_of_content_elsewhere_is_read) {
	static const uint8_t gib[] = { 0x04, 0x84, 0x40, 0x00, 0x00, 0x00 };
	uint64_t len;
	size_t header;
	uint8_t tag;

	ck_assert_int_eq(der_header(ARRAY(gib), &tag, &len, &header, "thing", NULL), 0);
	ck_assert_uint_eq(len, 1ULL << 30);
	ck_assert_uint_eq(header, sizeof gib);
	for (size_t cut = 0; cut < sizeof gib; cut++)
		ck_assert_int_eq(der_header(gib, cut, &tag, &len, &header, "thing", NULL), ERR_DAMAGED);
} END_TEST

START_TEST(integers_round_trip) {
	static const uint64_t values[] = { 0, 1, 127, 128, 255, 256, 32767, 32768, 1ULL << 32, INT64_MAX };

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		OWN(buf_wipe) struct buf b = { 0 };
		struct der d;
		uint64_t v;

		der_put_u64(&b, values[i]);
		d = der_of(b.data, b.len);
		ck_assert_int_eq(der_take_u64(&d, &v, "n", NULL), 0);
		ck_assert_uint_eq(v, values[i]);
		ck_assert_uint_eq(d.len, 0);
	}
} END_TEST

static int take_u64(const uint8_t *p, size_t len) {
	struct der d = der_of(p, len);
	uint64_t v;
	int r = der_take_u64(&d, &v, "n", NULL);

	ck_assert_uint_eq(d.len, r == 0 ? 0 : len);
	return r;
}

START_TEST(bad_integers_are_refused) {
	static const uint8_t empty[] = { 0x02, 0x00 }, negative[] = { 0x02, 0x01, 0x80 };
	static const uint8_t padded[] = { 0x02, 0x02, 0x00, 0x7f }, needed[] = { 0x02, 0x02, 0x00, 0x80 };
	static const uint8_t above[] = { 0x02, 0x09, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0 };

	ck_assert_int_eq(take_u64(ARRAY(needed)), 0);
	ck_assert_int_eq(take_u64(ARRAY(empty)), ERR_DAMAGED);
	ck_assert_int_eq(take_u64(ARRAY(negative)), ERR_DAMAGED);
	ck_assert_int_eq(take_u64(ARRAY(padded)), ERR_DAMAGED);
	ck_assert_int_eq(take_u64(ARRAY(above)), ERR_DAMAGED);
} END_TEST

START_TEST(another_oid_is_refused) {
	static const uint8_t data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
	static const uint8_t element[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
	struct der d = der_of(ARRAY(element));

	ck_assert_int_eq(der_take_oid(&d, data, sizeof data - 1, "type", NULL), ERR_DAMAGED);
	ck_assert_int_eq(der_take_oid(&d, element, sizeof data, "type", NULL), ERR_DAMAGED);
	ck_assert_int_eq(der_take_oid(&d, data, sizeof data, "type", NULL), 0);
	ck_assert_int_eq(der_take_oid(&d, data, sizeof data, "type", NULL), ERR_DAMAGED);
} END_TEST

static int take_time(uint8_t tag, const char *text, int64_t *t_s) {
	OWN(buf_wipe) struct buf b = { 0 };
	struct der d;

	der_put(&b, tag, text, strlen(text));
	d = der_of(b.data, b.len);
	return der_take_time(&d, t_s, "time", NULL);
}

START_TEST(times_round_trip) {
	static const int64_t times[] = { 0, 951782400, 1767225599, 2524608000, 253402300799 };
	int64_t t;

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		OWN(buf_wipe) struct buf b = { 0 };
		struct der d;

		der_put_gentime(&b, times[i]);
		d = der_of(b.data, b.len);
		ck_assert_int_eq(der_take_time(&d, &t, "time", NULL), 0);
		ck_assert_int_eq(t, times[i]);
	}
	ck_assert_int_eq(take_time(DER_UTCTIME, "491231235959Z", &t), 0);
	ck_assert_int_eq(t, 2524607999);
	ck_assert_int_eq(take_time(DER_UTCTIME, "700101000000Z", &t), 0);
	ck_assert_int_eq(t, 0);
} END_TEST

START_TEST(times_in_other_forms_are_refused) {
	static const char *const bad[] = {
		"", "20260101000000", "20260101000000+", "20260101000000.5Z", "202601010000Z", "20260101000000z", "2026010100000 Z",
		"20260230000000Z", "20261301000000Z", "20260101240000Z", "20260101006000Z", "20260101000060Z", "20260100000000Z",
		"2026-101000000Z", "20260101000000+0000",
	};
	int64_t t;

	ck_assert_int_eq(take_time(DER_GENTIME, "20260101000000Z", &t), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_msg(take_time(DER_GENTIME, bad[i], &t) == ERR_DAMAGED, "accepted %s", bad[i]);
		if (strlen(bad[i]) >= 2)
			ck_assert_int_eq(take_time(DER_UTCTIME, bad[i] + 2, &t), ERR_DAMAGED);
	}
	ck_assert_int_eq(take_time(DER_UTCTIME, "20260101000000Z", &t), ERR_DAMAGED);
	ck_assert_int_eq(take_time(DER_OCTET_STRING, "20260101000000Z", &t), ERR_DAMAGED);
} END_TEST

START_TEST(wrapping_moves_what_stands_behind_the_mark) {
	OWN(buf_wipe) struct buf b = { 0 };
	uint8_t big[200] = { 0 };
	struct der d, seq, in;
	size_t mark;

	buf_addc(&b, 0x05);
	buf_addc(&b, 0x00);
	mark = b.len;
	der_put(&b, DER_OCTET_STRING, big, sizeof big);
	der_wrap(&b, mark, DER_SEQUENCE);
	d = der_of(b.data, b.len);
	ck_assert_int_eq(der_take(&d, DER_NULL, &in, "null", NULL), 0);
	ck_assert_int_eq(der_take(&d, DER_SEQUENCE, &seq, "sequence", NULL), 0);
	ck_assert_int_eq(der_end(&d, "all", NULL), 0);
	ck_assert_int_eq(der_take(&seq, DER_OCTET_STRING, &in, "octets", NULL), 0);
	ck_assert_uint_eq(in.len, sizeof big);
	ck_assert_int_eq(der_end(&seq, "sequence", NULL), 0);
} END_TEST

/* Reads a sequence of one of everything; fills out with it written again. */
static int copy_record(const uint8_t *p, size_t len, struct buf *out) {
	static const uint8_t oid[] = { 0x2a, 0x03 };
	struct der d = der_of(p, len), seq, in;
	uint64_t v;
	int64_t t;

	if (der_take(&d, DER_SEQUENCE, &seq, "seq", NULL) != 0 || der_end(&d, "end", NULL) != 0 ||
	    der_take_u64(&seq, &v, "n", NULL) != 0 || der_take_oid(&seq, oid, sizeof oid, "oid", NULL) != 0 ||
	    der_take_time(&seq, &t, "time", NULL) != 0 || der_take(&seq, DER_OCTET_STRING, &in, "octets", NULL) != 0 ||
	    der_end(&seq, "seq", NULL) != 0)
		return ERR_DAMAGED;
	der_put_u64(out, v);
	der_put(out, DER_OID, oid, sizeof oid);
	der_put_gentime(out, t);
	der_put(out, DER_OCTET_STRING, in.p, in.len);
	der_wrap(out, 0, DER_SEQUENCE);
	return 0;
}

static void make_record(struct buf *b) {
	der_put_u64(b, 300);
	der_put(b, DER_OID, "\x2a\x03", 2);
	der_put_gentime(b, 1767225599);
	der_put(b, DER_OCTET_STRING, "some bytes", 10);
	der_wrap(b, 0, DER_SEQUENCE);
}

START_TEST(record_cut_anywhere_is_refused) {
	OWN(buf_wipe) struct buf b = { 0 }, out = { 0 };

	make_record(&b);
	ck_assert_int_eq(copy_record(b.data, b.len, &out), 0);
	for (size_t cut = 0; cut < b.len; cut++) {
		OWN(own_free) uint8_t *copy = xmalloc(cut); /* of exactly this size, so that a sanitizer sees a byte too far */

		memcpy(copy, b.data, cut);
		ck_assert_int_eq(copy_record(copy, cut, &out), ERR_DAMAGED);
	}
} END_TEST

START_TEST(record_changed_anywhere_is_refused_or_round_trips) {
	OWN(buf_wipe) struct buf b = { 0 };

	make_record(&b);
	for (size_t i = 0; i < b.len * 256; i++) {
		OWN(buf_wipe) struct buf out = { 0 };
		uint8_t was = b.data[i / 256];

		b.data[i / 256] = (uint8_t)i;
		if (copy_record(b.data, b.len, &out) == 0)
			ck_assert_mem_eq(out.data, b.data, b.len);
		b.data[i / 256] = was;
	}
} END_TEST

int main(void) {
	TCase *t = tcase_create("der");

	tcase_add_test(t, short_and_long_lengths_round_trip);
	tcase_add_test(t, another_tag_is_refused);
	tcase_add_test(t, indefinite_length_is_refused);
	tcase_add_test(t, length_that_is_not_minimal_is_refused);
	tcase_add_test(t, length_beyond_the_end_is_refused);
	tcase_add_test(t, tags_of_several_bytes_and_end_of_contents_are_refused);
	tcase_add_test(t, bytes_behind_the_end_are_refused);
	tcase_add_test(t, any_element_is_taken_whole);
	tcase_add_test(t, header_of_content_elsewhere_is_read);
	tcase_add_test(t, integers_round_trip);
	tcase_add_test(t, bad_integers_are_refused);
	tcase_add_test(t, another_oid_is_refused);
	tcase_add_test(t, times_round_trip);
	tcase_add_test(t, times_in_other_forms_are_refused);
	tcase_add_test(t, wrapping_moves_what_stands_behind_the_mark);
	tcase_add_test(t, record_cut_anywhere_is_refused);
	tcase_add_test(t, record_changed_anywhere_is_refused_or_round_trips);
	return suite_run("der", t);
}
