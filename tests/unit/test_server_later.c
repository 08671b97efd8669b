/* SPDX-License-Identifier: Apache-2.0 */
/* net/server: a request whose handler has to wait is handled anew, costs nobody else anything, and leaves when its client does. */
#include "net/server.h"

#include <sys/eventfd.h>

#include "server_app.h"

#define WAIT "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"

static atomic_bool open_now;
static atomic_int asked;
static int bell;

static void handle(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply) {
	if (strcmp(r->path, "/wait") == 0) {
		bool later = !atomic_load(&open_now);

		/* Who sees the count may open at once: this time is decided already. */
		atomic_fetch_add(&asked, 1);
		if (later) {
			p->data = p->data == NULL ? xstrdup("known") : p->data;
			reply->later = true;
			return;
		}
	}
	app_handle(arg, p, r, reply);
}

static void on_bell(void *arg) {
	uint64_t n;

	(void)arg;
	ck_assert_int_eq((int)read(bell, &n, sizeof n), (int)sizeof n);
	server_go_on(web.server);
}

static void ring(bool is_open) {
	const uint64_t one = 1;

	atomic_store(&open_now, is_open);
	ck_assert_int_eq((int)write(bell, &one, sizeof one), (int)sizeof one);
}

static void serve(const struct server_limits *lim) {
	const struct server_ops ops = { .arg = &app, .handle = handle, .forget = app_forget };
	struct err e = ERR_INIT;

	atomic_store(&open_now, false);
	atomic_store(&asked, 0);
	ck_assert_int_ge(bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 0);
	web_start(&web, &group, &group.gateway, &ops, lim);
	ck_assert_int_eq(server_watch(web.server, bell, on_bell, NULL, &e), 0);
}

static void stop(void) {
	(void)web_stop(&web);
	close(bell);
}

START_TEST(what_waits_is_answered_when_it_may_go_on) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c, other;

	serve(NULL);
	caller_open(&c, web.port, &group.alice);
	caller_open(&other, web.port, &group.bob);
	caller_say(&c, WAIT);
	ck_assert(app_wait_for(&asked, 1));
	ck_assert_int_eq(caller_ask(&other, GET), 200); /* meanwhile */
	ring(false);
	ck_assert(app_wait_for(&asked, 2));
	ck_assert(!caller_has_news(&c, 50));
	ring(true);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	ck_assert_int_eq(caller_ask(&c, GET), 200); /* the connection goes on */
	caller_close(&c);
	caller_close(&other);
	stop();
	ck_assert_int_eq(asked, 3);
} END_TEST

START_TEST(many_that_wait_are_all_answered_once) {
	enum { N = 20 };
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c[N];

	serve(NULL);
	for (int i = 0; i < N; i++) {
		caller_open(&c[i], web.port, i % 2 == 0 ? &group.alice : NULL);
		caller_say(&c[i], WAIT);
	}
	ck_assert(app_wait_for(&asked, N));
	ring(true);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(caller_reply(&c[i], false, &reply), i % 2 == 0 ? 200 : 403);
		caller_close(&c[i]);
	}
	stop();
	ck_assert_int_eq(asked, N + N);
} END_TEST

/* What comes behind it is read when it has its answer. */
START_TEST(what_was_sent_behind_it_waits_its_turn) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	serve(NULL);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, WAIT GET);
	ck_assert(app_wait_for(&asked, 1));
	caller_say(&c, GET);
	ck_assert(!caller_has_news(&c, 50));
	ring(true);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	caller_close(&c);
	stop();
} END_TEST

START_TEST(who_hangs_up_while_waiting_is_forgotten) {
	struct caller c;

	serve(NULL);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, WAIT);
	ck_assert(app_wait_for(&asked, 1));
	/* unread bytes make the kernel reset the connection */
	caller_say(&c, GET);
	caller_close(&c);
	ring(true);
	ck_assert(app_wait_for(&app.forgotten, 1));
	stop();
} END_TEST

START_TEST(waiting_has_an_end) {
	static const struct server_limits lim = { .park_ms = 200 };
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	serve(&lim);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, WAIT);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 503);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	ring(true);
	stop();
	ck_assert_int_eq(asked, 1);
} END_TEST

static bool is_alice(void *arg, struct server_peer *p, struct http_reply *reply) {
	(void)arg;
	if (p->cert == NULL || X509_cmp(p->cert, group.alice.cert) != 0)
		return false;
	http_problem(reply, 403, "revoked", "while it waited");
	return true;
}

static void on_swap(void *arg) {
	uint64_t n;

	ck_assert_int_eq((int)read(*(int *)arg, &n, sizeof n), (int)sizeof n);
	server_close_if(web.server, is_alice, NULL);
}

START_TEST(who_is_revoked_while_waiting_is_told) {
	int swap = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	OWN(buf_wipe) struct buf reply = {0};
	const uint64_t one = 1;
	struct err e = ERR_INIT;
	struct caller c;

	serve(NULL);
	ck_assert_int_eq(server_watch(web.server, swap, on_swap, &swap, &e), 0);
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, WAIT);
	ck_assert(app_wait_for(&asked, 1));
	ck_assert_int_eq((int)write(swap, &one, sizeof one), (int)sizeof one);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 403);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "while it waited"));
	ring(true);
	caller_close(&c);
	stop();
	close(swap);
	ck_assert_int_eq(asked, 1);
} END_TEST

int main(void) {
	TCase *t = tcase_create("later");

	tcase_add_test(t, what_waits_is_answered_when_it_may_go_on);
	tcase_add_test(t, many_that_wait_are_all_answered_once);
	tcase_add_test(t, what_was_sent_behind_it_waits_its_turn);
	tcase_add_test(t, who_hangs_up_while_waiting_is_forgotten);
	tcase_add_test(t, waiting_has_an_end);
	tcase_add_test(t, who_is_revoked_while_waiting_is_told);
	return app_run("later", t);
}
