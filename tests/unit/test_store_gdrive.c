/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"
#include "gdrive_lab.h"
#include "store_suite.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbb"
#define BOB "bob@example.org"

static struct store *drive;

static const struct store_fixture fixture = { lab_setup, lab_teardown, "gdrive:nosuchfolder_0123456789", &lab_env };

static void setup(void) {
	struct err e = ERR_INIT;

	ck_assert_msg(store_open_env(&drive, lab_setup(), &lab_env, &e) == 0, "%s", e.text);
	lab_calm();
}

static void teardown(void) {
	store_close(drive);
	lab_teardown();
}

static char *object_name(const char *id) {
	return xasprintf("%s.cms", id);
}

static struct store *open_as(const char *account) {
	struct err e = ERR_INIT;
	struct store *s = NULL;
	OWN(own_free) char *spec = xasprintf("gdrive:%s", lab_folder());

	ck_assert_msg(store_open_env(&s, spec, lab_env_of(account), &e) == 0, "%s", e.text);
	return s;
}

static void put_new(struct store *s, char id[static STORE_ID_LEN + 1], const void *data, size_t len) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;

	ck_assert_msg(store_put_new(s, id, &p, &e) == 0, "%s", e.text);
	ck_assert_msg(store_put_write(p, data, len, &e) == 0, "%s", e.text);
	ck_assert_msg(store_put_commit(p, &e) == 0, "%s", e.text);
	store_put_free(p);
}

static bool is_there(struct store *s, const char *id) {
	struct err e = ERR_INIT;
	struct store_stat st;
	int r = store_stat(s, id, &st, &e);

	ck_assert_msg(r == 0 || r == ERR_NOTFOUND, "%s", e.text);
	return r == 0;
}

START_TEST(a_small_object_takes_one_request) {
	char id[STORE_ID_LEN + 1];

	for (int i = 0; i < 10; i++)
		put_new(drive, id, "ciphertext", 10);
	ck_assert_int_eq(drive_requests(&lab_drive, "files.generateIds"), 1);
	ck_assert_int_eq(drive_requests(&lab_drive, "upload.multipart"), 10);
	ck_assert_int_eq(drive_requests(&lab_drive, NULL), 11);
	suite_has(drive, id, "ciphertext", 10);
	ck_assert_int_eq(drive_requests(&lab_drive, "files.list"), 0);
}
END_TEST

START_TEST(objects_are_named_and_typed) {
	OWN(own_free) char *file = NULL, *name = NULL;
	char id[STORE_ID_LEN + 1];
	unsigned n;

	put_new(drive, id, "x", 1);
	name = object_name(id);
	file = lab_find(name, &n);
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(n, 1);
	json_t *all = drive_control(&lab_drive, "dump", "{}");
	const json_t *f;
	size_t i;
	json_array_foreach(json_object_get(all, "files"), i, f)
		if (strcmp(json_string_value(json_object_get(f, "id")), file) == 0)
			ck_assert_str_eq(json_string_value(json_object_get(f, "mimeType")), "application/cms");
	json_decref(all);
}
END_TEST

START_TEST(names_of_another_case_are_other_names) {
	free(lab_plant(DRIVE_ACCOUNT, "AAAAAAAAAAAAAAAAAAAAAAAAAA.cms", "planted", ""));
	free(lab_plant(DRIVE_ACCOUNT, "aaaaaaaaaaaaaaaaaaaaaaaaaa.CMS", "planted", ""));
	ck_assert(!is_there(drive, ID_A));
	ck_assert_uint_eq(suite_count(drive), 0);
	suite_put(drive, ID_A, "own", 3);
	suite_has(drive, ID_A, "own", 3);
}
END_TEST

START_TEST(foreign_files_are_passed_over) {
	free(lab_plant(DRIVE_ACCOUNT, "README", "hello", ""));
	free(lab_plant(DRIVE_ACCOUNT, "short.cms", "x", ""));
	free(lab_plant(DRIVE_ACCOUNT, "it's \\\\ a name\\u001b[2J", "x", ""));
	lab_do("folder", "{\"account\": \"%s\", \"parent\": \"%s\", \"name\": \"%s.cms\"}", DRIVE_ACCOUNT, lab_folder(), ID_A);
	ck_assert_uint_eq(suite_count(drive), 0);
	ck_assert(!is_there(drive, ID_A));
}
END_TEST

START_TEST(of_several_of_one_name_the_oldest_counts) {
	struct err e = ERR_INIT;
	unsigned n;

	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "second one", ", \"createdTime\": \"2026-02-02T00:00:00.500Z\""));
	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "first", ", \"createdTime\": \"2026-02-02T00:00:00.400Z\""));
	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "third one!!", ", \"createdTime\": \"2026-02-02T00:00:01Z\""));
	suite_has(drive, ID_A, "first", 5);
	ck_assert_uint_eq(suite_count(drive), 3); /* each of them is shown */
	ck_assert_msg(store_destroy(drive, ID_A, &e) == 0, "%s", e.text);
	free(lab_find(ID_A ".cms", &n));
	ck_assert_uint_eq(n, 0);
}
END_TEST

static void reads(struct store *s, const char *id, const char *content) {
	struct err e = ERR_INIT;
	char got[32] = "";
	size_t n = 0;

	ck_assert_msg(store_get(s, id, 0, got, sizeof(got) - 1, &n, &e) == 0, "%s", e.text);
	ck_assert_str_eq(got, content);
}

#define MANY 30
#define ONE_BY_ONE 16 /* the last of these brings the list */

/* Another member's client has never heard of them. */
START_TEST(who_reads_many_asks_for_few) {
	char ids[MANY][STORE_ID_LEN + 1];
	struct store *other;

	for (int i = 0; i < MANY; i++)
		put_new(drive, ids[i], "small", 5);
	other = open_as(DRIVE_ACCOUNT);
	lab_calm();
	for (int i = 0; i < MANY; i++)
		reads(other, ids[i], "small");
	ck_assert_int_eq(drive_requests(&lab_drive, "files.list"), ONE_BY_ONE);
	ck_assert_int_eq(drive_requests(&lab_drive, "files.media"), MANY);
	store_close(other);
}
END_TEST

START_TEST(of_several_the_oldest_counts_for_who_reads_many) {
	char ids[ONE_BY_ONE][STORE_ID_LEN + 1];
	struct store *other;

	for (int i = 0; i < ONE_BY_ONE; i++)
		put_new(drive, ids[i], "small", 5);
	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "second one", ", \"createdTime\": \"2026-02-02T00:00:00.500Z\""));
	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "first", ", \"createdTime\": \"2026-02-02T00:00:00.400Z\""));
	free(lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "third one!!", ", \"createdTime\": \"2026-02-02T00:00:01Z\""));
	lab_settings("{\"page_cap\": 5}"); /* they stand on several pages */
	other = open_as(DRIVE_ACCOUNT);
	for (int i = 0; i < ONE_BY_ONE; i++)
		reads(other, ids[i], "small");
	reads(other, ID_A, "first");
	store_close(other);
}
END_TEST

START_TEST(a_list_that_fails_is_no_error_of_who_reads) {
	char ids[ONE_BY_ONE + 1][STORE_ID_LEN + 1];
	struct store *other;

	for (int i = 0; i <= ONE_BY_ONE; i++)
		put_new(drive, ids[i], "small", 5);
	other = open_as(DRIVE_ACCOUNT);
	for (int i = 0; i < ONE_BY_ONE - 1; i++)
		reads(other, ids[i], "small");
	lab_fault("{\"fault\": \"html\", \"kind\": \"files.list\", \"times\": 1}");
	reads(other, ids[ONE_BY_ONE - 1], "small");
	reads(other, ids[ONE_BY_ONE], "small");
	store_close(other);
}
END_TEST

START_TEST(what_was_learned_and_is_gone_is_not_found) {
	char ids[ONE_BY_ONE + 1][STORE_ID_LEN + 1];
	struct err e = ERR_INIT;
	struct store *other;
	char got[8];
	size_t n;

	for (int i = 0; i <= ONE_BY_ONE; i++)
		put_new(drive, ids[i], "small", 5);
	other = open_as(DRIVE_ACCOUNT);
	for (int i = 0; i < ONE_BY_ONE; i++)
		reads(other, ids[i], "small");
	ck_assert_msg(store_destroy(drive, ids[ONE_BY_ONE], &e) == 0, "%s", e.text);
	ck_assert_int_eq(store_get(other, ids[ONE_BY_ONE], 0, got, sizeof(got), &n, &e), ERR_NOTFOUND);
	store_close(other);
}
END_TEST

START_TEST(what_lies_in_the_trash_is_no_object_and_goes_with_it) {
	struct err e = ERR_INIT;
	OWN(own_free) char *file = lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "binned", "");
	unsigned n;

	suite_has(drive, ID_A, "binned", 6);
	lab_do("trash", "{\"file\": \"%s\"}", file);
	ck_assert(!is_there(drive, ID_A));
	ck_assert_uint_eq(suite_count(drive), 0);
	ck_assert_msg(store_destroy(drive, ID_A, &e) == 0, "%s", e.text);
	free(lab_find(ID_A ".cms", &n));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(own_writes_are_seen_before_lists_show_them) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1];
	unsigned n;

	lab_settings("{\"list_lag\": 3600}");
	put_new(drive, id, "just now", 8);
	ck_assert_uint_eq(suite_count(drive), 0);
	suite_has(drive, id, "just now", 8);
	ck_assert_msg(store_destroy(drive, id, &e) == 0, "%s", e.text);
	ck_assert(!is_there(drive, id));
	OWN(own_free) char *name = object_name(id);
	free(lab_find(name, &n));
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(what_another_has_just_made_is_looked_for_again) {
	struct store *other;
	char id[STORE_ID_LEN + 1];

	lab_conf.settle_ms = 6000; /* the second look after a second */
	other = open_as(DRIVE_ACCOUNT);
	lab_settings("{\"list_lag\": 0.4}");
	put_new(drive, id, "fresh", 5);
	suite_has(other, id, "fresh", 5);
	store_close(other);
}
END_TEST

START_TEST(what_is_not_there_is_looked_for_three_times) {
	ck_assert(!is_there(drive, ID_A));
	ck_assert_int_eq(drive_requests(&lab_drive, "files.list"), 3);
	ck_assert_int_eq(drive_requests(&lab_drive, NULL), 3);
}
END_TEST

START_TEST(what_is_gone_is_destroyed_with_one_look) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(store_destroy(drive, ID_A, &e), 0);
	ck_assert_int_eq(drive_requests(&lab_drive, NULL), 1);
}
END_TEST

START_TEST(a_put_asks_once_whether_its_id_is_taken) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;

	ck_assert_int_eq(store_put_open(drive, ID_A, &p, &e), 0);
	ck_assert_int_eq(drive_requests(&lab_drive, NULL), 1);
	store_put_free(p);
}
END_TEST

START_TEST(short_pages_are_followed) {
	char id[STORE_ID_LEN + 1];

	lab_settings("{\"page_cap\": 2}");
	for (int i = 0; i < 7; i++)
		put_new(drive, id, "x", 1);
	ck_assert_uint_eq(suite_count(drive), 7);
	ck_assert_int_eq(drive_requests(&lab_drive, "files.list"), 4);
}
END_TEST

static int never(void *arg, const struct store_stat *st, struct err *e) {
	(void)arg, (void)st;
	return err_set(e, ERR_FAIL, "called");
}

START_TEST(an_incomplete_list_is_none) {
	struct err e = ERR_INIT;
	struct store_stat st;

	suite_put(drive, ID_A, "x", 1);
	lab_settings("{\"incomplete_search\": true}");
	ck_assert_int_eq(store_list(drive, never, NULL, &e), ERR_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(e.text, "incompleteSearch"));
	ck_assert_int_eq(store_stat(drive, ID_B, &st, &e), ERR_UNREACHABLE);
}
END_TEST

/* Folders. */

static void open_refused(const char *where, const struct store_env *env, int code, const char *why) {
	OWN(own_free) char *spec = xasprintf("gdrive:%s", where);
	struct err e = ERR_INIT;
	struct store *s = NULL;

	ck_assert_int_eq(store_open_env(&s, spec, env, &e), code);
	ck_assert_ptr_null(s);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
}

START_TEST(what_is_no_folder_of_ours_is_refused) {
	OWN(own_free) char *file = lab_plant(DRIVE_ACCOUNT, "file", "x", "");

	open_refused("", &lab_env, ERR_USAGE, "folder's id");
	open_refused("a/b", &lab_env, ERR_USAGE, "folder's id");
	open_refused("x' or name contains '", &lab_env, ERR_USAGE, "folder's id");
	open_refused("new:name", &lab_env, ERR_FAIL, "has not been made");
	open_refused(lab_folder(), NULL, ERR_FAIL, "sign-in");
	open_refused(file, &lab_env, ERR_FAIL, "no folder");
	open_refused(lab_folder(), lab_env_of(BOB), ERR_UNREACHABLE, "does not see it");
	lab_do("trash", "{\"file\": \"%s\"}", lab_folder());
	open_refused(lab_folder(), &lab_env, ERR_UNREACHABLE, "trash");
}
END_TEST

START_TEST(a_folder_gone_meanwhile_is_unreachable) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	char id[STORE_ID_LEN + 1];
	size_t got;

	lab_do("delete", "{\"file\": \"%s\"}", lab_folder());
	ck_assert_int_eq(store_put_new(drive, id, &p, &e), 0);
	ck_assert_int_eq(store_put_write(p, "x", 1, &e), 0);
	ck_assert_int_eq(store_put_commit(p, &e), ERR_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(e.text, "folder is gone"));
	store_put_free(p);
	/* Not there is not empty. */
	ck_assert_int_eq(store_list(drive, never, NULL, &e), ERR_UNREACHABLE);
	ck_assert_int_eq(store_get(drive, ID_A, 0, id, 1, &got, &e), ERR_UNREACHABLE);
	ck_assert_int_eq(store_destroy(drive, ID_A, &e), ERR_UNREACHABLE);
}
END_TEST

static char *shared_drive(const char *account) {
	OWN(own_free) char *args = xasprintf("{\"account\": \"%s\", \"name\": \"team\"}", account);
	json_t *o = drive_control(&lab_drive, "drive", args);
	char *id = xstrdup(json_string_value(json_object_get(o, "id")));

	json_decref(o);
	return id;
}

static char *folder_on(const char *parent) {
	OWN(own_free) char *args = xasprintf("{\"account\": \"%s\", \"parent\": \"%s\"}", DRIVE_ACCOUNT, parent);
	json_t *o = drive_control(&lab_drive, "folder", args);
	char *id = xstrdup(json_string_value(json_object_get(o, "id")));

	json_decref(o);
	return id;
}

static void use_drive(const char *folder, const char *owned_by) {
	struct err e = ERR_INIT;
	OWN(own_free) char *spec = xasprintf("gdrive:%s", folder);
	char owner[STORE_OWNER_MAX];
	struct store *s = NULL;

	ck_assert_msg(store_open_env(&s, spec, &lab_env, &e) == 0, "%s", e.text);
	suite_put(s, ID_A, "shared", 6);
	suite_has(s, ID_A, "shared", 6);
	ck_assert_uint_eq(suite_count(s), 1);
	ck_assert_int_eq(store_owner(s, ID_A, owner, &e), 0);
	ck_assert_str_eq(owner, owned_by);
	ck_assert_msg(store_destroy(s, ID_A, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(suite_count(s), 0);
	store_close(s);
}

START_TEST(a_shared_drive_and_a_folder_on_it_are_drives) {
	OWN(own_free) char *id = shared_drive(DRIVE_ACCOUNT);
	OWN(own_free) char *folder = folder_on(id);

	use_drive(id, ""); /* the drive's, nobody's */
	use_drive(folder, "");
	lab_conf.drive_id = id;
	use_drive(folder, "");
	open_refused(lab_folder(), &lab_env, ERR_USAGE, "does not lie on the shared drive");
}
END_TEST

START_TEST(a_drive_id_that_is_none_is_refused) {
	static char bad[] = "a&b=c";

	lab_conf.drive_id = bad;
	open_refused(lab_folder(), &lab_env, ERR_USAGE, "drive_id");
}
END_TEST

START_TEST(a_folder_is_made) {
	struct err e = ERR_INIT;
	OWN(own_free) char *made = NULL;

	ck_assert_msg(store_create("gdrive:new:Our \"group\" \xc3\xa4", &lab_env, &made, &e) == 0, "%s", e.text);
	ck_assert_int_eq(strncmp(made, "gdrive:", 7), 0);
	use_drive(made + 7, DRIVE_ACCOUNT);
}
END_TEST

START_TEST(a_folder_whose_reply_is_lost_is_made_once) {
	struct err e = ERR_INIT;
	OWN(own_free) char *made = NULL;
	json_t *all;
	const json_t *f;
	size_t i;
	unsigned n = 0;

	lab_fault("{\"fault\": \"lost_reply\", \"kind\": \"files.create\", \"times\": 1}");
	ck_assert_msg(store_create("gdrive:new:made once", &lab_env, &made, &e) == 0, "%s", e.text);
	all = drive_control(&lab_drive, "dump", "{}");
	json_array_foreach(json_object_get(all, "files"), i, f)
		n += strcmp(json_string_value(json_object_get(f, "name")), "made once") == 0;
	json_decref(all);
	ck_assert_uint_eq(n, 1);
	use_drive(made + 7, DRIVE_ACCOUNT);
}
END_TEST

START_TEST(a_folder_is_made_on_the_shared_drive) {
	struct err e = ERR_INIT;
	OWN(own_free) char *id = shared_drive(DRIVE_ACCOUNT);
	OWN(own_free) char *made = NULL;

	lab_conf.drive_id = id;
	ck_assert_msg(store_create("gdrive:new:inside", &lab_env, &made, &e) == 0, "%s", e.text);
	use_drive(made + 7, "");
}
END_TEST

START_TEST(a_folder_without_a_name_is_not_made) {
	struct err e = ERR_INIT;
	char *made = NULL;

	ck_assert_int_eq(store_create("gdrive:new:", &lab_env, &made, &e), ERR_USAGE);
	ck_assert_int_eq(store_create("gdrive:abc", &lab_env, &made, &e), ERR_USAGE);
	ck_assert_int_eq(store_create("gdrive:new:a\033[2J", &lab_env, &made, &e), ERR_USAGE);
	ck_assert_int_eq(store_create("directory:new:x", &lab_env, &made, &e), ERR_USAGE);
	ck_assert_ptr_null(made);
	ck_assert_int_eq(drive_requests(&lab_drive, NULL), 0);
}
END_TEST

/* Owners. */

static void let_bob_write(void) {
	lab_do("account", "{\"account\": \"%s\"}", BOB);
	lab_do("share", "{\"file\": \"%s\", \"account\": \"%s\", \"role\": \"writer\"}", lab_folder(), BOB);
}

START_TEST(what_another_member_owns_is_not_destroyed_and_said_whose_it_is) {
	struct err e = ERR_INIT;
	char id[STORE_ID_LEN + 1], owner[STORE_OWNER_MAX];
	struct store *bob;

	let_bob_write();
	bob = open_as(BOB);
	put_new(bob, id, "bob's", 5);
	suite_has(drive, id, "bob's", 5);
	ck_assert_int_eq(store_owner(drive, id, owner, &e), 0);
	ck_assert_str_eq(owner, BOB);
	ck_assert_int_eq(store_destroy(drive, id, &e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, BOB));
	ck_assert_ptr_nonnull(strstr(e.text, id));
	suite_has(drive, id, "bob's", 5);
	ck_assert_msg(store_destroy(bob, id, &e) == 0, "%s", e.text);
	ck_assert(!is_there(drive, id));
	store_close(bob);
}
END_TEST

START_TEST(a_reader_can_put_nothing) {
	struct err e = ERR_INIT;
	struct store_put *p = NULL;
	char id[STORE_ID_LEN + 1];
	struct store *bob;

	lab_do("account", "{\"account\": \"%s\"}", BOB);
	lab_do("share", "{\"file\": \"%s\", \"account\": \"%s\", \"role\": \"reader\"}", lab_folder(), BOB);
	bob = open_as(BOB);
	ck_assert_int_eq(store_put_new(bob, id, &p, &e), 0);
	ck_assert_int_eq(store_put_write(p, "x", 1, &e), 0);
	ck_assert_int_eq(store_put_commit(p, &e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "insufficientFilePermissions"));
	store_put_free(p);
	store_close(bob);
	ck_assert_uint_eq(suite_count(drive), 0);
}
END_TEST

/* What Drive keeps. */

struct kept {
	unsigned trashed, revisions;
	char text[64];
};

static int read_kept(void *arg, const struct store_kept *k, struct err *e) {
	struct kept *all = arg;
	size_t got = 0;

	if (strcmp(k->what, "revision") == 0)
		all->revisions++;
	else
		all->trashed++;
	ck_assert_str_eq(k->name, ID_A ".cms");
	ck_assert_msg(store_kept_get(drive, k->handle, 1, all->text, sizeof(all->text), &got, e) == 0, "%s", e->text);
	ck_assert_uint_eq(got + 1, k->size);
	all->text[got] = '\0';
	return 0;
}

START_TEST(a_revision_that_was_written_over_is_found_and_read) {
	struct err e = ERR_INIT;
	struct kept all = {0};
	OWN(own_free) char *file = lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "old text", "");

	lab_overwrite(DRIVE_ACCOUNT, file, "newer");
	ck_assert_msg(store_each_kept(drive, read_kept, &all, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(all.revisions, 1);
	ck_assert_uint_eq(all.trashed, 0);
	ck_assert_str_eq(all.text, "ld text");
	suite_has(drive, ID_A, "newer", 5);
}
END_TEST

START_TEST(what_lies_in_the_trash_is_found_and_read) {
	struct err e = ERR_INIT;
	struct kept all = {0};
	OWN(own_free) char *file = lab_plant(DRIVE_ACCOUNT, ID_A ".cms", "binned", "");

	lab_do("trash", "{\"file\": \"%s\"}", file);
	ck_assert_msg(store_each_kept(drive, read_kept, &all, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(all.revisions, 0);
	ck_assert_uint_eq(all.trashed, 1);
	ck_assert_str_eq(all.text, "inned");
}
END_TEST

/* Access. */

START_TEST(an_account_is_shut_out_of_the_folder) {
	struct err e = ERR_INIT;
	struct store *bob;
	struct store_stat st;

	let_bob_write();
	suite_put(drive, ID_A, "x", 1);
	bob = open_as(BOB);
	ck_assert_int_eq(store_stat(bob, ID_A, &st, &e), 0);
	ck_assert_msg(store_unshare(drive, "Bob@Example.org", &e) == 0, "%s", e.text);
	ck_assert_int_eq(store_stat(bob, ID_A, &st, &e), ERR_NOTFOUND);
	store_close(bob);
	ck_assert_msg(store_unshare(drive, BOB, &e) == 0, "%s", e.text); /* gone already */
}
END_TEST

START_TEST(a_member_is_shut_out_of_the_shared_drive) {
	struct err e = ERR_INIT;
	OWN(own_free) char *id = shared_drive(DRIVE_ACCOUNT);
	OWN(own_free) char *folder = folder_on(id);
	OWN(own_free) char *spec = xasprintf("gdrive:%s", folder);
	struct store *s = NULL, *bob = NULL;

	lab_do("share", "{\"file\": \"%s\", \"account\": \"%s\", \"role\": \"writer\"}", id, BOB);
	ck_assert_msg(store_open_env(&bob, spec, lab_env_of(BOB), &e) == 0, "%s", e.text);
	ck_assert_msg(store_open_env(&s, spec, &lab_env, &e) == 0, "%s", e.text);
	ck_assert_msg(store_unshare(s, BOB, &e) == 0, "%s", e.text);
	store_close(bob);
	store_close(s);
	bob = NULL;
	ck_assert_int_eq(store_open_env(&bob, spec, lab_env_of(BOB), &e), ERR_UNREACHABLE);
}
END_TEST

START_TEST(the_owner_cannot_be_shut_out) {
	struct err e = ERR_INIT;
	struct store *bob;

	let_bob_write();
	bob = open_as(BOB);
	ck_assert_int_eq(store_unshare(bob, DRIVE_ACCOUNT, &e), ERR_REFUSED);
	store_close(bob);
	ck_assert_uint_eq(suite_count(drive), 0);
}
END_TEST

START_TEST(of_what_is_open_to_anyone_nobody_is_shut_out) {
	struct err e = ERR_INIT;
	OWN(own_free) char *path = xasprintf("/drive/v3/files/%s/permissions", lab_folder());

	lab_post(DRIVE_ACCOUNT, path, "{\"type\": \"anyone\", \"role\": \"reader\"}");
	ck_assert_int_eq(store_unshare(drive, BOB, &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "anyone"));
}
END_TEST

START_TEST(what_is_no_address_is_refused) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(store_unshare(drive, "", &e), ERR_USAGE);
	ck_assert_int_eq(store_unshare(drive, "bob", &e), ERR_USAGE);
	ck_assert_int_eq(store_unshare(drive, "bob@\033[2J", &e), ERR_USAGE);
	ck_assert_int_eq(drive_requests(&lab_drive, NULL), 0);
}
END_TEST

int main(void) {
	Suite *s = suite_create("store/gdrive");
	TCase *tc = tcase_create("gdrive");
	SRunner *sr;
	int failed;

	lab_begin();
	store_suite_add(s, &fixture);
	tcase_set_timeout(tc, SUITE_LIMIT_S);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_small_object_takes_one_request);
	tcase_add_test(tc, objects_are_named_and_typed);
	tcase_add_test(tc, names_of_another_case_are_other_names);
	tcase_add_test(tc, foreign_files_are_passed_over);
	tcase_add_test(tc, of_several_of_one_name_the_oldest_counts);
	tcase_add_test(tc, who_reads_many_asks_for_few);
	tcase_add_test(tc, of_several_the_oldest_counts_for_who_reads_many);
	tcase_add_test(tc, a_list_that_fails_is_no_error_of_who_reads);
	tcase_add_test(tc, what_was_learned_and_is_gone_is_not_found);
	tcase_add_test(tc, what_lies_in_the_trash_is_no_object_and_goes_with_it);
	tcase_add_test(tc, own_writes_are_seen_before_lists_show_them);
	tcase_add_test(tc, what_another_has_just_made_is_looked_for_again);
	tcase_add_test(tc, what_is_not_there_is_looked_for_three_times);
	tcase_add_test(tc, what_is_gone_is_destroyed_with_one_look);
	tcase_add_test(tc, a_put_asks_once_whether_its_id_is_taken);
	tcase_add_test(tc, short_pages_are_followed);
	tcase_add_test(tc, an_incomplete_list_is_none);
	tcase_add_test(tc, what_is_no_folder_of_ours_is_refused);
	tcase_add_test(tc, a_folder_gone_meanwhile_is_unreachable);
	tcase_add_test(tc, a_shared_drive_and_a_folder_on_it_are_drives);
	tcase_add_test(tc, a_drive_id_that_is_none_is_refused);
	tcase_add_test(tc, a_folder_is_made);
	tcase_add_test(tc, a_folder_whose_reply_is_lost_is_made_once);
	tcase_add_test(tc, a_folder_is_made_on_the_shared_drive);
	tcase_add_test(tc, a_folder_without_a_name_is_not_made);
	tcase_add_test(tc, what_another_member_owns_is_not_destroyed_and_said_whose_it_is);
	tcase_add_test(tc, a_reader_can_put_nothing);
	tcase_add_test(tc, a_revision_that_was_written_over_is_found_and_read);
	tcase_add_test(tc, what_lies_in_the_trash_is_found_and_read);
	tcase_add_test(tc, an_account_is_shut_out_of_the_folder);
	tcase_add_test(tc, a_member_is_shut_out_of_the_shared_drive);
	tcase_add_test(tc, the_owner_cannot_be_shut_out);
	tcase_add_test(tc, of_what_is_open_to_anyone_nobody_is_shut_out);
	tcase_add_test(tc, what_is_no_address_is_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	lab_end();
	return failed == 0 ? 0 : 1;
}
