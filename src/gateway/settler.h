/* SPDX-License-Identifier: Apache-2.0 */
/* Stores long lists aside: the transaction is written by a thread of its own with a database handle of its own, while the loop answers what needs
 * no writing; requests that write wait (http_reply.later). The set was swapped before, so who is revoked is refused already. */
#ifndef SCG_GATEWAY_SETTLER_H
#define SCG_GATEWAY_SETTLER_H

#include "gateway/group.h"

struct settler;

/* ERR_FAIL: no descriptors. */
int settler_new(struct settler **s, struct err *e) MUST_CHECK;
/* Waits for the thread, if one runs; s may be NULL. */
void settler_free(struct settler *s);
/* Readable when settler_end is due. */
int settler_fd(const struct settler *s);

/* evict_settle, or its begin in a thread, if the list is long: then g->away is set, and whether it succeeds is known at settler_end. s may be NULL:
 * all is done here. */
int settler_settle(struct settler *s, struct group *g, int64_t now_s, struct err *e) MUST_CHECK;
/* What the thread did is g's from here on; what waits may go on. */
void settler_end(struct settler *s, struct group *g);

#endif
