/* SPDX-License-Identifier: Apache-2.0 */
/* What a CA has issued, as a table or as JSON. */
#ifndef SCG_CA_LIST_H
#define SCG_CA_LIST_H

#include "ca/ca.h"

struct list_plan {
	const char *status; /* "valid", "revoked", "expired", or NULL: all */
	bool json;
};

/* Prints on standard output. ERR_USAGE for another status. */
int list_print(struct ca *ca, const struct list_plan *p, struct err *e) MUST_CHECK;

#endif
