/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/signed.h"

#include <string.h>

#include "base/der.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "pki/ossl.h"
#include "pki/sigalg.h"

#define SKI_LEN 20
#define N_ATTRS_MAX 6
/* The six take 26 + 32 + 49 + 57 + 50 + 224 octets at most. */
#define ATTRS_MAX 448
#define ATTR_MAX 224

static const uint8_t oid_signed_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };
static const uint8_t oid_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
/* RFC 5754 2: the parameters are absent. */
static const uint8_t alg_sha256[] = { 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };

static const uint8_t oid_content_type[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03 };
static const uint8_t oid_message_digest[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04 };
static const uint8_t oid_signing_time[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05 };
static const uint8_t oid_signing_cert_v2[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f };
static const uint8_t oid_recipient_nonce[] = { 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 0x06 };
/* Joint ITU-T and ISO 9834-8: 2.25 and the UUID 53703036-b8fe-4883-bfa2-29efc654fdd2 as a number: the head of the gateway's audit log. */
static const uint8_t oid_log_head[] = { 0x69, 0x81, 0xa6, 0xf0, 0x98, 0x8d, 0xd7, 0x8f, 0xf2, 0xa2, 0x87, 0xbf, 0xd1, 0x8a, 0xbd, 0xfc, 0xb2,
	0xd3, 0xfb, 0x52 };

/* --- making --- */

/* X.690 11.6: the elements of a SET OF stand in ascending order of their encodings. */
static int compare_encodings(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len) {
	int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

struct attr { uint8_t der[ATTR_MAX]; size_t len; };

static void attr_put(struct attr *a, const uint8_t *oid, size_t oid_len, const struct buf *value) {
	OWN(buf_wipe) struct buf b = {0};
	der_put(&b, DER_OID, oid, oid_len);
	der_put(&b, DER_SET, value->data, value->len);
	der_wrap(&b, 0, DER_SEQUENCE);
	a->len = b.len < sizeof(a->der) ? b.len : sizeof(a->der);
	memcpy(a->der, b.data, a->len);
}

#define ATTR_PUT(a, oid, value) attr_put(a, oid, sizeof(oid), value)

static size_t build_attrs(const struct signed_make *m, const void *content, size_t len, struct attr a[static N_ATTRS_MAX]) {
	OWN(buf_wipe) struct buf v = {0};
	uint8_t hash[SHA256_LEN];
	size_t n = 0;

	der_put(&v, DER_OID, oid_data, sizeof(oid_data));
	ATTR_PUT(&a[n++], oid_content_type, &v);

	buf_clear(&v);
	der_put_x509_time(&v, m->time_s);
	ATTR_PUT(&a[n++], oid_signing_time, &v);

	buf_clear(&v);
	ossl_sha256(content, len, hash);
	der_put(&v, DER_OCTET_STRING, hash, sizeof(hash));
	ATTR_PUT(&a[n++], oid_message_digest, &v);

	buf_clear(&v);
	cert_sha256(m->cert, hash);
	der_put(&v, DER_OCTET_STRING, hash, sizeof(hash));
	for (int i = 0; i < 3; i++) /* ESSCertIDv2, certs, SigningCertificateV2: RFC 5035 3 */
		der_wrap(&v, 0, DER_SEQUENCE);
	ATTR_PUT(&a[n++], oid_signing_cert_v2, &v);

	if (m->nonce != NULL) {
		buf_clear(&v);
		der_put(&v, DER_OCTET_STRING, m->nonce, m->nonce_len);
		ATTR_PUT(&a[n++], oid_recipient_nonce, &v);
	}
	if (m->log_head != NULL) {
		buf_clear(&v);
		der_put(&v, DER_UTF8STRING, m->log_head, strlen(m->log_head));
		ATTR_PUT(&a[n++], oid_log_head, &v);
	}
	return n;
}

static void put_attrs(const struct signed_make *m, const void *content, size_t len, struct buf *set) {
	struct attr a[N_ATTRS_MAX];
	size_t n = build_attrs(m, content, len, a);

	for (size_t i = 1; i < n; i++) {
		for (size_t k = i; k > 0 && compare_encodings(a[k - 1].der, a[k - 1].len, a[k].der, a[k].len) > 0; k--) {
			struct attr swap = a[k];
			a[k] = a[k - 1];
			a[k - 1] = swap;
		}
	}
	for (size_t i = 0; i < n; i++)
		buf_add(set, a[i].der, a[i].len);
}

/* IssuerAndSerialNumber of a certificate, RFC 5652 10.2.4. */
static int put_issuer_serial(const X509 *cert, struct buf *out, struct err *e) {
	unsigned char *name = NULL, *serial = NULL;
	size_t mark = out->len;
	int name_len = i2d_X509_NAME(X509_get_issuer_name(cert), &name);
	int serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &serial);
	if (name_len > 0 && serial_len > 0) {
		buf_add(out, name, (size_t)name_len);
		buf_add(out, serial, (size_t)serial_len);
		der_wrap(out, mark, DER_SEQUENCE);
	}
	OPENSSL_free(name);
	OPENSSL_free(serial);
	return name_len > 0 && serial_len > 0 ? 0 : ossl_err(e, ERR_FAIL, "issuer and serial number of the signer");
}

static int put_signer_id(const struct signed_make *m, struct buf *out, struct err *e) {
	size_t len;
	const uint8_t *ski;
	if (!m->by_ski)
		return put_issuer_serial(m->cert, out, e);
	ski = cert_ski(m->cert, &len);
	if (ski == NULL || len != SKI_LEN)
		return err_set(e, ERR_FAIL, "RFC 5280 4.2.1.2: the signer's certificate has no subject key identifier of 20 octets");
	der_put(out, DER_CTX(0), ski, len);
	return 0;
}

static int put_signer(const struct signed_make *m, const void *content, size_t len, struct buf *out, struct err *e) {
	OWN(buf_wipe) struct buf attrs = {0};
	OWN(buf_wipe) struct buf sig = {0};
	size_t mark = out->len;
	enum sigalg alg;
	int r;

	der_put_u64(out, m->by_ski ? 3 : 1); /* RFC 5652 5.3 */
	if ((r = put_signer_id(m, out, e)) != 0)
		return r;
	buf_add(out, alg_sha256, sizeof(alg_sha256));
	put_attrs(m, content, len, &attrs);
	der_put(out, DER_CTX_CONS(0), attrs.data, attrs.len);
	if ((r = sigalg_of_key(m->key, SIGALG_IN_CMS, &alg, e)) != 0)
		return r;
	sigalg_put(alg, out);
	der_wrap(&attrs, 0, DER_SET); /* RFC 5652 5.4: signed with the tag of a SET */
	if ((r = sigalg_sign(alg, m->key, attrs.data, attrs.len, &sig, e)) != 0)
		return r;
	der_put(out, DER_OCTET_STRING, sig.data, sig.len);
	der_wrap(out, mark, DER_SEQUENCE);
	der_wrap(out, mark, DER_SET);
	return 0;
}

static void put_content(const void *content, size_t len, struct buf *out) {
	uint64_t octets = der_header_len(len) + len;
	uint64_t explicit_len = der_header_len(octets) + octets;
	der_put_header(out, DER_SEQUENCE, der_header_len(sizeof(oid_data)) + sizeof(oid_data) + explicit_len);
	der_put(out, DER_OID, oid_data, sizeof(oid_data));
	der_put_header(out, DER_CTX_CONS(0), octets);
	der_put(out, DER_OCTET_STRING, content, len);
}

int signed_make(const struct signed_make *m, const void *content, size_t len, struct buf *der, struct err *e) {
	OWN(buf_wipe) struct buf out = {0};
	int r;

	if (m->nonce != NULL && (m->nonce_len < SIGNED_NONCE_MIN || m->nonce_len > SIGNED_NONCE_MAX))
		return err_set(e, ERR_FAIL, "a nonce has %d to %d bytes", SIGNED_NONCE_MIN, SIGNED_NONCE_MAX);
	if (m->log_head != NULL && (m->nonce == NULL || *m->log_head == '\0' || strlen(m->log_head) > SIGNED_LOG_HEAD_MAX))
		return err_set(e, ERR_FAIL, "the head of a log has 1 to %d bytes and comes with a nonce", SIGNED_LOG_HEAD_MAX);
	if ((r = cert_check_key(m->cert, m->key, "signer", e)) != 0)
		return r;
	der_put_u64(&out, m->by_ski ? 3 : 1); /* RFC 5652 5.1 */
	der_put(&out, DER_SET, alg_sha256, sizeof(alg_sha256));
	put_content(content, len, &out);
	if (!m->by_ski) {
		size_t mark = out.len;
		if ((r = cert_der(m->cert, &out, e)) != 0)
			return r;
		der_wrap(&out, mark, DER_CTX_CONS(0));
	}
	if ((r = put_signer(m, content, len, &out, e)) != 0)
		return r;
	der_wrap(&out, 0, DER_SEQUENCE);
	der_wrap(&out, 0, DER_CTX_CONS(0));
	uint64_t inner = der_header_len(sizeof(oid_signed_data)) + sizeof(oid_signed_data) + out.len;
	der_put_header(der, DER_SEQUENCE, inner);
	der_put(der, DER_OID, oid_signed_data, sizeof(oid_signed_data));
	buf_add(der, out.data, out.len);
	return 0;
}

/* --- parsing --- */

/* The element must be these bytes. */
static int take_fixed(struct der *d, const uint8_t *want, size_t len, const char *what, struct err *e) {
	struct der in, whole;
	uint8_t tag;
	int r = der_take_any(d, &tag, &in, &whole, what, e);
	if (r == 0 && (whole.len != len || memcmp(whole.p, want, len) != 0))
		r = err_set(e, ERR_DAMAGED, "%s", what);
	return r;
}

static int take_octets(struct der *d, uint8_t *out, size_t len, const char *what, struct err *e) {
	struct der in;
	int r = der_take(d, DER_OCTET_STRING, &in, what, e);
	if (r == 0 && in.len != len)
		r = err_set(e, ERR_DAMAGED, "%s: %zu octets instead of %zu", what, in.len, len);
	if (r == 0)
		memcpy(out, in.p, len);
	return r;
}

static int take_content_type(struct signed_info *info, struct der *v, struct err *e) {
	(void)info;
	return der_take_oid(v, oid_data, sizeof(oid_data), "RFC 5652 11.1: contentType is not id-data", e);
}

static int take_message_digest(struct signed_info *info, struct der *v, struct err *e) {
	return take_octets(v, info->digest, sizeof(info->digest), "RFC 5652 11.2: messageDigest", e);
}

static int take_signing_time(struct signed_info *info, struct der *v, struct err *e) {
	return der_take_x509_time(v, &info->time_s, "RFC 5652 11.3: signingTime", e);
}

/* One ESSCertIDv2 with SHA-256 (the default, so not named) and no issuerSerial, no policies. */
static int take_signing_cert(struct signed_info *info, struct der *v, struct err *e) {
	static const char what[] = "RFC 5035 3: signingCertificateV2";
	struct der level[3];
	int r = der_take(v, DER_SEQUENCE, &level[0], what, e);
	for (int i = 1; r == 0 && i < 3; i++)
		r = der_take(&level[i - 1], DER_SEQUENCE, &level[i], what, e);
	if (r == 0)
		r = take_octets(&level[2], info->cert_hash, sizeof(info->cert_hash), what, e);
	for (int i = 2; r == 0 && i >= 0; i--)
		r = der_end(&level[i], what, e);
	return r;
}

static int take_nonce(struct signed_info *info, struct der *v, struct err *e) {
	static const char what[] = "RFC 8894 3.2.1.6: recipientNonce";
	struct der in;
	int r = der_take(v, DER_OCTET_STRING, &in, what, e);
	if (r != 0)
		return r;
	if (in.len < SIGNED_NONCE_MIN || in.len > SIGNED_NONCE_MAX)
		return err_set(e, ERR_DAMAGED, "%s: %zu octets", what, in.len);
	memcpy(info->nonce, in.p, in.len);
	info->nonce_len = in.len;
	return 0;
}

static int take_log_head(struct signed_info *info, struct der *v, struct err *e) {
	static const char what[] = "signed attribute: head of a log";
	struct der in;
	int r = der_take(v, DER_UTF8STRING, &in, what, e);
	if (r != 0)
		return r;
	if (in.len == 0 || in.len > SIGNED_LOG_HEAD_MAX)
		return err_set(e, ERR_DAMAGED, "%s: %zu octets", what, in.len);
	info->log_head = in.p;
	info->log_head_len = in.len;
	return 0;
}

static const struct attr_rule {
	const uint8_t *oid;
	size_t oid_len;
	bool required;
	int (*take)(struct signed_info *info, struct der *value, struct err *e);
	const char *missing;
} attr_rules[N_ATTRS_MAX] = {
	{ oid_content_type, sizeof(oid_content_type), true, take_content_type, "RFC 5652 11.1: contentType is missing" },
	{ oid_signing_time, sizeof(oid_signing_time), true, take_signing_time, "RFC 5652 11.3: signingTime is missing" },
	{ oid_message_digest, sizeof(oid_message_digest), true, take_message_digest, "RFC 5652 11.2: messageDigest is missing" },
	{ oid_signing_cert_v2, sizeof(oid_signing_cert_v2), true, take_signing_cert, "RFC 5035 3: signingCertificateV2 is missing" },
	{ oid_recipient_nonce, sizeof(oid_recipient_nonce), false, take_nonce, "" },
	{ oid_log_head, sizeof(oid_log_head), false, take_log_head, "" },
};

static int take_attr(struct signed_info *info, struct der attr, unsigned *seen, struct err *e) {
	static const char what[] = "RFC 5652 5.3: signed attribute";
	struct der oid, values;
	int r = der_take(&attr, DER_OID, &oid, what, e);
	if (r != 0)
		return r;
	for (size_t i = 0; i < N_ATTRS_MAX; i++) {
		const struct attr_rule *rule = &attr_rules[i];
		if (oid.len != rule->oid_len || memcmp(oid.p, rule->oid, oid.len) != 0)
			continue;
		if ((*seen & 1u << i) != 0)
			return err_set(e, ERR_DAMAGED, "%s occurs twice", what);
		*seen |= 1u << i;
		if ((r = der_take(&attr, DER_SET, &values, what, e)) != 0 || (r = der_end(&attr, what, e)) != 0
		    || (r = rule->take(info, &values, e)) != 0)
			return r;
		return der_end(&values, "RFC 5652 5.3: an attribute here has one value", e);
	}
	return err_set(e, ERR_DAMAGED, "%s that does not belong here", what);
}

static int parse_attrs(struct signed_info *info, struct err *e) {
	static const char what[] = "RFC 5652 5.3: signed attributes";
	struct der d = { info->attrs, info->attrs_len }, attr, whole, last = {0};
	unsigned seen = 0;
	uint8_t tag;
	int r;

	if (d.len > ATTRS_MAX)
		return err_set(e, ERR_DAMAGED, "%s: %zu octets", what, d.len);
	while (d.len > 0) {
		if ((r = der_take_any(&d, &tag, &attr, &whole, what, e)) != 0)
			return r;
		if (tag != DER_SEQUENCE)
			return err_set(e, ERR_DAMAGED, "%s: not a SEQUENCE", what);
		if (last.len > 0 && compare_encodings(last.p, last.len, whole.p, whole.len) >= 0)
			return err_set(e, ERR_DAMAGED, "%s: X.690 11.6: order of a SET", what);
		last = whole;
		if ((r = take_attr(info, attr, &seen, e)) != 0)
			return r;
	}
	for (size_t i = 0; i < N_ATTRS_MAX; i++)
		if (attr_rules[i].required && (seen & 1u << i) == 0)
			return err_set(e, ERR_DAMAGED, "%s", attr_rules[i].missing);
	/* So who refuses nonces refuses this too. */
	if (info->log_head != NULL && info->nonce_len == 0)
		return err_set(e, ERR_DAMAGED, "%s: the head of a log without a nonce", what);
	return 0;
}

/* id-data, content inside. */
static int parse_content(struct signed_info *info, struct der *sd, struct err *e) {
	static const char what[] = "RFC 5652 5.2: encapsulated content";
	struct der eci, box, octets;
	int r;
	if ((r = der_take(sd, DER_SEQUENCE, &eci, what, e)) != 0
	    || (r = der_take_oid(&eci, oid_data, sizeof(oid_data), "RFC 5652 5.2: content type is not id-data", e)) != 0
	    || (r = der_take(&eci, DER_CTX_CONS(0), &box, what, e)) != 0 || (r = der_end(&eci, what, e)) != 0
	    || (r = der_take(&box, DER_OCTET_STRING, &octets, what, e)) != 0 || (r = der_end(&box, what, e)) != 0)
		return r;
	info->content = octets.p;
	info->content_len = octets.len;
	return 0;
}

/* hash: of the certificate as it stands there. */
static int parse_cert(struct signed_info *info, struct der *sd, const struct chain *known, uint8_t hash[static SHA256_LEN], struct err *e) {
	static const char what[] = "RFC 5652 5.1: certificates";
	struct der set, cert, whole;
	uint8_t tag;
	int r;
	if ((r = der_take(sd, DER_CTX_CONS(0), &set, what, e)) != 0 || (r = der_take_any(&set, &tag, &cert, &whole, what, e)) != 0)
		return r;
	if (tag != DER_SEQUENCE)
		return err_set(e, ERR_DAMAGED, "%s: not an X.509 certificate", what);
	if ((r = der_end(&set, "RFC 5652 5.1: more than one certificate", e)) != 0)
		return r;
	if (whole.len > CERT_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "%s: %zu octets", what, whole.len);
	ossl_sha256(whole.p, whole.len, hash);
	if (known != NULL && (info->cert = chain_known(known, hash)) != NULL)
		return 0;
	const uint8_t *p = whole.p;
	info->cert = d2i_X509(NULL, &p, (long)whole.len);
	if (info->cert == NULL || p != whole.p + whole.len)
		return ossl_err(e, ERR_DAMAGED, "%s: not an X.509 certificate", what);
	return 0;
}

/* The certificate inside is the one that the signer names twice: by issuer and serial number, and by its hash. */
static int check_cert(const struct signed_info *info, const uint8_t hash[static SHA256_LEN], struct der sid, struct err *e) {
	OWN(buf_wipe) struct buf want = {0};
	int r = put_issuer_serial(info->cert, &want, e);
	if (r != 0 || want.data == NULL)
		return err_set(e, ERR_DAMAGED, "RFC 5652 5.1: the certificate has no issuer or serial number");
	if (want.len != sid.len || memcmp(want.data, sid.p, sid.len) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5652 5.3: the certificate inside is not the one that the signer names");
	if (memcmp(hash, info->cert_hash, SHA256_LEN) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5035 5: the certificate inside is not the one that was signed with");
	return 0;
}

static int parse_signer_id(struct signed_info *info, struct der *si, struct der *whole, struct err *e) {
	static const char what[] = "RFC 5652 5.3: signer identifier";
	struct der in;
	uint8_t tag;
	int r = der_take_any(si, &tag, &in, whole, what, e);
	if (r != 0)
		return r;
	if (tag != (info->by_ski ? DER_CTX(0) : DER_SEQUENCE))
		return err_set(e, ERR_DAMAGED, "%s does not fit the version", what);
	if (!info->by_ski)
		return 0;
	if (in.len != sizeof(info->ski))
		return err_set(e, ERR_DAMAGED, "%s: %zu octets", what, in.len);
	memcpy(info->ski, in.p, in.len);
	return 0;
}

static int take_version(struct der *d, bool *by_ski, const char *what, struct err *e) {
	uint64_t v;
	int r = der_take_u64(d, &v, what, e);
	if (r != 0)
		return r;
	if (v != 1 && v != 3)
		return err_set(e, ERR_DAMAGED, "%s is neither 1 nor 3", what);
	*by_ski = v == 3;
	return 0;
}

static int parse_signer(struct signed_info *info, struct der *sd, struct der *sid, struct err *e) {
	static const char what[] = "RFC 5652 5.3: signer";
	struct der set, si, in;
	enum sigalg alg;
	bool by_ski;
	int r;
	if ((r = der_take(sd, DER_SET, &set, "RFC 5652 5.1: signerInfos", e)) != 0 || (r = der_take(&set, DER_SEQUENCE, &si, what, e)) != 0
	    || (r = der_end(&set, "RFC 5652 5.1: more than one signer", e)) != 0
	    || (r = take_version(&si, &by_ski, "RFC 5652 5.3: version of the signer", e)) != 0)
		return r;
	if (by_ski != info->by_ski)
		return err_set(e, ERR_DAMAGED, "RFC 5652 5.1: the versions of SignedData and signer differ");
	if ((r = parse_signer_id(info, &si, sid, e)) != 0
	    || (r = take_fixed(&si, alg_sha256, sizeof(alg_sha256), "RFC 5652 5.3: digestAlgorithm is not SHA-256", e)) != 0
	    || (r = der_take(&si, DER_CTX_CONS(0), &in, "RFC 5652 5.3: signed attributes", e)) != 0)
		return r;
	info->attrs = in.p;
	info->attrs_len = in.len;
	if ((r = sigalg_take(&si, SIGALG_IN_CMS, &alg, "RFC 5652 5.3: signatureAlgorithm", e)) != 0
	    || (r = der_take(&si, DER_OCTET_STRING, &in, "RFC 5652 5.3: signature", e)) != 0
	    || (r = der_end(&si, "RFC 5652 5.3: unsigned attributes", e)) != 0)
		return r;
	info->sig_alg = (int)alg;
	info->sig = in.p;
	info->sig_len = in.len;
	return parse_attrs(info, e);
}

/* ContentInfo, RFC 5652 3. */
static int take_content_info(struct der *d, struct der *sd, struct err *e) {
	static const char what[] = "RFC 5652 3: content info";
	struct der ci, box;
	int r;
	if ((r = der_take(d, DER_SEQUENCE, &ci, what, e)) != 0 || (r = der_end(d, "RFC 5652 3: behind the signed data", e)) != 0
	    || (r = der_take_oid(&ci, oid_signed_data, sizeof(oid_signed_data), "RFC 5652 5.1: not SignedData", e)) != 0
	    || (r = der_take(&ci, DER_CTX_CONS(0), &box, what, e)) != 0 || (r = der_end(&ci, what, e)) != 0
	    || (r = der_take(&box, DER_SEQUENCE, sd, "RFC 5652 5.1: signed data", e)) != 0)
		return r;
	return der_end(&box, what, e);
}

static int take_digest_algorithms(struct der *sd, struct err *e) {
	static const char what[] = "RFC 5652 5.1: digestAlgorithms";
	struct der set;
	int r;
	if ((r = der_take(sd, DER_SET, &set, what, e)) != 0
	    || (r = take_fixed(&set, alg_sha256, sizeof(alg_sha256), "RFC 5652 5.1: digestAlgorithm is not SHA-256", e)) != 0)
		return r;
	return der_end(&set, what, e);
}

static int parse(struct der d, const struct chain *known, struct signed_info *info, struct err *e) {
	uint8_t hash[SHA256_LEN] = {0};
	struct der sd, sid;
	int r;
	if ((r = take_content_info(&d, &sd, e)) != 0 || (r = take_version(&sd, &info->by_ski, "RFC 5652 5.1: version", e)) != 0
	    || (r = take_digest_algorithms(&sd, e)) != 0 || (r = parse_content(info, &sd, e)) != 0)
		return r;
	if (!info->by_ski && (r = parse_cert(info, &sd, known, hash, e)) != 0)
		return r;
	if (der_next_is(&sd, DER_CTX_CONS(0)))
		return err_set(e, ERR_DAMAGED, "RFC 5652 5.1: a certificate beside a signer named by key identifier");
	if (der_next_is(&sd, DER_CTX_CONS(1)))
		return err_set(e, ERR_DAMAGED, "RFC 5652 5.1: revocation lists inside");
	if ((r = parse_signer(info, &sd, &sid, e)) != 0 || (r = der_end(&sd, "RFC 5652 5.1: signed data", e)) != 0)
		return r;
	return info->by_ski ? 0 : check_cert(info, hash, sid, e);
}

int signed_parse(const uint8_t *der, size_t len, struct signed_info *info, struct err *e) {
	return signed_parse_known(der, len, NULL, info, e);
}

int signed_parse_known(const uint8_t *der, size_t len, const struct chain *known, struct signed_info *info, struct err *e) {
	struct der d = { der, len };
	*info = (struct signed_info){0};
	int r = parse(d, known, info, e);
	if (r != 0)
		signed_wipe(info);
	return r;
}

void signed_wipe(struct signed_info *info) {
	X509_free(info->cert);
	*info = (struct signed_info){0};
}

/* --- verifying --- */

int signed_verify(const struct signed_info *info, X509 *cert, struct err *e) {
	uint8_t hash[SHA256_LEN];
	OWN(buf_wipe) struct buf set = {0};
	size_t ski_len;
	const uint8_t *ski;

	cert_sha256(cert, hash);
	if (memcmp(hash, info->cert_hash, sizeof(hash)) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5035 5: the signature was made with another certificate");
	ski = info->by_ski ? cert_ski(cert, &ski_len) : NULL;
	if (info->by_ski && (ski == NULL || ski_len != sizeof(info->ski) || memcmp(ski, info->ski, ski_len) != 0))
		return err_set(e, ERR_DAMAGED, "RFC 5652 5.3: the signer is named by another key identifier");
	ossl_sha256(info->content, info->content_len, hash);
	if (memcmp(hash, info->digest, sizeof(hash)) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5652 11.2: the content is not the signed one");
	der_put(&set, DER_SET, info->attrs, info->attrs_len); /* RFC 5652 5.4: signed with the tag of a SET */
	return sigalg_verify((enum sigalg)info->sig_alg, X509_get0_pubkey(cert), set.data, set.len, info->sig, info->sig_len,
	    "RFC 5652 5.6: signature", e);
}
