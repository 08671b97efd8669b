/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/handle_ledger: what a member may append, what conflicts, what comes back. */
#include "gateway/route.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "gateway_env.h"
#include "lib/tmp.h"
#include "pki/ossl.h"

#define NONCE "00112233445566778899aabbccddeeff"
#define KEYS "GET /v1/keys?nonce=" NONCE

static struct env v;
static struct err e;
static const uint8_t nonce[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

static void make(void) {
	env_open(&v);
}

static void drop(void) {
	env_wipe(&v);
}

static void new_put_at(const struct fixture_id *who, const char *path, int64_t now_s, struct buf *body) {
	const struct ledger_signer by = { .key = who->key, .cert = who->cert, .now_s = now_s };
	uint8_t file[16], id[16], sha[32] = { 1 };
	char object[27];
	struct ledger_change c = { .op = EVENT_PUT, .path = path, .file = file, .object = object, .object_size = 10, .object_sha256 = sha,
		.content_sha256 = sha, .content_size = 5, .key_id = keyring_current(&v.g->keyring)->key_id };
	size_t mark = body->len;

	ck_assert_int_eq(random_bytes(file, sizeof file, &e), 0);
	ck_assert_int_eq(random_bytes(id, sizeof id, &e), 0);
	file[6] = (uint8_t)((file[6] & 0x0f) | 0x40);
	file[8] = (uint8_t)((file[8] & 0x3f) | 0x80);
	text_base32_id(id, object);
	ck_assert_msg(ledger_change(v.g->ledger, &c, &by, body, &e) == 0, "%s", e.text);
	entries_wrap(body, mark);
}

static void new_put(const struct fixture_id *who, const char *path, struct buf *body) {
	new_put_at(who, path, clock_now_s(), body);
}

static void post(const struct fixture_id *who, const struct buf *body, int status, const char *type) {
	env_expect(&v, who->cert, "POST /v1/ledger/events", body->data, body->len, status, type);
}

START_TEST(a_member_appends) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	OWN(buf_wipe) struct buf body = { 0 };
	struct server_peer p;
	json_t *json;
	uint64_t size;

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL); /* the member event */
	size = ledger_size(v.g->ledger);
	new_put(&v.f.alice, "a.txt", &body);
	env_connect(&v, v.f.alice.cert, &p);
	ck_assert_msg(env_call(&v, &p, "POST /v1/ledger/events", body.data, body.len, &r) == 201, "%s", buf_str(&r.body));
	json = json_loadb((const char *)r.body.data, r.body.len, 0, NULL);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "index")), (json_int_t)size);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "size")), (json_int_t)size + 1);
	json_decref(json);
	route_forget(&v.service, &p);
	env_restart(&v);
	ck_assert_uint_eq(ledger_size(v.g->ledger), size + 1);
}
END_TEST

START_TEST(the_same_entry_twice_is_refused) {
	OWN(buf_wipe) struct buf body = { 0 };

	new_put(&v.f.alice, "a.txt", &body);
	post(&v.f.alice, &body, 201, NULL);
	post(&v.f.alice, &body, 403, "entry-refused");
}
END_TEST

START_TEST(a_taken_path_is_a_conflict_that_names_its_author) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	OWN(buf_wipe) struct buf first = { 0 }, second = { 0 };
	struct server_peer p;

	new_put(&v.f.alice, "a.txt", &first);
	post(&v.f.alice, &first, 201, NULL);
	new_put(&v.f.bob, "A.txt", &second);
	env_connect(&v, v.f.bob.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, "POST /v1/ledger/events", second.data, second.len, &r), 409);
	ck_assert_ptr_nonnull(strstr(buf_str(&r.body), "urn:scg:conflict-path"));
	ck_assert_ptr_nonnull(strstr(buf_str(&r.body), "\"author\":\"alice\""));
	ck_assert_ptr_nonnull(strstr(buf_str(&r.body), "\"version\":1"));
	route_forget(&v.service, &p);
}
END_TEST

START_TEST(somebody_elses_event_is_refused) {
	OWN(buf_wipe) struct buf body = { 0 };

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	new_put(&v.f.alice, "a.txt", &body);
	post(&v.f.bob, &body, 403, "entry-refused");
}
END_TEST

START_TEST(an_event_under_an_old_epoch_is_a_conflict) {
	OWN(buf_wipe) struct buf body = { 0 };

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	new_put(&v.f.alice, "a.txt", &body);
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	post(&v.f.alice, &body, 409, "conflict-epoch");
}
END_TEST

START_TEST(an_event_by_a_wrong_clock_is_refused) {
	OWN(buf_wipe) struct buf body = { 0 };

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	new_put_at(&v.f.alice, "a.txt", clock_now_s() + 4000, &body);
	post(&v.f.alice, &body, 403, "clock");
}
END_TEST

START_TEST(all_entries_of_a_request_are_taken_or_none) {
	OWN(buf_wipe) struct buf one = { 0 }, two = { 0 }, both = { 0 };
	struct der a, b;
	uint64_t size;

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	size = ledger_size(v.g->ledger);
	new_put(&v.f.alice, "a.txt", &one);
	new_put(&v.f.alice, "A.TXT", &two);
	ck_assert_int_eq(entries_open(one.data, one.len, &a, &e), 0);
	ck_assert_int_eq(entries_open(two.data, two.len, &b, &e), 0);
	buf_add(&both, a.p, a.len);
	buf_add(&both, b.p, b.len);
	entries_wrap(&both, 0);
	post(&v.f.alice, &both, 409, "conflict-path");
	ck_assert_uint_eq(ledger_size(v.g->ledger), size);
	post(&v.f.alice, &one, 201, NULL);
}
END_TEST

/* A good entry before it does not carry what is none. */
START_TEST(a_good_entry_with_a_broken_one_behind_is_refused_whole) {
	static const char *const broken[] = { "\x30\x00", "\x04\x00", "\x30\x02\x04\x00", "\x30\x05" };
	static const size_t lens[] = { 2, 2, 4, 2 };
	OWN(buf_wipe) struct buf one = { 0 };
	struct der a;
	uint64_t size;

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	size = ledger_size(v.g->ledger);
	new_put(&v.f.alice, "a.txt", &one);
	ck_assert_int_eq(entries_open(one.data, one.len, &a, &e), 0);
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		OWN(buf_wipe) struct buf both = { 0 };

		buf_add(&both, a.p, a.len);
		buf_add(&both, broken[i], lens[i]);
		entries_wrap(&both, 0);
		post(&v.f.alice, &both, 400, "bad-entry");
		ck_assert_uint_eq(ledger_size(v.g->ledger), size);
	}
	post(&v.f.alice, &one, 201, NULL);
}
END_TEST

START_TEST(a_failed_request_leaves_others_of_its_round) {
	OWN(buf_wipe) struct buf good = { 0 };
	uint64_t size;

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	new_put(&v.f.alice, "a.txt", &good);
	size = ledger_size(v.g->ledger);
	ck_assert_int_eq(group_begin(v.g, &e), 0);
	post(&v.f.alice, &good, 201, NULL);
	post(&v.f.alice, &good, 403, "entry-refused");
	ck_assert_uint_eq(ledger_size(v.g->ledger), size + 1);
}
END_TEST

START_TEST(what_is_no_entry_is_refused) {
	OWN(buf_wipe) struct buf body = { 0 };
	static const uint8_t empty[] = { 0x30, 0x00 };

	env_expect(&v, v.f.alice.cert, "POST /v1/ledger/events", NULL, 0, 400, "bad-entry");
	env_expect(&v, v.f.alice.cert, "POST /v1/ledger/events", empty, sizeof empty, 400, "bad-entry");
	env_expect(&v, v.f.alice.cert, "POST /v1/ledger/events", "garbage", 7, 400, "bad-entry");
	new_put(&v.f.alice, "a.txt", &body);
	for (size_t n = 1; n < body.len; n += 37) {
		struct buf cut = { .data = body.data, .len = n };

		post(&v.f.alice, &cut, 400, "bad-entry");
	}
}
END_TEST

START_TEST(with_a_nonce_that_is_none_nothing_is_appended) {
	static const char *const heads[] = { "POST /v1/ledger/events?nonce=", "POST /v1/ledger/events?nonce=00",
		"POST /v1/ledger/events?nonce=001122334455667z", "POST /v1/ledger/events?nonce=" NONCE NONCE "00",
		"POST /v1/ledger/events?nonce=" NONCE "&nonce=" NONCE };
	OWN(buf_wipe) struct buf body = { 0 };
	uint64_t size;

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	new_put(&v.f.alice, "a.txt", &body);
	size = ledger_size(v.g->ledger);
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		env_expect(&v, v.f.alice.cert, heads[i], body.data, body.len, 400, "bad-nonce");
		ck_assert_uint_eq(ledger_size(v.g->ledger), size);
	}
	env_expect(&v, v.f.alice.cert, "POST /v1/ledger/events?nonce=" NONCE, body.data, body.len, 201, NULL);
}
END_TEST

START_TEST(flipped_entries_never_append) {
	OWN(buf_wipe) struct buf body = { 0 };
	uint64_t size;

	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	size = ledger_size(v.g->ledger);
	new_put(&v.f.alice, "a.txt", &body);
	for (size_t i = 0; i < body.len; i += 13) {
		OWN(http_reply_wipe) struct http_reply r = { 0 };
		struct server_peer p;

		body.data[i] ^= 0x04;
		env_connect(&v, v.f.alice.cert, &p);
		ck_assert_int_ge(env_call(&v, &p, "POST /v1/ledger/events", body.data, body.len, &r), 400);
		route_forget(&v.service, &p);
		body.data[i] ^= 0x04;
	}
	ck_assert_uint_eq(ledger_size(v.g->ledger), size);
	post(&v.f.alice, &body, 201, NULL);
}
END_TEST

START_TEST(gateways_events_cannot_be_posted) {
	const struct ledger_signer by = { .key = v.f.gateway.key, .cert = v.f.gateway.cert, .now_s = v.f.now_s };
	OWN(buf_wipe) struct buf body = { 0 };
	struct epoch ep = { .number = 2, .key_id = { 9 } };

	ck_assert_int_eq(ledger_epoch_entry(v.g->ledger, &ep, &by, &body, &e), 0);
	entries_wrap(&body, 0);
	post(&v.f.alice, &body, 403, "entry-refused");
}
END_TEST

START_TEST(a_revoked_member_appends_nothing) {
	OWN(buf_wipe) struct buf body = { 0 };
	uint64_t size;

	env_expect(&v, v.f.bob.cert, KEYS, NULL, 0, 200, NULL);
	new_put(&v.f.bob, "a.txt", &body);
	ck_assert_int_eq(env_crl(&v, 2, &v.f.bob.cert, 1, CRL_KEY_COMPROMISE), OFFER_TAKEN);
	size = ledger_size(v.g->ledger);
	post(&v.f.bob, &body, 403, "revoked");
	ck_assert_uint_eq(ledger_size(v.g->ledger), size);
}
END_TEST

START_TEST(the_head_is_signed_with_the_nonce) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	OWN(own_x509) X509 *signer = NULL;
	const struct head_check check = { .chain = v.f.chain, .nonce = nonce, .nonce_len = sizeof nonce, .at_s = v.f.now_s };
	struct server_peer p;
	struct head h;

	env_connect(&v, v.f.alice.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, "GET /v1/ledger/head?nonce=" NONCE, NULL, 0, &r), 200);
	ck_assert_msg(head_open(r.body.data, r.body.len, &check, &h, &signer, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(h.size, ledger_size(v.g->ledger));
	route_forget(&v.service, &p);
}
END_TEST

static void inflate_body(const struct http_reply *r, struct buf *out) {
	uLongf len = 1u << 20;

	if (r->encoding == NULL) {
		buf_add(out, r->body.data, r->body.len);
		return;
	}
	ck_assert_str_eq(r->encoding, "deflate");
	ck_assert_int_eq(uncompress(buf_room(out, len), &len, r->body.data, r->body.len), Z_OK);
	out->len = len;
}

static unsigned entries_from(uint64_t from) {
	OWN(own_free) char *head = xasprintf("GET /v1/ledger/entries?from=%llu", (unsigned long long)from);
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	OWN(buf_wipe) struct buf der = { 0 };
	struct server_peer p;
	struct entry en;
	unsigned n = 0;
	struct der run;

	env_connect(&v, v.f.alice.cert, &p);
	ck_assert_int_eq(env_call(&v, &p, head, NULL, 0, &r), 200);
	inflate_body(&r, &der);
	ck_assert_int_eq(entries_open(der.data, der.len, &run, &e), 0);
	for (; run.len > 0; n++)
		ck_assert_int_eq(entry_take(&run, &en, &e), 0);
	route_forget(&v.service, &p);
	return n;
}

START_TEST(entries_come_from_where_they_are_asked) {
	env_expect(&v, v.f.alice.cert, KEYS, NULL, 0, 200, NULL);
	ck_assert_uint_eq(entries_from(0), ledger_size(v.g->ledger));
	ck_assert_uint_eq(entries_from(2), ledger_size(v.g->ledger) - 2);
	ck_assert_uint_eq(entries_from(ledger_size(v.g->ledger)), 0);
}
END_TEST

START_TEST(entries_beyond_the_end_are_refused) {
	env_expect(&v, v.f.alice.cert, "GET /v1/ledger/entries?from=9999", NULL, 0, 404, "not-found");
	env_expect(&v, v.f.alice.cert, "GET /v1/ledger/entries", NULL, 0, 400, "bad-argument");
	env_expect(&v, v.f.alice.cert, "GET /v1/ledger/entries?from=-1", NULL, 0, 400, "bad-argument");
	env_expect(&v, v.f.alice.cert, "GET /v1/ledger/entries?from=1&from=2", NULL, 0, 400, "bad-argument");
	env_expect(&v, v.f.alice.cert, "GET /v1/ledger/entries?from=99999999999999999999", NULL, 0, 400, "bad-argument");
}
END_TEST

static Suite *suite(void) {
	const TTest *tests[] = {
		a_member_appends,
		the_same_entry_twice_is_refused,
		a_taken_path_is_a_conflict_that_names_its_author,
		somebody_elses_event_is_refused,
		an_event_under_an_old_epoch_is_a_conflict,
		an_event_by_a_wrong_clock_is_refused,
		all_entries_of_a_request_are_taken_or_none,
		a_good_entry_with_a_broken_one_behind_is_refused_whole,
		a_failed_request_leaves_others_of_its_round,
		what_is_no_entry_is_refused,
		with_a_nonce_that_is_none_nothing_is_appended,
		flipped_entries_never_append,
		gateways_events_cannot_be_posted,
		a_revoked_member_appends_nothing,
		the_head_is_signed_with_the_nonce,
		entries_come_from_where_they_are_asked,
		entries_beyond_the_end_are_refused,
		NULL,
	};
	Suite *s = suite_create("events");
	TCase *t = tcase_create("events");

	tcase_add_checked_fixture(t, make, drop);
	for (size_t i = 0; tests[i] != NULL; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
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
