/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists put in force, and new epochs of the group key: the set is swapped first, then one transaction tells
 * the rest. */
#ifndef SCG_GATEWAY_EVICT_H
#define SCG_GATEWAY_EVICT_H

#include "gateway/group.h"

enum offer {
	OFFER_TAKEN,   /* in force now */
	OFFER_SAME,    /* it was in force already */
	OFFER_OLDER,   /* its number is lower than the highest seen */
	OFFER_OTHER,   /* its number is the highest seen, but it is another list */
	OFFER_EXPIRED, /* past its nextUpdate */
	OFFER_DROPS,   /* it lacks a revocation that still holds: the list in force stays so, but whom this one names is refused too */
};
/* Judges a list by its number and bytes alone, before anything is verified: OFFER_TAKEN stands for "may be newer". */
enum offer evict_look(const struct group *g, uint64_t number, const uint8_t *der, size_t len);
/* Judges a verified list and puts it in force: whoever is on it is refused from here on, whatever happens to the disk.
 * evict_settle follows. from names where it came from, for the log. OFFER_DROPS: g->held is the list, and g->lacks the serial
 * number that it should have. */
enum offer evict_offer(struct group *g, struct list *l, const char *from, int64_t now_s);
const char *offer_text(enum offer o);
/* The list in force is not stored yet, could be now, and is so large that the loop should not do it (settler.h). */
bool evict_is_long(const struct group *g, int64_t now_s);
/* After a failure of a settling elsewhere: not again for a while. */
void evict_hold_off(struct group *g);

/* Does what is due, in one transaction, and commits it: the gateway's own member event, epoch 1, the list in force with
 * its crl event, and one new epoch where the list newly names somebody for another reason than superseded, or a
 * member's certificate ended without a successor. After a failure the refusals stay, and the next call tries again.
 * Nothing is done while the gateway's own certificate is not good. */
int evict_settle(struct group *g, int64_t now_s, struct err *e) MUST_CHECK;
/* A new epoch now. */
int evict_rotate(struct group *g, int64_t now_s, struct err *e) MUST_CHECK;

#endif
