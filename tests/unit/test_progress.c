/* SPDX-License-Identifier: Apache-2.0 */
/* What long work tells, on a terminal and elsewhere. */
#include <check.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/progress.h"

#define MIB (UINT64_C(1) << 20)

/* A MiB, one file and a byte, with standard error there; each look at the clock is a second later. */
static void work(int to, uint64_t total, bool quiet) {
	int keep = dup(STDERR_FILENO);
	struct progress *p;

	ck_assert_int_ge(keep, 0);
	ck_assert_int_ge(dup2(to, STDERR_FILENO), 0);
	clock_stop_mono();
	clock_step_mono_ms(1000);
	p = progress_new("upload", total, quiet);
	progress_add(p, MIB);
	progress_item(p, "a\033b", "uploaded");
	progress_add(p, 1);
	progress_free(p);
	clock_step_mono_ms(0);
	(void)fflush(stderr);
	ck_assert_int_ge(dup2(keep, STDERR_FILENO), 0);
	(void)close(keep);
}

/* To the end: nobody writes any more (a terminal says EIO then). */
static void take(int from, struct buf *out) {
	ssize_t n;

	while ((n = read(from, buf_room(out, 4096), 4096)) > 0) {
		out->len += (size_t)n;
		out->data[out->len] = 0;
	}
	(void)close(from);
}

static void work_on_terminal(unsigned short columns, uint64_t total, struct buf *out) {
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	int ours, theirs;

	ck_assert_int_eq(openpty(&ours, &theirs, NULL, NULL, &size), 0);
	work(theirs, total, false);
	(void)close(theirs);
	take(ours, out);
}

static void work_on_pipe(bool quiet, struct buf *out) {
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	work(ends[1], 2 * MIB, quiet);
	(void)close(ends[1]);
	take(ends[0], out);
}

START_TEST(a_terminal_gets_a_bar_that_goes_away) {
	static const unsigned short columns[] = { 0, 66, 80 };

	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		OWN(buf_wipe) struct buf out = {0};

		work_on_terminal(columns[i], 2 * MIB, &out);
		ck_assert_str_eq(buf_str(&out), "\rupload [###############               ] 1.0 MiB, 1023.0 KiB/s\033[K"
		    "\r\033[Ka\\x1bb: uploaded\r\n"
		    "\rupload [###############               ] 1.0 MiB, 511.7 KiB/s\033[K"
		    "\r\033[K");
	}
} END_TEST

START_TEST(without_a_total_there_is_no_bar) {
	OWN(buf_wipe) struct buf out = {0};

	work_on_terminal(80, 0, &out);
	ck_assert_ptr_null(strchr(buf_str(&out), '#'));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\rupload 1.0 MiB, "));
} END_TEST

START_TEST(no_line_is_as_wide_as_the_terminal) {
	for (unsigned short columns = 1; columns <= 80; columns++) {
		OWN(buf_wipe) struct buf out = {0};
		size_t bars = 0;

		work_on_terminal(columns, 2 * MIB, &out);
		for (const char *p = buf_str(&out); (p = strstr(p, "\ru")) != NULL; p++, bars++)
			ck_assert_uint_lt((size_t)(strchr(p, '\033') - p - 1), columns);
		ck_assert_uint_eq(bars, columns == 1 ? 0 : 2);
	}
} END_TEST

START_TEST(what_is_no_terminal_gets_a_line_for_each_file) {
	OWN(buf_wipe) struct buf out = {0};

	work_on_pipe(false, &out);
	ck_assert_str_eq(buf_str(&out), "a\\x1bb: uploaded\n");
} END_TEST

START_TEST(quiet_is_quiet) {
	OWN(buf_wipe) struct buf out = {0};

	work_on_pipe(true, &out);
	ck_assert_str_eq(buf_str(&out), "");
} END_TEST

int main(void) {
	Suite *s = suite_create("progress");
	TCase *t = tcase_create("progress");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, a_terminal_gets_a_bar_that_goes_away);
	tcase_add_test(t, without_a_total_there_is_no_bar);
	tcase_add_test(t, no_line_is_as_wide_as_the_terminal);
	tcase_add_test(t, what_is_no_terminal_gets_a_line_for_each_file);
	tcase_add_test(t, quiet_is_quiet);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
