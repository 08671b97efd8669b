/* SPDX-License-Identifier: Apache-2.0 */
#include "net/gate.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"

struct gate {
	char site[GATE_SITE_MAX];
	int64_t open_ms;   /* on the monotonic clock */
	unsigned round;    /* of all gates, when this one was shut last */
	unsigned streak;   /* how often in a row no time was named */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct gate gates[GATE_SITES]; /* those that were ever shut */
static unsigned rounds;               /* how often any was */

static struct gate *find(const char *site) {
	for (size_t i = 0; i < GATE_SITES; i++)
		if (gates[i].site[0] != '\0' && strncmp(gates[i].site, site, GATE_SITE_MAX - 1) == 0)
			return &gates[i];
	return NULL;
}

static struct gate *find_or_make(const char *site) {
	struct gate *g = find(site);

	if (g != NULL)
		return g;
	g = gates;
	for (size_t i = 1; i < GATE_SITES; i++)
		if (gates[i].open_ms < g->open_ms)
			g = &gates[i];
	*g = (struct gate){0};
	(void)snprintf(g->site, sizeof g->site, "%s", site);
	return g;
}

static void shut_for(struct gate *g, int64_t ms) {
	/* The clock's millisecond has begun already. */
	int64_t open_ms = clock_mono_ms() + ms + 1;

	if (open_ms > g->open_ms)
		g->open_ms = open_ms;
	g->round = ++rounds;
}

static int64_t look(const char *site, unsigned *round) {
	const struct gate *g;
	int64_t left = 0;

	(void)pthread_mutex_lock(&lock);
	if ((g = find(site)) != NULL)
		left = g->open_ms - clock_mono_ms();
	*round = g != NULL ? g->round : 0;
	(void)pthread_mutex_unlock(&lock);
	return left > 0 ? left : 0;
}

int64_t gate_left_ms(const char *site) {
	unsigned round;

	return look(site, &round);
}

bool gate_wait(const char *site, const struct retry *r, unsigned *round) {
	int64_t left;

	while ((left = look(site, round)) > 0) {
		if (left >= retry_left_ms(r) || left > ((int64_t)r->patience_s + 1) * 1000)
			return false;
		retry_sleep_ms(left);
	}
	return true;
}

void gate_shut(const char *site, unsigned retry_after_s) {
	(void)pthread_mutex_lock(&lock);
	shut_for(find_or_make(site), (int64_t)retry_after_s * 1000);
	(void)pthread_mutex_unlock(&lock);
}

void gate_back_off(const char *site, unsigned round) {
	struct retry r = {0};
	struct gate *g;
	uint64_t random = 0;

	if (random_bytes((uint8_t *)&random, sizeof random, NULL) != 0)
		random = RETRY_FIRST_MS;
	(void)pthread_mutex_lock(&lock);
	g = find_or_make(site);
	if (g->round == round) {
		r.attempt = g->streak;
		g->streak += g->streak < GATE_DOUBLINGS ? 1 : 0;
		shut_for(g, retry_pause_ms(&r, 0, random));
	}
	(void)pthread_mutex_unlock(&lock);
}

void gate_ease(const char *site) {
	struct gate *g;

	(void)pthread_mutex_lock(&lock);
	if ((g = find(site)) != NULL)
		g->streak = 0;
	(void)pthread_mutex_unlock(&lock);
}
