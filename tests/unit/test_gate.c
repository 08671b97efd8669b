/* SPDX-License-Identifier: Apache-2.0 */
/* net/gate: who asked for patience is not asked anything before its time, by no thread. */
#include "net/gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lib/suite.h"

#define A "https://a.example"
#define B "https://b.example:8443"
#define THREADS 8

static struct retry r;
static unsigned shut_round;

/* The time does not move by itself. */
static void begin(void) {
	clock_stop_mono();
	retry_init(&r, 120, 12, 64);
}

START_TEST(gate_that_was_never_shut_is_open) {
	unsigned seen = 7;

	begin();
	ck_assert_int_eq(gate_left_ms(A), 0);
	ck_assert(gate_wait(A, &r, &seen));
	ck_assert_uint_eq(seen, 0);
} END_TEST

START_TEST(gate_is_shut_for_as_long_as_was_said_and_not_less) {
	begin();
	gate_shut(A, 10);
	clock_move_mono_ms(10000);
	ck_assert_int_gt(gate_left_ms(A), 0);
	clock_move_mono_ms(1);
	ck_assert_int_eq(gate_left_ms(A), 0);
	ck_assert(gate_wait(A, &r, &shut_round));
} END_TEST

START_TEST(another_site_is_not_held_up) {
	begin();
	gate_shut(A, 10);
	ck_assert_int_eq(gate_left_ms(B), 0);
	ck_assert_int_eq(gate_left_ms(A ".org"), 0);
	gate_shut(B, 20);
	clock_move_mono_ms(15000);
	ck_assert_int_eq(gate_left_ms(A), 0);
	ck_assert_int_gt(gate_left_ms(B), 0);
} END_TEST

START_TEST(shorter_time_does_not_open_it_sooner) {
	begin();
	gate_shut(A, 30);
	gate_shut(A, 1);
	clock_move_mono_ms(29000);
	ck_assert_int_gt(gate_left_ms(A), 0);
} END_TEST

START_TEST(longer_time_keeps_it_shut_for_longer) {
	begin();
	gate_shut(A, 1);
	gate_shut(A, 30);
	clock_move_mono_ms(29000);
	ck_assert_int_gt(gate_left_ms(A), 0);
	clock_move_mono_ms(1001);
	ck_assert_int_eq(gate_left_ms(A), 0);
} END_TEST

START_TEST(wait_beyond_the_limit_is_refused_at_once) {
	begin();
	retry_init(&r, 10, 12, 64);
	gate_shut(A, 10);
	ck_assert(!gate_wait(A, &r, &shut_round)); /* the clock stands: who waited here would wait for ever */
} END_TEST

START_TEST(wait_beyond_the_patience_is_refused_at_once) {
	begin();
	gate_shut(A, 66);
	ck_assert(!gate_wait(A, &r, &shut_round));
	clock_move_mono_ms(66001);
	ck_assert(gate_wait(A, &r, &shut_round));
} END_TEST

static void *pass(void *arg) {
	int64_t *passed_ms = arg;
	struct retry own;
	unsigned round;

	retry_init(&own, 600, 12, 64);
	*passed_ms = gate_wait(A, &own, &round) ? clock_mono_ms() : -1;
	return NULL;
}

START_TEST(all_threads_wait) {
	int64_t passed_ms[THREADS], begin_ms = clock_mono_ms();
	pthread_t t[THREADS];

	gate_shut(A, 1);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, pass, &passed_ms[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(t[i], NULL), 0);
		ck_assert_int_ge(passed_ms[i] - begin_ms, 1000);
	}
} END_TEST

static unsigned round_of(const char *site) {
	unsigned round;

	clock_move_mono_ms(RETRY_CAP_MS + 1);
	ck_assert(gate_wait(site, &r, &round));
	return round;
}

START_TEST(bound_without_a_time_doubles_up_to_its_cap) {
	static const int64_t top[] = { 200, 400, 800, 1600, 3200, 3200, 3200, 3200 };

	begin();
	retry_init(&r, 100000, 12, 100);
	for (size_t i = 0; i < sizeof top / sizeof *top; i++) {
		gate_back_off(A, round_of(A));
		ck_assert_int_gt(gate_left_ms(A), 0);
		ck_assert_int_le(gate_left_ms(A), top[i] + 1);
	}
} END_TEST

START_TEST(many_that_were_under_way_count_once) {
	unsigned round;
	int64_t left;

	begin();
	round = round_of(A);
	gate_back_off(A, round);
	left = gate_left_ms(A);
	for (int i = 0; i < 1000; i++)
		gate_back_off(A, round);
	ck_assert_int_eq(gate_left_ms(A), left);
	gate_back_off(A, round_of(A));
	ck_assert_int_le(gate_left_ms(A), 401);
} END_TEST

START_TEST(answer_begins_the_bound_anew) {
	begin();
	retry_init(&r, 100000, 12, 100);
	for (int i = 0; i < 12; i++)
		gate_back_off(A, round_of(A));
	gate_ease(A);
	gate_back_off(A, round_of(A));
	ck_assert_int_le(gate_left_ms(A), 201);
} END_TEST

START_TEST(answer_opens_nothing) {
	begin();
	gate_shut(A, 10);
	gate_ease(A);
	clock_move_mono_ms(9000);
	ck_assert_int_gt(gate_left_ms(A), 0);
} END_TEST

/* Of requests side by side some are refused in each round: that is no reason to wait ever longer. */
START_TEST(site_that_refuses_every_other_request_is_not_given_up) {
	begin();
	for (int i = 0; i < 100; i++) {
		gate_back_off(A, round_of(A));
		gate_ease(A);
		ck_assert_int_le(gate_left_ms(A), 201);
	}
} END_TEST

START_TEST(of_too_many_sites_the_one_that_opens_first_is_forgotten) {
	char site[64];

	begin();
	gate_shut(A, 1);
	for (unsigned i = 1; i <= GATE_SITES; i++) {
		(void)snprintf(site, sizeof site, "https://%u.example", i);
		gate_shut(site, 10 + i);
	}
	ck_assert_int_eq(gate_left_ms(A), 0);
	for (unsigned i = 1; i <= GATE_SITES; i++) {
		(void)snprintf(site, sizeof site, "https://%u.example", i);
		ck_assert_int_gt(gate_left_ms(site), 10000);
	}
} END_TEST

START_TEST(site_of_any_length_is_held_up) {
	char site[2000] = "https://";

	begin();
	memset(site + 8, 'x', sizeof site - 9);
	gate_shut(site, 10);
	ck_assert_int_gt(gate_left_ms(site), 0);
	ck_assert_int_eq(gate_left_ms("https://x"), 0);
} END_TEST

int main(void) {
	TCase *t = tcase_create("gate");

	tcase_add_test(t, gate_that_was_never_shut_is_open);
	tcase_add_test(t, gate_is_shut_for_as_long_as_was_said_and_not_less);
	tcase_add_test(t, another_site_is_not_held_up);
	tcase_add_test(t, shorter_time_does_not_open_it_sooner);
	tcase_add_test(t, longer_time_keeps_it_shut_for_longer);
	tcase_add_test(t, wait_beyond_the_limit_is_refused_at_once);
	tcase_add_test(t, wait_beyond_the_patience_is_refused_at_once);
	tcase_add_test(t, all_threads_wait);
	tcase_add_test(t, bound_without_a_time_doubles_up_to_its_cap);
	tcase_add_test(t, many_that_were_under_way_count_once);
	tcase_add_test(t, answer_begins_the_bound_anew);
	tcase_add_test(t, answer_opens_nothing);
	tcase_add_test(t, site_that_refuses_every_other_request_is_not_given_up);
	tcase_add_test(t, of_too_many_sites_the_one_that_opens_first_is_forgotten);
	tcase_add_test(t, site_of_any_length_is_held_up);
	return suite_run("gate", t);
}
