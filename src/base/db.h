/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite with our rules: WAL, synchronous FULL, foreign keys on, waits for others, prepared statements cached. */
#ifndef SCG_BASE_DB_H
#define SCG_BASE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct db;

#define DB_BUSY_MS 20000 /* how long one waits for another process */

/* Refuses a path at which SQLite could not open a database, which need not be there yet, nor its folder: ERR_FAIL. For programs that
 * write other files before; db_open asks it itself. */
int db_check_place(const char *path, struct err *e) MUST_CHECK;

/* Opens (creates, 0600) the database and brings it to the newest schema: migrations[i] is the SQL that leads from user_version i to
 * i + 1, NULL ends; each runs in a transaction. A database of a newer version is refused. One handle is used by one thread at a time. */
int db_open(struct db **d, const char *path, const char *const *migrations, struct err *e) MUST_CHECK;
/* Closes, and checkpoints the WAL away unless others are at work, for whom it does not wait; *d may be NULL. */
void db_close(struct db **d);

/* BEGIN IMMEDIATE / COMMIT / ROLLBACK, and savepoints when nested is true. */
int db_begin(struct db *d, struct err *e) MUST_CHECK;
int db_commit(struct db *d, struct err *e) MUST_CHECK;
void db_rollback(struct db *d);
int db_savepoint(struct db *d, struct err *e) MUST_CHECK;      /* one level, inside a transaction */
int db_savepoint_release(struct db *d, struct err *e) MUST_CHECK;
void db_savepoint_rollback(struct db *d);

/* Binds by types, one letter a '?': i int64_t, s const char * (NULL allowed), b const void * and size_t (NULL allowed), n nothing (NULL). */
int db_run(struct db *d, struct err *e, const char *sql, const char *types, ...) MUST_CHECK;
/* Rows changed by the last db_run. */
int64_t db_changes(struct db *d);
int64_t db_last_id(struct db *d);

/* A query: db_query, then db_row until it returns 0, reading columns; db_done in every case (cleanup attribute). */
struct db_rows { struct db *d; void *stmt; };
int db_query(struct db *d, struct db_rows *r, struct err *e, const char *sql, const char *types, ...) MUST_CHECK;
/* 1 a row, 0 no more, else an error. */
int db_row(struct db_rows *r, struct err *e) MUST_CHECK;
void db_done(struct db_rows *r);
int64_t db_int(const struct db_rows *r, int col);
bool db_is_null(const struct db_rows *r, int col);
const char *db_text(const struct db_rows *r, int col);              /* "" for NULL; borrowed until the next row */
const uint8_t *db_blob(const struct db_rows *r, int col, size_t *len); /* borrowed until the next row */
/* A blob that is too large for memory, of the row with this rowid, in pieces (a write keeps its length: zeroblob(n) makes room). Within a
 * transaction. ERR_NOTFOUND without the row. */
int db_blob_write(struct db *d, const char *table, const char *column, int64_t row, const void *data, size_t len, struct err *e) MUST_CHECK;
/* f gets piece after piece; non-zero from it ends it (handed on). *len: of the whole, set before the first piece. */
int db_blob_read(struct db *d, const char *table, const char *column, int64_t row, size_t *len,
    int (*f)(void *arg, const uint8_t *piece, size_t len, struct err *e), void *arg, struct err *e) MUST_CHECK;
/* One value: the first column of the first row; ERR_NOTFOUND without rows. */
int db_get_int(struct db *d, struct err *e, int64_t *v, const char *sql, const char *types, ...) MUST_CHECK;

#endif
