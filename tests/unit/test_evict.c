/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/evict and gateway/group: which lists are taken, when a new epoch begins, what a failure leaves, who else writes. */
#include "gateway/evict.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "gateway_env.h"
#include "lib/tmp.h"
#include "pki/ossl.h"

static struct env v;
static struct err e;

static void make(void) {
	env_open(&v);
}

static void drop(void) {
	env_wipe(&v);
}

static uint64_t epoch(void) {
	v.g->fresh_ms = 0;
	ck_assert_msg(group_fresh(v.g, &e) == 0, "%s", e.text);
	return v.g->keyring.n > 0 ? keyring_current(&v.g->keyring)->number : 0;
}

static enum verdict verdict_of(X509 *cert) {
	const struct validity valid = validity_of(cert);

	return group_verdict(v.g, cert, &valid, VERDICT_GOOD, clock_now_s());
}

static void settle(void) {
	ck_assert_msg(evict_settle(v.g, clock_now_s(), &e) == 0, "%s", e.text);
}

static bool ledger_knows_revoked(const X509 *cert) {
	uint8_t serial[SERIAL_MAX];
	size_t len = cert_serial(cert, serial);
	bool yes;

	ck_assert_int_eq(ledger_is_revoked(v.g->ledger, serial, len, &yes, &e), 0);
	return yes;
}

START_TEST(the_first_run_makes_epoch_one) {
	ck_assert_uint_eq(epoch(), 1);
	/* the gateway's certificate, the epoch, the list */
	ck_assert_uint_eq(ledger_size(v.g->ledger), 3);
}
END_TEST

START_TEST(a_restart_makes_no_epoch_and_no_entry) {
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	uint64_t size = ledger_size(v.g->ledger);

	env_restart(&v);
	env_restart(&v);
	ck_assert_uint_eq(epoch(), 2);
	ck_assert_uint_eq(ledger_size(v.g->ledger), size);
}
END_TEST

START_TEST(a_restart_keeps_the_list_in_force) {
	ck_assert_int_eq(env_crl(&v, 5, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	env_restart(&v);
	ck_assert_uint_eq(crl_set_number(v.g->list->set), 5);
	ck_assert_int_eq(verdict_of(v.f.bob.cert), VERDICT_REVOKED);
	ck_assert_int_eq(env_crl(&v, 4, NULL, 0, 0), OFFER_OLDER);
}
END_TEST

START_TEST(who_is_newly_named_starts_an_epoch_and_is_in_the_ledger) {
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_uint_eq(epoch(), 2);
	ck_assert(ledger_knows_revoked(v.f.bob.cert));
	ck_assert(!ledger_knows_revoked(v.f.alice.cert));
}
END_TEST

START_TEST(who_was_named_before_starts_no_epoch) {
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_eq(env_crl(&v, 3, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_uint_eq(epoch(), 2);
}
END_TEST

START_TEST(two_named_at_once_start_one_epoch) {
	X509 *const both[] = { v.f.alice.cert, v.f.bob.cert };

	ck_assert_int_eq(env_crl(&v, 2, both, 2, CRL_UNSPECIFIED), OFFER_TAKEN);
	ck_assert_uint_eq(epoch(), 2);
}
END_TEST

START_TEST(superseded_starts_no_epoch_but_is_refused) {
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_SUPERSEDED), OFFER_TAKEN);
	ck_assert_uint_eq(epoch(), 1);
	ck_assert_int_eq(verdict_of(v.f.bob.cert), VERDICT_REVOKED);
}
END_TEST

START_TEST(rotation_on_revocation_can_be_switched_off) {
	v.conf.rotate_on_revoke = false;
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_uint_eq(epoch(), 1);
	ck_assert(ledger_knows_revoked(v.f.bob.cert));
}
END_TEST

START_TEST(an_older_list_is_refused) {
	ck_assert_int_eq(env_crl(&v, 9, NULL, 0, 0), OFFER_TAKEN);
	ck_assert_int_eq(env_crl(&v, 8, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_OLDER);
	ck_assert_int_eq(verdict_of(v.f.bob.cert), VERDICT_GOOD);
}
END_TEST

START_TEST(another_list_with_the_same_number_is_refused) {
	ck_assert_int_eq(env_crl(&v, 1, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_OTHER);
	ck_assert_int_eq(verdict_of(v.f.bob.cert), VERDICT_GOOD);
	ck_assert_uint_eq(epoch(), 1);
}
END_TEST

START_TEST(the_very_same_list_is_no_news) {
	struct list *l = list_ref(v.g->list);

	ck_assert_int_eq(evict_offer(v.g, l, "test", clock_now_s()), OFFER_SAME);
	list_free(l);
}
END_TEST

START_TEST(an_expired_list_is_refused) {
	clock_shift_s((int64_t)8 * FIXTURE_DAY_S);
	ck_assert_int_eq(env_offer(&v, 2, NULL, 0, 0), OFFER_EXPIRED);
	ck_assert_uint_eq(crl_set_number(v.g->list->set), 1);
}
END_TEST

/* The ledger knows them from here on. */
static void see(X509 *cert) {
	ck_assert_msg(group_see(v.g, cert, v.f.now_s, &e) == 0 && group_commit(v.g, &e) == 0, "%s", e.text);
}

static bool was_revoked(const X509 *cert) {
	bool yes = false;

	ck_assert_msg(group_was_revoked(v.g, cert, &yes, &e) == 0, "%s", e.text);
	return yes;
}

START_TEST(a_list_that_lacks_a_members_revocation_is_not_taken) {
	uint8_t serial[SERIAL_MAX];
	size_t len = cert_serial(v.f.bob.cert, serial);
	char hex[SERIAL_HEX];

	text_hex(serial, len, hex);
	see(v.f.bob.cert);
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, _i == 0 ? CRL_KEY_COMPROMISE : CRL_SUPERSEDED), OFFER_TAKEN);
	ck_assert_int_eq(env_crl(&v, 3, NULL, 0, 0), OFFER_DROPS);
	ck_assert_str_eq(v.g->lacks, hex);
	ck_assert_uint_eq(crl_set_number(v.g->list->set), 2);
	ck_assert_uint_eq(crl_set_number(group_told(v.g, clock_now_s())->set), 2);
	ck_assert_int_eq(verdict_of(v.f.bob.cert), VERDICT_REVOKED);
	ck_assert_int_eq(verdict_of(v.f.alice.cert), VERDICT_GOOD);
	env_restart(&v);
	ck_assert_int_eq(verdict_of(v.f.bob.cert), VERDICT_REVOKED);
	ck_assert_int_eq(env_crl(&v, 3, NULL, 0, 0), OFFER_DROPS);
}
END_TEST

START_TEST(whom_such_a_list_names_is_refused_all_the_same) {
	X509 *const both[] = { v.f.alice.cert, v.f.bob.cert };

	see(v.f.bob.cert);
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_eq(env_crl(&v, 5, &v.f.alice.cert, 1, CRL_KEY_COMPROMISE), OFFER_DROPS);
	ck_assert_int_eq(verdict_of(v.f.alice.cert), VERDICT_REVOKED);
	ck_assert_int_eq(verdict_of(v.f.bob.cert), VERDICT_REVOKED);
	ck_assert_uint_eq(epoch(), 2);
	/* one of a number between them does not let her in again, one above both is the last word */
	ck_assert_int_eq(env_crl(&v, 4, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_eq(verdict_of(v.f.alice.cert), VERDICT_REVOKED);
	ck_assert_ptr_nonnull(v.g->held);
	ck_assert_int_eq(env_crl(&v, 6, both, 2, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_ptr_null(v.g->held);
	ck_assert_uint_eq(epoch(), 3);
}
END_TEST

START_TEST(a_gateways_revocation_may_not_be_dropped_either) {
	struct fixture_id old = { 0 };

	fixture_issue(&v.f.ca, ROLE_GATEWAY, "old", NULL, v.f.now_s - 60, v.f.now_s + FIXTURE_DAY_S, &old);
	see(old.cert);
	ck_assert_int_eq(env_crl(&v, 2, &old.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_eq(env_crl(&v, 3, NULL, 0, 0), OFFER_DROPS);
	fixture_id_wipe(&old);
}
END_TEST

START_TEST(a_held_list_closes_a_gateway_that_it_names) {
	const char *text;

	see(v.f.bob.cert);
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_eq(env_crl(&v, 3, &v.f.gateway.cert, 1, CRL_KEY_COMPROMISE), OFFER_DROPS);
	ck_assert_str_eq(group_closed(v.g, clock_now_s(), &text), "gateway-certificate");
}
END_TEST

/* RFC 5280 3.3: it need not stay longer than that. */
START_TEST(a_list_may_drop_what_has_expired_when_it_is_made) {
	struct fixture_id zoe = { 0 };
	int64_t made_s = v.f.now_s - 3600; /* thisUpdate of the fixture's lists */

	fixture_issue(&v.f.ca, ROLE_MEMBER, "zoe", NULL, v.f.now_s - 60, v.f.now_s + 6000, &zoe);
	see(zoe.cert);
	ck_assert_int_eq(env_crl(&v, 2, &zoe.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	v.f.now_s += cert_not_after(zoe.cert) - made_s;
	clock_shift_s(v.f.now_s - clock_now_s());
	ck_assert_int_eq(env_crl(&v, 3, NULL, 0, 0), OFFER_DROPS);
	v.f.now_s++;
	ck_assert_int_eq(env_crl(&v, 4, NULL, 0, 0), OFFER_TAKEN);
	fixture_id_wipe(&zoe);
}
END_TEST

/* When such a certificate ends the gateway cannot know, before it is shown. */
START_TEST(what_the_gateway_never_saw_may_be_dropped_and_stays_revoked) {
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_eq(env_crl(&v, 3, NULL, 0, 0), OFFER_TAKEN);
	ck_assert(was_revoked(v.f.bob.cert));
	ck_assert(!was_revoked(v.f.alice.cert));
	env_restart(&v);
	ck_assert(was_revoked(v.f.bob.cert));
	ck_assert_int_eq(env_crl(&v, 4, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_ptr_eq(v.g->list, v.g->stored);
}
END_TEST

START_TEST(the_gateway_closes_in_the_second_of_next_update) {
	int64_t end = crl_set_next_update(v.g->list->set);
	const char *text;

	ck_assert_ptr_null(group_closed(v.g, end - 1, &text));
	ck_assert_str_eq(group_closed(v.g, end, &text), "crl-not-current");
}
END_TEST

START_TEST(a_member_without_successor_starts_an_epoch_at_his_end) {
	struct fixture_id zoe = { 0 };
	uint64_t size;

	fixture_issue(&v.f.ca, ROLE_MEMBER, "zoe", NULL, v.f.now_s - 60, v.f.now_s + 6000, &zoe);
	ck_assert_msg(group_see(v.g, zoe.cert, v.f.now_s, &e) == 0 && group_commit(v.g, &e) == 0, "%s", e.text);
	settle();
	ck_assert_uint_eq(epoch(), 1);
	clock_shift_s(6002);
	settle();
	ck_assert_uint_eq(epoch(), 2);
	size = ledger_size(v.g->ledger);
	clock_shift_s(70);
	settle();
	env_restart(&v);
	ck_assert_uint_eq(epoch(), 2);
	ck_assert_uint_eq(ledger_size(v.g->ledger), size);
	fixture_id_wipe(&zoe);
}
END_TEST

START_TEST(the_end_of_a_gateways_certificate_starts_none) {
	struct fixture_id gw = { 0 };

	fixture_issue(&v.f.ca, ROLE_GATEWAY, "gw2", NULL, v.f.now_s - 60, v.f.now_s + 6000, &gw);
	ck_assert_msg(group_see(v.g, gw.cert, v.f.now_s, &e) == 0 && group_commit(v.g, &e) == 0, "%s", e.text);
	clock_shift_s(6002);
	settle();
	ck_assert_uint_eq(epoch(), 1);
	fixture_id_wipe(&gw);
}
END_TEST

static void see_and_end(const char *first, const char *second) {
	struct fixture_id a = { 0 }, b = { 0 };

	fixture_issue(&v.f.ca, ROLE_MEMBER, first, NULL, v.f.now_s - 60, v.f.now_s + 6000, &a);
	fixture_issue(&v.f.ca, ROLE_MEMBER, second, NULL, v.f.now_s - 60, v.f.now_s + FIXTURE_DAY_S, &b);
	ck_assert_msg(group_see(v.g, a.cert, v.f.now_s, &e) == 0 && group_see(v.g, b.cert, v.f.now_s, &e) == 0, "%s", e.text);
	ck_assert_int_eq(group_commit(v.g, &e), 0);
	clock_shift_s(6002);
	settle();
	fixture_id_wipe(&a);
	fixture_id_wipe(&b);
}

START_TEST(a_member_with_a_successor_starts_none) {
	see_and_end("zoe", "zoe");
	ck_assert_uint_eq(epoch(), 1);
}
END_TEST

START_TEST(another_member_is_no_successor) {
	see_and_end("zoe", "max");
	ck_assert_uint_eq(epoch(), 2);
}
END_TEST

START_TEST(rotation_on_expiry_can_be_switched_off) {
	v.conf.rotate_on_expiry = false;
	see_and_end("zoe", "max");
	ck_assert_uint_eq(epoch(), 1);
}
END_TEST

START_TEST(the_end_of_a_revoked_certificate_starts_none) {
	struct fixture_id zoe = { 0 };

	fixture_issue(&v.f.ca, ROLE_MEMBER, "zoe", NULL, v.f.now_s - 60, v.f.now_s + 6000, &zoe);
	ck_assert_msg(group_see(v.g, zoe.cert, v.f.now_s, &e) == 0 && group_commit(v.g, &e) == 0, "%s", e.text);
	ck_assert_int_eq(env_crl(&v, 2, &zoe.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_uint_eq(epoch(), 2);
	clock_shift_s(6002);
	settle();
	ck_assert_uint_eq(epoch(), 2);
	fixture_id_wipe(&zoe);
}
END_TEST

static void break_crl_table(bool broken) {
	ck_assert_msg(db_run(state_db(v.g->state), &e, broken ? "ALTER TABLE crl RENAME TO away" : "ALTER TABLE away RENAME TO crl", "") == 0, "%s",
	    e.text);
}

START_TEST(a_failed_write_leaves_the_refusal_and_is_tried_again) {
	uint64_t size = ledger_size(v.g->ledger);

	break_crl_table(true);
	ck_assert_int_eq(env_offer(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_ne(evict_settle(v.g, clock_now_s(), &e), 0);
	ck_assert_int_eq(verdict_of(v.f.bob.cert), VERDICT_REVOKED);
	ck_assert_uint_eq(epoch(), 1);
	ck_assert_uint_eq(ledger_size(v.g->ledger), size);
	break_crl_table(false);
	v.g->retry_at_ms = 0;
	settle();
	ck_assert_uint_eq(epoch(), 2);
	ck_assert(ledger_knows_revoked(v.f.bob.cert));
}
END_TEST

/* From so many entries on, the ledger takes no more. */
static void fill_ledger(uint64_t size) {
	OWN(own_free) char *sql = xasprintf("CREATE TRIGGER full BEFORE INSERT ON ledger_entries "
		"WHEN (SELECT count(*) FROM ledger_entries) >= %llu BEGIN SELECT RAISE(ABORT, 'no room'); END", (unsigned long long)size);

	ck_assert_msg(db_run(state_db(v.g->state), &e, sql, "") == 0, "%s", e.text);
}

/* 0: there is no room for the event of the list; 1: for that, but not for the epoch's. All of it is there or nothing. */
START_TEST(no_list_and_no_epoch_without_its_event) {
	uint64_t size = ledger_size(v.g->ledger);
	uint8_t id[KEY_ID_LEN];

	memcpy(id, keyring_current(&v.g->keyring)->key_id, sizeof id);
	fill_ledger(size + (uint64_t)_i);
	ck_assert_int_eq(env_offer(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_ne(evict_settle(v.g, clock_now_s(), &e), 0);
	ck_assert_int_eq(verdict_of(v.f.bob.cert), VERDICT_REVOKED);
	ck_assert_uint_eq(epoch(), 1);
	ck_assert_mem_eq(keyring_current(&v.g->keyring)->key_id, id, sizeof id);
	ck_assert_uint_eq(ledger_size(v.g->ledger), size);
	ck_assert(!ledger_knows_revoked(v.f.bob.cert));
	ck_assert_int_eq(db_run(state_db(v.g->state), &e, "DROP TRIGGER full", ""), 0);
	v.g->retry_at_ms = 0;
	settle();
	ck_assert_uint_eq(epoch(), 2);
	ck_assert_uint_eq(ledger_size(v.g->ledger), size + 2);
	ck_assert(ledger_knows_revoked(v.f.bob.cert));
}
END_TEST

START_TEST(two_lists_after_a_failure_lose_nobody) {
	X509 *const both[] = { v.f.alice.cert, v.f.bob.cert };

	break_crl_table(true);
	ck_assert_int_eq(env_offer(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_ne(evict_settle(v.g, clock_now_s(), &e), 0);
	break_crl_table(false);
	ck_assert_int_eq(env_crl(&v, 3, both, 2, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert(ledger_knows_revoked(v.f.bob.cert));
	ck_assert(ledger_knows_revoked(v.f.alice.cert));
	ck_assert_uint_eq(epoch(), 2);
}
END_TEST

START_TEST(between_failures_nothing_is_tried) {
	clock_stop_mono();
	break_crl_table(true);
	ck_assert_int_eq(env_offer(&v, 2, NULL, 0, 0), OFFER_TAKEN);
	ck_assert_int_ne(evict_settle(v.g, clock_now_s(), &e), 0);
	ck_assert_int_eq(evict_settle(v.g, clock_now_s(), &e), 0);
	ck_assert_ptr_ne(v.g->list, v.g->stored);
}
END_TEST

static void rotate_elsewhere(void) {
	struct identity id = { .key = v.f.gateway.key, .cert = v.f.gateway.cert };
	struct group *other = NULL;

	EVP_PKEY_up_ref(id.key);
	X509_up_ref(id.cert);
	ck_assert_msg(group_open(&other, &v.conf, v.f.chain, &id, GROUP_TOOL, &e) == 0, "%s", e.text);
	ck_assert_msg(evict_rotate(other, clock_now_s(), &e) == 0, "%s", e.text);
	group_close(&other);
}

START_TEST(an_epoch_made_by_another_process_is_noticed) {
	(void)group_round_end(v.g);
	rotate_elsewhere();
	ck_assert_uint_eq(epoch(), 2);
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_uint_eq(epoch(), 3);
	(void)group_round_end(v.g);
	rotate_elsewhere();
	ck_assert_uint_eq(epoch(), 4);
}
END_TEST

START_TEST(a_tool_refuses_a_folder_where_no_gateway_ran) {
	struct identity id = { .key = v.f.gateway.key, .cert = v.f.gateway.cert };
	struct group *other = NULL;
	struct gwconf conf = v.conf;
	char dir[] = "/nonexistent";

	conf.dir = dir;
	ck_assert_int_eq(group_open(&other, &conf, v.f.chain, &id, GROUP_TOOL, &e), ERR_NOTFOUND);
	ck_assert_ptr_eq(id.cert, v.f.gateway.cert);
}
END_TEST

START_TEST(a_gateway_that_is_revoked_itself_closes_and_signs_nothing) {
	uint64_t size = ledger_size(v.g->ledger);
	const char *text;

	ck_assert_int_eq(env_crl(&v, 2, &v.f.gateway.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_str_eq(group_closed(v.g, clock_now_s(), &text), "gateway-certificate");
	ck_assert_uint_eq(ledger_size(v.g->ledger), size);
	ck_assert_int_eq(evict_rotate(v.g, clock_now_s(), &e), ERR_REFUSED);
}
END_TEST

START_TEST(a_renewed_gateway_does_what_the_revoked_one_could_not) {
	struct fixture_id renewed = { 0 };
	struct identity id;

	fixture_issue(&v.f.ca, ROLE_GATEWAY, "gw2", NULL, v.f.now_s - 60, v.f.now_s + FIXTURE_DAY_S, &renewed);
	ck_assert_int_eq(env_crl(&v, 2, &v.f.gateway.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	id = (struct identity){ .key = renewed.key, .cert = renewed.cert };
	ck_assert_msg(group_change(v.g, &v.conf, &id, &e) == 0, "%s", e.text);
	settle();
	ck_assert_uint_eq(epoch(), 2);
	ck_assert(ledger_knows_revoked(v.f.gateway.cert));
}
END_TEST

START_TEST(an_expired_gateway_closes) {
	int64_t later = clock_now_s() + (int64_t)91 * FIXTURE_DAY_S;
	const char *text;

	ck_assert_str_eq(group_closed(v.g, later, &text), "crl-not-current");
	ck_assert_ptr_nonnull(group_self_fault(v.g, later));
}
END_TEST

START_TEST(a_part_undone_leaves_the_rest_of_the_round) {
	uint64_t size = ledger_size(v.g->ledger);

	ck_assert_int_eq(group_see(v.g, v.f.alice.cert, v.f.now_s, &e), 0);
	ck_assert_int_eq(group_part(v.g, &e), 0);
	group_undo(v.g);
	ck_assert_int_eq(group_round_end(v.g), 0);
	ck_assert_uint_eq(ledger_size(v.g->ledger), size + 1);
	env_restart(&v);
	ck_assert_uint_eq(ledger_size(v.g->ledger), size + 1);
}
END_TEST

START_TEST(a_certificate_is_entered_once) {
	uint64_t size = ledger_size(v.g->ledger);

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(group_see(v.g, v.f.alice.cert, v.f.now_s, &e), 0);
	ck_assert_uint_eq(ledger_size(v.g->ledger), size + 1);
}
END_TEST

int main(void) {
	Suite *s = suite_create("evict");
	TCase *t = tcase_create("lists"), *u = tcase_create("epochs"), *w = tcase_create("faults");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, make, drop);
	tcase_add_test(t, a_restart_keeps_the_list_in_force);
	tcase_add_test(t, an_older_list_is_refused);
	tcase_add_test(t, another_list_with_the_same_number_is_refused);
	tcase_add_test(t, the_very_same_list_is_no_news);
	tcase_add_test(t, an_expired_list_is_refused);
	tcase_add_loop_test(t, a_list_that_lacks_a_members_revocation_is_not_taken, 0, 2);
	tcase_add_test(t, whom_such_a_list_names_is_refused_all_the_same);
	tcase_add_test(t, a_gateways_revocation_may_not_be_dropped_either);
	tcase_add_test(t, a_held_list_closes_a_gateway_that_it_names);
	tcase_add_test(t, a_list_may_drop_what_has_expired_when_it_is_made);
	tcase_add_test(t, what_the_gateway_never_saw_may_be_dropped_and_stays_revoked);
	tcase_add_test(t, the_gateway_closes_in_the_second_of_next_update);
	tcase_add_checked_fixture(u, make, drop);
	tcase_add_test(u, the_first_run_makes_epoch_one);
	tcase_add_test(u, a_restart_makes_no_epoch_and_no_entry);
	tcase_add_test(u, who_is_newly_named_starts_an_epoch_and_is_in_the_ledger);
	tcase_add_test(u, who_was_named_before_starts_no_epoch);
	tcase_add_test(u, two_named_at_once_start_one_epoch);
	tcase_add_test(u, superseded_starts_no_epoch_but_is_refused);
	tcase_add_test(u, rotation_on_revocation_can_be_switched_off);
	tcase_add_test(u, a_member_without_successor_starts_an_epoch_at_his_end);
	tcase_add_test(u, the_end_of_a_gateways_certificate_starts_none);
	tcase_add_test(u, a_member_with_a_successor_starts_none);
	tcase_add_test(u, another_member_is_no_successor);
	tcase_add_test(u, rotation_on_expiry_can_be_switched_off);
	tcase_add_test(u, the_end_of_a_revoked_certificate_starts_none);
	tcase_add_checked_fixture(w, make, drop);
	tcase_add_test(w, a_failed_write_leaves_the_refusal_and_is_tried_again);
	tcase_add_loop_test(w, no_list_and_no_epoch_without_its_event, 0, 2);
	tcase_add_test(w, two_lists_after_a_failure_lose_nobody);
	tcase_add_test(w, between_failures_nothing_is_tried);
	tcase_add_test(w, an_epoch_made_by_another_process_is_noticed);
	tcase_add_test(w, a_tool_refuses_a_folder_where_no_gateway_ran);
	tcase_add_test(w, a_gateway_that_is_revoked_itself_closes_and_signs_nothing);
	tcase_add_test(w, a_renewed_gateway_does_what_the_revoked_one_could_not);
	tcase_add_test(w, an_expired_gateway_closes);
	tcase_add_test(w, a_part_undone_leaves_the_rest_of_the_round);
	tcase_add_test(w, a_certificate_is_entered_once);
	suite_add_tcase(s, t);
	suite_add_tcase(s, u);
	suite_add_tcase(s, w);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
