/* SPDX-License-Identifier: Apache-2.0 */
/* net/http: each head has one right answer, however its bytes are cut. */
#include "net/http.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "lib/suite.h"

#define H "Host: gw.example\r\n"
#define A16 "aaaaaaaaaaaaaaaa"
#define A256 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16
#define A2048 A256 A256 A256 A256 A256 A256 A256 A256
#define ALL(text) text, sizeof(text) - 1

/* What is read, and what of it. */
static const struct good {
	const char *text;
	size_t len;
	const char *path, *query;
	uint64_t content_length;
	bool keep_alive, expect;
} good[] = {
	{ ALL("GET / HTTP/1.1\r\n" H "\r\n"), "/", NULL, 0, true, false },
	{ ALL("\r\nGET / HTTP/1.1\r\n" H "\r\n"), "/", NULL, 0, true, false },
	{ ALL("GET /v1/keys?nonce=00ff HTTP/1.1\r\n" H "\r\n"), "/v1/keys", "nonce=00ff", 0, true, false },
	{ ALL("GET /a? HTTP/1.1\r\n" H "\r\n"), "/a", "", 0, true, false },
	{ ALL("GET /a?b?c/d HTTP/1.1\r\n" H "\r\n"), "/a", "b?c/d", 0, true, false },
	{ ALL("GET /%41%c3%a9 HTTP/1.1\r\n" H "\r\n"), "/A\xc3\xa9", NULL, 0, true, false },
	{ ALL("GET /a.b/..c/d..;x=1 HTTP/1.1\r\n" H "\r\n"), "/a.b/..c/d..;x=1", NULL, 0, true, false },
	{ ALL("GET //a HTTP/1.1\r\n" H "\r\n"), "//a", NULL, 0, true, false },
	{ ALL("GET / HTTP/1.0\r\n\r\n"), "/", NULL, 0, false, false },
	{ ALL("GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n"), "/", NULL, 0, false, false },
	{ ALL("GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n"), "/", NULL, 0, false, false },
	{ ALL("GET / HTTP/1.1\r\n" H "Connection: Keep-Alive, TE,\tCLOSE\r\n\r\n"), "/", NULL, 0, false, false },
	{ ALL("GET / HTTP/1.1\r\n" H "Connection: closed\r\n\r\n"), "/", NULL, 0, true, false },
	{ ALL("GET / HTTP/1.1\r\nhOsT:gw.example:443\t \r\n\r\n"), "/", NULL, 0, true, false },
	{ ALL("GET / HTTP/1.1\r\nHost: [::1]:443\r\n\r\n"), "/", NULL, 0, true, false },
	{ ALL("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), "/", NULL, 0, true, false },
	{ ALL("GET / HTTP/1.1\r\n" H "X: \r\nY:\r\nZ: a\tb \xff\r\n\r\n"), "/", NULL, 0, true, false },
	{ ALL("POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n"), "/", NULL, 0, true, false },
	{ ALL("PUT / HTTP/1.1\r\n" H "Content-Length: 0042\r\n\r\n"), "/", NULL, 42, true, false },
	{ ALL("GET / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n"), "/", NULL, 5, true, false },
	{ ALL("PUT / HTTP/1.1\r\n" H "Content-Length: 9000000000000000000\r\n\r\n"), "/", NULL, 9000000000000000000u, true, false },
	{ ALL("PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n"), "/", NULL, 1, true, true },
	{ ALL("HEAD / HTTP/1.1\r\n" H "\r\n"), "/", NULL, 0, true, false },
	{ ALL("DELETE /x HTTP/1.1\r\n" H "\r\n"), "/x", NULL, 0, true, false },
	{ ALL("GET https://gw.example/x?y HTTP/1.1\r\n" H "\r\n"), "/x", "y", 0, true, false },
	{ ALL("GET HTTPS://GW.example HTTP/1.1\r\n" H "\r\n"), "/", NULL, 0, true, false },
	{ ALL("GET https://gw.example?q HTTP/1.1\r\n" H "\r\n"), "/", "q", 0, true, false },
	{ ALL("GET /" A256 A256 A256 A256 A256 A256 A256 " HTTP/1.1\r\n" H "\r\n"), NULL, NULL, 0, true, false },
};

static const struct bad {
	int status; /* 0: more is needed */
	const char *text;
	size_t len;
} bad[] = {
	/* Cut short. */
	{ 0, ALL("") }, { 0, ALL("\r") }, { 0, ALL("\r\n") }, { 0, ALL("GET") }, { 0, ALL("GET / HTTP/1.1\r\n") },
	{ 0, ALL("GET / HTTP/1.1\r\n" H) }, { 0, ALL("GET / HTTP/1.1\r\n" H "\r") },
	/* Lines: RFC 9112 2.2. */
	{ 400, ALL("GET / HTTP/1.1\n" H "\r\n") }, { 400, ALL("GET / HTTP/1.1\r\nHost: a\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\n" H "\n") }, { 400, ALL("GET / HTTP/1.1\rHost: a\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\n" H "X: a\r\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\n" H "\rX") }, { 400, ALL("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("\nGET / HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("\r\r\nGET") },
	/* Folded: 5.2. */
	{ 400, ALL("GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\n X: a\r\n" H "\r\n") },
	/* NUL and its kin. */
	{ 400, ALL("GET /\0 HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\nX\0: a\r\n" H "\r\n") }, { 400, ALL("\0") }, { 400, ALL("GET / HTTP/1.1\r\n" H "X: \x7f\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\n" H "X: \x1b[2J\r\n\r\n") }, { 400, ALL("\x16\x03\x01\x02") },
	/* The request line: 3. */
	{ 400, ALL("GET  / HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET / HTTP/1.1 \r\n" H "\r\n") }, { 400, ALL("GET /  HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET /\tHTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET\t/ HTTP/1.1\r\n" H "\r\n") }, { 400, ALL(" GET / HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET /\r\n\r\n") }, { 400, ALL("GET\r\n\r\n") }, { 400, ALL("GET / x HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GE(T / HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n") },
	{ 501, ALL("get / HTTP/1.1\r\n" H "\r\n") }, { 501, ALL("GETT / HTTP/1.1\r\n" H "\r\n") }, { 501, ALL("PATCH / HTTP/1.1\r\n" H "\r\n") },
	{ 501, ALL("TRACE / HTTP/1.1\r\n" H "\r\n") }, { 501, ALL("CONNECT gw.example:443 HTTP/1.1\r\n" H "\r\n") },
	{ 501, ALL("PRI * HTTP/1.1\r\n" H "\r\n") }, { 501, ALL("AAAAAAAAAAAAAAAAA") }, { 501, ALL("OPTIONS * HTTP/1.1\r\n" H "\r\n") },
	/* Versions: 2.3. */
	{ 505, ALL("GET / HTTP/2.0\r\n" H "\r\n") }, { 505, ALL("PRI * HTTP/2.0\r\n\r\n") }, { 505, ALL("GET / HTTP/1.2\r\n" H "\r\n") },
	{ 505, ALL("GET / HTTP/0.9\r\n" H "\r\n") }, { 400, ALL("GET / http/1.1\r\n" H "\r\n") }, { 400, ALL("GET / HTTP/1.10\r\n" H "\r\n") },
	{ 400, ALL("GET / HTTP/11\r\n" H "\r\n") }, { 400, ALL("GET / HTTP/1,1\r\n" H "\r\n") }, { 400, ALL("GET / HTTPS/1.\r\n" H "\r\n") },
	{ 400, ALL("GET / HTTP/1.\r\n" H "\r\n") },
	/* Targets: 3.2, RFC 3986. */
	{ 400, ALL("GET x HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET ../x HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /../x HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET /a/.. HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /a/./b HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET /%2e%2e/x HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /a/%2E HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET /a%2fb HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /a%00 HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /% HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET /%4 HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /%4g HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /%ff HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET /%0a HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /%e2%80%ae HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET /a\\b HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /a#b HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /\"a\" HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET /a?b#c HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /a?% HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET /a?%00 HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET http://gw.example/ HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET https://other/ HTTP/1.1\r\n" H "\r\n") },
	{ 400, ALL("GET https:///x HTTP/1.1\r\n" H "\r\n") }, { 400, ALL("GET https://gw.example/../x HTTP/1.1\r\n" H "\r\n") },
	{ 414, ALL("GET /" A2048 " HTTP/1.1\r\n" H "\r\n") }, { 414, ALL("GET /" A2048) },
	/* Host: 3.2, RFC 9110 7.2. */
	{ 400, ALL("GET / HTTP/1.1\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\n" H H "\r\n") }, { 400, ALL("GET / HTTP/1.1\r\nHost:\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\nHost: a b\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\nHost: a:1234567\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\nHost: :443\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\nHost: a\xff\r\n\r\n") },
	/* Header names: 5.1. */
	{ 400, ALL("GET / HTTP/1.1\r\nHost : a\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\n" H ": a\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\n" H "X\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\n" H "X Y: a\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\n" H "X\xff: a\r\n\r\n") }, { 400, ALL("GET / HTTP/1.1\r\n" H "X@: a\r\n\r\n") },
	/* Framing: 6. */
	{ 501, ALL("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n") },
	{ 501, ALL("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n") },
	{ 501, ALL("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\ntransfer-encoding: identity\r\n\r\n") },
	{ 501, ALL("GET / HTTP/1.0\r\nTransfer-Encoding:\r\n\r\n") },
	{ 400, ALL("POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n") },
	{ 411, ALL("POST / HTTP/1.1\r\n" H "\r\n") }, { 411, ALL("PUT / HTTP/1.1\r\n" H "\r\n") }, { 411, ALL("POST / HTTP/1.0\r\n\r\n") },
	{ 400, ALL("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n") },
	{ 400, ALL("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\ncontent-length: 6\r\n\r\n") },
	{ 400, ALL("POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\n") }, { 400, ALL("POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\n") },
	{ 400, ALL("POST / HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\n") }, { 400, ALL("POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\n") },
	{ 400, ALL("POST / HTTP/1.1\r\n" H "Content-Length: 5 5\r\n\r\n") }, { 400, ALL("POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n") },
	{ 413, ALL("POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551621\r\n\r\n") },
	{ 413, ALL("POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\n") },
	{ 400, ALL("PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Type: a/b\r\nContent-Type: a/c\r\n\r\n") },
	{ 400, ALL("GET / HTTP/1.1\r\n" H "Authorization: a\r\nAuthorization: b\r\n\r\n") },
	{ 417, ALL("PUT / HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: 200-ok\r\n\r\n") },
	{ 417, ALL("GET / HTTP/1.1\r\n" H "Expect:\r\n\r\n") },
	/* Size: RFC 6585 5. */
	{ 431, ALL("GET / HTTP/1.1\r\n" H "X: " A2048 A2048 A2048 A2048 "\r\n\r\n") },
	{ 431, ALL("GET / HTTP/1.1\r\n" H A2048 A2048 A2048 A2048) },
	{ 431, ALL("GET / HTTP/1.1\r\n" H "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"
	    "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"
	    "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"
	    "A:\r\nA:\r\nA:\r\n\r\n") },
};
#define N(table) ((int)(sizeof(table) / sizeof *(table)))

/* As the server does it: what came so far, then one byte more, with the scan going on where it was. The first answer counts. */
static int parse_bytewise(const uint8_t *data, size_t len, struct http_request *r) {
	struct http_scan s = {0};
	const char *why = NULL;
	int n = 0;

	for (size_t have = 0; n == 0 && have <= len; have++) {
		uint8_t *copy = xmalloc(have); /* ends where the bytes end, so that a checker sees a read behind them */

		memcpy(copy, data, have);
		n = http_read_head(&s, copy, have, r, &why);
		free(copy);
	}
	ck_assert(n >= 0 || why != NULL);
	return n;
}

START_TEST(well_formed_head_is_read) {
	const struct good *g = &good[_i];
	OWN(http_request_wipe) struct http_request r = {0}, again = {0};
	const char *why;

	ck_assert_int_eq(http_parse_head((const uint8_t *)g->text, g->len, &r, &why), (int)g->len);
	if (g->path != NULL)
		ck_assert_str_eq(r.path, g->path);
	ck_assert(g->query == NULL ? r.query == NULL : r.query != NULL && strcmp(r.query, g->query) == 0);
	ck_assert_uint_eq(r.content_length, g->content_length);
	ck_assert(r.has_body == (g->content_length > 0));
	ck_assert(r.keep_alive == g->keep_alive);
	ck_assert(r.expect_continue == g->expect);
	ck_assert_int_eq(parse_bytewise((const uint8_t *)g->text, g->len, &again), (int)g->len);
	ck_assert_str_eq(again.path, r.path);
} END_TEST

START_TEST(ill_formed_head_has_its_status) {
	const struct bad *b = &bad[_i];
	OWN(http_request_wipe) struct http_request r = {0}, again = {0};
	const char *why = "";
	int got = http_parse_head((const uint8_t *)b->text, b->len, &r, &why);

	ck_assert_msg(got == -b->status, "%d (%s) for %s", got, why, b->text);
	ck_assert_int_eq(parse_bytewise((const uint8_t *)b->text, b->len, &again), -b->status);
} END_TEST

START_TEST(what_follows_a_head_is_left_alone) {
	static const char text[] = "GET /1 HTTP/1.1\r\n" H "\r\nGET /2 \0 nonsense";
	OWN(http_request_wipe) struct http_request r = {0};
	const char *why;

	ck_assert_int_eq(http_parse_head((const uint8_t *)text, sizeof text - 1, &r, &why), (int)strlen("GET /1 HTTP/1.1\r\n" H "\r\n"));
	ck_assert_str_eq(r.path, "/1");
} END_TEST

START_TEST(head_of_just_the_cap_is_read) {
	OWN(buf_wipe) struct buf b = {0};
	const char *why;

	buf_adds(&b, "GET / HTTP/1.1\r\n" H "X: ");
	while (b.len < (size_t)(HTTP_HEAD_MAX - 4 + _i))
		buf_addc(&b, 'x');
	buf_adds(&b, "\r\n\r\n");
	{
		OWN(http_request_wipe) struct http_request r = {0};

		ck_assert_int_eq(http_parse_head(b.data, b.len, &r, &why), _i == 0 ? HTTP_HEAD_MAX : -431);
	}
} END_TEST

START_TEST(target_of_just_the_cap_is_read) {
	OWN(buf_wipe) struct buf b = {0};
	OWN(http_request_wipe) struct http_request r = {0};
	const char *why;

	buf_adds(&b, "GET /");
	while (b.len < (size_t)4 + HTTP_TARGET_MAX + (size_t)_i)
		buf_addc(&b, 'x');
	buf_adds(&b, " HTTP/1.1\r\n" H "\r\n");
	ck_assert_int_eq(http_parse_head(b.data, b.len, &r, &why), _i == 0 ? (int)b.len : -414);
} END_TEST

/* Whatever is changed: refused, unfinished, or read with every rule still kept. */
static void check_kept(const uint8_t *data, size_t len) {
	OWN(http_request_wipe) struct http_request r = {0}, again = {0};
	const char *why = NULL;
	int n = http_parse_head(data, len, &r, &why);

	ck_assert_int_eq(parse_bytewise(data, len, &again), n);
	if (n <= 0)
		return;
	ck_assert_int_le(n, (int)len);
	ck_assert_int_eq(r.path[0], '/');
	ck_assert_ptr_null(strstr(r.path, "/../"));
	for (size_t i = 0; i < r.n_headers; i++)
		ck_assert_ptr_null(strpbrk(r.headers[i].value, "\r\n"));
}

START_TEST(flipped_bytes_break_no_rule) {
	static const char text[] = "PUT /a/%41?n=%20 HTTP/1.1\r\n" H "Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";

	for (size_t i = 0; i < sizeof text - 1; i++) {
		for (int v = 0; v < 256; v++) {
			uint8_t copy[sizeof text];

			memcpy(copy, text, sizeof text);
			copy[i] = (uint8_t)v;
			check_kept(copy, sizeof text - 1);
		}
	}
} END_TEST

START_TEST(cut_heads_are_unfinished) {
	static const char text[] = "PUT /a HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n";

	for (size_t len = 0; len < sizeof text - 1; len++) {
		OWN(http_request_wipe) struct http_request r = {0};
		const char *why;

		ck_assert_int_eq(http_parse_head((const uint8_t *)text, len, &r, &why), 0);
	}
} END_TEST

static int query(const char *q, const char *key, char **value) {
	OWN(buf_wipe) struct buf b = {0};
	OWN(http_request_wipe) struct http_request r = {0};
	const char *why;
	struct err e = ERR_INIT;

	buf_addf(&b, "GET /%s HTTP/1.1\r\n" H "\r\n", q);
	ck_assert_int_gt(http_parse_head(b.data, b.len, &r, &why), 0);
	return http_query(&r, key, value, &e);
}

static const struct { const char *query, *value; } queries[] = {
	{ "?n=1", "1" }, { "?a=2&n=1&b", "1" }, { "?n=", "" }, { "?n=a%20b%2Fc", "a b/c" }, { "?n=a+b", "a+b" }, { "?&&n=1", "1" }, { "?nn=2&n=x=y", "x=y" },
};

START_TEST(query_value_is_found) {
	OWN(own_free) char *v = NULL;

	ck_assert_int_eq(query(queries[_i].query, "n", &v), 0);
	ck_assert_str_eq(v, queries[_i].value);
} END_TEST

static const struct { const char *query; int code; } bad_queries[] = {
	{ "", ERR_NOTFOUND }, { "?", ERR_NOTFOUND }, { "?n", ERR_NOTFOUND }, { "?N=1", ERR_NOTFOUND }, { "?nn=1", ERR_NOTFOUND },
	{ "?n=1&n=1", ERR_USAGE }, { "?n=1&a=2&n=", ERR_USAGE }, { "?n=%ff", ERR_USAGE },
};

START_TEST(query_without_one_value_is_refused) {
	char *v = NULL;

	ck_assert_int_eq(query(bad_queries[_i].query, "n", &v), bad_queries[_i].code);
	ck_assert_ptr_null(v);
} END_TEST

START_TEST(reply_head_says_what_follows) {
	OWN(http_reply_wipe) struct http_reply r = { .status = 405, .type = "text/plain", .allow = "GET, PUT", .retry_after_s = 7, .close = true };
	OWN(buf_wipe) struct buf out = {0};

	buf_adds(&r.body, "hello");
	http_reply_head(&r, &out);
	ck_assert_int_eq(strncmp(buf_str(&out), "HTTP/1.1 405 Method Not Allowed\r\nDate: ", 39), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), " GMT\r\nContent-Type: text/plain\r\nAllow: GET, PUT\r\nRetry-After: 7\r\n"
	    "Content-Length: 5\r\nCache-Control: no-store\r\nStrict-Transport-Security: max-age=31536000\r\nConnection: close\r\n\r\n"));
} END_TEST

START_TEST(reply_without_content_has_no_length) {
	struct http_reply r = { .status = 204 };
	OWN(buf_wipe) struct buf out = {0};

	http_reply_head(&r, &out);
	ck_assert_ptr_null(strstr(buf_str(&out), "Content-Length"));
} END_TEST

static int released;

static void release(void *owner) {
	(void)owner;
	released++;
}

START_TEST(shared_body_is_released_once) {
	struct http_reply r = { .status = 200, .shared = (const uint8_t *)"abc", .shared_len = 3, .unref = release };
	OWN(buf_wipe) struct buf out = {0};

	http_reply_head(&r, &out);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Content-Length: 3\r\n"));
	http_problem(&r, 503, "not-stored", "later");
	http_reply_wipe(&r);
	http_reply_wipe(&r);
	ck_assert_int_eq(released, 1);
} END_TEST

START_TEST(problem_is_json_whatever_the_detail) {
	static const char *const details[] = { "plain", "quote \" and \\ and \n", "", "\xff\xfe" };
	OWN(http_reply_wipe) struct http_reply r = { .close = true };
	json_t *o;

	http_problem(&r, 403, "revoked", details[_i]);
	o = json_loadb(buf_str(&r.body), r.body.len, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(json_string_value(json_object_get(o, "type")), "urn:scg:revoked");
	ck_assert_str_eq(json_string_value(json_object_get(o, "title")), "Forbidden");
	ck_assert_int_eq((int)json_integer_value(json_object_get(o, "status")), 403);
	ck_assert_str_eq(json_string_value(json_object_get(o, "detail")), _i == 3 ? "" : details[_i]);
	ck_assert(r.close);
	ck_assert_str_eq(r.type, "application/problem+json");
	json_decref(o);
} END_TEST

int main(void) {
	TCase *t = tcase_create("http");

	tcase_add_loop_test(t, well_formed_head_is_read, 0, N(good));
	tcase_add_loop_test(t, ill_formed_head_has_its_status, 0, N(bad));
	tcase_add_test(t, what_follows_a_head_is_left_alone);
	tcase_add_loop_test(t, head_of_just_the_cap_is_read, 0, 2);
	tcase_add_loop_test(t, target_of_just_the_cap_is_read, 0, 2);
	tcase_add_test(t, flipped_bytes_break_no_rule);
	tcase_add_test(t, cut_heads_are_unfinished);
	tcase_add_loop_test(t, query_value_is_found, 0, N(queries));
	tcase_add_loop_test(t, query_without_one_value_is_refused, 0, N(bad_queries));
	tcase_add_test(t, reply_head_says_what_follows);
	tcase_add_test(t, reply_without_content_has_no_length);
	tcase_add_test(t, shared_body_is_released_once);
	tcase_add_loop_test(t, problem_is_json_whatever_the_detail, 0, 4);
	return suite_run("http", t);
}
