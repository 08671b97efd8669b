/* SPDX-License-Identifier: Apache-2.0 */
/* The signature algorithms that are taken, with their only encoding, and signing and verifying with them. */
#ifndef SCG_PKI_SIGALG_H
#define SCG_PKI_SIGALG_H

#include <stdbool.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/der.h"
#include "base/err.h"

enum sigalg {
	SIGALG_ECDSA_SHA256, /* RFC 5758 3.2 */
	SIGALG_ECDSA_SHA384,
	SIGALG_ECDSA_SHA512,
	SIGALG_RSA_SHA256,   /* RFC 4055 5 */
	SIGALG_RSA_SHA384,
	SIGALG_RSA_SHA512,
	SIGALG_RSA_CMS,      /* rsaEncryption beside a SHA-256 digestAlgorithm, RFC 3370 3.2 */
};

/* Where a signature stands says which algorithms may be used there. */
enum sigalg_use {
	SIGALG_IN_X509, /* lists: the hash is part of the algorithm; we sign with SHA-384 for P-384, else SHA-256 */
	SIGALG_IN_CMS,  /* SignerInfo: always SHA-256 */
};

/* The algorithm with which this key signs. ERR_REFUSED for a key that is neither EC nor RSA. */
int sigalg_of_key(EVP_PKEY *key, enum sigalg_use use, enum sigalg *alg, struct err *e) MUST_CHECK;
/* Appends the AlgorithmIdentifier. */
void sigalg_put(enum sigalg alg, struct buf *der);
/* Takes an AlgorithmIdentifier that is byte for byte one of this use's; ERR_DAMAGED. what cites the field. */
int sigalg_take(struct der *d, enum sigalg_use use, enum sigalg *alg, const char *what, struct err *e) MUST_CHECK;
/* Appends the signature over data. */
int sigalg_sign(enum sigalg alg, EVP_PKEY *key, const void *data, size_t len, struct buf *sig, struct err *e) MUST_CHECK;
/* ERR_DAMAGED, naming what, unless sig is key's over data. The key must suit the algorithm; an ECDSA signature must be canonical DER.
 * Thread-safe. */
int sigalg_verify(enum sigalg alg, EVP_PKEY *key, const void *data, size_t len, const uint8_t *sig, size_t sig_len, const char *what,
    struct err *e) MUST_CHECK;

#endif
