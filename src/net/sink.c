/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sink.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"
#include "base/text.h"

#define RETRY_AFTER_MAX 3600
#define PROBLEM_TEXT_MAX 300 /* of what goes to a terminal */
#define CHUNK 16384

void sink_init(struct sink *s, struct fetch_reply *reply, size_t max) {
	*s = (struct sink){ .reply = reply, .max = max };
}

void sink_wipe(struct sink *s) {
	if (s->inflating)
		(void)inflateEnd(&s->z);
	s->inflating = false;
}

/* "Name: value" of this name (lower or upper case): the value, else NULL. */
static const char *value_of(const char *line, const char *name) {
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1 + strspn(line + len + 1, " \t");
}

static void take_type(struct fetch_reply *r, const char *value) {
	size_t len = strcspn(value, "; \t");

	if (len >= sizeof r->type)
		len = 0;
	for (size_t i = 0; i < len; i++)
		r->type[i] = (char)(value[i] >= 'A' && value[i] <= 'Z' ? value[i] + 'a' - 'A' : value[i]);
	r->type[len] = '\0';
}

/* A new response begins: behind a 100 Continue, for example. */
static bool take_status(struct sink *s, const char *line) {
	const char *p = strchr(line, ' ');
	struct fetch_reply *r = s->reply;

	if (p == NULL || strspn(p + 1, "0123456789") != 3) {
		(void)err_set(&s->why, ERR_DAMAGED, "RFC 9112 4: ill-formed status line");
		return false;
	}
	r->status = (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');
	r->type[0] = '\0';
	r->date_s = 0;
	s->deflated = false;
	s->retry_after_s = 0;
	return true;
}

static bool take_encoding(struct sink *s, const char *value) {
	if (strcasecmp(value, "deflate") == 0) {
		s->deflated = true;
	} else if (strcasecmp(value, "identity") != 0) {
		(void)err_set(&s->why, ERR_DAMAGED, "RFC 9110 12.5.3: a content coding that was not asked for");
		return false;
	}
	return true;
}

static bool take_line(struct sink *s, const char *line) {
	const char *v;
	uint64_t n;

	if (strncmp(line, "HTTP/", 5) == 0)
		return take_status(s, line);
	if ((v = value_of(line, "content-type")) != NULL)
		take_type(s->reply, v);
	else if ((v = value_of(line, "content-encoding")) != NULL)
		return take_encoding(s, v);
	else if ((v = value_of(line, "retry-after")) != NULL && text_u64(v, RETRY_AFTER_MAX, &n, NULL) == 0)
		s->retry_after_s = (unsigned)n;
	else if ((v = value_of(line, "date")) != NULL)
		s->reply->date_s = (int64_t)curl_getdate(v, NULL);
	return true;
}

bool sink_header(struct sink *s, const char *line, size_t len) {
	char *copy;
	bool ok;

	s->head_bytes += len;
	if (s->head_bytes > FETCH_HEAD_MAX) {
		(void)err_set(&s->why, ERR_FAIL, "more than %zu bytes of headers", FETCH_HEAD_MAX);
		return false;
	}
	while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL && line[len - 1] != '\0')
		len--;
	copy = xmalloc(len + 1);
	memcpy(copy, line, len);
	copy[len] = '\0';
	ok = take_line(s, copy);
	free(copy);
	return ok;
}

static size_t max_of(const struct sink *s) {
	return s->reply->status >= 400 && s->max < FETCH_PROBLEM_MAX ? FETCH_PROBLEM_MAX : s->max;
}

static bool add(struct sink *s, const void *data, size_t len) {
	if (len > max_of(s) - s->reply->body.len) {
		(void)err_set(&s->why, ERR_FAIL, "a reply of more than %zu bytes", max_of(s));
		return false;
	}
	buf_add(&s->reply->body, data, len);
	return true;
}

static bool damaged(struct sink *s) {
	(void)err_set(&s->why, ERR_DAMAGED, "RFC 1950: damaged deflate stream");
	return false;
}

static bool inflate_some(struct sink *s, const uint8_t *data, size_t len) {
	uint8_t out[CHUNK];
	int rc;

	if (!s->inflating && inflateInit(&s->z) != Z_OK) {
		(void)err_set(&s->why, ERR_FAIL, "zlib cannot begin");
		return false;
	}
	s->inflating = true;
	s->z.next_in = data;
	s->z.avail_in = (uInt)len; /* libcurl's pieces are small */
	do {
		if (s->ended)
			return s->z.avail_in == 0 || damaged(s);
		s->z.next_out = out;
		s->z.avail_out = sizeof out;
		rc = inflate(&s->z, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return damaged(s);
		if (!add(s, out, sizeof out - s->z.avail_out))
			return false;
		s->ended = rc == Z_STREAM_END;
	} while (s->z.avail_in > 0 || s->z.avail_out == 0);
	return true;
}

bool sink_body(struct sink *s, const uint8_t *data, size_t len) {
	return s->deflated ? inflate_some(s, data, len) : add(s, data, len);
}

/* A string member, escaped for a terminal and cut; or NULL. */
static char *member(const json_t *o, const char *name, const char *prefix) {
	const json_t *v = json_object_get(o, name);
	struct buf out = {0};
	const char *s;
	size_t len;

	if (!json_is_string(v))
		return NULL;
	s = json_string_value(v);
	len = json_string_length(v);
	if (strncmp(s, prefix, strlen(prefix)) == 0) {
		s += strlen(prefix);
		len -= strlen(prefix);
	}
	text_escape(s, len < PROBLEM_TEXT_MAX ? len : PROBLEM_TEXT_MAX, &out);
	return (char *)buf_take(&out, &len);
}

static void read_problem(struct fetch_reply *r) {
	json_t *o;

	if (strcmp(r->type, "application/problem+json") != 0 || r->body.len > FETCH_PROBLEM_MAX)
		return;
	o = json_loadb(buf_str(&r->body), r->body.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(o)) {
		r->problem_type = member(o, "type", "urn:scg:");
		r->problem_detail = member(o, "detail", "");
	}
	json_decref(o);
}

int sink_end(struct sink *s, const char *expect, struct err *e) {
	struct fetch_reply *r = s->reply;

	if (s->deflated && !s->ended && (s->inflating || r->body.len > 0))
		return err_set(e, ERR_DAMAGED, "RFC 1950: the deflate stream ends early");
	if (r->status >= 400)
		read_problem(r);
	if (expect != NULL && r->status / 100 == 2 && r->body.len > 0 && strcmp(r->type, expect) != 0) {
		OWN(buf_wipe) struct buf type = {0};

		text_escape(r->type, strlen(r->type), &type);
		return err_set(e, ERR_DAMAGED, "a reply of type \"%s\", not %s", buf_str(&type), expect);
	}
	return 0;
}

void fetch_reply_wipe(struct fetch_reply *r) {
	buf_wipe(&r->body);
	free(r->problem_type);
	free(r->problem_detail);
	*r = (struct fetch_reply){0};
}

static int code_of(int status) {
	switch (status) {
	case 401:
	case 403:
		return ERR_REFUSED;
	case 404:
		return ERR_NOTFOUND;
	case 409:
		return ERR_CONFLICT;
	case 408:
	case 429:
	case 502:
	case 503:
	case 504:
		return ERR_UNREACHABLE;
	default:
		return ERR_FAIL;
	}
}

int fetch_check(const struct fetch_reply *r, const char *what, struct err *e) {
	int code = code_of(r->status);
	const char *verb = code == ERR_REFUSED ? "refused" : "the gateway says";

	if (r->status / 100 == 2)
		return 0;
	if (r->problem_type == NULL)
		return err_set(e, code, "%s: the gateway answered with status %d", what, r->status);
	if (r->problem_detail == NULL || r->problem_detail[0] == '\0')
		return err_set(e, code, "%s: %s: %s", what, verb, r->problem_type);
	return err_set(e, code, "%s: %s: %s: %s", what, verb, r->problem_type, r->problem_detail);
}
