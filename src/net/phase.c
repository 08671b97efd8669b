/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "net/conn.h"

static void leave(struct conn *c) {
	struct conn_list *l = &c->s->phases[c->phase][c->good];

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

static unsigned limit_ms(const struct server *s, enum phase phase) {
	switch (phase) {
	case PHASE_HANDSHAKE:
		return s->lim.handshake_ms;
	case PHASE_HEAD:
		return s->lim.head_ms;
	case PHASE_IDLE:
		return s->lim.idle_ms;
	case PHASE_BODY:
		return s->lim.body_ms;
	case PHASE_BODY_LONG:
		return 12 * s->lim.body_ms;
	case PHASE_PARKED:
		return s->lim.park_ms;
	case PHASE_WRITE:
		return s->lim.write_ms;
	case PHASE_WRITE_LONG:
		return 12 * s->lim.write_ms;
	case PHASE_LINGER:
		return s->lim.linger_ms;
	default:
		return 0;
	}
}

#define SLIM_MS 1000 /* a client that has more to ask does so before */

void phase_enter(struct conn *c, enum phase phase) {
	struct conn_list *l;

	leave(c);
	c->phase = phase;
	/* The standing is read where lists change, so it is set once the handshake is behind. */
	c->good = phase != PHASE_HANDSHAKE && c->peer.verdict == VERDICT_GOOD;
	c->end_ms = c->s->now_ms + limit_ms(c->s, phase);
	l = &c->s->phases[phase][c->good];
	if (phase == PHASE_IDLE && c->s->slim_at_ms == 0)
		c->s->slim_at_ms = c->s->now_ms + SLIM_MS;
	c->prev = l->last;
	if (l->last != NULL)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

static bool is_timed(enum phase phase) {
	return phase != PHASE_HELD && phase != PHASE_DEAD;
}

int phase_wait_ms(const struct server *s) {
	int64_t first = -1;

	for (int i = 0; i < 2 * PHASES; i++) {
		const struct conn *c = s->phases[i / 2][i % 2].first;

		if (c != NULL && is_timed(c->phase) && (first < 0 || c->end_ms < first))
			first = c->end_ms;
	}
	if (first < 0)
		return -1;
	return first <= s->now_ms ? 0 : (int)(first - s->now_ms);
}

void phase_expire(struct server *s) {
	struct conn *c;

	for (int i = 0; i < 2 * PHASES; i++)
		while ((c = s->phases[i / 2][i % 2].first) != NULL && is_timed(c->phase) && c->end_ms <= s->now_ms)
			conn_late(c);
}

void phase_slim(struct server *s) {
	int64_t young = s->now_ms + s->lim.idle_ms - SLIM_MS;

	if (s->slim_at_ms == 0 || s->now_ms < s->slim_at_ms)
		return;
	s->slim_at_ms = 0;
	for (int i = 0; i < 2; i++) {
		for (struct conn *c = s->phases[PHASE_IDLE][i].first; c != NULL; c = c->next) {
			if (c->end_ms > young)
				s->slim_at_ms = s->now_ms + SLIM_MS;
			else
				conn_slim(c);
		}
	}
}

/* Strangers go first; a member's request in hand is never given up. */
bool phase_evict(struct server *s) {
	static const struct { enum phase phase; bool good; } order[] = {
		{ PHASE_LINGER, false }, { PHASE_HANDSHAKE, false }, { PHASE_HEAD, false }, { PHASE_IDLE, false }, { PHASE_BODY_LONG, false },
		{ PHASE_BODY, false }, { PHASE_PARKED, false }, { PHASE_WRITE_LONG, false }, { PHASE_WRITE, false }, { PHASE_LINGER, true }, { PHASE_IDLE, true },
		{ PHASE_HEAD, true },
	};

	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		struct conn *c = s->phases[order[i].phase][order[i].good].first;

		if (c == NULL)
			continue;
		conn_close(c);
		s->stats.evicted++;
		return true;
	}
	return false;
}

/* The key is random: a client cannot choose addresses that all stand in one bucket. */
static struct conn **bucket(struct server *s, const uint8_t key[static 8]) {
	uint64_t h;

	memcpy(&h, key, sizeof h);
	h = (h ^ s->hash_key) * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 32) ^ s->hash_key) * 0x9e3779b97f4a7c15u;
	return &s->addresses[h >> 54];
}

unsigned phase_count_address(struct server *s, const uint8_t key[static 8]) {
	unsigned n = 0;

	for (const struct conn *c = *bucket(s, key); c != NULL; c = c->address_next)
		n += memcmp(c->key, key, sizeof c->key) == 0;
	return n;
}

void phase_join_address(struct conn *c) {
	struct conn **b = bucket(c->s, c->key);

	c->address_next = *b;
	c->address_prev = b;
	if (*b != NULL)
		(*b)->address_prev = &c->address_next;
	*b = c;
}
