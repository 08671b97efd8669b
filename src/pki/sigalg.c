/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/sigalg.h"

#include <string.h>
#include <openssl/core_names.h>

#include "pki/ossl.h"

#define SIG_MAX 1024         /* RSA 8192 */
#define ECDSA_HALF_MAX 49    /* P-384's r or s with its sign octet */

/* Whole AlgorithmIdentifiers: one encoding each, so comparing bytes is the whole check. */
#define ECDSA(n) { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n }
#define RSA(n) { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n, 0x05, 0x00 }

static const uint8_t ecdsa_sha256[] = ECDSA(2), ecdsa_sha384[] = ECDSA(3), ecdsa_sha512[] = ECDSA(4);
static const uint8_t rsa_sha256[] = RSA(11), rsa_sha384[] = RSA(12), rsa_sha512[] = RSA(13), rsa_cms[] = RSA(1);

static const struct {
	const uint8_t *der;
	size_t len;
	int key_type;
	const char *md;
	enum sigalg_use use[2]; /* where it may stand */
} algs[] = {
	[SIGALG_ECDSA_SHA256] = { ecdsa_sha256, sizeof(ecdsa_sha256), EVP_PKEY_EC, "SHA256", { SIGALG_IN_X509, SIGALG_IN_CMS } },
	[SIGALG_ECDSA_SHA384] = { ecdsa_sha384, sizeof(ecdsa_sha384), EVP_PKEY_EC, "SHA384", { SIGALG_IN_X509, SIGALG_IN_X509 } },
	[SIGALG_ECDSA_SHA512] = { ecdsa_sha512, sizeof(ecdsa_sha512), EVP_PKEY_EC, "SHA512", { SIGALG_IN_X509, SIGALG_IN_X509 } },
	[SIGALG_RSA_SHA256] = { rsa_sha256, sizeof(rsa_sha256), EVP_PKEY_RSA, "SHA256", { SIGALG_IN_X509, SIGALG_IN_X509 } },
	[SIGALG_RSA_SHA384] = { rsa_sha384, sizeof(rsa_sha384), EVP_PKEY_RSA, "SHA384", { SIGALG_IN_X509, SIGALG_IN_X509 } },
	[SIGALG_RSA_SHA512] = { rsa_sha512, sizeof(rsa_sha512), EVP_PKEY_RSA, "SHA512", { SIGALG_IN_X509, SIGALG_IN_X509 } },
	[SIGALG_RSA_CMS] = { rsa_cms, sizeof(rsa_cms), EVP_PKEY_RSA, "SHA256", { SIGALG_IN_CMS, SIGALG_IN_CMS } },
};
#define N_ALGS (sizeof(algs) / sizeof(algs[0]))

static bool suits(size_t i, enum sigalg_use use) {
	return algs[i].use[0] == use || algs[i].use[1] == use;
}

int sigalg_of_key(EVP_PKEY *key, enum sigalg_use use, enum sigalg *alg, struct err *e) {
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		*alg = use == SIGALG_IN_X509 && EVP_PKEY_get_bits(key) > 256 ? SIGALG_ECDSA_SHA384 : SIGALG_ECDSA_SHA256;
		return 0;
	case EVP_PKEY_RSA:
		*alg = use == SIGALG_IN_CMS ? SIGALG_RSA_CMS : SIGALG_RSA_SHA256;
		return 0;
	default:
		return err_set(e, ERR_REFUSED, "RFC 5480, RFC 3279: a key that signs here is an EC or an RSA key");
	}
}

void sigalg_put(enum sigalg alg, struct buf *der) {
	buf_add(der, algs[alg].der, algs[alg].len);
}

int sigalg_take(struct der *d, enum sigalg_use use, enum sigalg *alg, const char *what, struct err *e) {
	struct der in, whole;
	uint8_t tag;
	int r = der_take_any(d, &tag, &in, &whole, what, e);
	if (r != 0)
		return r;
	for (size_t i = 0; i < N_ALGS; i++) {
		if (suits(i, use) && whole.len == algs[i].len && memcmp(whole.p, algs[i].der, whole.len) == 0) {
			*alg = (enum sigalg)i;
			return 0;
		}
	}
	return err_set(e, ERR_DAMAGED, "%s: %s", what, use == SIGALG_IN_CMS ? "not ecdsa-with-SHA256 or rsaEncryption" : "not ECDSA or RSA PKCS #1 v1.5 with SHA-2");
}

int sigalg_sign(enum sigalg alg, EVP_PKEY *key, const void *data, size_t len, struct buf *sig, struct err *e) {
	OWN(own_evp_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t out[SIG_MAX];
	size_t out_len = sizeof(out);
	if (EVP_PKEY_get_base_id(key) != algs[alg].key_type)
		return err_set(e, ERR_REFUSED, "the key does not suit the signature algorithm");
	if (ctx == NULL || EVP_DigestSignInit_ex(ctx, NULL, algs[alg].md, NULL, NULL, key, NULL) != 1
	    || EVP_DigestSign(ctx, out, &out_len, data, len) != 1)
		return ossl_err(e, ERR_FAIL, "cannot sign");
	buf_add(sig, out, out_len);
	return 0;
}

/* SEC 1 C.5 as DER: one encoding for each r and s, or whoever passes a signature on could change its bytes. */
static int check_ecdsa(const uint8_t *sig, size_t len, const char *what, struct err *e) {
	struct der d = { sig, len }, pair, n;
	int r = der_take(&d, DER_SEQUENCE, &pair, what, e);
	if (r == 0)
		r = der_end(&d, what, e);
	for (int i = 0; r == 0 && i < 2; i++) {
		r = der_take(&pair, DER_INTEGER, &n, what, e);
		if (r != 0)
			break;
		bool padded = n.len > 1 && n.p[0] == 0 && (n.p[1] & 0x80) == 0;
		if (n.len == 0 || n.len > ECDSA_HALF_MAX || (n.p[0] & 0x80) != 0 || padded)
			r = err_set(e, ERR_DAMAGED, "%s: RFC 3279 2.2.3: ECDSA signature is not canonical", what);
	}
	return r == 0 ? der_end(&pair, what, e) : r;
}

int sigalg_verify(enum sigalg alg, EVP_PKEY *key, const void *data, size_t len, const uint8_t *sig, size_t sig_len, const char *what,
    struct err *e) {
	if (key == NULL || EVP_PKEY_get_base_id(key) != algs[alg].key_type)
		return err_set(e, ERR_DAMAGED, "%s: the signer's key does not suit the signature algorithm", what);
	int r = algs[alg].key_type == EVP_PKEY_EC ? check_ecdsa(sig, sig_len, what, e) : 0;
	if (r != 0)
		return r;
	OWN(own_evp_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (ctx == NULL || EVP_DigestVerifyInit_ex(ctx, NULL, algs[alg].md, NULL, NULL, key, NULL) != 1)
		return ossl_err(e, ERR_FAIL, "%s: cannot verify", what);
	if (EVP_DigestVerify(ctx, sig, sig_len, data, len) != 1) {
		(void)ossl_err(NULL, ERR_DAMAGED, "%s", what);
		return err_set(e, ERR_DAMAGED, "%s: the signature is not the signer's", what);
	}
	return 0;
}
