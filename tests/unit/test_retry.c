/* SPDX-License-Identifier: Apache-2.0 */
/* net/retry: how long is waited, and when no more. */
#include "net/retry.h"

#include "base/clock.h"
#include "lib/suite.h"

static struct retry r;

static void jump_ms(int64_t by) {
	clock_move_mono_ms(by);
}

START_TEST(pause_is_bounded_by_a_doubling_that_ends) {
	static const int64_t top[] = { 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 64000, 64000, 64000 };

	retry_init(&r, 1000, 100, 64);
	r.attempt = (unsigned)_i;
	ck_assert_int_eq(retry_pause_ms(&r, 0, 0), 0);
	ck_assert_int_eq(retry_pause_ms(&r, 0, (uint64_t)top[_i]), top[_i]);
	ck_assert_int_eq(retry_pause_ms(&r, 0, (uint64_t)top[_i] + 1), 0);
	for (uint64_t random = UINT64_MAX - 1000; random != 0; random++)
		ck_assert_int_le(retry_pause_ms(&r, 0, random), top[_i]);
} END_TEST

START_TEST(pause_of_any_attempt_is_capped) {
	retry_init(&r, 1000, UINT32_MAX, 64);
	r.attempt = UINT32_MAX - 1;
	ck_assert_int_eq(retry_pause_ms(&r, 0, RETRY_CAP_MS), RETRY_CAP_MS);
	ck_assert_int_eq(retry_pause_ms(&r, 0, RETRY_CAP_MS + 1), 0);
} END_TEST

START_TEST(jitter_stands_behind_retry_after) {
	retry_init(&r, 1000, 5, 64);
	ck_assert_int_eq(retry_pause_ms(&r, 3, 0), 3000);
	ck_assert_int_eq(retry_pause_ms(&r, 3, 200), 3200);
} END_TEST

START_TEST(attempts_are_counted) {
	retry_init(&r, 1000, 3, 0);
	ck_assert(retry_pause(&r, 0));
	ck_assert(retry_pause(&r, 0));
	ck_assert(!retry_pause(&r, 0));
	ck_assert_uint_eq(r.attempt, 2);
} END_TEST

START_TEST(single_attempt_is_not_repeated) {
	retry_init(&r, 1000, 1, 64);
	ck_assert(!retry_pause(&r, 0));
} END_TEST

START_TEST(retry_after_beyond_the_patience_is_not_waited_for) {
	retry_init(&r, 10000, 5, 4);
	ck_assert(!retry_pause(&r, 5));
	ck_assert(!retry_pause(&r, 7200)); /* as a test that waited would find out */
} END_TEST

START_TEST(retry_after_beyond_the_limit_is_not_waited_for) {
	retry_init(&r, 2, 5, 64);
	ck_assert(!retry_pause(&r, 2));
} END_TEST

START_TEST(retry_after_is_waited_for) {
	int64_t begin;

	retry_init(&r, 60, 5, 4);
	begin = clock_mono_ms();
	ck_assert(retry_pause(&r, 1));
	ck_assert_int_ge(clock_mono_ms() - begin, 1000);
} END_TEST

START_TEST(limit_ends_the_attempts) {
	retry_init(&r, 60, 5, 4);
	ck_assert_int_gt(retry_left_ms(&r), 30000);
	jump_ms(60001);
	ck_assert_int_eq(retry_left_ms(&r), 1);
	ck_assert(!retry_pause(&r, 0));
} END_TEST

START_TEST(progress_makes_the_limit_count_anew) {
	retry_init(&r, 60, 5, 4);
	jump_ms(59000);
	retry_extend(&r);
	jump_ms(30000);
	ck_assert_int_gt(retry_left_ms(&r), 10000);
	ck_assert(retry_pause(&r, 0));
} END_TEST

START_TEST(progress_gives_no_more_attempts) {
	retry_init(&r, 60, 2, 4);
	ck_assert(retry_pause(&r, 0));
	retry_extend(&r);
	ck_assert(!retry_pause(&r, 0));
} END_TEST

int main(void) {
	TCase *t = tcase_create("retry");

	tcase_add_loop_test(t, pause_is_bounded_by_a_doubling_that_ends, 0, 12);
	tcase_add_test(t, pause_of_any_attempt_is_capped);
	tcase_add_test(t, jitter_stands_behind_retry_after);
	tcase_add_test(t, attempts_are_counted);
	tcase_add_test(t, single_attempt_is_not_repeated);
	tcase_add_test(t, retry_after_beyond_the_patience_is_not_waited_for);
	tcase_add_test(t, retry_after_beyond_the_limit_is_not_waited_for);
	tcase_add_test(t, retry_after_is_waited_for);
	tcase_add_test(t, limit_ends_the_attempts);
	tcase_add_test(t, progress_makes_the_limit_count_anew);
	tcase_add_test(t, progress_gives_no_more_attempts);
	return suite_run("retry", t);
}
