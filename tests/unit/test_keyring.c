/* SPDX-License-Identifier: Apache-2.0 */
/* keyring: epochs, the RFC 6031 package, its envelope and the signed reply. */
#include "keyring/keyring.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/rsa.h>

#include "base/der.h"
#include "base/text.h"
#include "keyring/enveloped.h"
#include "lib/fixture.h"
#include "lib/suite.h"
#include "pki/ossl.h"
#include "pki/signed.h"

#define NONCE (const uint8_t *)"0123456789abcdef", 16
#define T0 1790000000

static struct fixture f;

static void set_up(void) {
	fixture_init(&f);
}

static void tear_down(void) {
	fixture_wipe(&f);
}

/* A ring of n epochs, a day apart. */
static void ring(size_t n, struct keyring *k) {
	*k = (struct keyring){ .group = xstrdup("lab") };
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(keyring_rotate(k, T0 + (int64_t)i * 86400, NULL), 0);
}

static void assert_same(const struct keyring *a, const struct keyring *b) {
	ck_assert_str_eq(a->group, b->group);
	ck_assert_uint_eq(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		ck_assert_uint_eq(a->v[i].number, b->v[i].number);
		ck_assert_mem_eq(a->v[i].key_id, b->v[i].key_id, KEY_ID_LEN);
		ck_assert(secret_equal(&a->v[i].key, &b->v[i].key));
		ck_assert_int_eq(a->v[i].created_s, b->v[i].created_s);
		ck_assert_int_eq(a->v[i].retired_s, b->v[i].retired_s);
	}
}

/* --- epochs --- */

START_TEST(the_first_epoch_is_number_one) {
	OWN(keyring_wipe) struct keyring k;

	ring(1, &k);
	ck_assert_uint_eq(k.n, 1);
	ck_assert_uint_eq(k.v[0].number, 1);
	ck_assert_int_eq(k.v[0].created_s, T0);
	ck_assert_int_eq(k.v[0].retired_s, 0);
	ck_assert_uint_eq(k.v[0].key.len, GROUP_KEY_LEN);
	ck_assert_ptr_eq(keyring_current(&k), &k.v[0]);
} END_TEST

START_TEST(rotation_retires_the_epoch_before) {
	OWN(keyring_wipe) struct keyring k;

	ring(3, &k);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(k.v[i].number, 3 - i);
	ck_assert_int_eq(k.v[0].retired_s, 0);
	ck_assert_int_eq(k.v[1].retired_s, k.v[0].created_s);
	ck_assert(!secret_equal(&k.v[0].key, &k.v[1].key));
	ck_assert_ptr_eq(keyring_find(&k, k.v[2].key_id), &k.v[2]);
} END_TEST

START_TEST(a_clock_that_went_back_ends_no_epoch_before_it_began) {
	OWN(keyring_wipe) struct keyring k;

	ring(1, &k);
	ck_assert_int_eq(keyring_rotate(&k, T0 - 5000, NULL), 0);
	ck_assert_int_eq(k.v[1].retired_s, T0);
	ck_assert_int_eq(k.v[0].created_s, T0);
} END_TEST

START_TEST(an_unknown_key_id_is_not_found) {
	OWN(keyring_wipe) struct keyring k;
	uint8_t id[KEY_ID_LEN];

	ring(2, &k);
	memcpy(id, k.v[0].key_id, sizeof(id));
	id[KEY_ID_LEN - 1] ^= 1;
	ck_assert_ptr_null(keyring_find(&k, id));
	ck_assert_ptr_null(keyring_current(&(struct keyring){0}));
} END_TEST

START_TEST(retired_epochs_are_dropped_the_current_one_is_not) {
	OWN(keyring_wipe) struct keyring k;

	ring(3, &k);
	ck_assert_int_eq(keyring_drop(&k, 3, NULL), ERR_FAIL);
	ck_assert_int_eq(keyring_drop(&k, 9, NULL), ERR_NOTFOUND);
	ck_assert_int_eq(keyring_drop(&k, 2, NULL), 0);
	ck_assert_uint_eq(k.n, 2);
	ck_assert_uint_eq(k.v[1].number, 1);
	ck_assert_int_eq(keyring_drop(&k, 2, NULL), ERR_NOTFOUND);
	ck_assert_int_eq(keyring_rotate(&k, T0 + 900000, NULL), 0);
	ck_assert_uint_eq(k.v[0].number, 4);
} END_TEST

/* --- the package --- */

START_TEST(a_package_round_trips) {
	for (size_t n = 1; n < 12; n += 5) {
		OWN(keyring_wipe) struct keyring k;
		OWN(keyring_wipe) struct keyring again = {0};
		OWN(buf_wipe) struct buf der = {0};
		struct err e = ERR_INIT;

		ring(n, &k);
		ck_assert_int_eq(keyring_encode(&k, &der, NULL), 0);
		ck_assert_msg(keyring_decode(der.data, der.len, &again, &e) == 0, "%s", e.text);
		assert_same(&k, &again);
	}
} END_TEST

START_TEST(an_empty_ring_is_no_package) {
	struct keyring k = { .group = (char *)(uintptr_t) "lab" };
	OWN(buf_wipe) struct buf der = {0};

	ck_assert_int_ne(keyring_encode(&k, &der, NULL), 0);
	ck_assert_int_eq(keyring_decode((const uint8_t *)"\x30\x02\x30\x00", 4, &(struct keyring){0}, NULL), ERR_DAMAGED);
	ck_assert_int_eq(keyring_decode((const uint8_t *)"", 0, &(struct keyring){0}, NULL), ERR_DAMAGED);
} END_TEST

/* What is taken must be what the writer would have written. */
static bool takes_other_package(void *arg, const uint8_t *data, size_t len) {
	OWN(keyring_wipe) struct keyring k = {0};
	OWN(buf_wipe) struct buf again = {0};
	(void)arg;
	if (keyring_decode(data, len, &k, NULL) != 0) {
		ck_assert(k.n == 0 && k.v == NULL && k.group == NULL);
		return false;
	}
	ck_assert_int_eq(keyring_encode(&k, &again, NULL), 0);
	return again.len != len || memcmp(again.data, data, len) != 0;
}

START_TEST(a_changed_package_is_refused_or_round_trips) {
	OWN(keyring_wipe) struct keyring k;
	OWN(buf_wipe) struct buf der = {0};

	ring(2, &k);
	ck_assert_int_eq(keyring_encode(&k, &der, NULL), 0);
	sweep_refused(der.data, der.len, takes_other_package, NULL);
	buf_addc(&der, 0);
	ck_assert_int_eq(keyring_decode(der.data, der.len, &(struct keyring){0}, NULL), ERR_DAMAGED);
} END_TEST

static void rename_group(struct keyring *k, const char *name) {
	free(k->group);
	k->group = xstrdup(name);
}

/* A change to a good ring that the encoder writes down and the decoder must refuse. */
static void spoil(struct keyring *k, int how) {
	struct epoch swap = k->v[1];
	switch (how) {
	case 0: /* oldest first */
		k->v[1] = k->v[2];
		k->v[2] = swap;
		break;
	case 1:
		k->v[1].number = k->v[0].number;
		break;
	case 2:
		k->v[2].number = 0;
		break;
	case 3:
		k->v[0].retired_s = k->v[0].created_s + 1;
		break;
	case 4:
		k->v[1].retired_s = 0;
		break;
	case 5:
		k->v[2].retired_s = k->v[2].created_s - 1;
		break;
	case 6:
		memcpy(k->v[2].key_id, k->v[0].key_id, KEY_ID_LEN);
		break;
	case 7:
		k->v[1].key.len = GROUP_KEY_LEN - 1;
		break;
	case 8:
		k->v[1].key.len = GROUP_KEY_LEN + 1;
		break;
	case 9:
		rename_group(k, "a/b");
		break;
	case 10:
		rename_group(k, "");
		break;
	default:
		rename_group(k, "a\nb");
		break;
	}
}

START_TEST(a_package_against_the_rules_is_refused) {
	OWN(keyring_wipe) struct keyring k;
	OWN(keyring_wipe) struct keyring again = {0};
	OWN(buf_wipe) struct buf der = {0};

	ring(3, &k);
	spoil(&k, _i);
	ck_assert_int_eq(keyring_encode(&k, &der, NULL), 0);
	ck_assert_int_eq(keyring_decode(der.data, der.len, &again, NULL), ERR_DAMAGED);
	for (size_t i = 0; i < k.n; i++)
		k.v[i].key.len = GROUP_KEY_LEN;
} END_TEST

static void put_text(struct buf *attrs, uint8_t attribute, const void *text, size_t len) {
	const uint8_t oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x0c, attribute };
	OWN(buf_wipe) struct buf value = {0};
	size_t mark = attrs->len;

	der_put(&value, DER_UTF8STRING, text, len);
	der_put(attrs, DER_OID, oid, sizeof oid);
	der_put(attrs, DER_SET, value.data, value.len);
	der_wrap(attrs, mark, DER_SEQUENCE);
}

static void put_start(struct buf *attrs, bool utc) {
	static const uint8_t oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x0c, 0x15 };
	OWN(buf_wipe) struct buf value = {0};
	size_t mark = attrs->len;

	if (utc)
		der_put(&value, DER_UTCTIME, "260102030405Z", 13);
	else
		der_put_gentime(&value, 1767323045);
	der_put(attrs, DER_OID, oid, sizeof oid);
	der_put(attrs, DER_SET, value.data, value.len);
	der_wrap(attrs, mark, DER_SEQUENCE);
}

/* A package of one key by hand: what the encoder cannot be made to write. */
struct by_hand { const char *group; size_t group_len; const char *id; size_t id_len; bool utc; };

static void put_package(const struct by_hand *h, struct buf *out) {
	static const uint8_t counter[] = { 0x30, 0x12, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x0c, 0x10,
		0x31, 0x03, 0x02, 0x01, 0x01 };
	static const uint8_t key[GROUP_KEY_LEN];

	put_text(out, 0x0b, h->group, h->group_len);
	put_text(out, 0x09, h->id, h->id_len);
	buf_add(out, counter, sizeof counter);
	put_start(out, h->utc);
	der_wrap(out, 0, DER_SEQUENCE);
	der_put(out, DER_OCTET_STRING, key, sizeof key);
	for (int i = 0; i < 3; i++)
		der_wrap(out, 0, DER_SEQUENCE);
}

#define ID "000102030405060708090a0b0c0d0e0f"
static char many[1000];

static const struct { struct by_hand h; const char *rule; } by_hand[] = {
	{ { "lab", 3, ID, 32, false }, NULL },
	{ { many, 65, ID, 32, false }, "issuer" },
	{ { many, sizeof many, ID, 32, false }, "issuer" },
	{ { "lab\0", 4, ID, 32, false }, "issuer" },
	{ { "\0", 1, ID, 32, false }, "issuer" },
	{ { "lab", 3, ID, 31, false }, "key id" },
	{ { "lab", 3, ID "0", 33, false }, "key id" },
	{ { "lab", 3, many, sizeof many, false }, "key id" },
	{ { "lab", 3, "", 0, false }, "key id" },
	{ { "lab", 3, "000102030405060708090a0b0c0d0e0g", 32, false }, "key id" },
	{ { "lab", 3, "000102030405060708090A0b0c0d0e0f", 32, false }, "key id" },
	{ { "lab", 3, ID, 32, true }, "GeneralizedTime" },
};
#define N_BY_HAND ((int)(sizeof by_hand / sizeof by_hand[0]))

START_TEST(texts_of_another_length_or_form_are_refused) {
	OWN(keyring_wipe) struct keyring k = {0};
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;
	int r;

	memset(many, 'a', sizeof many);
	put_package(&by_hand[_i].h, &der);
	r = keyring_decode(der.data, der.len, &k, &e);
	ck_assert_msg(r == (by_hand[_i].rule == NULL ? 0 : ERR_DAMAGED), "%d: %s", r, e.text);
	if (by_hand[_i].rule != NULL)
		ck_assert_msg(strstr(e.text, by_hand[_i].rule) != NULL, "%s", e.text);
} END_TEST

START_TEST(keys_of_two_groups_are_refused) {
	OWN(keyring_wipe) struct keyring k;
	OWN(buf_wipe) struct buf der = {0};

	ring(2, &k);
	ck_assert_int_eq(keyring_encode(&k, &der, NULL), 0);
	for (size_t i = der.len; i > 5; i--) {
		if (memcmp(der.data + i - 5, "\x0c\x03lab", 5) == 0) { /* which no key holds */
			der.data[i - 1] = 'd';
			break;
		}
	}
	ck_assert_int_eq(keyring_decode(der.data, der.len, &(struct keyring){0}, NULL), ERR_DAMAGED);
} END_TEST

/* Packages rest for years: what was written once has to be read, and written, alike. */
START_TEST(a_package_of_the_first_version_is_read_and_written_alike) {
	static const char hex[] =
	    "30820184308201803081ac308187301c060b2a864886f70d0109100c0b310d0c0b4772757070652053c3bc643031060b2a864886f70d0109"
	    "100c0931220c2037376132303264373039633731656438343362306533383731363161623838613012060b2a864886f70d0109100c103103"
	    "0201033020060b2a864886f70d0109100c153111180f32303236303932313134313332325a0420b4d3dfe73cb7f7000681409d88fc9ad6eb"
	    "b2b5e87a2b2a90866ed94aca80507d3081ce3081a9301c060b2a864886f70d0109100c0b310d0c0b4772757070652053c3bc643031060b2a"
	    "864886f70d0109100c0931220c2065653630616534303366613566386166343439393230376638303637363835363012060b2a864886f70d"
	    "0109100c1031030201013020060b2a864886f70d0109100c153111180f32303236303932313134313332305a3020060b2a864886f70d0109"
	    "100c163111180f32303236303932313134313332315a04202981c40231c280cadbf5d646e3bf0f27200fb343979e042143af9f2948adfb73";
	uint8_t der[(sizeof(hex) - 1) / 2];
	OWN(keyring_wipe) struct keyring k = {0};
	OWN(buf_wipe) struct buf again = {0};
	char id[KEY_ID_HEX];

	ck_assert_int_eq(text_unhex(hex, der, sizeof(der), NULL), 0);
	ck_assert_int_eq(keyring_decode(der, sizeof(der), &k, NULL), 0);
	ck_assert_str_eq(k.group, "Gruppe S\xc3\xbc" "d");
	ck_assert_uint_eq(k.n, 2);
	ck_assert_uint_eq(k.v[0].number, 3);
	ck_assert_uint_eq(k.v[1].number, 1);
	ck_assert_int_eq(k.v[0].created_s, T0 + 2);
	ck_assert_int_eq(k.v[1].retired_s, T0 + 1);
	text_hex(k.v[1].key_id, KEY_ID_LEN, id);
	ck_assert_str_eq(id, "ee60ae403fa5f8af4499207f80676856");
	ck_assert_uint_eq(k.v[1].key.data[0], 0x29);
	ck_assert_uint_eq(k.v[1].key.data[31], 0x73);
	ck_assert_int_eq(keyring_encode(&k, &again, NULL), 0);
	ck_assert_uint_eq(again.len, sizeof(der));
	ck_assert_mem_eq(again.data, der, sizeof(der));
} END_TEST

/* --- the envelope --- */

START_TEST(a_sealed_package_opens_with_each_kind_of_key) {
	static const char *const specs[] = { "ec:P-256", "ec:P-384", "rsa:2048" };

	for (size_t i = 0; i < 2 * sizeof(specs) / sizeof(specs[0]); i++) {
		OWN(fixture_id_wipe) struct fixture_id id = {0};
		OWN(keyring_wipe) struct keyring k;
		OWN(keyring_wipe) struct keyring again = {0};
		OWN(buf_wipe) struct buf der = {0};
		struct err e = ERR_INIT;

		ring(3, &k);
		fixture_issue(&f.ca, ROLE_MEMBER, "carol", specs[i / 2], f.now_s, f.now_s + FIXTURE_DAY_S, &id);
		ck_assert_msg(keyring_seal(&k, &id.cert, 1, i % 2 == 0, &der, &e) == 0, "%s: %s", specs[i / 2], e.text);
		ck_assert_msg(keyring_open(der.data, der.len, id.cert, id.key, &again, &e) == 0, "%s: %s", specs[i / 2], e.text);
		assert_same(&k, &again);
	}
} END_TEST

START_TEST(each_of_several_recipients_opens_it) {
	X509 *const certs[] = { f.gateway.cert, f.bob.cert };
	OWN(keyring_wipe) struct keyring k;
	OWN(buf_wipe) struct buf der = {0};

	ring(2, &k);
	ck_assert_int_eq(keyring_seal(&k, certs, 2, 1, &der, NULL), 0);
	for (int i = 0; i < 2; i++) {
		const struct fixture_id *id = i == 0 ? &f.gateway : &f.bob;
		OWN(keyring_wipe) struct keyring again = {0};
		ck_assert_int_eq(keyring_open(der.data, der.len, id->cert, id->key, &again, NULL), 0);
		assert_same(&k, &again);
	}
} END_TEST

START_TEST(a_long_ring_opens) {
	OWN(keyring_wipe) struct keyring k;
	OWN(keyring_wipe) struct keyring again = {0};
	OWN(buf_wipe) struct buf der = {0};

	ring(1000, &k);
	ck_assert_int_eq(keyring_seal(&k, &f.alice.cert, 1, 0, &der, NULL), 0);
	ck_assert_int_eq(keyring_open(der.data, der.len, f.alice.cert, f.alice.key, &again, NULL), 0);
	assert_same(&k, &again);
} END_TEST

START_TEST(nobody_else_opens_it) {
	OWN(keyring_wipe) struct keyring k;
	OWN(buf_wipe) struct buf der = {0};
	struct keyring none = {0};

	ring(1, &k);
	for (int by_ski = 0; by_ski < 2; by_ski++) {
		buf_clear(&der);
		ck_assert_int_eq(keyring_seal(&k, &f.alice.cert, 1, by_ski, &der, NULL), 0);
		ck_assert_int_eq(keyring_open(der.data, der.len, f.bob.cert, f.bob.key, &none, NULL), ERR_REFUSED);
		ck_assert_int_ne(keyring_open(der.data, der.len, f.alice.cert, f.bob.key, &none, NULL), 0);
		ck_assert_ptr_null(none.v);
	}
} END_TEST

START_TEST(no_recipient_or_too_many_seal_nothing) {
	X509 *certs[ENVELOPED_RECIPIENTS_MAX + 1];
	OWN(keyring_wipe) struct keyring k;
	OWN(buf_wipe) struct buf der = {0};

	for (size_t i = 0; i < ENVELOPED_RECIPIENTS_MAX + 1; i++)
		certs[i] = f.alice.cert;
	ring(1, &k);
	ck_assert_int_ne(keyring_seal(&k, certs, 0, 1, &der, NULL), 0);
	ck_assert_int_ne(keyring_seal(&k, certs, ENVELOPED_RECIPIENTS_MAX + 1, 1, &der, NULL), 0);
	ck_assert_uint_eq(der.len, 0);
	ck_assert_int_eq(keyring_seal(&k, certs, ENVELOPED_RECIPIENTS_MAX, 1, &der, NULL), 0);
} END_TEST

static bool opens(void *arg, const uint8_t *data, size_t len) {
	OWN(keyring_wipe) struct keyring k = {0};
	const struct fixture_id *id = arg;
	return keyring_open(data, len, id->cert, id->key, &k, NULL) == 0;
}

START_TEST(any_change_of_the_envelope_is_refused) {
	static const char *const specs[] = { "ec:P-256", "rsa:2048" };
	OWN(fixture_id_wipe) struct fixture_id id = {0};
	OWN(keyring_wipe) struct keyring k;
	OWN(buf_wipe) struct buf der = {0};

	fixture_issue(&f.ca, ROLE_MEMBER, "carol", specs[_i], f.now_s, f.now_s + FIXTURE_DAY_S, &id);
	ring(1, &k);
	ck_assert_int_eq(keyring_seal(&k, &id.cert, 1, 1, &der, NULL), 0);
	ck_assert(opens(&id, der.data, der.len));
	sweep_refused(der.data, der.len, opens, &id);
	buf_addc(&der, 0);
	ck_assert(!opens(&id, der.data, der.len));
} END_TEST

/* --- envelopes that a stock library makes and perhaps takes, each against one rule --- */

enum what { GOOD, CBC, GCM_128, OTHER_TYPE, KDF_SHA1, OAEP_SHA1, PKCS1, KEK, PASSWORD, TAG_4, UNAUTH_ATTRS, AUTH_ATTRS, INDEFINITE, N_WHATS };

static void add_recipient(enum what w, CMS_ContentInfo *cms, const struct fixture_id *id) {
	CMS_RecipientInfo *ri;
	EVP_PKEY_CTX *ctx;

	if (w == KEK) {
		unsigned char *kek = OPENSSL_zalloc(32), *kek_id = OPENSSL_zalloc(16);
		ck_assert_ptr_nonnull(CMS_add0_recipient_key(cms, NID_undef, kek, 32, kek_id, 16, NULL, NULL, NULL));
		return;
	}
	if (w == PASSWORD) {
		unsigned char *pass = (unsigned char *)OPENSSL_strdup("secret");
		ck_assert_ptr_nonnull(CMS_add0_recipient_password(cms, -1, NID_undef, NID_undef, pass, 6, EVP_aes_256_cbc()));
		return;
	}
	ri = CMS_add1_recipient_cert(cms, id->cert, CMS_KEY_PARAM);
	ck_assert_ptr_nonnull(ri);
	ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
	if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_AGREE) {
		ck_assert_int_eq(EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, w == KDF_SHA1 ? EVP_sha1() : EVP_sha256()), 1);
	} else if (w != PKCS1) {
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, w == OAEP_SHA1 ? EVP_sha1() : EVP_sha256()), 1);
	}
}

/* What OpenSSL's CMS makes of the package with these settings, changed by hand where it has no setting. */
static void stock_seal(enum what w, const struct fixture_id *id, struct buf *out) {
	OWN(keyring_wipe) struct keyring k;
	OWN(buf_wipe) struct buf package = {0};
	const EVP_CIPHER *cipher = w == CBC ? EVP_aes_256_cbc() : w == GCM_128 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
	OWN(own_cms) CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, cipher, CMS_BINARY | CMS_PARTIAL);
	unsigned char *der = NULL;
	int len;

	ring(1, &k);
	ck_assert_int_eq(keyring_encode(&k, &package, NULL), 0);
	add_recipient(w, cms, id);
	if (w != OTHER_TYPE) {
		ASN1_OBJECT *type = OBJ_txt2obj("1.2.840.113549.1.9.16.1.25", 1);
		ck_assert_int_eq(CMS_set1_eContentType(cms, type), 1);
		ASN1_OBJECT_free(type);
	}
	OWN(own_bio) BIO *in = BIO_new_mem_buf(package.data, (int)package.len);
	ck_assert_int_eq(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	len = i2d_CMS_ContentInfo(cms, &der);
	ck_assert_int_gt(len, 0);
	buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
}

/* Takes the three outer shells off, so that something can be put at the end, and puts them on again. */
static void put_at_end(struct buf *der, size_t drop, const uint8_t *add, size_t len) {
	OWN(buf_wipe) struct buf b = {0};
	struct der d = { der->data, der->len }, ci, box, aed, oid, whole;
	uint8_t tag;

	ck_assert_int_eq(der_take(&d, DER_SEQUENCE, &ci, "", NULL), 0);
	ck_assert_int_eq(der_take_any(&ci, &tag, &oid, &whole, "", NULL), 0);
	ck_assert_int_eq(der_take(&ci, DER_CTX_CONS(0), &box, "", NULL), 0);
	ck_assert_int_eq(der_take(&box, DER_SEQUENCE, &aed, "", NULL), 0);
	buf_add(&b, aed.p, aed.len - drop);
	buf_add(&b, add, len);
	der_wrap(&b, 0, DER_SEQUENCE);
	der_wrap(&b, 0, DER_CTX_CONS(0));
	OWN(buf_wipe) struct buf head = {0};
	buf_add(&head, whole.p, whole.len);
	buf_add(&head, b.data, b.len);
	der_wrap(&head, 0, DER_SEQUENCE);
	buf_clear(der);
	buf_add(der, head.data, head.len);
}

/* SEQUENCE { contentType, SET { id-data } } as an attribute. */
#define ATTR "\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03\x31\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"

static void change(enum what w, struct buf *der) {
	uint8_t tag[16];
	OWN(buf_wipe) struct buf end = {0};

	memcpy(tag, der->data + der->len - 16, 16);
	if (w == TAG_4) { /* the 16 octets cut to 4: stock libraries take it */
		der_put(&end, DER_OCTET_STRING, tag, 4);
		put_at_end(der, 18, end.data, end.len);
	} else if (w == UNAUTH_ATTRS) {
		put_at_end(der, 0, (const uint8_t *)"\xa2\x1a" ATTR, 28);
	} else if (w == AUTH_ATTRS) {
		buf_add(&end, "\xa1\x1a" ATTR, 28);
		der_put(&end, DER_OCTET_STRING, tag, 16);
		put_at_end(der, 18, end.data, end.len);
	} else if (w == INDEFINITE) {
		ck_assert_uint_eq(der->data[1], 0x82);
		memmove(der->data + 2, der->data + 4, der->len - 4);
		der->data[1] = 0x80;
		memset(der->data + der->len - 2, 0, 2);
	}
}

START_TEST(a_stock_envelope_with_one_deviation_is_refused) {
	static const char *const specs[] = { "ec:P-256", "rsa:2048" };

	for (int rsa = 0; rsa < 2; rsa++) {
		enum what w = (enum what)_i;
		OWN(fixture_id_wipe) struct fixture_id id = {0};
		OWN(buf_wipe) struct buf der = {0};
		OWN(keyring_wipe) struct keyring k = {0};
		struct err e = ERR_INIT;

		if ((w == KDF_SHA1 && rsa == 1) || ((w == OAEP_SHA1 || w == PKCS1) && rsa == 0))
			continue;
		fixture_issue(&f.ca, ROLE_MEMBER, "carol", specs[rsa], f.now_s, f.now_s + FIXTURE_DAY_S, &id);
		stock_seal(w, &id, &der);
		change(w, &der);
		ck_assert_msg(keyring_open(der.data, der.len, id.cert, id.key, &k, &e) == (w == GOOD ? 0 : ERR_DAMAGED), "%d: %s", _i, e.text);
		ck_assert_msg(w == GOOD || w == INDEFINITE || strstr(e.text, "RFC ") != NULL, "%d: %s", _i, e.text);
	}
} END_TEST

/* --- the reply --- */

struct reply { struct keyring k; struct buf der; };

static void reply_make(struct reply *r) {
	const struct signed_make by = { .key = f.gateway.key, .cert = f.gateway.cert, .nonce = (const uint8_t *)"0123456789abcdef",
		.nonce_len = 16, .log_head = "a head\n", .time_s = f.now_s };
	OWN(buf_wipe) struct buf sealed = {0};
	*r = (struct reply){0};
	ring(2, &r->k);
	ck_assert_int_eq(keyring_seal(&r->k, &f.alice.cert, 1, 0, &sealed, NULL), 0);
	ck_assert_int_eq(keyring_reply_make(sealed.data, sealed.len, &by, &r->der, NULL), 0);
}

static void reply_wipe(struct reply *r) {
	keyring_wipe(&r->k);
	buf_wipe(&r->der);
}

static int reply_open(const struct buf *der, const uint8_t *nonce, size_t nonce_len, const struct fixture_id *id, struct keyring *k, struct err *e) {
	OWN(keyring_said_wipe) struct keyring_said said = {0};
	int r = keyring_reply_open(der->data, der->len, nonce, nonce_len, id->cert, id->key, k, &said, e);
	if (r == 0) {
		ck_assert_int_eq(X509_cmp(said.gw_cert, f.gateway.cert), 0);
		ck_assert_int_eq(said.signed_s, f.now_s);
		ck_assert(said.log_head[0] == '\0' || strcmp(said.log_head, "a head\n") == 0);
	} else {
		ck_assert_ptr_null(said.gw_cert);
		ck_assert_ptr_null(k->v);
	}
	return r;
}

START_TEST(a_reply_round_trips) {
	OWN(reply_wipe) struct reply r;
	OWN(keyring_wipe) struct keyring fresh = {0};
	OWN(keyring_wipe) struct keyring stored = {0};
	struct err e = ERR_INIT;

	reply_make(&r);
	ck_assert_msg(reply_open(&r.der, NONCE, &f.alice, &fresh, &e) == 0, "%s", e.text);
	assert_same(&r.k, &fresh);
	ck_assert_msg(reply_open(&r.der, NULL, 0, &f.alice, &stored, &e) == 0, "%s", e.text);
	assert_same(&r.k, &stored);
} END_TEST

START_TEST(a_replayed_reply_is_refused) {
	OWN(reply_wipe) struct reply r;
	struct keyring k = {0};
	struct err e = ERR_INIT;

	reply_make(&r);
	ck_assert_int_eq(reply_open(&r.der, (const uint8_t *)"0123456789abcdeF", 16, &f.alice, &k, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "RFC 8894"));
	ck_assert_int_eq(reply_open(&r.der, (const uint8_t *)"0123456789abcdef", 15, &f.alice, &k, NULL), ERR_DAMAGED);
} END_TEST

START_TEST(a_reply_to_somebody_else_is_refused) {
	OWN(reply_wipe) struct reply r;
	struct keyring k = {0};

	reply_make(&r);
	ck_assert_int_eq(reply_open(&r.der, NONCE, &f.bob, &k, NULL), ERR_REFUSED);
} END_TEST

START_TEST(a_reply_without_nonce_or_certificate_is_refused) {
	OWN(buf_wipe) struct buf sealed = {0};
	OWN(keyring_wipe) struct keyring k;
	struct keyring none = {0};

	ring(1, &k);
	ck_assert_int_eq(keyring_seal(&k, &f.alice.cert, 1, 0, &sealed, NULL), 0);
	for (int i = 0; i < 3; i++) {
		struct signed_make m = { .key = f.gateway.key, .cert = f.gateway.cert, .time_s = f.now_s, .by_ski = i == 1,
			.nonce = i == 2 ? NULL : (const uint8_t *)"0123456789abcdef", .nonce_len = 16 };
		OWN(buf_wipe) struct buf der = {0};
		OWN(keyring_wipe) struct keyring got = {0};
		ck_assert_int_eq(signed_make(&m, sealed.data, sealed.len, &der, NULL), 0);
		ck_assert_int_eq(reply_open(&der, NULL, 0, &f.alice, i == 0 ? &got : &none, NULL), i == 0 ? 0 : ERR_DAMAGED);
	}
	const struct signed_make without = { .key = f.gateway.key, .cert = f.gateway.cert, .time_s = f.now_s };
	ck_assert_int_ne(keyring_reply_make(sealed.data, sealed.len, &without, &sealed, NULL), 0);
} END_TEST

static bool reply_opens(void *arg, const uint8_t *data, size_t len) {
	OWN(keyring_wipe) struct keyring k = {0};
	const struct buf der = { (uint8_t *)(uintptr_t)data, len, len };
	(void)arg;
	return reply_open(&der, NONCE, &f.alice, &k, NULL) == 0;
}

START_TEST(any_change_of_a_reply_is_refused) {
	OWN(reply_wipe) struct reply r;
	reply_make(&r);
	sweep_refused(r.der.data, r.der.len, reply_opens, NULL);
} END_TEST

int main(void) {
	TCase *t = tcase_create("keyring");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, the_first_epoch_is_number_one);
	tcase_add_test(t, rotation_retires_the_epoch_before);
	tcase_add_test(t, a_clock_that_went_back_ends_no_epoch_before_it_began);
	tcase_add_test(t, an_unknown_key_id_is_not_found);
	tcase_add_test(t, retired_epochs_are_dropped_the_current_one_is_not);
	tcase_add_test(t, a_package_round_trips);
	tcase_add_test(t, an_empty_ring_is_no_package);
	tcase_add_test(t, a_changed_package_is_refused_or_round_trips);
	tcase_add_loop_test(t, a_package_against_the_rules_is_refused, 0, 12);
	tcase_add_loop_test(t, texts_of_another_length_or_form_are_refused, 0, N_BY_HAND);
	tcase_add_test(t, keys_of_two_groups_are_refused);
	tcase_add_test(t, a_package_of_the_first_version_is_read_and_written_alike);
	tcase_add_test(t, a_sealed_package_opens_with_each_kind_of_key);
	tcase_add_test(t, each_of_several_recipients_opens_it);
	tcase_add_test(t, a_long_ring_opens);
	tcase_add_test(t, nobody_else_opens_it);
	tcase_add_test(t, no_recipient_or_too_many_seal_nothing);
	tcase_add_loop_test(t, any_change_of_the_envelope_is_refused, 0, 2);
	tcase_add_loop_test(t, a_stock_envelope_with_one_deviation_is_refused, GOOD, N_WHATS);
	tcase_add_test(t, a_reply_round_trips);
	tcase_add_test(t, a_replayed_reply_is_refused);
	tcase_add_test(t, a_reply_to_somebody_else_is_refused);
	tcase_add_test(t, a_reply_without_nonce_or_certificate_is_refused);
	tcase_add_test(t, any_change_of_a_reply_is_refused);
	return suite_run("keyring", t);
}
