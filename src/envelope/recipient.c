/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/recipient.h"

#include <string.h>

#include "base/own.h"
#include "keyring/enveloped.h"

#define EC_TAG DER_CTX_CONS(1)  /* RFC 5652 6.2: kari */
#define EC_VERSION 3            /* RFC 5652 6.2.2 */
#define RSA_VERSION 2           /* RFC 5652 6.2.1: by subjectKeyIdentifier */

/* RFC 5480 2.1.1: 1.2.840.10045.2.1 */
static const uint8_t oid_ec_public_key[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
/* RFC 5753 7.1.4: 1.3.132.1.11.1 */
static const uint8_t oid_dh_sha256kdf[] = { 0x2b, 0x81, 0x04, 0x01, 0x0b, 0x01 };
/* RFC 3565 2.3.2: 2.16.840.1.101.3.4.1.45 */
static const uint8_t oid_aes256_wrap[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d };
/* RFC 4055 4.1: 1.2.840.113549.1.1.7 */
static const uint8_t oid_rsa_oaep[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07 };
/* RFC 4055 2.2: 1.2.840.113549.1.1.8 */
static const uint8_t oid_mgf1[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08 };
/* RFC 4055 2.1: 2.16.840.1.101.3.4.2.1 */
static const uint8_t oid_sha256[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 };
#define OID(x) x, sizeof(x)

bool recipient_is_next(const struct der *set) {
	return der_next_is(set, EC_TAG) || der_next_is(set, DER_SEQUENCE);
}

static void put_algorithm(struct buf *b, const uint8_t *oid, size_t len) {
	size_t mark = b->len;

	der_put(b, DER_OID, oid, len);
	der_wrap(b, mark, DER_SEQUENCE);
}

/* [0] EXPLICIT [1] OriginatorPublicKey, RFC 5753 3.1.1: the curve is that of the recipient's key. */
static void put_originator(const struct recipient *r, struct buf *b) {
	size_t mark = b->len;

	put_algorithm(b, OID(oid_ec_public_key));
	der_put_header(b, DER_BIT_STRING, 1 + r->point_len);
	buf_addc(b, 0);
	buf_add(b, r->point, r->point_len);
	der_wrap(b, mark, DER_CTX_CONS(1));
	der_wrap(b, mark, DER_CTX_CONS(0));
}

static void put_ec(const struct recipient *r, struct buf *b) {
	size_t all = b->len, mark;

	der_put_u64(b, EC_VERSION);
	put_originator(r, b);
	mark = b->len;
	der_put(b, DER_OID, OID(oid_dh_sha256kdf));
	put_algorithm(b, OID(oid_aes256_wrap));
	der_wrap(b, mark, DER_SEQUENCE);
	mark = b->len;
	der_put(b, DER_OCTET_STRING, r->ski, sizeof r->ski);
	der_wrap(b, mark, DER_CTX_CONS(0));
	der_put(b, DER_OCTET_STRING, r->key, r->key_len);
	der_wrap(b, mark, DER_SEQUENCE);
	der_wrap(b, mark, DER_SEQUENCE);
	der_wrap(b, all, EC_TAG);
}

/* RFC 4055 2.1: whoever writes this hash's identifier puts NULL for its parameters. */
static void put_sha256(struct buf *b) {
	size_t mark = b->len;

	der_put(b, DER_OID, OID(oid_sha256));
	der_put(b, DER_NULL, "", 0);
	der_wrap(b, mark, DER_SEQUENCE);
}

static void put_oaep(struct buf *b) {
	size_t alg = b->len, params, mark;

	der_put(b, DER_OID, OID(oid_rsa_oaep));
	params = b->len;
	put_sha256(b);
	der_wrap(b, params, DER_CTX_CONS(0));
	mark = b->len;
	der_put(b, DER_OID, OID(oid_mgf1));
	put_sha256(b);
	der_wrap(b, mark, DER_SEQUENCE);
	der_wrap(b, mark, DER_CTX_CONS(1));
	der_wrap(b, params, DER_SEQUENCE);
	der_wrap(b, alg, DER_SEQUENCE);
}

static void put_rsa(const struct recipient *r, struct buf *b) {
	size_t all = b->len;

	der_put_u64(b, RSA_VERSION);
	der_put(b, DER_CTX(0), r->ski, sizeof r->ski);
	put_oaep(b);
	der_put(b, DER_OCTET_STRING, r->key, r->key_len);
	der_wrap(b, all, DER_SEQUENCE);
}

void recipient_put(const struct recipient *r, struct buf *out) {
	if (r->kind == RECIPIENT_EC)
		put_ec(r, out);
	else
		put_rsa(r, out);
}

static int skip(struct der *d, const char *what, struct err *e) {
	struct der in, whole;
	uint8_t tag;

	return der_take_any(d, &tag, &in, &whole, what, e);
}

/* Only of a form that fits: its lengths were checked. */
static int take_bytes(struct der *d, uint8_t tag, uint8_t *out, size_t *len, size_t cap, const char *what, struct err *e) {
	struct der in;
	int r = der_take(d, tag, &in, what, e);

	if (r != 0)
		return r;
	if (in.len > cap)
		return err_set(e, ERR_DAMAGED, "%s: too long", what);
	memcpy(out, in.p, in.len);
	*len = in.len;
	return 0;
}

static int parse_ec(struct der ri, struct recipient *r, struct err *e) {
	static const char what[] = "RFC 5652 6.2.2: KeyAgreeRecipientInfo";
	struct der box, origin, bits, list, one, id;
	size_t ski_len;
	int rc;

	if ((rc = skip(&ri, what, e)) != 0 || (rc = der_take(&ri, DER_CTX_CONS(0), &box, what, e)) != 0 ||
	    (rc = der_take(&box, DER_CTX_CONS(1), &origin, what, e)) != 0 || (rc = skip(&origin, what, e)) != 0 ||
	    (rc = der_take(&origin, DER_BIT_STRING, &bits, what, e)) != 0 || (rc = skip(&ri, what, e)) != 0 ||
	    (rc = der_take(&ri, DER_SEQUENCE, &list, what, e)) != 0 || (rc = der_take(&list, DER_SEQUENCE, &one, what, e)) != 0)
		return rc;
	r->kind = RECIPIENT_EC;
	r->point_len = bits.len - 1;
	memcpy(r->point, bits.p + 1, r->point_len);
	if ((rc = der_take(&one, DER_CTX_CONS(0), &id, "RFC 5652 6.2.2: rKeyId", e)) != 0 ||
	    (rc = take_bytes(&id, DER_OCTET_STRING, r->ski, &ski_len, sizeof r->ski, what, e)) != 0)
		return rc;
	return take_bytes(&one, DER_OCTET_STRING, r->key, &r->key_len, sizeof r->key, what, e);
}

static int parse_rsa(struct der ri, struct recipient *r, struct err *e) {
	static const char what[] = "RFC 5652 6.2.1: KeyTransRecipientInfo";
	size_t ski_len;
	int rc;

	r->kind = RECIPIENT_RSA;
	if ((rc = skip(&ri, what, e)) != 0 ||
	    (rc = take_bytes(&ri, DER_CTX(0), r->ski, &ski_len, sizeof r->ski, "RFC 5652 6.2.1: subjectKeyIdentifier", e)) != 0 ||
	    (rc = skip(&ri, what, e)) != 0)
		return rc;
	return take_bytes(&ri, DER_OCTET_STRING, r->key, &r->key_len, sizeof r->key, what, e);
}

/* Optional parameters and the like: there is one way. */
static int check_canonical(const struct recipient *r, const struct der *whole, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};

	recipient_put(r, &b);
	if (b.len != whole->len || memcmp(b.data, whole->p, b.len) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2: the RecipientInfo is encoded in another way than format 1 has it");
	return 0;
}

int recipient_parse(struct der *set, struct recipient *r, struct err *e) {
	struct der ri, whole;
	uint8_t tag;
	int rc;

	*r = (struct recipient){0};
	if ((rc = der_take_any(set, &tag, &ri, &whole, "RFC 5652 6.2: RecipientInfo", e)) != 0)
		return rc;
	if (set->len != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5652 6.2: more than one recipient");
	if ((rc = enveloped_check_recipient(tag, ri, e)) != 0)
		return rc;
	if ((rc = tag == EC_TAG ? parse_ec(ri, r, e) : parse_rsa(ri, r, e)) != 0)
		return rc;
	return check_canonical(r, &whole, e);
}

bool recipient_equal(const struct recipient *a, const struct recipient *b) {
	if (a->kind != b->kind || a->kind == RECIPIENT_GROUP)
		return a->kind == b->kind;
	return memcmp(a->ski, b->ski, sizeof a->ski) == 0 && a->point_len == b->point_len &&
	       memcmp(a->point, b->point, a->point_len) == 0 && a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}
