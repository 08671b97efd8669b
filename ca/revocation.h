/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking certificates, and the list that says so. */
#ifndef SCG_CA_REVOCATION_H
#define SCG_CA_REVOCATION_H

#include "base/buf.h"
#include "ca/ca.h"
#include "ca/records.h"
#include "ca/restored.h"

#define REVOCATION_DAYS 7
#define REVOCATION_DAYS_MAX 365

struct revocation_plan { /* exactly one of name, serial, cert */
	const char *name;   /* all valid ones of this name, but for the reason superseded: then the only one */
	const char *serial; /* hex, as openssl prints it or as list does */
	const char *cert;   /* file */
	int reason; /* of revocation_reason */
};

/* NULL: unspecified. ERR_USAGE for a reason that no member's certificate has. */
int revocation_reason(const char *name, int *reason, struct err *e) MUST_CHECK;
/* What was revoked: at least one record after success. {0} to begin with; revocation_wipe at the end, in any case. */
struct revocation {
	struct buf records; /* struct record each */
};
size_t revocation_n(const struct revocation *r);
const struct record *revocation_at(const struct revocation *r, size_t i); /* i below n; borrowed */
void revocation_wipe(struct revocation *r);

/* Revokes what the plan names, all or none, and makes the next list, valid as long as the last one was. ca is unlocked. ERR_NOTFOUND: unknown;
 * ERR_EXISTS: revoked already (crl.pem is written anew all the same); ERR_FAIL: expired, or superseded is said of a name with several valid certificates. */
int revocation_add(struct ca *ca, const struct revocation_plan *p, struct revocation *done, struct err *e) MUST_CHECK;
struct revocation_renewal {
	uint64_t days;     /* its life */
	const char *out;   /* a copy is written there, or NULL */
	const char *above; /* a list by this CA whose revocations are taken over, and above whose number the new one's is (restored_take), or NULL */
};
/* Makes the next list; ca is unlocked. r: what was taken over. */
int revocation_renew(struct ca *ca, const struct revocation_renewal *p, struct restored *r, struct err *e) MUST_CHECK;

/* Within a transaction of the caller's: signs the next list and puts it into ca.db. ERR_FAIL where ca.db is older than crl.pem (restored_check). */
int revocation_make_list(struct ca *ca, uint64_t days, struct err *e) MUST_CHECK;
/* Writes the newest list in ca.db to crl.pem, and to out unless that is NULL. */
int revocation_write_list(struct ca *ca, const char *out, struct err *e) MUST_CHECK;

#endif
