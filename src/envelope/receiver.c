/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/receiver.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "envelope/content.h"
#include "pki/cert.h"
#include "pki/ossl.h"

OWN_DEFINE(ossl_bytes, unsigned char, OPENSSL_free)

/* RFC 3565 2.3.2: 2.16.840.1.101.3.4.1.45, as AlgorithmIdentifier */
static const uint8_t wrap_alg[] = { 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d };

/* ECC-CMS-SharedInfo (RFC 5753 7.2): what the key is for and its length in bits. */
static void shared_info(struct buf *b) {
	static const uint8_t bits[] = { 0, 0, 1, 0 };
	size_t mark;

	buf_add(b, wrap_alg, sizeof wrap_alg);
	mark = b->len;
	der_put(b, DER_OCTET_STRING, bits, sizeof bits);
	der_wrap(b, mark, DER_CTX_CONS(2));
	der_wrap(b, 0, DER_SEQUENCE);
}

/* RFC 5753 7.1.4: X9.63's derivation with SHA-256. */
static int agree(EVP_PKEY *own, EVP_PKEY *peer, uint8_t kek[static GROUP_KEY_LEN]) {
	OWN(own_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	OWN(buf_wipe) struct buf info = {0};
	size_t len = GROUP_KEY_LEN;
	unsigned char *ukm;

	shared_info(&info);
	if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, peer) != 1 ||
	    EVP_PKEY_CTX_set_ecdh_kdf_type(ctx, EVP_PKEY_ECDH_KDF_X9_63) != 1 || EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, content_sha256()) != 1 ||
	    EVP_PKEY_CTX_set_ecdh_kdf_outlen(ctx, GROUP_KEY_LEN) != 1 || (ukm = OPENSSL_memdup(info.data, info.len)) == NULL)
		return -1;
	if (EVP_PKEY_CTX_set0_ecdh_kdf_ukm(ctx, ukm, (int)info.len) != 1) {
		OPENSSL_free(ukm);
		return -1;
	}
	return EVP_PKEY_derive(ctx, kek, &len) == 1 && len == GROUP_KEY_LEN ? 0 : -1;
}

static int agree_and_wrap(EVP_PKEY *own, EVP_PKEY *peer, bool wrap, const uint8_t *in, uint8_t *out) {
	uint8_t kek[GROUP_KEY_LEN];
	int r = agree(own, peer, kek);

	if (r == 0)
		r = content_key_wrap(kek, wrap, in, wrap ? GROUP_KEY_LEN : OBJECT_WRAPPED_LEN, out);
	secret_clean(kek, sizeof kek);
	return r;
}

static int wrap_ec(EVP_PKEY *to, const struct secret *key, struct recipient *r) {
	OWN(own_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, to, NULL);
	OWN(own_pkey) EVP_PKEY *own = NULL;
	OWN(own_ossl_bytes) unsigned char *point = NULL;

	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_keygen(ctx, &own) != 1)
		return -1;
	r->kind = RECIPIENT_EC;
	r->point_len = EVP_PKEY_get1_encoded_public_key(own, &point);
	r->key_len = OBJECT_WRAPPED_LEN;
	if (r->point_len == 0 || r->point_len > sizeof r->point)
		return -1;
	memcpy(r->point, point, r->point_len);
	return agree_and_wrap(own, to, true, key->data, r->key);
}

/* The point is checked to lie on the curve of our own key. */
static int unwrap_ec(const struct recipient *r, EVP_PKEY *own, uint8_t *key) {
	OWN(own_pkey) EVP_PKEY *peer = EVP_PKEY_new();

	if (r->key_len != OBJECT_WRAPPED_LEN || peer == NULL || EVP_PKEY_copy_parameters(peer, own) != 1 ||
	    EVP_PKEY_set1_encoded_public_key(peer, r->point, r->point_len) != 1)
		return -1;
	return agree_and_wrap(own, peer, false, r->key, key);
}

/* RFC 4055 4.1: the label is empty. */
static EVP_PKEY_CTX *oaep(EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *)) {
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	if (ctx != NULL && init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, content_sha256()) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, content_sha256()) == 1)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

static int wrap_rsa(EVP_PKEY *to, const struct secret *key, struct recipient *r) {
	OWN(own_pkey_ctx) EVP_PKEY_CTX *ctx = oaep(to, EVP_PKEY_encrypt_init);

	r->kind = RECIPIENT_RSA;
	r->key_len = sizeof r->key;
	return ctx != NULL && EVP_PKEY_encrypt(ctx, r->key, &r->key_len, key->data, key->len) == 1 ? 0 : -1;
}

static int unwrap_rsa(const struct recipient *r, EVP_PKEY *own, uint8_t *key) {
	OWN(own_pkey_ctx) EVP_PKEY_CTX *ctx = oaep(own, EVP_PKEY_decrypt_init);
	uint8_t plain[RECIPIENT_KEY_MAX];
	size_t len = sizeof plain;
	int ok = ctx != NULL && (size_t)EVP_PKEY_get_size(own) == r->key_len && EVP_PKEY_decrypt(ctx, plain, &len, r->key, r->key_len) == 1 &&
		 len == GROUP_KEY_LEN;

	if (ok)
		memcpy(key, plain, GROUP_KEY_LEN);
	secret_clean(plain, sizeof plain);
	return ok ? 0 : -1;
}

int receiver_wrap(X509 *cert, const struct secret *key, struct recipient *r, struct err *e) {
	EVP_PKEY *to = X509_get0_pubkey(cert);
	size_t ski_len;
	const uint8_t *ski = cert_ski(cert, &ski_len);
	int rc;

	*r = (struct recipient){0};
	if (to == NULL || ski == NULL || ski_len != sizeof r->ski || content_sha256() == NULL)
		return ossl_err(e, ERR_REFUSED, "RFC 5280 4.2.1.2: the certificate has no subject key identifier of 20 octets, or no key");
	memcpy(r->ski, ski, ski_len);
	rc = EVP_PKEY_is_a(to, "EC") ? wrap_ec(to, key, r) : EVP_PKEY_is_a(to, "RSA") ? wrap_rsa(to, key, r) : -1;
	return rc == 0 ? 0 : ossl_err(e, ERR_REFUSED, "the certificate's key cannot receive");
}

int receiver_unwrap(const struct recipient *r, X509 *cert, EVP_PKEY *own, struct secret *key, struct err *e) {
	bool ec = EVP_PKEY_is_a(own, "EC") == 1;
	size_t ski_len;
	const uint8_t *ski = cert_ski(cert, &ski_len);
	int rc;

	if (ski == NULL || ski_len != sizeof r->ski || memcmp(ski, r->ski, ski_len) != 0 || ec != (r->kind == RECIPIENT_EC))
		return err_set(e, ERR_REFUSED, "RFC 5652 6.2: sealed to another certificate than this member's");
	if ((rc = secret_init(key, GROUP_KEY_LEN, e)) != 0)
		return rc;
	if ((ec ? unwrap_ec(r, own, key->data) : unwrap_rsa(r, own, key->data)) == 0)
		return 0;
	secret_wipe(key);
	ERR_clear_error();
	return err_set(e, ERR_DAMAGED, ec ? "RFC 5753 3.1: the wrapped key does not unwrap with this key"
					  : "RFC 8017 7.1.2: the encrypted key does not decrypt with this key");
}
