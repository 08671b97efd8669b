/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that are taken up again, and objects that only their owners may destroy: on a folder that behaves like a drive behind a network. It
 * stands in for store/gdrive.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "client/destroy.h"
#include "client/growing.h"
#include "client/names.h"
#include "client/rekey.h"
#include "client/spool.h"
#include "client/upload.h"
#include "client/verify.h"
#include "client_gate.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "pki/cert.h"
#include "remote_lab.h"

START_TEST(what_is_longer_than_a_chunk_is_sent_from_the_spool) {
	remote_doc('a');
	remote_uploads("alice");
	ck_assert_uint_eq(remote.sends, 1);
	ck_assert_uint_eq(remote.resumed, 0);
	remote_reads("bob", 'a');
	remote_leaves_nothing();
	remote_doc('b');
	remote_uploads("alice");
	remote_reads("bob", 'b');
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

START_TEST(what_is_short_goes_straight) {
	gate_file("doc", "short");
	remote_uploads("alice");
	ck_assert_uint_eq(remote.sends, 0);
	ck_assert_uint_eq(remote.n, 1);
}
END_TEST

START_TEST(a_broken_upload_goes_on_with_the_same_object) {
	OWN(spool_record_wipe) struct spool_record rec = {0};
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	remote_doc('a');
	remote.break_sends = 2;
	remote_fails("alice", ERR_UNREACHABLE);
	ck_assert(remote_left(&rec));
	ck_assert_str_eq(rec.token, "a session");
	ck_assert(!rec.sent);
	ck_assert_uint_eq(gate.posts, 0);
	remote_fails("alice", ERR_UNREACHABLE);
	remote_uploads("alice");
	ck_assert_uint_eq(remote.resumed, 2);
	remote_find(&f);
	ck_assert_str_eq(f.object, rec.object);
	remote_reads("bob", 'a');
	remote_leaves_nothing();
}
END_TEST

START_TEST(a_changed_file_or_base_is_sealed_anew) {
	OWN(spool_record_wipe) struct spool_record first = {0}, second = {0};
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	remote_doc('a');
	remote.break_sends = 1;
	remote_fails("alice", ERR_UNREACHABLE);
	ck_assert(remote_left(&first));
	remote_doc('b');
	remote.break_sends = 1;
	remote_fails("alice", ERR_UNREACHABLE);
	ck_assert(remote_left(&second));
	ck_assert_str_ne(first.object, second.object);
	/* a file of that name came to the group meanwhile */
	remote_uploads("bob");
	remote_fails("alice", ERR_CONFLICT);
	remote_find(&f);
	ck_assert_str_eq(f.author, "bob");
	ck_assert_uint_eq(remote.resumed, 0);
	remote_leaves_nothing();
}
END_TEST

START_TEST(under_a_new_epoch_it_is_sealed_anew) {
	OWN(spool_record_wipe) struct spool_record rec = {0};
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	remote_doc('a');
	remote.break_sends = 1;
	remote_fails("alice", ERR_UNREACHABLE);
	ck_assert(remote_left(&rec));
	gate_rotate();
	remote_uploads("alice");
	ck_assert_uint_eq(remote.resumed, 0);
	remote_find(&f);
	ck_assert_str_ne(f.object, rec.object);
	ck_assert_mem_eq(f.key_id, gate.keys.v[0].key_id, KEY_ID_LEN);
	remote_reads("bob", 'a');
}
END_TEST

START_TEST(an_epoch_that_changes_while_it_is_sent_leaves_one_object) {
	remote_doc('a');
	remote.rotate = true;
	remote_uploads("alice");
	ck_assert_uint_eq(remote.sends, 2);
	ck_assert_uint_eq(gate_objects(), 1);
	remote_reads("bob", 'a');
	remote_leaves_nothing();
}
END_TEST

/* The drive has it all, the gateway has not taken the event. */
START_TEST(what_was_sent_is_not_sent_again) {
	OWN(spool_record_wipe) struct spool_record rec = {0};
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	remote_doc('a');
	gate.lose_requests = 100;
	remote_fails("alice", ERR_UNREACHABLE);
	ck_assert(remote_left(&rec));
	ck_assert(rec.sent);
	ck_assert_uint_eq(gate_objects(), 1);
	gate.lose_requests = 0;
	remote_uploads("alice");
	ck_assert_uint_eq(remote.sends, 1);
	remote_find(&f);
	ck_assert_str_eq(f.object, rec.object);
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

static void copy_file(const char *from, const char *to) {
	OWN(buf_wipe) struct buf data = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_load(from, 1000000, &data, &e), 0);
	ck_assert_int_eq(file_save(to, data.data, data.len, 0600, &e), 0);
}

/* Killed between the event and the removal of the record: as if the spool were never cleared. */
START_TEST(what_the_ledger_has_is_only_cleared_away) {
	OWN(own_free) char *dir = spool_dir(tmp_path("alice"), NULL);
	OWN(own_free) char *data = NULL, *record = NULL;
	unsigned posts;

	remote_doc('a');
	remote.break_sends = 1;
	remote_fails("alice", ERR_UNREACHABLE);
	{
		OWN(session_wipe) struct session s = {0};
		OWN(spool_close) struct spool sp = SPOOL_INIT;
		struct err e = ERR_INIT;
		size_t len;

		gate_session("alice", &s);
		ck_assert_int_eq(spool_open(&sp, dir, "lab", cert_ski(s.me.cert, &len), "doc", &e), 0);
		data = xasprintf("%s/%s.cms", dir, sp.stem);
		record = xasprintf("%s/%s.rec", dir, sp.stem);
	}
	copy_file(data, tmp_path("data"));
	copy_file(record, tmp_path("record"));
	remote_uploads("alice");
	posts = gate.posts;
	copy_file(tmp_path("data"), data);
	copy_file(tmp_path("record"), record);
	remote_uploads("alice");
	ck_assert_uint_eq(gate.posts, posts);
	ck_assert_uint_eq(remote.sends, 2);
	ck_assert_uint_eq(gate_objects(), 1);
	remote_leaves_nothing();
	/* but another content is another upload */
	copy_file(tmp_path("data"), data);
	copy_file(tmp_path("record"), record);
	remote_doc('c');
	remote_uploads("alice");
	ck_assert_uint_eq(gate.posts, posts + 1);
	remote_reads("bob", 'c');
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

static void put_in_the_way(void *arg) {
	OWN(session_wipe) struct session s = {0};
	OWN(names_wipe) struct names names = {0};
	char *operand = (char *)(uintptr_t)gate_file("inner", "short");
	struct upload_job job = { .files = &names, .workers = 1 };
	struct err e = ERR_INIT;

	(void)arg;
	gate_session("bob", &s);
	ck_assert_int_eq(names_collect(&names, &operand, 1, "doc", false, &e), 0);
	ck_assert_msg(upload(&s, &job, &e) == 0, "%s", e.text);
}

/* A folder of that name came to the group meanwhile. */
START_TEST(a_refused_event_leaves_neither_object_nor_spool) {
	remote_doc('a');
	gate.before_post = put_in_the_way;
	remote_fails("alice", ERR_CONFLICT);
	ck_assert_uint_eq(gate_objects(), 1);
	remote_leaves_nothing();
}
END_TEST

/* Sealed by a key that is not alice's, or other bytes: a record cannot make us sign them. */
START_TEST(a_spool_that_was_changed_is_not_sent) {
	OWN(spool_record_wipe) struct spool_record rec = {0};
	OWN(own_free) char *dir = spool_dir(tmp_path("alice"), NULL);
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct err e = ERR_INIT;

	remote_doc('a');
	remote.break_sends = 1;
	remote_fails("alice", ERR_UNREACHABLE);
	{
		OWN(session_wipe) struct session s = {0};
		OWN(spool_close) struct spool sp = SPOOL_INIT;
		size_t len;
		uint8_t byte;

		gate_session("alice", &s);
		ck_assert_int_eq(spool_open(&sp, dir, "lab", cert_ski(s.me.cert, &len), "doc", &e), 0);
		ck_assert_int_eq(pread(sp.fd, &byte, 1, 1000), 1);
		byte ^= 1;
		ck_assert_int_eq(pwrite(sp.fd, &byte, 1, 1000), 1);
	}
	ck_assert(remote_left(&rec));
	remote_uploads("alice");
	ck_assert_uint_eq(remote.resumed, 0);
	remote_find(&f);
	ck_assert_str_ne(f.object, rec.object);
	remote_reads("bob", 'a');
}
END_TEST

#define LONG_BYTES ((off_t)80 << 20) /* sent before it is sealed to its end */

static void write_long(void) {
	gate_file("doc", "x");
	ck_assert_int_eq(truncate(tmp_path("doc"), LONG_BYTES), 0);
}

START_TEST(what_is_there_is_given_before_the_end_and_nothing_after_a_failure) {
	struct err why = ERR_INIT, e = ERR_INIT;
	struct growing g;

	growing_init(&g);
	ck_assert(growing_add(&g, GROWING_AHEAD));
	ck_assert_int_eq(growing_wait(&g, 1, false, &e), 0);
	ck_assert_int_eq(growing_wait(&g, GROWING_AHEAD, false, &e), 0);
	growing_end(&g, err_set(&why, ERR_FAIL, "it was changed"), &why);
	ck_assert_int_eq(growing_wait(&g, 1, false, &e), ERR_FAIL);
	ck_assert_str_eq(e.text, "it was changed");
	ck_assert_int_eq(growing_wait(&g, GROWING_AHEAD + 1, true, &e), ERR_FAIL);
	growing_wipe(&g);
}
END_TEST

START_TEST(what_is_short_is_given_when_it_is_whole_and_nobody_works_for_who_has_left) {
	struct err none = ERR_INIT, e = ERR_INIT;
	struct growing g;

	growing_init(&g);
	ck_assert(growing_add(&g, 100));
	growing_end(&g, 0, &none);
	ck_assert_int_eq(growing_wait(&g, 50, false, &e), 0);
	ck_assert_int_eq(growing_wait(&g, 100, true, &e), 0);
	ck_assert(!growing_is_stopped(&g));
	growing_stop(&g);
	ck_assert(!growing_add(&g, 1));
	ck_assert(growing_is_stopped(&g));
	growing_wipe(&g);
}
END_TEST

START_TEST(what_is_sealed_is_sent_before_the_rest_is) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	write_long();
	remote_uploads("alice");
	ck_assert_uint_eq(remote.waits, 1);
	remote_find(&f);
	ck_assert_uint_eq(f.content_size, (uint64_t)LONG_BYTES);
	ck_assert_uint_eq(gate_objects(), 1);
	remote_leaves_nothing();
}
END_TEST

/* The disk is full behind what goes out already. */
START_TEST(what_is_not_sealed_to_its_end_never_gets_a_name) {
	struct rlimit limit = { ((rlim_t)LONG_BYTES / 4096 - 1000) * 4096, RLIM_INFINITY };
	struct err e = ERR_INIT;

	write_long();
	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(remote_try("alice", &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "-spool-dir"));
	ck_assert_uint_eq(remote.sends, 1);
	ck_assert_uint_eq(gate_objects(), 0);
	ck_assert_uint_eq(gate.posts, 0);
	remote_leaves_nothing();
}
END_TEST

START_TEST(a_refusal_ends_the_sealing_too) {
	OWN(spool_record_wipe) struct spool_record rec = {0};
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct err e = ERR_INIT;

	write_long();
	remote.refuse = true;
	ck_assert_int_eq(remote_try("alice", &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "the drive is full"));
	ck_assert_uint_eq(gate.posts, 0);
	ck_assert(remote_left(&rec)); /* sealed to its end or not: it goes on from there */
	remote_uploads("alice");
	ck_assert_uint_eq(remote.resumed, 1);
	remote_find(&f);
	ck_assert_str_eq(f.object, rec.object);
	ck_assert_uint_eq(gate_objects(), 1);
	remote_leaves_nothing();
}
END_TEST
START_TEST(what_is_anothers_is_counted_by_its_owner_and_worked_off_by_him) {
	OWN(session_wipe) struct session bob = {0}, alice = {0};
	OWN(rekey_report_wipe) struct rekey_report report = {0};
	OWN(verify_report_wipe) struct verify_report before = {0}, after = {0};
	struct verify_job job = { .old = true };
	struct err e = ERR_INIT;

	remote_doc('a');
	remote_uploads("alice");
	gate_rotate();
	gate_session("bob", &bob);
	ck_assert_msg(rekey(&bob, false, &report, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(report.rekeyed, 1);
	ck_assert_uint_eq(report.left, 1);
	ck_assert_uint_eq(report.destroyed, 0);
	ck_assert_uint_eq(report.owners.n, 1);
	ck_assert_str_eq(report.owners.v[0].name, "alice@example.org");
	ck_assert_uint_eq(report.owners.v[0].n, 1);
	ck_assert_int_eq(verify(&bob, &job, &before, &e), ERR_FAIL);
	ck_assert_uint_eq(before.old, 1);
	ck_assert_uint_eq(before.n, 1);
	ck_assert_str_eq(before.v[0].owner, "alice@example.org");
	/* bob's own work has nothing to do with it */
	destroy_own(&bob);
	ck_assert_uint_eq(gate_objects(), 2);
	gate_session("alice", &alice);
	destroy_own(&alice);
	ck_assert_uint_eq(gate_objects(), 1);
	ck_assert_uint_eq(remote.destroyed, 1);
	destroy_own(&alice);
	ck_assert_msg(verify(&bob, &job, &after, &e) == 0, "%s", e.text);
	remote_reads("alice", 'a');
}
END_TEST

/* Alice's short file under an older epoch. Returns where its object lies. */
static char *old_object(void) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	gate_file("doc", "short");
	remote_uploads("alice");
	remote_find(&f);
	gate_rotate();
	return xasprintf("%s/%.2s/%s.cms", tmp_path("drive"), f.object, f.object);
}

static int bob_rekeys(struct rekey_report *report, struct err *e) {
	OWN(session_wipe) struct session s = {0};

	gate_session("bob", &s);
	return rekey(&s, true, report, e);
}

START_TEST(of_two_files_of_one_name_the_right_one_is_rekeyed) {
	OWN(own_free) char *path = old_object();
	OWN(rekey_report_wipe) struct rekey_report report = {0};
	OWN(buf_wipe) struct buf object = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_load(path, 100000, &object, &e), 0);
	ck_assert_int_eq(file_save(tmp_path("twin"), object.data, object.len, 0600, &e), 0);
	object.data[object.len / 2] ^= 1;
	ck_assert_int_eq(file_save(path, object.data, object.len, 0600, &e), 0);
	remote.twin = tmp_path("twin");
	ck_assert_msg(bob_rekeys(&report, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(report.rekeyed, 1);
	gate_reads("bob", "doc", "short");
}
END_TEST

int main(void) {
	TCase *t = tcase_create("remote");

	tcase_add_checked_fixture(t, remote_setup, remote_teardown);
	tcase_add_test(t, what_is_longer_than_a_chunk_is_sent_from_the_spool);
	tcase_add_test(t, what_is_short_goes_straight);
	tcase_add_test(t, a_broken_upload_goes_on_with_the_same_object);
	tcase_add_test(t, a_changed_file_or_base_is_sealed_anew);
	tcase_add_test(t, under_a_new_epoch_it_is_sealed_anew);
	tcase_add_test(t, an_epoch_that_changes_while_it_is_sent_leaves_one_object);
	tcase_add_test(t, what_was_sent_is_not_sent_again);
	tcase_add_test(t, what_the_ledger_has_is_only_cleared_away);
	tcase_add_test(t, a_refused_event_leaves_neither_object_nor_spool);
	tcase_add_test(t, a_spool_that_was_changed_is_not_sent);
	tcase_add_test(t, what_is_there_is_given_before_the_end_and_nothing_after_a_failure);
	tcase_add_test(t, what_is_short_is_given_when_it_is_whole_and_nobody_works_for_who_has_left);
	tcase_add_test(t, what_is_sealed_is_sent_before_the_rest_is);
	tcase_add_test(t, what_is_not_sealed_to_its_end_never_gets_a_name);
	tcase_add_test(t, a_refusal_ends_the_sealing_too);
	tcase_add_test(t, what_is_anothers_is_counted_by_its_owner_and_worked_off_by_him);
	tcase_add_test(t, of_two_files_of_one_name_the_right_one_is_rekeyed);
	return suite_run("client/remote", t);
}
