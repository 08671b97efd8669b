/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that were ended while they were sealed and sent at once: taken up under the same key where nothing could have left it otherwise. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "client/spool.h"
#include "client_gate.h"
#include "envelope/ticket.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "pki/cert.h"
#include "remote_lab.h"

#define THREE_SEGMENTS ((off_t)9 << 20)

/* A sealing that was ended: what an upload left that had sealed to its end, cut. */
static struct {
	struct buf whole;             /* the spool before it was cut */
	struct object_file file;      /* its key and nonces */
	uint64_t body;
	char object[OBJECT_ID_LEN + 1];
} ended;

static void open_spool(struct spool *sp) {
	OWN(session_wipe) struct session s = {0};
	OWN(own_free) char *dir = spool_dir(tmp_path("alice"), NULL);
	struct err e = ERR_INIT;
	size_t len;

	gate_session("alice", &s);
	ck_assert_msg(spool_open(sp, dir, "lab", cert_ski(s.me.cert, &len), "doc", &e) == 0, "%s", e.text);
}

static void parse_head(const struct buf *object, struct object_file *file) {
	struct object first;
	size_t header_len;
	struct err e = ERR_INIT;

	ck_assert_msg(object_parse(object->data, object->len, file, &first, &header_len, &e) == 0, "%s", e.text);
}

static void make_ticket(struct spool_record *rec) {
	OWN(content_wipe) struct content c = {0};
	uint8_t purpose[32];
	struct err e = ERR_INIT;

	ck_assert_int_eq(content_unwrap(&c, &ended.file, &gate.keys, &e), 0);
	spool_record_purpose(rec, purpose);
	ck_assert_int_eq(ticket_make(&c, &gate.keys.v[0], purpose, rec->ticket, &e), 0);
}

/* before, after: what is changed of the record before its ticket is made, or after. */
static void end_it(void (*before)(struct spool_record *), void (*after)(struct spool_record *)) {
	OWN(spool_close) struct spool sp = SPOOL_INIT;
	struct err e = ERR_INIT;

	remote.break_sends = 1;
	remote_fails("alice", ERR_UNREACHABLE);
	open_spool(&sp);
	ck_assert(sp.kept && !sp.record.sealing);
	buf_wipe(&ended.whole);
	ck_assert_int_eq(lseek(sp.fd, 0, SEEK_SET), 0);
	(void)buf_room(&ended.whole, (size_t)sp.record.object_size);
	ck_assert_int_eq(pread(sp.fd, ended.whole.data, (size_t)sp.record.object_size, 0), (ssize_t)sp.record.object_size);
	ended.whole.len = (size_t)sp.record.object_size;
	parse_head(&ended.whole, &ended.file);
	ended.body = envelope_body_size(sp.record.local.size);
	memcpy(ended.object, sp.record.object, sizeof(ended.object));
	sp.record.sealing = true;
	ck_assert(spool_place(&sp, &sp.record.place));
	if (before != NULL)
		before(&sp.record);
	make_ticket(&sp.record);
	if (after != NULL)
		after(&sp.record);
	ck_assert_msg(spool_keep(&sp, &e) == 0, "%s", e.text);
}

/* So much of it is there. */
static void cut_at(uint64_t len) {
	OWN(spool_close) struct spool sp = SPOOL_INIT;

	open_spool(&sp);
	ck_assert(sp.kept && sp.record.sealing);
	ck_assert_int_eq(ftruncate(sp.fd, (off_t)len), 0);
}

static void flip_at(uint64_t off) {
	OWN(spool_close) struct spool sp = SPOOL_INIT;
	uint8_t byte;

	open_spool(&sp);
	ck_assert_int_eq(pread(sp.fd, &byte, 1, (off_t)off), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(sp.fd, &byte, 1, (off_t)off), 1);
}

/* The same object; and what was there, and may have been sent, was not made again otherwise. */
static void goes_on(bool manifest_too) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	unsigned resumed = remote.resumed;

	remote_uploads("alice");
	ck_assert_uint_eq(remote.resumed, resumed + 1);
	remote_find(&f);
	ck_assert_str_eq(f.object, ended.object);
	ck_assert_uint_eq(remote.last.len, ended.whole.len);
	ck_assert_int_eq(memcmp(remote.last.data, ended.whole.data, (size_t)ended.body), 0);
	ck_assert(manifest_too == (memcmp(remote.last.data, ended.whole.data, ended.whole.len) == 0));
	ck_assert_uint_eq(gate_objects(), 1);
	remote_leaves_nothing();
}

static void begins_anew(void) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct object_file file;

	remote_uploads("alice");
	remote_find(&f);
	ck_assert_str_ne(f.object, ended.object);
	parse_head(&remote.last, &file);
	ck_assert(memcmp(file.wrapped, ended.file.wrapped, sizeof(file.wrapped)) != 0);
	ck_assert(memcmp(file.prefix, ended.file.prefix, sizeof(file.prefix)) != 0);
	ck_assert_uint_eq(gate_objects(), 1);
	remote_leaves_nothing();
}

START_TEST(what_was_ended_while_it_was_sealed_goes_on_as_the_same_object) {
	const uint64_t body = envelope_body_size(249999), cuts[] = { 0, 100, 5000, body };

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		remote_doc((char)('a' + i));
		end_it(NULL, NULL);
		ck_assert_uint_eq(ended.body, body);
		cut_at(cuts[i]);
		goes_on(false);
		remote_reads("bob", (char)('a' + i));
	}
	buf_wipe(&ended.whole);
}
END_TEST

START_TEST(of_many_segments_too_at_any_of_them) {
	const uint64_t body = envelope_body_size(THREE_SEGMENTS), segment = envelope_body_size((uint64_t)THREE_SEGMENTS + SEGMENT_LEN) - body,
		       last = envelope_body_size(1 << 20), note = body - 2 * segment - last, cuts[] = { note, note + 1, note + segment, body - last - 1 };

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		gate_file("doc", "x");
		ck_assert_int_eq(truncate(tmp_path("doc"), THREE_SEGMENTS), 0);
		end_it(NULL, NULL);
		cut_at(cuts[i]);
		goes_on(false);
	}
	buf_wipe(&ended.whole);
}
END_TEST

START_TEST(ended_again_and_again_it_still_goes_on) {
	remote_doc('a');
	end_it(NULL, NULL);
	cut_at(1000);
	for (unsigned i = 1; i < 4; i++) {
		OWN(spool_record_wipe) struct spool_record rec = {0};

		remote.refuse = true;
		remote_fails("alice", ERR_FAIL);
		ck_assert(remote_left(&rec));
		ck_assert_str_eq(rec.object, ended.object);
		ck_assert_uint_eq(remote.resumed, i);
	}
	remote_uploads("alice");
	ck_assert_uint_eq(remote.resumed, 4);
	ck_assert_int_eq(memcmp(remote.last.data, ended.whole.data, (size_t)ended.body), 0);
	remote_reads("bob", 'a');
	buf_wipe(&ended.whole);
}
END_TEST

/* Its manifest is signed already, and no signature is made twice. */
START_TEST(what_was_sealed_to_its_end_and_not_recorded_as_that_is_sent_as_it_is) {
	remote_doc('a');
	end_it(NULL, NULL);
	goes_on(true);
	remote_reads("bob", 'a');
	buf_wipe(&ended.whole);
}
END_TEST

START_TEST(part_of_a_manifest_is_never_made_again) {
	const uint64_t body = envelope_body_size(249999);

	for (unsigned i = 0; i < 3; i++) {
		remote_doc((char)('a' + i));
		end_it(NULL, NULL);
		if (i < 2)
			cut_at(i == 0 ? body + 1 : ended.whole.len - 1);
		else
			flip_at(ended.whole.len - 1);
		begins_anew();
	}
	buf_wipe(&ended.whole);
}
END_TEST

START_TEST(a_spool_that_differs_anywhere_is_sealed_anew_under_another_key) {
	const uint64_t body = envelope_body_size(249999), at[] = { 0, 60, 5000, body - 1 };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		remote_doc((char)('a' + i));
		end_it(NULL, NULL);
		cut_at(body);
		flip_at(at[i]);
		begins_anew();
		remote_reads("bob", (char)('a' + i));
	}
	buf_wipe(&ended.whole);
}
END_TEST

static void other_boot(struct spool_record *rec) {
	rec->place.boot[0] ^= 1;
}

static void other_file_of_the_spool(struct spool_record *rec) {
	rec->place.ino++;
}

static void other_folder(struct spool_record *rec) {
	rec->place.dev++;
}

static void other_local(struct spool_record *rec) {
	rec->local.ctime_ns ^= 1;
}

static void other_object(struct spool_record *rec) {
	rec->object[0] = rec->object[0] == 'a' ? 'b' : 'a';
}

static void other_put(struct spool_record *rec) {
	rec->put_id[0] ^= 1;
	rec->file_id[0] ^= 1;
}

static void other_ticket(struct spool_record *rec) {
	rec->ticket[ENVELOPE_TICKET_LEN - 1] ^= 1;
}

START_TEST(a_key_serves_only_where_its_bytes_were_left) {
	static void (*const change[])(struct spool_record *) = { other_boot, other_file_of_the_spool, other_folder, other_local };

	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		remote_doc((char)('a' + i));
		end_it(change[i], NULL);
		begins_anew();
	}
	buf_wipe(&ended.whole);
}
END_TEST

/* Whoever holds the spool's folder, and not the group's key, cannot say which file a key is for. */
START_TEST(a_record_that_was_edited_brings_no_key) {
	static void (*const change[])(struct spool_record *) = { other_put, other_object, other_ticket };

	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		remote_doc((char)('a' + i));
		end_it(NULL, change[i]);
		cut_at(1000);
		begins_anew();
	}
	buf_wipe(&ended.whole);
}
END_TEST

START_TEST(a_key_of_an_older_epoch_is_not_taken_again) {
	remote_doc('a');
	end_it(NULL, NULL);
	cut_at(1000);
	gate_rotate();
	begins_anew();
	buf_wipe(&ended.whole);
}
END_TEST

static void as_it_is_now(struct spool_record *rec) {
	struct stat st;

	remote_doc('b');
	ck_assert_int_eq(stat(tmp_path("doc"), &st), 0);
	spool_local_take(&st, &rec->local);
}

/* As if neither time of it had moved. */
START_TEST(a_file_that_changed_unseen_is_sealed_anew_under_another_key) {
	remote_doc('a');
	end_it(as_it_is_now, NULL);
	cut_at(envelope_body_size(249999) - 1);
	begins_anew();
	remote_reads("bob", 'b');
	buf_wipe(&ended.whole);
}
END_TEST
int main(void) {
	TCase *t = tcase_create("sealing");

	tcase_add_checked_fixture(t, remote_setup, remote_teardown);
	tcase_add_test(t, what_was_ended_while_it_was_sealed_goes_on_as_the_same_object);
	tcase_add_test(t, of_many_segments_too_at_any_of_them);
	tcase_add_test(t, ended_again_and_again_it_still_goes_on);
	tcase_add_test(t, what_was_sealed_to_its_end_and_not_recorded_as_that_is_sent_as_it_is);
	tcase_add_test(t, part_of_a_manifest_is_never_made_again);
	tcase_add_test(t, a_spool_that_differs_anywhere_is_sealed_anew_under_another_key);
	tcase_add_test(t, a_key_serves_only_where_its_bytes_were_left);
	tcase_add_test(t, a_record_that_was_edited_brings_no_key);
	tcase_add_test(t, a_key_of_an_older_epoch_is_not_taken_again);
	tcase_add_test(t, a_file_that_changed_unseen_is_sealed_anew_under_another_key);
	return suite_run("client/sealing", t);
}
