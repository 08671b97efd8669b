/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/crl.h"

#include <string.h>

#include "base/der.h"
#include "pki/ossl.h"
#include "pki/pem.h"
#include "pki/sigalg.h"

static const uint8_t oid_reason[] = { 0x55, 0x1d, 0x15 };
static const uint8_t oid_number[] = { 0x55, 0x1d, 0x14 };
static const uint8_t oid_aki[] = { 0x55, 0x1d, 0x23 };

static const struct { int number; const char *name; } reasons[] = {
	{ CRL_UNSPECIFIED, "unspecified" },
	{ CRL_KEY_COMPROMISE, "keyCompromise" },
	{ CRL_CA_COMPROMISE, "CACompromise" },
	{ CRL_AFFILIATION_CHANGED, "affiliationChanged" },
	{ CRL_SUPERSEDED, "superseded" },
	{ CRL_CESSATION, "cessationOfOperation" },
	{ CRL_HOLD, "certificateHold" },
	{ CRL_PRIVILEGE_WITHDRAWN, "privilegeWithdrawn" },
	{ CRL_AA_COMPROMISE, "AACompromise" },
};
#define N_REASONS (sizeof(reasons) / sizeof(reasons[0]))

int crl_reason_parse(const char *name) {
	for (size_t i = 0; i < N_REASONS; i++)
		if (strcmp(reasons[i].name, name) == 0)
			return reasons[i].number;
	return -1;
}

const char *crl_reason_name(int reason) {
	for (size_t i = 0; i < N_REASONS; i++)
		if (reasons[i].number == reason)
			return reasons[i].name;
	return NULL;
}

int crl_pem(const uint8_t *der, size_t len, struct buf *out, struct err *e) {
	return pem_write(CRL_PEM_LABEL, der, len, out, e);
}

int crl_der(const uint8_t *data, size_t len, struct buf *der, struct err *e) {
	return pem_or_der(data, len, CRL_PEM_LABEL, der, e);
}

/* Unsigned integer without leading zeros as INTEGER content: a zero octet in front where the first bit is set. */
static int put_serial(const struct crl_entry *entry, struct buf *b, struct err *e) {
	static const uint8_t zero = 0;
	bool sign = (entry->serial[0] & 0x80) != 0;
	if (entry->serial_len == 0 || entry->serial_len + sign > SERIAL_MAX || entry->serial[0] == 0)
		return err_set(e, ERR_FAIL, "RFC 5280 4.1.2.2: a serial number has 1 to 20 octets and is positive");
	der_put_header(b, DER_INTEGER, entry->serial_len + sign);
	if (sign)
		buf_add(b, &zero, 1);
	buf_add(b, entry->serial, entry->serial_len);
	return 0;
}

/* Extension, RFC 5280 4.1: value is what stands behind mark; not critical. */
static void wrap_extension(struct buf *b, size_t mark, const uint8_t *oid, size_t oid_len) {
	OWN(buf_wipe) struct buf value = {0};
	buf_add(&value, b->data + mark, b->len - mark);
	b->len = mark;
	der_put(b, DER_OID, oid, oid_len);
	der_put(b, DER_OCTET_STRING, value.data, value.len);
	der_wrap(b, mark, DER_SEQUENCE);
}

/* RFC 5280 5.3.1: unspecified is said by leaving the extension out. */
static int put_entry(const struct crl_entry *entry, struct buf *b, struct err *e) {
	size_t mark = b->len;
	int r = put_serial(entry, b, e);
	if (r != 0)
		return r;
	der_put_x509_time(b, entry->revoked_s);
	if (crl_reason_name(entry->reason) == NULL)
		return err_set(e, ERR_FAIL, "RFC 5280 5.3.1: no revocation reason %d", entry->reason);
	if (entry->reason != CRL_UNSPECIFIED) {
		size_t exts = b->len;
		uint8_t reason = (uint8_t)entry->reason;
		der_put(b, DER_ENUMERATED, &reason, 1);
		wrap_extension(b, exts, oid_reason, sizeof(oid_reason));
		der_wrap(b, exts, DER_SEQUENCE);
	}
	der_wrap(b, mark, DER_SEQUENCE);
	return 0;
}

static int put_entries(const struct crl_make *m, struct buf *b, struct err *e) {
	size_t mark = b->len;
	struct crl_entry entry = {0};
	int r;
	while ((r = m->next(m->arg, &entry, e)) == 1) {
		if ((r = put_entry(&entry, b, e)) != 0)
			return r;
		if (b->len > CRL_MAX_BYTES)
			return err_set(e, ERR_FAIL, "a revocation list has at most %u MiB", CRL_MAX_BYTES >> 20);
	}
	if (r == 0 && b->len > mark) /* RFC 5280 5.1.2.6: without entries the field is absent */
		der_wrap(b, mark, DER_SEQUENCE);
	return r;
}

static int put_extensions(const X509 *ca, uint64_t number, struct buf *b, struct err *e) {
	size_t ski_len, mark = b->len, ext;
	const uint8_t *ski = cert_ski(ca, &ski_len);
	if (ski == NULL)
		return err_set(e, ERR_FAIL, "RFC 5280 4.2.1.2: the CA certificate has no subject key identifier");
	der_put(b, DER_CTX(0), ski, ski_len);
	der_wrap(b, mark, DER_SEQUENCE);
	wrap_extension(b, mark, oid_aki, sizeof(oid_aki));
	ext = b->len;
	der_put_u64(b, number);
	wrap_extension(b, ext, oid_number, sizeof(oid_number));
	der_wrap(b, mark, DER_SEQUENCE);
	der_wrap(b, mark, DER_CTX_CONS(0));
	return 0;
}

static int put_issuer(const X509 *ca, struct buf *b, struct err *e) {
	unsigned char *name = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(ca), &name);
	if (len <= 0)
		return ossl_err(e, ERR_FAIL, "name of the CA");
	buf_add(b, name, (size_t)len);
	OPENSSL_free(name);
	return 0;
}

int crl_make(const struct crl_make *m, struct buf *der, struct err *e) {
	static const uint8_t no_unused_bits = 0;
	OWN(buf_wipe) struct buf b = {0};
	OWN(buf_wipe) struct buf sig = {0};
	enum sigalg alg;
	size_t mark;
	int r;

	if (m->number > INT64_MAX || m->next_s <= m->this_s)
		return err_set(e, ERR_FAIL, "RFC 5280 5.2.3, 5.1.2.5: number or dates of the revocation list");
	if ((r = cert_check_key(m->ca, m->ca_key, "CA", e)) != 0 || (r = sigalg_of_key(m->ca_key, SIGALG_IN_X509, &alg, e)) != 0)
		return r;
	der_put_u64(&b, 1); /* v2 */
	sigalg_put(alg, &b);
	if ((r = put_issuer(m->ca, &b, e)) != 0)
		return r;
	der_put_x509_time(&b, m->this_s);
	der_put_x509_time(&b, m->next_s);
	if ((r = put_entries(m, &b, e)) != 0 || (r = put_extensions(m->ca, m->number, &b, e)) != 0)
		return r;
	der_wrap(&b, 0, DER_SEQUENCE);
	if ((r = sigalg_sign(alg, m->ca_key, b.data, b.len, &sig, e)) != 0)
		return r;
	sigalg_put(alg, &b);
	mark = b.len;
	buf_add(&b, &no_unused_bits, 1);
	buf_add(&b, sig.data, sig.len);
	der_wrap(&b, mark, DER_BIT_STRING);
	der_put_header(der, DER_SEQUENCE, b.len);
	buf_add(der, b.data, b.len);
	return 0;
}
