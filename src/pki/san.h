/* SPDX-License-Identifier: Apache-2.0 */
/* Subject alternative names of gateways (RFC 5280 4.2.1.6): host names and addresses. */
#ifndef SCG_PKI_SAN_H
#define SCG_PKI_SAN_H

#include <stdbool.h>
#include <openssl/x509v3.h>

#include "base/err.h"

#define SAN_MAX 32 /* entries; a gateway is known under a handful of names */

/* RFC 1123 2.1 host name: letters, digits, '-' in labels of 1..63, 253 in all, no wildcard, the last label not a number (so that no address
 * passes for a name). */
bool san_is_host(const char *name);
/* "DNS:a.example,IP:192.0.2.1,IP:2001:db8::1", 1..SAN_MAX entries. ERR_USAGE. */
int san_parse(const char *text, GENERAL_NAMES **out, struct err *e) MUST_CHECK;

#endif
