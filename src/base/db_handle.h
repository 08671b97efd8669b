/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/base: what the two halves of db share. */
#ifndef SCG_BASE_DB_HANDLE_H
#define SCG_BASE_DB_HANDLE_H

#include <sqlite3.h>

#include "base/db.h"

struct stmt;

struct db {
	sqlite3 *h;
	char *path;
	struct stmt *cache; /* the latest used first */
	unsigned n_cached;
	int64_t changes; /* of the last db_run */
};

/* SQLite's result as our class of error. */
int db_err(struct db *d, int rc, struct err *e);

#endif
