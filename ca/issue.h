/* SPDX-License-Identifier: Apache-2.0 */
/* Issuing certificates. */
#ifndef SCG_CA_ISSUE_H
#define SCG_CA_ISSUE_H

#include "ca/ca.h"
#include "ca/records.h"

#define ISSUE_DAYS 90
#define ISSUE_DAYS_MAX 3650

struct issue_plan {
	const char *csr;  /* file */
	const char *out;  /* the certificate's file: replaced whole, or not at all */
	const char *name;
	enum role role;
	const char *san;  /* gateways: required; others: NULL */
	uint64_t days;
};

struct issue_result {
	struct record record;
	unsigned n_others; /* valid certificates that this name had before */
	bool again;        /* issued before, but its file had not been written */
};

/* What can be said of a plan without looking at any file. ERR_USAGE. */
int issue_check(const struct issue_plan *p, struct err *e) MUST_CHECK;
/* Certifies the key of the request, once: ERR_REFUSED for a key that has a certificate, revoked or not. The certificate stands in ca.db before it has a
 * file; if the file then cannot be written, the same request gets the same certificate when asked again. The plan
 * was checked, ca is unlocked. */
int issue(struct ca *ca, const struct issue_plan *p, struct issue_result *result, struct err *e) MUST_CHECK;

#endif
