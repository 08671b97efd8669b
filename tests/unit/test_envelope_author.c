/* SPDX-License-Identifier: Apache-2.0 */
/* envelope: who may have signed what, when. Every file here is sealed with the group's key by somebody who has it: all that stands
 * between him and a false author is the manifest. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/envelope.h"
#include "lib/forge.h"
#include "lib/suite.h"
#include "pki/ossl.h"
#include "pki/signed.h"

OWN_DEFINE(crl_set, struct crl_set, crl_set_free)

static struct lab lab;
static const char text[] = "the minutes of the meeting";
static struct buf honest;

static void set_up(void) {
	lab_init(&lab);
	lab_seal(&lab, text, sizeof text, &honest, NULL);
}

static void tear_down(void) {
	buf_wipe(&honest);
	lab_wipe(&lab);
}

static void good_lines(struct buf *lines) {
	OWN(manifest_wipe) struct manifest m = {0};

	forge_manifest(&lab, text, sizeof text, &m);
	manifest_print(&m, lines);
}

static void sign_lines(const struct fixture_id *who, int64_t at_s, const struct buf *lines, struct buf *der) {
	struct signed_make sign = { .key = who->key, .cert = who->cert, .time_s = at_s };
	struct err e = ERR_INIT;

	ck_assert_msg(signed_make(&sign, lines->data, lines->len, der, &e) == 0, "%s", e.text);
}

/* Seals the text with this as its manifest and opens it, from a file and from a stream: both say the same. */
static int open_with(const void *der, size_t len, struct envelope_result *r, struct err *e) {
	static const struct forge none;
	OWN(content_wipe) struct content c = {0};
	OWN(buf_wipe) struct buf b = {0};
	OWN(lab_out_wipe) struct lab_out out = {0};
	int rc;

	forge_content(&lab, &honest, &c);
	forge_small(&c, &none, &none, text, sizeof text, der, len, &b);
	lab_out_init(&out, sizeof text);
	rc = lab_open(&lab, &b, LAB_SEEK, LAB_STREAM, &out, r, e);
	if (rc != 0)
		ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(lab_open(&lab, &b, LAB_STREAM, LAB_STREAM, NULL, NULL, NULL), rc);
	return rc;
}

static void assert_refused(const struct buf *der, const char *rule) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(open_with(der->data, der->len, NULL, &e), ERR_DAMAGED);
	ck_assert_msg(strstr(e.text, "manifest") != NULL && strstr(e.text, rule) != NULL, "%s: no \"%s\"", e.text, rule);
}

static void assert_signer(const struct fixture_id *who, int64_t at_s, const char *refusal) {
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;

	good_lines(&lines);
	sign_lines(who, at_s, &lines, &der);
	if (refusal != NULL)
		assert_refused(&der, refusal);
	else
		ck_assert_msg(open_with(der.data, der.len, NULL, &e) == 0, "%s", e.text);
}

/* ---- who ---- */

START_TEST(members_and_the_admin_may_sign) {
	assert_signer(&lab.f.alice, lab.f.now_s, NULL);
	assert_signer(&lab.f.bob, lab.f.now_s, NULL);
	assert_signer(&lab.f.admin, lab.f.now_s, NULL);
}
END_TEST

START_TEST(a_member_of_a_foreign_ca_may_not) {
	assert_signer(&lab.f.foreign, lab.f.now_s, "foreign");
}
END_TEST

START_TEST(a_gateway_without_emailprotection_may_not) {
	assert_signer(&lab.f.gateway, lab.f.now_s, "wrong-purpose");
}
END_TEST

START_TEST(the_ca_itself_may_not) {
	assert_signer(&lab.f.ca, lab.f.now_s, "author's certificate");
}
END_TEST

START_TEST(a_certificate_that_expired_since_still_counts) {
	assert_signer(&lab.f.expired, lab.f.now_s - 7200, NULL);
}
END_TEST

START_TEST(a_signature_after_expiry_is_refused) {
	assert_signer(&lab.f.expired, lab.f.now_s, "expired");
}
END_TEST

START_TEST(a_signature_before_the_certificate_began_is_refused) {
	assert_signer(&lab.f.early, lab.f.now_s, "not-yet-valid");
}
END_TEST

/* ---- when: alice is revoked, a minute ago ---- */

static struct crl_set *revoked_alice(void) {
	OWN(buf_wipe) struct buf der = {0};
	struct crl_set *set = NULL;
	struct err e = ERR_INIT;

	fixture_crl(&lab.f, 1, &lab.f.alice.cert, 1, CRL_KEY_COMPROMISE, &der);
	ck_assert_msg(crl_set_make(der.data, der.len, lab.f.ca.cert, &set, &e) == 0, "%s", e.text);
	return set;
}

START_TEST(dated_after_the_revocation_is_refused) {
	OWN(own_crl_set) struct crl_set *set = revoked_alice();

	lab.open.crl = set;
	assert_signer(&lab.f.alice, lab.f.now_s - 60, "RFC 5280 5.3");
	assert_signer(&lab.f.alice, lab.f.now_s, "RFC 5280 5.3");
	assert_signer(&lab.f.bob, lab.f.now_s, NULL);
}
END_TEST

START_TEST(dated_before_the_revocation_opens_and_says_so) {
	OWN(own_crl_set) struct crl_set *set = revoked_alice();
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;

	lab.open.crl = set;
	good_lines(&lines);
	sign_lines(&lab.f.alice, lab.f.now_s - 61, &lines, &der);
	ck_assert_msg(open_with(der.data, der.len, &r, &e) == 0, "%s", e.text);
	ck_assert(r.author_revoked);
	ck_assert_int_eq(r.signed_s, lab.f.now_s - 61);
}
END_TEST

START_TEST(for_files_of_the_group_the_ledger_decides) {
	OWN(own_crl_set) struct crl_set *set = revoked_alice();
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};

	lab.open.crl = set;
	lab.open.in_ledger = true;
	good_lines(&lines);
	sign_lines(&lab.f.alice, lab.f.now_s, &lines, &der);
	ck_assert_int_eq(open_with(der.data, der.len, &r, NULL), 0);
	ck_assert(!r.author_revoked);
}
END_TEST

/* ---- what is signed ---- */

static void replace(struct buf *lines, const char *was, const char *becomes) {
	OWN(buf_wipe) struct buf b = {0};
	char *at = strstr(buf_str(lines), was);

	ck_assert_ptr_nonnull(at);
	buf_add(&b, lines->data, (size_t)(at - buf_str(lines)));
	buf_adds(&b, becomes);
	buf_adds(&b, at + strlen(was));
	buf_clear(lines);
	buf_add(lines, b.data, b.len);
}

static const struct { const char *was, *becomes, *rule; } changes[] = {
	{ "group lab\n", "group lab2\n", "of another group" },
	{ "group lab\n", "group Lab\n", "of another group" },
	{ "size 27\n", "size 26\n", "signed for 26 bytes" },
	{ "size 27\n", "size 28\n", "signed for 28 bytes" },
	{ "size 27\n", "size 0\n", "signed for 0 bytes" },
	{ "size 27\n", "size 4194305\n", "do not hold" },
	{ "count 1\n", "count 2\n", "do not hold" },
	{ "segment-size 4194304\n", "segment-size 1048576\n", "segment size" },
	{ "name reports/q1.pdf\n", "name reports/q1%0A.pdf\n", "control character" },
	{ "name reports/q1.pdf\n", "name reports/q1\n.pdf\n", "missing" },
	{ "name reports/q1.pdf\n", "", "missing" },
	{ "version 1\n", "version 0\n", "version" },
	{ "scg-manifest 1\n", "scg-event 1\n", "missing" },
};
#define N_CHANGES ((int)(sizeof changes / sizeof changes[0]))

START_TEST(a_text_that_does_not_fit_is_refused_though_well_signed) {
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};

	good_lines(&lines);
	replace(&lines, changes[_i].was, changes[_i].becomes);
	sign_lines(&lab.f.alice, lab.f.now_s, &lines, &der);
	assert_refused(&der, changes[_i].rule);
}
END_TEST

START_TEST(the_manifest_of_another_file_is_refused) {
	OWN(manifest_wipe) struct manifest m = {0};
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;

	forge_manifest(&lab, "the minutes of the mutiny!", sizeof text, &m);
	manifest_print(&m, &lines);
	sign_lines(&lab.f.alice, lab.f.now_s, &lines, &der);
	ck_assert_int_eq(open_with(der.data, der.len, NULL, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "SHA-256"));
}
END_TEST

START_TEST(the_ledgers_digest_of_the_manifest_must_hold) {
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};
	uint8_t sha[32];
	struct err e = ERR_INIT;

	good_lines(&lines);
	sign_lines(&lab.f.alice, lab.f.now_s, &lines, &der);
	ossl_sha256(der.data, der.len, sha);
	lab.open.content_sha256 = sha;
	ck_assert_int_eq(open_with(der.data, der.len, NULL, &e), 0);
	sha[31] ^= 1;
	assert_refused(&der, "ledger");
}
END_TEST

/* ---- the form of the signature ---- */

START_TEST(every_flipped_byte_of_the_signed_data_is_refused) {
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};

	good_lines(&lines);
	sign_lines(&lab.f.alice, lab.f.now_s, &lines, &der);
	for (size_t i = 0; i < 2 * der.len; i++) {
		uint8_t mask = i % 2 == 0 ? 0x01 : 0x20;

		der.data[i / 2] ^= mask;
		ck_assert_msg(open_with(der.data, der.len, NULL, NULL) == ERR_DAMAGED, "byte %zu ^ %#x opens", i / 2, mask);
		der.data[i / 2] ^= mask;
	}
	ck_assert_int_eq(open_with(der.data, der.len, NULL, NULL), 0);
}
END_TEST

START_TEST(every_cut_of_the_signed_data_is_refused) {
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};

	good_lines(&lines);
	sign_lines(&lab.f.alice, lab.f.now_s, &lines, &der);
	for (size_t len = 0; len < der.len; len++)
		ck_assert_int_eq(open_with(der.data, len, NULL, NULL), ERR_DAMAGED);
}
END_TEST

START_TEST(other_things_than_signed_data_are_refused) {
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};
	struct der d, in;
	uint8_t tag;

	good_lines(&lines);
	assert_refused(&lines, "RFC 5652 3"); /* the bare text */
	sign_lines(&lab.f.alice, lab.f.now_s, &lines, &der);
	buf_addc(&der, 0);
	assert_refused(&der, "too many"); /* a byte behind */
	der.len--;
	/* SignedData without its ContentInfo */
	d = (struct der){ der.data, der.len };
	ck_assert_int_eq(der_take(&d, DER_SEQUENCE, &in, "x", NULL), 0);
	ck_assert_int_eq(der_take_any(&in, &tag, &d, &d, "x", NULL), 0);
	ck_assert_int_eq(der_take(&in, DER_CTX_CONS(0), &d, "x", NULL), 0);
	ck_assert_int_eq(open_with(d.p, d.len, NULL, NULL), ERR_DAMAGED);
}
END_TEST

START_TEST(a_signer_named_by_key_or_a_nonce_is_for_other_messages) {
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};
	OWN(buf_wipe) struct buf der2 = {0};
	struct signed_make sign = { .key = lab.f.alice.key, .cert = lab.f.alice.cert, .time_s = lab.f.now_s, .by_ski = true };

	good_lines(&lines);
	ck_assert_int_eq(signed_make(&sign, lines.data, lines.len, &der, NULL), 0);
	assert_refused(&der, "certificate is missing");
	sign.by_ski = false;
	sign.nonce = (const uint8_t *)"0123456789abcdef";
	sign.nonce_len = 16;
	ck_assert_int_eq(signed_make(&sign, lines.data, lines.len, &der2, NULL), 0);
	assert_refused(&der2, "recipientNonce");
}
END_TEST

/* As OpenSSL would sign: each differs from the profile in something. */
static const struct stock { const EVP_MD *(*md)(void); unsigned flags; const char *rule; bool rsa, twice, extra_cert; } stocks[] = {
	{ .md = EVP_sha256, .flags = CMS_CADES | CMS_NOSMIMECAP, .rule = "RFC 5035" }, /* repeats the issuer and serial number */
	{ .md = EVP_sha256, .flags = CMS_CADES, .rule = "RFC 5" }, /* besides an attribute too many: whichever comes first */
	{ .md = EVP_sha256, .flags = CMS_NOSMIMECAP, .rule = "RFC 5" },
	{ .md = EVP_sha256, .flags = CMS_NOATTR, .rule = "RFC 5652 5.3" },
	{ .md = EVP_sha256, .flags = CMS_CADES | CMS_NOSMIMECAP | CMS_NOCERTS, .rule = "RFC 5652 5.1" },
	{ .md = EVP_sha256, .flags = CMS_CADES | CMS_NOSMIMECAP | CMS_DETACHED, .rule = "RFC 5652 5.2" },
	{ .md = EVP_sha256, .flags = CMS_CADES | CMS_NOSMIMECAP | CMS_USE_KEYID, .rule = "RFC 5652 5" },
	{ .md = EVP_md5, .flags = CMS_CADES | CMS_NOSMIMECAP, .rule = "RFC 5652 5.1", .rsa = true },
	{ .md = EVP_sha1, .flags = CMS_CADES | CMS_NOSMIMECAP, .rule = "RFC 5652 5.1", .rsa = true },
	{ .md = EVP_sha1, .flags = CMS_CADES | CMS_NOSMIMECAP, .rule = "RFC 5652 5.1" },
	{ .md = EVP_sha224, .flags = CMS_CADES | CMS_NOSMIMECAP, .rule = "RFC 5652 5.1" },
	{ .md = EVP_sha384, .flags = CMS_CADES | CMS_NOSMIMECAP, .rule = "RFC 5652 5.1" },
	{ .md = EVP_sha512, .flags = CMS_CADES | CMS_NOSMIMECAP, .rule = "RFC 5652 5.1" },
	{ .md = EVP_sha256, .flags = CMS_CADES | CMS_NOSMIMECAP, .rule = "RFC 5652 5.1", .twice = true },
	{ .md = EVP_sha256, .flags = CMS_CADES | CMS_NOSMIMECAP, .rule = "RFC 5652 5.1", .extra_cert = true },
};
#define N_STOCKS ((int)(sizeof stocks / sizeof stocks[0]))

static void stock_sign(const struct stock *s, const struct buf *lines, struct buf *der) {
	OWN(own_bio) BIO *data = BIO_new_mem_buf(lines->data, (int)lines->len);
	OWN(own_bio) BIO *out = BIO_new(BIO_s_mem());
	OWN(own_cms) CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY | s->flags);
	OWN(fixture_id_wipe) struct fixture_id rsa = {0};
	const struct fixture_id *who = s->rsa ? &rsa : &lab.f.alice;
	char *p;
	long len;

	if (s->rsa)
		fixture_issue(&lab.f.ca, ROLE_MEMBER, "rosa", "rsa:2048", lab.f.now_s - 60, lab.f.now_s + 60, &rsa);
	ck_assert_ptr_nonnull(cms);
	ck_assert_ptr_nonnull(CMS_add1_signer(cms, who->cert, who->key, s->md(), s->flags | CMS_BINARY));
	if (s->twice)
		ck_assert_ptr_nonnull(CMS_add1_signer(cms, lab.f.bob.cert, lab.f.bob.key, s->md(), s->flags | CMS_BINARY));
	if (s->extra_cert)
		ck_assert_int_eq(CMS_add1_cert(cms, lab.f.bob.cert), 1);
	ck_assert_int_eq(CMS_final(cms, data, NULL, CMS_BINARY | s->flags), 1);
	ck_assert_int_eq(i2d_CMS_bio(out, cms), 1);
	len = BIO_get_mem_data(out, &p);
	buf_add(der, p, (size_t)len);
}

START_TEST(stock_signatures_outside_the_profile_are_refused) {
	OWN(buf_wipe) struct buf lines = {0};
	OWN(buf_wipe) struct buf der = {0};

	good_lines(&lines);
	stock_sign(&stocks[_i], &lines, &der);
	assert_refused(&der, stocks[_i].rule);
}
END_TEST

static void add_who_and_when(TCase *c) {
	tcase_add_test(c, members_and_the_admin_may_sign);
	tcase_add_test(c, a_member_of_a_foreign_ca_may_not);
	tcase_add_test(c, a_gateway_without_emailprotection_may_not);
	tcase_add_test(c, the_ca_itself_may_not);
	tcase_add_test(c, a_certificate_that_expired_since_still_counts);
	tcase_add_test(c, a_signature_after_expiry_is_refused);
	tcase_add_test(c, a_signature_before_the_certificate_began_is_refused);
	tcase_add_test(c, dated_after_the_revocation_is_refused);
	tcase_add_test(c, dated_before_the_revocation_opens_and_says_so);
	tcase_add_test(c, for_files_of_the_group_the_ledger_decides);
}

int main(void) {
	TCase *c = tcase_create("manifests");

	tcase_add_checked_fixture(c, set_up, tear_down);
	add_who_and_when(c);
	tcase_add_loop_test(c, a_text_that_does_not_fit_is_refused_though_well_signed, 0, N_CHANGES);
	tcase_add_test(c, the_manifest_of_another_file_is_refused);
	tcase_add_test(c, the_ledgers_digest_of_the_manifest_must_hold);
	tcase_add_test(c, every_flipped_byte_of_the_signed_data_is_refused);
	tcase_add_test(c, every_cut_of_the_signed_data_is_refused);
	tcase_add_test(c, other_things_than_signed_data_are_refused);
	tcase_add_test(c, a_signer_named_by_key_or_a_nonce_is_for_other_messages);
	tcase_add_loop_test(c, stock_signatures_outside_the_profile_are_refused, 0, N_STOCKS);
	return suite_run("envelope, author", c);
}
