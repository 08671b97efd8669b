/* SPDX-License-Identifier: Apache-2.0 */
/* Renaming and removing files of the group. */
#ifndef SCG_CLIENT_CHANGE_H
#define SCG_CLIENT_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "client/session.h"

/* Names as typed. from may be a folder: then all files in it, each by itself, none of them where one of the new names is taken
 * beforehand. ERR_NOTFOUND: no such file or folder; ERR_EXISTS, ERR_CONFLICT: the new name is taken, or somebody else was faster. */
int change_rename(struct session *s, const char *from, const char *to, struct err *e) MUST_CHECK;
/* Each by itself; its object is destroyed. What was replaced since the command began is not removed: ERR_CONFLICT. A folder (recursive): all
 * files in it; without recursive ERR_USAGE, and nothing is removed. */
int change_remove(struct session *s, char *const *names, size_t n, bool recursive, struct err *e) MUST_CHECK;

#endif
