/* SPDX-License-Identifier: Apache-2.0 */
/* When a request is made again: the one policy for the gateway and for every service. */
#ifndef SCG_NET_RETRY_H
#define SCG_NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_FIRST_MS 200  /* the first pause is random below it; the bound doubles after each attempt */
#define RETRY_CAP_MS 64000  /* and stops doubling here */

struct retry {
	int64_t total_ms;
	int64_t end_ms;       /* on the monotonic clock: the limit of one request with all its attempts */
	unsigned attempt, attempts_max;
	unsigned patience_s;  /* who says "Retry-After" more than this is not waited for */
};
/* The limit begins now. */
void retry_init(struct retry *r, unsigned total_s, unsigned attempts_max, unsigned patience_s);
/* There was progress: the limit counts anew from now. The attempts do not. */
void retry_extend(struct retry *r);
/* What is left of the limit, at least 1 ms. */
int64_t retry_left_ms(const struct retry *r);
/* The same in whole seconds, at least 1. */
unsigned retry_left_s(const struct retry *r);
/* How long the next pause is: Retry-After and behind it, by the random number, 0 to the bound of this attempt. */
int64_t retry_pause_ms(const struct retry *r, unsigned retry_after_s, uint64_t random);
/* Waits before the next attempt, with full jitter and never less than Retry-After; false, at once, where it would be beyond the limit, the
 * attempts or the patience. */
bool retry_pause(struct retry *r, unsigned retry_after_s);
/* A signal does not make it shorter: what a service asked for is kept. */
void retry_sleep_ms(int64_t ms);

#endif
