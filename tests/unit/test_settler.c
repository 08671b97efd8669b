/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/settler, gateway/list: a long list is stored aside, while reading requests are answered and writing ones wait. */
#include "gateway/settler.h"

#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/own.h"
#include "gateway_env.h"
#include "lib/tmp.h"

#define ENTRIES (LIST_LARGE + 500)

static struct env v;
static struct settler *settler;
static struct err e;

static void make(void) {
	env_open(&v);
	ck_assert_int_eq(settler_new(&settler, &e), 0);
	v.service.settler = settler;
}

static void drop(void) {
	settler_free(settler);
	env_wipe(&v);
}

struct source { unsigned at, n; const X509 *also; };

/* Made-up numbers in front of the one of a certificate, whose first byte is below 0x80. */
static int next(void *arg, struct crl_entry *out, struct err *err) {
	struct source *s = arg;

	(void)err;
	*out = (struct crl_entry){ .revoked_s = v.f.now_s, .reason = CRL_KEY_COMPROMISE };
	if (s->at == s->n) {
		if (s->also == NULL)
			return 0;
		out->serial_len = cert_serial(s->also, out->serial);
		s->also = NULL;
		return 1;
	}
	s->at++;
	out->serial[0] = 1;
	out->serial[1] = (uint8_t)(s->at >> 8);
	out->serial[2] = (uint8_t)s->at;
	out->serial_len = 3;
	return 1;
}

static void long_list(uint64_t number, unsigned n, const X509 *also, struct buf *der) {
	struct source s = { 0, n, also };
	const struct crl_make m = { v.f.ca.key, v.f.ca.cert, number, v.f.now_s - 60, v.f.now_s + FIXTURE_DAY_S, next, &s };

	ck_assert_msg(crl_make(&m, der, &e) == 0, "%s", e.text);
}

static void offer(uint64_t number, unsigned n, const X509 *also) {
	struct buf der = { 0 };
	struct list *l = NULL;

	long_list(number, n, also, &der);
	ck_assert_msg(list_make_of(&der, chain_ca(v.f.chain), &l, &e) == 0, "%s", e.text);
	ck_assert_int_eq(evict_offer(v.g, l, "test", clock_now_s()), OFFER_TAKEN);
	list_free(l);
}

static void begin(void) {
	ck_assert_msg(settler_settle(settler, v.g, clock_now_s(), &e) == 0, "%s", e.text);
	ck_assert(v.g->away);
}

static void end(void) {
	struct pollfd p = { .fd = settler_fd(settler), .events = POLLIN };

	ck_assert_int_eq(poll(&p, 1, 60000), 1);
	settler_end(settler, v.g);
	ck_assert(!v.g->away);
}

static uint64_t epoch(void) {
	v.g->fresh_ms = 0;
	ck_assert_msg(group_fresh(v.g, &e) == 0, "%s", e.text);
	return keyring_current(&v.g->keyring)->number;
}

static bool ledger_knows_revoked(const X509 *cert) {
	uint8_t serial[SERIAL_MAX];
	size_t len = cert_serial(cert, serial);
	bool yes;

	ck_assert_int_eq(ledger_is_revoked(v.g->ledger, serial, len, &yes, &e), 0);
	return yes;
}

START_TEST(a_long_list_is_stored_aside) {
	offer(2, ENTRIES, v.f.bob.cert);
	env_expect(&v, v.f.bob.cert, "GET /v1/group", NULL, 0, 403, "revoked");
	begin();
	end();
	ck_assert_ptr_eq(v.g->stored, v.g->list);
	ck_assert_uint_eq(epoch(), 2);
	ck_assert(ledger_knows_revoked(v.f.bob.cert));
	ck_assert(!ledger_knows_revoked(v.f.alice.cert));
	env_restart(&v);
	ck_assert_uint_eq(crl_set_number(v.g->list->set), 2);
	ck_assert_uint_eq(epoch(), 2);
}
END_TEST

START_TEST(a_short_list_is_stored_here) {
	offer(2, 10, v.f.bob.cert);
	ck_assert_int_eq(settler_settle(settler, v.g, clock_now_s(), &e), 0);
	ck_assert(!v.g->away);
	ck_assert_ptr_eq(v.g->stored, v.g->list);
	ck_assert_uint_eq(epoch(), 2);
}
END_TEST

static bool waits(X509 *cert, const char *head, const void *body, size_t len) {
	struct http_reply r = { 0 };
	struct server_peer p;
	bool later;

	env_connect(&v, cert, &p);
	(void)env_call(&v, &p, head, body, len, &r);
	later = r.later;
	ck_assert(later == (r.status == 0));
	route_forget(&v.service, &p);
	http_reply_wipe(&r);
	return later;
}

START_TEST(who_only_reads_is_answered_meanwhile_and_who_writes_waits) {
	static const char store[] = "{\"store\": \"directory:/x\"}";

	env_expect(&v, v.f.alice.cert, "GET /v1/keys?nonce=0011223344556677", NULL, 0, 200, NULL); /* known from here on */
	offer(2, ENTRIES, NULL);
	begin();
	env_expect(&v, v.f.alice.cert, "GET /v1/keys?nonce=0011223344556677", NULL, 0, 200, NULL);
	env_expect(&v, v.f.alice.cert, "GET /v1/group", NULL, 0, 200, NULL);
	env_expect(&v, v.f.alice.cert, "GET /v1/ledger/head?nonce=0011223344556677", NULL, 0, 200, NULL);
	env_expect(&v, v.f.alice.cert, "GET /crl", NULL, 0, 200, NULL);
	env_expect(&v, v.f.foreign.cert, "GET /v1/group", NULL, 0, 403, "foreign");
	ck_assert(waits(v.f.alice.cert, "PUT /v1/group/store", store, strlen(store)));
	ck_assert(waits(v.f.alice.cert, "POST /v1/ledger/events", "x", 1));
	ck_assert(waits(v.f.bob.cert, "GET /v1/keys?nonce=0011223344556677", NULL, 0)); /* would have to be entered */
	end();
	env_expect(&v, v.f.bob.cert, "GET /v1/keys?nonce=0011223344556677", NULL, 0, 200, NULL);
	env_expect(&v, v.f.alice.cert, "PUT /v1/group/store", store, strlen(store), 204, NULL);
	ck_assert_uint_eq(epoch(), 2);
}
END_TEST

/* The list that GET /crl gives, and the number that GET /v1/group says. */
static uint64_t told(void) {
	OWN(http_reply_wipe) struct http_reply crl = { 0 }, group = { 0 };
	struct server_peer p;
	uint64_t number;
	const uint8_t *body;
	json_t *json;
	size_t len;

	env_connect(&v, v.f.alice.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, "GET /crl", NULL, 0, &crl), 200);
	ck_assert_int_eq(env_call(&v, &p, "GET /v1/group", NULL, 0, &group), 200);
	route_forget(&v.service, &p);
	body = http_reply_body(&crl, &len);
	ck_assert_int_eq(crl_peek_number(body, len, &number, &e), 0);
	json = json_loadb((const char *)group.body.data, group.body.len, 0, NULL);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "crl_number")), (json_int_t)number);
	json_decref(json);
	return number;
}

START_TEST(nobody_is_told_of_a_list_that_the_ledger_does_not_know) {
	ck_assert_uint_eq(told(), 1);
	offer(2, ENTRIES, v.f.bob.cert);
	ck_assert_uint_eq(told(), 1);
	begin();
	env_expect(&v, v.f.bob.cert, "GET /v1/group", NULL, 0, 403, "revoked");
	ck_assert_uint_eq(told(), 1);
	end();
	ck_assert_uint_eq(told(), 2);
}
END_TEST

START_TEST(nor_of_one_that_could_not_be_stored) {
	ck_assert_int_eq(db_run(state_db(v.g->state), &e, "CREATE TRIGGER full BEFORE INSERT ON ledger_crls BEGIN SELECT RAISE(ABORT, 'no room'); END", ""), 0);
	offer(2, 10, v.f.bob.cert);
	ck_assert_int_ne(settler_settle(settler, v.g, clock_now_s(), &e), 0);
	env_expect(&v, v.f.bob.cert, "GET /v1/group", NULL, 0, 403, "revoked");
	ck_assert_uint_eq(told(), 1);
	ck_assert_int_eq(db_run(state_db(v.g->state), &e, "DROP TRIGGER full", ""), 0);
	clock_step_mono_ms(2000); /* the pause after a failure is over */
	ck_assert_int_eq(settler_settle(settler, v.g, clock_now_s(), &e), 0);
	ck_assert_uint_eq(told(), 2);
}
END_TEST

START_TEST(who_sent_the_list_is_answered_when_it_is_stored) {
	OWN(buf_wipe) struct buf der = { 0 };

	long_list(2, ENTRIES, v.f.bob.cert, &der);
	ck_assert(waits(NULL, "PUT /crl", der.data, der.len));
	ck_assert(waits(NULL, "PUT /crl", der.data, der.len));
	env_expect(&v, v.f.bob.cert, "GET /v1/group", NULL, 0, 403, "revoked");
	end();
	env_expect(&v, NULL, "PUT /crl", der.data, der.len, 204, NULL);
	ck_assert_uint_eq(epoch(), 2);
}
END_TEST

START_TEST(a_newer_list_that_came_meanwhile_is_next) {
	offer(2, ENTRIES, NULL);
	begin();
	offer(3, ENTRIES, v.f.bob.cert);
	env_expect(&v, v.f.bob.cert, "GET /v1/group", NULL, 0, 403, "revoked");
	end();
	ck_assert_ptr_ne(v.g->stored, v.g->list);
	ck_assert(!ledger_knows_revoked(v.f.bob.cert));
	begin();
	end();
	ck_assert_ptr_eq(v.g->stored, v.g->list);
	ck_assert_uint_eq(epoch(), 3);
	ck_assert(ledger_knows_revoked(v.f.bob.cert));
}
END_TEST

static void sql(const char *text) {
	ck_assert_msg(db_run(state_db(v.g->state), &e, text, "") == 0, "%s", e.text);
}

START_TEST(a_failure_leaves_the_refusal_and_is_tried_again) {
	OWN(buf_wipe) struct buf der = { 0 };

	sql("ALTER TABLE ledger_revoked RENAME TO gone");
	long_list(2, ENTRIES, v.f.bob.cert, &der);
	ck_assert(waits(NULL, "PUT /crl", der.data, der.len));
	end();
	ck_assert_ptr_ne(v.g->stored, v.g->list);
	env_expect(&v, NULL, "PUT /crl", der.data, der.len, 503, "not-stored");
	env_expect(&v, v.f.bob.cert, "GET /v1/group", NULL, 0, 403, "revoked");
	ck_assert_uint_eq(epoch(), 1);
	sql("ALTER TABLE gone RENAME TO ledger_revoked");
	v.g->retry_at_ms = 0;
	begin();
	end();
	ck_assert_ptr_eq(v.g->stored, v.g->list);
	ck_assert_uint_eq(epoch(), 2);
}
END_TEST

/* The end of the gateway in the middle: the thread is waited for, what it did is there. */
START_TEST(the_end_waits_for_what_is_being_stored) {
	offer(2, ENTRIES, NULL);
	begin();
	settler_free(settler);
	settler = NULL;
	v.service.settler = NULL;
	v.g->away = false;
	ck_assert_uint_eq(epoch(), 2);
}
END_TEST

/* --- lists in memory, in a file, and in memory again where there is no room for a file --- */

static void fill(struct list_in *in, const struct buf *der, size_t step) {
	for (size_t at = 0, n; at < der->len; at += n) {
		n = der->len - at < step ? der->len - at : step;
		ck_assert_msg(list_in_add(in, der->data + at, n, &e) == 0, "%s", e.text);
	}
}

START_TEST(a_list_of_any_length_is_the_same) {
	const unsigned n = _i == 0 ? 100 : 60000;
	OWN(list_in_wipe) struct list_in in = LIST_IN(_i < 2 ? tmp_dir() : "/nowhere/at/all");
	OWN(buf_wipe) struct buf der = { 0 };
	struct list *l = NULL;

	long_list(7, n, v.f.bob.cert, &der);
	fill(&in, &der, 5000);
	ck_assert((in.fd >= 0) == (_i > 0));
	ck_assert_msg(list_make(&in, chain_ca(v.f.chain), &l, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(l->len, der.len);
	ck_assert_mem_eq(l->der, der.data, der.len);
	ck_assert_uint_eq(crl_set_count(l->set), n + 1);
	ck_assert(crl_set_has_cert(l->set, v.f.bob.cert));
	ck_assert(list_is_large(l) == (_i > 0));
	list_free(l);
}
END_TEST

START_TEST(a_long_list_that_is_damaged_is_refused) {
	OWN(list_in_wipe) struct list_in in = LIST_IN(tmp_dir());
	OWN(buf_wipe) struct buf der = { 0 };
	struct list *l = NULL;

	long_list(7, 60000, NULL, &der);
	der.data[der.len / 2] ^= 1;
	fill(&in, &der, 65536);
	ck_assert_int_eq(list_make(&in, chain_ca(v.f.chain), &l, &e), ERR_DAMAGED);
	ck_assert_ptr_null(l);
}
END_TEST

START_TEST(more_than_64_mib_are_refused) {
	OWN(list_in_wipe) struct list_in in = LIST_IN(tmp_dir());
	OWN(own_free) uint8_t *mib = xcalloc(1, 1 << 20);

	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(list_in_add(&in, mib, 1 << 20, &e), 0);
	ck_assert_int_eq(list_in_add(&in, mib, 1, &e), ERR_DAMAGED);
}
END_TEST

int main(void) {
	Suite *s = suite_create("settler");
	TCase *t = tcase_create("settler");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, make, drop);
	tcase_set_timeout(t, 600);
	tcase_add_test(t, a_long_list_is_stored_aside);
	tcase_add_test(t, a_short_list_is_stored_here);
	tcase_add_test(t, who_only_reads_is_answered_meanwhile_and_who_writes_waits);
	tcase_add_test(t, nobody_is_told_of_a_list_that_the_ledger_does_not_know);
	tcase_add_test(t, nor_of_one_that_could_not_be_stored);
	tcase_add_test(t, who_sent_the_list_is_answered_when_it_is_stored);
	tcase_add_test(t, a_newer_list_that_came_meanwhile_is_next);
	tcase_add_test(t, a_failure_leaves_the_refusal_and_is_tried_again);
	tcase_add_test(t, the_end_waits_for_what_is_being_stored);
	tcase_add_loop_test(t, a_list_of_any_length_is_the_same, 0, 3);
	tcase_add_test(t, a_long_list_that_is_damaged_is_refused);
	tcase_add_test(t, more_than_64_mib_are_refused);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
