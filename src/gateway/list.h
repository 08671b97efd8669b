/* SPDX-License-Identifier: Apache-2.0 */
/* A verified revocation list with its bytes, shared by who asks it and by replies under way. */
#ifndef SCG_GATEWAY_LIST_H
#define SCG_GATEWAY_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/spool.h"
#include "pki/crl.h"

#define LIST_SMALL (1u << 20)   /* bytes of a list that are kept in memory; those of a longer one lie in a nameless file */
#define LIST_LARGE 2000         /* entries above which a list is stored aside: each costs the transaction 5 microseconds */

struct list {
	struct crl_set *set;
	const uint8_t *der;
	size_t len;
	struct buf mem;       /* what der points to ... */
	struct spool_map map; /* ... or this */
	unsigned refs;        /* atomic */
};

/* A list's bytes, coming in pieces. */
struct list_in {
	const char *dir; /* borrowed: where a nameless file can be made; on a full disk it is memory that takes its place */
	struct buf mem;
	int fd; /* of the file once there is one, else -1 */
	uint64_t len;
};
#define LIST_IN(folder) { .dir = (folder), .fd = -1 }
/* Fits pem_stream_new and state_crl; arg is the list_in. ERR_DAMAGED above CRL_MAX_BYTES. */
int list_in_add(void *arg, const uint8_t *data, size_t len, struct err *e) MUST_CHECK;
void list_in_wipe(struct list_in *in);
/* Reads a whole file, DER or PEM, at most max bytes of it. */
int list_in_read(struct list_in *in, int fd, size_t max, struct err *e) MUST_CHECK;

/* Verifies DER against the CA (crl_set_make); takes the bytes over, also where it fails. */
int list_make(struct list_in *in, X509 *ca, struct list **l, struct err *e) MUST_CHECK;
/* The same for bytes in memory. */
int list_make_of(struct buf *der, X509 *ca, struct list **l, struct err *e) MUST_CHECK;
bool list_is_large(const struct list *l);
struct list *list_ref(struct list *l); /* l may be NULL */
void list_free(struct list *l);        /* l may be NULL */
/* The same by a thread of its own: a million entries take milliseconds. */
void list_free_aside(struct list *l);
/* The pages of its bytes that were read go; they come back from the file. */
void list_rest(const struct list *l);

#endif
