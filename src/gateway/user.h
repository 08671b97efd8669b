/* SPDX-License-Identifier: Apache-2.0 */
/* The user that the gateway runs as where root starts it. */
#ifndef SCG_GATEWAY_USER_H
#define SCG_GATEWAY_USER_H

#include <sys/types.h>

#include "gateway/gwconf.h"

struct user {
	uid_t uid;
	gid_t gid;
};

/* ERR_USAGE: no such user, or one with root's uid or gid. */
int user_find(const char *name, struct user *u, struct err *e) MUST_CHECK;
/* For good: uids, gids, no other groups, no capabilities; it is tried whether there is a way back (ERR_FAIL). Before the first thread. */
int user_become(const struct user *u, struct err *e) MUST_CHECK;

/* Whether who this process is may use what there is of a gateway's files (and make some where ready goes, NULL: nowhere). Each file that he may not use is told to
 * wrong until that returns false. */
void user_try_files(const struct gwconf *c, const char *config, const char *ready, bool (*wrong)(void *arg, const char *text), void *arg);
/* The same as u, if root asks: the effective ids are the user's meanwhile. */
int user_try_files_as(const struct user *u, const struct gwconf *c, const char *config, bool (*wrong)(void *arg, const char *text), void *arg,
    struct err *e) MUST_CHECK;

#endif
