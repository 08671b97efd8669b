/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads to Google Drive: sessions, what is proved about what is stored, and going on after a kill. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "gdrive_lab.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "store/gdrive_state.h"
#include "store_suite.h"

#define LEN ((size_t)4 * LAB_CHUNK + 12345)

static struct store *drive;
static uint8_t *data;

static void reopen(uint64_t chunk) {
	struct err e = ERR_INIT;
	OWN(own_free) char *spec = xasprintf("gdrive:%s", lab_folder());

	store_close(drive);
	lab_conf.chunk_bytes = chunk;
	ck_assert_msg(store_open_env(&drive, spec, &lab_env, &e) == 0, "%s", e.text);
	lab_calm();
}

static void setup(void) {
	(void)lab_setup();
	drive = NULL;
	reopen(LAB_CHUNK);
	data = suite_bytes(12u << 20);
}

static void teardown(void) {
	store_close(drive);
	free(data);
	lab_teardown();
}

static int put(const void *bytes, size_t len, char id[static STORE_ID_LEN + 1], struct err *e) {
	struct store_put *p = NULL;
	int r = store_put_new(drive, id, &p, e);

	if (r == 0)
		r = store_put_write(p, bytes, len, e);
	if (r == 0)
		r = store_put_commit(p, e);
	store_put_free(p);
	return r;
}

/* again: bytes that may go out a second time. */
static void put_whole_with(size_t len, size_t again) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];

	ck_assert_msg(put(data, len, id, &e) == 0, "%s", e.text);
	suite_has(drive, id, data, len);
	ck_assert_uint_eq(suite_count(drive), 1);
	ck_assert_int_le(lab_stat("bytes_uploaded"), (json_int_t)(len + again) + 2048);
}

static void put_whole(size_t len) {
	put_whole_with(len, 0);
}

static void put_fails(size_t len, int code, const char *why) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];
	int r = put(data, len, id, &e);

	ck_assert_msg(r == code, "%d: %s", r, e.text);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
	lab_do("clear", "{}");
	ck_assert_uint_eq(suite_count(drive), 0);
}

START_TEST(what_does_not_fit_one_chunk_goes_through_a_session) {
	put_whole(LAB_CHUNK);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 1);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.resumable"), 0);
}
END_TEST

START_TEST(a_stream_of_whole_chunks_ends_with_a_known_length) {
	put_whole((size_t)3 * LAB_CHUNK);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.resumable"), 1);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.chunk"), 3);
}
END_TEST

START_TEST(a_stream_of_any_length_comes_back) {
	put_whole(LEN);
}
END_TEST

START_TEST(what_is_kept_of_a_stream_has_a_bound) {
	reopen(64u << 20);
	put_whole(GDRIVE_WINDOW);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 1);
}
END_TEST

START_TEST(more_of_a_stream_goes_in_pieces_of_that_bound) {
	reopen(64u << 20);
	put_whole(GDRIVE_WINDOW + 1);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.chunk"), 2);
}
END_TEST

START_TEST(a_session_that_is_left_leaves_nothing) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	char id[STORE_ID_LEN + 1];

	ck_assert_int_eq(store_put_new(drive, id, &p, &e), 0);
	ck_assert_int_eq(store_put_write(p, data, LEN, &e), 0);
	store_put_free(p);
	ck_assert_uint_eq(suite_count(drive), 0);
}
END_TEST

START_TEST(a_lost_reply_makes_no_second_object) {
	lab_fault("{\"fault\": \"lost_reply\", \"kind\": \"upload.multipart\", \"times\": 1}");
	put_whole(1000);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 1); /* it was asked for first */
}
END_TEST

START_TEST(a_lost_reply_of_the_last_chunk_makes_no_second_object) {
	lab_fault("{\"fault\": \"lost_reply\", \"kind\": \"upload.chunk\", \"skip\": 4, \"times\": 1}");
	put_whole(LEN);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.status"), 1);
}
END_TEST

START_TEST(a_broken_chunk_goes_on_at_what_the_drive_has) {
	lab_fault("{\"fault\": \"reset_mid\", \"kind\": \"upload.chunk\", \"skip\": 1, \"at\": 300000, \"times\": 1}");
	put_whole_with(LEN, 300000 - (256 << 10)); /* of the chunk that much had not been kept */
}
END_TEST

/* More often than a request that comes to nothing is made again. */
START_TEST(a_chunk_that_breaks_at_each_step_comes_to_its_end) {
	reopen(64u << 20);
	lab_fault("{\"fault\": \"reset_mid\", \"kind\": \"upload.chunk\", \"at\": 300000, \"times\": 18}");
	put_whole_with(GDRIVE_WINDOW + 1000, (size_t)18 * (300000 - (256 << 10)));
}
END_TEST

START_TEST(after_each_answer_that_brings_more_the_drive_is_asked_again) {
	lab_fault("{\"fault\": \"lost_reply\", \"kind\": \"upload.chunk\"}");
	put_whole(LEN);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.status"), 5);
}
END_TEST

START_TEST(where_one_broke_off_the_next_goes_in_a_session) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];
	json_int_t before;

	reopen(64u << 20);
	lab_fault("{\"fault\": \"reset_mid\", \"kind\": \"upload.multipart\", \"at\": 300000, \"times\": 1}");
	put_whole_with(LEN, LEN); /* all of it came to nothing */
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.chunk"), 0);
	before = lab_stat("bytes_uploaded");
	lab_fault("{\"fault\": \"reset_mid\", \"kind\": \"upload.chunk\", \"at\": 600000, \"times\": 1}");
	ck_assert_msg(put(data, LEN, id, &e) == 0, "%s", e.text);
	suite_has(drive, id, data, LEN);
	ck_assert_int_le(lab_stat("bytes_uploaded") - before, (json_int_t)LEN + 600000 - (json_int_t)2 * (256 << 10) + 2048);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.chunk"), 2);
}
END_TEST

START_TEST(a_session_that_is_forgotten_at_once_is_begun_anew) {
	lab_fault("{\"fault\": \"503\", \"kind\": \"upload.chunk\", \"times\": 1}");
	lab_settings("{\"session_life\": 0}");
	put_fails(LEN, ERR_UNREACHABLE, "forgotten");
	lab_settings("{\"session_life\": null}");
	lab_calm();
	put_whole(LEN);
}
END_TEST

START_TEST(what_was_stored_wrongly_is_made_anew) {
	lab_fault("{\"fault\": \"corrupt_upload\", \"kind\": \"upload.multipart\", \"times\": 2}");
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];

	ck_assert_msg(put(data, 1000, id, &e) == 0, "%s", e.text);
	suite_has(drive, id, data, 1000);
	ck_assert_uint_eq(suite_count(drive), 1);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 3);
}
END_TEST

START_TEST(what_is_stored_wrongly_again_and_again_is_never_done) {
	lab_fault("{\"fault\": \"corrupt_upload\", \"kind\": \"upload.multipart\"}");
	put_fails(1000, ERR_UNREACHABLE, "other bytes than were sent");
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 3);
}
END_TEST

START_TEST(a_stream_that_is_stored_wrongly_is_not_done) {
	lab_fault("{\"fault\": \"corrupt_upload\", \"kind\": \"upload.chunk\", \"skip\": 2, \"times\": 1}");
	put_fails(LEN, STORE_SPOILED, "other bytes than were sent");
}
END_TEST

START_TEST(a_full_drive_is_said_at_once) {
	lab_fault("{\"fault\": \"storageQuotaExceeded\", \"kind\": \"upload.*\"}");
	put_fails(1000, ERR_FAIL, "the drive is full (storageQuotaExceeded)");
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 1);
	lab_fault("{\"fault\": \"storageQuotaExceeded\", \"kind\": \"upload.chunk\"}");
	put_fails(LEN, ERR_FAIL, "the drive is full (storageQuotaExceeded)");
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.chunk"), 1);
}
END_TEST

START_TEST(a_day_s_limit_is_not_tried_again) {
	lab_fault("{\"fault\": \"dailyLimitExceeded\", \"kind\": \"upload.multipart\"}");
	put_fails(1000, ERR_UNREACHABLE, "dailyLimitExceeded");
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 1);
}
END_TEST

START_TEST(a_token_that_ends_in_the_middle_is_renewed) {
	lab_fault("{\"fault\": \"expired\", \"kind\": \"upload.chunk\", \"skip\": 2, \"times\": 1}");
	put_whole_with(LEN, LAB_CHUNK);
	lab_fault("{\"fault\": \"expired\", \"kind\": \"upload.multipart\", \"times\": 1}");
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];
	ck_assert_msg(put(data, 99, id, &e) == 0, "%s", e.text);
}
END_TEST

START_TEST(a_folder_in_the_trash_takes_nothing) {
	lab_do("trash", "{\"file\": \"%s\"}", lab_folder());
	put_fails(1000, ERR_UNREACHABLE, "the trash");
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 1);
}
END_TEST

START_TEST(a_good_sign_in_that_is_refused_each_second_time_is_accepted) {
	lab_fault("{\"fault\": \"unauthorized\", \"kind\": \"upload.*\", \"every\": 2, \"skip\": 1}");
	put_whole_with(LEN, LAB_CHUNK);
}
END_TEST

START_TEST(a_sign_in_that_is_not_accepted_is_refused) {
	lab_fault("{\"fault\": \"expired\", \"kind\": \"upload.*\"}");
	put_fails(1000, ERR_REFUSED, "login");
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 1 + GDRIVE_VAIN); /* the first with a token that may just have ended */
}
END_TEST

/* From a file. */

struct sending {
	char token[STORE_TOKEN_MAX + 1];
	unsigned kept;
	uint64_t shown, kill_at; /* 0: not killed */
	const char *path;        /* where the token goes */
};

/* Nothing has gone to the session of this token. */
static void check_unused(const char *token) {
	const char *id = strstr(token, "upload_id=");

	ck_assert_ptr_nonnull(id);
	ck_assert_uint_eq(lab_asked(id), 0);
}

static int keep(void *arg, const char *token, struct err *e) {
	struct sending *s = arg;

	check_unused(token); /* before the first byte goes out */
	s->kept++;
	memcpy(s->token, token, strlen(token) + 1);
	return s->path != NULL ? file_save(s->path, token, strlen(token), 0600, e) : 0;
}

static void show(void *arg, uint64_t bytes) {
	struct sending *s = arg;

	s->shown += bytes;
	if (s->kill_at != 0 && s->shown >= s->kill_at)
		_exit(42);
}

static int send_file(const char *id, struct sending *s, const char *token, const uint8_t *sha256, struct err *e) {
	struct store_send how = {
		.fd = suite_file(data, LEN), .size = LEN, .sha256 = sha256, .token = token, .keep = keep, .progress = show, .arg = s };
	int r = store_send(drive, id, &how, e);

	(void)close(how.fd);
	return r;
}

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbb"

static void sent_whole(struct sending *s, const char *token) {
	struct err e = ERR_INIT;

	ck_assert_msg(send_file(ID_A, s, token, NULL, &e) == 0, "%s", e.text);
	suite_has(drive, ID_A, data, LEN);
	ck_assert_uint_eq(suite_count(drive), 1);
}

/* A child sends and is gone in the middle; its token. */
static char *killed_at(uint64_t at) {
	struct sending s = { .kill_at = at, .path = tmp_path("token") };
	OWN(buf_wipe) struct buf token = {0};
	struct err e = ERR_INIT;
	int status = 0;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		drive = NULL; /* on connections of its own, which end with it */
		reopen(LAB_CHUNK);
		(void)send_file(ID_A, &s, NULL, NULL, &e);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 42);
	ck_assert_int_eq(file_load(s.path, STORE_TOKEN_MAX, &token, &e), 0);
	return xstrdup(buf_str(&token));
}

START_TEST(what_a_killed_process_sent_is_not_sent_again) {
	static const uint64_t at[] = { 1, LAB_CHUNK + 1, 2 * LAB_CHUNK + 300000, LEN - 1 };
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct sending s = {0};
		char *token = killed_at(at[i]);

		sent_whole(&s, token);
		ck_assert_uint_eq(s.kept, 0);
		ck_assert_int_le(lab_stat("bytes_uploaded"), (json_int_t)(LEN + LAB_CHUNK) + 2048);
		ck_assert_int_eq(drive_requests(&lab_drive, "upload.resumable"), 1);
		ck_assert_int_eq(store_destroy(drive, ID_A, &e), 0);
		lab_calm();
		free(token);
	}
}
END_TEST

START_TEST(a_session_that_the_drive_has_forgotten_is_begun_anew) {
	struct sending s = {0};
	char *token = killed_at(LAB_CHUNK + 1);

	lab_settings("{\"session_life\": 0}");
	lab_fault("{\"fault\": \"503\", \"kind\": \"upload.status\", \"times\": 1}");
	struct err e = ERR_INIT;
	ck_assert_int_eq(send_file(ID_A, &s, token, NULL, &e), ERR_UNREACHABLE);
	lab_settings("{\"session_life\": null}");
	s.kept = 0;
	sent_whole(&s, "gdrive1 x");
	ck_assert_uint_eq(s.kept, 1);
	free(token);
}
END_TEST

START_TEST(a_finished_session_is_not_sent_again) {
	struct sending s = {0};

	lab_fault("{\"fault\": \"lost_reply\", \"kind\": \"upload.chunk\", \"skip\": 4, \"times\": 1}");
	sent_whole(&s, NULL);
	lab_calm();
	s.kept = 0;
	sent_whole(&s, s.token);
	ck_assert_int_eq(lab_stat("bytes_uploaded"), 0);
}
END_TEST

START_TEST(an_object_destroyed_meanwhile_is_sent_anew) {
	struct sending s = {0};
	struct err e = ERR_INIT;

	sent_whole(&s, NULL);
	ck_assert_int_eq(store_destroy(drive, ID_A, &e), 0);
	s.kept = 0;
	sent_whole(&s, s.token);
	ck_assert_uint_eq(s.kept, 1);
}
END_TEST

START_TEST(a_token_for_something_else_is_none) {
	struct sending s = {0}, t = {0};
	struct err e = ERR_INIT;

	sent_whole(&s, NULL);
	ck_assert_msg(send_file(ID_B, &t, s.token, NULL, &e) == 0, "%s", e.text);
	suite_has(drive, ID_B, data, LEN);
	suite_has(drive, ID_A, data, LEN);
	ck_assert_uint_eq(t.kept, 1);
}
END_TEST

START_TEST(a_session_at_another_place_gets_nothing) {
	static const char *const elsewhere[] = { "https://evil.example/upload", "http://127.0.0.1:9/upload", "http://127.0.0.1:1@evil.example/" };
	struct sending s = {0};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		OWN(own_free) char *token =
		    xasprintf("gdrive1 %s %s anid %llu %s", lab_folder(), ID_A, (unsigned long long)LEN, elsewhere[i]);

		ck_assert_int_eq(send_file(ID_A, &s, token, NULL, &e), ERR_DAMAGED);
		ck_assert_ptr_nonnull(strstr(e.text, "another service"));
		ck_assert_ptr_null(strstr(e.text, "evil"));
	}
	ck_assert_int_eq(drive_requests(&lab_drive, NULL), 0);
}
END_TEST

START_TEST(a_file_stored_wrongly_is_sent_anew) {
	struct sending s = {0};

	lab_fault("{\"fault\": \"corrupt_upload\", \"kind\": \"upload.chunk\", \"skip\": 1, \"times\": 1}");
	sent_whole(&s, NULL);
	ck_assert_uint_eq(s.kept, 2);
}
END_TEST

START_TEST(bytes_that_changed_since_they_were_sealed_are_not_done) {
	struct sending s = {0};
	uint8_t sha256[32] = { 1, 2, 3 };
	struct err e = ERR_INIT;

	ck_assert_int_eq(send_file(ID_A, &s, NULL, sha256, &e), ERR_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(e.text, "other bytes"));
	ck_assert_uint_eq(suite_count(drive), 0);
}
END_TEST

START_TEST(a_file_that_got_shorter_is_no_object) {
	struct sending s = {0};
	struct err e = ERR_INIT;
	struct store_send how = { .fd = suite_file(data, LEN - 1), .size = LEN, .keep = keep, .arg = &s };

	ck_assert_int_eq(store_send(drive, ID_A, &how, &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "shorter"));
	ck_assert_uint_eq(suite_count(drive), 0);
	(void)close(how.fd);
}
END_TEST

/* A file that is written while it is sent. */
struct written {
	int fd;
	uint64_t there, fail_at; /* 0: never */
	int code;
	unsigned asked;
};

static int write_up_to(void *arg, uint64_t end, struct err *e) {
	struct written *w = arg;

	w->asked++;
	ck_assert_uint_gt(end, w->there);
	ck_assert_uint_le(end, LEN);
	if (w->fail_at != 0 && end >= w->fail_at)
		return err_set(e, w->code, "it was changed while it was read");
	ck_assert_int_eq(pwrite(w->fd, data + w->there, (size_t)(end - w->there), (off_t)w->there), (ssize_t)(end - w->there));
	w->there = end;
	return 0;
}

static int send_growing(struct written *w, const char *token, struct err *e) {
	struct store_send how = { .fd = suite_file("", 0), .size = LEN, .token = token, .wait = write_up_to, .arg = w };
	int r;

	w->fd = how.fd;
	r = store_send(drive, ID_A, &how, e);
	(void)close(how.fd);
	return r;
}

START_TEST(no_byte_is_read_before_it_is_there) {
	struct written w = {0};
	struct err e = ERR_INIT;

	ck_assert_msg(send_growing(&w, NULL, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(w.there, LEN);
	ck_assert_uint_eq(w.asked, (LEN + LAB_CHUNK - 1) / LAB_CHUNK);
	suite_has(drive, ID_A, data, LEN);
}
END_TEST

START_TEST(a_session_that_says_it_has_it_all_is_held_against_all_of_it) {
	struct sending s = {0};
	struct written w = {0};
	struct err e = ERR_INIT;

	sent_whole(&s, NULL);
	ck_assert_msg(send_growing(&w, s.token, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(w.there, LEN);
	ck_assert_uint_eq(w.asked, 1);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.resumable"), 1);
	w = (struct written){ .fail_at = LEN, .code = ERR_NOTFOUND };
	ck_assert_int_eq(send_growing(&w, s.token, &e), ERR_FAIL);
	suite_has(drive, ID_A, data, LEN);
}
END_TEST

/* ERR_NOTFOUND: not to be taken for a session that the drive has forgotten. */
START_TEST(what_does_not_get_whole_is_no_object) {
	static const int codes[] = { ERR_FAIL, ERR_NOTFOUND };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct written w = { .fail_at = LEN, .code = codes[i] };
		struct err e = ERR_INIT;

		ck_assert_int_eq(send_growing(&w, NULL, &e), ERR_FAIL);
		ck_assert_str_eq(e.text, "it was changed while it was read");
		ck_assert_int_eq(drive_requests(&lab_drive, "upload.resumable"), (long long)i + 1);
		ck_assert_uint_eq(suite_count(drive), 0);
	}
}
END_TEST

static int refuse_to_keep(void *arg, const char *token, struct err *e) {
	struct sending *s = arg;

	memcpy(s->token, token, strlen(token) + 1);
	return err_set(e, ERR_FAIL, "disk full");
}

START_TEST(without_a_kept_token_nothing_goes_out) {
	struct err e = ERR_INIT;
	struct sending s = {0};
	struct store_send how = { .fd = suite_file(data, LEN), .size = LEN, .keep = refuse_to_keep, .arg = &s };

	ck_assert_int_eq(store_send(drive, ID_A, &how, &e), ERR_FAIL);
	ck_assert_str_eq(e.text, "disk full");
	check_unused(s.token);
	(void)close(how.fd);
}
END_TEST

int main(void) {
	TCase *tc = tcase_create("uploads");
	int failed;

	lab_begin();
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_does_not_fit_one_chunk_goes_through_a_session);
	tcase_add_test(tc, a_stream_of_whole_chunks_ends_with_a_known_length);
	tcase_add_test(tc, a_stream_of_any_length_comes_back);
	tcase_add_test(tc, what_is_kept_of_a_stream_has_a_bound);
	tcase_add_test(tc, more_of_a_stream_goes_in_pieces_of_that_bound);
	tcase_add_test(tc, a_session_that_is_left_leaves_nothing);
	tcase_add_test(tc, a_lost_reply_makes_no_second_object);
	tcase_add_test(tc, a_lost_reply_of_the_last_chunk_makes_no_second_object);
	tcase_add_test(tc, a_broken_chunk_goes_on_at_what_the_drive_has);
	tcase_add_test(tc, a_chunk_that_breaks_at_each_step_comes_to_its_end);
	tcase_add_test(tc, after_each_answer_that_brings_more_the_drive_is_asked_again);
	tcase_add_test(tc, where_one_broke_off_the_next_goes_in_a_session);
	tcase_add_test(tc, a_session_that_is_forgotten_at_once_is_begun_anew);
	tcase_add_test(tc, what_was_stored_wrongly_is_made_anew);
	tcase_add_test(tc, what_is_stored_wrongly_again_and_again_is_never_done);
	tcase_add_test(tc, a_stream_that_is_stored_wrongly_is_not_done);
	tcase_add_test(tc, a_full_drive_is_said_at_once);
	tcase_add_test(tc, a_day_s_limit_is_not_tried_again);
	tcase_add_test(tc, a_token_that_ends_in_the_middle_is_renewed);
	tcase_add_test(tc, a_folder_in_the_trash_takes_nothing);
	tcase_add_test(tc, a_good_sign_in_that_is_refused_each_second_time_is_accepted);
	tcase_add_test(tc, a_sign_in_that_is_not_accepted_is_refused);
	tcase_add_test(tc, what_a_killed_process_sent_is_not_sent_again);
	tcase_add_test(tc, a_session_that_the_drive_has_forgotten_is_begun_anew);
	tcase_add_test(tc, a_finished_session_is_not_sent_again);
	tcase_add_test(tc, an_object_destroyed_meanwhile_is_sent_anew);
	tcase_add_test(tc, a_token_for_something_else_is_none);
	tcase_add_test(tc, a_session_at_another_place_gets_nothing);
	tcase_add_test(tc, a_file_stored_wrongly_is_sent_anew);
	tcase_add_test(tc, bytes_that_changed_since_they_were_sealed_are_not_done);
	tcase_add_test(tc, a_file_that_got_shorter_is_no_object);
	tcase_add_test(tc, without_a_kept_token_nothing_goes_out);
	tcase_add_test(tc, no_byte_is_read_before_it_is_there);
	tcase_add_test(tc, a_session_that_says_it_has_it_all_is_held_against_all_of_it);
	tcase_add_test(tc, what_does_not_get_whole_is_no_object);
	failed = suite_run("store/gdrive uploads", tc);
	lab_end();
	return failed;
}
