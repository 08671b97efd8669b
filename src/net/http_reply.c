/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"

/* Title of each status that we send; the problem type of those that need no handler to be known. */
static const struct status {
	const char *title, *type;
	int status;
	bool closes;
} statuses[] = {
	{ "OK", NULL, 200, false },
	{ "Created", NULL, 201, false },
	{ "Accepted", NULL, 202, false },
	{ "No Content", NULL, 204, false },
	{ "Bad Request", "bad-request", 400, true },
	{ "Unauthorized", NULL, 401, false },
	{ "Forbidden", NULL, 403, false },
	{ "Not Found", "not-found", 404, false },
	{ "Method Not Allowed", "method-not-allowed", 405, true },
	{ "Request Timeout", "too-slow", 408, true },
	{ "Conflict", NULL, 409, false },
	{ "Length Required", "length-required", 411, true },
	{ "Content Too Large", "too-large", 413, true },
	{ "URI Too Long", "too-large", 414, true },
	{ "Unsupported Media Type", NULL, 415, false },
	{ "Expectation Failed", "bad-request", 417, true },
	{ "Too Many Requests", "too-many", 429, false },
	{ "Request Header Fields Too Large", "too-large", 431, true },
	{ "Internal Server Error", "internal", 500, false },
	{ "Not Implemented", "not-implemented", 501, true },
	{ "Service Unavailable", "not-stored", 503, false },
	{ "HTTP Version Not Supported", "bad-request", 505, true },
	{ "Insufficient Storage", "not-stored", 507, true },
};

static const struct status *find_status(int status) {
	static const struct status other = { "Status", "internal", 0, true };

	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i].status == status)
			return &statuses[i];
	return &other;
}

bool http_closes(int status) {
	return find_status(status)->closes;
}

void http_reply_wipe(struct http_reply *r) {
	buf_wipe(&r->body);
	if (r->unref != NULL)
		r->unref(r->owner);
	*r = (struct http_reply){0};
}

const uint8_t *http_reply_body(const struct http_reply *r, size_t *len) {
	*len = r->shared != NULL ? r->shared_len : r->body.len;
	return r->shared != NULL ? r->shared : r->body.data;
}

/* IMF-fixdate (RFC 9110 5.6.7), made once a second; strftime would ask the locale. */
static const char *date_text(void) {
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	static _Thread_local char text[64];
	static _Thread_local int64_t made_s = -1;
	int64_t now = clock_now_s();
	time_t t = (time_t)now;
	struct tm tm;

	if (now == made_s || gmtime_r(&t, &tm) == NULL)
		return text;
	(void)snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	made_s = now;
	return text;
}

static void add_header(struct buf *out, const char *name, const char *value) {
	if (value == NULL)
		return;
	buf_adds(out, name);
	buf_adds(out, ": ");
	buf_adds(out, value);
	buf_adds(out, "\r\n");
}

/* Without printf: it would be a tenth of what a small reply costs. */
static void add_number(struct buf *out, uint64_t v) {
	char digits[20], *p = digits + sizeof digits;

	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	buf_add(out, p, (size_t)(digits + sizeof digits - p));
}

void http_reply_head(const struct http_reply *r, struct buf *out) {
	size_t len;

	(void)http_reply_body(r, &len);
	buf_adds(out, "HTTP/1.1 ");
	add_number(out, (uint64_t)r->status);
	buf_adds(out, " ");
	buf_adds(out, find_status(r->status)->title);
	buf_adds(out, "\r\n");
	add_header(out, "Date", date_text());
	add_header(out, "Content-Type", r->type);
	add_header(out, "Content-Encoding", r->encoding);
	add_header(out, "Allow", r->allow);
	if (r->retry_after_s > 0)
		buf_addf(out, "Retry-After: %u\r\n", r->retry_after_s);
	if (r->status != 204) {
		buf_adds(out, "Content-Length: ");
		add_number(out, len);
		buf_adds(out, "\r\n");
	}
	add_header(out, "Cache-Control", "no-store");
	if (!r->plain)
		add_header(out, "Strict-Transport-Security", "max-age=31536000"); /* a year; there is no port without TLS */
	add_header(out, "Connection", r->close ? "close" : NULL);
	buf_adds(out, "\r\n");
}

void http_problem(struct http_reply *r, int status, const char *type, const char *detail) {
	bool close = r->close;
	char *urn = xasprintf("urn:scg:%s", type), *text = NULL;
	json_t *o;

	http_reply_wipe(r);
	r->status = status;
	r->close = close;
	r->type = "application/problem+json";
	if (!text_is_utf8(detail, strlen(detail)))
		detail = "";
	o = json_pack("{s:s, s:s, s:i, s:s}", "type", urn, "title", find_status(status)->title, "status", status, "detail", detail);
	if (o != NULL)
		text = json_dumps(o, JSON_COMPACT);
	buf_adds(&r->body, text != NULL ? text : "{}");
	free(text);
	free(urn);
	json_decref(o);
}

void http_refuse(struct http_reply *r, int status, const char *why) {
	http_problem(r, status, find_status(status)->type != NULL ? find_status(status)->type : "refused", why);
	r->close = true;
}
