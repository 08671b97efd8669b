/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/settler.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/own.h"
#include "gateway/evict.h"

#define NICENESS 10 /* who waits for an answer goes first; the refusals are in force already */

struct settler {
	int ready;
	pthread_t thread;
	bool running;
	/* The thread's while it runs. */
	struct group_job job;
	const char *group; /* of log lines; or NULL */
	int64_t now_s;
	int rc;
};

static int store(const struct settler *s, struct err *e) {
	struct group *g = NULL;
	int r = group_open_beside(&g, &s->job, e);

	if (r != 0)
		return r;
	r = evict_settle(g, s->now_s, e);
	if (r == 0 && g->stored != g->list)
		r = err_set(e, ERR_FAIL, "the list in force waits to be written");
	group_close(&g); /* with a checkpoint: the loop's next commit shall not have to write what this one brought */
	return r;
}

static void *work(void *arg) {
	struct settler *s = arg;
	struct err e = ERR_INIT;
	const uint64_t one = 1;

	log_set_group(s->group);
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS); /* of this thread alone, on Linux */
	s->rc = store(s, &e);
	if (s->rc != 0)
		log_event(LOG_LEVEL_ERROR, "settle-failed", "error", e.text, "then", "refusals stay in force; tried again", NULL);
	(void)malloc_trim(0);
	(void)!write(s->ready, &one, sizeof one);
	return NULL;
}

int settler_new(struct settler **out, struct err *e) {
	struct settler *s = xcalloc(1, sizeof *s);

	if ((s->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) {
		free(s);
		return err_sys(e, ERR_FAIL, "eventfd");
	}
	*out = s;
	return 0;
}

static void join(struct settler *s) {
	if (s->running)
		(void)pthread_join(s->thread, NULL);
	s->running = false;
}

void settler_free(struct settler *s) {
	if (s == NULL)
		return;
	join(s);
	group_job_wipe(&s->job);
	own_fd(&s->ready);
	free(s);
}

int settler_fd(const struct settler *s) {
	return s->ready;
}

int settler_settle(struct settler *s, struct group *g, int64_t now_s, struct err *e) {
	int rc;

	if (s == NULL || g->away || !evict_is_long(g, now_s))
		return evict_settle(g, now_s, e);
	group_job_take(g, &s->job);
	s->now_s = now_s;
	s->group = log_group();
	if ((rc = pthread_create(&s->thread, NULL, work, s)) != 0) {
		group_job_wipe(&s->job);
		evict_hold_off(g);
		errno = rc;
		return err_sys(e, ERR_FAIL, "thread");
	}
	s->running = g->away = true;
	return 0;
}

void settler_end(struct settler *s, struct group *g) {
	uint64_t n;

	if (read(s->ready, &n, sizeof n) < 0 || !s->running)
		return;
	join(s);
	g->away = false;
	if (s->rc == 0) {
		list_free_aside(g->stored);
		g->stored = list_ref(s->job.list);
	} else {
		evict_hold_off(g);
	}
	group_job_wipe(&s->job);
}
