/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/key.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/pass.h"
#include "base/text.h"
#include "pki/ossl.h"
#include "pki/pem.h"

#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 8192 /* above, one verification costs tens of milliseconds: a lever for whoever sends us certificates */

/* scrypt (RFC 7914): OpenSSL opens files of at most 32 MiB (128 * r * N), so N = 2^14, r = 8; p = 5 makes up for the memory that N may not
 * have (the same work as N = 2^17, p = 1 within an eighth of its memory). */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 5
#define SCRYPT_SALT 16

OWN_DEFINE(pkcs8, PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
OWN_DEFINE(x509_sig, X509_SIG, X509_SIG_free)

int key_make(const char *spec, EVP_PKEY **key, struct err *e) {
	uint64_t bits = 0;

	*key = NULL;
	if (spec == NULL || strcmp(spec, "ec:P-256") == 0)
		*key = EVP_EC_gen("P-256");
	else if (strcmp(spec, "ec:P-384") == 0)
		*key = EVP_EC_gen("P-384");
	else if (strncmp(spec, "rsa:", 4) == 0 && text_u64(spec + 4, RSA_MAX_BITS, &bits, NULL) == 0 && bits >= RSA_MIN_BITS &&
	    bits % 1024 == 0)
		*key = EVP_RSA_gen((unsigned)bits);
	else
		return err_set(e, ERR_USAGE, "key type is none of ec:P-256, ec:P-384, rsa:2048 to rsa:8192");
	return *key == NULL ? ossl_err(e, ERR_FAIL, "cannot make a key") : 0;
}

static int check_ec(EVP_PKEY *key, const char *what, struct err *e) {
	char curve[32];
	size_t len = 0;
	int explicit_params = 0;

	if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_params) == 1 && explicit_params != 0)
		return err_set(e, ERR_REFUSED, "%s: RFC 5480 2.1.1: curve parameters spelled out", what);
	if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve, &len) != 1)
		return ossl_err(e, ERR_REFUSED, "%s: RFC 5480 2.1.1.1: no named curve", what);
	if (strcmp(curve, "prime256v1") != 0 && strcmp(curve, "secp384r1") != 0)
		return err_set(e, ERR_REFUSED, "%s: RFC 5480 2.1.1.1: curve is neither P-256 nor P-384", what);
	return 0;
}

static bool bn_param_holds(EVP_PKEY *key, const char *param, bool (*holds)(const BIGNUM *n)) {
	BIGNUM *n = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, param, &n) == 1 && holds(n);

	BN_free(n);
	return ok;
}

static bool is_usual_exponent(const BIGNUM *n) {
	return BN_is_word(n, RSA_F4) == 1;
}

static bool is_odd(const BIGNUM *n) {
	return BN_is_odd(n) == 1;
}

static int check_rsa(EVP_PKEY *key, const char *what, struct err *e) {
	int bits = EVP_PKEY_get_bits(key);

	if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
		return err_set(e, ERR_REFUSED, "%s: RFC 9325 4.5: RSA key of %d bits, %d to %d are taken", what, bits, RSA_MIN_BITS,
		    RSA_MAX_BITS);
	if (!bn_param_holds(key, OSSL_PKEY_PARAM_RSA_E, is_usual_exponent))
		return err_set(e, ERR_REFUSED, "%s: RFC 8017 3.1: RSA exponent is not 65537", what);
	if (!bn_param_holds(key, OSSL_PKEY_PARAM_RSA_N, is_odd))
		return err_set(e, ERR_REFUSED, "%s: RFC 8017 3.1: RSA modulus is even", what);
	return 0;
}

int key_check(EVP_PKEY *key, const char *what, struct err *e) {
	int type = EVP_PKEY_get_base_id(key);

	if (type == EVP_PKEY_EC)
		return check_ec(key, what, e);
	if (type == EVP_PKEY_RSA)
		return check_rsa(key, what, e);
	return err_set(e, ERR_REFUSED, "%s: RFC 3279 2.3: key is neither EC nor RSA", what);
}

int key_check_public(EVP_PKEY *key, const char *what, struct err *e) {
	int rc = key_check(key, what, e);

	if (rc < 0)
		return rc;
	OWN(own_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (ctx == NULL || EVP_PKEY_public_check_quick(ctx) != 1)
		return ossl_err(e, ERR_REFUSED, "%s: RFC 5480 2.2, RFC 8017 3.1: not a valid public key", what);
	return 0;
}

/* DER of PrivateKeyInfo (RFC 5958). */
static int encode_plain(EVP_PKEY *key, struct buf *pem, struct err *e) {
	unsigned char *der = NULL;

	OWN(own_pkcs8) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	int len = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	if (len <= 0)
		return ossl_err(e, ERR_FAIL, "cannot encode the key");
	int rc = pem_write("PRIVATE KEY", der, (size_t)len, pem, e);
	OPENSSL_clear_free(der, (size_t)len);
	return rc;
}

/* DER of EncryptedPrivateKeyInfo: PBES2 (RFC 8018 6.2) with scrypt (RFC 7914 7.1) and AES-256-CBC. */
static int encode_encrypted(EVP_PKEY *key, const struct secret *pass, struct buf *pem, struct err *e) {
	uint8_t salt[SCRYPT_SALT];
	unsigned char *der = NULL;
	int rc;

	if ((rc = random_bytes(salt, sizeof salt, e)) < 0)
		return rc;
	OWN(own_pkcs8) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	X509_ALGOR *pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof salt, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
	if (info == NULL || pbe == NULL) {
		X509_ALGOR_free(pbe);
		return ossl_err(e, ERR_FAIL, "cannot encrypt the key");
	}
	/* Takes pbe over when it succeeds. */
	OWN(own_x509_sig) X509_SIG *sig = PKCS8_set0_pbe((const char *)pass->data, (int)pass->len, info, pbe);
	if (sig == NULL)
		X509_ALGOR_free(pbe);
	int len = sig == NULL ? -1 : i2d_X509_SIG(sig, &der);
	if (len <= 0)
		return ossl_err(e, ERR_FAIL, "cannot encrypt the key");
	rc = pem_write("ENCRYPTED PRIVATE KEY", der, (size_t)len, pem, e);
	OPENSSL_free(der);
	return rc;
}

int key_save_new(const char *path, EVP_PKEY *key, const struct secret *pass, struct err *e) {
	OWN(buf_wipe) struct buf pem = {0};
	bool plain = pass == NULL || pass->len == 0;
	int rc = plain ? encode_plain(key, &pem, e) : encode_encrypted(key, pass, &pem, e);

	if (rc < 0)
		return err_add(e, "%s", path);
	return file_save_new(path, pem.data, pem.len, 0600, e);
}

static int decode_plain(const struct buf *der, EVP_PKEY **key, struct err *e) {
	const unsigned char *p = der->data;

	OWN(own_pkcs8) PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der->len);
	if (info == NULL || p != der->data + der->len)
		return ossl_err(e, ERR_DAMAGED, "RFC 5958 2: not a PKCS #8 key");
	*key = EVP_PKCS82PKEY(info);
	return *key == NULL ? ossl_err(e, ERR_DAMAGED, "RFC 5958 2: not a key that we know") : 0;
}

static int decode_encrypted(const struct buf *der, const char *path, const char *passin, EVP_PKEY **key, struct err *e) {
	OWN(secret_wipe) struct secret pass = {0};
	const unsigned char *p = der->data;
	int rc;

	OWN(own_x509_sig) X509_SIG *sig = d2i_X509_SIG(NULL, &p, (long)der->len);
	if (sig == NULL || p != der->data + der->len)
		return ossl_err(e, ERR_DAMAGED, "RFC 5958 3: not an encrypted PKCS #8 key");
	if ((rc = pass_read(passin, path, false, &pass, e)) < 0)
		return rc;
	OWN(own_pkcs8) PKCS8_PRIV_KEY_INFO *info = PKCS8_decrypt(sig, (const char *)pass.data, (int)pass.len);
	if (info == NULL)
		return ossl_err(e, ERR_FAIL, "the passphrase is wrong");
	*key = EVP_PKCS82PKEY(info);
	return *key == NULL ? ossl_err(e, ERR_DAMAGED, "RFC 5958 2: not a key that we know") : 0;
}

static int decode(const struct buf *text, const char *path, const char *passin, EVP_PKEY **key, struct err *e) {
	OWN(buf_wipe) struct buf der = {0};
	char label[PEM_LABEL_MAX];
	int rc = pem_read(text->data, text->len, label, &der, e);

	if (rc < 0)
		return rc;
	if (der.len > KEY_FILE_MAX)
		return err_set(e, ERR_DAMAGED, "RFC 5958 2: too long");
	if (strcmp(label, "PRIVATE KEY") == 0)
		return decode_plain(&der, key, e);
	if (strcmp(label, "ENCRYPTED PRIVATE KEY") == 0)
		return decode_encrypted(&der, path, passin, key, e);
	return err_set(e, ERR_DAMAGED, "RFC 5958 2: not a PKCS #8 key (openssl pkcs8 -topk8 makes one)");
}

/* A file may name another public key than the private one's. One signature tells; OpenSSL's own check takes 150 ms with RSA 3072. */
static int check_pair(EVP_PKEY *key, const char *path, struct err *e) {
	static const uint8_t probe[] = "probe";
	uint8_t sig[RSA_MAX_BITS / 8];
	size_t len = sizeof sig;

	OWN(own_evp_md_ctx) EVP_MD_CTX *sign = EVP_MD_CTX_new();
	OWN(own_evp_md_ctx) EVP_MD_CTX *verify = EVP_MD_CTX_new();
	if (sign == NULL || verify == NULL || EVP_DigestSignInit(sign, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(sign, sig, &len, probe, sizeof probe) != 1 || EVP_DigestVerifyInit(verify, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestVerify(verify, sig, len, probe, sizeof probe) != 1)
		return ossl_err(e, ERR_DAMAGED, "%s: RFC 5958 2: private and public key do not belong together", path);
	return 0;
}

int key_load(const char *path, const char *passin, EVP_PKEY **key, struct err *e) {
	OWN(buf_wipe) struct buf text = {0};
	EVP_PKEY *k = NULL;
	int rc = file_load_private(path, KEY_FILE_MAX, &text, e);

	*key = NULL;
	if (rc < 0)
		return rc;
	if (decode(&text, path, passin, &k, e) < 0)
		return err_add(e, "%s", path);
	if ((rc = key_check(k, path, e)) < 0 || (rc = check_pair(k, path, e)) < 0) {
		EVP_PKEY_free(k);
		return rc;
	}
	*key = k;
	return 0;
}

void key_spki_sha256(EVP_PKEY *key, uint8_t out[static 32]) {
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	if (len <= 0) /* a key that key_check saw always encodes: memory is exhausted */
		abort();
	ossl_sha256(der, (size_t)len, out);
	OPENSSL_free(der);
}

bool key_equal(const EVP_PKEY *a, const EVP_PKEY *b) {
	bool same = EVP_PKEY_eq(a, b) == 1;

	ERR_clear_error();
	return same;
}

const EVP_MD *key_digest(const EVP_PKEY *key) {
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256 ? EVP_sha384() : EVP_sha256();
}

bool key_signature_is_strong(int nid) {
	static const int strong[] = {
	    NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384, NID_ecdsa_with_SHA512,
	    NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption, NID_sha512WithRSAEncryption,
	};

	for (size_t i = 0; i < sizeof strong / sizeof strong[0]; i++)
		if (strong[i] == nid)
			return true;
	return false;
}
