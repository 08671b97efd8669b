/* SPDX-License-Identifier: Apache-2.0 */
#include "net/retry.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/secret.h"

void retry_init(struct retry *r, unsigned total_s, unsigned attempts_max, unsigned patience_s) {
	*r = (struct retry){ .total_ms = (int64_t)total_s * 1000, .attempts_max = attempts_max, .patience_s = patience_s };
	retry_extend(r);
}

void retry_extend(struct retry *r) {
	r->end_ms = clock_mono_ms() + r->total_ms;
}

int64_t retry_left_ms(const struct retry *r) {
	int64_t left = r->end_ms - clock_mono_ms();

	return left > 0 ? left : 1;
}

unsigned retry_left_s(const struct retry *r) {
	return (unsigned)((retry_left_ms(r) + 999) / 1000);
}

int64_t retry_pause_ms(const struct retry *r, unsigned retry_after_s, uint64_t random) {
	uint64_t top = RETRY_FIRST_MS;

	for (unsigned i = 0; i < r->attempt && top < RETRY_CAP_MS; i++)
		top *= 2;
	if (top > RETRY_CAP_MS)
		top = RETRY_CAP_MS;
	return (int64_t)retry_after_s * 1000 + (int64_t)(random % (top + 1));
}

void retry_sleep_ms(int64_t ms) {
	struct timespec t = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

bool retry_pause(struct retry *r, unsigned retry_after_s) {
	uint64_t random = 0;
	int64_t ms;

	if (r->attempt + 1 >= r->attempts_max || retry_after_s > r->patience_s)
		return false;
	if (random_bytes((uint8_t *)&random, sizeof random, NULL) != 0)
		random = RETRY_FIRST_MS;
	ms = retry_pause_ms(r, retry_after_s, random);
	if (clock_mono_ms() + ms >= r->end_ms)
		return false;
	retry_sleep_ms(ms);
	r->attempt++;
	return true;
}
