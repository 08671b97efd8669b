/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "ledger/path.h"
#include "lib/suite.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct err e;

static char *repeat(const char *part, size_t n) {
	struct buf b = {0};

	for (size_t i = 0; i < n; i++)
		buf_adds(&b, part);
	return (char *)buf_take(&b, NULL);
}

static const char *const good[] = {
    "a",
    "q1.pdf",
    "reports/2026/q1.pdf",
    "ein Name mit \xc3\x9c.txt",
    "...",
    ".hidden",
    "a/..b/c..",
    " ",
    "-rf",
    "a\\b",
    "CON",
    "\xf0\x9f\x92\xbe",
    "\xee\x80\x80" /* private use */,
};

START_TEST(names_of_files_are_taken) {
	ck_assert_msg(path_check(good[_i], strlen(good[_i]), &e) == 0, "%s: %s", good[_i], e.text);
	ck_assert_int_eq(path_check_taken(good[_i], strlen(good[_i]), &e), 0);
} END_TEST

static const struct {
	const char *path;
	size_t len; /* 0: strlen */
	const char *why;
} bad[] = {
    {"", 0, "empty part"},
    {"/a", 0, "empty part"},
    {"a/", 0, "empty part"},
    {"a//b", 0, "empty part"},
    {"/", 0, "empty part"},
    {".", 0, "\"..\""},
    {"..", 0, "\"..\""},
    {"a/../b", 0, "\"..\""},
    {"a/.", 0, "\"..\""},
    {"../../etc/passwd", 0, "\"..\""},
    {"a\nb", 0, "control"},
    {"a\tb", 0, "control"},
    {"a\x7f", 0, "control"},
    {"a\xc2\x85", 0, "control"},
    {"a\xe2\x80\xae"
     "fdp.exe",
	0, "control"},
    {"a\0b", 3, "NUL"},
    {"a\xff", 0, "UTF-8"},
    {"a\xc3", 0, "UTF-8"},
    {"\xc0\xaf", 0, "UTF-8"},
    {"\xed\xa0\x80", 0, "UTF-8"},
    {"U\xcc\x88", 0, "normal form"},
    {"\xe2\x84\xab", 0, "normal form"},
};

START_TEST(what_is_no_name_is_refused) {
	size_t len = bad[_i].len != 0 ? bad[_i].len : strlen(bad[_i].path);

	ck_assert_int_eq(path_check(bad[_i].path, len, &e), ERR_USAGE);
	ck_assert_msg(strstr(e.text, bad[_i].why) != NULL, "%s", e.text);
	ck_assert_int_eq(path_check_taken(bad[_i].path, len, NULL), ERR_USAGE);
} END_TEST

START_TEST(a_part_has_at_most_255_bytes) {
	OWN(own_free) char *fits = repeat("x", 255), *long_one = repeat("x", 256), *umlauts = repeat("\xc3\xbc", 128);

	ck_assert_int_eq(path_check(fits, 255, &e), 0);
	ck_assert_int_eq(path_check(long_one, 256, &e), ERR_USAGE);
	ck_assert_int_eq(path_check(umlauts, 256, &e), ERR_USAGE);
	ck_assert_int_eq(path_check(umlauts, 254, &e), 0);
} END_TEST

START_TEST(a_path_has_at_most_4096_bytes) {
	OWN(own_free) char *p = repeat("a/", 2049);

	p[4095] = 'b';
	ck_assert_int_eq(path_check(p, 4095, &e), 0);
	ck_assert_int_eq(path_check(p, 4096, &e), 0);
	ck_assert_int_eq(path_check(p, 4097, &e), ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(e.text, "4097"));
} END_TEST

/* U+0378 is in no version of Unicode yet: a gateway with a newer one may know it, and know its normal form. */
START_TEST(unassigned_code_points_are_only_taken_from_a_gateway) {
	static const char path[] = "a\xcd\xb8";

	ck_assert_int_eq(path_check(path, strlen(path), &e), ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(e.text, "not assign"));
	ck_assert_int_eq(path_check_taken(path, strlen(path), &e), 0);
} END_TEST

static const struct {
	const char *a, *b;
	bool same;
} folds[] = {
    {"readme", "README", true},
    {"dir/a", "DIR/A", true},
    {"stra\xc3\x9f"
     "e",
	"STRASSE", true},
    {"\xc3\x9c.txt", "\xc3\xbc.TXT", true},
    {"\xce\xa3", "\xcf\x82", true},
    {"a", "b", false},
    {"a/b", "ab", false},
    {"\xc3\xbc", "u", false},
};

START_TEST(names_that_differ_in_case_fold_to_one) {
	OWN(own_free) char *a = NULL, *b = NULL;

	ck_assert_int_eq(path_fold(folds[_i].a, &a, &e), 0);
	ck_assert_int_eq(path_fold(folds[_i].b, &b, &e), 0);
	ck_assert_msg((strcmp(a, b) == 0) == folds[_i].same, "%s, %s", folds[_i].a, folds[_i].b);
} END_TEST

/* python3: hashlib.sha256(b"scg-name" + bytes(range(16)) + "dir/Ü.txt".encode()) */
START_TEST(the_hash_is_the_documented_one) {
	static const char path[] = "dir/\xc3\x9c.txt";
	uint8_t salt[SALT_LEN], hash[32];
	char hex[65];

	for (uint8_t i = 0; i < SALT_LEN; i++)
		salt[i] = i;
	path_hash(path, strlen(path), salt, hash);
	text_hex(hash, sizeof hash, hex);
	ck_assert_str_eq(hex, "d5d726dd7829e03202d108af5d2fa8beabc8513838d26eb655e6eb52e56fafa7");
} END_TEST

START_TEST(a_conflict_is_named_after_who_and_when) {
	OWN(own_free) char *name = NULL;

	ck_assert_int_eq(path_conflict("dir/q1.pdf", "alice", 1767323045, &name, &e), 0);
	ck_assert_str_eq(name, "dir/q1.pdf (conflict alice 2026-01-02T030405Z)");
} END_TEST

START_TEST(a_long_name_is_cut_before_the_suffix) {
	OWN(own_free) char *umlauts = repeat("\xc3\xbc", 127);
	OWN(own_free) char *name = NULL;

	ck_assert_int_eq(path_conflict(umlauts, "alice", 1767323045, &name, &e), 0);
	ck_assert_int_eq(path_check(name, strlen(name), &e), 0);
	ck_assert_uint_ge(strlen(name), 254);
	ck_assert_ptr_nonnull(strstr(name, "\xbc (conflict alice "));
} END_TEST

START_TEST(a_long_path_leaves_no_room_for_a_conflict) {
	OWN(own_free) char *p = repeat("a/", 2048);
	char *name = NULL;

	p[4095] = '\0';
	ck_assert_int_eq(path_conflict(p, "alice", 1767323045, &name, &e), ERR_USAGE);
	ck_assert_ptr_null(name);
} END_TEST

int main(void) {
	TCase *t = tcase_create("path");

	tcase_add_loop_test(t, names_of_files_are_taken, 0, COUNT(good));
	tcase_add_loop_test(t, what_is_no_name_is_refused, 0, COUNT(bad));
	tcase_add_test(t, a_part_has_at_most_255_bytes);
	tcase_add_test(t, a_path_has_at_most_4096_bytes);
	tcase_add_test(t, unassigned_code_points_are_only_taken_from_a_gateway);
	tcase_add_loop_test(t, names_that_differ_in_case_fold_to_one, 0, COUNT(folds));
	tcase_add_test(t, the_hash_is_the_documented_one);
	tcase_add_test(t, a_conflict_is_named_after_who_and_when);
	tcase_add_test(t, a_long_name_is_cut_before_the_suffix);
	tcase_add_test(t, a_long_path_leaves_no_room_for_a_conflict);
	return suite_run("path", t);
}
