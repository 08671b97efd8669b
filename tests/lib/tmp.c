/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tmp.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS 16
#define OPEN_FILES 8 /* that nftw may hold */

static char dir[64];
static char path[PATHS][512];

void tmp_make(void) {
	memset(path, 0, sizeof path);
	(void)snprintf(dir, sizeof dir, "/tmp/scg-unit-XXXXXX");
	if (mkdtemp(dir) == NULL) { /* Check's own assertions work within its cases only */
		perror(dir);
		abort();
	}
}

static int drop(const char *name, const struct stat *st, int kind, struct FTW *at) {
	(void)st, (void)kind, (void)at;
	return remove(name);
}

void tmp_drop(void) {
	(void)nftw(dir, drop, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
}

const char *tmp_path(const char *name) {
	char want[sizeof path[0]];

	(void)snprintf(want, sizeof want, "%s/%s", dir, name);
	for (int i = 0; i < PATHS; i++) {
		if (path[i][0] == '\0')
			memcpy(path[i], want, sizeof want);
		if (strcmp(path[i], want) == 0)
			return path[i];
	}
	ck_abort_msg("tmp_path: more than %d names", PATHS);
	return NULL;
}

const char *tmp_dir(void) {
	return dir;
}

const char *tmp_file(const char *name, const void *data, size_t len, unsigned mode) {
	const char *at = tmp_path(name);

	(void)unlink(at);
	FILE *f = fopen(at, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(at, (mode_t)mode), 0);
	return at;
}
