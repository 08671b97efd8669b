/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of the audit log: what happened, to whom, when; never key material. doc/FORMAT has the form. */
#ifndef SCG_GATEWAY_RECORD_H
#define SCG_GATEWAY_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/cert.h"
#include "pki/name.h"

enum record_kind {
	RECORD_START,   /* the gateway serves */
	RECORD_STOP,    /* it was told to end; a start without a stop before it: it was killed */
	RECORD_MEMBER,  /* a certificate is seen for the first time: enrolment ends here */
	RECORD_KEYS,    /* the group key was handed out */
	RECORD_EXPORT,  /* ... by scg-gateway export */
	RECORD_REFUSED, /* count requests were refused for this reason since the entry of the same kind before it */
	RECORD_CRL,     /* a revocation list was taken */
	RECORD_EPOCH,   /* a new key epoch; reason says why */
};
/* "start" ... */
const char *record_kind_name(enum record_kind kind);

#define RECORD_MAX_BYTES 512 /* an entry; those of today have 300 at most */
#define RECORD_TEXT 64
struct record {
	uint64_t number; /* of the entry, from 0 */
	int64_t time_s;
	enum record_kind kind;
	char name[NAME_MAX_BYTES + 1]; /* CN of a certificate of the group; "": none, as in the next three */
	char serial[SERIAL_HEX];       /* lower-case hex */
	char address[RECORD_TEXT];
	char reason[RECORD_TEXT];
	uint64_t epoch, crl, count; /* 0: none */
};
/* What is longer than fits, or no UTF-8 from there on, is cut. NULL: "". */
void record_set(char *to, size_t size, const char *text);

/* An entry but for its number and frame, which record_print_as adds: what happened is known before its place in the log is. */
void record_print_body(const struct record *r, struct buf *body);
/* Appends the whole entry, DER. */
void record_print_as(uint64_t number, const uint8_t *body, size_t len, struct buf *der);
/* Exactly one entry in its one form. ERR_DAMAGED. */
int record_parse(const uint8_t *der, size_t len, struct record *r, struct err *e) MUST_CHECK;

/* One line without its end, fit for a terminal. */
void record_line(const struct record *r, struct buf *out);

#endif
