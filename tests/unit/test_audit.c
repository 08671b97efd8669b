/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/audit, record, refusals, witness: what becomes an entry, what a failure leaves, and which damage is noticed. */
#include "gateway/audit.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "gateway/sight.h"
#include "gateway/witness.h"
#include "gateway_env.h"
#include "lib/suite.h"
#include "pki/ossl.h"

#define KEYS "GET /v1/keys?nonce=00112233445566778899aabbccddeeff"
#define SEEN_MAX 64
/* The log alone cannot be written, and can be again. */
#define FULL "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END"
#define ROOM "DROP TRIGGER full"

static struct env v;
static struct err e;

static void make(void) {
	env_open(&v);
}

static void drop(void) {
	env_wipe(&v);
}

/* --- one entry --- */

static struct record a_record(void) {
	struct record r = { .number = 300, .time_s = 1790500000, .kind = RECORD_REFUSED, .epoch = 7, .crl = 130, .count = 70000 };

	record_set(r.name, sizeof r.name, "al\xc3\xaf" "ce");
	record_set(r.serial, sizeof r.serial, "00ff10");
	record_set(r.address, sizeof r.address, "2001:db8::1");
	record_set(r.reason, sizeof r.reason, "revoked");
	return r;
}

static void print(const struct record *r, struct buf *der) {
	OWN(buf_wipe) struct buf body = { 0 };

	record_print_body(r, &body);
	record_print_as(r->number, body.data, body.len, der);
}

START_TEST(a_record_comes_back) {
	OWN(buf_wipe) struct buf der = { 0 }, line = { 0 };
	struct record r = a_record(), back;

	print(&r, &der);
	ck_assert_msg(record_parse(der.data, der.len, &back, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(back.number, 300);
	ck_assert_int_eq(back.time_s, r.time_s);
	ck_assert_int_eq(back.kind, r.kind);
	ck_assert_str_eq(back.name, r.name);
	ck_assert_str_eq(back.serial, r.serial);
	ck_assert_str_eq(back.address, r.address);
	ck_assert_str_eq(back.reason, r.reason);
	ck_assert(back.epoch == 7 && back.crl == 130 && back.count == 70000);
	record_line(&back, &line);
	ck_assert_str_eq(buf_str(&line), "300  2026-09-27T09:06:40Z  refused epoch=7 crl=130 reason=revoked count=70000"
					 " address=2001:db8::1 serial=00ff10 name=al\xc3\xaf" "ce");
}
END_TEST

static bool is_taken_for_another(void *arg, const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf again = { 0 };
	struct record r;

	(void)arg;
	if (record_parse(data, len, &r, NULL) != 0)
		return false;
	print(&r, &again);
	return again.len != len || memcmp(again.data, data, len) != 0;
}

START_TEST(a_changed_record_is_refused_or_another_one) {
	OWN(buf_wipe) struct buf der = { 0 };
	struct record r = a_record(), back;

	print(&r, &der);
	sweep_refused(der.data, der.len, is_taken_for_another, NULL);
	for (size_t n = 0; n < der.len; n++)
		ck_assert_int_eq(record_parse(der.data, n, &back, &e), ERR_DAMAGED);
}
END_TEST

START_TEST(what_is_no_text_is_cut) {
	struct record r = a_record(), back;
	OWN(buf_wipe) struct buf der = { 0 };
	char longer[200];

	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	memcpy(longer + NAME_MAX_BYTES - 1, "\xc3\xaf", 2); /* the cut would fall between the two */
	record_set(r.name, sizeof r.name, longer);
	ck_assert_uint_eq(strlen(r.name), NAME_MAX_BYTES - 1);
	record_set(r.reason, sizeof r.reason, "a\xff" "b");
	ck_assert_str_eq(r.reason, "a");
	print(&r, &der);
	ck_assert_int_eq(record_parse(der.data, der.len, &back, &e), 0);
}
END_TEST

START_TEST(a_name_that_would_move_the_cursor_is_shown_escaped) {
	struct record r = a_record();
	OWN(buf_wipe) struct buf line = { 0 };

	record_set(r.name, sizeof r.name, "a\x1b[2Jb");
	record_line(&r, &line);
	ck_assert_ptr_null(strchr(buf_str(&line), 0x1b));
}
END_TEST

/* --- the log --- */

struct seen {
	struct record v[SEEN_MAX];
	size_t n;
};

static int see(void *arg, const struct state_audit_row *row, struct err *err) {
	struct seen *s = arg;

	ck_assert_uint_lt(s->n, SEEN_MAX);
	ck_assert_msg(record_parse(row->entry, row->entry_len, &s->v[s->n], err) == 0, "%s", err->text);
	ck_assert_uint_eq(s->v[s->n].number, row->n);
	ck_assert_uint_eq(row->n, s->n);
	s->n++;
	return 0;
}

static struct seen on_disk(void) {
	struct seen s = { .n = 0 };

	ck_assert_msg(state_audit_each(v.g->state, see, &s, &e) == 0, "%s", e.text);
	return s;
}

/* Entries of this kind; *last is the newest one. */
static size_t count(enum record_kind kind, struct record *last) {
	struct seen s = on_disk();
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.v[i].kind == kind) {
			n++;
			*last = s.v[i];
		}
	return n;
}

static void tick(void) {
	witness_tick(v.g, clock_now_s());
}

static void sql(const char *text) {
	ck_assert_msg(db_run(state_db(v.g->state), &e, text, "") == 0, "%s", e.text);
}

START_TEST(a_key_that_is_handed_out_is_an_entry_after_the_next_tick) {
	struct record r = { 0 };

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	tick();
	ck_assert_uint_eq(count(RECORD_KEYS, &r), 1);
	ck_assert_str_eq(r.name, "alice");
	ck_assert_str_eq(r.address, "127.0.0.1");
	ck_assert_uint_eq(r.epoch, 1);
	ck_assert_uint_eq(strlen(r.serial) > 0, 1);
}
END_TEST

START_TEST(with_audit_sync_it_is_one_before_the_reply_leaves) {
	struct record r = { 0 };

	v.conf.audit_sync = true;
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	ck_assert_uint_eq(count(RECORD_KEYS, &r), 1);
}
END_TEST

START_TEST(with_audit_sync_a_key_without_its_entry_is_not_handed_out) {
	struct record r = { 0 };

	v.conf.audit_sync = true;
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	sql(FULL);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 503, "not-stored");
	sql(ROOM);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	tick();
	ck_assert_uint_eq(count(RECORD_KEYS, &r), 2);
}
END_TEST

/* What group_open says of the folder as it is. */
static int reopen(void) {
	struct identity id = { .key = v.f.gateway.key, .cert = v.f.gateway.cert };
	int r;

	witness_stop(v.g, clock_now_s());
	group_close(&v.g);
	EVP_PKEY_up_ref(id.key);
	X509_up_ref(id.cert);
	r = group_open(&v.g, &v.conf, v.f.chain, &id, GROUP_SERVE, &e);
	v.service.group = v.g;
	if (r != 0)
		identity_wipe(&id);
	return r;
}

static struct sight sight(void) {
	const struct tally refused = { 0 };
	struct sight s = { 0 };

	sight_take(&s, v.g, &refused, clock_now_s());
	return s;
}

START_TEST(an_operator_sees_how_far_the_log_is) {
	uint64_t size = sight().audit_size;
	struct record r = { 0 };
	struct sight s;

	ck_assert_uint_gt(size, 0); /* the first list and epoch */
	env_expect(&v, v.f.alice.cert, "GET /v1/group", NULL, 0, 200, NULL);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	s = sight();
	ck_assert_uint_eq(s.audit_size, size + 1); /* the member, with his ledger entry */
	ck_assert_uint_eq(s.audit_waiting, 1);
	clock_step_mono_ms(2000);
	tick();
	s = sight();
	ck_assert(!s.audit_fails && s.audit_waiting == 0);
	ck_assert_uint_eq(s.audit_size, size + 2);
	ck_assert_uint_eq(s.audit_signed, size + 2);
	ck_assert_uint_eq(count(RECORD_KEYS, &r), 1);
	ck_assert_int_eq(s.audit_newest_s, r.time_s);
	ck_assert_msg(reopen() == 0, "%s", e.text);
	ck_assert_uint_eq(count(RECORD_STOP, &r), 1);
	ck_assert_uint_eq(sight().audit_size, size + 3);
	ck_assert_int_eq(sight().audit_newest_s, r.time_s);
}
END_TEST

START_TEST(where_the_log_cannot_be_written_no_more_keys_are_handed_out) {
	struct record r = { 0 };
	struct sight s;
	uint64_t size;

	env_expect(&v, v.f.alice.cert, "GET /v1/group", NULL, 0, 200, NULL); /* a member event is not what fails here */
	size = sight().audit_size;
	sql(FULL);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	tick();
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 503, "not-stored");
	env_expect(&v, v.f.alice.cert, "GET /v1/group", NULL, 0, 200, NULL);
	s = sight();
	ck_assert_msg(s.audit_fails && s.audit_size == size && s.audit_waiting == 1, "%d, %d waiting", s.audit_fails, (int)s.audit_waiting);
	sql(ROOM);
	clock_step_mono_ms(2000); /* the pause after a failure is over */
	tick();
	s = sight();
	ck_assert_msg(!s.audit_fails && s.audit_size == size + 1 && s.audit_waiting == 0, "%d, %d waiting", s.audit_fails, (int)s.audit_waiting);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	tick();
	ck_assert_uint_eq(count(RECORD_KEYS, &r), 2);
}
END_TEST

START_TEST(keys_are_handed_out_again_where_another_transaction_took_what_had_waited) {
	struct sight s;

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	tick();
	sql(FULL);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	tick();
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 503, "not-stored");
	sql(ROOM);
	clock_step_mono_ms(2000); /* the next head is due, too */
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	s = sight();
	ck_assert_uint_eq(s.audit_waiting, 0);
	ck_assert_uint_eq(s.audit_signed, s.audit_size);
	tick();
	ck_assert(!sight().audit_fails);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
}
END_TEST

START_TEST(lists_epochs_and_members_are_entries_of_their_own_transaction) {
	struct record r = { 0 };

	ck_assert_uint_eq(count(RECORD_EPOCH, &r), 1);
	ck_assert_str_eq(r.reason, "first");
	ck_assert_uint_eq(count(RECORD_CRL, &r), 1);
	ck_assert_uint_eq(r.crl, 1);
	env_expect(&v, v.f.bob.cert, KEYS, NULL, 0, 200, NULL);
	ck_assert_uint_eq(count(RECORD_MEMBER, &r), 1);
	ck_assert_str_eq(r.name, "bob");
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_uint_eq(count(RECORD_CRL, &r), 2);
	ck_assert_uint_eq(r.count, 1);
	ck_assert_uint_eq(count(RECORD_EPOCH, &r), 2);
	ck_assert_str_eq(r.reason, "revoked");
	ck_assert_uint_eq(r.epoch, 2);
}
END_TEST

START_TEST(what_was_rolled_back_is_no_entry) {
	struct record r = { 0 };

	ck_assert_int_eq(env_offer(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	sql("ALTER TABLE ledger_revoked RENAME TO aside");
	ck_assert_int_ne(evict_settle(v.g, clock_now_s(), &e), 0);
	sql("ALTER TABLE aside RENAME TO ledger_revoked");
	ck_assert_uint_eq(count(RECORD_EPOCH, &r), 1);
	clock_step_mono_ms(2000);
	ck_assert_msg(evict_settle(v.g, clock_now_s(), &e) == 0, "%s", e.text);
	ck_assert_uint_eq(count(RECORD_EPOCH, &r), 2);
	ck_assert_uint_eq(count(RECORD_CRL, &r), 2);
}
END_TEST

START_TEST(start_and_stop_are_entries_under_a_signed_head) {
	struct record r = { 0 };
	struct head h;

	witness_start(v.g, clock_now_s());
	ck_assert_uint_eq(count(RECORD_START, &r), 1);
	ck_assert_uint_eq(r.epoch, 1);
	witness_stop(v.g, clock_now_s());
	ck_assert_uint_eq(count(RECORD_STOP, &r), 1);
	audit_head(v.g->audit, &h);
	ck_assert_uint_eq(h.size, r.number + 1);
	ck_assert(!audit_is_due(v.g->audit));
	ck_assert_msg(audit_check(v.g->audit, v.f.chain, &e) == 0, "%s", e.text);
}
END_TEST

/* --- refusals --- */

START_TEST(a_flood_of_strangers_is_one_entry) {
	struct record r = { 0 };

	clock_stop_mono(); /* the minute of an entry does not end in between */
	for (int i = 0; i < 200; i++)
		env_expect(&v, NULL, KEYS, NULL, 0, 403, "no-certificate");
	tick();
	ck_assert_uint_eq(count(RECORD_REFUSED, &r), 1);
	ck_assert_uint_eq(r.count, 200);
	ck_assert_str_eq(r.reason, "no-certificate");
	ck_assert(r.name[0] == '\0' && r.address[0] == '\0');
	env_expect(&v, NULL, KEYS, NULL, 0, 403, "no-certificate");
	tick();
	ck_assert_uint_eq(count(RECORD_REFUSED, &r), 1);
	witness_stop(v.g, clock_now_s());
	ck_assert_uint_eq(count(RECORD_REFUSED, &r), 2);
	ck_assert_uint_eq(r.count, 1);
}
END_TEST

START_TEST(who_is_known_and_refused_is_named) {
	struct record r = { 0 };

	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	env_expect(&v, v.f.bob.cert, KEYS, NULL, 0, 403, "revoked");
	env_expect(&v, v.f.bob.cert, KEYS, NULL, 0, 403, "revoked");
	tick();
	ck_assert_uint_eq(count(RECORD_REFUSED, &r), 1);
	ck_assert_uint_eq(r.count, 2);
	ck_assert_str_eq(r.name, "bob");
	ck_assert_str_eq(r.reason, "revoked");
}
END_TEST

START_TEST(a_foreign_certificates_name_is_not_kept) {
	struct record r = { 0 };

	env_expect(&v, v.f.foreign.cert, KEYS, NULL, 0, 403, "foreign");
	tick();
	ck_assert_uint_eq(count(RECORD_REFUSED, &r), 1);
	ck_assert_str_eq(r.name, "");
	ck_assert_str_eq(r.serial, "");
}
END_TEST

START_TEST(more_certificates_than_are_told_apart_are_counted_together) {
	struct refusals *many = refusals_new();
	size_t before = audit_waiting(v.g->audit);
	char serial[SERIAL_HEX];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(serial, sizeof serial, "%08x", i);
		refusals_add(many, "revoked", 7, "mallory", serial, "127.0.0.1");
	}
	refusals_tell(many, v.g->audit, clock_now_s(), false);
	ck_assert_uint_eq(audit_waiting(v.g->audit) - before, REFUSALS_KNOWN_MAX + 1);
	refusals_free(many);
}
END_TEST

/* --- heads and proofs --- */

static uint64_t head_in_reply(void) {
	static const uint8_t nonce[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	OWN(keyring_said_wipe) struct keyring_said said = { 0 };
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	OWN(keyring_wipe) struct keyring k = { 0 };
	struct server_peer p;
	struct head h;

	env_connect(&v, v.f.alice.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, KEYS, NULL, 0, &r), 200);
	route_forget(&v.service, &p);
	ck_assert_msg(
	    keyring_reply_open(r.body.data, r.body.len, nonce, sizeof nonce, v.f.alice.cert, v.f.alice.key, &k, &said, &e) == 0, "%s", e.text);
	ck_assert_msg(head_open_text(said.log_head, "lab", true, &h, &e) == 0, "%s: %s", e.text, said.log_head);
	return h.size;
}

START_TEST(the_head_in_a_reply_speaks_of_what_is_on_disk) {
	uint64_t size = head_in_reply();

	ck_assert_uint_le(size, on_disk().n);
	ck_assert_uint_eq(head_in_reply(), on_disk().n);
	tick();
	ck_assert_uint_eq(head_in_reply(), on_disk().n);
	ck_assert_uint_gt(on_disk().n, size);
}
END_TEST

START_TEST(the_head_of_the_ledger_is_not_taken_for_that_of_the_log) {
	static const uint8_t nonce[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	static const char *const path[] = { "GET /v1/ledger/head?nonce=00112233445566778899aabbccddeeff",
		"GET /v1/audit/head?nonce=00112233445566778899aabbccddeeff" };

	for (int i = 0; i < 4; i++) {
		const struct head_check c = { .chain = v.f.chain, .audit = i % 2 == 1, .nonce = nonce, .nonce_len = sizeof nonce, .at_s = v.f.now_s };
		OWN(http_reply_wipe) struct http_reply r = { 0 };
		OWN(own_x509) X509 *signer = NULL;
		struct server_peer p;
		struct head h;

		env_connect(&v, v.f.alice.cert, &p);
		ck_assert_int_eq(env_call(&v, &p, path[i / 2], NULL, 0, &r), 200);
		route_forget(&v.service, &p);
		ck_assert_int_eq(head_open(r.body.data, r.body.len, &c, &h, &signer, &e), i / 2 == i % 2 ? 0 : ERR_DAMAGED);
	}
}
END_TEST

START_TEST(the_log_proves_that_it_contains_what_it_had) {
	uint8_t path[PROOF_MAX][32];
	struct head old, now;
	size_t n;

	audit_head(v.g->audit, &old);
	for (int i = 0; i < 9; i++)
		(void)head_in_reply();
	tick();
	audit_head(v.g->audit, &now);
	ck_assert_uint_gt(now.size, old.size + 8);
	ck_assert_int_eq(audit_prove(v.g->audit, old.size, now.size, path, &n, &e), 0);
	ck_assert_int_eq(proof_check(&(struct proof_end){ old.size, old.root }, &(struct proof_end){ now.size, now.root },
			     (const uint8_t(*)[32])path, n, &e), 0);
	ck_assert_int_eq(audit_prove(v.g->audit, now.size, now.size + 1, path, &n, &e), ERR_NOTFOUND);
	ck_assert_int_eq(audit_prove(v.g->audit, now.size, old.size, path, &n, &e), ERR_NOTFOUND);
}
END_TEST

START_TEST(what_is_no_range_is_refused) {
	static const char *const bad[] = { "", "?from=1", "?to=1", "?from=2&to=1", "?from=-1&to=1", "?from=1&to=x", "?from=1&from=1&to=2" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		OWN(own_free) char *head = xasprintf("GET /v1/audit/consistency%s", bad[i]);

		env_expect(&v, v.f.alice.cert, head, NULL, 0, 400, "bad-argument");
	}
	env_expect(&v, v.f.alice.cert, "GET /v1/audit/consistency?from=1&to=999", NULL, 0, 404, "not-found");
	env_expect(&v, NULL, "GET /v1/audit/consistency?from=1&to=2", NULL, 0, 403, "no-certificate");
	env_expect(&v, v.f.alice.cert, "GET /v1/audit/consistency?from=0&to=2", NULL, 0, 200, NULL);
	env_expect(&v, v.f.alice.cert, "GET /v1/audit/head", NULL, 0, 400, "bad-nonce");
}
END_TEST

/* --- damage --- */

/* Closes; then somebody else changes the file. */
static int reopen_after(const char *text) {
	struct err none = ERR_INIT;
	struct state *s = NULL;
	OWN(own_free) char *path = gwconf_path(&v.conf, FILE_DB);

	witness_stop(v.g, clock_now_s());
	ck_assert_int_eq(state_open(&s, path, false, &none), 0);
	ck_assert_msg(db_run(state_db(s), &none, text, "") == 0, "%s", none.text);
	state_close(&s);
	return 0;
}

START_TEST(a_restart_goes_on_with_the_same_log) {
	size_t n = on_disk().n;

	ck_assert_msg(reopen() == 0, "%s", e.text);
	ck_assert_uint_eq(on_disk().n, n + 1);
	witness_start(v.g, clock_now_s());
	ck_assert_uint_eq(on_disk().n, n + 2);
}
END_TEST

static const char *const damages[] = {
	"DELETE FROM audit WHERE n = (SELECT max(n) FROM audit)",
	"DELETE FROM audit",
	"UPDATE audit SET nodes = zeroblob(length(nodes))",
	"UPDATE audit_head SET size = size - 1",
	"UPDATE audit_head SET head = zeroblob(length(head))",
};

START_TEST(a_gateway_does_not_start_on_another_log_than_the_signed_one) {
	struct identity id = { .key = v.f.gateway.key, .cert = v.f.gateway.cert };

	(void)reopen_after(damages[_i]);
	group_close(&v.g);
	EVP_PKEY_up_ref(id.key);
	X509_up_ref(id.cert);
	ck_assert_int_eq(group_open(&v.g, &v.conf, v.f.chain, &id, GROUP_SERVE, &e), ERR_DAMAGED);
	ck_assert_msg(strstr(e.text, "audit") != NULL, "%s", e.text);
	identity_wipe(&id);
}
END_TEST

START_TEST(a_running_gateway_closes_when_its_log_was_cut) {
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	(void)reopen_after(damages[0]);
	v.g->fresh_ms = 0;
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 503, "not-stored");
}
END_TEST

int main(void) {
	TCase *t = tcase_create("audit");

	tcase_add_checked_fixture(t, make, drop);
	tcase_add_test(t, a_record_comes_back);
	tcase_add_test(t, a_changed_record_is_refused_or_another_one);
	tcase_add_test(t, what_is_no_text_is_cut);
	tcase_add_test(t, a_name_that_would_move_the_cursor_is_shown_escaped);
	tcase_add_test(t, a_key_that_is_handed_out_is_an_entry_after_the_next_tick);
	tcase_add_test(t, with_audit_sync_it_is_one_before_the_reply_leaves);
	tcase_add_test(t, with_audit_sync_a_key_without_its_entry_is_not_handed_out);
	tcase_add_test(t, an_operator_sees_how_far_the_log_is);
	tcase_add_test(t, where_the_log_cannot_be_written_no_more_keys_are_handed_out);
	tcase_add_test(t, keys_are_handed_out_again_where_another_transaction_took_what_had_waited);
	tcase_add_test(t, lists_epochs_and_members_are_entries_of_their_own_transaction);
	tcase_add_test(t, what_was_rolled_back_is_no_entry);
	tcase_add_test(t, start_and_stop_are_entries_under_a_signed_head);
	tcase_add_test(t, a_flood_of_strangers_is_one_entry);
	tcase_add_test(t, who_is_known_and_refused_is_named);
	tcase_add_test(t, a_foreign_certificates_name_is_not_kept);
	tcase_add_test(t, more_certificates_than_are_told_apart_are_counted_together);
	tcase_add_test(t, the_head_in_a_reply_speaks_of_what_is_on_disk);
	tcase_add_test(t, the_head_of_the_ledger_is_not_taken_for_that_of_the_log);
	tcase_add_test(t, the_log_proves_that_it_contains_what_it_had);
	tcase_add_test(t, what_is_no_range_is_refused);
	tcase_add_test(t, a_restart_goes_on_with_the_same_log);
	tcase_add_loop_test(t, a_gateway_does_not_start_on_another_log_than_the_signed_one, 0, (int)(sizeof damages / sizeof *damages));
	tcase_add_test(t, a_running_gateway_closes_when_its_log_was_cut);
	return suite_run("audit", t);
}
