/* SPDX-License-Identifier: Apache-2.0 */
/* envelope/ticket: a sealing that is gone on with is under the same key, to the byte; a ticket for anything else is refused. */
#include "envelope/ticket.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "lib/envelope_lab.h"
#include "lib/suite.h"

static struct lab lab;
static uint8_t purpose[32], ticket[ENVELOPE_TICKET_LEN];

static void set_up(void) {
	struct err e = ERR_INIT;

	lab_init(&lab);
	memset(purpose, 7, sizeof purpose);
	ck_assert_msg(envelope_ticket(lab.seal.epoch, purpose, ticket, &e) == 0, "%s", e.text);
	lab.seal.ticket = ticket;
	lab.seal.purpose = purpose;
}

static void tear_down(void) {
	lab_wipe(&lab);
}

static bool is_taken(const struct epoch *epoch) {
	return envelope_ticket_check(epoch, purpose, ticket, NULL) == 0;
}

static const size_t sizes[] = { 0, 1, SEGMENT_LEN, SEGMENT_LEN + 1, 9000001 };
#define N_SIZES ((int)(sizeof sizes / sizeof sizes[0]))

START_TEST(a_second_sealing_writes_the_same_bytes_up_to_the_manifest) {
	OWN(own_free) uint8_t *plain = lab_plain(sizes[_i]);
	OWN(buf_wipe) struct buf one = {0}, other = {0};
	uint64_t body = envelope_body_size(sizes[_i]);
	struct lab_out out;
	struct err e = ERR_INIT;

	lab_seal(&lab, plain, sizes[_i], &one, NULL);
	lab_seal(&lab, plain, sizes[_i], &other, NULL);
	ck_assert_uint_gt(one.len, body);
	ck_assert_uint_gt(other.len, body);
	ck_assert_int_eq(memcmp(one.data, other.data, (size_t)body), 0);
	ck_assert(one.len != other.len || memcmp(one.data, other.data, one.len) != 0);
	lab_out_init(&out, sizes[_i] + 1);
	ck_assert_msg(lab_open(&lab, &one, LAB_SEEK, LAB_SEEK, &out, NULL, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(out.len, sizes[_i]);
	lab_out_wipe(&out);
}
END_TEST

START_TEST(each_ticket_is_another_key_and_other_nonces) {
	OWN(content_wipe) struct content a = {0}, b = {0};
	uint8_t other[ENVELOPE_TICKET_LEN];
	struct err e = ERR_INIT;

	ck_assert_int_eq(envelope_ticket(lab.seal.epoch, purpose, other, &e), 0);
	ck_assert_int_eq(ticket_open(&a, lab.seal.epoch, purpose, ticket, &e), 0);
	ck_assert_int_eq(ticket_open(&b, lab.seal.epoch, purpose, other, &e), 0);
	ck_assert(memcmp(a.key.data, b.key.data, GROUP_KEY_LEN) != 0);
	ck_assert(memcmp(a.file.prefix, b.file.prefix, OBJECT_PREFIX_LEN) != 0);
	ck_assert(memcmp(ticket, other, sizeof other) != 0);
}
END_TEST

START_TEST(a_ticket_shows_no_key) {
	OWN(content_wipe) struct content c = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(ticket_open(&c, lab.seal.epoch, purpose, ticket, &e), 0);
	for (size_t i = 0; i + 8 <= sizeof ticket; i++)
		ck_assert(memcmp(ticket + i, c.key.data, 8) != 0 && memcmp(ticket + i, c.file.prefix, OBJECT_PREFIX_LEN) != 0);
}
END_TEST

START_TEST(a_ticket_flipped_anywhere_is_refused) {
	ck_assert(is_taken(lab.seal.epoch));
	for (size_t bit = 0; bit < 8 * sizeof ticket; bit++) {
		ticket[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert(!is_taken(lab.seal.epoch));
		ticket[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ck_assert(is_taken(lab.seal.epoch));
}
END_TEST

START_TEST(a_ticket_for_another_purpose_is_refused) {
	for (size_t i = 0; i < sizeof purpose; i++) {
		purpose[i] ^= 1;
		ck_assert(!is_taken(lab.seal.epoch));
		purpose[i] ^= 1;
	}
}
END_TEST

START_TEST(a_ticket_of_another_epoch_is_refused) {
	ck_assert(is_taken(&lab.keys.v[0]));
	ck_assert(!is_taken(&lab.keys.v[1]));
}
END_TEST

/* What stands in every object's header is wrapped with the same key. */
START_TEST(the_wrapped_key_of_a_file_is_no_ticket) {
	OWN(content_wipe) struct content c = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(content_make(&c, lab.seal.epoch, &e), 0);
	memset(ticket, 0, sizeof ticket);
	memcpy(ticket, c.file.wrapped, sizeof c.file.wrapped);
	ck_assert(!is_taken(lab.seal.epoch));
}
END_TEST

START_TEST(nothing_is_sealed_with_a_ticket_that_is_refused) {
	struct lab_in in = { .p = (const uint8_t *)"text", .len = 4 };
	struct source source = lab_source(&in, LAB_SEEK);
	struct envelope_result r;
	struct lab_out out;
	struct sink sink;
	struct err e = ERR_INIT;

	lab_out_init(&out, 100000);
	sink = lab_sink(&out, LAB_STREAM);
	purpose[0] ^= 1;
	ck_assert_int_eq(envelope_seal(&lab.seal, &source, &sink, &r, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "RFC 3394 2.2.2"));
	ck_assert_uint_eq(out.len, 0);
	lab_out_wipe(&out);
}
END_TEST

int main(void) {
	TCase *c = tcase_create("ticket");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, a_second_sealing_writes_the_same_bytes_up_to_the_manifest, 0, N_SIZES);
	tcase_add_test(c, each_ticket_is_another_key_and_other_nonces);
	tcase_add_test(c, a_ticket_shows_no_key);
	tcase_add_test(c, a_ticket_flipped_anywhere_is_refused);
	tcase_add_test(c, a_ticket_for_another_purpose_is_refused);
	tcase_add_test(c, a_ticket_of_another_epoch_is_refused);
	tcase_add_test(c, the_wrapped_key_of_a_file_is_no_ticket);
	tcase_add_test(c, nothing_is_sealed_with_a_ticket_that_is_refused);
	return suite_run("envelope/ticket", c);
}
