/* SPDX-License-Identifier: Apache-2.0 */
/* net/server with several threads: the application sees one at a time, limits hold for all of them together, and what one of them learns all obey. */
#include "net/server.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "net/conn.h"
#include "server_app.h"

#define THREADS 4
#define CROWD 12 /* connections: three of each loop */

static const struct server_limits four = { .threads = THREADS };

/* Whatever the application is called for, it is told here that it is called alone. */
static atomic_int inside, met, asked;
static atomic_bool open_now;
static int bell;

static void enter(void) {
	if (atomic_fetch_add(&inside, 1) > 0)
		atomic_fetch_add(&met, 1);
}

static void leave(void) {
	atomic_fetch_sub(&inside, 1);
}

static bool is_named(void *arg, struct server_peer *p, struct http_reply *reply) {
	X509 *named = atomic_load(&app.named);

	(void)arg;
	if (named == NULL || p->cert == NULL || X509_cmp(p->cert, named) != 0)
		return false;
	http_problem(reply, 403, "revoked", "since your request began");
	return true;
}

static void handle(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply) {
	enter();
	if (strcmp(r->path, "/wait") == 0 && !atomic_load(&open_now)) {
		if (p->data == NULL)
			p->data = xstrdup("waits");
		reply->later = true;
		atomic_fetch_add(&asked, 1);
	} else if (strcmp(r->path, "/name") == 0) {
		atomic_store(&app.named, group.alice.cert);
		server_close_if(web.server, is_named, NULL);
		reply->status = 204;
	} else {
		app_handle(arg, p, r, reply);
	}
	leave();
}

static int commit(void *arg) {
	(void)arg;
	enter();
	leave();
	return 0;
}

static bool still_good(void *arg, struct server_peer *p, const struct http_request *r, struct http_reply *reply) {
	bool good;

	(void)r;
	enter();
	good = !is_named(arg, p, reply);
	leave();
	return good;
}

static void tick(void *arg) {
	(void)arg;
	enter();
	leave();
}

static void on_bell(void *arg) {
	uint64_t n;

	(void)arg;
	ck_assert_int_eq((int)read(bell, &n, sizeof n), (int)sizeof n);
	enter();
	leave();
	server_go_on(web.server);
}

static void serve(const struct server_limits *lim) {
	const struct server_ops ops = {
		.arg = &app, .handle = handle, .commit = commit, .still_good = still_good, .forget = app_forget, .tick = tick,
	};
	struct err e = ERR_INIT;

	ck_assert_int_ge(bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 0);
	web_start(&web, &group, &group.gateway, &ops, lim);
	ck_assert_int_eq(server_watch(web.server, bell, on_bell, NULL, &e), 0);
}

static void stop(void) {
	(void)web_stop(&web);
	close(bell);
	ck_assert_int_eq(met, 0);
}

static void ring(void) {
	const uint64_t one = 1;

	ck_assert_int_eq((int)write(bell, &one, sizeof one), (int)sizeof one);
}

/* Served once, so that their handshakes weigh nothing any more. */
static void open_crowd(struct caller *c, const struct fixture_id *id) {
	for (int i = 0; i < CROWD; i++) {
		caller_open(&c[i], web.port, id);
		ck_assert_int_eq(caller_ask(&c[i], GET), 200);
	}
}

static void close_crowd(struct caller *c) {
	for (int i = 0; i < CROWD; i++)
		caller_close(&c[i]);
}

START_TEST(connections_are_shared_out) {
	struct caller c[CROWD];

	serve(&four);
	open_crowd(c, &group.alice);
	for (int i = 0; i < THREADS; i++)
		ck_assert_uint_eq(atomic_load(&web.server->loops[i].load), CROWD / THREADS);
	close_crowd(c);
	stop();
} END_TEST

/* What a thread of callers does: connections that come and go, two requests each. */
enum { ROUNDS = 10, REQUESTS = 2 * ROUNDS, ALL_CONNECTIONS = THREADS * ROUNDS, ALL_REQUESTS = 2 * ALL_CONNECTIONS };

static void *call(void *arg) {
	struct caller c;
	intptr_t good = 0;

	for (int i = 0; i < ROUNDS; i++) {
		caller_open(&c, web.port, arg);
		good += caller_ask(&c, GET) == 200;
		good += caller_ask(&c, GET) == 200;
		caller_close(&c);
	}
	return (void *)good;
}

START_TEST(application_is_called_by_one_at_a_time) {
	pthread_t t[THREADS];
	struct server_stats stats;
	void *good;

	serve(&four);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, call, i % 2 == 0 ? &group.alice : &group.bob), 0);
	for (int i = 0; i < THREADS; i++) {
		server_set_ctx(web.server, web.ctx); /* while they connect */
		server_get_stats(web.server, &stats);
		ck_assert_int_eq(pthread_join(t[i], &good), 0);
		ck_assert_int_eq((int)(intptr_t)good, REQUESTS);
	}
	stop();
	ck_assert_int_eq(app.handled, ALL_REQUESTS);
	ck_assert_int_eq(app.forgotten, ALL_CONNECTIONS);
} END_TEST

START_TEST(counts_are_summed) {
	struct server_stats stats;
	struct caller c[CROWD];

	serve(&four);
	open_crowd(c, &group.alice);
	server_get_stats(web.server, &stats);
	ck_assert_uint_eq(stats.threads, THREADS);
	ck_assert_uint_eq(stats.connections, CROWD);
	ck_assert_uint_eq(stats.handshakes, CROWD);
	ck_assert_uint_eq(stats.requests, CROWD);
	ck_assert_uint_eq(stats.replies[200], CROWD);
	close_crowd(c);
	stop();
} END_TEST

/* One of them hears of the revocation; the connections of all are closed, and nobody else's. */
START_TEST(revoked_peer_is_closed_in_all_threads) {
	struct caller alice[CROWD], bob[CROWD];

	serve(&four);
	open_crowd(alice, &group.alice);
	open_crowd(bob, &group.bob);
	ck_assert_int_eq(caller_ask(&bob[_i], "GET /name HTTP/1.1\r\nHost: localhost\r\n\r\n"), 204);
	for (int i = 0; i < CROWD; i++) {
		ck_assert(caller_is_dropped(&alice[i]));
		ck_assert_int_eq(caller_ask(&bob[i], GET), 200);
	}
	close_crowd(alice);
	close_crowd(bob);
	stop();
} END_TEST

START_TEST(revoked_peer_that_waits_is_told_in_all_threads) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller alice[CROWD], bob;

	serve(&four);
	open_crowd(alice, &group.alice);
	caller_open(&bob, web.port, &group.bob);
	for (int i = 0; i < CROWD; i++)
		caller_say(&alice[i], "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert(app_wait_for(&asked, CROWD));
	ck_assert_int_eq(caller_ask(&bob, "GET /name HTTP/1.1\r\nHost: localhost\r\n\r\n"), 204);
	atomic_store(&open_now, true);
	ring();
	for (int i = 0; i < CROWD; i++)
		ck_assert_int_eq(caller_reply(&alice[i], false, &reply), 403);
	close_crowd(alice);
	caller_close(&bob);
	stop();
} END_TEST

/* Peers that ask without end while another is revoked: from the moment on that the list is in force, not one is told 200. */
struct asker {
	struct caller c;
	atomic_bool *over;
	bool good_after;
};

static void *ask_on(void *arg) {
	struct asker *a = arg;
	bool over;

	do {
		over = atomic_load(a->over); /* before it asks */
		int status = caller_ask(&a->c, GET);

		a->good_after |= over && status == 200;
		if (status != 200)
			return NULL;
	} while (!over);
	return NULL;
}

START_TEST(nobody_revoked_is_served_after_the_swap) {
	struct asker a[THREADS];
	pthread_t t[THREADS];
	atomic_bool over = false;
	struct caller bob;

	serve(&four);
	caller_open(&bob, web.port, &group.bob);
	for (int i = 0; i < THREADS; i++) {
		a[i] = (struct asker){ .over = &over };
		caller_open(&a[i].c, web.port, &group.alice);
		ck_assert_int_eq(pthread_create(&t[i], NULL, ask_on, &a[i]), 0);
	}
	ck_assert(app_wait_for(&app.handled, 20));
	ck_assert_int_eq(caller_ask(&bob, "GET /name HTTP/1.1\r\nHost: localhost\r\n\r\n"), 204);
	atomic_store(&over, true);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(t[i], NULL), 0);
		ck_assert(!a[i].good_after);
		caller_close(&a[i].c);
	}
	caller_close(&bob);
	stop();
} END_TEST

START_TEST(what_waits_goes_on_in_all_threads) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c[CROWD];

	serve(&four);
	open_crowd(c, &group.alice);
	for (int i = 0; i < CROWD; i++)
		caller_say(&c[i], "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert(app_wait_for(&asked, CROWD));
	atomic_store(&open_now, true);
	ring();
	for (int i = 0; i < CROWD; i++)
		ck_assert_int_eq(caller_reply(&c[i], false, &reply), 200);
	close_crowd(c);
	stop();
} END_TEST

/* --- limits --- */

START_TEST(share_of_an_address_is_counted_over_all_threads) {
	static const struct server_limits lim = { .threads = THREADS, .per_address = 3, .count_loopback = true };
	struct caller c[3];
	int extra;

	serve(&lim);
	for (int i = 0; i < 3; i++) {
		caller_open(&c[i], web.port, &group.alice);
		ck_assert_int_eq(caller_ask(&c[i], GET), 200);
	}
	for (int i = 0; i < 2 * THREADS; i++) {
		extra = caller_tcp(web.port);
		ck_assert(tcp_is_dropped(extra));
		close(extra);
	}
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(caller_ask(&c[i], GET), 200);
		caller_close(&c[i]);
	}
	stop();
} END_TEST

/* Idlers take all places: members find one, each time. */
START_TEST(full_house_loses_idlers_of_any_thread) {
	enum { PLACES = 8 };
	static const struct server_limits lim = { .threads = THREADS, .connections = PLACES };
	struct caller good, late;
	struct server_stats stats;
	int idle[2 * PLACES];

	serve(&lim);
	caller_open(&good, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&good, GET), 200);
	for (int i = 0; i < 2 * PLACES; i++)
		idle[i] = caller_tcp(web.port);
	do {
		usleep(1000);
		server_get_stats(web.server, &stats);
	} while (stats.accepted < 1 + 2 * PLACES);
	clock_move_mono_ms(50); /* two that came within 20 ms of each other are of one age */
	for (int i = 0; i < 2 * THREADS; i++) {
		caller_open(&late, web.port, &group.bob);
		ck_assert_int_eq(caller_ask(&late, GET), 200);
		server_get_stats(web.server, &stats);
		ck_assert_uint_le(stats.connections, PLACES);
		caller_close(&late);
		ck_assert(app_wait_for(&app.forgotten, i + 1)); /* or members that have gone would take all places */
	}
	ck_assert_int_eq(caller_ask(&good, GET), 200);
	for (int i = 0; i < 2 * PLACES; i++)
		close(idle[i]);
	caller_close(&good);
	stop();
} END_TEST

/* --- the end --- */

/* One keeps the turn while the others' requests wait for theirs: the server ends when all of them are answered. */
START_TEST(stop_answers_what_was_asked_in_all_threads) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c[CROWD], last;

	serve(&four);
	open_crowd(c, &group.alice);
	caller_open(&last, web.port, &group.alice);
	for (int i = 0; i < CROWD; i++)
		caller_say(&c[i], "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert(app_wait_for(&asked, CROWD));
	caller_say(&last, "GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ck_assert(app_wait_for(&app.held, 1));
	server_stop(web.server);
	atomic_store(&open_now, true);
	atomic_store(&app.let_go, true);
	ring();
	for (int i = 0; i < CROWD; i++)
		ck_assert_int_eq(caller_reply(&c[i], false, &reply), 200);
	ck_assert_int_eq(caller_reply(&last, false, &reply), 200);
	stop();
	close_crowd(c);
	caller_close(&last);
} END_TEST

START_TEST(stop_ends_threads_that_nobody_asks_anything) {
	struct caller c;

	serve(&four);
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	stop();
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	ck_assert_int_eq(app.forgotten, 1);
} END_TEST

static void forget_all(void) {
	atomic_store(&inside, 0);
	atomic_store(&met, 0);
	atomic_store(&asked, 0);
	atomic_store(&open_now, false);
}

int main(void) {
	TCase *t = tcase_create("threads");

	tcase_add_checked_fixture(t, forget_all, NULL);
	tcase_add_test(t, connections_are_shared_out);
	tcase_add_test(t, application_is_called_by_one_at_a_time);
	tcase_add_test(t, counts_are_summed);
	tcase_add_loop_test(t, revoked_peer_is_closed_in_all_threads, 0, THREADS);
	tcase_add_test(t, revoked_peer_that_waits_is_told_in_all_threads);
	tcase_add_test(t, nobody_revoked_is_served_after_the_swap);
	tcase_add_test(t, what_waits_goes_on_in_all_threads);
	tcase_add_test(t, share_of_an_address_is_counted_over_all_threads);
	tcase_add_test(t, full_house_loses_idlers_of_any_thread);
	tcase_add_test(t, stop_answers_what_was_asked_in_all_threads);
	tcase_add_test(t, stop_ends_threads_that_nobody_asks_anything);
	return app_run("threads", t);
}
