/* SPDX-License-Identifier: Apache-2.0 */
/* net/server: a long body lies in a nameless file while it comes, and nothing of it stays behind. */
#include "net/server.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/tmp.h"
#include "server_app.h"

#define LONG 2000000
#define PUT_LONG "PUT /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n"

static atomic_int spooled, in_memory, wrong;

/* What the handler of a long body sees. */
static void handle(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply) {
	static uint8_t bytes[LONG];
	struct stat st;

	app_handle(arg, p, r, reply);
	if (!r->spooled) {
		atomic_fetch_add(&in_memory, 1);
		return;
	}
	atomic_fetch_add(&spooled, 1);
	if (r->body.data != NULL || fstat(r->spool, &st) != 0 || st.st_size != LONG || st.st_nlink != 0 ||
	    pread(r->spool, bytes, LONG, 0) != LONG || memcmp(bytes, big, LONG) != 0)
		atomic_fetch_add(&wrong, 1);
}

static int64_t body_max(void *arg, struct server_peer *p, const struct http_request *r, struct http_reply *reply) {
	(void)arg, (void)p, (void)r, (void)reply;
	return 4 << 20;
}

static void serve(const struct server_limits *lim) {
	const struct server_ops ops = { .arg = &app, .body_max = body_max, .handle = handle, .forget = app_forget };
	struct server_limits l = *lim;

	atomic_store(&spooled, 0);
	atomic_store(&in_memory, 0);
	atomic_store(&wrong, 0);
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 2654435761u >> 13);
	tmp_make();
	if (l.spool_dir == NULL)
		l.spool_dir = tmp_dir();
	web_start(&web, &group, &group.gateway, &ops, &l);
}

static int count_entries(const char *path) {
	DIR *d = opendir(path);
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* Until this process has as many descriptors as before. */
static bool has_descriptors(int n) {
	for (int i = 0; i < 12000 && count_entries("/proc/self/fd") > n; i++)
		usleep(10000);
	return count_entries("/proc/self/fd") <= n;
}

static void end(void) {
	ck_assert_int_eq(count_entries(tmp_dir()), 2);
	(void)web_stop(&web);
	tmp_drop();
}

START_TEST(long_body_is_in_a_file_when_it_is_handled) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;
	int before;

	serve(&(struct server_limits){0});
	before = count_entries("/proc/self/fd");
	caller_open(&c, web.port, &group.alice);
	for (int i = 0; i < 3; i++) {
		caller_say(&c, PUT_LONG);
		for (size_t left = LONG, n = 1; left > 0; left -= n) {
			n = n * 3 % 50021 < left ? n * 3 % 50021 : left;
			caller_send(&c, big + (LONG - left), n);
		}
		ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	}
	caller_close(&c);
	ck_assert(has_descriptors(before));
	ck_assert_int_eq(spooled, 3);
	ck_assert_int_eq(wrong, 0);
	end();
} END_TEST

START_TEST(short_body_stays_in_memory) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	serve(&(struct server_limits){0});
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, "PUT /large HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048576\r\n\r\n");
	caller_send(&c, big, 1 << 20);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	caller_close(&c);
	ck_assert_int_eq(spooled, 0);
	ck_assert_int_eq(in_memory, 1);
	end();
} END_TEST

/* The request behind a long body is read as ever. */
START_TEST(request_behind_a_long_body_is_answered) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;

	serve(&(struct server_limits){0});
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, PUT_LONG);
	caller_send(&c, big, LONG - 10);
	OWN(buf_wipe) struct buf rest = {0};
	buf_add(&rest, big + LONG - 10, 10);
	buf_adds(&rest, GET);
	caller_send(&c, rest.data, rest.len);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 200);
	caller_close(&c);
	ck_assert_int_eq(wrong, 0);
	end();
} END_TEST

START_TEST(cut_body_leaves_no_file) {
	struct caller c;
	int before;

	serve(&(struct server_limits){0});
	before = count_entries("/proc/self/fd");
	for (int i = 0; i < 20; i++) {
		caller_open(&c, web.port, &group.alice);
		caller_say(&c, PUT_LONG);
		caller_send(&c, big, LONG / 2);
		caller_close(&c);
	}
	ck_assert(has_descriptors(before));
	ck_assert_int_eq(spooled, 0);
	end();
} END_TEST

/* No byte buys time: a long body has twelve times the limit, then the file is gone. */
START_TEST(abandoned_body_leaves_no_file) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c;
	int before;

	serve(&(struct server_limits){ .body_ms = 50 });
	before = count_entries("/proc/self/fd");
	caller_open(&c, web.port, &group.alice);
	caller_say(&c, PUT_LONG);
	caller_send(&c, big, LONG / 2);
	ck_assert_int_eq(caller_reply(&c, false, &reply), 408);
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	ck_assert(has_descriptors(before));
	end();
} END_TEST

START_TEST(ninth_long_body_at_once_has_to_wait) {
	OWN(buf_wipe) struct buf reply = {0};
	struct caller c[8], ninth;

	serve(&(struct server_limits){0});
	for (int i = 0; i < 8; i++) {
		caller_open(&c[i], web.port, &group.alice);
		caller_say(&c[i], "PUT /large HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n");
		ck_assert_int_eq(caller_reply(&c[i], true, &reply), 100);
	}
	caller_open(&ninth, web.port, &group.alice);
	buf_clear(&reply);
	caller_say(&ninth, PUT_LONG);
	ck_assert_int_eq(caller_reply(&ninth, false, &reply), 503);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "Retry-After: 1\r\n"));
	caller_close(&ninth);
	caller_send(&c[0], big, LONG);
	ck_assert_int_eq(caller_reply(&c[0], false, &reply), 200);
	for (int i = 0; i < 8; i++)
		caller_close(&c[i]);
	end();
} END_TEST

static void limit_files(rlim_t bytes) {
	struct rlimit r;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* No room from the start, no folder, and no more room in the middle: the sender is told, and other requests go on. */
START_TEST(no_room_is_507) {
	OWN(buf_wipe) struct buf reply = {0};
	struct server_limits lim = { .spool_dir = _i == 1 ? "/nowhere/at/all" : NULL };
	struct caller c;
	int before;

	serve(&lim);
	before = count_entries("/proc/self/fd");
	if (_i == 0)
		limit_files(1 << 20);
	caller_open(&c, web.port, &group.alice);
	if (_i == 2) {
		caller_say(&c, "PUT /large HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n");
		ck_assert_int_eq(caller_reply(&c, true, &reply), 100);
		limit_files(1 << 19);
		caller_send(&c, big, 600000);
	} else {
		caller_say(&c, PUT_LONG);
	}
	ck_assert_int_eq(caller_reply(&c, false, &reply), 507);
	ck_assert_ptr_nonnull(strstr(buf_str(&reply), "urn:scg:not-stored"));
	ck_assert(caller_is_dropped(&c));
	caller_close(&c);
	ck_assert(has_descriptors(before));
	caller_open(&c, web.port, &group.alice);
	ck_assert_int_eq(caller_ask(&c, GET), 200);
	caller_close(&c);
	ck_assert_int_eq(spooled, 0);
	end();
} END_TEST

int main(void) {
	TCase *t = tcase_create("spool");

	tcase_add_test(t, long_body_is_in_a_file_when_it_is_handled);
	tcase_add_test(t, short_body_stays_in_memory);
	tcase_add_test(t, request_behind_a_long_body_is_answered);
	tcase_add_test(t, cut_body_leaves_no_file);
	tcase_add_test(t, abandoned_body_leaves_no_file);
	tcase_add_test(t, ninth_long_body_at_once_has_to_wait);
	tcase_add_loop_test(t, no_room_is_507, 0, 3);
	return app_run("spool", t);
}
