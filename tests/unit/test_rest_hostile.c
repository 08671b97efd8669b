/* SPDX-License-Identifier: Apache-2.0 */
/* net/rest: whom it does not believe, and replies that no service should give. */
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/tmp.h"
#include "pki/key.h"
#include "pki/profile.h"
#include "unit/rest_lab.h"

static unsigned read_calls;

START_TEST(service_that_hangs_is_given_up) {
	static const struct hostile_step s[] = { STEP("", HOSTILE_HANG), STEP(OK "Content-Length: 9\r\n\r\nhel", HOSTILE_HANG) };

	lab_play_as(&s[_i], 1, &lab.group.gateway);
	lab_dial(1);
	ck_assert_int_eq(lab_get("/"), ERR_UNREACHABLE);
	lab_check_why("no progress for 1 s");
	(void)lab_stop();
	ck_assert_uint_le(lab.h.requests, 1); /* none, where 1 s is too short for a handshake */
} END_TEST

START_TEST(reply_that_trickles_is_given_up) {
	static const struct hostile_step s[] = { STEP(OK "Content-Length: 90\r\n\r\nhello", HOSTILE_TRICKLE),
		STEP("HTTP/1.1 429 No\r\nContent-Length: 9000\r\n\r\nhello", HOSTILE_TRICKLE), STEP("HTTP/1.1 200 OK\r\nA: b", HOSTILE_TRICKLE) };

	lab_play_as(&s[_i], 1, &lab.group.gateway);
	lab_dial(1);
	ck_assert_int_eq(lab_get("/"), ERR_UNREACHABLE);
	lab_check_why("no progress for 1 s");
	(void)lab_stop();
} END_TEST

static int read_late(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	(void)arg, (void)off, (void)e;
	clock_move_mono_ms(LAB_LONG_S * 1000 * 2 / 5);
	memset(data, 'x', len);
	*got = len;
	return 0;
}

/* Each attempt takes two fifths of the limit and gets as far as the one before. */
START_TEST(bytes_that_moved_before_are_no_progress) {
	static const struct hostile_step s = STEP("", HOSTILE_RESET);
	struct rest_request q;

	lab_play(&s, 1);
	q = lab_ask_for("PUT", "/");
	q.body_len = 1000;
	q.read = read_late;
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), ERR_UNREACHABLE);
	ck_assert_uint_le(lab.p.attempts, 4);
	(void)lab_stop();
} END_TEST

/* What a first request has waited for in vain a second one is not as patient with, until an answer comes. */
START_TEST(patience_is_lost_once) {
	static const struct hostile_step s = STEP(OK EMPTY, HOSTILE_CLOSE);
	struct rest_config c = { .total_s = LAB_LONG_S, .tired_s = LAB_LONG_S / 2 };

	lab_play_as(&s, 1, NULL);
	ck_assert_int_eq(rest_new(&lab.r, &c, &lab.e), 0);
	ck_assert_uint_eq(rest_patience_s(lab.r), LAB_LONG_S);
	rest_gave_up(lab.r);
	ck_assert_uint_eq(rest_patience_s(lab.r), LAB_LONG_S / 2);
	ck_assert_msg(lab_get("/") == 0, "%s", lab.e.text);
	ck_assert_uint_eq(rest_patience_s(lab.r), LAB_LONG_S);
	(void)lab_stop();
} END_TEST

START_TEST(nobody_there_is_unreachable) {
	(void)snprintf(lab.h.url, sizeof lab.h.url, "https://127.0.0.1:1");
	lab_dial(LAB_LONG_S);
	clock_step_mono_ms(LAB_LONG_S * 1000 / 20); /* some looks at the clock, and the time is over */
	ck_assert_int_eq(lab_post("x", false), ERR_UNREACHABLE);
	ck_assert_uint_gt(lab.p.attempts, 1);
	lab_check_why("https://127.0.0.1:1: ");
} END_TEST

#define LINE64 "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"

/* Whom to believe. */

static void issue(const char *san, int64_t from_s, int64_t to_s, struct fixture_id *out) {
	struct profile_request q = { .role = ROLE_GATEWAY, .name = "localhost", .san = san, .not_before_s = from_s, .not_after_s = to_s,
		.serial = { 1 } };

	ck_assert_int_eq(key_make(NULL, &out->key, &lab.e), 0);
	ck_assert_msg(profile_issue(lab.group.ca.key, lab.group.ca.cert, out->key, &q, &out->cert, &lab.e) == 0, "%s", lab.e.text);
}

static const struct hostile_step fine = STEP(OK EMPTY, HOSTILE_CLOSE);

static void check_not_believed(const struct fixture_id *id) {
	struct rest_request q;

	lab_play_as(&fine, 1, id);
	lab_dial(LAB_LONG_S);
	q = lab_ask_for("GET", "/secret-path");
	q.bearer = "secret-token";
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), ERR_DAMAGED);
	lab_check_why("certificate not verified: https://127.0.0.1:");
	ck_assert_ptr_null(strstr(lab.e.text, "secret"));
	ck_assert_uint_eq(lab.p.attempts, 1);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 0);
} END_TEST

START_TEST(foreign_certificate_is_refused) {
	check_not_believed(&lab.group.foreign_gateway);
} END_TEST

START_TEST(certificate_of_no_server_is_refused) {
	check_not_believed(&lab.group.alice);
} END_TEST

START_TEST(certificate_of_another_name_is_refused) {
	static const char *const sans[] = { "DNS:other.example", "IP:127.0.0.2", "DNS:127.0.0.1.example" };
	struct fixture_id id = {0};

	issue(sans[_i], lab.group.now_s - 100, lab.group.now_s + 1000, &id);
	check_not_believed(&id);
	fixture_id_wipe(&id);
} END_TEST

START_TEST(certificate_out_of_its_dates_is_refused) {
	struct fixture_id id = {0};

	issue("IP:127.0.0.1", lab.group.now_s + (_i == 0 ? -1000 : 1000), lab.group.now_s + (_i == 0 ? -100 : 2000), &id);
	check_not_believed(&id);
	fixture_id_wipe(&id);
} END_TEST

START_TEST(anchors_of_the_system_do_not_have_the_groups_ca) {
	struct rest_config c = { .total_s = LAB_LONG_S };

	lab_play_as(&fine, 1, &lab.group.gateway);
	ck_assert_int_eq(rest_new(&lab.r, &c, &lab.e), 0);
	ck_assert_int_lt(lab_get("/"), 0);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 0);
} END_TEST

START_TEST(tls_1_2_is_the_oldest) {
	lab.h = (struct hostile){ .steps = &fine, .n_steps = 1, .tls_max = _i == 0 ? TLS1_2_VERSION : TLS1_1_VERSION };
	hostile_start(&lab.h, &lab.group.gateway);
	lab_dial(LAB_LONG_S);
	if (_i == 1)
		clock_step_mono_ms(LAB_LONG_S * 1000 / 20);
	ck_assert_int_eq(lab_get("/"), _i == 0 ? 0 : ERR_UNREACHABLE);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, _i == 0 ? 1 : 0);
} END_TEST

START_TEST(plain_http_is_for_this_machine) {
	static const char *const hosts[] = { "127.0.0.1", "localhost", "LOCALHOST" };
	struct rest_request q;

	lab_play_as(&fine, 1, NULL);
	lab_dial(LAB_LONG_S);
	q = lab_ask_for("GET", "/");
	(void)snprintf(lab.url, sizeof lab.url, "http://%s:%s/x", hosts[_i], strrchr(lab.h.url, ':') + 1);
	ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 1);
} END_TEST

START_TEST(other_urls_are_a_usage_error) {
	static const char *const bad[] = { "", "h", "http://example.com/", "http://127.0.0.1.example.com/", "http://localhost.example/", "http://10.0.0.1/",
		"http://[::2]/", "http://128.0.0.1/", "https://u@h/", "https://u:p@h/", "https://h/#x", "ftp://127.0.0.1/", "file:///etc/passwd", "https://",
		"https://h/\nx", "https://h:99999/" };
	struct rest_request q = { .method = "GET", .url = bad[_i], .bearer = "secret" };

	lab_dial(1);
	ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == ERR_USAGE, "%s: %s", bad[_i], lab.e.text);
	ck_assert_ptr_null(strstr(lab.e.text, "secret"));
} END_TEST

START_TEST(plain_server_hears_nothing_of_a_tls_request) {
	static const struct hostile_step s = STEP(OK EMPTY, HOSTILE_CLOSE);
	struct rest_request q;

	lab_play_as(&s, 1, NULL);
	lab_dial(1);
	q = lab_ask_for("GET", "/");
	q.bearer = "secret";
	q.once = true;
	(void)snprintf(lab.url, sizeof lab.url, "https://127.0.0.1:%s/", strrchr(lab.h.url, ':') + 1);
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), ERR_UNREACHABLE);
	lab_check_heard(lab_stop(), "secret", false);
} END_TEST

START_TEST(anchors_that_are_none_are_refused) {
	struct rest_config c = { .ca_file = _i == 0 ? tmp_path("absent.pem") : tmp_file("not.pem", "hello", 5, 0600) };

	ck_assert_int_eq(rest_new(&lab.r, &c, &lab.e), _i == 0 ? ERR_NOTFOUND : ERR_FAIL);
	lab_check_why(_i == 0 ? "absent.pem" : "not.pem");
} END_TEST

START_TEST(proxy_of_the_environment_is_for_others) {
	static const struct hostile_step s = STEP("HTTP/1.1 403 Not through me\r\nContent-Type: x/y\r\n" EMPTY, HOSTILE_CLOSE);
	struct rest_request q;
	const char *heard;

	lab_play_as(&s, 1, NULL);
	ck_assert_int_eq(setenv("https_proxy", lab.h.url, 1) | setenv("http_proxy", lab.h.url, 1) | unsetenv("no_proxy") | unsetenv("NO_PROXY"), 0);
	lab_dial(LAB_LONG_S);
	q = lab_ask_for("GET", "/secret");
	q.bearer = "secret";
	q.once = true;
	q.url = "https://drive.invalid/secret";
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), ERR_UNREACHABLE);
	ck_assert_int_eq(lab_get("/direct"), 0);
	heard = lab_stop();
	lab_check_heard(heard, "CONNECT drive.invalid:443 ", true);
	lab_check_heard(heard, "GET /direct ", true);
	lab_check_heard(heard, "secret", false);
} END_TEST

/* Replies that no service should give. */

static const struct { struct hostile_step step; const char *expect; int code; const char *why; } hostile_replies[] = {
	{ STEP(OK "Content-Length: 1001\r\n\r\n", HOSTILE_HANG), NULL, ERR_FAIL, "more than 1000 bytes" },
	{ STEP(OK "\r\n{\"a\":[1,1,1,1,1,1,1", HOSTILE_ENDLESS), NULL, ERR_FAIL, "more than 1000 bytes" },
	{ STEP(OK LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64 LINE64, HOSTILE_ENDLESS), NULL, ERR_FAIL,
	  "bytes of headers" },
	{ STEP("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", HOSTILE_ENDLESS), NULL, ERR_FAIL, "bytes of headers" },
	{ STEP(OK "Content-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>", HOSTILE_CLOSE), "application/json", ERR_DAMAGED, "\"text/html\"" },
	{ STEP(OK "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", HOSTILE_CLOSE), "application/json", ERR_DAMAGED, "not application/json" },
	{ STEP(OK "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", HOSTILE_CLOSE), NULL, ERR_DAMAGED, "content coding" },
	{ STEP(OK "Content-Length: 2, 2\r\n\r\n{}", HOSTILE_CLOSE), NULL, ERR_DAMAGED, "" },
	{ STEP(OK "Content-Length: -2\r\n\r\n{}", HOSTILE_CLOSE), NULL, ERR_DAMAGED, "" },
	{ STEP(OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", HOSTILE_CLOSE), NULL, ERR_DAMAGED, "" },
	{ STEP("hello, this is no HTTP at all\r\n\r\n", HOSTILE_CLOSE), NULL, ERR_DAMAGED, "no HTTP" },
	{ STEP("{\"error\":1}", HOSTILE_CLOSE), NULL, ERR_DAMAGED, "no HTTP" },
	{ STEP("SSH-2.0-OpenSSH_9.2\r\n", HOSTILE_CLOSE), NULL, ERR_DAMAGED, "no HTTP" },
	{ STEP("HTTP/1.1 2000 What\r\n" EMPTY, HOSTILE_CLOSE), NULL, ERR_DAMAGED, "" },
	{ STEP("HTTP/1.1 302 F\r\nLocation: https://evil.example/a?secret\r\n" EMPTY, HOSTILE_KEEP), NULL, ERR_DAMAGED, "\"https://evil.example/a\"" },
	{ STEP("HTTP/1.1 301 F\r\nLocation: //evil\x1b[2J\r\n" EMPTY, HOSTILE_KEEP), NULL, ERR_DAMAGED, "//evil\\x1b[2J" },
	{ STEP("HTTP/1.1 303 F\r\n" EMPTY, HOSTILE_KEEP), NULL, ERR_DAMAGED, "redirects are not followed" },
	{ STEP("HTTP/1.1 307 F\r\nLocation: /y\r\n" EMPTY, HOSTILE_KEEP), NULL, ERR_DAMAGED, "redirects are not followed" },
	{ STEP("HTTP/1.1 304 F\r\n\r\n", HOSTILE_KEEP), NULL, ERR_DAMAGED, "status 304" },
};

START_TEST(hostile_reply_has_its_error) {
	struct rest_request q;

	lab_play(&hostile_replies[_i].step, 1);
	q = lab_ask_for("GET", "/path?secret");
	q.expect = hostile_replies[_i].expect;
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), hostile_replies[_i].code);
	lab_check_why(hostile_replies[_i].why);
	lab_check_why("https://127.0.0.1:");
	ck_assert_ptr_null(strstr(lab.e.text, "secret"));
	for (const char *c = lab.e.text; *c != '\0'; c++)
		ck_assert_msg(*c >= 0x20 && *c < 0x7f, "%s", lab.e.text);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 1);
} END_TEST

START_TEST(wrong_type_is_not_taken) {
	static const struct hostile_step s = STEP(OK "Content-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>", HOSTILE_CLOSE);
	struct rest_request q;

	lab_play(&s, 1);
	q = lab_ask_for("POST", "/t");
	q.body = "x";
	q.body_len = 1;
	q.take = lab_take;
	q.expect = "application/octet-stream";
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), ERR_DAMAGED);
	ck_assert_uint_eq(lab.got.len, 0);
	(void)lab_stop();
} END_TEST

START_TEST(no_type_is_for_who_reads_the_body) {
	static const struct hostile_step s = STEP(OK "Content-Length: 2\r\n\r\n{}", HOSTILE_KEEP);
	struct rest_request q;

	lab_play(&s, 1);
	q = lab_ask_for("GET", "/t");
	q.expect = "application/json";
	ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_str_eq(lab.p.type, "");
	ck_assert_str_eq(buf_str(&lab.p.body), "{}");
	(void)lab_stop();
} END_TEST

START_TEST(endless_error_keeps_its_status) {
	static const struct hostile_step s = STEP("HTTP/1.1 404 No\r\nContent-Type: text/html\r\n\r\n<html>not here", HOSTILE_ENDLESS);
	struct rest_request q;

	lab_play(&s, 1);
	q = lab_ask_for("GET", "/");
	q.max = 0;
	q.expect = "application/json"; /* of what is no error */
	ck_assert_msg(rest(lab.r, &q, &lab.p, &lab.e) == 0, "%s", lab.e.text);
	ck_assert_int_eq(lab.p.status, 404);
	ck_assert_uint_eq(lab.p.body.len, REST_ERROR_MAX);
	ck_assert_str_eq(lab.p.type, "text/html");
	(void)lab_stop();
} END_TEST

START_TEST(control_characters_make_no_headers) {
	static const char *const lines[] = { "X: 1\r\nY: 2", NULL };
	static const char bad[] = "a\r\nX: y";
	struct rest_request q;

	lab_play(&fine, 1);
	q = lab_ask_for("GET", "/");
	switch (_i) {
	case 0:
		q.bearer = bad;
		break;
	case 1:
		q.type = bad;
		break;
	case 2:
		q.headers = lines;
		break;
	default:
		q.method = "GET / HTTP/1.1\r\nX: y\r\n\r\nGET";
	}
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), ERR_FAIL);
	(void)lab_stop();
	ck_assert_uint_eq(lab.h.requests, 0);
} END_TEST

static int read_badly(void *arg, void *data, size_t len, uint64_t off, size_t *n, struct err *why) {
	(void)data, (void)len;
	read_calls++;
	if (off == 0) {
		memset(data, 'x', 10);
		*n = 10;
		return 0;
	}
	*n = 0;
	return arg == NULL ? 0 : err_set(why, ERR_UNREACHABLE, "the spool is gone");
}

START_TEST(body_that_cannot_be_read_ends_the_request) {
	struct rest_request q;

	lab_play(&fine, 1);
	q = lab_ask_for("PUT", "/");
	q.read = read_badly;
	q.read_arg = _i == 0 ? NULL : &q;
	q.body_len = 20;
	ck_assert_int_eq(rest(lab.r, &q, &lab.p, &lab.e), _i == 0 ? ERR_FAIL : ERR_UNREACHABLE);
	ck_assert_str_eq(lab.e.text, _i == 0 ? "the body has other than its 20 bytes" : "the spool is gone");
	ck_assert_uint_eq(read_calls, 2);
	ck_assert_uint_eq(lab.p.attempts, 1);
	(void)lab_stop();
} END_TEST

static void add_refused(TCase *t) {
	tcase_add_loop_test(t, plain_http_is_for_this_machine, 0, 3);
	tcase_add_loop_test(t, service_that_hangs_is_given_up, 0, 2);
	tcase_add_loop_test(t, reply_that_trickles_is_given_up, 0, 3);
	tcase_add_test(t, bytes_that_moved_before_are_no_progress);
	tcase_add_test(t, patience_is_lost_once);
	tcase_add_test(t, nobody_there_is_unreachable);
	tcase_add_test(t, foreign_certificate_is_refused);
	tcase_add_test(t, certificate_of_no_server_is_refused);
	tcase_add_loop_test(t, certificate_of_another_name_is_refused, 0, 3);
	tcase_add_loop_test(t, certificate_out_of_its_dates_is_refused, 0, 2);
	tcase_add_test(t, anchors_of_the_system_do_not_have_the_groups_ca);
	tcase_add_loop_test(t, tls_1_2_is_the_oldest, 0, 2);
	tcase_add_loop_test(t, other_urls_are_a_usage_error, 0, 16);
	tcase_add_test(t, plain_server_hears_nothing_of_a_tls_request);
	tcase_add_loop_test(t, anchors_that_are_none_are_refused, 0, 2);
	tcase_add_test(t, proxy_of_the_environment_is_for_others);
	tcase_add_loop_test(t, hostile_reply_has_its_error, 0, N(hostile_replies));
	tcase_add_test(t, wrong_type_is_not_taken);
	tcase_add_test(t, no_type_is_for_who_reads_the_body);
	tcase_add_test(t, endless_error_keeps_its_status);
	tcase_add_loop_test(t, control_characters_make_no_headers, 0, 4);
	tcase_add_loop_test(t, body_that_cannot_be_read_ends_the_request, 0, 2);
}

int main(void) {
	TCase *t = tcase_create("rest_hostile");

	add_refused(t);
	return lab_run("rest_hostile", t);
}
