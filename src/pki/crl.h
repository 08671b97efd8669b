/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate revocation lists (RFC 5280 5): making one, and the compact set that answers "is this serial revoked". */
#ifndef SCG_PKI_CRL_H
#define SCG_PKI_CRL_H

#include <stdbool.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/cert.h"

#define CRL_MAX_BYTES (64u << 20) /* about a million entries */
#define CRL_PEM_LABEL "X509 CRL" /* RFC 7468 7 */

/* RFC 5280 5.3.1. */
enum crl_reason {
	CRL_UNSPECIFIED = 0, CRL_KEY_COMPROMISE = 1, CRL_CA_COMPROMISE = 2, CRL_AFFILIATION_CHANGED = 3, CRL_SUPERSEDED = 4,
	CRL_CESSATION = 5, CRL_HOLD = 6, CRL_PRIVILEGE_WITHDRAWN = 9, CRL_AA_COMPROMISE = 10,
};
/* "keyCompromise" <-> 1; -1 for an unknown name, NULL for an unknown number. */
int crl_reason_parse(const char *name);
const char *crl_reason_name(int reason);

struct crl_entry { uint8_t serial[SERIAL_MAX]; size_t serial_len; int64_t revoked_s; int reason; };

struct crl_make {
	EVP_PKEY *ca_key;
	const X509 *ca;
	uint64_t number;         /* up to 2^63-1 */
	int64_t this_s, next_s;  /* thisUpdate, nextUpdate */
	/* Yields each serial number once, best in ascending order (who reads the list then has nothing to sort): 1 entry, 0 end, <0 error. */
	int (*next)(void *arg, struct crl_entry *entry, struct err *e);
	void *arg;
};
/* Signs a v2 list with AKI and number (RFC 5280 5.1, 5.2); its DER is appended. ERR_FAIL for bad numbers and dates or a key that is not the CA's. */
int crl_make(const struct crl_make *m, struct buf *der, struct err *e) MUST_CHECK;
/* PEM of a DER list. */
int crl_pem(const uint8_t *der, size_t len, struct buf *out, struct err *e) MUST_CHECK;
/* DER of PEM or DER input (whole input, one list). */
int crl_der(const uint8_t *data, size_t len, struct buf *der, struct err *e) MUST_CHECK;

struct crl_set; /* immutable once made; may be read by several threads */

/* Walks the DER once (RFC 5280 5.1, 5.2): v2, issuer and AKI of ca, signature over the TBS, number (up to 2^63-1), nextUpdate, no unknown
 * critical extension, no delta or indirect list, serials 1..20 octets. Dates are not compared with the clock here. ERR_DAMAGED, or
 * ERR_REFUSED for a foreign issuer. */
int crl_set_make(const uint8_t *der, size_t len, X509 *ca, struct crl_set **set, struct err *e) MUST_CHECK;
/* Only the number, before any signature is verified: cheap refusal. */
int crl_peek_number(const uint8_t *der, size_t len, uint64_t *number, struct err *e) MUST_CHECK;
/* Does it say that this CA issued it (RFC 5280 5.1.2.3, 5.2.1)? Nothing is verified: only for finding out whom to ask. */
bool crl_peek_is_of(const uint8_t *der, size_t len, X509 *ca);
/* References are counted (atomic). */
struct crl_set *crl_set_ref(struct crl_set *set);
void crl_set_free(struct crl_set *set);
bool crl_set_has(const struct crl_set *set, const uint8_t *serial, size_t len, int64_t *revoked_s, int *reason);
bool crl_set_has_cert(const struct crl_set *set, const X509 *cert);
uint64_t crl_set_number(const struct crl_set *set);
int64_t crl_set_this_update(const struct crl_set *set);
int64_t crl_set_next_update(const struct crl_set *set);
size_t crl_set_count(const struct crl_set *set);
const uint8_t *crl_set_sha256(const struct crl_set *set); /* 32 bytes, of the DER */
/* Calls f for each entry of now that old (NULL: empty) does not name, in ascending order of serial (as unsigned integers). */
int crl_set_new(const struct crl_set *old, const struct crl_set *now, int (*f)(void *arg, const struct crl_entry *entry, struct err *e),
    void *arg, struct err *e) MUST_CHECK;

#endif
