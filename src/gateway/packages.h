/* SPDX-License-Identifier: Apache-2.0 */
/* The epochs sealed to each member, made once a member and epoch. */
#ifndef SCG_GATEWAY_PACKAGES_H
#define SCG_GATEWAY_PACKAGES_H

#include <stdint.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "keyring/keyring.h"

struct packages;

/* Nothing prepared yet; never NULL. */
struct packages *packages_new(void);
void packages_free(struct packages *p); /* p may be NULL */
/* The keyring sealed to this certificate (sha256 is its digest); borrowed until the next call. Whatever was made under
 * another generation is forgotten. */
int packages_get(struct packages *p, const struct keyring *k, uint64_t generation, X509 *cert,
    const uint8_t sha256[static 32], const struct buf **out, struct err *e) MUST_CHECK;

#endif
