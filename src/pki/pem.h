/* SPDX-License-Identifier: Apache-2.0 */
/* Textual encodings (RFC 7468): one block in, one block out. */
#ifndef SCG_PKI_PEM_H
#define SCG_PKI_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define PEM_LABEL_MAX 32

/* True if the bytes look like DER (they begin with a SEQUENCE), false for text. */
bool pem_is_der(const uint8_t *data, size_t len);
/* Reads the only block: explanatory text may stand before it (RFC 7468 5.2), behind it only white space. Its label is stored, the bytes are
 * appended to der. ERR_DAMAGED, also for a block with headers (RFC 1421 encryption). */
int pem_read(const uint8_t *data, size_t len, char label[static PEM_LABEL_MAX], struct buf *der, struct err *e) MUST_CHECK;
/* DER as it is, or the block of this label as DER, appended. */
int pem_or_der(const uint8_t *data, size_t len, const char *label, struct buf *der, struct err *e) MUST_CHECK;
/* A block of any length, piece by piece, in constant memory: for lists that are too large to be held twice. Strict as pem_read, and lines have
 * at most 1,024 characters. Input that begins as DER is handed on as it is. */
struct pem_stream;
/* put gets what is decoded; non-zero from it ends it (handed on). */
struct pem_stream *pem_stream_new(const char *label, int (*put)(void *arg, const uint8_t *data, size_t len, struct err *e), void *arg);
void pem_stream_free(struct pem_stream *s); /* s may be NULL */
/* ERR_DAMAGED; nothing may be fed after a failure. */
int pem_stream_feed(struct pem_stream *s, const uint8_t *data, size_t len, struct err *e) MUST_CHECK;
/* The input has ended: ERR_DAMAGED where the block has not. */
int pem_stream_end(struct pem_stream *s, struct err *e) MUST_CHECK;
/* Appends one block. */
int pem_write(const char *label, const uint8_t *der, size_t len, struct buf *out, struct err *e) MUST_CHECK;

#endif
