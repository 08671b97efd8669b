/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/web.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/tls.h"

#define PATIENCE_S 120

static void must(bool ok, const char *what) {
	if (ok)
		return;
	(void)fprintf(stderr, "web: %s\n", what);
	abort();
}

static void *serve(void *arg) {
	struct web *w = arg;
	struct err e = ERR_INIT;

	must(server_run(w->server, &e) == 0, e.text);
	return NULL;
}

/* A limit that a test does not set is not what it is about: no machine is slow enough to meet it. */
static struct server_limits patient(const struct server_limits *lim) {
	struct server_limits l = lim != NULL ? *lim : (struct server_limits){0};
	unsigned *ms[] = { &l.handshake_ms, &l.head_ms, &l.body_ms, &l.write_ms, &l.park_ms, &l.idle_ms, &l.linger_ms, &l.stop_ms };

	for (size_t i = 0; i < sizeof ms / sizeof *ms; i++)
		if (*ms[i] == 0)
			*ms[i] = PATIENCE_S * 1000;
	return l;
}

void web_start(struct web *w, const struct fixture *f, const struct fixture_id *gateway, const struct server_ops *ops,
    const struct server_limits *lim) {
	const struct server_limits l = patient(lim);
	struct err e = ERR_INIT;
	char address[80];

	must(tls_server_new(gateway->key, gateway->cert, f->chain, &w->ctx, &e) == 0, e.text);
	must(server_new(&w->server, "127.0.0.1:0", w->ctx, ops, &l, &e) == 0, e.text);
	server_address(w->server, address);
	w->port = (unsigned)strtoul(strrchr(address, ':') + 1, NULL, 10);
	(void)snprintf(w->url, sizeof w->url, "https://%s", address);
	must(pthread_create(&w->thread, NULL, serve, w) == 0, "thread");
}

long web_stop(struct web *w) {
	int64_t begin = clock_mono_ms();

	server_stop(w->server);
	must(pthread_join(w->thread, NULL) == 0, "join");
	server_free(w->server);
	SSL_CTX_free(w->ctx);
	return (long)(clock_mono_ms() - begin);
}

int caller_tcp(unsigned port) {
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	must(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "connect");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

SSL_CTX *caller_ctx(const struct fixture_id *id) {
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	must(ctx != NULL, "context");
	if (id != NULL)
		must(SSL_CTX_use_certificate(ctx, id->cert) == 1 && SSL_CTX_use_PrivateKey(ctx, id->key) == 1, "certificate");
	return ctx;
}

bool caller_open_with(struct caller *c, unsigned port, SSL_CTX *ctx, SSL_SESSION *session) {
	*c = (struct caller){ .fd = caller_tcp(port), .ctx = ctx };
	must((c->ssl = SSL_new(ctx)) != NULL && SSL_set_fd(c->ssl, c->fd) == 1, "SSL");
	if (session != NULL)
		must(SSL_set_session(c->ssl, session) == 1, "session");
	return SSL_connect(c->ssl) == 1;
}

void caller_open(struct caller *c, unsigned port, const struct fixture_id *id) {
	must(caller_open_with(c, port, caller_ctx(id), NULL), "handshake");
}

void caller_send(struct caller *c, const void *data, size_t len) {
	size_t done;

	must(SSL_write_ex(c->ssl, data, len, &done) == 1 && done == len, "write");
}

void caller_say(struct caller *c, const char *text) {
	caller_send(c, text, strlen(text));
}

bool caller_is_heard(const struct caller *c) {
	int unacknowledged = 1;

	for (int i = 0; i < PATIENCE_S * 1000 && unacknowledged > 0; i++) {
		must(ioctl(c->fd, SIOCOUTQ, &unacknowledged) == 0, "SIOCOUTQ");
		if (unacknowledged > 0)
			usleep(1000);
	}
	return unacknowledged == 0;
}

/* Not one byte more than asked for. */
static bool read_more(struct caller *c, size_t len, struct buf *out) {
	uint8_t bytes[16384];
	int n;

	for (; len > 0; len -= (size_t)n) {
		n = SSL_read(c->ssl, bytes, len < sizeof bytes ? (int)len : (int)sizeof bytes);
		if (n <= 0)
			return false;
		buf_add(out, bytes, (size_t)n);
	}
	return true;
}

int caller_reply(struct caller *c, bool head_only, struct buf *out) {
	size_t begin = out->len;
	unsigned long len = 0;
	const char *head, *p;
	int status;

	while (out->len < begin + 4 || memcmp(out->data + out->len - 4, "\r\n\r\n", 4) != 0)
		if (!read_more(c, 1, out))
			return 0;
	head = buf_str(out) + begin;
	must(strncmp(head, "HTTP/1.1 ", 9) == 0, "no HTTP/1.1 reply");
	status = (int)strtol(head + 9, NULL, 10);
	if ((p = strstr(head, "Content-Length: ")) != NULL)
		len = strtoul(p + 16, NULL, 10);
	return head_only || read_more(c, len, out) ? status : 0;
}

int caller_ask(struct caller *c, const char *text) {
	struct buf out = {0};
	int status;

	caller_say(c, text);
	status = caller_reply(c, false, &out);
	buf_wipe(&out);
	return status;
}

bool caller_hears(struct caller *c) {
	return caller_has_news(c, PATIENCE_S * 1000);
}

bool caller_has_news(struct caller *c, int ms) {
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

bool caller_is_dropped(struct caller *c) {
	uint8_t bytes[4096];
	int n;

	while ((n = SSL_read(c->ssl, bytes, sizeof bytes)) > 0)
		;
	return SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ; /* the socket's patience */
}

void caller_close(struct caller *c) {
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	close(c->fd);
}
