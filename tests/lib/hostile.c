/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/hostile.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static void must(bool ok, const char *what) {
	if (ok)
		return;
	(void)fprintf(stderr, "hostile: %s\n", what);
	abort();
}

/* One connection, encrypted or not. */
struct line {
	int fd;
	SSL *ssl;
};

static size_t get_some(const struct line *l, void *to, size_t len) {
	size_t n = 0;
	ssize_t rc;

	if (l->ssl != NULL)
		return SSL_read_ex(l->ssl, to, len, &n) == 1 ? n : 0;
	rc = recv(l->fd, to, len, 0);
	return rc > 0 ? (size_t)rc : 0;
}

static bool get_byte(const struct line *l, char *byte) {
	return get_some(l, byte, 1) == 1;
}

static bool put(const struct line *l, const uint8_t *data, size_t len) {
	size_t done;

	if (l->ssl != NULL)
		return SSL_write_ex(l->ssl, data, len, &done) == 1;
	for (ssize_t n; len > 0; data += n, len -= (size_t)n)
		if ((n = send(l->fd, data, len, MSG_NOSIGNAL)) <= 0)
			return false;
	return true;
}

static const struct hostile_step *step_at(const struct hostile *h, unsigned i) {
	return &h->steps[i < h->n_steps ? i : h->n_steps - 1];
}

static const struct hostile_step *next_step(struct hostile *h) {
	unsigned i = atomic_fetch_add(&h->requests, 1);

	if (i < HOSTILE_TIMES)
		h->at_ms[i] = clock_mono_ms();
	return step_at(h, i + h->unheard);
}

static bool read_head(struct hostile *h, const struct line *l, size_t *body) {
	char head[8192];
	size_t len = 0;
	const char *p;

	for (; len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0; len++)
		if (len + 1 >= sizeof head || !get_byte(l, head + len))
			return false;
	head[len] = '\0';
	if ((p = strstr(head, "Content-Length: ")) != NULL)
		*body = strtoul(p + 16, NULL, 10);
	buf_add(&h->heard, head, len);
	return true;
}

static bool read_body(struct hostile *h, const struct line *l, size_t body) {
	char bytes[16384];

	for (size_t n; body > 0; body -= n) {
		if ((n = get_some(l, bytes, body < sizeof bytes ? body : sizeof bytes)) == 0)
			return false;
		buf_add(&h->heard, bytes, n);
	}
	buf_adds(&h->heard, "\n\n");
	return true;
}

static void say(const struct line *l, const struct hostile_step *s) {
	const uint8_t *reply = s->reply;
	size_t tail = s->len < 1024 ? s->len : 1024;

	if (s->len > 0 && !put(l, reply, s->len))
		return;
	while (s->end == HOSTILE_ENDLESS && put(l, reply + s->len - tail, tail))
		;
	while (s->end == HOSTILE_TRICKLE && put(l, reply + s->len - 1, 1))
		(void)nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
}

static void reset(int fd) {
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void part(const struct line *l, enum hostile_end end) {
	char byte;

	if (end == HOSTILE_HANG)
		while (get_byte(l, &byte))
			;
	if (end == HOSTILE_RESET || end == HOSTILE_HALF)
		reset(l->fd);
	else if (l->ssl != NULL)
		(void)SSL_shutdown(l->ssl);
}

static void serve(struct hostile *h, const struct line *l) {
	const struct hostile_step *s;
	size_t body;

	if (l->ssl != NULL && SSL_accept(l->ssl) != 1)
		return;
	do {
		body = 0;
		if (!read_head(h, l, &body))
			return;
		s = next_step(h);
		if (!read_body(h, l, s->end == HOSTILE_HALF ? body / 2 : s->end == HOSTILE_REFUSE ? 0 : body))
			return;
		say(l, s);
	} while (s->end == HOSTILE_KEEP);
	part(l, s->end);
}

static void meet(struct hostile *h, int fd) {
	struct line l = { .fd = fd };

	atomic_fetch_add(&h->connections, 1);
	if (step_at(h, atomic_load(&h->requests) + h->unheard)->end == HOSTILE_NO_TLS) {
		h->unheard++;
		reset(fd);
		return;
	}
	if (!h->plain)
		must((l.ssl = SSL_new(h->ctx)) != NULL && SSL_set_fd(l.ssl, fd) == 1, "SSL");
	serve(h, &l);
	SSL_free(l.ssl);
}

static void *run(void *arg) {
	struct hostile *h = arg;
	int fd;

	while ((fd = accept(h->listener, NULL, NULL)) >= 0) {
		if (!atomic_load(&h->stopping))
			meet(h, fd);
		close(fd);
		if (atomic_load(&h->stopping))
			break;
	}
	return NULL;
}

static void set_up_tls(struct hostile *h, const struct fixture_id *id) {
	h->ctx = SSL_CTX_new(TLS_server_method());
	must(h->ctx != NULL && SSL_CTX_use_certificate(h->ctx, id->cert) == 1 && SSL_CTX_use_PrivateKey(h->ctx, id->key) == 1, "certificate");
	if (h->tls_max != 0)
		must(SSL_CTX_set_max_proto_version(h->ctx, h->tls_max) == 1, "version");
}

void hostile_start(struct hostile *h, const struct fixture_id *id) {
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;

	if (!h->plain)
		set_up_tls(h, id);
	h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(h->listener >= 0 && bind(h->listener, (struct sockaddr *)&a, sizeof a) == 0 && listen(h->listener, 64) == 0 &&
	    getsockname(h->listener, (struct sockaddr *)&a, &len) == 0, "listen");
	(void)snprintf(h->url, sizeof h->url, "%s://127.0.0.1:%u", h->plain ? "http" : "https", ntohs(a.sin_port));
	must(pthread_create(&h->thread, NULL, run, h) == 0, "thread");
}

void hostile_stop(struct hostile *h) {
	atomic_store(&h->stopping, true);
	(void)shutdown(h->listener, SHUT_RDWR); /* wakes accept */
	must(pthread_join(h->thread, NULL) == 0, "join");
	close(h->listener);
	SSL_CTX_free(h->ctx);
}
