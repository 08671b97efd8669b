/* SPDX-License-Identifier: Apache-2.0 */
#include "base/work.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

#define CORES_MAX 64

unsigned work_cores(void) {
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	n = CPU_COUNT(&set);
	return n < 1 ? 1 : n > CORES_MAX ? CORES_MAX : (unsigned)n;
}

struct job {
	int (*f)(void *arg, unsigned i, struct err *e);
	void *arg;
	unsigned i;
	int r;
	struct err e;
	pthread_t thread;
	bool started;
};

static void *run_job(void *p) {
	struct job *j = p;

	j->r = j->f(j->arg, j->i, &j->e);
	return NULL;
}

static int run_jobs(unsigned n, int (*f)(void *arg, unsigned i, struct err *e), void *arg, struct err *e) {
	struct job jobs[CORES_MAX] = {0};
	int r = 0;

	for (unsigned i = 0; i < n; i++) {
		jobs[i].f = f;
		jobs[i].arg = arg;
		jobs[i].i = i;
		jobs[i].started = i > 0 && pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]) == 0;
	}
	/* Where no thread was to be had its share is done here, one after the other. */
	for (unsigned i = 0; i < n; i++)
		if (!jobs[i].started)
			(void)run_job(&jobs[i]);
	for (unsigned i = 0; i < n; i++) {
		if (jobs[i].started)
			(void)pthread_join(jobs[i].thread, NULL);
		if (jobs[i].r != 0 && r == 0) {
			r = jobs[i].r;
			if (e != NULL)
				*e = jobs[i].e;
		}
	}
	return r;
}

int work_run(unsigned n, int (*f)(void *arg, unsigned i, struct err *e), void *arg, struct err *e) {
	if (n == 0 || n > CORES_MAX)
		return err_set(e, ERR_FAIL, "1 to %d threads", CORES_MAX);
	return n == 1 ? f(arg, 0, e) : run_jobs(n, f, arg, e);
}
