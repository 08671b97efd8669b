/* SPDX-License-Identifier: Apache-2.0 */
/* envelope: any CMS file, good, bad or hostile, as a tree. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>

#include "base/own.h"
#include "base/text.h"
#include "envelope/layout.h"
#include "envelope/tree.h"
#include "lib/forge.h"
#include "lib/gauge.h"
#include "lib/suite.h"
#include "pki/ossl.h"
#include "pki/signed.h"

static struct lab lab;
static const char text[] = "minutes";

static void set_up(void) {
	lab_init(&lab);
}

static void tear_down(void) {
	lab_wipe(&lab);
}

struct seen { struct buf all; unsigned lines, deepest; };

static void seen_wipe(struct seen *s) {
	buf_wipe(&s->all);
}

static void see(void *arg, const struct tree_line *l) {
	struct seen *s = arg;

	ck_assert(text_is_utf8(l->value, strlen(l->value)) && !text_has_control(l->value, strlen(l->value)));
	buf_addf(&s->all, "%u %s: %s\n", l->depth, l->name, l->value);
	s->lines++;
	if (l->depth > s->deepest)
		s->deepest = l->depth;
}

static int walk(const void *p, size_t len, struct seen *s, struct err *e) {
	struct lab_in in = { .p = p, .len = len };
	struct source source = lab_source(&in, LAB_SEEK);

	return tree_walk(&source, see, s, e);
}

static void assert_shows(const struct buf *b, const char *const *what) {
	OWN(seen_wipe) struct seen s = {0};
	struct err e = ERR_INIT;

	ck_assert_msg(walk(b->data, b->len, &s, &e) == 0, "%s", e.text);
	for (; *what != NULL; what++)
		ck_assert_msg(strstr(buf_str(&s.all), *what) != NULL, "no \"%s\" in:\n%s", *what, buf_str(&s.all));
}

static void assert_fault(const struct buf *b, const char *rule) {
	OWN(seen_wipe) struct seen s = {0};
	struct err e = ERR_INIT;
	struct gauge gauge;

	gauge_start(&gauge);
	ck_assert_int_eq(walk(b->data, b->len, &s, &e), ERR_DAMAGED);
	gauge_end(&gauge);
	ck_assert_msg(strstr(e.text, rule) != NULL, "%s: no \"%s\"", e.text, rule);
}

static void write_cms(CMS_ContentInfo *cms, struct buf *out) {
	unsigned char *der = NULL;
	int len = i2d_CMS_ContentInfo(cms, &der);

	ck_assert_int_gt(len, 0);
	buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
}

static void sign(struct buf *out) {
	struct signed_make m = { .key = lab.f.alice.key, .cert = lab.f.alice.cert, .time_s = lab.f.now_s };

	ck_assert_int_eq(signed_make(&m, text, sizeof text, out, NULL), 0);
}

/* As openssl cms -encrypt makes it, for a certificate and (which wants a cipher of blocks) a password. */
static void envelop(const EVP_CIPHER *cipher, bool password, struct buf *out) {
	OWN(own_bio) BIO *in = BIO_new_mem_buf(text, sizeof text);
	OWN(own_cms) CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, cipher, CMS_BINARY | CMS_PARTIAL);

	ck_assert_ptr_nonnull(CMS_add1_recipient_cert(cms, lab.f.bob.cert, 0));
	if (password) {
		unsigned char *word = (unsigned char *)OPENSSL_strdup("password");

		ck_assert_ptr_nonnull(CMS_add0_recipient_password(cms, -1, NID_undef, NID_undef, word, -1, NULL));
	}
	ck_assert_int_eq(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	write_cms(cms, out);
}

/* The samples of the sweeps. */
static void sample(int i, struct buf *out) {
	OWN(own_bio) BIO *in = BIO_new_mem_buf(text, sizeof text);
	OWN(own_cms) CMS_ContentInfo *cms = NULL;
	static const unsigned char key[32] = "key";

	if (i == 0)
		lab_seal(&lab, text, sizeof text, out, NULL);
	else if (i == 1)
		sign(out);
	else if (i == 2)
		envelop(EVP_aes_128_cbc(), true, out);
	else if (i == 3)
		envelop(EVP_aes_256_gcm(), false, out);
	else if (i == 4)
		cms = CMS_digest_create(in, EVP_sha256(), CMS_BINARY);
	else if (i == 5)
		cms = CMS_EncryptedData_encrypt(in, EVP_aes_256_cbc(), key, sizeof key, CMS_BINARY);
	else
		cms = CMS_data_create(in, CMS_BINARY);
	if (cms != NULL)
		write_cms(cms, out);
}
#define N_SAMPLES 7

START_TEST(what_openssl_and_we_write_is_shown) {
	static const char *const sealed[] = { "object: at 0, 1", "recipient, key encryption key", "id-aes256-wrap", "aes-256-gcm, nonce ",
	    "tag of 16 octets", "encrypted content: 8 octets", "mac: 16 octets", NULL };
	static const char *const signed_[] = { "signed data", "certificate: CN=alice,OU=member,O=lab, by CN=lab CA, serial ", "signer",
	    "attribute: signingTime: 20", "octets: 8 octets", "ecdsa-with-SHA256", NULL };
	static const char *const enveloped[] = { "enveloped data", "recipient, key agreement", "issuer and serial: CN=lab CA",
	    "recipient, password", "PBKDF2", "aes-128-cbc, iv ", NULL };
	static const char *const authenticated[] = { "authenticated and enveloped data", "aes-256-gcm", NULL };
	static const char *const digested[] = { "digested data", "sha256", "digest: ", NULL };
	static const char *const encrypted[] = { "encrypted data", "aes-256-cbc", NULL };
	static const char *const data[] = { "pkcs7-data", "data: 8 octets", NULL };
	static const char *const *const all[N_SAMPLES] = { sealed, signed_, enveloped, authenticated, digested, encrypted, data };

	for (int i = 0; i < N_SAMPLES; i++) {
		OWN(buf_wipe) struct buf b = {0};

		sample(i, &b);
		assert_shows(&b, all[i]);
	}
}
END_TEST

START_TEST(cms_inside_a_signature_is_shown_too) {
	static const char *const what[] = { "5 octets: ", "6 object: at", "9 recipients", NULL };
	OWN(buf_wipe) struct buf inner = {0};
	OWN(buf_wipe) struct buf b = {0};
	struct signed_make m = { .key = lab.f.alice.key, .cert = lab.f.alice.cert, .time_s = lab.f.now_s };

	envelop(EVP_aes_256_gcm(), false, &inner);
	ck_assert_int_eq(signed_make(&m, inner.data, inner.len, &b, NULL), 0);
	assert_shows(&b, what);
}
END_TEST

START_TEST(indefinite_lengths_and_pieces_are_shown) {
	static const char *const what[] = { "of indefinite length", "encrypted content: 2500 octets in 3 pieces", "mac: 16 octets", NULL };
	const struct forge f = { .form = FORGE_PIECES };
	OWN(own_free) uint8_t *plain = lab_plain(2500);
	OWN(buf_wipe) struct buf honest = {0};
	OWN(buf_wipe) struct buf b = {0};
	OWN(content_wipe) struct content c = {0};
	struct object o = { 0, OBJECT_LAST, 2500 };

	lab_seal(&lab, text, sizeof text, &honest, NULL);
	forge_content(&lab, &honest, &c);
	forge_object(&f, &c, &o, plain, 2500, &b);
	assert_shows(&b, what);
}
END_TEST

/* Every cut is a fault; a flipped bit may be one or not, but always an end is found, and what is shown is harmless. */
START_TEST(every_cut_and_every_flipped_byte_comes_to_an_end) {
	static const uint8_t masks[] = { 0x01, 0x20, 0x80, 0xff };
	OWN(buf_wipe) struct buf b = {0};

	sample(_i, &b);
	for (size_t i = 0; i < b.len; i++) {
		OWN(seen_wipe) struct seen s = {0};
		OWN(own_free) uint8_t *copy = xmalloc(i == 0 ? 1 : i);
		struct lab_in in;
		struct source source;

		memcpy(copy, b.data, i);
		in = (struct lab_in){ .p = copy, .len = i };
		source = lab_source(&in, LAB_SEEK);
		/* between two objects the first is whole */
		if (tree_walk(&source, see, &s, NULL) == 0)
			ck_assert(_i == 0 && s.lines > 0);
		for (size_t k = 0; k < sizeof masks; k++) {
			struct err e = ERR_INIT;
			int r;

			buf_clear(&s.all);
			b.data[i] ^= masks[k];
			r = walk(b.data, b.len, &s, &e);
			ck_assert(r == 0 || (r == ERR_DAMAGED && e.text[0] != '\0'));
			b.data[i] ^= masks[k];
		}
	}
}
END_TEST

START_TEST(what_is_no_cms_is_a_fault) {
	OWN(buf_wipe) struct buf b = {0};

	assert_fault(&b, "empty");
	for (int i = 0; i < 256; i++) {
		buf_clear(&b);
		buf_addc(&b, (uint8_t)i);
		assert_fault(&b, "");
		buf_adds(&b, "\x03" "abc");
		assert_fault(&b, "");
	}
	buf_clear(&b);
	buf_adds(&b, "-----BEGIN CMS-----\n");
	assert_fault(&b, "X.690");
}
END_TEST

START_TEST(a_thousand_levels_are_a_fault) {
	static const uint8_t envelope[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03 };
	OWN(buf_wipe) struct buf b = {0};

	for (int i = 0; i < 1000; i++)
		buf_add(&b, "\x30\x80", 2);
	assert_fault(&b, "RFC 5652 3");
	buf_clear(&b);
	buf_add(&b, "\x30\x80", 2);
	buf_add(&b, envelope, sizeof envelope);
	for (int i = 0; i < 1000; i++)
		buf_add(&b, "\xa0\x80", 2);
	assert_fault(&b, "nested deeper");
}
END_TEST

/* A signature in a signature in ... */
START_TEST(cms_in_cms_without_end_is_a_fault) {
	OWN(buf_wipe) struct buf b = {0};
	struct signed_make m = { .key = lab.f.alice.key, .cert = lab.f.alice.cert, .time_s = lab.f.now_s };

	sign(&b);
	for (int i = 0; i < 20; i++) {
		OWN(buf_wipe) struct buf outer = {0};

		ck_assert_int_eq(signed_make(&m, b.data, b.len, &outer, NULL), 0);
		buf_clear(&b);
		buf_add(&b, outer.data, outer.len);
	}
	assert_fault(&b, "nested deeper");
}
END_TEST

START_TEST(a_hundred_thousand_recipients_are_counted) {
	static const char *const what[] = { "and: 99984 more", "mac: 16 octets", NULL };
	const struct forge f = { .recipients = 100000 };
	OWN(buf_wipe) struct buf honest = {0};
	OWN(buf_wipe) struct buf b = {0};
	OWN(content_wipe) struct content c = {0};
	struct object o = { 0, OBJECT_LAST, sizeof text };

	lab_seal(&lab, text, sizeof text, &honest, NULL);
	forge_content(&lab, &honest, &c);
	forge_object(&f, &c, &o, text, sizeof text, &b);
	assert_shows(&b, what);
}
END_TEST

START_TEST(a_million_elements_are_enough) {
	static const uint8_t head[] = { 0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01, 0xa0, 0x80, 0x24, 0x80 };
	OWN(buf_wipe) struct buf b = {0};

	buf_add(&b, head, sizeof head);
	for (int i = 0; i < TREE_ELEMENTS_MAX; i++)
		buf_add(&b, "\x04\x00", 2);
	assert_fault(&b, "more than 1000000 elements");
}
END_TEST

START_TEST(lengths_that_lie_are_a_fault) {
	static const char lies[][16] = { "\x30\x84\x80\x00\x00\x00", "\x30\x85\x01\x00\x00\x00\x00", "\x30\x88\x7f\xff\xff\xff\xff\xff\xff\xff",
	    "\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff", "\x30\x89\x01\x01\x01\x01\x01\x01\x01\x01\x01", "\x30\xff", "\x3f\x81\x00" };

	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		OWN(buf_wipe) struct buf b = {0};

		buf_add(&b, lies[i], 12);
		assert_fault(&b, "X.690");
	}
}
END_TEST

static void set_evil_issuer(X509 *cert) {
	OWN(own_x509_name) X509_NAME *name = X509_NAME_new();

	ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"\033[2Jeve", -1, -1, 0), 1);
	ck_assert_int_eq(X509_set_issuer_name(cert, name), 1);
}

START_TEST(names_with_control_characters_are_escaped) {
	static const char *const what[] = { "\\x5c1B[2J", NULL };
	OWN(own_x509) X509 *cert = fixture_tamper(lab.f.alice.cert, &lab.f.ca, NULL, set_evil_issuer);
	OWN(own_cms) CMS_ContentInfo *cms = CMS_sign(lab.f.alice.cert, lab.f.alice.key, NULL, NULL, CMS_PARTIAL);
	OWN(buf_wipe) struct buf b = {0};

	ck_assert_ptr_nonnull(cms);
	ck_assert_int_eq(CMS_add1_cert(cms, cert), 1);
	write_cms(cms, &b);
	assert_shows(&b, what);
}
END_TEST

int main(void) {
	TCase *c = tcase_create("tree");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, what_openssl_and_we_write_is_shown);
	tcase_add_test(c, cms_inside_a_signature_is_shown_too);
	tcase_add_test(c, indefinite_lengths_and_pieces_are_shown);
	tcase_add_loop_test(c, every_cut_and_every_flipped_byte_comes_to_an_end, 0, N_SAMPLES);
	tcase_add_test(c, what_is_no_cms_is_a_fault);
	tcase_add_test(c, a_thousand_levels_are_a_fault);
	tcase_add_test(c, cms_in_cms_without_end_is_a_fault);
	tcase_add_test(c, a_hundred_thousand_recipients_are_counted);
	tcase_add_test(c, a_million_elements_are_enough);
	tcase_add_test(c, lengths_that_lie_are_a_fault);
	tcase_add_test(c, names_with_control_characters_are_escaped);
	return suite_run("envelope, trees", c);
}
