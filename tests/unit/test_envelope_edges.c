/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers and edge cases for AES-GCM, AES key wrap and ECDSA as the envelope uses them: the classes of attack that published collections of
 * vectors have, made here. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>

#include "base/own.h"
#include "base/text.h"
#include "envelope/content.h"
#include "lib/fixture.h"
#include "lib/gauge.h"
#include "lib/suite.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "pki/sigalg.h"

OWN_DEFINE(bignum, BIGNUM, BN_free)
OWN_DEFINE(ecdsa_sig, ECDSA_SIG, ECDSA_SIG_free)

static size_t unhex(const char *hex, uint8_t *out) {
	size_t len = strlen(hex) / 2;

	ck_assert_int_eq(text_unhex(hex, out, len, NULL), 0);
	return len;
}

/* ---- AES-256-GCM ---- */

/* The GCM specification's test cases 13 to 15. */
static const struct { const char *key, *nonce, *plain, *sealed, *tag; } gcm[] = {
	{ "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "",
	    "530f8afbc74536b9a963b4f1c4cb738b" },
	{ "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "00000000000000000000000000000000",
	    "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919" },
	{ "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
	    "b094dac5d93471bdec1a502270e3cc6c" },
};
#define N_GCM ((int)(sizeof gcm / sizeof gcm[0]))

/* Any nonce is that of some object. */
static void gcm_content(int i, struct content *c, struct object *o) {
	uint8_t key[32], nonce[OBJECT_NONCE_LEN];

	unhex(gcm[i].key, key);
	unhex(gcm[i].nonce, nonce);
	*c = (struct content){0};
	ck_assert_int_eq(secret_copy(&c->key, key, sizeof key, NULL), 0);
	object_split_nonce(nonce, &c->file, o);
	o->len = strlen(gcm[i].plain) / 2;
}

START_TEST(gcm_seals_as_the_specification_says) {
	OWN(content_wipe) struct content c = {0};
	OWN(buf_wipe) struct buf out = {0};
	uint8_t plain[64], sealed[64], tag[16];
	struct object o;
	size_t head;

	gcm_content(_i, &c, &o);
	unhex(gcm[_i].plain, plain);
	unhex(gcm[_i].sealed, sealed);
	unhex(gcm[_i].tag, tag);
	ck_assert_int_eq(content_seal(&c, &o, plain, &out, NULL), 0);
	head = object_header_len(OBJECT_KEK_LEN, o.len);
	ck_assert_mem_eq(out.data + head, sealed, (size_t)o.len);
	ck_assert_mem_eq(out.data + head + o.len + 2, tag, sizeof tag);
	ck_assert_int_eq(content_open(&c, &o, out.data + head, NULL), 0);
	ck_assert_mem_eq(out.data + head, plain, (size_t)o.len);
}
END_TEST

START_TEST(each_flipped_bit_of_tag_content_nonce_and_key_is_refused) {
	OWN(content_wipe) struct content c = {0};
	OWN(buf_wipe) struct buf out = {0};
	uint8_t plain[64], body[64 + OBJECT_TRAILER_LEN];
	struct object o, other;
	size_t head, len;

	gcm_content(_i, &c, &o);
	unhex(gcm[_i].plain, plain);
	ck_assert_int_eq(content_seal(&c, &o, plain, &out, NULL), 0);
	head = object_header_len(OBJECT_KEK_LEN, o.len);
	len = (size_t)o.len + OBJECT_TRAILER_LEN;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		memcpy(body, out.data + head, len);
		body[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_eq(content_open(&c, &o, body, NULL), ERR_DAMAGED);
	}
	for (unsigned bit = 0; bit < 40; bit++) {
		other = o;
		if (bit < 32)
			other.index ^= 1u << bit;
		else
			other.kind ^= (uint8_t)(1u << (bit - 32));
		memcpy(body, out.data + head, len);
		ck_assert_int_eq(content_open(&c, &other, body, NULL), ERR_DAMAGED);
	}
	for (unsigned bit = 0; bit < 256; bit++) {
		c.key.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memcpy(body, out.data + head, len);
		ck_assert_int_eq(content_open(&c, &o, body, NULL), ERR_DAMAGED);
		c.key.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
END_TEST

/* ---- AES-256 key wrap ---- */

/* RFC 3394 4.6. */
static const char kek_hex[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const char key_hex[] = "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f";
static const char wrapped_hex[] = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21";

START_TEST(key_wrap_gives_the_rfcs_answer) {
	uint8_t kek[32], key[32], wrapped[40], out[48];

	unhex(kek_hex, kek);
	unhex(key_hex, key);
	unhex(wrapped_hex, wrapped);
	ck_assert_int_eq(content_key_wrap(kek, true, key, sizeof key, out), 0);
	ck_assert_mem_eq(out, wrapped, sizeof wrapped);
	ck_assert_int_eq(content_key_wrap(kek, false, wrapped, sizeof wrapped, out), 0);
	ck_assert_mem_eq(out, key, sizeof key);
}
END_TEST

START_TEST(each_flipped_bit_of_a_wrapped_key_is_refused) {
	uint8_t kek[32], wrapped[40], out[48];

	unhex(kek_hex, kek);
	unhex(wrapped_hex, wrapped);
	for (unsigned bit = 0; bit < 8 * sizeof wrapped; bit++) {
		wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_ne(content_key_wrap(kek, false, wrapped, sizeof wrapped, out), 0);
		wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned bit = 0; bit < 8 * sizeof kek; bit++) {
		kek[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_ne(content_key_wrap(kek, false, wrapped, sizeof wrapped, out), 0);
		kek[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
END_TEST

/* Wrapped by another cipher, or under another initial value. */
static void wrap_otherwise(const char *cipher, const uint8_t *iv, const uint8_t kek[static 32], uint8_t out[static 48]) {
	OWN(own_evp_cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_CIPHER *alg = EVP_CIPHER_fetch(NULL, cipher, NULL);
	uint8_t key[32];
	int n;

	unhex(key_hex, key);
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ck_assert_int_eq(EVP_CipherInit_ex2(ctx, alg, kek, iv, 1, NULL), 1);
	ck_assert_int_eq(EVP_CipherUpdate(ctx, out, &n, key, sizeof key), 1);
	ck_assert_int_eq(n, 40);
	EVP_CIPHER_free(alg);
}

START_TEST(another_initial_value_is_refused) {
	uint8_t kek[32], out[48], key[48], iv[8];

	unhex(kek_hex, kek);
	wrap_otherwise("AES-256-WRAP-PAD", NULL, kek, out); /* RFC 5649 */
	ck_assert_int_ne(content_key_wrap(kek, false, out, 40, key), 0);
	wrap_otherwise("AES-256-WRAP-INV", NULL, kek, out); /* NIST SP 800-38F with the inverse cipher */
	ck_assert_int_ne(content_key_wrap(kek, false, out, 40, key), 0);
	for (size_t i = 0; i < sizeof iv; i++) {
		memset(iv, 0xa6, sizeof iv);
		iv[i] = (uint8_t)(iv[i] ^ 1);
		wrap_otherwise("AES-256-WRAP", iv, kek, out);
		ck_assert_int_ne(content_key_wrap(kek, false, out, 40, key), 0);
	}
}
END_TEST

START_TEST(wrapped_keys_of_other_lengths_are_refused) {
	static const int lens[] = { 8, 15, 16, 20, 23, 31, 39, 41, 47 };
	uint8_t kek[32], wrapped[48] = {0}, out[64];

	unhex(kek_hex, kek);
	unhex(wrapped_hex, wrapped);
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
		ck_assert_int_ne(content_key_wrap(kek, false, wrapped, lens[i], out), 0);
}
END_TEST

/* ---- ECDSA ---- */

static const char message[] = "scg-manifest 1\n";

static struct pair { EVP_PKEY *key; enum sigalg alg; struct buf sig; BIGNUM *order; } pair;

static void pair_init(const char *spec) {
	OWN(own_bignum) BIGNUM *order = NULL;

	pair = (struct pair){ .alg = SIGALG_ECDSA_SHA256 };
	ck_assert_int_eq(key_make(spec, &pair.key, NULL), 0);
	ck_assert_int_eq(sigalg_sign(pair.alg, pair.key, message, sizeof message, &pair.sig, NULL), 0);
	ck_assert_int_eq(EVP_PKEY_get_bn_param(pair.key, "order", &order), 1);
	pair.order = order;
	order = NULL;
}

static void pair_wipe(void) {
	EVP_PKEY_free(pair.key);
	BN_free(pair.order);
	buf_wipe(&pair.sig);
}

static int verify(const uint8_t *sig, size_t len) {
	struct gauge gauge;
	int r;

	gauge_start(&gauge);
	r = sigalg_verify(pair.alg, pair.key, message, sizeof message, sig, len, "signature", NULL);
	gauge_end(&gauge);
	return r;
}

/* r and s as they should not be: what is added to each, or what stands instead. */
static int verify_numbers(int add_r, int add_s, int instead_r, int instead_s) {
	const unsigned char *p = pair.sig.data;
	OWN(own_ecdsa_sig) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)pair.sig.len);
	BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(sig)), *s = BN_dup(ECDSA_SIG_get0_s(sig));
	unsigned char *der = NULL;
	int len, rc;

	for (int i = 0; i < add_r; i++)
		BN_add(r, r, pair.order);
	for (int i = 0; i < add_s; i++)
		BN_add(s, s, pair.order);
	if (instead_r >= 0)
		BN_set_word(r, (BN_ULONG)instead_r);
	if (instead_s >= 0)
		BN_set_word(s, (BN_ULONG)instead_s);
	if (add_r < 0)
		BN_copy(r, pair.order);
	if (add_s < 0)
		BN_copy(s, pair.order);
	ck_assert_int_eq(ECDSA_SIG_set0(sig, r, s), 1);
	len = i2d_ECDSA_SIG(sig, &der);
	rc = verify(der, (size_t)len);
	OPENSSL_free(der);
	return rc;
}

static const char *const curves[] = { "ec:P-256", "ec:P-384" };

START_TEST(numbers_outside_their_range_are_refused) {
	static const struct { int add_r, add_s, r, s; } bad[] = {
		{ 0, 0, 0, -1 }, { 0, 0, -1, 0 }, { 0, 0, 0, 0 }, { 0, 0, 1, 1 }, { 0, 0, 1, 0 }, { 0, 0, 0, 1 },
		{ 1, 0, -1, -1 }, { 0, 1, -1, -1 }, { 1, 1, -1, -1 }, { 2, 0, -1, -1 }, { -1, 0, -1, -1 }, { 0, -1, -1, -1 }, { -1, -1, -1, -1 },
	};

	pair_init(curves[_i]);
	ck_assert_int_eq(verify_numbers(0, 0, -1, -1), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(verify_numbers(bad[i].add_r, bad[i].add_s, bad[i].r, bad[i].s) == ERR_DAMAGED, "case %zu", i);
	pair_wipe();
}
END_TEST

/* SEQUENCE { r, s } put together by hand: r with something before it, s with something behind it. */
static void spell(const char *before_r, size_t before_len, const char *behind, size_t behind_len, uint8_t tag, struct buf *out) {
	struct der d = { pair.sig.data, pair.sig.len }, in, r, s;
	OWN(buf_wipe) struct buf padded = {0};

	ck_assert_int_eq(der_take(&d, DER_SEQUENCE, &in, "", NULL), 0);
	ck_assert_int_eq(der_take(&in, DER_INTEGER, &r, "", NULL), 0);
	ck_assert_int_eq(der_take(&in, DER_INTEGER, &s, "", NULL), 0);
	buf_add(&padded, before_r, before_len);
	buf_add(&padded, r.p, r.len);
	der_put(out, tag, padded.data, padded.len);
	der_put(out, DER_INTEGER, s.p, s.len);
	buf_add(out, behind, behind_len);
	der_wrap(out, 0, DER_SEQUENCE);
}

START_TEST(other_spellings_are_refused) {
	static const struct { const char *before; size_t before_len; const char *behind; size_t behind_len; uint8_t tag; } bad[] = {
		{ "\0", 1, "", 0, DER_INTEGER }, { "\0\0", 2, "", 0, DER_INTEGER }, { "\xff", 1, "", 0, DER_INTEGER },
		{ "", 0, "\0", 1, DER_INTEGER }, { "", 0, "\x05\0", 2, DER_INTEGER }, { "", 0, "\x02\x01\x01", 3, DER_INTEGER },
		{ "", 0, "", 0, DER_OCTET_STRING }, { "", 0, "", 0, DER_BIT_STRING }, { "", 0, "", 0, DER_ENUMERATED },
	};
	OWN(buf_wipe) struct buf b = {0};

	pair_init(curves[_i]);
	spell("", 0, "", 0, DER_INTEGER, &b);
	ck_assert_int_eq(verify(b.data, b.len), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		buf_clear(&b);
		spell(bad[i].before, bad[i].before_len, bad[i].behind, bad[i].behind_len, bad[i].tag, &b);
		ck_assert_msg(verify(b.data, b.len) == ERR_DAMAGED, "case %zu", i);
	}
	buf_clear(&b);
	buf_add(&b, pair.sig.data, pair.sig.len);
	buf_addc(&b, 0);
	ck_assert_int_eq(verify(b.data, b.len), ERR_DAMAGED);
	pair_wipe();
}
END_TEST

/* BER where DER is due; each byte, each cut. */
START_TEST(changed_cut_and_ber_signatures_are_refused) {
	OWN(buf_wipe) struct buf b = {0};

	pair_init(curves[_i]);
	buf_add(&b, "\x30\x81", 2);
	buf_add(&b, pair.sig.data + 1, pair.sig.len - 1);
	ck_assert_int_eq(verify(b.data, b.len), ERR_DAMAGED);
	buf_clear(&b);
	buf_add(&b, "\x30\x80", 2);
	buf_add(&b, pair.sig.data + 2, pair.sig.len - 2);
	buf_add(&b, "\0\0", 2);
	ck_assert_int_eq(verify(b.data, b.len), ERR_DAMAGED);
	for (size_t i = 0; i < pair.sig.len; i++) {
		ck_assert_int_eq(verify(pair.sig.data, i), ERR_DAMAGED);
		pair.sig.data[i] ^= 1;
		ck_assert_int_eq(verify(pair.sig.data, pair.sig.len), ERR_DAMAGED);
		pair.sig.data[i] ^= 1;
	}
	ck_assert_int_eq(verify(pair.sig.data, pair.sig.len), 0);
	pair_wipe();
}
END_TEST

int main(void) {
	TCase *c = tcase_create("edges");

	tcase_add_loop_test(c, gcm_seals_as_the_specification_says, 0, N_GCM);
	tcase_add_loop_test(c, each_flipped_bit_of_tag_content_nonce_and_key_is_refused, 0, N_GCM);
	tcase_add_test(c, key_wrap_gives_the_rfcs_answer);
	tcase_add_test(c, each_flipped_bit_of_a_wrapped_key_is_refused);
	tcase_add_test(c, another_initial_value_is_refused);
	tcase_add_test(c, wrapped_keys_of_other_lengths_are_refused);
	tcase_add_loop_test(c, numbers_outside_their_range_are_refused, 0, 2);
	tcase_add_loop_test(c, other_spellings_are_refused, 0, 2);
	tcase_add_loop_test(c, changed_cut_and_ber_signatures_are_refused, 0, 2);
	return suite_run("envelope, edges", c);
}
