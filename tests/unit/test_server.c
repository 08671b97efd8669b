/* SPDX-License-Identifier: Apache-2.0 */
/* net/server and net/tls over real sockets: who is let in, who waits for whom, and what a client that is refused gets to read. */
#include "net/server.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "lib/web.h"
#include "net/tls.h"
#include "pki/cert.h"

#define GET "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define BIG (8u << 20)

static struct fixture group;
static struct web web;
static struct app {
	atomic_int handled, commits, forgotten, ticks, refused, released;
	atomic_bool commit_fails, revoked, stop_in_handler;
	X509 *_Atomic named; /* server_close_if closes who has this certificate */
} app;
static uint8_t big[BIG];

static int64_t body_max(void *arg, struct server_peer *p, const struct http_request *r, struct http_reply *reply) {
	(void)arg;
	if (p->verdict != VERDICT_GOOD) {
		http_problem(reply, 403, verdict_name(p->verdict), "before the body");
		return -403;
	}
	return strcmp(r->path, "/large") == 0 ? 4 << 20 : 1024;
}

static void release_big(void *owner) {
	atomic_fetch_add(&((struct app *)owner)->released, 1);
}

static bool is_named(void *arg, struct server_peer *p, struct http_reply *reply) {
	X509 *named = atomic_load(&((struct app *)arg)->named);

	if (named == NULL || p->cert == NULL || X509_cmp(p->cert, named) != 0)
		return false;
	http_problem(reply, 403, "revoked", "since your request began");
	return true;
}

static void handle(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply) {
	struct app *a = arg;

	atomic_fetch_add(&a->handled, 1);
	if (p->data == NULL)
		p->data = xstrdup(r->path);
	if (p->verdict != VERDICT_GOOD) {
		http_problem(reply, 403, verdict_name(p->verdict), "not for you");
		reply->close = true;
		return;
	}
	reply->status = 200;
	reply->type = "text/plain";
	if (strcmp(r->path, "/big") == 0) {
		reply->shared = big;
		reply->shared_len = sizeof big;
		reply->unref = release_big;
		reply->owner = a;
	} else if (r->has_body) {
		buf_addf(&reply->body, "%zu", r->body.len);
	} else {
		buf_adds(&reply->body, r->path);
	}
	if (strcmp(r->path, "/stop") == 0)
		server_stop(web.server);
	if (strcmp(r->path, "/swap") == 0)
		server_close_if(web.server, is_named, a);
}

static int commit(void *arg) {
	struct app *a = arg;

	atomic_fetch_add(&a->commits, 1);
	return atomic_load(&a->commit_fails) ? -1 : 0;
}

static bool still_good(void *arg, struct server_peer *p, const struct http_request *r, struct http_reply *reply) {
	struct app *a = arg;

	(void)p, (void)r;
	if (!atomic_load(&a->revoked))
		return true;
	http_problem(reply, 403, "revoked", "a moment ago");
	return false;
}

static void forget(void *arg, struct server_peer *p) {
	free(p->data);
	atomic_fetch_add(&((struct app *)arg)->forgotten, 1);
}

static void tick(void *arg) {
	atomic_fetch_add(&((struct app *)arg)->ticks, 1);
}

static void refused(void *arg, const struct server_peer *p, int status, const char *why) {
	(void)p, (void)why;
	atomic_store(&((struct app *)arg)->refused, status);
}

static void start(const struct server_limits *lim) {
	static const struct server_ops ops = {
		.arg = &app, .body_max = body_max, .handle = handle, .commit = commit, .still_good = still_good, .forget = forget, .tick = tick,
		.refused = refused,
	};

	web_start(&web, &group, &group.gateway, &ops, lim);
}

static void set_up(void) {
	(void)signal(SIGPIPE, SIG_IGN);
	app = (struct app){0};
	fixture_init(&group);
}

static void tear_down(void) {
	fixture_wipe(&group);
}

static bool wait_for(atomic_int *v, int want) {
	for (int i = 0; i < 1000 && atomic_load(v) < want; i++)
		usleep(10000);
	return atomic_load(v) >= want;
}

START_TEST(member_is_served_and_kept) {
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	ck_assert(wait_for(&app.forgotten, 1));
	(void)web_stop(&web);
	ck_assert_int_eq(app.forgotten, 1);
	ck_assert_int_eq(app.handled, 100);
} END_TEST

static const struct { size_t id; const char *reason; } strangers[] = {
	{ 0, "no-certificate" },
	{ offsetof(struct fixture, foreign), "foreign" },
	{ offsetof(struct fixture, gateway), "wrong-purpose" },
	{ offsetof(struct fixture, foreign_gateway), "foreign" },
	{ offsetof(struct fixture, foreign_ca), "foreign" },
};

START_TEST(stranger_reads_why_before_the_end) {
	const struct fixture_id *id = (const void *)((const char *)&group + strangers[_i].id);
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, strangers[_i].id == 0 ? NULL : id);
	caller_say(&c, GET);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), strangers[_i].reason));
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "Connection: close"));
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

/* The body is never taken, and the refusal arrives all the same. */
START_TEST(stranger_with_a_long_body_reads_why) {
	OWN(buf_wipe) struct buf reply = {0};
	static const char body[65536];
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.foreign);
	caller_say(&c, "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n");
	for (int i = 0; i < 8; i++)
		caller_send(&c, body, sizeof body);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "before the body"));
	caller_close(&c);
	(void)web_stop(&web);
	ck_assert_int_eq(app.handled, 0);
} END_TEST

START_TEST(body_is_whole_when_it_is_handled) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n0123");
	usleep(50000);
	caller_say(&c, "456789");
	ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "\r\n\r\n10"));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(large_body_arrives_in_pieces_of_any_size) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, "PUT /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n");
	for (size_t left = 2000000, n = 1; left > 0; left -= n) {
		n = n * 3 % 50021 < left ? n * 3 % 50021 : left;
		caller_send(&c, big, n);
	}
	ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "\r\n\r\n2000000"));
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(body_above_the_cap_is_413) {
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1025\r\n\r\n"), 413);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
	ck_assert_int_eq(app.refused, 413);
} END_TEST

START_TEST(client_that_expects_is_told_to_continue) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	ck_assert_int_eq(caller_reply(&c, true, &reply), 100);
	caller_say(&c, "hello");
	ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(pipelined_requests_are_answered_in_order) {
	OWN(buf_wipe) struct buf ask = {0}, reply = {0};
	struct caller c;
	const char *at;

	for (int i = 0; i < 200; i++) {
		buf_addf(&ask, "GET /n%d HTTP/1.1\r\nHost: localhost\r\n\r\n", i);
		buf_addf(&ask, "POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
	}
	start(NULL);
	caller_open(&c, web.port, &group.alice);
	caller_send(&c, ask.data, ask.len);
	for (int i = 0; i < 400; i++)
		ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	at = buf_str(&reply);
	for (int i = 0; i < 200; i++) {
		char want[32];

		(void)snprintf(want, sizeof want, "\r\n\r\n/n%d", i);
		ck_assert_ptr_nonnull(at = strstr(at, want));
	}
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(head_of_a_reply_has_no_body) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, "HEAD /abc HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert_int_eq(caller_reply(&c, true, &reply), 200);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "Content-Length: 4\r\n"));
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(big_reply_goes_out_whole_and_is_released) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
	usleep(100000);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	ck_assert_uint_gt(reply.len, BIG);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	(void)web_stop(&web);
	ck_assert_int_eq(app.released, 1);
} END_TEST

START_TEST(failed_commit_is_503) {
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	atomic_store(&app.commit_fails, true);
	ck_assert_int_eq(caller_ask(&c, GET), 503);
	atomic_store(&app.commit_fails, false);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	(void)web_stop(&web);
	ck_assert_int_eq(app.commits, 3);
} END_TEST

START_TEST(who_is_no_longer_good_gets_no_reply_but_403) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	atomic_store(&app.revoked, true);
	caller_say(&c, GET);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 403);
	ck_assert_ptr_null(strstr(buf_str(&reply), "/x"));
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(named_connections_are_closed_and_others_are_not) {
	struct caller idle, half, other, fresh;
	OWN(buf_wipe) struct buf reply = {0};

	start(NULL);
	caller_open(&idle, web.port, &group.bob);
	ck_assert_int_eq(caller_ask(&idle, GET), 200);
	caller_open(&half, web.port, &group.bob);
	caller_say(&half, "GET /x HTTP/1.1\r\nHost: loc");
	caller_open(&fresh, web.port, &group.bob);
	caller_open(&other, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&other, GET), 200);
	usleep(100000);
	atomic_store(&app.named, group.bob.cert);
	ck_assert_int_eq(caller_ask(&other, "GET /swap HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
	ck_assert(caller_is_dropped(&idle));
	ck_assert_int_eq(caller_reply(&half, false, &reply), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "since your request began"));
	ck_assert(caller_is_dropped(&half));
	ck_assert_int_eq(caller_ask(&other, GET), 200);
	/* His handshake is over and he has said nothing: the handler will tell him. */
	ck_assert_int_eq(caller_ask(&fresh, GET), 200);
	caller_close(&idle);
	caller_close(&half);
	caller_close(&fresh);
	caller_close(&other);
	(void)web_stop(&web);
} END_TEST

START_TEST(who_closes_itself_gets_its_own_refusal) {
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.bob);
	atomic_store(&app.named, group.bob.cert);
	ck_assert_int_eq(caller_ask(&c, "GET /swap HTTP/1.1\r\nHost: localhost\r\n\r\n"), 403);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

/* Time. Each limit begins with its phase and no byte resets it. */

static const struct server_limits short_head = { .head_ms = 400 }, short_body = { .body_ms = 400 }, short_idle = { .idle_ms = 300 },
	short_shake = { .handshake_ms = 300 }, short_write = { .write_ms = 500 };

START_TEST(header_bytes_do_not_buy_time) {
	struct caller c;
	OWN(buf_wipe) struct buf reply = {0};
	static const char head[] = "GET /x HTTP/1.1\r\nA: b\r\n";
	int64_t begin;

	start(&short_head);
	caller_open(&c, web.port, &group.alice);
	begin = clock_mono_ms();
	for (size_t i = 0; i < 8; i++) {
		caller_say(&c, _i == 0 ? "G" : &head[3 * i]);
		usleep(60000);
	}
	ck_assert_int_eq(caller_reply(&c, false, &reply), _i == 0 ? 408 : 400);
	ck_assert_int_lt((int)(clock_mono_ms() - begin), 2000);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(body_bytes_do_not_buy_time) {
	struct caller c;
	OWN(buf_wipe) struct buf reply = {0};

	start(&short_body);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n");
	for (int i = 0; i < 12; i++) {
		caller_say(&c, "x");
		usleep(30000);
	}
	ck_assert_int_eq(caller_reply(&c, false, &reply), 408);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(who_says_nothing_is_dropped_without_a_word) {
	struct caller c;
	int64_t begin;

	start(_i == 0 ? &short_head : &short_idle);
	caller_open(&c, web.port, &group.alice);
	if (_i == 1)
		ck_assert_int_eq(caller_ask(&c, GET), 200);
	begin = clock_mono_ms();
	ck_assert(caller_is_dropped(&c));
	ck_assert_int_ge((int)(clock_mono_ms() - begin), 200);
	caller_close(&c);
	(void)web_stop(&web);
	ck_assert_int_eq(app.refused, 0);
} END_TEST

/* The head of a later request has its own limit, not what idleness left. */
START_TEST(idle_time_is_not_taken_from_the_head) {
	static const struct server_limits lim = { .head_ms = 300, .idle_ms = 5000 };
	struct caller c;

	start(&lim);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	usleep(600000);
	caller_say(&c, "GET /x HTTP");
	usleep(100000);
	ck_assert_int_eq(caller_ask(&c, "/1.1\r\nHost: localhost\r\n\r\n"), 200);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

static bool tcp_is_dropped(int fd) {
	uint8_t bytes[4096];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
		;
	return n == 0 || errno == ECONNRESET;
}

START_TEST(handshake_bytes_do_not_buy_time) {
	static const uint8_t hello[] = { 22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3, 0, 0, 0 };
	int silent, slow;

	start(&short_shake);
	silent = caller_tcp(web.port);
	slow = caller_tcp(web.port);
	for (size_t i = 0; i < sizeof hello && send(slow, hello + i, 1, MSG_NOSIGNAL) == 1; i++)
		usleep(20000);
	ck_assert(tcp_is_dropped(silent));
	ck_assert(tcp_is_dropped(slow));
	close(silent);
	close(slow);
	(void)web_stop(&web);
} END_TEST

START_TEST(reader_that_does_not_read_is_dropped) {
	struct caller c;

	start(&short_write);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
	/* 8 MiB have twelve times the limit */
	for (int i = 0; i < 1000 && app.released == 0; i++)
		usleep(10000);
	ck_assert_int_eq(app.released, 1);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(slow_clients_cost_only_themselves) {
	static const uint8_t half_hello[] = { 22, 3, 1, 2, 0, 1 };
	enum { EACH = 40 };
	struct caller mute[EACH], slow[EACH], deaf[EACH], good;
	int idle[EACH], half[EACH];
	int64_t worst = 0, begin;

	start(NULL);
	for (int i = 0; i < EACH; i++) {
		idle[i] = caller_tcp(web.port);
		half[i] = caller_tcp(web.port);
		ck_assert_int_eq((int)send(half[i], half_hello, sizeof half_hello, 0), (int)sizeof half_hello);
		caller_open(&mute[i], web.port, NULL);
		caller_open(&slow[i], web.port, &group.alice);
		caller_say(&slow[i], "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n");
		caller_open(&deaf[i], web.port, &group.alice);
		caller_say(&deaf[i], "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
	}
	for (int i = 0; i < 20; i++) {
		begin = clock_mono_ms();
		caller_open(&good, web.port, &group.alice);
		ck_assert_int_eq(caller_ask(&good, GET), 200);
		caller_close(&good);
		worst = clock_mono_ms() - begin > worst ? clock_mono_ms() - begin : worst;
	}
	ck_assert_int_lt((int)worst, 1000);
	for (int i = 0; i < EACH; i++) {
		close(idle[i]);
		close(half[i]);
		caller_close(&mute[i]);
		caller_close(&slow[i]);
		caller_close(&deaf[i]);
	}
	(void)web_stop(&web);
} END_TEST

/* Numbers. */

START_TEST(address_above_its_share_is_turned_away) {
	static const struct server_limits lim = { .per_address = 3, .count_loopback = true };
	struct caller c[3];
	int extra;

	start(&lim);
	for (int i = 0; i < 3; i++)
		caller_open(&c[i], web.port, &group.alice);
	extra = caller_tcp(web.port);
	ck_assert(tcp_is_dropped(extra));
	ck_assert_int_eq(caller_ask(&c[0], GET), 200);
	caller_close(&c[1]);
	usleep(100000);
	caller_open(&c[1], web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c[1], GET), 200);
	for (int i = 0; i < 3; i++)
		caller_close(&c[i]);
	close(extra);
	(void)web_stop(&web);
} END_TEST

START_TEST(loopback_has_no_share_unless_asked) {
	static const struct server_limits lim = { .per_address = 3 };
	struct caller c[6];

	start(&lim);
	for (int i = 0; i < 6; i++)
		caller_open(&c[i], web.port, &group.alice);
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(caller_ask(&c[i], GET), 200);
		caller_close(&c[i]);
	}
	(void)web_stop(&web);
} END_TEST

/* All places are taken by those who do nothing: the oldest of them makes room. */
START_TEST(full_house_loses_an_idler_not_the_member) {
	static const struct server_limits lim = { .connections = 8 };
	struct caller good, late;
	int idle[8];

	start(&lim);
	caller_open(&good, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&good, GET), 200);
	for (int i = 0; i < 8; i++)
		idle[i] = caller_tcp(web.port);
	caller_open(&late, web.port, &group.bob);
	ck_assert_int_eq(caller_ask(&late, GET), 200);
	ck_assert_int_eq(caller_ask(&good, GET), 200);
	ck_assert(tcp_is_dropped(idle[0]));
	for (int i = 0; i < 8; i++)
		close(idle[i]);
	caller_close(&good);
	caller_close(&late);
	(void)web_stop(&web);
} END_TEST

/* TLS policy. */

START_TEST(older_protocols_are_refused) {
	SSL_CTX *ctx = caller_ctx(&group.alice);
	struct caller c;

	start(NULL);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
	ck_assert(!caller_open_with(&c, web.port, ctx, NULL));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(no_ticket_is_ever_given) {
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	ck_assert(!SSL_SESSION_is_resumable(SSL_get0_session(c.ssl)));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

static SSL_SESSION *ticket;

static int keep_ticket(SSL *ssl, SSL_SESSION *s) {
	(void)ssl;
	SSL_SESSION_free(ticket);
	ticket = s;
	return 1;
}

/* A server with the same certificate that gives tickets: what ours might have been before an update. */
static SSL_SESSION *old_ticket(void) {
	SSL_CTX *server = SSL_CTX_new(TLS_server_method()), *client = caller_ctx(&group.alice);
	SSL *a = NULL, *b = NULL;
	char byte;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	ck_assert_int_eq(SSL_CTX_use_certificate(server, group.gateway.cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(server, group.gateway.key), 1);
	SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(client, keep_ticket);
	a = SSL_new(server);
	b = SSL_new(client);
	ck_assert_int_eq(SSL_set_fd(a, pair[0]) & SSL_set_fd(b, pair[1]), 1);
	SSL_set_accept_state(a);
	SSL_set_connect_state(b);
	while ((SSL_do_handshake(b) == 1) + (SSL_do_handshake(a) == 1) < 2)
		;
	(void)SSL_do_handshake(a);
	(void)SSL_read(b, &byte, 1);
	ck_assert_ptr_nonnull(ticket);
	SSL_free(a);
	SSL_free(b);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	close(pair[0]);
	close(pair[1]);
	return ticket;
}

START_TEST(old_ticket_is_not_resumed) {
	SSL_SESSION *s = old_ticket();
	struct caller c;

	start(NULL);
	/* without the certificate, so that only the ticket could let it in */
	ck_assert(caller_open_with(&c, web.port, caller_ctx(NULL), s));
	ck_assert_int_eq(SSL_session_reused(c.ssl), 0);
	ck_assert_int_eq(caller_ask(&c, GET), 403);
	caller_close(&c);
	SSL_SESSION_free(s);
	(void)web_stop(&web);
} END_TEST

START_TEST(other_application_protocol_is_refused) {
	static const unsigned char smtp[] = "\4smtp", both[] = "\2h2\x08http/1.1";
	SSL_CTX *ctx = caller_ctx(&group.alice);
	struct caller c;

	start(NULL);
	ck_assert_int_eq(SSL_CTX_set_alpn_protos(ctx, smtp, sizeof smtp - 1), 0);
	ck_assert(!caller_open_with(&c, web.port, ctx, NULL));
	caller_close(&c);
	ctx = caller_ctx(&group.alice);
	ck_assert_int_eq(SSL_CTX_set_alpn_protos(ctx, both, sizeof both - 1), 0);
	ck_assert(caller_open_with(&c, web.port, ctx, NULL));
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(key_of_another_certificate_is_refused) {
	struct err e = ERR_INIT;
	SSL_CTX *ctx;

	ck_assert_int_eq(tls_server_new(group.alice.key, group.gateway.cert, group.chain, &ctx, &e), ERR_DAMAGED);
} END_TEST

START_TEST(plain_text_on_the_port_harms_nobody) {
	struct caller c;
	int fd;

	start(NULL);
	fd = caller_tcp(web.port);
	ck_assert_int_gt((int)send(fd, GET, strlen(GET), 0), 0);
	ck_assert(tcp_is_dropped(fd));
	close(fd);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(endless_key_updates_end_the_connection) {
	struct caller c;
	size_t done;
	bool open = true;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	for (int i = 0; i < 100000 && open; i++)
		open = SSL_key_update(c.ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 && SSL_do_handshake(c.ssl) == 1;
	ck_assert(!open || SSL_write_ex(c.ssl, GET, strlen(GET), &done) != 1 || caller_is_dropped(&c));
	ck_assert_int_eq(app.handled, 0);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

/* Start and end. */

START_TEST(bad_address_is_a_usage_error) {
	static const char *const bad[] = { "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "::1:80", "[::1]", "nosuch.invalid:1" };
	static const struct server_ops ops = { .handle = handle };
	struct err e = ERR_INIT;
	struct server *s;
	SSL_CTX *ctx = caller_ctx(NULL);

	ck_assert_msg(server_new(&s, bad[_i], ctx, &ops, NULL, &e) == ERR_USAGE, "%s", bad[_i]);
	ck_assert_int_gt((int)strlen(e.text), 0);
	SSL_CTX_free(ctx);
} END_TEST

START_TEST(taken_port_is_a_failure) {
	static const struct server_ops ops = { .handle = handle };
	struct err e = ERR_INIT;
	struct server *s;

	start(NULL);
	ck_assert_int_eq(server_new(&s, web.url + strlen("https://"), web.ctx, &ops, NULL, &e), ERR_FAIL);
	(void)web_stop(&web);
} END_TEST

START_TEST(ipv6_is_spoken) {
	static const struct server_ops ops = { .handle = handle };
	struct err e = ERR_INIT;
	char address[80];
	struct server *s;
	SSL_CTX *ctx = caller_ctx(NULL);

	if (server_new(&s, "[::1]:0", ctx, &ops, NULL, &e) == 0) {
		server_address(s, address);
		ck_assert_int_eq(strncmp(address, "[::1]:", 6), 0);
		server_free(s);
	}
	SSL_CTX_free(ctx);
} END_TEST

START_TEST(stop_lets_the_reply_in_hand_go) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller busy, idle;

	start(NULL);
	caller_open(&idle, web.port, &group.alice);
	caller_open(&busy, web.port, &group.alice);
	caller_say(&busy, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert(wait_for(&app.handled, 1));
	server_stop(web.server);
	usleep(100000);
	ck_assert_int_eq(caller_reply(&busy, false, &reply), 200);
	ck_assert_uint_gt(reply.len, BIG);
	ck_assert(caller_is_dropped(&idle));
	ck_assert_int_lt((int)web_stop(&web), 2000);
	caller_close(&busy);
	caller_close(&idle);
} END_TEST

START_TEST(stop_from_a_handler_answers_first) {
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, "GET /stop HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
	ck_assert(caller_is_dropped(&c));
	ck_assert_int_lt((int)web_stop(&web), 1000);
	caller_close(&c);
} END_TEST

static void drain_event(void *arg) {
	int *fd = arg;
	uint64_t n;

	ck_assert_int_eq((int)read(*fd, &n, sizeof n), (int)sizeof n);
	server_stop(web.server);
}

START_TEST(watched_descriptor_is_served) {
	static const struct server_ops ops = { .handle = handle };
	struct err e = ERR_INIT;
	uint64_t one = 1;
	int fd = eventfd(0, EFD_NONBLOCK);
	SSL_CTX *ctx = caller_ctx(NULL);

	ck_assert_int_eq(server_new(&web.server, "127.0.0.1:0", ctx, &ops, NULL, &e), 0);
	ck_assert_int_eq(server_watch(web.server, fd, drain_event, &fd, &e), 0);
	ck_assert_int_eq((int)write(fd, &one, sizeof one), (int)sizeof one);
	ck_assert_int_eq(server_run(web.server, &e), 0);
	server_free(web.server);
	SSL_CTX_free(ctx);
	close(fd);
} END_TEST

START_TEST(ticks_come) {
	static const struct server_limits lim = { .tick_ms = 20 };

	start(&lim);
	ck_assert(wait_for(&app.ticks, 5));
	(void)web_stop(&web);
} END_TEST

static Suite *suite(void) {
	Suite *s = suite_create("server");
	TCase *t = tcase_create("requests");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, member_is_served_and_kept);
	tcase_add_loop_test(t, stranger_reads_why_before_the_end, 0, sizeof strangers / sizeof *strangers);
	tcase_add_test(t, stranger_with_a_long_body_reads_why);
	tcase_add_test(t, body_is_whole_when_it_is_handled);
	tcase_add_test(t, large_body_arrives_in_pieces_of_any_size);
	tcase_add_test(t, body_above_the_cap_is_413);
	tcase_add_test(t, client_that_expects_is_told_to_continue);
	tcase_add_test(t, pipelined_requests_are_answered_in_order);
	tcase_add_test(t, head_of_a_reply_has_no_body);
	tcase_add_test(t, big_reply_goes_out_whole_and_is_released);
	tcase_add_test(t, failed_commit_is_503);
	tcase_add_test(t, who_is_no_longer_good_gets_no_reply_but_403);
	tcase_add_test(t, named_connections_are_closed_and_others_are_not);
	tcase_add_test(t, who_closes_itself_gets_its_own_refusal);
	suite_add_tcase(s, t);
	return s;
}

static TCase *limits(void) {
	TCase *t = tcase_create("limits");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, header_bytes_do_not_buy_time, 0, 1);
	tcase_add_test(t, body_bytes_do_not_buy_time);
	tcase_add_loop_test(t, who_says_nothing_is_dropped_without_a_word, 0, 2);
	tcase_add_test(t, idle_time_is_not_taken_from_the_head);
	tcase_add_test(t, handshake_bytes_do_not_buy_time);
	tcase_add_test(t, reader_that_does_not_read_is_dropped);
	tcase_add_test(t, slow_clients_cost_only_themselves);
	tcase_add_test(t, address_above_its_share_is_turned_away);
	tcase_add_test(t, loopback_has_no_share_unless_asked);
	tcase_add_test(t, full_house_loses_an_idler_not_the_member);
	return t;
}

static TCase *policy(void) {
	TCase *t = tcase_create("policy");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, older_protocols_are_refused);
	tcase_add_test(t, no_ticket_is_ever_given);
	tcase_add_test(t, old_ticket_is_not_resumed);
	tcase_add_test(t, other_application_protocol_is_refused);
	tcase_add_test(t, key_of_another_certificate_is_refused);
	tcase_add_test(t, plain_text_on_the_port_harms_nobody);
	tcase_add_test(t, endless_key_updates_end_the_connection);
	tcase_add_loop_test(t, bad_address_is_a_usage_error, 0, 8);
	tcase_add_test(t, taken_port_is_a_failure);
	tcase_add_test(t, ipv6_is_spoken);
	tcase_add_test(t, stop_lets_the_reply_in_hand_go);
	tcase_add_test(t, stop_from_a_handler_answers_first);
	tcase_add_test(t, watched_descriptor_is_served);
	tcase_add_test(t, ticks_come);
	return t;
}

int main(void) {
	Suite *s = suite();
	SRunner *r;
	int failed;

	suite_add_tcase(s, limits());
	suite_add_tcase(s, policy());
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
