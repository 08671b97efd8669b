/* SPDX-License-Identifier: Apache-2.0 */
#include "store/gdrive_pull.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "net/retry.h"

#define MORE 1  /* to be gone on with, after a pause where nothing came; the error says why */
#define AGAIN 2 /* without another pause */

static uint64_t least(uint64_t a, uint64_t b) {
	return a < b ? a : b;
}

static int wrong_range(struct err *e) {
	return err_set(e, ERR_DAMAGED, "RFC 9110 14.4: Drive sends another range than was asked for");
}

/* RFC 9110 15.3.7: a 206 says what it holds; it may be less than was asked for. A 200 holds all, from the first byte on. */
static int judge_head(struct gdrive_pull *p, struct err *e) {
	const struct rest_reply *r = &p->reply;
	struct gdrive_span span;

	p->judged = true;
	p->skip = 0;
	if ((p->page = strcmp(r->type, "text/html") == 0))
		return err_set(e, ERR_DAMAGED, "Drive sends a page (text/html) in place of the object");
	if (r->status == 200) {
		p->skip = p->pos;
		p->left = p->end == GDRIVE_END_UNKNOWN ? GDRIVE_END_UNKNOWN : p->end - p->pos;
		return 0;
	}
	if (r->status != 206 || !gdrive_parse_span(r->content_range, &span) || span.first != p->pos || span.last >= p->end)
		return wrong_range(e);
	if (p->total != GDRIVE_END_UNKNOWN && p->total != span.total)
		return err_set(e, ERR_DAMAGED, "what Drive sends has changed meanwhile");
	p->total = span.total;
	p->left = span.last - span.first + 1;
	return 0;
}

static int on_data(void *arg, const void *data, size_t len, struct err *e) {
	struct gdrive_pull *p = arg;
	const uint8_t *from = data;
	uint64_t n;
	int r;

	if (!p->judged && (r = judge_head(p, e)) != 0)
		return r;
	n = least(p->skip, len);
	p->skip -= n;
	from += n;
	len -= (size_t)n;
	if (len > p->left && p->reply.status == 206)
		return wrong_range(e);
	n = least(p->left, len);
	if (n > 0 && (r = p->take(p->arg, from, (size_t)n, e)) != 0)
		return r;
	p->pos += n;
	if (p->left != GDRIVE_END_UNKNOWN)
		p->left -= n;
	/* The rest of a whole that was not asked for: the connection is not worth it. */
	p->enough = len > n;
	return p->enough ? err_set(e, ERR_FAIL, "enough") : 0;
}

/* All of the answer has come, with a status: is that the end? MORE: more is to be asked for. */
static int answered(struct gdrive_pull *p, struct err *e) {
	const struct rest_reply *r = &p->reply;
	int rc;

	if (r->status == 416) {
		if (p->total != GDRIVE_END_UNKNOWN && p->pos < p->total)
			return wrong_range(e);
		p->end = p->pos; /* it has no such byte */
		return 0;
	}
	if (r->status < 200 || r->status > 299)
		return gdrive_refuse(r->status, &r->body, "files.get", e);
	if (!p->judged && r->status != 200 && (rc = judge_head(p, e)) != 0)
		return rc;
	if (r->status == 200 || p->pos == p->end || p->pos == p->total) {
		p->end = p->pos;
		return 0;
	}
	return MORE;
}

/* 0: done. */
static int attempt(struct gdrive_pull *p, const char *url, unsigned left_s, struct err *e) {
	OWN(own_free) char *range = p->end == GDRIVE_END_UNKNOWN
	    ? xasprintf("Range: bytes=%llu-", (unsigned long long)p->pos)
	    : xasprintf("Range: bytes=%llu-%llu", (unsigned long long)p->pos, (unsigned long long)p->end - 1);
	struct rest_request q = {
		.method = "GET",
		.url = url,
		.headers = (const char *const[]){ range, NULL },
		.take = on_data,
		.take_arg = p,
		.once = true, /* where it went on to is known here alone */
		.total_s = left_s,
	};
	int r;

	/* The whole of an empty thing has no range (RFC 9110 14.1.2). */
	if (p->pos == 0 && p->end == GDRIVE_END_UNKNOWN)
		q.headers = NULL;
	rest_reply_wipe(&p->reply);
	p->judged = p->enough = p->page = false;
	r = gdrive_rest(p->g, &q, &p->reply, e);
	if (p->enough)
		return 0;
	if (p->page && gdrive_again(p->g, &p->luck))
		return AGAIN;
	if (!gdrive_may_pass(r, &p->reply))
		return r != 0 ? r : answered(p, e);
	if (r == 0 && gdrive_refuse(p->reply.status, &p->reply.body, "files.get", e) == 0)
		return ERR_FAIL;
	return MORE;
}

/* Again and again, as long as something comes. */
static int go_on(struct gdrive_pull *p, const char *url, struct err *e) {
	struct retry retry;
	uint64_t before;
	int r;

	retry_init(&retry, rest_patience_s(p->g->net), REST_ATTEMPTS, REST_PATIENCE_S);
	for (;;) {
		before = p->pos;
		while ((r = attempt(p, url, retry_left_s(&retry), e)) == AGAIN)
			;
		if (r != MORE)
			return r;
		if (p->pos == p->end || p->pos == p->total)
			return 0; /* broken, but all is here */
		if (p->pos > before)
			retry_init(&retry, rest_patience_s(p->g->net), REST_ATTEMPTS, REST_PATIENCE_S);
		else if (!retry_pause(&retry, p->reply.retry_after_s)) {
			rest_gave_up(p->g->net);
			return ERR_UNREACHABLE;
		}
	}
}

int gdrive_pull(struct gdrive_pull *p, struct err *e) {
	OWN(own_free) char *url = gdrive_url(p->g, p->path, (const char *const[]){ "alt", "media", NULL });
	int r;

	p->total = GDRIVE_END_UNKNOWN;
	r = go_on(p, url, e);
	rest_reply_wipe(&p->reply);
	return r;
}

struct memory {
	uint8_t *data;
	size_t got;
};

static int into_memory(void *arg, const void *data, size_t len, struct err *e) {
	struct memory *m = arg;

	(void)e;
	memcpy(m->data + m->got, data, len);
	m->got += len;
	return 0;
}

int gdrive_pull_into(struct gdrive *g, const char *path, uint64_t off, void *data, size_t len, size_t *got, struct err *e) {
	struct memory m = { .data = data };
	struct gdrive_pull p = { .g = g, .path = path, .pos = off, .take = into_memory, .arg = &m };
	int r;

	*got = 0;
	if (off > INT64_MAX || len > INT64_MAX - off)
		return err_set(e, ERR_FAIL, "a range beyond what a file can have");
	if (len == 0)
		return 0;
	p.end = off + len;
	r = gdrive_pull(&p, e);
	*got = m.got;
	return r;
}
