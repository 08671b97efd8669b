/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/chain.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/name.h"
#include "pki/ossl.h"
#include "pki/profile.h"

/* Certificates that were found good, by SHA-256: the signature over one costs more than all else that is asked of it, and those of a
 * group come again and again, with each connection and each file. Only what is good is kept, so nobody can push in what is not; dates,
 * purpose and revocation are asked each time. */
#define MEMO_SLOTS 256

struct memo {
	pthread_mutex_t lock;
	struct { X509 *cert; uint8_t sha256[SHA256_LEN]; } slot[MEMO_SLOTS];
};

struct chain {
	X509 *ca;
	EVP_PKEY *key; /* the CA's, of its own: X509_verify may read it from several threads */
	char *group;
	struct memo *memo;
};

OWN_DEFINE(chain, struct chain, chain_free)

const char *verdict_name(enum verdict v) {
	static const char *const names[] = {
	    [VERDICT_NO_CERTIFICATE] = "no-certificate", [VERDICT_FOREIGN] = "foreign", [VERDICT_EXPIRED] = "expired",
	    [VERDICT_NOT_YET_VALID] = "not-yet-valid", [VERDICT_WRONG_PURPOSE] = "wrong-purpose", [VERDICT_REVOKED] = "revoked",
	    [VERDICT_GOOD] = "good",
	};
	return names[v];
}

/* Rules are asked in the order of their table; NULL: it holds, else what is wrong, with its section. */
typedef const char *rule(const struct chain *c, X509 *cert);

static const char *first_broken(rule *const *rules, size_t n, const struct chain *c, X509 *cert) {
	const char *why = NULL;

	for (size_t i = 0; i < n && why == NULL; i++)
		why = rules[i](c, cert);
	return why;
}

/* The rules for every certificate, the CA's too. */

static const char *has_version_3(const struct chain *c, X509 *cert) {
	(void)c;
	return X509_get_version(cert) == X509_VERSION_3 ? NULL : "RFC 5280 4.1.2.1: not version 3";
}

static const char *has_serial(const struct chain *c, X509 *cert) {
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	int len = ASN1_STRING_length(serial);
	const unsigned char *p = ASN1_STRING_get0_data(serial);

	(void)c;
	if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || len < 1 || (len == 1 && p[0] == 0))
		return "RFC 5280 4.1.2.2: serial number is not positive";
	/* An octet more stands in DER where the top bit is set. */
	return len + (p[0] >= 0x80) > SERIAL_MAX ? "RFC 5280 4.1.2.2: serial number longer than 20 octets" : NULL;
}

static const char *has_no_unique_ids(const struct chain *c, X509 *cert) {
	const ASN1_BIT_STRING *issuer = NULL, *subject = NULL;

	(void)c;
	X509_get0_uids(cert, &issuer, &subject);
	return issuer == NULL && subject == NULL ? NULL : "RFC 5280 4.1.2.8: unique identifiers";
}

static const char *has_strong_signature(const struct chain *c, X509 *cert) {
	(void)c;
	return key_signature_is_strong(X509_get_signature_nid(cert)) ? NULL :
	    "RFC 5758 3.2, RFC 4055 5: signature is not ECDSA or RSA with SHA-256, SHA-384 or SHA-512";
}

static bool may_be_critical(int nid) {
	return nid == NID_basic_constraints || nid == NID_key_usage || nid == NID_ext_key_usage || nid == NID_subject_alt_name;
}

static const char *has_known_extensions(const struct chain *c, X509 *cert) {
	(void)c;
	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		X509_EXTENSION *ext = X509_get_ext(cert, i);
		const ASN1_OBJECT *oid = X509_EXTENSION_get_object(ext);
		if (X509_get_ext_by_OBJ(cert, oid, i) >= 0)
			return "RFC 5280 4.2: an extension twice";
		if (X509_EXTENSION_get_critical(ext) && !may_be_critical(OBJ_obj2nid(oid)))
			return "RFC 5280 4.2: an unknown critical extension";
	}
	return (X509_get_extension_flags(cert) & EXFLAG_INVALID) == 0 ? NULL : "RFC 5280 4.2: an extension that cannot be read";
}

static const char *has_ski(const struct chain *c, X509 *cert) {
	size_t len;

	(void)c;
	return cert_ski(cert, &len) != NULL ? NULL : "RFC 5280 4.2.1.2: no subject key identifier of 20 octets";
}

static rule *const common_rules[] = {
    has_version_3, has_serial, has_no_unique_ids, has_strong_signature, has_known_extensions, has_ski,
};

/* The rules for the CA's own. */

static const char *ca_issues_itself(const struct chain *c, X509 *cert) {
	(void)c;
	return X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0 ? NULL :
	    "RFC 5280 3.2: CA certificate is not self-issued";
}

static const char *ca_has_constraints(const struct chain *c, X509 *cert) {
	int critical = 0;

	(void)c;
	BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(cert, NID_basic_constraints, &critical, NULL);
	bool ok = bc != NULL && critical == 1 && bc->ca && bc->pathlen != NULL && ASN1_INTEGER_get(bc->pathlen) == 0;
	BASIC_CONSTRAINTS_free(bc);
	return ok ? NULL : "RFC 5280 4.2.1.9: CA certificate needs critical basicConstraints, CA with path length 0";
}

static const char *ca_has_key_usage(const struct chain *c, X509 *cert) {
	int at = X509_get_ext_by_NID(cert, NID_key_usage, -1);

	(void)c;
	if (at < 0 || !X509_EXTENSION_get_critical(X509_get_ext(cert, at)) || X509_get_key_usage(cert) != (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
		return "RFC 5280 4.2.1.3: CA certificate needs critical keyUsage, keyCertSign and cRLSign only";
	return NULL;
}

static const char *ca_signed_itself(const struct chain *c, X509 *cert) {
	return X509_verify(cert, c->key) == 1 ? NULL : "RFC 5280 6.1.3: CA certificate's signature does not verify";
}

static rule *const ca_rules[] = {ca_issues_itself, ca_has_constraints, ca_has_key_usage, ca_signed_itself};

/* The rules that show who issued it: whoever breaks one is foreign. */

static const char *comes_from_ca(const struct chain *c, X509 *cert) {
	return X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(c->ca)) == 0 ? NULL :
	    "RFC 5280 6.1.3: issued by another CA";
}

static const char *names_ca_key(const struct chain *c, X509 *cert) {
	const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id(cert), *ski = X509_get0_subject_key_id(c->ca);

	return aki == NULL || ASN1_OCTET_STRING_cmp(aki, ski) == 0 ? NULL : "RFC 5280 4.2.1.1: authority key identifier is not the CA's";
}

static const char *is_signed_by_ca(const struct chain *c, X509 *cert) {
	return X509_verify(cert, c->key) == 1 ? NULL : "RFC 5280 6.1.3: signature is not the CA's";
}

static const char *is_no_ca(const struct chain *c, X509 *cert) {
	(void)c;
	return (X509_get_extension_flags(cert) & EXFLAG_CA) == 0 ? NULL : "RFC 5280 4.2.1.9: a CA certificate";
}

static const char *has_group(const struct chain *c, X509 *cert) {
	OWN(own_free) char *group = NULL;

	return cert_group(cert, &group, NULL) == 0 && strcmp(group, c->group) == 0 ? NULL :
	    "RFC 5280 4.1.2.6: organization is not the group";
}

static const char *has_subject(const struct chain *c, X509 *cert) {
	OWN(own_free) char *name = NULL, *role = NULL;

	(void)c;
	return X509_NAME_entry_count(X509_get_subject_name(cert)) == 3 && cert_name(cert, &name, NULL) == 0 &&
	    cert_role(cert, &role, NULL) == 0 ? NULL : "RFC 5280 4.1.2.6: subject is not a group, a role and a name";
}

static const char *has_good_key(const struct chain *c, X509 *cert) {
	EVP_PKEY *key = X509_get0_pubkey(cert);

	(void)c;
	return key != NULL && key_check(key, "", NULL) == 0 ? NULL : "RFC 9325 4.5, RFC 5480 2.1.1: a weak or unknown key";
}

static rule *const issuer_rules[] = {comes_from_ca, names_ca_key, has_strong_signature, has_good_key, is_signed_by_ca};

/* The rules about what a certificate may be used for: the CA's profile, all of it. */

static const char *has_aki(const struct chain *c, X509 *cert) {
	(void)c;
	return X509_get0_authority_key_id(cert) != NULL ? NULL : "RFC 5280 4.2.1.1: no authority key identifier";
}

#define XKU_OF_MEMBER (XKU_SSL_CLIENT | XKU_SMIME)
#define XKU_OF_GATEWAY XKU_SSL_SERVER

static const char *has_key_usage(const struct chain *c, X509 *cert) {
	bool ec = EVP_PKEY_get_base_id(X509_get0_pubkey(cert)) == EVP_PKEY_EC;

	(void)c;
	return X509_get_key_usage(cert) == (KU_DIGITAL_SIGNATURE | (ec ? KU_KEY_AGREEMENT : KU_KEY_ENCIPHERMENT)) ? NULL :
	    "RFC 5280 4.2.1.3: key usage is not digitalSignature and keyAgreement (EC) or keyEncipherment (RSA)";
}

/* What a role may do stands in the certificate twice, in OU and in extKeyUsage; they must agree. */
static const char *has_role_that_fits(const struct chain *c, X509 *cert) {
	OWN(own_free) char *name = NULL;
	enum role role;

	(void)c;
	if (cert_role(cert, &name, NULL) < 0 || role_parse(name, &role, NULL) < 0)
		return "RFC 5280 4.1.2.6: unknown role in OU";
	/* Without the extension OpenSSL answers "all": RFC 5280 means the same, the profile does not. */
	if (X509_get_extended_key_usage(cert) != (role == ROLE_GATEWAY ? XKU_OF_GATEWAY : XKU_OF_MEMBER))
		return "RFC 5280 4.2.1.12: extended key usage does not fit the role";
	return NULL;
}

static rule *const usage_rules[] = {has_aki, has_group, has_subject, is_no_ca, has_key_usage, has_role_that_fits};

static const char *check_purpose(X509 *cert, enum purpose purpose) {
	uint32_t eku = X509_get_extended_key_usage(cert);

	switch (purpose) {
	case PURPOSE_CLIENT:
		return eku == XKU_OF_MEMBER ? NULL : "RFC 5280 4.2.1.12: not a member's certificate (clientAuth)";
	case PURPOSE_SERVER:
		return eku == XKU_OF_GATEWAY ? NULL : "RFC 5280 4.2.1.12: not a gateway's certificate (serverAuth)";
	case PURPOSE_SIGNER:
		return eku == XKU_OF_MEMBER ? NULL : "RFC 5280 4.2.1.12: not a member's certificate (emailProtection)";
	}
	return "RFC 5280 4.2.1.12: unknown purpose";
}

#define RULES(t) (t), sizeof(t) / sizeof((t)[0])

int chain_new(X509 *ca, struct chain **c, struct err *e) {
	int rc;

	*c = NULL;
	OWN(own_chain) struct chain *n = xcalloc(1, sizeof *n);
	n->memo = xcalloc(1, sizeof *n->memo);
	(void)pthread_mutex_init(&n->memo->lock, NULL);
	n->key = X509_get_pubkey(ca);
	if (n->key == NULL)
		return ossl_err(e, ERR_DAMAGED, "CA certificate: RFC 5280 4.1.2.7: no readable key");
	if ((rc = key_check(n->key, "CA certificate", e)) < 0 || (rc = cert_ca_group(ca, &n->group, e)) < 0)
		return rc;
	const char *why = first_broken(RULES(common_rules), n, ca);
	if (why == NULL)
		why = first_broken(RULES(ca_rules), n, ca);
	if (why != NULL) {
		ERR_clear_error();
		return err_set(e, ERR_DAMAGED, "CA certificate: %s", why);
	}
	if (X509_up_ref(ca) != 1)
		return ossl_err(e, ERR_FAIL, "CA certificate");
	n->ca = ca;
	*c = n;
	n = NULL;
	return 0;
}

void chain_free(struct chain *c) {
	if (c == NULL)
		return;
	X509_free(c->ca);
	EVP_PKEY_free(c->key);
	free(c->group);
	for (size_t i = 0; i < MEMO_SLOTS; i++)
		X509_free(c->memo->slot[i].cert);
	(void)pthread_mutex_destroy(&c->memo->lock);
	free(c->memo);
	free(c);
}

X509 *chain_ca(const struct chain *c) {
	return c->ca;
}

const char *chain_group(const struct chain *c) {
	return c->group;
}

static enum verdict refuse(enum verdict v, const char *why, struct err *e) {
	ERR_clear_error(); /* the rule says it better than what OpenSSL left on the way */
	err_set(e, ERR_REFUSED, "%s", why);
	return v;
}

X509 *chain_known(const struct chain *c, const uint8_t sha256[static SHA256_LEN]) {
	X509 *cert = NULL;

	(void)pthread_mutex_lock(&c->memo->lock);
	if (c->memo->slot[sha256[0]].cert != NULL && memcmp(c->memo->slot[sha256[0]].sha256, sha256, SHA256_LEN) == 0 &&
	    X509_up_ref(c->memo->slot[sha256[0]].cert) == 1)
		cert = c->memo->slot[sha256[0]].cert;
	(void)pthread_mutex_unlock(&c->memo->lock);
	return cert;
}

static void remember(const struct chain *c, X509 *cert, const uint8_t sha256[static SHA256_LEN]) {
	X509 *old = NULL;

	if (X509_up_ref(cert) != 1)
		return;
	(void)pthread_mutex_lock(&c->memo->lock);
	old = c->memo->slot[sha256[0]].cert;
	c->memo->slot[sha256[0]].cert = cert;
	memcpy(c->memo->slot[sha256[0]].sha256, sha256, SHA256_LEN);
	(void)pthread_mutex_unlock(&c->memo->lock);
	X509_free(old);
}

/* All that does not depend on the purpose. */
static enum verdict check_profile(const struct chain *c, X509 *cert, struct err *e) {
	uint8_t sha256[SHA256_LEN];
	const char *why;

	cert_sha256(cert, sha256);
	OWN(own_x509) X509 *known = chain_known(c, sha256);
	if (known != NULL)
		return VERDICT_GOOD;
	if ((why = first_broken(RULES(issuer_rules), c, cert)) != NULL)
		return refuse(VERDICT_FOREIGN, why, e);
	if ((why = first_broken(RULES(common_rules), c, cert)) != NULL || (why = first_broken(RULES(usage_rules), c, cert)) != NULL)
		return refuse(VERDICT_WRONG_PURPOSE, why, e);
	remember(c, cert, sha256);
	return VERDICT_GOOD;
}

enum verdict chain_check(const struct chain *c, X509 *cert, enum purpose purpose, struct err *e) {
	const char *why;
	enum verdict v;

	if (cert == NULL)
		return refuse(VERDICT_NO_CERTIFICATE, "no certificate", e);
	if ((v = check_profile(c, cert, e)) != VERDICT_GOOD)
		return v;
	why = check_purpose(cert, purpose);
	return why == NULL ? VERDICT_GOOD : refuse(VERDICT_WRONG_PURPOSE, why, e);
}

enum verdict chain_check_time(const X509 *cert, int64_t at_s, struct err *e) {
	char when[CLOCK_TEXT];

	if (at_s < cert_not_before(cert)) {
		clock_print(cert_not_before(cert), when);
		err_set(e, ERR_REFUSED, "RFC 5280 4.1.2.5: certificate is valid only from %s", when);
		return VERDICT_NOT_YET_VALID;
	}
	if (at_s > cert_not_after(cert)) {
		clock_print(cert_not_after(cert), when);
		err_set(e, ERR_REFUSED, "RFC 5280 4.1.2.5: certificate expired at %s", when);
		return VERDICT_EXPIRED;
	}
	return VERDICT_GOOD;
}

enum verdict chain_check_now(const X509 *cert, struct err *e) {
	struct err why = ERR_INIT;
	int64_t now_s = clock_now_s();
	enum verdict v = chain_check_time(cert, now_s, &why);
	char now[CLOCK_TEXT];

	if (v == VERDICT_GOOD)
		return v;
	clock_print(now_s, now);
	err_set(e, ERR_REFUSED, "%s; the clock here says %s", why.text, now);
	return v;
}
