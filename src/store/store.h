/* SPDX-License-Identifier: Apache-2.0 */
/* The drive: a place for immutable objects, believed for nothing. One interface, several kinds. */
#ifndef SCG_STORE_STORE_H
#define SCG_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STORE_ID_LEN 26 /* base32 of 128 random bits; the file is ID.cms */

struct store;
struct store_put;

/* spec: "directory:PATH" (later gdrive:, rclone:). ERR_USAGE for another kind; ERR_UNREACHABLE where it cannot be
 * reached. Every id below that is not [a-z2-7]{26} is ERR_FAIL. */
int store_open(struct store **s, const char *spec, struct err *e) MUST_CHECK;
void store_close(struct store *s);
const char *store_spec(const struct store *s);

/* A new object: write in order, then commit; it appears whole or not at all. ERR_EXISTS if the id is taken. Abort is
 * put_free without commit. */
int store_put_open(struct store *s, const char *id, struct store_put **p, struct err *e) MUST_CHECK;
int store_put_write(struct store_put *p, const void *data, size_t len, struct err *e) MUST_CHECK;
int store_put_commit(struct store_put *p, struct err *e) MUST_CHECK;
void store_put_free(struct store_put *p);

struct store_stat {
	char id[STORE_ID_LEN + 1];
	uint64_t size;
	int64_t modified_s;
};
/* ERR_NOTFOUND. */
int store_stat(struct store *s, const char *id, struct store_stat *st, struct err *e) MUST_CHECK;
/* Up to len bytes at off; short only at the end; ERR_NOTFOUND; ERR_UNREACHABLE where the drive itself is gone.
 * Thread-safe. */
int store_get(
    struct store *s, const char *id, uint64_t off, void *data, size_t len, size_t *got, struct err *e) MUST_CHECK;
/* Every object (what is not a plain file named ID.cms is passed over), in no order; an id that the drive shows twice
 * comes twice. f returns non-zero to stop (handed on). */
int store_list(struct store *s, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg,
    struct err *e) MUST_CHECK;
/* For good; what is gone is no error; proved by asking again. ERR_REFUSED where it is not ours to destroy. */
int store_destroy(struct store *s, const char *id, struct err *e) MUST_CHECK;
/* Removes what puts that were killed left behind, where nothing was written to it since before_s; *n counts. */
int store_sweep(struct store *s, int64_t before_s, uint64_t *n, struct err *e) MUST_CHECK;

/* One kind of store; directory.c, later gdrive.c ... fill one in. */
struct store_kind {
	const char *name;
	int (*open)(void **state, const char *where, struct err *e);
	void (*close)(void *state);
	int (*put_open)(void *state, const char *id, void **put, struct err *e);
	int (*put_write)(void *put, const void *data, size_t len, struct err *e);
	int (*put_commit)(void *put, struct err *e);
	void (*put_free)(void *put);
	int (*stat)(void *state, const char *id, struct store_stat *st, struct err *e);
	int (*get)(void *state, const char *id, uint64_t off, void *data, size_t len, size_t *got, struct err *e);
	int (*list)(
	    void *state, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e);
	int (*destroy)(void *state, const char *id, struct err *e);
	int (*sweep)(void *state, int64_t before_s, uint64_t *n, struct err *e); /* NULL: puts leave nothing */
};
extern const struct store_kind store_directory;

#endif
