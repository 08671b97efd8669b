/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/cert.h"

#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "pki/key.h"
#include "pki/name.h"
#include "pki/ossl.h"
#include "pki/pem.h"

#define CA_SUFFIX " CA"

int cert_parse(const uint8_t *data, size_t len, X509 **cert, struct err *e) {
	OWN(buf_wipe) struct buf der = {0}, again = {0};
	int rc;

	*cert = NULL;
	if (len > CERT_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "certificate longer than %d bytes", CERT_MAX_BYTES);
	if ((rc = pem_or_der(data, len, "CERTIFICATE", &der, e)) < 0)
		return rc;
	if (der.len == 0)
		return err_set(e, ERR_DAMAGED, "RFC 5280 4.1: empty");
	const unsigned char *p = der.data;
	OWN(own_x509) X509 *c = d2i_X509(NULL, &p, (long)der.len);
	if (c == NULL)
		return ossl_err(e, ERR_DAMAGED, "RFC 5280 4.1: not a certificate");
	/* What we hash and hand on must be what was signed: no BER, no second spelling, nothing behind it. */
	if ((rc = cert_der(c, &again, e)) < 0)
		return rc;
	if (again.len != der.len || memcmp(buf_str(&again), der.data, der.len) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5280 4.1: certificate is not DER, or bytes follow it");
	*cert = c;
	c = NULL;
	return 0;
}

int cert_load(const char *path, X509 **cert, struct err *e) {
	OWN(buf_wipe) struct buf text = {0};
	int rc = file_load(path, CERT_MAX_BYTES, &text, e);

	*cert = NULL;
	if (rc < 0)
		return rc;
	rc = cert_parse(text.data, text.len, cert, e);
	return rc < 0 ? err_add(e, "%s", path) : 0;
}

int cert_der(const X509 *cert, struct buf *out, struct err *e) {
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);

	if (len <= 0)
		return ossl_err(e, ERR_DAMAGED, "cannot encode a certificate");
	buf_add(out, der, (size_t)len);
	OPENSSL_free(der);
	return 0;
}

int cert_pem(const X509 *cert, struct buf *out, struct err *e) {
	OWN(buf_wipe) struct buf der = {0};
	int rc = cert_der(cert, &der, e);

	return rc < 0 ? rc : pem_write("CERTIFICATE", der.data, der.len, out, e);
}

size_t cert_serial(const X509 *cert, uint8_t out[static SERIAL_MAX]) {
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	int len = ASN1_STRING_length(serial);
	size_t n = len > SERIAL_MAX ? SERIAL_MAX : (size_t)len;

	memset(out, 0, SERIAL_MAX);
	memcpy(out, ASN1_STRING_get0_data(serial), n);
	return n;
}

void cert_serial_hex(const X509 *cert, char out[static SERIAL_HEX]) {
	uint8_t serial[SERIAL_MAX];

	text_hex(serial, cert_serial(cert, serial), out);
}

const uint8_t *cert_ski(const X509 *cert, size_t *len) {
	/* Reading fills a cache inside the object (under its lock): hence not const in OpenSSL's eyes. */
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id((X509 *)(uintptr_t)cert);

	*len = ski == NULL ? 0 : (size_t)ASN1_STRING_length(ski);
	return *len == 20 ? ASN1_STRING_get0_data(ski) : NULL;
}

void cert_sha256(const X509 *cert, uint8_t out[static 32]) {
	OWN(buf_wipe) struct buf der = {0};

	if (cert_der(cert, &der, NULL) < 0) /* it was decoded or made before: memory is exhausted */
		abort();
	ossl_sha256(der.data, der.len, out);
}

/* Seconds, 0 for what lies before 1970, or otherwise what is no time at all. Without timegm(3), whose time_t may end in 2038. */
static int64_t seconds(const ASN1_TIME *t, int64_t otherwise) {
	struct tm tm = {0};
	int64_t t_s;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return otherwise;
	if (tm.tm_year < 70)
		return 0;
	return clock_civil((int[6]){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec }, &t_s) ? t_s : otherwise;
}

int64_t cert_not_before(const X509 *cert) {
	return seconds(X509_get0_notBefore(cert), INT64_MAX);
}

int64_t cert_not_after(const X509 *cert) {
	return seconds(X509_get0_notAfter(cert), INT64_MIN);
}

int cert_name(const X509 *cert, char **name, struct err *e) {
	return name_get(X509_get_subject_name(cert), NID_commonName, name, e);
}

int cert_role(const X509 *cert, char **role, struct err *e) {
	return name_get(X509_get_subject_name(cert), NID_organizationalUnitName, role, e);
}

int cert_group(const X509 *cert, char **group, struct err *e) {
	return name_get(X509_get_subject_name(cert), NID_organizationName, group, e);
}

int cert_ca_group(const X509 *ca, char **group, struct err *e) {
	OWN(own_free) char *cn = NULL;
	const X509_NAME *subject = X509_get_subject_name(ca);
	int rc = name_get(subject, NID_commonName, &cn, e);

	*group = NULL;
	if (rc < 0)
		return rc;
	/* A group whose name leaves no room for the suffix stands in O (name_build_ca). */
	if (strcmp(cn, &CA_SUFFIX[1]) == 0)
		return name_get(subject, NID_organizationName, group, e);
	size_t len = strlen(cn), suffix = strlen(CA_SUFFIX);
	if (len <= suffix || strcmp(cn + len - suffix, CA_SUFFIX) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 5280 4.1.2.6: CA certificate's CN does not end in \"%s\"", CA_SUFFIX);
	cn[len - suffix] = '\0';
	if (name_check(cn, "group", e) < 0)
		return err_set(e, ERR_DAMAGED, "RFC 5280 4.1.2.6: CA certificate's CN holds no group name");
	*group = cn;
	cn = NULL;
	return 0;
}

int cert_check_key(const X509 *cert, EVP_PKEY *key, const char *what, struct err *e) {
	const EVP_PKEY *pub = X509_get0_pubkey(cert);

	if (pub == NULL || !key_equal(pub, key))
		return err_set(e, ERR_DAMAGED, "%s: RFC 5280 4.1.2.7: the certificate is for another key", what);
	return 0;
}
