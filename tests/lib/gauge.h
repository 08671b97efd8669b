/* SPDX-License-Identifier: Apache-2.0 */
/* What refusing something hostile may cost: processor time and memory of this process. */
#ifndef SCG_TESTS_GAUGE_H
#define SCG_TESTS_GAUGE_H

#include <time.h>

struct gauge { clock_t clock; long rss_kib; };
void gauge_start(struct gauge *g);
/* Fails the test (Check) if more than 20 s of processor time or 128 MiB was used since: far above what it takes on a slow machine, and far below
 * what a lie of 2 GiB would cost. Where a sanitizer or valgrind runs the time is 200 s, and memory is not asked. */
void gauge_end(const struct gauge *g);

#endif
