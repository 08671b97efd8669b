/* SPDX-License-Identifier: Apache-2.0 */
/* net/fetch: against our own server, and against servers that no member should meet. */
#include "net/fetch.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/own.h"
#include "lib/hostile.h"
#include "lib/suite.h"
#include "lib/web.h"
#include "pki/key.h"
#include "pki/profile.h"

static struct fixture group;
static struct web web;
static struct fetch *f;
static struct fetch_reply r;
static struct err e;
static atomic_int handled, forgotten;

static int64_t body_max(void *arg, struct server_peer *p, const struct http_request *q, struct http_reply *reply) {
	(void)arg, (void)p, (void)q, (void)reply;
	return 4 << 20;
}

static void handle(void *arg, struct server_peer *p, struct http_request *q, struct http_reply *reply) {
	(void)arg;
	atomic_fetch_add(&handled, 1);
	if (p->verdict != VERDICT_GOOD) {
		http_problem(reply, 403, verdict_name(p->verdict), "not for you");
		reply->close = true;
		return;
	}
	reply->status = 200;
	reply->type = "text/plain; charset=utf-8";
	buf_addf(&reply->body, "%s %s %zu", http_method_name(q->method), q->path, q->body.len);
}

static void forget(void *arg, struct server_peer *p) {
	(void)arg, (void)p;
	atomic_fetch_add(&forgotten, 1);
}

static void start(const struct fixture_id *gateway, const struct server_limits *lim) {
	static const struct server_ops ops = { .body_max = body_max, .handle = handle, .forget = forget };

	web_start(&web, &group, gateway, &ops, lim);
}

static void set_up(void) {
	(void)signal(SIGPIPE, SIG_IGN);
	fixture_init(&group);
	atomic_store(&handled, 0);
}

static void tear_down(void) {
	fetch_reply_wipe(&r);
	fetch_free(f);
	f = NULL;
	fixture_wipe(&group);
}

#define LONG_S 300 /* a limit that no machine is slow enough to meet */

static void dial(const char *url, const struct fixture_id *id, unsigned total_s) {
	struct fetch_config c = { .url = url, .ca = group.ca.cert, .total_s = total_s };

	if (id != NULL) {
		c.cert = id->cert;
		c.key = id->key;
	}
	ck_assert_msg(fetch_new(&f, &c, &e) == 0, "%s", e.text);
}

static int get(const char *path, size_t max) {
	struct fetch_request q = { .method = "GET", .path = path, .max = max };

	return fetch(f, &q, &r, &e);
}

static int post(const char *path, size_t len, bool idempotent) {
	static const char zeros[2 << 20];
	struct fetch_request q = { .method = "POST", .path = path, .type = "text/plain", .body = zeros, .body_len = len, .max = 1000,
		.idempotent = idempotent };

	return fetch(f, &q, &r, &e);
}

/* With our own server. */

static atomic_int asked;
static bool answer;

static bool ask_me(void *arg, X509 *server, struct err *why) {
	atomic_fetch_add(&asked, 1);
	ck_assert_ptr_eq(arg, &answer);
	ck_assert_int_eq(X509_cmp(server, group.gateway.cert), 0);
	if (!answer)
		(void)err_set(why, ERR_REFUSED, "revoked since Tuesday");
	return answer;
}

static void dial_asking(const char *url) {
	struct fetch_config c = { .url = url, .ca = group.ca.cert, .cert = group.alice.cert, .key = group.alice.key, .accept = ask_me,
		.accept_arg = &answer };

	ck_assert_int_eq(fetch_new(&f, &c, &e), 0);
}

START_TEST(member_fetches_over_one_connection) {
	int64_t now = clock_now_s();

	start(&group.gateway, NULL);
	answer = true;
	dial_asking(web.url);
	for (int i = 0; i < 10; i++)
		ck_assert_msg(get("/a?b=c", 1000) == 0, "%s", e.text);
	ck_assert_int_eq(r.status, 200);
	ck_assert_str_eq(r.type, "text/plain");
	ck_assert_str_eq(buf_str(&r.body), "GET /a 0");
	ck_assert(r.date_s >= now && r.date_s <= clock_now_s());
	ck_assert_int_eq(asked, 1);
	(void)web_stop(&web);
	ck_assert_int_eq(handled, 10);
} END_TEST

START_TEST(bodies_of_any_size_arrive) {
	static const size_t sizes[] = { 0, 1, 70000, (1 << 20) + 1, 2 << 20 };
	char want[40];

	start(&group.gateway, NULL);
	dial(web.url, &group.alice, 0);
	ck_assert_msg(post("/p", sizes[_i], false) == 0, "%s", e.text);
	(void)snprintf(want, sizeof want, "POST /p %zu", sizes[_i]);
	ck_assert_str_eq(buf_str(&r.body), want);
	ck_assert_int_eq(get("/g", 1000), 0);
	ck_assert_str_eq(buf_str(&r.body), "GET /g 0");
	(void)web_stop(&web);
} END_TEST

START_TEST(stranger_learns_the_reason) {
	start(&group.gateway, NULL);
	dial(web.url, _i == 0 ? NULL : &group.foreign, 0);
	ck_assert_msg(get("/", 10) == 0, "%s", e.text);
	ck_assert_int_eq(r.status, 403);
	ck_assert_str_eq(r.problem_type, _i == 0 ? "no-certificate" : "foreign");
	ck_assert_int_eq(fetch_check(&r, "keys", &e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, _i == 0 ? "keys: refused: no-certificate" : "keys: refused: foreign"));
	(void)web_stop(&web);
} END_TEST

START_TEST(name_in_the_certificate_counts) {
	char url[64];

	start(&group.gateway, NULL);
	(void)snprintf(url, sizeof url, "https://localhost:%u/", web.port);
	dial(url, &group.alice, 0);
	ck_assert_msg(get("/", 100) == 0, "%s", e.text);
	(void)web_stop(&web);
} END_TEST

START_TEST(connection_that_the_server_left_is_made_anew) {
	static const struct server_limits lim = { .idle_ms = 100 };
	struct caller c;

	clock_stop_mono(); /* else a slow client is left before it asks */
	start(&group.gateway, &lim);
	dial(web.url, &group.alice, 0);
	ck_assert_int_eq(get("/", 100), 0);
	clock_move_mono_ms(lim.idle_ms);
	while (atomic_load(&forgotten) == 0)
		usleep(1000);
	/* who is answered after that knows that the end of the other connection is on its way */
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
	caller_close(&c);
	ck_assert_msg(post("/", 10, false) == 0, "%s", e.text);
	(void)web_stop(&web);
} END_TEST

START_TEST(refused_gateway_hears_nothing) {
	start(&group.gateway, NULL);
	answer = false;
	dial_asking(web.url);
	ck_assert_int_eq(get("/", 100), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "revoked since Tuesday"));
	ck_assert_int_eq(asked, 1);
	ck_assert_int_eq(handled, 0);
	(void)web_stop(&web);
} END_TEST

START_TEST(gateway_is_asked_about_at_each_connection) {
	start(&group.gateway, NULL);
	answer = true;
	dial_asking(web.url);
	ck_assert_int_eq(get("/", 100), 0);
	ck_assert_int_eq(get("/", 100), 0);
	ck_assert_int_eq(asked, 1);
	fetch_reconnect(f);
	ck_assert_int_eq(get("/", 100), 0);
	ck_assert_int_eq(get("/", 100), 0);
	ck_assert_int_eq(asked, 2);
	(void)web_stop(&web);
} END_TEST

/* Not the group's gateway. */

static void issue(const char *san, int64_t from_s, int64_t to_s, struct fixture_id *out) {
	struct profile_request q = { .role = ROLE_GATEWAY, .name = "localhost", .san = san, .not_before_s = from_s, .not_after_s = to_s,
		.serial = { 1 } };

	ck_assert_int_eq(key_make(NULL, &out->key, &e), 0);
	ck_assert_msg(profile_issue(group.ca.key, group.ca.cert, out->key, &q, &out->cert, &e) == 0, "%s", e.text);
}

static void check_no_gateway(const struct fixture_id *id, const char *why) {
	start(id, NULL);
	dial(web.url, &group.alice, 0);
	ck_assert_int_eq(get("/", 100), ERR_DAMAGED);
	ck_assert_msg(strstr(e.text, "not the group's gateway") != NULL && strstr(e.text, why) != NULL, "%s", e.text);
	ck_assert_int_eq(handled, 0);
	(void)web_stop(&web);
}

START_TEST(member_as_gateway_is_refused) {
	check_no_gateway(&group.bob, "wrong-purpose");
} END_TEST

START_TEST(foreign_gateway_is_refused) {
	check_no_gateway(&group.foreign_gateway, "foreign");
} END_TEST

static atomic_int hellos, named;

static int on_hello(SSL *ssl, int *alert, void *arg) {
	const unsigned char *ext;
	size_t len;

	(void)alert, (void)arg;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_certificate_authorities, &ext, &len) == 1)
		atomic_fetch_add(&named, 1);
	atomic_fetch_add(&hellos, 1);
	return SSL_CLIENT_HELLO_SUCCESS;
}

START_TEST(the_ca_is_named_only_to_a_gateway_of_another_one) {
	start(&group.gateway, NULL);
	SSL_CTX_set_client_hello_cb(web.ctx, on_hello, NULL);
	dial(web.url, &group.alice, 0);
	ck_assert_int_eq(get("/", 100), 0);
	fetch_reconnect(f);
	ck_assert_int_eq(get("/", 100), 0);
	ck_assert_int_eq(hellos, 2);
	ck_assert_int_eq(named, 0);
	(void)web_stop(&web);
	fetch_free(f);
	start(&group.foreign_gateway, NULL);
	SSL_CTX_set_client_hello_cb(web.ctx, on_hello, NULL);
	dial(web.url, &group.alice, 0);
	ck_assert_int_eq(get("/", 100), ERR_DAMAGED);
	ck_assert_int_eq(hellos, 4); /* once without, once with it: then it is foreign indeed */
	ck_assert_int_eq(named, 1);
	ck_assert_int_eq(get("/", 100), ERR_DAMAGED);
	ck_assert_int_eq(hellos, 5);
	ck_assert_int_eq(named, 2);
	(void)web_stop(&web);
} END_TEST

START_TEST(gateway_of_another_name_is_refused) {
	static const char *const sans[] = { "DNS:other.example", "IP:127.0.0.2" };
	struct fixture_id id = {0};

	issue(sans[_i], group.now_s - 100, group.now_s + 1000, &id);
	check_no_gateway(&id, "another name");
	fixture_id_wipe(&id);
} END_TEST

START_TEST(gateway_out_of_its_dates_is_refused) {
	struct fixture_id id = {0};

	if (_i == 0)
		issue("IP:127.0.0.1", group.now_s - 1000, group.now_s - 100, &id);
	else
		issue("IP:127.0.0.1", group.now_s + 100, group.now_s + 1000, &id);
	check_no_gateway(&id, _i == 0 ? "expired" : "not-yet-valid");
	fixture_id_wipe(&id);
} END_TEST

START_TEST(nobody_there_is_unreachable) {
	dial("https://127.0.0.1:1", &group.alice, 2);
	ck_assert_int_eq(get("/", 100), ERR_UNREACHABLE);
} END_TEST

START_TEST(other_urls_are_a_usage_error) {
	static const char *const bad[] = { "", "http://h:1", "https://", "https://h/x", "https://h?x", "https://u@h", "https://u:p@h", "ftp://h",
		"h:1", "https://h:99999", "https://h/#x", "file:///etc/passwd" };
	struct fetch_config c = { .url = bad[_i], .ca = group.ca.cert };

	ck_assert_msg(fetch_new(&f, &c, &e) == ERR_USAGE, "%s", bad[_i]);
} END_TEST

START_TEST(anchor_that_is_no_authority_is_refused) {
	struct fetch_config c = { .url = "https://h:1", .ca = group.alice.cert };

	ck_assert_int_lt(fetch_new(&f, &c, &e), 0);
} END_TEST

START_TEST(proxies_of_the_environment_are_not_asked) {
	ck_assert_int_eq(setenv("https_proxy", "http://127.0.0.1:1", 1) | setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
	start(&group.gateway, NULL);
	dial(web.url, &group.alice, 0);
	ck_assert_msg(get("/", 100) == 0, "%s", e.text);
	(void)web_stop(&web);
} END_TEST

/* A certificate that is right, and a server that is not. */

#define OK "HTTP/1.1 200 OK\r\n"
#define LINE64 "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
#define STEP(text, how) { text, sizeof(text) - 1, how }

static struct hostile h;

static void play(const struct hostile_step *steps, size_t n, unsigned total_s) {
	h = (struct hostile){ .steps = steps, .n_steps = n };
	hostile_start(&h, &group.gateway);
	dial(h.url, &group.alice, total_s);
}

static void stop(void) {
	fetch_free(f);
	f = NULL;
	hostile_stop(&h);
	buf_wipe(&h.heard);
}

static const struct { struct hostile_step step; size_t max; const char *expect; int code; const char *why; } hostile_replies[] = {
	{ STEP(OK "Content-Length: 11\r\n\r\nhello world", HOSTILE_CLOSE), 10, NULL, ERR_FAIL, "more than 10 bytes" },
	{ STEP(OK "\r\nhello world", HOSTILE_ENDLESS), 100000, NULL, ERR_FAIL, "more than 100000 bytes" },
	{ STEP(OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", HOSTILE_CLOSE), 9, NULL, ERR_FAIL, "more than 9 bytes" },
	{ STEP(OK LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64, HOSTILE_ENDLESS), 10, NULL, ERR_FAIL,
	  "bytes of headers" },
	{ STEP(OK "Content-Type: text/html\r\nContent-Length: 2\r\n\r\n{}", HOSTILE_CLOSE), 10, "application/json", ERR_DAMAGED, "text/html" },
	{ STEP(OK "Content-Length: 2\r\n\r\n{}", HOSTILE_CLOSE), 10, "application/json", ERR_DAMAGED, "not application/json" },
	{ STEP(OK "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", HOSTILE_CLOSE), 10, NULL, ERR_DAMAGED, "content coding" },
	{ STEP(OK "Content-Encoding: deflate\r\nContent-Length: 9\r\n\r\nnot zlib!", HOSTILE_CLOSE), 10, NULL, ERR_DAMAGED, "RFC 1950" },
	/* a stream of "hello", cut; the same with a byte behind it; with its checksum changed */
	{ STEP(OK "Content-Encoding: deflate\r\nContent-Length: 8\r\n\r\n\x78\x9c\xcb\x48\xcd\xc9\xc9\x07", HOSTILE_CLOSE), 10, NULL, ERR_DAMAGED, "early" },
	{ STEP(OK "Content-Encoding: deflate\r\nContent-Length: 14\r\n\r\n\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15x", HOSTILE_CLOSE), 10, NULL,
	  ERR_DAMAGED, "RFC 1950" },
	{ STEP(OK "Content-Encoding: deflate\r\nContent-Length: 13\r\n\r\n\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x16", HOSTILE_CLOSE), 10, NULL,
	  ERR_DAMAGED, "RFC 1950" },
	{ STEP("hello, this is no HTTP at all\r\n\r\n", HOSTILE_CLOSE), 1000, NULL, ERR_DAMAGED, "no gateway" },
	{ STEP("SSH-2.0-OpenSSH_9.2\r\n", HOSTILE_CLOSE), 1000, NULL, ERR_DAMAGED, "no gateway" },
};

START_TEST(hostile_reply_has_its_error) {
	struct fetch_request q = { .method = "GET", .path = "/x", .max = hostile_replies[_i].max, .expect = hostile_replies[_i].expect };

	play(&hostile_replies[_i].step, 1, LONG_S);
	ck_assert_int_eq(fetch(f, &q, &r, &e), hostile_replies[_i].code);
	ck_assert_msg(strstr(e.text, hostile_replies[_i].why) != NULL, "%s", e.text);
	ck_assert_uint_eq(h.connections, 1);
	stop();
} END_TEST

START_TEST(deflated_reply_is_inflated) {
	static const struct hostile_step s = STEP(OK "Content-Encoding: deflate\r\nContent-Length: 13\r\n\r\n"
	    "\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15", HOSTILE_CLOSE);

	play(&s, 1, LONG_S);
	ck_assert_msg(get("/", 5) == 0, "%s", e.text);
	ck_assert_str_eq(buf_str(&r.body), "hello");
	stop();
} END_TEST

/* 64 MiB of zeros in 64 KiB. */
START_TEST(inflated_bytes_are_what_the_cap_counts) {
	static uint8_t zeros[64 << 20];
	uLongf len = compressBound(sizeof zeros);
	OWN(own_free) uint8_t *packed = xmalloc(len);
	OWN(buf_wipe) struct buf reply = {0};
	struct hostile_step s = { .end = HOSTILE_CLOSE };

	ck_assert_int_eq(compress2(packed, &len, zeros, sizeof zeros, 9), Z_OK);
	buf_addf(&reply, OK "Content-Encoding: deflate\r\nContent-Length: %lu\r\n\r\n", len);
	buf_add(&reply, packed, len);
	s.reply = reply.data;
	s.len = reply.len;
	play(&s, 1, LONG_S);
	ck_assert_int_eq(get("/", _i == 0 ? 1 << 20 : sizeof zeros), _i == 0 ? ERR_FAIL : 0);
	ck_assert_uint_le(r.body.len, _i == 0 ? 1 << 20 : sizeof zeros);
	stop();
} END_TEST

START_TEST(redirect_is_not_followed) {
	static const struct hostile_step s = STEP("HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n", HOSTILE_KEEP);

	play(&s, 1, LONG_S);
	ck_assert_int_eq(get("/", 5), 0);
	ck_assert_int_eq(r.status, 302);
	ck_assert_int_eq(fetch_check(&r, "x", &e), ERR_FAIL);
	ck_assert_uint_eq(h.requests, 1);
	stop();
} END_TEST

START_TEST(other_media_type_of_a_refusal_is_no_damage) {
	static const struct hostile_step s = STEP("HTTP/1.1 403 No\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<html>no</html>",
	    HOSTILE_CLOSE);
	struct fetch_request q = { .method = "GET", .path = "/x", .expect = "application/json" };

	play(&s, 1, LONG_S);
	ck_assert_msg(fetch(f, &q, &r, &e) == 0, "%s", e.text);
	ck_assert_ptr_null(r.problem_type);
	ck_assert_int_eq(fetch_check(&r, "keys", &e), ERR_REFUSED);
	ck_assert_str_eq(e.text, "keys: the gateway answered with status 403");
	stop();
} END_TEST

#define PROBLEM "Content-Type: application/problem+json; charset=utf-8\r\n"

START_TEST(problem_is_escaped_for_the_terminal) {
	static const struct hostile_step s = STEP("HTTP/1.1 403 No\r\n" PROBLEM "\r\n"
	    "{\"type\":\"urn:scg:a\\u001b[2Jb\",\"detail\":\"line\\nbreak \\u202e\",\"x\":[]}", HOSTILE_CLOSE);

	play(&s, 1, LONG_S);
	ck_assert_msg(get("/", 0) == 0, "%s", e.text);
	ck_assert_ptr_nonnull(r.problem_type);
	ck_assert_int_eq(fetch_check(&r, "x", &e), ERR_REFUSED);
	for (const char *p = e.text; *p != '\0'; p++)
		ck_assert_msg(*p >= 0x20 && *p < 0x7f, "%s", e.text);
	stop();
} END_TEST

static const struct hostile_step no_problems[] = {
	STEP("HTTP/1.1 404 No\r\n" PROBLEM "Content-Length: 3\r\n\r\n{\"t", HOSTILE_CLOSE),
	STEP("HTTP/1.1 404 No\r\n" PROBLEM "Content-Length: 2\r\n\r\n[]", HOSTILE_CLOSE),
	STEP("HTTP/1.1 404 No\r\n" PROBLEM "Content-Length: 10\r\n\r\n{\"type\":1}", HOSTILE_CLOSE),
	STEP("HTTP/1.1 404 No\r\n" PROBLEM "Content-Length: 22\r\n\r\n{\"type\":\"\xff\",\"x\":\"\xfe\"}   ", HOSTILE_CLOSE),
	STEP("HTTP/1.1 404 No\r\n" PROBLEM "Content-Length: 23\r\n\r\n{\"type\":\"a\",\"type\":\"b\"}", HOSTILE_CLOSE),
	STEP("HTTP/1.1 404 No\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"type\":\"a\"}", HOSTILE_CLOSE),
	STEP("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", HOSTILE_CLOSE),
};

START_TEST(what_is_no_problem_is_left_out) {
	play(&no_problems[_i], 1, LONG_S);
	ck_assert_msg(get("/", 0) == 0, "%s", e.text);
	ck_assert_ptr_null(r.problem_type);
	ck_assert_int_eq(fetch_check(&r, "x", &e), ERR_NOTFOUND);
	stop();
} END_TEST

START_TEST(error_has_a_cap_of_its_own) {
	static const struct hostile_step s = STEP("HTTP/1.1 404 No\r\n\r\nxxxxxxxxxxxxxxxx", HOSTILE_ENDLESS);

	play(&s, 1, LONG_S);
	ck_assert_int_eq(get("/", 0), ERR_FAIL);
	ck_assert_uint_le(r.body.len, FETCH_PROBLEM_MAX);
	stop();
} END_TEST

/* Again, or not again. */

START_TEST(broken_reply_is_asked_for_again) {
	static const struct hostile_step s[] = {
		STEP(OK "Content-Length: 5\r\n\r\nhe", HOSTILE_CLOSE), STEP("", HOSTILE_RESET), STEP(OK "Content-Len", HOSTILE_RESET),
		STEP(OK "Content-Type: x/y\r\n", HOSTILE_CLOSE), STEP(OK "Content-Length: 5\r\n\r\nhello", HOSTILE_CLOSE),
	};

	play(s, 5, LONG_S);
	ck_assert_msg(get("/", 5) == 0, "%s", e.text);
	ck_assert_str_eq(buf_str(&r.body), "hello");
	ck_assert_uint_eq(h.requests, 5);
	stop();
} END_TEST

START_TEST(attempts_have_an_end) {
	static const struct hostile_step s = STEP("", HOSTILE_RESET);

	play(&s, 1, LONG_S);
	ck_assert_int_eq(get("/", 5), ERR_UNREACHABLE);
	ck_assert_uint_eq(h.requests, FETCH_ATTEMPTS);
	stop();
} END_TEST

START_TEST(what_may_not_be_sent_twice_is_not) {
	static const struct hostile_step s = STEP("", HOSTILE_RESET);

	play(&s, 1, LONG_S);
	ck_assert_int_eq(post("/", 5, _i == 1), ERR_UNREACHABLE);
	ck_assert_uint_eq(h.requests, _i == 1 ? FETCH_ATTEMPTS : 1);
	stop();
} END_TEST

/* libcurl would send it again by itself on a new connection. */
START_TEST(what_may_not_be_sent_twice_is_not_on_a_kept_connection) {
	static const struct hostile_step s[] = {
		STEP(OK "Content-Length: 0\r\n\r\n", HOSTILE_KEEP), STEP("", HOSTILE_CLOSE), STEP(OK "Content-Length: 0\r\n\r\n", HOSTILE_KEEP),
	};

	play(s, 3, LONG_S);
	ck_assert_int_eq(get("/", 5), 0);
	ck_assert_int_eq(post("/", 5, _i == 1), _i == 1 ? 0 : ERR_UNREACHABLE);
	ck_assert_uint_eq(h.requests, _i == 1 ? 3 : 2);
	stop();
} END_TEST

START_TEST(reset_before_tls_may_always_be_tried_again) {
	static const struct hostile_step s = STEP("", HOSTILE_NO_TLS);

	play(&s, 1, LONG_S);
	ck_assert_int_eq(post("/", 5, false), ERR_UNREACHABLE);
	ck_assert_uint_eq(h.connections, FETCH_ATTEMPTS);
	stop();
} END_TEST

static const struct hostile_step busy[][2] = {
	{ STEP("HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n", HOSTILE_CLOSE), STEP(OK "Content-Length: 0\r\n\r\n", HOSTILE_CLOSE) },
	{ STEP("HTTP/1.1 429 Later\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n", HOSTILE_KEEP), STEP(OK "Content-Length: 0\r\n\r\n", HOSTILE_CLOSE) },
	{ STEP("HTTP/1.1 502 Later\r\nContent-Length: 0\r\n\r\n", HOSTILE_CLOSE), STEP(OK "Content-Length: 0\r\n\r\n", HOSTILE_CLOSE) },
	{ STEP("HTTP/1.1 429 Later\r\nContent-Length: 0\r\nRetry-After: 6\r\n\r\n", HOSTILE_CLOSE), STEP(OK "Content-Length: 0\r\n\r\n", HOSTILE_CLOSE) },
};

START_TEST(busy_server_is_asked_again) {
	static const struct { bool idempotent; int status; unsigned requests; int min_ms; } want[] = {
		{ false, 200, 2, 0 }, { false, 200, 2, 1000 }, { false, 502, 1, 0 }, { true, 429, 1, 0 },
	};
	int64_t begin = clock_mono_ms();

	play(busy[_i], 2, LONG_S);
	ck_assert_msg(post("/", 5, want[_i].idempotent) == 0, "%s", e.text);
	ck_assert_int_eq(r.status, want[_i].status);
	ck_assert_uint_eq(h.requests, want[_i].requests);
	ck_assert_int_ge((int)(clock_mono_ms() - begin), want[_i].min_ms);
	stop();
} END_TEST

START_TEST(server_that_hangs_is_given_up) {
	static const struct hostile_step s[] = { STEP("", HOSTILE_HANG), STEP(OK "Content-Length: 9\r\n\r\nhel", HOSTILE_HANG) };

	play(&s[_i], 1, 1);
	ck_assert_int_eq(get("/", 5), ERR_UNREACHABLE);
	stop();
} END_TEST

START_TEST(older_tls_is_not_spoken) {
	static const struct hostile_step s = STEP(OK "Content-Length: 0\r\n\r\n", HOSTILE_CLOSE);

	h = (struct hostile){ .steps = &s, .n_steps = 1, .tls_max = TLS1_2_VERSION };
	hostile_start(&h, &group.gateway);
	dial(h.url, &group.alice, 1);
	ck_assert_int_eq(get("/", 5), ERR_UNREACHABLE);
	ck_assert_uint_eq(h.requests, 0);
	stop();
} END_TEST

/* This server gives tickets: who resumed would not look at its certificate again. */
START_TEST(nothing_is_resumed) {
	static const struct hostile_step s = STEP(OK "Content-Length: 0\r\n\r\n", HOSTILE_CLOSE);

	answer = true;
	h = (struct hostile){ .steps = &s, .n_steps = 1 };
	hostile_start(&h, &group.gateway);
	dial_asking(h.url);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(get("/", 5), 0);
	ck_assert_int_eq(asked, 3);
	stop();
} END_TEST

static const struct { int status, code; } classes[] = {
	{ 200, 0 }, { 204, 0 }, { 302, ERR_FAIL }, { 400, ERR_FAIL }, { 401, ERR_REFUSED }, { 403, ERR_REFUSED }, { 404, ERR_NOTFOUND },
	{ 408, ERR_UNREACHABLE }, { 409, ERR_CONFLICT }, { 413, ERR_FAIL }, { 429, ERR_UNREACHABLE }, { 500, ERR_FAIL }, { 503, ERR_UNREACHABLE },
	{ 507, ERR_UNREACHABLE },
};

START_TEST(status_becomes_an_error) {
	struct fetch_reply reply = { .status = classes[_i].status };

	ck_assert_int_eq(fetch_check(&reply, "x", &e), classes[_i].code);
} END_TEST

#define N(table) ((int)(sizeof(table) / sizeof *(table)))

static void add_own(TCase *t) {
	tcase_add_test(t, member_fetches_over_one_connection);
	tcase_add_loop_test(t, bodies_of_any_size_arrive, 0, 5);
	tcase_add_loop_test(t, stranger_learns_the_reason, 0, 2);
	tcase_add_test(t, name_in_the_certificate_counts);
	tcase_add_test(t, connection_that_the_server_left_is_made_anew);
	tcase_add_test(t, refused_gateway_hears_nothing);
	tcase_add_test(t, gateway_is_asked_about_at_each_connection);
	tcase_add_test(t, member_as_gateway_is_refused);
	tcase_add_test(t, foreign_gateway_is_refused);
	tcase_add_test(t, the_ca_is_named_only_to_a_gateway_of_another_one);
	tcase_add_loop_test(t, gateway_of_another_name_is_refused, 0, 2);
	tcase_add_loop_test(t, gateway_out_of_its_dates_is_refused, 0, 2);
	tcase_add_test(t, nobody_there_is_unreachable);
	tcase_add_loop_test(t, other_urls_are_a_usage_error, 0, 12);
	tcase_add_test(t, anchor_that_is_no_authority_is_refused);
	tcase_add_test(t, proxies_of_the_environment_are_not_asked);
}

static void add_hostile(TCase *t) {
	tcase_add_loop_test(t, hostile_reply_has_its_error, 0, N(hostile_replies));
	tcase_add_test(t, deflated_reply_is_inflated);
	tcase_add_loop_test(t, inflated_bytes_are_what_the_cap_counts, 0, 2);
	tcase_add_test(t, redirect_is_not_followed);
	tcase_add_test(t, other_media_type_of_a_refusal_is_no_damage);
	tcase_add_test(t, problem_is_escaped_for_the_terminal);
	tcase_add_loop_test(t, what_is_no_problem_is_left_out, 0, N(no_problems));
	tcase_add_test(t, error_has_a_cap_of_its_own);
	tcase_add_test(t, broken_reply_is_asked_for_again);
	tcase_add_test(t, attempts_have_an_end);
	tcase_add_loop_test(t, what_may_not_be_sent_twice_is_not, 0, 2);
	tcase_add_loop_test(t, what_may_not_be_sent_twice_is_not_on_a_kept_connection, 0, 2);
	tcase_add_test(t, reset_before_tls_may_always_be_tried_again);
	tcase_add_loop_test(t, busy_server_is_asked_again, 0, N(busy));
	tcase_add_loop_test(t, server_that_hangs_is_given_up, 0, 2);
	tcase_add_test(t, older_tls_is_not_spoken);
	tcase_add_test(t, nothing_is_resumed);
	tcase_add_loop_test(t, status_becomes_an_error, 0, N(classes));
}

int main(void) {
	TCase *t = tcase_create("fetch");

	tcase_add_checked_fixture(t, set_up, tear_down);
	add_own(t);
	add_hostile(t);
	return suite_run("fetch", t);
}
