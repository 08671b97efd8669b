/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's objects with our owners and our errors; digests. */
#ifndef SCG_PKI_OSSL_H
#define SCG_PKI_OSSL_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

OWN_DEFINE(pkey, EVP_PKEY, EVP_PKEY_free)
OWN_DEFINE(pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
OWN_DEFINE(x509, X509, X509_free)
OWN_DEFINE(x509_name, X509_NAME, X509_NAME_free)
OWN_DEFINE(x509_req, X509_REQ, X509_REQ_free)
OWN_DEFINE(x509_crl, X509_CRL, X509_CRL_free)
OWN_DEFINE(x509_store, X509_STORE, X509_STORE_free)
OWN_DEFINE(x509_store_ctx, X509_STORE_CTX, X509_STORE_CTX_free)
OWN_DEFINE(bio, BIO, BIO_free_all)
OWN_DEFINE(cms, CMS_ContentInfo, CMS_ContentInfo_free)
OWN_DEFINE(evp_md_ctx, EVP_MD_CTX, EVP_MD_CTX_free)
OWN_DEFINE(evp_cipher_ctx, EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

/* Sets text and OpenSSL's first queued reason (its reason string only, never raw data), clears the queue. Returns code. */
int ossl_err(struct err *e, int code, const char *fmt, ...) ERR_PRINTF(3, 4);

#define SHA256_LEN 32
/* SHA-256 of len bytes (FIPS 180-4). */
void ossl_sha256(const void *data, size_t len, uint8_t out[static SHA256_LEN]);
/* The same of two pieces, one behind the other. */
void ossl_sha256_two(const void *a, size_t a_len, const void *b, size_t b_len, uint8_t out[static SHA256_LEN]);

/* OIDs that OpenSSL 3.0 does not name; NIDs made once, thread-safe. RFC 8894 3.2.1.6 recipientNonce. */
int ossl_nid_recipient_nonce(void);

#endif
