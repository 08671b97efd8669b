/* SPDX-License-Identifier: Apache-2.0 */
/* base/file: files are read with a cap and appear whole or not at all. */
#include "base/file.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"

static char dir[] = "/tmp/scg-file-XXXXXX";
static char *path;

static void make_dir(void) {
	ck_assert_ptr_nonnull(mkdtemp(dir));
	path = file_join(dir, "f");
}

static void drop_dir(void) {
	OWN(own_free) char *cmd = xasprintf("rm -rf %s", dir);

	ck_assert_int_eq(system(cmd), 0); /* NOLINT(cert-env33-c): a test's own folder */
	free(path);
}

static int entries(void) {
	DIR *d = opendir(dir);
	int n = 0;

	ck_assert_ptr_nonnull(d);
	for (struct dirent *de; (de = readdir(d)) != NULL;)
		n += strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0;
	(void)closedir(d);
	return n;
}

static void assert_holds(const char *want) {
	OWN(buf_wipe) struct buf b = {0};

	ck_assert_int_eq(file_load(path, 1000, &b, NULL), 0);
	ck_assert_str_eq(buf_str(&b), want);
}

/* The one file with a temporary name was last written so long ago. */
static void age_leftover(int s) {
	DIR *d = opendir(dir);
	struct timespec t[2];

	ck_assert_ptr_nonnull(d);
	(void)clock_gettime(CLOCK_REALTIME, &t[1]);
	t[1].tv_sec -= s;
	t[0] = t[1];
	for (struct dirent *de; (de = readdir(d)) != NULL;)
		if (file_is_temporary(de->d_name))
			ck_assert_int_eq(utimensat(dirfd(d), de->d_name, t, 0), 0);
	(void)closedir(d);
}

START_TEST(only_our_own_temporary_names_are_known_as_such) {
	ck_assert(file_is_temporary(".scg-0123456789abcdef.tmp"));
	ck_assert(!file_is_temporary(".scg-0123456789abcde.tmp"));
	ck_assert(!file_is_temporary(".scg-0123456789abcdef0.tmp"));
	ck_assert(!file_is_temporary(".scg-0123456789ABCDEF.tmp"));
	ck_assert(!file_is_temporary(".scg-0123456789abcdef.tmp~"));
	ck_assert(!file_is_temporary("scg-0123456789abcdef.tmp"));
	ck_assert(!file_is_temporary(""));
}
END_TEST

START_TEST(saving_replaces_whole) {
	ck_assert_int_eq(file_save(path, "one", 3, 0600, NULL), 0);
	ck_assert_int_eq(file_save(path, "three", 5, 0600, NULL), 0);
	assert_holds("three");
	ck_assert_int_eq(entries(), 1);
} END_TEST

START_TEST(saving_new_never_replaces) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_save_new(path, "one", 3, 0600, &e), 0);
	ck_assert_int_eq(file_save_new(path, "two", 3, 0600, &e), ERR_EXISTS);
	assert_holds("one");
	ck_assert_int_eq(entries(), 1);
} END_TEST

START_TEST(an_output_that_is_not_kept_leaves_nothing) {
	{
		OWN(file_out_wipe) struct file_out o = { .fd = -1 };

		ck_assert_int_eq(file_out_open(&o, path, 0600, NULL), 0);
		ck_assert_int_eq(file_write_all(o.fd, "secret", 6, "f", NULL), 0);
		ck_assert(!file_exists(path));
	}
	ck_assert_int_eq(entries(), 0);
} END_TEST

/* --- processes that are killed: in front of the C library's functions stand the test's own (ld --wrap) --- */

static bool has_no_tmpfile, dies_at_rename, may_not_lock;

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_open(const char *name, int flags, ...);
int __wrap_open64(const char *name, int flags, ...);

int __wrap_flock(int fd, int how) {
	if (!may_not_lock)
		return __real_flock(fd, how);
	errno = ENOLCK;
	return -1;
}

int __wrap_rename(const char *from, const char *to) {
	if (dies_at_rename)
		(void)raise(SIGKILL);
	return __real_rename(from, to);
}

static int open_as(const char *name, int flags, va_list more) {
	mode_t mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, mode_t) : 0;

	if (!has_no_tmpfile || (flags & O_TMPFILE) != O_TMPFILE)
		return openat(AT_FDCWD, name, flags, mode);
	errno = EOPNOTSUPP;
	return -1;
}

int __wrap_open(const char *name, int flags, ...) {
	va_list more;
	int fd;

	va_start(more, flags);
	fd = open_as(name, flags, more);
	va_end(more);
	return fd;
}

int __wrap_open64(const char *name, int flags, ...) __attribute__((alias("__wrap_open")));

/* A child writes and is killed before it is done. */
static void die_writing(bool replaces) {
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		OWN(file_out_wipe) struct file_out o = { .fd = -1 };

		dies_at_rename = replaces;
		if (file_out_open(&o, path, 0600, NULL) == 0 && file_write_all(o.fd, "secret", 6, "f", NULL) == 0 && replaces)
			(void)!file_out_keep(&o, true, NULL);
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

/* Not all file systems have it that this may run on. */
static bool knows_tmpfile(void) {
	int fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

START_TEST(a_new_file_never_has_another_name) {
	if (!knows_tmpfile())
		return;
	die_writing(false);
	ck_assert_int_eq(entries(), 0);
	die_writing(true);
	ck_assert_int_eq(entries(), 1);
	assert_holds("secret");
} END_TEST

START_TEST(what_a_killed_writer_left_is_swept) {
	has_no_tmpfile = _i == 1 || !knows_tmpfile();
	ck_assert_int_eq(file_save(path, "old", 3, 0600, NULL), 0);
	die_writing(!has_no_tmpfile);
	ck_assert_int_eq(entries(), 2);
	if (has_no_tmpfile) { /* perhaps another machine writes it */
		file_sweep(dir);
		ck_assert_int_eq(entries(), 2);
		age_leftover(61);
		file_sweep(dir); /* it was looked into last */
		ck_assert_int_eq(entries(), 2);
		file_sweep("/");
	}
	file_sweep(dir);
	ck_assert_int_eq(entries(), 1);
	assert_holds("old");
} END_TEST

START_TEST(what_a_writer_still_holds_is_not_swept) {
	OWN(file_out_wipe) struct file_out o = { .fd = -1 };

	has_no_tmpfile = true;
	ck_assert_int_eq(file_out_open(&o, path, 0600, NULL), 0);
	ck_assert_int_eq(file_write_all(o.fd, "new", 3, "f", NULL), 0);
	age_leftover(1000);
	file_sweep(dir);
	ck_assert_int_eq(entries(), 1);
	ck_assert_int_eq(file_out_keep(&o, true, NULL), 0);
	ck_assert_int_eq(entries(), 1);
	assert_holds("new");
} END_TEST

START_TEST(where_there_are_no_locks_nothing_is_swept) {
	has_no_tmpfile = may_not_lock = true;
	die_writing(false);
	age_leftover(1000);
	file_sweep(dir);
	ck_assert_int_eq(entries(), 1);
	ck_assert_int_eq(file_save(path, "new", 3, 0600, NULL), 0);
	assert_holds("new");
} END_TEST

START_TEST(only_our_own_temporary_files_are_swept) {
	static const char *const others[] = { ".scg-0123456789abcdef", "scg-0123456789abcdef.tmp", ".scg-0123456789abcdeg.tmp" };

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		OWN(own_free) char *other = file_join(dir, others[i]);

		ck_assert_int_eq(file_save(other, "x", 1, 0600, NULL), 0);
	}
	OWN(own_free) char *link = file_join(dir, ".scg-0123456789abcdef.tmp");
	OWN(own_free) char *folder = file_join(dir, ".scg-0123456789abcdee.tmp");

	ck_assert_int_eq(symlink(others[0], link), 0);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	file_sweep(dir);
	ck_assert_int_eq(entries(), 5);
	file_sweep("/nonexistent");
} END_TEST

START_TEST(a_full_disk_is_an_error_and_keeps_the_old) {
	struct rlimit lim = { 4096, 4096 };
	char big[10000];
	struct err e = ERR_INIT;

	memset(big, 'x', sizeof(big));
	ck_assert_int_eq(file_save(path, "old", 3, 0600, NULL), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	ck_assert_int_lt(file_save(path, big, sizeof(big), 0600, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "cannot write"));
	assert_holds("old");
	ck_assert_int_eq(entries(), 1);
} END_TEST

START_TEST(a_folder_cannot_be_an_output) {
	OWN(file_out_wipe) struct file_out o = { .fd = -1 };

	ck_assert_int_lt(file_out_open(&o, dir, 0600, NULL), 0);
} END_TEST

START_TEST(a_pipe_is_written_and_never_replaced) {
	OWN(file_out_wipe) struct file_out o = { .fd = -1 };
	OWN(own_fd) int reader = -1;
	struct stat st;
	char got[8];
	struct err e = ERR_INIT;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert((reader = open(path, O_RDONLY | O_NONBLOCK)) >= 0);
	ck_assert_int_eq(file_save(path, "text", 4, 0600, NULL), 0);
	ck_assert_int_eq(read(reader, got, sizeof got), 4);
	ck_assert(stat(path, &st) == 0 && S_ISFIFO(st.st_mode));
	ck_assert_int_eq(file_out_open(&o, path, 0600, &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "device or a pipe"));
	ck_assert_int_eq(entries(), 1);
} END_TEST

START_TEST(devices_and_links_to_descriptors_are_special) {
	ck_assert(file_is_special("/dev/null"));
	ck_assert(file_is_special("/dev/stdout"));
	ck_assert(!file_is_special(dir));
	ck_assert(!file_is_special(path));
	ck_assert_int_eq(file_save(path, "text", 4, 0600, NULL), 0);
	ck_assert(!file_is_special(path));
} END_TEST

START_TEST(the_cap_is_exact) {
	OWN(buf_wipe) struct buf b = {0};

	ck_assert_int_eq(file_save(path, "12345", 5, 0600, NULL), 0);
	ck_assert_int_eq(file_load(path, 5, &b, NULL), 0);
	buf_clear(&b);
	ck_assert_int_eq(file_load(path, 4, &b, NULL), ERR_FAIL);
} END_TEST

START_TEST(what_is_missing_or_no_file_is_refused) {
	OWN(buf_wipe) struct buf b = {0};

	ck_assert_int_eq(file_load(path, 5, &b, NULL), ERR_NOTFOUND);
	ck_assert_int_eq(file_load(dir, 5, &b, NULL), ERR_FAIL);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(file_load(path, 5, &b, NULL), ERR_FAIL);
} END_TEST

START_TEST(a_key_that_others_may_read_is_refused) {
	OWN(buf_wipe) struct buf b = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_save(path, "k", 1, 0600, NULL), 0);
	ck_assert_int_eq(file_load_private(path, 5, &b, NULL), 0);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_int_lt(file_load_private(path, 5, &b, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "chmod 600"));
} END_TEST

START_TEST(the_mode_is_what_was_asked_for) {
	struct stat st;

	(void)umask(077);
	ck_assert_int_eq(file_save(path, "k", 1, 0644, NULL), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
} END_TEST

START_TEST(a_path_with_escapes_is_shown_harmless) {
	OWN(own_free) char *bad = file_join(dir, "a\x1b[2Jb");
	OWN(buf_wipe) struct buf b = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_load(bad, 5, &b, &e), ERR_NOTFOUND);
	ck_assert_ptr_null(strchr(e.text, '\x1b'));
} END_TEST

START_TEST(a_lock_holds_off_another) {
	int a = -1, b = -1;

	ck_assert_int_eq(file_lock(path, 0, &a, NULL), 0);
	ck_assert_int_eq(file_lock(path, 50, &b, NULL), ERR_UNREACHABLE);
	(void)close(a);
	ck_assert_int_eq(file_lock(path, 50, &b, NULL), 0);
	(void)close(b);
} END_TEST

START_TEST(folders_are_made_with_those_above) {
	OWN(own_free) char *deep = file_join(dir, "a/b/c"), *below = file_join(path, "x");

	ck_assert_int_lt(file_mkdir(deep, 0700, false, NULL), 0);
	ck_assert_int_eq(file_mkdir(deep, 0700, true, NULL), 0);
	ck_assert_int_eq(file_mkdir(deep, 0700, true, NULL), 0);
	ck_assert_int_eq(file_save(path, "x", 1, 0600, NULL), 0);
	ck_assert_int_lt(file_mkdir(path, 0700, true, NULL), 0);
	ck_assert_int_lt(file_mkdir(below, 0700, true, NULL), 0);
} END_TEST

int main(void) {
	Suite *s = suite_create("file");
	TCase *t = tcase_create("file");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, make_dir, drop_dir);
	tcase_add_test(t, saving_replaces_whole);
	tcase_add_test(t, saving_new_never_replaces);
	tcase_add_test(t, an_output_that_is_not_kept_leaves_nothing);
	tcase_add_test(t, a_new_file_never_has_another_name);
	tcase_add_loop_test(t, what_a_killed_writer_left_is_swept, 0, 2);
	tcase_add_test(t, what_a_writer_still_holds_is_not_swept);
	tcase_add_test(t, where_there_are_no_locks_nothing_is_swept);
	tcase_add_test(t, only_our_own_temporary_files_are_swept);
	tcase_add_test(t, a_full_disk_is_an_error_and_keeps_the_old);
	tcase_add_test(t, a_folder_cannot_be_an_output);
	tcase_add_test(t, a_pipe_is_written_and_never_replaced);
	tcase_add_test(t, devices_and_links_to_descriptors_are_special);
	tcase_add_test(t, the_cap_is_exact);
	tcase_add_test(t, what_is_missing_or_no_file_is_refused);
	tcase_add_test(t, a_key_that_others_may_read_is_refused);
	tcase_add_test(t, the_mode_is_what_was_asked_for);
	tcase_add_test(t, a_path_with_escapes_is_shown_harmless);
	tcase_add_test(t, a_lock_holds_off_another);
	tcase_add_test(t, folders_are_made_with_those_above);
	tcase_add_test(t, only_our_own_temporary_names_are_known_as_such);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
