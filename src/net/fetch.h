/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS requests over libcurl: TLS 1.3, one anchor, caps, time limits, one retry policy. */
#ifndef SCG_NET_FETCH_H
#define SCG_NET_FETCH_H

#include <stdbool.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"

#define FETCH_TOTAL_S 30          /* default of fetch_config.total_s */
#define FETCH_CONNECT_MS 10000    /* one attempt's share for name, TCP and TLS */
#define FETCH_ATTEMPTS 5
#define FETCH_PATIENCE_S 5        /* who says "Retry-After" more than this is not waited for */
#define FETCH_HEAD_MAX ((size_t)16 * 1024)
#define FETCH_PROBLEM_MAX ((size_t)16 * 1024)

struct fetch; /* one kept connection; one thread at a time */

struct fetch_config {
	const char *url;           /* "https://HOST:PORT", no path */
	X509 *ca;                  /* the only anchor */
	X509 *cert;                /* the client's own, or NULL */
	EVP_PKEY *key;
	unsigned total_s;          /* limit of one request with its retries; 0: FETCH_TOTAL_S */
	/* Asked in the handshake about the server's certificate when chain, purpose, dates and name were good (revocation); false ends it, with the
	 * text put into e. NULL: not asked. */
	bool (*accept)(void *arg, X509 *server, struct err *e);
	void *accept_arg;
};
/* Everything in c is copied or taken by reference. ERR_USAGE: not such a URL; ERR_DAMAGED: ca is no CA certificate. */
int fetch_new(struct fetch **f, const struct fetch_config *c, struct err *e) MUST_CHECK;
void fetch_free(struct fetch *f); /* f may be NULL */
/* The next request makes a new connection (the server's certificate is asked about anew). */
void fetch_reconnect(struct fetch *f);

struct fetch_request {
	const char *method;        /* "GET", "PUT", "POST" */
	const char *path;          /* "/v1/keys?nonce=.." */
	const char *type;          /* Content-Type of the body */
	const void *body;
	size_t body_len;
	size_t max;                /* cap of the (inflated) reply body; replies that are errors may have FETCH_PROBLEM_MAX */
	const char *expect;        /* the media type that a 2xx with a body must have, or NULL */
	unsigned total_s;          /* not 0: instead of the configuration's */
	bool idempotent;           /* may be sent again although the gateway perhaps acted on it; GET and PUT always may */
};
struct fetch_reply {
	int status;
	char type[64];             /* media type, lower case, without parameters */
	struct buf body;           /* inflated if Content-Encoding: deflate (RFC 1950) */
	int64_t date_s;            /* the server's Date, 0: none */
	char *problem_type;        /* of application/problem+json, "urn:scg:" taken off, escaped for a terminal; or NULL */
	char *problem_detail;
};
/* Releases body and texts; safe on {0}. */
void fetch_reply_wipe(struct fetch_reply *r);
/* 0 with any HTTP status (r begins as {0}; wipe it in every case). ERR_UNREACHABLE: no connection, time out, broken, a TLS alert;
 * ERR_DAMAGED: not the group's gateway (foreign, of another name or purpose, expired, refused by accept), or a reply that no gateway sends;
 * ERR_FAIL: above a cap. Redirects are not followed. Tries again, at most FETCH_ATTEMPTS times with full jitter and within the time, what was not
 * sent or may be sent twice, and 429, 502, 503, 504 (not before Retry-After; not at all where that is beyond FETCH_PATIENCE_S). */
int fetch(struct fetch *f, const struct fetch_request *q, struct fetch_reply *r, struct err *e) MUST_CHECK;
/* Turns a status that is not 2xx into an error: 401, 403 ERR_REFUSED with the problem's reason, 404 ERR_NOTFOUND, 409 ERR_CONFLICT, 408, 429, 502, 503,
 * 504 ERR_UNREACHABLE, else ERR_FAIL. */
int fetch_check(const struct fetch_reply *r, const char *what, struct err *e) MUST_CHECK;

#endif
