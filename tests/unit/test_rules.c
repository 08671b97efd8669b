/* SPDX-License-Identifier: Apache-2.0 */
/* The rules: for each one an entry that passes, and the same with just what the rule forbids. */
#include <check.h>
#include <string.h>

#include "base/own.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "pki/ossl.h"
#include "unit/ledger_lab.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* --- members' events: each rule --- */

static uint64_t n_before;

static void flip(uint8_t *p) {
	p[0] ^= 1;
}

static void other_group(struct draft *d) { memcpy(d->ev.group, "lob", 4); }
static void by_gateway(struct draft *d) { d->by = &lab.f.gateway; d->how.mode = LEDGER_OWN; }
static void by_bob(struct draft *d) { d->by = &lab.f.bob; }
static void by_unknown(struct draft *d) { d->by = &lab.carol; d->how.peer = lab.carol.cert; }
static void later_end(X509 *cert) { (void)X509_gmtime_adj(X509_getm_notAfter(cert), 200 * (long)FIXTURE_DAY_S); }
static void by_twin(struct draft *d) {
	static struct fixture_id twin;

	twin.key = lab.f.alice.key;
	twin.cert = fixture_tamper(lab.f.alice.cert, &lab.f.ca, NULL, later_end);
	d->by = &twin;
}
static void no_peer(struct draft *d) { d->how.peer = NULL; }
static void clock_ahead(struct draft *d) { d->how.now_s = d->ev.time_s - EVENT_SKEW_S - 1; }
static void clock_behind(struct draft *d) { d->how.now_s = d->ev.time_s + EVENT_SKEW_S + 1; }
static void after_expiry(struct draft *d) { d->ev.time_s = d->how.now_s = lab.f.now_s + 91 * (int64_t)FIXTURE_DAY_S; }
static void before_validity(struct draft *d) { d->ev.time_s = d->how.now_s = lab.f.now_s - 400; }
static void other_signing_time(struct draft *d) { d->signing_time_s = d->ev.time_s + 1; }
static void cert_inside(struct draft *d) { d->with_cert = true; }
static void nonce_inside(struct draft *d) { d->with_nonce = true; }
static void seen_too_much(struct draft *d) { d->ev.seen++; }
static void seen_wrong(struct draft *d) { flip(d->ev.seen_root); }
static void seen_not_base(struct draft *d) {
	d->ev.seen = d->ev.base;
	ck_assert_int_eq(ledger_root(lab.g.ledger, d->ev.seen, d->ev.seen_root, &lab.e), 0);
}
static void seen_less(struct draft *d) {
	d->ev.seen = 2;
	ck_assert_int_eq(ledger_root(lab.g.ledger, 2, d->ev.seen_root, &lab.e), 0);
}
static void no_such_file(struct draft *d) { flip(d->ev.file); }
static void id_again(struct draft *d) {
	OWN(ledger_file_wipe) struct ledger_file old = {0};

	ck_assert_int_eq(ledger_find(lab.g.ledger, "dir/old", &old, &lab.e), 0);
	memcpy(d->ev.file, old.file, sizeof old.file);
}
static void removed_id_again(struct draft *d) {
	OWN(ledger_file_wipe) struct ledger_file old = {0};

	ck_assert_int_eq(ledger_find(lab.g.ledger, "dir/old", &old, &lab.e), 0);
	file_ok(EVENT_REMOVE, "dir/old", NULL);
	memcpy(d->ev.file, old.file, sizeof old.file);
	draft_sees(&d->ev);
}
static void newer_event(struct draft *d) { (void)d; file_ok(EVENT_REKEY, "dir/old", NULL); }
static void removed_before(struct draft *d) { (void)d; file_ok(EVENT_REMOVE, "dir/old", NULL); }
static void on_removed(struct draft *d) {
	file_ok(EVENT_REMOVE, "dir/old", NULL);
	d->ev.base = ledger_size(lab.g.ledger) - 1;
	draft_sees(&d->ev);
}
static void next_version(struct draft *d) { d->ev.version++; }
static void version_before(struct draft *d) { d->ev.version--; }
static void other_content(struct draft *d) { flip(d->ev.content_sha256); }
static void other_length(struct draft *d) { d->ev.content_size++; }
static void other_object(struct draft *d) { d->ev.object[0] = d->ev.object[0] == 'a' ? 'b' : 'a'; }
static void other_object_hash(struct draft *d) { flip(d->ev.object_sha256); }
static void other_object_size(struct draft *d) { d->ev.object_size++; }
static void other_epoch(struct draft *d) { flip(d->ev.key_id); }
static void other_name(struct draft *d) { flip(d->ev.name); }
static void new_epoch(struct draft *d) { (void)d; memgate_epoch(&lab.g); }
static void object_of_other(struct draft *d) {
	OWN(ledger_file_wipe) struct ledger_file old = {0};

	ck_assert_int_eq(ledger_find(lab.g.ledger, "dir/old", &old, &lab.e), 0);
	memcpy(d->ev.object, old.object, sizeof old.object);
}
static void old_object(struct draft *d) {
	object_of_other(d);
	file_ok(EVENT_REKEY, "dir/old", NULL);
	if (d->ev.op == EVENT_PUT)
		return;
	d->ev.base = ledger_size(lab.g.ledger) - 1;
	draft_sees(&d->ev);
}
static void path_dots(struct draft *d) { draft_rename(d, "a/../b"); }
static void path_nfd(struct draft *d) { draft_rename(d, "U\xcc\x88"); }
static void path_unassigned(struct draft *d) { draft_rename(d, "\xcd\xb8"); }
static void path_taken(struct draft *d) { draft_rename(d, "other"); }
static void path_taken_case(struct draft *d) { draft_rename(d, "OTHER"); }
static void path_is_folder(struct draft *d) { draft_rename(d, "third"); }
static void path_is_folder_case(struct draft *d) { draft_rename(d, "Third"); }
static void path_below_file(struct draft *d) { draft_rename(d, "Other/x"); }
static void path_far_below_file(struct draft *d) { draft_rename(d, "other/x/y/z"); }
static void no_salt(struct draft *d) { d->salted = false; }
static void a_salt(struct draft *d) { draft_rename(d, "dir/old"); }
static void bring_cert(struct draft *d) { d->brought = lab.carol.cert; }
static void bring_serials(struct draft *d) { d->revokes = true; }
static void other_path(struct draft *d) { d->path = "elsewhere"; }

static const struct {
	enum event_op op;
	void (*spoil)(struct draft *d);
	int code;
	enum ledger_why why;
	const char *text;
	bool live; /* the rule is about what is posted now; a replay takes it */
} member_rules[] = {
	{ EVENT_PUT, other_group, ERR_REFUSED, 0, "another group", false },
	{ EVENT_PUT, by_gateway, ERR_REFUSED, 0, "gateway's certificate", false },
	{ EVENT_PUT, by_bob, ERR_REFUSED, 0, "another certificate than the connection", true },
	{ EVENT_PUT, by_twin, ERR_DAMAGED, 0, "RFC 5035", false },
	{ EVENT_PUT, no_peer, ERR_REFUSED, 0, "only a member posts", true },
	{ EVENT_PUT, by_unknown, ERR_REFUSED, 0, "nobody's signature", false },
	{ EVENT_PUT, clock_ahead, ERR_REFUSED, LEDGER_WHY_CLOCK, "301 seconds off the gateway's clock, which says 2", true },
	{ EVENT_PUT, clock_behind, ERR_REFUSED, LEDGER_WHY_CLOCK, "-301 seconds off the gateway's clock, which says 2", true },
	{ EVENT_PUT, after_expiry, ERR_REFUSED, 0, "at its time", false },
	{ EVENT_PUT, before_validity, ERR_REFUSED, 0, "at its time", false },
	{ EVENT_PUT, other_signing_time, ERR_DAMAGED, 0, "RFC 5652 11.3", false },
	{ EVENT_PUT, cert_inside, ERR_DAMAGED, 0, "RFC 5652 5.3", false },
	{ EVENT_PUT, nonce_inside, ERR_DAMAGED, 0, "nonce", false },
	{ EVENT_PUT, seen_too_much, ERR_REFUSED, 0, "it saw", false },
	{ EVENT_PUT, seen_wrong, ERR_REFUSED, 0, "saw another ledger", false },
	{ EVENT_REPLACE, seen_not_base, ERR_REFUSED, 0, "did not see its base", false },
	{ EVENT_PUT, seen_less, ERR_CONFLICT, LEDGER_WHY_SEEN, "saw less", false },
	{ EVENT_REPLACE, no_such_file, ERR_REFUSED, 0, "no such file", false },
	{ EVENT_PUT, id_again, ERR_REFUSED, 0, "id was used", false },
	{ EVENT_PUT, removed_id_again, ERR_REFUSED, 0, "id was used", false },
	{ EVENT_REPLACE, newer_event, ERR_CONFLICT, LEDGER_WHY_BASE, "newer event", false },
	{ EVENT_RENAME, newer_event, ERR_CONFLICT, LEDGER_WHY_BASE, "newer event", false },
	{ EVENT_REMOVE, newer_event, ERR_CONFLICT, LEDGER_WHY_BASE, "newer event", false },
	{ EVENT_REKEY, newer_event, ERR_CONFLICT, LEDGER_WHY_BASE, "newer event", false },
	{ EVENT_REPLACE, removed_before, ERR_CONFLICT, LEDGER_WHY_BASE, "newer event", false },
	{ EVENT_REPLACE, on_removed, ERR_REFUSED, 0, "was removed", false },
	{ EVENT_PUT, next_version, ERR_REFUSED, 0, "version 2, 1 is due", false },
	{ EVENT_REPLACE, next_version, ERR_REFUSED, 0, "version", false },
	{ EVENT_REPLACE, version_before, ERR_REFUSED, 0, "version", false },
	{ EVENT_RENAME, next_version, ERR_REFUSED, 0, "version", false },
	{ EVENT_REMOVE, next_version, ERR_REFUSED, 0, "version", false },
	{ EVENT_REKEY, next_version, ERR_REFUSED, 0, "version", false },
	{ EVENT_RENAME, other_content, ERR_REFUSED, 0, "content", false },
	{ EVENT_REMOVE, other_content, ERR_REFUSED, 0, "content", false },
	{ EVENT_REKEY, other_content, ERR_REFUSED, 0, "content", false },
	{ EVENT_REKEY, other_length, ERR_REFUSED, 0, "content", false },
	{ EVENT_RENAME, other_object, ERR_REFUSED, 0, "object", false },
	{ EVENT_RENAME, other_object_hash, ERR_REFUSED, 0, "object", false },
	{ EVENT_RENAME, other_object_size, ERR_REFUSED, 0, "object", false },
	{ EVENT_RENAME, other_epoch, ERR_REFUSED, 0, "epoch", false },
	{ EVENT_REMOVE, other_object, ERR_REFUSED, 0, "object", false },
	{ EVENT_REPLACE, other_name, ERR_REFUSED, 0, "name", false },
	{ EVENT_REMOVE, other_name, ERR_REFUSED, 0, "name", false },
	{ EVENT_REKEY, other_name, ERR_REFUSED, 0, "name", false },
	{ EVENT_PUT, other_epoch, ERR_CONFLICT, LEDGER_WHY_EPOCH, "epoch", false },
	{ EVENT_PUT, new_epoch, ERR_CONFLICT, LEDGER_WHY_EPOCH, "epoch", false },
	{ EVENT_REPLACE, new_epoch, ERR_CONFLICT, LEDGER_WHY_EPOCH, "epoch", false },
	{ EVENT_REKEY, new_epoch, ERR_CONFLICT, LEDGER_WHY_EPOCH, "epoch", false },
	{ EVENT_PUT, object_of_other, ERR_REFUSED, 0, "object's id", false },
	{ EVENT_REPLACE, object_of_other, ERR_REFUSED, 0, "object's id", false },
	{ EVENT_REKEY, object_of_other, ERR_REFUSED, 0, "object's id", false },
	{ EVENT_PUT, old_object, ERR_REFUSED, 0, "object's id", false },
	{ EVENT_REPLACE, old_object, ERR_REFUSED, 0, "object's id", false },
	{ EVENT_PUT, path_dots, ERR_REFUSED, 0, "\"..\"", false },
	{ EVENT_RENAME, path_dots, ERR_REFUSED, 0, "\"..\"", false },
	{ EVENT_PUT, path_nfd, ERR_REFUSED, 0, "normal form", false },
	{ EVENT_PUT, path_unassigned, ERR_REFUSED, 0, "not assign", true },
	{ EVENT_PUT, path_taken, ERR_CONFLICT, LEDGER_WHY_PATH, "taken", false },
	{ EVENT_PUT, path_taken_case, ERR_CONFLICT, LEDGER_WHY_PATH, "taken", false },
	{ EVENT_PUT, path_is_folder, ERR_CONFLICT, LEDGER_WHY_PATH, "taken", false },
	{ EVENT_PUT, path_is_folder_case, ERR_CONFLICT, LEDGER_WHY_PATH, "taken", false },
	{ EVENT_PUT, path_below_file, ERR_CONFLICT, LEDGER_WHY_PATH, "taken", false },
	{ EVENT_PUT, path_far_below_file, ERR_CONFLICT, LEDGER_WHY_PATH, "taken", false },
	{ EVENT_RENAME, path_taken, ERR_CONFLICT, LEDGER_WHY_PATH, "taken", false },
	{ EVENT_RENAME, path_is_folder, ERR_CONFLICT, LEDGER_WHY_PATH, "taken", false },
	{ EVENT_RENAME, path_below_file, ERR_CONFLICT, LEDGER_WHY_PATH, "taken", false },
	{ EVENT_PUT, no_salt, ERR_DAMAGED, 0, "needs salt", false },
	{ EVENT_RENAME, no_salt, ERR_DAMAGED, 0, "needs salt", false },
	{ EVENT_REPLACE, a_salt, ERR_DAMAGED, 0, "brings no salt", false },
	{ EVENT_PUT, bring_cert, ERR_DAMAGED, 0, "belongs to a member event", false },
	{ EVENT_PUT, bring_serials, ERR_DAMAGED, 0, "belong to a crl event", false },
	{ EVENT_PUT, other_path, ERR_DAMAGED, 0, "path is not what", false },
};

static const char *target(enum event_op op) {
	return op == EVENT_PUT ? "new" : op == EVENT_RENAME ? "dir/new" : NULL;
}

START_TEST(what_each_rule_forbids_is_refused) {
	OWN(draft_wipe) struct draft d;
	struct ledger_result r;

	some_files();
	draft_file(&d, member_rules[_i].op, "dir/old", target(member_rules[_i].op));
	member_rules[_i].spoil(&d);
	n_before = ledger_size(lab.g.ledger);
	ck_assert_msg(draft_append(&d, &r) == member_rules[_i].code, "%s", lab.e.text);
	ck_assert_msg(strstr(lab.e.text, member_rules[_i].text) != NULL, "%s", lab.e.text);
	ck_assert_int_eq(r.why, member_rules[_i].why);
	ck_assert_uint_eq(ledger_size(lab.g.ledger), n_before);
} END_TEST

/* In a log the same is a forgery. */
START_TEST(what_each_rule_forbids_is_damage_in_a_log) {
	OWN(draft_wipe) struct draft d;

	some_files();
	draft_file(&d, member_rules[_i].op, "dir/old", target(member_rules[_i].op));
	member_rules[_i].spoil(&d);
	d.how = (struct ledger_how){.mode = LEDGER_REPLAY};
	if (member_rules[_i].live)
		draft_append_ok(&d);
	else
		ck_assert_msg(draft_append(&d, NULL) == ERR_DAMAGED, "%s", lab.e.text);
} END_TEST

START_TEST(without_that_it_is_taken) {
	OWN(draft_wipe) struct draft d;

	some_files();
	draft_file(&d, (enum event_op)_i, "dir/old", target((enum event_op)_i));
	draft_append_ok(&d);
} END_TEST

START_TEST(the_clock_may_be_five_minutes_off) {
	OWN(draft_wipe) struct draft d;

	draft_file(&d, EVENT_PUT, NULL, "a");
	d.how.now_s = d.ev.time_s - EVENT_SKEW_S;
	draft_append_ok(&d);
	draft_file(&d, EVENT_PUT, NULL, "b");
	d.how.now_s = d.ev.time_s + EVENT_SKEW_S;
	draft_append_ok(&d);
} END_TEST

START_TEST(a_back_dated_event_is_refused) {
	OWN(draft_wipe) struct draft d;
	struct ledger_result r;

	draft_file(&d, EVENT_PUT, NULL, "a");
	d.ev.time_s = d.how.now_s = lab.f.now_s + 1000;
	draft_append_ok(&d);
	draft_file(&d, EVENT_PUT, NULL, "b");
	d.ev.time_s = d.how.now_s = lab.f.now_s + 1000 - INT64_C(2) * EVENT_SKEW_S - 1;
	ck_assert_int_eq(draft_append(&d, &r), ERR_REFUSED);
	ck_assert_int_eq(r.why, LEDGER_WHY_CLOCK);
	d.how.mode = LEDGER_REPLAY;
	ck_assert_int_eq(draft_append(&d, &r), ERR_DAMAGED);
	d.ev.time_s++;
	draft_append_ok(&d);
} END_TEST

START_TEST(a_gateway_whose_clock_ran_ahead_locks_nobody_out) {
	OWN(draft_wipe) struct draft d;

	lab.g.now_s = lab.f.now_s + 2 * (int64_t)FIXTURE_DAY_S;
	memgate_epoch(&lab.g);
	lab.g.now_s = lab.f.now_s;
	draft_file(&d, EVENT_PUT, NULL, "a");
	draft_append_ok(&d);
	memgate_revoke(&lab.g, lab.f.bob.cert);
} END_TEST

/* --- gateways' events --- */

static void draft_epoch(struct draft *d) {
	uint64_t number;

	draft_own(d, EVENT_EPOCH);
	ck_assert_int_eq(ledger_epoch(lab.g.ledger, d->ev.key_id, &number, &lab.e), 0);
	d->ev.version = number + 1;
	flip(d->ev.key_id);
}

static void name_serials(struct draft *d) {
	(void)buf_room(&d->serials, 1);
	entry_revoked_hash(d->serials.data, d->serials.len, d->ev.name);
}

static void add_serial_of(struct draft *d, const X509 *cert) {
	uint8_t serial[SERIAL_MAX];

	entry_put_serial(&d->serials, serial, cert_serial(cert, serial));
	name_serials(d);
}

static void draft_crl(struct draft *d) {
	uint8_t hash[32];

	draft_own(d, EVENT_CRL);
	ck_assert_int_eq(ledger_crl(lab.g.ledger, &d->ev.version, hash, &lab.e), 0);
	d->ev.version++;
	d->ev.content_size = 300;
	d->revokes = true;
	add_serial_of(d, lab.f.bob.cert);
}

static void bring(struct draft *d, X509 *cert) {
	OWN(buf_wipe) struct buf der = {0};

	ck_assert_int_eq(cert_der(cert, &der, &lab.e), 0);
	d->brought = cert;
	ossl_sha256(der.data, der.len, d->ev.content_sha256);
	d->ev.content_size = der.len;
}

static void draft_member(struct draft *d) {
	draft_own(d, EVENT_MEMBER);
	bring(d, lab.carol.cert);
}

static void by_alice(struct draft *d) { d->by = &lab.f.alice; }
static void posted(struct draft *d) { d->how = (struct ledger_how){LEDGER_POST, lab.f.gateway.cert, lab.f.now_s}; }
static void same_epoch(struct draft *d) { d->ev.version--; }
static void skip_epoch(struct draft *d) { d->ev.version++; }
static void same_key_id(struct draft *d) { flip(d->ev.key_id); }
static void older_list(struct draft *d) {
	memgate_revoke(&lab.g, NULL);
	draft_sees(&d->ev);
}
static void revoked_again(struct draft *d) {
	memgate_revoke(&lab.g, lab.f.bob.cert);
	d->ev.version++;
	draft_sees(&d->ev);
}
static void other_serials(struct draft *d) { flip(d->ev.name); }
static void no_serials(struct draft *d) { d->revokes = false; }
static void no_cert(struct draft *d) { d->brought = NULL; }
static void cert_of_other(struct draft *d) { d->brought = lab.f.admin.cert; }
static void other_cert_size(struct draft *d) { d->ev.content_size++; }
static void other_cert_hash(struct draft *d) { flip(d->ev.content_sha256); }
static void bring_raw(struct draft *d, const struct buf *raw) {
	d->raw = raw;
	ossl_sha256(raw->data, raw->len, d->ev.content_sha256);
	d->ev.content_size = raw->len;
}
static void pem_cert(struct draft *d) {
	static struct buf pem;

	buf_clear(&pem);
	ck_assert_int_eq(cert_pem(lab.carol.cert, &pem, &lab.e), 0);
	bring_raw(d, &pem);
}
static void long_cert(struct draft *d) {
	static struct buf der;

	buf_clear(&der);
	ck_assert_int_eq(cert_der(lab.carol.cert, &der, &lab.e), 0);
	buf_addc(&der, 0);
	bring_raw(d, &der);
}
static void no_cert_at_all(struct draft *d) {
	static uint8_t none[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
	static struct buf raw = { .data = none, .len = sizeof none };

	bring_raw(d, &raw);
}
static void known_cert(struct draft *d) { bring(d, lab.f.alice.cert); }
static void foreign_cert(struct draft *d) { bring(d, lab.f.foreign.cert); }
static void expired_cert(struct draft *d) { bring(d, lab.f.expired.cert); }
static void early_cert(struct draft *d) { bring(d, lab.f.early.cert); }
static void ca_cert(struct draft *d) { bring(d, lab.f.ca.cert); }
static void revoked_cert(struct draft *d) {
	memgate_revoke(&lab.g, lab.carol.cert);
	draft_sees(&d->ev);
}
static void by_itself(struct draft *d) { d->by = &lab.carol; }
static void by_new_gateway(struct draft *d) { d->by = &lab.gateway2; }
static void by_foreign_gateway(struct draft *d) {
	d->by = &lab.f.foreign_gateway;
	bring(d, lab.f.foreign_gateway.cert);
}
static void gateway_expired(struct draft *d) { d->ev.time_s = lab.f.now_s + 1000 * (int64_t)FIXTURE_DAY_S; }

static const struct {
	void (*draft)(struct draft *d);
	void (*spoil)(struct draft *d);
	int code;
	const char *text;
} gateway_rules[] = {
    {draft_epoch, by_alice, ERR_REFUSED, "only a gateway"},
    {draft_crl, by_alice, ERR_REFUSED, "only a gateway"},
    {draft_member, by_alice, ERR_REFUSED, "only a gateway"},
    {draft_epoch, posted, ERR_REFUSED, "only a member posts"},
    {draft_epoch, other_group, ERR_REFUSED, "another group"},
    {draft_epoch, seen_wrong, ERR_REFUSED, "another ledger"},
    {draft_epoch, seen_less, ERR_CONFLICT, "saw less"},
    {draft_epoch, gateway_expired, ERR_REFUSED, "at its time"},
    {draft_epoch, by_new_gateway, ERR_REFUSED, "nobody's signature"},
    {draft_epoch, same_epoch, ERR_REFUSED, "is due"},
    {draft_epoch, skip_epoch, ERR_REFUSED, "is due"},
    {draft_epoch, same_key_id, ERR_REFUSED, "key id was used"},
    {draft_crl, older_list, ERR_REFUSED, "RFC 5280 5.2.3"},
    {draft_crl, revoked_again, ERR_REFUSED, "second time"},
    {draft_crl, other_serials, ERR_DAMAGED, "list of serial numbers is not"},
    {draft_crl, no_serials, ERR_DAMAGED, "crl event"},
    {draft_crl, bring_cert, ERR_DAMAGED, "member event"},
    {draft_member, no_cert, ERR_DAMAGED, "member event"},
    {draft_member, cert_of_other, ERR_DAMAGED, "certificate is not"},
    {draft_member, other_cert_size, ERR_DAMAGED, "as long as"},
    {draft_member, other_cert_hash, ERR_DAMAGED, "certificate is not what the event names"},
    {draft_member, pem_cert, ERR_DAMAGED, "certificate is not DER"},
    {draft_member, long_cert, ERR_DAMAGED, "RFC 5280 4.1"},
    {draft_member, no_cert_at_all, ERR_DAMAGED, "RFC 5280 4.1"},
    {draft_member, known_cert, ERR_REFUSED, "this key is known"},
    {draft_member, foreign_cert, ERR_DAMAGED, "certificate"},
    {draft_member, ca_cert, ERR_DAMAGED, "certificate"},
    {draft_member, expired_cert, ERR_REFUSED, "certificate: "},
    {draft_member, early_cert, ERR_REFUSED, "certificate: "},
    {draft_member, revoked_cert, ERR_REFUSED, "RFC 5280 5.3"},
    {draft_member, by_itself, ERR_REFUSED, "only a gateway"},
    {draft_member, by_new_gateway, ERR_REFUSED, "nobody's signature"},
    {draft_member, by_foreign_gateway, ERR_DAMAGED, "certificate"},
};

START_TEST(what_a_gateway_may_not_say_is_refused) {
	OWN(draft_wipe) struct draft d;

	gateway_rules[_i].draft(&d);
	gateway_rules[_i].spoil(&d);
	ck_assert_msg(draft_append(&d, NULL) == gateway_rules[_i].code, "%s", lab.e.text);
	ck_assert_msg(strstr(lab.e.text, gateway_rules[_i].text) != NULL, "%s", lab.e.text);
} END_TEST

START_TEST(what_a_gateway_may_not_say_is_damage_in_a_log) {
	OWN(draft_wipe) struct draft d;

	gateway_rules[_i].draft(&d);
	gateway_rules[_i].spoil(&d);
	if (gateway_rules[_i].spoil == posted)
		return;
	d.how.mode = LEDGER_REPLAY;
	ck_assert_msg(draft_append(&d, NULL) == ERR_DAMAGED, "%s", lab.e.text);
} END_TEST

START_TEST(what_a_gateway_may_say_is_taken) {
	static void (*const drafts[])(struct draft *d) = {draft_epoch, draft_crl, draft_member};
	OWN(draft_wipe) struct draft d;

	drafts[_i](&d);
	draft_append_ok(&d);
} END_TEST

START_TEST(a_ledger_begins_with_its_gateway) {
	static const char *const migrations[] = {ledger_schema, NULL};
	const struct ledger_how how = {.mode = LEDGER_OWN};
	OWN(buf_wipe) struct buf entry = {0};
	struct ledger_result r;
	struct ledger *l;
	OWN(draft_wipe) struct draft d;
	struct entry en;
	struct db *db;

	ck_assert_int_eq(db_open(&db, tmp_path("empty.db"), migrations, &lab.e), 0);
	ck_assert_int_eq(ledger_open(&l, db, lab.f.chain, NULL, &lab.e), 0);
	draft_epoch(&d);
	d.ev.version = 1;
	d.ev.seen = 0;
	ossl_sha256("", 0, d.ev.seen_root);
	draft_print(&d, &entry);
	ck_assert_int_eq(entry_parse(entry.data, entry.len, &en, &lab.e), 0);
	ck_assert_int_eq(ledger_append(l, &en, &how, &r, &lab.e), ERR_REFUSED);
	bring(&d, lab.f.gateway.cert);
	d.ev.op = EVENT_MEMBER;
	buf_clear(&entry);
	draft_print(&d, &entry);
	ck_assert_int_eq(entry_parse(entry.data, entry.len, &en, &lab.e), 0);
	ck_assert_msg(ledger_append(l, &en, &how, &r, &lab.e) == 0, "%s", lab.e.text);
	ledger_close(l);
	db_close(&db);
} END_TEST

static int append_to(struct ledger *l, struct draft *d) {
	OWN(buf_wipe) struct buf entry = {0};
	struct ledger_result r;
	struct entry en;

	d->ev.seen = ledger_size(l);
	ck_assert_int_eq(ledger_root(l, d->ev.seen, d->ev.seen_root, &lab.e), 0);
	draft_print(d, &entry);
	ck_assert_int_eq(entry_parse(entry.data, entry.len, &en, &lab.e), 0);
	return ledger_append(l, &en, &d->how, &r, &lab.e);
}

/* An epoch that there is not has a key identifier of zeros in memory: nobody's file is under it. */
START_TEST(a_file_before_the_first_epoch_is_refused) {
	static const char *const migrations[] = {ledger_schema, NULL};
	OWN(draft_wipe) struct draft d, file, epoch;
	struct ledger *l;
	struct db *db;

	ck_assert_int_eq(db_open(&db, tmp_path("empty.db"), migrations, &lab.e), 0);
	ck_assert_int_eq(ledger_open(&l, db, lab.f.chain, NULL, &lab.e), 0);
	draft_member(&d);
	bring(&d, lab.f.gateway.cert);
	ck_assert_msg(append_to(l, &d) == 0, "%s", lab.e.text);
	bring(&d, lab.f.alice.cert);
	ck_assert_msg(append_to(l, &d) == 0, "%s", lab.e.text);
	draft_file(&file, EVENT_PUT, NULL, "a");
	memset(file.ev.key_id, 0, sizeof file.ev.key_id);
	ck_assert_int_eq(append_to(l, &file), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(lab.e.text, "no epoch yet"));
	draft_epoch(&epoch);
	epoch.ev.version = 1;
	ck_assert_msg(append_to(l, &epoch) == 0, "%s", lab.e.text);
	ck_assert_int_eq(append_to(l, &file), ERR_CONFLICT);
	memcpy(file.ev.key_id, epoch.ev.key_id, sizeof file.ev.key_id);
	ck_assert_msg(append_to(l, &file) == 0, "%s", lab.e.text);
	ledger_close(l);
	db_close(&db);
} END_TEST

START_TEST(a_renewed_gateway_introduces_itself) {
	OWN(draft_wipe) struct draft d, list, after;

	draft_member(&d);
	bring(&d, lab.gateway2.cert);
	d.by = &lab.gateway2;
	draft_append_ok(&d);
	draft_epoch(&d);
	d.by = &lab.gateway2;
	draft_append_ok(&d);
	draft_own(&list, EVENT_CRL);
	list.ev.version = 1;
	list.revokes = true;
	add_serial_of(&list, lab.f.gateway.cert);
	draft_append_ok(&list);
	draft_epoch(&after);
	ck_assert_int_eq(draft_append(&after, NULL), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(lab.e.text, "revoked by an earlier crl event"));
} END_TEST

/* The list that revokes a gateway may be its own last word. */
START_TEST(a_gateway_may_say_that_it_is_revoked_and_nothing_more) {
	OWN(draft_wipe) struct draft d, after;

	draft_own(&d, EVENT_CRL);
	d.ev.version = 1;
	d.revokes = true;
	add_serial_of(&d, lab.f.gateway.cert);
	draft_append_ok(&d);
	draft_epoch(&after);
	ck_assert_int_eq(draft_append(&after, NULL), ERR_REFUSED);
} END_TEST

START_TEST(whom_a_crl_event_revoked_says_nothing_more) {
	OWN(draft_wipe) struct draft d, before;

	file_ok(EVENT_PUT, NULL, "a");
	draft_file(&before, EVENT_REPLACE, "a", NULL);
	memgate_revoke(&lab.g, lab.f.alice.cert);
	ck_assert_int_eq(draft_append(&before, NULL), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(lab.e.text, "revoked by an earlier crl event"));
	draft_file(&d, EVENT_REMOVE, "a", NULL);
	d.ev.time_s -= 100;
	d.how = (struct ledger_how){.mode = LEDGER_REPLAY};
	ck_assert_int_eq(draft_append(&d, NULL), ERR_DAMAGED);
	draft_file(&d, EVENT_REMOVE, "a", NULL);
	d.by = &lab.f.bob;
	d.how.peer = lab.f.bob.cert;
	draft_append_ok(&d);
} END_TEST

START_TEST(a_crl_entry_brings_who_is_new_only) {
	bool revoked;
	uint8_t serial[SERIAL_MAX];
	size_t len;

	memgate_revoke(&lab.g, lab.f.bob.cert);
	memgate_revoke(&lab.g, NULL);
	memgate_revoke(&lab.g, lab.f.alice.cert);
	len = cert_serial(lab.f.bob.cert, serial);
	ck_assert_int_eq(ledger_is_revoked(lab.g.ledger, serial, len, &revoked, &lab.e), 0);
	ck_assert(revoked);
	len = cert_serial(lab.carol.cert, serial);
	ck_assert_int_eq(ledger_is_revoked(lab.g.ledger, serial, len, &revoked, &lab.e), 0);
	ck_assert(!revoked);
	/* Without the older list the same comes out: the ledger itself knows who is not new. */
	crl_set_free(lab.g.crl);
	lab.g.crl = NULL;
	memgate_revoke(&lab.g, lab.carol.cert);
} END_TEST

START_TEST(signers_are_known_by_their_certificate) {
	X509 *twin;
	bool yes;

	ck_assert_int_eq(ledger_has_signer(lab.g.ledger, lab.f.alice.cert, &yes, &lab.e), 0);
	ck_assert(yes);
	ck_assert_int_eq(ledger_has_signer(lab.g.ledger, lab.carol.cert, &yes, &lab.e), 0);
	ck_assert(!yes);
	twin = fixture_tamper(lab.f.alice.cert, &lab.f.ca, NULL, NULL);
	ck_assert_int_eq(ledger_has_signer(lab.g.ledger, twin, &yes, &lab.e),
	    X509_cmp(twin, lab.f.alice.cert) == 0 ? 0 : ERR_REFUSED);
	X509_free(twin);
} END_TEST

START_TEST(epochs_have_numbers) {
	uint8_t id[KEY_ID_LEN], old[KEY_ID_LEN];
	uint64_t n;

	ck_assert_int_eq(ledger_epoch(lab.g.ledger, old, &n, &lab.e), 0);
	ck_assert_uint_eq(n, 1);
	memgate_epoch(&lab.g);
	ck_assert_int_eq(ledger_epoch(lab.g.ledger, id, &n, &lab.e), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(ledger_epoch_number(lab.g.ledger, old, &n, &lab.e), 0);
	ck_assert_uint_eq(n, 1);
	flip(old);
	ck_assert_int_eq(ledger_epoch_number(lab.g.ledger, old, &n, &lab.e), ERR_NOTFOUND);
} END_TEST

int main(void) {
	TCase *t = tcase_create("rules");

	tcase_add_checked_fixture(t, lab_set_up, lab_tear_down);
	tcase_add_loop_test(t, what_each_rule_forbids_is_refused, 0, COUNT(member_rules));
	tcase_add_loop_test(t, what_each_rule_forbids_is_damage_in_a_log, 0, COUNT(member_rules));
	tcase_add_loop_test(t, without_that_it_is_taken, EVENT_PUT, EVENT_EPOCH);
	tcase_add_test(t, the_clock_may_be_five_minutes_off);
	tcase_add_test(t, a_back_dated_event_is_refused);
	tcase_add_test(t, a_gateway_whose_clock_ran_ahead_locks_nobody_out);
	tcase_add_loop_test(t, what_a_gateway_may_not_say_is_refused, 0, COUNT(gateway_rules));
	tcase_add_loop_test(t, what_a_gateway_may_not_say_is_damage_in_a_log, 0, COUNT(gateway_rules));
	tcase_add_loop_test(t, what_a_gateway_may_say_is_taken, 0, 3);
	tcase_add_test(t, a_ledger_begins_with_its_gateway);
	tcase_add_test(t, a_file_before_the_first_epoch_is_refused);
	tcase_add_test(t, a_renewed_gateway_introduces_itself);
	tcase_add_test(t, a_gateway_may_say_that_it_is_revoked_and_nothing_more);
	tcase_add_test(t, whom_a_crl_event_revoked_says_nothing_more);
	tcase_add_test(t, a_crl_entry_brings_who_is_new_only);
	tcase_add_test(t, signers_are_known_by_their_certificate);
	tcase_add_test(t, epochs_have_numbers);
	return suite_run("rules", t);
}
