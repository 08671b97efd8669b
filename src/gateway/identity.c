/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/identity.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/own.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"

int identity_check_out(const struct gwconf *c, const char *path, struct err *e) {
	static const char *const all[] = {
		FILE_KEY, FILE_CSR, FILE_CERT, FILE_KEY_NEW, FILE_CERT_NEW, FILE_CA, FILE_CRL, FILE_DB, (FILE_DB "-wal"), (FILE_DB "-shm"), FILE_CONF,
		FILE_LOCK, FILE_RECOVERY, NULL,
	};
	const char *own = file_is_one_of(c->dir, all, path);

	return own == NULL ? 0 : err_set(e, ERR_USAGE, "%s: is the gateway's own %s", path, own);
}

int identity_chain(const struct gwconf *c, struct chain **chain, struct err *e) {
	OWN(own_free) char *path = gwconf_path(c, FILE_CA);
	OWN(own_x509) X509 *ca = NULL;

	if (cert_load(path, &ca, e) != 0)
		return e->code;
	return chain_new(ca, chain, e) != 0 ? err_add(e, "%s", path) : 0;
}

int identity_load_recipient(const char *path, X509 **cert, struct err *e) {
	OWN(own_x509) X509 *x = NULL;
	EVP_PKEY *key;
	size_t len;

	if (cert_load(path, &x, e) != 0)
		return e->code;
	if ((key = X509_get0_pubkey(x)) == NULL)
		return ossl_err(e, ERR_DAMAGED, "%s: no public key that OpenSSL knows", path);
	if (key_check(key, path, e) != 0)
		return e->code;
	if (cert_ski(x, &len) == NULL)
		return err_set(e, ERR_DAMAGED, "%s: RFC 5280 4.2.1.2: subject key identifier missing", path);
	*cert = x;
	x = NULL;
	return 0;
}

/* The subject alternative names alone decide. */
char *identity_missing_host(const struct identity *id, const struct gwconf *c) {
	OWN(own_free) char *copy = xstrdup(c->host);
	char *rest = copy;

	for (char *host; (host = strsep(&rest, ",")) != NULL;) {
		uint8_t address[16];
		bool ip = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
		int named = ip ? X509_check_ip_asc(id->cert, host, 0)
			       : X509_check_host(id->cert, host, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL);

		if (named != 1)
			return xstrdup(host);
	}
	return NULL;
}

static int check(const struct identity *id, const struct chain *chain, const char *path, struct err *e) {
	enum verdict v = chain_check(chain, id->cert, PURPOSE_SERVER, e);

	if (v != VERDICT_GOOD) {
		(void)err_add(e, "%s: not a gateway's certificate of this group (%s)", path, verdict_name(v));
		return err_recode(e, ERR_REFUSED);
	}
	return cert_check_key(id->cert, id->key, path, e);
}

static int load_key(struct identity *id, const struct identity_source *from, const char *name, struct err *e) {
	OWN(own_free) char *path = gwconf_path(from->conf, name);

	if (from->known == NULL || !key_equal(from->known, X509_get0_pubkey(id->cert)))
		return key_load(path, from->passin != NULL ? from->passin : from->conf->passin, &id->key, e);
	if (EVP_PKEY_up_ref(from->known) != 1)
		return ossl_err(e, ERR_FAIL, "%s", path);
	id->key = from->known;
	return 0;
}

static int load_recovery(struct identity *id, const struct gwconf *c, struct err *e) {
	OWN(own_free) char *path = NULL;

	if (c->recovery == NULL)
		return 0;
	path = gwconf_path(c, c->recovery);
	return identity_load_recipient(path, &id->recovery, e);
}

int identity_load_pair(struct identity *id, const struct identity_source *from, const char *key_name,
    const char *cert_name, struct err *e) {
	OWN(own_free) char *cert = gwconf_path(from->conf, cert_name);

	if (!file_exists(cert))
		return err_set(e, ERR_NOTFOUND, "%s: not there yet: let scg-ca sign %s", cert, FILE_CSR);
	if (cert_load(cert, &id->cert, e) != 0 || load_key(id, from, key_name, e) != 0 ||
	    load_recovery(id, from->conf, e) != 0 || check(id, from->chain, cert, e) != 0) {
		identity_wipe(id);
		return e->code;
	}
	return 0;
}

int identity_load(struct identity *id, const struct identity_source *from, struct err *e) {
	return identity_load_pair(id, from, FILE_KEY, FILE_CERT, e);
}

void identity_ref(const struct identity *id, struct identity *copy) {
	*copy = *id;
	if (id->key != NULL)
		(void)EVP_PKEY_up_ref(id->key);
	if (id->cert != NULL)
		(void)X509_up_ref(id->cert);
	if (id->recovery != NULL)
		(void)X509_up_ref(id->recovery);
}

void identity_wipe(struct identity *id) {
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
	X509_free(id->recovery);
	*id = (struct identity){ NULL, NULL, NULL };
}
