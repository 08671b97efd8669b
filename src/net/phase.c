/* SPDX-License-Identifier: Apache-2.0 */
#include "net/conn.h"

static void leave(struct conn *c) {
	struct conn_list *l = &c->loop->phases[c->phase][c->good];

	if (c->prev != NULL)
		c->prev->next = c->next;
	else if (l->first == c)
		l->first = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	else if (l->last == c)
		l->last = c->prev;
	c->prev = c->next = NULL;
}

static unsigned limit_ms(const struct server_limits *lim, enum phase phase) {
	switch (phase) {
	case PHASE_HANDSHAKE:
		return lim->handshake_ms;
	case PHASE_HEAD:
		return lim->head_ms;
	case PHASE_IDLE:
		return lim->idle_ms;
	case PHASE_BODY:
		return lim->body_ms;
	case PHASE_BODY_LONG:
		return 12 * lim->body_ms;
	case PHASE_PARKED:
		return lim->park_ms;
	case PHASE_WRITE:
		return lim->write_ms;
	case PHASE_WRITE_LONG:
		return 12 * lim->write_ms;
	case PHASE_LINGER:
		return lim->linger_ms;
	default:
		return 0;
	}
}

/* Of those that are counted. */
static void count_phase(struct conn *c, enum phase phase, int by) {
	if (phase == PHASE_PARKED)
		stat_add(&c->loop->stats.parked, (uint64_t)by);
	else if (phase == PHASE_BODY_LONG)
		atomic_fetch_add(&c->s->long_bodies, (unsigned)by);
}

/* A handshake is behind: the loop has that much less to do. */
static void lighten(struct conn *c, uint16_t weight) {
	atomic_fetch_sub(&c->loop->load, c->weight - weight);
	c->weight = weight;
}

#define SLIM_MS 1000 /* a client that has more to ask does so before */

void phase_enter(struct conn *c, enum phase phase) {
	struct conn_list *l;

	leave(c);
	count_phase(c, c->phase, -1);
	count_phase(c, phase, 1);
	if (phase != PHASE_HANDSHAKE && c->weight > 1)
		lighten(c, 1);
	c->phase = phase;
	/* The standing is read where lists change, so it is set once the handshake is behind. */
	c->good = phase != PHASE_HANDSHAKE && c->peer.verdict == VERDICT_GOOD;
	c->end_ms = c->loop->now_ms + limit_ms(&c->s->lim, phase);
	l = &c->loop->phases[phase][c->good];
	if (phase == PHASE_IDLE && c->loop->slim_at_ms == 0)
		c->loop->slim_at_ms = c->loop->now_ms + SLIM_MS;
	c->prev = l->last;
	if (l->last != NULL)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

static bool is_timed(enum phase phase) {
	return phase != PHASE_READY && phase != PHASE_HELD && phase != PHASE_DEAD;
}

int phase_wait_ms(const struct loop *l) {
	int64_t first = -1;

	for (int i = 0; i < 2 * PHASES; i++) {
		const struct conn *c = l->phases[i / 2][i % 2].first;

		if (c != NULL && is_timed(c->phase) && (first < 0 || c->end_ms < first))
			first = c->end_ms;
	}
	if (first < 0)
		return -1;
	return first <= l->now_ms ? 0 : (int)(first - l->now_ms);
}

void phase_expire(struct loop *l) {
	struct conn *c;

	for (int i = 0; i < 2 * PHASES; i++)
		while ((c = l->phases[i / 2][i % 2].first) != NULL && is_timed(c->phase) && c->end_ms <= l->now_ms)
			conn_late(c);
}

void phase_slim(struct loop *l) {
	int64_t young = l->now_ms + l->s->lim.idle_ms - SLIM_MS;

	if (l->slim_at_ms == 0 || l->now_ms < l->slim_at_ms)
		return;
	l->slim_at_ms = 0;
	for (int i = 0; i < 2; i++) {
		for (struct conn *c = l->phases[PHASE_IDLE][i].first; c != NULL; c = c->next) {
			if (c->end_ms > young)
				l->slim_at_ms = l->now_ms + SLIM_MS;
			else
				conn_slim(c);
		}
	}
}

/* Strangers go first; a member's request in hand is never given up. */
static const struct { enum phase phase; bool good; } order[] = {
	{ PHASE_LINGER, false }, { PHASE_HANDSHAKE, false }, { PHASE_HEAD, false }, { PHASE_IDLE, false }, { PHASE_BODY_LONG, false },
	{ PHASE_BODY, false }, { PHASE_PARKED, false }, { PHASE_WRITE_LONG, false }, { PHASE_WRITE, false }, { PHASE_LINGER, true }, { PHASE_IDLE, true },
	{ PHASE_HEAD, true },
};

static unsigned find_evictable(const struct loop *l) {
	unsigned i = 0;

	while (i < sizeof order / sizeof *order && l->phases[order[i].phase][order[i].good].first == NULL)
		i++;
	return i;
}

#define AGE_BITS 56 /* of a monotonic clock in milliseconds */

uint64_t phase_evictable(const struct loop *l) {
	unsigned i = find_evictable(l);

	if (i == sizeof order / sizeof *order)
		return PHASE_NOBODY;
	return (uint64_t)i << AGE_BITS | (uint64_t)l->phases[order[i].phase][order[i].good].first->end_ms;
}

bool phase_evict(struct loop *l) {
	unsigned i = find_evictable(l);

	if (i == sizeof order / sizeof *order)
		return false;
	conn_close(l->phases[order[i].phase][order[i].good].first);
	stat_add(&l->stats.evicted, 1);
	return true;
}
