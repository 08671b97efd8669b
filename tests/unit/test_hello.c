/* SPDX-License-Identifier: Apache-2.0 */
/* net/hello and tls_server_join: which of several certificates a client is shown, and which chain judges his. */
#include "net/hello.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/secret.h"
#include "lib/fixture.h"
#include "lib/suite.h"
#include "net/tls.h"
#include "pki/key.h"

/* --- the extensions --- */

static void add_vector(struct buf *b, const void *data, size_t len) {
	buf_addc(b, (uint8_t)(len >> 8));
	buf_addc(b, (uint8_t)len);
	buf_add(b, data, len);
}

static void add_subject(struct buf *list, const X509 *ca) {
	const unsigned char *der;
	size_t len;

	ck_assert_int_eq(X509_NAME_get0_der(X509_get_subject_name(ca), &der, &len), 1);
	add_vector(list, der, len);
}

static struct fixture_id lab, law;

static void make_cas(void) {
	fixture_ca("lab", NULL, &lab);
	fixture_ca("law", NULL, &law);
}

static void drop_cas(void) {
	fixture_id_wipe(&lab);
	fixture_id_wipe(&law);
}

static bool names_law(void *arg, const uint8_t *data, size_t len) {
	(void)arg;
	return hello_names_authority(data, len, X509_get_subject_name(law.cert));
}

START_TEST(an_authority_is_found_among_others) {
	OWN(buf_wipe) struct buf list = { 0 };
	OWN(buf_wipe) struct buf ext = { 0 };

	add_subject(&list, lab.cert);
	add_vector(&ext, list.data, list.len);
	ck_assert(!names_law(NULL, ext.data, ext.len));
	ck_assert(hello_names_authority(ext.data, ext.len, X509_get_subject_name(lab.cert)));
	add_subject(&list, law.cert);
	buf_clear(&ext);
	add_vector(&ext, list.data, list.len);
	ck_assert(names_law(NULL, ext.data, ext.len));
	ck_assert(!names_law(NULL, NULL, 0));
} END_TEST

START_TEST(authorities_that_are_cut_or_changed_name_nobody) {
	OWN(buf_wipe) struct buf list = { 0 };
	OWN(buf_wipe) struct buf ext = { 0 };

	add_subject(&list, law.cert);
	add_vector(&ext, list.data, list.len);
	sweep_refused(ext.data, ext.len, names_law, NULL);
	buf_addc(&ext, 0);
	ck_assert(!names_law(NULL, ext.data, ext.len));
} END_TEST

static void add_name(struct buf *ext, uint8_t type, const void *name, size_t len) {
	OWN(buf_wipe) struct buf list = { 0 };

	buf_addc(&list, type);
	add_vector(&list, name, len);
	add_vector(ext, list.data, list.len);
}

static bool is_example(void *arg, const uint8_t *data, size_t len) {
	char name[HELLO_NAME_MAX + 1];

	(void)arg;
	return hello_server_name(data, len, name) && strcmp(name, "gw.example") == 0;
}

START_TEST(a_server_name_is_read) {
	OWN(buf_wipe) struct buf ext = { 0 };

	add_name(&ext, 0, "gw.example", 10);
	ck_assert(is_example(NULL, ext.data, ext.len));
	sweep_refused(ext.data, ext.len, is_example, NULL);
} END_TEST

START_TEST(a_server_name_that_is_none_is_not_read) {
	static const struct { uint8_t type; const char *name; size_t len; } bad[] = { { 1, "gw.example", 10 }, { 0, "", 0 }, { 0, "gw\0example", 10 } };
	char longest[HELLO_NAME_MAX + 1], out[HELLO_NAME_MAX + 1];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		OWN(buf_wipe) struct buf ext = { 0 };

		add_name(&ext, bad[i].type, bad[i].name, bad[i].len);
		ck_assert(!hello_server_name(ext.data, ext.len, out));
	}
	memset(longest, 'a', sizeof longest);
	for (size_t len = HELLO_NAME_MAX; len <= HELLO_NAME_MAX + 1; len++) {
		OWN(buf_wipe) struct buf ext = { 0 };

		add_name(&ext, 0, longest, len);
		ck_assert(hello_server_name(ext.data, ext.len, out) == (len == HELLO_NAME_MAX));
	}
} END_TEST

/* --- the choice --- */

#define GROUPS 3

static struct group {
	struct fixture_id ca, gateway, member;
	struct chain *chain;
	SSL_CTX *ctx;
} groups[GROUPS];
static SSL_CTX *front;

static void issue(const struct fixture_id *ca, enum role role, const char *san, struct fixture_id *out) {
	int64_t now_s = clock_now_s();
	struct profile_request r = { .role = role, .name = "one", .san = san, .not_before_s = now_s - 3600, .not_after_s = now_s + FIXTURE_DAY_S };
	struct err e = ERR_INIT;

	ck_assert_int_eq(random_bytes(r.serial, sizeof r.serial, &e), 0);
	ck_assert_int_eq(key_make(NULL, &out->key, &e), 0);
	ck_assert_msg(profile_issue(ca->key, ca->cert, out->key, &r, &out->cert, &e) == 0, "%s", e.text);
}

static void join_groups(void) {
	static const char *const names[GROUPS] = { "lab", "law", "inn" };
	static const char *const sans[GROUPS] = { "DNS:both.example,DNS:lab.example", "DNS:both.example,DNS:law.example", "DNS:inn.example" };
	SSL_CTX *all[GROUPS];
	struct err e = ERR_INIT;

	for (size_t i = 0; i < GROUPS; i++) {
		struct group *g = &groups[i];

		fixture_ca(names[i], NULL, &g->ca);
		issue(&g->ca, ROLE_GATEWAY, sans[i], &g->gateway);
		issue(&g->ca, ROLE_MEMBER, NULL, &g->member);
		ck_assert_int_eq(chain_new(g->ca.cert, &g->chain, &e), 0);
		ck_assert_msg(tls_server_new(g->gateway.key, g->gateway.cert, g->chain, &g->ctx, &e) == 0, "%s", e.text);
		all[i] = g->ctx;
	}
	ck_assert_msg(tls_server_join(all, GROUPS, &front, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < GROUPS; i++)
		SSL_CTX_free(groups[i].ctx); /* the front keeps them */
}

static void drop_groups(void) {
	SSL_CTX_free(front);
	for (size_t i = 0; i < GROUPS; i++) {
		fixture_id_wipe(&groups[i].ca);
		fixture_id_wipe(&groups[i].gateway);
		fixture_id_wipe(&groups[i].member);
		chain_free(groups[i].chain);
	}
}

/* What a client asks for, and what came of it. */
struct meeting {
	const char *name;             /* server_name, or NULL */
	const X509 *authorities[2];   /* or NULL */
	const struct fixture_id *who; /* or NULL */
	const struct group *shown, *belongs;
	enum verdict verdict;
	bool named_cas; /* the server named CAs */
};

static SSL_CTX *client_ctx(const struct meeting *m) {
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	STACK_OF(X509_NAME) *list = sk_X509_NAME_new_null();

	for (size_t i = 0; i < 2 && m->authorities[i] != NULL; i++)
		ck_assert_int_gt(sk_X509_NAME_push(list, X509_NAME_dup(X509_get_subject_name(m->authorities[i]))), 0);
	SSL_CTX_set0_CA_list(ctx, list);
	if (m->who != NULL) {
		ck_assert_int_eq(SSL_CTX_use_certificate(ctx, m->who->cert), 1);
		ck_assert_int_eq(SSL_CTX_use_PrivateKey(ctx, m->who->key), 1);
	}
	return ctx;
}

static const struct group *group_of(const X509 *shown, const struct chain *chain) {
	for (size_t i = 0; i < GROUPS; i++)
		if ((shown != NULL && X509_cmp(shown, groups[i].gateway.cert) == 0) || (chain != NULL && chain == groups[i].chain))
			return &groups[i];
	return NULL;
}

/* Both ends in one thread, until both have finished. */
static void shake(SSL *a, SSL *b) {
	int server = 0, client = 0;

	for (int i = 0; i < 100 && (server != 1 || client != 1); i++) {
		client = SSL_do_handshake(b);
		server = SSL_do_handshake(a);
	}
	ck_assert_int_eq(client, 1);
	ck_assert_int_eq(server, 1);
}

static void meet(struct meeting *m) {
	SSL_CTX *ctx = client_ctx(m);
	SSL *a = SSL_new(front), *b = SSL_new(ctx);
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(SSL_set_fd(a, pair[0]) & SSL_set_fd(b, pair[1]), 1);
	SSL_set_accept_state(a);
	SSL_set_connect_state(b);
	if (m->name != NULL)
		ck_assert_int_eq(SSL_set_tlsext_host_name(b, m->name), 1);
	shake(a, b);
	m->shown = group_of(SSL_get0_peer_certificate(b), NULL);
	m->belongs = group_of(NULL, tls_peer_chain(a));
	m->verdict = tls_peer_verdict(a);
	m->named_cas = sk_X509_NAME_num(SSL_get0_peer_CA_list(b)) > 0;
	SSL_free(a);
	SSL_free(b);
	SSL_CTX_free(ctx);
	close(pair[0]);
	close(pair[1]);
}

static const struct { const char *name; int authorities[2]; int shown; } choices[] = {
	{ NULL, { -1, -1 }, 0 },
	{ "both.example", { -1, -1 }, 0 },       /* two have it: it says nothing */
	{ "lab.example", { -1, -1 }, 0 },
	{ "law.example", { -1, -1 }, 1 },
	{ "LAW.example", { -1, -1 }, 1 },        /* RFC 4343 */
	{ "inn.example", { -1, -1 }, 2 },
	{ "no.example", { -1, -1 }, 0 },
	{ NULL, { 1, -1 }, 1 },
	{ "lab.example", { 1, -1 }, 1 },         /* the authority goes first */
	{ "lab.example", { 2, 1 }, 1 },          /* of two the one that the configuration has first */
	{ "law.example", { -2, -1 }, 1 },        /* an authority that nobody has */
	{ NULL, { -2, 2 }, 2 },
};

START_TEST(the_certificate_that_is_shown_is_the_one_asked_for) {
	struct fixture_id stranger;
	struct meeting m = { .name = choices[_i].name };

	fixture_ca("none", NULL, &stranger);
	for (size_t i = 0; i < 2 && choices[_i].authorities[i] != -1; i++)
		m.authorities[i] = choices[_i].authorities[i] == -2 ? stranger.cert : groups[choices[_i].authorities[i]].ca.cert;
	meet(&m);
	ck_assert_ptr_eq(m.shown, &groups[choices[_i].shown]);
	ck_assert_ptr_eq(m.belongs, m.shown);
	ck_assert_int_eq(m.verdict, VERDICT_NO_CERTIFICATE);
	ck_assert(!m.named_cas);
	fixture_id_wipe(&stranger);
} END_TEST

START_TEST(a_member_belongs_to_his_issuers_group_whatever_is_shown) {
	for (size_t shown = 0; shown < GROUPS; shown++)
		for (size_t i = 0; i < GROUPS; i++)
			for (int again = 0; again < 2; again++) { /* from the list of known ones too */
				struct meeting m = { .authorities = { groups[shown].ca.cert }, .who = &groups[i].member };

				meet(&m);
				ck_assert_ptr_eq(m.shown, &groups[shown]);
				ck_assert_ptr_eq(m.belongs, &groups[i]);
				ck_assert_int_eq(m.verdict, VERDICT_GOOD);
			}
} END_TEST

START_TEST(who_belongs_to_none_is_foreign_to_whom_he_was_shown) {
	struct fixture_id ca, one;

	fixture_ca("law", NULL, &ca); /* the name of a group, but not its key */
	issue(&ca, ROLE_MEMBER, NULL, &one);
	for (size_t shown = 0; shown < GROUPS; shown++) {
		struct meeting m = { .authorities = { groups[shown].ca.cert }, .who = &one };

		meet(&m);
		ck_assert_ptr_eq(m.belongs, &groups[shown]);
		ck_assert_int_eq(m.verdict, VERDICT_FOREIGN);
	}
	fixture_id_wipe(&ca);
	fixture_id_wipe(&one);
} END_TEST

START_TEST(a_gateways_certificate_is_no_members_in_any_group) {
	for (size_t shown = 0; shown < GROUPS; shown++) {
		struct meeting m = { .authorities = { groups[shown].ca.cert }, .who = &groups[1].gateway };

		meet(&m);
		ck_assert_ptr_eq(m.belongs, &groups[1]);
		ck_assert_int_eq(m.verdict, VERDICT_WRONG_PURPOSE);
	}
} END_TEST

int main(void) {
	TCase *t = tcase_create("extensions"), *choice = tcase_create("choice");
	Suite *s = suite_create("hello");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, make_cas, drop_cas);
	tcase_add_test(t, an_authority_is_found_among_others);
	tcase_add_test(t, authorities_that_are_cut_or_changed_name_nobody);
	tcase_add_test(t, a_server_name_is_read);
	tcase_add_test(t, a_server_name_that_is_none_is_not_read);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(choice, join_groups, drop_groups);
	tcase_add_loop_test(choice, the_certificate_that_is_shown_is_the_one_asked_for, 0, sizeof choices / sizeof *choices);
	tcase_add_test(choice, a_member_belongs_to_his_issuers_group_whatever_is_shown);
	tcase_add_test(choice, who_belongs_to_none_is_foreign_to_whom_he_was_shown);
	tcase_add_test(choice, a_gateways_certificate_is_no_members_in_any_group);
	suite_add_tcase(s, choice);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
