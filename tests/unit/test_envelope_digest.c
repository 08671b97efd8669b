/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of two streams at once gives what OpenSSL gives for each. Where the processor cannot, both ways are OpenSSL's. */
#include "envelope/digest.h"

#include <check.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/own.h"
#include "lib/suite.h"
#include "pki/ossl.h"

#define TEXT_LEN 1400u

static uint8_t text[TEXT_LEN];

static void make_text(void) {
	for (size_t i = 0; i < TEXT_LEN; i++)
		text[i] = (uint8_t)(i * i + i / 7);
}

static void expect(struct digest *d, const uint8_t *p, size_t len) {
	uint8_t got[32], want[32];

	ck_assert_int_eq(digest_end(d, got, NULL), 0);
	ossl_sha256(p, len, want);
	ck_assert_mem_eq(got, want, sizeof got);
}

/* As on a processor without the instructions. */
static void begin_plainly(struct digest *d) {
	*d = (struct digest){ .on = true, .evp = EVP_MD_CTX_new() };
	ck_assert_ptr_nonnull(d->evp);
	ck_assert_int_eq(digest_restart(d, NULL), 0);
}

START_TEST(every_length_gives_what_openssl_gives) {
	OWN(digest_wipe) struct digest a = {0}, b = {0};

	ck_assert_int_eq(digest_init(&a, NULL), 0);
	ck_assert_int_eq(digest_init(&b, NULL), 0);
	for (size_t n = 0; n <= 300; n++) {
		ck_assert_int_eq(digest_restart(&a, NULL), 0);
		ck_assert_int_eq(digest_restart(&b, NULL), 0);
		ck_assert_int_eq(digest_add(&a, text, n, NULL), 0);
		ck_assert_int_eq(digest_two(&b, text + 1, n, &a, text + n, 300 - n, NULL), 0);
		expect(&a, text, 300);
		expect(&b, text + 1, n);
	}
} END_TEST

/* Two streams in step, the one behind by so much and in steps of such lengths. */
static void in_step(struct digest *a, struct digest *b, size_t ahead, size_t step_a, size_t step_b) {
	size_t at_a = ahead, at_b = 0;

	ck_assert_int_eq(digest_restart(a, NULL), 0);
	ck_assert_int_eq(digest_restart(b, NULL), 0);
	ck_assert_int_eq(digest_add(a, text, ahead, NULL), 0);
	while (at_a < TEXT_LEN || at_b < TEXT_LEN) {
		size_t na = TEXT_LEN - at_a < step_a ? TEXT_LEN - at_a : step_a, nb = TEXT_LEN - at_b < step_b ? TEXT_LEN - at_b : step_b;

		ck_assert_int_eq(digest_two(a, text + at_a, na, b, text + at_b, nb, NULL), 0);
		at_a += na;
		at_b += nb;
	}
	expect(a, text, TEXT_LEN);
	expect(b, text, TEXT_LEN);
}

START_TEST(steps_of_any_length_make_no_difference) {
	static const size_t steps[] = {1, 63, 64, 65, 127, 128, 129, 500};
	const size_t n = sizeof steps / sizeof steps[0];
	OWN(digest_wipe) struct digest a = {0}, b = {0};

	ck_assert_int_eq(digest_init(&a, NULL), 0);
	ck_assert_int_eq(digest_init(&b, NULL), 0);
	for (size_t ahead = 0; ahead < 130; ahead += 13)
		for (size_t i = 0; i < n * n; i++)
			in_step(&a, &b, ahead, steps[i / n], steps[i % n]);
} END_TEST

START_TEST(one_with_openssl_and_one_without_go_together) {
	OWN(digest_wipe) struct digest a = {0}, b = {0}, c = {0};

	begin_plainly(&a);
	begin_plainly(&b);
	ck_assert_int_eq(digest_init(&c, NULL), 0);
	in_step(&a, &b, 77, 200, 64);
	in_step(&a, &c, 77, 64, 200);
	in_step(&c, &b, 77, 64, 200);
} END_TEST

START_TEST(what_is_off_takes_everything_and_gives_nothing) {
	OWN(digest_wipe) struct digest off = {0}, on = {0};
	uint8_t before[32] = {7}, after[32] = {7};

	ck_assert_int_eq(digest_init(&on, NULL), 0);
	ck_assert_int_eq(digest_two(&off, text, 100, &on, text, 200, NULL), 0);
	ck_assert_int_eq(digest_two(&on, text + 200, 100, &off, text, 100, NULL), 0);
	ck_assert_int_eq(digest_add(&off, text, 100, NULL), 0);
	ck_assert_int_eq(digest_end(&off, after, NULL), 0);
	ck_assert_mem_eq(before, after, sizeof after);
	expect(&on, text, 300);
} END_TEST

/* A byte that differs in either stream shows in its own digest, and in no other. */
START_TEST(a_changed_byte_shows_and_does_not_spread) {
	OWN(digest_wipe) struct digest a = {0}, b = {0};
	uint8_t copy[256], got[32], want[32];

	ck_assert_int_eq(digest_init(&a, NULL), 0);
	ck_assert_int_eq(digest_init(&b, NULL), 0);
	ossl_sha256(text, sizeof copy, want);
	for (size_t i = 0; i < sizeof copy; i++) {
		memcpy(copy, text, sizeof copy);
		copy[i] ^= 1;
		ck_assert_int_eq(digest_restart(&a, NULL), 0);
		ck_assert_int_eq(digest_restart(&b, NULL), 0);
		ck_assert_int_eq(digest_two(&a, text, sizeof copy, &b, copy, sizeof copy, NULL), 0);
		expect(&a, text, sizeof copy);
		ck_assert_int_eq(digest_end(&b, got, NULL), 0);
		ck_assert_mem_ne(got, want, sizeof got);
	}
} END_TEST

int main(void) {
	TCase *c = tcase_create("digest");

	tcase_add_checked_fixture(c, make_text, NULL);
	tcase_add_test(c, every_length_gives_what_openssl_gives);
	tcase_add_test(c, steps_of_any_length_make_no_difference);
	tcase_add_test(c, one_with_openssl_and_one_without_go_together);
	tcase_add_test(c, what_is_off_takes_everything_and_gives_nothing);
	tcase_add_test(c, a_changed_byte_shows_and_does_not_spread);
	return suite_run("envelope, digest", c);
}
