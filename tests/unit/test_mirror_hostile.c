/* SPDX-License-Identifier: Apache-2.0 */
/* What hostile gateways, and hands in the member's own folder, try to make a mirror believe. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/own.h"
#include "lib/rawlog.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "unit/mirror_lab.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* --- hostile gateways --- */

/* A member refuses, says why, keeps the evidence, and stays as he was. */
static void is_caught(struct mirror *m, const struct rawlog *r, const struct crl_set *crl, const char *why) {
	struct head before, after;
	size_t n = evidence_count(m);

	ledger_head(mirror_ledger(m), &before);
	ck_assert_msg(mirror_sync(m, &r->transport, crl, lab.g.now_s, &lab.e) == ERR_DAMAGED, "%s", lab.e.text);
	ck_assert_msg(strstr(lab.e.text, why) != NULL, "%s", lab.e.text);
	ledger_head(mirror_ledger(m), &after);
	ck_assert_mem_eq(&before, &after, sizeof before);
	ck_assert_uint_eq(evidence_count(m), n + 1);
	ck_assert_msg(mirror_audit(m, NULL, &lab.e) == 0, "%s", lab.e.text);
}

/* Entries 0 gateway, 1 epoch, 2 lab.alice, 3 put a, 4 lab.bob, 5 put b, 6 replace a (lab.bob), 7 crl (lab.bob), 8
 * epoch, 9 put c, 10 replace a. Alice is the old member: she synchronised after 8. */
static void a_story(void) {
	lab.g.now_s = lab.f.now_s + 1000;
	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "a");
	change_ok(lab.bob, &lab.f.bob, EVENT_PUT, NULL, "b");
	change_ok(lab.bob, &lab.f.bob, EVENT_REPLACE, "a", NULL);
	memgate_revoke(&lab.g, lab.f.bob.cert);
	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "c");
	change_ok(lab.alice, &lab.f.alice, EVENT_REPLACE, "a", NULL);
	ck_assert_uint_eq(ledger_size(lab.g.ledger), 11);
}

/* A member's event made from the true ledger by whoever wants to, signed as the hand says. */
static void forge(const struct fixture_id *by, enum event_op op, const char *path, int64_t time_s, struct buf *entry) {
	const struct ledger_signer s = {.key = by->key, .cert = by->cert, .now_s = time_s};
	struct mirror *m = open_mirror("forger.db", NULL);
	struct memgate_step step;

	sync_ok(m);
	draft(m, op, path, op == EVENT_PUT ? path : NULL, &step);
	ck_assert_msg(ledger_change(mirror_ledger(m), &step.c, &s, entry, &lab.e) == 0, "%s", lab.e.text);
	mirror_close(m);
}

static void flip_signature(struct entry *en) { ((uint8_t *)(uintptr_t)en->event)[en->event_len - 1] ^= 1; }
static void flip_text(struct entry *en) {
	uint8_t *at = memmem(en->event, en->event_len, "version ", 8);

	at[8]++;
}
static void flip_path(struct entry *en) { ((char *)(uintptr_t)en->path)[0] ^= 2; }
static void flip_salt(struct entry *en) { ((uint8_t *)(uintptr_t)en->salt)[0] ^= 1; }
static void flip_serial(struct entry *en) { ((uint8_t *)(uintptr_t)en->revoked)[en->revoked_len - 1] ^= 1; }
static void drop_serial(struct entry *en) { en->revoked_len = 0; }
static void other_cert(struct entry *en) {
	static struct buf der;

	buf_clear(&der);
	ck_assert_int_eq(cert_der(lab.carol.cert, &der, &lab.e), 0);
	en->cert = der.data;
	en->cert_len = der.len;
}

static void altered_signature(struct rawlog *r) { rawlog_edit(r, 3, flip_signature); }
static void altered_text(struct rawlog *r) { rawlog_edit(r, 6, flip_text); }
static void altered_path(struct rawlog *r) { rawlog_edit(r, 3, flip_path); }
static void altered_salt(struct rawlog *r) { rawlog_edit(r, 5, flip_salt); }
static void altered_serial(struct rawlog *r) { rawlog_edit(r, 7, flip_serial); }
static void withheld_serial(struct rawlog *r) { rawlog_edit(r, 7, drop_serial); }
static void altered_cert(struct rawlog *r) { rawlog_edit(r, 2, other_cert); }
static void altered_last(struct rawlog *r) { rawlog_edit(r, 10, flip_text); }
static void altered_last_path(struct rawlog *r) { rawlog_edit(r, 9, flip_path); }
static void dropped(struct rawlog *r) { rawlog_drop(r, 5); }
static void dropped_last_put(struct rawlog *r) { rawlog_drop(r, 9); }
static void dropped_crl(struct rawlog *r) { rawlog_drop(r, 7); }
static void swapped(struct rawlog *r) { rawlog_swap(r, 5, 6); }
static void swapped_last(struct rawlog *r) { rawlog_swap(r, 9, 10); }
static void doubled(struct rawlog *r) { rawlog_insert(r, 4, &r->entry[3]); }
static void doubled_last(struct rawlog *r) { rawlog_add(r, &r->entry[9]); }
static void no_gateway(struct rawlog *r) { rawlog_drop(r, 0); }
static void no_member(struct rawlog *r) { rawlog_drop(r, 2); }
static void longer_head(struct rawlog *r) { r->claim = r->n + 1; }
static void other_nonce(struct rawlog *r) { r->old_nonce = true; }
static void head_by_member(struct rawlog *r) { r->id = &lab.f.alice; }
static void head_by_foreigner(struct rawlog *r) { r->id = &lab.f.foreign_gateway; }
static void head_by_unknown(struct rawlog *r) { r->id = &lab.gateway2; }
static void later(struct rawlog *r) { r->now_s = lab.g.now_s; }

static void add_forged(
    struct rawlog *r, const struct fixture_id *by, enum event_op op, const char *path, int64_t time_s) {
	OWN(buf_wipe) struct buf entry = {0};

	forge(by, op, path, time_s, &entry);
	rawlog_add(r, &entry);
}

static void by_evicted(struct rawlog *r) { add_forged(r, &lab.f.bob, EVENT_PUT, "d", lab.g.now_s); }
static void by_evicted_dated_back(struct rawlog *r) {
	add_forged(r, &lab.f.bob, EVENT_REPLACE, "c", lab.g.now_s - 250);
}
static void by_nobody(struct rawlog *r) { add_forged(r, &lab.carol, EVENT_PUT, "d", lab.g.now_s); }
static void by_foreigner(struct rawlog *r) { add_forged(r, &lab.f.foreign, EVENT_PUT, "d", lab.g.now_s); }
static void by_gateway(struct rawlog *r) { add_forged(r, &lab.f.gateway, EVENT_REMOVE, "a", lab.g.now_s); }
static void dated_back(struct rawlog *r) {
	add_forged(r, &lab.f.alice, EVENT_PUT, "d", lab.g.now_s - INT64_C(2) * EVENT_SKEW_S - 1);
}
static void inserted_before_the_eviction(struct rawlog *r) {
	OWN(buf_wipe) struct buf entry = {0};

	forge(&lab.f.bob, EVENT_PUT, "d", lab.g.now_s, &entry);
	rawlog_insert(r, 7, &entry);
}
/* Bob signs, lab.alice is named. */
static void by_other_member(struct rawlog *r) {
	OWN(buf_wipe) struct buf entry = {0};
	size_t len;
	uint8_t *at;

	forge(&lab.f.bob, EVENT_PUT, "d", lab.g.now_s, &entry);
	at = memmem(entry.data, entry.len, cert_ski(lab.f.bob.cert, &len), 20);
	ck_assert_ptr_nonnull(at);
	memcpy(at, cert_ski(lab.f.alice.cert, &len), 20);
	rawlog_add(r, &entry);
}
static void garbage(struct rawlog *r) {
	const struct buf junk = {.data = (uint8_t *)(uintptr_t)"\x30\x03\x04\x01x", .len = 5};

	rawlog_add(r, &junk);
}
static void no_der(struct rawlog *r) {
	const struct buf junk = {.data = (uint8_t *)(uintptr_t)"\x30\x80", .len = 2};

	rawlog_add(r, &junk);
	r->claim = r->n;
}

/* fresh, old: what a brand-new and an old member say. NULL: he cannot know. */
static const struct {
	void (*forge)(struct rawlog *r); const char *fresh, *old;
} forgeries[] = {
    {altered_signature, "entry 3: event: ", "forked"},
    {altered_text, "entry 6: event: RFC 5652 11.2", "forked"},
    {altered_path, "entry 3: entry: path", NULL},
    {altered_salt, "entry 5: entry: path", NULL},
    {altered_serial, "entry 7: entry: list of serial", NULL},
    {withheld_serial, "entry 7: entry: list of serial", NULL},
    {altered_cert, "entry 2: entry: certificate", NULL},
    {altered_last, "entry 10: event: RFC 5652 11.2", "entry 10: event: RFC 5652 11.2"},
    {altered_last_path, "entry 9: entry: path", NULL},
    {dropped, "entry 5: ", "forked"},
    {dropped_last_put, "entry 9: event: it saw", "forked"},
    {dropped_crl, "entry 7: event: it saw 8", "forked"},
    {swapped, "entry 5: event: it saw 6", "forked"},
    {swapped_last, "entry 9: event: it saw 10", "entry 10: event: the file's id"},
    {doubled, "entry 4: event: the file's id", "entry 10: event: the file's id"},
    {doubled_last, "entry 11: event: the file's id", "entry 11: event: the file's id"},
    {no_gateway, "entry 0: event: nobody", "forked"},
    {no_member, "entry 2: event: nobody", "forked"},
    {longer_head, "it has only", "it has only"},
    {other_nonce, "nonce is not ours", "nonce is not ours"},
    {head_by_member, "head: signer", "head: signer"},
    {head_by_foreigner, "head: signer", "head: signer"},
    {head_by_unknown, "no member event brought", "no member event brought"},
    {by_evicted, "entry 11: event: RFC 5280 5.3", "entry 11: event: RFC 5280 5.3"},
    {by_evicted_dated_back, "entry 11: event: RFC 5280 5.3", "entry 11: event: RFC 5280 5.3"},
    {by_nobody, "entry 11: event: nobody", "entry 11: event: nobody"},
    {by_foreigner, "entry 11: event: nobody", "entry 11: event: nobody"},
    {by_gateway, "entry 11: event: RFC 5280 4.2.1.12", "entry 11: event: RFC 5280 4.2.1.12"},
    {dated_back, "entry 11: event: back-dated", "entry 11: event: back-dated"},
    {inserted_before_the_eviction, "entry 7: event: it saw 11", "entry 10: event: the file's id"},
    {by_other_member, "entry 11: event: RFC 5035", "entry 11: event: RFC 5035"},
    {garbage, "entry 11: event: ", "entry 11: event: "},
    {no_der, "X.690 10.1", "X.690 10.1"},
};

START_TEST(a_forgery_is_caught_by_a_new_member) {
	struct mirror *fresh = open_mirror("fresh.db", NULL);
	struct rawlog r;

	a_story();
	rawlog_copy(&r, &lab.g);
	forgeries[_i].forge(&r);
	is_caught(fresh, &r, lab.g.crl, forgeries[_i].fresh);
	sync_ok(fresh);
	mirror_close(fresh);
	rawlog_wipe(&r);
} END_TEST

START_TEST(a_forgery_is_caught_by_an_old_member) {
	struct rawlog r;

	a_story();
	rawlog_copy(&r, &lab.g);
	forgeries[_i].forge(&r);
	ck_assert_uint_eq(ledger_size(mirror_ledger(lab.alice)), 10);
	if (forgeries[_i].old != NULL)
		is_caught(lab.alice, &r, lab.g.crl, forgeries[_i].old);
	else /* what stands beside an entry that he has is never asked for again */
		ck_assert_msg(
		    mirror_sync(lab.alice, &r.transport, lab.g.crl, lab.g.now_s, &lab.e) == 0, "%s", lab.e.text);
	sync_ok(lab.alice);
	rawlog_wipe(&r);
} END_TEST

START_TEST(an_older_database_is_caught) {
	struct mirror *fresh = open_mirror("fresh.db", NULL);
	struct rawlog r;

	a_story();
	rawlog_copy(&r, &lab.g);
	while (r.n > 7) /* the backup was made before lab.bob was evicted */
		rawlog_drop(&r, r.n - 1);
	is_caught(lab.alice, &r, lab.g.crl, "rolled back");
	is_caught(fresh, &r, lab.g.crl, "a crl event was held back");
	mirror_close(fresh);
	rawlog_wipe(&r);
} END_TEST

/* The gateway goes on from an old copy of its database, as if nothing had happened since. */
static void fork_ledger(struct memgate *other) {
	OWN(buf_wipe) struct buf b = {0};

	db_close(&lab.g.db);
	ledger_close(lab.g.ledger);
	ck_assert_int_eq(file_load(tmp_path("gateway.db"), 1u << 26, &b, &lab.e), 0);
	ck_assert_int_eq(file_save(tmp_path("other.db"), b.data, b.len, 0600, &lab.e), 0);
	crl_set_free(lab.g.crl);
	secret_wipe(&lab.g.seal);
	memgate_init(&lab.g, &lab.f, tmp_path("gateway.db"));
	memgate_init(other, &lab.f, tmp_path("other.db"));
}

START_TEST(a_fork_is_caught) {
	struct mirror *fresh = open_mirror("fresh.db", NULL);
	struct memgate other;
	struct rawlog r;

	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "a");
	fork_ledger(&other);
	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "b");
	sync_ok(lab.alice);
	memgate_member(&other, lab.carol.cert);
	memgate_member(&other, lab.f.bob.cert);
	memgate_epoch(&other);
	rawlog_copy(&r, &other);
	is_caught(lab.alice, &r, NULL, "entry 5: event: its signer saw another ledger");
	/* A new member, who was shown the other branch alone, notices as soon as it takes over what was said on this
	 * one. */
	struct rawlog mine;
	rawlog_copy(&mine, &lab.g);
	change_ok(lab.alice, &lab.f.alice, EVENT_REPLACE, "a", NULL);
	rawlog_wipe(&mine);
	rawlog_copy(&mine, &lab.g);
	rawlog_add(&r, &mine.entry[5]);
	is_caught(fresh, &r, NULL, "entry 7: event: its signer saw another ledger");
	rawlog_drop(&r, 7);
	ck_assert_int_eq(mirror_sync(fresh, &r.transport, NULL, lab.g.now_s, &lab.e), 0);
	is_caught(fresh, &mine, NULL, "rolled back");
	mirror_close(fresh);
	rawlog_wipe(&r);
	rawlog_wipe(&mine);
	memgate_wipe(&other);
} END_TEST

START_TEST(another_root_of_a_known_size_is_caught) {
	struct rawlog r;

	a_story();
	sync_ok(lab.alice);
	rawlog_copy(&r, &lab.g);
	rawlog_edit(&r, 10, flip_signature);
	is_caught(lab.alice, &r, lab.g.crl, "forked: at 11 entries");
	rawlog_wipe(&r);
} END_TEST

START_TEST(a_crl_event_held_back_is_caught) {
	struct rawlog r;

	change_ok(lab.alice, &lab.f.alice, EVENT_PUT, NULL, "a");
	sync_ok(lab.alice);
	rawlog_copy(&r, &lab.g);
	memgate_revoke(&lab.g, lab.f.bob.cert);
	is_caught(lab.alice, &r, lab.g.crl, "a crl event was held back");
	sync_ok(lab.alice);
	rawlog_wipe(&r);
} END_TEST

static struct crl_set *make_list(uint64_t number, X509 *revoked) {
	OWN(buf_wipe) struct buf der = {0};
	struct crl_set *set;

	fixture_crl(&lab.f, number, &revoked, 1, CRL_KEY_COMPROMISE, &der);
	ck_assert_int_eq(crl_set_make(der.data, der.len, lab.f.ca.cert, &set, &lab.e), 0);
	return set;
}

START_TEST(two_lists_with_one_number_are_caught) {
	struct crl_set *other = make_list(1, lab.carol.cert);
	struct rawlog r;

	memgate_revoke(&lab.g, lab.f.bob.cert);
	rawlog_copy(&r, &lab.g);
	is_caught(lab.alice, &r, other, "two lists have the number 1");
	crl_set_free(other);
	rawlog_wipe(&r);
} END_TEST

START_TEST(a_revoked_gateway_signs_no_heads) {
	struct crl_set *list = make_list(1, lab.f.gateway.cert);
	struct rawlog r;

	rawlog_copy(&r, &lab.g);
	is_caught(lab.alice, &r, list, "signed with a revoked certificate");
	/* Nor when only the ledger says it. */
	memgate_member(&lab.g, lab.f.alice.cert);
	{
		OWN(buf_wipe) struct buf entry = {0};
		const struct ledger_signer by = {
		    .key = lab.f.gateway.key, .cert = lab.f.gateway.cert, .now_s = lab.f.now_s};
		const struct ledger_how how = {.mode = LEDGER_OWN};

		ck_assert_int_eq(ledger_crl_entry(lab.g.ledger, NULL, list, 300, &by, &entry, &lab.e), 0);
		ck_assert_int_eq(memgate_append(&lab.g, &entry, &how, NULL, &lab.e), 0);
	}
	rawlog_wipe(&r);
	rawlog_copy(&r, &lab.g);
	is_caught(lab.alice, &r, NULL, "signed after a crl event revoked");
	crl_set_free(list);
	rawlog_wipe(&r);
} END_TEST

static void later_end(X509 *cert) {
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), 200 * (long)FIXTURE_DAY_S);
}

/* The CA would have to certify one key twice; then the ledger still knows which one is meant. */
START_TEST(another_certificate_of_the_gateways_key_signs_no_heads) {
	struct fixture_id twin = {.key = lab.f.gateway.key, .cert = fixture_tamper(lab.f.gateway.cert, &lab.f.ca, NULL, later_end)};
	struct rawlog r;

	rawlog_copy(&r, &lab.g);
	r.id = &twin;
	is_caught(lab.alice, &r, NULL, "no member event brought");
	X509_free(twin.cert);
	rawlog_wipe(&r);
} END_TEST

START_TEST(an_expired_gateway_signs_no_heads) {
	struct rawlog r;

	rawlog_copy(&r, &lab.g);
	lab.g.now_s += 1000 * (int64_t)FIXTURE_DAY_S;
	later(&r);
	is_caught(lab.alice, &r, NULL, "head: signer");
	rawlog_wipe(&r);
} END_TEST

static int not_ours(void *arg, X509 *cert, struct err *err) {
	(void)arg, (void)cert;
	return err_set(err, ERR_DAMAGED, "not the group's gateway");
}

START_TEST(the_client_may_refuse_the_gateways_name) {
	struct rawlog r;

	rawlog_copy(&r, &lab.g);
	r.transport.gateway = not_ours;
	is_caught(lab.alice, &r, NULL, "not the group's gateway");
	rawlog_wipe(&r);
} END_TEST

START_TEST(evidence_does_not_fill_the_disk) {
	struct rawlog r;

	rawlog_copy(&r, &lab.g);
	r.old_nonce = true;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(mirror_sync(lab.alice, &r.transport, NULL, lab.g.now_s, &lab.e), ERR_DAMAGED);
	ck_assert_uint_eq(evidence_count(lab.alice), 64);
	rawlog_wipe(&r);
} END_TEST

static int show_evidence(void *arg, const struct mirror_evidence *ev, struct err *err) {
	const struct rawlog *r = arg;
	struct head h;
	X509 *signer;
	const struct head_check c = {.chain = lab.f.chain, .at_s = lab.g.now_s};

	ck_assert_int_eq(head_open(ev->head, ev->head_len, &c, &h, &signer, err), 0);
	ck_assert_uint_eq(h.size, r->n);
	X509_free(signer);
	ck_assert_int_eq(head_open(ev->own, ev->own_len, &c, &h, &signer, err), 0);
	ck_assert_uint_eq(h.size, 10);
	X509_free(signer);
	ck_assert_uint_eq(ev->entry_len, r->entry[11].len);
	ck_assert_mem_eq(ev->entry, r->entry[11].data, ev->entry_len);
	ck_assert_ptr_nonnull(strstr(ev->reason, "entry 11"));
	return 5;
}

START_TEST(evidence_holds_both_heads_and_the_entry) {
	struct rawlog r;

	a_story();
	rawlog_copy(&r, &lab.g);
	by_evicted(&r);
	is_caught(lab.alice, &r, lab.g.crl, "entry 11");
	ck_assert_int_eq(mirror_evidence(lab.alice, show_evidence, &r, &lab.e), 5);
	rawlog_wipe(&r);
} END_TEST

static int unreachable(void *arg, uint64_t from, struct buf *der, struct err *err) {
	struct rawlog *r = arg;

	if (from > 5)
		return err_set(err, ERR_UNREACHABLE, "the line is cut");
	buf_add(der, r->entry[from].data, r->entry[from].len);
	entries_wrap(der, 0);
	return 0;
}

START_TEST(a_cut_line_leaves_the_mirror_as_it_was) {
	struct rawlog r;

	a_story();
	rawlog_copy(&r, &lab.g);
	r.transport.entries = unreachable;
	struct mirror *fresh = open_mirror("fresh.db", NULL);
	ck_assert_int_eq(mirror_sync(fresh, &r.transport, lab.g.crl, lab.g.now_s, &lab.e), ERR_UNREACHABLE);
	ck_assert_uint_eq(ledger_size(mirror_ledger(fresh)), 0);
	ck_assert_uint_eq(evidence_count(fresh), 0);
	sync_ok(fresh);
	mirror_close(fresh);
	rawlog_wipe(&r);
} END_TEST

/* --- audit --- */

static const char *const vandalism[] = {
	"UPDATE ledger_files SET author = 'mallory' WHERE version = 1",
	"UPDATE ledger_files SET object = (SELECT object FROM ledger_files WHERE named = 5)",
	"UPDATE ledger_files SET lookup = NULL WHERE named = 9",
	"DELETE FROM ledger_files WHERE named = 9",
	"DELETE FROM ledger_revoked",
	"INSERT INTO ledger_revoked (serial, n) VALUES (x'0102', 3)",
	"UPDATE ledger_signers SET gateway = 1",
	"UPDATE ledger_signers SET seen = 0",
	"UPDATE ledger_epochs SET number = 7 WHERE number = 1",
	"UPDATE ledger_crls SET sha256 = x'00'",
	"DELETE FROM ledger_objects",
	"INSERT INTO ledger_folders (lookup, files) VALUES (x'00', 1)",
	"UPDATE ledger_entries SET event = (SELECT event FROM ledger_entries WHERE n = 5) WHERE n = 6",
	"UPDATE ledger_entries SET name = (SELECT name FROM ledger_entries WHERE n = 5) WHERE n = 9",
	"UPDATE ledger_entries SET root = x'00' WHERE n = 3",
	"UPDATE ledger_entries SET nodes = x'00' WHERE n = 4",
	"UPDATE ledger_entries SET latest_s = latest_s + 1 WHERE n = 4",
	"DELETE FROM ledger_entries WHERE n = 4",
	"UPDATE mirror_head SET size = 9, der = x'00'",
};

static void vandalise(const char *sql) {
	static const char *const none[] = {"SELECT 1", "SELECT 1", "SELECT 1", NULL};
	struct db *d;

	ck_assert_msg(db_open(&d, tmp_path("alice.db"), none, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_msg(db_run(d, &lab.e, sql, "") == 0, "%s", lab.e.text);
	ck_assert_int_gt(db_changes(d), 0);
	db_close(&d);
}

START_TEST(an_audit_finds_what_was_tampered_with) {
	a_story();
	sync_ok(lab.alice);
	ck_assert_msg(mirror_audit(lab.alice, lab.g.crl, &lab.e) == 0, "%s", lab.e.text);
	vandalise(vandalism[_i]);
	ck_assert_msg(mirror_audit(lab.alice, lab.g.crl, &lab.e) == ERR_DAMAGED, "%s", lab.e.text);
} END_TEST

START_TEST(an_audit_asks_the_list_again) {
	a_story();
	sync_ok(lab.alice);
	struct crl_set *more = make_list(9, lab.carol.cert);
	ck_assert_int_eq(mirror_audit(lab.alice, more, &lab.e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(lab.e.text, "held back"));
	crl_set_free(more);
	ck_assert_int_eq(mirror_audit(lab.alice, lab.g.crl, &lab.e), 0);
	sync_ok(lab.alice);
} END_TEST

int main(void) {
	TCase *t = tcase_create("mirror_hostile");

	tcase_add_checked_fixture(t, mirror_lab_set_up, mirror_lab_tear_down);
	tcase_add_loop_test(t, a_forgery_is_caught_by_a_new_member, 0, COUNT(forgeries));
	tcase_add_loop_test(t, a_forgery_is_caught_by_an_old_member, 0, COUNT(forgeries));
	tcase_add_test(t, an_older_database_is_caught);
	tcase_add_test(t, a_fork_is_caught);
	tcase_add_test(t, another_root_of_a_known_size_is_caught);
	tcase_add_test(t, a_crl_event_held_back_is_caught);
	tcase_add_test(t, two_lists_with_one_number_are_caught);
	tcase_add_test(t, a_revoked_gateway_signs_no_heads);
	tcase_add_test(t, another_certificate_of_the_gateways_key_signs_no_heads);
	tcase_add_test(t, an_expired_gateway_signs_no_heads);
	tcase_add_test(t, the_client_may_refuse_the_gateways_name);
	tcase_add_test(t, evidence_does_not_fill_the_disk);
	tcase_add_test(t, evidence_holds_both_heads_and_the_entry);
	tcase_add_test(t, a_cut_line_leaves_the_mirror_as_it_was);
	tcase_add_loop_test(t, an_audit_finds_what_was_tampered_with, 0, COUNT(vandalism));
	tcase_add_test(t, an_audit_asks_the_list_again);
	return suite_run("mirror_hostile", t);
}
