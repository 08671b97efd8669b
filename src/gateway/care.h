/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator has to hear of by himself, in the log: whatever makes the gateway not healthy, when it begins, once a day while it lasts, and when
 * it is over. */
#ifndef SCG_GATEWAY_CARE_H
#define SCG_GATEWAY_CARE_H

#include "gateway/sight.h"

struct care {
	char said[256]; /* the reasons in the last line; "" while all is well */
	int64_t again_ms;
};
void care_look(struct care *c, const struct sight *s, int64_t now_s, int64_t now_ms);

#endif
