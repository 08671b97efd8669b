/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "lib/suite.h"
#include "pki/name.h"
#include "pki/ossl.h"

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

START_TEST(names_of_people_pass) {
	static const char *const names[] = {"a", "alice", "Alice Doe", "Zoë", "李雷", "o'neil", "a.b-c_d@example.org", "..", "-x", SIXTY "abcd",
	    "a\"b\\c", "a,b+c=d;e<f>"};
	struct err e = ERR_INIT;

	ck_assert_msg(name_check(names[_i], "member", &e) == 0, "%s", e.text);
} END_TEST

START_TEST(what_is_no_name_is_refused) {
	static const char *const names[] = {
	    "", SIXTY "abcde", "a/b", "/", "a%b", "%41", "a\nb", "a\tb", "\x1b[2J", "a\x7f", "\xc2\x85", /* C1 */
	    "a\xe2\x80\xa8z",  /* U+2028 line separator */
	    "a\xe2\x80\xaez",  /* U+202E, turns the text around */
	    "\xff", "a\xc3", "\xc0\xaf", /* an over-long '/' */
	    "\xed\xa0\x80",    /* a surrogate */
	    "Zoe\xcc\x88",     /* not NFC */
	    " alice", "alice ",
	};
	struct err e = ERR_INIT;

	ck_assert_int_eq(name_check(names[_i], "member", &e), ERR_USAGE);
	ck_assert(strncmp(e.text, "member name: ", 13) == 0);
} END_TEST

START_TEST(a_subject_has_group_role_and_name_in_this_order) {
	OWN(own_x509_name) X509_NAME *n = NULL;
	OWN(own_free) char *cn = NULL, *ou = NULL, *o = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(name_build("lab", "member", "Zoë", &n, &e), 0);
	ck_assert_int_eq(X509_NAME_entry_count(n), 3);
	ck_assert_int_eq(X509_NAME_get_index_by_NID(n, NID_organizationName, -1), 0);
	ck_assert_int_eq(X509_NAME_get_index_by_NID(n, NID_organizationalUnitName, -1), 1);
	ck_assert_int_eq(X509_NAME_get_index_by_NID(n, NID_commonName, -1), 2);
	ck_assert_int_eq(ASN1_STRING_type(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(n, 2))), V_ASN1_UTF8STRING);
	ck_assert_int_eq(name_get(n, NID_commonName, &cn, &e), 0);
	ck_assert_int_eq(name_get(n, NID_organizationalUnitName, &ou, &e), 0);
	ck_assert_int_eq(name_get(n, NID_organizationName, &o, &e), 0);
	ck_assert_str_eq(cn, "Zoë");
	ck_assert_str_eq(ou, "member");
	ck_assert_str_eq(o, "lab");
} END_TEST

START_TEST(a_group_too_long_for_the_cn_stands_in_o) {
	OWN(own_x509_name) X509_NAME *fits = NULL, *does_not = NULL;
	OWN(own_free) char *cn = NULL, *o = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(name_build_ca(SIXTY "a", &fits, &e), 0);
	ck_assert_int_eq(X509_NAME_entry_count(fits), 1);
	ck_assert_int_eq(name_build_ca(SIXTY "ab", &does_not, &e), 0);
	ck_assert_int_eq(name_get(does_not, NID_organizationName, &o, &e), 0);
	ck_assert_int_eq(name_get(does_not, NID_commonName, &cn, &e), 0);
	ck_assert_str_eq(o, SIXTY "ab");
	ck_assert_str_eq(cn, "CA");
} END_TEST

/* A name with one CN of this type and these bytes. */
static X509_NAME *with_cn(int type, const char *bytes, int len) {
	X509_NAME *n = X509_NAME_new();

	ck_assert_int_eq(X509_NAME_add_entry_by_NID(n, NID_commonName, type, (const unsigned char *)bytes, len, -1, 0), 1);
	return n;
}

static void not_got(const X509_NAME *n) {
	struct err e = ERR_INIT;
	char *out = NULL;

	ck_assert_int_eq(name_get(n, NID_commonName, &out, &e), ERR_DAMAGED);
	ck_assert_ptr_null(out);
	ck_assert(strncmp(e.text, "RFC 5280", 8) == 0);
}

START_TEST(printable_string_is_read_too) {
	OWN(own_x509_name) X509_NAME *n = with_cn(V_ASN1_PRINTABLESTRING, "alice", 5);
	OWN(own_free) char *out = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(name_get(n, NID_commonName, &out, &e), 0);
	ck_assert_str_eq(out, "alice");
} END_TEST

START_TEST(a_hostile_attribute_is_refused) {
	static const struct { int type; const char *bytes; int len; } hostile[] = {
	    {V_ASN1_UTF8STRING, "ali\0ce", 6}, {V_ASN1_UTF8STRING, "\xff\xfe", 2}, {V_ASN1_UTF8STRING, "a/b", 3},
	    {V_ASN1_UTF8STRING, "a\nb", 3}, {V_ASN1_UTF8STRING, SIXTY SIXTY, 120}, {V_ASN1_T61STRING, "alice", 5},
	    {V_ASN1_BMPSTRING, "\0a\0b", 4}, {V_ASN1_IA5STRING, "alice", 5}, {V_ASN1_UTF8STRING, "", 0},
	};
	OWN(own_x509_name) X509_NAME *n = with_cn(hostile[_i].type, hostile[_i].bytes, hostile[_i].len);

	not_got(n);
} END_TEST

START_TEST(a_missing_or_second_attribute_is_refused) {
	OWN(own_x509_name) X509_NAME *none = X509_NAME_new(), *two = with_cn(V_ASN1_UTF8STRING, "alice", 5);

	not_got(none);
	ck_assert_int_eq(X509_NAME_add_entry_by_NID(two, NID_commonName, V_ASN1_UTF8STRING, (const unsigned char *)"bob", 3, -1, 0), 1);
	not_got(two);
} END_TEST

int main(void) {
	TCase *t = tcase_create("name");

	tcase_add_loop_test(t, names_of_people_pass, 0, 12);
	tcase_add_loop_test(t, what_is_no_name_is_refused, 0, 20);
	tcase_add_test(t, a_subject_has_group_role_and_name_in_this_order);
	tcase_add_test(t, a_group_too_long_for_the_cn_stands_in_o);
	tcase_add_test(t, printable_string_is_read_too);
	tcase_add_loop_test(t, a_hostile_attribute_is_refused, 0, 9);
	tcase_add_test(t, a_missing_or_second_attribute_is_refused);
	return suite_run("name", t);
}
