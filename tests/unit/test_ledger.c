/* SPDX-License-Identifier: Apache-2.0 */
/* The rules: for each one an entry that passes, and the same with just what the rule forbids. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/own.h"
#include "ledger/seal.h"
#include "lib/memgate.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "pki/ossl.h"
#include "pki/signed.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct fixture f;
static struct memgate g;
static struct fixture_id carol, gateway2;
static struct err e;

static void set_up(void) {
	tmp_make();
	fixture_init(&f);
	fixture_member(&f, "carol", &carol);
	fixture_issue(&f.ca, ROLE_GATEWAY, "gw", NULL, f.now_s - 300, f.now_s + 90 * (int64_t)FIXTURE_DAY_S, &gateway2);
	memgate_init(&g, &f, tmp_path("gateway.db"));
	memgate_member(&g, f.alice.cert);
	memgate_member(&g, f.bob.cert);
}

static void tear_down(void) {
	memgate_wipe(&g);
	fixture_id_wipe(&carol);
	fixture_id_wipe(&gateway2);
	fixture_wipe(&f);
	tmp_drop();
}

/* An entry in the making: every field is open to be spoilt before it is signed. */
struct draft {
	struct event ev;
	const char *path;
	uint8_t salt[SALT_LEN];
	bool salted, with_cert;
	X509 *brought;
	struct buf serials;
	bool revokes;
	const struct fixture_id *by;
	struct ledger_how how;
	int64_t signing_time_s; /* 0: the event's */
	bool with_nonce;
};

static void draft_wipe(struct draft *d) {
	buf_wipe(&d->serials);
}

static void rename_to(struct draft *d, const char *path) {
	d->path = path;
	d->salted = true;
	memset(d->salt, 9, sizeof d->salt);
	path_hash(path, strlen(path), d->salt, d->ev.name);
}

static void say_what_is_seen(struct event *ev) {
	ev->seen = ledger_size(g.ledger);
	ck_assert_int_eq(ledger_root(g.ledger, ev->seen, ev->seen_root, &e), 0);
}

/* What alice would post now. path: of the file (put: the new one). */
static void draft_file(struct draft *d, enum event_op op, const char *path, const char *to) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};
	struct memgate_step s;

	*d = (struct draft){.by = &f.alice, .how = {LEDGER_POST, f.alice.cert, f.now_s}};
	if (op != EVENT_PUT)
		ck_assert_msg(ledger_find(g.ledger, path, &file, &e) == 0, "%s: %s", path, e.text);
	memgate_step(&g, op, NULL, op == EVENT_PUT ? NULL : &file, &s);
	d->ev = (struct event){.group = "lab", .op = op, .version = file.version + (op == EVENT_PUT || op == EVENT_REPLACE),
	    .base = file.base, .object_size = 1000, .content_size = op == EVENT_PUT || op == EVENT_REPLACE ? 500 : file.content_size,
	    .time_s = f.now_s};
	memcpy(d->ev.file, s.file, sizeof s.file);
	memcpy(d->ev.object, s.object, sizeof s.object);
	memcpy(d->ev.object_sha256, s.digest, sizeof s.digest);
	memcpy(d->ev.content_sha256, s.digest, sizeof s.digest);
	memcpy(d->ev.key_id, s.key_id, sizeof s.key_id);
	memcpy(d->ev.name, file.name, sizeof file.name);
	if (op == EVENT_RENAME || op == EVENT_REMOVE) {
		memcpy(d->ev.object, file.object, sizeof file.object);
		memcpy(d->ev.object_sha256, file.object_sha256, sizeof file.object_sha256);
		memcpy(d->ev.key_id, file.key_id, sizeof file.key_id);
		d->ev.object_size = file.object_size;
	}
	if (op == EVENT_RENAME || op == EVENT_REMOVE || op == EVENT_REKEY)
		memcpy(d->ev.content_sha256, file.content_sha256, sizeof file.content_sha256);
	if (op == EVENT_PUT || op == EVENT_RENAME)
		rename_to(d, to);
	say_what_is_seen(&d->ev);
}

static void draft_own(struct draft *d, enum event_op op) {
	*d = (struct draft){.by = &f.gateway, .how = {LEDGER_OWN, NULL, 0}};
	d->ev = (struct event){.group = "lab", .op = op, .time_s = f.now_s};
	say_what_is_seen(&d->ev);
}

static void print_draft(struct draft *d, struct buf *entry) {
	const struct signed_make m = {.key = d->by->key, .cert = d->by->cert, .by_ski = !d->with_cert,
	    .nonce = d->with_nonce ? (const uint8_t *)"12345678" : NULL, .nonce_len = d->with_nonce ? 8 : 0,
	    .time_s = d->signing_time_s != 0 ? d->signing_time_s : d->ev.time_s};
	OWN(buf_wipe) struct buf text = {0}, der = {0}, cert = {0};
	struct entry en = {0};

	event_print(&d->ev, &text);
	ck_assert_msg(signed_make(&m, text.data, text.len, &der, &e) == 0, "%s", e.text);
	en.event = der.data;
	en.event_len = der.len;
	if (d->salted) {
		en.salt = d->salt;
		en.path = d->path;
		en.path_len = strlen(d->path);
	}
	if (d->brought != NULL) {
		ck_assert_int_eq(cert_der(d->brought, &cert, &e), 0);
		en.cert = cert.data;
		en.cert_len = cert.len;
	}
	if (d->revokes) {
		(void)buf_room(&d->serials, 1);
		en.revoked = d->serials.data;
		en.revoked_len = d->serials.len;
	}
	entry_print(&en, entry);
}

static int append(struct draft *d, struct ledger_result *r) {
	OWN(buf_wipe) struct buf entry = {0};

	print_draft(d, &entry);
	return memgate_append(&g, &entry, &d->how, r, &e);
}

static void append_ok(struct draft *d) {
	ck_assert_msg(append(d, NULL) == 0, "%s", e.text);
}

static void file_ok(enum event_op op, const char *path, const char *to) {
	OWN(draft_wipe) struct draft d;

	draft_file(&d, op, path, to);
	append_ok(&d);
}

/* --- members' events: each rule --- */

static uint64_t n_before;

static void flip(uint8_t *p) {
	p[0] ^= 1;
}

static void other_group(struct draft *d) { memcpy(d->ev.group, "lob", 4); }
static void by_gateway(struct draft *d) { d->by = &f.gateway; d->how.mode = LEDGER_OWN; }
static void by_bob(struct draft *d) { d->by = &f.bob; }
static void by_unknown(struct draft *d) { d->by = &carol; d->how.peer = carol.cert; }
static void no_peer(struct draft *d) { d->how.peer = NULL; }
static void clock_ahead(struct draft *d) { d->how.now_s = d->ev.time_s - EVENT_SKEW_S - 1; }
static void clock_behind(struct draft *d) { d->how.now_s = d->ev.time_s + EVENT_SKEW_S + 1; }
static void after_expiry(struct draft *d) { d->ev.time_s = d->how.now_s = f.now_s + 91 * (int64_t)FIXTURE_DAY_S; }
static void before_validity(struct draft *d) { d->ev.time_s = d->how.now_s = f.now_s - 400; }
static void other_signing_time(struct draft *d) { d->signing_time_s = d->ev.time_s + 1; }
static void cert_inside(struct draft *d) { d->with_cert = true; }
static void nonce_inside(struct draft *d) { d->with_nonce = true; }
static void seen_too_much(struct draft *d) { d->ev.seen++; }
static void seen_wrong(struct draft *d) { flip(d->ev.seen_root); }
static void seen_not_base(struct draft *d) {
	d->ev.seen = d->ev.base;
	ck_assert_int_eq(ledger_root(g.ledger, d->ev.seen, d->ev.seen_root, &e), 0);
}
static void seen_less(struct draft *d) {
	d->ev.seen = 2;
	ck_assert_int_eq(ledger_root(g.ledger, 2, d->ev.seen_root, &e), 0);
}
static void no_such_file(struct draft *d) { flip(d->ev.file); }
static void id_again(struct draft *d) {
	OWN(ledger_file_wipe) struct ledger_file old = {0};

	ck_assert_int_eq(ledger_find(g.ledger, "dir/old", &old, &e), 0);
	memcpy(d->ev.file, old.file, sizeof old.file);
}
static void removed_id_again(struct draft *d) {
	OWN(ledger_file_wipe) struct ledger_file old = {0};

	ck_assert_int_eq(ledger_find(g.ledger, "dir/old", &old, &e), 0);
	file_ok(EVENT_REMOVE, "dir/old", NULL);
	memcpy(d->ev.file, old.file, sizeof old.file);
	say_what_is_seen(&d->ev);
}
static void newer_event(struct draft *d) { (void)d; file_ok(EVENT_REKEY, "dir/old", NULL); }
static void removed_before(struct draft *d) { (void)d; file_ok(EVENT_REMOVE, "dir/old", NULL); }
static void on_removed(struct draft *d) {
	file_ok(EVENT_REMOVE, "dir/old", NULL);
	d->ev.base = ledger_size(g.ledger) - 1;
	say_what_is_seen(&d->ev);
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
static void new_epoch(struct draft *d) { (void)d; memgate_epoch(&g); }
static void object_of_other(struct draft *d) {
	OWN(ledger_file_wipe) struct ledger_file old = {0};

	ck_assert_int_eq(ledger_find(g.ledger, "dir/old", &old, &e), 0);
	memcpy(d->ev.object, old.object, sizeof old.object);
}
static void old_object(struct draft *d) {
	object_of_other(d);
	file_ok(EVENT_REKEY, "dir/old", NULL);
	if (d->ev.op == EVENT_PUT)
		return;
	d->ev.base = ledger_size(g.ledger) - 1;
	say_what_is_seen(&d->ev);
}
static void path_dots(struct draft *d) { rename_to(d, "a/../b"); }
static void path_nfd(struct draft *d) { rename_to(d, "U\xcc\x88"); }
static void path_unassigned(struct draft *d) { rename_to(d, "\xcd\xb8"); }
static void path_taken(struct draft *d) { rename_to(d, "other"); }
static void path_taken_case(struct draft *d) { rename_to(d, "OTHER"); }
static void path_is_folder(struct draft *d) { rename_to(d, "third"); }
static void path_is_folder_case(struct draft *d) { rename_to(d, "Third"); }
static void path_below_file(struct draft *d) { rename_to(d, "Other/x"); }
static void path_far_below_file(struct draft *d) { rename_to(d, "other/x/y/z"); }
static void no_salt(struct draft *d) { d->salted = false; }
static void a_salt(struct draft *d) { rename_to(d, "dir/old"); }
static void bring_cert(struct draft *d) { d->brought = carol.cert; }
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
	{ EVENT_PUT, no_peer, ERR_REFUSED, 0, "only a member posts", true },
	{ EVENT_PUT, by_unknown, ERR_REFUSED, 0, "nobody's signature", false },
	{ EVENT_PUT, clock_ahead, ERR_REFUSED, LEDGER_WHY_CLOCK, "301 seconds off", true },
	{ EVENT_PUT, clock_behind, ERR_REFUSED, LEDGER_WHY_CLOCK, "-301 seconds off", true },
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

static void some_files(void) {
	file_ok(EVENT_PUT, NULL, "dir/old");
	file_ok(EVENT_PUT, NULL, "other");
	file_ok(EVENT_PUT, NULL, "third/a/b");
}

static const char *target(enum event_op op) {
	return op == EVENT_PUT ? "new" : op == EVENT_RENAME ? "dir/new" : NULL;
}

START_TEST(what_each_rule_forbids_is_refused) {
	OWN(draft_wipe) struct draft d;
	struct ledger_result r;

	some_files();
	draft_file(&d, member_rules[_i].op, "dir/old", target(member_rules[_i].op));
	member_rules[_i].spoil(&d);
	n_before = ledger_size(g.ledger);
	ck_assert_msg(append(&d, &r) == member_rules[_i].code, "%s", e.text);
	ck_assert_msg(strstr(e.text, member_rules[_i].text) != NULL, "%s", e.text);
	ck_assert_int_eq(r.why, member_rules[_i].why);
	ck_assert_uint_eq(ledger_size(g.ledger), n_before);
} END_TEST

/* In a log the same is a forgery. */
START_TEST(what_each_rule_forbids_is_damage_in_a_log) {
	OWN(draft_wipe) struct draft d;

	some_files();
	draft_file(&d, member_rules[_i].op, "dir/old", target(member_rules[_i].op));
	member_rules[_i].spoil(&d);
	d.how = (struct ledger_how){.mode = LEDGER_REPLAY};
	if (member_rules[_i].live)
		append_ok(&d);
	else
		ck_assert_msg(append(&d, NULL) == ERR_DAMAGED, "%s", e.text);
} END_TEST

START_TEST(without_that_it_is_taken) {
	OWN(draft_wipe) struct draft d;

	some_files();
	draft_file(&d, (enum event_op)_i, "dir/old", target((enum event_op)_i));
	append_ok(&d);
} END_TEST

START_TEST(the_clock_may_be_five_minutes_off) {
	OWN(draft_wipe) struct draft d;

	draft_file(&d, EVENT_PUT, NULL, "a");
	d.how.now_s = d.ev.time_s - EVENT_SKEW_S;
	append_ok(&d);
	draft_file(&d, EVENT_PUT, NULL, "b");
	d.how.now_s = d.ev.time_s + EVENT_SKEW_S;
	append_ok(&d);
} END_TEST

START_TEST(a_back_dated_event_is_refused) {
	OWN(draft_wipe) struct draft d;
	struct ledger_result r;

	draft_file(&d, EVENT_PUT, NULL, "a");
	d.ev.time_s = d.how.now_s = f.now_s + 1000;
	append_ok(&d);
	draft_file(&d, EVENT_PUT, NULL, "b");
	d.ev.time_s = d.how.now_s = f.now_s + 1000 - 2 * EVENT_SKEW_S - 1;
	ck_assert_int_eq(append(&d, &r), ERR_REFUSED);
	ck_assert_int_eq(r.why, LEDGER_WHY_CLOCK);
	d.how.mode = LEDGER_REPLAY;
	ck_assert_int_eq(append(&d, &r), ERR_DAMAGED);
	d.ev.time_s++;
	append_ok(&d);
} END_TEST

START_TEST(a_gateway_whose_clock_ran_ahead_locks_nobody_out) {
	OWN(draft_wipe) struct draft d;

	g.now_s = f.now_s + 2 * (int64_t)FIXTURE_DAY_S;
	memgate_epoch(&g);
	g.now_s = f.now_s;
	draft_file(&d, EVENT_PUT, NULL, "a");
	append_ok(&d);
	memgate_revoke(&g, f.bob.cert);
} END_TEST

/* --- what becomes of files --- */

static void must_find(const char *path, struct ledger_file *file) {
	ck_assert_msg(ledger_find(g.ledger, path, file, &e) == 0, "%s: %s", path, e.text);
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
	d.by = &f.bob;
	d.how.peer = f.bob.cert;
	d.ev.time_s++;
	append_ok(&d);
	must_find("a", &file);
	ck_assert_str_eq(file.author, "alice");
	ck_assert_int_eq(file.time_s, f.now_s);
	ck_assert_int_eq(file.event_time_s, f.now_s + 1);
} END_TEST

START_TEST(a_removed_file_leaves_its_place) {
	OWN(ledger_file_wipe) struct ledger_file file = {0}, gone = {0};

	file_ok(EVENT_PUT, NULL, "a");
	must_find("a", &file);
	file_ok(EVENT_REMOVE, "a", NULL);
	ck_assert_int_eq(ledger_find(g.ledger, "a", &gone, &e), ERR_NOTFOUND);
	ck_assert_int_eq(ledger_find_id(g.ledger, file.file, &gone, &e), 0);
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
	ck_assert_int_eq(append(&d, NULL), ERR_CONFLICT);
	file_ok(EVENT_REMOVE, "a/c", NULL);
	draft_file(&d, EVENT_RENAME, "a/b", "a");
	append_ok(&d);
} END_TEST

START_TEST(a_name_is_found_as_it_is_spelt_only) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	file_ok(EVENT_PUT, NULL, "Dir/a");
	ck_assert_int_eq(ledger_find(g.ledger, "dir/a", &file, &e), ERR_NOTFOUND);
	ck_assert_int_eq(ledger_find(g.ledger, "Dir", &file, &e), ERR_NOTFOUND);
	ck_assert_int_eq(ledger_find(g.ledger, "../Dir/a", &file, &e), ERR_NOTFOUND);
	must_find("Dir/a", &file);
} END_TEST

START_TEST(a_conflict_says_what_is_there_now) {
	OWN(draft_wipe) struct draft d, late;
	struct ledger_result r;

	file_ok(EVENT_PUT, NULL, "a");
	draft_file(&late, EVENT_REPLACE, "a", NULL);
	draft_file(&d, EVENT_REPLACE, "a", NULL);
	d.by = &f.bob;
	d.how.peer = f.bob.cert;
	append_ok(&d);
	ck_assert_int_eq(append(&late, &r), ERR_CONFLICT);
	ck_assert_uint_eq(r.file_index, 5);
	ck_assert_uint_eq(r.file_version, 2);
	ck_assert_str_eq(r.file_author, "bob");
	draft_file(&d, EVENT_PUT, NULL, "A");
	ck_assert_int_eq(append(&d, &r), ERR_CONFLICT);
	ck_assert_uint_eq(r.file_index, 5);
	ck_assert_str_eq(r.file_author, "bob");
	draft_file(&d, EVENT_PUT, NULL, "a/b");
	ck_assert_int_eq(append(&d, &r), ERR_CONFLICT);
	ck_assert_str_eq(r.file_author, "");
} END_TEST

START_TEST(objects_are_current_old_or_unknown) {
	OWN(ledger_file_wipe) struct ledger_file first = {0}, second = {0};
	enum ledger_standing s;

	file_ok(EVENT_PUT, NULL, "a");
	must_find("a", &first);
	file_ok(EVENT_REKEY, "a", NULL);
	must_find("a", &second);
	ck_assert_int_eq(ledger_object(g.ledger, first.object, &s, &e), 0);
	ck_assert_int_eq(s, LEDGER_OBJECT_OLD);
	ck_assert_int_eq(ledger_object(g.ledger, second.object, &s, &e), 0);
	ck_assert_int_eq(s, LEDGER_OBJECT_CURRENT);
	ck_assert_int_eq(ledger_object(g.ledger, "aaaaaaaaaaaaaaaaaaaaaaaaaa", &s, &e), 0);
	ck_assert_int_eq(s, LEDGER_OBJECT_UNKNOWN);
	file_ok(EVENT_RENAME, "a", "b");
	ck_assert_int_eq(ledger_object(g.ledger, second.object, &s, &e), 0);
	ck_assert_int_eq(s, LEDGER_OBJECT_CURRENT);
	file_ok(EVENT_REMOVE, "b", NULL);
	ck_assert_int_eq(ledger_object(g.ledger, second.object, &s, &e), 0);
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
	d.by = &f.bob;
	d.how.peer = f.bob.cert;
	append_ok(&d);
	must_find("b", &file);
	file_ok(EVENT_REMOVE, "b", NULL);
	ck_assert_msg(ledger_history(g.ledger, file.file, note_step, &b, &e) == 0, "%s", e.text);
	ck_assert_str_eq(buf_str(&b), "put alice a;replace alice a;rename bob b;remove alice b;");
	file.file[0] ^= 1;
	ck_assert_int_eq(ledger_history(g.ledger, file.file, note_step, &b, &e), ERR_NOTFOUND);
} END_TEST

/* --- gateways' events --- */

static void draft_epoch(struct draft *d) {
	uint64_t number;

	draft_own(d, EVENT_EPOCH);
	ck_assert_int_eq(ledger_epoch(g.ledger, d->ev.key_id, &number, &e), 0);
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
	ck_assert_int_eq(ledger_crl(g.ledger, &d->ev.version, hash, &e), 0);
	d->ev.version++;
	d->ev.content_size = 300;
	d->revokes = true;
	add_serial_of(d, f.bob.cert);
}

static void bring(struct draft *d, X509 *cert) {
	OWN(buf_wipe) struct buf der = {0};

	ck_assert_int_eq(cert_der(cert, &der, &e), 0);
	d->brought = cert;
	ossl_sha256(der.data, der.len, d->ev.content_sha256);
	d->ev.content_size = der.len;
}

static void draft_member(struct draft *d) {
	draft_own(d, EVENT_MEMBER);
	bring(d, carol.cert);
}

static void by_alice(struct draft *d) { d->by = &f.alice; }
static void posted(struct draft *d) { d->how = (struct ledger_how){LEDGER_POST, f.gateway.cert, f.now_s}; }
static void same_epoch(struct draft *d) { d->ev.version--; }
static void skip_epoch(struct draft *d) { d->ev.version++; }
static void same_key_id(struct draft *d) { flip(d->ev.key_id); }
static void older_list(struct draft *d) {
	memgate_revoke(&g, NULL);
	say_what_is_seen(&d->ev);
}
static void revoked_again(struct draft *d) {
	memgate_revoke(&g, f.bob.cert);
	d->ev.version++;
	say_what_is_seen(&d->ev);
}
static void other_serials(struct draft *d) { flip(d->ev.name); }
static void no_serials(struct draft *d) { d->revokes = false; }
static void no_cert(struct draft *d) { d->brought = NULL; }
static void cert_of_other(struct draft *d) { d->brought = f.admin.cert; }
static void other_cert_size(struct draft *d) { d->ev.content_size++; }
static void known_cert(struct draft *d) { bring(d, f.alice.cert); }
static void foreign_cert(struct draft *d) { bring(d, f.foreign.cert); }
static void expired_cert(struct draft *d) { bring(d, f.expired.cert); }
static void early_cert(struct draft *d) { bring(d, f.early.cert); }
static void ca_cert(struct draft *d) { bring(d, f.ca.cert); }
static void revoked_cert(struct draft *d) {
	memgate_revoke(&g, carol.cert);
	say_what_is_seen(&d->ev);
}
static void by_itself(struct draft *d) { d->by = &carol; }
static void by_new_gateway(struct draft *d) { d->by = &gateway2; }
static void by_foreign_gateway(struct draft *d) { d->by = &f.foreign_gateway; bring(d, f.foreign_gateway.cert); }
static void gateway_expired(struct draft *d) { d->ev.time_s = f.now_s + 1000 * (int64_t)FIXTURE_DAY_S; }

static const struct {
	void (*draft)(struct draft *d);
	void (*spoil)(struct draft *d);
	int code;
	const char *text;
} gateway_rules[] = {
	{ draft_epoch, by_alice, ERR_REFUSED, "only a gateway" }, { draft_crl, by_alice, ERR_REFUSED, "only a gateway" },
	{ draft_member, by_alice, ERR_REFUSED, "only a gateway" }, { draft_epoch, posted, ERR_REFUSED, "only a member posts" },
	{ draft_epoch, other_group, ERR_REFUSED, "another group" }, { draft_epoch, seen_wrong, ERR_REFUSED, "another ledger" },
	{ draft_epoch, seen_less, ERR_CONFLICT, "saw less" }, { draft_epoch, gateway_expired, ERR_REFUSED, "at its time" },
	{ draft_epoch, by_new_gateway, ERR_REFUSED, "nobody's signature" }, { draft_epoch, same_epoch, ERR_REFUSED, "is due" },
	{ draft_epoch, skip_epoch, ERR_REFUSED, "is due" }, { draft_epoch, same_key_id, ERR_REFUSED, "key id was used" },
	{ draft_crl, older_list, ERR_REFUSED, "RFC 5280 5.2.3" }, { draft_crl, revoked_again, ERR_REFUSED, "second time" },
	{ draft_crl, other_serials, ERR_DAMAGED, "list of serial numbers is not" }, { draft_crl, no_serials, ERR_DAMAGED, "crl event" },
	{ draft_crl, bring_cert, ERR_DAMAGED, "member event" }, { draft_member, no_cert, ERR_DAMAGED, "member event" },
	{ draft_member, cert_of_other, ERR_DAMAGED, "certificate is not" }, { draft_member, other_cert_size, ERR_DAMAGED, "as long as" },
	{ draft_member, known_cert, ERR_REFUSED, "this key is known" }, { draft_member, foreign_cert, ERR_DAMAGED, "certificate" },
	{ draft_member, ca_cert, ERR_DAMAGED, "certificate" }, { draft_member, expired_cert, ERR_REFUSED, "certificate: " },
	{ draft_member, early_cert, ERR_REFUSED, "certificate: " }, { draft_member, revoked_cert, ERR_REFUSED, "RFC 5280 5.3" },
	{ draft_member, by_itself, ERR_REFUSED, "only a gateway" }, { draft_member, by_new_gateway, ERR_REFUSED, "nobody's signature" },
	{ draft_member, by_foreign_gateway, ERR_DAMAGED, "certificate" },
};

START_TEST(what_a_gateway_may_not_say_is_refused) {
	OWN(draft_wipe) struct draft d;

	gateway_rules[_i].draft(&d);
	gateway_rules[_i].spoil(&d);
	ck_assert_msg(append(&d, NULL) == gateway_rules[_i].code, "%s", e.text);
	ck_assert_msg(strstr(e.text, gateway_rules[_i].text) != NULL, "%s", e.text);
} END_TEST

START_TEST(what_a_gateway_may_not_say_is_damage_in_a_log) {
	OWN(draft_wipe) struct draft d;

	gateway_rules[_i].draft(&d);
	gateway_rules[_i].spoil(&d);
	if (gateway_rules[_i].spoil == posted)
		return;
	d.how.mode = LEDGER_REPLAY;
	ck_assert_msg(append(&d, NULL) == ERR_DAMAGED, "%s", e.text);
} END_TEST

START_TEST(what_a_gateway_may_say_is_taken) {
	static void (*const drafts[])(struct draft *d) = {draft_epoch, draft_crl, draft_member};
	OWN(draft_wipe) struct draft d;

	drafts[_i](&d);
	append_ok(&d);
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

	ck_assert_int_eq(db_open(&db, tmp_path("empty.db"), migrations, &e), 0);
	ck_assert_int_eq(ledger_open(&l, db, f.chain, NULL, &e), 0);
	draft_epoch(&d);
	d.ev.version = 1;
	d.ev.seen = 0;
	ossl_sha256("", 0, d.ev.seen_root);
	print_draft(&d, &entry);
	ck_assert_int_eq(entry_parse(entry.data, entry.len, &en, &e), 0);
	ck_assert_int_eq(ledger_append(l, &en, &how, &r, &e), ERR_REFUSED);
	bring(&d, f.gateway.cert);
	d.ev.op = EVENT_MEMBER;
	buf_clear(&entry);
	print_draft(&d, &entry);
	ck_assert_int_eq(entry_parse(entry.data, entry.len, &en, &e), 0);
	ck_assert_msg(ledger_append(l, &en, &how, &r, &e) == 0, "%s", e.text);
	ledger_close(l);
	db_close(&db);
} END_TEST

START_TEST(a_renewed_gateway_introduces_itself) {
	OWN(draft_wipe) struct draft d;

	draft_member(&d);
	bring(&d, gateway2.cert);
	d.by = &gateway2;
	append_ok(&d);
	draft_epoch(&d);
	d.by = &gateway2;
	append_ok(&d);
	draft_own(&d, EVENT_CRL);
	d.ev.version = 1;
	d.revokes = true;
	add_serial_of(&d, f.gateway.cert);
	append_ok(&d);
	draft_epoch(&d);
	ck_assert_int_eq(append(&d, NULL), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "revoked by an earlier crl event"));
} END_TEST

/* The list that revokes a gateway may be its own last word. */
START_TEST(a_gateway_may_say_that_it_is_revoked_and_nothing_more) {
	OWN(draft_wipe) struct draft d;

	draft_own(&d, EVENT_CRL);
	d.ev.version = 1;
	d.revokes = true;
	add_serial_of(&d, f.gateway.cert);
	append_ok(&d);
	draft_epoch(&d);
	ck_assert_int_eq(append(&d, NULL), ERR_REFUSED);
} END_TEST

START_TEST(whom_a_crl_event_revoked_says_nothing_more) {
	OWN(draft_wipe) struct draft d, before;

	file_ok(EVENT_PUT, NULL, "a");
	draft_file(&before, EVENT_REPLACE, "a", NULL);
	memgate_revoke(&g, f.alice.cert);
	ck_assert_int_eq(append(&before, NULL), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "revoked by an earlier crl event"));
	draft_file(&d, EVENT_REMOVE, "a", NULL);
	d.ev.time_s -= 100;
	d.how = (struct ledger_how){.mode = LEDGER_REPLAY};
	ck_assert_int_eq(append(&d, NULL), ERR_DAMAGED);
	draft_file(&d, EVENT_REMOVE, "a", NULL);
	d.by = &f.bob;
	d.how.peer = f.bob.cert;
	append_ok(&d);
} END_TEST

START_TEST(a_crl_entry_brings_who_is_new_only) {
	bool revoked;
	uint8_t serial[SERIAL_MAX];
	size_t len;

	memgate_revoke(&g, f.bob.cert);
	memgate_revoke(&g, NULL);
	memgate_revoke(&g, f.alice.cert);
	len = cert_serial(f.bob.cert, serial);
	ck_assert_int_eq(ledger_is_revoked(g.ledger, serial, len, &revoked, &e), 0);
	ck_assert(revoked);
	len = cert_serial(carol.cert, serial);
	ck_assert_int_eq(ledger_is_revoked(g.ledger, serial, len, &revoked, &e), 0);
	ck_assert(!revoked);
	/* Without the older list the same comes out: the ledger itself knows who is not new. */
	crl_set_free(g.crl);
	g.crl = NULL;
	memgate_revoke(&g, carol.cert);
} END_TEST

START_TEST(signers_are_known_by_their_certificate) {
	X509 *twin;
	bool yes;

	ck_assert_int_eq(ledger_has_signer(g.ledger, f.alice.cert, &yes, &e), 0);
	ck_assert(yes);
	ck_assert_int_eq(ledger_has_signer(g.ledger, carol.cert, &yes, &e), 0);
	ck_assert(!yes);
	twin = fixture_tamper(f.alice.cert, &f.ca, NULL, NULL);
	ck_assert_int_eq(ledger_has_signer(g.ledger, twin, &yes, &e), X509_cmp(twin, f.alice.cert) == 0 ? 0 : ERR_REFUSED);
	X509_free(twin);
} END_TEST

START_TEST(epochs_have_numbers) {
	uint8_t id[KEY_ID_LEN], old[KEY_ID_LEN];
	uint64_t n;

	ck_assert_int_eq(ledger_epoch(g.ledger, old, &n, &e), 0);
	ck_assert_uint_eq(n, 1);
	memgate_epoch(&g);
	ck_assert_int_eq(ledger_epoch(g.ledger, id, &n, &e), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(ledger_epoch_number(g.ledger, old, &n, &e), 0);
	ck_assert_uint_eq(n, 1);
	flip(old);
	ck_assert_int_eq(ledger_epoch_number(g.ledger, old, &n, &e), ERR_NOTFOUND);
} END_TEST

/* --- the database --- */

START_TEST(it_goes_on_after_a_restart) {
	struct head before, after;
	struct memgate again;

	some_files();
	memgate_revoke(&g, f.bob.cert);
	ledger_head(g.ledger, &before);
	memgate_init(&again, &f, tmp_path("gateway.db"));
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

		ck_assert_int_eq(ledger_root(g.ledger, ledger_size(g.ledger), roots[n], &e), 0);
		file_ok(EVENT_PUT, NULL, name);
	}
	for (uint64_t n = 0; n < 12; n++) {
		ck_assert_int_eq(ledger_root(g.ledger, 4 + n, root, &e), 0);
		ck_assert_mem_eq(root, roots[n], 32);
	}
	ck_assert_int_eq(ledger_root(g.ledger, 17, root, &e), ERR_NOTFOUND);
	ck_assert_int_eq(ledger_root(g.ledger, 0, root, &e), 0);
} END_TEST

START_TEST(a_failed_append_leaves_no_trace) {
	OWN(draft_wipe) struct draft d;
	struct head before, after;

	some_files();
	ledger_head(g.ledger, &before);
	draft_file(&d, EVENT_PUT, NULL, "new");
	object_of_other(&d);
	ck_assert_int_eq(append(&d, NULL), ERR_REFUSED);
	ledger_head(g.ledger, &after);
	ck_assert_mem_eq(&before, &after, sizeof before);
	file_ok(EVENT_PUT, NULL, "new");
} END_TEST

START_TEST(batches_of_entries_hold_all_of_them_once) {
	uint64_t at = 0, n = 0;

	some_files();
	while (at < ledger_size(g.ledger)) {
		OWN(buf_wipe) struct buf der = {0};
		struct entry en;
		struct der run;
		uint64_t next;

		ck_assert_int_eq(ledger_entries(g.ledger, at, (size_t)_i, &der, &next, &e), 0);
		ck_assert_uint_gt(next, at);
		ck_assert_int_eq(entries_open(der.data, der.len, &run, &e), 0);
		for (; run.len > 0; n++)
			ck_assert_int_eq(entry_take(&run, &en, &e), 0);
		ck_assert_uint_eq(n, next);
		at = next;
	}
	ck_assert_uint_eq(n, ledger_size(g.ledger));
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
	db_close(&g.db);
	ck_assert(file_holds(tmp_path("gateway.db"), "scg-event 1"));
	ck_assert(!file_holds(tmp_path("gateway.db"), "CANARY") && !file_holds(tmp_path("gateway.db"), "canary"));
} END_TEST

START_TEST(sealed_names_do_not_change_places) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};

	file_ok(EVENT_PUT, NULL, "a");
	file_ok(EVENT_PUT, NULL, "b");
	ck_assert_int_eq(db_run(g.db, &e, "UPDATE ledger_entries SET name = (SELECT name FROM ledger_entries WHERE n = 4) WHERE n = 5", ""), 0);
	ck_assert_int_eq(ledger_find(g.ledger, "b", &file, &e), ERR_DAMAGED);
} END_TEST

START_TEST(another_key_opens_no_names) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};
	OWN(buf_wipe) struct buf der = {0};
	struct secret key = {0};
	struct ledger *l;
	uint64_t next;

	file_ok(EVENT_PUT, NULL, "a");
	ck_assert_int_eq(secret_random(&key, SEAL_KEY_LEN, &e), 0);
	ck_assert_int_eq(ledger_open(&l, g.db, f.chain, &key, &e), 0);
	ck_assert_int_eq(ledger_find(l, "a", &file, &e), ERR_NOTFOUND);
	ck_assert_int_eq(ledger_entries(l, 0, 1u << 20, &der, &next, &e), ERR_DAMAGED);
	ledger_close(l);
	secret_wipe(&key);
	ck_assert_int_eq(secret_random(&key, 16, &e), 0);
	ck_assert_int_eq(ledger_open(&l, g.db, f.chain, &key, &e), ERR_FAIL);
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
	ck_assert_int_eq(db_run(g.db, &e, vandalism[_i], ""), 0);
	ck_assert_int_eq(ledger_open(&l, g.db, f.chain, &g.seal, &e), ERR_DAMAGED);
	ck_assert_ptr_null(l);
} END_TEST

static int note_path(void *arg, const struct ledger_file *file, struct err *err) {
	(void)err;
	buf_addf(arg, "%s;", file->path);
	return 0;
}

START_TEST(sealed_names_are_not_listed) {
	struct buf b = {0};

	ck_assert_int_eq(ledger_each(g.ledger, NULL, note_path, &b, &e), ERR_FAIL);
} END_TEST

int main(void) {
	TCase *t = tcase_create("ledger");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, what_each_rule_forbids_is_refused, 0, COUNT(member_rules));
	tcase_add_loop_test(t, what_each_rule_forbids_is_damage_in_a_log, 0, COUNT(member_rules));
	tcase_add_loop_test(t, without_that_it_is_taken, EVENT_PUT, EVENT_EPOCH);
	tcase_add_test(t, the_clock_may_be_five_minutes_off);
	tcase_add_test(t, a_back_dated_event_is_refused);
	tcase_add_test(t, a_gateway_whose_clock_ran_ahead_locks_nobody_out);
	tcase_add_test(t, versions_count_contents);
	tcase_add_test(t, the_author_is_who_brought_the_content);
	tcase_add_test(t, a_removed_file_leaves_its_place);
	tcase_add_test(t, a_rename_may_change_case_or_go_into_its_own_folder);
	tcase_add_test(t, a_folder_with_another_file_stays_a_folder);
	tcase_add_test(t, a_name_is_found_as_it_is_spelt_only);
	tcase_add_test(t, a_conflict_says_what_is_there_now);
	tcase_add_test(t, objects_are_current_old_or_unknown);
	tcase_add_test(t, a_history_tells_each_step_in_order);
	tcase_add_loop_test(t, what_a_gateway_may_not_say_is_refused, 0, COUNT(gateway_rules));
	tcase_add_loop_test(t, what_a_gateway_may_not_say_is_damage_in_a_log, 0, COUNT(gateway_rules));
	tcase_add_loop_test(t, what_a_gateway_may_say_is_taken, 0, 3);
	tcase_add_test(t, a_ledger_begins_with_its_gateway);
	tcase_add_test(t, a_renewed_gateway_introduces_itself);
	tcase_add_test(t, a_gateway_may_say_that_it_is_revoked_and_nothing_more);
	tcase_add_test(t, whom_a_crl_event_revoked_says_nothing_more);
	tcase_add_test(t, a_crl_entry_brings_who_is_new_only);
	tcase_add_test(t, signers_are_known_by_their_certificate);
	tcase_add_test(t, epochs_have_numbers);
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
