/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/route with two groups behind one address: who is answered by which, and what one has of the other: nothing. */
#include "gateway/route.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "gateway_env.h"
#include "lib/suite.h"
#include "pki/crl.h"

#define KEYS "GET /v1/keys?nonce=0123456789abcdef"

/* Both are called lab by their CAs; their keys differ. */
static struct env one, two;

static void set_up(void) {
	env_open(&one);
	env_beside(&two, &one);
}

static void tear_down(void) {
	env_wipe_beside(&two);
	env_wipe(&one);
}

static int call(struct server_peer *p, const char *head, const struct buf *body, struct http_reply *r) {
	return env_call(&one, p, head, body != NULL ? body->data : NULL, body != NULL ? body->len : 0, r);
}

/* judge: the group whose chain judged the connection, as the handshake leaves it. */
static int ask(const struct env *judge, X509 *cert, const char *head, const char *type) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;
	int status;

	env_connect(judge, cert, &p);
	status = call(&p, head, NULL, &r);
	route_forget(&one.service, &p);
	if (type != NULL) {
		OWN(own_free) char *want = xasprintf("\"urn:scg:%s\"", type);

		ck_assert_msg(strstr(buf_str(&r.body), want) != NULL, "%s: %s", head, buf_str(&r.body));
	}
	return status;
}

static int put_list(const struct env *judge, X509 *cert, const struct buf *der) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;
	int status;

	env_connect(judge, cert, &p);
	status = call(&p, "PUT /crl", der, &r);
	route_forget(&one.service, &p);
	return status;
}

static bool knows(const struct env *v, X509 *cert) {
	struct err e = ERR_INIT;
	bool yes = false;

	ck_assert_int_eq(ledger_has_signer(v->g->ledger, cert, &yes, &e), 0);
	return yes;
}

START_TEST(each_member_is_answered_by_his_own_group) {
	ck_assert_int_eq(ask(&one, one.f.alice.cert, KEYS, NULL), 200);
	ck_assert(knows(&one, one.f.alice.cert) && !knows(&two, one.f.alice.cert));
	ck_assert_int_eq(ask(&two, two.f.alice.cert, KEYS, NULL), 200);
	ck_assert(knows(&two, two.f.alice.cert) && !knows(&one, two.f.alice.cert));
} END_TEST

START_TEST(who_belongs_to_none_gets_nothing_of_either) {
	static const char *const paths[] = { KEYS, "GET /v1/group", "GET /v1/ledger/head?nonce=0123456789abcdef", "GET /v1/ledger/entries?from=0" };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		ck_assert_int_eq(ask(&one, one.f.foreign.cert, paths[i], "foreign"), 403);
		ck_assert_int_eq(ask(&two, one.f.foreign.cert, paths[i], "foreign"), 403);
		ck_assert_int_eq(ask(&one, NULL, paths[i], "no-certificate"), 403);
		ck_assert_int_eq(ask(&two, NULL, paths[i], "no-certificate"), 403);
	}
} END_TEST

START_TEST(a_verdict_of_a_chain_that_is_not_served_lets_nobody_in) {
	struct server_peer p;
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct chain *other = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(chain_new(one.f.foreign_ca.cert, &other, &e), 0);
	env_connect(&one, one.f.alice.cert, &p);
	p.chain = other;
	ck_assert_int_eq(call(&p, KEYS, NULL, &r), 403);
	route_forget(&one.service, &p);
	chain_free(other);
} END_TEST

START_TEST(a_list_names_nobody_of_the_other_group) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;

	env_connect(&two, two.f.bob.cert, &p);
	ck_assert_int_eq(env_crl(&one, 2, &two.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN); /* his serial number */
	ck_assert(!route_is_revoked(&one.service, &p, &r));
	ck_assert_int_eq(ask(&two, two.f.bob.cert, KEYS, NULL), 200);
	ck_assert_int_eq(env_crl(&two, 2, &two.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert(route_is_revoked(&two.service, &p, &r));
	ck_assert_int_eq(ask(&two, two.f.bob.cert, KEYS, "revoked"), 403);
	route_forget(&one.service, &p);
} END_TEST

START_TEST(a_revocation_starts_an_epoch_in_its_group_alone) {
	ck_assert_int_eq(env_crl(&two, 2, &two.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_uint_eq(keyring_current(&two.g->keyring)->number, 2);
	ck_assert_uint_eq(keyring_current(&one.g->keyring)->number, 1);
} END_TEST

START_TEST(a_list_goes_to_the_group_of_its_issuer) {
	OWN(buf_wipe) struct buf der = { 0 };

	fixture_crl(&two.f, 7, NULL, 0, CRL_UNSPECIFIED, &der);
	ck_assert_int_eq(put_list(&one, NULL, &der), 204);
	ck_assert_uint_eq(crl_set_number(two.g->list->set), 7);
	ck_assert_uint_eq(crl_set_number(one.g->list->set), 1);
	buf_clear(&der);
	fixture_crl(&one.f, 5, NULL, 0, CRL_UNSPECIFIED, &der);
	ck_assert_int_eq(put_list(&two, two.f.alice.cert, &der), 204);
	ck_assert_uint_eq(crl_set_number(one.g->list->set), 5);
} END_TEST

START_TEST(a_list_of_neither_is_refused) {
	OWN(buf_wipe) struct buf der = { 0 };
	struct fixture stranger;

	fixture_init(&stranger);
	fixture_crl(&stranger, 9, NULL, 0, CRL_UNSPECIFIED, &der);
	ck_assert_int_eq(put_list(&two, NULL, &der), 400);
	ck_assert_uint_eq(crl_set_number(one.g->list->set), 1);
	ck_assert_uint_eq(crl_set_number(two.g->list->set), 1);
	fixture_wipe(&stranger);
} END_TEST

START_TEST(a_list_that_only_claims_its_issuer_is_refused) {
	OWN(buf_wipe) struct buf der = { 0 };

	fixture_crl(&two.f, 9, NULL, 0, CRL_UNSPECIFIED, &der);
	der.data[der.len - 1] ^= 1; /* of the signature */
	ck_assert_int_eq(put_list(&one, NULL, &der), 400);
	ck_assert_uint_eq(crl_set_number(two.g->list->set), 1);
} END_TEST

START_TEST(one_group_is_closed_while_the_other_serves) {
	list_free(two.g->list);
	list_free(two.g->stored);
	two.g->list = two.g->stored = NULL;
	ck_assert_int_eq(ask(&two, two.f.alice.cert, KEYS, "no-crl"), 503);
	ck_assert_int_eq(ask(&one, one.f.alice.cert, KEYS, NULL), 200);
} END_TEST

START_TEST(what_one_cannot_store_is_no_fault_of_the_other) {
	OWN(http_request_wipe) struct http_request q = { 0 };
	OWN(http_reply_wipe) struct http_reply a = { 0 };
	OWN(http_reply_wipe) struct http_reply b = { 0 };
	struct server_peer alice, bob;
	const char *why;
	static const char head[] = "GET /v1/group HTTP/1.1\r\nHost: gw\r\n\r\n";

	ck_assert_int_gt(http_parse_head((const uint8_t *)head, sizeof head - 1, &q, &why), 0);
	env_connect(&one, one.f.alice.cert, &alice);
	env_connect(&two, two.f.bob.cert, &bob);
	route_handle(&one.service, &alice, &q, &a);
	route_handle(&one.service, &bob, &q, &b);
	ck_assert_int_eq(a.status, 200);
	ck_assert_int_eq(b.status, 200);
	two.g->failed = true; /* as after a commit that failed within the round */
	ck_assert_int_eq(route_commit(&one.service), 0);
	(void)route_still_good(&one.service, &alice, &q, &a);
	(void)route_still_good(&one.service, &bob, &q, &b);
	ck_assert_int_eq(a.status, 200);
	ck_assert_int_eq(b.status, 503);
	ck_assert_ptr_nonnull(strstr(buf_str(&b.body), "urn:scg:not-stored"));
	ck_assert_int_eq(route_commit(&one.service), 0); /* the next round is another */
	ck_assert(!two.service.lost);
	route_forget(&one.service, &alice);
	route_forget(&one.service, &bob);
} END_TEST

START_TEST(a_broken_database_closes_its_group_alone) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(db_run(state_db(two.g->state), &e, "DELETE FROM thing WHERE name = 'keys'", ""), 0);
	two.g->stale = true;
	ck_assert_int_eq(ask(&two, two.f.alice.cert, KEYS, "not-stored"), 503);
	ck_assert_int_eq(ask(&one, one.f.alice.cert, KEYS, NULL), 200);
} END_TEST

static int ask_from(const struct env *judge, const char *address) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;
	int status;

	env_connect(judge, NULL, &p);
	p.loopback = false;
	(void)snprintf(p.address, sizeof p.address, "%s", address);
	status = call(&p, "GET /crl", NULL, &r);
	route_forget(&one.service, &p);
	return status;
}

START_TEST(rates_are_counted_for_each_group) {
	for (int i = 0; i < ROUTE_GET_PER_MINUTE; i++)
		ck_assert_int_eq(ask_from(&two, "192.0.2.1"), 200);
	ck_assert_int_eq(ask_from(&two, "192.0.2.1"), 429);
	ck_assert_int_eq(ask_from(&one, "192.0.2.1"), 200);
} END_TEST

int main(void) {
	TCase *t = tcase_create("groups");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, each_member_is_answered_by_his_own_group);
	tcase_add_test(t, who_belongs_to_none_gets_nothing_of_either);
	tcase_add_test(t, a_verdict_of_a_chain_that_is_not_served_lets_nobody_in);
	tcase_add_test(t, a_list_names_nobody_of_the_other_group);
	tcase_add_test(t, a_revocation_starts_an_epoch_in_its_group_alone);
	tcase_add_test(t, a_list_goes_to_the_group_of_its_issuer);
	tcase_add_test(t, a_list_of_neither_is_refused);
	tcase_add_test(t, a_list_that_only_claims_its_issuer_is_refused);
	tcase_add_test(t, one_group_is_closed_while_the_other_serves);
	tcase_add_test(t, what_one_cannot_store_is_no_fault_of_the_other);
	tcase_add_test(t, a_broken_database_closes_its_group_alone);
	tcase_add_test(t, rates_are_counted_for_each_group);
	return suite_run("groups", t);
}
