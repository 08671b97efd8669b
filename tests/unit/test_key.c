/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "lib/suite.h"
#include "lib/tmp.h"
#include "base/file.h"
#include "base/own.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "pki/pem.h"

START_TEST(every_kind_on_offer_is_made_and_passes) {
	static const char *const specs[] = {NULL, "ec:P-256", "ec:P-384", "rsa:2048", "rsa:3072"};
	struct err e = ERR_INIT;

	OWN(own_pkey) EVP_PKEY *key = NULL;
	ck_assert_msg(key_make(specs[_i], &key, &e) == 0, "%s", e.text);
	ck_assert_msg(key_check_public(key, "k", &e) == 0, "%s", e.text);
} END_TEST

START_TEST(another_kind_is_no_key_type) {
	static const char *const specs[] = {"", "ec", "ec:P-521", "ec:P-224", "EC:P-256", "ec:P-256 ", "rsa:", "rsa:1024", "rsa:2049", "rsa:9216",
	    "rsa:+3072", "rsa:03072", "ed25519", "rsa:99999999999999999999"};
	EVP_PKEY *key = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(key_make(specs[_i], &key, &e), ERR_USAGE);
	ck_assert_ptr_null(key);
} END_TEST

static void refused(EVP_PKEY *key, const char *section) {
	struct err e = ERR_INIT;

	ck_assert_ptr_nonnull(key);
	ck_assert_int_eq(key_check_public(key, "k", &e), ERR_REFUSED);
	ck_assert_msg(strstr(e.text, section) != NULL, "%s", e.text);
}

START_TEST(other_curves_are_refused) {
	static const char *const curves[] = {"P-521", "P-224", "secp256k1", "brainpoolP256r1"};

	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen(curves[_i]);
	refused(key, "RFC 5480 2.1.1.1");
} END_TEST

START_TEST(spelled_out_curve_parameters_are_refused) {
	unsigned char *der = NULL;

	OWN(own_pkey) EVP_PKEY *made = EVP_EC_gen("P-256");
	ck_assert_int_eq(EVP_PKEY_set_utf8_string_param(made, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
	int len = i2d_PUBKEY(made, &der);
	ck_assert_int_gt(len, 200);
	const unsigned char *p = der;
	OWN(own_pkey) EVP_PKEY *key = d2i_PUBKEY(NULL, &p, len);
	OPENSSL_free(der);
	refused(key, "RFC 5480 2.1.1:");
} END_TEST

START_TEST(signature_only_and_agreement_only_keys_are_refused) {
	static const char *const types[] = {"ED25519", "X25519", "ED448"};

	OWN(own_pkey) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, types[_i]);
	refused(key, "RFC 3279 2.3");
} END_TEST

START_TEST(rsa_pss_keys_are_refused) {
	OWN(own_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	OWN(own_pkey) EVP_PKEY *key = NULL;

	ck_assert_int_eq(EVP_PKEY_keygen_init(ctx), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
	ck_assert_int_eq(EVP_PKEY_keygen(ctx, &key), 1);
	refused(key, "RFC 3279 2.3");
} END_TEST

/* An RSA public key with these numbers. */
static EVP_PKEY *rsa_public(const BIGNUM *n, unsigned long exponent) {
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;

	ck_assert_int_eq(BN_set_word(e, exponent), 1);
	ck_assert_int_eq(OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n), 1);
	ck_assert_int_eq(OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e), 1);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	OWN(own_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	ck_assert_int_eq(EVP_PKEY_fromdata_init(ctx), 1);
	ck_assert_int_eq(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(e);
	return key;
}

static EVP_PKEY *rsa_random(int bits, int bottom, unsigned long exponent, unsigned long factor) {
	BIGNUM *n = BN_new();

	ck_assert_int_eq(BN_rand(n, bits, BN_RAND_TOP_ONE, bottom), 1);
	if (factor != 0)
		ck_assert_int_eq(BN_mul_word(n, factor), 1);
	EVP_PKEY *key = rsa_public(n, exponent);
	BN_free(n);
	return key;
}

START_TEST(short_and_huge_rsa_keys_are_refused) {
	static const int bits[] = {512, 1024, 2047, 8193, 16384};

	OWN(own_pkey) EVP_PKEY *key = rsa_random(bits[_i], BN_RAND_BOTTOM_ODD, 65537, 0);
	refused(key, "RFC 9325 4.5");
} END_TEST

START_TEST(unusual_rsa_exponents_are_refused) {
	static const unsigned long exponents[] = {1, 3, 17, 65535, 65536, 65539};

	OWN(own_pkey) EVP_PKEY *key = rsa_random(2048, BN_RAND_BOTTOM_ODD, exponents[_i], 0);
	refused(key, "exponent");
} END_TEST

START_TEST(an_even_modulus_is_refused) {
	OWN(own_pkey) EVP_PKEY *key = rsa_random(2047, BN_RAND_BOTTOM_ODD, 65537, 2);
	refused(key, "even");
} END_TEST

START_TEST(a_modulus_with_a_small_factor_is_refused) {
	OWN(own_pkey) EVP_PKEY *key = rsa_random(2048, BN_RAND_BOTTOM_ODD, 65537, 3);
	struct err e = ERR_INIT;

	ck_assert_int_eq(key_check(key, "k", &e), 0);
	refused(key, "not a valid public key");
} END_TEST

/* A key in a file, encrypted if pass is not NULL. */
static const char *saved(EVP_PKEY *key, const char *name, const char *pass) {
	OWN(secret_wipe) struct secret s = {0};
	struct err e = ERR_INIT;
	const char *path = tmp_path(name);

	if (pass != NULL)
		ck_assert_int_eq(secret_copy(&s, (const uint8_t *)pass, strlen(pass), &e), 0);
	ck_assert_msg(key_save_new(path, key, &s, &e) == 0, "%s", e.text);
	return path;
}

static void loads(const char *path, const char *passin, const EVP_PKEY *want) {
	OWN(own_pkey) EVP_PKEY *got = NULL;
	struct err e = ERR_INIT;

	ck_assert_msg(key_load(path, passin, &got, &e) == 0, "%s", e.text);
	ck_assert(key_equal(got, want));
}

static void does_not_load(const char *path, const char *passin, int code, const char *why) {
	EVP_PKEY *got = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(key_load(path, passin, &got, &e), code);
	ck_assert_ptr_null(got);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
}

START_TEST(a_saved_key_loads_and_is_private) {
	static const char *const specs[] = {"ec:P-256", "ec:P-384", "rsa:2048"};
	OWN(own_pkey) EVP_PKEY *key = NULL;
	struct err e = ERR_INIT;
	struct stat st;

	ck_assert_int_eq(key_make(specs[_i], &key, &e), 0);
	const char *path = saved(key, "k.pem", NULL);
	loads(path, NULL, key);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
} END_TEST

START_TEST(an_encrypted_key_loads_with_its_passphrase_only) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	const char *path = saved(key, "k.pem", "correct horse");

	loads(path, "pass:correct horse", key);
	does_not_load(path, "pass:correct hors", ERR_FAIL, "passphrase is wrong");
	does_not_load(path, "pass:correct horse ", ERR_FAIL, "passphrase is wrong");
} END_TEST

START_TEST(an_encrypted_file_uses_aes_256_and_scrypt) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	const char *path = saved(key, "k.pem", "x");
	OWN(buf_wipe) struct buf text = {0}, der = {0};
	char label[PEM_LABEL_MAX];
	struct err e = ERR_INIT;
	static const uint8_t scrypt[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b};
	static const uint8_t aes256cbc[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};

	ck_assert_int_eq(file_load(path, KEY_FILE_MAX, &text, &e), 0);
	ck_assert_int_eq(pem_read(text.data, text.len, label, &der, &e), 0);
	ck_assert_str_eq(label, "ENCRYPTED PRIVATE KEY");
	ck_assert_ptr_nonnull(memmem(der.data, der.len, scrypt, sizeof scrypt));
	ck_assert_ptr_nonnull(memmem(der.data, der.len, aes256cbc, sizeof aes256cbc));
} END_TEST

/* As stock tools write it: PBKDF2. */
START_TEST(a_pbkdf2_file_of_stock_tools_loads) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-384");
	const char *path = tmp_path("k.pem");
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(PEM_write_PKCS8PrivateKey(f, key, EVP_aes_256_cbc(), "abc", 3, NULL, NULL), 1);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
	loads(path, "pass:abc", key);
} END_TEST

START_TEST(a_key_file_that_others_may_read_is_refused) {
	static const mode_t modes[] = {0644, 0640, 0604, 0660, 0620};
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	const char *path = saved(key, "k.pem", NULL);

	ck_assert_int_eq(chmod(path, modes[_i]), 0);
	does_not_load(path, NULL, ERR_FAIL, path);
} END_TEST

START_TEST(an_existing_file_is_never_written_over) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	const char *path = saved(key, "k.pem", NULL);
	struct secret none = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(key_save_new(path, other, &none, &e), ERR_EXISTS);
	loads(path, NULL, key);
} END_TEST

START_TEST(a_missing_file_says_so) {
	const char *path = tmp_path("none.pem");

	does_not_load(path, NULL, ERR_NOTFOUND, path);
} END_TEST

START_TEST(a_weak_key_in_a_file_is_refused) {
	OWN(own_pkey) EVP_PKEY *key = EVP_RSA_gen(1024);
	const char *path = saved(key, "k.pem", NULL);

	does_not_load(path, NULL, ERR_REFUSED, "RFC 9325");
} END_TEST

START_TEST(a_traditional_key_file_is_refused_with_a_hint) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	OWN(own_bio) BIO *b = BIO_new(BIO_s_mem());
	char *text = NULL;

	ck_assert_int_eq(PEM_write_bio_PrivateKey_traditional(b, key, NULL, NULL, 0, NULL, NULL), 1);
	long len = BIO_get_mem_data(b, &text);
	const char *path = tmp_file("k.pem", text, (size_t)len, 0600);
	does_not_load(path, NULL, ERR_DAMAGED, "openssl pkcs8 -topk8");
} END_TEST

START_TEST(a_second_block_is_refused) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	const char *path = saved(key, "k.pem", NULL);
	OWN(buf_wipe) struct buf text = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_load(path, KEY_FILE_MAX, &text, &e), 0);
	ck_assert_int_eq(file_load(path, KEY_FILE_MAX, &text, &e), 0);
	const char *twice = tmp_file("twice.pem", text.data, text.len, 0600);
	does_not_load(twice, NULL, ERR_DAMAGED, "more behind");
} END_TEST

/* Whatever is done to a file: it is refused, or it is the same key. */
static void refused_or_same(const uint8_t *text, size_t len, const EVP_PKEY *want) {
	const char *path = tmp_file("damaged.pem", text, len, 0600);
	OWN(own_pkey) EVP_PKEY *got = NULL;
	struct err e = ERR_INIT;

	if (key_load(path, "pass:x", &got, &e) == 0)
		ck_assert(key_equal(got, want));
	else
		ck_assert(e.text[0] != '\0');
}

START_TEST(a_file_cut_or_flipped_anywhere_is_refused_or_the_same_key) {
	OWN(own_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
	const char *path = saved(key, "k.pem", NULL);
	OWN(buf_wipe) struct buf text = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_load(path, KEY_FILE_MAX, &text, &e), 0);
	for (size_t i = 0; i < text.len; i++)
		refused_or_same(text.data, i, key);
	for (size_t i = 0; i < text.len; i++) {
		text.data[i] ^= 1;
		refused_or_same(text.data, text.len, key);
		text.data[i] ^= 1;
	}
} END_TEST

START_TEST(the_digest_fits_the_key) {
	OWN(own_pkey) EVP_PKEY *p256 = EVP_EC_gen("P-256"), *p384 = EVP_EC_gen("P-384");

	ck_assert_int_eq(EVP_MD_get_size(key_digest(p256)), 32);
	ck_assert_int_eq(EVP_MD_get_size(key_digest(p384)), 48);
} END_TEST

START_TEST(weak_signature_hashes_are_not_strong) {
	static const int weak[] = {NID_undef, NID_sha1WithRSAEncryption, NID_md5WithRSAEncryption, NID_ecdsa_with_SHA1, NID_ecdsa_with_SHA224,
	    NID_rsassaPss, NID_ED25519};

	ck_assert(!key_signature_is_strong(weak[_i]));
	ck_assert(key_signature_is_strong(NID_ecdsa_with_SHA256));
} END_TEST

START_TEST(two_keys_differ_in_their_hash) {
	OWN(own_pkey) EVP_PKEY *a = EVP_EC_gen("P-256"), *b = EVP_EC_gen("P-256");
	uint8_t ha[32], hb[32], again[32];

	key_spki_sha256(a, ha);
	key_spki_sha256(a, again);
	key_spki_sha256(b, hb);
	ck_assert_mem_eq(ha, again, 32);
	ck_assert_mem_ne(ha, hb, 32);
	ck_assert(!key_equal(a, b));
} END_TEST

int main(void) {
	TCase *t = tcase_create("key");

	tcase_add_checked_fixture(t, tmp_make, tmp_drop);
	tcase_add_loop_test(t, every_kind_on_offer_is_made_and_passes, 0, 5);
	tcase_add_loop_test(t, another_kind_is_no_key_type, 0, 14);
	tcase_add_loop_test(t, other_curves_are_refused, 0, 4);
	tcase_add_test(t, spelled_out_curve_parameters_are_refused);
	tcase_add_loop_test(t, signature_only_and_agreement_only_keys_are_refused, 0, 3);
	tcase_add_test(t, rsa_pss_keys_are_refused);
	tcase_add_loop_test(t, short_and_huge_rsa_keys_are_refused, 0, 5);
	tcase_add_loop_test(t, unusual_rsa_exponents_are_refused, 0, 6);
	tcase_add_test(t, an_even_modulus_is_refused);
	tcase_add_test(t, a_modulus_with_a_small_factor_is_refused);
	tcase_add_loop_test(t, a_saved_key_loads_and_is_private, 0, 3);
	tcase_add_test(t, an_encrypted_key_loads_with_its_passphrase_only);
	tcase_add_test(t, an_encrypted_file_uses_aes_256_and_scrypt);
	tcase_add_test(t, a_pbkdf2_file_of_stock_tools_loads);
	tcase_add_loop_test(t, a_key_file_that_others_may_read_is_refused, 0, 5);
	tcase_add_test(t, an_existing_file_is_never_written_over);
	tcase_add_test(t, a_missing_file_says_so);
	tcase_add_test(t, a_weak_key_in_a_file_is_refused);
	tcase_add_test(t, a_traditional_key_file_is_refused_with_a_hint);
	tcase_add_test(t, a_second_block_is_refused);
	tcase_add_test(t, a_file_cut_or_flipped_anywhere_is_refused_or_the_same_key);
	tcase_add_test(t, the_digest_fits_the_key);
	tcase_add_loop_test(t, weak_signature_hashes_are_not_strong, 0, 7);
	tcase_add_test(t, two_keys_differ_in_their_hash);
	return suite_run("key", t);
}
