/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/rest_call.h"

#define REDIRECT_SHOWN 200 /* characters of where it points */

static bool refuse_redirect(struct rest_call *c) {
	OWN(buf_wipe) struct buf to = {0};
	const char *where = c->head.location != NULL ? c->head.location : "";
	size_t len = strcspn(where, "?#"); /* behind these may be a secret */

	text_escape(where, len < REDIRECT_SHOWN ? len : REDIRECT_SHOWN, &to);
	return err_set(&c->why, ERR_DAMAGED, "status %d points to \"%s\": redirects are not followed", c->head.status, buf_str(&to)) == 0;
}

static bool refuse_long(struct rest_call *c) {
	c->p->too_long = true;
	return err_set(&c->why, ERR_FAIL, "a reply of more than %zu bytes", c->q->max) == 0;
}

static void fill_reply(struct rest_reply *p, struct head *h) {
	p->status = h->status;
	memcpy(p->type, h->type, sizeof p->type);
	p->content_length = h->length;
	p->retry_after_s = head_retry_after_s(h);
	p->date_s = h->date_s;
	p->location = h->location;
	p->range = h->range;
	p->content_range = h->content_range;
	h->location = h->range = h->content_range = NULL;
}

/* The head is whole. */
static bool judge_head(struct rest_call *c) {
	struct head *h = &c->head;

	if (h->status < 200)
		return true;
	if (h->status / 100 == 3 && h->status != 308)
		return refuse_redirect(c);
	fill_reply(c->p, h);
	if (h->coding[0] != '\0')
		return err_set(&c->why, ERR_DAMAGED, "RFC 9110 12.5.3: a content coding that was not asked for") == 0;
	if (h->status / 100 == 2 && c->q->take == NULL && h->has_length && h->length > c->q->max && strcmp(c->q->method, "HEAD") != 0)
		return refuse_long(c);
	return true;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg) {
	struct rest_call *c = arg;
	bool before = c->head.ended;

	if (!head_line(&c->head, data, size * n, &c->why))
		return 0;
	return before || !c->head.ended || judge_head(c) ? size * n : 0;
}

/* So many bytes of the body that counts have moved in this attempt. Those that an earlier one had moved already keep it alive, and bring the request
 * no further: who breaks each attempt in its middle would otherwise be asked again and again. */
static void moved(struct rest_call *c, uint64_t n) {
	c->end_ms = clock_mono_ms() + c->retry.total_ms;
	if (n <= c->counted)
		return;
	retry_extend(&c->retry);
	if (c->q->progress != NULL)
		c->q->progress(c->q->progress_arg, n - c->counted);
	c->counted = n;
}

/* Of an error only so much is kept, and more is not waited for. */
static bool keep_error(struct rest_call *c, const char *data, size_t len) {
	size_t room = REST_ERROR_MAX - c->p->body.len;

	buf_add(&c->p->body, data, len < room ? len : room);
	c->enough = len > room;
	return !c->enough;
}

static bool keep(struct rest_call *c, const char *data, size_t len) {
	if (c->q->take != NULL) {
		c->taken = true;
		return c->q->take(c->q->take_arg, data, len, &c->own) == 0;
	}
	if (len > c->q->max - c->p->body.len)
		return refuse_long(c);
	buf_add(&c->p->body, data, len);
	return true;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg) {
	struct rest_call *c = arg;
	size_t len = size * n;

	if (c->head.status / 100 != 2)
		return keep_error(c, data, len) ? len : 0;
	if (len == 0)
		return 0;
	/* One that names none may hold anything (RFC 9110 8.3): who parses it finds out. */
	if (c->came == 0 && c->head.type[0] != '\0' && head_check_type(&c->head, c->q->expect, &c->why) != 0)
		return 0;
	c->came += len;
	if (!keep(c, data, len))
		return 0;
	/* What is answered in so many bytes that they are kept has to be there in time, however slowly they trickle. */
	if (c->q->take != NULL)
		moved(c, c->came);
	return len;
}

static int read_some(struct rest_call *c, char *data, size_t len, size_t *got) {
	const struct rest_request *q = c->q;
	int rc;

	if (q->read == NULL) {
		memcpy(data, (const char *)q->body + c->off, len);
		*got = len;
		return 0;
	}
	if ((rc = q->read(q->read_arg, data, len, c->off, got, &c->own)) != 0)
		return rc;
	if (*got == 0 || *got > len)
		return err_set(&c->own, ERR_FAIL, "the body has other than its %llu bytes", (unsigned long long)q->body_len);
	return 0;
}

static size_t on_read(char *data, size_t size, size_t n, void *arg) {
	struct rest_call *c = arg;
	uint64_t left = c->q->body_len - c->off;
	size_t got = 0;

	if (left == 0)
		return 0;
	if (read_some(c, data, left < size * n ? (size_t)left : size * n, &got) != 0)
		return CURL_READFUNC_ABORT;
	c->off += got;
	c->handed = c->off > c->handed ? c->off : c->handed;
	return got;
}

/* libcurl begins anew where a kept connection turns out to be dead. */
static int on_seek(void *arg, curl_off_t off, int origin) {
	struct rest_call *c = arg;

	if (origin != SEEK_SET || off < 0 || (uint64_t)off > c->q->body_len)
		return CURL_SEEKFUNC_FAIL;
	c->off = (uint64_t)off;
	return CURL_SEEKFUNC_OK;
}

static void count_up(struct rest_call *c, curl_off_t up) {
	if (c->q->body_len == 0 || (uint64_t)up <= c->went)
		return;
	c->went = (uint64_t)up;
	moved(c, c->went);
}

/* Every second at least: is there no progress any more? */
static int on_time(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up) {
	struct rest_call *c = arg;

	(void)down_total, (void)up_total, (void)down;
	count_up(c, up);
	c->late = clock_mono_ms() >= c->end_ms;
	return c->late ? 1 : 0;
}

/* libcurl itself sends once more where a kept connection turns out to be dead: not what may not be sent twice. */
static int before_sending(void *arg, char *ip, char *local_ip, int port, int local_port) {
	struct rest_call *c = arg;

	(void)ip, (void)local_ip, (void)port, (void)local_port;
	return c->sent++ > 0 && !c->may_repeat ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

bool rest_flow_set(struct rest_call *c) {
	CURL *h = c->curl;

	return EASY_SET(h, CURLOPT_HEADERFUNCTION, on_header) && EASY_SET(h, CURLOPT_HEADERDATA, c) &&
	    EASY_SET(h, CURLOPT_WRITEFUNCTION, on_body) && EASY_SET(h, CURLOPT_WRITEDATA, c) &&
	    EASY_SET(h, CURLOPT_READFUNCTION, on_read) && EASY_SET(h, CURLOPT_READDATA, c) &&
	    EASY_SET(h, CURLOPT_SEEKFUNCTION, on_seek) && EASY_SET(h, CURLOPT_SEEKDATA, c) &&
	    EASY_SET(h, CURLOPT_XFERINFOFUNCTION, on_time) && EASY_SET(h, CURLOPT_XFERINFODATA, c) && EASY_SET(h, CURLOPT_NOPROGRESS, 0L) &&
	    EASY_SET(h, CURLOPT_PREREQFUNCTION, before_sending) && EASY_SET(h, CURLOPT_PREREQDATA, c) &&
	    EASY_SET(h, CURLOPT_ERRORBUFFER, c->curl_text);
}

void rest_flow_end(struct rest_call *c) {
	curl_off_t up = 0;

	if (c->q->body_len == 0 || curl_easy_getinfo(c->curl, CURLINFO_SIZE_UPLOAD_T, &up) != CURLE_OK)
		return;
	count_up(c, up);
	/* It counts anew when libcurl begins anew, which is not let happen (before_sending): then what it had taken counts, as if it had gone. */
	c->p->sent = c->sent > 1 && !c->may_repeat ? c->handed : (uint64_t)up;
}
