/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile clients of a gateway on this machine, of each kind so many, for some seconds, while good requests are timed.
 *
 *	siege PORT CERT KEY N SECONDS
 *	siege PORT CERT KEY N bad
 *
 * The kinds: a TCP connection that says nothing; half a ClientHello; TLS without a request; a byte of a header a second; a byte of a body a second;
 * a reader that never reads. Who is thrown out comes back at once. Prints: good requests that were answered 200, all that were made, the slowest on a
 * kept connection and the slowest with its handshake (microseconds), how often somebody was thrown out. bad: N handshakes that cannot succeed, of six
 * kinds, one after the other; prints how many. */
#include "lib/dial.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_MAX 1000
#define GOOD "GET /v1/group HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define DEAF 200 /* requests in a row by who reads no reply: 60 KiB of replies, or far more */

enum kind { SILENT, HALF_HELLO, NO_REQUEST, SLOW_HEAD, SLOW_BODY, DEAF_READER, KINDS };

struct attacker {
	enum kind kind;
	int fd;   /* without TLS, or -1 */
	SSL *ssl; /* or NULL */
};

static SSL_CTX *ctx;
static uint16_t port;
static size_t n_each;
static atomic_bool over;
static atomic_long thrown_out, good, made;

/* A record that promises 512 bytes of a hello. */
static const unsigned char half_hello[] = { 22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3 };

static int fd_of(const struct attacker *a) {
	return a->ssl != NULL ? SSL_get_fd(a->ssl) : a->fd;
}

static void say(struct attacker *a, const char *text) {
	if (a->ssl != NULL)
		(void)SSL_write(a->ssl, text, (int)strlen(text));
}

static void say_much(struct attacker *a) {
	struct timeval brief = { .tv_usec = 1000 };

	/* The socket's buffers fill up; then it stays as it is. */
	(void)setsockopt(fd_of(a), SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof brief);
	for (int i = 0; i < DEAF; i++)
		say(a, "GET /crl HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

static void begin(struct attacker *a) {
	static const char head[] = "GET /v1/group HTTP/1.1\r\nHost: localhost\r\nX: ";
	static const char body[] = "POST /v1/ledger/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";

	a->fd = -1;
	a->ssl = NULL;
	if (a->kind <= HALF_HELLO)
		a->fd = dial_tcp(port);
	else
		a->ssl = dial(ctx, port);
	if (a->kind == HALF_HELLO && a->fd >= 0)
		(void)send(a->fd, half_hello, sizeof half_hello, MSG_NOSIGNAL);
	else if (a->kind == SLOW_HEAD)
		say(a, head);
	else if (a->kind == SLOW_BODY)
		say(a, body);
	else if (a->kind == DEAF_READER && a->ssl != NULL)
		say_much(a);
}

static void end(struct attacker *a) {
	int fd = fd_of(a);

	SSL_free(a->ssl);
	if (fd >= 0)
		(void)close(fd);
	a->ssl = NULL;
	a->fd = -1;
}

static bool is_out(const struct attacker *a) {
	char byte;
	int fd = a->ssl == NULL ? a->fd : SSL_get_fd(a->ssl);
	ssize_t n;

	if (fd < 0)
		return true;
	if (a->kind == DEAF_READER)
		return send(fd, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN;
	n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n >= 0 || (errno != EAGAIN && errno != EINTR); /* what it has to say is always: no */
}

static void go_on(struct attacker *a) {
	if (is_out(a)) {
		atomic_fetch_add(&thrown_out, 1);
		end(a);
		begin(a);
	} else if (a->kind == SLOW_HEAD || a->kind == SLOW_BODY) {
		say(a, "x");
	} else if (a->kind == HALF_HELLO) {
		(void)send(a->fd, "x", 1, MSG_NOSIGNAL);
	}
}

static void *attack(void *arg) {
	const enum kind *kind = arg;
	struct attacker *a = calloc(n_each, sizeof *a);

	for (size_t i = 0; a != NULL && i < n_each; i++) {
		a[i].kind = *kind;
		begin(&a[i]);
	}
	while (a != NULL && !atomic_load(&over)) {
		for (size_t i = 0; i < n_each && !atomic_load(&over); i++)
			go_on(&a[i]);
		(void)usleep(1000000);
	}
	for (size_t i = 0; a != NULL && i < n_each; i++)
		end(&a[i]);
	free(a);
	return NULL;
}

/* What it took, or -1. */
static long ask(SSL *ssl) {
	long begin_us = dial_now_us();

	atomic_fetch_add(&made, 1);
	if (ssl == NULL || SSL_write(ssl, GOOD, sizeof GOOD - 1) <= 0 || dial_reply(ssl) != 200)
		return -1;
	atomic_fetch_add(&good, 1);
	return dial_now_us() - begin_us;
}

static void be_good(long end_us, long *kept_us, long *fresh_us) {
	SSL *kept = dial_must(ctx, port);

	while (dial_now_us() < end_us) {
		long begin_us, took = ask(kept);
		SSL *fresh;

		*kept_us = took > *kept_us ? took : *kept_us;
		begin_us = dial_now_us();
		if ((fresh = dial(ctx, port)) != NULL && ask(fresh) >= 0 && dial_now_us() - begin_us > *fresh_us)
			*fresh_us = dial_now_us() - begin_us;
		if (fresh != NULL)
			dial_end(fresh);
		(void)usleep(20000);
	}
	dial_end(kept);
}

static void siege(long seconds) {
	static enum kind kinds[KINDS];
	pthread_t threads[KINDS];
	long kept_us = 0, fresh_us = 0;

	for (int i = 0; i < KINDS; i++) {
		kinds[i] = (enum kind)i;
		if (pthread_create(&threads[i], NULL, attack, &kinds[i]) != 0)
			exit(1);
	}
	be_good(dial_now_us() + seconds * 1000000, &kept_us, &fresh_us);
	atomic_store(&over, true);
	for (int i = 0; i < KINDS; i++)
		(void)pthread_join(threads[i], NULL);
	(void)printf("%ld %ld %ld %ld %ld\n", atomic_load(&good), atomic_load(&made), kept_us, fresh_us, atomic_load(&thrown_out));
}

static void say_and_go(const void *text, size_t len) {
	struct linger reset = { .l_onoff = 1 };
	int fd = dial_tcp(port);

	if (fd < 0)
		return;
	(void)send(fd, text, len, MSG_NOSIGNAL);
	if (len % 2 == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	(void)close(fd);
}

/* An older protocol, another application protocol: refused in the handshake. */
static void shake_wrongly(bool old) {
	static const unsigned char h2[] = "\x02h2";
	SSL_CTX *wrong = SSL_CTX_new(TLS_client_method());

	if (wrong == NULL)
		exit(1);
	if (old)
		(void)SSL_CTX_set_max_proto_version(wrong, TLS1_2_VERSION);
	else
		(void)SSL_CTX_set_alpn_protos(wrong, h2, sizeof h2 - 1);
	if (dial(wrong, port) != NULL) {
		(void)fprintf(stderr, "siege: a handshake that cannot succeed did\n");
		exit(1);
	}
	SSL_CTX_free(wrong);
}

static void shake_badly(size_t n) {
	static const char plain[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", alert[] = "\x15\x03\x01\x00\x02\x02\x28";

	for (size_t i = 0; i < n; i++) {
		switch (i % 6) {
		case 0:
			say_and_go(plain, sizeof plain - 1);
			break;
		case 1:
			say_and_go(half_hello, sizeof half_hello);
			break;
		case 2:
			say_and_go(alert, sizeof alert - 1);
			break;
		case 3:
			say_and_go("", 0);
			break;
		default:
			shake_wrongly(i % 6 == 4);
		}
	}
	(void)printf("%zu\n", n);
}

int main(int argc, char **argv) {
	if (argc != 6 || (n_each = strtoul(argv[4], NULL, 10)) < 1) {
		(void)fprintf(stderr, "usage: siege PORT CERT KEY N SECONDS|bad\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	port = (uint16_t)strtoul(argv[1], NULL, 10);
	ctx = dial_ctx(argv[2], argv[3]);
	if (strcmp(argv[5], "bad") == 0)
		shake_badly(n_each);
	else if (n_each <= N_MAX)
		siege(strtol(argv[5], NULL, 10));
	SSL_CTX_free(ctx);
	return 0;
}
