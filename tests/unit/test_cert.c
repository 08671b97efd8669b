/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fixture.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "base/clock.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"

#define SIXTY "123456789 123456789 123456789 123456789 123456789 123456789_"

static struct fixture f;

static void setup(void) {
	tmp_make();
	fixture_init(&f);
}

static void teardown(void) {
	fixture_wipe(&f);
	tmp_drop();
}

static void parses_as(const void *data, size_t len, const X509 *want) {
	OWN(own_x509) X509 *got = NULL;
	struct err e = ERR_INIT;

	ck_assert_msg(cert_parse(data, len, &got, &e) == 0, "%s", e.text);
	ck_assert_int_eq(X509_cmp(got, want), 0);
}

static void does_not_parse(const void *data, size_t len, const char *why) {
	X509 *got = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(cert_parse(data, len, &got, &e), ERR_DAMAGED);
	ck_assert_ptr_null(got);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
}

START_TEST(pem_and_der_are_read) {
	OWN(buf_wipe) struct buf pem = {0}, der = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(cert_pem(f.alice.cert, &pem, &e), 0);
	ck_assert_int_eq(cert_der(f.alice.cert, &der, &e), 0);
	parses_as(pem.data, pem.len, f.alice.cert);
	parses_as(der.data, der.len, f.alice.cert);
	buf_adds(&pem, " \t\r\n\n");
	parses_as(pem.data, pem.len, f.alice.cert);
} END_TEST

START_TEST(text_before_the_block_is_no_harm) {
	OWN(buf_wipe) struct buf pem = {0};
	struct err e = ERR_INIT;

	buf_adds(&pem, "Certificate:\n    Data: for alice\n");
	ck_assert_int_eq(cert_pem(f.alice.cert, &pem, &e), 0);
	parses_as(pem.data, pem.len, f.alice.cert);
} END_TEST

START_TEST(what_follows_a_certificate_is_refused) {
	OWN(buf_wipe) struct buf pem = {0}, der = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(cert_pem(f.alice.cert, &pem, &e), 0);
	ck_assert_int_eq(cert_pem(f.bob.cert, &pem, &e), 0);
	does_not_parse(pem.data, pem.len, "RFC 7468");
	ck_assert_int_eq(cert_der(f.alice.cert, &der, &e), 0);
	buf_addc(&der, '\n');
	does_not_parse(der.data, der.len, "RFC 5280 4.1");
} END_TEST

START_TEST(another_block_is_refused) {
	static const char *const labels[] = {"X509 CRL", "PRIVATE KEY", "TRUSTED CERTIFICATE", "PKCS7"};
	OWN(buf_wipe) struct buf pem = {0}, other = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(cert_pem(f.alice.cert, &pem, &e), 0);
	const char *body = strchr(buf_str(&pem), '\n'), *end = strstr(body, "-----END");
	buf_addf(&other, "-----BEGIN %s-----%.*s-----END %s-----\n", labels[_i], (int)(end - body), body, labels[_i]);
	does_not_parse(other.data, other.len, "RFC 7468");
} END_TEST

START_TEST(nothing_is_no_certificate) {
	does_not_parse("", 0, "RFC 7468");
	does_not_parse("hello\n", 6, "RFC 7468");
	does_not_parse("\x30\x00", 2, "RFC 5280 4.1");
} END_TEST

START_TEST(a_long_file_is_refused) {
	OWN(own_free) uint8_t *big = xcalloc(1, CERT_MAX_BYTES + 1);

	does_not_parse(big, CERT_MAX_BYTES + 1, "longer");
} END_TEST

/* An indefinite length: BER, which d2i_X509 takes. */
START_TEST(ber_is_refused) {
	OWN(buf_wipe) struct buf der = {0}, ber = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(cert_der(f.alice.cert, &der, &e), 0);
	ck_assert_uint_eq(der.data[1], 0x82);
	buf_addc(&ber, 0x30);
	buf_addc(&ber, 0x80);
	buf_add(&ber, der.data + 4, der.len - 4);
	buf_add(&ber, "\0\0", 2);
	does_not_parse(ber.data, ber.len, "RFC 5280 4.1");
} END_TEST

START_TEST(cut_at_each_length_it_is_refused) {
	OWN(buf_wipe) struct buf der = {0}, pem = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(cert_der(f.alice.cert, &der, &e), 0);
	ck_assert_int_eq(cert_pem(f.alice.cert, &pem, &e), 0);
	for (size_t i = 0; i < der.len; i++)
		does_not_parse(der.data, i, "RFC");
	for (size_t i = 0; i + 1 < pem.len; i++)
		does_not_parse(pem.data, i, "RFC");
} END_TEST

static void refused_or_round_trips(const struct buf *der) {
	OWN(own_x509) X509 *got = NULL;
	OWN(buf_wipe) struct buf again = {0};
	struct err e = ERR_INIT;

	if (cert_parse(der->data, der->len, &got, &e) < 0)
		return;
	ck_assert_int_eq(cert_der(got, &again, &e), 0);
	ck_assert_uint_eq(again.len, der->len);
	ck_assert_mem_eq(again.data, der->data, der->len);
	ck_assert_int_ne(chain_check(f.chain, got, PURPOSE_CLIENT, &e), VERDICT_GOOD);
}

START_TEST(flipped_anywhere_it_is_refused_or_round_trips_and_never_good) {
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(cert_der(f.alice.cert, &der, &e), 0);
	for (size_t i = 0; i < der.len; i++) {
		for (int bit = 1; bit < 256; bit <<= 3) {
			der.data[i] = (uint8_t)(der.data[i] ^ bit);
			refused_or_round_trips(&der);
			der.data[i] = (uint8_t)(der.data[i] ^ bit);
		}
	}
} END_TEST

START_TEST(what_a_certificate_says_is_read) {
	OWN(own_free) char *name = NULL, *role = NULL, *group = NULL, *ca_group = NULL;
	struct err e = ERR_INIT;
	size_t len = 0;

	ck_assert_int_eq(cert_name(f.alice.cert, &name, &e), 0);
	ck_assert_int_eq(cert_role(f.alice.cert, &role, &e), 0);
	ck_assert_int_eq(cert_group(f.alice.cert, &group, &e), 0);
	ck_assert_int_eq(cert_ca_group(f.ca.cert, &ca_group, &e), 0);
	ck_assert_str_eq(name, "alice");
	ck_assert_str_eq(role, "member");
	ck_assert_str_eq(group, "lab");
	ck_assert_str_eq(ca_group, "lab");
	ck_assert_ptr_nonnull(cert_ski(f.alice.cert, &len));
	ck_assert_uint_eq(len, 20);
	ck_assert_int_eq(cert_not_before(f.alice.cert), f.now_s - PROFILE_SKEW_S);
	ck_assert_int_eq(cert_not_after(f.alice.cert), f.now_s + 90 * FIXTURE_DAY_S);
} END_TEST

START_TEST(dates_beyond_2049_are_read) {
	OWN(fixture_id_wipe) struct fixture_id ca = {0};
	struct err e = ERR_INIT;
	int64_t far = (int64_t)2600000000 + 5;

	ck_assert_int_eq(key_make(NULL, &ca.key, &e), 0);
	ck_assert_int_eq(profile_ca(ca.key, "lab", 1000000000, far, &ca.cert, &e), 0);
	ck_assert_int_eq(cert_not_before(ca.cert), 1000000000);
	ck_assert_int_eq(cert_not_after(ca.cert), far);
} END_TEST

START_TEST(the_serial_is_given_as_bytes_and_hex) {
	uint8_t serial[SERIAL_MAX];
	char hex[SERIAL_HEX], again[SERIAL_HEX];
	size_t len = cert_serial(f.alice.cert, serial);

	ck_assert_uint_ge(len, 1);
	ck_assert_uint_le(len, 16);
	ck_assert_uint_ne(serial[0], 0);
	cert_serial_hex(f.alice.cert, hex);
	text_hex(serial, len, again);
	ck_assert_str_eq(hex, again);
} END_TEST

static void set_long_serial(X509 *cert) {
	BIGNUM *n = BN_new();

	ck_assert_int_eq(BN_set_bit(n, 300), 1);
	ck_assert_ptr_nonnull(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)));
	BN_free(n);
}

START_TEST(an_over_long_serial_is_cut_not_overrun) {
	OWN(own_x509) X509 *cert = fixture_tamper(f.alice.cert, &f.ca, NULL, set_long_serial);
	uint8_t serial[SERIAL_MAX];

	ck_assert_uint_eq(cert_serial(cert, serial), SERIAL_MAX);
} END_TEST

START_TEST(long_group_names_survive_the_ca_certificate) {
	static const char *const groups[] = {SIXTY, SIXTY "1", SIXTY "12", SIXTY "1234", "CA", "x CA"};
	OWN(fixture_id_wipe) struct fixture_id ca = {0};
	OWN(own_free) char *group = NULL;
	struct err e = ERR_INIT;

	fixture_ca(groups[_i], NULL, &ca);
	ck_assert_msg(cert_ca_group(ca.cert, &group, &e) == 0, "%s", e.text);
	ck_assert_str_eq(group, groups[_i]);
} END_TEST

START_TEST(a_member_certificate_names_no_group_as_a_ca) {
	char *group = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(cert_ca_group(f.alice.cert, &group, &e), ERR_DAMAGED);
	ck_assert_ptr_null(group);
} END_TEST

START_TEST(a_key_that_does_not_fit_is_refused) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(cert_check_key(f.alice.cert, f.alice.key, "alice", &e), 0);
	ck_assert_int_eq(cert_check_key(f.alice.cert, f.bob.key, "alice", &e), ERR_DAMAGED);
} END_TEST

START_TEST(files_are_loaded_and_named_in_errors) {
	OWN(buf_wipe) struct buf pem = {0};
	struct err e = ERR_INIT;
	OWN(own_x509) X509 *got = NULL;
	X509 *none = NULL;

	ck_assert_int_eq(cert_pem(f.alice.cert, &pem, &e), 0);
	const char *good = tmp_file("good.crt", pem.data, pem.len, 0644);
	const char *bad = tmp_file("bad.crt", pem.data, pem.len / 2, 0644);
	const char *gone = tmp_path("gone.crt");
	ck_assert_int_eq(cert_load(good, &got, &e), 0);
	ck_assert_int_eq(X509_cmp(got, f.alice.cert), 0);
	ck_assert_int_eq(cert_load(bad, &none, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, bad));
	ck_assert_int_eq(cert_load(gone, &none, &e), ERR_NOTFOUND);
} END_TEST

int main(void) {
	TCase *t = tcase_create("cert");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, pem_and_der_are_read);
	tcase_add_test(t, text_before_the_block_is_no_harm);
	tcase_add_test(t, what_follows_a_certificate_is_refused);
	tcase_add_loop_test(t, another_block_is_refused, 0, 4);
	tcase_add_test(t, nothing_is_no_certificate);
	tcase_add_test(t, a_long_file_is_refused);
	tcase_add_test(t, ber_is_refused);
	tcase_add_test(t, cut_at_each_length_it_is_refused);
	tcase_add_test(t, flipped_anywhere_it_is_refused_or_round_trips_and_never_good);
	tcase_add_test(t, what_a_certificate_says_is_read);
	tcase_add_test(t, dates_beyond_2049_are_read);
	tcase_add_test(t, the_serial_is_given_as_bytes_and_hex);
	tcase_add_test(t, an_over_long_serial_is_cut_not_overrun);
	tcase_add_loop_test(t, long_group_names_survive_the_ca_certificate, 0, 6);
	tcase_add_test(t, a_member_certificate_names_no_group_as_a_ca);
	tcase_add_test(t, a_key_that_does_not_fit_is_refused);
	tcase_add_test(t, files_are_loaded_and_named_in_errors);
	return suite_run("cert", t);
}
