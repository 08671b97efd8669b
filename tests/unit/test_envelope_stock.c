/* SPDX-License-Identifier: Apache-2.0 */
/* envelope: what OpenSSL writes is opened if asked for, as strictly as our own; what we write OpenSSL opens. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/envelope.h"
#include "envelope/layout.h"
#include "lib/forge.h"
#include "lib/suite.h"
#include "pki/ossl.h"

#define LEN 300001u

static struct lab lab;
static uint8_t *plain;

static void set_up(void) {
	lab_init(&lab);
	plain = lab_plain(LEN);
	lab.open.allow_unsigned = true;
}

static void tear_down(void) {
	free(plain);
	lab_wipe(&lab);
}

/* As openssl cms -encrypt -aes-256-gcm -secretkey K -secretkeyid ID -outform DER, with or without -stream. */
static void stock_seal(const uint8_t *p, size_t len, bool stream, struct buf *der) {
	OWN(own_bio) BIO *in = BIO_new_mem_buf(p, (int)len);
	OWN(own_bio) BIO *out = BIO_new(BIO_s_mem());
	unsigned flags = CMS_BINARY | (stream ? CMS_STREAM : 0);
	OWN(own_cms) CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), CMS_PARTIAL | flags);
	const struct epoch *epoch = &lab.keys.v[0];
	uint8_t *key = OPENSSL_memdup(epoch->key.data, epoch->key.len), *id = OPENSSL_memdup(epoch->key_id, KEY_ID_LEN);
	char *data;
	long n;

	ck_assert_ptr_nonnull(cms);
	ck_assert_ptr_nonnull(CMS_add0_recipient_key(cms, NID_undef, key, epoch->key.len, id, KEY_ID_LEN, NULL, NULL, NULL));
	if (stream)
		ck_assert_int_eq(i2d_CMS_bio_stream(out, cms, in, (int)flags), 1);
	else
		ck_assert(CMS_final(cms, in, NULL, flags) == 1 && i2d_CMS_bio(out, cms) == 1);
	n = BIO_get_mem_data(out, &data);
	buf_add(der, data, (size_t)n);
}

static void assert_opens(const struct buf *sealed, size_t len) {
	for (int i = 0; i < 4; i++) {
		OWN(lab_out_wipe) struct lab_out out = {0};
		OWN(envelope_result_wipe) struct envelope_result r = {0};
		struct err e = ERR_INIT;

		lab_out_init(&out, len + 1);
		ck_assert_msg(lab_open(&lab, sealed, i & 1 ? LAB_SEEK : LAB_STREAM, i & 2 ? LAB_SEEK : LAB_STREAM, &out, &r, &e) == 0, "%s",
			      e.text);
		ck_assert_uint_eq(out.len, len);
		ck_assert_mem_eq(out.p, plain, len);
		ck_assert(r.is_unsigned && r.author == NULL && r.manifest.count == 0);
		ck_assert_uint_eq(r.object_size, sealed->len);
		ck_assert_mem_eq(r.key_id, lab.keys.v[0].key_id, KEY_ID_LEN);
	}
}

static void assert_refused(const struct buf *sealed, const char *rule) {
	for (int i = 0; i < 2; i++) {
		struct err e = ERR_INIT;

		ck_assert_int_eq(lab_open(&lab, sealed, i == 0 ? LAB_SEEK : LAB_STREAM, LAB_STREAM, NULL, NULL, &e), ERR_DAMAGED);
		ck_assert_msg(strstr(e.text, rule) != NULL, "%s: no \"%s\"", e.text, rule);
	}
}

static const size_t sizes[] = { 1, 4095, 4096, 4097, 262144, LEN };
#define N_SIZES ((int)(2 * sizeof sizes / sizeof sizes[0]))

START_TEST(openssls_envelopes_open_when_asked_for) {
	OWN(buf_wipe) struct buf sealed = {0};

	stock_seal(plain, sizes[_i / 2], _i % 2 != 0, &sealed);
	assert_opens(&sealed, sizes[_i / 2]);
}
END_TEST

START_TEST(and_only_then) {
	lab.open.allow_unsigned = false;
	for (int i = 0; i < 2; i++) {
		OWN(buf_wipe) struct buf sealed = {0};

		stock_seal(plain, 5000, i != 0, &sealed);
		assert_refused(&sealed, i != 0 ? "indefinite" : "-unsigned");
	}
}
END_TEST

/* Nobody signed it: it is not carried on under the group's newest key, least of all in the clear, nor read in part. */
START_TEST(nor_to_be_re_encrypted_or_for_a_range) {
	struct envelope_range range = { 0, 9 };

	for (int i = 0; i < 6; i++) {
		OWN(buf_wipe) struct buf sealed = {0};
		OWN(lab_out_wipe) struct lab_out out = {0};
		OWN(envelope_result_wipe) struct envelope_result r = {0};
		struct lab_in in = {0};
		struct source source;
		struct sink sink = lab_sink(&out, LAB_STREAM);
		int rc;

		stock_seal(plain, 5000, i % 2 != 0, &sealed);
		in = (struct lab_in){ .p = sealed.data, .len = sealed.len };
		source = lab_source(&in, LAB_SEEK);
		lab_out_init(&out, 10000);
		lab.open.range = i < 4 ? NULL : &range;
		rc = i < 2   ? envelope_reencrypt(&lab.open, &lab.keys.v[0], &source, &sink, &r, NULL)
		     : i < 4 ? envelope_rewrap(&lab.open, &lab.keys.v[0], &source, &sink, &r, NULL)
			     : envelope_open(&lab.open, &source, &sink, &r, NULL);
		ck_assert_int_eq(rc, ERR_DAMAGED);
		ck_assert_uint_eq(out.len, 0);
	}
}
END_TEST

START_TEST(every_flipped_byte_is_refused) {
	OWN(buf_wipe) struct buf sealed = {0};

	stock_seal(plain, 200, _i != 0, &sealed);
	for (size_t i = 0; i < sealed.len * 8; i++) {
		int r;

		sealed.data[i / 8] ^= (uint8_t)(1u << i % 8);
		r = lab_open(&lab, &sealed, i % 2 != 0 ? LAB_SEEK : LAB_STREAM, LAB_STREAM, NULL, NULL, NULL);
		ck_assert_msg(r == ERR_DAMAGED || r == ERR_REFUSED, "bit %zu: %d", i, r);
		sealed.data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}
END_TEST

START_TEST(every_cut_and_every_byte_behind_is_refused) {
	OWN(buf_wipe) struct buf sealed = {0};

	stock_seal(plain, 200, _i != 0, &sealed);
	for (size_t len = 0; len < sealed.len; len++) {
		OWN(own_free) uint8_t *copy = xmalloc(len);
		struct buf cut = { .data = copy, .len = len };

		if (len > 0)
			memcpy(copy, sealed.data, len);
		ck_assert_int_eq(lab_open(&lab, &cut, len % 2 != 0 ? LAB_SEEK : LAB_STREAM, LAB_STREAM, NULL, NULL, NULL), ERR_DAMAGED);
	}
	buf_addc(&sealed, 0);
	assert_refused(&sealed, "behind");
	sealed.len--;
	stock_seal(plain, 200, _i != 0, &sealed);
	assert_refused(&sealed, "behind");
}
END_TEST

/* ---- ours never passes for a stock envelope ---- */

START_TEST(a_sealed_file_keeps_its_manifest) {
	OWN(lab_out_wipe) struct lab_out out = {0};
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	OWN(buf_wipe) struct buf sealed = {0};

	lab_seal(&lab, plain, LEN, &sealed, NULL);
	lab_out_init(&out, LEN);
	ck_assert_int_eq(lab_open(&lab, &sealed, LAB_SEEK, LAB_SEEK, &out, &r, NULL), 0);
	ck_assert(!r.is_unsigned && r.author != NULL);
	sealed.len = (size_t)object_size(OBJECT_KEK_LEN, LEN);
	assert_refused(&sealed, "manifest is missing");
}
END_TEST

static void pieces_of(size_t len, struct content *c, struct buf *sealed) {
	lab_seal(&lab, plain, len, sealed, NULL);
	forge_content(&lab, sealed, c);
}

START_TEST(a_piece_of_a_sealed_file_is_refused_in_any_form) {
	OWN(content_wipe) struct content c = {0};
	OWN(buf_wipe) struct buf sealed = {0};

	pieces_of(LEN, &c, &sealed);
	for (int form = FORGE_DER; form <= FORGE_DEFINITE_PIECES; form++) {
		for (uint32_t i = 0; i < 6; i++) {
			OWN(buf_wipe) struct buf b = {0};
			struct object o = { i, (uint8_t)(i % 4), LEN };
			struct forge f = { .form = (enum forge_form)form };

			forge_object(&f, &c, &o, plain, LEN, &b);
			assert_refused(&b, "RFC 5");
		}
	}
}
END_TEST

/* ---- the rules hold in every form ---- */

static const struct object lone = { 0x12345678, 0x9a, 0 };

static const struct { struct forge f; const char *rule; } bad[] = {
#define BAD(rule, ...) { { __VA_ARGS__ }, (rule) }
	BAD("content type envelopedData", .type = "1.2.840.113549.1.7.3", .form = FORGE_PIECES),
	BAD("RFC 5083 2.1: version", .version = 1, .form = FORGE_PIECES),
	BAD("recipientInfos", .originator = true, .form = FORGE_PIECES),
	BAD("more than one recipient", .recipients = 2, .form = FORGE_PIECES),
	BAD("recipientInfos", .recipients = 100000, .form = FORGE_PIECES),
	BAD("KEKRecipientInfo", .no_recipient = true, .form = FORGE_PIECES),
	BAD("KEKRecipientInfo", .recipient_tag = 0x30),
	BAD("key identifier of", .key_id_len = 3),
	BAD("key wrap", .wrap = "2.16.840.1.101.3.4.1.5", .form = FORGE_PIECES),
	BAD("parameters of id-aes256-wrap", .wrap_null = true, .form = FORGE_PIECES),
	BAD("RFC 3394", .wrapped_len = 48, .form = FORGE_PIECES),
	BAD("id-data", .inner = "1.2.840.113549.1.7.2", .form = FORGE_PIECES),
	BAD("cipher", .cipher = "2.16.840.1.101.3.4.1.42", .cipher_iv = true, .nonce_len = 16, .form = FORGE_PIECES),
	BAD("cipher", .cipher = "2.16.840.1.101.3.4.1.43", .cipher_iv = true, .nonce_len = 16),
	BAD("nonce of 13", .nonce_len = 13, .form = FORGE_PIECES),
	BAD("nonce of 16", .nonce_len = 16),
	BAD("tag of 12", .no_icv_len = true, .tag_len = 12, .form = FORGE_PIECES),
	BAD("tag of 1 ", .tag_len = 1, .form = FORGE_PIECES),
	BAD("tag of 4 ", .tag_len = 4),
	BAD("mac of 15", .tag_len = 15, .icv_len = 16, .form = FORGE_PIECES),
	BAD("mac", .no_tag = true, .form = FORGE_PIECES),
	BAD("mac", .no_tag = true),
	BAD("authAttrs", .auth_attrs = true, .form = FORGE_PIECES),
	BAD("authAttrs", .auth_attrs = true),
	BAD("unauthAttrs", .unauth_attrs = true, .form = FORGE_PIECES),
	BAD("unauthAttrs", .unauth_attrs = true),
	BAD("encryptedContent", .form = FORGE_NESTED_PIECES),
	BAD("not minimal", .form = FORGE_LONG_LENGTH),
};
#define N_BAD ((int)(sizeof bad / sizeof bad[0]))

START_TEST(an_unforged_one_opens_in_each_form) {
	OWN(content_wipe) struct content c = {0};
	OWN(buf_wipe) struct buf sealed = {0};

	pieces_of(10, &c, &sealed);
	for (int form = FORGE_DER; form <= FORGE_DEFINITE_PIECES; form++) {
		OWN(buf_wipe) struct buf b = {0};
		struct forge f = { .form = (enum forge_form)form };

		forge_object(&f, &c, &lone, plain, LEN, &b);
		assert_opens(&b, LEN);
	}
}
END_TEST

START_TEST(a_lone_envelope_that_breaks_a_rule_is_refused) {
	OWN(content_wipe) struct content c = {0};
	OWN(buf_wipe) struct buf sealed = {0};
	OWN(buf_wipe) struct buf b = {0};

	pieces_of(10, &c, &sealed);
	forge_object(&bad[_i].f, &c, &lone, plain, 5000, &b);
	assert_refused(&b, bad[_i].rule);
}
END_TEST

START_TEST(endless_nesting_and_lengths_that_lie_are_refused) {
	OWN(buf_wipe) struct buf b = {0};

	for (int i = 0; i < 1000; i++)
		buf_add(&b, "\x30\x80", 2);
	assert_refused(&b, "RFC 5652 3");
	buf_clear(&b);
	buf_add(&b, "\x30\x88\x7f\xff\xff\xff\xff\xff\xff\xff", 10);
	assert_refused(&b, "RFC 5652 3");
	buf_clear(&b);
	buf_add(&b, "\x30\x80\x06\x84\x7f\xff\xff\xff", 8);
	assert_refused(&b, "too long");
}
END_TEST

START_TEST(its_unknown_key_is_a_refusal) {
	static struct keyring old;
	OWN(buf_wipe) struct buf sealed = {0};

	stock_seal(plain, 100, true, &sealed);
	old = (struct keyring){ .group = lab.keys.group, .v = lab.keys.v + 1, .n = 1 };
	lab.open.keys = &old;
	ck_assert_int_eq(lab_open(&lab, &sealed, LAB_SEEK, LAB_STREAM, NULL, NULL, NULL), ERR_REFUSED);
}
END_TEST

/* ---- OpenSSL opens ours ---- */

/* As openssl cms -decrypt -secretkey K -secretkeyid ID: each object, from off. */
static void stock_open(const uint8_t *p, size_t len, size_t *used, struct buf *out) {
	const uint8_t *at = p;
	OWN(own_cms) CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)len);
	OWN(own_bio) BIO *bio = BIO_new(BIO_s_mem());
	const struct epoch *epoch = &lab.keys.v[0];
	uint8_t key[GROUP_KEY_LEN], id[KEY_ID_LEN];
	char *data;
	long n;

	ck_assert_ptr_nonnull(cms);
	memcpy(key, epoch->key.data, sizeof key);
	memcpy(id, epoch->key_id, sizeof id);
	ck_assert_int_eq(CMS_decrypt_set1_key(cms, key, sizeof key, id, sizeof id), 1);
	ck_assert_int_eq(CMS_decrypt(cms, NULL, NULL, NULL, bio, CMS_BINARY), 1);
	n = BIO_get_mem_data(bio, &data);
	buf_add(out, data, (size_t)n);
	*used = (size_t)(at - p);
}

START_TEST(openssl_opens_every_object_of_ours) {
	static const size_t lens[] = { 0, 1, LEN };
	OWN(buf_wipe) struct buf sealed = {0};
	OWN(buf_wipe) struct buf segment = {0};
	OWN(buf_wipe) struct buf manifest = {0};
	size_t used, more;

	lab_seal(&lab, plain, lens[_i], &sealed, NULL);
	stock_open(sealed.data, sealed.len, &used, &segment);
	ck_assert_uint_eq(segment.len, lens[_i]);
	if (segment.len > 0)
		ck_assert_mem_eq(segment.data, plain, segment.len);
	stock_open(sealed.data + used, sealed.len - used, &more, &manifest);
	ck_assert_uint_eq(used + more, sealed.len);
	ck_assert_uint_eq(manifest.data[0], DER_SEQUENCE);
}
END_TEST

START_TEST(a_careless_openssl_shows_the_note_of_a_long_file) {
	OWN(own_free) uint8_t *big = lab_plain(SEGMENT_LEN + 1);
	OWN(buf_wipe) struct buf sealed = {0};
	OWN(buf_wipe) struct buf note = {0};
	size_t used;

	lab_seal(&lab, big, SEGMENT_LEN + 1, &sealed, NULL);
	stock_open(sealed.data, sealed.len, &used, &note);
	ck_assert_uint_lt(used, sealed.len);
	ck_assert_str_eq(buf_str(&note), layout_note);
}
END_TEST

int main(void) {
	TCase *c = tcase_create("both ways");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, openssls_envelopes_open_when_asked_for, 0, N_SIZES);
	tcase_add_test(c, and_only_then);
	tcase_add_test(c, nor_to_be_re_encrypted_or_for_a_range);
	tcase_add_loop_test(c, every_flipped_byte_is_refused, 0, 2);
	tcase_add_loop_test(c, every_cut_and_every_byte_behind_is_refused, 0, 2);
	tcase_add_test(c, a_sealed_file_keeps_its_manifest);
	tcase_add_test(c, a_piece_of_a_sealed_file_is_refused_in_any_form);
	tcase_add_test(c, an_unforged_one_opens_in_each_form);
	tcase_add_loop_test(c, a_lone_envelope_that_breaks_a_rule_is_refused, 0, N_BAD);
	tcase_add_test(c, endless_nesting_and_lengths_that_lie_are_refused);
	tcase_add_test(c, its_unknown_key_is_a_refusal);
	tcase_add_loop_test(c, openssl_opens_every_object_of_ours, 0, 3);
	tcase_add_test(c, a_careless_openssl_shows_the_note_of_a_long_file);
	return suite_run("envelope, stock tools", c);
}
