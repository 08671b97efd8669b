/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/tree_show.h"

#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/der.h"
#include "base/own.h"
#include "base/text.h"
#include "pki/ossl.h"

#define HEX_MAX 32      /* octets that are shown */
#define TEXT_MAX 512    /* of a name */

OWN_DEFINE(asn1_object, ASN1_OBJECT, ASN1_OBJECT_free)

/* What stands in an element, whatever its tag is. */
static struct der inside(const uint8_t *der, size_t len) {
	struct der d = { der, len }, in = { NULL, 0 }, whole;
	uint8_t tag;

	if (der_take_any(&d, &tag, &in, &whole, "", NULL) != 0)
		in = (struct der){ NULL, 0 };
	return in;
}

static void put_hex(const struct der *in, struct buf *out) {
	char hex[2 * HEX_MAX + 1];

	if (in->len > HEX_MAX) {
		buf_addf(out, "%zu octets", in->len);
		return;
	}
	text_hex(in->p, in->len, hex);
	buf_add(out, hex, 2 * in->len);
}

void tree_show_hex(const uint8_t *der, size_t len, struct buf *out) {
	struct der in = inside(der, len);

	put_hex(&in, out);
}

void tree_show_integer(const uint8_t *der, size_t len, struct buf *out) {
	struct der d = { der, len }, in = inside(der, len);
	uint64_t v;

	if (der_take_u64(&d, &v, "", NULL) == 0)
		buf_addf(out, "%llu", (unsigned long long)v);
	else
		put_hex(&in, out);
}

void tree_show_oid(const uint8_t *der, size_t len, struct buf *out) {
	const unsigned char *p = der;
	OWN(own_asn1_object) ASN1_OBJECT *oid = d2i_ASN1_OBJECT(NULL, &p, (long)len);
	char text[128];

	if (oid == NULL || OBJ_obj2txt(text, sizeof text, oid, 0) <= 0)
		buf_addf(out, "no object identifier");
	else
		text_escape(text, strlen(text), out);
}

/* The next element whole, or false. */
static bool take(struct der *d, uint8_t *tag, struct der *in, struct der *all) {
	return d->len > 0 && der_take_any(d, tag, in, all, "", NULL) == 0;
}

/* AES-GCM or AES-CCM, with GCMParameters or CCMParameters (RFC 5084 3.1, 3.2). */
static bool is_aead(const struct der *oid) {
	static const uint8_t aes[] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01 };
	uint8_t last;

	if (oid->len != sizeof aes + 1 || memcmp(oid->p, aes, sizeof aes) != 0)
		return false;
	last = oid->p[sizeof aes] % 20; /* 6, 26, 46 and 7, 27, 47 */
	return last == 6 || last == 7;
}

/* Those, or the algorithm that one works with (RFC 5753 7.1.4). */
static void put_sequence(bool aead, struct der in, struct buf *out) {
	struct der first, all, second = { NULL, 0 }, second_all = { NULL, 0 };
	uint8_t tag, second_tag = 0;

	if (!take(&in, &tag, &first, &all)) {
		buf_addf(out, ", no parameters");
	} else if (tag == DER_OID) {
		buf_addf(out, ", ");
		tree_show_oid(all.p, all.len, out);
	} else if (tag == DER_OCTET_STRING && aead) {
		buf_addf(out, ", nonce ");
		put_hex(&first, out);
		if (!take(&in, &second_tag, &second, &second_all))
			buf_addf(out, ", tag of 12 octets");
		else if (second_tag == DER_INTEGER) {
			buf_addf(out, ", tag of ");
			tree_show_integer(second_all.p, second_all.len, out);
			buf_addf(out, " octets");
		}
	} else {
		buf_addf(out, ", with parameters");
	}
}

void tree_show_algorithm(const uint8_t *der, size_t len, struct buf *out) {
	struct der d = inside(der, len), in, all;
	bool aead;
	uint8_t tag;

	if (!take(&d, &tag, &in, &all) || tag != DER_OID) {
		buf_addf(out, "no algorithm");
		return;
	}
	aead = is_aead(&in);
	tree_show_oid(all.p, all.len, out);
	if (!take(&d, &tag, &in, &all) || tag == DER_NULL)
		return;
	if (tag == DER_SEQUENCE) {
		put_sequence(aead, in, out);
	} else if (tag == DER_OCTET_STRING) {
		buf_addf(out, ", iv ");
		put_hex(&in, out);
	} else {
		buf_addf(out, ", with parameters");
	}
}

static void put_name(const X509_NAME *name, struct buf *out) {
	OWN(own_bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (name == NULL || bio == NULL || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) < 0) {
		buf_addf(out, "no name");
		return;
	}
	len = BIO_get_mem_data(bio, &text);
	text_escape(text, len > TEXT_MAX ? TEXT_MAX : (size_t)len, out);
}

/* IssuerAndSerialNumber, RFC 5652 10.2.4. */
void tree_show_issuer(const uint8_t *der, size_t len, struct buf *out) {
	struct der d = inside(der, len), in, all;
	const unsigned char *p;
	uint8_t tag;

	if (!take(&d, &tag, &in, &all)) {
		buf_addf(out, "no issuer");
		return;
	}
	p = all.p;
	OWN(own_x509_name) X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)all.len);
	put_name(name, out);
	if (take(&d, &tag, &in, &all)) {
		buf_addf(out, ", serial ");
		put_hex(&in, out);
	}
}

static void put_value(uint8_t tag, const struct der *in, const struct der *all, struct buf *out) {
	struct der d = *all;
	char when[CLOCK_TEXT];
	int64_t t_s;

	if (tag == DER_OID) {
		tree_show_oid(all->p, all->len, out);
	} else if (der_take_time(&d, &t_s, "", NULL) == 0) {
		clock_print(t_s, when);
		buf_addf(out, "%s", when);
	} else if (tag == DER_OCTET_STRING || tag == DER_INTEGER) {
		put_hex(in, out);
	} else {
		buf_addf(out, "%zu octets", in->len);
	}
}

/* RFC 5652 5.3: type, and the first of its values. */
void tree_show_attribute(const uint8_t *der, size_t len, struct buf *out) {
	struct der d = inside(der, len), in, all, set;
	uint8_t tag;

	if (!take(&d, &tag, &in, &all) || tag != DER_OID) {
		buf_addf(out, "no attribute");
		return;
	}
	tree_show_oid(all.p, all.len, out);
	if (!take(&d, &tag, &set, &all) || !take(&set, &tag, &in, &all))
		return;
	buf_addf(out, ": ");
	put_value(tag, &in, &all, out);
	if (set.len > 0)
		buf_addf(out, ", and more");
}

void tree_show_certificate(const uint8_t *der, size_t len, struct buf *out) {
	const unsigned char *p = der;
	OWN(own_x509) X509 *cert = d2i_X509(NULL, &p, (long)len);
	const ASN1_INTEGER *serial;
	struct der in;

	if (cert == NULL) {
		buf_addf(out, "no certificate that OpenSSL reads");
		return;
	}
	put_name(X509_get_subject_name(cert), out);
	buf_addf(out, ", by ");
	put_name(X509_get_issuer_name(cert), out);
	serial = X509_get0_serialNumber(cert);
	in = (struct der){ ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial) };
	buf_addf(out, ", serial ");
	put_hex(&in, out);
}
