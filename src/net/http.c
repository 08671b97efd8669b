/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/spool.h"
#include "base/text.h"
#include "net/httpchar.h"

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS" };

const char *http_method_name(enum http_method m) {
	return methods[m];
}

void http_request_wipe(struct http_request *r) {
	free(r->storage);
	if (r->spooled)
		spool_close(&r->spool);
	buf_wipe(&r->body);
	*r = (struct http_request){0};
}

/* What the head says. Only called for what http_scan let through: each line ends in CRLF, no control characters. */

struct head {
	struct http_request *r;
	char *authority; /* of a target in absolute form, or NULL */
	bool old;        /* HTTP/1.0 */
	const char **why;
};

/* RFC 3986 3.3 pchar and '/', with '?' in a query; '%' is checked apart. */
static bool is_path_char(uint8_t c, bool query) {
	return is_alnum(c) || (c != 0 && strchr("-._~!$&'()*+,;=:@/%", c) != NULL) || (query && c == '?');
}

static int hex_value(char c) {
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that "%XX" at s stands for, or -1. */
static int percent_byte(const char *s) {
	int hi = hex_value(s[1]), lo;

	if (hi < 0)
		return -1;
	lo = hex_value(s[2]);
	return lo < 0 ? -1 : hi << 4 | lo;
}

/* In place. An escaped '/' would be one to some readers and none to others, so there is none. */
static int unescape_path(char *path, const char **why) {
	char *to = path;
	int byte;

	for (const char *p = path; *p != '\0'; p++) {
		if (*p != '%') {
			*to++ = *p;
			continue;
		}
		byte = percent_byte(p);
		if (byte <= 0 || byte == '/')
			return refuse(400, "RFC 3986 2.1: escape in the path that cannot be", why);
		*to++ = (char)byte;
		p += 2;
	}
	*to = '\0';
	return 0;
}

static int check_parts(const char *path, const char **why) {
	size_t len;

	for (const char *p = path; *p == '/'; p += len) {
		len = strcspn(++p, "/");
		if ((len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return refuse(400, "RFC 3986 3.3: dot segment in the path", why);
	}
	return 0;
}

static int check_query(const char *q, const char **why) {
	for (; *q != '\0'; q++) {
		if (!is_path_char((uint8_t)*q, true))
			return refuse(400, "RFC 3986 3.4: character that no query has", why);
		if (*q == '%' && percent_byte(q) <= 0)
			return refuse(400, "RFC 3986 2.1: escape in the query that cannot be", why);
	}
	return 0;
}

/* Takes "https://authority" off; what remains begins with '/'. The two slashes make room for what is put in. RFC 9112 3.2.2. */
static char *take_authority(struct head *h, char *target) {
	char *authority = target + strlen("https://") - 2;
	size_t len = strcspn(authority + 2, "/?");
	char *rest = authority + 2 + len;

	memmove(authority, authority + 2, len);
	authority[len] = '\0';
	h->authority = authority;
	if (*rest != '/')
		*--rest = '/';
	return rest;
}

static int parse_target(struct head *h, char *target) {
	struct http_request *r = h->r;
	bool escaped;
	int rc;

	if (strcmp(target, "*") == 0)
		return refuse(501, "RFC 9112 3.2.4: asterisk form is not served", h->why);
	if (strncasecmp(target, "https://", strlen("https://")) == 0)
		target = take_authority(h, target);
	if (target[0] != '/')
		return refuse(400, "RFC 9112 3.2: target is no path", h->why);
	r->path = target;
	if ((r->query = strchr(target, '?')) != NULL) {
		*r->query++ = '\0';
		if ((rc = check_query(r->query, h->why)) != 0)
			return rc;
	}
	for (const char *p = target; *p != '\0'; p++)
		if (!is_path_char((uint8_t)*p, false))
			return refuse(400, "RFC 3986 3.3: character that no path has", h->why);
	escaped = strchr(target, '%') != NULL;
	if (escaped && (rc = unescape_path(target, h->why)) != 0)
		return rc;
	if (escaped && (!text_is_utf8(target, strlen(target)) || text_has_control(target, strlen(target))))
		return refuse(400, "RFC 3986 2.5: path is not readable UTF-8", h->why);
	return check_parts(target, h->why);
}

static int parse_version(struct head *h, const char *v) {
	if (strncmp(v, "HTTP/", 5) != 0 || v[5] < '0' || v[5] > '9' || v[6] != '.' || v[7] < '0' || v[7] > '9')
		return refuse(400, "RFC 9112 2.3: ill-formed version", h->why);
	h->old = strcmp(v + 5, "1.0") == 0;
	if (!h->old && strcmp(v + 5, "1.1") != 0)
		return refuse(505, "RFC 9110 15.6.6: neither HTTP/1.1 nor 1.0", h->why);
	return 0;
}

static int parse_method(struct head *h, const char *method) {
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (strcmp(method, methods[i]) == 0) {
			h->r->method = (enum http_method)i;
			return 0;
		}
	}
	return refuse(501, "RFC 9110 15.6.2: method not implemented", h->why);
}

static int parse_request_line(struct head *h, char *line) {
	char *target = strchr(line, ' ');
	char *version = target == NULL ? NULL : strchr(target + 1, ' ');
	int rc;

	if (version == NULL)
		return refuse(400, "RFC 9112 3: request line incomplete", h->why);
	*target++ = '\0';
	*version++ = '\0';
	if ((rc = parse_version(h, version)) != 0 || (rc = parse_method(h, line)) != 0)
		return rc;
	return parse_target(h, target);
}

static int parse_header(struct head *h, char *line) {
	static const char *const once[] = { "host", "content-length", "content-type", "content-encoding", "authorization" };
	struct http_request *r = h->r;
	char *value = strchr(line, ':'), *end;

	if (value == NULL || value == line)
		return refuse(400, "RFC 9112 5: header without a name", h->why);
	*value++ = '\0';
	for (char *p = line; *p != '\0'; p++) {
		if (!is_token((uint8_t)*p))
			return refuse(400, "RFC 9112 5.1: header name is no token", h->why);
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 'a' - 'A');
	}
	for (size_t i = 0; i < sizeof once / sizeof *once; i++)
		if (strcmp(line, once[i]) == 0 && http_header(r, line) != NULL)
			return refuse(400, "RFC 9110 5.3: header that stands once stands twice", h->why);
	if (r->n_headers == HTTP_HEADERS_MAX)
		return refuse(431, "RFC 6585 5: too many headers", h->why);
	value += strspn(value, " \t");
	for (end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t'); end--)
		;
	*end = '\0';
	r->headers[r->n_headers++] = (struct http_header){ line, value };
	return 0;
}

/* RFC 3986 3.2.2, 3.2.3 without user information: what may stand there is enough, it is compared with nothing else. */
static bool is_authority(const char *s) {
	const char *port = s + strcspn(s, ":");

	if (s[0] == '[') {
		port = strchr(s, ']');
		if (port == NULL || strspn(s + 1, "0123456789abcdefABCDEF:.") != (size_t)(port - s - 1))
			return false;
		port++;
	} else if (port == s || strcspn(s, "/?#@[]\\\"<>^`{|} \t") < (size_t)(port - s)) {
		return false;
	}
	for (const char *p = s; p < port; p++)
		if ((uint8_t)*p > 0x7e)
			return false;
	return *port == '\0' || (*port == ':' && strspn(port + 1, "0123456789") == strlen(port + 1) && strlen(port) <= 6);
}

static int check_host(const struct head *h) {
	const char *host = http_header(h->r, "host");

	if (host == NULL && h->old)
		return 0;
	if (host == NULL)
		return refuse(400, "RFC 9112 3.2: no Host", h->why);
	if (!is_authority(host))
		return refuse(400, "RFC 9110 7.2: ill-formed Host", h->why);
	if (h->authority != NULL && strcasecmp(h->authority, host) != 0)
		return refuse(400, "RFC 9112 3.2.2: Host is not the target's", h->why);
	return 0;
}

static int parse_length(const struct head *h) {
	const char *text = http_header(h->r, "content-length");
	uint64_t v = 0;

	if (text == NULL)
		return h->r->method == HTTP_POST || h->r->method == HTTP_PUT
		    ? refuse(411, "RFC 9110 15.5.12: no Content-Length", h->why) : 0;
	if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
		return refuse(400, "RFC 9110 8.6: Content-Length is no number", h->why);
	for (; *text != '\0'; text++) {
		if (v > ((uint64_t)INT64_MAX - 9) / 10)
			return refuse(413, "RFC 9110 8.6: Content-Length beyond measure", h->why);
		v = v * 10 + (uint64_t)(*text - '0');
	}
	h->r->content_length = v;
	h->r->has_body = v > 0;
	return 0;
}

static int check_framing(const struct head *h) {
	if (http_header(h->r, "transfer-encoding") != NULL)
		return refuse(501, "RFC 9112 6.1: transfer codings are not served", h->why);
	return parse_length(h);
}

/* RFC 9110 5.6.1: is word among the elements of a comma-separated list? */
static bool list_has(const char *list, const char *word) {
	size_t len;

	for (const char *p = list; *p != '\0'; p += len) {
		p += strspn(p, ", \t");
		len = strcspn(p, ", \t");
		if (len == strlen(word) && strncasecmp(p, word, len) == 0)
			return true;
	}
	return false;
}

static int check_connection(const struct head *h) {
	struct http_request *r = h->r;

	r->keep_alive = !h->old;
	for (size_t i = 0; i < r->n_headers; i++) {
		if (strcmp(r->headers[i].name, "connection") == 0 && list_has(r->headers[i].value, "close"))
			r->keep_alive = false;
		/* RFC 9110 10.1.1: a 1.0 client's 100-continue is ignored */
		if (strcmp(r->headers[i].name, "expect") != 0 || h->old)
			continue;
		if (strcasecmp(r->headers[i].value, "100-continue") != 0)
			return refuse(417, "RFC 9110 10.1.1: unknown expectation", h->why);
		r->expect_continue = true;
	}
	return 0;
}

static int parse_lines(struct head *h, char *line) {
	char *next = strstr(line, "\r\n");
	int rc = 0;

	if (next == NULL)
		return refuse(400, "RFC 9112 3: request line incomplete", h->why);
	*next = '\0';
	rc = parse_request_line(h, line);
	for (line = next + 2; rc == 0 && *line != '\r'; line = next + 2) {
		if ((next = strstr(line, "\r\n")) == NULL)
			return refuse(400, "RFC 9112 2.1: head incomplete", h->why);
		*next = '\0';
		rc = parse_header(h, line);
	}
	if (rc != 0 || (rc = check_host(h)) != 0 || (rc = check_framing(h)) != 0)
		return rc;
	return check_connection(h);
}

int http_read_head(struct http_scan *s, const uint8_t *data, size_t len, struct http_request *r, const char **why) {
	struct head h = { .r = r, .why = why };
	int end = http_scan(s, data, len, why);
	int rc;

	if (end <= 0)
		return end;
	r->storage = xmalloc((size_t)end + 1);
	memcpy(r->storage, data, (size_t)end);
	r->storage[end] = '\0';
	rc = parse_lines(&h, r->storage + s->start);
	return rc == 0 ? end : rc;
}

int http_parse_head(const uint8_t *data, size_t len, struct http_request *r, const char **why) {
	struct http_scan s = {0};

	return http_read_head(&s, data, len, r, why);
}

const char *http_header(const struct http_request *r, const char *name) {
	for (size_t i = 0; i < r->n_headers; i++)
		if (strcmp(r->headers[i].name, name) == 0)
			return r->headers[i].value;
	return NULL;
}

static int query_value(const char *s, size_t len, const char *key, char **value, struct err *e) {
	char *out = xmalloc(len + 1), *to = out;

	for (size_t i = 0; i < len; i++) {
		*to = s[i];
		if (s[i] == '%') {
			*to = (char)percent_byte(s + i); /* well formed: the reader looked */
			i += 2;
		}
		to++;
	}
	*to = '\0';
	if (!text_is_utf8(out, (size_t)(to - out))) {
		free(out);
		return err_set(e, ERR_USAGE, "%s in the query: not UTF-8", key);
	}
	*value = out;
	return 0;
}

int http_query(const struct http_request *r, const char *key, char **value, struct err *e) {
	size_t klen = strlen(key), len, found_len = 0;
	const char *found = NULL;

	*value = NULL;
	for (const char *p = r->query; p != NULL && *p != '\0'; p += len) {
		p += *p == '&';
		len = strcspn(p, "&");
		if (len < klen + 1 || strncmp(p, key, klen) != 0 || p[klen] != '=')
			continue;
		if (found != NULL)
			return err_set(e, ERR_USAGE, "%s stands twice in the query", key);
		found = p + klen + 1;
		found_len = len - klen - 1;
	}
	if (found == NULL)
		return err_set(e, ERR_NOTFOUND, "%s is missing in the query", key);
	return query_value(found, found_len, key, value, e);
}
