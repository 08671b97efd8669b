/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of uploads under way. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "client/spool.h"
#include "lib/suite.h"
#include "lib/tmp.h"

#define OBJECT "abcdefghijklmnopqrstuvwx23"
#define DATA "sealed bytes"

static const uint8_t alice[SPOOL_SKI_LEN] = { 1, 2, 3 }, bob[SPOOL_SKI_LEN] = { 4 };

static void make_record(struct spool_record *r, const char *path) {
	*r = (struct spool_record){
		.group = xstrdup("lab"),
		.path = xstrdup(path),
		.local = { 1, 2, UINT64_MAX, 4, 999999999, 6, 7 },
		.version = 3,
		.object_size = strlen(DATA),
		.time_s = (uint64_t)clock_now_s(),
		.token = xstrdup("https://drive.example/session?id=1\nsecond line"),
	};
	memcpy(r->member, alice, sizeof(r->member));
	memset(r->put_id, 0x4a, sizeof(r->put_id));
	memset(r->file_id, 0x8b, sizeof(r->file_id));
	/* RFC 9562 5.4: version and variant */
	r->put_id[6] = r->file_id[6] = 0x41;
	r->put_id[8] = r->file_id[8] = 0x81;
	memset(r->object_sha256, 7, sizeof(r->object_sha256));
	memset(r->content_sha256, 8, sizeof(r->content_sha256));
	memset(r->key_id, 9, sizeof(r->key_id));
	memcpy(r->object, OBJECT, sizeof(r->object));
}

/* Of what is still being sealed. */
static void make_sealing(struct spool_record *r, const char *path) {
	make_record(r, path);
	r->sealing = true;
	memset(r->object_sha256, 0, sizeof(r->object_sha256));
	memset(r->content_sha256, 0, sizeof(r->content_sha256));
	memset(r->ticket, 0xa5, sizeof(r->ticket));
	memset(r->place.boot, 0x41, sizeof(r->place.boot));
	r->place.boot[8] = 0x81;
	r->place.dev = 7;
	r->place.ino = UINT64_MAX;
}

static bool takes(void *arg, const uint8_t *data, size_t len) {
	OWN(spool_record_wipe) struct spool_record r = {0};

	(void)arg;
	return spool_record_parse(data, len, &r, NULL) == 0;
}

START_TEST(a_record_is_read_as_it_was_written) {
	OWN(spool_record_wipe) struct spool_record a = {0}, b = {0};
	OWN(buf_wipe) struct buf text = {0}, again = {0};
	struct err e = ERR_INIT;

	make_record(&a, "reports/q1 final.pdf");
	a.sent = true;
	spool_record_print(&a, &text);
	ck_assert_msg(spool_record_parse(text.data, text.len, &b, &e) == 0, "%s", e.text);
	ck_assert_str_eq(b.path, a.path);
	ck_assert_str_eq(b.group, "lab");
	ck_assert_str_eq(b.token, a.token);
	ck_assert_str_eq(b.object, OBJECT);
	ck_assert(b.sent && spool_local_is(&a.local, &b.local));
	ck_assert_uint_eq(b.version, 3);
	ck_assert_uint_eq(b.time_s, a.time_s);
	ck_assert_mem_eq(b.member, alice, sizeof(alice));
	ck_assert_int_eq(text.data[text.len - 1], '\n');
	spool_record_print(&b, &again);
	ck_assert_str_eq(buf_str(&again), buf_str(&text));
}
END_TEST

START_TEST(a_record_without_token_is_read) {
	OWN(spool_record_wipe) struct spool_record a = {0}, b = {0};
	OWN(buf_wipe) struct buf text = {0};
	struct err e = ERR_INIT;

	make_record(&a, "doc");
	free(a.token);
	a.token = NULL;
	spool_record_print(&a, &text);
	ck_assert_msg(spool_record_parse(text.data, text.len, &b, &e) == 0, "%s", e.text);
	ck_assert_ptr_null(b.token);
	ck_assert(!b.sent);
}
END_TEST

START_TEST(a_cut_or_flipped_record_is_refused) {
	OWN(spool_record_wipe) struct spool_record a = {0};
	OWN(buf_wipe) struct buf text = {0};

	make_record(&a, "doc");
	spool_record_print(&a, &text);
	ck_assert(takes(NULL, text.data, text.len));
	sweep_refused(text.data, text.len, takes, NULL);
}
END_TEST

START_TEST(a_record_of_what_is_being_sealed_is_read_as_it_was_written) {
	OWN(spool_record_wipe) struct spool_record a = {0}, b = {0};
	OWN(buf_wipe) struct buf text = {0};
	struct err e = ERR_INIT;

	make_sealing(&a, "doc");
	spool_record_print(&a, &text);
	ck_assert_msg(spool_record_parse(text.data, text.len, &b, &e) == 0, "%s", e.text);
	ck_assert(b.sealing && !b.sent);
	ck_assert_mem_eq(b.ticket, a.ticket, sizeof(a.ticket));
	ck_assert(spool_place_is(&a.place, &b.place));
	ck_assert_uint_eq(b.object_size, a.object_size);
	ck_assert_str_eq(b.token, a.token);
	sweep_refused(text.data, text.len, takes, NULL);
}
END_TEST

/* One kind of record is not read as the other, whatever its digest says. */
START_TEST(what_is_being_sealed_has_no_digests_and_is_not_sent) {
	static const char *const foreign[] = { "sent yes\n", "sent no\n", "content " };
	OWN(spool_record_wipe) struct spool_record a = {0};
	OWN(buf_wipe) struct buf sealing = {0}, sealed = {0};

	make_sealing(&a, "doc");
	a.sent = true;
	spool_record_print(&a, &sealing);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		ck_assert_ptr_null(strstr(buf_str(&sealing), foreign[i]));
	a.sealing = false;
	spool_record_print(&a, &sealed);
	ck_assert_ptr_null(strstr(buf_str(&sealed), "ticket "));
	ck_assert_ptr_null(strstr(buf_str(&sealed), "place "));
}
END_TEST

static void change_purpose(struct spool_record *r, unsigned i) {
	switch (i) {
	case 0: r->member[0] ^= 1; break;
	case 1: r->local.ctime_ns ^= 1; break;
	case 2: r->put_id[0] ^= 1; break;
	case 3: r->file_id[0] ^= 1; break;
	case 4: r->version++; break;
	case 5: r->key_id[0] ^= 1; break;
	case 6: r->object[0] ^= 1; break;
	case 7: r->object_size++; break;
	case 8: r->place.boot[0] ^= 1; break;
	case 9: r->place.dev++; break;
	case 10: r->place.ino--; break;
	case 11: r->time_s++; break;
	case 12: r->path[0] ^= 1; break;
	case 13: r->group[0] ^= 1; break;
	default: ck_abort();
	}
}

START_TEST(a_purpose_is_all_but_ticket_and_token) {
	OWN(spool_record_wipe) struct spool_record a = {0};
	uint8_t first[32], then[32];

	make_sealing(&a, "doc");
	spool_record_purpose(&a, first);
	a.ticket[0] ^= 1;
	a.token[0] ^= 1;
	spool_record_purpose(&a, then);
	ck_assert_mem_eq(first, then, sizeof(first));
	for (unsigned i = 0; i <= 13; i++) {
		OWN(spool_record_wipe) struct spool_record b = {0};

		make_sealing(&b, "doc");
		change_purpose(&b, i);
		spool_record_purpose(&b, then);
		ck_assert_msg(memcmp(first, then, sizeof(first)) != 0, "%u", i);
	}
}
END_TEST

/* Its digest is right: whoever wrote it can count. */
START_TEST(a_record_of_another_hand_is_refused) {
	static const char *const paths[] = { "", "../up", "a//b", "/etc/passwd", "a\nsent yes" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		OWN(spool_record_wipe) struct spool_record a = {0};
		OWN(buf_wipe) struct buf text = {0};

		make_record(&a, paths[i]);
		spool_record_print(&a, &text);
		ck_assert_msg(!takes(NULL, text.data, text.len), "%s", paths[i]);
	}
	OWN(spool_record_wipe) struct spool_record a = {0};
	OWN(buf_wipe) struct buf text = {0};

	make_record(&a, "doc");
	memcpy(a.object, "ABCDEFGHIJKLMNOPQRSTUVWX23", sizeof(a.object));
	spool_record_print(&a, &text);
	ck_assert(!takes(NULL, text.data, text.len));
}
END_TEST

/* "-" says that there is none; an empty one prints as it was read. */
START_TEST(an_empty_token_is_refused) {
	OWN(spool_record_wipe) struct spool_record a = {0};
	OWN(buf_wipe) struct buf text = {0};

	make_record(&a, "doc");
	a.token[0] = '\0';
	spool_record_print(&a, &text);
	ck_assert(!takes(NULL, text.data, text.len));
}
END_TEST

/* --- the folder --- */

static int try_open(struct spool *s, const uint8_t *member, const char *path, struct err *e) {
	return spool_open(s, tmp_path("spool"), "lab", member, path, e);
}

static void opens(struct spool *s, const char *path) {
	struct err e = ERR_INIT;

	ck_assert_msg(try_open(s, alice, path, &e) == 0, "%s", e.text);
}

static void keeps(struct spool *s, const char *path) {
	struct err e = ERR_INIT;

	make_record(&s->record, path);
	ck_assert_int_eq(file_write_all(s->fd, DATA, strlen(DATA), "spool", &e), 0);
	ck_assert_msg(spool_keep(s, &e) == 0, "%s", e.text);
}

/* As an upload does that is ended before the drive has it all. */
static void leave(const char *path) {
	OWN(spool_close) struct spool s = SPOOL_INIT;

	opens(&s, path);
	keeps(&s, path);
}

static bool is_left(const char *path) {
	OWN(spool_close) struct spool s = SPOOL_INIT;

	opens(&s, path);
	return s.kept;
}

static unsigned files(void) {
	unsigned n = 0;
	OWN(own_free) char *command = xasprintf("ls %s | wc -l", tmp_path("spool"));
	FILE *f = popen(command, "r"); /* NOLINT(cert-env33-c): of a test */

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%u", &n), 1); /* NOLINT(cert-err34-c) */
	ck_assert_int_eq(pclose(f), 0);
	return n;
}

static char *only(const char *suffix) {
	OWN(spool_close) struct spool s = SPOOL_INIT;

	opens(&s, "doc");
	return xasprintf("%s/%s%s", s.dir, s.stem, suffix);
}

START_TEST(what_is_left_is_found_again) {
	OWN(spool_close) struct spool s = SPOOL_INIT;
	struct stat st;
	char data[20];

	leave("doc");
	opens(&s, "doc");
	ck_assert(s.kept);
	ck_assert_str_eq(s.record.object, OBJECT);
	ck_assert_int_eq(pread(s.fd, data, sizeof(data), 0), strlen(DATA));
	ck_assert_mem_eq(data, DATA, strlen(DATA));
	ck_assert_int_eq(fstat(s.fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(tmp_path("spool"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	spool_drop(&s);
	ck_assert_uint_eq(files(), 0);
}
END_TEST

START_TEST(what_was_not_sealed_to_its_end_is_gone) {
	OWN(spool_close) struct spool s = SPOOL_INIT;
	struct err e = ERR_INIT;

	opens(&s, "doc");
	ck_assert_int_eq(file_write_all(s.fd, DATA, 5, "spool", &e), 0);
	ck_assert_uint_eq(files(), 1);
	spool_close(&s);
	ck_assert_uint_eq(files(), 0);
}
END_TEST

START_TEST(each_name_and_member_has_a_place_of_its_own) {
	OWN(spool_close) struct spool a = SPOOL_INIT, b = SPOOL_INIT, c = SPOOL_INIT;
	struct err e = ERR_INIT;

	leave("doc");
	opens(&a, "doc");
	opens(&b, "other");
	ck_assert_int_eq(try_open(&c, bob, "doc", &e), 0);
	ck_assert(a.kept && !b.kept && !c.kept);
}
END_TEST

START_TEST(two_at_once_are_told_apart) {
	OWN(spool_close) struct spool a = SPOOL_INIT, b = SPOOL_INIT;
	struct err e = ERR_INIT;

	opens(&a, "doc");
	ck_assert_int_eq(try_open(&b, alice, "doc", &e), ERR_EXISTS);
	spool_drop(&a);
	opens(&b, "doc");
}
END_TEST

START_TEST(what_is_not_whole_or_too_old_is_none) {
	OWN(own_free) char *data = NULL, *record = NULL;
	OWN(spool_close) struct spool s = SPOOL_INIT;
	struct err e = ERR_INIT;

	leave("doc");
	data = only(".cms");
	record = only(".rec");
	ck_assert_int_eq(truncate(data, 3), 0);
	ck_assert(!is_left("doc"));
	leave("doc");
	ck_assert_int_eq(truncate(record, 100), 0);
	ck_assert(!is_left("doc"));
	leave("doc");
	ck_assert_int_eq(chmod(record, 0644), 0);
	ck_assert(!is_left("doc"));
	opens(&s, "doc");
	keeps(&s, "doc");
	s.record.time_s -= (uint64_t)SPOOL_AGE_S;
	ck_assert_int_eq(spool_keep(&s, &e), 0);
	spool_close(&s);
	ck_assert(!is_left("doc"));
}
END_TEST

/* Sealing: from the record of this place, changed. len: bytes that are there. */
static bool sealing_is_left(void (*change)(struct spool_record *), off_t len) {
	OWN(spool_close) struct spool s = SPOOL_INIT;
	struct err e = ERR_INIT;

	opens(&s, "doc");
	spool_record_wipe(&s.record);
	make_sealing(&s.record, "doc");
	ck_assert(spool_place(&s, &s.record.place));
	if (change != NULL)
		change(&s.record);
	ck_assert_int_eq(ftruncate(s.fd, len), 0);
	ck_assert_msg(spool_keep(&s, &e) == 0, "%s", e.text);
	spool_close(&s);
	return is_left("doc");
}

static void boot_again(struct spool_record *r) {
	r->place.boot[15] ^= 1;
}

static void copy_it(struct spool_record *r) {
	r->place.ino ^= 1;
}

static void copy_it_elsewhere(struct spool_record *r) {
	r->place.dev ^= 1;
}

static void age_it(struct spool_record *r) {
	r->time_s -= (uint64_t)SPOOL_AGE_S;
}

START_TEST(what_is_being_sealed_is_left_only_where_it_was) {
	static void (*const changes[])(struct spool_record *) = { boot_again, copy_it, copy_it_elsewhere, age_it };

	ck_assert(sealing_is_left(NULL, 0));
	ck_assert(sealing_is_left(NULL, (off_t)strlen(DATA)));
	ck_assert(!sealing_is_left(NULL, (off_t)strlen(DATA) + 1));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		ck_assert_msg(!sealing_is_left(changes[i], 3), "%zu", i);
	ck_assert_uint_eq(files(), 0);
}
END_TEST

START_TEST(a_sweep_leaves_what_is_being_sealed) {
	uint8_t newest[KEY_ID_LEN] = { 1 };
	struct err e = ERR_INIT;

	ck_assert(sealing_is_left(NULL, 3));
	ck_assert_int_eq(spool_sweep(tmp_path("spool"), NULL, &e), 0);
	ck_assert_uint_eq(files(), 2);
	ck_assert_int_eq(spool_sweep(tmp_path("spool"), newest, &e), 0);
	ck_assert_uint_eq(files(), 0);
}
END_TEST

START_TEST(the_record_of_another_name_is_none) {
	OWN(spool_close) struct spool s = SPOOL_INIT;
	struct err e = ERR_INIT;

	opens(&s, "doc");
	keeps(&s, "other");
	spool_close(&s);
	ck_assert(!is_left("doc"));
	opens(&s, "doc");
	keeps(&s, "doc");
	memcpy(s.record.member, bob, sizeof(bob));
	ck_assert_int_eq(spool_keep(&s, &e), 0);
	spool_close(&s);
	ck_assert(!is_left("doc"));
}
END_TEST

START_TEST(a_file_that_others_may_write_is_not_taken) {
	OWN(own_free) char *data = NULL;
	OWN(spool_close) struct spool s = SPOOL_INIT;
	struct err e = ERR_INIT;

	leave("doc");
	data = only(".cms");
	ck_assert_int_eq(chmod(data, 0666), 0);
	ck_assert_int_eq(try_open(&s, alice, "doc", &e), ERR_FAIL);
	ck_assert_int_eq(s.fd, -1);
	ck_assert_int_eq(unlink(data), 0);
	ck_assert_int_eq(symlink("/etc/passwd", data), 0);
	ck_assert_int_eq(try_open(&s, alice, "doc", &e), ERR_FAIL);
}
END_TEST

START_TEST(a_sweep_takes_what_no_run_can_use) {
	OWN(spool_close) struct spool busy = SPOOL_INIT, old = SPOOL_INIT;
	OWN(own_free) char *stray = xasprintf("%s/%s", tmp_path("spool"), "0123456789abcdef0123456789abcdef.cms");
	OWN(own_free) char *foreign = xasprintf("%s/%s", tmp_path("spool"), "notes.txt");
	uint8_t newest[KEY_ID_LEN] = { 1 };
	struct err e = ERR_INIT;

	ck_assert_int_eq(spool_sweep(tmp_path("spool"), NULL, &e), 0); /* there is none yet */
	leave("doc");
	opens(&busy, "busy");
	opens(&old, "old");
	keeps(&old, "old");
	old.record.time_s -= (uint64_t)SPOOL_AGE_S;
	ck_assert_int_eq(spool_keep(&old, &e), 0);
	spool_close(&old);
	ck_assert_int_eq(file_save(stray, DATA, 3, 0600, &e), 0);
	ck_assert_int_eq(file_save(foreign, DATA, 3, 0600, &e), 0);
	ck_assert_int_eq(spool_sweep(tmp_path("spool"), NULL, &e), 0);
	ck_assert_uint_eq(files(), 4); /* doc's two, busy's one, and what is not ours */
	ck_assert(is_left("doc"));
	ck_assert_int_eq(spool_sweep(tmp_path("spool"), newest, &e), 0);
	ck_assert_uint_eq(files(), 2);
	ck_assert(file_exists(foreign));
}
END_TEST

int main(void) {
	TCase *t = tcase_create("spool");

	tcase_add_checked_fixture(t, tmp_make, tmp_drop);
	tcase_add_test(t, a_record_is_read_as_it_was_written);
	tcase_add_test(t, a_record_without_token_is_read);
	tcase_add_test(t, a_cut_or_flipped_record_is_refused);
	tcase_add_test(t, a_record_of_what_is_being_sealed_is_read_as_it_was_written);
	tcase_add_test(t, what_is_being_sealed_has_no_digests_and_is_not_sent);
	tcase_add_test(t, a_purpose_is_all_but_ticket_and_token);
	tcase_add_test(t, a_record_of_another_hand_is_refused);
	tcase_add_test(t, an_empty_token_is_refused);
	tcase_add_test(t, what_is_being_sealed_is_left_only_where_it_was);
	tcase_add_test(t, a_sweep_leaves_what_is_being_sealed);
	tcase_add_test(t, what_is_left_is_found_again);
	tcase_add_test(t, what_was_not_sealed_to_its_end_is_gone);
	tcase_add_test(t, each_name_and_member_has_a_place_of_its_own);
	tcase_add_test(t, two_at_once_are_told_apart);
	tcase_add_test(t, what_is_not_whole_or_too_old_is_none);
	tcase_add_test(t, the_record_of_another_name_is_none);
	tcase_add_test(t, a_file_that_others_may_write_is_not_taken);
	tcase_add_test(t, a_sweep_takes_what_no_run_can_use);
	return suite_run("client/spool", t);
}
