/* SPDX-License-Identifier: Apache-2.0 */
/* Renaming and removing files of the group. */
#ifndef SCG_CLIENT_CHANGE_H
#define SCG_CLIENT_CHANGE_H

#include <stddef.h>

#include "base/err.h"
#include "client/session.h"

/* Names as typed. ERR_NOTFOUND: no such file; ERR_EXISTS, ERR_CONFLICT: the new name is taken, or somebody else was
 * faster. */
int change_rename(struct session *s, const char *from, const char *to, struct err *e) MUST_CHECK;
/* Each by itself; its object is destroyed. What was replaced since the command began is not removed: ERR_CONFLICT. */
int change_remove(struct session *s, char *const *names, size_t n, struct err *e) MUST_CHECK;

#endif
