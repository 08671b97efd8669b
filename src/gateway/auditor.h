/* SPDX-License-Identifier: Apache-2.0 */
/* scg-gateway audit: what the audit log says, and whether it is the one that was signed. */
#ifndef SCG_GATEWAY_AUDITOR_H
#define SCG_GATEWAY_AUDITOR_H

#include <stdbool.h>

#include "base/err.h"

struct auditor_plan {
	const char *config;
	const char *group; /* of a configuration that names several; or NULL */
	bool verify;
	bool json;
	const char *since; /* a date, RFC 3339, or how long ago: 90, 15m, 12h, 2d */
	const char *name;
};

/* Lists the entries, or computes the whole log anew and compares it with every signed head that was kept: ERR_DAMAGED names the first entry that
 * is not as it was. Beside a running gateway too; needs no private key. */
int auditor_run(const struct auditor_plan *p, struct err *e) MUST_CHECK;

#endif
