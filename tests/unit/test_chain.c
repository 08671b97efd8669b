/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "lib/fixture.h"
#include "lib/suite.h"
#include "base/clock.h"
#include "base/der.h"
#include "base/work.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/name.h"
#include "pki/ossl.h"
#include "pki/sigalg.h"

static struct fixture f;

static void setup(void) {
	fixture_init(&f);
}

static void teardown(void) {
	fixture_wipe(&f);
}

static void is(X509 *cert, enum purpose purpose, enum verdict want, const char *why) {
	struct err e = ERR_INIT;
	enum verdict got = chain_check(f.chain, cert, purpose, &e);

	ck_assert_msg(got == want, "%s instead of %s: %s", verdict_name(got), verdict_name(want), e.text);
	if (why != NULL)
		ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
	if (want != VERDICT_GOOD)
		ck_assert_int_eq(e.code, ERR_REFUSED);
}

START_TEST(members_are_clients_and_signers) {
	X509 *certs[] = {f.alice.cert, f.bob.cert, f.admin.cert};

	is(certs[_i], PURPOSE_CLIENT, VERDICT_GOOD, NULL);
	is(certs[_i], PURPOSE_SIGNER, VERDICT_GOOD, NULL);
	is(certs[_i], PURPOSE_SERVER, VERDICT_WRONG_PURPOSE, "serverAuth");
} END_TEST

START_TEST(gateways_are_servers_only) {
	is(f.gateway.cert, PURPOSE_SERVER, VERDICT_GOOD, NULL);
	is(f.gateway.cert, PURPOSE_CLIENT, VERDICT_WRONG_PURPOSE, "clientAuth");
	is(f.gateway.cert, PURPOSE_SIGNER, VERDICT_WRONG_PURPOSE, "emailProtection");
} END_TEST

START_TEST(each_kind_of_key_is_good) {
	static const char *const cas[] = {"ec:P-256", "ec:P-384", "rsa:3072"}, *const specs[] = {"rsa:2048", "ec:P-256", "ec:P-384"};
	OWN(fixture_id_wipe) struct fixture_id ca = {0}, id = {0};
	struct chain *c = NULL;
	struct err e = ERR_INIT;

	fixture_ca("lab", cas[_i], &ca);
	fixture_issue(&ca, ROLE_MEMBER, "alice", specs[_i], f.now_s, f.now_s + 100, &id);
	ck_assert_msg(chain_new(ca.cert, &c, &e) == 0, "%s", e.text);
	ck_assert_msg(chain_check(c, id.cert, PURPOSE_CLIENT, &e) == VERDICT_GOOD, "%s", e.text);
	ck_assert_str_eq(chain_group(c), "lab");
	ck_assert_ptr_eq(chain_ca(c), ca.cert);
	chain_free(c);
} END_TEST

START_TEST(no_certificate_is_refused) {
	is(NULL, PURPOSE_CLIENT, VERDICT_NO_CERTIFICATE, NULL);
} END_TEST

START_TEST(a_foreign_ca_with_the_same_name_is_foreign) {
	is(f.foreign.cert, PURPOSE_CLIENT, VERDICT_FOREIGN, "RFC 5280 4.2.1.1");
	is(f.foreign_gateway.cert, PURPOSE_SERVER, VERDICT_FOREIGN, NULL);
	is(f.foreign_ca.cert, PURPOSE_CLIENT, VERDICT_FOREIGN, NULL);
} END_TEST

START_TEST(a_ca_with_another_name_is_foreign) {
	OWN(fixture_id_wipe) struct fixture_id ca = {0}, id = {0};

	fixture_ca("other", NULL, &ca);
	fixture_issue(&ca, ROLE_MEMBER, "alice", NULL, f.now_s, f.now_s + 100, &id);
	is(id.cert, PURPOSE_CLIENT, VERDICT_FOREIGN, "another CA");
} END_TEST

START_TEST(the_ca_itself_is_no_member) {
	is(f.ca.cert, PURPOSE_CLIENT, VERDICT_WRONG_PURPOSE, NULL);
} END_TEST

/* A foreign CA that claims our CA's name and key identifier still has another key. */
START_TEST(a_forged_signature_is_foreign) {
	OWN(own_x509) X509 *forged = fixture_tamper(f.alice.cert, &f.foreign_ca, NULL, NULL);

	is(forged, PURPOSE_CLIENT, VERDICT_FOREIGN, "signature is not the CA's");
} END_TEST

/* What was found good is remembered: as these very bytes, for this CA, and not for more than it says. */
START_TEST(the_memory_of_good_ones_covers_nothing_else) {
	OWN(own_x509) X509 *forged = fixture_tamper(f.alice.cert, &f.foreign_ca, NULL, NULL);

	is(f.foreign.cert, PURPOSE_CLIENT, VERDICT_FOREIGN, NULL);
	for (int i = 0; i < 2; i++) {
		is(f.alice.cert, PURPOSE_CLIENT, VERDICT_GOOD, NULL);
		is(f.alice.cert, PURPOSE_SERVER, VERDICT_WRONG_PURPOSE, "serverAuth");
		is(forged, PURPOSE_CLIENT, VERDICT_FOREIGN, "signature is not the CA's");
		is(f.foreign.cert, PURPOSE_CLIENT, VERDICT_FOREIGN, NULL);
	}
} END_TEST

/* What a chain remembers of a certificate, released at once: the pointer serves for comparison only. */
static const X509 *known(const X509 *cert) {
	uint8_t sha256[32];
	X509 *found;

	cert_sha256(cert, sha256);
	found = chain_known(f.chain, sha256);
	X509_free(found);
	return found;
}

START_TEST(only_what_was_found_good_is_known) {
	uint8_t none[32] = {0};

	ck_assert_ptr_null(known(f.alice.cert));
	is(f.foreign.cert, PURPOSE_CLIENT, VERDICT_FOREIGN, NULL);
	ck_assert_ptr_null(known(f.foreign.cert));
	ck_assert_ptr_null(chain_known(f.chain, none));
	/* good by the profile: that it does not serve a purpose is asked each time */
	is(f.alice.cert, PURPOSE_SERVER, VERDICT_WRONG_PURPOSE, NULL);
	ck_assert_ptr_eq(known(f.alice.cert), f.alice.cert);
	ck_assert_ptr_null(known(f.bob.cert));
} END_TEST

/* Each of these changes alone, signed by the true CA, makes alice's certificate bad. */

static void set_subject(X509 *cert, const char *o, const char *ou, const char *cn, const char *second_ou) {
	X509_NAME *n = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(name_build(o, ou, cn, &n, &e), 0);
	if (second_ou != NULL)
		ck_assert_int_eq(X509_NAME_add_entry_by_txt(n, "OU", MBSTRING_UTF8, (const unsigned char *)second_ou, -1, -1, 0), 1);
	ck_assert_int_eq(X509_set_subject_name(cert, n), 1);
	X509_NAME_free(n);
}

static void no_change(X509 *c) { (void)c; }
static void a_place_too(X509 *c) {
	X509_NAME *n = X509_NAME_dup(X509_get_subject_name(c));

	ck_assert_int_eq(X509_NAME_add_entry_by_txt(n, "L", MBSTRING_UTF8, (const unsigned char *)"Bern", -1, -1, 0), 1);
	ck_assert_int_eq(X509_set_subject_name(c, n), 1);
	X509_NAME_free(n);
}

static void version_1(X509 *c) { ck_assert_int_eq(X509_set_version(c, 0), 1); }
static void serial_zero(X509 *c) { ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(c), 0), 1); }
static void serial_negative(X509 *c) { ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(c), -5), 1); }
static void other_group(X509 *c) { set_subject(c, "other", "member", "alice", NULL); }
static void no_group(X509 *c) { set_subject(c, NULL, "member", "alice", NULL); }
static void no_name(X509 *c) { set_subject(c, "lab", "member", NULL, NULL); }
static void two_roles(X509 *c) { set_subject(c, "lab", "member", "alice", "gateway"); }
static void bad_name(X509 *c) { set_subject(c, "lab", "member", "al/ice", NULL); }
static void unknown_role(X509 *c) { set_subject(c, "lab", "king", "alice", NULL); }
static void gateway_role(X509 *c) { set_subject(c, "lab", "gateway", "alice", NULL); }
static void no_ski(X509 *c) { fixture_set_ext(c, NID_subject_key_identifier, NULL); }
static void short_ski(X509 *c) { fixture_set_ext(c, NID_subject_key_identifier, "01:02:03:04"); }
static void no_aki(X509 *c) { fixture_set_ext(c, NID_authority_key_identifier, NULL); }
static void is_ca(X509 *c) { fixture_set_ext(c, NID_basic_constraints, "critical,CA:TRUE"); }
static void no_key_usage(X509 *c) { fixture_set_ext(c, NID_key_usage, NULL); }
static void usage_cert_sign(X509 *c) { fixture_set_ext(c, NID_key_usage, "critical,digitalSignature,keyAgreement,keyCertSign"); }
static void usage_no_signature(X509 *c) { fixture_set_ext(c, NID_key_usage, "critical,keyAgreement"); }
static void usage_encipherment(X509 *c) { fixture_set_ext(c, NID_key_usage, "critical,digitalSignature,keyEncipherment"); }
static void no_eku(X509 *c) { fixture_set_ext(c, NID_ext_key_usage, NULL); }
static void any_eku(X509 *c) { fixture_set_ext(c, NID_ext_key_usage, "anyExtendedKeyUsage"); }
static void any_eku_too(X509 *c) { fixture_set_ext(c, NID_ext_key_usage, "clientAuth,emailProtection,anyExtendedKeyUsage"); }
static void server_too(X509 *c) { fixture_set_ext(c, NID_ext_key_usage, "clientAuth,emailProtection,serverAuth"); }
static void server_instead(X509 *c) { fixture_set_ext(c, NID_ext_key_usage, "serverAuth"); }
static void client_only(X509 *c) { fixture_set_ext(c, NID_ext_key_usage, "clientAuth"); }
static void unknown_critical(X509 *c) { fixture_set_ext(c, NID_netscape_comment, "critical,hello"); }
static void critical_constraint(X509 *c) { fixture_set_ext(c, NID_name_constraints, "critical,permitted;DNS:example.org"); }
static void critical_point(X509 *c) { fixture_set_ext(c, NID_crl_distribution_points, "critical,URI:http://a.example/"); }

static void usage_twice(X509 *c) {
	X509_EXTENSION *ext = X509_get_ext(c, X509_get_ext_by_NID(c, NID_key_usage, -1));

	ck_assert_int_eq(X509_add_ext(c, ext, -1), 1);
}

static void unreadable_usage(X509 *c) {
	X509_EXTENSION *ext = X509_get_ext(c, X509_get_ext_by_NID(c, NID_ext_key_usage, -1));
	ASN1_OCTET_STRING *bytes = ASN1_OCTET_STRING_new();

	ck_assert_int_eq(ASN1_OCTET_STRING_set(bytes, (const unsigned char *)"\x30\x05junk", 6), 1);
	ck_assert_int_eq(X509_EXTENSION_set_data(ext, bytes), 1);
	ASN1_OCTET_STRING_free(bytes);
}

static void long_serial(X509 *c) {
	BIGNUM *n = BN_new();

	ck_assert_int_eq(BN_set_bit(n, 159), 1); /* 20 octets, and one more for the sign */
	ck_assert_ptr_nonnull(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(c)));
	BN_free(n);
}

static void p521_key(X509 *c) {
	EVP_PKEY *key = EVP_EC_gen("P-521");

	ck_assert_int_eq(X509_set_pubkey(c, key), 1);
	EVP_PKEY_free(key);
}

static const struct tampering {
	void (*change)(X509 *cert);
	enum verdict want;
	const char *why;
} tamperings[] = {
    {no_change, VERDICT_GOOD, NULL},
    {version_1, VERDICT_WRONG_PURPOSE, "4.1.2.1"},
    {serial_zero, VERDICT_WRONG_PURPOSE, "4.1.2.2"},
    {serial_negative, VERDICT_WRONG_PURPOSE, "4.1.2.2"},
    {long_serial, VERDICT_WRONG_PURPOSE, "4.1.2.2"},
    {p521_key, VERDICT_FOREIGN, "key"},
    {other_group, VERDICT_WRONG_PURPOSE, "organization"},
    {no_group, VERDICT_WRONG_PURPOSE, "organization"},
    {no_name, VERDICT_WRONG_PURPOSE, "4.1.2.6"},
    {bad_name, VERDICT_WRONG_PURPOSE, "4.1.2.6"},
    {two_roles, VERDICT_WRONG_PURPOSE, "4.1.2.6"},
    {a_place_too, VERDICT_WRONG_PURPOSE, "4.1.2.6"},
    {no_ski, VERDICT_WRONG_PURPOSE, "4.2.1.2"},
    {short_ski, VERDICT_WRONG_PURPOSE, "4.2.1.2"},
    {no_aki, VERDICT_WRONG_PURPOSE, "4.2.1.1"},
    {unknown_critical, VERDICT_WRONG_PURPOSE, "unknown critical"},
    {critical_constraint, VERDICT_WRONG_PURPOSE, "unknown critical"},
    {critical_point, VERDICT_WRONG_PURPOSE, "unknown critical"},
    {usage_twice, VERDICT_WRONG_PURPOSE, "twice"},
    {unreadable_usage, VERDICT_WRONG_PURPOSE, "cannot be read"},
    {is_ca, VERDICT_WRONG_PURPOSE, "4.2.1.9"},
    {no_key_usage, VERDICT_WRONG_PURPOSE, "4.2.1.3"},
    {usage_cert_sign, VERDICT_WRONG_PURPOSE, "4.2.1.3"},
    {usage_no_signature, VERDICT_WRONG_PURPOSE, "4.2.1.3"},
    {usage_encipherment, VERDICT_WRONG_PURPOSE, "4.2.1.3"},
    {unknown_role, VERDICT_WRONG_PURPOSE, "unknown role"},
    {gateway_role, VERDICT_WRONG_PURPOSE, "4.2.1.12"},
    {no_eku, VERDICT_WRONG_PURPOSE, "4.2.1.12"},
    {any_eku, VERDICT_WRONG_PURPOSE, "4.2.1.12"},
    {any_eku_too, VERDICT_WRONG_PURPOSE, "4.2.1.12"},
    {server_too, VERDICT_WRONG_PURPOSE, "4.2.1.12"},
    {server_instead, VERDICT_WRONG_PURPOSE, "4.2.1.12"},
    {client_only, VERDICT_WRONG_PURPOSE, "4.2.1.12"},
};

#define N_TAMPERINGS ((int)(sizeof tamperings / sizeof tamperings[0]))

START_TEST(whatever_leaves_the_profile_is_refused_though_signed) {
	const struct tampering *t = &tamperings[_i];
	OWN(own_x509) X509 *cert = fixture_tamper(f.alice.cert, &f.ca, NULL, t->change);

	is(cert, PURPOSE_CLIENT, t->want, t->why);
} END_TEST

/* alice's certificate, signed by the CA with a unique identifier ([1] the issuer's, [2] the subject's) before the
 * extensions; OpenSSL has no function that writes one. */
static X509 *with_unique_id(uint8_t tag) {
	OWN(buf_wipe) struct buf der = {0}, out = {0}, sig = {0};
	struct der d, cert, tbs, in, whole;
	uint8_t found;

	ck_assert_int_eq(cert_der(f.alice.cert, &der, NULL), 0);
	d = (struct der){der.data, der.len};
	ck_assert_int_eq(der_take(&d, DER_SEQUENCE, &cert, "", NULL), 0);
	ck_assert_int_eq(der_take(&cert, DER_SEQUENCE, &tbs, "", NULL), 0);
	while (!der_next_is(&tbs, DER_CTX_CONS(3))) {
		ck_assert_int_eq(der_take_any(&tbs, &found, &in, &whole, "", NULL), 0);
		buf_add(&out, whole.p, whole.len);
	}
	der_put(&out, tag, "\0\x5a", 2);
	buf_add(&out, tbs.p, tbs.len);
	der_wrap(&out, 0, DER_SEQUENCE);
	ck_assert_int_eq(sigalg_sign(SIGALG_ECDSA_SHA256, f.ca.key, out.data, out.len, &sig, NULL), 0);
	sigalg_put(SIGALG_ECDSA_SHA256, &out);
	size_t mark = out.len;
	buf_addc(&out, 0);
	buf_add(&out, sig.data, sig.len);
	der_wrap(&out, mark, DER_BIT_STRING);
	der_wrap(&out, 0, DER_SEQUENCE);
	const unsigned char *p = out.data;
	return d2i_X509(NULL, &p, (long)out.len);
}

START_TEST(unique_identifiers_are_refused_though_signed) {
	OWN(own_x509) X509 *cert = with_unique_id((uint8_t)DER_CTX(_i));

	ck_assert_ptr_nonnull(cert);
	is(cert, PURPOSE_CLIENT, VERDICT_WRONG_PURPOSE, "4.1.2.8");
} END_TEST

START_TEST(weak_hashes_are_foreign) {
	const EVP_MD *weak[] = {EVP_sha1(), EVP_sha224()};
	OWN(own_x509) X509 *cert = fixture_tamper(f.alice.cert, &f.ca, weak[_i], NULL);

	is(cert, PURPOSE_CLIENT, VERDICT_FOREIGN, "RFC 5758");
} END_TEST

START_TEST(dates_are_asked_apart) {
	struct err e = ERR_INIT;

	is(f.expired.cert, PURPOSE_SIGNER, VERDICT_GOOD, NULL);
	ck_assert_int_eq(chain_check_time(f.alice.cert, f.now_s, &e), VERDICT_GOOD);
	ck_assert_int_eq(chain_check_time(f.expired.cert, f.now_s, &e), VERDICT_EXPIRED);
	ck_assert_ptr_nonnull(strstr(e.text, "expired at"));
	ck_assert_int_eq(chain_check_time(f.early.cert, f.now_s, &e), VERDICT_NOT_YET_VALID);
} END_TEST

START_TEST(who_is_refused_now_reads_what_the_clock_says) {
	const X509 *const bad[] = {f.expired.cert, f.early.cert};
	const enum verdict want[] = {VERDICT_EXPIRED, VERDICT_NOT_YET_VALID};
	static const char says[] = "; the clock here says ";
	int64_t from_s = clock_now_s(), said_s = 0;
	struct err e = ERR_INIT;
	const char *at;

	ck_assert_int_eq(chain_check_now(f.alice.cert, &e), VERDICT_GOOD);
	ck_assert_int_eq(chain_check_now(bad[_i], &e), want[_i]);
	ck_assert_ptr_nonnull(strstr(e.text, "RFC 5280 4.1.2.5"));
	ck_assert_ptr_nonnull(at = strstr(e.text, says));
	ck_assert_int_eq(clock_parse(at + strlen(says), &said_s, NULL), 0);
	ck_assert(said_s >= from_s && said_s <= clock_now_s());
} END_TEST

START_TEST(both_ends_belong_to_the_validity) {
	int64_t end = f.now_s + 90 * FIXTURE_DAY_S, begin = f.now_s - PROFILE_SKEW_S;

	ck_assert_int_eq(chain_check_time(f.alice.cert, begin, NULL), VERDICT_GOOD);
	ck_assert_int_eq(chain_check_time(f.alice.cert, begin - 1, NULL), VERDICT_NOT_YET_VALID);
	ck_assert_int_eq(chain_check_time(f.alice.cert, end, NULL), VERDICT_GOOD);
	ck_assert_int_eq(chain_check_time(f.alice.cert, end + 1, NULL), VERDICT_EXPIRED);
} END_TEST

static void ca_no_constraints(X509 *c) { fixture_set_ext(c, NID_basic_constraints, NULL); }
static void ca_false(X509 *c) { fixture_set_ext(c, NID_basic_constraints, "critical,CA:FALSE"); }
static void ca_not_critical(X509 *c) { fixture_set_ext(c, NID_basic_constraints, "CA:TRUE,pathlen:0"); }
static void ca_longer_path(X509 *c) { fixture_set_ext(c, NID_basic_constraints, "critical,CA:TRUE,pathlen:1"); }
static void ca_any_path(X509 *c) { fixture_set_ext(c, NID_basic_constraints, "critical,CA:TRUE"); }
static void ca_no_usage(X509 *c) { fixture_set_ext(c, NID_key_usage, NULL); }
static void ca_no_crl_sign(X509 *c) { fixture_set_ext(c, NID_key_usage, "critical,keyCertSign"); }
static void ca_signs_data(X509 *c) { fixture_set_ext(c, NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign"); }
static void ca_usage_not_critical(X509 *c) { fixture_set_ext(c, NID_key_usage, "keyCertSign,cRLSign"); }
static void ca_other_issuer(X509 *c) { ck_assert_int_eq(X509_set_issuer_name(c, X509_get_subject_name(f.alice.cert)), 1); }

static void name_ca(X509 *c, const char *o, const char *cn) {
	set_subject(c, o, NULL, cn, NULL);
	ck_assert_int_eq(X509_set_issuer_name(c, X509_get_subject_name(c)), 1);
}

static void ca_strange_name(X509 *c) { name_ca(c, NULL, "lab"); }
static void ca_no_name(X509 *c) { name_ca(c, "lab", NULL); }
static void ca_short_name(X509 *c) { name_ca(c, NULL, "C"); }
static void ca_suffix_only(X509 *c) { name_ca(c, NULL, " CA"); }
static void ca_bad_group(X509 *c) { name_ca(c, NULL, "l/ab CA"); }

static const struct tampering ca_tamperings[] = {
    {no_change, VERDICT_GOOD, NULL},
    {version_1, VERDICT_WRONG_PURPOSE, "4.1.2.1"},
    {no_ski, VERDICT_WRONG_PURPOSE, "4.2.1.2"},
    {unknown_critical, VERDICT_WRONG_PURPOSE, "unknown critical"},
    {ca_no_constraints, VERDICT_WRONG_PURPOSE, "4.2.1.9"},
    {ca_false, VERDICT_WRONG_PURPOSE, "4.2.1.9"},
    {ca_not_critical, VERDICT_WRONG_PURPOSE, "4.2.1.9"},
    {ca_longer_path, VERDICT_WRONG_PURPOSE, "4.2.1.9"},
    {ca_any_path, VERDICT_WRONG_PURPOSE, "4.2.1.9"},
    {ca_no_usage, VERDICT_WRONG_PURPOSE, "4.2.1.3"},
    {ca_no_crl_sign, VERDICT_WRONG_PURPOSE, "4.2.1.3"},
    {ca_signs_data, VERDICT_WRONG_PURPOSE, "4.2.1.3"},
    {ca_usage_not_critical, VERDICT_WRONG_PURPOSE, "4.2.1.3"},
    {ca_other_issuer, VERDICT_WRONG_PURPOSE, "self-issued"},
    {ca_strange_name, VERDICT_WRONG_PURPOSE, "does not end in"},
    {ca_no_name, VERDICT_WRONG_PURPOSE, "4.1.2.6"},
    {ca_short_name, VERDICT_WRONG_PURPOSE, "does not end in"},
    {ca_suffix_only, VERDICT_WRONG_PURPOSE, "4.1.2.6"},
    {ca_bad_group, VERDICT_WRONG_PURPOSE, "4.1.2.6"},
};

START_TEST(a_ca_outside_the_profile_is_no_anchor) {
	const struct tampering *t = &ca_tamperings[_i];
	OWN(own_x509) X509 *cert = fixture_tamper(f.ca.cert, &f.ca, NULL, t->change);
	struct chain *c = NULL;
	struct err e = ERR_INIT;
	int rc = chain_new(cert, &c, &e);

	ck_assert_int_eq(rc, t->want == VERDICT_GOOD ? 0 : ERR_DAMAGED);
	if (t->why != NULL)
		ck_assert_msg(strstr(e.text, t->why) != NULL, "%s", e.text);
	chain_free(c);
} END_TEST

START_TEST(a_ca_signed_by_another_key_is_no_anchor) {
	OWN(own_x509) X509 *cert = fixture_tamper(f.ca.cert, &f.foreign_ca, NULL, NULL);
	struct chain *c = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(chain_new(cert, &c, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "RFC 5280 6.1.3"));
	ck_assert_int_eq(chain_new(f.alice.cert, &c, &e), ERR_DAMAGED);
	ck_assert_ptr_null(c);
} END_TEST

START_TEST(a_ca_with_a_weak_hash_is_no_anchor) {
	OWN(own_x509) X509 *cert = fixture_tamper(f.ca.cert, &f.ca, EVP_sha1(), NULL);
	struct chain *c = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(chain_new(cert, &c, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "RFC 5758"));
	ck_assert_ptr_null(c);
} END_TEST

START_TEST(verdicts_have_the_names_of_the_protocol) {
	static const char *const names[] = {"no-certificate", "foreign", "expired", "not-yet-valid", "wrong-purpose", "revoked", "good"};

	ck_assert_str_eq(verdict_name((enum verdict)_i), names[_i]);
} END_TEST

static int check_often(void *arg, unsigned i, struct err *e) {
	X509 **certs = arg;

	for (int n = 0; n < 200; n++)
		if (chain_check(f.chain, certs[(i + (unsigned)n) % 2], PURPOSE_CLIENT, e) != VERDICT_GOOD)
			return ERR_FAIL;
	return 0;
}

/* Certificates fresh from DER, so that all threads meet the caches that OpenSSL has not filled yet. */
START_TEST(several_threads_ask_at_once) {
	OWN(own_x509) X509 *a = fixture_tamper(f.alice.cert, &f.ca, NULL, NULL), *b = fixture_tamper(f.bob.cert, &f.ca, NULL, NULL);
	X509 *certs[] = {a, b};
	struct err e = ERR_INIT;

	ck_assert_msg(work_run(8, check_often, certs, &e) == 0, "%s", e.text);
} END_TEST

int main(void) {
	TCase *t = tcase_create("chain");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, members_are_clients_and_signers, 0, 3);
	tcase_add_test(t, gateways_are_servers_only);
	tcase_add_loop_test(t, each_kind_of_key_is_good, 0, 3);
	tcase_add_test(t, no_certificate_is_refused);
	tcase_add_test(t, a_foreign_ca_with_the_same_name_is_foreign);
	tcase_add_test(t, a_ca_with_another_name_is_foreign);
	tcase_add_test(t, the_ca_itself_is_no_member);
	tcase_add_test(t, a_forged_signature_is_foreign);
	tcase_add_test(t, the_memory_of_good_ones_covers_nothing_else);
	tcase_add_test(t, only_what_was_found_good_is_known);
	tcase_add_loop_test(t, whatever_leaves_the_profile_is_refused_though_signed, 0, N_TAMPERINGS);
	tcase_add_loop_test(t, unique_identifiers_are_refused_though_signed, 1, 3);
	tcase_add_loop_test(t, weak_hashes_are_foreign, 0, 2);
	tcase_add_test(t, dates_are_asked_apart);
	tcase_add_loop_test(t, who_is_refused_now_reads_what_the_clock_says, 0, 2);
	tcase_add_test(t, both_ends_belong_to_the_validity);
	tcase_add_loop_test(t, a_ca_outside_the_profile_is_no_anchor, 0, (int)(sizeof ca_tamperings / sizeof ca_tamperings[0]));
	tcase_add_test(t, a_ca_signed_by_another_key_is_no_anchor);
	tcase_add_test(t, a_ca_with_a_weak_hash_is_no_anchor);
	tcase_add_loop_test(t, verdicts_have_the_names_of_the_protocol, 0, 7);
	tcase_add_test(t, several_threads_ask_at_once);
	return suite_run("chain", t);
}
