/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/state and gateway/rest: what is kept, under whose key, and what a failed transaction leaves. */
#include "gateway/state.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "gateway/rest.h"
#include "lib/fixture.h"
#include "lib/tmp.h"
#include "pki/ossl.h"

static struct fixture f;
static struct state *s;
static struct err e;

static void make(void) {
	tmp_make();
	fixture_init(&f);
	ck_assert_msg(state_open(&s, tmp_path("gateway.db"), true, &e) == 0, "%s", e.text);
}

static void drop(void) {
	state_close(&s);
	fixture_wipe(&f);
	tmp_drop();
}

static struct identity identity_of(const struct fixture_id *id) {
	return (struct identity){ .key = id->key, .cert = id->cert };
}

static bool holds(const char *name, const char *value) {
	OWN(buf_wipe) struct buf b = { 0 };

	return state_get(s, name, &b, &e) == 0 && strcmp(buf_str(&b), value) == 0;
}

static int add_piece(void *arg, const uint8_t *piece, size_t len, struct err *err) {
	(void)err;
	buf_add(arg, piece, len);
	return 0;
}

START_TEST(what_was_put_last_is_found) {
	ck_assert_int_eq(state_put(s, "a", "1", 1, &e), 0);
	ck_assert_int_eq(state_put(s, "a", "22", 2, &e), 0);
	ck_assert(holds("a", "22"));
}
END_TEST

START_TEST(what_was_never_put_is_not_found) {
	OWN(buf_wipe) struct buf b = { 0 };

	ck_assert_int_eq(state_get(s, "a", &b, &e), ERR_NOTFOUND);
	ck_assert_int_eq(state_crl(s, add_piece, &b, &e), ERR_NOTFOUND);
}
END_TEST

START_TEST(nothing_is_opened_where_nothing_is) {
	struct state *other = NULL;

	ck_assert_int_eq(state_open(&other, tmp_path("none.db"), false, &e), ERR_NOTFOUND);
	ck_assert_ptr_null(other);
}
END_TEST

START_TEST(a_rolled_back_transaction_leaves_nothing) {
	ck_assert_int_eq(state_begin(s, &e), 0);
	ck_assert_int_eq(state_put(s, "a", "1", 1, &e), 0);
	state_rollback(s);
	ck_assert(!holds("a", "1"));
}
END_TEST

START_TEST(an_undone_part_leaves_the_others) {
	ck_assert_int_eq(state_begin(s, &e), 0);
	ck_assert_int_eq(state_savepoint(s, &e), 0);
	ck_assert_int_eq(state_put(s, "a", "1", 1, &e), 0);
	ck_assert_int_eq(state_savepoint_keep(s, &e), 0);
	ck_assert_int_eq(state_savepoint(s, &e), 0);
	ck_assert_int_eq(state_put(s, "b", "2", 1, &e), 0);
	state_savepoint_undo(s);
	ck_assert_int_eq(state_commit(s, &e), 0);
	ck_assert(holds("a", "1"));
	ck_assert(!holds("b", "2"));
}
END_TEST

START_TEST(others_commits_are_noticed_and_own_are_not) {
	struct state *other = NULL;
	bool changed;

	ck_assert_int_eq(state_changed(s, &changed, &e), 0);
	ck_assert_int_eq(state_put(s, "a", "1", 1, &e), 0);
	ck_assert_int_eq(state_changed(s, &changed, &e), 0);
	ck_assert(!changed);
	ck_assert_int_eq(state_open(&other, tmp_path("gateway.db"), false, &e), 0);
	ck_assert_int_eq(state_put(other, "a", "2", 1, &e), 0);
	ck_assert_int_eq(state_changed(s, &changed, &e), 0);
	ck_assert(changed);
	ck_assert_int_eq(state_begin(s, &e), 0);
	ck_assert_int_eq(state_changed(s, &changed, &e), 0);
	ck_assert(!changed);
	state_rollback(s);
	state_close(&other);
}
END_TEST

START_TEST(the_highest_list_replaces_the_one_before) {
	OWN(buf_wipe) struct buf b = { 0 };

	ck_assert_int_eq(state_crl_put(s, 1, "one", 3, &e), 0);
	ck_assert_int_eq(state_crl_put(s, 2, "two", 3, &e), 0);
	ck_assert_int_eq(state_crl(s, add_piece, &b, &e), 0);
	ck_assert_str_eq(buf_str(&b), "two");
}
END_TEST

static int count(void *arg, const struct state_member *m, struct err *err) {
	(void)m, (void)err;
	++*(int *)arg;
	return 0;
}

static int ended(int64_t now_s) {
	int n = 0;

	ck_assert_int_eq(state_member_ended(s, now_s, count, &n, &e), 0);
	return n;
}

static void add(uint8_t id, const char *name, int64_t not_after_s) {
	const struct state_member m = { .sha256 = { id }, .serial = { id }, .serial_len = 1, .name = name, .not_after_s = not_after_s };

	ck_assert_int_eq(state_member_add(s, &m, &e), 0);
}

START_TEST(a_members_end_is_dealt_with_once) {
	add(1, "alice", 100);
	add(1, "alice", 100);
	add(2, "bob", 200);
	ck_assert_int_eq(ended(100), 0);
	ck_assert_int_eq(ended(101), 1);
	ck_assert_int_eq(state_member_close(s, 101, &e), 0);
	ck_assert_int_eq(ended(101), 0);
	ck_assert_int_eq(ended(201), 1);
}
END_TEST

START_TEST(a_successor_is_one_of_the_same_name_that_is_valid) {
	int n = 0;

	add(1, "alice", 100);
	add(2, "alice", 300);
	add(3, "bob", 300);
	ck_assert_int_eq(state_member_valid(s, "alice", 200, count, &n, &e), 0);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(state_member_valid(s, "alice", 301, count, &n, &e), 0);
	ck_assert_int_eq(n, 1);
}
END_TEST

static void save_epoch(const struct identity *id, struct keyring *k) {
	k->group = xstrdup("lab");
	ck_assert_int_eq(keyring_rotate(k, f.now_s, &e), 0);
	ck_assert_msg(rest_init(s, id, "lab", f.now_s, &e) == 0 && rest_save(s, id, k, &e) == 0, "%s", e.text);
}

START_TEST(keys_at_rest_come_back_with_the_gateways_key) {
	const struct identity gw = identity_of(&f.gateway);
	OWN(keyring_wipe) struct keyring k = { 0 }, back = { 0 };

	save_epoch(&gw, &k);
	ck_assert_msg(rest_load(s, &gw, "lab", &back, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(back.n, 1);
	ck_assert(secret_equal(&back.v[0].key, &k.v[0].key));
}
END_TEST

START_TEST(keys_at_rest_do_not_open_with_another_key) {
	const struct identity gw = identity_of(&f.gateway), other = identity_of(&f.alice);
	OWN(keyring_wipe) struct keyring k = { 0 }, back = { 0 };
	OWN(secret_wipe) struct secret path_key = { 0 };

	save_epoch(&gw, &k);
	ck_assert_int_eq(rest_load(s, &other, "lab", &back, &e), ERR_REFUSED);
	ck_assert_int_eq(rest_load_path_key(s, &other, &path_key, &e), ERR_REFUSED);
	ck_assert_uint_eq(back.n, 0);
}
END_TEST

START_TEST(keys_of_another_group_are_refused) {
	const struct identity gw = identity_of(&f.gateway);
	OWN(keyring_wipe) struct keyring k = { 0 }, back = { 0 };

	save_epoch(&gw, &k);
	ck_assert_int_eq(rest_load(s, &gw, "other", &back, &e), ERR_DAMAGED);
}
END_TEST

START_TEST(no_key_stands_in_the_database_in_the_clear) {
	const struct identity gw = identity_of(&f.gateway);
	OWN(keyring_wipe) struct keyring k = { 0 };
	OWN(buf_wipe) struct buf der = { 0 };

	save_epoch(&gw, &k);
	ck_assert_int_eq(state_get(s, STATE_KEYS, &der, &e), 0);
	ck_assert_ptr_null(memmem(der.data, der.len, k.v[0].key.data, k.v[0].key.len));
}
END_TEST

START_TEST(the_recovery_key_opens_what_rests) {
	struct identity gw = identity_of(&f.gateway);
	OWN(keyring_wipe) struct keyring k = { 0 }, back = { 0 };
	OWN(buf_wipe) struct buf der = { 0 };

	gw.recovery = f.admin.cert;
	save_epoch(&gw, &k);
	ck_assert_int_eq(state_get(s, STATE_KEYS, &der, &e), 0);
	ck_assert_msg(keyring_open(der.data, der.len, f.admin.cert, f.admin.key, &back, &e) == 0, "%s", e.text);
	ck_assert(secret_equal(&back.v[0].key, &k.v[0].key));
}
END_TEST

START_TEST(a_renewed_key_opens_what_was_sealed_anew) {
	const struct identity gw = identity_of(&f.gateway), renewed = identity_of(&f.admin);
	OWN(keyring_wipe) struct keyring k = { 0 }, back = { 0 };
	OWN(secret_wipe) struct secret before = { 0 }, after = { 0 };

	save_epoch(&gw, &k);
	ck_assert_int_eq(rest_load_path_key(s, &gw, &before, &e), 0);
	ck_assert_msg(rest_reseal(s, &gw, &renewed, &e) == 0, "%s", e.text);
	ck_assert_msg(rest_load(s, &renewed, "lab", &back, &e) == 0, "%s", e.text);
	ck_assert_msg(rest_load_path_key(s, &renewed, &after, &e) == 0, "%s", e.text);
	ck_assert(secret_equal(&before, &after));
	ck_assert_int_eq(rest_load(s, &gw, "lab", &back, &e), ERR_REFUSED);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("state");
	TCase *t = tcase_create("state");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, make, drop);
	tcase_add_test(t, what_was_put_last_is_found);
	tcase_add_test(t, what_was_never_put_is_not_found);
	tcase_add_test(t, nothing_is_opened_where_nothing_is);
	tcase_add_test(t, a_rolled_back_transaction_leaves_nothing);
	tcase_add_test(t, an_undone_part_leaves_the_others);
	tcase_add_test(t, others_commits_are_noticed_and_own_are_not);
	tcase_add_test(t, the_highest_list_replaces_the_one_before);
	tcase_add_test(t, a_members_end_is_dealt_with_once);
	tcase_add_test(t, a_successor_is_one_of_the_same_name_that_is_valid);
	tcase_add_test(t, keys_at_rest_come_back_with_the_gateways_key);
	tcase_add_test(t, keys_at_rest_do_not_open_with_another_key);
	tcase_add_test(t, keys_of_another_group_are_refused);
	tcase_add_test(t, no_key_stands_in_the_database_in_the_clear);
	tcase_add_test(t, the_recovery_key_opens_what_rests);
	tcase_add_test(t, a_renewed_key_opens_what_was_sealed_anew);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
