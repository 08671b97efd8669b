/* SPDX-License-Identifier: Apache-2.0 */
/* Certification requests, PKCS #10 (RFC 2986). */
#ifndef SCG_PKI_CSR_H
#define SCG_PKI_CSR_H

#include <openssl/evp.h>

#include "base/buf.h"

#define CSR_MAX_BYTES 16384

/* PEM request for key, subject CN=name, signed with SHA-256 (P-384: SHA-384). */
int csr_make(EVP_PKEY *key, const char *name, struct buf *pem, struct err *e) MUST_CHECK;
/* PEM or DER; checks the signature (proof of possession), its hash, and the key (key_check); the public key is all that is taken.
 * ERR_DAMAGED: not a request, bad signature; ERR_REFUSED: weak key or hash. */
int csr_open(const uint8_t *data, size_t len, EVP_PKEY **pub, struct err *e) MUST_CHECK;

#endif
