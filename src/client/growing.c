/* SPDX-License-Identifier: Apache-2.0 */
#include "client/growing.h"

void growing_init(struct growing *g) {
	*g = (struct growing){ .code = 0 };
	(void)pthread_mutex_init(&g->lock, NULL);
	(void)pthread_cond_init(&g->changed, NULL);
}

void growing_wipe(struct growing *g) {
	(void)pthread_cond_destroy(&g->changed);
	(void)pthread_mutex_destroy(&g->lock);
}

bool growing_add(struct growing *g, uint64_t n) {
	bool wanted;

	(void)pthread_mutex_lock(&g->lock);
	g->there += n;
	wanted = !g->stopped;
	(void)pthread_cond_signal(&g->changed);
	(void)pthread_mutex_unlock(&g->lock);
	return wanted;
}

void growing_end(struct growing *g, int code, const struct err *why) {
	(void)pthread_mutex_lock(&g->lock);
	g->ended = true;
	g->code = code;
	g->why = *why;
	(void)pthread_cond_signal(&g->changed);
	(void)pthread_mutex_unlock(&g->lock);
}

bool growing_is_stopped(struct growing *g) {
	bool stopped;

	(void)pthread_mutex_lock(&g->lock);
	stopped = g->stopped;
	(void)pthread_mutex_unlock(&g->lock);
	return stopped;
}

int growing_wait(struct growing *g, uint64_t end, bool whole, struct err *e) {
	int r;

	(void)pthread_mutex_lock(&g->lock);
	while (!g->ended && (whole || g->there < end || g->there < GROWING_AHEAD))
		(void)pthread_cond_wait(&g->changed, &g->lock);
	r = g->code;
	if (r != 0 && e != NULL)
		*e = g->why;
	(void)pthread_mutex_unlock(&g->lock);
	return r;
}

void growing_stop(struct growing *g) {
	(void)pthread_mutex_lock(&g->lock);
	g->stopped = true;
	(void)pthread_mutex_unlock(&g->lock);
}
