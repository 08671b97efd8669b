/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/csr.h"

#include <string.h>

#include "pki/key.h"
#include "pki/name.h"
#include "pki/ossl.h"
#include "pki/pem.h"

int csr_make(EVP_PKEY *key, const char *name, struct buf *pem, struct err *e) {
	OWN(own_x509_name) X509_NAME *subject = NULL;
	unsigned char *der = NULL;
	int rc;

	if ((rc = name_check(name, "member", e)) < 0 || (rc = name_build(NULL, NULL, name, &subject, e)) < 0)
		return rc;
	OWN(own_x509_req) X509_REQ *req = X509_REQ_new();
	if (req == NULL || X509_REQ_set_version(req, X509_REQ_VERSION_1) != 1 || X509_REQ_set_subject_name(req, subject) != 1 ||
	    X509_REQ_set_pubkey(req, key) != 1 || X509_REQ_sign(req, key, key_digest(key)) <= 0)
		return ossl_err(e, ERR_FAIL, "cannot make a certification request");
	int len = i2d_X509_REQ(req, &der);
	if (len <= 0)
		return ossl_err(e, ERR_FAIL, "cannot encode a certification request");
	rc = pem_write("CERTIFICATE REQUEST", der, (size_t)len, pem, e);
	OPENSSL_free(der);
	return rc;
}

/* RFC 7468 7: both labels are in use (GnuTLS writes the second). */
static int decode(const uint8_t *data, size_t len, struct buf *der, struct err *e) {
	char label[PEM_LABEL_MAX];
	int rc;

	if (pem_is_der(data, len)) {
		buf_add(der, data, len);
		return 0;
	}
	if ((rc = pem_read(data, len, label, der, e)) < 0)
		return rc;
	if (strcmp(label, "CERTIFICATE REQUEST") != 0 && strcmp(label, "NEW CERTIFICATE REQUEST") != 0)
		return err_set(e, ERR_DAMAGED, "RFC 7468 7: a block other than CERTIFICATE REQUEST");
	return 0;
}

static int parse(const uint8_t *data, size_t len, X509_REQ **out, struct err *e) {
	OWN(buf_wipe) struct buf der = {0};
	int rc;

	*out = NULL;
	if (len > CSR_MAX_BYTES)
		return err_set(e, ERR_DAMAGED, "certification request longer than %d bytes", CSR_MAX_BYTES);
	if ((rc = decode(data, len, &der, e)) < 0)
		return rc;
	const unsigned char *p = der.data;
	OWN(own_x509_req) X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.len);
	if (req == NULL)
		return ossl_err(e, ERR_DAMAGED, "RFC 2986 4: not a certification request");
	if (p != der.data + der.len)
		return err_set(e, ERR_DAMAGED, "RFC 2986 4: bytes behind the certification request");
	if (X509_REQ_get_version(req) != X509_REQ_VERSION_1)
		return err_set(e, ERR_DAMAGED, "RFC 2986 4.1: certification request of an unknown version");
	*out = req;
	req = NULL;
	return 0;
}

int csr_open(const uint8_t *data, size_t len, EVP_PKEY **pub, struct err *e) {
	OWN(own_x509_req) X509_REQ *req = NULL;
	int rc = parse(data, len, &req, e);

	*pub = NULL;
	if (rc < 0)
		return rc;
	OWN(own_pkey) EVP_PKEY *key = X509_REQ_get_pubkey(req);
	if (key == NULL)
		return ossl_err(e, ERR_DAMAGED, "RFC 2986 4.1: certification request without a readable key");
	if ((rc = key_check_public(key, "certification request", e)) < 0)
		return rc;
	if (!key_signature_is_strong(X509_REQ_get_signature_nid(req)))
		return err_set(e, ERR_REFUSED,
		    "certification request: RFC 5758 3.2, RFC 4055 5: signature is not ECDSA or RSA with SHA-256, SHA-384 or SHA-512");
	if (X509_REQ_verify(req, key) != 1)
		return ossl_err(e, ERR_DAMAGED, "certification request: RFC 2986 4.2: signature does not verify");
	*pub = key;
	key = NULL;
	return 0;
}
