/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring/enveloped.h"

#include <stdbool.h>
#include <string.h>

#include "base/der.h"

#define NONCE_LEN 12
#define TAG_LEN 16
#define WRAPPED_LEN 40      /* RFC 3394 over a key of 32 octets */
#define SKI_LEN 20
#define RSA_MIN_LEN 256
#define RSA_MAX_LEN 1024
#define POINT_P256 65       /* SEC 1 2.3.3, uncompressed */
#define POINT_P384 97

static const uint8_t oid_auth_enveloped[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17 };
static const uint8_t oid_key_package[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x19 };
static const uint8_t oid_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
static const uint8_t oid_aes256_gcm[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e };
static const uint8_t oid_aes256_wrap[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d };
static const uint8_t oid_dh_sha256kdf[] = { 0x2b, 0x81, 0x04, 0x01, 0x0b, 0x01 };
static const uint8_t oid_ec_public_key[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t oid_rsa_oaep[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07 };
static const uint8_t oid_mgf1[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08 };
static const uint8_t oid_sha256[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
#define OID(x) x, sizeof(x)

static int take_version(struct der *d, uint64_t want, const char *what, struct err *e) {
	uint64_t v;
	int r = der_take_u64(d, &v, what, e);
	if (r == 0 && v != want)
		r = err_set(e, ERR_DAMAGED, "%s is not %llu", what, (unsigned long long)want);
	return r;
}

static int take_len(struct der *d, uint8_t tag, size_t min, size_t max, const char *what, struct err *e) {
	struct der in;
	int r = der_take(d, tag, &in, what, e);
	if (r == 0 && (in.len < min || in.len > max))
		r = err_set(e, ERR_DAMAGED, "%s has %zu octets", what, in.len);
	return r;
}

/* AlgorithmIdentifier without parameters, or (where writers differ) with NULL. */
static int take_plain_alg(struct der *d, const uint8_t *oid, size_t len, const char *what, struct err *e) {
	struct der alg;
	int r;
	if ((r = der_take(d, DER_SEQUENCE, &alg, what, e)) != 0 || (r = der_take_oid(&alg, oid, len, what, e)) != 0)
		return r;
	if (alg.len > 0 && (r = take_len(&alg, DER_NULL, 0, 0, what, e)) != 0)
		return r;
	return der_end(&alg, what, e);
}

/* IssuerAndSerialNumber, or [0] with the subject key identifier. */
static int take_rid(struct der *d, bool by_ski, const char *what, struct err *e) {
	struct der in;
	return by_ski ? take_len(d, DER_CTX(0), SKI_LEN, SKI_LEN, what, e) : der_take(d, DER_SEQUENCE, &in, what, e);
}

/* RFC 4055 4.1: SHA-256 for both hashes, the label empty. */
static int take_oaep(struct der *d, struct err *e) {
	static const char what[] = "RFC 4055 4.1: RSA-OAEP with SHA-256";
	struct der alg, params, hash, mgf_box, mgf;
	int r;
	if ((r = der_take(d, DER_SEQUENCE, &alg, what, e)) != 0 || (r = der_take_oid(&alg, OID(oid_rsa_oaep), what, e)) != 0
	    || (r = der_take(&alg, DER_SEQUENCE, &params, what, e)) != 0 || (r = der_end(&alg, what, e)) != 0
	    || (r = der_take(&params, DER_CTX_CONS(0), &hash, what, e)) != 0 || (r = take_plain_alg(&hash, OID(oid_sha256), what, e)) != 0
	    || (r = der_end(&hash, what, e)) != 0 || (r = der_take(&params, DER_CTX_CONS(1), &mgf_box, what, e)) != 0
	    || (r = der_end(&params, what, e)) != 0)
		return r;
	if ((r = der_take(&mgf_box, DER_SEQUENCE, &mgf, what, e)) != 0 || (r = der_end(&mgf_box, what, e)) != 0
	    || (r = der_take_oid(&mgf, OID(oid_mgf1), what, e)) != 0 || (r = take_plain_alg(&mgf, OID(oid_sha256), what, e)) != 0)
		return r;
	return der_end(&mgf, what, e);
}

/* KeyTransRecipientInfo, RFC 5652 6.2.1. */
static int check_key_trans(struct der ri, struct err *e) {
	static const char what[] = "RFC 5652 6.2.1: key transport recipient";
	uint64_t version;
	int r = der_take_u64(&ri, &version, what, e);
	if (r != 0)
		return r;
	if (version != 0 && version != 2)
		return err_set(e, ERR_DAMAGED, "%s: version is neither 0 nor 2", what);
	if ((r = take_rid(&ri, version == 2, what, e)) != 0 || (r = take_oaep(&ri, e)) != 0
	    || (r = take_len(&ri, DER_OCTET_STRING, RSA_MIN_LEN, RSA_MAX_LEN, what, e)) != 0)
		return r;
	return der_end(&ri, what, e);
}

/* [0] EXPLICIT { [1] OriginatorPublicKey }, RFC 5753 3.1.1. */
static int take_originator(struct der *ri, struct err *e) {
	static const char what[] = "RFC 5753 3.1.1: originator";
	struct der box, key, bits;
	int r;
	if ((r = der_take(ri, DER_CTX_CONS(0), &box, what, e)) != 0 || (r = der_take(&box, DER_CTX_CONS(1), &key, what, e)) != 0
	    || (r = der_end(&box, what, e)) != 0 || (r = take_plain_alg(&key, OID(oid_ec_public_key), what, e)) != 0
	    || (r = der_take(&key, DER_BIT_STRING, &bits, what, e)) != 0 || (r = der_end(&key, what, e)) != 0)
		return r;
	if ((bits.len != 1 + POINT_P256 && bits.len != 1 + POINT_P384) || bits.p[0] != 0 || bits.p[1] != 0x04)
		return err_set(e, ERR_DAMAGED, "%s: not an uncompressed point of P-256 or P-384", what);
	return 0;
}

/* RFC 5753 7.1.4, 7.1.5. */
static int take_agreement(struct der *ri, struct err *e) {
	static const char what[] = "RFC 5753 7.1.4: ECDH-ES with SHA-256 and AES-256 key wrap";
	struct der alg;
	int r;
	if ((r = der_take(ri, DER_SEQUENCE, &alg, what, e)) != 0 || (r = der_take_oid(&alg, OID(oid_dh_sha256kdf), what, e)) != 0
	    || (r = take_plain_alg(&alg, OID(oid_aes256_wrap), what, e)) != 0)
		return r;
	return der_end(&alg, what, e);
}

/* KeyAgreeRecipientIdentifier: [0] RecipientKeyIdentifier without date and other, or issuer and serial number. */
static int take_agree_rid(struct der *rek, const char *what, struct err *e) {
	struct der in;
	int r;
	if (!der_next_is(rek, DER_CTX_CONS(0)))
		return take_rid(rek, false, what, e);
	if ((r = der_take(rek, DER_CTX_CONS(0), &in, what, e)) != 0 || (r = take_len(&in, DER_OCTET_STRING, SKI_LEN, SKI_LEN, what, e)) != 0)
		return r;
	return der_end(&in, what, e);
}

/* KeyAgreeRecipientInfo, RFC 5652 6.2.2, with one key. */
static int check_key_agree(struct der ri, struct err *e) {
	static const char what[] = "RFC 5652 6.2.2: key agreement recipient";
	struct der list, rek;
	int r;
	if ((r = take_version(&ri, 3, "RFC 5652 6.2.2: version", e)) != 0 || (r = take_originator(&ri, e)) != 0 || (r = take_agreement(&ri, e)) != 0
	    || (r = der_take(&ri, DER_SEQUENCE, &list, what, e)) != 0 || (r = der_end(&ri, what, e)) != 0
	    || (r = der_take(&list, DER_SEQUENCE, &rek, what, e)) != 0 || (r = der_end(&list, what, e)) != 0
	    || (r = take_agree_rid(&rek, what, e)) != 0
	    || (r = take_len(&rek, DER_OCTET_STRING, WRAPPED_LEN, WRAPPED_LEN, "RFC 3394 2.2.1: wrapped key", e)) != 0)
		return r;
	return der_end(&rek, what, e);
}

int enveloped_check_recipient(uint8_t tag, struct der ri, struct err *e) {
	if (tag == DER_SEQUENCE)
		return check_key_trans(ri, e);
	if (tag == DER_CTX_CONS(1))
		return check_key_agree(ri, e);
	return err_set(e, ERR_DAMAGED, "RFC 5652 6.2: recipient is neither key transport nor key agreement");
}

static int check_recipients(struct der set, struct err *e) {
	static const char what[] = "RFC 5652 6.2: recipient";
	struct der ri, whole;
	uint8_t tag;
	int r;
	if (set.len == 0)
		return err_set(e, ERR_DAMAGED, "RFC 5083 2.1: no recipient");
	for (int n = 0; set.len > 0; n++) {
		if (n == ENVELOPED_RECIPIENTS_MAX)
			return err_set(e, ERR_DAMAGED, "more than %d recipients", ENVELOPED_RECIPIENTS_MAX);
		if ((r = der_take_any(&set, &tag, &ri, &whole, what, e)) != 0)
			return r;
		if ((r = enveloped_check_recipient(tag, ri, e)) != 0)
			return r;
	}
	return 0;
}

/* GCMParameters, RFC 5084 3.2: the tag length is said (its default is 12). */
static int take_gcm(struct der *eci, struct err *e) {
	static const char what[] = "RFC 5084 3.2: AES-256-GCM";
	struct der alg, params;
	int r;
	if ((r = der_take(eci, DER_SEQUENCE, &alg, what, e)) != 0 || (r = der_take_oid(&alg, OID(oid_aes256_gcm), what, e)) != 0
	    || (r = der_take(&alg, DER_SEQUENCE, &params, what, e)) != 0 || (r = der_end(&alg, what, e)) != 0
	    || (r = take_len(&params, DER_OCTET_STRING, NONCE_LEN, NONCE_LEN, "RFC 5084 3.2: nonce", e)) != 0
	    || (r = take_version(&params, TAG_LEN, "RFC 5084 3.2: length of the tag", e)) != 0)
		return r;
	return der_end(&params, what, e);
}

static int take_content_type(struct der *eci, enum enveloped_kind kind, struct err *e) {
	return kind == ENVELOPED_KEY_PACKAGE
	    ? der_take_oid(eci, OID(oid_key_package), "RFC 6031 2: content type is not a key package", e)
	    : der_take_oid(eci, OID(oid_data), "RFC 5652 4: content type is not data", e);
}

static int check_content(struct der *aed, enum enveloped_kind kind, struct err *e) {
	static const char what[] = "RFC 5083 2.1: encrypted content";
	struct der eci;
	int r;
	if ((r = der_take(aed, DER_SEQUENCE, &eci, what, e)) != 0 || (r = take_content_type(&eci, kind, e)) != 0
	    || (r = take_gcm(&eci, e)) != 0 || (r = take_len(&eci, DER_CTX(0), 1, SIZE_MAX, what, e)) != 0 || (r = der_end(&eci, what, e)) != 0)
		return r;
	if (der_next_is(aed, DER_CTX_CONS(1)))
		return err_set(e, ERR_DAMAGED, "RFC 5083 2.1: authenticated attributes");
	return take_len(aed, DER_OCTET_STRING, TAG_LEN, TAG_LEN, "RFC 5083 2.1: tag", e);
}

int enveloped_check(const uint8_t *der, size_t len, enum enveloped_kind kind, struct err *e) {
	static const char what[] = "RFC 5083 2.1: AuthEnvelopedData";
	struct der d = { der, len }, ci, box, aed, set;
	int r;
	if ((r = der_take(&d, DER_SEQUENCE, &ci, what, e)) != 0 || (r = der_end(&d, what, e)) != 0
	    || (r = der_take_oid(&ci, OID(oid_auth_enveloped), "RFC 5083 2: not AuthEnvelopedData", e)) != 0
	    || (r = der_take(&ci, DER_CTX_CONS(0), &box, what, e)) != 0 || (r = der_end(&ci, what, e)) != 0
	    || (r = der_take(&box, DER_SEQUENCE, &aed, what, e)) != 0 || (r = der_end(&box, what, e)) != 0
	    || (r = take_version(&aed, 0, "RFC 5083 2.1: version", e)) != 0 || (r = der_take(&aed, DER_SET, &set, what, e)) != 0
	    || (r = check_recipients(set, e)) != 0 || (r = check_content(&aed, kind, e)) != 0)
		return r;
	return der_end(&aed, "RFC 5083 2.1: unauthenticated attributes", e);
}
