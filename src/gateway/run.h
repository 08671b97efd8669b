/* SPDX-License-Identifier: Apache-2.0 */
/* The running gateway. */
#ifndef SCG_GATEWAY_RUN_H
#define SCG_GATEWAY_RUN_H

#include "base/err.h"

struct run_plan {
	const char *config;
	const char *ready; /* the bound HOST:PORT is written there once it serves; NULL: nowhere */
	const char *passin;
};

/* Serves until SIGTERM or SIGINT; SIGHUP reads configuration, certificate and list anew. ERR_UNREACHABLE: another
 * gateway runs on this folder. */
int run_gateway(const struct run_plan *p, struct err *e) MUST_CHECK;

#endif
