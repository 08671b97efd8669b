/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/route and the handlers: who gets what, who is refused and why, with no socket in sight. */
#include "gateway/route.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/secret.h"
#include "gateway_env.h"
#include "lib/tmp.h"
#include "pki/crl.h"
#include "pki/ossl.h"

#define NONCE "00112233445566778899aabbccddeeff"
#define HEAD "GET /v1/ledger/head?nonce=" NONCE
#define KEYS "GET /v1/keys?nonce=" NONCE

static struct env v;
static struct err e;
static const uint8_t nonce[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

static void make(void) {
	env_open(&v);
}

static void make_closed(void) {
	env_init(&v, NULL);
}

static void drop(void) {
	env_wipe(&v);
}

/* --- keys --- */

static void open_keys(const struct fixture_id *who, const struct http_reply *r, struct keyring *k) {
	OWN(keyring_said_wipe) struct keyring_said said = { 0 };

	ck_assert_msg(keyring_reply_open(r->body.data, r->body.len, nonce, sizeof nonce, who->cert, who->key, k, &said, &e) == 0, "%s", e.text);
	ck_assert_int_eq(X509_cmp(said.gw_cert, v.f.gateway.cert), 0);
}

static void get_keys(const struct fixture_id *who, struct keyring *k) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;

	env_connect(&v, who->cert, &p);
	ck_assert_int_eq(env_call(&v, &p, KEYS, NULL, 0, &r), 200);
	ck_assert_str_eq(r.type, "application/cms");
	open_keys(who, &r, k);
	route_forget(&v.service, &p);
}

START_TEST(a_member_gets_the_keys_sealed_to_him) {
	OWN(keyring_wipe) struct keyring k = { 0 };

	get_keys(&v.f.alice, &k);
	ck_assert_uint_eq(k.n, 1);
	ck_assert(secret_equal(&k.v[0].key, &v.g->keyring.v[0].key));
}
END_TEST

START_TEST(an_admin_gets_the_keys_too) {
	OWN(keyring_wipe) struct keyring k = { 0 };

	get_keys(&v.f.admin, &k);
	ck_assert_uint_eq(k.n, 1);
}
END_TEST

START_TEST(nobody_else_opens_a_members_reply) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	OWN(keyring_wipe) struct keyring k = { 0 };
	OWN(keyring_said_wipe) struct keyring_said said = { 0 };
	struct server_peer p;

	env_connect(&v, v.f.alice.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, KEYS, NULL, 0, &r), 200);
	ck_assert_int_ne(keyring_reply_open(r.body.data, r.body.len, nonce, sizeof nonce, v.f.bob.cert, v.f.bob.key, &k, &said, &e), 0);
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(after_a_revocation_the_reply_has_both_epochs) {
	OWN(keyring_wipe) struct keyring before = { 0 }, after = { 0 };

	get_keys(&v.f.alice, &before);
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	get_keys(&v.f.alice, &after);
	ck_assert_uint_eq(after.n, 2);
	ck_assert_uint_eq(after.v[0].number, 2);
	ck_assert(secret_equal(&after.v[1].key, &before.v[0].key));
}
END_TEST

/* scg-gateway rotate: what was sealed to a member before is not handed out again. */
START_TEST(after_a_rotation_by_another_process_too) {
	OWN(keyring_wipe) struct keyring before = { 0 }, after = { 0 };
	struct identity id = { .key = v.f.gateway.key, .cert = v.f.gateway.cert };
	struct group *other = NULL;

	get_keys(&v.f.alice, &before);
	EVP_PKEY_up_ref(id.key);
	X509_up_ref(id.cert);
	ck_assert_msg(group_open(&other, &v.conf, v.f.chain, &id, GROUP_TOOL, &e) == 0, "%s", e.text);
	ck_assert_msg(evict_rotate(other, clock_now_s(), &e) == 0, "%s", e.text);
	group_close(&other);
	clock_move_mono_ms(1); /* within one millisecond the database is asked once */
	get_keys(&v.f.alice, &after);
	ck_assert_uint_eq(before.n, 1);
	ck_assert_uint_eq(after.n, 2);
}
END_TEST

START_TEST(what_another_process_broke_stays_closed_until_it_is_mended) {
	OWN(own_free) char *path = xasprintf("%s/gateway.db", v.conf.dir);
	struct state *other = NULL;

	ck_assert_int_eq(state_open(&other, path, false, &e), 0);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	ck_assert_int_eq(db_run(state_db(other), &e, "ALTER TABLE ledger_entries RENAME TO kept", ""), 0);
	for (int n = 0; n < 3; n++) {
		clock_move_mono_ms(1); /* within one millisecond the database is asked once */
		env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 503, "not-stored");
		ck_assert_int_ne(group_begin(v.g, &e), 0);
	}
	ck_assert_int_eq(db_run(state_db(other), &e, "ALTER TABLE kept RENAME TO ledger_entries", ""), 0);
	state_close(&other);
	clock_move_mono_ms(1);
	ck_assert_msg(group_begin(v.g, &e) == 0 && group_commit(v.g, &e) == 0, "%s", e.text);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
}
END_TEST

START_TEST(replies_to_the_same_member_differ_by_nonce_only_in_the_signature) {
	OWN(keyring_wipe) struct keyring one = { 0 }, two = { 0 };

	get_keys(&v.f.alice, &one);
	get_keys(&v.f.alice, &two);
	ck_assert(secret_equal(&one.v[0].key, &two.v[0].key));
}
END_TEST

START_TEST(nonces_that_are_none_are_refused) {
	static const char *const bad[] = {
		"GET /v1/keys", "GET /v1/keys?nonce=", "GET /v1/keys?nonce=00112233445566", "GET /v1/keys?nonce=001122334455667",
		"GET /v1/keys?nonce=00112233445566zz", "GET /v1/keys?nonce=0011223344556677&nonce=0011223344556677",
		"GET /v1/ledger/head", "GET /v1/ledger/head?nonce=00",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		env_expect(&v, v.f.alice.cert, bad[i], NULL, 0, 400, "bad-nonce");
	env_expect(&v, v.f.alice.cert, "GET /v1/keys?nonce=" NONCE NONCE "00", NULL, 0, 400, "bad-nonce");
	env_expect(&v, v.f.alice.cert, "GET /v1/keys?nonce=0011223344556677", NULL, 0, 200, NULL);
	env_expect(&v, v.f.alice.cert, "GET /v1/keys?nonce=" NONCE NONCE, NULL, 0, 200, NULL);
}
END_TEST

/* --- who is refused --- */

static const char *const resources[] = { KEYS, "GET /v1/group", "HEAD /v1/group", HEAD, "GET /v1/ledger/entries?from=0",
	"POST /v1/ledger/events", "PUT /v1/group/store", ("GET /v1/audit/head?nonce=" NONCE),
	"GET /v1/audit/consistency?old=0&new=0" };

static void refused_everywhere(X509 *cert, const char *type) {
	for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
		env_expect(&v, cert, resources[i], NULL, 0, 403, type);
		env_expect(&v, cert, resources[i], "x", 1, 403, type);
	}
}

START_TEST(without_a_certificate_nothing_is_served) {
	refused_everywhere(NULL, "no-certificate");
}
END_TEST

START_TEST(a_foreign_certificate_is_refused) {
	refused_everywhere(v.f.foreign.cert, "foreign");
}
END_TEST

START_TEST(an_expired_certificate_is_refused) {
	refused_everywhere(v.f.expired.cert, "expired");
}
END_TEST

/* RFC 5280 4.1.2.5: from notBefore through notAfter, inclusive. */
START_TEST(a_certificate_is_valid_in_its_first_and_its_last_second) {
	const struct validity day = { .from_s = 1000, .until_s = 2000 };

	ck_assert_int_eq((int)validity_check(&day, 999), VERDICT_NOT_YET_VALID);
	ck_assert_int_eq((int)validity_check(&day, 1000), VERDICT_GOOD);
	ck_assert_int_eq((int)validity_check(&day, 2000), VERDICT_GOOD);
	ck_assert_int_eq((int)validity_check(&day, 2001), VERDICT_EXPIRED);
} END_TEST

/* Also where no role would say so: who is asked for here comes with what the handshake found. */
START_TEST(what_the_handshake_found_is_not_forgotten) {
	const struct validity now = validity_of(v.f.alice.cert), past = { .from_s = 1000, .until_s = 2000 };
	int64_t now_s = clock_now_s();

	ck_assert_int_eq((int)group_verdict(v.g, v.f.alice.cert, &now, VERDICT_GOOD, now_s), VERDICT_GOOD);
	ck_assert_int_eq((int)group_verdict(v.g, v.f.alice.cert, &now, VERDICT_WRONG_PURPOSE, now_s), VERDICT_WRONG_PURPOSE);
	ck_assert_int_eq((int)group_verdict(v.g, v.f.alice.cert, &past, VERDICT_WRONG_PURPOSE, now_s), VERDICT_EXPIRED);
	ck_assert_int_eq((int)group_verdict(v.g, v.f.alice.cert, &now, VERDICT_FOREIGN, now_s), VERDICT_FOREIGN);
	ck_assert_int_eq((int)group_verdict(v.g, v.f.alice.cert, &past, VERDICT_FOREIGN, now_s), VERDICT_FOREIGN);
	ck_assert_int_eq((int)group_verdict(v.g, NULL, &now, VERDICT_GOOD, now_s), VERDICT_NO_CERTIFICATE);
} END_TEST

START_TEST(a_certificate_that_is_not_yet_valid_is_refused) {
	refused_everywhere(v.f.early.cert, "not-yet-valid");
}
END_TEST

START_TEST(a_gateways_certificate_is_no_members) {
	refused_everywhere(v.f.gateway.cert, "wrong-purpose");
}
END_TEST

START_TEST(a_revoked_certificate_is_refused) {
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	refused_everywhere(v.f.bob.cert, "revoked");
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
}
END_TEST

START_TEST(who_was_revoked_once_stays_so_whatever_a_later_list_says) {
	OWN(http_reply_wipe) struct http_reply first = { 0 }, second = { 0 };
	struct server_peer p;

	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_eq(env_crl(&v, 3, NULL, 0, 0), OFFER_TAKEN);
	refused_everywhere(v.f.bob.cert, "revoked");
	env_connect(&v, v.f.alice.cert, &p);
	/* on a connection that is open too, where nobody was asked who she is */
	ck_assert_int_eq(env_call(&v, &p, "GET /crl", NULL, 0, &first), 200);
	ck_assert_int_eq(env_crl(&v, 4, &v.f.alice.cert, 1, CRL_SUPERSEDED), OFFER_TAKEN);
	ck_assert_int_eq(env_crl(&v, 5, NULL, 0, 0), OFFER_TAKEN);
	ck_assert_int_eq(env_call(&v, &p, KEYS, NULL, 0, &second), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&second.body), "urn:scg:revoked"));
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(nobody_is_let_in_where_the_ledger_cannot_be_asked) {
	ck_assert_int_eq(db_run(state_db(v.g->state), &e, "ALTER TABLE ledger_revoked RENAME TO away", ""), 0);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 503, "not-stored");
	ck_assert_int_eq(db_run(state_db(v.g->state), &e, "ALTER TABLE away RENAME TO ledger_revoked", ""), 0);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
}
END_TEST

START_TEST(the_role_alone_decides_too) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;

	env_connect(&v, v.f.gateway.cert, &p);
	p.verdict = VERDICT_GOOD; /* as if the handshake had been fooled */
	ck_assert_int_eq(env_call(&v, &p, KEYS, NULL, 0, &r), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&r.body), "urn:scg:wrong-purpose"));
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(a_clock_refusal_names_the_gateways_time) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	char now[CLOCK_TEXT], later[CLOCK_TEXT];
	struct server_peer p;

	clock_print(clock_now_s(), now);
	env_connect(&v, v.f.expired.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, KEYS, NULL, 0, &r), 403);
	clock_print(clock_now_s(), later);
	now[14] = later[14] = '\0'; /* up to the hour, which may end meanwhile */
	ck_assert(strstr(buf_str(&r.body), now) != NULL || strstr(buf_str(&r.body), later) != NULL);
	ck_assert(r.close);
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(an_open_connection_ends_with_its_certificate) {
	OWN(http_reply_wipe) struct http_reply first = { 0 }, second = { 0 };
	struct fixture_id zoe = { 0 };
	struct server_peer p;

	fixture_issue(&v.f.ca, ROLE_MEMBER, "zoe", NULL, v.f.now_s - 60, v.f.now_s + 6000, &zoe);
	env_connect(&v, zoe.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, KEYS, NULL, 0, &first), 200);
	clock_shift_s(6002);
	ck_assert_int_eq(env_call(&v, &p, KEYS, NULL, 0, &second), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&second.body), "urn:scg:expired"));
	route_forget(&v.service, &p);
	fixture_id_wipe(&zoe);
}
END_TEST

START_TEST(an_open_connection_ends_with_its_revocation) {
	OWN(http_reply_wipe) struct http_reply first = { 0 }, second = { 0 };
	struct server_peer p;

	env_connect(&v, v.f.bob.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, KEYS, NULL, 0, &first), 200);
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert_int_eq(env_call(&v, &p, KEYS, NULL, 0, &second), 403);
	route_forget(&v.service, &p);
}
END_TEST

static void parse(const char *head, struct http_request *q) {
	OWN(own_free) char *text = xasprintf("%s HTTP/1.1\r\nHost: gw\r\n\r\n", head);
	const char *why;

	ck_assert_int_gt(http_parse_head((const uint8_t *)text, strlen(text), q, &why), 0);
}

START_TEST(a_reply_that_is_due_is_replaced_when_its_reader_was_revoked_meanwhile) {
	OWN(http_request_wipe) struct http_request q = { 0 };
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;

	parse(KEYS, &q);
	env_connect(&v, v.f.bob.cert, &p);
	route_handle(&v.service, &p, &q, &r);
	ck_assert_int_eq(r.status, 200);
	ck_assert_int_eq(route_commit(&v.service), 0);
	ck_assert(route_still_good(&v.service, &p, &q, &r));
	ck_assert_int_eq(env_offer(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert(!route_still_good(&v.service, &p, &q, &r));
	ck_assert_int_eq(r.status, 403);
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(connections_of_the_newly_revoked_are_to_be_closed_and_no_others) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer alice, bob, nobody, foreign;

	env_connect(&v, v.f.alice.cert, &alice);
	env_connect(&v, v.f.bob.cert, &bob);
	env_connect(&v, NULL, &nobody);
	env_connect(&v, v.f.foreign.cert, &foreign);
	ck_assert_int_eq(env_offer(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert(!route_is_revoked(&v.service, &alice, &r));
	ck_assert(!route_is_revoked(&v.service, &nobody, &r));
	ck_assert(!route_is_revoked(&v.service, &foreign, &r));
	ck_assert(route_is_revoked(&v.service, &bob, &r));
	ck_assert_int_eq(r.status, 403);
	route_forget(&v.service, &bob);
}
END_TEST

/* A serial number means something within its CA only. */
START_TEST(a_foreign_certificate_with_a_revoked_serial_is_foreign) {
	OWN(own_x509) X509 *forged = fixture_tamper(v.f.bob.cert, &v.f.foreign_ca, NULL, NULL);
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;

	env_connect(&v, forged, &p);
	ck_assert_int_eq(env_offer(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	ck_assert(!route_is_revoked(&v.service, &p, &r));
	env_expect(&v, forged, KEYS, NULL, 0, 403, "foreign");
}
END_TEST

START_TEST(a_round_that_was_not_stored_is_told_as_lost) {
	OWN(http_request_wipe) struct http_request q = { 0 };
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;

	parse("GET /v1/group", &q);
	env_connect(&v, v.f.alice.cert, &p);
	route_handle(&v.service, &p, &q, &r);
	ck_assert_int_eq(r.status, 200);
	v.g->failed = true; /* as after a commit that failed within the round */
	ck_assert_int_ne(route_commit(&v.service), 0);
	ck_assert_int_eq(route_commit(&v.service), 0); /* the next round is another */
	route_forget(&v.service, &p);
}
END_TEST

/* --- what there is --- */

START_TEST(bodies_for_what_is_not_there_are_refused_before_they_come) {
	env_expect(&v, v.f.alice.cert, "PUT /v1/nothing", "x", 1, 404, "not-found");
	env_expect(&v, NULL, "PUT /nothing", "x", 1, 404, "not-found");
	env_expect(&v, v.f.alice.cert, "PUT /v1/keys", "x", 1, 405, "method-not-allowed");
}
END_TEST

START_TEST(unknown_resources_are_not_found) {
	static const char *const bad[] = { "GET /", "GET /v1", "GET /v1/keys/", "GET /v1/KEYS", "GET /crl.pem", "GET /metrics" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		env_expect(&v, v.f.alice.cert, bad[i], NULL, 0, 404, "not-found");
}
END_TEST

START_TEST(other_methods_are_not_allowed) {
	static const char *const bad[] = { "POST /v1/keys", "DELETE /crl", "PUT /v1/group", "GET /v1/group/store", "GET /v1/ledger/events",
		"OPTIONS /crl" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		env_expect(&v, v.f.alice.cert, bad[i], NULL, 0, 405, "method-not-allowed");
}
END_TEST

START_TEST(not_allowed_says_what_is) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;

	env_connect(&v, NULL, &p);
	ck_assert_int_eq(env_call(&v, &p, "DELETE /crl", NULL, 0, &r), 405);
	ck_assert_str_eq(r.allow, "GET, HEAD, PUT");
	route_forget(&v.service, &p);
	http_reply_wipe(&r);
	ck_assert_int_eq(env_call(&v, &p, "GET /v1/ledger/events", NULL, 0, &r), 405);
	ck_assert_str_eq(r.allow, "POST");
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(the_group_is_described) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;
	json_t *json;

	env_connect(&v, v.f.alice.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, "GET /v1/group", NULL, 0, &r), 200);
	json = json_loadb((const char *)r.body.data, r.body.len, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(json, "group")), "lab");
	ck_assert_int_eq(json_integer_value(json_object_get(json, "epoch")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "crl_number")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "ledger_size")), (json_int_t)ledger_size(v.g->ledger));
	ck_assert(json_is_null(json_object_get(json, "store")));
	json_decref(json);
	route_forget(&v.service, &p);
}
END_TEST

/* Also within the second in which it was asked for before. */
START_TEST(the_description_follows_each_change) {
	static const char store[] = "{\"store\":\"gdrive:A\"}";
	OWN(http_reply_wipe) struct http_reply before = { 0 }, same = { 0 }, after = { 0 };
	struct server_peer p;
	json_t *json;

	env_connect(&v, v.f.alice.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, "GET /v1/group", NULL, 0, &before), 200);
	ck_assert_int_eq(env_call(&v, &p, "GET /v1/group", NULL, 0, &same), 200);
	ck_assert_uint_eq(before.body.len, same.body.len);
	env_expect(&v, v.f.alice.cert, "PUT /v1/group/store", store, strlen(store), 204, NULL);
	ck_assert_int_eq(env_call(&v, &p, "GET /v1/group", NULL, 0, &after), 200);
	json = json_loadb((const char *)after.body.data, after.body.len, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(json, "store")), "gdrive:A");
	json_decref(json);
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(the_first_to_set_the_store_wins) {
	static const char a[] = "{\"store\":\"gdrive:A\"}", b[] = "{\"store\":\"gdrive:B\"}";

	env_expect(&v, v.f.alice.cert, "PUT /v1/group/store", a, strlen(a), 204, NULL);
	env_expect(&v, v.f.bob.cert, "PUT /v1/group/store", a, strlen(a), 204, NULL);
	env_expect(&v, v.f.bob.cert, "PUT /v1/group/store", b, strlen(b), 409, "store-set");
	env_restart(&v);
	ck_assert_str_eq(v.g->store, "gdrive:A");
}
END_TEST

/* The configuration leaves it to the first member to make one. */
START_TEST(a_store_to_be_made_is_set_once) {
	static const char a[] = "{\"store\":\"gdrive:A\"}", b[] = "{\"store\":\"gdrive:B\"}", wish[] = "{\"store\":\"gdrive:new:B\"}";
	static const char folder[] = "{\"store\":\"directory:/d\"}";

	env_wipe(&v);
	env_init(&v, "store = \"gdrive:new:The lab\";\n");
	(void)env_crl(&v, 1, NULL, 0, 0);
	ck_assert_str_eq(v.g->store, "gdrive:new:The lab");
	env_expect(&v, v.f.alice.cert, "PUT /v1/group/store", wish, strlen(wish), 400, "bad-store");
	env_expect(&v, v.f.alice.cert, "PUT /v1/group/store", folder, strlen(folder), 409, "store-set");
	ck_assert_str_eq(v.g->store, "gdrive:new:The lab");
	env_expect(&v, v.f.alice.cert, "PUT /v1/group/store", a, strlen(a), 204, NULL);
	env_expect(&v, v.f.bob.cert, "PUT /v1/group/store", b, strlen(b), 409, "store-set");
	env_restart(&v);
	ck_assert_str_eq(v.g->store, "gdrive:A");
	env_expect(&v, v.f.bob.cert, "PUT /v1/group/store", b, strlen(b), 409, "store-set");
}
END_TEST

START_TEST(what_is_no_store_is_refused) {
	static const char *const bad[] = { "", "{}", "[]", "gdrive:A", "{\"store\":1}", "{\"store\":\"\"}", "{\"store\":\"ftp:x\"}",
		"{\"store\":\"gdrive:A\",\"x\":1}", "{\"store\":\"gdrive:A\",\"store\":\"gdrive:B\"}" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		env_expect(&v, v.f.alice.cert, "PUT /v1/group/store", bad[i], strlen(bad[i]), 400, "bad-store");
	ck_assert_ptr_null(v.g->store);
}
END_TEST

/* --- lists --- */

static void put_crl(uint64_t number, int status, const char *type) {
	OWN(buf_wipe) struct buf der = { 0 };

	fixture_crl(&v.f, number, NULL, 0, CRL_UNSPECIFIED, &der);
	env_expect(&v, NULL, "PUT /crl", der.data, der.len, status, type);
}

START_TEST(closed_without_a_list) {
	for (size_t i = 0; i < sizeof resources / sizeof *resources; i++)
		env_expect(&v, v.f.alice.cert, resources[i], NULL, 0, 503, "no-crl");
	env_expect(&v, NULL, "GET /crl", NULL, 0, 404, "not-found");
}
END_TEST

START_TEST(a_list_that_is_sent_opens_the_gateway) {
	put_crl(1, 204, NULL);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	env_expect(&v, NULL, "GET /crl", NULL, 0, 200, NULL);
}
END_TEST

START_TEST(closed_when_the_list_has_run_out) {
	int64_t end = crl_set_next_update(v.g->list->set);

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	clock_shift_s(end - v.f.now_s + 5);
	for (size_t i = 0; i < sizeof resources / sizeof *resources; i++)
		env_expect(&v, v.f.alice.cert, resources[i], NULL, 0, 503, "crl-not-current");
	env_expect(&v, NULL, "GET /crl", NULL, 0, 200, NULL);
	put_crl(2, 400, "crl-expired");
}
END_TEST

START_TEST(the_list_is_given_to_everybody_as_it_came) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;
	const uint8_t *body;
	size_t len;

	env_connect(&v, NULL, &p);
	ck_assert_int_eq(env_call(&v, &p, "GET /crl", NULL, 0, &r), 200);
	ck_assert_str_eq(r.type, "application/pkix-crl");
	body = http_reply_body(&r, &len);
	ck_assert_uint_eq(len, v.g->list->len);
	ck_assert_mem_eq(body, v.g->list->der, len);
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(a_reply_keeps_its_list_when_another_comes) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;
	uint64_t number;
	const uint8_t *body;
	size_t len;

	env_connect(&v, NULL, &p);
	ck_assert_int_eq(env_call(&v, &p, "GET /crl", NULL, 0, &r), 200);
	put_crl(2, 204, NULL);
	put_crl(3, 204, NULL);
	body = http_reply_body(&r, &len);
	ck_assert_int_eq(crl_peek_number(body, len, &number, &e), 0);
	ck_assert_uint_eq(number, 1);
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(the_same_list_sent_again_is_fine) {
	OWN(buf_wipe) struct buf der = { 0 }, pem = { 0 };

	fixture_crl(&v.f, 2, NULL, 0, CRL_UNSPECIFIED, &der);
	ck_assert_int_eq(crl_pem(der.data, der.len, &pem, &e), 0);
	env_expect(&v, NULL, "PUT /crl", der.data, der.len, 204, NULL);
	env_expect(&v, NULL, "PUT /crl", der.data, der.len, 204, NULL);
	env_expect(&v, NULL, "PUT /crl", pem.data, pem.len, 204, NULL);
}
END_TEST

START_TEST(older_and_other_lists_are_refused) {
	put_crl(5, 204, NULL);
	put_crl(4, 409, "crl-older");
	put_crl(5, 409, "crl-number");
	ck_assert_uint_eq(crl_set_number(v.g->list->set), 5);
}
END_TEST

START_TEST(a_list_that_lacks_a_revocation_is_refused_and_names_nobody) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	OWN(buf_wipe) struct buf der = { 0 };
	struct server_peer p;

	env_expect(&v, v.f.bob.cert, KEYS, NULL, 0, 200, NULL);
	ck_assert_int_eq(env_crl(&v, 5, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	put_crl(6, 409, "crl-incomplete");
	fixture_crl(&v.f, 7, NULL, 0, CRL_UNSPECIFIED, &der);
	env_connect(&v, NULL, &p);
	ck_assert_int_eq(env_call(&v, &p, "PUT /crl", der.data, der.len, &r), 409);
	ck_assert_ptr_nonnull(strstr(buf_str(&r.body), v.g->lacks));
	ck_assert_ptr_null(strstr(buf_str(&r.body), "bob"));
	ck_assert_uint_eq(crl_set_number(v.g->list->set), 5);
	ck_assert_uint_eq(crl_set_number(v.g->stored->set), 5);
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(what_is_no_list_of_the_ca_is_refused) {
	OWN(buf_wipe) struct buf der = { 0 }, foreign = { 0 };
	struct fixture other = v.f;

	fixture_crl(&v.f, 7, &v.f.alice.cert, 1, CRL_KEY_COMPROMISE, &der);
	der.data[der.len - 1] ^= 1;
	env_expect(&v, NULL, "PUT /crl", der.data, der.len, 400, "crl-invalid");
	other.ca = v.f.foreign_ca;
	fixture_crl(&other, 8, NULL, 0, CRL_UNSPECIFIED, &foreign);
	env_expect(&v, NULL, "PUT /crl", foreign.data, foreign.len, 400, "crl-invalid");
	env_expect(&v, NULL, "PUT /crl", "garbage", 7, 400, "crl-invalid");
	env_expect(&v, NULL, "PUT /crl", NULL, 0, 400, "crl-invalid");
	ck_assert_uint_eq(crl_set_number(v.g->list->set), 1);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
}
END_TEST

START_TEST(large_bodies_are_an_admins) {
	OWN(own_free) char *large = xcalloc(1, ROUTE_CRL_ANYBODY + 1);

	env_expect(&v, NULL, "PUT /crl", large, ROUTE_CRL_ANYBODY + 1, 413, NULL);
	env_expect(&v, v.f.alice.cert, "PUT /crl", large, ROUTE_CRL_ANYBODY + 1, 413, NULL);
	env_expect(&v, v.f.admin.cert, "PUT /crl", large, ROUTE_CRL_ANYBODY + 1, 400, "crl-invalid");
	env_expect(&v, v.f.alice.cert, "PUT /v1/group/store", large, ROUTE_BODY + 1, 413, NULL);
	env_expect(&v, v.f.alice.cert, "POST /v1/ledger/events", large, ENTRIES_POST_MAX + 1, 413, NULL);
}
END_TEST

START_TEST(an_admin_who_was_revoked_is_nobody) {
	OWN(own_free) char *large = xcalloc(1, ROUTE_CRL_ANYBODY + 1);

	ck_assert_int_eq(env_crl(&v, 2, &v.f.admin.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	env_expect(&v, v.f.admin.cert, "PUT /crl", large, ROUTE_CRL_ANYBODY + 1, 413, NULL);
}
END_TEST

static int put_from(const char *address, bool loopback) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;
	int status;

	env_connect(&v, NULL, &p);
	(void)snprintf(p.address, sizeof p.address, "%s", address);
	p.loopback = loopback;
	status = env_call(&v, &p, "PUT /crl", "garbage", 7, &r);
	if (status == 429)
		ck_assert_uint_gt(r.retry_after_s, 0);
	route_forget(&v.service, &p);
	return status;
}

START_TEST(the_eleventh_list_in_a_minute_is_refused) {
	clock_stop_mono();
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(put_from("192.0.2.1", false), 400);
	ck_assert_int_eq(put_from("192.0.2.1", false), 429);
	ck_assert_int_eq(put_from("127.0.0.1", true), 400);
}
END_TEST

static int get_from(const char *address, X509 *cert) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;
	int status;

	env_connect(&v, cert, &p);
	(void)snprintf(p.address, sizeof p.address, "%s", address);
	p.loopback = false;
	status = env_call(&v, &p, "GET /crl", NULL, 0, &r);
	ck_assert((status == 429) == (r.retry_after_s > 0));
	route_forget(&v.service, &p);
	return status;
}

/* A large list is a large answer to a small question. */
START_TEST(strangers_fetch_the_list_sixty_times_a_minute_and_members_as_often_as_they_like) {
	static const char *const other[] = { "192.0.2.2", "198.51.100.1", "203.0.113.1", "2001:db8::1" };
	int others = 0;

	clock_stop_mono(); /* the minute does not end */
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(get_from("192.0.2.1", i % 2 == 0 ? NULL : v.f.foreign.cert), 200);
	ck_assert_int_eq(get_from("192.0.2.1", NULL), 429);
	ck_assert_int_eq(get_from("192.0.2.1", v.f.expired.cert), 429);
	for (int i = 0; i < 4; i++)
		others += get_from(other[i], NULL) == 200;
	ck_assert_int_ge(others, 2); /* two addresses may share a slot, one time in 4,096 */
	for (int i = 0; i < 70; i++)
		ck_assert_int_eq(get_from("192.0.2.1", v.f.alice.cert), 200);
}
END_TEST

START_TEST(loopback_has_no_rate) {
	for (int i = 0; i < 30; i++)
		ck_assert_int_eq(put_from("127.0.0.1", true), 400);
}
END_TEST

START_TEST(loopback_has_one_where_it_is_configured) {
	v.service.count_loopback = true;
	clock_stop_mono();
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(put_from("127.0.0.1", true), 400);
	ck_assert_int_eq(put_from("127.0.0.1", true), 429);
}
END_TEST

START_TEST(without_an_epoch_on_disk_nobody_is_let_in) {
	env_expect(&v, v.f.bob.cert, "GET /v1/group", NULL, 0, 200, NULL);
	ck_assert_int_eq(db_run(state_db(v.g->state), &e, "DELETE FROM thing WHERE name = 'keys'", ""), 0);
	v.g->stale = true; /* as after a settling that failed */
	env_expect(&v, v.f.bob.cert, "GET /v1/group", NULL, 0, 503, "not-stored");
	env_expect(&v, v.f.bob.cert, KEYS, NULL, 0, 503, "not-stored");
}
END_TEST

START_TEST(a_member_is_entered_before_his_keys_leave) {
	bool yes;

	ck_assert_int_eq(ledger_has_signer(v.g->ledger, v.f.bob.cert, &yes, &e), 0);
	ck_assert(!yes);
	env_expect(&v, v.f.bob.cert, KEYS, NULL, 0, 200, NULL);
	ck_assert_int_eq(ledger_has_signer(v.g->ledger, v.f.bob.cert, &yes, &e), 0);
	ck_assert(yes);
}
END_TEST

/* Half of it would be worse than nothing: who stands in the ledger and not among the members starts no epoch at his end. */
START_TEST(a_member_who_cannot_be_kept_is_not_entered) {
	uint64_t size = ledger_size(v.g->ledger);

	ck_assert_int_eq(db_run(state_db(v.g->state), &e, "CREATE TRIGGER full BEFORE INSERT ON member BEGIN SELECT raise(ABORT, 'full'); END", ""), 0);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 503, "not-stored");
	ck_assert_uint_eq(ledger_size(v.g->ledger), size);
	ck_assert_int_eq(db_run(state_db(v.g->state), &e, "DROP TRIGGER full", ""), 0);
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	ck_assert_uint_eq(ledger_size(v.g->ledger), size + 1);
}
END_TEST

START_TEST(no_keys_leave_while_the_database_cannot_be_written) {
	ck_assert_int_eq(db_run(state_db(v.g->state), &e, "ALTER TABLE member RENAME TO away", ""), 0);
	env_expect(&v, v.f.bob.cert, KEYS, NULL, 0, 503, "not-stored");
	ck_assert_int_eq(db_run(state_db(v.g->state), &e, "ALTER TABLE away RENAME TO member", ""), 0);
	env_expect(&v, v.f.bob.cert, KEYS, NULL, 0, 200, NULL);
}
END_TEST

static Suite *suite(void) {
	const TTest *tests[] = {
		a_member_gets_the_keys_sealed_to_him,
		an_admin_gets_the_keys_too,
		nobody_else_opens_a_members_reply,
		after_a_revocation_the_reply_has_both_epochs,
		after_a_rotation_by_another_process_too,
		what_another_process_broke_stays_closed_until_it_is_mended,
		replies_to_the_same_member_differ_by_nonce_only_in_the_signature,
		nonces_that_are_none_are_refused,
		without_a_certificate_nothing_is_served,
		a_foreign_certificate_is_refused,
		an_expired_certificate_is_refused,
		a_certificate_is_valid_in_its_first_and_its_last_second,
		what_the_handshake_found_is_not_forgotten,
		a_certificate_that_is_not_yet_valid_is_refused,
		a_gateways_certificate_is_no_members,
		a_revoked_certificate_is_refused,
		who_was_revoked_once_stays_so_whatever_a_later_list_says,
		nobody_is_let_in_where_the_ledger_cannot_be_asked,
		the_role_alone_decides_too,
		a_clock_refusal_names_the_gateways_time,
		an_open_connection_ends_with_its_certificate,
		an_open_connection_ends_with_its_revocation,
		a_reply_that_is_due_is_replaced_when_its_reader_was_revoked_meanwhile,
		connections_of_the_newly_revoked_are_to_be_closed_and_no_others,
		a_foreign_certificate_with_a_revoked_serial_is_foreign,
		a_round_that_was_not_stored_is_told_as_lost,
		bodies_for_what_is_not_there_are_refused_before_they_come,
		unknown_resources_are_not_found,
		other_methods_are_not_allowed,
		not_allowed_says_what_is,
		the_group_is_described,
		the_description_follows_each_change,
		the_first_to_set_the_store_wins,
		a_store_to_be_made_is_set_once,
		what_is_no_store_is_refused,
		closed_when_the_list_has_run_out,
		the_list_is_given_to_everybody_as_it_came,
		a_reply_keeps_its_list_when_another_comes,
		the_same_list_sent_again_is_fine,
		older_and_other_lists_are_refused,
		a_list_that_lacks_a_revocation_is_refused_and_names_nobody,
		what_is_no_list_of_the_ca_is_refused,
		large_bodies_are_an_admins,
		an_admin_who_was_revoked_is_nobody,
		the_eleventh_list_in_a_minute_is_refused,
		strangers_fetch_the_list_sixty_times_a_minute_and_members_as_often_as_they_like,
		loopback_has_no_rate,
		loopback_has_one_where_it_is_configured,
		without_an_epoch_on_disk_nobody_is_let_in,
		a_member_is_entered_before_his_keys_leave,
		a_member_who_cannot_be_kept_is_not_entered,
		no_keys_leave_while_the_database_cannot_be_written,
		NULL,
	};
	Suite *s = suite_create("route");
	TCase *t = tcase_create("open"), *closed = tcase_create("closed");

	tcase_add_checked_fixture(t, make, drop);
	for (size_t i = 0; tests[i] != NULL; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(closed, make_closed, drop);
	tcase_add_test(closed, closed_without_a_list);
	tcase_add_test(closed, a_list_that_is_sent_opens_the_gateway);
	suite_add_tcase(s, closed);
	return s;
}

int main(void) {
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
