/* SPDX-License-Identifier: Apache-2.0 */
/* What a member's mirror believes, and what hostile gateways try to make it believe. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "lib/memgate.h"
#include "lib/rawlog.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "pki/signed.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct fixture f;
static struct memgate g;
static struct mirror *alice, *bob;
static struct fixture_id carol, gateway2;
static struct err e;

static struct mirror *open_mirror(const char *name, const X509 *own) {
	struct mirror *m;

	ck_assert_msg(mirror_open(&m, tmp_path(name), f.chain, own, &e) == 0, "%s", e.text);
	return m;
}

static void set_up(void) {
	tmp_make();
	fixture_init(&f);
	fixture_member(&f, "carol", &carol);
	fixture_issue(&f.ca, ROLE_GATEWAY, "gw", NULL, f.now_s - 300, f.now_s + 90 * (int64_t)FIXTURE_DAY_S, &gateway2);
	memgate_init(&g, &f, tmp_path("gateway.db"));
	alice = open_mirror("alice.db", f.alice.cert);
	bob = open_mirror("bob.db", f.bob.cert);
}

static void tear_down(void) {
	mirror_close(alice);
	mirror_close(bob);
	memgate_wipe(&g);
	fixture_id_wipe(&carol);
	fixture_id_wipe(&gateway2);
	fixture_wipe(&f);
	tmp_drop();
}

static void sync_ok(struct mirror *m) {
	ck_assert_msg(mirror_sync(m, &g.transport, g.crl, g.now_s, &e) == 0, "%s", e.text);
}

/* Draws up a change as the mirror stands. */
static void draft(struct mirror *m, enum event_op op, const char *path, const char *to, struct memgate_step *s) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	if (op != EVENT_PUT)
		ck_assert_msg(ledger_find(mirror_ledger(m), path, &file, &e) == 0, "%s: %s", path, e.text);
	memgate_step(&g, op, to, op != EVENT_PUT ? &file : NULL, s);
}

static void change_ok(struct mirror *m, const struct fixture_id *who, enum event_op op, const char *path, const char *to) {
	struct memgate_step s;

	sync_ok(m);
	draft(m, op, path, to, &s);
	ck_assert_msg(memgate_change(&g, m, who, &s.c, NULL, &e) == 0, "%s", e.text);
}

static void must_find(struct mirror *m, const char *path, struct ledger_file *file) {
	ck_assert_msg(ledger_find(mirror_ledger(m), path, file, &e) == 0, "%s: %s", path, e.text);
}

static void roots_are_equal(struct ledger *a, struct ledger *b) {
	struct head x, y;

	ledger_head(a, &x);
	ledger_head(b, &y);
	ck_assert_uint_eq(x.size, y.size);
	ck_assert_mem_eq(x.root, y.root, 32);
}

/* --- an honest gateway --- */

START_TEST(what_one_member_does_another_sees) {
	OWN(ledger_file_wipe) struct ledger_file file = {0}, gone = {0};

	change_ok(alice, &f.alice, EVENT_PUT, NULL, "dir/a.txt");
	change_ok(alice, &f.alice, EVENT_REPLACE, "dir/a.txt", NULL);
	change_ok(bob, &f.bob, EVENT_RENAME, "dir/a.txt", "b.txt");
	change_ok(bob, &f.bob, EVENT_REKEY, "b.txt", NULL);
	sync_ok(alice);
	must_find(alice, "b.txt", &file);
	ck_assert_uint_eq(file.version, 2);
	ck_assert_str_eq(file.author, "alice");
	change_ok(bob, &f.bob, EVENT_REMOVE, "b.txt", NULL);
	memgate_revoke(&g, f.bob.cert);
	sync_ok(alice);
	ck_assert_int_eq(ledger_find(mirror_ledger(alice), "b.txt", &gone, &e), ERR_NOTFOUND);
	roots_are_equal(mirror_ledger(alice), g.ledger);
} END_TEST

START_TEST(small_batches_come_to_the_same) {
	static const char *const names[] = {"a", "b", "c", "d", "e", "f"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		change_ok(alice, &f.alice, EVENT_PUT, NULL, names[i]);
	g.batch_bytes = (size_t)_i;
	sync_ok(bob);
	roots_are_equal(mirror_ledger(bob), g.ledger);
} END_TEST

START_TEST(a_ledger_without_entries_is_a_ledger) {
	struct rawlog r = {0};
	struct head h;
	int64_t at_s;

	rawlog_copy(&r, &g);
	while (r.n > 0)
		rawlog_drop(&r, 0);
	ck_assert_int_eq(mirror_head(alice, &h, NULL, &at_s, &e), ERR_NOTFOUND);
	ck_assert_msg(mirror_sync(alice, &r.transport, NULL, g.now_s, &e) == 0, "%s", e.text);
	ck_assert_int_eq(mirror_head(alice, &h, NULL, &at_s, &e), 0);
	ck_assert_uint_eq(h.size, 0);
	ck_assert_int_eq(mirror_audit(alice, NULL, &e), 0);
	sync_ok(alice);
	rawlog_wipe(&r);
} END_TEST

START_TEST(the_head_is_kept_with_its_time) {
	OWN(buf_wipe) struct buf der = {0};
	struct head h;
	int64_t at_s;

	sync_ok(alice);
	ck_assert_msg(mirror_head(alice, &h, &der, &at_s, &e) == 0, "%s", e.text);
	ck_assert_int_eq(at_s, g.now_s);
	ck_assert_uint_eq(h.size, ledger_size(g.ledger));
	ck_assert_uint_gt(der.len, 500);
	g.now_s += 10;
	sync_ok(alice);
	ck_assert_int_eq(mirror_head(alice, &h, NULL, &at_s, &e), 0);
	ck_assert_int_eq(at_s, g.now_s);
} END_TEST

static int collect(void *arg, const struct ledger_file *file, struct err *err) {
	(void)err;
	buf_addf(arg, "%s;", file->path);
	return strcmp(file->path, "stop") == 0 ? 7 : 0;
}

static void list_is(const char *prefix, int rc, const char *want) {
	OWN(buf_wipe) struct buf b = {0};

	ck_assert_int_eq(ledger_each(mirror_ledger(alice), prefix, collect, &b, &e), rc);
	ck_assert_str_eq(buf_str(&b), want);
}

START_TEST(files_are_listed_in_order) {
	static const char *const names[] = {"b", "a/z", "a/b/c", "B2", "\xc3\xbc", "ab"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		change_ok(alice, &f.alice, EVENT_PUT, NULL, names[i]);
	sync_ok(alice);
	change_ok(alice, &f.alice, EVENT_REMOVE, "ab", NULL);
	sync_ok(alice);
	list_is(NULL, 0, "B2;a/b/c;a/z;b;\xc3\xbc;");
	list_is("a/", 0, "a/b/c;a/z;");
	list_is("none/", 0, "");
	change_ok(alice, &f.alice, EVENT_PUT, NULL, "stop");
	sync_ok(alice);
	list_is(NULL, 7, "B2;a/b/c;a/z;b;stop;");
} END_TEST

/* --- bases --- */

static uint64_t base_of(struct mirror *m, const char *path) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};
	uint64_t n;

	must_find(m, path, &file);
	if (mirror_base_get(m, file.file, &n, &e) == ERR_NOTFOUND)
		return UINT64_MAX;
	return n;
}

START_TEST(what_a_member_uploaded_is_his_base) {
	change_ok(alice, &f.alice, EVENT_PUT, NULL, "a"); /* and is killed before he notes it */
	sync_ok(alice);
	sync_ok(bob);
	ck_assert_uint_eq(base_of(alice, "a"), 3);
	ck_assert_uint_eq(base_of(bob, "a"), UINT64_MAX);
	change_ok(bob, &f.bob, EVENT_REKEY, "a", NULL);
	change_ok(bob, &f.bob, EVENT_RENAME, "a", "b");
	sync_ok(alice);
	ck_assert_uint_eq(base_of(alice, "b"), 3);
	change_ok(bob, &f.bob, EVENT_REPLACE, "b", NULL);
	sync_ok(alice);
	sync_ok(bob);
	ck_assert_uint_eq(base_of(alice, "b"), 3);
	ck_assert_uint_eq(base_of(bob, "b"), 7);
} END_TEST

START_TEST(a_base_only_rises) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	change_ok(bob, &f.bob, EVENT_PUT, NULL, "a");
	sync_ok(alice);
	must_find(alice, "a", &file);
	ck_assert_int_eq(mirror_base_set(alice, file.file, 5, &e), 0);
	ck_assert_int_eq(mirror_base_set(alice, file.file, 3, &e), 0);
	ck_assert_uint_eq(base_of(alice, "a"), 5);
} END_TEST

/* --- hostile gateways --- */

static size_t evidence_count(struct mirror *m);

static int count_evidence(void *arg, const struct mirror_evidence *ev, struct err *err) {
	(void)err;
	(*(size_t *)arg)++;
	ck_assert_str_ne(ev->reason, "");
	ck_assert_int_eq(ev->at_s, g.now_s);
	ck_assert_uint_gt(ev->head_len, 0);
	return 0;
}

static size_t evidence_count(struct mirror *m) {
	size_t n = 0;

	ck_assert_int_eq(mirror_evidence(m, count_evidence, &n, &e), 0);
	return n;
}

/* A member refuses, says why, keeps the evidence, and stays as he was. */
static void is_caught(struct mirror *m, const struct rawlog *r, const struct crl_set *crl, const char *why) {
	struct head before, after;
	size_t n = evidence_count(m);

	ledger_head(mirror_ledger(m), &before);
	ck_assert_msg(mirror_sync(m, &r->transport, crl, g.now_s, &e) == ERR_DAMAGED, "%s", e.text);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
	ledger_head(mirror_ledger(m), &after);
	ck_assert_mem_eq(&before, &after, sizeof before);
	ck_assert_uint_eq(evidence_count(m), n + 1);
	ck_assert_msg(mirror_audit(m, NULL, &e) == 0, "%s", e.text);
}

/* Entries 0 gateway, 1 epoch, 2 alice, 3 put a, 4 bob, 5 put b, 6 replace a (bob), 7 crl (bob), 8 epoch, 9 put c, 10 replace a. Alice
 * is the old member: she synchronised after 8. */
static void a_story(void) {
	g.now_s = f.now_s + 1000;
	change_ok(alice, &f.alice, EVENT_PUT, NULL, "a");
	change_ok(bob, &f.bob, EVENT_PUT, NULL, "b");
	change_ok(bob, &f.bob, EVENT_REPLACE, "a", NULL);
	memgate_revoke(&g, f.bob.cert);
	change_ok(alice, &f.alice, EVENT_PUT, NULL, "c");
	change_ok(alice, &f.alice, EVENT_REPLACE, "a", NULL);
	ck_assert_uint_eq(ledger_size(g.ledger), 11);
}

/* A member's event made from the true ledger by whoever wants to, signed as the hand says. */
static void forge(const struct fixture_id *by, enum event_op op, const char *path, int64_t time_s, struct buf *entry) {
	const struct ledger_signer s = {.key = by->key, .cert = by->cert, .now_s = time_s};
	struct mirror *m = open_mirror("forger.db", NULL);
	struct memgate_step step;

	sync_ok(m);
	draft(m, op, path, op == EVENT_PUT ? path : NULL, &step);
	ck_assert_msg(ledger_change(mirror_ledger(m), &step.c, &s, entry, &e) == 0, "%s", e.text);
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
	ck_assert_int_eq(cert_der(carol.cert, &der, &e), 0);
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
static void head_by_member(struct rawlog *r) { r->id = &f.alice; }
static void head_by_foreigner(struct rawlog *r) { r->id = &f.foreign_gateway; }
static void head_by_unknown(struct rawlog *r) { r->id = &gateway2; }
static void later(struct rawlog *r) { r->now_s = g.now_s; }

static void add_forged(struct rawlog *r, const struct fixture_id *by, enum event_op op, const char *path, int64_t time_s) {
	OWN(buf_wipe) struct buf entry = {0};

	forge(by, op, path, time_s, &entry);
	rawlog_add(r, &entry);
}

static void by_evicted(struct rawlog *r) { add_forged(r, &f.bob, EVENT_PUT, "d", g.now_s); }
static void by_evicted_dated_back(struct rawlog *r) { add_forged(r, &f.bob, EVENT_REPLACE, "c", g.now_s - 250); }
static void by_nobody(struct rawlog *r) { add_forged(r, &carol, EVENT_PUT, "d", g.now_s); }
static void by_foreigner(struct rawlog *r) { add_forged(r, &f.foreign, EVENT_PUT, "d", g.now_s); }
static void by_gateway(struct rawlog *r) { add_forged(r, &f.gateway, EVENT_REMOVE, "a", g.now_s); }
static void dated_back(struct rawlog *r) { add_forged(r, &f.alice, EVENT_PUT, "d", g.now_s - 2 * EVENT_SKEW_S - 1); }
static void inserted_before_the_eviction(struct rawlog *r) {
	OWN(buf_wipe) struct buf entry = {0};

	forge(&f.bob, EVENT_PUT, "d", g.now_s, &entry);
	rawlog_insert(r, 7, &entry);
}
/* Bob signs, alice is named. */
static void by_other_member(struct rawlog *r) {
	OWN(buf_wipe) struct buf entry = {0};
	size_t len;
	uint8_t *at;

	forge(&f.bob, EVENT_PUT, "d", g.now_s, &entry);
	at = memmem(entry.data, entry.len, cert_ski(f.bob.cert, &len), 20);
	ck_assert_ptr_nonnull(at);
	memcpy(at, cert_ski(f.alice.cert, &len), 20);
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
static const struct { void (*forge)(struct rawlog *r); const char *fresh, *old; } forgeries[] = {
	{ altered_signature, "entry 3: event: ", "forked" }, { altered_text, "entry 6: event: RFC 5652 11.2", "forked" },
	{ altered_path, "entry 3: entry: path", NULL }, { altered_salt, "entry 5: entry: path", NULL },
	{ altered_serial, "entry 7: entry: list of serial", NULL }, { withheld_serial, "entry 7: entry: list of serial", NULL },
	{ altered_cert, "entry 2: entry: certificate", NULL }, { altered_last, "entry 10: event: RFC 5652 11.2", "entry 10: event: RFC 5652 11.2" },
	{ altered_last_path, "entry 9: entry: path", NULL },
	{ dropped, "entry 5: ", "forked" }, { dropped_last_put, "entry 9: event: it saw", "forked" },
	{ dropped_crl, "entry 7: event: it saw 8", "forked" }, { swapped, "entry 5: event: it saw 6", "forked" },
	{ swapped_last, "entry 9: event: it saw 10", "entry 10: event: the file's id" }, { doubled, "entry 4: event: the file's id", "entry 10: event: the file's id" },
	{ doubled_last, "entry 11: event: the file's id", "entry 11: event: the file's id" },
	{ no_gateway, "entry 0: event: nobody", "forked" }, { no_member, "entry 2: event: nobody", "forked" },
	{ longer_head, "it has only", "it has only" }, { other_nonce, "nonce is not ours", "nonce is not ours" },
	{ head_by_member, "head: signer", "head: signer" }, { head_by_foreigner, "head: signer", "head: signer" },
	{ head_by_unknown, "no member event brought", "no member event brought" },
	{ by_evicted, "entry 11: event: RFC 5280 5.3", "entry 11: event: RFC 5280 5.3" },
	{ by_evicted_dated_back, "entry 11: event: RFC 5280 5.3", "entry 11: event: RFC 5280 5.3" },
	{ by_nobody, "entry 11: event: nobody", "entry 11: event: nobody" }, { by_foreigner, "entry 11: event: nobody", "entry 11: event: nobody" },
	{ by_gateway, "entry 11: event: RFC 5280 4.2.1.12", "entry 11: event: RFC 5280 4.2.1.12" },
	{ dated_back, "entry 11: event: back-dated", "entry 11: event: back-dated" },
	{ inserted_before_the_eviction, "entry 7: event: it saw 11", "entry 10: event: the file's id" },
	{ by_other_member, "entry 11: event: RFC 5035", "entry 11: event: RFC 5035" },
	{ garbage, "entry 11: event: ", "entry 11: event: " }, { no_der, "X.690 10.1", "X.690 10.1" },
};

START_TEST(a_forgery_is_caught_by_a_new_member) {
	struct mirror *fresh = open_mirror("fresh.db", NULL);
	struct rawlog r;

	a_story();
	rawlog_copy(&r, &g);
	forgeries[_i].forge(&r);
	is_caught(fresh, &r, g.crl, forgeries[_i].fresh);
	sync_ok(fresh);
	mirror_close(fresh);
	rawlog_wipe(&r);
} END_TEST

START_TEST(a_forgery_is_caught_by_an_old_member) {
	struct rawlog r;

	a_story();
	rawlog_copy(&r, &g);
	forgeries[_i].forge(&r);
	ck_assert_uint_eq(ledger_size(mirror_ledger(alice)), 10);
	if (forgeries[_i].old != NULL)
		is_caught(alice, &r, g.crl, forgeries[_i].old);
	else /* what stands beside an entry that he has is never asked for again */
		ck_assert_msg(mirror_sync(alice, &r.transport, g.crl, g.now_s, &e) == 0, "%s", e.text);
	sync_ok(alice);
	rawlog_wipe(&r);
} END_TEST

START_TEST(an_older_database_is_caught) {
	struct mirror *fresh = open_mirror("fresh.db", NULL);
	struct rawlog r;

	a_story();
	rawlog_copy(&r, &g);
	while (r.n > 7) /* the backup was made before bob was evicted */
		rawlog_drop(&r, r.n - 1);
	is_caught(alice, &r, g.crl, "rolled back");
	is_caught(fresh, &r, g.crl, "a crl event was held back");
	mirror_close(fresh);
	rawlog_wipe(&r);
} END_TEST

/* The gateway goes on from an old copy of its database, as if nothing had happened since. */
static void fork_ledger(struct memgate *other) {
	OWN(buf_wipe) struct buf b = {0};

	db_close(&g.db);
	ledger_close(g.ledger);
	ck_assert_int_eq(file_load(tmp_path("gateway.db"), 1u << 26, &b, &e), 0);
	ck_assert_int_eq(file_save(tmp_path("other.db"), b.data, b.len, 0600, &e), 0);
	crl_set_free(g.crl);
	secret_wipe(&g.seal);
	memgate_init(&g, &f, tmp_path("gateway.db"));
	memgate_init(other, &f, tmp_path("other.db"));
}

START_TEST(a_fork_is_caught) {
	struct mirror *fresh = open_mirror("fresh.db", NULL);
	struct memgate other;
	struct rawlog r;

	change_ok(alice, &f.alice, EVENT_PUT, NULL, "a");
	fork_ledger(&other);
	change_ok(alice, &f.alice, EVENT_PUT, NULL, "b");
	sync_ok(alice);
	memgate_member(&other, carol.cert);
	memgate_member(&other, f.bob.cert);
	memgate_epoch(&other);
	rawlog_copy(&r, &other);
	is_caught(alice, &r, NULL, "entry 5: event: its signer saw another ledger");
	/* A new member, who was shown the other branch alone, notices as soon as it takes over what was said on this one. */
	struct rawlog mine;
	rawlog_copy(&mine, &g);
	change_ok(alice, &f.alice, EVENT_REPLACE, "a", NULL);
	rawlog_wipe(&mine);
	rawlog_copy(&mine, &g);
	rawlog_add(&r, &mine.entry[5]);
	is_caught(fresh, &r, NULL, "entry 7: event: its signer saw another ledger");
	rawlog_drop(&r, 7);
	ck_assert_int_eq(mirror_sync(fresh, &r.transport, NULL, g.now_s, &e), 0);
	is_caught(fresh, &mine, NULL, "rolled back");
	mirror_close(fresh);
	rawlog_wipe(&r);
	rawlog_wipe(&mine);
	memgate_wipe(&other);
} END_TEST

START_TEST(another_root_of_a_known_size_is_caught) {
	struct rawlog r;

	a_story();
	sync_ok(alice);
	rawlog_copy(&r, &g);
	rawlog_edit(&r, 10, flip_signature);
	is_caught(alice, &r, g.crl, "forked: at 11 entries");
	rawlog_wipe(&r);
} END_TEST

START_TEST(a_crl_event_held_back_is_caught) {
	struct rawlog r;

	change_ok(alice, &f.alice, EVENT_PUT, NULL, "a");
	sync_ok(alice);
	rawlog_copy(&r, &g);
	memgate_revoke(&g, f.bob.cert);
	is_caught(alice, &r, g.crl, "a crl event was held back");
	sync_ok(alice);
	rawlog_wipe(&r);
} END_TEST

static struct crl_set *make_list(uint64_t number, X509 *revoked) {
	OWN(buf_wipe) struct buf der = {0};
	struct crl_set *set;

	fixture_crl(&f, number, &revoked, 1, CRL_KEY_COMPROMISE, &der);
	ck_assert_int_eq(crl_set_make(der.data, der.len, f.ca.cert, &set, &e), 0);
	return set;
}

START_TEST(two_lists_with_one_number_are_caught) {
	struct crl_set *other = make_list(1, carol.cert);
	struct rawlog r;

	memgate_revoke(&g, f.bob.cert);
	rawlog_copy(&r, &g);
	is_caught(alice, &r, other, "two lists have the number 1");
	crl_set_free(other);
	rawlog_wipe(&r);
} END_TEST

START_TEST(a_revoked_gateway_signs_no_heads) {
	struct crl_set *list = make_list(1, f.gateway.cert);
	struct rawlog r;

	rawlog_copy(&r, &g);
	is_caught(alice, &r, list, "signed with a revoked certificate");
	/* Nor when only the ledger says it. */
	memgate_member(&g, f.alice.cert);
	{
		OWN(buf_wipe) struct buf entry = {0};
		const struct ledger_signer by = {.key = f.gateway.key, .cert = f.gateway.cert, .now_s = f.now_s};
		const struct ledger_how how = {.mode = LEDGER_OWN};

		ck_assert_int_eq(ledger_crl_entry(g.ledger, NULL, list, 300, &by, &entry, &e), 0);
		ck_assert_int_eq(memgate_append(&g, &entry, &how, NULL, &e), 0);
	}
	rawlog_wipe(&r);
	rawlog_copy(&r, &g);
	is_caught(alice, &r, NULL, "signed after a crl event revoked");
	crl_set_free(list);
	rawlog_wipe(&r);
} END_TEST

START_TEST(an_expired_gateway_signs_no_heads) {
	struct rawlog r;

	rawlog_copy(&r, &g);
	g.now_s += 1000 * (int64_t)FIXTURE_DAY_S;
	later(&r);
	is_caught(alice, &r, NULL, "head: signer");
	rawlog_wipe(&r);
} END_TEST

static int not_ours(void *arg, X509 *cert, struct err *err) {
	(void)arg, (void)cert;
	return err_set(err, ERR_DAMAGED, "not the group's gateway");
}

START_TEST(the_client_may_refuse_the_gateways_name) {
	struct rawlog r;

	rawlog_copy(&r, &g);
	r.transport.gateway = not_ours;
	is_caught(alice, &r, NULL, "not the group's gateway");
	rawlog_wipe(&r);
} END_TEST

START_TEST(evidence_does_not_fill_the_disk) {
	struct rawlog r;

	rawlog_copy(&r, &g);
	r.old_nonce = true;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(mirror_sync(alice, &r.transport, NULL, g.now_s, &e), ERR_DAMAGED);
	ck_assert_uint_eq(evidence_count(alice), 64);
	rawlog_wipe(&r);
} END_TEST

static int show_evidence(void *arg, const struct mirror_evidence *ev, struct err *err) {
	const struct rawlog *r = arg;
	struct head h;
	X509 *signer;
	const struct head_check c = {.chain = f.chain, .at_s = g.now_s};

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
	rawlog_copy(&r, &g);
	by_evicted(&r);
	is_caught(alice, &r, g.crl, "entry 11");
	ck_assert_int_eq(mirror_evidence(alice, show_evidence, &r, &e), 5);
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
	rawlog_copy(&r, &g);
	r.transport.entries = unreachable;
	struct mirror *fresh = open_mirror("fresh.db", NULL);
	ck_assert_int_eq(mirror_sync(fresh, &r.transport, g.crl, g.now_s, &e), ERR_UNREACHABLE);
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
	static const char *const none[] = {"SELECT 1", "SELECT 1", NULL};
	struct db *d;

	ck_assert_msg(db_open(&d, tmp_path("alice.db"), none, &e) == 0, "%s", e.text);
	ck_assert_msg(db_run(d, &e, sql, "") == 0, "%s", e.text);
	ck_assert_int_gt(db_changes(d), 0);
	db_close(&d);
}

START_TEST(an_audit_finds_what_was_tampered_with) {
	a_story();
	sync_ok(alice);
	ck_assert_msg(mirror_audit(alice, g.crl, &e) == 0, "%s", e.text);
	vandalise(vandalism[_i]);
	ck_assert_msg(mirror_audit(alice, g.crl, &e) == ERR_DAMAGED, "%s", e.text);
} END_TEST

START_TEST(an_audit_asks_the_list_again) {
	a_story();
	sync_ok(alice);
	struct crl_set *more = make_list(9, carol.cert);
	ck_assert_int_eq(mirror_audit(alice, more, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "held back"));
	crl_set_free(more);
	ck_assert_int_eq(mirror_audit(alice, g.crl, &e), 0);
	sync_ok(alice);
} END_TEST

/* --- several processes --- */

#define ROUNDS 25

/* A command of a member, from start to end: own handles for all. 0, or the exit status of a failure. */
static int one_command(struct memgate *mine, const struct fixture_id *who, const char *db, const char *path) {
	struct mirror *m;
	struct memgate_step s;
	struct ledger_result r;
	int rc = mirror_open(&m, db, f.chain, who->cert, &e);

	if (rc != 0)
		return rc;
	memgate_step(mine, EVENT_PUT, path, NULL, &s);
	do
		rc = path != NULL ? memgate_change(mine, m, who, &s.c, &r, &e) : mirror_sync(m, &mine->transport, mine->crl, mine->now_s, &e);
	while (rc == ERR_CONFLICT && r.why == LEDGER_WHY_SEEN); /* another command of the same member was faster: sign anew */
	mirror_close(m);
	return rc;
}

static void child(int id, const struct fixture_id *who, const char *db, bool writes) {
	struct memgate mine;
	char path[32];

	memgate_init(&mine, &f, tmp_path("gateway.db"));
	for (int i = 0; i < ROUNDS; i++) {
		(void)snprintf(path, sizeof path, "%d/%d", id, i);
		if (one_command(&mine, who, db, writes ? path : NULL) != 0) {
			fprintf(stderr, "process %d: %s\n", id, e.text);
			_exit(1);
		}
	}
	memgate_wipe(&mine);
	_exit(0);
}

START_TEST(commands_at_once_raise_no_false_alarm) {
	const char *const dbs[] = {tmp_path("alice.db"), tmp_path("bob.db")};
	pid_t pids[5];
	int status;

	(void)tmp_path("gateway.db");
	memgate_member(&g, f.alice.cert);
	memgate_member(&g, f.bob.cert);
	for (int i = 0; i < 5; i++) {
		bool is_bob = i >= 3;

		if ((pids[i] = fork()) == 0)
			child(i, is_bob ? &f.bob : &f.alice, dbs[is_bob], i != 2);
	}
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	ck_assert_int_eq(ledger_reload(g.ledger, &e), 0);
	ck_assert_uint_eq(ledger_size(g.ledger), 4 + 4 * ROUNDS);
	sync_ok(alice);
	sync_ok(bob);
	roots_are_equal(mirror_ledger(alice), g.ledger);
	ck_assert_uint_eq(evidence_count(alice) + evidence_count(bob), 0);
	ck_assert_int_eq(mirror_audit(alice, NULL, &e), 0);
} END_TEST

/* One process draws its nonce, another goes ahead before the answer is there. */
static struct mirror *other_process;

static int overtaken_head(void *arg, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *err) {
	int rc = g.transport.head(arg, nonce, nonce_len, der, err);

	change_ok(other_process, &f.bob, EVENT_PUT, NULL, "later");
	sync_ok(other_process);
	return rc;
}

START_TEST(a_head_that_was_overtaken_is_no_rollback) {
	struct mirror_transport t = g.transport;

	t.head = overtaken_head;
	sync_ok(alice);
	other_process = open_mirror("alice.db", f.alice.cert);
	ck_assert_msg(mirror_sync(alice, &t, NULL, g.now_s, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(evidence_count(alice), 0);
	roots_are_equal(mirror_ledger(alice), g.ledger);
	mirror_close(other_process);
} END_TEST

/* --- anything goes: the gateway, two mirrors and a naive model agree --- */

#define PATHS 10
#define STEPS 160

static const char *const paths[PATHS] = {"a", "A", "b", "a/b", "a/B", "a/b/c", "A/d", "dir/x", "DIR/x", "dir/x/y"};
static struct model { bool present; uint64_t version; } model[PATHS];
static uint32_t seed;

static uint32_t pick(uint32_t n) {
	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % n;
}

/* By the words of the rule, comparing every pair of names. */
static bool collides(const char *a, const char *b) {
	OWN(own_free) char *x = NULL, *y = NULL;
	size_t n;

	ck_assert_int_eq(text_casefold(a, &x, &e), 0);
	ck_assert_int_eq(text_casefold(b, &y, &e), 0);
	n = strlen(x) < strlen(y) ? strlen(x) : strlen(y);
	return memcmp(x, y, n) == 0 && (strlen(x) == strlen(y) || x[n] == '/' || y[n] == '/');
}

static bool is_free(size_t at, size_t leaving) {
	for (size_t i = 0; i < PATHS; i++)
		if (model[i].present && i != leaving && collides(paths[at], paths[i]))
			return false;
	return true;
}

static bool model_step(enum event_op op, size_t from, size_t to) {
	if (op == EVENT_PUT || op == EVENT_RENAME) {
		uint64_t version = op == EVENT_PUT ? 1 : model[from].version;

		if (!is_free(to, op == EVENT_PUT ? PATHS : from))
			return false;
		if (op == EVENT_RENAME)
			model[from].present = false;
		model[to] = (struct model){true, version};
	}
	if (op == EVENT_REPLACE)
		model[from].version++;
	if (op == EVENT_REMOVE)
		model[from].present = false;
	return true;
}

static void random_step(void) {
	bool is_bob = pick(2) == 1;
	struct mirror *m = is_bob ? bob : alice;
	enum event_op op = (enum event_op)pick(5);
	size_t from = pick(PATHS), to = pick(PATHS);
	struct memgate_step s;
	int rc;

	if (pick(12) == 0)
		memgate_epoch(&g);
	if (op != EVENT_PUT && !model[from].present)
		return;
	sync_ok(m);
	draft(m, op, paths[from], paths[to], &s);
	rc = memgate_change(&g, m, is_bob ? &f.bob : &f.alice, &s.c, NULL, &e);
	ck_assert_msg(rc == (model_step(op, from, to) ? 0 : ERR_CONFLICT), "%s %s %s: %s", event_op_name(op), paths[from], paths[to], e.text);
}

static void same_file(const struct ledger_file *a, const struct ledger_file *b) {
	struct ledger_file x = *a, y = *b;

	ck_assert_str_eq(x.path, y.path);
	x.path = y.path = NULL;
	ck_assert_mem_eq(&x, &y, sizeof x);
}

static void all_agree(void) {
	for (size_t i = 0; i < PATHS; i++) {
		OWN(ledger_file_wipe) struct ledger_file at_gate = {0}, at_alice = {0}, at_bob = {0};
		int want = model[i].present ? 0 : ERR_NOTFOUND;

		ck_assert_int_eq(ledger_find(g.ledger, paths[i], &at_gate, &e), want);
		ck_assert_int_eq(ledger_find(mirror_ledger(alice), paths[i], &at_alice, &e), want);
		ck_assert_int_eq(ledger_find(mirror_ledger(bob), paths[i], &at_bob, &e), want);
		if (want != 0)
			continue;
		same_file(&at_gate, &at_alice);
		same_file(&at_gate, &at_bob);
		ck_assert_uint_eq(at_gate.version, model[i].version);
	}
}

START_TEST(gateway_and_mirrors_agree_whatever_happens) {
	seed = (uint32_t)_i + 1;
	for (int i = 0; i < STEPS; i++) {
		random_step();
		if (i % 20 != 0)
			continue;
		sync_ok(alice);
		sync_ok(bob);
		all_agree();
	}
	ck_assert_msg(mirror_audit(alice, NULL, &e) == 0, "%s", e.text);
} END_TEST

int main(void) {
	TCase *t = tcase_create("mirror");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 300);
	tcase_add_test(t, what_one_member_does_another_sees);
	tcase_add_loop_test(t, small_batches_come_to_the_same, 0, 3);
	tcase_add_test(t, a_ledger_without_entries_is_a_ledger);
	tcase_add_test(t, the_head_is_kept_with_its_time);
	tcase_add_test(t, files_are_listed_in_order);
	tcase_add_test(t, what_a_member_uploaded_is_his_base);
	tcase_add_test(t, a_base_only_rises);
	tcase_add_loop_test(t, a_forgery_is_caught_by_a_new_member, 0, COUNT(forgeries));
	tcase_add_loop_test(t, a_forgery_is_caught_by_an_old_member, 0, COUNT(forgeries));
	tcase_add_test(t, an_older_database_is_caught);
	tcase_add_test(t, a_fork_is_caught);
	tcase_add_test(t, another_root_of_a_known_size_is_caught);
	tcase_add_test(t, a_crl_event_held_back_is_caught);
	tcase_add_test(t, two_lists_with_one_number_are_caught);
	tcase_add_test(t, a_revoked_gateway_signs_no_heads);
	tcase_add_test(t, an_expired_gateway_signs_no_heads);
	tcase_add_test(t, the_client_may_refuse_the_gateways_name);
	tcase_add_test(t, evidence_does_not_fill_the_disk);
	tcase_add_test(t, evidence_holds_both_heads_and_the_entry);
	tcase_add_test(t, a_cut_line_leaves_the_mirror_as_it_was);
	tcase_add_loop_test(t, an_audit_finds_what_was_tampered_with, 0, COUNT(vandalism));
	tcase_add_test(t, an_audit_asks_the_list_again);
	tcase_add_test(t, commands_at_once_raise_no_false_alarm);
	tcase_add_test(t, a_head_that_was_overtaken_is_no_rollback);
	tcase_add_loop_test(t, gateway_and_mirrors_agree_whatever_happens, 0, 4);
	return suite_run("mirror", t);
}
