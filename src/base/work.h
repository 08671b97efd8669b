/* SPDX-License-Identifier: Apache-2.0 */
/* Work on all cores: run a function on n threads and collect the first error. */
#ifndef SCG_BASE_WORK_H
#define SCG_BASE_WORK_H

#include "base/err.h"

/* Cores that this process may use (affinity), 1..64. */
unsigned work_cores(void);
/* Runs f(arg, i, e) for i in 0..n-1, each on a thread of its own (the calling one takes 0), waits for all. Returns the first error. */
int work_run(unsigned n, int (*f)(void *arg, unsigned i, struct err *e), void *arg, struct err *e) MUST_CHECK;

#endif
