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

/* Parts of 1..255 bytes, at most 4,096 in all, UTF-8 in NFC, no ".", "..", empty part, leading '/', control character. ERR_USAGE naming the rule. */
int path_check(const char *path, size_t len, struct err *e) MUST_CHECK;
/* What two paths that differ only in case have in common; malloc'd. */
int path_fold(const char *path, char **key, struct err *e) MUST_CHECK;
/* SHA-256("scg-name" || salt || path). */
void path_hash(const char *path, const uint8_t salt[static SALT_LEN], uint8_t out[static 32]);
/* "NAME (conflict ALICE DATE)", cut before the suffix so that path_check holds; the extension moves behind the suffix. malloc'd. */
int path_conflict(const char *path, const char *who, int64_t at_s, char **out, struct err *e) MUST_CHECK;

#endif
