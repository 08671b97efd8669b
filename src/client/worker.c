/* SPDX-License-Identifier: Apache-2.0 */
#include "client/worker.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/work.h"

#define IN_A_ROW_MAX 3

struct run {
	struct session *session;
	const struct worker_job *job;
	struct progress *progress;
	atomic_size_t next;
	atomic_bool stop;
	atomic_uint in_a_row; /* failures that the next item would meet as well */
	unsigned workers;
	pthread_mutex_t lock; /* of what follows */
	size_t done;
	struct err gravest;
};

void worker_progress(void *arg, uint64_t bytes) {
	const struct worker *w = arg;

	progress_add(w->progress, bytes);
}

/* Which of two errors says more about the whole run. */
static int gravity(int code) {
	switch (code) {
	case 0:
		return 0;
	case ERR_DAMAGED:
		return 4;
	case ERR_REFUSED:
		return 3;
	case ERR_UNREACHABLE:
		return 2;
	default:
		return 1;
	}
}

/* A single failure is the error of the run and needs no line of its own. */
static void show(struct run *run, const char *name, const char *result, const struct err *e) {
	if (run->job->failed != NULL)
		return;
	if (e->code == 0)
		progress_item(run->progress, name, result);
	else if (run->job->n > 1)
		progress_item(run->progress, name, e->text);
}

static void record(struct run *run, size_t i, const char *result, struct err *e) {
	const char *name = run->job->name(run->job->arg, i);

	if (e->code == ERR_DAMAGED)
		(void)err_add(e, "damaged or forged"); /* what follows is a rule that says little to most people */
	show(run, name, result, e);
	(void)pthread_mutex_lock(&run->lock);
	if (e->code == 0)
		run->done++;
	else if (run->job->failed != NULL)
		run->job->failed(run->job->arg, i, e);
	if (gravity(e->code) > gravity(run->gravest.code)) {
		(void)text_about(name, e->code, e);
		run->gravest = *e;
	}
	(void)pthread_mutex_unlock(&run->lock);
	/* One may be the item's own, a drive that has not settled, say; several in a row are the gateway's. */
	if (e->code != ERR_REFUSED && e->code != ERR_UNREACHABLE)
		atomic_store(&run->in_a_row, 0);
	else if (atomic_fetch_add(&run->in_a_row, 1) + 1 >= IN_A_ROW_MAX)
		atomic_store(&run->stop, true);
}

/* Of one worker: all of them together as many as there are cores. */
static unsigned threads(const struct run *run) {
	unsigned cores = work_cores();

	if (run->job->threads != 0 || run->workers == 1)
		return run->job->threads;
	return cores > run->workers ? cores / run->workers : 1;
}

static int work(void *arg, unsigned i, struct err *e) {
	struct run *run = arg;
	struct worker w = { .session = run->session, .threads = threads(run), .progress = run->progress };
	size_t item;
	int r = 0;

	/* Alone, the session's connection serves. */
	if (run->workers == 1)
		w.fetch = run->session->fetch;
	else if (!run->session->stale)
		r = session_fetch(run->session, &w.fetch, e);
	while (r == 0 && !atomic_load(&run->stop) && (item = atomic_fetch_add(&run->next, 1)) < run->job->n) {
		char result[WORKER_RESULT_MAX] = "done";
		struct err failure = ERR_INIT;

		failure.code = run->job->f(run->job->arg, &w, item, result, &failure);
		record(run, item, result, &failure);
	}
	if (run->workers > 1)
		fetch_free(w.fetch);
	(void)i;
	return r;
}

static unsigned how_many(const struct worker_job *job) {
	unsigned n = job->workers != 0 ? job->workers : WORKERS_DEFAULT;

	if (n > WORKERS_MAX)
		n = WORKERS_MAX;
	return job->n < n ? (unsigned)job->n : n;
}

static int conclude(const struct run *run, size_t failed, struct err *e) {
	if (failed == 0)
		return 0;
	if (e != NULL)
		*e = run->gravest;
	if (run->job->n > 1)
		(void)err_add(e, "%s: %zu of %zu failed", run->job->verb, failed, run->job->n);
	return run->gravest.code;
}

int worker_run(struct session *s, const struct worker_job *job, size_t *failed, struct err *e) {
	struct run run = { .session = s, .job = job, .workers = how_many(job) };
	size_t n_failed;
	int r = 0;

	if (failed != NULL)
		*failed = 0;
	if (job->n == 0)
		return 0;
	(void)pthread_mutex_init(&run.lock, NULL);
	run.progress = progress_new(job->verb, job->bytes, false);
	r = work_run(run.workers, work, &run, e);
	progress_free(run.progress);
	(void)pthread_mutex_destroy(&run.lock);
	n_failed = job->n - run.done;
	if (failed != NULL)
		*failed = n_failed;
	/* A worker that got no connection is of no interest where the others did it all. */
	return run.gravest.code != 0 || n_failed == 0 ? conclude(&run, n_failed, e) : r;
}
