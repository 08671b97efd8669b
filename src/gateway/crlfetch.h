/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists from a URL, by a thread of its own: what it fetches goes to the inbox, where it is verified like any other. */
#ifndef SCG_GATEWAY_CRLFETCH_H
#define SCG_GATEWAY_CRLFETCH_H

#include <stdint.h>

#include "gateway/inbox.h"

struct crlfetch;

struct crlfetch_config {
	const char *url;
	const char *dir; /* where a nameless file can be made */
	uint64_t every_s;
	struct inbox *inbox; /* borrowed */
};
/* Begins at once. All of c but the inbox is copied. Its log lines name the group that the caller's do now (log_set_group). */
int crlfetch_start(struct crlfetch **f, const struct crlfetch_config *c, struct err *e) MUST_CHECK;
/* It is to end, whenever it can; f may be NULL. */
void crlfetch_stop(struct crlfetch *f);
/* Ends it; waits for a request under way, at most CRLFETCH_TOTAL_S. f may be NULL. */
#define CRLFETCH_TOTAL_S 20
void crlfetch_free(struct crlfetch *f);

#endif
