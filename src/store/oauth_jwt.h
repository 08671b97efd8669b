/* SPDX-License-Identifier: Apache-2.0 */
/* Service accounts: the key file that Google gives, and the assertion that stands for a consent (RFC 7523). */
#ifndef SCG_STORE_OAUTH_JWT_H
#define SCG_STORE_OAUTH_JWT_H

#include "base/buf.h"
#include "base/err.h"
#include "store/oauth_grant.h"

#define JWT_FILE_MAX ((size_t)64 * 1024)
#define JWT_LIFE_S 3600 /* Google takes no longer one */

/* Reads the JSON file (mode 0600) into g, which begins as {0}; token_uri, malloc'd, is what it names. ERR_USAGE: not
 * such a file; ERR_REFUSED: a weak key. */
int jwt_load(const char *path, struct grant *g, char **token_uri, struct err *e) MUST_CHECK;
/* Appends the compact form of RFC 7515 7.1, signed with RS256 (RFC 7518 3.3): the account asks audience for the scope
 * of g. */
int jwt_make(const struct grant *g, const char *audience, struct buf *out, struct err *e) MUST_CHECK;

#endif
