/* SPDX-License-Identifier: Apache-2.0 */
/* Google Drive as it is on a bad day. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"
#include "gdrive_lab.h"
#include "lib/suite.h"
#include "pki/ossl.h"
#include "store_suite.h"

#define CHUNK ((size_t)256 << 10)
#define LEN (2 * CHUNK + 4321)
#define LONG ((size_t)3 << 20)
#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct store *drive;
static uint8_t *data;

static void open_drive(void) {
	struct err e = ERR_INIT;

	lab_conf.chunk_bytes = CHUNK;
	ck_assert_msg(store_open_env(&drive, lab_setup(), &lab_env, &e) == 0, "%s", e.text);
	lab_calm();
}

static void setup(void) {
	open_drive();
	data = suite_bytes(LONG);
}

static void teardown(void) {
	store_close(drive);
	free(data);
	lab_teardown();
}

/* Reading. */

static void stream_whole(uint64_t off, size_t len) {
	struct err e = ERR_INIT;
	struct store_stream *r = NULL;
	uint8_t *got = xmalloc(len + 70000);
	size_t all = 0, n = 1;

	ck_assert_msg(store_stream_open(drive, ID_A, off, &r, &e) == 0, "%s", e.text);
	for (; n > 0 && all <= len; all += n)
		ck_assert_msg(store_stream_read(r, got + all, 70000, &n, &e) == 0, "%s", e.text);
	store_stream_free(r);
	ck_assert_uint_eq(all, len);
	ck_assert(memcmp(got, data + off, len) == 0);
	free(got);
}

START_TEST(a_stream_goes_on_at_the_byte_after_a_break) {
	suite_put(drive, ID_A, data, LONG);
	lab_calm();
	lab_fault("{\"fault\": \"reset_mid\", \"kind\": \"files.media\", \"at\": 700000, \"times\": 3}");
	stream_whole(0, LONG);
	ck_assert_int_eq(drive_requests(&lab_drive, "files.media"), 4);
}
END_TEST

START_TEST(a_stream_from_the_middle_goes_on_too) {
	suite_put(drive, ID_A, data, LONG);
	lab_fault("{\"fault\": \"truncated\", \"kind\": \"files.media\", \"times\": 2}");
	stream_whole(54321, LONG - 54321);
}
END_TEST

START_TEST(a_range_goes_on_at_the_byte_after_a_break) {
	struct err e = ERR_INIT;
	uint8_t *got = xmalloc(LONG);
	size_t n = 0;

	suite_put(drive, ID_A, data, LONG);
	lab_fault("{\"fault\": \"reset_mid\", \"kind\": \"files.media\", \"at\": 300000, \"times\": 3}");
	ck_assert_msg(store_get(drive, ID_A, 1000, got, LONG - 2000, &n, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(n, LONG - 2000);
	ck_assert(memcmp(got, data + 1000, n) == 0);
	free(got);
}
END_TEST

START_TEST(what_was_seen_and_is_gone_is_not_found) {
	struct err e = ERR_INIT;
	OWN(own_free) char *file = NULL;
	uint8_t byte;
	size_t n = 9;

	suite_put(drive, ID_A, "x", 1);
	file = lab_find(ID_A ".cms", NULL);
	lab_do("delete", "{\"file\": \"%s\"}", file);
	ck_assert_int_eq(store_get(drive, ID_A, 0, &byte, 1, &n, &e), ERR_NOTFOUND);
	ck_assert_uint_eq(n, 0);
	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "again", ""));
	suite_has(drive, ID_A, "again", 5);
}
END_TEST

START_TEST(what_was_put_under_the_same_name_instead_is_read) {
	OWN(own_free) char *file = NULL;

	suite_put(drive, ID_A, "x", 1);
	file = lab_find(ID_A ".cms", NULL);
	lab_do("delete", "{\"file\": \"%s\"}", file);
	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "restored", ""));
	suite_has(drive, ID_A, "restored", 8);
}
END_TEST

/* Patience. */

START_TEST(retry_after_is_waited_for) {
	lab_fault("{\"fault\": \"429\", \"kind\": \"upload.multipart\", \"retry_after\": 1, \"times\": 1}");
	suite_put(drive, ID_A, "patient", 7);
	lab_fault("{\"fault\": \"503\", \"kind\": \"upload.chunk\", \"retry_after\": 1, \"times\": 1}");
	char id[STORE_ID_LEN + 1];
	suite_id('b', id);
	suite_put(drive, id, data, LEN);
	lab_fault("{\"fault\": \"503\", \"kind\": \"files.media\", \"retry_after\": 1, \"times\": 1}");
	suite_has(drive, ID_A, "patient", 7);
	ck_assert_uint_eq(lab_early(), 0);
}
END_TEST

START_TEST(an_hour_is_not_waited_for) {
	struct err e = ERR_INIT;
	struct store_stat st;

	suite_put(drive, ID_A, "x", 1);
	lab_fault("{\"fault\": \"503\", \"retry_after\": 3600}");
	ck_assert_int_eq(store_stat(drive, ID_A, &st, &e), ERR_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(e.text, "503"));
}
END_TEST

/* What is none of Drive's answers. */

static int each_call(unsigned which, struct err *e) {
	struct store_stat st;
	struct store_put *p = NULL;
	char id[STORE_ID_LEN + 1], owner[STORE_OWNER_MAX];
	uint8_t byte;
	size_t n;
	int r;

	switch (which) {
	case 0:
		return store_stat(drive, ID_A, &st, e);
	case 1:
		return store_get(drive, ID_A, 0, &byte, 1, &n, e);
	case 2:
		return store_destroy(drive, ID_A, e);
	case 3:
		return store_owner(drive, ID_A, owner, e);
	case 4:
		return store_unshare(drive, "bob@example.org", e);
	default:
		r = store_put_new(drive, id, &p, e);
		if (r == 0)
			r = store_put_write(p, data, which == 5 ? 10 : LEN, e);
		if (r == 0)
			r = store_put_commit(p, e);
		store_put_free(p);
		return r;
	}
}

/* why: of all but the last, where an upload session is to be begun: that has no answer but a header. */
static void all_refuse(const char *fault, const char *why) {
	struct err e = ERR_INIT;
	int r;

	suite_put(drive, ID_A, "x", 1);
	for (unsigned i = 0; i < 7; i++) {
		lab_fault(fault);
		r = each_call(i, &e);
		ck_assert_msg(r == ERR_DAMAGED || r == ERR_FAIL, "call %u: %d: %s", i, r, e.text);
		ck_assert_msg(i == 6 || strstr(e.text, why) != NULL, "call %u: %s", i, e.text);
		for (const char *c = e.text; *c != '\0'; c++)
			ck_assert((unsigned char)*c >= ' ');
		lab_calm();
	}
}

START_TEST(a_page_in_place_of_an_answer_is_refused) {
	all_refuse("{\"fault\": \"html\"}", "text/html");
}
END_TEST

START_TEST(a_redirect_is_refused) {
	all_refuse("{\"fault\": \"redirect\"}", "redirects are not followed");
}
END_TEST

static void metadata_refused(const char *fault, const char *why) {
	static const unsigned calls[] = { 0, 2, 3, 4, 5 };
	struct err e = ERR_INIT;
	int r;

	suite_put(drive, ID_A, "x", 1);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		lab_fault(fault);
		r = each_call(calls[i], &e);
		ck_assert_msg(r == ERR_DAMAGED || r == ERR_FAIL, "call %u: %d: %s", calls[i], r, e.text);
		ck_assert_msg(strstr(e.text, why) != NULL, "call %u: %s", calls[i], e.text);
		lab_calm();
	}
}

START_TEST(what_is_no_json_is_refused) {
	metadata_refused("{\"fault\": \"garbage\"}", "no JSON object");
}
END_TEST

START_TEST(json_without_end_is_refused) {
	metadata_refused("{\"fault\": \"endless\"}", "a reply of more than");
}
END_TEST

START_TEST(an_error_page_is_refused_by_its_status) {
	struct err e = ERR_INIT;

	suite_put(drive, ID_A, "x", 1);
	lab_fault("{\"fault\": \"html\", \"status\": 403}");
	for (unsigned i = 0; i < 7; i++) {
		ck_assert_int_eq(each_call(i, &e), ERR_REFUSED);
		ck_assert_msg(strstr(e.text, "403 without a reason") != NULL, "%s", e.text);
	}
}
END_TEST

START_TEST(garbage_after_a_create_is_asked_about) {
	lab_fault("{\"fault\": \"garbage\", \"kind\": \"upload.multipart\", \"times\": 1}");
	struct err e = ERR_INIT;
	/* That fault answers in place of the service: nothing was made, and it is sent again. */
	ck_assert_msg(each_call(5, &e) == 0, "%s", e.text);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 2);
	lab_fault("{\"fault\": \"garbage\", \"kind\": \"upload.multipart\"}");
	ck_assert_int_eq(each_call(5, &e), ERR_DAMAGED);
	lab_calm();
	ck_assert_uint_eq(suite_count(drive), 1);
}
END_TEST

/* All ways at once. */

static const char *const ways[] = { "429", "503", "userRateLimitExceeded", "expired", "reset_before", "reset_mid", "reset_after",
	"lost_reply", "truncated" };

static void put_new(char id[static STORE_ID_LEN + 1], const void *bytes, size_t len) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;

	ck_assert_int_eq(store_put_new(drive, id, &p, &e), 0);
	ck_assert_msg(store_put_write(p, bytes, len, &e) == 0, "%s", e.text);
	ck_assert_msg(store_put_commit(p, &e) == 0, "%s", e.text);
	store_put_free(p);
}

/* Up, looked at, down, and away; a step that fails says so. */
static void work(void) {
	struct err e = ERR_INIT;
	char small[STORE_ID_LEN + 1], big[STORE_ID_LEN + 1];

	put_new(small, "ciphertext", 10);
	put_new(big, data, LEN);
	suite_has(drive, small, "ciphertext", 10);
	suite_has(drive, big, data, LEN);
	ck_assert_uint_eq(suite_count(drive), 2);
	ck_assert_uint_eq(lab_doubles(), 0);
	ck_assert_msg(store_destroy(drive, small, &e) == 0, "%s", e.text);
	ck_assert_msg(store_destroy(drive, big, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(suite_count(drive), 0);
}

static void fail_every(unsigned n, size_t from, size_t step) {
	for (size_t i = from; i < sizeof(ways) / sizeof(ways[0]); i += step) {
		/* A token that is refused twice in turn ends it, rightly. */
		OWN(own_free) char *fault = n == 1 ? xasprintf("{\"fault\": \"%s\", \"times\": %d}", ways[i], strcmp(ways[i], "expired") == 0 ? 1 : 2)
						   : xasprintf("{\"fault\": \"%s\", \"every\": %u}", ways[i], n);

		open_drive();
		lab_fault(fault);
		work();
		store_close(drive);
		ck_assert_uint_eq(lab_early(), 0);
		lab_teardown();
	}
}

/* Each on an emulator of its own, side by side, since nearly all of the time is pauses. */
START_TEST(every_nth_request_may_fail_in_each_way) {
	static const struct {
		unsigned n;
		size_t from, step;
	} row[] = { { 1, 0, 1 }, { 2, 0, 3 }, { 2, 1, 3 }, { 2, 2, 3 }, { 3, 0, 1 }, { 4, 0, 1 }, { 5, 0, 1 }, { 6, 0, 1 }, { 7, 0, 1 } };
	pid_t pid[sizeof(row) / sizeof(row[0])];
	int status;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		pid[i] = fork();
		ck_assert_int_ge(pid[i], 0);
		if (pid[i] == 0) {
			store_close(drive);
			lab_begin();
			fail_every(row[i].n, row[i].from, row[i].step);
			lab_end();
			_exit(0);
		}
	}
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		ck_assert_int_eq(waitpid(pid[i], &status, 0), pid[i]);
		ck_assert_msg(status == 0, "every %u: status %d", row[i].n, status);
	}
}
END_TEST

/* Other files in the folder. */

static int prefer(const char *content, struct err *e) {
	uint8_t sha256[SHA256_LEN];

	ossl_sha256(content, strlen(content), sha256);
	return store_prefer(drive, ID_A, sha256, e);
}

START_TEST(of_several_of_one_name_the_one_of_these_bytes_is_preferred) {
	struct err e = ERR_INIT;

	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "first", ", \"createdTime\": \"2026-02-02T00:00:00.400Z\""));
	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "second one", ", \"createdTime\": \"2026-02-02T00:00:00.500Z\""));
	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "third one!!", ", \"createdTime\": \"2026-02-02T00:00:01Z\""));
	suite_has(drive, ID_A, "first", 5);
	ck_assert_int_eq(prefer("first", &e), ERR_NOTFOUND); /* it counts already */
	ck_assert_int_eq(prefer("none", &e), ERR_NOTFOUND);
	suite_has(drive, ID_A, "first", 5);
	ck_assert_msg(prefer("third one!!", &e) == 0, "%s", e.text);
	suite_has(drive, ID_A, "third one!!", 11);
	ck_assert_int_eq(prefer("third one!!", &e), ERR_NOTFOUND);
}
END_TEST

START_TEST(what_another_put_there_under_a_name_does_not_keep_the_rest) {
	struct err e = ERR_INIT;
	unsigned n;

	lab_do("account", "{\"account\": \"bob@example.org\"}");
	lab_do("share", "{\"file\": \"%s\", \"account\": \"bob@example.org\", \"role\": \"writer\"}", lab_folder());
	for (int i = 0; i < 3; i++)
		free(lab_plant(i == 1 ? DRIVE_ACCOUNT : "bob@example.org", ID_A ".cms", "x", ""));
	ck_assert_int_eq(store_destroy(drive, ID_A, &e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "bob@example.org"));
	free(lab_find(ID_A ".cms", &n));
	ck_assert_uint_eq(n, 2);
}
END_TEST

#define LONG_NAMES 180
#define LONG_NAME 100000u /* together more than a page may have */

START_TEST(a_page_of_long_names_is_asked_for_in_parts) {
	static char name[LONG_NAME + 1];

	memset(name, 'n', LONG_NAME);
	suite_put(drive, ID_A, "x", 1);
	for (int i = 0; i < LONG_NAMES; i++)
		free(lab_plant(DRIVE_ACCOUNT, name, "x", ""));
	lab_calm();
	ck_assert_uint_eq(suite_count(drive), 1);
	ck_assert_int_eq(drive_requests(&lab_drive, "files.list"), 3);
}
END_TEST

int main(void) {
	TCase *tc = tcase_create("faults");
	int failed;

	lab_begin();
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_stream_goes_on_at_the_byte_after_a_break);
	tcase_add_test(tc, a_stream_from_the_middle_goes_on_too);
	tcase_add_test(tc, a_range_goes_on_at_the_byte_after_a_break);
	tcase_add_test(tc, what_was_seen_and_is_gone_is_not_found);
	tcase_add_test(tc, what_was_put_under_the_same_name_instead_is_read);
	tcase_add_test(tc, retry_after_is_waited_for);
	tcase_add_test(tc, an_hour_is_not_waited_for);
	tcase_add_test(tc, a_page_in_place_of_an_answer_is_refused);
	tcase_add_test(tc, a_redirect_is_refused);
	tcase_add_test(tc, what_is_no_json_is_refused);
	tcase_add_test(tc, json_without_end_is_refused);
	tcase_add_test(tc, an_error_page_is_refused_by_its_status);
	tcase_add_test(tc, garbage_after_a_create_is_asked_about);
	tcase_add_test(tc, every_nth_request_may_fail_in_each_way);
	tcase_add_test(tc, of_several_of_one_name_the_one_of_these_bytes_is_preferred);
	tcase_add_test(tc, what_another_put_there_under_a_name_does_not_keep_the_rest);
	tcase_add_test(tc, a_page_of_long_names_is_asked_for_in_parts);
	failed = suite_run("store/gdrive faults", tc);
	lab_end();
	return failed;
}
