/* SPDX-License-Identifier: Apache-2.0 */
/* A ca.db that came out of a backup: what was revoked since stands on the lists that were published since, and is taken over from there. */
#ifndef SCG_CA_RESTORED_H
#define SCG_CA_RESTORED_H

#include "ca/ca.h"

/* What was taken over from a list. */
struct restored {
	uint64_t number; /* the list's */
	size_t known;    /* revocations that ca.db lacked, of certificates that it knows */
	size_t unknown;  /* and of others */
};

/* Within a transaction of the caller's: each revocation on the list at path (PEM or DER, by this CA, of whatever age) that ca.db lacks is put
 * there. ERR_DAMAGED, or ERR_REFUSED for a list of another CA. */
int restored_take(struct ca *ca, const char *path, struct restored *r, struct err *e) MUST_CHECK;
/* ERR_FAIL if crl.pem is a list by this CA with a higher number than this: ca.db is older than what was made of it, and the next list would
 * lack revocations. What is no such list is not looked at. */
int restored_check(const struct ca *ca, uint64_t number, struct err *e) MUST_CHECK;

#endif
