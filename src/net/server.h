/* SPDX-License-Identifier: Apache-2.0 */
/* The epoll loop: accepts, shakes hands, reads requests under absolute deadlines, hands them to one handler, writes replies. */
#ifndef SCG_NET_SERVER_H
#define SCG_NET_SERVER_H

#include <openssl/ssl.h>

#include "net/http.h"
#include "pki/chain.h"

struct server;

/* Who asks. */
struct server_peer {
	X509 *cert;                 /* borrowed, NULL: none */
	enum verdict verdict;       /* of the handshake: chain and purpose */
	char address[64];           /* "127.0.0.1" */
	bool loopback;
	void *data;                 /* the handler's own for this connection; freed by ops.forget */
};

struct server_ops {
	void *arg;
	/* The body's cap for this request, asked when its head is there; a negative value -STATUS refuses at once (413, 404 ...) with reply filled. */
	int64_t (*body_max)(void *arg, struct server_peer *p, const struct http_request *r, struct http_reply *reply);
	/* Fills the reply. */
	void (*handle)(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply);
	/* After all requests of one round were handled and before any reply leaves: commit. Where it fails (non-zero) each held reply is replaced by 503. */
	int (*commit)(void *arg);
	/* Asked again just before each reply is written: false replaces it by what is in reply now (403) and closes. */
	bool (*still_good)(void *arg, struct server_peer *p, const struct http_request *r, struct http_reply *reply);
	void (*forget)(void *arg, struct server_peer *p);
	/* Every tick_ms. */
	void (*tick)(void *arg);
};
struct server_limits { /* 0: the default of section 3 */
	unsigned handshake_s, head_s, request_s, idle_s, connections, per_address, tick_ms;
};

/* Listens on HOST:PORT (port 0: the system chooses). */
int server_new(struct server **s, const char *listen, SSL_CTX *ctx, const struct server_ops *ops, const struct server_limits *lim, struct err *e) MUST_CHECK;
void server_address(const struct server *s, char out[static 80]); /* "127.0.0.1:4433", "[::1]:4433" */
/* Runs until server_stop. A further descriptor may be watched. */
int server_watch(struct server *s, int fd, void (*f)(void *arg), void *arg, struct err *e) MUST_CHECK;
int server_run(struct server *s, struct err *e) MUST_CHECK;
void server_stop(struct server *s);                        /* from a handler or signal watcher: ends when replies in hand are written, at most 5 s */
void server_set_ctx(struct server *s, SSL_CTX *ctx);       /* new connections use it (SIGHUP) */
/* Closes each connection for which f says so (newly revoked). Its reply, if one is due, is f's 403. */
void server_close_if(struct server *s, bool (*f)(void *arg, struct server_peer *p), void *arg);
void server_free(struct server *s);

#endif
