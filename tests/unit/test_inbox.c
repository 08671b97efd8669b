/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/inbox: lists that arrive as a file or as bytes are verified aside and handed over. */
#include "gateway/inbox.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "base/spool.h"
#include "lib/fixture.h"
#include "lib/tmp.h"

static struct fixture f;
static struct inbox *in;
static struct err e;

static void make(void) {
	log_set_level(LOG_LEVEL_ERROR);
	tmp_make();
	fixture_init(&f);
	ck_assert_msg(inbox_new(&in, tmp_dir(), "crl.pem", f.chain, &e) == 0, "%s", e.text);
}

static void drop(void) {
	inbox_free(in);
	fixture_wipe(&f);
	tmp_drop();
}

static void start(void) {
	ck_assert_msg(inbox_start(in, &e) == 0, "%s", e.text);
}

static void list(uint64_t number, struct buf *pem) {
	OWN(buf_wipe) struct buf der = { 0 };

	fixture_crl(&f, number, NULL, 0, CRL_UNSPECIFIED, &der);
	ck_assert_int_eq(crl_pem(der.data, der.len, pem, &e), 0);
}

static void save(const struct buf *pem) {
	ck_assert_msg(file_save(tmp_path("crl.pem"), pem->data, pem->len, 0644, &e) == 0, "%s", e.text);
}

static void put(uint64_t number) {
	OWN(buf_wipe) struct buf pem = { 0 };

	list(number, &pem);
	save(&pem);
}

#define PATIENCE_MS 120000

/* The number of the list handed over within this time; 0: none. */
static uint64_t arrives(int within_ms) {
	struct pollfd p = { .fd = inbox_fd(in), .events = POLLIN };
	const char *from;
	struct list *l;
	uint64_t number;

	if (poll(&p, 1, within_ms) != 1 || (l = inbox_take(in, &from)) == NULL)
		return 0;
	number = crl_set_number(l->set);
	list_free(l);
	return number;
}

START_TEST(a_list_that_lies_there_is_found_at_once) {
	put(7);
	inbox_look(in);
	ck_assert_uint_eq(arrives(0), 7);
}
END_TEST

START_TEST(without_a_file_there_is_nothing) {
	inbox_look(in);
	ck_assert_uint_eq(arrives(0), 0);
}
END_TEST

START_TEST(a_new_file_arrives) {
	start();
	put(1);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 1);
	put(2);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 2);
}
END_TEST

START_TEST(a_file_written_in_pieces_arrives_when_it_is_whole) {
	OWN(buf_wipe) struct buf pem = { 0 };
	FILE *out = fopen(tmp_path("crl.pem"), "w");

	list(3, &pem);
	start();
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(pem.data, 1, pem.len / 2, out), pem.len / 2);
	ck_assert_int_eq(fflush(out), 0);
	ck_assert_uint_eq(arrives(600), 0);
	ck_assert_uint_eq(fwrite(pem.data + pem.len / 2, 1, pem.len - pem.len / 2, out), pem.len - pem.len / 2);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 3);
}
END_TEST

START_TEST(a_file_that_does_not_change_arrives_once) {
	start();
	put(1);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 1);
	ck_assert_uint_eq(arrives(3000), 0);
}
END_TEST

START_TEST(the_same_bytes_put_there_again_arrive_again) {
	OWN(buf_wipe) struct buf pem = { 0 };

	list(1, &pem);
	start();
	save(&pem);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 1);
	save(&pem);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 1);
}
END_TEST

START_TEST(a_poke_reads_the_same_bytes_again) {
	start();
	put(1);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 1);
	inbox_poke(in);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 1);
}
END_TEST

START_TEST(garbage_and_foreign_lists_do_not_arrive) {
	OWN(buf_wipe) struct buf der = { 0 };
	struct fixture other;

	start();
	ck_assert_int_eq(file_save(tmp_path("crl.pem"), "garbage", 7, 0644, &e), 0);
	ck_assert_uint_eq(arrives(600), 0);
	fixture_init(&other);
	fixture_crl(&other, 9, NULL, 0, CRL_UNSPECIFIED, &der);
	fixture_wipe(&other);
	ck_assert_int_eq(file_save(tmp_path("crl.pem"), der.data, der.len, 0644, &e), 0);
	ck_assert_uint_eq(arrives(600), 0);
}
END_TEST

START_TEST(a_file_that_vanishes_changes_nothing) {
	start();
	put(1);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 1);
	ck_assert_int_eq(unlink(tmp_path("crl.pem")), 0);
	ck_assert_uint_eq(arrives(600), 0);
	put(2);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 2);
}
END_TEST

/* A file without a name, as the server makes it of a long body. */
static int spooled(const struct buf *b) {
	int fd;

	ck_assert_msg(spool_open(tmp_dir(), b->len, &fd, &e) == 0, "%s", e.text);
	ck_assert_msg(file_write_all(fd, b->data, b->len, "spool", &e) == 0, "%s", e.text);
	return fd;
}

static int spooled_list(uint64_t number) {
	OWN(buf_wipe) struct buf der = { 0 };

	fixture_crl(&f, number, NULL, 0, CRL_UNSPECIFIED, &der);
	return spooled(&der);
}

/* As DER, then as PEM. */
START_TEST(files_given_are_verified_and_arrive) {
	OWN(buf_wipe) struct buf pem = { 0 };
	int fd = spooled_list(5);

	start();
	ck_assert(inbox_give(in, &fd, "test"));
	ck_assert_int_eq(fd, -1);
	ck_assert_uint_eq(arrives(PATIENCE_MS), 5);
	list(6, &pem);
	fd = spooled(&pem);
	ck_assert(inbox_give(in, &fd, "test"));
	ck_assert_uint_eq(arrives(PATIENCE_MS), 6);
}
END_TEST

START_TEST(only_one_given_list_waits) {
	int first = spooled_list(5), second = spooled_list(6);

	ck_assert(inbox_give(in, &first, "test"));
	ck_assert(!inbox_give(in, &second, "test"));
	ck_assert_int_ge(second, 0);
	spool_close(&second);
	start();
	ck_assert_uint_eq(arrives(PATIENCE_MS), 5);
}
END_TEST

/* As when somebody puts yesterday's file there while today's list is being sent; and the other way round. */
START_TEST(of_two_lists_that_wait_the_newer_arrives) {
	put(_i == 0 ? 6 : 5);
	inbox_look(in);
	put(_i == 0 ? 5 : 6);
	inbox_look(in);
	ck_assert_uint_eq(arrives(0), 6);
	ck_assert_uint_eq(arrives(0), 0);
}
END_TEST

START_TEST(given_files_that_are_no_list_do_not_arrive) {
	OWN(buf_wipe) struct buf der = { 0 };
	int fd;

	fixture_crl(&f, 5, NULL, 0, CRL_UNSPECIFIED, &der);
	der.data[der.len - 1] ^= 1;
	if (_i == 1)
		buf_clear(&der);
	fd = spooled(&der);
	start();
	ck_assert(inbox_give(in, &fd, "test"));
	ck_assert_uint_eq(arrives(500), 0);
}
END_TEST

int main(void) {
	Suite *s = suite_create("inbox");
	TCase *t = tcase_create("inbox");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, make, drop);
	tcase_set_timeout(t, 600);
	tcase_add_test(t, a_list_that_lies_there_is_found_at_once);
	tcase_add_test(t, without_a_file_there_is_nothing);
	tcase_add_test(t, a_new_file_arrives);
	tcase_add_test(t, a_file_written_in_pieces_arrives_when_it_is_whole);
	tcase_add_test(t, a_file_that_does_not_change_arrives_once);
	tcase_add_test(t, the_same_bytes_put_there_again_arrive_again);
	tcase_add_test(t, a_poke_reads_the_same_bytes_again);
	tcase_add_test(t, garbage_and_foreign_lists_do_not_arrive);
	tcase_add_test(t, a_file_that_vanishes_changes_nothing);
	tcase_add_test(t, files_given_are_verified_and_arrive);
	tcase_add_test(t, only_one_given_list_waits);
	tcase_add_loop_test(t, of_two_lists_that_wait_the_newer_arrives, 0, 2);
	tcase_add_loop_test(t, given_files_that_are_no_list_do_not_arrive, 0, 2);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
