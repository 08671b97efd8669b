/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a source and writing a sink from front to back, looking ahead and hashing what passes. */
#ifndef SCG_ENVELOPE_STREAM_H
#define SCG_ENVELOPE_STREAM_H

#include <stdbool.h>
#include <openssl/evp.h>

#include "envelope/io.h"
#include "envelope/object.h"

struct feed {
	const struct source *in;
	uint64_t off;                   /* bytes taken from the source */
	uint8_t ahead[OBJECT_HEADER_MAX];
	size_t ahead_len;               /* read, but not taken yet */
	EVP_MD_CTX *md;                 /* of what was taken, or NULL */
};
/* From where in stands; hash: feed.md digests what is taken. Wipe it. in is borrowed. */
int feed_init(struct feed *f, const struct source *in, bool hash, struct err *e) MUST_CHECK;
void feed_wipe(struct feed *f);
/* Up to want (at most OBJECT_HEADER_MAX) bytes without taking them, fewer only at the end: f->ahead, f->ahead_len. */
int feed_peek(struct feed *f, size_t want, struct err *e) MUST_CHECK;
/* Takes up to len bytes, fewer only at the end. */
int feed_take(struct feed *f, void *data, size_t len, size_t *got, struct err *e) MUST_CHECK;
/* Takes exactly len bytes, or ERR_DAMAGED "cut off". */
int feed_take_all(struct feed *f, void *data, size_t len, struct err *e) MUST_CHECK;

struct outlet {
	const struct sink *out;         /* NULL: only counts */
	uint64_t len;                   /* written */
	EVP_MD_CTX *md;
};
/* hash: outlet.md digests what is written. Wipe it. out is borrowed. */
int outlet_init(struct outlet *o, const struct sink *out, bool hash, struct err *e) MUST_CHECK;
void outlet_wipe(struct outlet *o);
/* All of it, in order, or an error of the sink. */
int outlet_write(struct outlet *o, const void *data, size_t len, struct err *e) MUST_CHECK;
/* By the sink's give, which is there. */
int outlet_give(struct outlet *o, const void *data, size_t len, struct err *e) MUST_CHECK;

/* Digest of all that passed; md may be NULL (nothing is written to digest). */
int stream_digest(EVP_MD_CTX *md, uint8_t digest[static 32], struct err *e) MUST_CHECK;

#endif
