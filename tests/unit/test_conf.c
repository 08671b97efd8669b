/* SPDX-License-Identifier: Apache-2.0 */
/* base/conf: what a file may say is in the table, all else is an error with its line. */
#include "base/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "lib/suite.h"
#include "lib/tmp.h"

struct plan {
	char *listen;
	char *host;
	uint64_t days;
	bool rotate;
	char *type;
	uint64_t body;
};

static const struct conf_key keys[] = {
	{ .path = "listen", .kind = CONF_TEXT, .off = offsetof(struct plan, listen), .required = true },
	{ .path = "host", .kind = CONF_TEXT, .off = offsetof(struct plan, host) },
	{ .path = "days", .kind = CONF_U64, .off = offsetof(struct plan, days), .def = "30", .min = 1, .max = 90 },
	{ .path = "rotate", .kind = CONF_BOOL, .off = offsetof(struct plan, rotate), .def = "true" },
	{ .path = "store.type", .kind = CONF_TEXT, .off = offsetof(struct plan, type), .def = "directory" },
	{ .path = "store.limits.body", .kind = CONF_U64, .off = offsetof(struct plan, body), .max = UINT64_MAX },
	{ 0 },
};

static void wipe(struct plan *p) {
	conf_free(keys, p);
}

/* The text must be refused with this in the error, and leave an empty plan. */
static void refused(const char *text, const char *why) {
	static const struct plan none;
	struct err e = ERR_INIT;
	struct plan p = { 0 };

	ck_assert_msg(conf_parse(text, "x.conf", keys, &p, &e) == ERR_USAGE, "accepted: %s", text);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s: %s", text, e.text);
	ck_assert_msg(strncmp(e.text, "x.conf:", 7) == 0, "%s", e.text);
	ck_assert_mem_eq(&p, &none, sizeof p);
}

START_TEST(values_are_read_and_defaults_fill_the_rest) {
	OWN(wipe) struct plan p = { 0 };
	struct err e = ERR_INIT;

	ck_assert_msg(conf_parse("# note\nlisten = \"[::1]:0\";\nrotate = false;\nstore = { limits : { body = 5000000000L; } };\n",
				 "x.conf", keys, &p, &e) == 0, "%s", e.text);
	ck_assert_str_eq(p.listen, "[::1]:0");
	ck_assert_ptr_null(p.host);
	ck_assert_uint_eq(p.days, 30);
	ck_assert(!p.rotate);
	ck_assert_str_eq(p.type, "directory");
	ck_assert_uint_eq(p.body, 5000000000);
} END_TEST

START_TEST(an_unknown_key_is_refused_with_its_line) {
	refused("listen = \"a\";\n\nlistne = \"b\";\n", "x.conf:3: unknown key listne");
	refused("listen = \"a\";\nstore = {\n  type = \"d\";\n  path = \"p\";\n};\n", "x.conf:4: unknown key store.path");
	refused("listen = \"a\";\nshop = { type = \"d\"; };\n", "x.conf:2: unknown key shop");
	refused("listen = \"a\";\nstor = 1;\n", "unknown key stor");
} END_TEST

START_TEST(a_missing_required_key_is_refused) {
	refused("", "key listen is missing");
	refused("host = \"a\";\n", "key listen is missing");
} END_TEST

START_TEST(a_value_of_another_kind_is_refused) {
	refused("listen = 5;", "x.conf:1: listen: must be a text");
	refused("listen = [ \"a\" ];", "must be a text");
	refused("listen = \"a\"; days = \"5\";", "days: must be a number");
	refused("listen = \"a\"; days = 1.5;", "days: must be a number");
	refused("listen = \"a\"; rotate = 1;", "rotate: must be true or false");
	refused("listen = \"a\"; store = \"d\";", "store: must be a group");
	refused("listen = { type = \"a\"; };", "listen: must be a text");
} END_TEST

START_TEST(a_number_out_of_bounds_is_refused) {
	refused("listen = \"a\"; days = 0;", "days: must be a number from 1 to 90");
	refused("listen = \"a\"; days = 91;", "days: must be a number from 1 to 90");
	refused("listen = \"a\"; days = -1;", "days: must not be negative");
	refused("listen = \"a\";\ndays = 4294967326;", "x.conf:2: a number of this length needs an L");
	refused("listen = \"a\"; days = 0x10000001e;", "needs an L");
	refused("listen = \"a\"; days = 4294967326L;", "days: must be a number from 1 to 90");
} END_TEST

START_TEST(a_key_given_twice_is_refused) {
	refused("listen = \"a\";\nlisten = \"b\";\n", "x.conf:2");
} END_TEST

START_TEST(broken_syntax_is_refused_with_its_line) {
	refused("listen = \"a\";\ndays = = 5;\n", "x.conf:2: syntax error");
	refused("listen = \"a", "x.conf:1");
	refused("listen", "syntax error");
} END_TEST

START_TEST(an_include_is_refused) {
	ck_assert_int_eq(file_save(tmp_path("in.conf"), "days = 5;\n", 10, 0600, NULL), 0);
	OWN(own_free) char *text = xasprintf("listen = \"a\";\n@include \"%s\"\n", tmp_path("in.conf"));

	refused(text, "x.conf:2: @include is not allowed");
} END_TEST

START_TEST(strings_and_comments_may_hold_anything) {
	OWN(wipe) struct plan p = { 0 };

	ck_assert_int_eq(conf_parse("# @include \"x\" 12345678901\n// 12345678901\n/* @include\n12345678901 */"
				    "listen = \"12345678901 \\\" @include\";", "x.conf", keys, &p, NULL), 0);
	ck_assert_str_eq(p.listen, "12345678901 \" @include");
	refused("/* \n */ listen = \"a", "x.conf:2");
	refused("/* @include", "x.conf: key listen is missing");
} END_TEST

START_TEST(control_characters_and_broken_utf8_are_refused) {
	refused("listen = \"a\\x1b[2J\";", "control characters");
	refused("listen = \"a\\nb\";", "control characters");
	refused("listen = \"\xff\";", "control characters");
} END_TEST

START_TEST(deep_nesting_is_refused) {
	OWN(buf_wipe) struct buf b = { 0 };

	for (int i = 0; i < 20000; i++)
		buf_adds(&b, "a=(");
	refused(buf_str(&b), "x.conf:1");
} END_TEST

START_TEST(a_quoted_value_reads_back) {
	static const char *const values[] = { "", "plain", "with \"quotes\" and \\ backslash", "t\xc3\xaate" };

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		OWN(own_free) char *q = conf_quote(values[i]), *text = xasprintf("listen = %s;\n", q);
		OWN(wipe) struct plan p = { 0 };

		ck_assert_int_eq(conf_parse(text, "x.conf", keys, &p, NULL), 0);
		ck_assert_str_eq(p.listen, values[i]);
	}
} END_TEST

START_TEST(a_file_is_read) {
	OWN(wipe) struct plan p = { 0 };

	ck_assert_int_eq(file_save(tmp_path("ok.conf"), "listen = \"a\";\n", 14, 0600, NULL), 0);
	ck_assert_int_eq(conf_load(tmp_path("ok.conf"), keys, &p, NULL), 0);
	ck_assert_str_eq(p.listen, "a");
} END_TEST

START_TEST(a_file_that_is_missing_or_too_big_or_holds_nul_is_refused) {
	OWN(wipe) struct plan p = { 0 };
	static char big[CONF_MAX_BYTES + 1];

	memset(big, '\n', sizeof big);
	ck_assert_int_eq(conf_load(tmp_path("none.conf"), keys, &p, NULL), ERR_NOTFOUND);
	ck_assert_int_eq(file_save(tmp_path("big.conf"), big, sizeof big, 0600, NULL), 0);
	ck_assert_int_eq(conf_load(tmp_path("big.conf"), keys, &p, NULL), ERR_FAIL);
	ck_assert_int_eq(file_save(tmp_path("nul.conf"), "listen = \"a\";\n\0x = 1;\n", 22, 0600, NULL), 0);
	ck_assert_int_eq(conf_load(tmp_path("nul.conf"), keys, &p, NULL), ERR_USAGE);
} END_TEST

START_TEST(a_file_cut_anywhere_is_refused_or_lacks_its_end) {
	static const char whole[] = "listen = \"a\";\nrotate = false;\nstore = { type = \"d\"; };\n";

	for (size_t cut = 0; cut < sizeof whole - 1; cut++) {
		OWN(own_free) char *text = strndup(whole, cut);
		OWN(wipe) struct plan p = { 0 };

		if (conf_parse(text, "x.conf", keys, &p, NULL) == 0)
			ck_assert_str_eq(p.listen, "a");
		else
			ck_assert_ptr_null(p.listen);
	}
} END_TEST

int main(void) {
	TCase *t = tcase_create("conf");

	tcase_add_checked_fixture(t, tmp_make, tmp_drop);
	tcase_add_test(t, values_are_read_and_defaults_fill_the_rest);
	tcase_add_test(t, an_unknown_key_is_refused_with_its_line);
	tcase_add_test(t, a_missing_required_key_is_refused);
	tcase_add_test(t, a_value_of_another_kind_is_refused);
	tcase_add_test(t, a_number_out_of_bounds_is_refused);
	tcase_add_test(t, a_key_given_twice_is_refused);
	tcase_add_test(t, broken_syntax_is_refused_with_its_line);
	tcase_add_test(t, an_include_is_refused);
	tcase_add_test(t, strings_and_comments_may_hold_anything);
	tcase_add_test(t, control_characters_and_broken_utf8_are_refused);
	tcase_add_test(t, deep_nesting_is_refused);
	tcase_add_test(t, a_quoted_value_reads_back);
	tcase_add_test(t, a_file_is_read);
	tcase_add_test(t, a_file_that_is_missing_or_too_big_or_holds_nul_is_refused);
	tcase_add_test(t, a_file_cut_anywhere_is_refused_or_lacks_its_end);
	return suite_run("conf", t);
}
