/* SPDX-License-Identifier: Apache-2.0 */
/* The test suite that every kind of store passes. */
#ifndef SCG_TESTS_STORE_SUITE_H
#define SCG_TESTS_STORE_SUITE_H

#include <check.h>

#include "store/store.h"

#define SUITE_LIMIT_S 600 /* of a case, far above what it takes: machines are slow and noisy */

struct store_fixture {
	/* A fresh empty drive; returns the specification to open it with (static). */
	const char *(*setup)(void);
	void (*teardown)(void);
	/* The specification of a drive of this kind that is not there. */
	const char *missing;
	/* What the kind needs of a member, or NULL. */
	const struct store_env *env;
};

/* Adds the shared cases to s. One fixture a program. */
void store_suite_add(Suite *s, const struct store_fixture *fx);

/* For the cases of one kind: an id made of one letter, a put in one go, all bytes of an object compared. */
void suite_id(char letter, char id[static STORE_ID_LEN + 1]);
void suite_put(struct store *s, const char *id, const void *data, size_t len);
void suite_has(struct store *s, const char *id, const void *data, size_t len);
unsigned suite_count(struct store *s);
/* Bytes that no offset has twice in a row; free() them. */
uint8_t *suite_bytes(size_t len);
/* A file without a name that holds them; close it. */
int suite_file(const void *data, size_t len);

#endif
