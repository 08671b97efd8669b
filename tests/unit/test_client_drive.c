/* SPDX-License-Identifier: Apache-2.0 */
/* rekey, gc, verify. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "client/change.h"
#include "client/driveio.h"
#include "client/gc.h"
#include "client/names.h"
#include "client/rekey.h"
#include "client/upload.h"
#include "client/verify.h"
#include "client_gate.h"
#include "envelope/envelope.h"
#include "lib/suite.h"
#include "lib/tmp.h"

#define WEEK_S ((int64_t)7 * FIXTURE_DAY_S)

static void put(const char *who, const char *name, const char *text) {
	OWN(session_wipe) struct session s = {0};
	OWN(names_wipe) struct names names = {0};
	char *operand = (char *)(uintptr_t)gate_file(name, text);
	struct upload_job job = { .files = &names, .replace = true, .workers = 1 };
	struct err e = ERR_INIT;

	gate_session(who, &s);
	ck_assert_int_eq(names_collect(&names, &operand, 1, NULL, false, &e), 0);
	ck_assert_msg(upload(&s, &job, &e) == 0, "%s", e.text);
}

static char *object_path(const char *object) {
	return xasprintf("%s/%.2s/%s.cms", tmp_path("drive"), object, object);
}

static char *path_of(const char *name) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	gate_find(name, &f);
	return object_path(f.object);
}

static void flip_at(const char *path, off_t off) {
	OWN(own_fd) int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t b;

	ck_assert_int_eq(pread(fd, &b, 1, off), 1);
	b ^= 1;
	ck_assert_int_eq(pwrite(fd, &b, 1, off), 1);
}

/* In the manifest of a short file. */
static void flip(const char *path) {
	flip_at(path, 300);
}

/* The object at path under another key, at anew. */
static void reencrypt(const char *path, const char *anew, const struct epoch *to, struct envelope_result *result) {
	OWN(own_fd) int from_fd = open(path, O_RDONLY | O_CLOEXEC);
	OWN(own_fd) int to_fd = open(anew, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct io_fd old_io = { from_fd, "object" }, new_io = { to_fd, "anew" };
	const struct envelope_open how = { .keys = &gate.keys, .chain = gate.f.chain, .group = "lab", .in_ledger = true };
	struct stat was, is;
	struct source in;
	struct sink out;
	struct err e = ERR_INIT;

	ck_assert_int_eq(source_fd(&old_io, &in, &e), 0);
	ck_assert_int_eq(sink_fd(&new_io, &out, &e), 0);
	ck_assert_msg(envelope_reencrypt(&how, to, &in, &out, result, &e) == 0, "%s", e.text);
	ck_assert_int_eq(fstat(from_fd, &was), 0);
	ck_assert_int_eq(fstat(to_fd, &is), 0);
	ck_assert_int_eq(was.st_size, is.st_size);
}

static int do_rekey(bool rewrap, struct rekey_report *report, struct err *e) {
	OWN(session_wipe) struct session s = {0};

	gate_session("bob", &s);
	return rekey(&s, rewrap, report, e);
}

static void rekeys(bool rewrap, size_t rekeyed, size_t unchanged) {
	struct rekey_report report;
	struct err e = ERR_INIT;

	ck_assert_msg(do_rekey(rewrap, &report, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(report.rekeyed, rekeyed);
	ck_assert_uint_eq(report.unchanged, unchanged);
	ck_assert_uint_eq(report.failed, 0);
	ck_assert_uint_eq(report.epoch, gate.keys.v[0].number);
}

START_TEST(a_rekey_brings_all_under_the_newest_epoch) {
	OWN(ledger_file_wipe) struct ledger_file before = {0}, after = {0};

	put("alice", "one", "1");
	put("alice", "two", "2");
	gate_find("one", &before);
	rekeys(false, 0, 2);
	gate_rotate();
	put("alice", "three", "3");
	rekeys(false, 2, 1);
	gate_find("one", &after);
	ck_assert_mem_eq(after.key_id, gate.keys.v[0].key_id, KEY_ID_LEN);
	ck_assert_mem_eq(after.content_sha256, before.content_sha256, 32);
	ck_assert_str_ne(after.object, before.object);
	ck_assert_str_eq(after.author, "alice");
	ck_assert_uint_eq(after.version, 1);
	ck_assert_uint_eq(gate_objects(), 3);
	gate_reads("alice", "one", "1");
	rekeys(false, 0, 3);
}
END_TEST

START_TEST(a_rewrap_brings_all_there_too) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};

	put("alice", "one", "1");
	gate_rotate();
	rekeys(true, 1, 0);
	gate_find("one", &f);
	ck_assert_mem_eq(f.key_id, gate.keys.v[0].key_id, KEY_ID_LEN);
	gate_reads("alice", "one", "1");
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

START_TEST(a_lost_answer_of_a_rekey_is_found) {
	put("alice", "one", "1");
	gate_rotate();
	gate.lose_replies = 1;
	rekeys(false, 1, 0);
	ck_assert_uint_eq(gate_objects(), 1);
	gate_reads("alice", "one", "1");
}
END_TEST

START_TEST(a_new_epoch_meanwhile_is_met) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct rekey_report report;
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	gate_rotate();
	gate.rotate = 2;
	ck_assert_msg(do_rekey(false, &report, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(report.rekeyed, 1);
	gate_find("one", &f);
	ck_assert_mem_eq(f.key_id, gate.keys.v[0].key_id, KEY_ID_LEN);
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

/* "scg gc -older 0" between an object and its event. */
static void hasty_gc(void *arg) {
	OWN(session_wipe) struct session s = {0};
	struct gc_report report;
	struct err e = ERR_INIT;

	(void)arg;
	gate_session("bob", &s);
	ck_assert_msg(gc(&s, 0, &report, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(report.destroyed, 1);
}

START_TEST(an_object_that_a_hasty_gc_took_is_made_anew) {
	gate.before_post = hasty_gc;
	gate.lose_requests = 1;
	put("alice", "one", "1");
	gate_reads("bob", "one", "1");
	gate_rotate();
	gate.before_post = hasty_gc;
	gate.lose_requests = 1;
	rekeys(false, 1, 0);
	gate_reads("bob", "one", "1");
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

static void alice_replaces(void *arg) {
	(void)arg;
	put("alice", "one", "newer");
}

START_TEST(a_replacement_meanwhile_stays) {
	put("alice", "one", "1");
	gate_rotate();
	gate.before_post = alice_replaces;
	rekeys(false, 0, 1);
	gate_reads("bob", "one", "newer");
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

static void alice_renames(void *arg) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	(void)arg;
	gate_session("alice", &s);
	ck_assert_msg(change_rename(&s, "one", "moved", &e) == 0, "%s", e.text);
}

START_TEST(a_rename_meanwhile_is_no_obstacle) {
	put("alice", "one", "1");
	gate_rotate();
	gate.before_post = alice_renames;
	rekeys(false, 1, 0);
	gate_reads("bob", "moved", "1");
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

static void alice_removes(void *arg) {
	OWN(session_wipe) struct session s = {0};
	char name[] = "one", *operand = name;
	struct err e = ERR_INIT;

	(void)arg;
	gate_session("alice", &s);
	ck_assert_int_eq(session_store(&s, &e), 0);
	ck_assert_int_eq(change_remove(&s, &operand, 1, false, &e), 0);
}

START_TEST(a_removal_meanwhile_stays) {
	put("alice", "one", "1");
	gate_rotate();
	gate.before_post = alice_removes;
	rekeys(false, 0, 1);
	ck_assert_uint_eq(gate_objects(), 0);
}
END_TEST

static void alice_rekeys(void *arg) {
	OWN(session_wipe) struct session s = {0};
	struct rekey_report report;
	struct err e = ERR_INIT;

	(void)arg;
	gate_session("alice", &s);
	ck_assert_msg(rekey(&s, false, &report, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(report.rekeyed, 1);
}

START_TEST(two_rekeys_at_once_do_not_hurt) {
	put("alice", "one", "1");
	gate_rotate();
	gate.before_post = alice_rekeys;
	rekeys(false, 0, 1);
	gate_reads("bob", "one", "1");
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

START_TEST(a_damaged_object_fails_alone_and_stays) {
	struct rekey_report report;
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	put("alice", "two", "2");
	OWN(own_free) char *bad = path_of("one");
	flip(bad);
	gate_rotate();
	ck_assert_int_eq(do_rekey(false, &report, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "one"));
	ck_assert_uint_eq(report.rekeyed, 1);
	ck_assert_uint_eq(report.failed, 1);
	ck_assert(file_exists(bad));
	gate_reads("bob", "two", "2");
	ck_assert_int_eq(do_rekey(true, &report, &e), ERR_DAMAGED);
	ck_assert_uint_eq(report.failed, 1);
	ck_assert_uint_eq(gate_objects(), 2);
	flip(bad);
	rekeys(false, 1, 1);
	gate_reads("bob", "one", "1");
}
END_TEST

/* What the segments hold is not opened on the way: only reading back shows it. */
START_TEST(a_rewrap_of_a_damaged_segment_is_read_back_and_undone) {
	char text[900];
	struct rekey_report report;
	struct err e = ERR_INIT;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put("alice", "one", text);
	OWN(own_free) char *bad = path_of("one");
	flip_at(bad, 600);
	gate_rotate();
	ck_assert_int_eq(do_rekey(true, &report, &e), ERR_DAMAGED);
	ck_assert_msg(strstr(e.text, "read back") != NULL, "%s", e.text);
	ck_assert_uint_eq(report.rekeyed, 0);
	ck_assert(file_exists(bad));
	ck_assert_uint_eq(gate_objects(), 1);
	flip_at(bad, 600);
	rekeys(true, 1, 0);
	gate_reads("bob", "one", text);
}
END_TEST

/* An epoch that was never the group's: the ledger names one of ours, so nobody is refused a key here. */
START_TEST(an_object_under_a_key_of_nobody_is_damage) {
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	OWN(keyring_wipe) struct keyring other = {0};
	struct rekey_report report;
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	OWN(own_free) char *path = path_of("one");
	OWN(own_free) char *anew = xasprintf("%s/anew", tmp_path("drive"));
	ck_assert_int_eq(keyring_rotate(&other, clock_now_s(), &e), 0);
	reencrypt(path, anew, &other.v[0], &result);
	ck_assert_int_eq(rename(anew, path), 0);
	gate_rotate();
	ck_assert_int_eq(do_rekey(false, &report, &e), ERR_DAMAGED);
	ck_assert_uint_eq(report.failed, 1);
	ck_assert(file_exists(path));
}
END_TEST

static void six_days_pass(void *arg) {
	int64_t by = 6 * FIXTURE_DAY_S + 3600;

	(void)arg;
	clock_shift_s(by);
	gate.g.now_s += by;
}

START_TEST(an_object_that_gc_may_soon_take_is_not_posted) {
	struct rekey_report report;
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	gate_rotate();
	gate.before_post = six_days_pass;
	gate.lose_requests = 1;
	ck_assert_msg(do_rekey(false, &report, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(report.rekeyed, 1);
	/* The file's old object, and the new one that had waited. */
	ck_assert_uint_eq(report.destroyed, 2);
	gate_reads("bob", "one", "1");
}
END_TEST

/* Whether the event counts is not known: the object that it may name stays. */
START_TEST(an_object_whose_event_got_no_answer_is_not_destroyed) {
	struct rekey_report report;
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	gate_rotate();
	gate.refuse_then = "revoked";
	ck_assert_int_eq(do_rekey(false, &report, &e), ERR_REFUSED);
	gate.refuse = gate.refuse_then = NULL;
	gate_reads("alice", "one", "1");
	rekeys(false, 0, 1);
	ck_assert_uint_eq(gate_objects(), 1);
}
END_TEST

START_TEST(a_missing_object_is_damage) {
	struct rekey_report report;
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	OWN(own_free) char *path = path_of("one");
	ck_assert_int_eq(unlink(path), 0);
	gate_rotate();
	ck_assert_int_eq(do_rekey(false, &report, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "missing"));
	ck_assert_uint_eq(report.failed, 1);
}
END_TEST

/* An object that alice sealed under this epoch and never posted; returns its path. */
static char *orphan(size_t epoch) {
	OWN(session_wipe) struct session s = {0};
	OWN(driveio_writer_wipe) struct driveio_writer w = {0};
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	struct envelope_seal how = {
		.epoch = &gate.keys.v[epoch],
		.group = "lab",
		.name = "x",
		.version = 1,
		.key = gate.f.alice.key,
		.cert = gate.f.alice.cert,
	};
	OWN(own_fd) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct io_fd io = { fd, "null" };
	struct source in;
	struct sink out;
	struct err e = ERR_INIT;

	gate_session("alice", &s);
	ck_assert_int_eq(source_fd(&io, &in, &e), 0);
	ck_assert_int_eq(driveio_create(&w, s.store, &out, &e), 0);
	ck_assert_msg(envelope_seal(&how, &in, &out, &result, &e) == 0, "%s", e.text);
	ck_assert_int_eq(driveio_commit(&w, &e), 0);
	return object_path(w.id);
}

static void age(const char *path, int64_t by_s) {
	struct timespec t[2] = { { (time_t)(time(NULL) - by_s), 0 }, { (time_t)(time(NULL) - by_s), 0 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void collect(struct gc_report *report) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	gate_session("bob", &s);
	ck_assert_msg(gc(&s, WEEK_S, report, &e) == 0, "%s", e.text);
}

START_TEST(a_young_orphan_waits_and_an_old_one_goes) {
	struct gc_report report;
	OWN(own_free) char *young = orphan(0);
	OWN(own_free) char *old = orphan(0);

	put("alice", "one", "1");
	age(young, WEEK_S - 3600);
	age(old, WEEK_S + 60);
	collect(&report);
	ck_assert_uint_eq(report.destroyed, 1);
	ck_assert_uint_eq(report.waiting, 1);
	ck_assert(file_exists(young));
	ck_assert(!file_exists(old));
	gate_reads("bob", "one", "1");
}
END_TEST

START_TEST(an_old_object_that_is_a_files_stays) {
	struct gc_report report;

	put("alice", "one", "1");
	OWN(own_free) char *path = path_of("one");
	age(path, 100 * WEEK_S);
	collect(&report);
	ck_assert_uint_eq(report.destroyed, 0);
	gate_reads("bob", "one", "1");
}
END_TEST

START_TEST(an_orphan_under_an_older_epoch_goes_at_once) {
	struct gc_report report;
	OWN(own_free) char *path = orphan(0);

	gate_rotate();
	collect(&report);
	ck_assert_uint_eq(report.destroyed, 1);
	ck_assert(!file_exists(path));
}
END_TEST

START_TEST(what_is_no_envelope_waits) {
	struct gc_report report;
	OWN(own_free) char *path = object_path("cccccccccccccccccccccccccc");
	OWN(own_free) char *folder = xasprintf("%s/cc", tmp_path("drive"));
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_mkdir(folder, 0700, false, &e), 0);
	ck_assert_int_eq(file_save(path, "what is this", 12, 0644, &e), 0);
	collect(&report);
	ck_assert_uint_eq(report.destroyed, 0);
	ck_assert_uint_eq(report.waiting, 1);
	age(path, WEEK_S + 60);
	collect(&report);
	ck_assert_uint_eq(report.destroyed, 1);
}
END_TEST

static void keep_copy(const char *name, struct buf *copy) {
	OWN(own_free) char *path = path_of(name);
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_load(path, 100000, copy, &e), 0);
}

static void put_back(const char *object, const struct buf *copy) {
	OWN(own_free) char *path = object_path(object);
	OWN(own_free) char *folder = xasprintf("%s/%.2s", tmp_path("drive"), object);
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_mkdir(folder, 0700, false, &e), 0);
	ck_assert_int_eq(file_save(path, copy->data, copy->len, 0644, &e), 0);
}

START_TEST(a_superseded_object_put_back_goes_at_once) {
	OWN(ledger_file_wipe) struct ledger_file before = {0};
	OWN(buf_wipe) struct buf copy = {0};
	struct gc_report report;

	put("alice", "one", "1");
	gate_find("one", &before);
	keep_copy("one", &copy);
	put("alice", "one", "2");
	put_back(before.object, &copy);
	ck_assert_uint_eq(gate_objects(), 2);
	collect(&report);
	ck_assert_uint_eq(report.destroyed, 1);
	gate_reads("bob", "one", "2");
}
END_TEST

static int do_verify(struct verify_report *report, bool old, struct err *e) {
	OWN(session_wipe) struct session s = {0};
	struct verify_job job = { .old = old };

	gate_session("bob", &s);
	return verify(&s, &job, report, e);
}

START_TEST(a_good_drive_is_good) {
	OWN(verify_report_wipe) struct verify_report report = {0};
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	put("bob", "two", "2");
	free(orphan(0));
	ck_assert_msg(do_verify(&report, true, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(report.files, 2);
	ck_assert_uint_eq(report.orphans, 1);
	ck_assert_uint_eq(report.n, 0);
}
END_TEST

START_TEST(a_copy_under_another_id_was_injected) {
	OWN(verify_report_wipe) struct verify_report report = {0};
	OWN(buf_wipe) struct buf copy = {0};
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	keep_copy("one", &copy);
	put_back("dddddddddddddddddddddddddd", &copy);
	ck_assert_int_eq(do_verify(&report, false, &e), ERR_DAMAGED);
	ck_assert_uint_eq(report.injected, 1);
	ck_assert_str_eq(report.v[0].what, "dddddddddddddddddddddddddd");
	ck_assert_uint_eq(report.failed, 0);
}
END_TEST

static void collect_after(int64_t orphan_s, struct gc_report *report) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	gate_session("bob", &s);
	ck_assert_msg(gc(&s, orphan_s, report, &e) == 0, "%s", e.text);
}

/* 0: under the newest key, which an accomplice could have given him: who posts it may yet come, as far as the drive shows. 1: under the one
 * that he had. */
START_TEST(what_the_evicted_seal_later_was_injected_and_is_collected) {
	OWN(verify_report_wipe) struct verify_report report = {0}, again = {0};
	struct gc_report swept;
	struct err e = ERR_INIT;

	put("alice", "one", "1"); /* the ledger knows her */
	gate_revoke(gate.f.alice.cert);
	clock_shift_s(7200);
	gate.g.now_s += 7200;
	OWN(session_wipe) struct session s = {0};
	OWN(driveio_writer_wipe) struct driveio_writer w = {0};
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	struct envelope_seal how = {
		.epoch = &gate.keys.v[_i],
		.group = "lab",
		.name = "x",
		.version = 1,
		.key = gate.f.alice.key,
		.cert = gate.f.alice.cert,
	};
	OWN(own_fd) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct io_fd io = { fd, "null" };
	struct source in;
	struct sink out;
	gate_session("bob", &s);
	ck_assert_int_eq(source_fd(&io, &in, &e), 0);
	ck_assert_int_eq(driveio_create(&w, s.store, &out, &e), 0);
	ck_assert_int_eq(envelope_seal(&how, &in, &out, &result, &e), 0);
	ck_assert_int_eq(driveio_commit(&w, &e), 0);
	ck_assert_int_eq(do_verify(&report, false, &e), ERR_DAMAGED);
	ck_assert_uint_eq(report.injected, 1);
	ck_assert_msg(strstr(e.text, "after his eviction (no file is touched; scg gc") != NULL, "%s", e.text);
	collect_after(WEEK_S, &swept);
	ck_assert_uint_eq(swept.destroyed, (uint64_t)_i);
	collect_after(0, &swept);
	ck_assert_uint_eq(swept.destroyed, 1 - (uint64_t)_i);
	ck_assert_msg(do_verify(&again, false, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(again.files, 1);
}
END_TEST

START_TEST(what_older_keys_open_is_named) {
	OWN(verify_report_wipe) struct verify_report report = {0}, again = {0};
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	gate_rotate();
	ck_assert_int_eq(do_verify(&report, true, &e), ERR_FAIL);
	ck_assert_uint_eq(report.old, 1);
	ck_assert_uint_eq(report.failed, 0);
	rekeys(false, 1, 0);
	ck_assert_msg(do_verify(&again, true, &e) == 0, "%s", e.text);
}
END_TEST

/* The same text and the author's own signature, as somebody with the group's key can seal them anew: as long as the
 * object was, but not what the ledger says of it. */
START_TEST(what_was_sealed_anew_in_an_objects_place_is_damage) {
	OWN(verify_report_wipe) struct verify_report report = {0};
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	OWN(own_free) char *path = path_of("one");
	OWN(own_free) char *anew = xasprintf("%s/anew", tmp_path("drive"));
	reencrypt(path, anew, &gate.keys.v[0], &result);
	ck_assert_msg(do_verify(&report, false, &e) == 0, "%s", e.text);
	verify_report_wipe(&report);
	report = (struct verify_report){0};
	ck_assert_int_eq(rename(anew, path), 0);
	ck_assert_int_eq(do_verify(&report, false, &e), ERR_DAMAGED);
	ck_assert_uint_eq(report.failed, 1);
}
END_TEST

START_TEST(each_bad_file_is_named) {
	OWN(verify_report_wipe) struct verify_report report = {0};
	struct err e = ERR_INIT;

	put("alice", "one", "1");
	put("alice", "two", "2");
	put("alice", "three", "3");
	OWN(own_free) char *one = path_of("one");
	OWN(own_free) char *two = path_of("two");
	flip(one);
	ck_assert_int_eq(unlink(two), 0);
	ck_assert_int_eq(do_verify(&report, false, &e), ERR_DAMAGED);
	ck_assert_uint_eq(report.files, 3);
	ck_assert_uint_eq(report.failed, 2);
	ck_assert_uint_eq(report.n, 2);
}
END_TEST

static void add_rekey(TCase *t) {
	tcase_add_test(t, a_rekey_brings_all_under_the_newest_epoch);
	tcase_add_test(t, a_rewrap_brings_all_there_too);
	tcase_add_test(t, a_lost_answer_of_a_rekey_is_found);
	tcase_add_test(t, a_new_epoch_meanwhile_is_met);
	tcase_add_test(t, an_object_that_a_hasty_gc_took_is_made_anew);
	tcase_add_test(t, a_replacement_meanwhile_stays);
	tcase_add_test(t, a_rename_meanwhile_is_no_obstacle);
	tcase_add_test(t, a_removal_meanwhile_stays);
	tcase_add_test(t, two_rekeys_at_once_do_not_hurt);
	tcase_add_test(t, a_damaged_object_fails_alone_and_stays);
	tcase_add_test(t, a_rewrap_of_a_damaged_segment_is_read_back_and_undone);
	tcase_add_test(t, an_object_under_a_key_of_nobody_is_damage);
	tcase_add_test(t, an_object_that_gc_may_soon_take_is_not_posted);
	tcase_add_test(t, an_object_whose_event_got_no_answer_is_not_destroyed);
	tcase_add_test(t, a_missing_object_is_damage);
}

static void add_rest(TCase *t) {
	tcase_add_test(t, a_young_orphan_waits_and_an_old_one_goes);
	tcase_add_test(t, an_old_object_that_is_a_files_stays);
	tcase_add_test(t, an_orphan_under_an_older_epoch_goes_at_once);
	tcase_add_test(t, what_is_no_envelope_waits);
	tcase_add_test(t, a_superseded_object_put_back_goes_at_once);
	tcase_add_test(t, a_good_drive_is_good);
	tcase_add_test(t, a_copy_under_another_id_was_injected);
	tcase_add_loop_test(t, what_the_evicted_seal_later_was_injected_and_is_collected, 0, 2);
	tcase_add_test(t, what_older_keys_open_is_named);
	tcase_add_test(t, what_was_sealed_anew_in_an_objects_place_is_damage);
	tcase_add_test(t, each_bad_file_is_named);
}

int main(void) {
	TCase *t = tcase_create("drive");

	tcase_add_checked_fixture(t, gate_setup, gate_teardown);
	add_rekey(t);
	add_rest(t);
	return suite_run("client/drive", t);
}
