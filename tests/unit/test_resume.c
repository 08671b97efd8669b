/* SPDX-License-Identifier: Apache-2.0 */
/* net/resume: whom a session lets in, for how long, and what ends it. */
#include "base/clock.h"
#include "net/tls.h"
#include "server_app.h"

static const struct server_limits keeps = { .sessions = 64 }, keeps_one = { .sessions = 1 }, none = { .sessions = 0 },
	shared = { .sessions = 64, .threads = 4 };

#define SWAP "GET /swap HTTP/1.1\r\nHost: localhost\r\n\r\n"

static int session_index = -1;

static int take_session(SSL *ssl, SSL_SESSION *s) {
	SSL_SESSION **to = SSL_get_ex_data(ssl, session_index);

	if (to == NULL || *to != NULL)
		return 0;
	*to = s;
	return 1;
}

struct visit {
	int status;
	bool resumed;
};

/* Comes, asks once, leaves; *next is the session that was given (NULL: none), if somebody wants it. */
static struct visit visit(const struct fixture_id *id, SSL_SESSION *with, SSL_SESSION **next) {
	SSL_CTX *ctx = caller_ctx(id);
	struct visit v;
	struct caller c;

	if (next != NULL)
		*next = NULL;
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, take_session);
	ck_assert(caller_open_with(&c, web.port, ctx, with));
	ck_assert_int_eq(SSL_set_ex_data(c.ssl, session_index, next), 1);
	v.status = caller_ask(&c, GET);
	v.resumed = SSL_session_reused(c.ssl) == 1;
	SSL_set_shutdown(c.ssl, SSL_SENT_SHUTDOWN); /* the client's OpenSSL would not use the session otherwise; the server hears no goodbye */
	caller_close(&c);
	return v;
}

static SSL_SESSION *first_visit(const struct fixture_id *id) {
	SSL_SESSION *s;
	struct visit v = visit(id, NULL, &s);

	ck_assert_int_eq(v.status, 200);
	ck_assert(!v.resumed);
	ck_assert_ptr_nonnull(s);
	return s;
}

static void check_resumed(SSL_SESSION *s, bool resumed) {
	struct visit v = visit(&group.alice, s, NULL);

	ck_assert_int_eq(v.resumed, resumed);
	ck_assert_int_eq(v.status, 200);
}

/* Each visit brings another session; the session says who he is, not what he shows. */
START_TEST(member_who_comes_back_is_let_in_by_his_session) {
	struct server_stats stats;
	SSL_SESSION *s, *next;
	struct visit v;

	app_start(_i == 0 ? &keeps : &shared);
	s = first_visit(&group.alice);
	for (int i = 0; i < 8; i++) {
		v = visit(i % 2 == 0 ? &group.alice : NULL, s, &next);
		ck_assert_int_eq(v.status, 200);
		ck_assert(v.resumed);
		ck_assert_ptr_nonnull(next);
		SSL_SESSION_free(s);
		s = next;
	}
	server_get_stats(web.server, &stats);
	ck_assert_uint_eq(stats.handshakes, 9);
	ck_assert_uint_eq(stats.resumed, 8);
	SSL_SESSION_free(s);
	(void)web_stop(&web);
} END_TEST

START_TEST(session_holds_no_early_data) {
	SSL_SESSION *s;

	app_start(&keeps);
	s = first_visit(&group.alice);
	ck_assert_uint_eq(SSL_SESSION_get_max_early_data(s), 0);
	ck_assert_uint_le(SSL_SESSION_get_ticket_lifetime_hint(s), 3600);
	SSL_SESSION_free(s);
	(void)web_stop(&web);
} END_TEST

/* Refusals. */

START_TEST(nothing_is_resumed_unless_asked) {
	SSL_SESSION *s;

	app_start(&none);
	ck_assert_int_eq(visit(&group.alice, NULL, &s).status, 200);
	ck_assert_ptr_null(s);
	(void)web_stop(&web);
} END_TEST

START_TEST(who_is_not_good_gets_no_session) {
	const struct fixture_id *const bad[] = { NULL, &group.foreign, &group.gateway, &group.expired };
	SSL_SESSION *s;

	app_start(&keeps);
	/* The application asks for dates, ours here does not. */
	ck_assert_int_eq(visit(bad[_i], NULL, &s).status, bad[_i] == &group.expired ? 200 : 403);
	ck_assert_ptr_null(s);
	(void)web_stop(&web);
} END_TEST

START_TEST(swap_ends_all_sessions) {
	SSL_SESSION *alice, *bob;
	struct caller c;

	app_start(_i == 0 ? &keeps : &shared);
	alice = first_visit(&group.alice);
	bob = first_visit(&group.bob);
	caller_open(&c, web.port, &group.bob);
	ck_assert_int_eq(caller_ask(&c, SWAP), 200); /* whomever the list names */
	check_resumed(alice, false);
	ck_assert(!visit(&group.bob, bob, NULL).resumed);
	SSL_SESSION_free(alice);
	alice = first_visit(&group.alice);
	check_resumed(alice, true);
	SSL_SESSION_free(alice);
	SSL_SESSION_free(bob);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

/* The connection was there before the list, and so its session comes too late. */
START_TEST(session_of_before_the_swap_makes_no_new_one) {
	SSL_CTX *ctx = caller_ctx(&group.alice);
	SSL_SESSION *s, *late = NULL;
	struct caller c, bob;

	app_start(&keeps);
	s = first_visit(&group.alice);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, take_session);
	ck_assert(caller_open_with(&c, web.port, ctx, s));
	ck_assert_int_eq(SSL_set_ex_data(c.ssl, session_index, &late), 1);
	caller_open(&bob, web.port, &group.bob);
	ck_assert_int_eq(caller_ask(&bob, SWAP), 200);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	ck_assert_ptr_nonnull(late);
	SSL_set_shutdown(c.ssl, SSL_SENT_SHUTDOWN);
	check_resumed(late, false);
	SSL_SESSION_free(s);
	SSL_SESSION_free(late);
	caller_close(&c);
	caller_close(&bob);
	(void)web_stop(&web);
} END_TEST

START_TEST(new_certificate_of_the_server_ends_all_sessions) {
	SSL_SESSION *s;

	app_start(&keeps);
	s = first_visit(&group.alice);
	server_set_ctx(web.server, web.ctx);
	check_resumed(s, false);
	SSL_SESSION_free(s);
	(void)web_stop(&web);
} END_TEST

START_TEST(revoked_member_is_refused_in_a_resumed_connection) {
	SSL_SESSION *s;
	struct visit v;

	app_start(&keeps);
	s = first_visit(&group.alice);
	atomic_store(&app.revoked, true);
	v = visit(&group.alice, s, NULL);
	ck_assert(v.resumed);
	ck_assert_int_eq(v.status, 403);
	SSL_SESSION_free(s);
	(void)web_stop(&web);
} END_TEST

static void wait_ms(int64_t ms) {
	clock_move_mono_ms(ms); /* at once: the server's thread looks at the clock too */
}

/* However often it was renewed. */
START_TEST(hour_after_the_handshake_is_the_end) {
	SSL_SESSION *s, *next;

	app_start(&keeps);
	s = first_visit(&group.alice);
	wait_ms(1800000);
	ck_assert(visit(&group.alice, s, &next).resumed);
	ck_assert_ptr_nonnull(next);
	wait_ms(1800000);
	check_resumed(next, false);
	SSL_SESSION_free(s);
	SSL_SESSION_free(next);
	(void)web_stop(&web);
} END_TEST

START_TEST(end_of_the_certificate_is_the_end) {
	SSL_SESSION *s;

	app_start(&keeps);
	s = first_visit(&group.alice);
	clock_shift_s(90 * FIXTURE_DAY_S - 3600);
	check_resumed(s, true);
	clock_shift_s(7200); /* 3600 after the end of it */
	ck_assert(!visit(&group.alice, s, NULL).resumed);
	SSL_SESSION_free(s);
	(void)web_stop(&web);
} END_TEST

START_TEST(cache_has_an_end) {
	SSL_SESSION *s, *t;

	app_start(&keeps_one);
	s = first_visit(&group.alice);
	t = first_visit(&group.alice);
	check_resumed(s, false); /* and another one takes the place of t */
	check_resumed(t, false);
	SSL_SESSION_free(s);
	SSL_SESSION_free(t);
	(void)web_stop(&web);
} END_TEST

/* What is presented need not be ours: each byte of it that a stranger may choose. */
START_TEST(made_up_session_is_a_full_handshake) {
	SSL_SESSION *s, *other;
	unsigned char *der = NULL, *p;
	const unsigned char *id;
	size_t id_len;
	int len;

	app_start(&keeps);
	s = first_visit(&group.alice);
	SSL_SESSION_get0_ticket(s, &id, &id_len);
	ck_assert_uint_gt(id_len, 0);
	ck_assert_int_gt(len = i2d_SSL_SESSION(s, &der), 0);
	p = memmem(der, (size_t)len, id, id_len);
	ck_assert_ptr_nonnull(p);
	p[id_len - 1] ^= 1;
	id = der;
	ck_assert_ptr_nonnull(other = d2i_SSL_SESSION(NULL, &id, len));
	check_resumed(other, false);
	check_resumed(s, true);
	OPENSSL_free(der);
	SSL_SESSION_free(s);
	SSL_SESSION_free(other);
	(void)web_stop(&web);
} END_TEST

/* Its id is known, its secret is not (RFC 8446 4.2.11.2). */
START_TEST(session_without_its_secret_opens_nothing) {
	SSL_SESSION *s, *other;
	unsigned char *der = NULL, *p, secret[64];
	const unsigned char *from;
	struct caller c;
	size_t n;
	int len;

	app_start(&keeps);
	s = first_visit(&group.alice);
	n = SSL_SESSION_get_master_key(s, secret, sizeof secret);
	ck_assert_int_gt(len = i2d_SSL_SESSION(s, &der), 0);
	ck_assert_ptr_nonnull(p = memmem(der, (size_t)len, secret, n));
	*p ^= 1;
	from = der;
	ck_assert_ptr_nonnull(other = d2i_SSL_SESSION(NULL, &from, len));
	ck_assert(!caller_open_with(&c, web.port, caller_ctx(NULL), other));
	caller_close(&c);
	check_resumed(s, true);
	OPENSSL_free(der);
	SSL_SESSION_free(s);
	SSL_SESSION_free(other);
	(void)web_stop(&web);
} END_TEST

/* --- two groups behind one address --- */

static const struct chain *_Atomic judged_by;

static void note_chain(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply) {
	atomic_store(&judged_by, p->chain);
	app_handle(arg, p, r, reply);
}

static SSL_CTX *behind_one_address(SSL_CTX *ours, struct chain **other) {
	SSL_CTX *both[2] = { ours, NULL }, *front = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(chain_new(group.foreign_ca.cert, other, &e), 0);
	ck_assert_int_eq(tls_server_new(group.foreign_gateway.key, group.foreign_gateway.cert, *other, &both[1], &e), 0);
	ck_assert_int_eq(tls_server_join(both, 2, &front, &e), 0);
	SSL_CTX_free(both[1]);
	return front;
}

/* Whatever the client asks for with it. */
START_TEST(session_is_of_the_group_that_let_the_member_in) {
	const struct server_ops ops = { .arg = &app, .handle = note_chain, .forget = app_forget };
	const struct fixture_id *who = _i == 0 ? &group.alice : &group.foreign;
	struct chain *other = NULL;
	SSL_SESSION *s;
	SSL_CTX *front;
	struct visit v;

	web_start(&web, &group, &group.gateway, &ops, &keeps);
	front = behind_one_address(web.ctx, &other);
	server_set_ctx(web.server, front);
	s = first_visit(who);
	ck_assert_ptr_eq(judged_by, _i == 0 ? group.chain : other);
	atomic_store(&judged_by, NULL);
	v = visit(_i == 0 ? &group.foreign : &group.alice, s, NULL);
	ck_assert(v.resumed);
	ck_assert_int_eq(v.status, 200);
	ck_assert_ptr_eq(judged_by, _i == 0 ? group.chain : other);
	SSL_SESSION_free(s);
	(void)web_stop(&web);
	SSL_CTX_free(front);
	chain_free(other);
} END_TEST

int main(void) {
	TCase *t = tcase_create("resume");

	session_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	tcase_add_loop_test(t, member_who_comes_back_is_let_in_by_his_session, 0, 2);
	tcase_add_test(t, session_holds_no_early_data);
	tcase_add_test(t, nothing_is_resumed_unless_asked);
	tcase_add_loop_test(t, who_is_not_good_gets_no_session, 0, 4);
	tcase_add_loop_test(t, swap_ends_all_sessions, 0, 2);
	tcase_add_test(t, session_of_before_the_swap_makes_no_new_one);
	tcase_add_test(t, new_certificate_of_the_server_ends_all_sessions);
	tcase_add_test(t, revoked_member_is_refused_in_a_resumed_connection);
	tcase_add_test(t, hour_after_the_handshake_is_the_end);
	tcase_add_test(t, end_of_the_certificate_is_the_end);
	tcase_add_test(t, cache_has_an_end);
	tcase_add_test(t, made_up_session_is_a_full_handshake);
	tcase_add_test(t, session_without_its_secret_opens_nothing);
	tcase_add_loop_test(t, session_is_of_the_group_that_let_the_member_in, 0, 2);
	return app_run("resume", t);
}
