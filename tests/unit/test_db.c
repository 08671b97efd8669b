/* SPDX-License-Identifier: Apache-2.0 */
/* base/db: what is committed stays, what is not leaves no trace, and others wait. */
#include "base/db.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "lib/suite.h"
#include "lib/tmp.h"

static const char *const schema[] = {
	"CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER, b BLOB) STRICT;",
	NULL,
};

static struct db *open_it(void) {
	struct err e = ERR_INIT;
	struct db *d;

	ck_assert_msg(db_open(&d, tmp_path("x.db"), schema, &e) == 0, "%s", e.text);
	return d;
}

static void put(struct db *d, const char *k, int64_t v) {
	ck_assert_int_eq(db_run(d, NULL, "INSERT INTO t (k, v) VALUES (?, ?)", "si", k, v), 0);
}

static int64_t count(struct db *d) {
	int64_t n = -1;

	ck_assert_int_eq(db_get_int(d, NULL, &n, "SELECT count(*) FROM t", ""), 0);
	return n;
}

START_TEST(committed_rows_survive_reopening) {
	OWN(db_close) struct db *d = open_it();

	ck_assert_int_eq(db_begin(d, NULL), 0);
	put(d, "a", 1);
	ck_assert_int_eq(db_commit(d, NULL), 0);
	db_close(&d);
	d = open_it();
	ck_assert_int_eq(count(d), 1);
} END_TEST

#define PLACE_MAX 504 /* mxPathname of SQLite's VFS for Unix is 512, and names get 8 bytes more */

/* The folder's path, of so many bytes, made up to its last part. */
static char *deep(size_t len, bool make_all) {
	char *path = realpath(tmp_dir(), NULL);

	ck_assert_ptr_nonnull(path);
	while (strlen(path) < len) {
		size_t left = len - strlen(path) - 1, part = left > 202 ? 200 : left;
		char *longer = xasprintf("%s/%0*d", path, (int)part, 0);

		free(path);
		path = longer;
		if (strlen(path) < len || make_all)
			ck_assert_int_eq(file_mkdir(path, 0700, true, NULL), 0);
	}
	ck_assert_uint_eq(strlen(path), len);
	return path;
}

START_TEST(a_path_as_long_as_sqlite_takes_is_opened) {
	OWN(own_free) char *dir = deep(PLACE_MAX - 5, true), *path = file_join(dir, "x.db");
	OWN(db_close) struct db *d = NULL;
	struct err e = ERR_INIT;

	ck_assert_msg(db_open(&d, path, schema, &e) == 0, "%s", e.text);
	put(d, "a", 1);
	db_close(&d);
	ck_assert_msg(db_open(&d, path, schema, &e) == 0, "%s", e.text);
	ck_assert_int_eq(count(d), 1);
} END_TEST

START_TEST(a_longer_path_is_refused_before_anything_is_made) {
	OWN(own_free) char *dir = deep(PLACE_MAX - 4, true), *path = file_join(dir, "x.db");
	OWN(db_close) struct db *d = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(db_open(&d, path, schema, &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "x.db: a path of 505 bytes"));
	ck_assert(!file_exists(path));
} END_TEST

START_TEST(a_folder_that_is_not_there_yet_counts_as_long_as_it_will_be) {
	OWN(own_free) char *longest = deep(PLACE_MAX, false), *longer = deep(PLACE_MAX + 1, false);

	ck_assert_int_eq(db_check_place(longest, NULL), 0);
	ck_assert_int_eq(db_check_place(longer, NULL), ERR_FAIL);
} END_TEST

START_TEST(links_and_relative_paths_count_as_where_they_lead) {
	OWN(own_free) char *dir = deep(PLACE_MAX - 4, true), *by_link = xasprintf("%s/link/x.db", tmp_dir());

	ck_assert_int_eq(symlink(dir, tmp_path("link")), 0);
	ck_assert_int_eq(db_check_place(by_link, NULL), ERR_FAIL);
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(db_check_place("x.db", NULL), ERR_FAIL);
	ck_assert_int_eq(db_check_place("./x.db", NULL), ERR_FAIL);
	ck_assert_int_eq(db_check_place("x.d", NULL), 0);
	ck_assert_int_eq(db_check_place("./x.d", NULL), 0);
	ck_assert_int_eq(db_check_place("../x.db", NULL), 0);
	ck_assert_int_eq(chdir("/"), 0);
} END_TEST

/* POSIX: closing any descriptor of a file drops this process's locks on it. A second handle may not open one of its own beside SQLite's. */
START_TEST(a_second_handle_of_a_process_takes_no_locks_away) {
	OWN(db_close) struct db *d = open_it();
	struct db *second = open_it();
	int status;
	pid_t pid;

	put(d, "a", 1);
	put(second, "b", 2);
	db_close(&second);
	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0) { /* would think that it is the last one, and clear the write-ahead log away */
		struct db *other = open_it();

		put(other, "c", 3);
		db_close(&other);
		_exit(file_exists(tmp_path("x.db-wal")) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(count(d), 3);
	put(d, "d", 4);
} END_TEST

struct pieces { size_t n, bytes; uint8_t sum; };

static int add_piece(void *arg, const uint8_t *piece, size_t len, struct err *e) {
	struct pieces *p = arg;

	for (size_t i = 0; i < len; i++)
		p->sum = (uint8_t)(p->sum * 31 + piece[i]);
	p->bytes += len;
	return ++p->n == 3 && p->bytes == 0 ? err_set(e, ERR_FAIL, "never") : 0;
}

START_TEST(a_blob_goes_in_and_comes_out_in_pieces) {
	static uint8_t bytes[300001];
	OWN(db_close) struct db *d = open_it();
	struct pieces want = {0}, got = {0};
	struct err e = ERR_INIT;
	size_t len = 0;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * i >> 3);
	ck_assert_int_eq(add_piece(&want, bytes, sizeof bytes, &e), 0);
	ck_assert_int_eq(db_begin(d, &e), 0);
	ck_assert_int_eq(db_run(d, &e, "INSERT INTO t (k, b) VALUES ('x', zeroblob(?))", "i", (int64_t)sizeof bytes), 0);
	ck_assert_msg(db_blob_write(d, "t", "b", db_last_id(d), bytes, sizeof bytes, &e) == 0, "%s", e.text);
	ck_assert_int_eq(db_commit(d, &e), 0);
	ck_assert_int_eq(db_blob_read(d, "t", "b", 1, &len, add_piece, &got, &e), 0);
	ck_assert_uint_eq(len, sizeof bytes);
	ck_assert_uint_eq(got.bytes, sizeof bytes);
	ck_assert_uint_gt(got.n, 3);
	ck_assert_uint_eq(got.sum, want.sum);
	ck_assert_int_eq(db_blob_read(d, "t", "b", 2, &len, add_piece, &got, &e), ERR_NOTFOUND);
	ck_assert_int_eq(db_blob_write(d, "t", "b", 2, bytes, 1, &e), ERR_NOTFOUND);
	ck_assert_int_ne(db_blob_write(d, "t", "b", 1, bytes, sizeof bytes - 1, &e), 0);
} END_TEST

START_TEST(one_file_is_left_after_closing) {
	OWN(db_close) struct db *d = open_it();

	put(d, "a", 1);
	ck_assert(file_exists(tmp_path("x.db-wal")));
	db_close(&d);
	ck_assert(!file_exists(tmp_path("x.db-wal")));
	ck_assert(!file_exists(tmp_path("x.db-shm")));
} END_TEST

START_TEST(files_are_for_the_owner_only) {
	static const char *const names[] = { "x.db", "x.db-wal", "x.db-shm" };
	mode_t old = umask(0);
	OWN(db_close) struct db *d = open_it();
	struct stat st;

	put(d, "a", 1);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		ck_assert_int_eq(stat(tmp_path(names[i]), &st), 0);
		ck_assert_uint_eq(st.st_mode & 0777, 0600);
	}
	(void)umask(old);
} END_TEST

START_TEST(values_of_each_kind_round_trip) {
	OWN(db_close) struct db *d = open_it();
	OWN(db_done) struct db_rows r = { 0 };
	size_t len = 9;

	ck_assert_int_eq(db_run(d, NULL, "INSERT INTO t VALUES (?, ?, ?)", "sib", "full", INT64_MIN, "\0x", (size_t)2), 0);
	ck_assert_int_eq(db_changes(d), 1);
	ck_assert_int_eq(db_run(d, NULL, "INSERT INTO t VALUES (?, ?, ?)", "snb", "none", (const void *)NULL, (size_t)0), 0);
	ck_assert_int_eq(db_run(d, NULL, "INSERT INTO t VALUES (?, ?, ?)", "sib", "short", (int64_t)0, "", (size_t)0), 0);
	ck_assert_int_eq(db_query(d, &r, NULL, "SELECT k, v, b FROM t ORDER BY k", ""), 0);
	ck_assert_int_eq(db_row(&r, NULL), 1);
	ck_assert_str_eq(db_text(&r, 0), "full");
	ck_assert_int_eq(db_int(&r, 1), INT64_MIN);
	ck_assert_mem_eq(db_blob(&r, 2, &len), "\0x", 2);
	ck_assert_uint_eq(len, 2);
	ck_assert_int_eq(db_row(&r, NULL), 1);
	ck_assert(db_is_null(&r, 1) && db_is_null(&r, 2));
	ck_assert_str_eq(db_text(&r, 2), "");
	ck_assert_int_eq(db_row(&r, NULL), 1);
	ck_assert(!db_is_null(&r, 2));
	ck_assert_ptr_nonnull(db_blob(&r, 2, &len));
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(db_row(&r, NULL), 0);
	ck_assert_int_eq(db_row(&r, NULL), 0);
} END_TEST

START_TEST(a_query_within_the_same_query_has_its_own_rows) {
	OWN(db_close) struct db *d = open_it();
	int64_t n = 0;

	put(d, "a", 1);
	put(d, "b", 2);
	for (int again = 0; again < 2; again++) {
		OWN(db_done) struct db_rows outer = { 0 };

		ck_assert_int_eq(db_query(d, &outer, NULL, "SELECT v FROM t", ""), 0);
		while (db_row(&outer, NULL) == 1) {
			OWN(db_done) struct db_rows inner = { 0 };

			ck_assert_int_eq(db_query(d, &inner, NULL, "SELECT v FROM t", ""), 0);
			while (db_row(&inner, NULL) == 1)
				n += db_int(&inner, 0);
		}
	}
	ck_assert_int_eq(n, 12); /* twice, for each of two rows: 1 + 2 */
} END_TEST

START_TEST(more_statements_than_are_cached_work) {
	OWN(db_close) struct db *d = open_it();
	int64_t v;

	for (int i = 0; i < 300; i++) {
		OWN(own_free) char *sql = xasprintf("SELECT %d + ?", i % 150);

		ck_assert_int_eq(db_get_int(d, NULL, &v, sql, "i", (int64_t)1), 0);
		ck_assert_int_eq(v, i % 150 + 1);
	}
} END_TEST

START_TEST(wrong_sql_and_wrong_number_of_values_are_refused) {
	OWN(db_close) struct db *d = open_it();
	struct err e = ERR_INIT;

	ck_assert_int_eq(db_run(d, &e, "INSERT INTO nowhere VALUES (1)", ""), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "nowhere"));
	ck_assert_int_eq(db_run(d, &e, "INSERT INTO t (k) VALUES (?)", ""), ERR_FAIL);
	ck_assert_int_eq(db_run(d, &e, "INSERT INTO t (k) VALUES (?)", "ss", "a", "b"), ERR_FAIL);
	ck_assert_int_eq(db_run(d, &e, "INSERT INTO t (k) VALUES (?)", "x"), ERR_FAIL);
	ck_assert_int_eq(count(d), 0);
} END_TEST

START_TEST(no_row_is_not_found) {
	OWN(db_close) struct db *d = open_it();
	int64_t v = 7;

	ck_assert_int_eq(db_get_int(d, NULL, &v, "SELECT v FROM t WHERE k = ?", "s", "a"), ERR_NOTFOUND);
	ck_assert_int_eq(v, 7);
} END_TEST

START_TEST(the_same_key_twice_is_refused) {
	OWN(db_close) struct db *d = open_it();

	put(d, "a", 1);
	ck_assert_int_eq(db_run(d, NULL, "INSERT INTO t (k, v) VALUES (?, ?)", "si", "a", (int64_t)2), ERR_EXISTS);
	ck_assert_int_eq(count(d), 1);
} END_TEST

START_TEST(rolling_back_leaves_nothing) {
	OWN(db_close) struct db *d = open_it();

	ck_assert_int_eq(db_begin(d, NULL), 0);
	put(d, "a", 1);
	db_rollback(d);
	db_rollback(d);
	ck_assert_int_eq(count(d), 0);
	ck_assert_int_eq(db_begin(d, NULL), 0);
	put(d, "a", 1);
	db_close(&d);
	d = open_it();
	ck_assert_int_eq(count(d), 0);
} END_TEST

START_TEST(a_savepoint_undoes_its_own_part_only) {
	OWN(db_close) struct db *d = open_it();

	ck_assert_int_eq(db_begin(d, NULL), 0);
	put(d, "a", 1);
	ck_assert_int_eq(db_savepoint(d, NULL), 0);
	put(d, "b", 1);
	db_savepoint_rollback(d);
	ck_assert_int_eq(db_savepoint(d, NULL), 0);
	put(d, "c", 1);
	ck_assert_int_eq(db_savepoint_release(d, NULL), 0);
	ck_assert_int_eq(db_commit(d, NULL), 0);
	ck_assert_int_eq(count(d), 2);
} END_TEST

START_TEST(full_disk_is_named_and_leaves_the_rest_whole) {
	OWN(db_close) struct db *d = open_it();
	struct err e = ERR_INIT;
	char big[4096] = { 0 };
	int r = 0;

	put(d, "a", 1);
	{
		OWN(db_done) struct db_rows rows = { 0 };

		ck_assert_int_eq(db_query(d, &rows, NULL, "PRAGMA max_page_count = 8", ""), 0);
		ck_assert_int_eq(db_row(&rows, NULL), 1);
	}
	ck_assert_int_eq(db_begin(d, NULL), 0);
	for (int i = 0; i < 20 && r == 0; i++)
		r = db_run(d, &e, "INSERT INTO t (k, b) VALUES (hex(randomblob(8)), ?)", "b", big, sizeof big);
	ck_assert_int_eq(r, ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "disk full"));
	db_rollback(d);
	ck_assert_int_eq(count(d), 1);
	put(d, "b", 1);
} END_TEST

START_TEST(a_writer_elsewhere_means_try_again) {
	OWN(db_close) struct db *d = open_it(), *other = open_it();
	struct err e = ERR_INIT;

	ck_assert_int_eq(db_begin(other, NULL), 0);
	ck_assert_int_eq(db_run(d, NULL, "PRAGMA busy_timeout = 30", ""), 0);
	ck_assert_int_eq(db_begin(d, &e), ERR_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(e.text, "another process"));
	ck_assert_int_eq(db_commit(other, NULL), 0);
	ck_assert_int_eq(db_begin(d, &e), 0);
} END_TEST

/* As long as it takes: a disk may be slower than a user is patient. */
static void wait_for_others(struct db *d) {
	ck_assert_int_eq(db_run(d, NULL, "PRAGMA busy_timeout = 3600000", ""), 0);
}

static void add_ten(void) {
	OWN(db_close) struct db *d = NULL;

	while (db_open(&d, tmp_path("x.db"), schema, NULL) == ERR_UNREACHABLE)
		continue;
	ck_assert_ptr_nonnull(d);
	wait_for_others(d);
	for (int i = 0; i < 10; i++) {
		int64_t v;

		ck_assert_int_eq(db_begin(d, NULL), 0);
		ck_assert_int_eq(db_get_int(d, NULL, &v, "SELECT coalesce(max(v), 0) FROM t", ""), 0);
		ck_assert_int_eq(db_run(d, NULL, "INSERT INTO t (k, v) VALUES (?1, ?1 + 0)", "i", v + 1), 0);
		ck_assert_int_eq(db_commit(d, NULL), 0);
	}
}

START_TEST(closing_does_not_wait_for_a_writer_elsewhere) {
	OWN(db_close) struct db *d = open_it(), *other = open_it();

	wait_for_others(d);
	ck_assert_int_eq(db_begin(other, NULL), 0);
	db_close(&d); /* else the test's own limit ends it */
	ck_assert_int_eq(db_commit(other, NULL), 0);
} END_TEST

/* Also: all open a database that is not there yet, at the same moment. */
START_TEST(processes_at_once_wait_for_each_other) {
	OWN(db_close) struct db *d = NULL;
	int64_t v;
	int status;

	for (int i = 0; i < 6; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			add_ten();
			_exit(0);
		}
	}
	for (int i = 0; i < 6; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	d = open_it();
	ck_assert_int_eq(db_get_int(d, NULL, &v, "SELECT max(v) FROM t", ""), 0);
	ck_assert_int_eq(v, 60);
	ck_assert_int_eq(count(d), 60);
} END_TEST

START_TEST(a_killed_process_loses_nothing_that_it_committed) {
	OWN(db_close) struct db *d = NULL;
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		d = open_it();
		put(d, "a", 1);
		(void)!db_begin(d, NULL);
		put(d, "b", 1);
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	d = open_it();
	ck_assert_int_eq(count(d), 1);
} END_TEST

START_TEST(an_older_schema_is_brought_up_step_by_step) {
	static const char *const later[] = {
		"CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER, b BLOB) STRICT;",
		"ALTER TABLE t ADD COLUMN n INTEGER; UPDATE t SET n = v + 1;",
		"CREATE TABLE u (k TEXT);",
		NULL,
	};
	OWN(db_close) struct db *d = open_it();
	int64_t n;

	put(d, "a", 1);
	db_close(&d);
	for (int again = 0; again < 2; again++) {
		ck_assert_int_eq(db_open(&d, tmp_path("x.db"), later, NULL), 0);
		ck_assert_int_eq(db_get_int(d, NULL, &n, "SELECT n FROM t", ""), 0);
		ck_assert_int_eq(n, 2);
		ck_assert_int_eq(db_get_int(d, NULL, &n, "SELECT count(*) FROM u", ""), 0);
		db_close(&d);
	}
} END_TEST

START_TEST(a_newer_schema_is_refused_and_untouched) {
	OWN(db_close) struct db *d = open_it();
	struct err e = ERR_INIT;

	put(d, "a", 1);
	ck_assert_int_eq(db_run(d, NULL, "PRAGMA user_version = 2", ""), 0);
	db_close(&d);
	ck_assert_int_eq(db_open(&d, tmp_path("x.db"), schema, &e), ERR_FAIL);
	ck_assert_ptr_null(d);
	ck_assert_ptr_nonnull(strstr(e.text, "newer version"));
} END_TEST

START_TEST(a_failed_migration_leaves_the_older_schema) {
	static const char *const broken[] = {
		"CREATE TABLE t (k TEXT PRIMARY KEY, v INTEGER, b BLOB) STRICT;",
		"CREATE TABLE u (k TEXT); INSERT INTO nowhere VALUES (1);",
		NULL,
	};
	OWN(db_close) struct db *d = open_it();
	int64_t n;

	db_close(&d);
	ck_assert_int_eq(db_open(&d, tmp_path("x.db"), broken, NULL), ERR_FAIL);
	d = open_it();
	ck_assert_int_eq(db_get_int(d, NULL, &n, "SELECT count(*) FROM sqlite_schema WHERE name = 'u'", ""), 0);
	ck_assert_int_eq(n, 0);
} END_TEST

START_TEST(what_is_no_database_is_refused) {
	struct err e = ERR_INIT;
	char junk[8192];
	struct db *d;

	memset(junk, 'x', sizeof junk);
	ck_assert_int_eq(file_save(tmp_path("x.db"), junk, sizeof junk, 0600, NULL), 0);
	ck_assert_int_eq(db_open(&d, tmp_path("x.db"), schema, &e), ERR_DAMAGED);
	ck_assert_ptr_null(d);
} END_TEST

START_TEST(a_folder_that_is_not_there_is_refused) {
	struct db *d;

	ck_assert_int_eq(db_open(&d, tmp_path("none/x.db"), schema, NULL), ERR_FAIL);
	ck_assert_ptr_null(d);
} END_TEST

int main(void) {
	TCase *t = tcase_create("db");

	tcase_add_checked_fixture(t, tmp_make, tmp_drop);
	tcase_add_test(t, committed_rows_survive_reopening);
	tcase_add_test(t, a_path_as_long_as_sqlite_takes_is_opened);
	tcase_add_test(t, a_longer_path_is_refused_before_anything_is_made);
	tcase_add_test(t, a_folder_that_is_not_there_yet_counts_as_long_as_it_will_be);
	tcase_add_test(t, links_and_relative_paths_count_as_where_they_lead);
	tcase_add_test(t, a_second_handle_of_a_process_takes_no_locks_away);
	tcase_add_test(t, a_blob_goes_in_and_comes_out_in_pieces);
	tcase_add_test(t, one_file_is_left_after_closing);
	tcase_add_test(t, files_are_for_the_owner_only);
	tcase_add_test(t, values_of_each_kind_round_trip);
	tcase_add_test(t, a_query_within_the_same_query_has_its_own_rows);
	tcase_add_test(t, more_statements_than_are_cached_work);
	tcase_add_test(t, wrong_sql_and_wrong_number_of_values_are_refused);
	tcase_add_test(t, no_row_is_not_found);
	tcase_add_test(t, the_same_key_twice_is_refused);
	tcase_add_test(t, rolling_back_leaves_nothing);
	tcase_add_test(t, a_savepoint_undoes_its_own_part_only);
	tcase_add_test(t, full_disk_is_named_and_leaves_the_rest_whole);
	tcase_add_test(t, a_writer_elsewhere_means_try_again);
	tcase_add_test(t, closing_does_not_wait_for_a_writer_elsewhere);
	tcase_add_test(t, processes_at_once_wait_for_each_other);
	tcase_add_test(t, a_killed_process_loses_nothing_that_it_committed);
	tcase_add_test(t, an_older_schema_is_brought_up_step_by_step);
	tcase_add_test(t, a_newer_schema_is_refused_and_untouched);
	tcase_add_test(t, a_failed_migration_leaves_the_older_schema);
	tcase_add_test(t, what_is_no_database_is_refused);
	tcase_add_test(t, a_folder_that_is_not_there_is_refused);
	return suite_run("db", t);
}
