/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of the ledger: an event and what travels beside it, as sent and stored. */
#ifndef SCG_LEDGER_ENTRY_H
#define SCG_LEDGER_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/der.h"
#include "base/err.h"
#include "ledger/event.h"
#include "ledger/path.h"

#define ENTRY_MAX_BYTES (32u << 20) /* a crl event brings up to a million serials */
#define ENTRIES_BATCH_BYTES (1u << 20) /* what a gateway puts into one reply, unless one entry is larger */
#define ENTRIES_MAX_BYTES (64u << 20) /* what a reader takes (inflated) */
#define ENTRIES_POST_MAX (1u << 20) /* what a gateway takes in one request */

/* SEQUENCE { event OCTET STRING, salt OCTET STRING OPTIONAL, path UTF8String OPTIONAL, certificate [0] OCTET STRING
 * OPTIONAL, revoked [1] SEQUENCE OF INTEGER OPTIONAL }; tags implicit. Everything is borrowed from the DER that it was
 * parsed from, or from the maker. */
struct entry {
	const uint8_t *event;
	size_t event_len; /* DER ContentInfo(SignedData) */
	const uint8_t *salt; /* SALT_LEN bytes, or NULL */
	const char *path;
	size_t path_len; /* not NUL-terminated; NULL exactly where salt is NULL */
	const uint8_t *cert;
	size_t cert_len; /* DER, or NULL */
	const uint8_t *revoked;
	size_t revoked_len; /* the INTEGERs (not their header), rising; NULL: absent (an empty list is not NULL) */
};

/* Appends the DER. */
void entry_print(const struct entry *en, struct buf *der);
/* Takes one entry off the front of a run of entries. ERR_DAMAGED: not this form, salt without path, a length beyond its
 * cap, serials not rising. */
int entry_take(struct der *d, struct entry *en, struct err *e) MUST_CHECK;
/* The same for exactly one entry. */
int entry_parse(const uint8_t *der, size_t len, struct entry *en, struct err *e) MUST_CHECK;

/* SEQUENCE OF Entry, the body of GET /v1/ledger/entries and POST /v1/ledger/events: opens it for entry_take.
 * ERR_DAMAGED. */
int entries_open(const uint8_t *der, size_t len, struct der *run, struct err *e) MUST_CHECK;
/* Makes the SEQUENCE OF the entries that stand in der behind mark. */
void entries_wrap(struct buf *der, size_t mark);

/* Calls f for each serial (content octets without leading zero, 1..20) in order. ERR_DAMAGED unless positive, minimal,
 * strictly rising. */
int entry_serials(const struct entry *en, int (*f)(void *arg, const uint8_t *serial, size_t len, struct err *e),
    void *arg, struct err *e) MUST_CHECK;
/* Appends one serial as INTEGER. */
void entry_put_serial(struct buf *revoked, const uint8_t *serial, size_t len);
/* SHA-256("scg-revoked" || the INTEGERs): the name of a crl event. */
void entry_revoked_hash(const uint8_t *revoked, size_t len, uint8_t out[static 32]);

#endif
