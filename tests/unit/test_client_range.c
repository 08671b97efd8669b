/* SPDX-License-Identifier: Apache-2.0 */
/* client/range: the two spellings of a range, and nothing else. */
#include "client/range.h"

#include <check.h>
#include <string.h>

#include "lib/suite.h"

static void reads(const char *arg, uint64_t first, uint64_t last) {
	struct envelope_range range;
	struct err e = ERR_INIT;

	ck_assert_msg(range_parse(arg, &range, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(range.first, first);
	ck_assert_uint_eq(range.last, last);
}

START_TEST(first_and_last_are_included) {
	struct envelope_range range;

	reads("0-0", 0, 0);
	reads("0-99", 0, 99);
	reads("4194303-4194304", 4194303, 4194304);
	reads("7-9223372036854775807", 7, INT64_MAX);
	ck_assert_int_eq(range_parse("10-19", &range, NULL), 0);
	ck_assert_uint_eq(range_len(&range, 100), 10);
	ck_assert_uint_eq(range_len(&range, 20), 10);
	ck_assert_uint_eq(range_len(&range, 19), 9);
	ck_assert_uint_eq(range_len(&range, 10), 0);
	ck_assert_uint_eq(range_len(&range, 0), 0);
}
END_TEST

START_TEST(without_a_last_it_goes_to_the_end) {
	struct envelope_range range;

	reads("0-", 0, INT64_MAX);
	ck_assert_int_eq(range_parse("10-", &range, NULL), 0);
	ck_assert_uint_eq(range_len(&range, 100), 90);
	ck_assert_uint_eq(range_len(&range, UINT64_C(1) << 40), (UINT64_C(1) << 40) - 10);
}
END_TEST

START_TEST(all_else_is_refused) {
	static const char *const bad[] = { "", "-", "5", "-5", "5-4", "1-0", "+1-2", "1-+2", " 1-2", "1 -2", "1- 2", "1-2 ",
		"01-2", "1-02", "0x1-2", "1--2", "1-2-3", "1-2,4-5", "bytes=1-2", "1..2", "a-b", "1-b", "1K-2K",
		"9223372036854775808-", "0-9223372036854775808", "0-99999999999999999999", "1\342\200\2232" };
	struct envelope_range range;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = ERR_INIT;

		ck_assert_msg(range_parse(bad[i], &range, &e) == ERR_USAGE, "%s was read", bad[i]);
		ck_assert_ptr_nonnull(strstr(e.text, "-range"));
	}
}
END_TEST

int main(void) {
	TCase *c = tcase_create("ranges");

	tcase_add_test(c, first_and_last_are_included);
	tcase_add_test(c, without_a_last_it_goes_to_the_end);
	tcase_add_test(c, all_else_is_refused);
	return suite_run("client, ranges", c);
}
