/* SPDX-License-Identifier: Apache-2.0 */
/* Names of groups and members, and the subject names made of them. */
#ifndef SCG_PKI_NAME_H
#define SCG_PKI_NAME_H

#include <openssl/x509.h>

#include "base/err.h"

#define NAME_MAX_BYTES 64 /* ub-common-name, RFC 5280 appendix A */

/* 1..64 bytes of UTF-8 in NFC without control characters, '/', '%', and no blank at either end. what: "group", "member". ERR_USAGE. */
int name_check(const char *name, const char *what, struct err *e) MUST_CHECK;
/* O=group, OU=role, CN=name (UTF8String), in this order; a NULL is left out. */
int name_build(const char *group, const char *role, const char *name, X509_NAME **out, struct err *e) MUST_CHECK;
/* The CA's: CN="GROUP CA"; where that is above 64 bytes (ub-common-name), O=GROUP, CN="CA". */
int name_build_ca(const char *group, X509_NAME **out, struct err *e) MUST_CHECK;
/* The single value of an attribute (NID_commonName...), checked as UTF-8 by name_check; malloc'd. ERR_DAMAGED. */
int name_get(const X509_NAME *n, int nid, char **out, struct err *e) MUST_CHECK;

#endif
