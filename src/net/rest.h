/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to services that are not the group's gateway (a drive, its sign-in): the system's anchors or those of a file, caps, time limits, the
 * policy of retry.h. */
#ifndef SCG_NET_REST_H
#define SCG_NET_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define REST_TOTAL_S 120              /* default of rest_config.total_s: without any progress for so long, it is unreachable */
#define REST_CONNECT_MS 10000
#define REST_ATTEMPTS 12
#define REST_PATIENCE_S 64
#define REST_HEAD_MAX ((size_t)64 * 1024)
#define REST_ERROR_MAX ((size_t)64 * 1024)   /* of the body of a reply that is an error */
#define REST_LOW_BYTES_S 1            /* a transfer slower than this ... */
#define REST_LOW_TIME_S 30            /* ... for so long is broken */

struct rest; /* kept connections, shared by any number of threads */

/* What an error status (400 and above) means for the request. */
enum rest_verdict {
	REST_FINAL,   /* handed to the caller as it is */
	REST_AGAIN,   /* the service is broken for a moment; sent again only where it may be (500 and above, but 503: idempotent) */
	REST_SLOW,    /* it asks for patience: the same, and all other requests to it wait as well (gate.h), as they do with any Retry-After of these two */
};

struct rest_config {
	const char *ca_file;       /* PEM: instead of the system's anchors, or NULL */
	unsigned total_s;          /* 0: REST_TOTAL_S. Counted anew when bytes of an upload, or to be taken, move that did not before */
	unsigned tired_s;          /* likewise, from when a request has waited in vain for all of total_s until the service answers again; 0: total_s */
	/* Asked about replies with an error status; body has at most REST_ERROR_MAX bytes. NULL: 429 slow, 408, 500, 502, 503, 504 again. */
	enum rest_verdict (*judge)(int status, const char *type, const struct buf *body);
};
int rest_new(struct rest **r, const struct rest_config *c, struct err *e) MUST_CHECK;
void rest_free(struct rest *r);

struct rest_request {
	const char *method;
	const char *url;                /* whole; https, or http where the host is a loopback address (RFC 8252 8.3): else ERR_USAGE */
	const char *bearer;             /* access token (RFC 6750 2.1), or NULL; never in an error's text */
	const char *const *headers;     /* "Name: value", NULL at the end; or NULL. A control character in a header: ERR_FAIL */
	const char *type;               /* Content-Type of the body */
	/* The body: data, or else read: exactly body_len bytes, from its beginning again at each attempt. */
	const void *body;
	uint64_t body_len;
	int (*read)(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e);
	void *read_arg;
	/* Where the body of a 2xx reply goes: take as it arrives, or else reply.body up to max. An error of take ends the request. A request with
	 * take is not made again once take was called: the caller goes on from where it is. */
	int (*take)(void *arg, const void *data, size_t len, struct err *e);
	void *take_arg;
	size_t max;
	const char *expect;             /* the media type that a 2xx with a body must have where it names one, or NULL; else ERR_DAMAGED */
	bool idempotent;                /* may be sent again although the service perhaps acted on it; GET, PUT and DELETE always may */
	bool once;                      /* no second attempt at all: the caller asks first what became of it */
	unsigned total_s;               /* instead of rest_config's; 0: that one */
	/* So many more bytes of the body went out (where there is one) or came in, what an earlier attempt had told of not again; from this thread. */
	void (*progress)(void *arg, uint64_t bytes);
	void *progress_arg;
};
struct rest_reply {
	int status;
	char type[64];                  /* media type, lower case, without parameters */
	struct buf body;                /* of an error: its first REST_ERROR_MAX bytes */
	/* Location (it may be a secret), Range, Content-Range as sent, or NULL. With status and type they are here before the first take. */
	char *location, *range, *content_range;
	uint64_t content_length;
	unsigned retry_after_s;         /* also of another request's reply, where this one was not sent for it (ERR_UNREACHABLE) */
	int64_t date_s;
	uint64_t sent;                  /* bytes of the body that went out in the last attempt */
	unsigned attempts;
	bool too_long;                  /* ERR_FAIL: a 2xx of more than max bytes */
};
/* Safe on {0}. */
void rest_reply_wipe(struct rest_reply *r);
/* 0 with any HTTP status (p begins as {0}; wipe it in every case). ERR_UNREACHABLE: no connection, broken, cut off (p->status says how far it
 * was, take has had the beginning), time out; ERR_DAMAGED: certificate not verified, a reply that is no HTTP, of another type, of a coding that was
 * not asked for; ERR_FAIL: above a cap; or what read and take said, as it was. An error names scheme and host, never more of a URL. Redirects are
 * not followed: a 3xx other than 308 is ERR_DAMAGED naming where it points (escaped). HTTP/2 where libcurl and the service have it. The
 * environment's proxies (https_proxy, no_proxy) are used, except to a loopback address. Any number of threads may call; none of their
 * requests begins before the time that the service named to one of them. */
int rest(struct rest *r, const struct rest_request *q, struct rest_reply *p, struct err *e) MUST_CHECK;

/* For who makes attempts of his own: how long they may go on without progress, and that they have come to nothing. One that nobody hears from is waited
 * for once, not at each of many requests. */
unsigned rest_patience_s(const struct rest *r);
void rest_gave_up(struct rest *r);

/* Of the last hundred bodies or so one was refused or broke off: who can send in parts does. */
bool rest_is_wary(const struct rest *r);

/* Takes https, or http to a loopback address (RFC 8252 8.3), without user or fragment, else ERR_USAGE. Gives site, "https://HOST" for texts
 * (malloc'd), and whether it is a loopback address. */
int rest_url_check(const char *url, char **site, bool *loopback, struct err *e) MUST_CHECK;
/* What a reference of the reply to base means (RFC 3986 5.2; RFC 9110 10.2.2): malloc'd, what is absolute as it came; NULL: it is none. */
char *rest_url_resolve(const char *base, const char *reference);
/* application/x-www-form-urlencoded and query parts: appends NAME=VALUE, percent-encoded (RFC 3986 2.1), with & before it if out is not empty. */
void rest_form_add(struct buf *out, const char *name, const char *value);

#endif
