/* SPDX-License-Identifier: Apache-2.0 */
/* Renewing the gateway's certificate. The CA certifies a key once only, so the key is new too; what rests is sealed to
 * the old one until the new pair is complete, and at no moment to a key that is not on the disk. */
#ifndef SCG_GATEWAY_RENEW_H
#define SCG_GATEWAY_RENEW_H

#include <stdbool.h>

#include "gateway/group.h"

struct renew_plan {
	const char *config;
	const char *group; /* of a configuration that names several; or NULL */
	const char *newkey, *passout;
	bool noenc;
};

/* Makes gateway.key.new, and gateway.csr over it. ERR_EXISTS: a renewal is under way. One line on standard output says
 * how to go on. */
int renew_start(const struct renew_plan *p, struct err *e) MUST_CHECK;

/* Opens the group to serve, with the pair that its keys are sealed to; a complete new pair (gateway.key.new,
 * gateway.crt.new) is then taken over. */
int renew_open(struct group **g, const struct identity_source *from, struct err *e) MUST_CHECK;
/* The new pair if there is a complete one (*renewed), else the old one: for group_change, then renew_finish. */
int renew_load(struct identity *id, bool *renewed, const struct identity_source *from, struct err *e) MUST_CHECK;
/* What rests is sealed to the new pair: it gets the names of the old one. May be done again after a failure or a crash.
 */
int renew_finish(const struct gwconf *c, struct err *e) MUST_CHECK;

#endif
