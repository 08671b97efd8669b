/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "lib/fixture.h"
#include "lib/suite.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "pki/san.h"

static struct fixture f;

static void setup(void) {
	fixture_init(&f);
}

static void teardown(void) {
	fixture_wipe(&f);
}

static struct profile_request request(enum role role) {
	struct profile_request r = {
	    .role = role,
	    .name = "carol",
	    .san = role == ROLE_GATEWAY ? "DNS:localhost" : NULL,
	    .not_before_s = f.now_s,
	    .not_after_s = f.now_s + 1000,
	    .serial = {0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	};

	return r;
}

static void issue(const struct profile_request *r, X509 **cert) {
	struct err e = ERR_INIT;

	ck_assert_msg(profile_issue(f.ca.key, f.ca.cert, f.bob.key, r, cert, &e) == 0, "%s", e.text);
}

static void refused(const struct profile_request *r, int code, const char *why) {
	struct err e = ERR_INIT;
	X509 *cert = NULL;

	ck_assert_int_eq(profile_issue(f.ca.key, f.ca.cert, f.bob.key, r, &cert, &e), code);
	ck_assert_ptr_null(cert);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
}

/* OpenSSL's own path check with all that -x509_strict asks, for this purpose. */
static void stock_accepts(X509 *cert, int purpose, bool wanted) {
	OWN(own_x509_store) X509_STORE *store = X509_STORE_new();
	OWN(own_x509_store_ctx) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	ck_assert_int_eq(X509_STORE_add_cert(store, f.ca.cert), 1);
	ck_assert_int_eq(X509_STORE_CTX_init(ctx, store, cert, NULL), 1);
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
	X509_STORE_CTX_set_purpose(ctx, purpose);
	ck_assert_msg((X509_verify_cert(ctx) == 1) == wanted, "%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
}

START_TEST(stock_verifier_agrees_with_each_role) {
	OWN(own_x509) X509 *member = NULL, *gateway = NULL, *admin = NULL;
	struct profile_request m = request(ROLE_MEMBER), g = request(ROLE_GATEWAY), a = request(ROLE_ADMIN);

	issue(&m, &member);
	issue(&g, &gateway);
	issue(&a, &admin);
	stock_accepts(member, X509_PURPOSE_SSL_CLIENT, true);
	stock_accepts(member, X509_PURPOSE_SMIME_SIGN, true);
	stock_accepts(member, X509_PURPOSE_SSL_SERVER, false);
	stock_accepts(admin, X509_PURPOSE_SSL_CLIENT, true);
	stock_accepts(gateway, X509_PURPOSE_SSL_SERVER, true);
	stock_accepts(gateway, X509_PURPOSE_SSL_CLIENT, false);
	stock_accepts(gateway, X509_PURPOSE_SMIME_SIGN, false);
} END_TEST

START_TEST(the_serial_is_positive_and_of_16_octets) {
	OWN(own_x509) X509 *cert = NULL;
	struct profile_request r = request(ROLE_MEMBER);
	uint8_t serial[SERIAL_MAX];

	issue(&r, &cert);
	ck_assert_uint_eq(cert_serial(cert, serial), 16);
	ck_assert_uint_eq(serial[0], 0x7f);
	ck_assert_mem_eq(serial + 1, r.serial + 1, 15);
} END_TEST

START_TEST(a_serial_of_zero_is_refused) {
	struct profile_request r = request(ROLE_MEMBER);

	memset(r.serial, 0, sizeof r.serial);
	r.serial[0] = 0x80;
	refused(&r, ERR_FAIL, "cannot make");
} END_TEST

START_TEST(no_certificate_outlives_the_ca) {
	OWN(own_x509) X509 *cert = NULL;
	struct profile_request r = request(ROLE_MEMBER);

	r.not_before_s = 5;
	r.not_after_s = f.now_s + (int64_t)9999 * FIXTURE_DAY_S;
	issue(&r, &cert);
	ck_assert_int_eq(cert_not_after(cert), cert_not_after(f.ca.cert));
	ck_assert_int_eq(cert_not_before(cert), cert_not_before(f.ca.cert));
} END_TEST

START_TEST(an_end_before_the_begin_is_refused) {
	struct profile_request r = request(ROLE_MEMBER);

	r.not_after_s = r.not_before_s;
	refused(&r, ERR_FAIL, "RFC 5280 4.1.2.5");
	r.not_before_s = cert_not_after(f.ca.cert);
	r.not_after_s = r.not_before_s + 1;
	refused(&r, ERR_FAIL, "RFC 5280 4.1.2.5");
} END_TEST

START_TEST(the_subject_is_what_the_ca_chose) {
	OWN(own_x509) X509 *cert = NULL;
	OWN(own_free) char *group = NULL, *role = NULL, *name = NULL;
	struct profile_request r = request(ROLE_ADMIN);
	struct err e = ERR_INIT;

	issue(&r, &cert);
	ck_assert_int_eq(cert_group(cert, &group, &e), 0);
	ck_assert_int_eq(cert_role(cert, &role, &e), 0);
	ck_assert_int_eq(cert_name(cert, &name, &e), 0);
	ck_assert_str_eq(group, "lab");
	ck_assert_str_eq(role, "admin");
	ck_assert_str_eq(name, "carol");
} END_TEST

START_TEST(a_gateway_needs_a_san_and_a_member_must_not_have_one) {
	struct profile_request g = request(ROLE_GATEWAY), m = request(ROLE_MEMBER);

	g.san = NULL;
	refused(&g, ERR_USAGE, "subject alternative name");
	m.san = "DNS:localhost";
	refused(&m, ERR_USAGE, "subject alternative name");
} END_TEST

START_TEST(hosts_and_addresses_are_found_in_the_san) {
	OWN(own_x509) X509 *cert = NULL;
	struct profile_request r = request(ROLE_GATEWAY);

	r.san = "DNS:gw.example.org,IP:192.0.2.1,IP:2001:db8::1,DNS:localhost";
	issue(&r, &cert);
	ck_assert_int_eq(X509_check_host(cert, "gw.example.org", 0, 0, NULL), 1);
	ck_assert_int_eq(X509_check_host(cert, "LOCALHOST", 0, 0, NULL), 1);
	ck_assert_int_eq(X509_check_ip_asc(cert, "192.0.2.1", 0), 1);
	ck_assert_int_eq(X509_check_ip_asc(cert, "2001:db8::1", 0), 1);
	ck_assert_int_eq(X509_check_host(cert, "example.org", 0, 0, NULL), 0);
	ck_assert_int_eq(X509_check_ip_asc(cert, "192.0.2.2", 0), 0);
} END_TEST

START_TEST(what_is_no_san_is_refused) {
	static const char *const bad[] = {
	    "", "localhost", "DNS:", "IP:", "DNS:a,", ",DNS:a", "DNS:a,,DNS:b", "dns:a", "DNS:*.example.org", "DNS:a b", "DNS:a_b", "DNS:-a",
	    "DNS:a-", "DNS:a..b", "DNS:.a", "DNS:a.", "DNS:127.0.0.1", "DNS:1.2.3", "IP:1.2.3", "IP:1.2.3.4.5", "IP:256.1.1.1", "IP:localhost",
	    "IP:127.0.0.1/8", "IP:[::1]", "email:a@b", "URI:http://a", "dirName:section", "otherName:1.2.3;UTF8:x", "@section", "DNS:zoë.example",
	    "DNS:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct profile_request r = request(ROLE_GATEWAY);

	r.san = bad[_i];
	refused(&r, ERR_USAGE, "");
} END_TEST

START_TEST(too_many_names_are_refused) {
	OWN(buf_wipe) struct buf san = {0};
	struct profile_request r = request(ROLE_GATEWAY);
	OWN(own_x509) X509 *cert = NULL;

	buf_adds(&san, "DNS:h0");
	for (int i = 1; i < SAN_MAX; i++)
		buf_addf(&san, ",DNS:h%d", i);
	r.san = buf_str(&san);
	issue(&r, &cert);
	buf_adds(&san, ",DNS:one-more");
	r.san = buf_str(&san);
	refused(&r, ERR_USAGE, "more than");
} END_TEST

START_TEST(a_name_longer_than_a_host_name_is_refused) {
	OWN(buf_wipe) struct buf name = {0};

	while (name.len < 252)
		buf_adds(&name, "a.");
	buf_adds(&name, "b");
	ck_assert_uint_eq(name.len, 253);
	ck_assert(san_is_host(buf_str(&name)));
	buf_adds(&name, "b");
	ck_assert(!san_is_host(buf_str(&name)));
} END_TEST

START_TEST(the_list_is_announced_when_its_address_is_known) {
	OWN(own_x509) X509 *with = NULL, *without = NULL;
	struct profile_request r = request(ROLE_MEMBER);

	issue(&r, &without);
	ck_assert_int_lt(X509_get_ext_by_NID(without, NID_crl_distribution_points, -1), 0);
	r.crl_url = "http://gw.example.org/crl?a=1,b=2";
	issue(&r, &with);
	CRL_DIST_POINTS *points = X509_get_ext_d2i(with, NID_crl_distribution_points, NULL, NULL);
	ck_assert_int_eq(sk_DIST_POINT_num(points), 1);
	const GENERAL_NAME *name = sk_GENERAL_NAME_value(sk_DIST_POINT_value(points, 0)->distpoint->name.fullname, 0);
	ck_assert_str_eq((const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier), r.crl_url);
	CRL_DIST_POINTS_free(points);
	ck_assert_int_eq(chain_check(f.chain, with, PURPOSE_CLIENT, NULL), VERDICT_GOOD);
} END_TEST

START_TEST(names_and_keys_are_checked_before_signing) {
	OWN(own_pkey) EVP_PKEY *weak = EVP_EC_gen("P-521");
	struct profile_request r = request(ROLE_MEMBER), slash = request(ROLE_MEMBER);
	struct err e = ERR_INIT;
	X509 *cert = NULL;

	slash.name = "a/b";
	refused(&slash, ERR_USAGE, "member name");
	ck_assert_int_eq(profile_issue(f.ca.key, f.ca.cert, weak, &r, &cert, &e), ERR_REFUSED);
	ck_assert_int_eq(profile_issue(f.foreign_ca.key, f.ca.cert, f.bob.key, &r, &cert, &e), ERR_DAMAGED);
	ck_assert_ptr_null(cert);
} END_TEST

START_TEST(a_ca_with_a_bad_group_name_is_refused) {
	static const char *const bad[] = {"", "a/b", "a%b", "a\nb", " a"};
	struct err e = ERR_INIT;
	X509 *ca = NULL;

	ck_assert_int_eq(profile_ca(f.ca.key, bad[_i], 1, 2, &ca, &e), ERR_USAGE);
	ck_assert_ptr_null(ca);
} END_TEST

START_TEST(roles_have_names) {
	enum role r;
	struct err e = ERR_INIT;

	for (int i = ROLE_MEMBER; i <= ROLE_ADMIN; i++) {
		ck_assert_int_eq(role_parse(role_name((enum role)i), &r, &e), 0);
		ck_assert_int_eq((int)r, i);
	}
	ck_assert_int_eq(role_parse("Member", &r, &e), ERR_USAGE);
	ck_assert_int_eq(role_parse("", &r, &e), ERR_USAGE);
} END_TEST

int main(void) {
	TCase *t = tcase_create("profile");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, stock_verifier_agrees_with_each_role);
	tcase_add_test(t, the_serial_is_positive_and_of_16_octets);
	tcase_add_test(t, a_serial_of_zero_is_refused);
	tcase_add_test(t, no_certificate_outlives_the_ca);
	tcase_add_test(t, an_end_before_the_begin_is_refused);
	tcase_add_test(t, the_subject_is_what_the_ca_chose);
	tcase_add_test(t, a_gateway_needs_a_san_and_a_member_must_not_have_one);
	tcase_add_test(t, hosts_and_addresses_are_found_in_the_san);
	tcase_add_loop_test(t, what_is_no_san_is_refused, 0, 31);
	tcase_add_test(t, too_many_names_are_refused);
	tcase_add_test(t, a_name_longer_than_a_host_name_is_refused);
	tcase_add_test(t, the_list_is_announced_when_its_address_is_known);
	tcase_add_test(t, names_and_keys_are_checked_before_signing);
	tcase_add_loop_test(t, a_ca_with_a_bad_group_name_is_refused, 0, 5);
	tcase_add_test(t, roles_have_names);
	return suite_run("profile", t);
}
