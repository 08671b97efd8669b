/* SPDX-License-Identifier: Apache-2.0 */
/* envelope: what is sealed comes back, by every way in and out; what a key or an author does not cover does not. */
#include "envelope/envelope.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/object.h"
#include "lib/envelope_lab.h"
#include "lib/suite.h"
#include "pki/ossl.h"

static struct lab lab;

static void set_up(void) {
	lab_init(&lab);
}

static void tear_down(void) {
	lab_wipe(&lab);
}

#define assert_ok(expr, e) ck_assert_msg((expr) == 0, "%s", (e)->text)

static const size_t sizes[] = { 0, 1, 4096, SEGMENT_LEN - 1, SEGMENT_LEN, SEGMENT_LEN + 1, 13000001 };
#define N_SIZES ((int)(sizeof sizes / sizeof sizes[0]))

struct trip { enum lab_end in, out; unsigned threads; bool hash; };
static const struct trip trips[] = {
	{ LAB_SEEK, LAB_SEEK, 1, false }, { LAB_SEEK, LAB_SEEK, 2, false }, { LAB_SEEK, LAB_SEEK, 3, true },
	{ LAB_STREAM, LAB_STREAM, 1, false }, { LAB_STREAM, LAB_STREAM, 3, true }, { LAB_STREAM, LAB_SEEK, 2, false },
	{ LAB_SEEK, LAB_STREAM, 2, true },
};
#define N_TRIPS (sizeof trips / sizeof trips[0])

static void seal_by(const struct trip *t, const uint8_t *plain, size_t len, struct lab_out *sealed, struct envelope_result *r) {
	struct lab_in in = { .p = plain, .len = len };
	struct source source = lab_source(&in, t->in);
	struct sink sink = lab_sink(sealed, t->out);
	struct err e = ERR_INIT;

	lab.seal.threads = t->threads;
	lab.seal.hash_object = t->hash;
	assert_ok(envelope_seal(&lab.seal, &source, &sink, r, &e), &e);
	ck_assert_uint_eq(r->object_size, sealed->len);
	ck_assert_uint_le(sealed->len, envelope_size_max(len));
	ck_assert_uint_eq(r->manifest.size, len);
	ck_assert_uint_eq(r->manifest.count, manifest_count(len));
	ck_assert_mem_eq(r->key_id, lab.keys.v[0].key_id, KEY_ID_LEN);
}

static void check_hash(const struct lab_out *sealed, const struct envelope_result *r) {
	uint8_t sha[32];

	ossl_sha256(sealed->p, sealed->len, sha);
	ck_assert_mem_eq(sha, r->object_sha256, 32);
}

static void open_by(const struct trip *t, const struct lab_out *sealed, const struct envelope_result *made, const uint8_t *plain, size_t len) {
	OWN(lab_out_wipe) struct lab_out out = {0};
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct buf b = { .data = sealed->p, .len = sealed->len };
	struct err e = ERR_INIT;

	lab_out_init(&out, len + 1);
	lab.open.threads = t->threads;
	lab.open.hash_object = t->hash;
	assert_ok(lab_open(&lab, &b, t->in, t->out, &out, &r, &e), &e);
	ck_assert_uint_eq(out.len, len);
	ck_assert_mem_eq(out.p, plain, len);
	ck_assert_str_eq(r.manifest.name, "reports/q1.pdf");
	ck_assert_str_eq(r.manifest.group, "lab");
	ck_assert_mem_eq(r.manifest.file_id, made->manifest.file_id, 16);
	ck_assert_mem_eq(r.content_sha256, made->content_sha256, 32);
	ck_assert_int_eq(r.signed_s, made->signed_s);
	ck_assert_int_eq(X509_cmp(r.author, lab.f.alice.cert), 0);
	ck_assert(!r.is_unsigned && !r.author_revoked);
	ck_assert_uint_eq(r.object_size, sealed->len);
	if (t->hash)
		check_hash(sealed, &r);
}

START_TEST(what_is_sealed_comes_back) {
	size_t len = sizes[_i];
	OWN(own_free) uint8_t *plain = lab_plain(len);

	for (size_t i = 0; i < N_TRIPS; i++) {
		OWN(lab_out_wipe) struct lab_out sealed = {0};
		OWN(envelope_result_wipe) struct envelope_result r = {0};

		lab_out_init(&sealed, (size_t)envelope_size_max(len));
		seal_by(&trips[i], plain, len, &sealed, &r);
		if (trips[i].hash)
			check_hash(&sealed, &r);
		for (size_t k = 0; k < N_TRIPS; k++)
			if (i == 0 || i == 3 || k == i)
				open_by(&trips[k], &sealed, &r, plain, len);
	}
}
END_TEST

/* An ECDSA signature has one of several lengths. */
START_TEST(an_object_is_as_long_as_was_promised) {
	size_t len = sizes[_i];
	OWN(own_free) uint8_t *plain = lab_plain(len);
	struct err e = ERR_INIT;

	for (int i = 0; i < 20; i++) {
		OWN(buf_wipe) struct buf sealed = {0};

		assert_ok(envelope_seal_size(&lab.seal, len, &lab.seal.object_size, &e), &e);
		lab_seal(&lab, plain, len, &sealed, NULL);
		ck_assert_uint_eq(sealed.len, lab.seal.object_size);
		if (i == 0)
			assert_ok(lab_open(&lab, &sealed, LAB_SEEK, LAB_SEEK, NULL, NULL, &e), &e);
	}
}
END_TEST

START_TEST(a_source_of_another_length_than_was_promised_is_an_error) {
	OWN(own_free) uint8_t *plain = lab_plain(4096);

	for (size_t len = 0; len <= 4096; len += 1024) {
		OWN(lab_out_wipe) struct lab_out sealed = {0};
		OWN(envelope_result_wipe) struct envelope_result r = {0};
		struct lab_in in = { .p = plain, .len = len };
		struct source source = lab_source(&in, LAB_STREAM);
		struct sink sink = lab_sink(&sealed, LAB_STREAM);
		struct err e = ERR_INIT;

		lab_out_init(&sealed, 100000);
		assert_ok(envelope_seal_size(&lab.seal, 2048, &lab.seal.object_size, &e), &e);
		ck_assert_int_eq(envelope_seal(&lab.seal, &source, &sink, &r, &e), len == 2048 ? 0 : ERR_FAIL);
	}
}
END_TEST

/* ---- what is left out ---- */

START_TEST(verifying_writes_nothing_and_sees_all) {
	OWN(own_free) uint8_t *plain = lab_plain(SEGMENT_LEN + 1);
	OWN(buf_wipe) struct buf sealed = {0};
	struct err e = ERR_INIT;

	lab_seal(&lab, plain, SEGMENT_LEN + 1, &sealed, NULL);
	assert_ok(lab_open(&lab, &sealed, LAB_SEEK, LAB_SEEK, NULL, NULL, &e), &e);
	assert_ok(lab_open(&lab, &sealed, LAB_STREAM, LAB_SEEK, NULL, NULL, &e), &e);
	sealed.data[sealed.len / 2] ^= 1;
	ck_assert_int_eq(lab_open(&lab, &sealed, LAB_SEEK, LAB_SEEK, NULL, NULL, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "segment 0"));
}
END_TEST

static void count_progress(void *arg, uint64_t bytes) {
	(void)__atomic_add_fetch((uint64_t *)arg, bytes, __ATOMIC_RELAXED);
}

START_TEST(progress_adds_up_to_the_plaintext) {
	OWN(own_free) uint8_t *plain = lab_plain(2 * SEGMENT_LEN + 7);
	OWN(buf_wipe) struct buf sealed = {0};
	static uint64_t done, opened;

	lab.seal.progress = lab.open.progress = count_progress;
	lab.seal.progress_arg = &done;
	lab.open.progress_arg = &opened;
	lab_seal(&lab, plain, 2 * SEGMENT_LEN + 7, &sealed, NULL);
	ck_assert_uint_eq(done, 2 * SEGMENT_LEN + 7);
	ck_assert_int_eq(lab_open(&lab, &sealed, LAB_STREAM, LAB_SEEK, NULL, NULL, NULL), 0);
	ck_assert_uint_eq(opened, 2 * SEGMENT_LEN + 7);
}
END_TEST

START_TEST(two_seals_of_one_file_share_neither_key_nor_nonce) {
	OWN(buf_wipe) struct buf one = {0};
	OWN(buf_wipe) struct buf two = {0};
	struct object_file a, b;
	struct object o;
	size_t len;

	lab_seal(&lab, "x", 1, &one, NULL);
	lab_seal(&lab, "x", 1, &two, NULL);
	ck_assert_int_eq(object_parse(one.data, one.len, &a, &o, &len, NULL), 0);
	ck_assert_int_eq(object_parse(two.data, two.len, &b, &o, &len, NULL), 0);
	ck_assert_mem_ne(a.wrapped, b.wrapped, sizeof a.wrapped);
	ck_assert_mem_ne(a.prefix, b.prefix, sizeof a.prefix);
	ck_assert_mem_eq(a.key_id, b.key_id, sizeof a.key_id);
}
END_TEST

/* ---- names that cannot be signed ---- */

static int seal_as(const char *group, const char *name, uint64_t version, struct err *e) {
	OWN(lab_out_wipe) struct lab_out out = {0};
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct lab_in in = { .p = (const uint8_t *)"x", .len = 1 };
	struct source source = lab_source(&in, LAB_SEEK);
	struct sink sink = lab_sink(&out, LAB_SEEK);
	int rc;

	lab_out_init(&out, 10000);
	lab.seal.group = group;
	lab.seal.name = name;
	lab.seal.version = version;
	rc = envelope_seal(&lab.seal, &source, &sink, &r, e);
	ck_assert(rc == 0 || out.len == 0);
	return rc;
}

START_TEST(a_name_or_version_that_cannot_be_signed_is_refused_beforehand) {
	char *long_name = xcalloc(4098, 1);

	memset(long_name, 'a', 4097);
	ck_assert_int_eq(seal_as("lab", "a\nb", 1, NULL), ERR_USAGE);
	ck_assert_int_eq(seal_as("lab", "a\x7f", 1, NULL), ERR_USAGE);
	ck_assert_int_eq(seal_as("lab", "a\xff", 1, NULL), ERR_USAGE);
	ck_assert_int_eq(seal_as("lab", "", 1, NULL), ERR_USAGE);
	ck_assert_int_eq(seal_as("lab", long_name, 1, NULL), ERR_USAGE);
	ck_assert_int_eq(seal_as("", "a", 1, NULL), ERR_USAGE);
	ck_assert_int_eq(seal_as("lab", "a", 0, NULL), ERR_USAGE);
	ck_assert_int_eq(seal_as("lab", long_name + 1, 1, NULL), 0);
	free(long_name);
}
END_TEST

/* ---- another key ---- */

/* Re-encrypts or re-wraps what was sealed under the new epoch to the old one, for want of a third. */
static int change_key(bool rewrap, const struct buf *sealed, const struct trip *t, struct lab_out *out, struct envelope_result *r,
		      struct err *e) {
	struct lab_in in = { .p = sealed->data, .len = sealed->len };
	struct source source = lab_source(&in, t->in);
	struct sink sink = lab_sink(out, t->out);

	lab.open.threads = t->threads;
	lab.open.hash_object = t->hash;
	return rewrap ? envelope_rewrap(&lab.open, &lab.keys.v[1], &source, &sink, r, e)
		      : envelope_reencrypt(&lab.open, &lab.keys.v[1], &source, &sink, r, e);
}

static void check_changed(bool rewrap, const struct buf *sealed, const struct lab_out *changed, const uint8_t *plain, size_t len) {
	struct keyring only_old = { .group = lab.keys.group, .v = lab.keys.v + 1, .n = 1 };
	OWN(lab_out_wipe) struct lab_out out = {0};
	struct buf b = { .data = changed->p, .len = changed->len };
	struct object_file was, is;
	struct object o;
	size_t header_len;
	struct err e = ERR_INIT;

	ck_assert_uint_eq(sealed->len, changed->len);
	lab_out_init(&out, len + 1);
	lab.open.keys = &only_old;
	assert_ok(lab_open(&lab, &b, LAB_SEEK, LAB_SEEK, &out, NULL, &e), &e);
	lab.open.keys = &lab.keys;
	ck_assert_uint_eq(out.len, len);
	ck_assert_mem_eq(out.p, plain, len);
	ck_assert_int_eq(object_parse(sealed->data, sealed->len, &was, &o, &header_len, NULL), 0);
	ck_assert_int_eq(object_parse(changed->p, changed->len, &is, &o, &header_len, NULL), 0);
	ck_assert_int_eq(memcmp(was.prefix, is.prefix, sizeof is.prefix) == 0, rewrap);
	if (rewrap || o.len >= 16) /* shorter ones may be equal by chance */
		ck_assert_int_eq(memcmp(sealed->data + header_len, changed->p + header_len, (size_t)o.len) == 0, rewrap);
}

START_TEST(another_key_leaves_the_authors_signature) {
	size_t len = sizes[_i / 2];
	bool rewrap = _i % 2 != 0;
	OWN(own_free) uint8_t *plain = lab_plain(len);
	OWN(buf_wipe) struct buf sealed = {0};
	OWN(envelope_result_wipe) struct envelope_result made = {0};

	lab_seal(&lab, plain, len, &sealed, &made);
	for (size_t i = 0; i < N_TRIPS; i++) {
		OWN(lab_out_wipe) struct lab_out changed = {0};
		OWN(envelope_result_wipe) struct envelope_result r = {0};
		struct err e = ERR_INIT;

		lab_out_init(&changed, sealed.len);
		assert_ok(change_key(rewrap, &sealed, &trips[i], &changed, &r, &e), &e);
		ck_assert_mem_eq(r.content_sha256, made.content_sha256, 32);
		ck_assert_mem_eq(r.key_id, lab.keys.v[1].key_id, KEY_ID_LEN);
		ck_assert_uint_eq(r.object_size, changed.len);
		if (trips[i].hash)
			check_hash(&changed, &r);
		check_changed(rewrap, &sealed, &changed, plain, len);
	}
}
END_TEST

START_TEST(what_is_damaged_is_not_re_encrypted) {
	OWN(own_free) uint8_t *plain = lab_plain(SEGMENT_LEN + 1);
	OWN(buf_wipe) struct buf sealed = {0};

	lab_seal(&lab, plain, SEGMENT_LEN + 1, &sealed, NULL);
	sealed.data[sealed.len / 2] ^= 1;
	for (size_t i = 0; i < N_TRIPS; i++) {
		OWN(lab_out_wipe) struct lab_out changed = {0};
		OWN(envelope_result_wipe) struct envelope_result r = {0};

		lab_out_init(&changed, sealed.len);
		ck_assert_int_eq(change_key(false, &sealed, &trips[i], &changed, &r, NULL), ERR_DAMAGED);
		ck_assert(!changed.ended);
	}
}
END_TEST

START_TEST(unsigned_envelopes_are_not_re_encrypted) {
	static const char stock[] = "\x30\x80\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17\xa0\x80\x30\x80";
	OWN(lab_out_wipe) struct lab_out changed = {0};
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct buf b = {0};

	lab.open.allow_unsigned = true;
	lab_out_init(&changed, 1000);
	buf_add(&b, stock, sizeof stock - 1);
	ck_assert_int_eq(change_key(false, &b, &trips[0], &changed, &r, NULL), ERR_DAMAGED);
	ck_assert_uint_eq(changed.len, 0);
	buf_wipe(&b);
}
END_TEST

/* ---- media that fail ---- */

START_TEST(a_full_medium_is_an_error) {
	OWN(own_free) uint8_t *plain = lab_plain(SEGMENT_LEN + 1);

	for (size_t i = 0; i < N_TRIPS; i++) {
		for (size_t cap = 0; cap < SEGMENT_LEN + 2000; cap = cap * 2 + 400) {
			OWN(lab_out_wipe) struct lab_out out = {0};
			OWN(envelope_result_wipe) struct envelope_result r = {0};
			struct lab_in in = { .p = plain, .len = SEGMENT_LEN + 1 };
			struct source source = lab_source(&in, trips[i].in);
			struct sink sink = lab_sink(&out, trips[i].out);
			struct err e = ERR_INIT;

			lab_out_init(&out, cap);
			lab.seal.threads = trips[i].threads;
			ck_assert_int_eq(envelope_seal(&lab.seal, &source, &sink, &r, &e), ERR_FAIL);
			ck_assert_ptr_nonnull(strstr(e.text, "full"));
			ck_assert(!out.ended);
		}
	}
}
END_TEST

START_TEST(a_source_that_cannot_be_read_is_an_error) {
	OWN(own_free) uint8_t *plain = lab_plain(SEGMENT_LEN + 1);

	for (size_t i = 0; i < N_TRIPS; i++) {
		OWN(lab_out_wipe) struct lab_out out = {0};
		OWN(envelope_result_wipe) struct envelope_result r = {0};
		struct lab_in in = { .p = plain, .len = SEGMENT_LEN + 1, .fail_at = SEGMENT_LEN / 2 };
		struct source source = lab_source(&in, trips[i].in);
		struct sink sink = lab_sink(&out, trips[i].out);
		struct err e = ERR_INIT;

		lab_out_init(&out, SEGMENT_LEN + 10000);
		lab.seal.threads = trips[i].threads;
		ck_assert_int_eq(envelope_seal(&lab.seal, &source, &sink, &r, &e), ERR_FAIL);
		ck_assert_ptr_nonnull(strstr(e.text, "bad"));
	}
}
END_TEST

static int lie(void *arg, const void *data, size_t len, struct err *e) {
	(void)arg, (void)data, (void)len;
	return err_set(e, ERR_DAMAGED, "the medium lies");
}

START_TEST(what_the_medium_says_is_not_said_of_the_source) {
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct lab_in in = { .p = (const uint8_t *)"x", .len = 1 };
	struct source source = lab_source(&in, LAB_SEEK);
	struct sink sink = { .write = lie };
	struct err e = ERR_INIT;

	ck_assert_int_eq(envelope_seal(&lab.seal, &source, &sink, &r, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "the medium lies"));
}
END_TEST

START_TEST(a_source_that_becomes_shorter_is_an_error) {
	OWN(own_free) uint8_t *plain = lab_plain(1000);
	OWN(lab_out_wipe) struct lab_out out = {0};
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct lab_in in = { .p = plain, .len = 1000 };
	struct source source = lab_source(&in, LAB_SEEK);
	struct sink sink = lab_sink(&out, LAB_SEEK);
	struct err e = ERR_INIT;

	lab_out_init(&out, 10000);
	in.len = 999;
	ck_assert_int_eq(envelope_seal(&lab.seal, &source, &sink, &r, &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "shorter"));
}
END_TEST

/* ---- what an envelope says of itself ---- */

static int inspect(const struct buf *sealed, struct envelope_info *info, struct err *e) {
	struct lab_in in = { .p = sealed->data, .len = sealed->len };
	struct source source = lab_source(&in, LAB_SEEK);

	return envelope_inspect(&source, info, e);
}

START_TEST(inspecting_needs_no_key) {
	size_t len = sizes[_i];
	OWN(own_free) uint8_t *plain = lab_plain(len);
	OWN(buf_wipe) struct buf sealed = {0};
	OWN(envelope_info_wipe) struct envelope_info info = {0};
	struct err e = ERR_INIT;

	lab_seal(&lab, plain, len, &sealed, NULL);
	assert_ok(inspect(&sealed, &info, &e), &e);
	ck_assert_uint_eq(info.size, sealed.len);
	ck_assert_uint_eq(info.plain_size, len);
	ck_assert_uint_eq(info.segments, manifest_count(len));
	ck_assert_uint_eq(info.segment_size, SEGMENT_LEN);
	ck_assert(info.has_manifest && info.has_note == (len > SEGMENT_LEN));
	ck_assert_uint_eq(info.n_key_ids, 1);
	ck_assert_mem_eq(info.key_ids[0], lab.keys.v[0].key_id, KEY_ID_LEN);
	ck_assert_str_eq(info.cipher, "aes-256-gcm");
}
END_TEST

START_TEST(the_first_bytes_name_the_key) {
	size_t len = sizes[_i];
	OWN(own_free) uint8_t *plain = lab_plain(len);
	OWN(buf_wipe) struct buf sealed = {0};
	uint8_t key_id[KEY_ID_LEN];
	struct err e = ERR_INIT;

	lab_seal(&lab, plain, len, &sealed, NULL);
	assert_ok(envelope_head(sealed.data, ENVELOPE_HEAD_LEN, key_id, &e), &e);
	ck_assert_mem_eq(key_id, lab.keys.v[0].key_id, KEY_ID_LEN);
	for (size_t n = 0; n < 150; n++)
		ck_assert_int_eq(envelope_head(sealed.data, n, key_id, &e), ERR_DAMAGED);
	sealed.data[0] ^= 1;
	ck_assert_int_eq(envelope_head(sealed.data, ENVELOPE_HEAD_LEN, key_id, &e), ERR_DAMAGED);
}
END_TEST

START_TEST(inspecting_refuses_what_opening_refuses_in_the_clear) {
	OWN(buf_wipe) struct buf sealed = {0};
	OWN(envelope_info_wipe) struct envelope_info info = {0};

	lab_seal(&lab, "x", 1, &sealed, NULL);
	for (size_t len = 0; len < sealed.len; len++) {
		struct buf cut = { .data = sealed.data, .len = len };

		ck_assert_int_eq(inspect(&cut, &info, NULL), ERR_DAMAGED);
		ck_assert_ptr_null(info.key_ids);
	}
	for (size_t i = 0; i < object_header_len(OBJECT_KEK_LEN, 1); i++) {
		sealed.data[i] ^= 1;
		ck_assert_int_eq(inspect(&sealed, &info, NULL), ERR_DAMAGED);
		sealed.data[i] ^= 1;
	}
}
END_TEST

/* Around each power of two, where lengths of lengths change. */
START_TEST(a_header_is_as_long_as_reckoned) {
	struct object_file file = { .key_id = { 1 }, .wrapped = { 2 }, .prefix = { 3 } };

	for (uint64_t step = 1; step <= UINT64_C(1) << 61; step *= 2) {
		for (uint64_t less = 0; less <= 300 && less <= step; less++) {
			struct object o = { .index = 1, .kind = OBJECT_MORE, .len = 2 * step - less }, found;
			OWN(buf_wipe) struct buf b = {0};
			struct object_file found_file;
			size_t header_len;
			struct err e = ERR_INIT;

			object_header(&file, &o, &b);
			ck_assert_uint_eq(b.len, object_header_len(OBJECT_KEK_LEN, o.len));
			assert_ok(object_parse(b.data, b.len, &found_file, &found, &header_len, &e), &e);
			ck_assert_uint_eq(found.len, o.len);
			ck_assert_uint_eq(header_len, b.len);
		}
	}
}
END_TEST

static void add_failures(TCase *c) {
	tcase_add_test(c, a_header_is_as_long_as_reckoned);
	tcase_add_loop_test(c, an_object_is_as_long_as_was_promised, 0, N_SIZES);
	tcase_add_test(c, a_source_of_another_length_than_was_promised_is_an_error);
	tcase_add_test(c, verifying_writes_nothing_and_sees_all);
	tcase_add_test(c, progress_adds_up_to_the_plaintext);
	tcase_add_test(c, two_seals_of_one_file_share_neither_key_nor_nonce);
	tcase_add_test(c, a_name_or_version_that_cannot_be_signed_is_refused_beforehand);
	tcase_add_test(c, what_is_damaged_is_not_re_encrypted);
	tcase_add_test(c, unsigned_envelopes_are_not_re_encrypted);
	tcase_add_test(c, a_full_medium_is_an_error);
	tcase_add_test(c, a_source_that_cannot_be_read_is_an_error);
	tcase_add_test(c, what_the_medium_says_is_not_said_of_the_source);
	tcase_add_test(c, a_source_that_becomes_shorter_is_an_error);
	tcase_add_loop_test(c, inspecting_needs_no_key, 0, N_SIZES);
	tcase_add_loop_test(c, the_first_bytes_name_the_key, 0, N_SIZES);
	tcase_add_test(c, inspecting_refuses_what_opening_refuses_in_the_clear);
}

int main(void) {
	TCase *c = tcase_create("round trips");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, what_is_sealed_comes_back, 0, N_SIZES);
	tcase_add_loop_test(c, another_key_leaves_the_authors_signature, 0, 2 * N_SIZES);
	add_failures(c);
	return suite_run("envelope", c);
}
