/* SPDX-License-Identifier: Apache-2.0 */
/* pki/lean: a group's certificates are read as elsewhere, others without their keys, and OpenSSL's own context stays whole. */
#include "pki/lean.h"

#include <check.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/fixture.h"
#include "lib/suite.h"
#include "base/buf.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"

static struct fixture f;

static void setup(void) {
	fixture_init(&f);
}

static void teardown(void) {
	fixture_wipe(&f);
}

static X509 *read_lean(const X509 *cert) {
	OWN(buf_wipe) struct buf der = {0};
	X509 *read = X509_new_ex(lean_libctx(), NULL);
	struct err e = ERR_INIT;
	const uint8_t *p;

	ck_assert_int_eq(cert_der(cert, &der, &e), 0);
	p = der.data;
	ck_assert_ptr_nonnull(d2i_X509(&read, &p, (long)der.len));
	ck_assert_int_eq(X509_cmp(read, cert), 0);
	return read;
}

START_TEST(openssl_3_0_has_the_context) {
	ck_assert_int_eq(lean_libctx() != NULL, OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0);
	ck_assert_ptr_eq(lean_libctx(), lean_libctx());
	ck_assert_uint_eq(ERR_peek_error(), 0);
} END_TEST

static const char *const kinds[] = { "ec:P-256", "ec:P-384", "rsa:2048" };

START_TEST(keys_of_the_profiles_are_read_and_verified) {
	struct fixture_id id;
	OWN(own_x509) X509 *read = NULL;
	struct err e = ERR_INIT;

	fixture_issue(&f.ca, ROLE_MEMBER, "carol", kinds[_i], f.now_s - 1, f.now_s + FIXTURE_DAY_S, &id);
	read = read_lean(id.cert);
	ck_assert(key_equal(X509_get0_pubkey(read), id.key));
	ck_assert_msg(key_check(X509_get0_pubkey(read), "key", &e) == 0, "%s", e.text);
	ck_assert_int_eq(X509_verify(read, f.ca.key), 1);
	ck_assert_int_eq(chain_check(f.chain, read, PURPOSE_CLIENT, &e), VERDICT_GOOD);
	fixture_id_wipe(&id);
} END_TEST

START_TEST(a_forged_signature_is_refused) {
	OWN(own_x509) X509 *read = read_lean(f.foreign.cert);

	ck_assert_int_ne(X509_verify(read, f.ca.key), 1);
	ERR_clear_error();
} END_TEST

static const char *const strange[] = { "ED25519", "X448" };

START_TEST(another_key_is_no_key) {
	OWN(own_pkey) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, strange[_i]);
	OWN(own_x509) X509 *cert = X509_dup(f.alice.cert), *read = NULL;

	ck_assert_ptr_nonnull(key);
	ck_assert_int_eq(X509_set_pubkey(cert, key), 1);
	ck_assert_int_gt(X509_sign(cert, f.ca.key, EVP_sha256()), 0);
	read = read_lean(cert);
	if (lean_libctx() != NULL)
		ck_assert_ptr_null(X509_get0_pubkey(read));
	ERR_clear_error();
} END_TEST

START_TEST(a_cipher_that_tls_does_without_is_not_there) {
	EVP_CIPHER *c = EVP_CIPHER_fetch(lean_libctx(), "AES-256-CBC", NULL);

	ck_assert_int_eq(c == NULL, lean_libctx() != NULL);
	EVP_CIPHER_free(c);
	ERR_clear_error();
} END_TEST

START_TEST(what_else_is_asked_of_openssl_it_still_has) {
	EVP_CIPHER *c;

	(void)lean_libctx();
	c = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	ck_assert_ptr_nonnull(c);
	EVP_CIPHER_free(c);
} END_TEST

int main(void) {
	TCase *t = tcase_create("lean");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, openssl_3_0_has_the_context);
	tcase_add_loop_test(t, keys_of_the_profiles_are_read_and_verified, 0, 3);
	tcase_add_test(t, a_forged_signature_is_refused);
	tcase_add_loop_test(t, another_key_is_no_key, 0, 2);
	tcase_add_test(t, a_cipher_that_tls_does_without_is_not_there);
	tcase_add_test(t, what_else_is_asked_of_openssl_it_still_has);
	return suite_run("lean", t);
}
