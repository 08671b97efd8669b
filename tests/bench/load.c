/* SPDX-License-Identifier: Apache-2.0 */
/* A load for TLS servers of this machine: full mutual handshakes with one request each, or requests over kept connections.
 *
 *	load PORT CERT KEY handshakes|resumed|requests|during N CONNECTIONS PATH
 *
 * resumed: handshakes that resume the session of the one before; the first of each connection is a full one, and a later one that is not resumed is
 * counted as another status.
 * during: over kept connections for N milliseconds, with a breath of half a millisecond between two requests, so that it is not the load that is
 * measured. Prints the number of replies with status 200, the slowest of them in microseconds, and how
 * many had another status. The server's certificate is not verified: it is the server's time that is measured. */
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/dial.h"

#define THREADS_MAX 64

static SSL_CTX *ctx;
static char request[1024];
static uint16_t port;
static bool keeps, resumes;
static _Thread_local SSL_SESSION *session;
static long end_us; /* 0: until left is used up */
static atomic_long left, good, other, slowest_us;

static void die(const char *what) {
	perror(what);
	exit(1);
}

static void note(long took) {
	long worst = atomic_load(&slowest_us);

	while (took > worst && !atomic_compare_exchange_weak(&slowest_us, &worst, took))
		;
}

static int take_session(SSL *ssl, SSL_SESSION *s) {
	(void)ssl;
	SSL_SESSION_free(session);
	session = s;
	return 1;
}

/* False: a full handshake where a short one was wanted. */
static bool resume(SSL **ssl) {
	bool wanted = session != NULL;

	*ssl = dial_resume(ctx, port, session);
	if (*ssl == NULL)
		die("handshake");
	return !wanted || SSL_session_reused(*ssl) == 1;
}

static void *work(void *arg) {
	SSL *ssl = keeps ? dial_must(ctx, port) : NULL;
	bool as_wanted = true;
	long begin;

	(void)arg;
	while (end_us > 0 ? dial_now_us() < end_us : atomic_fetch_sub(&left, 1) > 0) {
		begin = dial_now_us();
		if (!keeps)
			as_wanted = resume(&ssl);
		if (SSL_write(ssl, request, (int)strlen(request)) <= 0)
			die("write");
		if (dial_reply(ssl) == 200 && as_wanted)
			good++;
		else
			other++;
		note(dial_now_us() - begin);
		if (end_us > 0)
			(void)usleep(500);
		if (!keeps)
			dial_end(ssl);
	}
	if (keeps)
		dial_end(ssl);
	SSL_SESSION_free(session);
	return NULL;
}

int main(int argc, char **argv) {
	pthread_t threads[THREADS_MAX];
	unsigned long n;

	if (argc != 8 || (n = strtoul(argv[6], NULL, 10)) < 1 || n > THREADS_MAX) {
		(void)fprintf(stderr, "usage: load PORT CERT KEY handshakes|resumed|requests|during N CONNECTIONS PATH\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	port = (uint16_t)strtoul(argv[1], NULL, 10);
	resumes = strcmp(argv[4], "resumed") == 0;
	keeps = !resumes && strcmp(argv[4], "handshakes") != 0;
	left = strtol(argv[5], NULL, 10);
	if (strcmp(argv[4], "during") == 0)
		end_us = dial_now_us() + 1000 * atomic_load(&left);
	(void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[7]);
	ctx = dial_ctx(argv[2], argv[3]);
	if (resumes) {
		(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(ctx, take_session);
	}
	for (unsigned long i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			die("thread");
	for (unsigned long i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	(void)printf("%ld %ld %ld\n", atomic_load(&good), atomic_load(&slowest_us), atomic_load(&other));
	SSL_CTX_free(ctx);
	return 0;
}
