/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/monitor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "net/listener.h"

#define REQUEST_MS 1000 /* for all of one request and its reply: one at a time, its clients are on this machine */

struct monitor {
	int listener, stop;
	char address[80];
	pthread_t thread;
	pthread_mutex_t lock;
	struct sight *sights; /* under the lock, like ready */
	size_t n, ready; /* the first ready ones were published */
};

/* A page of some web site that was resolved to this machine has that site's name there. */
static bool is_local_host(const char *host) {
	static const char *const names[] = { "127.0.0.1", "[::1]", "localhost" };

	for (size_t i = 0; host != NULL && i < sizeof names / sizeof *names; i++) {
		size_t len = strlen(names[i]);

		if (strncasecmp(host, names[i], len) == 0 && (host[len] == '\0' || host[len] == ':'))
			return true;
	}
	return false;
}

static void fill(const struct sight *v, size_t n, const struct http_request *q, struct http_reply *r) {
	int64_t now_s = clock_now_s(), now_ms = clock_mono_ms();

	if (q->method != HTTP_GET && q->method != HTTP_HEAD) {
		http_problem(r, 405, "method-not-allowed", "GET alone");
		r->allow = "GET, HEAD";
	} else if (!is_local_host(http_header(q, "host"))) {
		http_problem(r, 403, "not-local", "Host is not this machine");
	} else if (strcmp(q->path, "/healthz") == 0) {
		r->status = sight_health(v, n, now_s, now_ms, &r->body);
		r->type = "application/json";
	} else if (strcmp(q->path, "/metrics") == 0) {
		sight_metrics(v, n, now_s, now_ms, &r->body);
		r->status = 200;
		r->type = "text/plain; version=0.0.4";
	} else {
		http_problem(r, 404, "not-found", "/healthz and /metrics");
	}
}

void monitor_answer(const struct sight *v, size_t n_sights, const uint8_t *head, size_t len, struct http_reply *r) {
	OWN(http_request_wipe) struct http_request q = { 0 };
	const char *why = "";
	int n = http_parse_head(head, len, &q, &why);

	*r = (struct http_reply){ 0 };
	if (n < 0)
		http_refuse(r, -n, why);
	else if (n == 0)
		http_refuse(r, 408, "RFC 9110 15.5.9: the request took too long");
	else
		fill(v, n_sights, &q, r);
	if (q.method == HTTP_HEAD)
		buf_clear(&r->body);
	r->close = true;
}

/* Until the socket is ready, the time is over or the end has come. */
static bool wait_for(const struct monitor *m, int fd, short events, int64_t end_ms) {
	struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = m->stop, .events = POLLIN } };
	int64_t left = end_ms - clock_mono_ms();

	return left > 0 && poll(p, 2, (int)left) > 0 && p[1].revents == 0;
}

static bool is_whole(const struct buf *in) {
	struct http_scan scan = { 0 };
	const char *why;

	return http_scan(&scan, in->data, in->len, &why) != 0;
}

static void read_head(const struct monitor *m, int fd, int64_t end_ms, struct buf *in) {
	uint8_t bytes[HTTP_HEAD_MAX];
	ssize_t n;

	while (in->len <= HTTP_HEAD_MAX && !is_whole(in) && wait_for(m, fd, POLLIN, end_ms)) {
		if ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) <= 0)
			return;
		buf_add(in, bytes, (size_t)n);
	}
}

static void send_all(const struct monitor *m, int fd, int64_t end_ms, const struct buf *b) {
	ssize_t n;

	for (size_t at = 0; at < b->len && wait_for(m, fd, POLLOUT, end_ms); at += (size_t)n)
		if ((n = send(fd, b->data + at, b->len - at, MSG_DONTWAIT | MSG_NOSIGNAL)) < 0)
			return;
}

static void serve_one(struct monitor *m, int fd) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	OWN(buf_wipe) struct buf in = { 0 };
	OWN(buf_wipe) struct buf out = { 0 };
	int64_t end_ms = clock_mono_ms() + REQUEST_MS;

	read_head(m, fd, end_ms, &in);
	(void)pthread_mutex_lock(&m->lock);
	if (m->ready == m->n)
		monitor_answer(m->sights, m->n, in.data, in.len, &r);
	else
		http_problem(&r, 503, "starting", "the gateway does not serve yet");
	(void)pthread_mutex_unlock(&m->lock);
	r.plain = true;
	http_reply_head(&r, &out);
	buf_add(&out, r.body.data, r.body.len);
	send_all(m, fd, end_ms, &out);
	(void)shutdown(fd, SHUT_WR);
}

static void *serve(void *arg) {
	struct monitor *m = arg;

	for (;;) {
		struct pollfd p[2] = { { .fd = m->listener, .events = POLLIN }, { .fd = m->stop, .events = POLLIN } };
		int fd;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (p[1].revents != 0)
			return NULL;
		if ((fd = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
			serve_one(m, fd);
			(void)close(fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			(void)poll(&p[1], 1, 100); /* it stays in the queue */
		}
	}
}

int monitor_new(struct monitor **out, const char *listen, size_t n, struct err *e) {
	struct monitor *m = xcalloc(1, sizeof *m);
	int rc;

	m->stop = -1;
	m->sights = xcalloc(n, sizeof *m->sights);
	m->n = n;
	(void)pthread_mutex_init(&m->lock, NULL);
	if ((rc = listener_open_local(listen, &m->listener, m->address, e)) == 0 && (m->stop = eventfd(0, EFD_CLOEXEC)) < 0)
		rc = err_sys(e, ERR_FAIL, "eventfd");
	if (rc == 0 && (errno = pthread_create(&m->thread, NULL, serve, m)) != 0)
		rc = err_sys(e, ERR_FAIL, "thread");
	if (rc == 0) {
		*out = m;
		return 0;
	}
	own_fd(&m->listener);
	own_fd(&m->stop);
	(void)pthread_mutex_destroy(&m->lock);
	free(m->sights);
	free(m);
	return rc;
}

void monitor_free(struct monitor *m) {
	const uint64_t one = 1;

	if (m == NULL)
		return;
	(void)!write(m->stop, &one, sizeof one);
	(void)pthread_join(m->thread, NULL);
	own_fd(&m->listener);
	own_fd(&m->stop);
	(void)pthread_mutex_destroy(&m->lock);
	free(m->sights);
	free(m);
}

void monitor_address(const struct monitor *m, char out[static 80]) {
	memcpy(out, m->address, sizeof m->address);
}

void monitor_publish(struct monitor *m, size_t i, const struct sight *s) {
	if (m == NULL)
		return;
	(void)pthread_mutex_lock(&m->lock);
	m->sights[i] = *s;
	if (m->ready == i)
		m->ready++;
	(void)pthread_mutex_unlock(&m->lock);
}
