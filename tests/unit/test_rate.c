/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/rate: so many an address and window. */
#include "gateway/rate.h"

#include <check.h>

static struct rate *rate;

static void make(void) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(rate_new(&rate, 10, 60000, &e), 0);
}

static void drop(void) {
	rate_free(rate);
}

static bool allow(const char *address, int64_t now_ms) {
	unsigned retry_s;

	return rate_allow(rate, address, now_ms, &retry_s);
}

START_TEST(the_eleventh_in_a_minute_is_refused) {
	unsigned retry_s = 0;

	for (int i = 0; i < 10; i++)
		ck_assert(allow("192.0.2.1", 1000 + i));
	ck_assert(!rate_allow(rate, "192.0.2.1", 2000, &retry_s));
	ck_assert_uint_eq(retry_s, 59);
}
END_TEST

START_TEST(a_minute_later_it_is_allowed_again) {
	for (int i = 0; i < 12; i++)
		(void)allow("192.0.2.1", 1000);
	ck_assert(!allow("192.0.2.1", 60999));
	ck_assert(allow("192.0.2.1", 61000));
}
END_TEST

START_TEST(another_address_has_its_own_count) {
	int others = 0;

	for (int i = 0; i < 12; i++)
		(void)allow("192.0.2.1", 1000);
	others += allow("192.0.2.2", 1000);
	others += allow("198.51.100.1", 1000);
	others += allow("2001:db8::1", 1000);
	ck_assert_int_ge(others, 2); /* two addresses may share a slot, one time in 4,096 */
}
END_TEST

START_TEST(one_ipv6_network_counts_as_one_address) {
	for (int i = 0; i < 10; i++)
		ck_assert(allow(i % 2 != 0 ? "2001:db8::1" : "2001:db8::ffff:1", 1000));
	ck_assert(!allow("2001:db8:0:0:9::1", 1000));
}
END_TEST

START_TEST(what_is_no_address_is_counted_too) {
	for (int i = 0; i < 10; i++)
		ck_assert(allow("", 1000));
	ck_assert(!allow("garbage", 1000));
}
END_TEST

int main(void) {
	Suite *s = suite_create("rate");
	TCase *t = tcase_create("rate");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, make, drop);
	tcase_add_test(t, the_eleventh_in_a_minute_is_refused);
	tcase_add_test(t, a_minute_later_it_is_allowed_again);
	tcase_add_test(t, another_address_has_its_own_count);
	tcase_add_test(t, one_ipv6_network_counts_as_one_address);
	tcase_add_test(t, what_is_no_address_is_counted_too);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
