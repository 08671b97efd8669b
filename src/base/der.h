/* SPDX-License-Identifier: Apache-2.0 */
/* Strict DER (X.690 10, 11): a cursor that reads minimal definite lengths only, and a writer. */
#ifndef SCG_BASE_DER_H
#define SCG_BASE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Single-byte tags are all that our formats use. */
enum der_tag {
	DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_OCTET_STRING = 0x04, DER_NULL = 0x05, DER_OID = 0x06,
	DER_ENUMERATED = 0x0a, DER_UTF8STRING = 0x0c, DER_UTCTIME = 0x17, DER_GENTIME = 0x18, DER_SEQUENCE = 0x30, DER_SET = 0x31,
};
#define DER_CTX(n) (0x80 | (n))       /* [n] IMPLICIT, primitive */
#define DER_CTX_CONS(n) (0xa0 | (n))  /* [n], constructed */

/* What is left to read; nothing is owned. */
struct der { const uint8_t *p; size_t len; };

/* Takes the next element, which must have this tag: *in becomes its content. ERR_DAMAGED for another tag, long-form or
 * non-minimal or indefinite length, or a length beyond the end. what names the element in the error. */
int der_take(struct der *d, uint8_t tag, struct der *in, const char *what, struct err *e) MUST_CHECK;
/* Takes the next element whole (header and content) whatever its tag is. */
int der_take_any(struct der *d, uint8_t *tag, struct der *in, struct der *whole, const char *what, struct err *e) MUST_CHECK;
/* True if the next element has this tag. */
bool der_next_is(const struct der *d, uint8_t tag);
/* ERR_DAMAGED if anything is left. */
int der_end(const struct der *d, const char *what, struct err *e) MUST_CHECK;
/* Non-negative INTEGER up to 2^63-1, minimal. */
int der_take_u64(struct der *d, uint64_t *v, const char *what, struct err *e) MUST_CHECK;
/* Exactly these content bytes under OID tag. */
int der_take_oid(struct der *d, const uint8_t *oid, size_t len, const char *what, struct err *e) MUST_CHECK;
/* GeneralizedTime YYYYMMDDHHMMSSZ or UTCTime (RFC 5280 4.1.2.5 rules), seconds. */
int der_take_time(struct der *d, int64_t *t_s, const char *what, struct err *e) MUST_CHECK;
/* As der_take_time, and in the form that certificates, lists and signatures need: UTCTime through 2049, then GeneralizedTime (RFC 5280
 * 4.1.2.5, RFC 5652 11.3). */
int der_take_x509_time(struct der *d, int64_t *t_s, const char *what, struct err *e) MUST_CHECK;
/* Header only: the tag, content length and header length of the element at p (for elements whose content is not in memory). */
int der_header(const uint8_t *p, size_t len, uint8_t *tag, uint64_t *content_len, size_t *header_len, const char *what, struct err *e) MUST_CHECK;

/* Writer: appends header (tag and length) or whole elements. */
void der_put_header(struct buf *b, uint8_t tag, uint64_t content_len);
size_t der_header_len(uint64_t content_len);
void der_put(struct buf *b, uint8_t tag, const void *content, size_t len);
void der_put_u64(struct buf *b, uint64_t v);
void der_put_gentime(struct buf *b, int64_t t_s);
/* UTCTime through 2049, then GeneralizedTime. */
void der_put_x509_time(struct buf *b, int64_t t_s);
/* Wraps what stands behind mark (an earlier b->len) into an element of this tag. */
void der_wrap(struct buf *b, size_t mark, uint8_t tag);

#endif
