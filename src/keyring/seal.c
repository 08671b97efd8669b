/* SPDX-License-Identifier: Apache-2.0 */
/* Enveloping to certificates, and opening again: the key package, and what a member keeps to himself. OpenSSL's CMS does it; its parser sees only what enveloped_check() let through. */
#include "keyring/keyring.h"

#include <openssl/rsa.h>

#include "keyring/enveloped.h"
#include "pki/ossl.h"

OWN_DEFINE(asn1_object, ASN1_OBJECT, ASN1_OBJECT_free)

#define OID_KEY_PACKAGE "1.2.840.113549.1.9.16.1.25" /* id-ct-KP-sKeyPackage, RFC 6031 2 */
#define OID_DATA "1.2.840.113549.1.7.1"
#define READ_BYTES 4096

/* RFC 5753 7.1.4 with SHA-256 (OpenSSL's own choice would be SHA-1); RFC 4055 4.1. */
static bool set_key_encryption(CMS_RecipientInfo *ri) {
	EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);

	switch (CMS_RecipientInfo_type(ri)) {
	case CMS_RECIPINFO_AGREE:
		return ctx != NULL && EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) == 1;
	case CMS_RECIPINFO_TRANS:
		return ctx != NULL && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
		       && EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1;
	default:
		return false;
	}
}

static int add_recipients(CMS_ContentInfo *cms, X509 *const *certs, size_t n, int by_ski, struct err *e) {
	if (n == 0 || n > ENVELOPED_RECIPIENTS_MAX)
		return err_set(e, ERR_FAIL, "an envelope has 1 to %d recipients", ENVELOPED_RECIPIENTS_MAX);
	for (size_t i = 0; i < n; i++) {
		CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, certs[i], CMS_KEY_PARAM | (by_ski ? CMS_USE_KEYID : 0U));
		if (ri == NULL || !set_key_encryption(ri))
			return ossl_err(e, ERR_REFUSED, "the certificate cannot receive a key");
	}
	return 0;
}

/* Straight into the cipher: CMS_encrypt's own copying leaves plaintext in buffers that nobody wipes. */
static bool encrypt(CMS_ContentInfo *cms, const struct buf *content) {
	OWN(own_bio) BIO *bio = CMS_dataInit(cms, NULL);

	return bio != NULL && content->len <= INT32_MAX && BIO_write(bio, content->data, (int)content->len) == (int)content->len
	       && BIO_flush(bio) == 1 && CMS_dataFinal(cms, bio) == 1;
}

static const char *kind_name(enum enveloped_kind kind) {
	return kind == ENVELOPED_KEY_PACKAGE ? "key package" : "envelope";
}

static int write_der(CMS_ContentInfo *cms, enum enveloped_kind kind, struct buf *der, struct err *e) {
	unsigned char *out = NULL;
	int len = i2d_CMS_ContentInfo(cms, &out);
	int r = len > 0 ? enveloped_check(out, (size_t)len, kind, e) : ossl_err(e, ERR_FAIL, "cannot make the %s", kind_name(kind));

	if (r == 0)
		buf_add(der, out, (size_t)len);
	OPENSSL_free(out);
	return r;
}

int enveloped_seal(
    const struct buf *content, enum enveloped_kind kind, X509 *const *certs, size_t n, int by_ski, struct buf *der, struct err *e) {
	OWN(own_asn1_object)
	ASN1_OBJECT *type = OBJ_txt2obj(kind == ENVELOPED_KEY_PACKAGE ? OID_KEY_PACKAGE : OID_DATA, 1);
	OWN(own_cms) CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), CMS_BINARY | CMS_PARTIAL | CMS_STREAM);
	int r;

	if (type == NULL || cms == NULL || CMS_set1_eContentType(cms, type) != 1)
		return ossl_err(e, ERR_FAIL, "cannot make the %s", kind_name(kind));
	if ((r = add_recipients(cms, certs, n, by_ski, e)) != 0)
		return r;
	if (!encrypt(cms, content))
		return ossl_err(e, ERR_FAIL, "cannot make the %s", kind_name(kind));
	return write_der(cms, kind, der, e);
}

int keyring_seal(const struct keyring *k, X509 *const *certs, size_t n, int by_ski, struct buf *der, struct err *e) {
	OWN(buf_wipe) struct buf package = {0};
	int r = keyring_encode(k, &package, e);

	return r != 0 ? r : enveloped_seal(&package, ENVELOPED_KEY_PACKAGE, certs, n, by_ski, der, e);
}

static bool agrees_with(CMS_RecipientInfo *ri, X509 *cert) {
	STACK_OF(CMS_RecipientEncryptedKey) *keys = CMS_RecipientInfo_kari_get0_reks(ri);

	for (int i = 0; i < sk_CMS_RecipientEncryptedKey_num(keys); i++)
		if (CMS_RecipientEncryptedKey_cert_cmp(sk_CMS_RecipientEncryptedKey_value(keys, i), cert) == 0)
			return true;
	return false;
}

static bool is_for(CMS_ContentInfo *cms, X509 *cert) {
	STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);

	for (int i = 0; i < sk_CMS_RecipientInfo_num(all); i++) {
		CMS_RecipientInfo *ri = sk_CMS_RecipientInfo_value(all, i);
		if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_AGREE ? agrees_with(ri, cert) : CMS_RecipientInfo_ktri_cert_cmp(ri, cert) == 0)
			return true;
	}
	return false;
}

static int set_key(CMS_ContentInfo *cms, const char *what, EVP_PKEY *key, X509 *cert, struct err *e) {
	if (!is_for(cms, cert))
		return err_set(e, ERR_REFUSED, "the %s is not for this certificate", what);
	if (CMS_decrypt_set1_pkey(cms, key, cert) != 1)
		return ossl_err(e, ERR_DAMAGED, "the %s does not open with this key", what);
	return 0;
}

/* Reads all, then asks whether the tag was right: nothing is believed before. */
static int decrypt(CMS_ContentInfo *cms, const char *what, struct buf *content, struct err *e) {
	OWN(own_bio) BIO *bio = CMS_dataInit(cms, NULL);
	int n = 0;

	if (bio == NULL || BIO_method_type(bio) != BIO_TYPE_CIPHER)
		return ossl_err(e, ERR_DAMAGED, "the %s does not open", what);
	do {
		content->len += (size_t)n;
		n = BIO_read(bio, buf_room(content, READ_BYTES), READ_BYTES);
	} while (n > 0);
	if (BIO_get_cipher_status(bio) != 1)
		return ossl_err(e, ERR_DAMAGED, "RFC 5084 1.5: the tag of the %s is wrong", what);
	return 0;
}

int enveloped_open(
    const uint8_t *der, size_t len, enum enveloped_kind kind, X509 *cert, EVP_PKEY *key, struct buf *content, struct err *e) {
	const char *what = kind_name(kind);
	const unsigned char *p = der;
	int r = enveloped_check(der, len, kind, e);

	if (r != 0)
		return r;
	OWN(own_cms) CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	if (cms == NULL || p != der + len)
		return ossl_err(e, ERR_DAMAGED, "RFC 5083 2.1: not AuthEnvelopedData");
	r = set_key(cms, what, key, cert, e);
	return r != 0 ? r : decrypt(cms, what, content, e);
}

int keyring_open(const uint8_t *der, size_t len, X509 *cert, EVP_PKEY *key, struct keyring *k, struct err *e) {
	OWN(buf_wipe) struct buf package = {0};
	int r;

	if (len > KEY_REPLY_MAX)
		return err_set(e, ERR_DAMAGED, "a key package above %u MiB", KEY_REPLY_MAX >> 20);
	r = enveloped_open(der, len, ENVELOPED_KEY_PACKAGE, cert, key, &package, e);
	return r != 0 ? r : keyring_decode(package.data, package.len, k, e);
}
