/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sink.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"
#include "base/text.h"

#define PROBLEM_TEXT_MAX 300 /* of what goes to a terminal */
#define CHUNK 16384

void sink_init(struct sink *s, struct fetch_reply *reply, size_t max) {
	*s = (struct sink){ .reply = reply, .max = max };
	head_init(&s->head, FETCH_HEAD_MAX);
}

void sink_wipe(struct sink *s) {
	if (s->inflating)
		(void)inflateEnd(&s->z);
	s->inflating = false;
	head_wipe(&s->head);
}

bool sink_header(struct sink *s, const char *line, size_t len) {
	struct fetch_reply *r = s->reply;

	if (!head_line(&s->head, line, len, &s->why))
		return false;
	s->deflated = strcasecmp(s->head.coding, "deflate") == 0;
	if (s->head.coding[0] != '\0' && !s->deflated)
		return err_set(&s->why, ERR_DAMAGED, "RFC 9110 12.5.3: a content coding that was not asked for") == 0;
	r->status = s->head.status;
	memcpy(r->type, s->head.type, sizeof r->type);
	r->date_s = s->head.date_s;
	return true;
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

	if (!s->head.ended) /* libcurl is content with the half of one */
		return err_set(e, ERR_UNREACHABLE, "RFC 9112 8: the reply ends within its head");
	if (s->deflated && !s->ended && (s->inflating || r->body.len > 0))
		return err_set(e, ERR_DAMAGED, "RFC 1950: the deflate stream ends early");
	if (r->status >= 400)
		read_problem(r);
	return r->status / 100 == 2 && r->body.len > 0 ? head_check_type(&s->head, expect, e) : 0;
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
	case 507:
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
