/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/hostile.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(bool ok, const char *what) {
	if (ok)
		return;
	(void)fprintf(stderr, "hostile: %s\n", what);
	abort();
}

static const struct hostile_step *next_step(struct hostile *h) {
	unsigned i = atomic_fetch_add(&h->requests, 1);

	return &h->steps[i < h->n_steps ? i : h->n_steps - 1];
}

static bool read_request(SSL *ssl) {
	char head[8192];
	size_t len = 0, body = 0;
	const char *p;

	for (; len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0; len++)
		if (len + 1 >= sizeof head || SSL_read(ssl, head + len, 1) != 1)
			return false;
	head[len] = '\0';
	if ((p = strstr(head, "Content-Length: ")) != NULL)
		body = strtoul(p + 16, NULL, 10);
	for (; body > 0; body--)
		if (SSL_read(ssl, head, 1) != 1)
			return false;
	return true;
}

static void say(SSL *ssl, const struct hostile_step *s) {
	const uint8_t *reply = s->reply;
	size_t done, tail = s->len < 1024 ? s->len : 1024;

	if (s->len > 0 && SSL_write_ex(ssl, reply, s->len, &done) != 1)
		return;
	while (s->end == HOSTILE_ENDLESS && SSL_write_ex(ssl, reply + s->len - tail, tail, &done) == 1)
		;
}

static void reset(int fd) {
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void serve(struct hostile *h, int fd, SSL *ssl) {
	const struct hostile_step *s;
	char byte;

	if (SSL_accept(ssl) != 1)
		return;
	do {
		if (!read_request(ssl))
			return;
		s = next_step(h);
		say(ssl, s);
	} while (s->end == HOSTILE_KEEP);
	if (s->end == HOSTILE_HANG)
		while (SSL_read(ssl, &byte, 1) == 1)
			;
	if (s->end == HOSTILE_RESET)
		reset(fd);
	else
		(void)SSL_shutdown(ssl);
}

static void *run(void *arg) {
	struct hostile *h = arg;
	int fd;

	while ((fd = accept(h->listener, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(h->ctx);

		if (atomic_load(&h->stopping)) {
			SSL_free(ssl);
			close(fd);
			break;
		}
		atomic_fetch_add(&h->connections, 1);
		must(ssl != NULL && SSL_set_fd(ssl, fd) == 1, "SSL");
		if (h->steps[0].end == HOSTILE_NO_TLS)
			reset(fd);
		else
			serve(h, fd, ssl);
		SSL_free(ssl);
		close(fd);
	}
	return NULL;
}

void hostile_start(struct hostile *h, const struct fixture_id *id) {
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;

	h->ctx = SSL_CTX_new(TLS_server_method());
	must(h->ctx != NULL && SSL_CTX_use_certificate(h->ctx, id->cert) == 1 && SSL_CTX_use_PrivateKey(h->ctx, id->key) == 1, "certificate");
	if (h->tls_max != 0)
		must(SSL_CTX_set_max_proto_version(h->ctx, h->tls_max) == 1, "version");
	h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(h->listener >= 0 && bind(h->listener, (struct sockaddr *)&a, sizeof a) == 0 && listen(h->listener, 64) == 0 &&
	    getsockname(h->listener, (struct sockaddr *)&a, &len) == 0, "listen");
	(void)snprintf(h->url, sizeof h->url, "https://127.0.0.1:%u", ntohs(a.sin_port));
	must(pthread_create(&h->thread, NULL, run, h) == 0, "thread");
}

void hostile_stop(struct hostile *h) {
	atomic_store(&h->stopping, true);
	(void)shutdown(h->listener, SHUT_RDWR); /* wakes accept */
	must(pthread_join(h->thread, NULL) == 0, "join");
	close(h->listener);
	SSL_CTX_free(h->ctx);
}
