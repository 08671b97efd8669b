/* SPDX-License-Identifier: Apache-2.0 */
/* The commands beside a running gateway: rotate, keys, export. */
#ifndef SCG_GATEWAY_TOOLS_H
#define SCG_GATEWAY_TOOLS_H

#include <stdbool.h>

#include "base/err.h"

struct tools_plan {
	const char *config;
	const char *group; /* of a configuration that names several; or NULL */
	const char *passin;
	const char *recip, *out; /* export */
	bool json;               /* keys */
};

/* A new epoch of the group key, written with its event; a running gateway serves it from its next request on. */
int tools_rotate(const struct tools_plan *p, struct err *e) MUST_CHECK;
/* The epochs on standard output, newest first; never a key. */
int tools_keys(const struct tools_plan *p, struct err *e) MUST_CHECK;
/* The key package, enveloped to a certificate, as a DER file (0600). */
int tools_export(const struct tools_plan *p, struct err *e) MUST_CHECK;

#endif
