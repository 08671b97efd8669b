/* SPDX-License-Identifier: Apache-2.0 */
/* How often an address may do something: a fixed table, so that many addresses cost no memory. */
#ifndef SCG_GATEWAY_RATE_H
#define SCG_GATEWAY_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct rate;

/* At most max times in window_ms. ERR_FAIL: no random bytes. */
int rate_new(struct rate **r, unsigned max, int64_t window_ms, struct err *e) MUST_CHECK;
void rate_free(struct rate *r); /* r may be NULL */
/* Counts one attempt of this address (IPv6: of its /64) at now_ms (monotonic). False: too many; *retry_s says when the
 * next one may come. */
bool rate_allow(struct rate *r, const char *address, int64_t now_ms, unsigned *retry_s);

#endif
