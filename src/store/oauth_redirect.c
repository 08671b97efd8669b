/* SPDX-License-Identifier: Apache-2.0 */
#include "store/oauth_redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "net/http.h"

/* A connection of a browser, or of whoever else found the port. */
struct visitor {
	int fd; /* -1: the place is free */
	int64_t end_ms;
	bool answered; /* what it still sends is read away, or its reset would overtake the reply */
	struct buf in;
	struct http_scan scan;
};

struct hall {
	struct redirect *r;
	const char *state;
	struct secret *code;
	struct visitor v[REDIRECT_VISITORS_MAX];
	unsigned strangers; /* requests to our path without the state */
	bool done;
	int result; /* once done */
	struct err why;
};

int redirect_open(struct redirect *r, struct err *e) {
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || bind(r->fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(r->fd, REDIRECT_VISITORS_MAX) != 0 || getsockname(r->fd, (struct sockaddr *)&a, &len) != 0)
		return err_sys(e, ERR_FAIL, "cannot listen on 127.0.0.1 for the answer of the consent page");
	r->port = ntohs(a.sin_port);
	(void)snprintf(r->uri, sizeof(r->uri), "http://127.0.0.1:%u", r->port);
	return 0;
}

void redirect_close(struct redirect *r) {
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
}

static void leave(struct visitor *v) {
	if (v->fd >= 0)
		(void)close(v->fd);
	buf_wipe(&v->in);
	*v = (struct visitor){ .fd = -1 };
}

/* The page is static text, and small enough for the socket's buffer: a browser that does not take it gets none. */
static void answer(struct visitor *v, int status, const char *text) {
	static const char page[] =
	    "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\nConnection: close\r\n"
	    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
	    "Content-Security-Policy: default-src 'none'\r\n\r\n%s";
	OWN(own_free)
	char *html = xasprintf("<!doctype html>\n<html lang=\"en\"><title>scg</title><p>%s</p></html>\n", text);
	OWN(buf_wipe) struct buf out = {0};

	buf_addf(&out, page,
	    status == 200       ? "200 OK"
	        : status == 404 ? "404 Not Found"
	                        : "400 Bad Request",
	    strlen(html), html);
	(void)send(v->fd, out.data, out.len, MSG_NOSIGNAL);
	(void)shutdown(v->fd, SHUT_WR);
	v->answered = true;
	v->end_ms = clock_mono_ms() + REDIRECT_LINGER_MS;
}

static bool has_state(const struct http_request *q, const char *state) {
	OWN(own_free) char *given = NULL;
	size_t len = strlen(state);

	return http_query(q, "state", &given, NULL) == 0 && strlen(given) == len &&
	    CRYPTO_memcmp(given, state, len) == 0;
}

static void conclude(struct hall *h, struct visitor *v, int result, const char *text) {
	h->done = true;
	h->result = result;
	answer(v, 200, text);
}

static void take_error(struct hall *h, struct visitor *v, const char *error) {
	/* The code is of these characters (RFC 6749 4.1.2.1 allows more, nobody uses them) or is not shown. */
	bool shown = strspn(error, "abcdefghijklmnopqrstuvwxyz_") == strlen(error) && strlen(error) < 48;

	(void)err_set(&h->why, ERR_REFUSED, "%s%s",
	    strcmp(error, "access_denied") == 0 ? "the consent was denied; nothing was stored"
	                                        : "the consent page refuses: ",
	    strcmp(error, "access_denied") == 0 ? ""
	        : shown                         ? error
	                                        : "an error of no known form");
	conclude(h, v, ERR_REFUSED, "Access was not granted. You may close this window.");
}

/* The answer of the consent page, its state being ours. */
static void take_answer(struct hall *h, struct visitor *v, const struct http_request *q) {
	OWN(own_free) char *code = NULL, *error = NULL;
	int has_code = http_query(q, "code", &code, NULL), has_error = http_query(q, "error", &error, NULL);
	size_t len = code != NULL ? strlen(code) : 0;

	if (has_error == 0 && has_code == ERR_NOTFOUND)
		take_error(h, v, error);
	else if (has_code != 0 || has_error != ERR_NOTFOUND || len == 0 || len > REDIRECT_CODE_MAX)
		answer(v, 400, "This is not the answer of a consent page (RFC 6749 4.1.2).");
	else
		conclude(h, v, secret_copy(h->code, (const uint8_t *)code, len, &h->why),
		    "The answer has arrived. You may close this window; the terminal says how it ended.");
	if (code != NULL)
		secret_clean(code, len);
}

static void take_request(struct hall *h, struct visitor *v, const struct http_request *q) {
	const char *host = http_header(q, "host");

	/* A page of another site that had its name resolved to this address may not ask. */
	if (host == NULL || strcmp(host, h->r->uri + strlen("http://")) != 0) {
		answer(v, 400, "Wrong host.");
	} else if (strcmp(q->path, "/") != 0 || q->method != HTTP_GET) {
		answer(v, 404, "There is nothing here.");
	} else if (!has_state(q, h->state)) {
		h->strangers++;
		answer(v, 400, "This answer does not belong to the sign-in that is waiting.");
	} else {
		take_answer(h, v, q);
	}
}

static void read_request(struct hall *h, struct visitor *v) {
	OWN(http_request_wipe) struct http_request q = {0};
	const char *why = "";
	ssize_t n = recv(v->fd, buf_room(&v->in, HTTP_HEAD_MAX), HTTP_HEAD_MAX, 0);
	int head;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			leave(v);
		return;
	}
	if (v->answered)
		return;
	v->in.len += (size_t)n;
	v->in.data[v->in.len] = 0;
	head = http_read_head(&v->scan, v->in.data, v->in.len, &q, &why);
	if (head > 0)
		take_request(h, v, &q);
	else if (head < 0)
		answer(v, 400, "This is no request that a browser makes here.");
}

static struct visitor *free_place(struct hall *h) {
	struct visitor *oldest = &h->v[0];

	for (size_t i = 0; i < REDIRECT_VISITORS_MAX; i++) {
		if (h->v[i].fd < 0)
			return &h->v[i];
		if (h->v[i].end_ms < oldest->end_ms)
			oldest = &h->v[i];
	}
	leave(oldest);
	return oldest;
}

static void admit(struct hall *h) {
	int fd = accept4(h->r->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		*free_place(h) = (struct visitor){ .fd = fd, .end_ms = clock_mono_ms() + REDIRECT_VISITOR_MS };
}

/* Before end_ms, and before the time of any visitor is over; no later than in a minute. */
static int wait_ms(const struct hall *h, int64_t end_ms) {
	int64_t now_ms = clock_mono_ms(), until_ms = end_ms < now_ms + 60000 ? end_ms : now_ms + 60000;

	for (size_t i = 0; i < REDIRECT_VISITORS_MAX; i++)
		if (h->v[i].fd >= 0 && h->v[i].end_ms < until_ms)
			until_ms = h->v[i].end_ms;
	return until_ms <= now_ms ? 0 : (int)(until_ms - now_ms);
}

static void serve(struct hall *h, struct visitor *v) {
	/* What comes after the answer counts no more. */
	if (!h->done || v->answered)
		read_request(h, v);
}

/* Waits for the first thing that happens, and does it. */
static void round_of(struct hall *h, int64_t end_ms) {
	struct pollfd p[REDIRECT_VISITORS_MAX + 1];

	for (size_t i = 0; i < REDIRECT_VISITORS_MAX; i++)
		p[i] = (struct pollfd){ .fd = h->v[i].fd, .events = POLLIN };
	p[REDIRECT_VISITORS_MAX] = (struct pollfd){ .fd = h->done ? -1 : h->r->fd, .events = POLLIN };
	if (poll(p, REDIRECT_VISITORS_MAX + 1, wait_ms(h, end_ms)) < 0)
		return;
	for (size_t i = 0; i < REDIRECT_VISITORS_MAX; i++) {
		if (p[i].revents != 0)
			serve(h, &h->v[i]);
		if (h->v[i].fd >= 0 && h->v[i].end_ms <= clock_mono_ms())
			leave(&h->v[i]);
	}
	if (p[REDIRECT_VISITORS_MAX].revents != 0 && !h->done)
		admit(h);
}

static bool is_anybody_left(struct hall *h) {
	for (size_t i = 0; i < REDIRECT_VISITORS_MAX; i++) {
		if (h->v[i].fd >= 0 && h->v[i].answered)
			return true;
		leave(&h->v[i]);
	}
	return false;
}

static int late(const struct hall *h, struct err *e) {
	if (h->strangers == 0)
		return err_set(e, ERR_UNREACHABLE, "no answer of the consent page came in time");
	return err_set(
	    e, ERR_UNREACHABLE, "no answer of the consent page came in time, but %u with a wrong state", h->strangers);
}

int redirect_wait(struct redirect *r, const char *state, int64_t end_ms, struct secret *code, struct err *e) {
	struct hall h = { .r = r, .state = state, .code = code };
	int64_t linger_ms;

	for (size_t i = 0; i < REDIRECT_VISITORS_MAX; i++)
		h.v[i].fd = -1;
	while (!h.done && clock_mono_ms() < end_ms)
		round_of(&h, end_ms);
	linger_ms = clock_mono_ms() + REDIRECT_LINGER_MS;
	while (h.done && is_anybody_left(&h) && clock_mono_ms() < linger_ms)
		round_of(&h, linger_ms);
	for (size_t i = 0; i < REDIRECT_VISITORS_MAX; i++)
		leave(&h.v[i]);
	if (!h.done)
		return late(&h, e);
	if (h.result != 0 && e != NULL)
		*e = h.why;
	return h.result;
}
