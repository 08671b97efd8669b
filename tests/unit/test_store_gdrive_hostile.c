/* SPDX-License-Identifier: Apache-2.0 */
/* A service that says what Google Drive never says: none of it is believed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/secret.h"
#include "lib/hostile.h"
#include "lib/suite.h"
#include "store/gdrive.h"
#include "store/gdrive_upload.h"
#include "store/store.h"
#include "store_suite.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define STEPS 16
#define FOLDER_JSON "{\"id\": \"FOLDER\", \"mimeType\": \"application/vnd.google-apps.folder\"}"
#define OBJECT_JSON(id, more) "{\"id\": \"" id "\", \"name\": \"" ID_A ".cms\", \"size\": \"10\", \"createdTime\": \"2026-01-01T00:00:00Z\"" more "}"
#define FOUND_JSON "{\"files\": [" OBJECT_JSON("FILE", "") "]}"
#define OK "200 OK"
#define JSON "Content-Type: application/json\r\n"

static struct hostile h;
static struct hostile_step steps[STEPS];
static char *said[STEPS];
static size_t n_steps;
static struct store *drive;
static char empty[] = "";
static struct gdrive_conf conf = {
	.client_id = empty,
	.client_secret = empty,
	.api_url = h.url,
	.auth_url = empty,
	.token_url = empty,
	.device_url = empty,
	.revoke_url = empty,
	.drive_id = empty,
	.chunk_bytes = GDRIVE_CHUNK_UNIT,
	.ca_file = empty,
	.settle_ms = 1,
};

static int give_token(void *arg, const char *rejected, struct secret *token, struct err *e) {
	(void)arg, (void)rejected;
	return secret_copy(token, (const uint8_t *)"secret", sizeof("secret"), e);
}

static const struct store_env env = { .dir = "/nowhere", .gdrive = &conf, .token = give_token };

/* Adds a step to the script. */
static void say_and(const char *status, const char *headers, const char *body, enum hostile_end end) {
	ck_assert_uint_lt(n_steps, STEPS);
	said[n_steps] = xasprintf("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers, strlen(body), body);
	steps[n_steps] = (struct hostile_step){ said[n_steps], strlen(said[n_steps]), end };
	n_steps++;
}

static void say(const char *status, const char *headers, const char *body) {
	say_and(status, headers, body, HOSTILE_KEEP);
}

static bool stopped;

static void setup(void) {
	stopped = false;
	(void)signal(SIGPIPE, SIG_IGN);
	n_steps = 0;
	drive = NULL;
	h = (struct hostile){ .plain = true };
}

static void start(void) {
	h.steps = steps;
	h.n_steps = n_steps;
	hostile_start(&h, NULL);
}

/* The script begins with the folder, rightly. */
static void begin(void) {
	struct err e = ERR_INIT;

	start();
	ck_assert_msg(store_open_env(&drive, "gdrive:FOLDER", &env, &e) == 0, "%s", e.text);
}

static void setup_folder(void) {
	setup();
	say(OK, JSON, FOLDER_JSON);
}

/* From now on h.heard is all that was asked. */
static void stop(void) {
	store_close(drive);
	drive = NULL;
	hostile_stop(&h);
	stopped = true;
}

static void teardown(void) {
	if (!stopped)
		stop();
	buf_wipe(&h.heard);
	for (size_t i = 0; i < n_steps; i++)
		free(said[i]);
}

static void because(int r, int code, const char *why, const struct err *e) {
	ck_assert_msg(r == code, "%d: %s", r, e->text);
	ck_assert_msg(strstr(e->text, why) != NULL, "%s", e->text);
	ck_assert_msg(strstr(e->text, "secret") == NULL, "%s", e->text);
}

START_TEST(a_folder_of_another_id_is_refused) {
	struct err e = ERR_INIT;

	say(OK, JSON, "{\"id\": \"OTHER\", \"mimeType\": \"application/vnd.google-apps.folder\"}");
	start();
	because(store_open_env(&drive, "gdrive:FOLDER", &env, &e), ERR_DAMAGED, "another file", &e);
}
END_TEST

/* Lists. */

static int never_mind(void *arg, const struct store_stat *st, struct err *e) {
	(void)arg, (void)st, (void)e;
	return 0;
}

START_TEST(a_list_without_end_is_refused) {
	struct err e = ERR_INIT;

	say(OK, JSON, "{\"files\": [], \"nextPageToken\": \"A\"}");
	begin();
	because(store_list(drive, never_mind, NULL, &e), ERR_DAMAGED, "comes again", &e);
}
END_TEST

START_TEST(a_list_that_goes_in_a_long_circle_is_refused) {
	struct err e = ERR_INIT;

	for (int i = 0; i < 5; i++) {
		say(OK, JSON, "{\"files\": [], \"nextPageToken\": \"A\"}");
		say(OK, JSON, "{\"files\": [], \"nextPageToken\": \"B\"}");
		say(OK, JSON, "{\"files\": [], \"nextPageToken\": \"C\"}");
	}
	begin();
	because(store_list(drive, never_mind, NULL, &e), ERR_DAMAGED, "comes again", &e);
}
END_TEST

START_TEST(what_a_list_holds_against_the_question_is_not_believed) {
	struct err e = ERR_INIT;
	struct store_stat st;

	say(OK, JSON, "{\"files\": [{\"id\": \"x\", \"name\": \"bbbbbbbbbbbbbbbbbbbbbbbbbb.cms\", \"size\": \"1\"}]}");
	begin();
	because(store_stat(drive, ID_A, &st, &e), ERR_NOTFOUND, ID_A, &e);
}
END_TEST

/* Reading. */

static void get_refused(const char *status, const char *headers, const char *body, const char *why) {
	struct err e = ERR_INIT;
	char out[11];
	size_t got = 0;

	say(OK, JSON, FOUND_JSON);
	say(status, headers, body);
	begin();
	because(store_get(drive, ID_A, 3, out, 4, &got, &e), ERR_DAMAGED, why, &e);
}

START_TEST(another_range_is_refused) {
	get_refused("206 Partial Content", "Content-Range: bytes 2-5/10\r\n", "2345", "14.4");
}
END_TEST

START_TEST(a_longer_range_is_refused) {
	get_refused("206 Partial Content", "Content-Range: bytes 3-8/10\r\n", "345678", "14.4");
}
END_TEST

START_TEST(a_range_of_other_bytes_than_it_says_is_refused) {
	get_refused("206 Partial Content", "Content-Range: bytes 3-4/10\r\n", "3456", "14.4");
}
END_TEST

START_TEST(a_range_that_is_not_named_is_refused) {
	get_refused("206 Partial Content", "", "3456", "14.4");
}
END_TEST

START_TEST(a_multipart_of_ranges_is_refused) {
	get_refused("206 Partial Content", "Content-Type: multipart/byteranges; boundary=x\r\n", "--x\r\n", "14.4");
}
END_TEST

START_TEST(of_the_whole_in_place_of_a_range_the_range_is_taken) {
	struct err e = ERR_INIT;
	char out[11] = "";
	size_t got = 0;

	say(OK, JSON, FOUND_JSON);
	say(OK, "", "0123456789");
	begin();
	ck_assert_msg(store_get(drive, ID_A, 3, out, 4, &got, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(got, 4);
	ck_assert_str_eq(out, "3456");
}
END_TEST

START_TEST(a_shorter_range_is_gone_on_with) {
	struct err e = ERR_INIT;
	char out[11] = "";
	size_t got = 0;

	say(OK, JSON, FOUND_JSON);
	say("206 Partial Content", "Content-Range: bytes 3-4/10\r\n", "34");
	say("206 Partial Content", "Content-Range: bytes 5-6/10\r\n", "56");
	begin();
	ck_assert_msg(store_get(drive, ID_A, 3, out, 4, &got, &e) == 0, "%s", e.text);
	ck_assert_str_eq(out, "3456");
}
END_TEST

START_TEST(what_changes_under_the_reading_is_refused) {
	struct err e = ERR_INIT;
	char out[11];
	size_t got = 0;

	say(OK, JSON, FOUND_JSON);
	say("206 Partial Content", "Content-Range: bytes 3-4/10\r\n", "34");
	say("206 Partial Content", "Content-Range: bytes 5-6/11\r\n", "56");
	begin();
	because(store_get(drive, ID_A, 3, out, 4, &got, &e), ERR_DAMAGED, "changed meanwhile", &e);
}
END_TEST

START_TEST(an_end_before_the_end_is_refused) {
	struct err e = ERR_INIT;
	char out[11];
	size_t got = 0;

	say(OK, JSON, FOUND_JSON);
	say("206 Partial Content", "Content-Range: bytes 3-4/10\r\n", "34");
	say("416 Range Not Satisfiable", "Content-Range: bytes */5\r\n", "");
	begin();
	because(store_get(drive, ID_A, 3, out, 4, &got, &e), ERR_DAMAGED, "14.4", &e);
}
END_TEST

/* Writing. */

static int put_ten(struct err *e) {
	struct store_put *p = NULL;
	char id[STORE_ID_LEN + 1];
	int r = store_put_new(drive, id, &p, e);

	if (r == 0)
		r = store_put_write(p, "0123456789", 10, e);
	if (r == 0)
		r = store_put_commit(p, e);
	store_put_free(p);
	return r;
}

START_TEST(what_is_made_as_another_file_is_not_done) {
	struct err e = ERR_INIT;

	say(OK, JSON, "{\"ids\": [\"NEW\"]}");
	say(OK, JSON, OBJECT_JSON("OTHER", ""));
	begin();
	because(put_ten(&e), ERR_DAMAGED, "another file than it was told to", &e);
}
END_TEST

START_TEST(what_has_no_checksum_is_not_done) {
	struct err e = ERR_INIT;

	say(OK, JSON, "{\"ids\": [\"NEW\"]}");
	say(OK, JSON, OBJECT_JSON("NEW", ""));
	begin();
	because(put_ten(&e), ERR_UNREACHABLE, "no checksum", &e);
}
END_TEST

START_TEST(what_is_stored_wrongly_and_cannot_be_destroyed_ends_the_put) {
	struct err e = ERR_INIT;

	say(OK, JSON, "{\"ids\": [\"NEWER\", \"NEW\"]}");
	say(OK, JSON, OBJECT_JSON("NEW", ", \"md5Checksum\": \"00000000000000000000000000000000\""));
	say("403 Forbidden", JSON, "{\"error\": {\"errors\": [{\"reason\": \"insufficientFilePermissions\"}]}}");
	say(OK, JSON, "{\"id\": \"NEW\", \"driveId\": \"0A\"}");
	begin();
	because(put_ten(&e), ERR_UNREACHABLE, "only a manager of the shared drive", &e);
	ck_assert_uint_eq(h.requests, 5); /* no second object of that name */
}
END_TEST

static int send_ten(const char *token, struct err *e) {
	struct store_send how = { .fd = suite_file("0123456789", 10), .size = 10, .token = token };
	int r = store_send(drive, ID_A, &how, e);

	(void)close(how.fd);
	return r;
}

START_TEST(md5_serves_where_there_is_no_sha256) {
	struct err e = ERR_INIT;
	OWN(own_free) char *token = NULL;

	say(OK, JSON, OBJECT_JSON("NEW", ", \"md5Checksum\": \"781e5e245d69b566979b86e28d23f2c7\""));
	begin();
	token = xasprintf("gdrive1 FOLDER " ID_A " NEW 10 %s/session", h.url);
	ck_assert_msg(send_ten(token, &e) == 0, "%s", e.text);
}
END_TEST

static void session_refused(const char *headers, const char *why, unsigned asked) {
	struct err e = ERR_INIT;

	say(OK, JSON, "{\"ids\": [\"NEW\"]}");
	say(OK, headers, "");
	begin();
	because(send_ten(NULL, &e), ERR_DAMAGED, why, &e);
	ck_assert_ptr_null(strstr(e.text, "evil"));
	ck_assert_uint_eq(h.requests, 2 + asked);
}

START_TEST(a_session_at_another_place_gets_nothing) {
	session_refused("Location: https://evil.example/secret\r\n", "upload session of its own", 1);
}
END_TEST

START_TEST(a_session_at_a_place_of_the_same_service_is_gone_to) {
	struct err e = ERR_INIT;

	say(OK, JSON, "{\"ids\": [\"NEW\"]}");
	say(OK, "Location: /elsewhere?upload_id=1%20b\r\n", ""); /* RFC 9110 10.2.2 */
	say(OK, JSON, OBJECT_JSON("NEW", ", \"md5Checksum\": \"781e5e245d69b566979b86e28d23f2c7\""));
	begin();
	ck_assert_msg(send_ten(NULL, &e) == 0, "%s", e.text);
	stop();
	ck_assert_ptr_nonnull(strstr(buf_str(&h.heard), "PUT /elsewhere?upload_id=1%20b HTTP/1.1\r\n"));
}
END_TEST

START_TEST(a_session_that_points_elsewhere_without_a_scheme_gets_nothing) {
	session_refused("Location: //evil.example/secret\r\n", "upload session of its own", 1);
}
END_TEST

START_TEST(a_session_without_a_place_gets_nothing) {
	session_refused("", "upload session of its own", 1 + GDRIVE_GARBLED); /* like a page in its place: perhaps it was garbled */
}
END_TEST

static void range_refused(const char *headers) {
	struct err e = ERR_INIT;
	OWN(own_free) char *token = NULL;

	say("308 Resume Incomplete", headers, "");
	begin();
	token = xasprintf("gdrive1 FOLDER " ID_A " NEW 10 %s/secret", h.url);
	because(send_ten(token, &e), ERR_DAMAGED, "what was not sent", &e);
}

/* Of a put whose bytes come one after the other: those before the window are gone. */
START_TEST(what_the_drive_had_and_loses_ends_the_put) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	char id[STORE_ID_LEN + 1];
	OWN(own_free) uint8_t *data = xcalloc(3, GDRIVE_CHUNK_UNIT);
	int r;

	say(OK, JSON, "{\"ids\": [\"NEW\"]}");
	say(OK, "Location: /session\r\n", "");
	say("308 Resume Incomplete", "Range: bytes=0-262143\r\n", "");
	say("308 Resume Incomplete", "Range: bytes=0-99999\r\n", "");
	begin();
	ck_assert_int_eq(store_put_new(drive, id, &p, &e), 0);
	r = store_put_write(p, data, (size_t)3 * GDRIVE_CHUNK_UNIT, &e);
	because(r, ERR_UNREACHABLE, "has lost what it said it had", &e);
	ck_assert_uint_eq(h.requests, 5);
	store_put_free(p);
}
END_TEST

START_TEST(more_than_the_whole_was_never_sent) {
	range_refused("Range: bytes=0-10\r\n");
}
END_TEST

START_TEST(a_range_from_the_middle_is_refused) {
	range_refused("Range: bytes=4-9\r\n");
}
END_TEST

START_TEST(a_session_that_makes_another_object_is_not_done) {
	struct err e = ERR_INIT;
	OWN(own_free) char *token = NULL;

	say(OK, JSON, OBJECT_JSON("OTHER", ""));
	begin();
	token = xasprintf("gdrive1 FOLDER " ID_A " NEW 10 %s/secret", h.url);
	because(send_ten(token, &e), ERR_DAMAGED, "another file", &e);
}
END_TEST

/* Destroying. */

START_TEST(what_answers_after_it_was_destroyed_is_not_gone) {
	struct err e = ERR_INIT;

	say(OK, JSON, FOUND_JSON);
	say("204 No Content", "", "");
	say(OK, JSON, OBJECT_JSON("FILE", ""));
	begin();
	because(store_destroy(drive, ID_A, &e), ERR_FAIL, "still on the drive", &e);
}
END_TEST

START_TEST(a_permission_that_stays_is_said) {
	static const char all[] = "{\"permissions\": [{\"id\": \"1\", \"type\": \"user\", \"role\": \"writer\", \"emailAddress\": \"bob@example.org\"}]}";
	struct err e = ERR_INIT;

	say(OK, JSON, all);
	say("204 No Content", "", "");
	say(OK, JSON, all);
	begin();
	because(store_unshare(drive, "bob@example.org", &e), ERR_REFUSED, "still has access", &e);
}
END_TEST

int main(void) {
	TCase *bare = tcase_create("opening"), *tc = tcase_create("hostile");
	Suite *s = suite_create("store/gdrive hostile");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(bare, setup, teardown);
	tcase_add_test(bare, a_folder_of_another_id_is_refused);
	tcase_add_checked_fixture(tc, setup_folder, teardown);
	tcase_add_test(tc, a_list_without_end_is_refused);
	tcase_add_test(tc, a_list_that_goes_in_a_long_circle_is_refused);
	tcase_add_test(tc, what_a_list_holds_against_the_question_is_not_believed);
	tcase_add_test(tc, another_range_is_refused);
	tcase_add_test(tc, a_longer_range_is_refused);
	tcase_add_test(tc, a_range_of_other_bytes_than_it_says_is_refused);
	tcase_add_test(tc, a_range_that_is_not_named_is_refused);
	tcase_add_test(tc, a_multipart_of_ranges_is_refused);
	tcase_add_test(tc, of_the_whole_in_place_of_a_range_the_range_is_taken);
	tcase_add_test(tc, a_shorter_range_is_gone_on_with);
	tcase_add_test(tc, what_changes_under_the_reading_is_refused);
	tcase_add_test(tc, an_end_before_the_end_is_refused);
	tcase_add_test(tc, what_is_made_as_another_file_is_not_done);
	tcase_add_test(tc, what_has_no_checksum_is_not_done);
	tcase_add_test(tc, what_is_stored_wrongly_and_cannot_be_destroyed_ends_the_put);
	tcase_add_test(tc, md5_serves_where_there_is_no_sha256);
	tcase_add_test(tc, a_session_at_another_place_gets_nothing);
	tcase_add_test(tc, a_session_at_a_place_of_the_same_service_is_gone_to);
	tcase_add_test(tc, a_session_that_points_elsewhere_without_a_scheme_gets_nothing);
	tcase_add_test(tc, a_session_without_a_place_gets_nothing);
	tcase_add_test(tc, what_the_drive_had_and_loses_ends_the_put);
	tcase_add_test(tc, more_than_the_whole_was_never_sent);
	tcase_add_test(tc, a_range_from_the_middle_is_refused);
	tcase_add_test(tc, a_session_that_makes_another_object_is_not_done);
	tcase_add_test(tc, what_answers_after_it_was_destroyed_is_not_gone);
	tcase_add_test(tc, a_permission_that_stays_is_said);
	suite_add_tcase(s, bare);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
