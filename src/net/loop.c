/* SPDX-License-Identifier: Apache-2.0 */
/* One loop: reads what came, takes its turn with the handlers, writes replies, shakes hands. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/conn.h"

#define EVENTS 512            /* of one round */
#define SHAKE_MS 4            /* of one round, for handshakes: they cost 50 times a request, and requests shall not wait for them */

/* What epoll_wait brought. */
struct round {
	struct epoll_event ev[EVENTS];
	int n;
	bool knocks; /* somebody */
	bool due;    /* the loop's turn: watches, news from other loops, replies to go on with */
};

int loop_open(struct loop *l, struct server *s, struct err *e) {
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &l->on_wake };

	l->s = s;
	l->now_ms = clock_mono_ms();
	l->on_listener.kind = SOURCE_LISTENER;
	l->on_wake.kind = SOURCE_WAKE;
	atomic_store(&l->evictable, PHASE_NOBODY);
	if ((l->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		return err_sys(e, ERR_FAIL, "epoll");
	if ((l->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
		return err_sys(e, ERR_FAIL, "eventfd");
	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &ev) == 0 ? 0 : err_sys(e, ERR_FAIL, "epoll");
}

static void close_all(struct loop *l) {
	struct conn *c;

	door_take_newcomers(l);
	for (int i = 0; i < 2 * PHASE_DEAD; i++)
		while ((c = l->phases[i / 2][i % 2].first) != NULL)
			conn_close(c);
	for (c = l->again; c != NULL; c = c->again)
		c->waits_again = false;
	l->again = NULL;
	conn_bury(l);
}

void loop_close(struct loop *l) {
	struct notice *n;
	struct work *w;

	close_all(l);
	while ((w = l->spare) != NULL) {
		l->spare = w->next;
		buf_wipe(&w->in);
		buf_wipe(&w->out);
		free(w);
	}
	while ((n = l->notices) != NULL) {
		l->notices = n->next;
		free(n);
	}
	if (l->wake >= 0)
		(void)close(l->wake);
	if (l->epoll >= 0)
		(void)close(l->epoll);
	l->wake = l->epoll = -1;
}

/* Only what a signal handler may do. */
void loop_wake(struct loop *l) {
	uint64_t one = 1;
	int saved = errno;

	if (write(l->wake, &one, sizeof one) < 0)
		errno = saved; /* full: it is awake anyhow */
	errno = saved;
}

static void woken(struct loop *l, struct round *r) {
	uint64_t n;

	if (read(l->wake, &n, sizeof n) < 0)
		return;
	r->due = true;
	r->knocks |= atomic_exchange(&l->nudged, false);
	door_take_newcomers(l);
}

/* Reads, and sees what else there is to do. */
static void look(struct loop *l, struct round *r) {
	for (int i = 0; i < r->n; i++) {
		struct source *source = r->ev[i].data.ptr;
		struct conn *c = (struct conn *)source;

		if (source->kind == SOURCE_LISTENER)
			r->knocks = true;
		else if (source->kind == SOURCE_WAKE)
			woken(l, r);
		else if (source->kind == SOURCE_WATCH || c->phase == PHASE_WRITE || c->phase == PHASE_WRITE_LONG)
			r->due = true;
		else if (c->phase != PHASE_HANDSHAKE)
			conn_event(c);
	}
}

static void look_again(struct loop *l) {
	struct conn *c = l->again, *next;

	l->again = NULL;
	for (; c != NULL; c = next) {
		next = c->again;
		c->waits_again = false;
		if (c->phase != PHASE_LINGER && c->phase != PHASE_WRITE && c->phase != PHASE_WRITE_LONG)
			conn_event(c);
	}
}

void loop_close_if(struct loop *l, bool (*f)(void *arg, struct server_peer *p, struct http_reply *reply), void *arg) {
	struct conn *c, *next;

	for (int i = 2 * PHASE_HEAD; i < 2 * PHASE_LINGER; i++) {
		struct conn_list *list = &l->phases[i / 2][i % 2];
		/* Those that get a reply move to the end of the list of held ones, which may be this one. */
		struct conn *last = list->last;

		for (c = list->first; c != NULL; c = next) {
			struct http_reply reply = {0};
			bool gone;

			next = c == last ? NULL : c->next;
			gone = f(arg, &c->peer, &reply);
			/* Who never asked for anything may be known from now on. */
			c->known = c->known || c->peer.data != NULL;
			if (gone)
				conn_dismiss(c, &reply);
			else
				http_reply_wipe(&reply);
		}
	}
}

void loop_go_on(struct loop *l) {
	struct conn *c, *next;

	for (int i = 0; i < 2; i++) {
		struct conn_list *list = &l->phases[PHASE_PARKED][i];
		/* Those that have to wait on move behind it. */
		struct conn *last = list->last;

		for (c = list->first; c != NULL; c = next) {
			next = c == last ? NULL : c->next;
			conn_go_on(c);
		}
	}
}

static void take_news(struct loop *l) {
	struct notice *n;

	while ((n = l->notices) != NULL) {
		l->notices = n->next;
		loop_close_if(l, n->f, n->arg);
		free(n);
	}
	if (l->go_on) {
		l->go_on = false;
		loop_go_on(l);
	}
}

static bool ticks(const struct loop *l) {
	return l->s->ops.tick != NULL && l == &l->s->loops[0];
}

static void tick(struct loop *l) {
	if (!ticks(l) || l->now_ms < l->tick_at_ms)
		return;
	l->tick_at_ms = l->now_ms + l->s->lim.tick_ms;
	l->s->ops.tick(l->s->ops.arg);
}

static void call_watches(const struct round *r) {
	for (int i = 0; i < r->n; i++) {
		struct source *source = r->ev[i].data.ptr;
		struct watch *h = (struct watch *)source;

		if (source->kind == SOURCE_WATCH)
			h->f(h->arg);
	}
}

static void answer(struct loop *l) {
	struct conn *c;

	for (int i = 0; i < 2; i++)
		while ((c = l->phases[PHASE_READY][i].first) != NULL)
			conn_answer(c);
}

static void write_on(const struct round *r) {
	for (int i = 0; i < r->n; i++) {
		struct source *source = r->ev[i].data.ptr;
		struct conn *c = (struct conn *)source;

		if (source->kind == SOURCE_CONN && (c->phase == PHASE_WRITE || c->phase == PHASE_WRITE_LONG))
			conn_event(c);
	}
}

static bool has(const struct loop *l, enum phase phase) {
	return l->phases[phase][0].first != NULL || l->phases[phase][1].first != NULL;
}

/* All that the application sees of this round, then all that its peers see of it. */
static void take_turn(struct loop *l, const struct round *r) {
	struct server *s = l->s;

	pthread_mutex_lock(&s->lock);
	s->turn = l;
	take_news(l);
	call_watches(r);
	tick(l);
	answer(l);
	reply_judge(l);
	s->turn = NULL;
	pthread_mutex_lock(&l->writing);
	pthread_mutex_unlock(&s->lock);
	write_on(r);
	reply_send(l);
	pthread_mutex_unlock(&l->writing);
}

/* Those for whom there is no time are ready in the next round too, before newer ones. */
static void shake_hands(const struct round *r) {
	int64_t end = clock_mono_ms() + SHAKE_MS;

	for (int i = 0; i < r->n; i++) {
		struct source *source = r->ev[i].data.ptr;

		if (source->kind != SOURCE_CONN || ((struct conn *)source)->phase != PHASE_HANDSHAKE)
			continue;
		conn_event((struct conn *)source);
		if (clock_mono_ms() >= end)
			return;
	}
}

static int wait_ms(const struct loop *l) {
	int ms = phase_wait_ms(l);
	int64_t ends[] = {
		ticks(l) ? l->tick_at_ms : -1,
		l->paused ? l->paused_until_ms : -1,
		l->closing ? l->stop_at_ms : -1,
		l->slim_at_ms > 0 ? l->slim_at_ms : -1,
	};

	if (l->again != NULL || (atomic_load(&l->s->stopping) && !l->closing))
		return 0;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		int64_t left = ends[i] - l->now_ms;

		if (ends[i] >= 0 && (ms < 0 || left < ms))
			ms = left > 0 ? (int)left : 0;
	}
	return ms;
}

static void begin_stop(struct loop *l) {
	l->closing = true;
	l->stop_at_ms = l->now_ms + l->s->lim.stop_ms;
	door_leave(l);
	conn_stop(l);
}

/* Who lingers has its reply already. The first loop has the watches, for which other loops' parked requests may wait. */
static bool is_over(const struct loop *l) {
	if (!l->closing)
		return false;
	if (l->now_ms >= l->stop_at_ms)
		return true;
	for (int i = 0; i < 2 * PHASE_LINGER; i++)
		if (l->phases[i / 2][i % 2].first != NULL)
			return false;
	return l != &l->s->loops[0] || atomic_load(&l->s->running) <= 1;
}

static void go_round(struct loop *l, struct round *r) {
	look(l, r);
	look_again(l);
	if (r->due || has(l, PHASE_READY) || has(l, PHASE_HELD) || (ticks(l) && l->now_ms >= l->tick_at_ms))
		take_turn(l, r);
	shake_hands(r);
	if (r->knocks)
		door_accept(l);
	l->now_ms = clock_mono_ms();
	phase_expire(l);
	phase_slim(l);
	if (atomic_load(&l->s->stopping) && !l->closing)
		begin_stop(l);
	r->n = 0;
	if (has(l, PHASE_READY) || has(l, PHASE_HELD))
		take_turn(l, r);
	if (l->paused && l->now_ms >= l->paused_until_ms)
		door_listen(l, true);
	atomic_store(&l->evictable, phase_evictable(l));
	conn_bury(l);
}

static int run(struct loop *l, struct err *e) {
	struct round r;

	l->now_ms = clock_mono_ms();
	while (!is_over(l)) {
		r.n = epoll_wait(l->epoll, r.ev, EVENTS, wait_ms(l));
		if (r.n < 0 && errno != EINTR)
			return err_sys(e, ERR_FAIL, "epoll_wait");
		if (r.n < 0)
			r.n = 0;
		r.knocks = r.due = false;
		l->now_ms = clock_mono_ms();
		go_round(l, &r);
	}
	return 0;
}

int loop_run(struct loop *l, struct err *e) {
	int rc = run(l, e);

	l->closing = true;
	door_leave(l);
	close_all(l);
	atomic_fetch_sub(&l->s->running, 1);
	loop_wake(&l->s->loops[0]);
	return rc;
}
