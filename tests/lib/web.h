/* SPDX-License-Identifier: Apache-2.0 */
/* A server on a thread, and callers with every habit a client can have. Any failure of theirs that is not asked about aborts the test. */
#ifndef SCG_TESTS_WEB_H
#define SCG_TESTS_WEB_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/fixture.h"
#include "net/server.h"

struct web {
	struct server *server;
	SSL_CTX *ctx;
	pthread_t thread;
	char url[100];  /* "https://127.0.0.1:PORT" */
	unsigned port;
};
/* Serves with this gateway certificate on a port of the system's choice; lim may be NULL. Limits of time that it does not set are 2 min. */
void web_start(struct web *w, const struct fixture *f, const struct fixture_id *gateway, const struct server_ops *ops,
    const struct server_limits *lim);
/* Stops it; returns how long server_run took to end, in ms. */
long web_stop(struct web *w);

/* A TCP connection to a port of this machine. */
int caller_tcp(unsigned port);

struct caller {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
};
/* Shakes hands with this certificate (NULL: none); reads give up after 2 min. */
void caller_open(struct caller *c, unsigned port, const struct fixture_id *id);
/* The same with a context of one's own (taken over); false: no handshake. */
bool caller_open_with(struct caller *c, unsigned port, SSL_CTX *ctx, SSL_SESSION *session);
SSL_CTX *caller_ctx(const struct fixture_id *id);
void caller_say(struct caller *c, const char *text);
void caller_send(struct caller *c, const void *data, size_t len);
/* True: all that was said lies in the server's socket, read or not (waits up to 2 min). */
bool caller_is_heard(const struct caller *c);
/* Appends one whole reply (head and Content-Length bytes); returns its status, 0: the connection ended first. */
int caller_reply(struct caller *c, bool head_only, struct buf *out);
/* say, then reply. */
int caller_ask(struct caller *c, const char *text);
/* True: bytes of the server wait, or its end of the connection (waits up to so many ms; 2 min). */
bool caller_has_news(struct caller *c, int ms);
bool caller_hears(struct caller *c);
/* True: the server has ended the connection (waits up to 2 min; what still comes is read away). */
bool caller_is_dropped(struct caller *c);
void caller_close(struct caller *c);

#endif
