/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads of one member to one name take turns, in whichever process: else the second one finds at its end a content that it has not seen, its own. */
#ifndef SCG_CLIENT_NAMELOCK_H
#define SCG_CLIENT_NAMELOCK_H

#include "base/err.h"

#define NAMELOCK_FILE "upload.lock" /* in the member's folder; empty: each of its bytes stands for a name */

/* Waits for the turn, saying so (a name of the group, as it is); closing *fd ends it, as does the process's end. */
int namelock_take(const char *member_dir, const char *path, int *fd, struct err *e) MUST_CHECK;

#endif
