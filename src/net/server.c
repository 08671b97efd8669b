/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "net/conn.h"

#define EVENTS 512            /* of one round */
#define ACCEPTS 64            /* of one round */
#define SHAKE_MS 4            /* of one round, for handshakes: they cost 50 times a request, and requests shall not wait for them */
#define PAUSE_MS 100          /* without descriptors or room, unless a connection ends earlier */
#define STOP_MS 5000
#define OTHER_DESCRIPTORS 64  /* the database's, the log's, the watches' */

static void set_default(unsigned *v, unsigned def) {
	if (*v == 0)
		*v = def;
}

static void set_defaults(struct server_limits *l) {
	set_default(&l->handshake_ms, 5000);
	set_default(&l->head_ms, 5000);
	set_default(&l->body_ms, 10000);
	set_default(&l->write_ms, 10000);
	set_default(&l->park_ms, 60000);
	set_default(&l->idle_ms, 30000);
	set_default(&l->linger_ms, 2000);
	set_default(&l->connections, 2048);
	set_default(&l->per_address, 128);
	set_default(&l->tick_ms, 250);
}

static void raise_descriptors(const struct server_limits *l) {
	struct rlimit r;
	rlim_t want = (rlim_t)l->connections + OTHER_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= want)
		return;
	r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r); /* too few are handled where they run out */
}

static int add(struct server *s, int fd, struct source *source, struct err *e) {
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = source };

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) == 0 ? 0 : err_sys(e, ERR_FAIL, "epoll");
}

static int open_all(struct server *s, const char *listen, struct err *e) {
	int rc;

	s->on_listener.kind = SOURCE_LISTENER;
	s->on_wake.kind = SOURCE_WAKE;
	if ((rc = random_bytes((uint8_t *)&s->hash_key, sizeof s->hash_key, e)) != 0)
		return rc;
	if ((s->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		return err_sys(e, ERR_FAIL, "epoll");
	if ((s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
		return err_sys(e, ERR_FAIL, "eventfd");
	if ((rc = listen_open(listen, &s->listener, &s->bound, e)) != 0 || (rc = add(s, s->listener, &s->on_listener, e)) != 0)
		return rc;
	return add(s, s->wake, &s->on_wake, e);
}

int server_new(struct server **out, const char *listen, SSL_CTX *ctx, const struct server_ops *ops, const struct server_limits *lim,
    struct err *e) {
	struct server *s = xcalloc(1, sizeof *s);
	int rc;

	s->epoll = s->wake = s->listener = -1;
	s->ops = *ops;
	if (lim != NULL)
		s->lim = *lim;
	if (s->lim.spool_dir != NULL)
		s->lim.spool_dir = s->spool_dir = xstrdup(s->lim.spool_dir);
	set_defaults(&s->lim);
	raise_descriptors(&s->lim);
	(void)signal(SIGPIPE, SIG_IGN); /* a peer that hung up is an error of its connection */
	s->now_ms = clock_mono_ms();
	server_set_ctx(s, ctx);
	if ((rc = open_all(s, listen, e)) != 0) {
		server_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

static void close_all(struct server *s) {
	struct conn *c;

	for (int i = 0; i < 2 * PHASE_DEAD; i++)
		while ((c = s->phases[i / 2][i % 2].first) != NULL)
			conn_close(c);
	for (c = s->again; c != NULL; c = c->again)
		c->waits_again = false;
	s->again = NULL;
	conn_bury(s);
}

static void close_fd(int *fd) {
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void server_free(struct server *s) {
	struct work *w;
	struct watch *h;

	if (s == NULL)
		return;
	close_all(s);
	while ((w = s->spare) != NULL) {
		s->spare = w->next;
		buf_wipe(&w->in);
		buf_wipe(&w->out);
		free(w);
	}
	while ((h = s->watches) != NULL) {
		s->watches = h->next;
		free(h);
	}
	close_fd(&s->listener);
	close_fd(&s->wake);
	close_fd(&s->epoll);
	SSL_CTX_free(s->ctx);
	free(s->spool_dir);
	free(s);
}

void server_address(const struct server *s, char out[static 80]) {
	listen_print(&s->bound, true, out, 80);
}

void server_set_ctx(struct server *s, SSL_CTX *ctx) {
	(void)SSL_CTX_up_ref(ctx);
	SSL_CTX_free(s->ctx);
	s->ctx = ctx;
}

int server_watch(struct server *s, int fd, void (*f)(void *arg), void *arg, struct err *e) {
	struct watch *h = xcalloc(1, sizeof *h);
	int rc;

	*h = (struct watch){ .source = { SOURCE_WATCH }, .next = s->watches, .fd = fd, .f = f, .arg = arg };
	if ((rc = add(s, fd, &h->source, e)) != 0) {
		free(h);
		return rc;
	}
	s->watches = h;
	return 0;
}

/* Only what a signal handler may do. */
void server_stop(struct server *s) {
	uint64_t one = 1;
	int saved = errno;

	atomic_store(&s->stopping, true);
	if (write(s->wake, &one, sizeof one) < 0)
		errno = saved; /* full: it is awake anyhow */
	errno = saved;
}

void server_close_if(struct server *s, bool (*f)(void *arg, struct server_peer *p, struct http_reply *reply), void *arg) {
	struct conn *c, *next;

	for (int i = 2 * PHASE_HEAD; i < 2 * PHASE_LINGER; i++) {
		struct conn_list *l = &s->phases[i / 2][i % 2];
		/* Those that get a reply move to the end of the list of held ones, which may be this one. */
		struct conn *last = l->last;

		for (c = l->first; c != NULL; c = next) {
			struct http_reply reply = {0};

			next = c == last ? NULL : c->next;
			if (f(arg, &c->peer, &reply))
				conn_dismiss(c, &reply);
			else
				http_reply_wipe(&reply);
		}
	}
}

void server_go_on(struct server *s) {
	struct conn *c, *next;

	for (int i = 0; i < 2; i++) {
		struct conn_list *l = &s->phases[PHASE_PARKED][i];
		/* Those that have to wait on move behind it. */
		struct conn *last = l->last;

		for (c = l->first; c != NULL; c = next) {
			next = c == last ? NULL : c->next;
			conn_go_on(c);
		}
	}
}

void server_get_stats(const struct server *s, struct server_stats *out) {
	*out = s->stats;
	out->parked = 0;
	for (int i = 0; i < 2; i++)
		for (const struct conn *c = s->phases[PHASE_PARKED][i].first; c != NULL; c = c->next)
			out->parked++;
}

static void set_listening(struct server *s, bool on) {
	struct epoll_event ev = { .events = on ? EPOLLIN : 0, .data.ptr = &s->on_listener };

	s->paused = !on;
	s->paused_until_ms = s->now_ms + PAUSE_MS;
	if (s->listener >= 0)
		(void)epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->listener, &ev);
}

/* Leaves those that knock in the kernel's queue. */
static void pause_listening(struct server *s) {
	s->stats.paused++;
	set_listening(s, false);
}

static void welcome(struct server *s, int fd, const struct sockaddr_storage *from) {
	struct server_peer peer = {0};
	uint8_t key[8];

	listen_peer(from, &peer, key);
	if ((!peer.loopback || s->lim.count_loopback) && phase_count_address(s, key) >= s->lim.per_address) {
		s->stats.refused_address++;
		(void)close(fd);
		return;
	}
	conn_new(s, fd, &peer, key);
}

static bool out_of_descriptors(int error) {
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void accept_some(struct server *s) {
	for (int i = 0; i < ACCEPTS && s->listener >= 0; i++) {
		struct sockaddr_storage from = {0};
		socklen_t len = sizeof from;
		int fd;

		if (s->stats.connections >= s->lim.connections && !phase_evict(s)) {
			pause_listening(s);
			return;
		}
		fd = accept4(s->listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			welcome(s, fd, &from);
		} else if (out_of_descriptors(errno)) {
			if (!phase_evict(s)) {
				pause_listening(s);
				return;
			}
		} else if (errno != ECONNABORTED && errno != EINTR && errno != EPROTO) {
			return;
		}
	}
}

static void wake_up(struct server *s) {
	uint64_t n;

	if (read(s->wake, &n, sizeof n) < 0)
		return;
}

/* What is ready and quick: watches, requests, replies. Says whether somebody knocks. */
static bool serve_ready(struct server *s, const struct epoll_event *ev, int n) {
	bool knocks = false;

	for (int i = 0; i < n; i++) {
		struct source *source = ev[i].data.ptr;
		struct watch *h = (struct watch *)source;
		struct conn *c = (struct conn *)source;

		if (source->kind == SOURCE_LISTENER)
			knocks = true;
		else if (source->kind == SOURCE_WAKE)
			wake_up(s);
		else if (source->kind == SOURCE_WATCH)
			h->f(h->arg);
		else if (c->phase != PHASE_HANDSHAKE)
			conn_event(c);
	}
	return knocks;
}

static void serve_again(struct server *s) {
	struct conn *c = s->again, *next;

	s->again = NULL;
	for (; c != NULL; c = next) {
		next = c->again;
		c->waits_again = false;
		if (c->phase != PHASE_LINGER)
			conn_event(c);
	}
}

/* Those for whom there is no time are ready in the next round too, before newer ones. */
static void serve_handshakes(const struct epoll_event *ev, int n) {
	int64_t end = clock_mono_ms() + SHAKE_MS;

	for (int i = 0; i < n; i++) {
		struct source *source = ev[i].data.ptr;

		if (source->kind != SOURCE_CONN || ((struct conn *)source)->phase != PHASE_HANDSHAKE)
			continue;
		conn_event((struct conn *)source);
		if (clock_mono_ms() >= end)
			return;
	}
}

static void tick(struct server *s) {
	if (s->ops.tick == NULL || s->now_ms < s->tick_at_ms)
		return;
	s->tick_at_ms = s->now_ms + s->lim.tick_ms;
	s->ops.tick(s->ops.arg);
}

static int wait_ms(const struct server *s) {
	int ms = phase_wait_ms(s);
	int64_t ends[] = {
		s->ops.tick != NULL ? s->tick_at_ms : -1,
		s->paused ? s->paused_until_ms : -1,
		s->closing ? s->stop_at_ms : -1,
		s->slim_at_ms > 0 ? s->slim_at_ms : -1,
	};

	if (s->again != NULL || (atomic_load(&s->stopping) && !s->closing))
		return 0;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		int64_t left = ends[i] - s->now_ms;

		if (ends[i] >= 0 && (ms < 0 || left < ms))
			ms = left > 0 ? (int)left : 0;
	}
	return ms;
}

static void begin_stop(struct server *s) {
	s->closing = true;
	s->stop_at_ms = s->now_ms + STOP_MS;
	close_fd(&s->listener);
	conn_stop(s);
}

/* Who lingers has its reply already. */
static bool is_over(const struct server *s) {
	if (!s->closing)
		return false;
	for (int i = 0; i < 2 * PHASE_LINGER; i++)
		if (s->phases[i / 2][i % 2].first != NULL)
			return s->now_ms >= s->stop_at_ms;
	return true;
}

static void serve_round(struct server *s, const struct epoll_event *ev, int n) {
	bool knocks = serve_ready(s, ev, n);

	serve_again(s);
	tick(s);
	conn_flush(s);
	serve_handshakes(ev, n);
	if (knocks)
		accept_some(s);
	s->now_ms = clock_mono_ms();
	phase_expire(s);
	phase_slim(s);
	if (atomic_load(&s->stopping) && !s->closing)
		begin_stop(s);
	conn_flush(s);
	if (s->paused && s->now_ms >= s->paused_until_ms)
		set_listening(s, true);
	conn_bury(s);
}

int server_run(struct server *s, struct err *e) {
	struct epoll_event ev[EVENTS];

	s->now_ms = clock_mono_ms();
	while (!is_over(s)) {
		int n = epoll_wait(s->epoll, ev, EVENTS, wait_ms(s));

		if (n < 0 && errno != EINTR)
			return err_sys(e, ERR_FAIL, "epoll_wait");
		s->now_ms = clock_mono_ms();
		serve_round(s, ev, n < 0 ? 0 : n);
	}
	close_all(s);
	return 0;
}
