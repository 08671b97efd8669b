/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate profiles of a group (RFC 5280 4), as a CA issues them. */
#ifndef SCG_PKI_PROFILE_H
#define SCG_PKI_PROFILE_H

#include <openssl/x509.h>

#include "base/err.h"

#define PROFILE_SKEW_S 300 /* dates go back for members whose clocks are behind */

enum role { ROLE_MEMBER, ROLE_GATEWAY, ROLE_ADMIN };
/* "member", "gateway", "admin"; ERR_USAGE for another. */
int role_parse(const char *name, enum role *r, struct err *e) MUST_CHECK;
const char *role_name(enum role r);

struct profile_request {
	enum role role;
	const char *name;           /* CN */
	const char *san;            /* "DNS:a,IP:1.2.3.4", required for gateways, else NULL */
	const char *crl_url;        /* distribution point, or NULL */
	int64_t not_before_s, not_after_s;
	uint8_t serial[16];         /* random; the profile clears the top bit and sees that it is not 0 */
};
/* Self-signed CA certificate, CN "GROUP CA", pathlen 0. */
int profile_ca(EVP_PKEY *key, const char *group, int64_t not_before_s, int64_t not_after_s, X509 **ca, struct err *e) MUST_CHECK;
/* Certificate over pub, signed by the CA. not_after is cut to the CA's own. */
int profile_issue(EVP_PKEY *ca_key, X509 *ca, EVP_PKEY *pub, const struct profile_request *r, X509 **cert, struct err *e) MUST_CHECK;

#endif
