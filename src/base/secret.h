/* SPDX-License-Identifier: Apache-2.0 */
/* Key material: in locked pages that are not dumped and not inherited, wiped when released. */
#ifndef SCG_BASE_SECRET_H
#define SCG_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SECRET_MAX 4096

struct secret {
	uint8_t *data; /* NULL when empty */
	size_t len;
};

/* len zero bytes, 1..SECRET_MAX; the struct must be empty ({0}). If locking is not permitted the page is used unlocked. */
int secret_init(struct secret *s, size_t len, struct err *e) MUST_CHECK;
int secret_random(struct secret *s, size_t len, struct err *e) MUST_CHECK;
int secret_copy(struct secret *s, const uint8_t *data, size_t len, struct err *e) MUST_CHECK;
/* Wipes and releases; safe on an empty one. */
void secret_wipe(struct secret *s);
/* Same length and same bytes, in constant time. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* First thing in each main: no core dumps, PR_SET_DUMPABLE off, umask 077; what jansson frees is wiped, because tokens come as JSON. */
void secret_harden_process(void);

/* Cryptographic random bytes. */
int random_bytes(uint8_t *out, size_t len, struct err *e) MUST_CHECK;
/* A UUID of version 4 (RFC 9562 5.4). */
int random_uuid(uint8_t out[static 16], struct err *e) MUST_CHECK;
/* Wipes a stack copy. */
void secret_clean(void *p, size_t len);

#endif
