/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals on their way into the audit log: of each reason one entry a minute with a count, of known certificates one each; so a flood fills no disk. */
#ifndef SCG_GATEWAY_REFUSALS_H
#define SCG_GATEWAY_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/audit.h"

#define REFUSALS_EVERY_MS 60000
#define REFUSALS_KNOWN_MAX 200 /* certificates told apart within a minute; what comes beyond is counted without a name */
#define REFUSALS_MAX 256

struct refusals;

struct refusals *refusals_new(void); /* never NULL */
void refusals_free(struct refusals *r); /* r may be NULL */
/* One more. name and serial of a certificate that the group's CA issued, and the address that it came from; NULL: a stranger, whose address is not kept. */
void refusals_add(struct refusals *r, const char *reason, size_t reason_len, const char *name, const char *serial, const char *address);
/* Hands over what is due, or all: an entry for what was refused since the entry before it. */
void refusals_tell(struct refusals *r, struct audit *a, int64_t now_s, bool all);

#endif
