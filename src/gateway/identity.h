/* SPDX-License-Identifier: Apache-2.0 */
/* Who the gateway is: its key and certificate, and the recovery certificate that its keys at rest are also sealed to.
 */
#ifndef SCG_GATEWAY_IDENTITY_H
#define SCG_GATEWAY_IDENTITY_H

#include <openssl/x509.h>

#include "base/err.h"
#include "gateway/gwconf.h"
#include "pki/chain.h"

#define FILE_KEY "gateway.key"
#define FILE_CSR "gateway.csr"
#define FILE_CERT "gateway.crt"
#define FILE_KEY_NEW "gateway.key.new"
#define FILE_CERT_NEW "gateway.crt.new"
#define FILE_CA "ca.crt"
#define FILE_CRL "crl.pem"
#define FILE_DB "gateway.db"
#define FILE_CONF "gateway.conf"
#define FILE_LOCK "gateway.lock"
#define FILE_RECOVERY "recovery.crt"

/* ERR_USAGE if an output file of this name would replace one of the gateway's own. */
int identity_check_out(const struct gwconf *c, const char *path, struct err *e) MUST_CHECK;

struct identity {
	EVP_PKEY *key;
	X509 *cert;
	X509 *recovery; /* or NULL */
};

/* The anchor of the group from DIR/ca.crt. */
int identity_chain(const struct gwconf *c, struct chain **chain, struct err *e) MUST_CHECK;

/* Where an identity comes from; all borrowed. */
struct identity_source {
	const struct gwconf *conf;
	const struct chain *chain;
	const char *passin; /* where the passphrase of the key comes from; NULL: the configuration says */
	EVP_PKEY *known; /* taken where the certificate is for it, so that a reload asks for no passphrase; or NULL */
};
/* Loads gateway.crt, gateway.key and the recovery certificate. Checks that key and certificate belong together and that
 * the certificate is a gateway's of this group (RFC 5280 4.2.1.12). Dates are not checked here: a gateway whose
 * certificate has run out starts, and stays closed. *id must be zeroed; it is zeroed after a failure. ERR_NOTFOUND: not
 * signed yet. */
int identity_load(struct identity *id, const struct identity_source *from, struct err *e) MUST_CHECK;
/* The same for a key and a certificate under other names. */
int identity_load_pair(struct identity *id, const struct identity_source *from, const char *key_name,
    const char *cert_name, struct err *e) MUST_CHECK;
/* The first of the configured hosts that the certificate does not name (RFC 9525 6.3), malloc'd; NULL: it names all. */
char *identity_missing_host(const struct identity *id, const struct gwconf *c);
/* A certificate that keys may be sealed to: a key of a kind that we take, and a subject key identifier (RFC
 * 5280 4.2.1.2). */
int identity_load_recipient(const char *path, X509 **cert, struct err *e) MUST_CHECK;
/* *copy shares what id holds, counted. */
void identity_ref(const struct identity *id, struct identity *copy);
void identity_wipe(struct identity *id);

#endif
