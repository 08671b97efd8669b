/* SPDX-License-Identifier: Apache-2.0 */
/* A group's CA in its folder: ca.crt, ca.key, crl.pem and ca.db. */
#ifndef SCG_CA_CA_H
#define SCG_CA_CA_H

#include <stdbool.h>
#include <stdint.h>
#include <openssl/x509.h>

#include "base/db.h"
#include "base/err.h"
#include "base/own.h"
#include "pki/chain.h"

#define CA_DAYS 3650
#define CA_DAYS_MAX 36500
#define CA_DAY_S ((int64_t)86400)

struct ca {
	char *dir;
	struct db *db;
	X509 *cert;
	struct chain *chain;
	char *crl_url;  /* for the certificates' distribution point, or NULL */
	EVP_PKEY *key;  /* NULL until ca_unlock */
};

struct ca_plan {
	const char *dir;     /* made if it is missing; may hold other files, but no CA */
	const char *group;
	const char *newkey;  /* as in key_make */
	const char *passout; /* as in pass_read */
	bool noenc;          /* the key is not encrypted */
	uint64_t days;
	const char *crl_url; /* or NULL */
};

/* Makes the CA and its first, empty list. Nothing is ever written over: ERR_EXISTS where a CA, or a part of one, is there. A run that was
 * interrupted leaves a folder in which the next one begins anew. */
int ca_create(const struct ca_plan *p, struct err *e) MUST_CHECK;
/* Opens for reading and writing, without the key; ca is to be wiped in every case. ERR_NOTFOUND: no CA there; ERR_DAMAGED: its files do not belong
 * together. */
int ca_open(struct ca *ca, const char *dir, struct err *e) MUST_CHECK;
/* ERR_USAGE if an output file of this name would replace the CA's key, certificate, list or database. */
int ca_check_out(const struct ca *ca, const char *path, struct err *e) MUST_CHECK;
/* Loads the key; asks for the passphrase where it is encrypted (passin as in pass_read). */
int ca_unlock(struct ca *ca, const char *passin, struct err *e) MUST_CHECK;
void ca_wipe(struct ca *ca);

#endif
