/* SPDX-License-Identifier: Apache-2.0 */
/* Destroying objects for good, where some drives let only their owners do so: what is another's is counted by its owner, what is our own is
 * worked off. */
#ifndef SCG_CLIENT_DESTROY_H
#define SCG_CLIENT_DESTROY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "client/session.h"

#define DESTROY_OWN_MAX 100 /* of our own superseded objects, at one command */
#define DESTROY_OWN_MS 10000
#define DESTROY_YOUNG_S 300 /* a listing may not show it yet, and clocks differ */

/* How many objects are left to whom. */
struct left {
	struct left_owner {
		char *name; /* as the drive says it, escaped */
		uint64_t n;
	} *v;
	size_t n, cap;
};
void left_wipe(struct left *l);
/* An owner without a name is not counted. */
void left_add(struct left *l, const char *owner);
/* Sorted by name. */
void left_sort(struct left *l);

/* The object is gone for good. ERR_REFUSED: not ours to destroy; then owner is who may, or empty where the drive does not say. */
int destroy_object(struct session *s, const char *id, char owner[static STORE_OWNER_MAX], struct err *e) MUST_CHECK;
/* The same for an object that something new has taken the place of: what cannot go now is said, and left to gc or its owner's next
 * command. what: "the version before". */
void destroy_superseded(struct session *s, const char *id, const char *what);
/* Destroys what this member put on the drive and nobody needs any more, as the mirror knows it: others cannot on a drive behind a network.
 * A bounded piece of that work, and no word of what fails: the next command goes on. */
void destroy_own(struct session *s);

#endif
