/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS requests over libcurl: TLS 1.3, one anchor, caps, time limits, one retry policy. */
#ifndef SCG_NET_FETCH_H
#define SCG_NET_FETCH_H

#include <stdbool.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"

struct fetch; /* one connection pool; one thread at a time */

struct fetch_config {
	const char *url;           /* "https://HOST:PORT", no path */
	X509 *ca;                  /* the only anchor */
	X509 *cert; EVP_PKEY *key; /* the client's own, or NULL */
	unsigned total_s;          /* limit of one request with its retries (default 30) */
	/* Asked in the handshake about the server's certificate when chain and name were good (revocation); NULL: no. */
	bool (*accept)(void *arg, X509 *server, struct err *e); void *accept_arg;
};
int fetch_new(struct fetch **f, const struct fetch_config *c, struct err *e) MUST_CHECK;
void fetch_free(struct fetch *f);

struct fetch_request {
	const char *method;        /* "GET", "PUT", "POST" */
	const char *path;          /* "/v1/keys?nonce=.." */
	const char *type;          /* Content-Type of the body */
	const void *body; size_t body_len;
	size_t max;                /* cap of the (inflated) reply body */
	bool idempotent;           /* may be retried after it was sent; GET always may */
};
struct fetch_reply {
	int status;
	char type[64];
	struct buf body;           /* inflated if Content-Encoding: deflate */
	char *problem_type, *problem_detail; /* of application/problem+json, escaped for a terminal; or NULL */
};
void fetch_reply_wipe(struct fetch_reply *r);
/* 0 with any HTTP status; ERR_UNREACHABLE: no connection, time out, broken; ERR_DAMAGED: server certificate foreign, wrong name or purpose (the
 * text says which: "not the group's gateway"); ERR_FAIL: above the cap. Retries 429/502/503/504 and broken connections with full jitter within total_s. */
int fetch(struct fetch *f, const struct fetch_request *q, struct fetch_reply *r, struct err *e) MUST_CHECK;
/* Turns a status that is not 2xx into an error: 403 ERR_REFUSED with the problem's reason, 404 ERR_NOTFOUND, 409 ERR_CONFLICT, 503/429 ERR_UNREACHABLE, else ERR_FAIL. */
int fetch_check(const struct fetch_reply *r, const char *what, struct err *e) MUST_CHECK;

#endif
