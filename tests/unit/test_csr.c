/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/der.h"
#include "base/own.h"
#include "lib/fixture.h"
#include "lib/suite.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "pki/pem.h"

static void opens_as(const struct buf *csr, const EVP_PKEY *want) {
	OWN(own_pkey) EVP_PKEY *got = NULL;
	struct err e = ERR_INIT;

	ck_assert_msg(csr_open(csr->data, csr->len, &got, &e) == 0, "%s", e.text);
	ck_assert(key_equal(got, want));
}

static void does_not_open(const void *data, size_t len, int code, const char *why) {
	EVP_PKEY *got = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(csr_open(data, len, &got, &e), code);
	ck_assert_ptr_null(got);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
}

START_TEST(our_own_requests_open) {
	static const char *const specs[] = {"ec:P-256", "ec:P-384", "rsa:2048"};
	OWN(own_pkey) EVP_PKEY *key = NULL;
	OWN(buf_wipe) struct buf pem = {0}, der = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(key_make(specs[_i], &key, &e), 0);
	ck_assert_int_eq(csr_make(key, "Zoë", &pem, &e), 0);
	opens_as(&pem, key);
	ck_assert_int_eq(pem_or_der(pem.data, pem.len, "CERTIFICATE REQUEST", &der, &e), 0);
	opens_as(&der, key);
} END_TEST

START_TEST(a_name_that_is_none_makes_no_request) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	OWN(buf_wipe) struct buf pem = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(csr_make(key, "a/b", &pem, &e), ERR_USAGE);
	ck_assert_uint_eq(pem.len, 0);
} END_TEST

/* A request as somebody else makes it: any key, any hash, no subject; DER. */
static void foreign_request(EVP_PKEY *key, EVP_PKEY *signer, const EVP_MD *md, struct buf *der) {
	OWN(own_x509_req) X509_REQ *req = X509_REQ_new();
	unsigned char *out = NULL;

	ck_assert_int_eq(X509_REQ_set_version(req, X509_REQ_VERSION_1), 1);
	ck_assert_int_eq(X509_REQ_set_pubkey(req, key), 1);
	ck_assert_int_gt(X509_REQ_sign(req, signer, md), 0);
	int len = i2d_X509_REQ(req, &out);
	ck_assert_int_gt(len, 0);
	buf_add(der, out, (size_t)len);
	OPENSSL_free(out);
}

/* The same of version 3, which the library does not make. */
static void request_of_version_3(EVP_PKEY *key, struct buf *der) {
	static const uint8_t version[] = { DER_INTEGER, 1 };
	OWN(own_x509_req) X509_REQ *req = X509_REQ_new();
	const X509_ALGOR *alg;
	unsigned char *body = NULL, *at;

	ck_assert_int_eq(X509_REQ_set_pubkey(req, key), 1);
	ck_assert_int_gt(X509_REQ_sign(req, key, EVP_sha256()), 0);
	X509_REQ_get0_signature(req, NULL, &alg);
	int len = i2d_re_X509_REQ_tbs(req, &body);
	ck_assert_int_gt(len, 0);
	ck_assert_ptr_nonnull(at = memmem(body, (size_t)len, version, sizeof version));
	at[sizeof version] = 2;
	fixture_sign_body(key, EVP_sha256(), alg, body, (size_t)len, der);
	OPENSSL_free(body);
}

START_TEST(a_request_without_subject_opens) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	OWN(buf_wipe) struct buf der = {0};

	foreign_request(key, key, EVP_sha512(), &der);
	opens_as(&der, key);
} END_TEST

START_TEST(gnutls_label_opens) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	OWN(buf_wipe) struct buf der = {0}, pem = {0}, other = {0};
	struct err e = ERR_INIT;

	foreign_request(key, key, EVP_sha256(), &der);
	ck_assert_int_eq(pem_write("NEW CERTIFICATE REQUEST", der.data, der.len, &pem, &e), 0);
	opens_as(&pem, key);
	ck_assert_int_eq(pem_write("CERTIFICATE", der.data, der.len, &other, &e), 0);
	does_not_open(other.data, other.len, ERR_DAMAGED, "RFC 7468 7");
} END_TEST

START_TEST(somebody_elses_signature_is_refused) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	OWN(buf_wipe) struct buf der = {0};

	foreign_request(key, other, EVP_sha256(), &der);
	does_not_open(der.data, der.len, ERR_DAMAGED, "RFC 2986 4.2");
} END_TEST

START_TEST(weak_hashes_are_refused) {
	OWN(own_pkey) EVP_PKEY *ec = EVP_EC_gen("P-256"), *rsa = EVP_RSA_gen(2048);
	OWN(buf_wipe) struct buf sha1 = {0}, md5 = {0}, sha224 = {0};

	foreign_request(ec, ec, EVP_sha1(), &sha1);
	does_not_open(sha1.data, sha1.len, ERR_REFUSED, "RFC 5758");
	foreign_request(rsa, rsa, EVP_md5(), &md5);
	does_not_open(md5.data, md5.len, ERR_REFUSED, "RFC 5758");
	foreign_request(ec, ec, EVP_sha224(), &sha224);
	does_not_open(sha224.data, sha224.len, ERR_REFUSED, "RFC 5758");
} END_TEST

START_TEST(weak_keys_are_refused) {
	OWN(own_pkey) EVP_PKEY *rsa = EVP_RSA_gen(1024), *p521 = EVP_EC_gen("P-521"), *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	OWN(buf_wipe) struct buf a = {0}, b = {0}, c = {0};

	foreign_request(rsa, rsa, EVP_sha256(), &a);
	does_not_open(a.data, a.len, ERR_REFUSED, "RFC 9325");
	foreign_request(p521, p521, EVP_sha256(), &b);
	does_not_open(b.data, b.len, ERR_REFUSED, "RFC 5480");
	foreign_request(ed, ed, NULL, &c);
	does_not_open(c.data, c.len, ERR_REFUSED, "RFC 3279");
} END_TEST

START_TEST(another_version_is_refused) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	OWN(buf_wipe) struct buf der = {0};

	request_of_version_3(key, &der);
	does_not_open(der.data, der.len, ERR_DAMAGED, "RFC 2986 4.1");
} END_TEST

START_TEST(what_is_no_request_is_refused) {
	OWN(own_free) uint8_t *big = xcalloc(1, CSR_MAX_BYTES + 1);

	does_not_open("", 0, ERR_DAMAGED, "RFC 7468");
	does_not_open("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n", 70, ERR_DAMAGED, "RFC");
	does_not_open("\x30\x03\x02\x01\x00", 5, ERR_DAMAGED, "RFC 2986");
	does_not_open(big, CSR_MAX_BYTES + 1, ERR_DAMAGED, "longer");
} END_TEST

START_TEST(what_follows_is_refused) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	OWN(buf_wipe) struct buf der = {0};

	foreign_request(key, key, EVP_sha256(), &der);
	buf_addc(&der, 0);
	does_not_open(der.data, der.len, ERR_DAMAGED, "behind");
} END_TEST

START_TEST(cut_or_flipped_anywhere_it_is_refused) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	OWN(buf_wipe) struct buf der = {0};
	EVP_PKEY *got = NULL;
	struct err e = ERR_INIT;

	foreign_request(key, key, EVP_sha256(), &der);
	for (size_t i = 0; i < der.len; i++)
		does_not_open(der.data, i, ERR_DAMAGED, "RFC");
	for (size_t i = 0; i < der.len; i++) {
		for (int bit = 1; bit < 256; bit <<= 1) {
			der.data[i] = (uint8_t)(der.data[i] ^ bit);
			ck_assert_msg(csr_open(der.data, der.len, &got, &e) < 0, "byte %zu, bit %d", i, bit);
			ck_assert_ptr_null(got);
			der.data[i] = (uint8_t)(der.data[i] ^ bit);
		}
	}
} END_TEST

int main(void) {
	TCase *t = tcase_create("csr");

	tcase_add_loop_test(t, our_own_requests_open, 0, 3);
	tcase_add_test(t, a_name_that_is_none_makes_no_request);
	tcase_add_test(t, a_request_without_subject_opens);
	tcase_add_test(t, gnutls_label_opens);
	tcase_add_test(t, somebody_elses_signature_is_refused);
	tcase_add_test(t, weak_hashes_are_refused);
	tcase_add_test(t, weak_keys_are_refused);
	tcase_add_test(t, another_version_is_refused);
	tcase_add_test(t, what_is_no_request_is_refused);
	tcase_add_test(t, what_follows_is_refused);
	tcase_add_test(t, cut_or_flipped_anywhere_it_is_refused);
	return suite_run("csr", t);
}
