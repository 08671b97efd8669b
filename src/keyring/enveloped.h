/* SPDX-License-Identifier: Apache-2.0 */
/* What is enveloped to certificates: its structure, checked before any key touches it, then sealing and opening. */
#ifndef SCG_KEYRING_ENVELOPED_H
#define SCG_KEYRING_ENVELOPED_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/buf.h"
#include "base/der.h"
#include "base/err.h"

#define ENVELOPED_RECIPIENTS_MAX 16 /* at rest: the gateway and a recovery certificate, old and new; a reply has one */

/* What lies inside. */
enum enveloped_kind {
	ENVELOPED_KEY_PACKAGE, /* SymmetricKeyPackage, RFC 6031 */
	ENVELOPED_DATA,        /* id-data, RFC 5652 4: any bytes */
};

/* DER ContentInfo(AuthEnvelopedData), RFC 5083: 1 to 16 recipients by ECDH-ES with AES-256 key wrap (RFC 5753, KDF with SHA-256) or RSA-OAEP with SHA-256
 * (RFC 4055), content of this kind under AES-256-GCM with a nonce of 12 and a tag of 16 octets (RFC 5084), no attributes, nothing behind.
 * ERR_DAMAGED with the rule. */
int enveloped_check(const uint8_t *der, size_t len, enum enveloped_kind kind, struct err *e) MUST_CHECK;
/* One RecipientInfo of those two forms: its tag and content. ERR_DAMAGED with the rule. */
int enveloped_check_recipient(uint8_t tag, struct der ri, struct err *e) MUST_CHECK;
/* Appends that. by_ski: recipients named by SKI. 1 to 16 certificates. */
int enveloped_seal(
    const struct buf *content, enum enveloped_kind kind, X509 *const *certs, size_t n, int by_ski, struct buf *der, struct err *e) MUST_CHECK;
/* Checked first; the content is appended (wipe it, in every case). ERR_REFUSED where it is for other certificates, else ERR_DAMAGED. */
int enveloped_open(
    const uint8_t *der, size_t len, enum enveloped_kind kind, X509 *cert, EVP_PKEY *key, struct buf *content, struct err *e) MUST_CHECK;

#endif
