/* SPDX-License-Identifier: Apache-2.0 */
#include "base/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/db_handle.h"
#include "base/file.h"
#include "base/own.h"

#define CACHE_MAX 64      /* prepared statements; the gateway, the largest user, has about 50 */
#define RETRY_MS 20       /* pause where SQLite does not call its busy handler itself */
#define SAVEPOINT "scg"   /* one level, so one name */
#define JOURNAL_LEN 8     /* "-journal": room for it is asked of every name, https://www.sqlite.org/c3ref/vfs.html mxPathname */

struct stmt {
	struct stmt *next;
	char *sql;
	sqlite3_stmt *s;
	bool done; /* the last row was read: another step would start over */
};

/* The texts of the common ones say what to do. */
int db_err(struct db *d, int rc, struct err *e) {
	int os = sqlite3_system_errno(d->h);

	switch (rc & 0xff) {
	case SQLITE_FULL:
		return err_set(e, ERR_FAIL, "%s: disk full", d->path);
	case SQLITE_IOERR:
		if (os == ENOSPC || os == EDQUOT)
			return err_set(e, ERR_FAIL, "%s: disk full", d->path);
		errno = os != 0 ? os : EIO;
		return err_sys(e, ERR_FAIL, "%s: reading or writing failed (is the disk full?)", d->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_UNREACHABLE, "%s: in use by another process, try again", d->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(e, ERR_DAMAGED, "%s: damaged database (%s)", d->path, sqlite3_errstr(rc));
	case SQLITE_CONSTRAINT:
		if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
			return err_set(e, ERR_EXISTS, "%s: there already (%s)", d->path, sqlite3_errmsg(d->h));
		break;
	default:
		break;
	}
	return err_set(e, ERR_FAIL, "%s: %s", d->path, sqlite3_errmsg(d->h));
}

static void stmt_free(struct stmt *st) {
	sqlite3_finalize(st->s);
	free(st->sql);
	free(st);
}

static struct stmt *take_cached(struct db *d, const char *sql) {
	for (struct stmt **at = &d->cache; *at != NULL; at = &(*at)->next) {
		struct stmt *st = *at;

		if (strcmp(st->sql, sql) == 0) {
			*at = st->next;
			d->n_cached--;
			return st;
		}
	}
	return NULL;
}

/* A statement leaves the cache while it is in use, so that a query within a query of the same text gets one of its own. */
static struct stmt *stmt_take(struct db *d, const char *sql, int *r, struct err *e) {
	struct stmt *st = take_cached(d, sql);
	int rc;

	if (st == NULL) {
		st = xcalloc(1, sizeof *st);
		st->sql = xstrdup(sql);
		if ((rc = sqlite3_prepare_v3(d->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->s, NULL)) != SQLITE_OK) {
			stmt_free(st);
			*r = db_err(d, rc, e);
			return NULL;
		}
	}
	st->done = false;
	return st;
}

static void drop_oldest(struct db *d) {
	struct stmt **at = &d->cache;

	while ((*at)->next != NULL)
		at = &(*at)->next;
	stmt_free(*at);
	*at = NULL;
	d->n_cached--;
}

static void stmt_give_back(struct db *d, struct stmt *st) {
	sqlite3_reset(st->s);
	sqlite3_clear_bindings(st->s);
	st->next = d->cache;
	d->cache = st;
	if (++d->n_cached > CACHE_MAX)
		drop_oldest(d);
}

static int bind_blob(sqlite3_stmt *s, int i, const void *data, size_t len, sqlite3_destructor_type keep) {
	if (data != NULL && len == 0)
		return sqlite3_bind_zeroblob(s, i, 0);
	return sqlite3_bind_blob64(s, i, data, len, keep);
}

static int bind_all(sqlite3_stmt *s, sqlite3_destructor_type keep, const char *types, va_list *ap) {
	int rc = SQLITE_OK, i = 1;

	for (const char *t = types; *t != '\0' && rc == SQLITE_OK; t++, i++) {
		const void *p;

		switch (*t) {
		case 'i':
			rc = sqlite3_bind_int64(s, i, va_arg(*ap, int64_t));
			break;
		case 's':
			rc = sqlite3_bind_text(s, i, va_arg(*ap, const char *), -1, keep);
			break;
		case 'b':
			p = va_arg(*ap, const void *);
			rc = bind_blob(s, i, p, va_arg(*ap, size_t), keep);
			break;
		case 'n':
			rc = sqlite3_bind_null(s, i);
			break;
		default:
			return SQLITE_MISUSE;
		}
	}
	if (rc == SQLITE_OK && i - 1 != sqlite3_bind_parameter_count(s))
		return SQLITE_RANGE;
	return rc;
}

static int open_rows(struct db *d, struct db_rows *r, struct err *e, const char *sql, sqlite3_destructor_type keep,
		     const char *types, va_list *ap) {
	struct stmt *st;
	int rc = 0;

	*r = (struct db_rows){ 0 };
	if ((st = stmt_take(d, sql, &rc, e)) == NULL)
		return rc;
	if ((rc = bind_all(st->s, keep, types, ap)) != SQLITE_OK) {
		stmt_give_back(d, st);
		return err_set(e, ERR_FAIL, "%s: cannot bind (%s)", d->path, sqlite3_errstr(rc));
	}
	r->d = d;
	r->stmt = st;
	return 0;
}

int db_query(struct db *d, struct db_rows *r, struct err *e, const char *sql, const char *types, ...) {
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = open_rows(d, r, e, sql, SQLITE_TRANSIENT, types, &ap);
	va_end(ap);
	return rc;
}

int db_row(struct db_rows *r, struct err *e) {
	struct stmt *st = r->stmt;
	int rc;

	if (st == NULL || st->done)
		return 0;
	rc = sqlite3_step(st->s);
	if (rc == SQLITE_ROW)
		return 1;
	st->done = true;
	return rc == SQLITE_DONE ? 0 : db_err(r->d, rc, e);
}

void db_done(struct db_rows *r) {
	if (r->stmt != NULL)
		stmt_give_back(r->d, r->stmt);
	*r = (struct db_rows){ 0 };
}

int db_run(struct db *d, struct err *e, const char *sql, const char *types, ...) {
	OWN(db_done) struct db_rows r;
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = open_rows(d, &r, e, sql, SQLITE_STATIC, types, &ap);
	va_end(ap);
	if (rc != 0)
		return rc;
	while ((rc = db_row(&r, e)) == 1)
		; /* a RETURNING clause gives rows that nobody asked for */
	d->changes = rc == 0 ? sqlite3_changes64(d->h) : 0;
	return rc;
}

int db_get_int(struct db *d, struct err *e, int64_t *v, const char *sql, const char *types, ...) {
	OWN(db_done) struct db_rows r;
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = open_rows(d, &r, e, sql, SQLITE_TRANSIENT, types, &ap);
	va_end(ap);
	if (rc != 0 || (rc = db_row(&r, e)) < 0)
		return rc;
	if (rc == 0)
		return err_set(e, ERR_NOTFOUND, "%s: no such row", d->path);
	*v = db_int(&r, 0);
	return 0;
}

int64_t db_changes(struct db *d) {
	return d->changes;
}

int64_t db_last_id(struct db *d) {
	return sqlite3_last_insert_rowid(d->h);
}

static sqlite3_stmt *stmt_of(const struct db_rows *r) {
	return ((struct stmt *)r->stmt)->s;
}

int64_t db_int(const struct db_rows *r, int col) {
	return sqlite3_column_int64(stmt_of(r), col);
}

bool db_is_null(const struct db_rows *r, int col) {
	return sqlite3_column_type(stmt_of(r), col) == SQLITE_NULL;
}

const char *db_text(const struct db_rows *r, int col) {
	const unsigned char *s = sqlite3_column_text(stmt_of(r), col);

	return s != NULL ? (const char *)s : "";
}

const uint8_t *db_blob(const struct db_rows *r, int col, size_t *len) {
	const uint8_t *p = sqlite3_column_blob(stmt_of(r), col);

	*len = (size_t)sqlite3_column_bytes(stmt_of(r), col);
	return p != NULL ? p : (const uint8_t *)"";
}

int db_begin(struct db *d, struct err *e) {
	return db_run(d, e, "BEGIN IMMEDIATE", "");
}

/* A commit that failed leaves nothing half open: what was to be committed is gone and the handle is as before db_begin. */
int db_commit(struct db *d, struct err *e) {
	int r = db_run(d, e, "COMMIT", "");

	if (r != 0)
		db_rollback(d);
	return r;
}

/* A full disk makes SQLite roll back by itself. Rolling back writes nothing, so its result says nothing that matters. */
void db_rollback(struct db *d) {
	if (sqlite3_get_autocommit(d->h) == 0)
		(void)sqlite3_exec(d->h, "ROLLBACK", NULL, NULL, NULL);
}

int db_savepoint(struct db *d, struct err *e) {
	return db_run(d, e, "SAVEPOINT " SAVEPOINT, "");
}

int db_savepoint_release(struct db *d, struct err *e) {
	return db_run(d, e, "RELEASE " SAVEPOINT, "");
}

void db_savepoint_rollback(struct db *d) {
	if (sqlite3_get_autocommit(d->h) == 0)
		(void)sqlite3_exec(d->h, "ROLLBACK TO " SAVEPOINT "; RELEASE " SAVEPOINT, NULL, NULL, NULL);
}

static int exec(struct db *d, const char *sql, struct err *e) {
	int rc = sqlite3_exec(d->h, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_err(d, rc, e);
}

/* The first opener turns the journal over under an exclusive lock, where SQLite answers SQLITE_BUSY at once: wait ourselves. */
static int use_wal(struct db *d, struct err *e) {
	const struct timespec pause = { 0, RETRY_MS * 1000000L };
	int64_t until_ms = clock_mono_ms() + DB_BUSY_MS;
	int rc;

	for (;;) {
		OWN(db_done) struct db_rows r = { 0 };

		if ((rc = db_query(d, &r, e, "PRAGMA journal_mode = WAL", "")) == 0 && (rc = db_row(&r, e)) == 1)
			return strcmp(db_text(&r, 0), "wal") == 0 ? 0
				: err_set(e, ERR_FAIL, "%s: file system without the locks that SQLite needs", d->path);
		if (rc != ERR_UNREACHABLE || clock_mono_ms() > until_ms)
			return rc;
		(void)nanosleep(&pause, NULL);
	}
}

static int schema_version(struct db *d, int64_t *v, struct err *e) {
	return db_get_int(d, e, v, "PRAGMA user_version", "");
}

/* The version is read again within the transaction: another process may have done this step meanwhile. */
static int migrate_step(struct db *d, const char *const *migrations, int64_t from, struct err *e) {
	char set[48];
	int64_t now;
	int r;

	if ((r = db_begin(d, e)) != 0)
		return r;
	if ((r = schema_version(d, &now, e)) == 0 && now == from) {
		(void)snprintf(set, sizeof set, "PRAGMA user_version = %lld", (long long)from + 1);
		if ((r = exec(d, migrations[from], e)) == 0)
			r = exec(d, set, e);
	}
	if (r != 0) {
		db_rollback(d);
		return r;
	}
	return db_commit(d, e);
}

static int migrate(struct db *d, const char *const *migrations, struct err *e) {
	int64_t v, newest = 0;
	int r;

	while (migrations[newest] != NULL)
		newest++;
	for (;;) {
		if ((r = schema_version(d, &v, e)) != 0)
			return r;
		if (v < 0 || v > newest)
			return err_set(e, ERR_FAIL, "%s: written by a newer version (schema %lld, this program knows %lld)",
				       d->path, (long long)v, (long long)newest);
		if (v == newest)
			return 0;
		if ((r = migrate_step(d, migrations, v, e)) != 0)
			return r;
	}
}

static int set_up(struct db *d, const char *const *migrations, struct err *e) {
	int r;

	sqlite3_extended_result_codes(d->h, 1);
	(void)sqlite3_busy_timeout(d->h, DB_BUSY_MS);
	(void)sqlite3_db_config(d->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(d->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if ((r = use_wal(d, e)) != 0)
		return r;
	if ((r = exec(d, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 16777216", e)) != 0)
		return r;
	return migrate(d, migrations, e);
}

/* Made here, since SQLite would create it 0644; its -wal and -shm inherit the mode. One that is there is not opened: closing any descriptor of a
 * file drops the locks that another handle of this process has on it (https://www.sqlite.org/howtocorrupt.html 2.2). */
static int create_private(const char *path, struct err *e) {
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return err_sys(e, ERR_FAIL, "%s", path);
	return close(fd) == 0 ? 0 : err_sys(e, ERR_FAIL, "%s", path);
}

/* The bytes of the path as SQLite takes it: absolute, without links; what is not there yet stays as it is. */
static size_t place_len(const char *path) {
	OWN(own_free) char *cwd = realpath(".", NULL);
	OWN(own_free) char *whole = path[0] == '/' || cwd == NULL ? xstrdup(path) : file_join(cwd, path);
	OWN(own_free) char *real = NULL;
	size_t total = strlen(whole), rest = 0;
	char *slash;

	while ((real = realpath(whole, NULL)) == NULL && (slash = strrchr(whole, '/')) != NULL && slash > whole) {
		rest = total - (size_t)(slash - whole);
		*slash = '\0';
	}
	return strlen(real == NULL ? whole : real) + rest;
}

int db_check_place(const char *path, struct err *e) {
	const sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	size_t len = place_len(path), max = vfs == NULL ? 0 : (size_t)vfs->mxPathname - JOURNAL_LEN;

	if (len > max)
		return err_set(e, ERR_FAIL, "%s: a path of %zu bytes from the root on; SQLite takes %zu: choose a shorter folder", path, len, max);
	return 0;
}

int db_open(struct db **out, const char *path, const char *const *migrations, struct err *e) {
	struct db *d;
	int r, rc;

	*out = NULL;
	if ((r = db_check_place(path, e)) != 0 || (r = create_private(path, e)) != 0)
		return r;
	d = xcalloc(1, sizeof *d);
	d->path = xstrdup(path);
	rc = sqlite3_open_v2(path, &d->h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	r = rc == SQLITE_OK ? set_up(d, migrations, e) : db_err(d, rc, e);
	if (r != 0) {
		db_close(&d);
		return r;
	}
	*out = d;
	return 0;
}

void db_close(struct db **out) {
	struct db *d = *out;

	*out = NULL;
	if (d == NULL)
		return;
	db_rollback(d);
	while (d->cache != NULL) {
		struct stmt *st = d->cache;

		d->cache = st->next;
		stmt_free(st);
	}
	/* Best effort and without waiting: where others are at work, the last of them to close does it. */
	if (d->h != NULL) {
		(void)sqlite3_busy_timeout(d->h, 0);
		(void)sqlite3_wal_checkpoint_v2(d->h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	(void)sqlite3_close_v2(d->h);
	free(d->path);
	free(d);
}
