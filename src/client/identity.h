/* SPDX-License-Identifier: Apache-2.0 */
/* Who the member is: the key, the certificate and the group's CA in the member's folder. */
#ifndef SCG_CLIENT_IDENTITY_H
#define SCG_CLIENT_IDENTITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "pki/chain.h"

/* The names in DIR. */
#define KEY_FILE "key.pem"
#define NEXT_KEY_FILE "key.new.pem" /* of a renewal, until its certificate is installed */
#define CERT_FILE "cert.pem"
#define CA_FILE "ca.crt"
#define CRL_FILE "crl.pem"
#define CONF_FILE "scg.conf"
#define KEYS_FILE "keys.cms"
#define LEDGER_FILE "ledger.db"
#define GROUP_FILE "group.json" /* the gateway's last word on the group, for reading offline */
#define AUDIT_FILE "audit.head" /* the head of the gateway's audit log, as it was seen last */

struct identity {
	char *dir;
	EVP_PKEY *key;
	X509 *cert;
	struct chain *chain; /* with the CA */
	char *name, *group;
};

/* Everything but the key. ERR_FAIL where nothing is installed; ERR_REFUSED where the certificate is not of this CA.
 * Wipe in every case. */
int identity_load_public(struct identity *me, const char *dir, struct err *e) MUST_CHECK;
/* And the key (passin as in pass_read). Where a renewal was cut off between certificate and key it is ended
 * here, and one that is under way is waited for. */
int identity_load(struct identity *me, const char *dir, const char *passin, struct err *e) MUST_CHECK;
/* Until fd is closed no other command changes key.pem, cert.pem or crl.pem. */
int identity_lock(const char *dir, int *fd, struct err *e) MUST_CHECK;
void identity_wipe(struct identity *me);

/* The certificate is a member's of this chain (not: is it valid now). ERR_REFUSED; what names it in the error. */
int identity_check_cert(const struct chain *chain, X509 *cert, const char *what, struct err *e) MUST_CHECK;
/* ERR_USAGE where path, an output, leads to one of the member's own files in dir. */
int identity_check_out(const char *dir, const char *path, struct err *e) MUST_CHECK;

#endif
