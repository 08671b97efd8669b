/* SPDX-License-Identifier: Apache-2.0 */
#include "store_suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/work.h"

static const struct store_fixture *fixture;
static const char *spec;
static struct store *drive;

static void setup(void) {
	struct err e = ERR_INIT;

	spec = fixture->setup();
	ck_assert_msg(store_open_env(&drive, spec, fixture->env, &e) == 0, "%s", e.text);
}

static void teardown(void) {
	store_close(drive);
	fixture->teardown();
}

void suite_id(char letter, char id[static STORE_ID_LEN + 1]) {
	memset(id, letter, STORE_ID_LEN);
	id[STORE_ID_LEN] = '\0';
}

void suite_put(struct store *s, const char *id, const void *data, size_t len) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;

	ck_assert_msg(store_put_open(s, id, &p, &e) == 0, "%s", e.text);
	ck_assert_msg(store_put_write(p, data, len, &e) == 0, "%s", e.text);
	ck_assert_msg(store_put_commit(p, &e) == 0, "%s", e.text);
	store_put_free(p);
}

void suite_has(struct store *s, const char *id, const void *data, size_t len) {
	struct err e = ERR_INIT;
	struct store_stat st;
	uint8_t *got = xmalloc(len + 1);
	size_t n = 0;

	ck_assert_msg(store_stat(s, id, &st, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(st.size, len);
	ck_assert_str_eq(st.id, id);
	ck_assert_int_gt(st.modified_s, 1500000000);
	ck_assert_msg(store_get(s, id, 0, got, len + 1, &n, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(n, len);
	ck_assert(len == 0 || memcmp(got, data, len) == 0);
	free(got);
}

static int count_one(void *arg, const struct store_stat *st, struct err *e) {
	(void)st;
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

unsigned suite_count(struct store *s) {
	struct err e = ERR_INIT;
	unsigned n = 0;

	ck_assert_msg(store_list(s, count_one, &n, &e) == 0, "%s", e.text);
	return n;
}

uint8_t *suite_bytes(size_t len) {
	uint8_t *data = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 31 + i / 251);
	return data;
}

int suite_file(const void *data, size_t len) {
	struct err e = ERR_INIT;
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file_write_all(fd, data, len, "test", &e), 0);
	return fd;
}

START_TEST(what_was_put_comes_back) {
	char id[STORE_ID_LEN + 1];

	suite_id('a', id);
	suite_put(drive, id, "some bytes", 10);
	suite_has(drive, id, "some bytes", 10);
	ck_assert_uint_eq(suite_count(drive), 1);
}
END_TEST

START_TEST(an_empty_object_is_an_object) {
	char id[STORE_ID_LEN + 1];

	suite_id('b', id);
	suite_put(drive, id, "", 0);
	suite_has(drive, id, "", 0);
}
END_TEST

START_TEST(a_long_object_written_in_pieces_comes_back) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	char id[STORE_ID_LEN + 1];
	size_t len = 3u << 20, step = 77777;
	uint8_t *data = suite_bytes(len);

	suite_id('c', id);
	ck_assert_int_eq(store_put_open(drive, id, &p, &e), 0);
	for (size_t i = 0; i < len; i += step)
		ck_assert_int_eq(store_put_write(p, data + i, len - i < step ? len - i : step, &e), 0);
	ck_assert_int_eq(store_put_commit(p, &e), 0);
	store_put_free(p);
	suite_has(drive, id, data, len);
	free(data);
}
END_TEST

START_TEST(ranges_are_short_only_at_the_end) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];
	uint8_t got[16];
	size_t n = 9;

	suite_id('d', id);
	suite_put(drive, id, "0123456789", 10);
	ck_assert_int_eq(store_get(drive, id, 3, got, 4, &n, &e), 0);
	ck_assert_uint_eq(n, 4);
	ck_assert_mem_eq(got, "3456", 4);
	ck_assert_int_eq(store_get(drive, id, 8, got, 16, &n, &e), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_mem_eq(got, "89", 2);
	ck_assert_int_eq(store_get(drive, id, 10, got, 16, &n, &e), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(store_get(drive, id, 1000, got, 16, &n, &e), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(nothing_appears_before_the_commit) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	struct store_stat st;
	char id[STORE_ID_LEN + 1];

	suite_id('e', id);
	ck_assert_int_eq(store_put_open(drive, id, &p, &e), 0);
	ck_assert_int_eq(store_put_write(p, "half", 4, &e), 0);
	ck_assert_int_eq(store_stat(drive, id, &st, &e), ERR_NOTFOUND);
	ck_assert_uint_eq(suite_count(drive), 0);
	store_put_free(p);
	ck_assert_int_eq(store_stat(drive, id, &st, &e), ERR_NOTFOUND);
	ck_assert_uint_eq(suite_count(drive), 0);
	suite_put(drive, id, "whole", 5); /* the id was not used up */
	suite_has(drive, id, "whole", 5);
}
END_TEST

START_TEST(an_object_is_never_put_over) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	char id[STORE_ID_LEN + 1];
	int r;

	suite_id('f', id);
	suite_put(drive, id, "first", 5);
	r = store_put_open(drive, id, &p, &e);
	if (r == 0)
		r = store_put_write(p, "second", 6, &e);
	if (r == 0)
		r = store_put_commit(p, &e);
	ck_assert_int_eq(r, ERR_EXISTS);
	store_put_free(p);
	suite_has(drive, id, "first", 5);
}
END_TEST

START_TEST(of_two_puts_at_once_the_second_commit_is_refused) {
	struct err e = ERR_INIT;
	struct store_put *a = NULL, *b = NULL;
	char id[STORE_ID_LEN + 1];

	suite_id('g', id);
	ck_assert_int_eq(store_put_open(drive, id, &a, &e), 0);
	ck_assert_int_eq(store_put_open(drive, id, &b, &e), 0);
	ck_assert_int_eq(store_put_write(a, "aa", 2, &e), 0);
	ck_assert_int_eq(store_put_write(b, "bbb", 3, &e), 0);
	ck_assert_int_eq(store_put_commit(b, &e), 0);
	ck_assert_int_eq(store_put_commit(a, &e), ERR_EXISTS);
	store_put_free(a);
	store_put_free(b);
	suite_has(drive, id, "bbb", 3);
	ck_assert_uint_eq(suite_count(drive), 1);
}
END_TEST

START_TEST(what_is_not_there_is_not_found) {
	struct err e = ERR_INIT;
	struct store_stat st;
	char id[STORE_ID_LEN + 1], byte;
	size_t n;

	suite_id('h', id);
	ck_assert_int_eq(store_stat(drive, id, &st, &e), ERR_NOTFOUND);
	ck_assert_int_eq(store_get(drive, id, 0, &byte, 1, &n, &e), ERR_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(e.text, id));
}
END_TEST

START_TEST(what_is_destroyed_is_gone_for_good) {
	struct err e = ERR_INIT;
	struct store_stat st;
	char id[STORE_ID_LEN + 1], other[STORE_ID_LEN + 1];

	suite_id('i', id);
	suite_id('j', other);
	suite_put(drive, id, "x", 1);
	suite_put(drive, other, "y", 1);
	ck_assert_msg(store_destroy(drive, id, &e) == 0, "%s", e.text);
	ck_assert_int_eq(store_stat(drive, id, &st, &e), ERR_NOTFOUND);
	ck_assert_uint_eq(suite_count(drive), 1);
	suite_has(drive, other, "y", 1);
}
END_TEST

START_TEST(destroying_what_is_gone_is_no_error) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];

	suite_id('k', id);
	ck_assert_int_eq(store_destroy(drive, id, &e), 0);
}
END_TEST

static void all_refuse(const char *id) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	struct store_stat st;
	size_t n;
	char byte;

	ck_assert_int_eq(store_put_open(drive, id, &p, &e), ERR_FAIL);
	ck_assert_ptr_null(p);
	ck_assert_int_eq(store_stat(drive, id, &st, &e), ERR_FAIL);
	ck_assert_int_eq(store_get(drive, id, 0, &byte, 1, &n, &e), ERR_FAIL);
	ck_assert_int_eq(store_destroy(drive, id, &e), ERR_FAIL);
}

START_TEST(what_is_no_id_is_refused_everywhere) {
	all_refuse("");
	all_refuse("../../../../../etc/passwd0");
	all_refuse("aaaaaaaaaaaaaaaaaaaaaaaaa");
	all_refuse("aaaaaaaaaaaaaaaaaaaaaaaaaaa");
	all_refuse("AAAAAAAAAAAAAAAAAAAAAAAAAA");
	all_refuse("aaaaaaaaaaaaa0aaaaaaaaaaaa");
	all_refuse("aaaaaaaaaaaaa/aaaaaaaaaaaa");
	ck_assert_uint_eq(suite_count(drive), 0);
}
END_TEST

struct seen {
	unsigned n, stop_at;
	uint64_t bytes;
	char letters[32];
};

static int see(void *arg, const struct store_stat *st, struct err *e) {
	struct seen *s = arg;

	(void)e;
	s->letters[s->n++] = st->id[0];
	s->bytes += st->size;
	return s->n == s->stop_at ? 77 : 0;
}

START_TEST(a_list_has_every_object_once) {
	struct err e = ERR_INIT;
	struct seen s = {0};
	char id[STORE_ID_LEN + 1];

	for (int c = 'a'; c < 'k'; c++) {
		suite_id((char)c, id);
		suite_put(drive, id, "0123456789", (size_t)(c - 'a'));
	}
	ck_assert_int_eq(store_list(drive, see, &s, &e), 0);
	ck_assert_uint_eq(s.n, 10);
	ck_assert_uint_eq(s.bytes, 45);
	for (int c = 'a'; c < 'k'; c++)
		ck_assert_ptr_nonnull(strchr(s.letters, c));
}
END_TEST

START_TEST(a_list_stops_when_told) {
	struct err e = ERR_INIT;
	struct seen s = { .stop_at = 2 };
	char id[STORE_ID_LEN + 1];

	for (int c = 'a'; c < 'f'; c++) {
		suite_id((char)c, id);
		suite_put(drive, id, "x", 1);
	}
	ck_assert_int_eq(store_list(drive, see, &s, &e), 77);
	ck_assert_uint_eq(s.n, 2);
}
END_TEST

START_TEST(a_second_handle_sees_the_same) {
	struct err e = ERR_INIT;
	struct store *again = NULL;
	char id[STORE_ID_LEN + 1];

	suite_id('l', id);
	suite_put(drive, id, "shared", 6);
	ck_assert_int_eq(store_open_env(&again, spec, fixture->env, &e), 0);
	ck_assert_str_eq(store_spec(again), spec);
	suite_has(again, id, "shared", 6);
	store_close(again);
}
END_TEST

START_TEST(a_sweep_of_a_clean_drive_removes_nothing) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];
	uint64_t n = 9;

	suite_id('m', id);
	suite_put(drive, id, "stays", 5);
	ck_assert_int_eq(store_sweep(drive, INT64_MAX, &n, &e), 0);
	ck_assert_uint_eq(n, 0);
	suite_has(drive, id, "stays", 5);
}
END_TEST

START_TEST(a_drive_that_is_not_there_is_unreachable) {
	struct err e = ERR_INIT;
	struct store *s = NULL;

	ck_assert_int_eq(store_open_env(&s, fixture->missing, fixture->env, &e), ERR_UNREACHABLE);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(another_kind_is_refused) {
	static const char *const bad[] = { "", "directory", "floppy:A", ":x", "directoryx:/tmp", "director:/tmp" };
	struct err e = ERR_INIT;
	struct store *s = NULL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(store_open(&s, bad[i], &e), ERR_USAGE);
	ck_assert_int_eq(store_open(&s, "a\033[2J:b", &e), ERR_USAGE);
	ck_assert_ptr_null(strchr(e.text, '\033'));
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(a_new_object_has_an_id_of_its_own) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	char id[STORE_ID_LEN + 1], other[STORE_ID_LEN + 1];

	ck_assert_msg(store_put_new(drive, id, &p, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(strlen(id), STORE_ID_LEN);
	ck_assert_int_eq(store_put_write(p, "drawn", 5, &e), 0);
	ck_assert_msg(store_put_commit(p, &e) == 0, "%s", e.text);
	store_put_free(p);
	suite_has(drive, id, "drawn", 5);
	ck_assert_int_eq(store_put_new(drive, other, &p, &e), 0);
	store_put_free(p);
	ck_assert_str_ne(id, other);
	ck_assert_uint_eq(suite_count(drive), 1);
}
END_TEST

/* All from off to the end; step bytes at a time. */
static size_t read_stream(const char *id, uint64_t off, uint8_t *out, size_t step) {
	struct err e = ERR_INIT;
	struct store_stream *r = NULL;
	size_t all = 0, got;

	ck_assert_msg(store_stream_open(drive, id, off, &r, &e) == 0, "%s", e.text);
	do {
		ck_assert_msg(store_stream_read(r, out + all, step, &got, &e) == 0, "%s", e.text);
		all += got;
	} while (got > 0);
	store_stream_free(r);
	return all;
}

START_TEST(a_stream_reads_from_an_offset_to_the_end) {
	char id[STORE_ID_LEN + 1];
	size_t len = 3u << 20, step = 65521;
	uint8_t *data = suite_bytes(len), *got = xmalloc(len + step);

	suite_id('n', id);
	suite_put(drive, id, data, len);
	ck_assert_uint_eq(read_stream(id, 0, got, step), len);
	ck_assert(memcmp(got, data, len) == 0);
	ck_assert_uint_eq(read_stream(id, 12345, got, step), len - 12345);
	ck_assert(memcmp(got, data + 12345, len - 12345) == 0);
	ck_assert_uint_eq(read_stream(id, len - 1, got, step), 1);
	ck_assert_uint_eq(read_stream(id, len, got, step), 0);
	ck_assert_uint_eq(read_stream(id, len + 99, got, step), 0);
	free(data);
	free(got);
}
END_TEST

START_TEST(a_stream_of_an_empty_object_ends_at_once) {
	char id[STORE_ID_LEN + 1];
	uint8_t got[8];

	suite_id('o', id);
	suite_put(drive, id, "", 0);
	ck_assert_uint_eq(read_stream(id, 0, got, sizeof(got)), 0);
}
END_TEST

START_TEST(a_stream_can_be_left_in_the_middle) {
	struct err e = ERR_INIT;
	struct store_stream *r = NULL;
	char id[STORE_ID_LEN + 1];
	uint8_t *data = suite_bytes(5u << 20), byte;
	size_t got;

	suite_id('p', id);
	suite_put(drive, id, data, 5u << 20);
	ck_assert_int_eq(store_stream_open(drive, id, 7, &r, &e), 0);
	ck_assert_int_eq(store_stream_read(r, &byte, 1, &got, &e), 0);
	ck_assert_uint_eq(got, 1);
	ck_assert_uint_eq(byte, data[7]);
	store_stream_free(r);
	ck_assert_int_eq(store_stream_open(drive, id, 0, &r, &e), 0);
	store_stream_free(r);
	free(data);
}
END_TEST

START_TEST(a_stream_of_what_is_not_there_is_not_found) {
	struct err e = ERR_INIT;
	struct store_stream *r = NULL;
	char id[STORE_ID_LEN + 1];
	uint8_t byte;
	size_t got;
	int rc;

	suite_id('q', id);
	rc = store_stream_open(drive, id, 0, &r, &e);
	if (rc == 0)
		rc = store_stream_read(r, &byte, 1, &got, &e);
	ck_assert_int_eq(rc, ERR_NOTFOUND);
	store_stream_free(r);
}
END_TEST

struct sending {
	char token[STORE_TOKEN_MAX + 1];
	uint64_t bytes;
	unsigned kept;
};

static int keep_token(void *arg, const char *token, struct err *e) {
	struct sending *s = arg;

	(void)e;
	ck_assert_uint_le(strlen(token), STORE_TOKEN_MAX);
	memcpy(s->token, token, strlen(token) + 1);
	s->kept++;
	return 0;
}

static void count_bytes(void *arg, uint64_t bytes) {
	struct sending *s = arg;

	s->bytes += bytes;
}

START_TEST(what_is_sent_from_a_file_comes_back) {
	struct err e = ERR_INIT;
	struct sending s = {0};
	char id[STORE_ID_LEN + 1];
	size_t len = (3u << 20) + 17;
	uint8_t *data = suite_bytes(len);
	struct store_send how = { .fd = suite_file(data, len), .size = len, .keep = keep_token, .progress = count_bytes, .arg = &s };

	suite_id('r', id);
	if (store_chunk(drive) == 0) {
		ck_assert_int_eq(store_send(drive, id, &how, &e), ERR_FAIL);
	} else {
		ck_assert_msg(store_send(drive, id, &how, &e) == 0, "%s", e.text);
		suite_has(drive, id, data, len);
		ck_assert_uint_eq(s.bytes, len);
		/* Sent once more with the same token: it is there. */
		ck_assert_uint_eq(s.kept, 1);
		how.token = s.token;
		ck_assert_msg(store_send(drive, id, &how, &e) == 0, "%s", e.text);
		ck_assert_uint_eq(suite_count(drive), 1);
	}
	(void)close(how.fd);
	free(data);
}
END_TEST

START_TEST(an_empty_file_is_sent) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];
	struct store_send how = { .fd = suite_file("", 0) };

	suite_id('s', id);
	if (store_chunk(drive) > 0) {
		ck_assert_msg(store_send(drive, id, &how, &e) == 0, "%s", e.text);
		suite_has(drive, id, "", 0);
	}
	(void)close(how.fd);
}
END_TEST

START_TEST(an_object_has_an_owner_or_none) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1], owner[STORE_OWNER_MAX] = "never set";

	suite_id('t', id);
	suite_put(drive, id, "mine", 4);
	ck_assert_msg(store_owner(drive, id, owner, &e) == 0, "%s", e.text);
	ck_assert(owner[0] == '\0' || strchr(owner, '@') != NULL);
}
END_TEST

static int none_kept(void *arg, const struct store_kept *k, struct err *e) {
	(void)arg, (void)e;
	ck_abort_msg("%s %s is kept", k->what, k->name);
	return 0;
}

START_TEST(a_drive_of_objects_keeps_nothing_else) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];

	suite_id('u', id);
	suite_put(drive, id, "one", 3);
	ck_assert_msg(store_each_kept(drive, none_kept, NULL, &e) == 0, "%s", e.text);
	ck_assert_int_eq(store_destroy(drive, id, &e), 0);
	ck_assert_msg(store_each_kept(drive, none_kept, NULL, &e) == 0, "%s", e.text);
}
END_TEST

START_TEST(the_handle_of_nothing_kept_is_refused) {
	static const char *const bad[] = { "", "../../files", "a/b", "a/revisions/", "a/revisions/b/c", "a?b" };
	struct err e = ERR_INIT;
	uint8_t byte;
	size_t got = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_ne(store_kept_get(drive, bad[i], 0, &byte, 1, &got, &e), 0);
}
END_TEST

static int read_twice(void *arg, unsigned i, struct err *e) {
	uint8_t *data = arg, got[4096];
	char id[STORE_ID_LEN + 1];
	struct store_stat st;
	size_t n = 0;
	int r;

	suite_id((char)('a' + i), id);
	for (unsigned j = 0; j < 4; j++)
		if ((r = store_stat(drive, id, &st, e)) != 0 || (r = store_get(drive, id, 100 * (uint64_t)j, got, sizeof(got), &n, e)) != 0)
			return r;
	return n == sizeof(got) && memcmp(got, data + 300, n) == 0 ? 0 : err_set(e, ERR_DAMAGED, "object %u", i);
}

static int put_one(void *arg, unsigned i, struct err *e) {
	struct store_put *p = NULL;
	char id[STORE_ID_LEN + 1];
	int r;

	suite_id((char)('a' + i), id);
	r = store_put_open(drive, id, &p, e);
	if (r == 0)
		r = store_put_write(p, arg, 9000, e);
	if (r == 0)
		r = store_put_commit(p, e);
	store_put_free(p);
	return r;
}

START_TEST(several_threads_use_one_drive) {
	struct err e = ERR_INIT;
	uint8_t *data = suite_bytes(9000);

	ck_assert_msg(work_run(4, put_one, data, &e) == 0, "%s", e.text);
	ck_assert_msg(work_run(4, read_twice, data, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(suite_count(drive), 4);
	free(data);
}
END_TEST

void store_suite_add(Suite *s, const struct store_fixture *fx) {
	TCase *tc = tcase_create("every store");

	fixture = fx;
	tcase_set_timeout(tc, SUITE_LIMIT_S);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_put_comes_back);
	tcase_add_test(tc, an_empty_object_is_an_object);
	tcase_add_test(tc, a_long_object_written_in_pieces_comes_back);
	tcase_add_test(tc, ranges_are_short_only_at_the_end);
	tcase_add_test(tc, nothing_appears_before_the_commit);
	tcase_add_test(tc, an_object_is_never_put_over);
	tcase_add_test(tc, of_two_puts_at_once_the_second_commit_is_refused);
	tcase_add_test(tc, what_is_not_there_is_not_found);
	tcase_add_test(tc, what_is_destroyed_is_gone_for_good);
	tcase_add_test(tc, destroying_what_is_gone_is_no_error);
	tcase_add_test(tc, what_is_no_id_is_refused_everywhere);
	tcase_add_test(tc, a_list_has_every_object_once);
	tcase_add_test(tc, a_list_stops_when_told);
	tcase_add_test(tc, a_second_handle_sees_the_same);
	tcase_add_test(tc, a_sweep_of_a_clean_drive_removes_nothing);
	tcase_add_test(tc, a_drive_that_is_not_there_is_unreachable);
	tcase_add_test(tc, another_kind_is_refused);
	tcase_add_test(tc, a_new_object_has_an_id_of_its_own);
	tcase_add_test(tc, a_stream_reads_from_an_offset_to_the_end);
	tcase_add_test(tc, a_stream_of_an_empty_object_ends_at_once);
	tcase_add_test(tc, a_stream_can_be_left_in_the_middle);
	tcase_add_test(tc, a_stream_of_what_is_not_there_is_not_found);
	tcase_add_test(tc, what_is_sent_from_a_file_comes_back);
	tcase_add_test(tc, an_empty_file_is_sent);
	tcase_add_test(tc, an_object_has_an_owner_or_none);
	tcase_add_test(tc, a_drive_of_objects_keeps_nothing_else);
	tcase_add_test(tc, the_handle_of_nothing_kept_is_refused);
	tcase_add_test(tc, several_threads_use_one_drive);
	suite_add_tcase(s, tc);
}
