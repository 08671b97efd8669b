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
/* Wipes and releases; safe on an empty one. A few wiped pages, locked and marked as they are, are kept for the next ones. */
void secret_wipe(struct secret *s);
/* Same length and same bytes, in constant time. */
bool secret_equal(const struct secret *a, const struct secret *b);

/* First thing in each main: no core dumps, no memory in one that is taken all the same, PR_SET_DUMPABLE off, umask 077, a heap for OpenSSL's
 * private keys; what jansson frees is wiped, because tokens come as JSON; no SSLKEYLOGFILE. */
void secret_harden_process(void);
/* Again, once the identity of the process has changed: the kernel takes that for a reason to forget it. */
void secret_undumpable(void);

#define SECRET_HEAP ((size_t)512 << 10)    /* bytes: a client's few keys, RSA 8192 among them; 4000 connections of a server */
#define SECRET_HEAP_MAX ((size_t)64 << 20)
/* Where OpenSSL keeps private keys, those of handshakes too: locked as far as RLIMIT_MEMLOCK permits, in no core. Where it is used up no key can be
 * made: who serves many asks for more, before the first key; later it does nothing. Between SECRET_HEAP and SECRET_HEAP_MAX. */
void secret_heap(size_t bytes);

/* Cryptographic random bytes. */
int random_bytes(uint8_t *out, size_t len, struct err *e) MUST_CHECK;
/* A UUID of version 4 (RFC 9562 5.4). */
int random_uuid(uint8_t out[static 16], struct err *e) MUST_CHECK;
/* Wipes a stack copy. */
void secret_clean(void *p, size_t len);

#endif
