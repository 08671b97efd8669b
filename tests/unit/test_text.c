/* SPDX-License-Identifier: Apache-2.0 */
/* base/text: every decoder takes one spelling only, and nothing dangerous reaches a terminal. */
#include "base/text.h"

#include <check.h>
#include <string.h>

#include "base/own.h"

START_TEST(an_error_about_a_hostile_name_is_harmless) {
	struct err e = ERR_INIT;

	(void)err_set(&e, ERR_NOTFOUND, "not there");
	ck_assert_int_eq(text_about("a\033[2J\n", ERR_NOTFOUND, &e), ERR_NOTFOUND);
	ck_assert_str_eq(e.text, "a\\x1b[2J\\x0a: not there");
	ck_assert_int_eq(text_about("x", ERR_CONFLICT, NULL), ERR_CONFLICT);
}
END_TEST

START_TEST(hex_round_trips) {
	const uint8_t in[] = { 0x00, 0xff, 0x1a };
	uint8_t out[3];
	char hex[7];

	text_hex(in, 3, hex);
	ck_assert_str_eq(hex, "00ff1a");
	ck_assert_int_eq(text_unhex(hex, out, 3, NULL), 0);
	ck_assert_mem_eq(in, out, 3);
	ck_assert_int_eq(text_unhex("00FF1A", out, 3, NULL), 0);
} END_TEST

START_TEST(hex_of_another_length_or_alphabet_is_refused) {
	static const char *const bad[] = { "", "00", "00ff1", "00ff1a0", "00ff1g", "00 f1a", "0x001a" };
	uint8_t out[3];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_lt(text_unhex(bad[i], out, 3, NULL), 0);
} END_TEST

/* RFC 4648 10. */
static const struct { const char *plain, *coded; } vectors[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

START_TEST(base64_gives_the_vectors_of_the_rfc) {
	OWN(buf_wipe) struct buf coded = {0}, plain = {0};
	const char *in = vectors[_i].plain, *want = vectors[_i].coded;

	text_base64((const uint8_t *)in, strlen(in), &coded);
	ck_assert_str_eq(buf_str(&coded), want);
	ck_assert_int_eq(text_unbase64(want, strlen(want), strlen(in), &plain, NULL), 0);
	ck_assert_str_eq(buf_str(&plain), in);
} END_TEST

START_TEST(base64url_has_no_character_that_a_url_escapes) {
	static const uint8_t all[] = { 0xfb, 0xff, 0xfe };
	OWN(buf_wipe) struct buf out = {0};

	buf_adds(&out, "+/=");
	text_base64url(all, 3, &out);
	text_base64url(all, 2, &out);
	text_base64url(all, 1, &out);
	text_base64url(all, 0, &out);
	ck_assert_str_eq(buf_str(&out), "+/=-__--_8-w");
}
END_TEST

START_TEST(base64_that_is_not_canonical_is_refused) {
	static const char *const bad[] = { "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm-_" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWN(buf_wipe) struct buf out = {0};

		ck_assert_msg(text_unbase64(bad[i], strlen(bad[i]), 100, &out, NULL) < 0, "%s", bad[i]);
	}
} END_TEST

START_TEST(base64_above_the_cap_is_refused) {
	OWN(buf_wipe) struct buf out = {0};

	ck_assert_int_lt(text_unbase64("Zm9vYmFy", 8, 3, &out, NULL), 0);
} END_TEST

START_TEST(object_ids_have_26_letters) {
	const uint8_t zero[16] = {0};
	uint8_t ones[16];
	char id[27];

	memset(ones, 0xff, sizeof(ones));
	text_base32_id(zero, id);
	ck_assert_str_eq(id, "aaaaaaaaaaaaaaaaaaaaaaaaaa");
	text_base32_id(ones, id);
	ck_assert_str_eq(id, "777777777777777777777777" "74");
	ck_assert(text_is_base32_id(id));
	ck_assert(!text_is_base32_id("777777777777777777777777" "7"));
	ck_assert(!text_is_base32_id("A77777777777777777777777" "74"));
	ck_assert(!text_is_base32_id("../777777777777777777777" "74"));
} END_TEST

START_TEST(percent_encoding_has_one_spelling) {
	OWN(buf_wipe) struct buf coded = {0}, plain = {0};
	static const char *const bad[] = { "%", "%2", "%zz", "%00", "%41", "%c3%9c", "a b", "%2F%" };

	text_percent("a b/Ü~", true, &coded);
	ck_assert_str_eq(buf_str(&coded), "a%20b/%C3%9C~");
	ck_assert_int_eq(text_unpercent(buf_str(&coded), coded.len, true, &plain, NULL), 0);
	ck_assert_str_eq(buf_str(&plain), "a b/Ü~");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWN(buf_wipe) struct buf out = {0};

		ck_assert_msg(text_unpercent(bad[i], strlen(bad[i]), true, &out, NULL) < 0, "%s", bad[i]);
	}
} END_TEST

START_TEST(uuids_are_lower_case_with_dashes_in_place) {
	static const char good[] = "00112233-4455-6677-8899-aabbccddeeff";
	uint8_t id[16];
	char again[37];

	ck_assert_int_eq(text_unuuid(good, id, NULL), 0);
	text_uuid(id, again);
	ck_assert_str_eq(again, good);
	ck_assert_int_lt(text_unuuid("00112233-4455-6677-8899-AABBCCDDEEFF", id, NULL), 0);
	ck_assert_int_lt(text_unuuid("0011223344556677-8899-aabbccddeeff", id, NULL), 0);
	ck_assert_int_lt(text_unuuid("00112233-4455-6677-8899-aabbccddeeff0", id, NULL), 0);
	ck_assert_int_lt(text_unuuid("", id, NULL), 0);
} END_TEST

START_TEST(ill_formed_utf8_is_known) {
	ck_assert(text_is_utf8("Ü€𝄞", strlen("Ü€𝄞")));
	ck_assert(!text_is_utf8("\xc0\xaf", 2));
	ck_assert(!text_is_utf8("\xed\xa0\x80", 3));
	ck_assert(!text_is_utf8("\xf5\x80\x80\x80", 4));
	ck_assert(!text_is_utf8("a\0b", 3));
	ck_assert(!text_is_utf8("\xc3", 1));
} END_TEST

START_TEST(controls_and_bidi_overrides_are_known) {
	ck_assert(!text_has_control("plain Ü", strlen("plain Ü")));
	ck_assert(text_has_control("a\nb", 3));
	ck_assert(text_has_control("a\x1b[2J", 5));
	ck_assert(text_has_control("\x7f", 1));
	ck_assert(text_has_control("\xc2\x9b", 2));
	ck_assert(text_has_control("\xe2\x80\xae", 3));
	ck_assert(text_has_control("\xff", 1));
} END_TEST

START_TEST(escaping_leaves_nothing_that_acts) {
	static const char in[] = "a\x1b[2J\"\\\xff\n\xe2\x80\xaeÜ";
	OWN(buf_wipe) struct buf out = {0};

	text_escape(in, strlen(in), &out);
	ck_assert_str_eq(buf_str(&out), "a\\x1b[2J\\x22\\x5c\\xff\\x0a\\xe2\\x80\\xaeÜ");
	ck_assert(!text_has_control(buf_str(&out), out.len));
} END_TEST

START_TEST(names_that_look_alike_fold_alike) {
	OWN(own_free) char *a = NULL, *b = NULL, *c = NULL;

	ck_assert_int_eq(text_casefold("Stra\xc3\x9f" "e", &a, NULL), 0);
	ck_assert_int_eq(text_casefold("STRASSE", &b, NULL), 0);
	ck_assert_str_eq(a, b);
	ck_assert_int_eq(text_nfc("U\xcc\x88", &c, NULL), 0);
	ck_assert_str_eq(c, "Ü");
} END_TEST

START_TEST(numbers_have_one_spelling_and_a_bound) {
	static const char *const bad[] = { "", "-1", "+1", "01", "1 ", " 1", "0x1", "256", "18446744073709551616", "99999999999999999999" };
	uint64_t v = 7;

	ck_assert_int_eq(text_u64("0", 255, &v, NULL), 0);
	ck_assert_uint_eq(v, 0);
	ck_assert_int_eq(text_u64("255", 255, &v, NULL), 0);
	ck_assert_uint_eq(v, 255);
	ck_assert_int_eq(text_u64("18446744073709551615", UINT64_MAX, &v, NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(text_u64(bad[i], 255, &v, NULL) < 0, "%s", bad[i]);
	ck_assert_int_lt(text_u64("18446744073709551616", UINT64_MAX, &v, NULL), 0);
} END_TEST

int main(void) {
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(t, an_error_about_a_hostile_name_is_harmless);
	tcase_add_test(t, hex_round_trips);
	tcase_add_test(t, hex_of_another_length_or_alphabet_is_refused);
	tcase_add_loop_test(t, base64_gives_the_vectors_of_the_rfc, 0, sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_test(t, base64url_has_no_character_that_a_url_escapes);
	tcase_add_test(t, base64_that_is_not_canonical_is_refused);
	tcase_add_test(t, base64_above_the_cap_is_refused);
	tcase_add_test(t, object_ids_have_26_letters);
	tcase_add_test(t, percent_encoding_has_one_spelling);
	tcase_add_test(t, uuids_are_lower_case_with_dashes_in_place);
	tcase_add_test(t, ill_formed_utf8_is_known);
	tcase_add_test(t, controls_and_bidi_overrides_are_known);
	tcase_add_test(t, escaping_leaves_nothing_that_acts);
	tcase_add_test(t, names_that_look_alike_fold_alike);
	tcase_add_test(t, numbers_have_one_spelling_and_a_bound);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
