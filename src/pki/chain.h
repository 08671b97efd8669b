/* SPDX-License-Identifier: Apache-2.0 */
/* Is this certificate one of the group's, for this purpose, at this time? (RFC 5280 6.1 with a path of one.) */
#ifndef SCG_PKI_CHAIN_H
#define SCG_PKI_CHAIN_H

#include <stdint.h>

#include <openssl/x509.h>

#include "base/err.h"

enum verdict { /* the default is refused */
	VERDICT_NO_CERTIFICATE = 0, VERDICT_FOREIGN, VERDICT_EXPIRED, VERDICT_NOT_YET_VALID, VERDICT_WRONG_PURPOSE, VERDICT_REVOKED, VERDICT_GOOD,
};
/* "no-certificate", "foreign", "expired", "not-yet-valid", "wrong-purpose", "revoked", "good". */
const char *verdict_name(enum verdict v);

enum purpose {
	PURPOSE_CLIENT,  /* EKU clientAuth */
	PURPOSE_SERVER,  /* EKU serverAuth */
	PURPOSE_SIGNER,  /* EKU emailProtection, keyUsage digitalSignature */
};

/* A trust anchor prepared once; read by several threads. ca is copied by reference. Checks that it is a CA certificate as section 2 has it. */
struct chain;
int chain_new(X509 *ca, struct chain **c, struct err *e) MUST_CHECK;
void chain_free(struct chain *c);
X509 *chain_ca(const struct chain *c);
/* The group that the CA names; borrowed. */
const char *chain_group(const struct chain *c);
/* Signature by the CA, then every rule of the profile (not the dates): VERDICT_GOOD; FOREIGN where the CA did not issue it; WRONG_PURPOSE where it
 * did, but not by the profile or for this purpose. e (may be NULL) gets the rule. Cost: one signature verification, or
 * a digest where the same certificate was good before. Never asks about revocation. Thread-safe. */
enum verdict chain_check(const struct chain *c, X509 *cert, enum purpose purpose, struct err *e);
/* The certificate with this SHA-256 of its DER, if chain_check found it good before and it was not pushed out by another since; else NULL.
 * A reference that the caller releases. Parsing one costs twice as much as a signature's verification. Thread-safe. */
X509 *chain_known(const struct chain *c, const uint8_t sha256[static 32]);
/* Dates only: GOOD, EXPIRED, NOT_YET_VALID. */
enum verdict chain_check_time(const X509 *cert, int64_t at_s, struct err *e);
/* The same by this machine's clock, which e then names too: where the dates seem wrong it may be the clock that is. */
enum verdict chain_check_now(const X509 *cert, struct err *e);

#endif
