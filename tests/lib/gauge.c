/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/gauge.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>

#define LIMIT_S 1
#define LIMIT_SLOW_S 200
#define LIMIT_KIB (32L << 10)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static bool is_slow(void) {
	const char *wrapper = getenv("TEST_WRAPPER"); /* NOLINT(concurrency-mt-unsafe): tests have one thread here */

	return SANITIZED || (wrapper != NULL && wrapper[0] != '\0');
}

/* The most that the process ever had in memory. */
static long peak_kib(void) {
	struct rusage u;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &u), 0);
	return u.ru_maxrss;
}

void gauge_start(struct gauge *g) {
	*g = (struct gauge){ clock(), peak_kib() };
}

void gauge_end(const struct gauge *g) {
	clock_t used = clock() - g->clock, limit = (is_slow() ? LIMIT_SLOW_S : LIMIT_S) * CLOCKS_PER_SEC;

	ck_assert_msg(used < limit, "took %ld ms", (long)(used / (CLOCKS_PER_SEC / 1000)));
	ck_assert_msg(is_slow() || peak_kib() - g->rss_kib < LIMIT_KIB, "took %ld KiB", peak_kib() - g->rss_kib);
}
