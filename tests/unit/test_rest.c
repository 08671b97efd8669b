/* SPDX-License-Identifier: Apache-2.0 */
/* net/rest: what goes out and comes in, and when it is asked for again. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "lib/tmp.h"
#include "lib/web.h"
#include "net/gate.h"
#include "unit/rest_lab.h"

static struct web web;
static atomic_int handled;

/* What is right. */

START_TEST(requests_share_a_connection) {
	static const struct hostile_step s = STEP(OK "Content-Type: Application/JSON; charset=UTF-8\r\nContent-Length: 2\r\n\r\n{}", HOSTILE_KEEP);

	lab_play(&s, 1);
	for (int i = 0; i < 10; i++) {
		struct rest_request q = lab_ask_for("GET", "/a?b=c");

		q.expect = "application/json";
		rest_reply_wipe(&lab.p);
		ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
		ck_assert_int_eq(lab.p.status, 200);
		ck_assert_str_eq(lab.p.type, "application/json");
		ck_assert_str_eq(buf_str(&lab.p.body), "{}");
		ck_assert_uint_eq(lab.p.attempts, 1);
	}
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 10);
	ck_assert_uint_eq(lab.h.connections, 1);
} END_TEST

START_TEST(request_has_what_was_said_and_no_more) {
	static const struct hostile_step s = STEP(OK EMPTY, HOSTILE_KEEP);
	static const char *const own[] = { "X-One: 1", "Content-Range: bytes */10", NULL };
	static char big[2 << 20];
	struct rest_request q;
	const char *heard;

	lab_play(&s, 1);
	memset(big, 'x', sizeof big - 1);
	q = lab_ask_for("PUT", "/u?v=w");
	q.bearer = "tok.en-1";
	q.headers = own;
	q.type = "application/x-y";
	q.body = big;
	q.body_len = sizeof big - 1;
	ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_uint_eq(lab.p.sent, sizeof big - 1);
	heard = lab_stop();
	ck_assert_int_eq(strncmp(heard, "PUT /u?v=w HTTP/1.1\r\n", 21), 0);
	lab_check_heard(heard, "Authorization: Bearer tok.en-1\r\n", true);
	lab_check_heard(heard, "X-One: 1\r\n", true);
	lab_check_heard(heard, "Content-Range: bytes */10\r\n", true);
	lab_check_heard(heard, "Content-Type: application/x-y\r\n", true);
	lab_check_heard(heard, "Content-Length: 2097151\r\n", true);
	lab_check_heard(heard, "Expect:", false);
	lab_check_heard(heard, "Accept-Encoding:", false);
	lab_check_heard(heard, "Transfer-Encoding:", false);
} END_TEST

START_TEST(method_decides_about_the_empty_body) {
	static const struct { const char *method; bool length; } kinds[] = {
		{ "GET", false }, { "DELETE", false }, { "HEAD", false }, { "POST", true }, { "PUT", true }, { "PATCH", true },
	};
	static const struct hostile_step s = STEP(OK EMPTY, HOSTILE_KEEP);
	struct rest_request q;
	const char *heard;

	lab_play(&s, 1);
	ck_assert_int_eq(lab_post("before", false), 0); /* on the same handle */
	q = lab_ask_for(kinds[_i].method, "/m");
	ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
	heard = strstr(lab_stop(), "before");
	lab_check_heard(heard, kinds[_i].method, true);
	lab_check_heard(heard, "Content-Length: 0\r\n", kinds[_i].length);
} END_TEST

START_TEST(headers_of_the_reply_are_there_before_its_body) {
	static const struct hostile_step s = STEP("HTTP/1.1 100 Continue\r\nLocation: /not/this\r\n\r\nHTTP/1.1 206 Partial\r\nLocation: https://x/y?z\r\nrange:  bytes=0-9 \r\n"
	    "Content-Range: bytes 5-6/9\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nLocation: /late\r\n"
	    "HTTP/1.1 500 Late: yes\r\n\r\n", HOSTILE_CLOSE);

	lab_play(&s, 1);
	ck_assert_msg(lab_get("/") == 0, "%s", lab.e.text);
	ck_assert_int_eq(lab.p.status, 206);
	ck_assert_str_eq(lab.p.location, "https://x/y?z");
	ck_assert_str_eq(lab.p.range, "bytes=0-9");
	ck_assert_str_eq(lab.p.content_range, "bytes 5-6/9");
	ck_assert_int_eq(lab.p.date_s, 784111777);
	ck_assert_str_eq(buf_str(&lab.p.body), "hi");
	(void)lab_stop();
} END_TEST

START_TEST(resume_incomplete_is_an_ordinary_status) {
	static const struct hostile_step s = STEP("HTTP/1.1 308 Resume Incomplete\r\nRange: bytes=0-4\r\nContent-Length: 2\r\n\r\nno", HOSTILE_KEEP);

	lab_play(&s, 1);
	ck_assert_msg(lab_post("0123456789", true) == 0, "%s", lab.e.text);
	ck_assert_int_eq(lab.p.status, 308);
	ck_assert_str_eq(lab.p.range, "bytes=0-4");
	ck_assert_ptr_null(lab.p.location);
	ck_assert_uint_eq(lab.p.attempts, 1);
	(void)lab_stop();
} END_TEST

/* A body that is read: the pattern of its offsets. */
static int read_pattern(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *why) {
	char *to = data;

	(void)arg, (void)why;
	*got = len < 5000 ? len : 5000; /* less than asked for is well */
	for (size_t i = 0; i < *got; i++)
		to[i] = (char)('a' + (off + i) % 23);
	return 0;
}

/* The same from several threads. */
static int read_zeros(void *arg, void *data, size_t len, uint64_t off, size_t *n, struct err *why) {
	(void)arg, (void)off, (void)why;
	memset(data, 0, len);
	*n = len;
	return 0;
}

static struct rest_request pattern_request(uint64_t len) {
	struct rest_request q = lab_ask_for("PUT", "/up");

	q.read = read_pattern;
	q.body_len = len;
	q.progress = lab_tell;
	return q;
}

static void check_pattern(const char *body, uint64_t len) {
	uint64_t i = 0;

	while (i < len && body[i] == 'a' + (char)(i % 23))
		i++;
	ck_assert_uint_eq(i, len);
}

START_TEST(body_that_is_read_arrives) {
	static const uint64_t sizes[] = { 1, 4999, 5000, 300001 };
	static const struct hostile_step s = STEP(OK EMPTY, HOSTILE_KEEP);
	struct rest_request q;

	lab_play(&s, 1);
	q = pattern_request(sizes[_i]);
	ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_uint_eq(lab.told, sizes[_i]);
	ck_assert_uint_eq(lab.p.sent, sizes[_i]);
	check_pattern(strstr(lab_stop(), "\r\n\r\n") + 4, sizes[_i]);
} END_TEST

START_TEST(upload_that_breaks_begins_again) {
	static const struct hostile_step s[] = { STEP("", HOSTILE_HALF), STEP(OK EMPTY, HOSTILE_KEEP) };
	static const uint64_t len = 3000000;
	struct rest_request q;
	const char *heard;

	lab_play(s, 2);
	q = pattern_request(len);
	ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_uint_eq(lab.p.attempts, 2);
	ck_assert_uint_eq(lab.p.sent, len);
	ck_assert_uint_eq(lab.told, len); /* nothing twice */
	heard = lab_stop();
	ck_assert_uint_eq(lab.h.requests, 2);
	check_pattern(strstr(strstr(heard + 1, "PUT /up "), "\r\n\r\n") + 4, len);
} END_TEST

/* libcurl finds out itself that the kept connection is dead, and rewinds. */
START_TEST(body_is_rewound_when_a_kept_connection_was_dead) {
	static const struct hostile_step s[] = { STEP(OK EMPTY, HOSTILE_KEEP), STEP("", HOSTILE_CLOSE), STEP(OK EMPTY, HOSTILE_KEEP) };
	struct rest_request q;
	const char *heard;

	lab_play(s, 3);
	ck_assert_int_eq(lab_get("/"), 0);
	q = pattern_request(20000);
	ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_uint_eq(lab.told, 20000);
	heard = strstr(lab_stop(), "PUT /up ");
	ck_assert_uint_eq(lab.h.requests, 3);
	ck_assert_uint_eq(lab.h.connections, 2);
	check_pattern(strstr(strstr(heard + 1, "PUT /up "), "\r\n\r\n") + 4, 20000);
} END_TEST

/* Replies that are taken. */

/* A reply of this many bytes. */
static struct hostile_step big_reply(struct buf *out, size_t len, enum hostile_end end) {
	buf_addf(out, OK "Content-Length: %zu\r\n\r\n", len);
	for (size_t i = 0; i < len; i++)
		buf_addc(out, (uint8_t)('a' + i % 23));
	return (struct hostile_step){ out->data, out->len, end };
}

START_TEST(reply_is_taken_in_order) {
	static const size_t sizes[] = { 0, 1, 100000, 2000001 };
	OWN(buf_wipe) struct buf reply = {0};
	struct hostile_step s = big_reply(&reply, sizes[_i], HOSTILE_KEEP);

	lab_play(&s, 1);
	ck_assert_msg(lab_get_taken() == 0, "%s", lab.e.text);
	ck_assert_uint_eq(lab.got.len, sizes[_i]);
	ck_assert_uint_eq(lab.told, sizes[_i]);
	ck_assert_uint_eq(lab.p.content_length, sizes[_i]);
	ck_assert_uint_eq(lab.p.body.len, 0);
	check_pattern(buf_str(&lab.got), lab.got.len);
	(void)lab_stop();
} END_TEST

/* Each piece comes 400 s after the one before: many times the limit of 600 s in all. */
START_TEST(limit_counts_from_the_last_progress) {
	OWN(buf_wipe) struct buf reply = {0};
	struct hostile_step s = big_reply(&reply, 2000000, HOSTILE_KEEP);
	int64_t begin = clock_mono_ms();

	lab.jump_ms = 400000;
	lab_play(&s, 1);
	ck_assert_msg(lab_get_taken() == 0, "%s", lab.e.text);
	ck_assert_int_gt(clock_mono_ms() - begin, (int64_t)3 * LAB_LONG_S * 1000);
	(void)lab_stop();
} END_TEST

START_TEST(error_of_take_ends_the_request) {
	OWN(buf_wipe) struct buf reply = {0};
	struct hostile_step s = big_reply(&reply, 5000000, HOSTILE_KEEP);

	lab.take_limit = 100000;
	lab_play(&s, 1);
	ck_assert_int_eq(lab_get_taken(), ERR_CONFLICT);
	ck_assert_str_eq(lab.e.text, "enough of it");
	ck_assert_uint_lt(lab.got.len, 1000000);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 1);
} END_TEST

static const struct hostile_step broken[] = {
	STEP(OK "Content-Length: 5\r\n\r\nhe", HOSTILE_CLOSE), STEP(OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n", HOSTILE_CLOSE),
	STEP(OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhe", HOSTILE_CLOSE),
	/* a reset may overtake what was sent before it */
	STEP(OK "Content-Length: 5\r\n\r\nhe", HOSTILE_RESET), STEP(OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhe", HOSTILE_RESET),
};
#define ORDERLY 3

START_TEST(broken_download_leaves_its_beginning) {
	lab_play(&broken[_i], 1);
	ck_assert_int_eq(lab_get_taken(), ERR_UNREACHABLE);
	ck_assert_int_eq(lab.p.status, 200);
	ck_assert_str_eq(buf_str(&lab.got), "he");
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 1);
} END_TEST

START_TEST(broken_reply_is_asked_for_again) {
	const struct hostile_step s[] = { broken[_i], STEP("", HOSTILE_RESET), STEP(OK "Content-Len", HOSTILE_CLOSE),
		STEP(OK "Content-Length: 5\r\n\r\nhello", HOSTILE_CLOSE) };

	lab_play(s, 4);
	ck_assert_msg(lab_get("/") == 0, "%s", lab.e.text);
	ck_assert_str_eq(buf_str(&lab.p.body), "hello");
	ck_assert_uint_eq(lab.p.attempts, 4);
	(void)lab_stop();
} END_TEST

START_TEST(nothing_taken_yet_is_asked_for_again) {
	static const struct hostile_step s[] = { STEP("", HOSTILE_RESET), STEP("HTTP/1.1 503 No\r\nContent-Length: 5\r\n\r\nsorry", HOSTILE_KEEP),
		STEP(OK "Content-Length: 5\r\n\r\nhello", HOSTILE_CLOSE) };

	lab_play(s, 3);
	ck_assert_msg(lab_get_taken() == 0, "%s", lab.e.text);
	ck_assert_str_eq(buf_str(&lab.got), "hello");
	(void)lab_stop();
} END_TEST

/* Again, or not again. */

static const struct hostile_step busy[] = {
	STEP("HTTP/1.1 408 Later\r\n" EMPTY, HOSTILE_CLOSE), STEP("HTTP/1.1 429 Later\r\n" EMPTY, HOSTILE_KEEP),
	STEP("HTTP/1.1 503 Later\r\n" EMPTY, HOSTILE_KEEP), STEP("HTTP/1.1 500 Later\r\n" EMPTY, HOSTILE_KEEP),
	STEP("HTTP/1.1 502 Later\r\n" EMPTY, HOSTILE_KEEP), STEP("HTTP/1.1 504 Later\r\n" EMPTY, HOSTILE_KEEP),
};

START_TEST(busy_service_is_asked_again) {
	const struct hostile_step s[] = { busy[_i], busy[_i], STEP(OK EMPTY, HOSTILE_KEEP) };

	lab_play(s, 3);
	ck_assert_msg(lab_get("/") == 0, "%s", lab.e.text);
	ck_assert_int_eq(lab.p.status, 200);
	ck_assert_uint_eq(lab.p.attempts, 3);
	(void)lab_stop();
} END_TEST

/* With the first three it says that it has not acted. */
START_TEST(what_the_service_may_have_done_is_not_asked_twice) {
	const struct hostile_step s[] = { busy[_i], STEP(OK EMPTY, HOSTILE_KEEP) };

	lab_play(s, 2);
	ck_assert_msg(lab_post("x", false) == 0, "%s", lab.e.text);
	ck_assert_uint_eq(lab.p.attempts, _i < 3 ? 2 : 1);
	ck_assert_int_eq(lab.p.status == 200, _i < 3);
	(void)lab_stop();
} END_TEST

START_TEST(what_may_be_repeated_is) {
	const struct hostile_step s[] = { busy[_i], STEP("", HOSTILE_RESET), STEP(OK EMPTY, HOSTILE_KEEP) };

	lab_play(s, 3);
	ck_assert_msg(lab_post("x", true) == 0, "%s", lab.e.text);
	ck_assert_int_eq(lab.p.status, 200);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 3);
} END_TEST

START_TEST(lost_reply_of_what_may_not_be_repeated_is_an_error) {
	static const struct hostile_step s[] = { STEP("", HOSTILE_RESET), STEP(OK EMPTY, HOSTILE_KEEP) };

	lab_play(s, 2);
	ck_assert_int_eq(lab_post("x", false), ERR_UNREACHABLE);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 1);
} END_TEST

/* libcurl would send it again by itself on a new connection. */
START_TEST(nor_is_it_repeated_on_a_kept_connection) {
	static const struct hostile_step s[] = { STEP(OK EMPTY, HOSTILE_KEEP), STEP("", HOSTILE_CLOSE), STEP(OK EMPTY, HOSTILE_KEEP) };

	lab_play(s, 3);
	ck_assert_int_eq(lab_get("/"), 0);
	ck_assert_int_eq(lab_post("x", false), ERR_UNREACHABLE);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 2);
} END_TEST

START_TEST(reset_before_tls_may_always_be_tried_again) {
	static const struct hostile_step s[] = { STEP("", HOSTILE_NO_TLS), STEP("", HOSTILE_NO_TLS), STEP(OK EMPTY, HOSTILE_CLOSE) };

	lab_play(s, 3);
	ck_assert_msg(lab_post("x", false) == 0, "%s", lab.e.text);
	ck_assert_uint_eq(lab.p.attempts, 3);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.connections, 3);
	ck_assert_uint_eq(lab.h.requests, 1);
} END_TEST

START_TEST(once_is_once) {
	const struct hostile_step s[] = { busy[1], STEP("", HOSTILE_RESET), STEP(OK EMPTY, HOSTILE_KEEP) };
	struct rest_request q;

	lab_play(s, 3);
	q = lab_ask_for("PUT", "/o");
	q.once = true;
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), 0);
	ck_assert_int_eq(lab.p.status, 429);
	rest_reply_wipe(&lab.p);
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), ERR_UNREACHABLE);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 2);
} END_TEST

#define LATER "HTTP/1.1 429 Later\r\n" EMPTY
#define BODY_LEN 100000u

/* How many bytes the service heard of bodies of nothing but this letter. */
static size_t count_letter(const char *heard, char letter) {
	size_t n = 0;

	for (; *heard != '\0'; heard++)
		n += *heard == letter;
	return n;
}

/* The second one is refused before it is sent; the third one is sent unasked, since the service does not say that it may; so are those after it. */
START_TEST(where_a_body_was_refused_the_next_is_announced) {
	static const struct hostile_step s[] = { STEP(LATER, HOSTILE_KEEP), STEP(LATER, HOSTILE_REFUSE), STEP(OK EMPTY, HOSTILE_KEEP),
		STEP(LATER, HOSTILE_KEEP), STEP(OK EMPTY, HOSTILE_KEEP) };
	static char body[BODY_LEN];
	struct rest_request q;
	const char *heard, *second;

	lab_play(s, N(s));
	memset(body, '~', sizeof body);
	for (unsigned i = 0; i < 2; i++) {
		q = lab_ask_for("PUT", i == 0 ? "/first" : "/second");
		q.body = body;
		q.body_len = sizeof body;
		rest_reply_wipe(&lab.p);
		ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
		ck_assert_int_eq(lab.p.status, 200);
		ck_assert_uint_eq(lab.p.attempts, i == 0 ? 3 : 2);
	}
	heard = lab_stop();
	ck_assert_uint_eq(count_letter(heard, '~'), (size_t)4 * BODY_LEN);
	second = strstr(heard, "/second");
	ck_assert_ptr_nonnull(second);
	lab_check_heard(second, "Expect", false);
	ck_assert_ptr_nonnull(strstr(heard, "Expect: 100-continue\r\n"));
} END_TEST

START_TEST(where_a_body_broke_off_the_next_is_announced) {
	static const struct hostile_step s[] = { STEP("", HOSTILE_RESET), STEP(OK EMPTY, HOSTILE_KEEP) };
	static char body[BODY_LEN];
	struct rest_request q;

	lab_play(s, N(s));
	memset(body, '~', sizeof body);
	q = lab_ask_for("PUT", "/first");
	q.body = body;
	q.body_len = sizeof body;
	ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_uint_eq(lab.p.attempts, 2);
	ck_assert_ptr_nonnull(strstr(lab_stop(), "Expect: 100-continue\r\n"));
} END_TEST

START_TEST(references_are_resolved_against_what_was_asked_for) {
	static const char base[] = "http://127.0.0.1:81/base/files?x=y";
	static const struct {
		const char *reference, *whole;
	} all[] = {
		{ "/a?b=c%20d", "http://127.0.0.1:81/a?b=c%20d" }, { "?b=c", "http://127.0.0.1:81/base/files?b=c" },
		{ "other?b", "http://127.0.0.1:81/base/other?b" }, { "//h.example/a", "http://h.example/a" },
		{ "https://h.example/a b", "https://h.example/a b" }, { "", NULL }, { "/a\r\nX: y", NULL },
	};

	for (size_t i = 0; i < N(all); i++) {
		OWN(own_free) char *whole = rest_url_resolve(base, all[i].reference);

		ck_assert_msg(all[i].whole == NULL ? whole == NULL : whole != NULL && strcmp(whole, all[i].whole) == 0, "%s: %s", all[i].reference,
		    whole != NULL ? whole : "none");
	}
} END_TEST

static enum rest_verdict judge(int status, const char *type, const struct buf *body) {
	return status == 403 && strcmp(type, "application/json") == 0 && strcmp(buf_str(body), "[\"rate\"]") == 0 ? REST_AGAIN : REST_FINAL;
}

#define FORBIDDEN(body) STEP("HTTP/1.1 403 No\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n" body, HOSTILE_KEEP)

START_TEST(caller_judges_by_the_body) {
	static const struct hostile_step s[] = { FORBIDDEN("[\"rate\"]"), FORBIDDEN("[\"full\"]"), STEP("HTTP/1.1 503 Later\r\n" EMPTY, HOSTILE_KEEP) };
	struct rest_config c = { .ca_file = tmp_path("ca.pem"), .judge = judge };

	lab_play_as(s, 3, &lab.group.gateway);
	ck_assert_int_eq(rest_new(&lab.r, &c, &lab.e), 0);
	ck_assert_int_eq(lab_post("x", false), 0);
	ck_assert_int_eq(lab.p.status, 403);
	ck_assert_uint_eq(lab.p.attempts, 2);
	ck_assert_str_eq(buf_str(&lab.p.body), "[\"full\"]");
	rest_reply_wipe(&lab.p);
	ck_assert_int_eq(lab_get("/"), 0);
	ck_assert_int_eq(lab.p.status, 503);
	ck_assert_uint_eq(lab.p.attempts, 1);
	(void)lab_stop();
} END_TEST

static const struct hostile_step later[][2] = {
	{ STEP("HTTP/1.1 429 Later\r\nRetry-After: 1\r\n" EMPTY, HOSTILE_KEEP), STEP(OK EMPTY, HOSTILE_KEEP) },
	{ STEP("HTTP/1.1 503 Later\r\nRetry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n" EMPTY, HOSTILE_CLOSE),
	  STEP(OK EMPTY, HOSTILE_KEEP) },
};

START_TEST(nothing_is_asked_before_retry_after) {
	lab_play(later[_i], 2);
	ck_assert_msg(lab_post("x", false) == 0, "%s", lab.e.text);
	ck_assert_int_eq(lab.p.status, 200);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 2);
	ck_assert_int_ge(lab.h.at_ms[1] - lab.h.at_ms[0], 1000);
} END_TEST

START_TEST(retry_after_beyond_the_patience_is_final) {
	static const struct hostile_step s[] = {
		STEP("HTTP/1.1 429 Later\r\nRetry-After: 65\r\n" EMPTY, HOSTILE_KEEP), STEP("HTTP/1.1 429 Later\r\nRetry-After: 99999999999999999999\r\n" EMPTY, HOSTILE_KEEP),
		STEP("HTTP/1.1 503 Later\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Mon, 07 Nov 1994 08:49:38 GMT\r\n" EMPTY, HOSTILE_KEEP),
	};

	lab_play_as(&s[_i], 1, &lab.group.gateway);
	lab_dial(1000);
	ck_assert_int_eq(lab_get("/"), 0);
	ck_assert_int_eq(lab.p.status, _i < 2 ? 429 : 503);
	ck_assert_uint_eq(lab.p.retry_after_s, _i == 0 ? 65 : 3600);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 1);
} END_TEST

/* A request that is not made again itself. */
static int get_once(struct rest *r) {
	struct rest_request q = lab_ask_for("GET", "/once");

	q.once = true;
	rest_reply_wipe(&lab.p);
	return rest(r, &q, &lab.p, &lab.e);
}

/* The service takes one connection at a time. */
static const struct hostile_step closed_later[][2] = {
	{ STEP("HTTP/1.1 429 Later\r\nRetry-After: 1\r\n" EMPTY, HOSTILE_CLOSE), STEP(OK EMPTY, HOSTILE_KEEP) },
	{ STEP("HTTP/1.1 500 Later\r\nRetry-After: 1\r\n" EMPTY, HOSTILE_CLOSE), STEP(OK EMPTY, HOSTILE_KEEP) },
};

START_TEST(other_requests_wait_for_retry_after_too) {
	struct rest_config c = { .ca_file = tmp_path("ca.pem"), .total_s = LAB_LONG_S };
	struct rest *other = NULL;

	lab_play(closed_later[_i], 2);
	ck_assert_int_eq(rest_new(&other, &c, &lab.e), 0);
	ck_assert_int_eq(get_once(lab.r), 0);
	ck_assert_int_ge(lab.p.status, 429);
	ck_assert_msg(get_once(other) == 0, "%s", lab.e.text);
	ck_assert_int_eq(lab.p.status, 200);
	rest_free(other);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 2);
	ck_assert_int_ge(lab.h.at_ms[1] - lab.h.at_ms[0], 1000);
} END_TEST

START_TEST(other_requests_are_not_sent_where_retry_after_is_beyond_their_limit) {
	static const struct hostile_step s[] = { STEP("HTTP/1.1 429 Later\r\nRetry-After: 60\r\n" EMPTY, HOSTILE_KEEP), STEP(OK EMPTY, HOSTILE_KEEP) };
	struct rest_request q;

	clock_stop_mono();
	lab_play(s, 2);
	ck_assert_int_eq(get_once(lab.r), 0);
	ck_assert_int_eq(lab.p.status, 429);
	rest_reply_wipe(&lab.p);
	q = lab_ask_for("GET", "/");
	q.total_s = 20;
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), ERR_UNREACHABLE);
	lab_check_why("asks for patience for ");
	ck_assert_uint_eq(lab.p.attempts, 0);
	ck_assert_uint_gt(lab.p.retry_after_s, 0);
	ck_assert_uint_le(lab.p.retry_after_s, 61);
	clock_move_mono_ms(60001);
	ck_assert_int_eq(get_once(lab.r), 0);
	ck_assert_int_eq(lab.p.status, 200);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 2);
} END_TEST

static const struct {
	struct hostile_step step;
	bool shut;
} says[] = {
	{ STEP("HTTP/1.1 429 Slow\r\n" EMPTY, HOSTILE_KEEP), true },
	{ STEP("HTTP/1.1 503 Later\r\nRetry-After: 60\r\n" EMPTY, HOSTILE_KEEP), true },
	{ STEP("HTTP/1.1 500 Broken\r\nRetry-After: 60\r\n" EMPTY, HOSTILE_KEEP), true },
	{ STEP("HTTP/1.1 500 Broken\r\n" EMPTY, HOSTILE_KEEP), false },
	{ STEP("HTTP/1.1 503 Later\r\n" EMPTY, HOSTILE_KEEP), false },
	{ STEP("HTTP/1.1 503 Later\r\nRetry-After: 0\r\n" EMPTY, HOSTILE_KEEP), false },
	{ STEP("HTTP/1.1 404 None\r\nRetry-After: 60\r\n" EMPTY, HOSTILE_KEEP), false },
	{ STEP("HTTP/1.1 200 OK\r\nRetry-After: 60\r\n" EMPTY, HOSTILE_KEEP), false },
};

START_TEST(gate_is_shut_by_who_asks_for_patience_alone) {
	clock_stop_mono();
	lab_play(&says[_i].step, 1);
	ck_assert_int_eq(get_once(lab.r), 0);
	lab.h.url[strcspn(lab.h.url, "/") + 2 + strcspn(strstr(lab.h.url, "//") + 2, "/")] = '\0'; /* the site */
	ck_assert_int_eq(gate_left_ms(lab.h.url) > 0, says[_i].shut);
	(void)lab_stop();
} END_TEST

START_TEST(retry_after_that_is_none_is_passed_over) {
	static const struct hostile_step s[][2] = {
		{ STEP("HTTP/1.1 503 Later\r\nRetry-After: soon\r\n" EMPTY, HOSTILE_KEEP), STEP(OK EMPTY, HOSTILE_KEEP) },
		{ STEP("HTTP/1.1 503 Later\r\nRetry-After: -5\r\n" EMPTY, HOSTILE_KEEP), STEP(OK EMPTY, HOSTILE_KEEP) },
		{ STEP("HTTP/1.1 503 Later\r\nRetry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n" EMPTY, HOSTILE_KEEP), STEP(OK EMPTY, HOSTILE_KEEP) },
	};

	lab_play(s[_i], 2);
	ck_assert_int_eq(lab_get("/"), 0);
	ck_assert_int_eq(lab.p.status, 200);
	(void)lab_stop();
} END_TEST

START_TEST(form_is_percent_encoded) {
	OWN(buf_wipe) struct buf out = {0};

	rest_form_add(&out, "a b", "c&d=e/f");
	rest_form_add(&out, "x", "");
	rest_form_add(&out, "y", "\xc3\xa4~");
	ck_assert_str_eq(buf_str(&out), "a%20b=c%26d%3De%2Ff&x=&y=%C3%A4~");
} END_TEST

/* Many at once, against our own server. */

#define THREADS 16
#define EACH 25

static int64_t body_max(void *arg, struct server_peer *peer, const struct http_request *q, struct http_reply *reply) {
	(void)arg, (void)peer, (void)q, (void)reply;
	return 4 << 20;
}

/* Each seventh request is turned away, once. */
static bool is_turned_away(const char *path) {
	static atomic_bool seen[THREADS * EACH];
	unsigned worker = 0, n = 0;

	ck_assert_int_eq(sscanf(path, "/%u/%u", &worker, &n), 2); /* NOLINT(cert-err34-c) */
	ck_assert(worker < THREADS && n < EACH);
	n += worker * EACH;
	return n % 7 == 3 && !atomic_exchange(&seen[n], true);
}

static void handle(void *arg, struct server_peer *peer, struct http_request *q, struct http_reply *reply) {
	(void)arg, (void)peer;
	atomic_fetch_add(&handled, 1);
	reply->status = is_turned_away(q->path) ? 503 : 200;
	reply->type = "text/plain";
	buf_addf(&reply->body, "%s %zu", q->path, q->body.len);
}

struct worker {
	pthread_t thread;
	unsigned number;
	int failures;
};

static void *work(void *arg) {
	struct worker *w = arg;
	char where[200], want[60];

	for (unsigned i = 0; i < EACH; i++) {
		struct rest_reply reply = {0};
		struct err why = ERR_INIT;
		uint64_t len = (uint64_t)i * 1000 + w->number;
		struct rest_request q = { .method = "PUT", .url = where, .read = read_zeros, .body_len = len, .max = 100, .expect = "text/plain" };

		(void)snprintf(where, sizeof where, "%s/%u/%u", web.url, w->number, i);
		(void)snprintf(want, sizeof want, "/%u/%u %u", w->number, i, (unsigned)len);
		if (rest(lab.r, &q, &reply, &why) != 0 || reply.status != 200 || strcmp(buf_str(&reply.body), want) != 0)
			w->failures++;
		rest_reply_wipe(&reply);
	}
	return NULL;
}

START_TEST(threads_share_it) {
	static const struct server_ops ops = { .body_max = body_max, .handle = handle };
	struct worker w[THREADS] = {0};

	web_start(&web, &lab.group, &lab.group.gateway, &ops, NULL);
	lab_dial(LAB_LONG_S);
	for (unsigned i = 0; i < THREADS; i++) {
		w[i].number = i;
		ck_assert_int_eq(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(w[i].thread, NULL), 0);
		ck_assert_int_eq(w[i].failures, 0);
	}
	(void)web_stop(&web);
	ck_assert_int_eq(handled, THREADS * EACH + (THREADS * EACH + 3) / 7);
} END_TEST

static void add_right(TCase *t) {
	tcase_add_test(t, requests_share_a_connection);
	tcase_add_test(t, request_has_what_was_said_and_no_more);
	tcase_add_loop_test(t, method_decides_about_the_empty_body, 0, 6);
	tcase_add_test(t, headers_of_the_reply_are_there_before_its_body);
	tcase_add_test(t, resume_incomplete_is_an_ordinary_status);
	tcase_add_loop_test(t, body_that_is_read_arrives, 0, 4);
	tcase_add_test(t, upload_that_breaks_begins_again);
	tcase_add_test(t, body_is_rewound_when_a_kept_connection_was_dead);
	tcase_add_loop_test(t, reply_is_taken_in_order, 0, 4);
	tcase_add_test(t, limit_counts_from_the_last_progress);
	tcase_add_test(t, form_is_percent_encoded);
	tcase_add_test(t, threads_share_it);
	tcase_add_test(t, error_of_take_ends_the_request);
	tcase_add_loop_test(t, broken_download_leaves_its_beginning, 0, ORDERLY);
}

static void add_again(TCase *t) {
	tcase_add_loop_test(t, broken_reply_is_asked_for_again, 0, N(broken));
	tcase_add_test(t, nothing_taken_yet_is_asked_for_again);
	tcase_add_loop_test(t, busy_service_is_asked_again, 0, N(busy));
	tcase_add_loop_test(t, what_the_service_may_have_done_is_not_asked_twice, 0, N(busy));
	tcase_add_loop_test(t, what_may_be_repeated_is, 0, N(busy));
	tcase_add_test(t, lost_reply_of_what_may_not_be_repeated_is_an_error);
	tcase_add_test(t, nor_is_it_repeated_on_a_kept_connection);
	tcase_add_test(t, reset_before_tls_may_always_be_tried_again);
	tcase_add_test(t, once_is_once);
	tcase_add_test(t, where_a_body_was_refused_the_next_is_announced);
	tcase_add_test(t, where_a_body_broke_off_the_next_is_announced);
	tcase_add_test(t, references_are_resolved_against_what_was_asked_for);
	tcase_add_test(t, caller_judges_by_the_body);
	tcase_add_loop_test(t, nothing_is_asked_before_retry_after, 0, N(later));
	tcase_add_loop_test(t, retry_after_beyond_the_patience_is_final, 0, 3);
	tcase_add_loop_test(t, other_requests_wait_for_retry_after_too, 0, N(closed_later));
	tcase_add_test(t, other_requests_are_not_sent_where_retry_after_is_beyond_their_limit);
	tcase_add_loop_test(t, gate_is_shut_by_who_asks_for_patience_alone, 0, N(says));
	tcase_add_loop_test(t, retry_after_that_is_none_is_passed_over, 0, 3);
}

int main(void) {
	TCase *t = tcase_create("rest");

	add_right(t);
	add_again(t);
	return lab_run("rest", t);
}
