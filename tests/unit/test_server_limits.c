/* SPDX-License-Identifier: Apache-2.0 */
/* net/server: limits of time and number. Each limit of time begins with its phase and no byte resets it. */
#include "net/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "net/conn.h"
#include "server_app.h"

static const struct server_limits short_head = { .head_ms = 400 }, short_body = { .body_ms = 400 }, short_idle = { .idle_ms = 300 },
	short_shake = { .handshake_ms = 300 }, short_write = { .write_ms = 500 };

/* The server's time stands still but for what a test moves it: so no limit ends because a machine is slow. */
static void start(const struct server_limits *lim) {
	clock_stop_mono();
	app_start(lim);
}

/* When it returns, the server has read what others said before. */
static void fence(void) {
	struct caller c;

	caller_open(&c, web.port, &group.bob);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
}

#define STEP_MS 40

/* What the caller said has begun a phase of this length. Says a byte in each 40 ms of it; true: the server has something to say then, and not before. */
static bool is_told_after(struct caller *c, const char *byte, int limit_ms) {
	ck_assert(caller_is_heard(c));
	fence();
	for (int ms = 0; ms + STEP_MS < limit_ms; ms += STEP_MS) {
		caller_say(c, byte);
		clock_move_mono_ms(STEP_MS);
		if (caller_has_news(c, 5)) /* long enough for most to read the byte */
			return false;
	}
	clock_move_mono_ms(STEP_MS);
	caller_say(c, byte);
	return caller_hears(c);
}

START_TEST(header_bytes_do_not_buy_time) {
	struct caller c;
	OWN(buf_wipe) struct buf reply = {0};

	start(&short_head);
	caller_open(&c, web.port, &group.alice);
	if (_i == 1) /* the same for a later request */
		ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_say(&c, "GET /");
	ck_assert(is_told_after(&c, "x", (int)short_head.head_ms));
	ck_assert_int_eq(caller_reply(&c, false, &reply), 408);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(body_bytes_do_not_buy_time) {
	struct caller c;
	OWN(buf_wipe) struct buf reply = {0};

	start(&short_body);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
	ck_assert(is_told_after(&c, "x", (int)short_body.body_ms));
	ck_assert_int_eq(caller_reply(&c, false, &reply), 408);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(who_says_nothing_is_dropped_without_a_word) {
	const unsigned limit_ms = _i == 0 ? short_head.head_ms : short_idle.idle_ms;
	struct caller c;

	start(_i == 0 ? &short_head : &short_idle);
	caller_open(&c, web.port, &group.alice);
	if (_i == 1)
		ck_assert_int_eq(caller_ask(&c, GET), 200);
	fence();
	clock_move_mono_ms(limit_ms - 1);
	fence();
	ck_assert(!caller_has_news(&c, 0));
	clock_move_mono_ms(1);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	(void)web_stop(&web);
	ck_assert_int_eq(app.refused, 0);
} END_TEST

/* The head of a later request has its own limit, not what idleness left. */
START_TEST(idle_time_is_not_taken_from_the_head) {
	static const struct server_limits lim = { .head_ms = 1500, .idle_ms = 20000 };
	struct caller c;

	start(&lim);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	clock_move_mono_ms(1800);
	caller_say(&c, "GET /x HTTP");
	ck_assert(caller_is_heard(&c));
	fence();
	ck_assert_int_eq(caller_ask(&c, "/1.1\r\nHost: localhost\r\n\r\n"), 200);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

START_TEST(handshake_bytes_do_not_buy_time) {
	/* a record of 512 bytes with a hello of 508, which never comes to its end */
	static const uint8_t hello[] = { 22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3 };
	struct pollfd slow = { .events = POLLIN };
	int silent;

	start(&short_shake);
	silent = caller_tcp(web.port);
	slow.fd = caller_tcp(web.port);
	ck_assert_int_eq((int)send(slow.fd, hello, sizeof hello, 0), (int)sizeof hello);
	fence(); /* who knocked before was let in before */
	for (unsigned ms = 0; ms + STEP_MS < short_shake.handshake_ms; ms += STEP_MS) {
		ck_assert_int_eq((int)send(slow.fd, "x", 1, MSG_NOSIGNAL), 1);
		clock_move_mono_ms(STEP_MS);
		ck_assert_int_eq(poll(&slow, 1, 5), 0);
	}
	clock_move_mono_ms(STEP_MS);
	fence();
	ck_assert_int_eq(poll(&slow, 1, 120000), 1);
	ck_assert(tcp_is_dropped(slow.fd));
	ck_assert(tcp_is_dropped(silent));
	close(silent);
	close(slow.fd);
	(void)web_stop(&web);
} END_TEST

START_TEST(reader_that_does_not_read_is_dropped) {
	struct caller c;

	start(&short_write);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert(caller_is_heard(&c));
	fence();
	/* 8 MiB have twelve times the limit */
	clock_move_mono_ms(12 * short_write.write_ms - 1);
	fence();
	ck_assert_int_eq(app.released, 0);
	clock_move_mono_ms(1);
	fence();
	ck_assert(app_wait_for(&app.released, 1));
	caller_close(&c);
	(void)web_stop(&web);
	ck_assert_int_eq(app.released, 1);
} END_TEST

/* They may hold what they hold for ever: their time stands still. */
START_TEST(slow_clients_cost_only_themselves) {
	static const uint8_t half_hello[] = { 22, 3, 1, 2, 0, 1 };
	enum { EACH = 40 };
	struct caller mute[EACH], slow[EACH], deaf[EACH];
	int idle[EACH], half[EACH];

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
	for (int i = 0; i < 20; i++)
		fence();
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

	app_start(&lim);
	for (int i = 0; i < 3; i++)
		caller_open(&c[i], web.port, &group.alice);
	extra = caller_tcp(web.port);
	ck_assert(tcp_is_dropped(extra));
	ck_assert_int_eq(caller_ask(&c[0], GET), 200);
	ck_assert_int_eq(caller_ask(&c[1], GET), 200);
	caller_close(&c[1]);
	ck_assert(app_wait_for(&app.forgotten, 1));
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

	app_start(&lim);
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
	struct pollfd oldest = { .events = POLLIN };
	int idle[8];

	start(&lim); /* nobody's handshake ends by its limit */
	caller_open(&good, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&good, GET), 200);
	for (int i = 0; i < 8; i++)
		idle[i] = caller_tcp(web.port);
	caller_open(&late, web.port, &group.bob);
	ck_assert_int_eq(caller_ask(&late, GET), 200);
	ck_assert_int_eq(caller_ask(&good, GET), 200);
	oldest.fd = idle[0];
	ck_assert_int_eq(poll(&oldest, 1, 120000), 1);
	for (int i = 0; i < 8; i++)
		close(idle[i]);
	caller_close(&good);
	caller_close(&late);
	(void)web_stop(&web);
} END_TEST

/* The server's process may open few descriptors; the client's many. */
static int crowd(int from) {
	struct rlimit r;
	struct caller good;
	unsigned port;
	int idle[40], rc = 0;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 2;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0 || read(from, &port, sizeof port) != (ssize_t)sizeof port)
		return 2;
	for (int i = 0; i < 40; i++)
		idle[i] = caller_tcp(port);
	for (int i = 0; i < 5 && rc == 0; i++) {
		caller_open(&good, port, &group.alice);
		rc = caller_ask(&good, GET) == 200 ? 0 : 1;
		caller_close(&good);
	}
	for (int i = 0; i < 40; i++)
		close(idle[i]);
	return rc;
}

START_TEST(members_get_in_when_descriptors_run_out) {
	static const struct server_limits lim = { .connections = 64 };
	struct rlimit r;
	int pair[2], status, fd;
	pid_t pid;

	ck_assert_int_eq(pipe(pair), 0);
	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0)
		_exit(crowd(pair[0]));
	app_start(&lim);
	ck_assert_int_ge(fd = open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	close(fd);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = (rlim_t)fd + 10;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	ck_assert_int_eq((int)write(pair[1], &web.port, sizeof web.port), (int)sizeof web.port);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	(void)web_stop(&web);
	ck_assert_int_eq(app.handled, 5);
} END_TEST

/* Garbage, half a hello, a foreign protocol version: a thousand of them leave nothing behind. */
START_TEST(bad_handshakes_leave_nothing) {
	static const char *const bad[] = { "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01", "\x15\x03\x01\x00\x02\x02\x28" };
	struct caller c;

	app_start(NULL);
	for (int i = 0; i < 1000; i++) {
		int fd = caller_tcp(web.port);

		(void)send(fd, bad[i % 3], strlen(bad[i % 3]), MSG_NOSIGNAL);
		close(fd);
	}
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	(void)web_stop(&web);
	ck_assert_int_eq(app.forgotten, 1);
} END_TEST

/* A buffer of 17 KiB each way is not kept for those who say nothing. */
START_TEST(idle_connections_are_served_after_they_were_slimmed) {
	struct caller c;

	start(NULL);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	clock_move_mono_ms(2200);
	fence();
	fence();
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	(void)web_stop(&web);
} END_TEST

static void set_address(struct sockaddr_storage *a, int family, const char *text) {
	memset(a, 0, sizeof *a);
	a->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		ck_assert_int_eq(inet_pton(family, text, &((struct sockaddr_in *)a)->sin_addr), 1);
	else
		ck_assert_int_eq(inet_pton(family, text, &((struct sockaddr_in6 *)a)->sin6_addr), 1);
}

static const struct { int family; const char *text, *name; bool loopback; int same_as; } addresses[] = {
	{ AF_INET, "192.0.2.1", "192.0.2.1", false, 1 },
	{ AF_INET6, "::ffff:192.0.2.1", "192.0.2.1", false, 0 },
	{ AF_INET, "192.0.2.2", "192.0.2.2", false, 2 },
	{ AF_INET6, "2001:db8::1", "2001:db8::1", false, 4 },
	{ AF_INET6, "2001:db8::ffff:1:2:3", "2001:db8::ffff:1:2:3", false, 3 },
	{ AF_INET6, "2001:db8:0:1::1", "2001:db8:0:1::1", false, 5 },
	{ AF_INET, "127.1.2.3", "127.1.2.3", true, 6 },
	{ AF_INET6, "::1", "::1", true, 7 },
	{ AF_INET6, "::ffff:127.0.0.1", "127.0.0.1", true, 8 },
	{ AF_INET6, "::2", "::2", false, 7 },
};

/* One client has one IPv4 address, however it is written, or a /64. */
START_TEST(addresses_of_one_client_count_together) {
	struct sockaddr_storage a;
	struct server_peer peer = {0};
	uint8_t key[8], other[8];

	set_address(&a, addresses[_i].family, addresses[_i].text);
	listen_peer(&a, &peer, key);
	ck_assert_str_eq(peer.address, addresses[_i].name);
	ck_assert(peer.loopback == addresses[_i].loopback);
	for (int i = 0; i < 10; i++) {
		set_address(&a, addresses[i].family, addresses[i].text);
		listen_peer(&a, &peer, other);
		ck_assert((memcmp(key, other, 8) == 0) == (i == _i || i == addresses[_i].same_as || addresses[i].same_as == _i));
	}
} END_TEST

int main(void) {
	TCase *t = tcase_create("limits");

	tcase_add_loop_test(t, header_bytes_do_not_buy_time, 0, 2);
	tcase_add_test(t, body_bytes_do_not_buy_time);
	tcase_add_loop_test(t, who_says_nothing_is_dropped_without_a_word, 0, 2);
	tcase_add_test(t, idle_time_is_not_taken_from_the_head);
	tcase_add_test(t, handshake_bytes_do_not_buy_time);
	tcase_add_test(t, reader_that_does_not_read_is_dropped);
	tcase_add_test(t, slow_clients_cost_only_themselves);
	tcase_add_test(t, address_above_its_share_is_turned_away);
	tcase_add_test(t, loopback_has_no_share_unless_asked);
	tcase_add_test(t, full_house_loses_an_idler_not_the_member);
	tcase_add_test(t, members_get_in_when_descriptors_run_out);
	tcase_add_test(t, bad_handshakes_leave_nothing);
	tcase_add_test(t, idle_connections_are_served_after_they_were_slimmed);
	tcase_add_loop_test(t, addresses_of_one_client_count_together, 0, 10);
	return app_run("limits", t);
}
