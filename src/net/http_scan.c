/* SPDX-License-Identifier: Apache-2.0 */
/* The outer form of a head, one byte at a time. */
#include "net/http.h"
#include "net/httpchar.h"

#define METHOD_MAX 16  /* the longest registered one has 16 letters (RFC 9110 18.2 and the registry behind it) */
#define VERSION_LEN 8  /* "HTTP/1.1" */

enum { BEGIN, SKIP_LF, METHOD, TARGET, VERSION, CR, LINE_BEGIN, LINE, END_CR };

static int scan_begin(struct http_scan *s, uint8_t c, const char **why) {
	if (c == '\r' && s->start == 0) {
		s->state = SKIP_LF;
		return 0;
	}
	if (!is_token(c))
		return refuse(400, "RFC 9112 3: no method", why);
	s->line = s->start = s->at;
	s->state = METHOD;
	return 0;
}

static int scan_method(struct http_scan *s, uint8_t c, const char **why) {
	if (c == ' ') {
		s->line = s->at + 1;
		s->state = TARGET;
		return 0;
	}
	if (!is_token(c))
		return refuse(400, "RFC 9112 3: method is no token", why);
	if (s->at - s->line >= METHOD_MAX)
		return refuse(501, "RFC 9112 3: method too long", why);
	return 0;
}

static int scan_target(struct http_scan *s, uint8_t c, const char **why) {
	if (c == ' ') {
		s->line = s->at + 1;
		s->state = VERSION;
		return 0;
	}
	if (c < 0x21 || c > 0x7e)
		return refuse(400, "RFC 9112 3.2: byte that no target has", why);
	if (s->at - s->line >= HTTP_TARGET_MAX)
		return refuse(414, "RFC 9112 3: target too long", why);
	return 0;
}

static int scan_version(struct http_scan *s, uint8_t c, const char **why) {
	if (c == '\r' && s->at - s->line == VERSION_LEN) {
		s->state = CR;
		return 0;
	}
	if (c < 0x21 || c > 0x7e || s->at - s->line >= VERSION_LEN)
		return refuse(400, "RFC 9112 2.3: ill-formed version", why);
	return 0;
}

static int scan_line(struct http_scan *s, uint8_t c, const char **why) {
	if (s->state == LINE_BEGIN && (c == ' ' || c == '\t'))
		return refuse(400, "RFC 9112 5.2: folded header", why);
	if (c == '\r') {
		s->state = s->state == LINE_BEGIN ? END_CR : CR;
		return 0;
	}
	if ((c < 0x20 && c != '\t') || c == 0x7f)
		return refuse(400, "RFC 9110 5.5: control character in a header", why);
	s->state = LINE;
	return 0;
}

static int scan_lf(struct http_scan *s, uint8_t c, const char **why) {
	if (c != '\n')
		return refuse(400, "RFC 9112 2.2: bare CR", why);
	if (s->state == SKIP_LF)
		s->start = s->at + 1;
	s->state = s->state == SKIP_LF ? BEGIN : LINE_BEGIN;
	return 0;
}

static int scan_byte(struct http_scan *s, uint8_t c, const char **why) {
	switch (s->state) {
	case BEGIN:
		return scan_begin(s, c, why);
	case METHOD:
		return scan_method(s, c, why);
	case TARGET:
		return scan_target(s, c, why);
	case VERSION:
		return scan_version(s, c, why);
	case LINE_BEGIN:
	case LINE:
		return scan_line(s, c, why);
	default:
		return scan_lf(s, c, why);
	}
}

int http_scan(struct http_scan *s, const uint8_t *data, size_t len, const char **why) {
	bool last;
	int rc;

	for (; s->at < len; s->at++) {
		if (s->at >= HTTP_HEAD_MAX)
			return refuse(431, "RFC 6585 5: head too large", why);
		last = s->state == END_CR;
		if ((rc = scan_byte(s, data[s->at], why)) < 0)
			return rc;
		if (last)
			return (int)++s->at;
	}
	return 0;
}
