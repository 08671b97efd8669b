/* SPDX-License-Identifier: Apache-2.0 */
/* A new gateway's folder: configuration, key, request, anchor and an empty database. */
#ifndef SCG_GATEWAY_INIT_H
#define SCG_GATEWAY_INIT_H

#include <stdbool.h>

#include "base/err.h"

struct init_plan {
	const char *dir; /* NULL: opt_dir's default */
	const char *cacert, *host, *listen, *store, *recovery, *newkey, *passout;
	bool noenc; /* the default: a server starts again by itself, with nobody there to type */
};

/* Writes DIR/{gateway.conf,gateway.key,gateway.csr,ca.crt,gateway.db} and, if asked, recovery.crt; all or none, and
 * never over what is there (ERR_EXISTS). On success one line on standard output says how to have the request signed. */
int init_gateway(const struct init_plan *p, struct err *e) MUST_CHECK;

#endif
