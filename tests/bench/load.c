/* SPDX-License-Identifier: Apache-2.0 */
/* A load for TLS servers of this machine: full mutual handshakes with one request each, or requests over kept connections.
 *
 *	load PORT CERT KEY handshakes|requests|during N CONNECTIONS PATH
 *
 * during: over kept connections for N milliseconds, with a breath of half a millisecond between two requests, so that it is not the load that is
 * measured. Prints the number of replies with status 200, the slowest of them in microseconds, and how
 * many had another status. The server's certificate is not verified: it is the server's time that is measured. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64

static SSL_CTX *ctx;
static char request[1024];
static uint16_t port;
static bool keeps;
static long end_us; /* 0: until left is used up */
static atomic_long left, good, other, slowest_us;

static void die(const char *what) {
	perror(what);
	exit(1);
}

static long now_us(void) {
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static SSL *dial(void) {
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	SSL *ssl = SSL_new(ctx);

	if (fd < 0 || ssl == NULL || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		die("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		die("handshake");
	return ssl;
}

static void hang_up(SSL *ssl) {
	int fd = SSL_get_fd(ssl);

	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	(void)close(fd);
}

/* One whole reply; its status. */
static int read_reply(SSL *ssl) {
	char reply[65536];
	size_t have = 0, body = 0, want = sizeof reply;
	const char *p;
	int n;

	while (have < want) {
		if ((n = SSL_read(ssl, reply + have, (int)(sizeof reply - 1 - have))) <= 0)
			return 0;
		have += (size_t)n;
		reply[have] = '\0';
		if (want == sizeof reply && (p = strstr(reply, "\r\n\r\n")) != NULL) {
			const char *len = strcasestr(reply, "\r\ncontent-length: ");

			body = len == NULL ? 0 : strtoul(len + 18, NULL, 10);
			want = (size_t)(p + 4 - reply) + body;
		}
	}
	return (int)strtol(reply + 9, NULL, 10);
}

static void note(long took) {
	long worst = atomic_load(&slowest_us);

	while (took > worst && !atomic_compare_exchange_weak(&slowest_us, &worst, took))
		;
}

static void *work(void *arg) {
	SSL *ssl = keeps ? dial() : NULL;
	long begin;

	(void)arg;
	while (end_us > 0 ? now_us() < end_us : atomic_fetch_sub(&left, 1) > 0) {
		begin = now_us();
		if (!keeps)
			ssl = dial();
		if (SSL_write(ssl, request, (int)strlen(request)) <= 0)
			die("write");
		if (read_reply(ssl) == 200)
			good++;
		else
			other++;
		note(now_us() - begin);
		if (end_us > 0)
			(void)usleep(500);
		if (!keeps)
			hang_up(ssl);
	}
	if (keeps)
		hang_up(ssl);
	return NULL;
}

int main(int argc, char **argv) {
	pthread_t threads[THREADS_MAX];
	unsigned long n;

	if (argc != 8 || (n = strtoul(argv[6], NULL, 10)) < 1 || n > THREADS_MAX) {
		(void)fprintf(stderr, "usage: load PORT CERT KEY handshakes|requests|during N CONNECTIONS PATH\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	port = (uint16_t)strtoul(argv[1], NULL, 10);
	keeps = strcmp(argv[4], "handshakes") != 0;
	left = strtol(argv[5], NULL, 10);
	if (strcmp(argv[4], "during") == 0)
		end_us = now_us() + 1000 * atomic_load(&left);
	(void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[7]);
	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, argv[2]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, argv[3], SSL_FILETYPE_PEM) != 1 || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1)
		die("certificate");
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	for (unsigned long i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			die("thread");
	for (unsigned long i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	(void)printf("%ld %ld %ld\n", atomic_load(&good), atomic_load(&slowest_us), atomic_load(&other));
	SSL_CTX_free(ctx);
	return 0;
}
