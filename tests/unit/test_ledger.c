/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of files, and how a ledger lies in its database. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/own.h"
#include "ledger/seal.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "unit/ledger_lab.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* --- what becomes of files --- */

static void must_find(const char *path, struct ledger_file *file) {
	ck_assert_msg(ledger_find(lab.g.ledger, path, file, &lab.e) == 0, "%s: %s", path, lab.e.text);
	ck_assert_str_eq(file->path, path);
}

START_TEST(versions_count_contents) {
	static const struct { enum event_op op; const char *path, *to; uint64_t version, content; } steps[] = {
		{ EVENT_PUT, NULL, "a", 1, 4 }, { EVENT_REPLACE, "a", NULL, 2, 5 }, { EVENT_RENAME, "a", "b/c", 2, 5 },
		{ EVENT_REKEY, "b/c", NULL, 2, 5 }, { EVENT_REPLACE, "b/c", NULL, 3, 8 },
	};

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		OWN(ledger_file_wipe) struct ledger_file file = {0};

		file_ok(steps[i].op, steps[i].path, steps[i].to);
		must_find(steps[i].to != NULL ? steps[i].to : steps[i].path, &file);
		ck_assert_uint_eq(file.version, steps[i].version);
		ck_assert_uint_eq(file.content_index, steps[i].content);
		ck_assert_uint_eq(file.base, 4 + i);
	}
} END_TEST

START_TEST(the_author_is_who_brought_the_content) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};
	OWN(draft_wipe) struct draft d;

	file_ok(EVENT_PUT, NULL, "a");
	draft_file(&d, EVENT_REKEY, "a", NULL);
	d.by = &lab.f.bob;
	d.how.peer = lab.f.bob.cert;
	d.ev.time_s++;
	draft_append_ok(&d);
	must_find("a", &file);
	ck_assert_str_eq(file.author, "alice");
	ck_assert_int_eq(file.time_s, lab.f.now_s);
	ck_assert_int_eq(file.event_time_s, lab.f.now_s + 1);
} END_TEST

START_TEST(a_removed_file_leaves_its_place) {
	OWN(ledger_file_wipe) struct ledger_file file = {0}, gone = {0};

	file_ok(EVENT_PUT, NULL, "a");
	must_find("a", &file);
	file_ok(EVENT_REMOVE, "a", NULL);
	ck_assert_int_eq(ledger_find(lab.g.ledger, "a", &gone, &lab.e), ERR_NOTFOUND);
	ck_assert_int_eq(ledger_find_id(lab.g.ledger, file.file, &gone, &lab.e), 0);
	ck_assert(gone.removed);
	file_ok(EVENT_PUT, NULL, "A/b");
	file_ok(EVENT_REMOVE, "A/b", NULL);
	file_ok(EVENT_PUT, NULL, "a");
} END_TEST

START_TEST(a_rename_may_change_case_or_go_into_its_own_folder) {
	file_ok(EVENT_PUT, NULL, "a");
	file_ok(EVENT_RENAME, "a", "A");
	file_ok(EVENT_RENAME, "A", "a/b/c");
	file_ok(EVENT_RENAME, "a/b/c", "a");
	file_ok(EVENT_PUT, NULL, "b");
	file_ok(EVENT_RENAME, "a", "A");
} END_TEST

START_TEST(a_folder_with_another_file_stays_a_folder) {
	OWN(draft_wipe) struct draft d;

	file_ok(EVENT_PUT, NULL, "a/b");
	file_ok(EVENT_PUT, NULL, "a/c");
	draft_file(&d, EVENT_RENAME, "a/b", "a");
	ck_assert_int_eq(draft_append(&d, NULL), ERR_CONFLICT);
	file_ok(EVENT_REMOVE, "a/c", NULL);
	draft_file(&d, EVENT_RENAME, "a/b", "a");
	draft_append_ok(&d);
} END_TEST

START_TEST(a_name_is_found_as_it_is_spelt_only) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	file_ok(EVENT_PUT, NULL, "Dir/a");
	ck_assert_int_eq(ledger_find(lab.g.ledger, "dir/a", &file, &lab.e), ERR_NOTFOUND);
	ck_assert_int_eq(ledger_find(lab.g.ledger, "Dir", &file, &lab.e), ERR_NOTFOUND);
	ck_assert_int_eq(ledger_find(lab.g.ledger, "../Dir/a", &file, &lab.e), ERR_NOTFOUND);
	must_find("Dir/a", &file);
} END_TEST

START_TEST(a_conflict_says_what_is_there_now) {
	OWN(draft_wipe) struct draft d, late;
	struct ledger_result r;

	file_ok(EVENT_PUT, NULL, "a");
	draft_file(&late, EVENT_REPLACE, "a", NULL);
	draft_file(&d, EVENT_REPLACE, "a", NULL);
	d.by = &lab.f.bob;
	d.how.peer = lab.f.bob.cert;
	draft_append_ok(&d);
	ck_assert_int_eq(draft_append(&late, &r), ERR_CONFLICT);
	ck_assert_uint_eq(r.file_index, 5);
	ck_assert_uint_eq(r.file_version, 2);
	ck_assert_str_eq(r.file_author, "bob");
	draft_file(&d, EVENT_PUT, NULL, "A");
	ck_assert_int_eq(draft_append(&d, &r), ERR_CONFLICT);
	ck_assert_uint_eq(r.file_index, 5);
	ck_assert_str_eq(r.file_author, "bob");
	draft_file(&d, EVENT_PUT, NULL, "a/b");
	ck_assert_int_eq(draft_append(&d, &r), ERR_CONFLICT);
	ck_assert_str_eq(r.file_author, "");
} END_TEST

#define CROWD 100

/* All have seen the same and say it at once: one replaces, the others learn whose content it is now. */
START_TEST(of_a_hundred_replacements_one_is_taken) {
	struct fixture_id who[CROWD] = {0};
	struct draft d[CROWD];
	struct ledger_result r;

	file_ok(EVENT_PUT, NULL, "a");
	for (int i = 0; i < CROWD; i++) {
		fixture_member(&lab.f, "member", &who[i]);
		memgate_member(&lab.g, who[i].cert);
	}
	for (int i = 0; i < CROWD; i++) {
		draft_file(&d[i], EVENT_REPLACE, "a", NULL);
		d[i].by = &who[i];
		d[i].how.peer = who[i].cert;
	}
	draft_append_ok(&d[CROWD / 2]);
	for (int i = 0; i < CROWD; i++) {
		if (i == CROWD / 2)
			continue;
		ck_assert_int_eq(draft_append(&d[i], &r), ERR_CONFLICT);
		ck_assert_int_eq(r.why, LEDGER_WHY_BASE);
		ck_assert_uint_eq(r.file_version, 2);
		ck_assert_str_eq(r.file_author, "member");
	}
	for (int i = 0; i < CROWD; i++) {
		draft_wipe(&d[i]);
		fixture_id_wipe(&who[i]);
	}
} END_TEST

START_TEST(objects_are_current_old_or_unknown) {
	OWN(ledger_file_wipe) struct ledger_file first = {0}, second = {0};
	enum ledger_standing s;

	file_ok(EVENT_PUT, NULL, "a");
	must_find("a", &first);
	file_ok(EVENT_REKEY, "a", NULL);
	must_find("a", &second);
	ck_assert_int_eq(ledger_object(lab.g.ledger, first.object, &s, &lab.e), 0);
	ck_assert_int_eq(s, LEDGER_OBJECT_OLD);
	ck_assert_int_eq(ledger_object(lab.g.ledger, second.object, &s, &lab.e), 0);
	ck_assert_int_eq(s, LEDGER_OBJECT_CURRENT);
	ck_assert_int_eq(ledger_object(lab.g.ledger, "aaaaaaaaaaaaaaaaaaaaaaaaaa", &s, &lab.e), 0);
	ck_assert_int_eq(s, LEDGER_OBJECT_UNKNOWN);
	file_ok(EVENT_RENAME, "a", "b");
	ck_assert_int_eq(ledger_object(lab.g.ledger, second.object, &s, &lab.e), 0);
	ck_assert_int_eq(s, LEDGER_OBJECT_CURRENT);
	file_ok(EVENT_REMOVE, "b", NULL);
	ck_assert_int_eq(ledger_object(lab.g.ledger, second.object, &s, &lab.e), 0);
	ck_assert_int_eq(s, LEDGER_OBJECT_OLD);
} END_TEST

static int note_step(void *arg, const struct ledger_step *s, struct err *err) {
	struct buf *b = arg;

	(void)err;
	buf_addf(b, "%s %s %s;", event_op_name(s->event->op), s->signer, s->path);
	return 0;
}

START_TEST(a_history_tells_each_step_in_order) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};
	OWN(buf_wipe) struct buf b = {0};
	OWN(draft_wipe) struct draft d;

	file_ok(EVENT_PUT, NULL, "a");
	file_ok(EVENT_PUT, NULL, "x");
	file_ok(EVENT_REPLACE, "a", NULL);
	draft_file(&d, EVENT_RENAME, "a", "b");
	d.by = &lab.f.bob;
	d.how.peer = lab.f.bob.cert;
	draft_append_ok(&d);
	must_find("b", &file);
	file_ok(EVENT_REMOVE, "b", NULL);
	ck_assert_msg(ledger_history(lab.g.ledger, file.file, note_step, &b, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_str_eq(buf_str(&b), "put alice a;replace alice a;rename bob b;remove alice b;");
	file.file[0] ^= 1;
	ck_assert_int_eq(ledger_history(lab.g.ledger, file.file, note_step, &b, &lab.e), ERR_NOTFOUND);
} END_TEST

/* --- the database --- */

START_TEST(it_goes_on_after_a_restart) {
	struct head before, after;
	struct memgate again;

	some_files();
	memgate_revoke(&lab.g, lab.f.bob.cert);
	ledger_head(lab.g.ledger, &before);
	memgate_init(&again, &lab.f, tmp_path("gateway.db"));
	ledger_head(again.ledger, &after);
	ck_assert_uint_eq(after.size, before.size);
	ck_assert_mem_eq(after.root, before.root, 32);
	memgate_wipe(&again);
	file_ok(EVENT_REPLACE, "other", NULL);
} END_TEST

START_TEST(roots_of_all_sizes_stay_known) {
	uint8_t root[32], roots[12][32];

	for (uint64_t n = 0; n < 12; n++) {
		char name[8] = {'f', (char)('a' + (int)n)};

		ck_assert_int_eq(ledger_root(lab.g.ledger, ledger_size(lab.g.ledger), roots[n], &lab.e), 0);
		file_ok(EVENT_PUT, NULL, name);
	}
	for (uint64_t n = 0; n < 12; n++) {
		ck_assert_int_eq(ledger_root(lab.g.ledger, 4 + n, root, &lab.e), 0);
		ck_assert_mem_eq(root, roots[n], 32);
	}
	ck_assert_int_eq(ledger_root(lab.g.ledger, 17, root, &lab.e), ERR_NOTFOUND);
	ck_assert_int_eq(ledger_root(lab.g.ledger, 0, root, &lab.e), 0);
} END_TEST

START_TEST(a_failed_append_leaves_no_trace) {
	OWN(ledger_file_wipe) struct ledger_file other = {0};
	OWN(draft_wipe) struct draft d;
	struct head before, after;

	some_files();
	ledger_head(lab.g.ledger, &before);
	draft_file(&d, EVENT_PUT, NULL, "new");
	must_find("other", &other);
	memcpy(d.ev.object, other.object, sizeof other.object);
	ck_assert_int_eq(draft_append(&d, NULL), ERR_REFUSED);
	ledger_head(lab.g.ledger, &after);
	ck_assert_mem_eq(&before, &after, sizeof before);
	file_ok(EVENT_PUT, NULL, "new");
} END_TEST

START_TEST(batches_of_entries_hold_all_of_them_once) {
	uint64_t at = 0, n = 0;

	some_files();
	while (at < ledger_size(lab.g.ledger)) {
		OWN(buf_wipe) struct buf der = {0};
		struct entry en;
		struct der run;
		uint64_t next;

		ck_assert_int_eq(ledger_entries(lab.g.ledger, at, (size_t)_i, &der, &next, &lab.e), 0);
		ck_assert_uint_gt(next, at);
		ck_assert_int_eq(entries_open(der.data, der.len, &run, &lab.e), 0);
		for (; run.len > 0; n++)
			ck_assert_int_eq(entry_take(&run, &en, &lab.e), 0);
		ck_assert_uint_eq(n, next);
		at = next;
	}
	ck_assert_uint_eq(n, ledger_size(lab.g.ledger));
} END_TEST

static bool file_holds(const char *path, const char *what) {
	OWN(buf_wipe) struct buf b = {0};

	if (file_load(path, 1u << 26, &b, NULL) != 0)
		return false;
	return memmem(b.data, b.len, what, strlen(what)) != NULL;
}

START_TEST(names_do_not_lie_open_in_the_gateways_database) {
	OWN(own_free) char *wal = xasprintf("%s-wal", tmp_path("gateway.db"));

	file_ok(EVENT_PUT, NULL, "CANARY/4711");
	file_ok(EVENT_RENAME, "CANARY/4711", "CANARY/4712");
	ck_assert(!file_holds(wal, "CANARY") && !file_holds(wal, "canary"));
	db_close(&lab.g.db);
	ck_assert(file_holds(tmp_path("gateway.db"), "scg-event 1"));
	ck_assert(!file_holds(tmp_path("gateway.db"), "CANARY") && !file_holds(tmp_path("gateway.db"), "canary"));
} END_TEST

START_TEST(sealed_names_do_not_change_places) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	file_ok(EVENT_PUT, NULL, "a");
	file_ok(EVENT_PUT, NULL, "b");
	ck_assert_int_eq(
	    db_run(lab.g.db, &lab.e,
		"UPDATE ledger_entries SET name = (SELECT name FROM ledger_entries WHERE n = 4) WHERE n = 5", ""),
	    0);
	ck_assert_int_eq(ledger_find(lab.g.ledger, "b", &file, &lab.e), ERR_DAMAGED);
} END_TEST

START_TEST(another_key_opens_no_names) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};
	OWN(buf_wipe) struct buf der = {0};
	struct secret key = {0};
	struct ledger *l;
	uint64_t next;

	file_ok(EVENT_PUT, NULL, "a");
	ck_assert_int_eq(secret_random(&key, SEAL_KEY_LEN, &lab.e), 0);
	ck_assert_int_eq(ledger_open(&l, lab.g.db, lab.f.chain, &key, &lab.e), 0);
	ck_assert_int_eq(ledger_find(l, "a", &file, &lab.e), ERR_NOTFOUND);
	ck_assert_int_eq(ledger_entries(l, 0, 1u << 20, &der, &next, &lab.e), ERR_DAMAGED);
	ledger_close(l);
	secret_wipe(&key);
	ck_assert_int_eq(secret_random(&key, 16, &lab.e), 0);
	ck_assert_int_eq(ledger_open(&l, lab.g.db, lab.f.chain, &key, &lab.e), ERR_FAIL);
	secret_wipe(&key);
} END_TEST

static const char *const vandalism[] = {
	"UPDATE ledger_entries SET root = x'00' WHERE n = 6",
	"UPDATE ledger_entries SET root = (SELECT root FROM ledger_entries WHERE n = 5) WHERE n = 6",
	"UPDATE ledger_entries SET nodes = x'00'",
	"UPDATE ledger_entries SET nodes = (SELECT nodes FROM ledger_entries WHERE n = 5) WHERE n = 6",
	"UPDATE ledger_epochs SET key_id = x'00'",
};

START_TEST(a_damaged_database_is_noticed_when_it_is_opened) {
	struct ledger *l;

	some_files();
	ck_assert_int_eq(db_run(lab.g.db, &lab.e, vandalism[_i], ""), 0);
	ck_assert_int_eq(ledger_open(&l, lab.g.db, lab.f.chain, &lab.g.seal, &lab.e), ERR_DAMAGED);
	ck_assert_ptr_null(l);
} END_TEST

static int note_path(void *arg, const struct ledger_file *file, struct err *err) {
	(void)err;
	buf_addf(arg, "%s;", file->path);
	return 0;
}

START_TEST(sealed_names_are_not_listed) {
	struct buf b = {0};

	ck_assert_int_eq(ledger_each(lab.g.ledger, NULL, note_path, &b, &lab.e), ERR_FAIL);
} END_TEST

int main(void) {
	TCase *t = tcase_create("ledger");

	tcase_add_checked_fixture(t, lab_set_up, lab_tear_down);
	tcase_add_test(t, versions_count_contents);
	tcase_add_test(t, the_author_is_who_brought_the_content);
	tcase_add_test(t, a_removed_file_leaves_its_place);
	tcase_add_test(t, a_rename_may_change_case_or_go_into_its_own_folder);
	tcase_add_test(t, a_folder_with_another_file_stays_a_folder);
	tcase_add_test(t, a_name_is_found_as_it_is_spelt_only);
	tcase_add_test(t, a_conflict_says_what_is_there_now);
	tcase_add_test(t, of_a_hundred_replacements_one_is_taken);
	tcase_add_test(t, objects_are_current_old_or_unknown);
	tcase_add_test(t, a_history_tells_each_step_in_order);
	tcase_add_test(t, it_goes_on_after_a_restart);
	tcase_add_test(t, roots_of_all_sizes_stay_known);
	tcase_add_test(t, a_failed_append_leaves_no_trace);
	tcase_add_loop_test(t, batches_of_entries_hold_all_of_them_once, 0, 4);
	tcase_add_test(t, names_do_not_lie_open_in_the_gateways_database);
	tcase_add_test(t, sealed_names_do_not_change_places);
	tcase_add_test(t, another_key_opens_no_names);
	tcase_add_loop_test(t, a_damaged_database_is_noticed_when_it_is_opened, 0, COUNT(vandalism));
	tcase_add_test(t, sealed_names_are_not_listed);
	return suite_run("ledger", t);
}
