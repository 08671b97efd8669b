/* SPDX-License-Identifier: Apache-2.0 */
/* What a CA must never forget, in ca.db: its certificate, each certificate that it issued, what was revoked, its last list. */
#ifndef SCG_CA_RECORDS_H
#define SCG_CA_RECORDS_H

#include <stdbool.h>
#include <openssl/x509.h>

#include "base/db.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "pki/profile.h"

struct record {
	uint8_t serial[SERIAL_MAX];
	size_t serial_len;
	char name[NAME_MAX_BYTES + 1]; /* empty: an unknown certificate, of which nothing but its revocation is known (records_take) */
	enum role role;
	int64_t not_after_s;
	int64_t issued_s;
	int64_t revoked_s; /* 0: not revoked */
	int reason;        /* enum crl_reason */
	bool delivered;    /* its file was written */
};

enum record_status { RECORD_VALID, RECORD_REVOKED, RECORD_EXPIRED };
/* Revoked stays revoked when it has expired. */
enum record_status record_status(const struct record *r, int64_t now_s);
/* "valid", "revoked", "expired". */
const char *record_status_name(enum record_status s);
/* ERR_USAGE. */
int record_status_parse(const char *name, enum record_status *s, struct err *e) MUST_CHECK;

/* Opens the database, making it where it is missing. */
int records_open(struct db **d, const char *path, struct err *e) MUST_CHECK;

/* Notes that init begins to write files for a CA with this key; records_put_ca ends that. What lies in the folder while it is so, and there is no CA,
 * was left by an interrupted run: its key never signed for anybody. */
int records_begin_making(struct db *d, EVP_PKEY *key, struct err *e) MUST_CHECK;
int records_is_being_made(struct db *d, bool *making, struct err *e) MUST_CHECK;
/* The CA itself: written once, by init. ERR_NOTFOUND while it is not there. *crl_url is malloc'd, NULL without one. */
int records_put_ca(struct db *d, const X509 *ca, const char *crl_url, struct err *e) MUST_CHECK;
int records_get_ca(struct db *d, X509 **ca, char **crl_url, struct err *e) MUST_CHECK;

/* ERR_EXISTS for a serial number or a key that is there already. san may be NULL. */
int records_add(struct db *d, const X509 *cert, enum role role, const char *name, const char *san, int64_t now_s, struct err *e) MUST_CHECK;
/* The certificate over the key with this hash (key_spki_sha256), revoked and expired ones too; with the SAN as it was asked for and its DER (both
 * appended). ERR_NOTFOUND. */
int records_by_key(struct db *d, const uint8_t spki[static 32], struct record *r, struct buf *san, struct buf *der, struct err *e) MUST_CHECK;
/* ERR_NOTFOUND. The certificate's DER is appended unless der is NULL. */
int records_by_serial(struct db *d, const uint8_t *serial, size_t len, struct record *r, struct buf *der, struct err *e) MUST_CHECK;
/* Its file has been written: the same request gets no second one. */
int records_set_delivered(struct db *d, const uint8_t *serial, size_t len, struct err *e) MUST_CHECK;
/* Calls f for each certificate of this name (NULL: for all, and for revoked ones that are unknown) in the order of issue until it fails. */
int records_each(struct db *d, const char *name, int (*f)(void *arg, const struct record *r, struct err *e), void *arg, struct err *e)
    MUST_CHECK;
/* reason is an enum crl_reason. ERR_NOTFOUND. */
int records_revoke(struct db *d, const uint8_t *serial, size_t len, int64_t now_s, int reason, struct err *e) MUST_CHECK;

/* A revocation that a list of this CA names: taken over, known before, or taken over of a certificate that was never recorded. */
enum records_taken { RECORDS_TAKEN, RECORDS_TAKEN_BEFORE, RECORDS_TAKEN_UNKNOWN };
int records_take(struct db *d, const struct crl_entry *entry, enum records_taken *taken, struct err *e) MUST_CHECK;
/* When an unknown certificate was revoked; 0: no such revocation was taken over. */
int records_taken_at(struct db *d, const uint8_t *serial, size_t len, int64_t *revoked_s, struct err *e) MUST_CHECK;

/* The last list; its PEM is made of der (appended; der may be NULL). ERR_NOTFOUND before the first. */
struct record_crl { uint64_t number, days; };
int records_get_crl(struct db *d, struct record_crl *c, struct buf *der, struct err *e) MUST_CHECK;
int records_put_crl(struct db *d, const struct record_crl *c, const uint8_t *der, size_t len, struct err *e) MUST_CHECK;
/* What belongs on the next list, rising: a query for records_next_revoked (the next of crl_make). */
int records_revoked(struct db *d, struct db_rows *rows, struct err *e) MUST_CHECK;
int records_next_revoked(void *rows, struct crl_entry *entry, struct err *e) MUST_CHECK;
/* A list dated this_s was made: what had expired by then stood on it and need not stand on the next (RFC 5280 3.3). */
int records_retire(struct db *d, int64_t this_s, struct err *e) MUST_CHECK;

#endif
