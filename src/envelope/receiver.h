/* SPDX-License-Identifier: Apache-2.0 */
/* The content key to a certificate and back: ECDH-ES (RFC 5753) and RSA-OAEP (RFC 3560). */
#ifndef SCG_ENVELOPE_RECEIVER_H
#define SCG_ENVELOPE_RECEIVER_H

#include <openssl/x509.h>

#include "base/secret.h"
#include "envelope/recipient.h"

/* Wraps the content key (32 octets) to the certificate's key, with an ephemeral key made here if it is EC. Whose certificate it is and
 * whether it is good the caller has found out. ERR_REFUSED where it has no subject key identifier of 20 octets, or a key of another kind. */
int receiver_wrap(X509 *cert, const struct secret *key, struct recipient *r, struct err *e) MUST_CHECK;
/* Into key, which must be empty. ERR_REFUSED: for another certificate. ERR_DAMAGED: it does not unwrap. */
int receiver_unwrap(const struct recipient *r, X509 *cert, EVP_PKEY *own, struct secret *key, struct err *e) MUST_CHECK;

#endif
