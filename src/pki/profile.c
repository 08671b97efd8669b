/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/profile.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/secret.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/name.h"
#include "pki/ossl.h"
#include "pki/san.h"

#define SERIAL_BYTES 16

OWN_DEFINE(general_names, GENERAL_NAMES, GENERAL_NAMES_free)
OWN_DEFINE(dist_points, CRL_DIST_POINTS, CRL_DIST_POINTS_free)
OWN_DEFINE(bignum, BIGNUM, BN_free)

static const char *const role_names[] = {[ROLE_MEMBER] = "member", [ROLE_GATEWAY] = "gateway", [ROLE_ADMIN] = "admin"};

int role_parse(const char *name, enum role *r, struct err *e) {
	for (size_t i = 0; i < sizeof role_names / sizeof role_names[0]; i++) {
		if (strcmp(name, role_names[i]) == 0) {
			*r = (enum role)i;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "role is none of member, gateway, admin");
}

const char *role_name(enum role r) {
	return role_names[r];
}

/* RFC 5280 4.1.2.2: positive, at most 20 octets. */
static bool set_serial(X509 *cert, const uint8_t random[static SERIAL_BYTES]) {
	uint8_t serial[SERIAL_BYTES];

	memcpy(serial, random, SERIAL_BYTES);
	serial[0] &= 0x7f;
	OWN(own_bignum) BIGNUM *n = BN_bin2bn(serial, SERIAL_BYTES, NULL);
	return n != NULL && !BN_is_zero(n) && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
}

struct validity {
	int64_t begin_s, end_s;
};

/* In days and seconds: time_t may end in 2038. */
static bool set_time(ASN1_TIME *t, int64_t t_s) {
	return ASN1_TIME_adj(t, 0, (int)(t_s / 86400), (long)(t_s % 86400)) != NULL;
}

/* The fields of RFC 5280 4.1.2 but the extensions. */
static bool set_fields(X509 *cert, const uint8_t serial[static SERIAL_BYTES], const struct validity *v, const X509_NAME *subject,
    const X509_NAME *issuer, EVP_PKEY *pub) {
	return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert, serial) &&
	    set_time(X509_getm_notBefore(cert), v->begin_s) && set_time(X509_getm_notAfter(cert), v->end_s) && X509_set_subject_name(cert, subject) == 1 &&
	    X509_set_issuer_name(cert, issuer) == 1 && X509_set_pubkey(cert, pub) == 1;
}

/* Adds an extension from OpenSSL's notation; value is one of our constants, never a user's text. */
static bool add(X509 *cert, X509 *issuer, int nid, const char *value) {
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool add_ca_extensions(X509 *ca) {
	return add(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") && add(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add(ca, ca, NID_subject_key_identifier, "hash") && add(ca, ca, NID_authority_key_identifier, "keyid:always");
}

int profile_ca(EVP_PKEY *key, const char *group, int64_t not_before_s, int64_t not_after_s, X509 **ca, struct err *e) {
	OWN(own_x509_name) X509_NAME *name = NULL;
	uint8_t serial[SERIAL_BYTES];
	int rc;

	*ca = NULL;
	if ((rc = name_check(group, "group", e)) < 0 || (rc = key_check(key, "CA key", e)) < 0 ||
	    (rc = name_build_ca(group, &name, e)) < 0 || (rc = random_bytes(serial, sizeof serial, e)) < 0)
		return rc;
	OWN(own_x509) X509 *c = X509_new();
	if (c == NULL || !set_fields(c, serial, &(struct validity){not_before_s, not_after_s}, name, name, key) || !add_ca_extensions(c) ||
	    X509_sign(c, key, key_digest(key)) <= 0)
		return ossl_err(e, ERR_FAIL, "cannot make the CA certificate");
	*ca = c;
	c = NULL;
	return 0;
}

static int check_request(const X509 *ca, EVP_PKEY *pub, const struct profile_request *r, struct err *e) {
	int rc;

	if ((rc = name_check(r->name, role_name(r->role), e)) < 0 || (rc = key_check(pub, r->name, e)) < 0)
		return rc;
	if (r->role == ROLE_GATEWAY && r->san == NULL)
		return err_set(e, ERR_USAGE, "RFC 9525 2: a gateway's certificate needs a subject alternative name");
	if (r->role != ROLE_GATEWAY && r->san != NULL)
		return err_set(e, ERR_USAGE, "subject alternative names are for gateways only");
	if (r->not_before_s >= r->not_after_s || r->not_before_s >= cert_not_after(ca))
		return err_set(e, ERR_FAIL, "RFC 5280 4.1.2.5: the certificate, or the CA's, would have ended before it begins");
	return 0;
}

static int add_names(X509 *cert, const char *san, struct err *e) {
	OWN(own_general_names) GENERAL_NAMES *names = NULL;
	int rc = san_parse(san, &names, e);

	if (rc < 0)
		return rc;
	return X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1 ? 0 : ossl_err(e, ERR_FAIL, "cannot add names");
}

/* RFC 5280 4.2.1.13: one point, fullName, one URI. */
static bool add_crl_url(X509 *cert, const char *url) {
	OWN(own_dist_points) CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
	DIST_POINT *point = DIST_POINT_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *uri = ASN1_IA5STRING_new();
	bool ok = points != NULL && point != NULL && name != NULL && uri != NULL && ASN1_STRING_set(uri, url, -1) == 1 &&
	    (point->distpoint = DIST_POINT_NAME_new()) != NULL && (point->distpoint->name.fullname = GENERAL_NAMES_new()) != NULL;

	if (ok) {
		point->distpoint->type = 0; /* fullName */
		GENERAL_NAME_set0_value(name, GEN_URI, uri);
		uri = NULL;
		ok = sk_GENERAL_NAME_push(point->distpoint->name.fullname, name) > 0;
		name = ok ? NULL : name;
		ok = ok && sk_DIST_POINT_push(points, point) > 0;
		point = ok ? NULL : point;
	}
	ok = ok && X509_add1_ext_i2d(cert, NID_crl_distribution_points, points, 0, 0) == 1;
	ASN1_IA5STRING_free(uri);
	GENERAL_NAME_free(name);
	DIST_POINT_free(point);
	return ok;
}

/* Keys both sign and receive envelopes (RFC 5280 4.2.1.3): by key agreement with EC, by key transport with RSA. */
static const char *key_usage(const EVP_PKEY *pub) {
	return EVP_PKEY_get_base_id(pub) == EVP_PKEY_EC ? "critical,digitalSignature,keyAgreement" : "critical,digitalSignature,keyEncipherment";
}

static bool add_extensions(X509 *cert, X509 *ca, const EVP_PKEY *pub, enum role role) {
	return add(cert, ca, NID_basic_constraints, "critical,CA:FALSE") && add(cert, ca, NID_key_usage, key_usage(pub)) &&
	    add(cert, ca, NID_ext_key_usage, role == ROLE_GATEWAY ? "serverAuth" : "clientAuth,emailProtection") &&
	    add(cert, ca, NID_subject_key_identifier, "hash") && add(cert, ca, NID_authority_key_identifier, "keyid:always");
}

/* All but the names and points that come from outside, and the signature. */
static int body(X509 *cert, X509 *ca, EVP_PKEY *pub, const struct profile_request *r, struct err *e) {
	OWN(own_x509_name) X509_NAME *subject = NULL;
	OWN(own_free) char *group = NULL;
	struct validity v = {
	    r->not_before_s < cert_not_before(ca) ? cert_not_before(ca) : r->not_before_s,
	    r->not_after_s > cert_not_after(ca) ? cert_not_after(ca) : r->not_after_s,
	};
	int rc;

	if ((rc = cert_ca_group(ca, &group, e)) < 0 || (rc = name_build(group, role_name(r->role), r->name, &subject, e)) < 0)
		return rc;
	if (!set_fields(cert, r->serial, &v, subject, X509_get_subject_name(ca), pub) || !add_extensions(cert, ca, pub, r->role))
		return ossl_err(e, ERR_FAIL, "cannot make a certificate");
	return 0;
}

int profile_issue(EVP_PKEY *ca_key, X509 *ca, EVP_PKEY *pub, const struct profile_request *r, X509 **cert, struct err *e) {
	int rc = check_request(ca, pub, r, e);

	*cert = NULL;
	if (rc < 0 || (rc = cert_check_key(ca, ca_key, "CA", e)) < 0)
		return rc;
	OWN(own_x509) X509 *c = X509_new();
	if (c == NULL)
		return ossl_err(e, ERR_FAIL, "cannot make a certificate");
	if ((rc = body(c, ca, pub, r, e)) < 0 || (r->san != NULL && (rc = add_names(c, r->san, e)) < 0))
		return rc;
	if ((r->crl_url != NULL && !add_crl_url(c, r->crl_url)) || X509_sign(c, ca_key, key_digest(ca_key)) <= 0)
		return ossl_err(e, ERR_FAIL, "cannot sign a certificate");
	*cert = c;
	c = NULL;
	return 0;
}
