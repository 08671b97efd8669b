/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "client/change.h"
#include "client/names.h"
#include "client/upload.h"
#include "client_gate.h"
#include "lib/suite.h"
#include "lib/tmp.h"

static int try_upload(const char *who, const char *file, bool replace, struct err *e) {
	OWN(session_wipe) struct session s = {0};
	OWN(names_wipe) struct names names = {0};
	char *operand = (char *)(uintptr_t)tmp_path(file);
	struct upload_job job = { .files = &names, .replace = replace, .workers = 1 };

	gate_session(who, &s);
	ck_assert_int_eq(names_collect(&names, &operand, 1, NULL, false, e), 0);
	return upload(&s, &job, e);
}

static void put(const char *who, const char *text) {
	struct err e = ERR_INIT;

	gate_file("doc", text);
	ck_assert_msg(try_upload(who, "doc", false, &e) == 0, "%s", e.text);
}

static int count_one(void *arg, const struct ledger_file *f, struct err *e) {
	(void)f;
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

static unsigned files(void) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;
	unsigned n = 0;

	gate_session("bob", &s);
	ck_assert_int_eq(ledger_each(session_ledger(&s), NULL, count_one, &n, &e), 0);
	return n;
}

START_TEST(what_goes_up_comes_down) {
	put("alice", "one");
	gate_reads("bob", "doc", "one");
	put("alice", "two");
	gate_reads("bob", "doc", "two");
	ck_assert_uint_eq(gate_objects(), 1);
	ck_assert_uint_eq(gate.posts, 2);
}
END_TEST

START_TEST(a_lost_answer_is_found_in_the_ledger) {
	gate.lose_replies = 1;
	put("alice", "one");
	ck_assert_uint_eq(gate.posts, 1);
	gate_reads("bob", "doc", "one");
	gate.lose_replies = 1;
	put("alice", "two");
	gate_reads("bob", "doc", "two");
	ck_assert_uint_eq(files(), 1);
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

START_TEST(a_lost_request_is_sent_again) {
	gate.lose_requests = 1;
	put("alice", "one");
	ck_assert_uint_eq(gate.posts, 2);
	gate_reads("bob", "doc", "one");
	ck_assert_uint_eq(files(), 1);
}
END_TEST

START_TEST(requests_lost_for_good_keep_the_object_for_gc) {
	struct err e = ERR_INIT;

	gate_file("doc", "one");
	gate.lose_requests = 100;
	ck_assert_int_eq(try_upload("alice", "doc", false, &e), ERR_UNREACHABLE);
	gate.lose_requests = 0;
	/* Its event may still arrive, for all that is known. */
	ck_assert_uint_eq(gate_objects(), 1);
	ck_assert_uint_eq(files(), 0);
}
END_TEST

START_TEST(an_acknowledged_event_that_is_not_in_the_ledger_is_noticed) {
	struct err e = ERR_INIT;

	put("alice", "one");
	gate_file("doc", "two");
	gate.swallow = 1;
	ck_assert_int_eq(try_upload("alice", "doc", false, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "lacks it"));
	gate_reads("bob", "doc", "one"); /* the old object was not destroyed */
}
END_TEST

START_TEST(a_new_epoch_is_sealed_anew) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	gate.rotate = 1;
	put("alice", "one");
	ck_assert_uint_eq(gate.posts, 2);
	gate_find("doc", &f);
	ck_assert_mem_eq(f.key_id, gate.keys.v[0].key_id, KEY_ID_LEN);
	gate_reads("bob", "doc", "one");
	ck_assert_uint_eq(gate_objects(), 1);
	gate.rotate = 2;
	put("alice", "two");
	gate_reads("bob", "doc", "two");
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

START_TEST(a_long_upload_asks_each_minute) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	clock_step_mono_ms(61000);
	gate.rotate_at_group = 2; /* the first is the session's */
	put("alice", "one");
	ck_assert_uint_eq(gate.posts, 1); /* nothing was posted in vain */
	gate_find("doc", &f);
	ck_assert_mem_eq(f.key_id, gate.keys.v[0].key_id, KEY_ID_LEN);
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

START_TEST(a_long_upload_of_somebody_evicted_ends) {
	struct err e = ERR_INIT;

	clock_step_mono_ms(61000);
	gate_file("doc", "one");
	gate.refuse_at_group = 2;
	ck_assert_int_eq(try_upload("alice", "doc", false, &e), ERR_REFUSED);
	ck_assert_uint_eq(gate.posts, 0);
	ck_assert_uint_eq(gate_objects(), 0);
}
END_TEST

START_TEST(three_new_epochs_are_too_many) {
	struct err e = ERR_INIT;

	gate_file("doc", "one");
	gate.rotate = 100;
	ck_assert_int_eq(try_upload("alice", "doc", false, &e), ERR_UNREACHABLE);
	ck_assert_uint_eq(gate.posts, 3);
	ck_assert_uint_eq(gate_objects(), 0);
}
END_TEST

START_TEST(an_unseen_version_is_never_replaced) {
	struct err e = ERR_INIT;

	put("alice", "hers");
	gate_file("doc", "his");
	ck_assert_int_eq(try_upload("bob", "doc", false, &e), ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(e.text, "(conflict bob "));
	ck_assert_uint_eq(files(), 2);
	gate_reads("bob", "doc", "hers");
	ck_assert_int_eq(try_upload("alice", "doc", false, &e), 0); /* her own is seen */
}
END_TEST

START_TEST(a_downloaded_version_may_be_replaced) {
	put("alice", "hers");
	gate_reads("bob", "doc", "hers");
	put("bob", "his");
	gate_reads("alice", "doc", "his");
	ck_assert_uint_eq(files(), 1);
}
END_TEST

START_TEST(replace_takes_what_is_there) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct err e = ERR_INIT;

	put("alice", "hers");
	gate_file("doc", "his");
	ck_assert_int_eq(try_upload("bob", "doc", true, &e), 0);
	gate_find("doc", &f);
	ck_assert_uint_eq(f.version, 2);
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

static void bob_replaces(void *arg) {
	OWN(session_wipe) struct session s = {0};
	OWN(names_wipe) struct names names = {0};
	const char *path = tmp_path("other/doc");
	char *operand = (char *)(uintptr_t)path;
	struct upload_job job = { .files = &names, .replace = true, .workers = 1 };
	struct err e = ERR_INIT;

	(void)arg;
	ck_assert_int_eq(file_mkdir(tmp_path("other"), 0700, false, &e), 0);
	gate_file("other/doc", "his");
	gate_session("bob", &s);
	ck_assert_int_eq(names_collect(&names, &operand, 1, NULL, false, &e), 0);
	ck_assert_msg(upload(&s, &job, &e) == 0, "%s", e.text);
}

START_TEST(who_loses_the_race_is_kept_beside) {
	struct err e = ERR_INIT;

	put("alice", "first");
	gate_file("doc", "hers");
	gate.before_post = bob_replaces;
	ck_assert_int_eq(try_upload("alice", "doc", false, &e), ERR_CONFLICT);
	gate_reads("bob", "doc", "his");
	ck_assert_uint_eq(files(), 2);
	ck_assert_uint_eq(gate_objects(), 2);
}
END_TEST

START_TEST(a_race_for_a_new_name_is_a_conflict_too) {
	struct err e = ERR_INIT;

	gate_file("doc", "hers");
	gate.before_post = bob_replaces;
	ck_assert_int_eq(try_upload("alice", "doc", false, &e), ERR_CONFLICT);
	ck_assert_uint_eq(files(), 2);
	gate_reads("bob", "doc", "his");
}
END_TEST

START_TEST(replace_wins_the_race_in_the_end) {
	struct err e = ERR_INIT;

	put("alice", "first");
	gate_file("doc", "hers");
	gate.before_post = bob_replaces;
	ck_assert_int_eq(try_upload("alice", "doc", true, &e), 0);
	gate_reads("bob", "doc", "hers");
	ck_assert_uint_eq(files(), 1);
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

static void bob_renames(void *arg) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	gate_session("bob", &s);
	ck_assert_msg(change_rename(&s, "doc", arg, &e) == 0, "%s", e.text);
}

static void bob_renames_there_and_back(void *arg) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	bob_renames(arg);
	gate_session("bob", &s);
	ck_assert_int_eq(change_rename(&s, arg, "doc", &e), 0);
}

START_TEST(a_rename_meanwhile_is_taken_silently) {
	put("alice", "one");
	gate.before_post = bob_renames_there_and_back;
	gate.arg = (void *)(uintptr_t) "elsewhere";
	put("alice", "two");
	gate_reads("bob", "doc", "two");
	ck_assert_uint_eq(files(), 1);
}
END_TEST

START_TEST(a_name_that_became_free_is_a_new_file) {
	put("alice", "one");
	gate.before_post = bob_renames;
	gate.arg = (void *)(uintptr_t) "elsewhere";
	put("alice", "two");
	gate_reads("bob", "doc", "two");
	gate_reads("bob", "elsewhere", "one");
	ck_assert_uint_eq(files(), 2);
}
END_TEST

START_TEST(a_name_that_collides_is_refused_and_leaves_nothing) {
	struct err e = ERR_INIT;

	put("alice", "one");
	gate_file("DOC", "two");
	ck_assert_int_eq(try_upload("alice", "DOC", false, &e), ERR_CONFLICT);
	ck_assert_uint_eq(gate_objects(), 1);
	ck_assert_uint_lt(gate.posts, 10); /* it does not try for ever */
}
END_TEST

START_TEST(a_refused_event_leaves_no_object) {
	OWN(session_wipe) struct session s = {0};
	OWN(names_wipe) struct names names = {0};
	char *operand = (char *)(uintptr_t)gate_file("doc", "one");
	struct upload_job job = { .files = &names, .workers = 1 };
	struct err e = ERR_INIT;

	put("alice", "one"); /* the ledger knows her */
	gate_session("alice", &s);
	ck_assert_int_eq(names_collect(&names, &operand, 1, NULL, false, &e), 0);
	gate_revoke(gate.f.alice.cert);
	ck_assert_int_eq(upload(&s, &job, &e), ERR_REFUSED);
	ck_assert_uint_eq(gate_objects(), 1);
	gate_reads("bob", "doc", "one");
}
END_TEST

START_TEST(an_object_whose_event_was_taken_outlives_its_authors_revocation) {
	struct err e = ERR_INIT;

	put("alice", "one");
	gate_file("doc", "two");
	gate.refuse_then = "revoked";
	ck_assert_int_eq(try_upload("alice", "doc", false, &e), ERR_REFUSED);
	gate.refuse = gate.refuse_then = NULL;
	gate_reads("bob", "doc", "two");
}
END_TEST

START_TEST(what_changes_under_the_reader_is_not_posted) {
	/* A file of /proc has size 0 and other bytes: what was read is not what stat said. */
	OWN(session_wipe) struct session s = {0};
	OWN(names_wipe) struct names names = {0};
	char path[] = "/proc/self/status", *operand = path;
	struct upload_job job = { .files = &names, .workers = 1 };
	struct err e = ERR_INIT;

	gate_session("alice", &s);
	ck_assert_int_eq(names_collect(&names, &operand, 1, NULL, false, &e), 0);
	ck_assert_int_eq(upload(&s, &job, &e), ERR_FAIL);
	ck_assert_uint_eq(gate.posts, 0);
	ck_assert_uint_eq(gate_objects(), 0);
}
END_TEST

static void six_days_pass(void *arg) {
	int64_t by = (int64_t)6 * FIXTURE_DAY_S + 3600;

	(void)arg;
	clock_shift_s(by);
	gate.g.now_s += by;
}

START_TEST(an_object_that_gc_may_soon_destroy_is_not_posted) {
	gate.before_post = six_days_pass;
	gate.lose_requests = 1;
	put("alice", "one");
	ck_assert_uint_eq(gate.posts, 2);
	/* The first object may have been destroyed by now for all that is known; the second one is another. */
	ck_assert_uint_eq(gate_objects(), 2);
	gate_reads("bob", "doc", "one");
}
END_TEST

START_TEST(a_lost_answer_of_a_rename_or_removal_is_no_error) {
	OWN(session_wipe) struct session s = {0};
	char name[] = "moved", *operand = name;
	struct err e = ERR_INIT;

	put("alice", "one");
	gate_session("bob", &s);
	gate.lose_replies = 1;
	ck_assert_msg(change_rename(&s, "doc", "moved", &e) == 0, "%s", e.text);
	gate_reads("alice", "moved", "one");
	gate.lose_replies = 1;
	ck_assert_msg(change_remove(&s, &operand, 1, false, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(files(), 0);
	ck_assert_uint_eq(gate_objects(), 0);
}
END_TEST

START_TEST(what_was_replaced_meanwhile_is_not_removed) {
	OWN(session_wipe) struct session s = {0};
	char name[] = "doc", *operand = name;
	struct err e = ERR_INIT;

	put("alice", "one");
	gate_session("alice", &s);
	gate.before_post = bob_replaces;
	ck_assert_int_eq(change_remove(&s, &operand, 1, false, &e), ERR_CONFLICT);
	gate_reads("bob", "doc", "his");
}
END_TEST

START_TEST(a_rename_does_not_follow_another_rename) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	put("alice", "one");
	gate_session("alice", &s);
	gate.before_post = bob_renames;
	gate.arg = (void *)(uintptr_t) "his-name";
	ck_assert_int_eq(change_rename(&s, "doc", "her-name", &e), ERR_CONFLICT);
	gate_reads("alice", "his-name", "one");
}
END_TEST

int main(void) {
	TCase *t = tcase_create("upload");

	tcase_add_checked_fixture(t, gate_setup, gate_teardown);
	tcase_add_test(t, what_goes_up_comes_down);
	tcase_add_test(t, a_lost_answer_is_found_in_the_ledger);
	tcase_add_test(t, a_lost_request_is_sent_again);
	tcase_add_test(t, requests_lost_for_good_keep_the_object_for_gc);
	tcase_add_test(t, an_acknowledged_event_that_is_not_in_the_ledger_is_noticed);
	tcase_add_test(t, a_new_epoch_is_sealed_anew);
	tcase_add_test(t, a_long_upload_asks_each_minute);
	tcase_add_test(t, a_long_upload_of_somebody_evicted_ends);
	tcase_add_test(t, three_new_epochs_are_too_many);
	tcase_add_test(t, an_unseen_version_is_never_replaced);
	tcase_add_test(t, a_downloaded_version_may_be_replaced);
	tcase_add_test(t, replace_takes_what_is_there);
	tcase_add_test(t, who_loses_the_race_is_kept_beside);
	tcase_add_test(t, a_race_for_a_new_name_is_a_conflict_too);
	tcase_add_test(t, replace_wins_the_race_in_the_end);
	tcase_add_test(t, a_rename_meanwhile_is_taken_silently);
	tcase_add_test(t, a_name_that_became_free_is_a_new_file);
	tcase_add_test(t, a_name_that_collides_is_refused_and_leaves_nothing);
	tcase_add_test(t, a_refused_event_leaves_no_object);
	tcase_add_test(t, an_object_whose_event_was_taken_outlives_its_authors_revocation);
	tcase_add_test(t, what_changes_under_the_reader_is_not_posted);
	tcase_add_test(t, an_object_that_gc_may_soon_destroy_is_not_posted);
	tcase_add_test(t, a_lost_answer_of_a_rename_or_removal_is_no_error);
	tcase_add_test(t, what_was_replaced_meanwhile_is_not_removed);
	tcase_add_test(t, a_rename_does_not_follow_another_rename);
	return suite_run("client/upload", t);
}
