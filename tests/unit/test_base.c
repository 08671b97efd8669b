/* SPDX-License-Identifier: Apache-2.0 */
/* The small modules of base: err, buf, secret, clock, log, pass, work. */
#include <check.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/pass.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/work.h"

START_TEST(context_stands_before_the_cause) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(err_set(&e, ERR_DAMAGED, "tag %d", 7), ERR_DAMAGED);
	ck_assert_int_eq(err_add(&e, "segment %d", 3), ERR_DAMAGED);
	ck_assert_str_eq(e.text, "segment 3: tag 7");
	ck_assert_int_eq(err_status(e.code), 4);
} END_TEST

START_TEST(a_long_text_is_cut_not_overrun) {
	struct err e = ERR_INIT;
	char big[2000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)err_set(&e, ERR_FAIL, "%s", big);
	(void)err_add(&e, "%s", big);
	ck_assert_uint_eq(strlen(e.text), ERR_TEXT_MAX - 1);
} END_TEST

START_TEST(the_clocks_move_as_a_test_tells) {
	int64_t now = clock_now_s(), mono = clock_mono_ms();

	clock_shift_s(1000);
	ck_assert_int_ge(clock_now_s(), now + 1000);
	clock_step_mono_ms(60000);
	ck_assert_int_ge(clock_mono_ms(), mono + 60000);
	ck_assert_int_ge(clock_mono_ms(), mono + 120000);
	clock_step_mono_ms(0);
	clock_stop_mono();
	mono = clock_mono_ms();
	ck_assert_int_eq(clock_mono_ms(), mono);
	clock_move_mono_ms(77);
	ck_assert_int_eq(clock_mono_ms(), mono + 77);
}
END_TEST

/* A path of 600 umlauts: what is wrong with it still stands at the end, and no character is cut in two. */
START_TEST(a_long_path_does_not_push_out_the_cause) {
	struct err e = ERR_INIT;
	char path[1202];

	for (size_t shift = 0; shift < 2; shift++) {
		memset(path, 'x', sizeof path);
		for (size_t i = shift; i + 2 < sizeof path; i += 2)
			memcpy(path + i, "\xc3\xbc", 2);
		path[sizeof path - 1] = '\0';
		(void)err_set(&e, ERR_FAIL, "%s: no such rule", path);
		ck_assert_ptr_nonnull(strstr(e.text, ": no such rule"));
		ck_assert(text_is_utf8(e.text, strlen(e.text)));
		(void)err_set(&e, ERR_FAIL, "no such rule");
		(void)err_add(&e, "%s", path);
		ck_assert_ptr_nonnull(strstr(e.text, ": no such rule"));
		ck_assert_int_eq(strncmp(e.text, path, 60), 0);
		ck_assert(text_is_utf8(e.text, strlen(e.text)));
	}
} END_TEST

START_TEST(a_new_code_keeps_the_text) {
	struct err e = ERR_INIT;

	(void)err_set(&e, ERR_FAIL, "cut short");
	ck_assert_int_eq(err_recode(&e, ERR_DAMAGED), ERR_DAMAGED);
	ck_assert_int_eq(e.code, ERR_DAMAGED);
	ck_assert_str_eq(e.text, "cut short");
	ck_assert_int_eq(err_recode(NULL, ERR_REFUSED), ERR_REFUSED);
}
END_TEST

START_TEST(each_class_has_its_status) {
	ck_assert_int_eq(err_status(0), 0);
	ck_assert_int_eq(err_status(ERR_FAIL), 1);
	ck_assert_int_eq(err_status(ERR_USAGE), 2);
	ck_assert_int_eq(err_status(ERR_REFUSED), 3);
	ck_assert_int_eq(err_status(ERR_DAMAGED), 4);
	ck_assert_int_eq(err_status(ERR_UNREACHABLE), 5);
	ck_assert_int_eq(err_status(ERR_NOTFOUND), 1);
	ck_assert_int_eq(err_status(ERR_CONFLICT), 1);
} END_TEST

START_TEST(a_buffer_grows_and_stays_a_string) {
	OWN(buf_wipe) struct buf b = {0};

	ck_assert_str_eq(buf_str(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "%d,", i);
	ck_assert_uint_eq(b.len, 3890);
	ck_assert_uint_eq(strlen(buf_str(&b)), b.len);
	buf_clear(&b);
	ck_assert_str_eq(buf_str(&b), "");
} END_TEST

/* A file of no bytes, for example, that somebody made room for. */
START_TEST(room_that_stays_empty_is_a_string) {
	OWN(buf_wipe) struct buf b = {0};

	(void)mallopt(M_PERTURB, 0x55); /* new memory is anything but zero */
	(void)buf_room(&b, 1000);
	ck_assert_str_eq(buf_str(&b), "");
	buf_adds(&b, "some");
	(void)buf_room(&b, 100000);
	ck_assert_str_eq(buf_str(&b), "some");
} END_TEST

START_TEST(secrets_compare_by_length_and_bytes) {
	OWN(secret_wipe) struct secret a = {0}, b = {0}, c = {0};

	ck_assert_int_eq(secret_copy(&a, (const uint8_t *)"abc", 3, NULL), 0);
	ck_assert_int_eq(secret_copy(&b, (const uint8_t *)"abc", 3, NULL), 0);
	ck_assert_int_eq(secret_copy(&c, (const uint8_t *)"abd", 3, NULL), 0);
	ck_assert(secret_equal(&a, &b));
	ck_assert(!secret_equal(&a, &c));
	secret_wipe(&b);
	ck_assert(!secret_equal(&a, &b));
	ck_assert_int_lt(secret_init(&b, 0, NULL), 0);
	ck_assert_int_lt(secret_init(&b, SECRET_MAX + 1, NULL), 0);
} END_TEST

/* More than are kept for reuse, so that fresh pages and used ones both come. */
START_TEST(a_secret_begins_empty_whatever_was_there_before) {
	static const uint8_t zeros[SECRET_MAX];
	struct secret s[40] = {{0}};
	const size_t n = sizeof s / sizeof s[0];

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < n; i++) {
			ck_assert_int_eq(secret_init(&s[i], i % 2 == 0 ? SECRET_MAX : 32, NULL), 0);
			ck_assert_mem_eq(s[i].data, zeros, s[i].len);
			memset(s[i].data, 0xa5, s[i].len);
		}
		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < s[i].len; k++)
				ck_assert_uint_eq(s[i].data[k], 0xa5); /* nobody else's */
			secret_wipe(&s[i]);
			ck_assert_ptr_null(s[i].data);
		}
	}
} END_TEST

START_TEST(a_random_uuid_says_that_it_is_one) {
	uint8_t one[16], two[16];

	ck_assert_int_eq(random_uuid(one, NULL), 0);
	ck_assert_int_eq(random_uuid(two, NULL), 0);
	ck_assert_mem_ne(one, two, sizeof one);
	ck_assert_uint_eq(one[6] >> 4, 4); /* version */
	ck_assert_uint_eq(one[8] >> 6, 2); /* variant */
} END_TEST

START_TEST(times_round_trip) {
	char text[CLOCK_TEXT];
	int64_t t = 0;

	clock_print(1767323045, text);
	ck_assert_str_eq(text, "2026-01-02T03:04:05Z");
	ck_assert_int_eq(clock_parse(text, &t, NULL), 0);
	ck_assert_int_eq(t, 1767323045);
} END_TEST

/* The calendar repeats itself after 400 years. */
START_TEST(every_day_of_a_cycle_is_known_and_some_until_9999) {
	char text[CLOCK_TEXT];
	int64_t t;

	for (int64_t day = 0; day < 253402300800 / 86400; day += day < 146097 ? 1 : 97) {
		int64_t want = day * 86400 + day % 86400;

		clock_print(want, text);
		if (clock_parse(text, &t, NULL) != 0 || t != want)
			ck_abort_msg("%s", text);
	}
} END_TEST

START_TEST(what_is_dated_five_minutes_ahead_may_be_a_clock_that_is_right) {
	ck_assert(!clock_is_ahead(0));
	ck_assert(!clock_is_ahead(clock_now_s() + CLOCK_SKEW_S));
	ck_assert(clock_is_ahead(clock_now_s() + CLOCK_SKEW_S + 86400));
	clock_shift_s(60);
	ck_assert(!clock_is_ahead(clock_now_s() + CLOCK_SKEW_S));
} END_TEST

START_TEST(times_of_another_form_are_refused) {
	static const char *const bad[] = { "", "2026-01-02 03:04:05Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00",
		"2026-02-30T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05Z ",
		"1969-12-31T23:59:59Z" };
	int64_t t;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(clock_parse(bad[i], &t, NULL) < 0, "%s", bad[i]);
} END_TEST

START_TEST(a_given_date_is_its_first_second) {
	int64_t t = 0;

	ck_assert_int_eq(clock_parse_given("2026-01-02", &t, NULL), 0);
	ck_assert_int_eq(t, 1767312000);
	ck_assert_int_eq(clock_parse_given("2026-01-02T03:04:05Z", &t, NULL), 0);
	ck_assert_int_eq(t, 1767323045);
	ck_assert_int_eq(clock_parse_given("2024-02-29", &t, NULL), 0);
	ck_assert_int_lt(clock_parse("2026-01-02", &t, NULL), 0);
} END_TEST

START_TEST(a_given_time_of_another_form_is_refused) {
	static const char *const bad[] = { "", "2026", "2026-01", "2026-1-2", "2026-02-29", "2026-13-01", "2026-01-00", "1969-12-31",
		"2026-01-02 ", " 2026-01-02", "2026-01-02Z", "2026-01-02T", "2026-01-02T03", "2026-01-02T03:04Z", "2026/01/02", "02.01.2026",
		"2026-01-02T03:04:05", "2026-01-02T03:04:05+01:00" };
	int64_t t;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(clock_parse_given(bad[i], &t, NULL) < 0, "%s", bad[i]);
} END_TEST

START_TEST(a_log_line_is_one_line_whatever_a_peer_sends) {
	char line[512];
	int p[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	ck_assert_int_eq(pipe(p), 0);
	(void)dup2(p[1], STDERR_FILENO);
	log_event(LOG_LEVEL_INFO, "refused", "name", "eve\n2026 info good name=\"alice\"", "none", NULL, "reason", "revoked", NULL);
	(void)dup2(saved, STDERR_FILENO);
	n = read(p[0], line, sizeof(line) - 1);
	ck_assert_int_gt(n, 0);
	line[n] = '\0';
	ck_assert_ptr_eq(strchr(line, '\n'), line + n - 1);
	ck_assert_ptr_nonnull(strstr(line, " info refused name=\"eve\\x0a2026 info good name=\\x22alice\\x22\" reason=revoked\n"));
	ck_assert_ptr_null(strstr(line, "none="));
} END_TEST

static void say_to(int fd) {
	int saved = dup(STDERR_FILENO);

	(void)dup2(fd, STDERR_FILENO);
	log_event(LOG_LEVEL_INFO, "said", "key", "value", NULL);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
}

START_TEST(a_log_line_names_the_group_while_there_is_one) {
	char line[512];
	int p[2];
	ssize_t n;

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_ptr_null(log_group());
	log_set_group("the \"lab\"");
	say_to(p[1]);
	log_set_group(NULL);
	say_to(p[1]);
	n = read(p[0], line, sizeof(line) - 1);
	ck_assert_int_gt(n, 0);
	line[n] = '\0';
	ck_assert_ptr_nonnull(strstr(line, " info said group=\"the \\x22lab\\x22\" key=value\n"));
	ck_assert_ptr_nonnull(strstr(line, " info said key=value\n"));
} END_TEST

static void assert_pass(const char *arg, const char *want) {
	OWN(secret_wipe) struct secret s = {0};

	ck_assert_int_eq(pass_read(arg, "key", false, &s, NULL), 0);
	ck_assert_uint_eq(s.len, strlen(want));
	ck_assert_mem_eq(s.data, want, s.len);
}

START_TEST(passphrases_come_from_where_the_option_says) {
	char arg[32];
	int p[2];

	ck_assert_int_eq(setenv("SCG_TEST_PASS", "from env", 1), 0);
	assert_pass("pass:a b:c", "a b:c");
	assert_pass("env:SCG_TEST_PASS", "from env");
	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(write(p[1], "one\r\ntwo\n", 9), 9);
	(void)snprintf(arg, sizeof(arg), "fd:%d", p[0]);
	assert_pass(arg, "one");
	assert_pass(arg, "two");
} END_TEST

START_TEST(passphrase_sources_that_give_nothing_are_refused) {
	static const char *const bad[] = { "pass:", "env:SCG_NOT_SET", "file:/nonexistent", "fd:x", "fd:999", "secret", "" };
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWN(secret_wipe) struct secret s = {0};

		ck_assert_msg(pass_read(bad[i], "key", false, &s, &e) < 0, "%s", bad[i]);
	}
	/* What was meant to be a passphrase must not come back in an error. */
	ck_assert_ptr_null(strstr(e.text, "secret"));
} END_TEST

static int count(void *arg, unsigned i, struct err *e) {
	(void)atomic_fetch_add((atomic_uint *)arg, 1u << i);
	return i == 2 ? err_set(e, ERR_DAMAGED, "two") : 0;
}

START_TEST(all_work_is_done_and_the_error_comes_back) {
	atomic_uint seen = 0;
	struct err e = ERR_INIT;

	ck_assert_int_eq(work_run(2, count, &seen, &e), 0);
	ck_assert_uint_eq(seen, 3);
	seen = 0;
	ck_assert_int_eq(work_run(4, count, &seen, &e), ERR_DAMAGED);
	ck_assert_uint_eq(seen, 15);
	ck_assert_str_eq(e.text, "two");
	ck_assert_uint_ge(work_cores(), 1);
	ck_assert_int_lt(work_run(0, count, &seen, NULL), 0);
} END_TEST

int main(void) {
	Suite *s = suite_create("base");
	TCase *t = tcase_create("base");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, context_stands_before_the_cause);
	tcase_add_test(t, a_long_text_is_cut_not_overrun);
	tcase_add_test(t, the_clocks_move_as_a_test_tells);
	tcase_add_test(t, a_long_path_does_not_push_out_the_cause);
	tcase_add_test(t, a_new_code_keeps_the_text);
	tcase_add_test(t, each_class_has_its_status);
	tcase_add_test(t, a_buffer_grows_and_stays_a_string);
	tcase_add_test(t, room_that_stays_empty_is_a_string);
	tcase_add_test(t, secrets_compare_by_length_and_bytes);
	tcase_add_test(t, a_secret_begins_empty_whatever_was_there_before);
	tcase_add_test(t, a_random_uuid_says_that_it_is_one);
	tcase_add_test(t, times_round_trip);
	tcase_add_test(t, every_day_of_a_cycle_is_known_and_some_until_9999);
	tcase_add_test(t, times_of_another_form_are_refused);
	tcase_add_test(t, what_is_dated_five_minutes_ahead_may_be_a_clock_that_is_right);
	tcase_add_test(t, a_given_date_is_its_first_second);
	tcase_add_test(t, a_given_time_of_another_form_is_refused);
	tcase_add_test(t, a_log_line_is_one_line_whatever_a_peer_sends);
	tcase_add_test(t, a_log_line_names_the_group_while_there_is_one);
	tcase_add_test(t, passphrases_come_from_where_the_option_says);
	tcase_add_test(t, passphrase_sources_that_give_nothing_are_refused);
	tcase_add_test(t, all_work_is_done_and_the_error_comes_back);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
