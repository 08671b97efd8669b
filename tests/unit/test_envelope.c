/* SPDX-License-Identifier: Apache-2.0 */
/* envelope: what is sealed comes back, by every way in and out; what a key or an author does not cover does not. */
#include "envelope/envelope.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/layout.h"
#include "lib/envelope_lab.h"
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

static Suite *suite(void) {
	Suite *s = suite_create("envelope");
	TCase *c = tcase_create("round trips");

	tcase_set_timeout(c, 300);
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, what_is_sealed_comes_back, 0, N_SIZES);
	suite_add_tcase(s, c);
	return s;
}

int main(void) {
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
