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

/* --- lists of groups --- */

struct place {
	char *dir;
	uint64_t size;
};

static const struct conf_key place_keys[] = {
	{ .path = "dir", .kind = CONF_TEXT, .off = offsetof(struct place, dir), .required = true },
	{ .path = "size", .kind = CONF_U64, .off = offsetof(struct place, size), .def = "7", .max = 9 },
	{ 0 },
};

struct places {
	struct conf_list list;
	char *host;
	char *level;
};

static const struct conf_key places_keys[] = {
	{ .path = "places", .kind = CONF_LIST, .off = offsetof(struct places, list), .min = 1, .max = 3, .sub = place_keys, .sub_size = sizeof(struct place) },
	{ .path = "host", .kind = CONF_TEXT, .off = offsetof(struct places, host), .required = true, .unless = "places" },
	{ .path = "level", .kind = CONF_TEXT, .off = offsetof(struct places, level) },
	{ 0 },
};

START_TEST(a_list_of_groups_is_read) {
	static const char text[] = "level = \"x\";\nplaces = ( { dir = \"a\"; }, { dir = \"b\"; size = 3; } );\n";
	struct places p = { 0 };
	struct err e = ERR_INIT;
	const struct place *v;

	ck_assert_msg(conf_parse(text, "x.conf", places_keys, &p, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(p.list.n, 2);
	v = p.list.v;
	ck_assert_str_eq(v[0].dir, "a");
	ck_assert_uint_eq(v[0].size, 7);
	ck_assert_str_eq(v[1].dir, "b");
	ck_assert_uint_eq(v[1].size, 3);
	ck_assert_ptr_null(p.host);
	conf_free(places_keys, &p);
	ck_assert_ptr_null(p.list.v);
	ck_assert_int_eq(conf_parse("host = \"h\";", "x.conf", places_keys, &p, &e), 0);
	ck_assert_uint_eq(p.list.n, 0);
	conf_free(places_keys, &p);
} END_TEST

START_TEST(a_list_that_breaks_its_rules_is_refused_with_its_line) {
	static const struct { const char *text, *why; } bad[] = {
		{ "places = ( );", "x.conf:1: places: must be a list, ( { ... } ), of 1 to 3 groups" },
		{ "\nplaces = ( { dir = \"a\"; }, { dir = \"a\"; }, { dir = \"a\"; }, { dir = \"a\"; } );", "x.conf:2: places: must be a list" },
		{ "places = { dir = \"a\"; };", "x.conf:1: places: must be a list" },
		{ "places = [ \"a\" ];", "x.conf:1: places: must be a list" },
		{ "places = \"a\";", "x.conf:1: places: must be a list" },
		{ "places = ( { dir = \"a\"; },\n\"b\" );", "x.conf:2: places: not a group" },
		{ "places = ( { dir = \"a\"; },\n{ size = 1; } );", "x.conf:2: key dir is missing" },
		{ "places = ( { dir = \"a\";\nhost = \"b\"; } );", "x.conf:2: unknown key host" },
		{ "places = ( { dir = \"a\";\nsize = 10; } );", "x.conf:2: size: must be a number from 0 to 9" },
		{ "places = ( { dir = ( { dir = \"a\"; } ); } );", "x.conf:1: dir: must be a text" },
		{ "places = ( { dir = \"a\"; } );\nhost = \"h\";", "x.conf:2: host: must not stand beside places" },
		{ "host = \"h\";\nplaces = ( { dir = \"a\"; } );", "x.conf:1: host: must not stand beside places" },
		{ "level = \"x\";", "x.conf: key host is missing" },
		{ "places = ( { dir = \"a\"; dir = \"b\"; } );", "x.conf:1: duplicate" },
	};
	static const struct places none;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct places p = { 0 };
		struct err e = ERR_INIT;

		ck_assert_msg(conf_parse(bad[i].text, "x.conf", places_keys, &p, &e) == ERR_USAGE, "accepted: %s", bad[i].text);
		ck_assert_msg(strncmp(e.text, bad[i].why, strlen(bad[i].why)) == 0, "%s: %s", bad[i].text, e.text);
		ck_assert_mem_eq(&p, &none, sizeof p);
	}
} END_TEST

static void count_faults(void *arg, const char *text) {
	unsigned *n = arg;

	(void)text;
	(*n)++;
}

START_TEST(all_faults_of_a_list_are_told) {
	static const char text[] = "places = ( { size = 10; }, \"x\", { dir = \"c\"; no = 1; } );\nhost = \"h\";\n";
	OWN(own_free) char *path = xstrdup(tmp_path("x.conf"));
	struct places p = { 0 };
	struct err e = ERR_INIT;
	unsigned n = 0;

	ck_assert_int_eq(file_save(path, text, strlen(text), 0600, &e), 0);
	ck_assert_msg(conf_load_all(path, places_keys, &p, count_faults, &n, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(n, 5); /* size, dir missing, no group, no, host */
	ck_assert_uint_eq(p.list.n, 3);
	ck_assert_str_eq(((struct place *)p.list.v)[2].dir, "c");
	conf_free(places_keys, &p);
} END_TEST

START_TEST(a_list_cut_anywhere_leaves_nothing_behind) {
	static const char text[] = "places = ( { dir = \"a\"; size = 3; }, { dir = \"b\"; } );";

	for (size_t len = 0; len < sizeof text - 2; len++) {
		OWN(own_free) char *cut = xasprintf("%.*s", (int)len, text);
		struct places p = { 0 };

		ck_assert_int_ne(conf_parse(cut, "x.conf", places_keys, &p, NULL), 0);
		ck_assert_ptr_null(p.list.v);
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
	tcase_add_test(t, a_list_of_groups_is_read);
	tcase_add_test(t, a_list_that_breaks_its_rules_is_refused_with_its_line);
	tcase_add_test(t, all_faults_of_a_list_are_told);
	tcase_add_test(t, a_list_cut_anywhere_leaves_nothing_behind);
	return suite_run("conf", t);
}
