/* SPDX-License-Identifier: Apache-2.0 */
/* scg-gateway check: configuration, certificates, permissions, revocation list and database, all that is wrong at once. */
#ifndef SCG_GATEWAY_CHECK_H
#define SCG_GATEWAY_CHECK_H

#include "base/err.h"

struct check_plan {
	const char *config;
	const char *group; /* of a configuration that names several: this one alone; or NULL */
	const char *passin;
};

/* One line on standard output for each finding: "wrong: ..." for what keeps members out or keys unsafe, "soon: ..." for what will. ERR_FAIL: something
 * is wrong. Changes nothing. */
int check_gateway(const struct check_plan *p, struct err *e) MUST_CHECK;

#endif
