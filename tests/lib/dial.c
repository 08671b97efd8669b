/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/dial.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) {
	perror(what);
	exit(1);
}

SSL_CTX *dial_ctx(const char *cert, const char *key) {
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1)
		die("context");
	if (strcmp(cert, "-") != 0 &&
	    (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 || SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1))
		die("certificate");
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

int dial_tcp(uint16_t port) {
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = DIAL_PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

SSL *dial_resume(SSL_CTX *ctx, uint16_t port, SSL_SESSION *session) {
	int fd = dial_tcp(port);
	SSL *ssl;

	if (fd < 0)
		return NULL;
	ssl = SSL_new(ctx);
	if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && (session == NULL || SSL_set_session(ssl, session) == 1) && SSL_connect(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	(void)close(fd);
	return NULL;
}

SSL *dial(SSL_CTX *ctx, uint16_t port) {
	return dial_resume(ctx, port, NULL);
}

SSL *dial_must(SSL_CTX *ctx, uint16_t port) {
	SSL *ssl = dial(ctx, port);

	if (ssl == NULL)
		die("handshake");
	return ssl;
}

void dial_end(SSL *ssl) {
	int fd = SSL_get_fd(ssl);

	(void)SSL_shutdown(ssl);
	SSL_free(ssl);
	(void)close(fd);
}

int dial_reply(SSL *ssl) {
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

long dial_now_us(void) {
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
