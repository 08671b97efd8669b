/* SPDX-License-Identifier: Apache-2.0 */
/* What refusing something hostile may cost: processor time and memory of this process. */
#ifndef SCG_TESTS_GAUGE_H
#define SCG_TESTS_GAUGE_H

#include <time.h>

struct gauge { clock_t clock; long rss_kib; };
void gauge_start(struct gauge *g);
/* Fails the test (Check) if more than 1 s of processor time or 32 MiB was used since; the dearest refusal takes 15 ms and 8 MiB. Where a sanitizer or
 * valgrind runs the time is 200 s, and memory is not asked. */
void gauge_end(const struct gauge *g);

#endif
