/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the group's files. */
#ifndef SCG_LEDGER_PATH_H
#define SCG_LEDGER_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define PATH_BYTES_MAX 4096
#define PATH_PART_MAX 255
#define SALT_LEN 16

/* Parts of 1..255 bytes, at most 4,096 in all, UTF-8 in NFC, no ".", "..", empty part, leading or trailing '/', control
 * character or unassigned code point. ERR_USAGE naming the rule. */
int path_check(const char *path, size_t len, struct err *e) MUST_CHECK;
/* The same for a path that a gateway took: where its Unicode is newer than ours, code points that are unassigned here
 * have a normal form that we cannot know. (For assigned ones normal form and case never change: Unicode's stability
 * policies.) */
int path_check_taken(const char *path, size_t len, struct err *e) MUST_CHECK;
/* What two paths that differ only in case have in common (NFC, full case folding); malloc'd. path: one that path_check
 * takes. */
int path_fold(const char *path, char **key, struct err *e) MUST_CHECK;
/* SHA-256("scg-name" || salt || path). */
void path_hash(const char *path, size_t len, const uint8_t salt[static SALT_LEN], uint8_t out[static 32]);
/* "NAME (conflict WHO 2026-01-02T030405Z)", NAME cut at a character so that path_check holds; malloc'd. path: one that
 * path_check takes; who: a member's name. */
int path_conflict(const char *path, const char *who, int64_t at_s, char **out, struct err *e) MUST_CHECK;

#endif
