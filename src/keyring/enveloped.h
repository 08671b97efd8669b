/* SPDX-License-Identifier: Apache-2.0 */
/* The structure of an enveloped key package, checked before any key touches it. */
#ifndef SCG_KEYRING_ENVELOPED_H
#define SCG_KEYRING_ENVELOPED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ENVELOPED_RECIPIENTS_MAX 16 /* at rest: the gateway and a recovery certificate, old and new; a reply has one */

/* DER ContentInfo(AuthEnvelopedData), RFC 5083: 1 to 16 recipients by ECDH-ES with AES-256 key wrap (RFC 5753, KDF with SHA-256) or RSA-OAEP with SHA-256
 * (RFC 4055), content SymmetricKeyPackage under AES-256-GCM with a nonce of 12 and a tag of 16 octets (RFC 5084), no attributes, nothing behind.
 * ERR_DAMAGED with the rule. */
int enveloped_check(const uint8_t *der, size_t len, struct err *e) MUST_CHECK;

#endif
