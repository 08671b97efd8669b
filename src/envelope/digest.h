/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of two streams at once. An object's bytes and its plaintext are both hashed, and the processor's instructions for SHA-256 wait for
 * each other so long that two independent hashes take little longer than one (OpenSSL has no such function). Where there are no such
 * instructions, or FIPS 140 is asked for, OpenSSL computes one after the other. */
#ifndef SCG_ENVELOPE_DIGEST_H
#define SCG_ENVELOPE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/err.h"

#define DIGEST_BLOCK 64

/* {0}: off, takes everything and gives nothing. */
struct digest {
	bool on;
	EVP_MD_CTX *evp;        /* or NULL: the rest */
	uint32_t h[8];
	uint8_t tail[DIGEST_BLOCK];
	uint64_t len;
};

/* Are two at once faster than one after the other? What computes them was held against OpenSSL before. Thread-safe. */
bool digest_may_pair(void);

/* On, at its beginning; wipe it. */
int digest_init(struct digest *d, struct err *e) MUST_CHECK;
/* At its beginning again; it must be on. */
int digest_restart(struct digest *d, struct err *e) MUST_CHECK;
void digest_wipe(struct digest *d);
/* p may be NULL where n is 0. */
int digest_add(struct digest *d, const void *p, size_t n, struct err *e) MUST_CHECK;
/* The next na bytes of a and nb bytes of b; two different ones. */
int digest_two(struct digest *a, const void *pa, size_t na, struct digest *b, const void *pb, size_t nb, struct err *e) MUST_CHECK;
/* Nothing is written where it is off. It must be begun again afterwards. */
int digest_end(struct digest *d, uint8_t out[static 32], struct err *e) MUST_CHECK;

#endif
