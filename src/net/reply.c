/* SPDX-License-Identifier: Apache-2.0 */
/* From what a handler filled in to the last byte on the wire. */
#include <openssl/err.h>
#include <sys/epoll.h>
#include <time.h>

#include "net/conn.h"

#define WRITE_BURST 16 /* records in a row, then it is the others' turn */

static void reply_is_out(struct conn *c) {
	struct work *w = c->work;

	if (w->reply.close || c->loop->closing) {
		conn_linger(c);
		return;
	}
	conn_work_reset(w);
	c->slim = false;
	phase_enter(c, PHASE_IDLE);
	conn_arm(c, EPOLLIN);
	if (w->in.len > 0) {
		conn_again(c);
		return;
	}
	conn_work_drop(c);
	if (SSL_has_pending(c->ssl))
		conn_again(c);
}

/* What is to be written next; the same until it was written. */
static size_t next_piece(const struct work *w, const uint8_t **data) {
	size_t len, left;
	const uint8_t *body = http_reply_body(&w->reply, &len);

	if (w->out_at < w->out.len) {
		*data = w->out.data + w->out_at;
		return w->out.len - w->out_at;
	}
	left = w->request.method == HTTP_HEAD ? 0 : len - w->body_at;
	*data = left > 0 ? body + w->body_at : NULL;
	return left < SCRATCH ? left : SCRATCH;
}

void conn_write(struct conn *c) {
	struct work *w = c->work;
	const uint8_t *data;
	size_t len, done;
	int rc;

	for (int i = 0; i < WRITE_BURST; i++) {
		if ((len = next_piece(w, &data)) == 0) {
			reply_is_out(c);
			return;
		}
		ERR_clear_error();
		if ((rc = SSL_write_ex(c->ssl, data, len, &done)) != 1) {
			if (!conn_waits(c, rc))
				conn_close(c);
			return;
		}
		if (w->out_at < w->out.len)
			w->out_at += done;
		else
			w->body_at += done;
	}
	conn_arm(c, EPOLLOUT);
}

const unsigned server_bucket_us[SERVER_BUCKETS - 1] = { 250, 1000, 5000, 10000, 25000, 50000, 100000, 1000000 };

int64_t conn_clock_us(void) {
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void count(struct server_stats *stats, const struct work *w) {
	unsigned i = 0;
	int64_t us;

	if (w->reply.status > 0 && w->reply.status < SERVER_STATUS_MAX)
		stat_add(&stats->replies[w->reply.status], 1);
	if (!w->handled)
		return;
	us = conn_clock_us() - w->whole_us;
	while (i < SERVER_BUCKETS - 1 && us > (int64_t)server_bucket_us[i])
		i++;
	stat_add(&stats->latency[i], 1);
	stat_add(&stats->latency_us, (uint64_t)us);
}

static void start_reply(struct conn *c) {
	struct work *w = c->work;
	size_t len, n;
	const uint8_t *body;

	count(&c->loop->stats, w);
	if (!w->request.keep_alive || c->loop->closing || http_closes(w->reply.status))
		w->reply.close = true;
	http_reply_head(&w->reply, &w->out);
	body = http_reply_body(&w->reply, &len);
	/* The beginning of the body goes into the same record, and so most replies into one write. */
	n = SCRATCH - w->out.len < len ? SCRATCH - w->out.len : len;
	if (n > 0 && w->request.method != HTTP_HEAD) {
		buf_add(&w->out, body, n);
		w->body_at = n;
	}
	phase_enter(c, len > LONG_BYTES ? PHASE_WRITE_LONG : PHASE_WRITE);
	conn_write(c);
}

static void judge(struct conn *c, bool failed) {
	const struct server_ops *ops = &c->s->ops;
	struct work *w = c->work;

	if (w->refused != NULL && ops->refused != NULL)
		ops->refused(ops->arg, &c->peer, w->reply.status, w->refused);
	w->refused = NULL;
	if (w->handled && failed)
		http_problem(&w->reply, 503, "not-stored", "the gateway could not store the outcome; nothing was done");
	if (w->handled && ops->still_good != NULL && !ops->still_good(ops->arg, &c->peer, &w->request, &w->reply))
		w->reply.close = true;
}

void reply_judge(struct loop *l) {
	const struct server_ops *ops = &l->s->ops;
	bool failed = l->owes_commit && ops->commit != NULL && ops->commit(ops->arg) != 0;

	l->owes_commit = false;
	for (int i = 0; i < 2; i++)
		for (struct conn *c = l->phases[PHASE_HELD][i].first; c != NULL; c = c->next)
			judge(c, failed);
}

void reply_send(struct loop *l) {
	struct conn *c;

	for (int i = 0; i < 2; i++)
		while ((c = l->phases[PHASE_HELD][i].first) != NULL)
			start_reply(c);
}
