/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs in pieces (https://www.sqlite.org/c3ref/blob_open.html): SQLite copies a bound one into the row that it builds. */
#include <stdlib.h>

#include "base/db_handle.h"
#include "base/own.h"

#define PIECE 65536

OWN_DEFINE(blob, sqlite3_blob, (void)sqlite3_blob_close)

static int open_blob(struct db *d, const char *table, const char *column, int64_t row, int writes, sqlite3_blob **b, struct err *e) {
	int rc = sqlite3_blob_open(d->h, "main", table, column, row, writes, b);

	if (rc == SQLITE_OK)
		return 0;
	sqlite3_blob_close(*b);
	*b = NULL;
	if (rc == SQLITE_ERROR)
		return err_set(e, ERR_NOTFOUND, "%s: no such row", d->path);
	return db_err(d, rc, e);
}

int db_blob_write(struct db *d, const char *table, const char *column, int64_t row, const void *data, size_t len, struct err *e) {
	OWN(own_blob) sqlite3_blob *b = NULL;
	const uint8_t *from = data;
	int rc;

	if ((rc = open_blob(d, table, column, row, 1, &b, e)) != 0)
		return rc;
	if ((size_t)sqlite3_blob_bytes(b) != len)
		return err_set(e, ERR_FAIL, "%s: a blob of another length", d->path);
	for (size_t at = 0, n; at < len; at += n) {
		n = len - at < PIECE ? len - at : PIECE;
		if ((rc = sqlite3_blob_write(b, from + at, (int)n, (int)at)) != SQLITE_OK)
			return db_err(d, rc, e);
	}
	return 0;
}

int db_blob_read(struct db *d, const char *table, const char *column, int64_t row, size_t *len,
    int (*f)(void *arg, const uint8_t *piece, size_t len, struct err *e), void *arg, struct err *e) {
	OWN(own_blob) sqlite3_blob *b = NULL;
	OWN(own_free) uint8_t *piece = xmalloc(PIECE);
	int rc;

	if ((rc = open_blob(d, table, column, row, 0, &b, e)) != 0)
		return rc;
	*len = (size_t)sqlite3_blob_bytes(b);
	for (size_t at = 0, n; at < *len; at += n) {
		n = *len - at < PIECE ? *len - at : PIECE;
		if ((rc = sqlite3_blob_read(b, piece, (int)n, (int)at)) != SQLITE_OK)
			return db_err(d, rc, e);
		if ((rc = f(arg, piece, n, e)) != 0)
			return rc;
	}
	return 0;
}
