/* SPDX-License-Identifier: Apache-2.0 */
/* CMS SignedData (RFC 5652 5) with exactly one signer, SHA-256, and just the signed attributes that we name. */
#ifndef SCG_PKI_SIGNED_H
#define SCG_PKI_SIGNED_H

#include <stdbool.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"

struct chain;

#define SIGNED_NONCE_MIN 8
#define SIGNED_NONCE_MAX 32
#define SIGNED_LOG_HEAD_MAX 192

struct signed_make {
	EVP_PKEY *key;
	X509 *cert;             /* the signer's */
	bool by_ski;            /* signer named by SKI and no certificate inside (events); else issuer+serial and the certificate inside */
	const uint8_t *nonce;   /* recipientNonce, or NULL */
	size_t nonce_len;       /* 8..32 */
	const char *log_head;   /* beside a nonce: text of 1..SIGNED_LOG_HEAD_MAX octets that is signed along (doc/FORMAT 2), or NULL */
	int64_t time_s;         /* signingTime */
};
/* DER ContentInfo(SignedData) with the content inside (id-data); attributes contentType, messageDigest, signingTime,
 * signingCertificateV2 (RFC 5035, SHA-256 default algorithm omitted) and, with a nonce, recipientNonce and perhaps a log's head. ECDSA keys sign with SHA-256 for P-384
 * too; RSA with PKCS #1 v1.5 SHA-256. */
int signed_make(const struct signed_make *m, const void *content, size_t len, struct buf *der, struct err *e) MUST_CHECK;

struct signed_info {
	const uint8_t *content;   /* points into der */
	size_t content_len;
	X509 *cert;               /* the certificate inside (owned) or NULL */
	uint8_t ski[20];          /* the signer's SKI when named so */
	bool by_ski;
	uint8_t nonce[SIGNED_NONCE_MAX];
	size_t nonce_len;         /* 0: no nonce attribute */
	const uint8_t *log_head;  /* points into der; NULL: none. Never without a nonce */
	size_t log_head_len;
	int64_t time_s;           /* signingTime: a claim */
	const uint8_t *attrs, *sig; size_t attrs_len, sig_len; /* point into der; attrs is the content of the SET */
	uint8_t cert_hash[32];    /* of signingCertificateV2 */
	uint8_t digest[32];       /* of messageDigest */
	int sig_alg;              /* an enum sigalg */
};
/* Strict parse of canonical DER of exactly this profile, before any cryptography; each deviation (two signers, no signer, other digest or attributes,
 * CRLs, more than one certificate, BER, bytes behind) is ERR_DAMAGED with the RFC section. */
int signed_parse(const uint8_t *der, size_t len, struct signed_info *info, struct err *e) MUST_CHECK;
/* The same; the certificate inside is not parsed again where known is given and has it (chain_known). */
int signed_parse_known(const uint8_t *der, size_t len, const struct chain *known, struct signed_info *info, struct err *e) MUST_CHECK;
void signed_wipe(struct signed_info *info);
/* messageDigest over the content, signingCertificateV2 against cert (RFC 5035), SKI or issuer+serial against cert, signature by cert's key. The chain is
 * the caller's to check. Thread-safe. ERR_DAMAGED. */
int signed_verify(const struct signed_info *info, X509 *cert, struct err *e) MUST_CHECK;

#endif
