/* SPDX-License-Identifier: Apache-2.0 */
#include "net/conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/spool.h"
#include "net/resume.h"
#include "net/tls.h"

#define IDLE_READS_MAX 64           /* a record of 16 KiB comes in 12 segments; who needs more sends key updates */
#define LINGER_MAX (1u << 20)       /* bytes of a refused body that are read away so that the refusal arrives */
#define SPARE_MAX 64                /* of all loops together, but each may have a few */
#define SPARE_FEW 4
#define SPARE_BUF_MAX ((size_t)2 * SCRATCH)

static void drop(struct buf *b, size_t n) {
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

static struct work *work_of(struct conn *c) {
	struct loop *l = c->loop;

	if (c->work != NULL)
		return c->work;
	if ((c->work = l->spare) != NULL) {
		l->spare = c->work->next;
		l->n_spare--;
	} else {
		c->work = xcalloc(1, sizeof *c->work);
	}
	return c->work;
}

void conn_work_reset(struct work *w) {
	http_request_wipe(&w->request);
	http_reply_wipe(&w->reply);
	buf_clear(&w->out);
	w->scan = (struct http_scan){0};
	w->handled = w->body_due = false;
	w->refused = NULL;
	w->out_at = w->body_at = 0;
	w->body_got = 0;
}

static bool has_spare(const struct loop *l) {
	size_t share = SPARE_MAX / l->s->n_loops;

	return l->n_spare >= (share > SPARE_FEW ? share : SPARE_FEW);
}

void conn_work_drop(struct conn *c) {
	struct work *w = c->work;

	c->work = NULL;
	if (w == NULL)
		return;
	conn_work_reset(w);
	buf_clear(&w->in);
	if (has_spare(c->loop) || w->in.cap > SPARE_BUF_MAX || w->out.cap > SPARE_BUF_MAX) {
		buf_wipe(&w->in);
		buf_wipe(&w->out);
		free(w);
		return;
	}
	w->next = c->loop->spare;
	c->loop->spare = w;
	c->loop->n_spare++;
}

void conn_arm(struct conn *c, uint32_t events) {
	struct epoll_event ev = { .events = events, .data.ptr = &c->source };

	if (c->events == events)
		return;
	c->events = events;
	if (epoll_ctl(c->loop->epoll, EPOLL_CTL_MOD, c->fd, &ev) != 0)
		(void)shutdown(c->fd, SHUT_RDWR); /* the kernel has no memory: its limit will end it */
}

void conn_again(struct conn *c) {
	if (c->waits_again)
		return;
	c->waits_again = true;
	c->again = c->loop->again;
	c->loop->again = c;
}

/* The peer's certificate belongs to the SSL, so the handler forgets first. */
static void end_tls(struct conn *c) {
	if (c->known && c->s->ops.forget != NULL)
		c->s->ops.forget(c->s->ops.arg, &c->peer);
	c->known = false;
	c->peer.cert = NULL;
	c->peer.data = NULL;
	if (c->ssl != NULL) /* else OpenSSL forgets the session */
		SSL_set_shutdown(c->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(c->ssl);
	c->ssl = NULL;
}

void conn_close(struct conn *c) {
	if (c->phase == PHASE_DEAD)
		return;
	conn_work_drop(c);
	end_tls(c);
	(void)close(c->fd);
	door_let_out(c);
	c->loop->paused_until_ms = 0;
	phase_enter(c, PHASE_DEAD);
	stat_add(&c->loop->stats.connections, (uint64_t)-1);
	atomic_fetch_sub(&c->loop->load, c->weight);
}

void conn_linger(struct conn *c) {
	conn_work_drop(c);
	if (c->ssl != NULL && SSL_is_init_finished(c->ssl)) {
		ERR_clear_error();
		(void)SSL_shutdown(c->ssl);
	}
	end_tls(c);
	if (shutdown(c->fd, SHUT_WR) != 0) {
		conn_close(c);
		return;
	}
	phase_enter(c, PHASE_LINGER);
	conn_arm(c, EPOLLIN);
}

static void drain(struct conn *c) {
	ssize_t n = recv(c->fd, c->loop->scratch, SCRATCH, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->drained += (size_t)n;
	if (n <= 0 || c->drained > LINGER_MAX)
		conn_close(c);
}

bool conn_waits(struct conn *c, int rc) {
	switch (SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		conn_arm(c, EPOLLIN);
		return true;
	case SSL_ERROR_WANT_WRITE:
		conn_arm(c, EPOLLOUT);
		return true;
	default:
		return false;
	}
}

static void hold(struct conn *c) {
	phase_enter(c, PHASE_HELD);
}

static void refuse(struct conn *c, int status, const char *why) {
	http_refuse(&work_of(c)->reply, status, why);
	c->work->refused = why;
	stat_add(&c->loop->stats.bad_requests, 1);
	hold(c);
}

/* A handler may close connections, its own too: then the answer of conn_dismiss stands, and not one mixed with the handler's. */
void conn_go_on(struct conn *c) {
	struct http_reply reply = {0};
	struct work *w = c->work;

	c->loop->owes_commit = true;
	c->s->ops.handle(c->s->ops.arg, &c->peer, &w->request, &reply);
	if (c->phase != PHASE_HELD && reply.later) {
		http_reply_wipe(&reply);
		/* Its limit goes on where it is parked already. */
		if (c->phase != PHASE_PARKED)
			phase_enter(c, PHASE_PARKED);
		conn_arm(c, 0);
		return;
	}
	if (w->request.spooled)
		spool_close(&w->request.spool); /* who reads its reply slowly keeps no disk */
	if (c->phase == PHASE_HELD) {
		http_reply_wipe(&reply);
		return;
	}
	w->reply = reply;
	w->handled = true;
	hold(c);
}

/* Its handler is called in the loop's turn. */
static void whole(struct conn *c) {
	stat_add(&c->loop->stats.requests, 1);
	c->work->whole_us = conn_clock_us();
	phase_enter(c, PHASE_READY);
}

static void send_continue(struct conn *c) {
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	ERR_clear_error();
	/* Nothing was written since the last whole reply: if this does not fit, nobody is reading. */
	if (SSL_write(c->ssl, text, (int)sizeof text - 1) != (int)sizeof text - 1)
		conn_close(c);
}

/* False: the request is refused already. */
static bool open_spool(struct conn *c) {
	struct http_request *r = &c->work->request;
	struct err e = ERR_INIT;

	if (c->s->spool_dir == NULL || r->content_length <= LONG_BYTES)
		return true;
	if (atomic_load(&c->s->long_bodies) >= SPOOLS_MAX) {
		refuse(c, 503, "too many long bodies are under way");
		c->work->reply.retry_after_s = 1;
		return false;
	}
	r->spooled = spool_open(c->s->spool_dir, r->content_length, &r->spool, &e) == 0;
	if (!r->spooled)
		refuse(c, 507, "RFC 4918 11.5: no room for the body");
	return r->spooled;
}

/* Bytes of the body came; the last one ends it. */
static void add_body(struct conn *c, const uint8_t *data, size_t n) {
	struct http_request *r = &c->work->request;
	struct err e = ERR_INIT;

	if (!r->spooled) {
		buf_add(&r->body, data, n);
	} else if (file_write_all(r->spool, data, n, "spool", &e) != 0) {
		refuse(c, 507, "RFC 4918 11.5: no room for the body");
		return;
	}
	c->work->body_got += n;
	if (c->work->body_got == r->content_length)
		whole(c);
}

static void take_body(struct conn *c) {
	struct work *w = c->work;
	const struct http_request *r = &w->request;
	size_t n = w->in.len < r->content_length ? w->in.len : (size_t)r->content_length;

	if (!open_spool(c))
		return;
	phase_enter(c, r->content_length > LONG_BYTES ? PHASE_BODY_LONG : PHASE_BODY);
	if (n == 0) {
		if (r->expect_continue)
			send_continue(c);
		return;
	}
	add_body(c, w->in.data, n);
	if (c->phase != PHASE_DEAD)
		drop(&w->in, n);
}

static void head_is_whole(struct conn *c) {
	if (!c->work->request.has_body) {
		whole(c);
		return;
	}
	c->work->body_due = true;
	phase_enter(c, PHASE_READY);
}

static void ask_for_body(struct conn *c) {
	struct server *s = c->s;
	struct work *w = c->work;
	int64_t max = 0;

	w->body_due = false;
	if (s->ops.body_max != NULL) {
		c->known = true;
		max = s->ops.body_max(s->ops.arg, &c->peer, &w->request, &w->reply);
	}
	if (max < 0) {
		w->reply.close = true;
		hold(c);
	} else if (w->request.content_length > (uint64_t)max) {
		refuse(c, 413, "RFC 9110 15.5.14: body too large");
	} else {
		take_body(c);
	}
}

static bool reads(const struct conn *c) {
	return c->phase == PHASE_HEAD || c->phase == PHASE_IDLE || c->phase == PHASE_BODY || c->phase == PHASE_BODY_LONG;
}

void conn_answer(struct conn *c) {
	if (c->work->body_due) {
		ask_for_body(c);
	} else {
		c->known = true;
		conn_go_on(c);
	}
	if (reads(c) && SSL_has_pending(c->ssl))
		conn_again(c);
}

static void take_head(struct conn *c) {
	struct work *w = c->work;
	const char *why = "";
	int n;

	if (c->phase == PHASE_IDLE)
		phase_enter(c, PHASE_HEAD);
	n = http_read_head(&w->scan, w->in.data, w->in.len, &w->request, &why);
	if (n < 0) {
		refuse(c, -n, why);
	} else if (n > 0) {
		drop(&w->in, (size_t)n);
		head_is_whole(c);
	}
}

/* At most len bytes into scratch; 0: none now, or the connection is gone. */
static size_t read_some(struct conn *c, size_t len) {
	size_t got = 0;
	int rc;

	ERR_clear_error();
	rc = SSL_read_ex(c->ssl, c->loop->scratch, len, &got);
	if (rc == 1) {
		c->idle_reads = 0;
		conn_arm(c, EPOLLIN);
		return got;
	}
	if (!conn_waits(c, rc)) {
		if (SSL_get_error(c->ssl, rc) == SSL_ERROR_ZERO_RETURN)
			(void)SSL_shutdown(c->ssl);
		conn_close(c);
	} else if (++c->idle_reads > IDLE_READS_MAX) {
		conn_close(c);
	}
	return 0;
}

static void read_head(struct conn *c) {
	struct work *w = c->work;
	size_t got;

	if (w != NULL && w->in.len > w->scan.at) { /* came behind the request before */
		take_head(c);
		return;
	}
	if ((got = read_some(c, SCRATCH)) == 0)
		return;
	buf_add(&work_of(c)->in, c->loop->scratch, got);
	take_head(c);
}

static void read_body(struct conn *c) {
	const struct http_request *r = &c->work->request;
	uint64_t left = r->content_length - c->work->body_got;
	size_t got = read_some(c, left < SCRATCH ? (size_t)left : SCRATCH);

	if (got > 0)
		add_body(c, c->loop->scratch, got);
}

static void read_request(struct conn *c) {
	if (c->phase == PHASE_HEAD || c->phase == PHASE_IDLE)
		read_head(c);
	else
		read_body(c);
	/* A record that is not whole yet keeps has_pending true: only who got bytes looks for more. */
	if (reads(c) && c->idle_reads == 0 && SSL_has_pending(c->ssl))
		conn_again(c);
}

/* A client under Nagle's rule holds its request back until the end of its handshake was acknowledged, and without tickets there is nothing
 * to send that would carry it: 40 ms, unless the kernel is told. */
static void acknowledge(const struct conn *c) {
	int on = 1;

	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static SSL *new_ssl(struct server *s) {
	SSL *ssl;

	pthread_mutex_lock(&s->ctx_lock);
	ssl = SSL_new(s->ctx);
	pthread_mutex_unlock(&s->ctx_lock);
	if (ssl == NULL || resume_attach(ssl, s->sessions))
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static void shake(struct conn *c) {
	int rc;

	if (c->ssl == NULL) {
		if ((c->ssl = new_ssl(c->s)) == NULL || SSL_set_fd(c->ssl, c->fd) != 1) {
			conn_close(c);
			return;
		}
		SSL_set_accept_state(c->ssl);
	}
	ERR_clear_error();
	rc = SSL_do_handshake(c->ssl);
	if (rc != 1) {
		if (conn_waits(c, rc))
			return;
		stat_add(&c->loop->stats.handshakes_failed, 1);
		conn_linger(c); /* the alert has to arrive too */
		return;
	}
	stat_add(&c->loop->stats.handshakes, 1);
	stat_add(&c->loop->stats.resumed, SSL_session_reused(c->ssl) == 1);
	c->peer.cert = tls_peer_cert(c->ssl);
	c->peer.verdict = tls_peer_verdict(c->ssl);
	c->peer.chain = tls_peer_chain(c->ssl);
	phase_enter(c, PHASE_HEAD);
	conn_arm(c, EPOLLIN);
	if (SSL_has_pending(c->ssl))
		read_request(c);
	else
		acknowledge(c);
}

/* Not after each reply: a busy connection would allocate them anew for each request. */
void conn_slim(struct conn *c) {
	if (!c->slim && c->ssl != NULL)
		(void)SSL_free_buffers(c->ssl);
	c->slim = true;
}

/* Of a socket that waits for nothing epoll reports errors and hang-ups all the same, without end. */
static void look_at_parked(struct conn *c) {
	struct pollfd p = { .fd = c->fd };

	if (poll(&p, 1, 0) > 0)
		conn_close(c);
}

void conn_event(struct conn *c) {
	switch (c->phase) {
	case PHASE_HANDSHAKE:
		shake(c);
		return;
	case PHASE_WRITE:
	case PHASE_WRITE_LONG:
		conn_write(c);
		return;
	case PHASE_LINGER:
		drain(c);
		return;
	case PHASE_PARKED:
		look_at_parked(c);
		return;
	default:
		if (reads(c))
			read_request(c);
	}
}

static bool has_begun(const struct conn *c) {
	return c->phase == PHASE_READY || c->phase == PHASE_BODY || c->phase == PHASE_BODY_LONG || c->phase == PHASE_PARKED ||
	       (c->phase == PHASE_HEAD && c->work != NULL);
}

void conn_late(struct conn *c) {
	stat_add(&c->loop->stats.late, c->phase != PHASE_IDLE && c->phase != PHASE_LINGER);
	if (c->phase == PHASE_PARKED)
		refuse(c, 503, "what it waits for took too long");
	else if (has_begun(c))
		refuse(c, 408, "RFC 9110 15.5.9: the request took too long");
	else if (c->phase == PHASE_IDLE || c->phase == PHASE_HEAD)
		conn_linger(c);
	else
		conn_close(c);
}

void conn_dismiss(struct conn *c, struct http_reply *reply) {
	if (has_begun(c) || c->phase == PHASE_HELD) {
		http_reply_wipe(&c->work->reply);
		c->work->reply = *reply;
		c->work->reply.close = true;
		c->work->handled = false;
		c->work->refused = NULL;
		*reply = (struct http_reply){0};
		hold(c);
	} else if (c->phase == PHASE_IDLE) {
		conn_linger(c);
	} else if (c->phase == PHASE_WRITE || c->phase == PHASE_WRITE_LONG) {
		conn_close(c);
	}
	http_reply_wipe(reply);
}

void conn_start(struct loop *l, struct conn *c) {
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &c->source };

	c->loop = l;
	c->events = EPOLLIN;
	phase_enter(c, PHASE_HANDSHAKE);
	/* Now, not at the end of the round: a loop that looks for a victim meanwhile would find a member of its own. */
	atomic_store(&l->evictable, phase_evictable(l));
	stat_add(&l->stats.accepted, 1);
	stat_add(&l->stats.connections, 1);
	if (l->closing || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		conn_close(c);
}

void conn_stop(struct loop *l) {
	static const enum phase idle[] = { PHASE_HANDSHAKE, PHASE_HEAD, PHASE_IDLE };
	struct conn *c;

	for (size_t i = 0; i < 2 * sizeof idle / sizeof *idle; i++)
		while ((c = l->phases[idle[i / 2]][i % 2].first) != NULL)
			conn_close(c);
}

void conn_bury(struct loop *l) {
	struct conn *c, *next;

	for (int i = 0; i < 2; i++) {
		for (c = l->phases[PHASE_DEAD][i].first; c != NULL; c = next) {
			next = c->next;
			if (c->waits_again)
				continue; /* the list still names it */
			if (c->prev != NULL)
				c->prev->next = next;
			else
				l->phases[PHASE_DEAD][i].first = next;
			if (next != NULL)
				next->prev = c->prev;
			else
				l->phases[PHASE_DEAD][i].last = c->prev;
			free(c);
		}
	}
}
