/* SPDX-License-Identifier: Apache-2.0 */
/* From the files and folders on a command line to the names that they have in the group. */
#ifndef SCG_CLIENT_NAMES_H
#define SCG_CLIENT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define NAMES_MAX 1000000   /* of one command */
#define NAMES_DEPTH_MAX 128 /* folders in folders */

struct name_item {
	char *local; /* to open */
	char *path;  /* in the group: NFC, checked by path_check */
	uint64_t size;
	char *fold;  /* what two paths that differ only in case have in common */
};
struct names {
	struct name_item *v;
	size_t n, cap;
	uint64_t bytes; /* of all files, as they are now */
};
/* Releases all items; safe on {0}. */
void names_wipe(struct names *names);

/* One file: its last path component below the folder to (NULL: at the top). A folder (recursive): its own name comes
 * first, links and special files in it are passed over with a note. ERR_USAGE: a folder without recursive, a name that
 * the group cannot have, two files with one name. n begins as {0}. */
int names_collect(
    struct names *names, char *const *operands, int n, const char *to, bool recursive, struct err *e) MUST_CHECK;

#endif
