/* SPDX-License-Identifier: Apache-2.0 */
/* Where a service says "slow down", no thread of this process begins a request to it before it may. What is under way goes on. */
#ifndef SCG_NET_GATE_H
#define SCG_NET_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/retry.h"

#define GATE_SITES 16          /* a drive, its sign-in, and room: of more the one that opens first is forgotten */
#define GATE_DOUBLINGS 4       /* of the shared bound: 3.2 s. It has to spread the requests; who is refused again and again has longer pauses of his own */
#define GATE_SITE_MAX 300      /* a host name has 253 bytes (RFC 1035 2.3.4) */

/* Sites are "https://HOST:PORT". A longer one is told by its beginning. Any number of threads may call. */

/* How long the site's gate is still shut; 0: it is open. */
int64_t gate_left_ms(const char *site);
/* Waits until the site's gate is open; false, at once, where that is beyond the limit or the patience of r. round is for gate_back_off. Some
 * requests may still come after a gate was shut: those whose threads had passed it. */
bool gate_wait(const char *site, const struct retry *r, unsigned *round);
/* The site named a time ("Retry-After"): its gate is shut for so long, if it is not already for longer. */
void gate_shut(const char *site, unsigned retry_after_s);
/* It asked for patience and named no time: its gate is shut for a random time, below a bound that doubles with each time it says so again, like a
 * request's own, but not far. Many requests under way that are told the same count once: round is what gate_wait gave to this one. */
void gate_back_off(const char *site, unsigned round);
/* It did what it was asked for: the bound begins anew. */
void gate_ease(const char *site);

#endif
