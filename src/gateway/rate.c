/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rate.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"

#define SLOTS                                                                                                          \
	4096 /* addresses told apart; two in one slot share its allowance, and nobody can choose whom to share with */

struct slot {
	int64_t from_ms; /* the window's begin */
	unsigned n;
};

struct rate {
	unsigned max;
	int64_t window_ms;
	uint64_t seed;
	struct slot slot[SLOTS];
};

int rate_new(struct rate **r, unsigned max, int64_t window_ms, struct err *e) {
	struct rate *made = xcalloc(1, sizeof *made);

	made->max = max;
	made->window_ms = window_ms;
	if (random_bytes((uint8_t *)&made->seed, sizeof made->seed, e) != 0) {
		free(made);
		return e->code;
	}
	*r = made;
	return 0;
}

void rate_free(struct rate *r) {
	free(r);
}

static uint64_t mix(uint64_t h) { /* the finaliser of SplitMix64 */
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
	return h ^ (h >> 31);
}

static size_t slot_of(const struct rate *r, const char *address) {
	uint8_t bytes[16] = { 0 };
	uint64_t prefix;

	if (inet_pton(AF_INET6, address, bytes) == 1)
		memset(bytes + 8, 0, 8);
	else if (inet_pton(AF_INET, address, bytes) != 1)
		return 0;
	memcpy(&prefix, bytes, sizeof prefix);
	return (size_t)(mix(mix(prefix ^ r->seed) ^ r->seed) % SLOTS);
}

bool rate_allow(struct rate *r, const char *address, int64_t now_ms, unsigned *retry_s) {
	struct slot *s = &r->slot[slot_of(r, address)];

	if (s->n == 0 || now_ms - s->from_ms >= r->window_ms)
		*s = (struct slot){ .from_ms = now_ms };
	if (s->n >= r->max) {
		*retry_s = (unsigned)((s->from_ms + r->window_ms - now_ms + 999) / 1000);
		return false;
	}
	s->n++;
	return true;
}
