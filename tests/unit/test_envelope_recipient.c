/* SPDX-License-Identifier: Apache-2.0 */
/* envelope: files sealed to one certificate instead of the group. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/envelope.h"
#include "envelope/layout.h"
#include "envelope/receiver.h"
#include "lib/forge.h"
#include "lib/gauge.h"
#include "lib/suite.h"
#include "pki/ossl.h"

#define LONG_LEN (2u * SEGMENT_LEN + 77u)

static struct lab lab;
static const char text[] = "for your eyes only";
static struct buf sealed;

/* alice seals to bob, who opens. */
static void set_up(void) {
	lab_init(&lab);
	lab.seal.recip = lab.f.bob.cert;
	lab.open.own_cert = lab.f.bob.cert;
	lab.open.own_key = lab.f.bob.key;
	lab_seal(&lab, text, sizeof text, &sealed, NULL);
}

static void tear_down(void) {
	buf_wipe(&sealed);
	lab_wipe(&lab);
}

static int open_both(const struct buf *b, struct err *e) {
	int r = lab_open(&lab, b, LAB_SEEK, LAB_STREAM, NULL, NULL, e), s = lab_open(&lab, b, LAB_STREAM, LAB_STREAM, NULL, NULL, e);

	ck_assert_int_eq(r, s);
	return r;
}

static void assert_refused(const struct buf *b, int code, const char *rule) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(open_both(b, &e), code);
	ck_assert_msg(strstr(e.text, rule) != NULL, "%s: no \"%s\"", e.text, rule);
}

static void assert_opens(const struct buf *b, const void *plain, size_t len) {
	static const enum lab_end ends[] = { LAB_SEEK, LAB_STREAM };

	for (int i = 0; i < 4; i++) {
		OWN(lab_out_wipe) struct lab_out out = {0};
		OWN(envelope_result_wipe) struct envelope_result r = {0};
		struct err e = ERR_INIT;

		lab_out_init(&out, len + 1);
		ck_assert_msg(lab_open(&lab, b, ends[i % 2], ends[i / 2], &out, &r, &e) == 0, "%s", e.text);
		ck_assert_uint_eq(out.len, len);
		ck_assert_mem_eq(out.p, plain, len);
		ck_assert(r.to_certificate);
		ck_assert_ptr_nonnull(r.author);
	}
}

/* Another kind of key for bob. */
static void receive_with(const char *spec) {
	fixture_id_wipe(&lab.f.bob);
	fixture_issue(&lab.f.ca, ROLE_MEMBER, "bob", spec, lab.f.now_s - PROFILE_SKEW_S, lab.f.now_s + FIXTURE_DAY_S, &lab.f.bob);
	lab.seal.recip = lab.open.own_cert = lab.f.bob.cert;
	lab.open.own_key = lab.f.bob.key;
	buf_clear(&sealed);
	lab_seal(&lab, text, sizeof text, &sealed, NULL);
}

static const char *const specs[] = { "ec:P-256", "ec:P-384", "rsa:2048", "rsa:3072" };

START_TEST(its_owner_opens_it) {
	OWN(own_free) uint8_t *plain = lab_plain(LONG_LEN);

	receive_with(specs[_i]);
	assert_opens(&sealed, text, sizeof text);
	buf_clear(&sealed);
	lab_seal(&lab, plain, LONG_LEN, &sealed, NULL);
	assert_opens(&sealed, plain, LONG_LEN);
	buf_clear(&sealed);
	lab_seal(&lab, "", 0, &sealed, NULL);
	assert_opens(&sealed, "", 0);
}
END_TEST

START_TEST(a_range_of_it_opens) {
	OWN(own_free) uint8_t *plain = lab_plain(LONG_LEN);
	OWN(lab_out_wipe) struct lab_out out = {0};
	const struct envelope_range range = { SEGMENT_LEN - 5, SEGMENT_LEN + 5 };
	struct err e = ERR_INIT;

	buf_clear(&sealed);
	lab_seal(&lab, plain, LONG_LEN, &sealed, NULL);
	lab.open.range = &range;
	lab_out_init(&out, 11);
	ck_assert_msg(lab_open(&lab, &sealed, LAB_SEEK, LAB_STREAM, &out, NULL, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(out.len, 11);
	ck_assert_mem_eq(out.p, plain + range.first, 11);
}
END_TEST

START_TEST(another_member_is_refused) {
	lab.open.own_cert = lab.f.alice.cert;
	lab.open.own_key = lab.f.alice.key;
	assert_refused(&sealed, ERR_REFUSED, "another certificate");
}
END_TEST

START_TEST(another_key_under_the_same_identifier_is_refused) {
	lab.open.own_key = lab.f.alice.key;
	assert_refused(&sealed, ERR_DAMAGED, "RFC 5753");
}
END_TEST

START_TEST(a_key_of_another_kind_is_refused) {
	receive_with("rsa:2048");
	lab.open.own_key = lab.f.alice.key;
	assert_refused(&sealed, ERR_REFUSED, "another certificate");
}
END_TEST

/* How the drive's files are opened: no own key, and never under another. */
START_TEST(where_a_file_of_the_group_is_due_it_is_refused) {
	lab.open.own_cert = NULL;
	lab.open.own_key = NULL;
	assert_refused(&sealed, ERR_DAMAGED, "RFC 5652 6.2: sealed to a certificate");
	lab.open.allow_unsigned = true;
	assert_refused(&sealed, ERR_DAMAGED, "");
}
END_TEST

static int change_key(bool rewrap, struct err *e) {
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	OWN(lab_out_wipe) struct lab_out out = {0};
	struct lab_in in = { .p = sealed.data, .len = sealed.len };
	struct source source = lab_source(&in, LAB_SEEK);
	struct sink sink;

	lab_out_init(&out, 2 * sealed.len);
	sink = lab_sink(&out, LAB_SEEK);
	return (rewrap ? envelope_rewrap : envelope_reencrypt)(&lab.open, keyring_current(&lab.keys), &source, &sink, &r, e);
}

START_TEST(it_is_not_brought_under_the_group_key) {
	struct err e = ERR_INIT;

	for (int rewrap = 0; rewrap < 2; rewrap++) {
		ck_assert_int_eq(change_key(rewrap != 0, &e), ERR_DAMAGED);
		ck_assert_ptr_nonnull(strstr(e.text, "sealed to a certificate"));
	}
}
END_TEST

START_TEST(its_head_names_no_key_of_the_group) {
	uint8_t key_id[KEY_ID_LEN];

	ck_assert_int_eq(envelope_head(sealed.data, sealed.len, key_id, NULL), ERR_DAMAGED);
	ck_assert_int_eq(envelope_head(sealed.data, ENVELOPE_HEAD_LEN, key_id, NULL), ERR_DAMAGED);
}
END_TEST

START_TEST(every_flipped_byte_and_every_cut_is_refused) {
	OWN(lab_out_wipe) struct lab_out out = {0};
	size_t step = _i > 0 ? 7 : 1; /* RSA's private operation takes its time */

	if (_i > 0)
		receive_with("rsa:2048");
	lab_out_init(&out, sealed.len);
	for (size_t i = 0; i < sealed.len; i += step) {
		struct buf cut = { .data = sealed.data, .len = i };
		int r;

		sealed.data[i] ^= 0x01;
		r = lab_open(&lab, &sealed, LAB_SEEK, LAB_STREAM, &out, NULL, NULL);
		ck_assert_msg(r == ERR_DAMAGED || r == ERR_REFUSED, "byte %zu: %d", i, r); /* refused: the identifier is another one's */
		r = lab_open(&lab, &sealed, LAB_STREAM, LAB_STREAM, NULL, NULL, NULL);
		ck_assert(r == ERR_DAMAGED || r == ERR_REFUSED);
		sealed.data[i] ^= 0x01;
		ck_assert_int_eq(lab_open(&lab, &cut, LAB_SEEK, LAB_STREAM, &out, NULL, NULL), ERR_DAMAGED);
		ck_assert_uint_eq(out.len, 0);
	}
	assert_opens(&sealed, text, sizeof text);
}
END_TEST

/* An honest pair under one content key, once to the group and once to bob. */
START_TEST(objects_to_different_receivers_do_not_mix) {
	OWN(content_wipe) struct content c = {0};
	OWN(buf_wipe) struct buf group = {0};
	OWN(buf_wipe) struct buf mixed = {0};
	struct object_file f, g;
	struct object o;
	size_t n, segment;
	struct err e = ERR_INIT;

	lab.seal.recip = NULL;
	lab_seal(&lab, text, sizeof text, &group, NULL);
	ck_assert_int_eq(object_parse(sealed.data, sealed.len, &f, &o, &n, &e), 0);
	segment = (size_t)object_size(object_recipient_len(&f), sizeof text);
	ck_assert_int_eq(object_parse(group.data, group.len, &g, &o, &n, &e), 0);
	ck_assert(!object_same_file(&f, &g));
	buf_add(&mixed, sealed.data, segment);
	buf_add(&mixed, group.data + object_size(OBJECT_KEK_LEN, sizeof text), group.len - (size_t)object_size(OBJECT_KEK_LEN, sizeof text));
	assert_refused(&mixed, ERR_DAMAGED, "manifest");

	/* the manifest alone with another ephemeral key */
	ck_assert_int_eq(content_unwrap_own(&c, &f, lab.f.bob.cert, lab.f.bob.key, &e), 0);
	ck_assert_int_eq(receiver_wrap(lab.f.bob.cert, &c.key, &c.file.to, &e), 0);
	o = (struct object){ 0, OBJECT_LAST, sizeof text };
	buf_clear(&mixed);
	ck_assert_int_eq(content_seal(&c, &o, text, &mixed, &e), 0);
	buf_add(&mixed, sealed.data + segment, sealed.len - segment);
	assert_refused(&mixed, ERR_DAMAGED, "another recipient than in the first object");
}
END_TEST

/* Two spellings that mean the same, of which one is taken. */
static void assert_spelling_is_refused(const uint8_t *from, size_t from_len, const uint8_t *to, size_t to_len, const char *rule) {
	OWN(buf_wipe) struct buf set = {0};
	OWN(buf_wipe) struct buf other = {0};
	struct object_file f;
	struct object o;
	struct recipient r;
	struct der d;
	size_t n;
	const uint8_t *at;
	struct gauge gauge;
	struct err e = ERR_INIT;

	ck_assert_int_eq(object_parse(sealed.data, sealed.len, &f, &o, &n, &e), 0);
	recipient_put(&f.to, &set);
	at = memmem(set.data, set.len, from, from_len);
	ck_assert_ptr_nonnull(at);
	buf_add(&other, set.data, (size_t)(at - set.data));
	buf_add(&other, to, to_len);
	buf_add(&other, at + from_len, set.len - (size_t)(at + from_len - set.data));
	d = (struct der){ other.data, other.len };
	gauge_start(&gauge);
	ck_assert_int_eq(recipient_parse(&d, &r, &e), ERR_DAMAGED);
	gauge_end(&gauge);
	ck_assert_msg(strstr(e.text, rule) != NULL, "%s: no \"%s\"", e.text, rule);
}

START_TEST(other_recipient_infos_are_refused) {
	static const uint8_t sha1kdf[] = { 0x06, 0x09, 0x2b, 0x81, 0x05, 0x10, 0x86, 0x48, 0x3f, 0x00, 0x02 };
	static const uint8_t kdf[] = { 0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0b, 0x01 };
	static const uint8_t sha384kdf[] = { 0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0b, 0x02 };
	static const uint8_t cofactor[] = { 0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0e, 0x01 };
	static const uint8_t wrap256[] = { 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d };
	static const uint8_t wrap128[] = { 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x05 };
	static const uint8_t version3[] = { 0x02, 0x01, 0x03 }, version2[] = { 0x02, 0x01, 0x02 };
	static const uint8_t point[] = { 0x03, 0x42, 0x00, 0x04 }, packed[] = { 0x03, 0x42, 0x00, 0x02 };

	assert_spelling_is_refused(kdf, sizeof kdf, sha1kdf, sizeof sha1kdf, "RFC");
	assert_spelling_is_refused(kdf, sizeof kdf, sha384kdf, sizeof sha384kdf, "RFC");
	assert_spelling_is_refused(kdf, sizeof kdf, cofactor, sizeof cofactor, "RFC");
	assert_spelling_is_refused(wrap256, sizeof wrap256, wrap128, sizeof wrap128, "RFC");
	assert_spelling_is_refused(version3, sizeof version3, version2, sizeof version2, "RFC");
	assert_spelling_is_refused(point, sizeof point, packed, sizeof packed, "RFC");
}
END_TEST

START_TEST(points_of_another_length_are_refused) {
	static const size_t lens[] = { 1, 33, 49, 64, 66, 96 };
	struct object_file f;
	struct object o;
	struct recipient r;
	size_t n;
	struct err e = ERR_INIT;

	ck_assert_int_eq(object_parse(sealed.data, sealed.len, &f, &o, &n, &e), 0);
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		OWN(buf_wipe) struct buf set = {0};
		struct der d;

		f.to.point_len = lens[i];
		recipient_put(&f.to, &set);
		d = (struct der){ set.data, set.len };
		ck_assert_int_eq(recipient_parse(&d, &r, &e), ERR_DAMAGED);
		ck_assert_ptr_nonnull(strstr(e.text, "RFC"));
	}
}
END_TEST

START_TEST(two_recipients_are_refused) {
	OWN(buf_wipe) struct buf set = {0};
	struct object_file f;
	struct object o;
	struct recipient r;
	struct der d;
	size_t n;
	struct err e = ERR_INIT;

	ck_assert_int_eq(object_parse(sealed.data, sealed.len, &f, &o, &n, &e), 0);
	recipient_put(&f.to, &set);
	d = (struct der){ set.data, set.len };
	ck_assert_int_eq(recipient_parse(&d, &r, &e), 0);
	recipient_put(&f.to, &set);
	d = (struct der){ set.data, set.len };
	ck_assert_int_eq(recipient_parse(&d, &r, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "more than one recipient"));
}
END_TEST

START_TEST(other_oaep_parameters_are_refused) {
	static const uint8_t sha256[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
	static const uint8_t sha384[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02 };
	static const uint8_t oaep[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07 };
	static const uint8_t pkcs1[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };

	receive_with("rsa:2048");
	assert_spelling_is_refused(sha256, sizeof sha256, sha384, sizeof sha384, "RFC");
	assert_spelling_is_refused(oaep, sizeof oaep, pkcs1, sizeof pkcs1, "RFC");
}
END_TEST

/* A point that is not on the curve, and one of another curve. */
START_TEST(foreign_points_are_refused) {
	OWN(secret_wipe) struct secret key = {0};
	struct object_file f;
	struct object o;
	size_t n;
	struct err e = ERR_INIT;

	ck_assert_int_eq(object_parse(sealed.data, sealed.len, &f, &o, &n, &e), 0);
	f.to.point[64] ^= 1;
	ck_assert_int_eq(receiver_unwrap(&f.to, lab.f.bob.cert, lab.f.bob.key, &key, &e), ERR_DAMAGED);
	memset(f.to.point + 1, 0, 64);
	ck_assert_int_eq(receiver_unwrap(&f.to, lab.f.bob.cert, lab.f.bob.key, &key, &e), ERR_DAMAGED);
	f.to.point_len = 97;
	ck_assert_int_eq(receiver_unwrap(&f.to, lab.f.bob.cert, lab.f.bob.key, &key, &e), ERR_DAMAGED);
	ck_assert_ptr_null(key.data);
}
END_TEST

int main(void) {
	TCase *c = tcase_create("recipients");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, its_owner_opens_it, 0, 4);
	tcase_add_test(c, a_range_of_it_opens);
	tcase_add_test(c, another_member_is_refused);
	tcase_add_test(c, another_key_under_the_same_identifier_is_refused);
	tcase_add_test(c, a_key_of_another_kind_is_refused);
	tcase_add_test(c, where_a_file_of_the_group_is_due_it_is_refused);
	tcase_add_test(c, it_is_not_brought_under_the_group_key);
	tcase_add_test(c, its_head_names_no_key_of_the_group);
	tcase_add_loop_test(c, every_flipped_byte_and_every_cut_is_refused, 0, 2);
	tcase_add_test(c, objects_to_different_receivers_do_not_mix);
	tcase_add_test(c, other_recipient_infos_are_refused);
	tcase_add_test(c, points_of_another_length_are_refused);
	tcase_add_test(c, two_recipients_are_refused);
	tcase_add_test(c, other_oaep_parameters_are_refused);
	tcase_add_test(c, foreign_points_are_refused);
	return suite_run("envelope, recipients", c);
}
