/* SPDX-License-Identifier: Apache-2.0 */
/* A small strict reader of HTTP/1.1 requests (RFC 9112), and replies. No socket in sight. */
#ifndef SCG_NET_HTTP_H
#define SCG_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define HTTP_HEAD_MAX 8192   /* request line and headers; ours have 300 bytes */
#define HTTP_HEADERS_MAX 64
#define HTTP_TARGET_MAX 2048

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS };
/* "GET" ... */
const char *http_method_name(enum http_method m);

struct http_header { const char *name, *value; }; /* name in lower case, value without blanks at its ends */

struct http_request {
	enum http_method method;
	char *path;                 /* decoded, starts with '/', no "." or ".." parts, no NUL, UTF-8 without control characters */
	char *query;                /* raw, or NULL */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	uint64_t content_length;
	bool has_body;              /* content_length > 0 */
	bool keep_alive;
	bool expect_continue;
	char *storage;              /* what the strings above point into (owned) */
	struct buf body;            /* filled by the server once it is whole; empty where it is spooled */
	bool spooled;
	int spool;                  /* where spooled says so: the nameless file that holds the body; -1 once a handler took it (base/spool.h) */
};
/* Releases head and body; safe on {0}. */
void http_request_wipe(struct http_request *r);

/* Where a head that arrives in pieces was left; begins as {0}. */
struct http_scan {
	size_t at;    /* bytes looked at */
	size_t line;  /* where the present line begins */
	size_t start; /* where the request line begins (an empty line before it is ignored, RFC 9112 2.2) */
	uint8_t state;
};
/* Looks at bytes that it has not seen yet; data is always the whole from the first byte on. 0: more is needed; > 0: the length of the head;
 * -STATUS (400, 414, 431, 501): wrong already, whatever follows. The answer does not depend on how the bytes were cut. */
int http_scan(struct http_scan *s, const uint8_t *data, size_t len, const char **why) MUST_CHECK;

/* http_scan, and once the head is whole *r is filled (it begins as {0}; wipe it): 0 not yet, > 0 the head's length, or -STATUS (400, 411, 413, 414, 417,
 * 431, 501, 505): answer that and close. why gets a static text for log and problem. */
int http_read_head(struct http_scan *s, const uint8_t *data, size_t len, struct http_request *r, const char **why) MUST_CHECK;
/* The same for bytes that are all there. */
int http_parse_head(const uint8_t *data, size_t len, struct http_request *r, const char **why) MUST_CHECK;

/* Value of the first header of this (lower-case) name, or NULL. Host, Content-Length, Content-Type, Content-Encoding and Authorization stand
 * at most once: the reader refuses a second one. */
const char *http_header(const struct http_request *r, const char *name);

/* The one value of key in the query, percent-decoded and malloc'd; ERR_NOTFOUND if absent, ERR_USAGE if repeated or ill-formed. */
int http_query(const struct http_request *r, const char *key, char **value, struct err *e) MUST_CHECK;

struct http_reply {
	int status;
	const char *type;           /* Content-Type (static), NULL: none */
	const char *encoding;       /* Content-Encoding (static) or NULL */
	const char *allow;          /* Allow (static): a 405 must have it (RFC 9110 15.5.6) */
	unsigned retry_after_s;     /* 0: no header */
	bool close;                 /* Connection: close, then a lingering close */
	bool plain;                 /* goes without TLS */
	bool later;                 /* from a handler: nothing was done; it is handled again after server_go_on */
	struct buf body;
	/* Instead of body, bytes that live elsewhere (a large list, the same for many): unref(owner) when they were sent or dropped. */
	const uint8_t *shared;
	size_t shared_len;
	void (*unref)(void *owner);
	void *owner;
};
/* Releases and empties. */
void http_reply_wipe(struct http_reply *r);
/* The body, wherever it lives. */
const uint8_t *http_reply_body(const struct http_reply *r, size_t *len);
/* Appends status line and headers, with Date (RFC 9110 6.6.1), over TLS Strict-Transport-Security (RFC 6797 7.1) and, but for 204, Content-Length. */
void http_reply_head(const struct http_reply *r, struct buf *out);
/* Makes r, whatever it was, an application/problem+json (RFC 9457): {"type":"urn:scg:TYPE","title":...,"status":N,"detail":...}. */
void http_problem(struct http_reply *r, int status, const char *type, const char *detail);
/* After these statuses the connection is closed: what follows on it cannot be trusted to be a request, or was not understood. */
bool http_closes(int status);
/* The problem type and text of a status that the reader or the server gives by itself (400, 408 ... 505). */
void http_refuse(struct http_reply *r, int status, const char *why);

#endif
