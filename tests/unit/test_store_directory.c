/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "store_suite.h"

static char folder[64], spec_text[96];
static struct store *drive;

static const char *make_folder(void) {
	(void)snprintf(folder, sizeof(folder), "/tmp/scg-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(spec_text, sizeof(spec_text), "directory:%s", folder);
	return spec_text;
}

static void remove_folder(void) {
	char cmd[192];

	(void)snprintf(cmd, sizeof(cmd), "chmod -R u+rwx %s; rm -rf %s", folder, folder);
	ck_assert_int_eq(system(cmd), 0); /* NOLINT(cert-env33-c): the test's own folder */
}

static const struct store_fixture fixture = { make_folder, remove_folder, "directory:/nowhere/at/all", NULL };

static void setup(void) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(store_open(&drive, make_folder(), &e), 0);
}

static void teardown(void) {
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	store_close(drive);
	remove_folder();
}

static char *at(const char *name) {
	return file_join(folder, name);
}

static void plant(const char *name, const char *text) {
	struct err e = ERR_INIT;
	OWN(own_free) char *path = at(name);

	ck_assert_msg(file_save(path, text, strlen(text), 0644, &e) == 0, "%s", e.text);
}

static void plant_folder(const char *name) {
	struct err e = ERR_INIT;
	OWN(own_free) char *path = at(name);

	ck_assert_int_eq(file_mkdir(path, 0700, true, &e), 0);
}

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaa"

START_TEST(the_object_lies_at_its_own_place) {
	struct stat st;
	OWN(own_free) char *path = at("aa/" ID_A ".cms");

	suite_put(drive, ID_A, "x", 1);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
}
END_TEST

START_TEST(objects_take_the_mode_of_the_folder) {
	struct stat st;
	OWN(own_free) char *path = at("aa/" ID_A ".cms");
	OWN(own_free) char *shard = at("aa");

	teardown();
	(void)umask(077);
	make_folder();
	ck_assert_int_eq(chmod(folder, 02775), 0);
	struct err e = ERR_INIT;
	ck_assert_int_eq(store_open(&drive, spec_text, &e), 0);
	free(path);
	free(shard);
	path = at("aa/" ID_A ".cms");
	shard = at("aa");
	suite_put(drive, ID_A, "x", 1);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0664);
	ck_assert_int_eq(stat(shard, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0775);
}
END_TEST

START_TEST(foreign_files_are_passed_over) {
	plant("README", "hello");
	plant("desktop.ini", "x");
	plant_folder("aa/deeper");
	plant_folder(".dropbox.cache");
	plant("aa/short.cms", "x");
	plant("aa/AAAAAAAAAAAAAAAAAAAAAAAAAA.cms", "x");
	plant("aa/" ID_A ".cms.part", "x");
	plant("aa/deeper/" ID_A ".cms", "x");
	plant(".dropbox.cache/" ID_A ".cms", "x");
	ck_assert_uint_eq(suite_count(drive), 0);
	suite_put(drive, ID_A, "mine", 4);
	ck_assert_uint_eq(suite_count(drive), 1);
}
END_TEST

START_TEST(a_link_is_no_object) {
	struct err e = ERR_INIT;
	struct store_stat st;
	OWN(own_free) char *target = at("secret");
	OWN(own_free) char *link_path = at("aa/" ID_A ".cms");

	plant("secret", "not for you");
	plant_folder("aa");
	ck_assert_int_eq(symlink(target, link_path), 0);
	ck_assert_int_eq(store_stat(drive, ID_A, &st, &e), ERR_NOTFOUND);
	ck_assert_uint_eq(suite_count(drive), 0);
	struct store_put *p = NULL;
	ck_assert_int_eq(store_put_open(drive, ID_A, &p, &e), ERR_EXISTS);
}
END_TEST

START_TEST(a_folder_that_is_a_link_is_not_entered) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	OWN(own_free) char *shard = at("aa");

	ck_assert_int_eq(symlink("/tmp", shard), 0);
	ck_assert_int_eq(store_put_open(drive, ID_A, &p, &e), ERR_FAIL);
	ck_assert_ptr_null(p);
}
END_TEST

START_TEST(a_folder_or_a_pipe_is_no_object) {
	struct err e = ERR_INIT;
	struct store_stat st;
	OWN(own_free) char *fifo = at("bb/bbbbbbbbbbbbbbbbbbbbbbbbbb.cms");

	plant_folder("aa/" ID_A ".cms");
	plant_folder("bb");
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(store_stat(drive, ID_A, &st, &e), ERR_NOTFOUND);
	ck_assert_int_eq(store_stat(drive, "bbbbbbbbbbbbbbbbbbbbbbbbbb", &st, &e), ERR_NOTFOUND);
	ck_assert_uint_eq(suite_count(drive), 0);
}
END_TEST

START_TEST(a_moved_object_is_found_and_destroyed) {
	struct err e = ERR_INIT;
	struct store_stat st;

	plant(ID_A ".cms", "flat");
	plant_folder("restored");
	plant("restored/bbbbbbbbbbbbbbbbbbbbbbbbbb.cms", "moved");
	suite_has(drive, ID_A, "flat", 4);
	suite_has(drive, "bbbbbbbbbbbbbbbbbbbbbbbbbb", "moved", 5);
	ck_assert_uint_eq(suite_count(drive), 2);
	ck_assert_int_eq(store_destroy(drive, "bbbbbbbbbbbbbbbbbbbbbbbbbb", &e), 0);
	ck_assert_int_eq(store_stat(drive, "bbbbbbbbbbbbbbbbbbbbbbbbbb", &st, &e), ERR_NOTFOUND);
	ck_assert_uint_eq(suite_count(drive), 1);
}
END_TEST

START_TEST(its_own_place_comes_before_a_copy_elsewhere) {
	plant(ID_A ".cms", "copy");
	suite_put(drive, ID_A, "own", 3);
	suite_has(drive, ID_A, "own", 3);
	ck_assert_uint_eq(suite_count(drive), 2);
}
END_TEST

static void age(const char *name, time_t by) {
	OWN(own_free) char *path = at(name);
	struct timespec t[2] = { { time(NULL) - by, 0 }, { time(NULL) - by, 0 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, t, 0), 0);
}

START_TEST(old_leftovers_are_swept_and_young_ones_stay) {
	struct err e = ERR_INIT;
	uint64_t n = 0;
	OWN(own_free) char *young = at("aa/.scg-0000000000000001.tmp");
	OWN(own_free) char *old = at("aa/.scg-0000000000000002.tmp");
	OWN(own_free) char *foreign = at("aa/.scg-keep.tmp");

	plant_folder("aa");
	plant("aa/.scg-0000000000000001.tmp", "being written");
	plant("aa/.scg-0000000000000002.tmp", "left behind");
	plant("aa/.scg-keep.tmp", "not ours");
	age("aa/.scg-0000000000000002.tmp", 90000);
	age("aa/.scg-keep.tmp", 90000);
	ck_assert_int_eq(store_sweep(drive, time(NULL) - 86400, &n, &e), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert(file_exists(young));
	ck_assert(!file_exists(old));
	ck_assert(file_exists(foreign));
	ck_assert_uint_eq(suite_count(drive), 0);
}
END_TEST

START_TEST(a_missing_folder_is_not_created) {
	struct err e = ERR_INIT;
	struct store *s = NULL;
	OWN(own_free) char *path = at("unmounted");
	OWN(own_free) char *spec = xasprintf("directory:%s", path);

	ck_assert_int_eq(store_open(&s, spec, &e), ERR_UNREACHABLE);
	ck_assert(!file_exists(path));
}
END_TEST

START_TEST(a_file_is_no_drive) {
	struct err e = ERR_INIT;
	struct store *s = NULL;
	OWN(own_free) char *spec = xasprintf("%s/file", spec_text);

	plant("file", "x");
	ck_assert_int_eq(store_open(&s, spec, &e), ERR_FAIL);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(a_folder_removed_meanwhile_is_unreachable_not_empty) {
	struct err e = ERR_INIT;
	struct store_stat st;
	unsigned n = 0;

	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_eq(store_stat(drive, ID_A, &st, &e), ERR_UNREACHABLE);
	ck_assert_int_eq(store_list(drive, NULL, &n, &e), ERR_UNREACHABLE);
	ck_assert_int_eq(mkdir(folder, 0700), 0);
}
END_TEST

START_TEST(a_full_disk_leaves_nothing) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	struct rlimit small = { 1 << 16, 1 << 16 };
	static const uint8_t zeros[1 << 15];
	int r = 0;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(store_put_open(drive, ID_A, &p, &e), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 4 && r == 0; i++)
		r = store_put_write(p, zeros, sizeof(zeros), &e);
	ck_assert_int_eq(r, ERR_FAIL);
	store_put_free(p);
	ck_assert_uint_eq(suite_count(drive), 0);
}
END_TEST

/* Root writes where it likes: the rest of the case runs as nobody, who owns the folder. */
static void without_root(const char *path) {
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(path, 65534, 65534), 0);
	ck_assert_int_eq(seteuid(65534), 0);
}

START_TEST(a_read_only_folder_is_said_so) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;

	without_root(folder);
	ck_assert_int_eq(chmod(folder, 0500), 0);
	ck_assert_int_eq(store_put_open(drive, ID_A, &p, &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "ermission"));
}
END_TEST

START_TEST(what_may_not_be_destroyed_is_refused) {
	struct err e = ERR_INIT;
	OWN(own_free) char *shard = at("aa");

	ck_assert_int_eq(chmod(folder, 0755), 0);
	suite_put(drive, ID_A, "x", 1);
	ck_assert_int_eq(chmod(shard, 0555), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(store_destroy(drive, ID_A, &e), ERR_REFUSED);
	if (geteuid() != getuid())
		ck_assert_int_eq(seteuid(0), 0);
	suite_has(drive, ID_A, "x", 1);
}
END_TEST

int main(void) {
	Suite *s = suite_create("store/directory");
	TCase *tc = tcase_create("directory");
	SRunner *sr;
	int failed;

	store_suite_add(s, &fixture);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_object_lies_at_its_own_place);
	tcase_add_test(tc, objects_take_the_mode_of_the_folder);
	tcase_add_test(tc, foreign_files_are_passed_over);
	tcase_add_test(tc, a_link_is_no_object);
	tcase_add_test(tc, a_folder_that_is_a_link_is_not_entered);
	tcase_add_test(tc, a_folder_or_a_pipe_is_no_object);
	tcase_add_test(tc, a_moved_object_is_found_and_destroyed);
	tcase_add_test(tc, its_own_place_comes_before_a_copy_elsewhere);
	tcase_add_test(tc, old_leftovers_are_swept_and_young_ones_stay);
	tcase_add_test(tc, a_missing_folder_is_not_created);
	tcase_add_test(tc, a_file_is_no_drive);
	tcase_add_test(tc, a_folder_removed_meanwhile_is_unreachable_not_empty);
	tcase_add_test(tc, a_full_disk_leaves_nothing);
	tcase_add_test(tc, a_read_only_folder_is_said_so);
	tcase_add_test(tc, what_may_not_be_destroyed_is_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
