/* SPDX-License-Identifier: Apache-2.0 */
/* The epochs of a group key, and the packages in which they travel and rest (RFC 6031 in RFC 5652/5083). */
#ifndef SCG_KEYRING_KEYRING_H
#define SCG_KEYRING_KEYRING_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/secret.h"
#include "pki/signed.h"

#define KEY_ID_LEN 16
#define KEY_ID_HEX 33
#define GROUP_KEY_LEN 32
#define KEYRING_MAX 100000          /* epochs: one an eviction */
#define KEY_REPLY_MAX (32u << 20)

struct epoch {
	uint64_t number;                /* 1.. */
	uint8_t key_id[KEY_ID_LEN];
	struct secret key;              /* GROUP_KEY_LEN */
	int64_t created_s;
	int64_t retired_s;              /* 0: current */
};
struct keyring { char *group; struct epoch *v; size_t n; /* newest first, numbers falling */ };

/* Wipes the keys and releases; safe on {0}. */
void keyring_wipe(struct keyring *k);
/* A fresh epoch in front: number one above, the one before retired at now_s. */
int keyring_rotate(struct keyring *k, int64_t now_s, struct err *e) MUST_CHECK;
/* Borrowed, or NULL. */
const struct epoch *keyring_find(const struct keyring *k, const uint8_t key_id[static KEY_ID_LEN]);
const struct epoch *keyring_current(const struct keyring *k);
/* Removes one retired epoch (nothing on the drive is under it any more). */
int keyring_drop(struct keyring *k, uint64_t number, struct err *e) MUST_CHECK;

/* SymmetricKeyPackage (RFC 6031): the DER of the package alone; out holds keys: wipe it. */
int keyring_encode(const struct keyring *k, struct buf *out, struct err *e) MUST_CHECK;
/* Strict; k must be empty. ERR_DAMAGED. */
int keyring_decode(const uint8_t *der, size_t len, struct keyring *k, struct err *e) MUST_CHECK;

/* CMS AuthEnvelopedData (content type SymmetricKeyPackage) to each of the certificates (ECDH-ES + AES-256 wrap or RSA-OAEP-SHA256), by_ski:
 * recipients named by SKI. AES-256-GCM. DER ContentInfo, appended. 1..16 certificates. */
int keyring_seal(const struct keyring *k, X509 *const *certs, size_t n, int by_ski, struct buf *der, struct err *e) MUST_CHECK;
/* Strict: structure first (enveloped.h), then the key. k must be empty. ERR_REFUSED if the package is for other certificates, else ERR_DAMAGED. */
int keyring_open(const uint8_t *der, size_t len, X509 *cert, EVP_PKEY *key, struct keyring *k, struct err *e) MUST_CHECK;

/* The reply of GET /v1/keys: SignedData (signed.h) by the gateway, with a nonce, over the sealed package. */
int keyring_reply_make(const uint8_t *sealed, size_t len, const struct signed_make *by, struct buf *der, struct err *e) MUST_CHECK;
/* Who made a reply, and what he said beside the keys. */
struct keyring_said {
	X509 *gw_cert;                  /* owned */
	int64_t signed_s;
	char log_head[SIGNED_LOG_HEAD_MAX + 1]; /* of the audit log, as it came; "": none */
};
void keyring_said_wipe(struct keyring_said *s); /* safe on {0} */
/* Verifies structure, signature and nonce (nonce NULL: any, for a stored reply), opens to the member's key. said begins as {0} (wipe it in every case); the certificate's
 * chain, purpose, name and revocation are the caller's to check. ERR_DAMAGED, or ERR_REFUSED for a reply to somebody else. */
int keyring_reply_open(const uint8_t *der, size_t len, const uint8_t *nonce, size_t nonce_len, X509 *cert, EVP_PKEY *key,
    struct keyring *k, struct keyring_said *said, struct err *e) MUST_CHECK;

#endif
