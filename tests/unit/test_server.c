/* SPDX-License-Identifier: Apache-2.0 */
/* net/server over real sockets: what is answered, in which order, and what a client that is refused gets to read. */
#include "net/server.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "net/tls.h"
#include "server_app.h"

START_TEST(member_is_served_and_kept) {
	struct caller c;

	app_start(NULL);
	caller_open(&c, web.port, &group.alice);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	ck_assert(app_wait_for(&app.forgotten, 1));
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

	app_start(NULL);
	caller_open(&c, web.port, strangers[_i].id == 0 ? NULL : id);
	caller_say(&c, GET);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), strangers[_i].reason));
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "Connection: close"));
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

/* The body is never taken, and who sends it on in spite of the refusal is not reset before he has read it. */
START_TEST(stranger_with_a_long_body_reads_why) {
	OWN(buf_wipe) struct buf reply = {0};
	static const char body[65536];
	struct caller c;

	app_start(NULL);
	caller_open(&c, web.port, &group.foreign);
	caller_say(&c, "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n");
	ck_assert(caller_hears(&c));
	for (int i = 0; i < 8; i++) {
		caller_send(&c, body, sizeof body);
		usleep(20000);
	}
	ck_assert_int_eq(caller_reply(&c, false, &reply), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "before the body"));
	caller_close(&c);
	(void)web_stop(&web);
	ck_assert_int_eq(app.handled, 0);
} END_TEST

START_TEST(body_is_whole_when_it_is_handled) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	app_start(NULL);
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

	app_start(NULL);
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

	app_start(NULL);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1025\r\n\r\n"), 413);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
	ck_assert_int_eq(app.refused, 413);
} END_TEST

START_TEST(handler_that_finds_a_request_bad_closes) {
	struct caller c;

	app_start(NULL);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, "GET /bad HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(client_that_expects_is_told_to_continue) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	app_start(NULL);
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
	app_start(NULL);
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

	app_start(NULL);
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

	app_start(NULL);
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

	app_start(NULL);
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

	app_start(NULL);
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
	struct caller idle, half, first, other, fresh;
	OWN(buf_wipe) struct buf reply = {0};

	app_start(NULL);
	caller_open(&idle, web.port, &group.bob);
	ck_assert_int_eq(caller_ask(&idle, GET), 200);
	caller_open(&half, web.port, &group.bob);
	ck_assert_int_eq(caller_ask(&half, GET), 200);
	caller_say(&half, "GET /x HTTP/1.1\r\nHost: loc");
	ck_assert(caller_is_heard(&half));
	caller_open(&first, web.port, &group.bob);
	caller_say(&first, "GET /x HTTP/1.1\r\nHost: loc");
	ck_assert(caller_is_heard(&first));
	caller_open(&fresh, web.port, &group.bob);
	caller_open(&other, web.port, &group.alice);
	/* What came before this was handled before it. */
	ck_assert_int_eq(caller_ask(&other, GET), 200);
	atomic_store(&app.named, group.bob.cert);
	ck_assert_int_eq(caller_ask(&other, "GET /swap HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
	ck_assert(caller_is_dropped(&idle));
	ck_assert_int_eq(caller_reply(&half, false, &reply), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "since your request began"));
	ck_assert(caller_is_dropped(&half));
	ck_assert_int_eq(caller_reply(&first, false, &reply), 403);
	ck_assert(caller_is_dropped(&first));
	ck_assert_int_eq(caller_ask(&other, GET), 200);
	/* His handshake is over and he has said nothing: the handler will tell him. */
	ck_assert_int_eq(caller_ask(&fresh, GET), 200);
	caller_close(&idle);
	caller_close(&half);
	caller_close(&first);
	caller_close(&fresh);
	caller_close(&other);
	/* Also who was only known because he was named, before his first request was whole. */
	ck_assert(app_wait_for(&app.forgotten, 5));
	(void)web_stop(&web);
} END_TEST

/* While the server is held both requests come, and then one round handles them. */
START_TEST(reply_of_the_same_round_is_taken_back) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller holder, named, other;

	app_start(NULL);
	caller_open(&holder, web.port, &group.alice);
	caller_open(&named, web.port, &group.bob);
	caller_open(&other, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&named, GET), 200);
	ck_assert_int_eq(caller_ask(&other, GET), 200);
	atomic_store(&app.named, group.bob.cert);
	caller_say(&holder, "GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert(app_wait_for(&app.held, 1));
	caller_say(&named, GET);
	ck_assert(caller_is_heard(&named)); /* it is the first that is ready */
	caller_say(&other, "GET /swap HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert(caller_is_heard(&other));
	atomic_store(&app.let_go, true);
	ck_assert_int_eq(caller_reply(&other, false, &reply), 200);
	ck_assert_int_eq(caller_reply(&named, false, &reply), 403);
	ck_assert_int_eq(app.handled, 5);
	ck_assert(caller_is_dropped(&named));
	ck_assert_int_eq(caller_reply(&holder, false, &reply), 200);
	caller_close(&holder);
	caller_close(&named);
	caller_close(&other);
	(void)web_stop(&web);
} END_TEST

START_TEST(who_closes_itself_gets_its_own_refusal) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	app_start(NULL);
	caller_open(&c, web.port, &group.bob);
	atomic_store(&app.named, group.bob.cert);
	caller_say(&c, "GET /swap HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert_int_eq(caller_reply(&c, false, &reply), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "since your request began"));
	ck_assert_ptr_null(strstr(buf_str(&reply), "/swap"));
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

/* Start and end. */

START_TEST(bad_address_is_a_usage_error) {
	static const char *const bad[] = { "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "::1:80", "[::1]",
		/* a label of more than 63 bytes: no name server has to be asked */
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid:1" };
	static const struct server_ops ops = { .handle = app_handle };
	struct err e = ERR_INIT;
	struct server *s;
	SSL_CTX *ctx = caller_ctx(NULL);

	ck_assert_msg(server_new(&s, bad[_i], ctx, &ops, NULL, &e) == ERR_USAGE, "%s", bad[_i]);
	ck_assert_int_gt((int)strlen(e.text), 0);
	SSL_CTX_free(ctx);
} END_TEST

static int refused_socket(int fd) {
	const struct server_ops ops = { .handle = app_handle };
	struct server *s = NULL;
	struct err e = ERR_INIT;
	SSL_CTX *ctx = NULL;
	char where[16];
	int rc;

	(void)snprintf(where, sizeof where, "@%d", fd);
	ck_assert_int_eq(tls_server_new(group.gateway.key, group.gateway.cert, group.chain, &ctx, &e), 0);
	rc = server_new(&s, where, ctx, &ops, NULL, &e);
	SSL_CTX_free(ctx);
	return rc;
}

/* What a supervisor hands over may be anything. */
START_TEST(only_a_socket_that_listens_is_taken_over) {
	int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	ck_assert(udp >= 0 && tcp >= 0 && local >= 0);
	ck_assert_int_eq(refused_socket(udp), ERR_USAGE);
	ck_assert_int_eq(refused_socket(tcp), ERR_USAGE);
	ck_assert_int_eq(bind(local, (struct sockaddr *)&a, sizeof(sa_family_t)), 0); /* a name without a file, of the kernel's choice */
	ck_assert_int_eq(listen(local, 1), 0);
	ck_assert_int_eq(refused_socket(local), ERR_USAGE);
	ck_assert_int_eq(refused_socket(9999), ERR_USAGE);
	ck_assert_int_eq(refused_socket(-1), ERR_USAGE);
} END_TEST

START_TEST(taken_port_is_a_failure) {
	static const struct server_ops ops = { .handle = app_handle };
	struct err e = ERR_INIT;
	struct server *s;

	app_start(NULL);
	ck_assert_int_eq(server_new(&s, web.url + strlen("https://"), web.ctx, &ops, NULL, &e), ERR_FAIL);
	(void)web_stop(&web);
} END_TEST

START_TEST(ipv6_is_spoken) {
	static const struct server_ops ops = { .handle = app_handle };
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

	app_start(NULL);
	caller_open(&idle, web.port, &group.alice);
	caller_open(&busy, web.port, &group.alice);
	caller_say(&busy, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert(app_wait_for(&app.handled, 1));
	server_stop(web.server);
	usleep(100000);
	ck_assert_int_eq(caller_reply(&busy, false, &reply), 200);
	ck_assert_uint_gt(reply.len, BIG);
	ck_assert_int_lt((int)web_stop(&web), 60000); /* not all that it may take */
	ck_assert(caller_is_dropped(&idle));
	caller_close(&busy);
	caller_close(&idle);
} END_TEST

START_TEST(stop_from_a_handler_answers_first) {
	struct caller c;

	app_start(NULL);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, "GET /stop HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
	ck_assert(caller_is_dropped(&c));
	ck_assert_int_lt((int)web_stop(&web), 60000);
	caller_close(&c);
} END_TEST

static void drain_event(void *arg) {
	int *fd = arg;
	uint64_t n;

	ck_assert_int_eq((int)read(*fd, &n, sizeof n), (int)sizeof n);
	server_stop(web.server);
}

START_TEST(watched_descriptor_is_served) {
	static const struct server_ops ops = { .handle = app_handle };
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

	app_start(&lim);
	ck_assert(app_wait_for(&app.ticks, 5));
	(void)web_stop(&web);
} END_TEST

int main(void) {
	TCase *t = tcase_create("server");

	tcase_add_test(t, member_is_served_and_kept);
	tcase_add_loop_test(t, stranger_reads_why_before_the_end, 0, sizeof strangers / sizeof *strangers);
	tcase_add_test(t, stranger_with_a_long_body_reads_why);
	tcase_add_test(t, body_is_whole_when_it_is_handled);
	tcase_add_test(t, large_body_arrives_in_pieces_of_any_size);
	tcase_add_test(t, body_above_the_cap_is_413);
	tcase_add_test(t, handler_that_finds_a_request_bad_closes);
	tcase_add_test(t, client_that_expects_is_told_to_continue);
	tcase_add_test(t, pipelined_requests_are_answered_in_order);
	tcase_add_test(t, head_of_a_reply_has_no_body);
	tcase_add_test(t, big_reply_goes_out_whole_and_is_released);
	tcase_add_test(t, failed_commit_is_503);
	tcase_add_test(t, who_is_no_longer_good_gets_no_reply_but_403);
	tcase_add_test(t, named_connections_are_closed_and_others_are_not);
	tcase_add_test(t, reply_of_the_same_round_is_taken_back);
	tcase_add_test(t, who_closes_itself_gets_its_own_refusal);
	tcase_add_loop_test(t, bad_address_is_a_usage_error, 0, 8);
	tcase_add_test(t, only_a_socket_that_listens_is_taken_over);
	tcase_add_test(t, taken_port_is_a_failure);
	tcase_add_test(t, ipv6_is_spoken);
	tcase_add_test(t, stop_lets_the_reply_in_hand_go);
	tcase_add_test(t, stop_from_a_handler_answers_first);
	tcase_add_test(t, watched_descriptor_is_served);
	tcase_add_test(t, ticks_come);
	return app_run("server", t);
}
