/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes in, and to which loop: all loops listen on one socket, and whichever wakes accepts for those that have less to do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/conn.h"

#define ACCEPTS 64            /* of one round */
#define EQUAL_MS 20           /* of age: to have another loop evict takes a round of that loop */
#define PAUSE_MS 100          /* without descriptors or room, unless a connection ends earlier */

void door_listen(struct loop *l, bool on) {
	/* One loop wakes for one that knocks: the others would find nobody. */
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = &l->on_listener };

	l->paused = !on;
	l->paused_until_ms = l->now_ms + PAUSE_MS;
	if (l->listens && epoll_ctl(l->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, l->s->listener, &ev) != 0)
		l->paused = true; /* the kernel has no memory: tried again */
}

void door_leave(struct loop *l) {
	struct server *s = l->s;

	if (!l->listens)
		return;
	if (!l->paused)
		door_listen(l, false);
	l->paused = l->listens = false;
	if (atomic_fetch_sub(&s->listening, 1) > 1)
		return;
	(void)close(s->listener);
	s->listener = -1;
}

/* Leaves those that knock in the kernel's queue. */
static void pause_listening(struct loop *l) {
	stat_add(&l->stats.paused, 1);
	if (!l->paused)
		door_listen(l, false);
}

/* --- places --- */

static bool take_place(struct server *s) {
	if (atomic_fetch_add(&s->places, 1) < s->lim.connections)
		return true;
	atomic_fetch_sub(&s->places, 1);
	return false;
}

static void give_place(struct server *s) {
	atomic_fetch_sub(&s->places, 1);
}

/* Where somebody is missed less. */
static struct loop *find_victims(struct loop *l) {
	uint64_t least = phase_evictable(l);
	struct loop *best = l;

	for (unsigned i = 0; i < l->s->n_loops; i++) {
		struct loop *other = &l->s->loops[i];
		uint64_t theirs = atomic_load(&other->evictable);

		if (other != l && theirs < PHASE_NOBODY - EQUAL_MS && theirs + EQUAL_MS < least) {
			least = theirs;
			best = other;
		}
	}
	return best;
}

/* Of this loop's connections, unless one of another loop is missed less: then that loop shall accept who knocks. */
static bool evict(struct loop *l) {
	struct loop *victims = find_victims(l);

	if (victims == l)
		return phase_evict(l);
	atomic_store(&victims->nudged, true);
	loop_wake(victims);
	return false;
}

static bool make_room(struct loop *l) {
	while (!take_place(l->s))
		if (!evict(l))
			return false;
	return true;
}

/* --- addresses --- */

/* The key is random: a client cannot choose addresses that all stand in one bucket. */
static struct conn **bucket(struct server *s, const uint8_t key[static 8]) {
	uint64_t h;

	memcpy(&h, key, sizeof h);
	h = (h ^ s->hash_key) * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 32) ^ s->hash_key) * 0x9e3779b97f4a7c15u;
	return &s->addresses[h >> 54];
}

static bool has_share(struct conn **b, const struct conn *c) {
	const struct server_limits *lim = &c->s->lim;
	unsigned n = 0;

	if (c->peer.loopback && !lim->count_loopback)
		return true;
	for (const struct conn *o = *b; o != NULL; o = o->address_next)
		n += memcmp(o->key, c->key, sizeof c->key) == 0;
	return n < lim->per_address;
}

static bool let_in(struct conn *c) {
	struct server *s = c->s;
	struct conn **b = bucket(s, c->key);
	bool in;

	pthread_mutex_lock(&s->door);
	if ((in = has_share(b, c))) {
		c->address_next = *b;
		c->address_prev = b;
		if (*b != NULL)
			(*b)->address_prev = &c->address_next;
		*b = c;
	}
	pthread_mutex_unlock(&s->door);
	return in;
}

void door_let_out(struct conn *c) {
	pthread_mutex_lock(&c->s->door);
	*c->address_prev = c->address_next;
	if (c->address_next != NULL)
		c->address_next->address_prev = c->address_prev;
	pthread_mutex_unlock(&c->s->door);
	give_place(c->s);
}

/* --- whose it is --- */

static struct loop *least_busy(struct loop *l) {
	struct loop *best = l;
	unsigned least = atomic_load(&l->load);

	for (unsigned i = 0; i < l->s->n_loops; i++) {
		unsigned theirs = atomic_load(&l->s->loops[i].load);

		if (theirs < least) {
			least = theirs;
			best = &l->s->loops[i];
		}
	}
	return best;
}

static void send_to(struct loop *to, struct conn *c) {
	pthread_mutex_lock(&to->mail);
	c->next = to->newcomers;
	to->newcomers = c;
	pthread_mutex_unlock(&to->mail);
	loop_wake(to);
}

void door_take_newcomers(struct loop *l) {
	struct conn *c, *next;

	pthread_mutex_lock(&l->mail);
	c = l->newcomers;
	l->newcomers = NULL;
	pthread_mutex_unlock(&l->mail);
	for (; c != NULL; c = next) {
		next = c->next;
		c->next = NULL;
		conn_start(l, c);
	}
}

static void welcome(struct loop *l, int fd, const struct sockaddr_storage *from) {
	struct conn *c = xcalloc(1, sizeof *c);
	struct loop *to;

	*c = (struct conn){ .source = { SOURCE_CONN }, .s = l->s, .fd = fd, .weight = WEIGHT_SHAKING };
	listen_peer(from, &c->peer, c->key);
	if (!let_in(c)) {
		stat_add(&l->stats.refused_address, 1);
		(void)close(fd);
		free(c);
		give_place(l->s);
		return;
	}
	to = least_busy(l);
	atomic_fetch_add(&to->load, c->weight);
	if (to == l)
		conn_start(l, c);
	else
		send_to(to, c);
}

static bool out_of_descriptors(int error) {
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* False: that is all for now. The place was taken. */
static bool accept_one(struct loop *l) {
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof from;
	int fd = accept4(l->s->listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC), error = errno;

	if (fd >= 0) {
		welcome(l, fd, &from);
		return true;
	}
	give_place(l->s);
	if (out_of_descriptors(error)) {
		if (evict(l))
			return true;
		pause_listening(l);
		return false;
	}
	return error == ECONNABORTED || error == EINTR || error == EPROTO;
}

void door_accept(struct loop *l) {
	for (int i = 0; i < ACCEPTS && l->listens; i++) {
		if (!make_room(l)) {
			pause_listening(l);
			return;
		}
		if (!accept_one(l))
			return;
	}
}
