/* SPDX-License-Identifier: Apache-2.0 */
/* base/opt: a command line is wholly understood or refused. */
#include "base/opt.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "lib/suite.h"
#include "lib/tmp.h"

struct plan {
	const char *in, *name, *serial, *passout;
	uint64_t days;
	bool json, noenc;
};

static const struct opt opts[] = {
	{ .name = "in", .kind = OPT_TEXT, .off = offsetof(struct plan, in), .arg = "FILE", .help = "the input", .required = true },
	{ .name = "name", .kind = OPT_TEXT, .off = offsetof(struct plan, name), .arg = "NAME", .help = "who", .required = true,
	  .group = 1 },
	{ .name = "serial", .kind = OPT_TEXT, .off = offsetof(struct plan, serial), .arg = "HEX", .help = "which", .required = true,
	  .group = 1 },
	{ .name = "days", .kind = OPT_U64, .off = offsetof(struct plan, days), .arg = "N", .help = "for how long", .min = 1, .max = 90 },
	{ .name = "json", .kind = OPT_FLAG, .off = offsetof(struct plan, json), .help = "for machines" },
	{ .name = "passout", .kind = OPT_TEXT, .off = offsetof(struct plan, passout), .arg = "ARG", .help = "passphrase", .group = 2 },
	{ .name = "noenc", .kind = OPT_FLAG, .off = offsetof(struct plan, noenc), .help = "no passphrase", .group = 2 },
	{ 0 },
};

static int run_ok(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;

	(void)e;
	(void)printf("%s %d\n", p->in, operands->n);
	return 0;
}

static int run_refused(void *plan, const struct opt_operands *operands, struct err *e) {
	const struct plan *p = plan;

	(void)operands;
	return err_set(e, ERR_REFUSED, "%s: revoked", p->in);
}

static const struct opt_command commands[] = {
	{ .name = "make", .summary = "makes it", .operands = "NAME...", .min_operands = 1, .max_operands = 3, .opts = opts,
	  .plan_size = sizeof(struct plan), .run = run_ok },
	{ .name = "bare", .summary = "needs nothing", .opts = NULL, .plan_size = 0, .run = run_ok },
	{ .name = "deny", .summary = "refuses", .max_operands = -1, .opts = opts, .plan_size = sizeof(struct plan),
	  .run = run_refused },
	{ 0 },
};

#define ARGS_MAX 16

/* Splits at blanks; "~" stands for an empty argument. */
static int split(char *line, char **argv) {
	char *state = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " ", &state); w != NULL && n < ARGS_MAX; w = strtok_r(NULL, " ", &state))
		argv[n++] = strcmp(w, "~") == 0 ? w + 1 : w;
	return n;
}

static int parse(const char *line, struct plan *p, struct opt_operands *operands, struct err *e) {
	static char copy[256];
	char *argv[ARGS_MAX];

	memset(p, 0, sizeof *p);
	(void)snprintf(copy, sizeof copy, "%s", line);
	return opt_parse(&commands[0], split(copy, argv), argv, p, operands, e);
}

static void accepted(const char *line, struct plan *p, int n_operands) {
	struct opt_operands operands = { 0 };
	struct err e = ERR_INIT;

	ck_assert_msg(parse(line, p, &operands, &e) == 0, "%s: %s", line, e.text);
	ck_assert_int_eq(operands.n, n_operands);
	free(operands.v);
}

static void refused(const char *line, const char *why) {
	struct opt_operands operands = { 0 };
	struct err e = ERR_INIT;
	struct plan p;

	ck_assert_msg(parse(line, &p, &operands, &e) == ERR_USAGE, "accepted: %s", line);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s: %s", line, e.text);
	free(operands.v);
}

START_TEST(options_fill_the_plan) {
	struct plan p;

	accepted("-in x -name alice -days 90 -json -noenc a", &p, 1);
	ck_assert_str_eq(p.in, "x");
	ck_assert_str_eq(p.name, "alice");
	ck_assert_uint_eq(p.days, 90);
	ck_assert(p.json && p.noenc);
	ck_assert_ptr_null(p.passout);
} END_TEST

START_TEST(options_may_stand_after_names) {
	struct plan p;

	accepted("a -in x b -name n c", &p, 3);
	accepted("-in - -name n -", &p, 1);
	accepted("-in x -name n -- -in", &p, 1);
	accepted("-in x -name n -- --", &p, 1);
	accepted("-in ~ -name n a", &p, 1);
} END_TEST

START_TEST(an_unknown_option_is_refused) {
	refused("-in x -name n -color a", "unknown option -color");
	refused("--in x -name n a", "unknown option --in");
	refused("-in=x -name n a", "unknown option -in=x");
	refused("-i x -name n a", "unknown option -i");
	refused("-in x -name n -\x1b[2J a", "unknown option -\\x1b[2J");
} END_TEST

START_TEST(a_repeated_option_is_refused) {
	refused("-in x -in x -name n a", "-in is repeated");
	refused("-in x -json -json -name n a", "-json is repeated");
} END_TEST

START_TEST(contradictory_options_are_refused) {
	refused("-in x -name n -serial 1 a", "-name and -serial contradict");
	refused("-in x -name n -noenc -passout pass:x a", "-passout and -noenc contradict");
} END_TEST

START_TEST(a_missing_option_is_refused) {
	refused("-name n a", "option -in is missing");
	refused("-in x a", "option -name is missing");
} END_TEST

START_TEST(a_missing_value_is_refused) {
	refused("-name n a -in", "-in needs FILE");
	refused("-name n a -in -json", "-in needs FILE");
	refused("-in x -name n a -days", "-days needs N");
} END_TEST

START_TEST(a_number_must_be_whole_and_in_bounds) {
	static const char *const bad[] = { "0", "91", "-1", "5x", "0x5", "05", "1.5", "99999999999999999999", "~" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		OWN(own_free) char *line = xasprintf("-in x -name n a -days %s", bad[i]);

		refused(line, "-days needs a number from 1 to 90");
	}
} END_TEST

START_TEST(too_few_or_too_many_names_are_refused) {
	refused("-in x -name n", "NAME... is missing");
	refused("-in x -name n a b c d", "surplus argument d");
} END_TEST

/* Runs opt_main in a child; its standard output and error land in files. Returns the exit status. */
static int run(const char *line) {
	static char copy[256];
	char *argv[ARGS_MAX + 1] = { NULL };
	int status;
	pid_t pid;

	(void)snprintf(copy, sizeof copy, "%s", line);
	if ((pid = fork()) == 0) {
		int out = open(tmp_path("out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
		int err = open(tmp_path("err"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (dup2(out, 1) != 1 || dup2(err, 2) != 2)
			_exit(99);
		exit(opt_main("prog", "does things", commands, split(copy, argv), argv));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void holds(const char *name, const char *want) {
	OWN(buf_wipe) struct buf b = { 0 };

	ck_assert_int_eq(file_load(tmp_path(name), 10000, &b, NULL), 0);
	ck_assert_msg(*want == '\0' ? b.len == 0 : strstr(buf_str(&b), want) != NULL, "%s: %s", name, buf_str(&b));
}

START_TEST(main_runs_the_command) {
	ck_assert_int_eq(run("prog make -in x -name n a b"), 0);
	holds("out", "x 2\n");
	holds("err", "");
} END_TEST

START_TEST(main_prints_one_line_for_a_failure) {
	ck_assert_int_eq(run("prog deny -in x -name n"), 3);
	holds("err", "prog: x: revoked\n");
	ck_assert_int_eq(run("prog deny -in \x1b[2J -name n"), 3);
	holds("err", "prog: \\x1b[2J: revoked\n");
} END_TEST

START_TEST(main_points_to_the_help_after_a_usage_error) {
	ck_assert_int_eq(run("prog make -in x"), 2);
	holds("err", "(see prog make -help)\n");
	holds("out", "");
	ck_assert_int_eq(run("prog"), 2);
	holds("err", "(see prog -help)\n");
	ck_assert_int_eq(run("prog mak\x1b"), 2);
	holds("err", "unknown command mak\\x1b (see prog -help)\n");
	ck_assert_int_eq(run("prog bare x"), 2);
	holds("err", "surplus argument x");
} END_TEST

START_TEST(help_comes_from_the_table) {
	ck_assert_int_eq(run("prog make -help"), 0);
	holds("out", "usage: prog make -in FILE (-name NAME | -serial HEX) [-days N] [-json] [-passout ARG | -noenc] NAME...\n");
	holds("out", "  -days N           for how long\n");
	holds("err", "");
	ck_assert_int_eq(run("prog make -in x -help"), 0);
	ck_assert_int_eq(run("prog -help"), 0);
	holds("out", "  make              makes it\n");
	ck_assert_int_eq(run("prog -version"), 0);
	holds("out", "prog ");
} END_TEST

START_TEST(a_failed_flush_is_a_failure) {
	char line[] = "prog make -in x -name n a", *argv[ARGS_MAX + 1] = { NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int full = open("/dev/full", O_WRONLY);

		if (dup2(full, 1) != 1 || close(2) != 0)
			_exit(99);
		_exit(opt_main("prog", "does things", commands, split(line, argv), argv));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 1);
} END_TEST

static void dir_is(const char *given, const char *want) {
	OWN(own_free) char *dir = NULL;

	ck_assert_int_eq(opt_dir(given, &dir, NULL), 0);
	ck_assert_str_eq(dir, want);
}

START_TEST(the_folder_comes_from_option_then_environment) {
	char *dir = NULL;

	(void)setenv("SCG_DIR", "/s", 1);
	(void)setenv("XDG_CONFIG_HOME", "/x", 1);
	(void)setenv("HOME", "/h", 1);
	dir_is("d", "d");
	dir_is(NULL, "/s");
	(void)setenv("SCG_DIR", "", 1);
	dir_is(NULL, "/x/scg");
	(void)setenv("XDG_CONFIG_HOME", "relative", 1);
	dir_is(NULL, "/h/.config/scg");
	(void)unsetenv("HOME");
	ck_assert_int_eq(opt_dir(NULL, &dir, NULL), ERR_USAGE);
} END_TEST

int main(void) {
	TCase *t = tcase_create("opt");

	tcase_add_checked_fixture(t, tmp_make, tmp_drop);
	tcase_add_test(t, options_fill_the_plan);
	tcase_add_test(t, options_may_stand_after_names);
	tcase_add_test(t, an_unknown_option_is_refused);
	tcase_add_test(t, a_repeated_option_is_refused);
	tcase_add_test(t, contradictory_options_are_refused);
	tcase_add_test(t, a_missing_option_is_refused);
	tcase_add_test(t, a_missing_value_is_refused);
	tcase_add_test(t, a_number_must_be_whole_and_in_bounds);
	tcase_add_test(t, too_few_or_too_many_names_are_refused);
	tcase_add_test(t, main_runs_the_command);
	tcase_add_test(t, main_prints_one_line_for_a_failure);
	tcase_add_test(t, main_points_to_the_help_after_a_usage_error);
	tcase_add_test(t, help_comes_from_the_table);
	tcase_add_test(t, a_failed_flush_is_a_failure);
	tcase_add_test(t, the_folder_comes_from_option_then_environment);
	return suite_run("opt", t);
}
