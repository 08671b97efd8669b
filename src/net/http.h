/* SPDX-License-Identifier: Apache-2.0 */
/* A small strict reader of HTTP/1.1 requests (RFC 9112), and replies. No socket in sight. */
#ifndef SCG_NET_HTTP_H
#define SCG_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define HTTP_HEAD_MAX 8192
#define HTTP_HEADERS_MAX 64
#define HTTP_TARGET_MAX 2048

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS };

struct http_header { const char *name, *value; }; /* name in lower case */
struct http_request {
	enum http_method method;
	char *path;                 /* decoded, starts with '/', no "..", no NUL */
	char *query;                /* raw, or NULL */
	struct http_header headers[HTTP_HEADERS_MAX]; size_t n_headers;
	uint64_t content_length; bool has_body;
	bool keep_alive;
	bool expect_continue;
	char *storage;              /* what the strings above point into (owned) */
	struct buf body;            /* filled by the server once it is whole */
};
void http_request_wipe(struct http_request *r);
/* Looks for a whole head in data: 0 not yet (more bytes needed), > 0 its length and *r filled, or -STATUS (400, 405, 408, 411, 413, 414, 417, 431, 501, 505): answer that and close. why
 * gets a static text for the log. */
int http_parse_head(const uint8_t *data, size_t len, struct http_request *r, const char **why) MUST_CHECK;
const char *http_header(const struct http_request *r, const char *name);
/* The one value of key in the query, percent-decoded and malloc'd; ERR_NOTFOUND if absent, ERR_USAGE if repeated or ill-formed. */
int http_query(const struct http_request *r, const char *key, char **value, struct err *e) MUST_CHECK;

struct http_reply {
	int status;
	const char *type;           /* Content-Type (static), NULL: none */
	const char *encoding;       /* Content-Encoding (static) or NULL */
	unsigned retry_after_s;     /* 0: no header */
	bool close;                 /* Connection: close, then a lingering close */
	struct buf body;
};
void http_reply_wipe(struct http_reply *r);
/* The whole reply as bytes (HEAD: without body). */
void http_reply_print(const struct http_reply *r, bool head_only, struct buf *out);
/* application/problem+json (RFC 9457): {"type":"urn:scg:TYPE","title":...,"status":N,"detail":...}. */
void http_problem(struct http_reply *r, int status, const char *type, const char *detail);

#endif
