/* SPDX-License-Identifier: Apache-2.0 */
/* How often the drive is asked: a store of one object in memory, which counts. It stands in for store/store.c. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "client/driveio.h"
#include "lib/suite.h"
#include "pki/ossl.h"

#define ID "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG (DRIVEIO_SMALL + 100000)
#define PIECE 70000 /* of a stream */

static struct {
	bool remote, refuses;
	uint8_t *data;
	size_t size; /* SIZE_MAX: there is none */
	unsigned stats, gets, streams, reads, words;
	uint8_t word[SHA256_LEN];
	bool says_nothing;
	uint64_t got;
} drive;
#define NOBODY ((struct store *)&drive) /* only handed through */

static void setup(void) {
	clock_stop_mono(); /* what was seen stays just seen */
	memset(&drive, 0, sizeof(drive));
	drive.remote = true;
	drive.data = xmalloc(LONG + 1);
	for (size_t i = 0; i <= LONG; i++)
		drive.data[i] = (uint8_t)(i * 7 + i / 256);
}

static void teardown(void) {
	free(drive.data);
}

bool store_is_remote(const struct store *s) {
	(void)s;
	return drive.remote;
}

int store_stat(struct store *s, const char *id, struct store_stat *st, struct err *e) {
	(void)s;
	drive.stats++;
	if (drive.size == SIZE_MAX)
		return err_set(e, ERR_NOTFOUND, "no object %s", id);
	*st = (struct store_stat){ .size = drive.size };
	memcpy(st->id, id, sizeof(st->id));
	return 0;
}

static size_t copy(uint64_t off, void *data, size_t len) {
	size_t left = off < drive.size ? drive.size - (size_t)off : 0, n = len < left ? len : left;

	memcpy(data, drive.data + off, n);
	drive.got += n;
	return n;
}

int store_get(struct store *s, const char *id, uint64_t off, void *data, size_t len, size_t *got, struct err *e) {
	(void)s;
	drive.gets++;
	if (drive.refuses)
		return err_set(e, ERR_REFUSED, "not for you");
	if (drive.size == SIZE_MAX)
		return err_set(e, ERR_NOTFOUND, "no object %s", id);
	*got = copy(off, data, len);
	return 0;
}

int store_sha256(struct store *s, const char *id, uint8_t sha256[static 32], struct err *e) {
	(void)s;
	drive.words++;
	if (drive.says_nothing)
		return err_set(e, ERR_NOTFOUND, "nothing said of %s", id);
	memcpy(sha256, drive.word, sizeof(drive.word));
	return 0;
}

struct store_stream {
	uint64_t off;
};

int store_stream_open(struct store *s, const char *id, uint64_t off, struct store_stream **r, struct err *e) {
	(void)s;
	drive.streams++;
	if (drive.size == SIZE_MAX)
		return err_set(e, ERR_NOTFOUND, "no object %s", id);
	*r = xcalloc(1, sizeof(**r));
	(*r)->off = off;
	return 0;
}

int store_stream_read(struct store_stream *r, void *data, size_t len, size_t *got, struct err *e) {
	drive.reads++;
	if (drive.refuses)
		return err_set(e, ERR_REFUSED, "not for you");
	*got = copy(r->off, data, len < PIECE ? len : PIECE);
	r->off += *got;
	return 0;
}

void store_stream_free(struct store_stream *r) {
	free(r);
}

int store_put_new(struct store *s, char id[static STORE_ID_LEN + 1], struct store_put **p, struct err *e) {
	(void)s;
	(void)e;
	memcpy(id, ID, STORE_ID_LEN + 1);
	*p = NULL;
	return 0;
}

int store_put_write(struct store_put *p, const void *data, size_t len, struct err *e) {
	(void)p;
	(void)data;
	(void)len;
	return drive.refuses ? err_set(e, ERR_REFUSED, "not for you") : 0;
}

int store_put_commit(struct store_put *p, struct err *e) {
	(void)p;
	(void)e;
	return 0;
}

void store_put_free(struct store_put *p) {
	(void)p;
}

static int open_as(uint64_t size, bool parts, struct driveio_reader *o, struct source *in, struct err *e) {
	struct driveio_want want = { .id = ID, .size = size, .parts = parts };

	return driveio_open(o, NOBODY, &want, in, e);
}

static void opens(uint64_t size, bool parts, struct driveio_reader *o, struct source *in) {
	struct err e = ERR_INIT;

	ck_assert_msg(open_as(size, parts, o, in, &e) == 0, "%s", e.text);
}

static void refuses(uint64_t size, int code, const char *text) {
	OWN(driveio_reader_wipe) struct driveio_reader o = {0};
	struct err e = ERR_INIT;
	struct source in;

	ck_assert_int_eq(open_as(size, false, &o, &in, &e), code);
	ck_assert_msg(strstr(e.text, text) != NULL, "%s", e.text);
}

static void has_at(const struct source *in, uint64_t off, size_t len, size_t due) {
	OWN(own_free) uint8_t *data = xmalloc(len);
	struct err e = ERR_INIT;
	size_t got;

	ck_assert_msg(in->read_at(in->arg, data, len, off, &got, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(got, due);
	ck_assert_mem_eq(data, drive.data + off, due);
}

START_TEST(a_small_object_is_one_request) {
	OWN(driveio_reader_wipe) struct driveio_reader o = {0};
	struct source in;

	drive.size = 5000;
	opens(5000, false, &o, &in);
	ck_assert_uint_eq(in.size, 5000);
	has_at(&in, 0, 224, 224);
	has_at(&in, 4990, 224, 10);
	has_at(&in, 5000, 224, 0);
	has_at(&in, 1, 4999, 4999);
	ck_assert_uint_eq(drive.gets, 1);
	ck_assert_uint_eq(drive.stats + drive.streams, 0);
}
END_TEST

START_TEST(the_largest_small_object_is_one_request) {
	OWN(driveio_reader_wipe) struct driveio_reader o = {0};
	struct source in;

	drive.size = DRIVEIO_SMALL;
	opens(DRIVEIO_SMALL, false, &o, &in);
	has_at(&in, 0, DRIVEIO_SMALL, DRIVEIO_SMALL);
	ck_assert_uint_eq(drive.gets, 1);
}
END_TEST

START_TEST(a_small_object_of_another_size_is_refused) {
	drive.size = 5001;
	refuses(5000, ERR_DAMAGED, "at least 5001 bytes, but 5000");
	drive.size = 4999;
	refuses(5000, ERR_DAMAGED, "has 4999 bytes, but 5000");
	drive.size = SIZE_MAX;
	refuses(5000, ERR_NOTFOUND, ID);
	ck_assert_uint_eq(drive.gets, 3);
}
END_TEST

START_TEST(a_long_object_is_one_stream) {
	OWN(driveio_reader_wipe) struct driveio_reader o = {0};
	OWN(own_free) uint8_t *data = xmalloc(LONG + 1);
	struct err e = ERR_INIT;
	struct source in;
	size_t got;

	drive.size = LONG;
	opens(LONG, false, &o, &in);
	ck_assert_ptr_null(in.read_at);
	ck_assert_int_eq(in.read(in.arg, data, 224, &got, &e), 0);
	ck_assert_uint_eq(got, 224);
	/* what a network gives in pieces comes whole */
	ck_assert_int_eq(in.read(in.arg, data + 224, LONG, &got, &e), 0);
	ck_assert_uint_eq(got, LONG - 224);
	ck_assert_mem_eq(data, drive.data, LONG);
	ck_assert_int_eq(in.read(in.arg, data, 10, &got, &e), 0);
	ck_assert_uint_eq(got, 0);
	ck_assert_uint_eq(drive.streams, 1);
	ck_assert_uint_eq(drive.gets + drive.stats, 0);
}
END_TEST

START_TEST(a_stream_that_does_not_end_is_cut) {
	OWN(driveio_reader_wipe) struct driveio_reader o = {0};
	OWN(own_free) uint8_t *data = xmalloc(LONG + 1);
	struct err e = ERR_INIT;
	struct source in;
	size_t got;

	drive.size = LONG + 1;
	opens(LONG, false, &o, &in);
	ck_assert_int_eq(in.read(in.arg, data, LONG, &got, &e), 0);
	ck_assert_int_eq(in.read(in.arg, data, 1, &got, &e), ERR_DAMAGED);
	ck_assert_msg(strstr(e.text, "at least") != NULL, "%s", e.text);
	ck_assert(!atomic_load(&o.failed));
}
END_TEST

START_TEST(a_missing_stream_is_not_found) {
	drive.size = SIZE_MAX;
	refuses(LONG, ERR_NOTFOUND, ID);
}
END_TEST

START_TEST(an_object_of_unknown_size_costs_one_more) {
	OWN(driveio_reader_wipe) struct driveio_reader o = {0};
	struct source in;

	drive.size = 700;
	opens(0, false, &o, &in);
	ck_assert_uint_eq(in.size, 700);
	has_at(&in, 0, 700, 700);
	ck_assert_uint_eq(drive.gets, 1);
	ck_assert_uint_eq(drive.stats, 1);
}
END_TEST

START_TEST(of_a_range_only_the_parts_are_fetched) {
	OWN(driveio_reader_wipe) struct driveio_reader o = {0};
	struct source in;

	drive.size = LONG;
	opens(LONG, true, &o, &in);
	has_at(&in, 0, 224, 224);
	has_at(&in, LONG - 100, 224, 100);
	ck_assert_uint_eq(drive.gets, 2);
	ck_assert_uint_eq(drive.streams + drive.stats, 0);
	ck_assert_uint_eq(drive.got, 324);
}
END_TEST

START_TEST(a_folder_is_asked_for_the_size_and_read_by_offset) {
	OWN(driveio_reader_wipe) struct driveio_reader o = {0};
	struct source in;

	drive.remote = false;
	drive.size = 700;
	opens(700, false, &o, &in);
	has_at(&in, 600, 200, 100);
	ck_assert_uint_eq(drive.stats, 1);
	refuses(701, ERR_DAMAGED, "has 700 bytes, but 701");
}
END_TEST

/* How often what was read, and found wrong, is worth reading again. */
static unsigned doubted(uint64_t size, const uint8_t *sha256, bool failed) {
	OWN(driveio_reader_wipe) struct driveio_reader o = {0};
	struct driveio_doubt doubt = {0};
	struct source in;
	unsigned n = 0;

	drive.size = (size_t)size;
	opens(size, false, &o, &in);
	atomic_store(&o.failed, failed);
	while (driveio_is_garbled(&o, sha256, &doubt))
		n++;
	return n;
}

START_TEST(what_the_drive_has_rightly_by_its_own_word_is_read_again) {
	uint8_t due[SHA256_LEN] = { 1, 2, 3 };

	memcpy(drive.word, due, sizeof(due));
	ck_assert_uint_eq(doubted(5000, due, false), DRIVEIO_READS - 1);
	ck_assert_uint_eq(drive.words, 1);
	ck_assert_uint_eq(doubted(LONG, due, false), DRIVEIO_READS_LONG - 1);
}
END_TEST

START_TEST(a_drive_that_has_other_bytes_by_its_own_word_is_believed) {
	uint8_t due[SHA256_LEN] = { 1, 2, 3 };

	memcpy(drive.word, due, sizeof(due));
	drive.word[31] ^= 1;
	ck_assert_uint_eq(doubted(5000, due, false), 0);
	ck_assert_uint_eq(doubted(LONG, due, false), 0);
}
END_TEST

START_TEST(what_nobody_named_is_read_again_until_it_is_what_the_drive_says) {
	ossl_sha256(drive.data, 5000, drive.word);
	ck_assert_uint_eq(doubted(5000, NULL, false), 0);
	drive.word[0] ^= 1;
	ck_assert_uint_eq(doubted(5000, NULL, false), DRIVEIO_READS - 1);
	ck_assert_uint_eq(doubted(LONG, NULL, false), DRIVEIO_READS_LONG - 1);
}
END_TEST

START_TEST(a_drive_without_a_word_is_read_thrice) {
	uint8_t due[SHA256_LEN] = {0};

	drive.says_nothing = true;
	ck_assert_uint_eq(doubted(5000, due, false), DRIVEIO_READS_LONG - 1);
	ck_assert_uint_eq(doubted(5000, NULL, false), DRIVEIO_READS_LONG - 1);
}
END_TEST

START_TEST(a_folder_and_an_error_of_the_drive_s_own_are_not_doubted) {
	uint8_t due[SHA256_LEN] = {0};

	ck_assert_uint_eq(doubted(5000, due, true), 0);
	drive.remote = false;
	ck_assert_uint_eq(doubted(5000, due, false), 0);
	ck_assert_uint_eq(drive.words, 0);
}
END_TEST

/* A refusal by the drive is not one by what it gave. */
START_TEST(who_refused_is_known) {
	OWN(driveio_reader_wipe) struct driveio_reader o = {0};
	OWN(driveio_writer_wipe) struct driveio_writer w = {0};
	struct err e = ERR_INIT;
	struct source in;
	struct sink out;
	uint8_t data[10];
	size_t got;

	drive.size = LONG;
	opens(LONG, false, &o, &in);
	ck_assert_int_eq(driveio_create(&w, NOBODY, &out, &e), 0);
	ck_assert_int_eq(out.write(out.arg, data, sizeof(data), &e), 0);
	ck_assert(!atomic_load(&o.failed) && !w.failed);
	drive.refuses = true;
	ck_assert_int_eq(in.read(in.arg, data, sizeof(data), &got, &e), ERR_REFUSED);
	ck_assert_int_eq(out.write(out.arg, data, sizeof(data), &e), ERR_REFUSED);
	ck_assert(atomic_load(&o.failed) && w.failed);
}
END_TEST

START_TEST(what_was_just_seen_is_there) {
	struct driveio_writer w = { .id = ID };
	struct err e = ERR_INIT;
	bool yes;

	drive.size = 10;
	ck_assert_int_eq(driveio_look(&w, NOBODY, &e), 0);
	ck_assert_int_eq(driveio_is_there(&w, NOBODY, &yes, &e), 0);
	ck_assert(yes);
	ck_assert_uint_eq(drive.stats, 1);
	w.seen_ms -= DRIVEIO_SEEN_MS;
	drive.size = SIZE_MAX;
	ck_assert_int_eq(driveio_is_there(&w, NOBODY, &yes, &e), 0);
	ck_assert(!yes);
	ck_assert_uint_eq(drive.stats, 2);
}
END_TEST

START_TEST(what_was_just_committed_is_not_asked_for) {
	struct driveio_writer w = {0};
	struct sink out;
	struct err e = ERR_INIT;
	bool yes;

	drive.size = 10;
	ck_assert_int_eq(driveio_create(&w, NOBODY, &out, &e), 0);
	ck_assert_int_eq(driveio_commit(&w, &e), 0);
	ck_assert_int_eq(driveio_look(&w, NOBODY, &e), 0);
	ck_assert_int_eq(driveio_is_there(&w, NOBODY, &yes, &e), 0);
	ck_assert(yes);
	ck_assert_uint_eq(drive.stats, 0);
}
END_TEST

START_TEST(what_was_not_seen_is_asked_for) {
	struct driveio_writer w = { .id = ID };
	struct err e = ERR_INIT;
	bool yes;

	drive.size = SIZE_MAX;
	ck_assert_int_eq(driveio_look(&w, NOBODY, &e), 0);
	ck_assert_int_eq(driveio_is_there(&w, NOBODY, &yes, &e), 0);
	ck_assert(!yes);
	ck_assert_uint_eq(drive.stats, 2);
}
END_TEST

START_TEST(a_folder_is_asked_each_time) {
	struct driveio_writer w = { .id = ID };
	struct err e = ERR_INIT;
	bool yes;

	drive.remote = false;
	drive.size = 10;
	ck_assert_int_eq(driveio_look(&w, NOBODY, &e), 0);
	ck_assert_uint_eq(drive.stats, 0);
	ck_assert_int_eq(driveio_is_there(&w, NOBODY, &yes, &e), 0);
	ck_assert_int_eq(driveio_is_there(&w, NOBODY, &yes, &e), 0);
	ck_assert(yes);
	ck_assert_uint_eq(drive.stats, 2);
}
END_TEST

int main(void) {
	TCase *t = tcase_create("driveio");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_small_object_is_one_request);
	tcase_add_test(t, the_largest_small_object_is_one_request);
	tcase_add_test(t, a_small_object_of_another_size_is_refused);
	tcase_add_test(t, a_long_object_is_one_stream);
	tcase_add_test(t, a_stream_that_does_not_end_is_cut);
	tcase_add_test(t, a_missing_stream_is_not_found);
	tcase_add_test(t, an_object_of_unknown_size_costs_one_more);
	tcase_add_test(t, of_a_range_only_the_parts_are_fetched);
	tcase_add_test(t, a_folder_is_asked_for_the_size_and_read_by_offset);
	tcase_add_test(t, who_refused_is_known);
	tcase_add_test(t, what_the_drive_has_rightly_by_its_own_word_is_read_again);
	tcase_add_test(t, a_drive_that_has_other_bytes_by_its_own_word_is_believed);
	tcase_add_test(t, what_nobody_named_is_read_again_until_it_is_what_the_drive_says);
	tcase_add_test(t, a_drive_without_a_word_is_read_thrice);
	tcase_add_test(t, a_folder_and_an_error_of_the_drive_s_own_are_not_doubted);
	tcase_add_test(t, what_was_just_seen_is_there);
	tcase_add_test(t, what_was_just_committed_is_not_asked_for);
	tcase_add_test(t, what_was_not_seen_is_asked_for);
	tcase_add_test(t, a_folder_is_asked_each_time);
	return suite_run("client/driveio", t);
}
