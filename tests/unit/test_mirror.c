/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "lib/memgate.h"
#include "lib/suite.h"
#include "lib/tmp.h"

static struct fixture f;
static struct memgate g;
static struct mirror *alice, *bob;
static struct err e;

static void set_up(void) {
	tmp_make();
	fixture_init(&f);
	memgate_init(&g, &f, tmp_path("gateway.db"));
	ck_assert_msg(mirror_open(&alice, tmp_path("alice.db"), f.chain, f.alice.cert, &e) == 0, "%s", e.text);
	ck_assert_msg(mirror_open(&bob, tmp_path("bob.db"), f.chain, f.bob.cert, &e) == 0, "%s", e.text);
}

static void tear_down(void) {
	mirror_close(alice);
	mirror_close(bob);
	memgate_wipe(&g);
	fixture_wipe(&f);
	tmp_drop();
}

static void sync_ok(struct mirror *m) {
	ck_assert_msg(mirror_sync(m, &g.transport, g.crl, g.now_s, &e) == 0, "%s", e.text);
}

static void change_ok(struct mirror *m, const struct fixture_id *who, enum event_op op, const char *path, const char *to) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};
	struct memgate_step s;

	if (op != EVENT_PUT) {
		sync_ok(m);
		ck_assert_msg(ledger_find(mirror_ledger(m), path, &file, &e) == 0, "%s", e.text);
	}
	memgate_step(&g, op, to, op != EVENT_PUT ? &file : NULL, &s);
	ck_assert_msg(memgate_change(&g, m, who, &s.c, NULL, &e) == 0, "%s", e.text);
}

START_TEST(what_one_member_does_another_sees) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	change_ok(alice, &f.alice, EVENT_PUT, NULL, "dir/a.txt");
	change_ok(alice, &f.alice, EVENT_REPLACE, "dir/a.txt", NULL);
	change_ok(bob, &f.bob, EVENT_RENAME, "dir/a.txt", "b.txt");
	change_ok(bob, &f.bob, EVENT_REKEY, "b.txt", NULL);
	sync_ok(alice);
	ck_assert_msg(ledger_find(mirror_ledger(alice), "b.txt", &file, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(file.version, 2);
	ck_assert_str_eq(file.author, "alice");
	change_ok(bob, &f.bob, EVENT_REMOVE, "b.txt", NULL);
	memgate_revoke(&g, f.bob.cert);
	sync_ok(alice);
	ck_assert_int_eq(ledger_find(mirror_ledger(alice), "b.txt", &file, &e), ERR_NOTFOUND);
} END_TEST

int main(void) {
	TCase *t = tcase_create("mirror");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, what_one_member_does_another_sees);
	return suite_run("mirror", t);
}
