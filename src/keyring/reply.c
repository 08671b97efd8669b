/* SPDX-License-Identifier: Apache-2.0 */
/* What GET /v1/keys answers: the enveloped package, signed by the gateway together with the nonce of whoever asks. */
#include "keyring/keyring.h"

#include <string.h>

#include <openssl/crypto.h>

#include "pki/ossl.h"
#include "pki/signed.h"

int keyring_reply_make(const uint8_t *sealed, size_t len, const struct signed_make *by, struct buf *der, struct err *e) {
	if (by->nonce == NULL)
		return err_set(e, ERR_FAIL, "a key reply carries a nonce");
	return signed_make(by, sealed, len, der, e);
}

void keyring_said_wipe(struct keyring_said *s) {
	X509_free(s->gw_cert);
	*s = (struct keyring_said){0};
}

static int check_nonce(const struct signed_info *info, const uint8_t *nonce, size_t len, struct err *e) {
	if (info->nonce_len == 0)
		return err_set(e, ERR_DAMAGED, "RFC 8894 3.2.1.6: the key reply carries no nonce");
	if (nonce != NULL && (len != info->nonce_len || CRYPTO_memcmp(nonce, info->nonce, len) != 0))
		return err_set(e, ERR_DAMAGED, "RFC 8894 3.2.1.6: the key reply carries another nonce, it was replayed");
	return 0;
}

static int open_reply(const struct signed_info *info, const uint8_t *nonce, size_t nonce_len, X509 *cert, EVP_PKEY *key, struct keyring *k,
    struct err *e) {
	int r;

	if (info->cert == NULL)
		return err_set(e, ERR_DAMAGED, "RFC 5652 5.1: the key reply does not bring the gateway's certificate");
	if ((r = signed_verify(info, info->cert, e)) != 0 || (r = check_nonce(info, nonce, nonce_len, e)) != 0)
		return r;
	return keyring_open(info->content, info->content_len, cert, key, k, e);
}

int keyring_reply_open(const uint8_t *der, size_t len, const uint8_t *nonce, size_t nonce_len, X509 *cert, EVP_PKEY *key,
    struct keyring *k, struct keyring_said *said, struct err *e) {
	OWN(signed_wipe) struct signed_info info = {0};
	int r;

	if (len > KEY_REPLY_MAX)
		return err_set(e, ERR_DAMAGED, "a key reply above %u MiB", KEY_REPLY_MAX >> 20);
	if ((r = signed_parse(der, len, &info, e)) != 0 || (r = open_reply(&info, nonce, nonce_len, cert, key, k, e)) != 0)
		return r;
	said->signed_s = info.time_s;
	if (info.log_head != NULL)
		memcpy(said->log_head, info.log_head, info.log_head_len);
	said->log_head[info.log_head_len] = '\0';
	said->gw_cert = info.cert;
	info.cert = NULL;
	return 0;
}
