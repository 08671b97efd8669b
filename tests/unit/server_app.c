/* SPDX-License-Identifier: Apache-2.0 */
#include "server_app.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

struct fixture group;
struct web web;
struct app app;
uint8_t big[BIG];

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
	if (p->data == NULL) /* as who wants to tell of him in the log */
		p->data = xstrdup("named");
	http_problem(reply, 403, "revoked", "since your request began");
	return true;
}

static void hold(struct app *a) {
	atomic_fetch_add(&a->held, 1);
	while (!atomic_load(&a->let_go))
		usleep(1000);
}

void app_handle(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply) {
	struct app *a = arg;

	atomic_fetch_add(&a->handled, 1);
	if (p->data == NULL)
		p->data = xstrdup(r->path);
	if (p->verdict != VERDICT_GOOD) {
		http_problem(reply, 403, verdict_name(p->verdict), "not for you");
		reply->close = true;
		return;
	}
	if (strcmp(r->path, "/swap") == 0) /* and fills its reply after, as PUT /crl does */
		server_close_if(web.server, is_named, a);
	if (strcmp(r->path, "/hold") == 0)
		hold(a);
	reply->status = 200;
	reply->type = "text/plain";
	if (strcmp(r->path, "/bad") == 0) {
		http_problem(reply, 400, "bad-argument", "asked so");
	} else if (strcmp(r->path, "/big") == 0) {
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

void app_forget(void *arg, struct server_peer *p) {
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

void app_start(const struct server_limits *lim) {
	static const struct server_ops ops = {
		.arg = &app, .body_max = body_max, .handle = app_handle, .commit = commit, .still_good = still_good, .forget = app_forget, .tick = tick,
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

bool app_wait_for(atomic_int *v, int want) {
	for (int i = 0; i < 12000 && atomic_load(v) < want; i++)
		usleep(10000);
	return atomic_load(v) >= want;
}

bool tcp_is_dropped(int fd) {
	uint8_t bytes[4096];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
		;
	return n == 0 || errno == ECONNRESET;
}

int app_run(const char *name, TCase *t) {
	tcase_add_checked_fixture(t, set_up, tear_down);
	return suite_run(name, t);
}
