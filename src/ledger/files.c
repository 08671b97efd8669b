/* SPDX-License-Identifier: Apache-2.0 */
/* The table of files: what each one is now. */
#include "ledger/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"

#define COLUMNS                                                                                                        \
	"f.file, f.lookup, f.named, f.newest, f.content, f.version, f.name, f.object, f.object_size, f.object_sha256," \
	" f.content_sha256, f.content_size, f.key_id, f.author, f.time_s, f.event_time_s"
#define N_COLUMNS 16

/* A stored value of another length than ours is a damaged database, not a crash. */
static int copy_blob(const struct db_rows *rows, int col, void *out, size_t len, struct err *e) {
	size_t n;
	const uint8_t *p = db_blob(rows, col, &n);

	if (n != len)
		return err_set(e, ERR_DAMAGED, "ledger: damaged table of files");
	memcpy(out, p, len);
	return 0;
}

static int copy_text(const struct db_rows *rows, int col, char *out, size_t size, struct err *e) {
	const char *s = db_text(rows, col);
	size_t n = strlen(s);

	if (n >= size)
		return err_set(e, ERR_DAMAGED, "ledger: damaged table of files");
	memcpy(out, s, n + 1);
	return 0;
}

static int read_row(const struct db_rows *q, struct row *r, struct err *e) {
	struct ledger_file *f = &r->f;
	int rc;

	*r = (struct row){.placed = !db_is_null(q, 1), .named = (uint64_t)db_int(q, 2)};
	f->removed = !r->placed;
	f->base = (uint64_t)db_int(q, 3);
	f->content_index = (uint64_t)db_int(q, 4);
	f->version = (uint64_t)db_int(q, 5);
	f->object_size = (uint64_t)db_int(q, 8);
	f->content_size = (uint64_t)db_int(q, 11);
	f->time_s = db_int(q, 14);
	f->event_time_s = db_int(q, 15);
	if (r->placed && (rc = copy_blob(q, 1, r->lookup, sizeof r->lookup, e)) != 0)
		return rc;
	if ((rc = copy_blob(q, 0, f->file, sizeof f->file, e)) != 0 ||
	    (rc = copy_blob(q, 6, f->name, sizeof f->name, e)) != 0 ||
	    (rc = copy_text(q, 7, f->object, sizeof f->object, e)) != 0 ||
	    (rc = copy_blob(q, 9, f->object_sha256, sizeof f->object_sha256, e)) != 0 ||
	    (rc = copy_blob(q, 10, f->content_sha256, sizeof f->content_sha256, e)) != 0 ||
	    (rc = copy_blob(q, 12, f->key_id, sizeof f->key_id, e)) != 0)
		return rc;
	return copy_text(q, 13, f->author, sizeof f->author, e);
}

static int load_one(struct db_rows *rows, struct row *r, struct err *e) {
	int rc = db_row(rows, e);

	if (rc < 0)
		return rc;
	return rc == 0 ? err_set(e, ERR_NOTFOUND, "ledger: no such file") : read_row(rows, r, e);
}

int row_load(struct ledger *l, const uint8_t file[static 16], struct row *r, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	int rc =
	    db_query(l->db, &rows, e, "SELECT " COLUMNS " FROM ledger_files f WHERE f.file = ?", "b", file, (size_t)16);

	return rc != 0 ? rc : load_one(&rows, r, e);
}

int row_at(struct ledger *l, const uint8_t lookup[static 32], struct row *r, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	int rc = db_query(
	    l->db, &rows, e, "SELECT " COLUMNS " FROM ledger_files f WHERE f.lookup = ?", "b", lookup, (size_t)32);

	return rc != 0 ? rc : load_one(&rows, r, e);
}

int row_insert(struct ledger *l, const struct row *r, struct err *e) {
	const struct ledger_file *f = &r->f;

	return db_run(l->db, e,
	    "INSERT INTO ledger_files (file, lookup, named, newest, content, version, name, object, object_size,"
	    " object_sha256, content_sha256, content_size, key_id, author, time_s, event_time_s)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	    "bbiiiibsibbibsii", f->file, sizeof f->file, r->placed ? r->lookup : NULL, sizeof r->lookup,
	    (int64_t)r->named, (int64_t)f->base, (int64_t)f->content_index, (int64_t)f->version, f->name,
	    sizeof f->name, f->object, (int64_t)f->object_size, f->object_sha256, sizeof f->object_sha256,
	    f->content_sha256, sizeof f->content_sha256, (int64_t)f->content_size, f->key_id, sizeof f->key_id,
	    f->author, f->time_s, f->event_time_s);
}

int row_update(struct ledger *l, const struct row *r, struct err *e) {
	const struct ledger_file *f = &r->f;

	return db_run(l->db, e,
	    "UPDATE ledger_files SET lookup = ?, named = ?, newest = ?, content = ?, version = ?, name = ?, object = ?,"
	    " object_size = ?, object_sha256 = ?, content_sha256 = ?, content_size = ?, key_id = ?, author = ?, time_s "
	    "= ?,"
	    " event_time_s = ? WHERE file = ?",
	    "biiiibsibbibsiib", r->placed ? r->lookup : NULL, sizeof r->lookup, (int64_t)r->named, (int64_t)f->base,
	    (int64_t)f->content_index, (int64_t)f->version, f->name, sizeof f->name, f->object, (int64_t)f->object_size,
	    f->object_sha256, sizeof f->object_sha256, f->content_sha256, sizeof f->content_sha256,
	    (int64_t)f->content_size, f->key_id, sizeof f->key_id, f->author, f->time_s, f->event_time_s, f->file,
	    sizeof f->file);
}

int row_name(struct ledger *l, uint64_t named, struct buf *name, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	const uint8_t *data;
	size_t len;
	int r;

	if ((r = db_query(l->db, &rows, e, "SELECT name FROM ledger_entries WHERE n = ?", "i", (int64_t)named)) != 0 ||
	    (r = db_row(&rows, e)) < 0)
		return r;
	if (r == 0)
		return err_set(e, ERR_DAMAGED, "ledger: damaged table of files");
	data = db_blob(&rows, 0, &len);
	return seal_open(&l->seal, named, data, len, name, e);
}

void ledger_file_wipe(struct ledger_file *f) {
	free(f->path);
	*f = (struct ledger_file){0};
}

/* The row as callers see it, with its path. */
static int give(struct ledger *l, struct row *r, struct ledger_file *f, struct err *e) {
	OWN(buf_wipe) struct buf name = {0};
	int rc = row_name(l, r->named, &name, e);

	if (rc != 0)
		return rc;
	*f = r->f;
	f->path = xstrdup(buf_str(&name) + SALT_LEN);
	return 0;
}

int ledger_find(struct ledger *l, const char *path, struct ledger_file *f, struct err *e) {
	struct place p = {0};
	struct row r;
	int rc;

	*f = (struct ledger_file){0};
	if (path_check(path, strlen(path), NULL) != 0)
		return err_set(e, ERR_NOTFOUND, "ledger: no such file");
	if ((rc = place_make(l, path, strlen(path), &p, e)) != 0)
		return rc;
	if ((rc = row_at(l, p.key[p.n - 1], &r, e)) == 0)
		rc = give(l, &r, f, e);
	place_wipe(&p);
	if (rc == 0 && strcmp(f->path, path) != 0) {
		ledger_file_wipe(f);
		return err_set(e, ERR_NOTFOUND, "ledger: no such file (but one that differs in case)");
	}
	return rc;
}

int ledger_find_id(struct ledger *l, const uint8_t file[static 16], struct ledger_file *f, struct err *e) {
	struct row r;
	int rc = row_load(l, file, &r, e);

	*f = (struct ledger_file){0};
	return rc != 0 ? rc : give(l, &r, f, e);
}

int ledger_find_object(struct ledger *l, const char *object, struct ledger_file *f, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	uint8_t file[16];
	int rc = db_query(l->db, &rows, e, "SELECT file FROM ledger_objects WHERE object = ?", "s", object);

	if (rc != 0 || (rc = db_row(&rows, e)) < 0)
		return rc;
	if (rc == 0)
		return err_set(e, ERR_NOTFOUND, "ledger: no event named this object");
	rc = copy_blob(&rows, 0, file, sizeof file, e);
	return rc != 0 ? rc : ledger_find_id(l, file, f, e);
}

static int each_row(const struct db_rows *rows, int (*f)(void *arg, const struct ledger_file *file, struct err *e),
    void *arg, struct err *e) {
	OWN(ledger_file_wipe) struct ledger_file file = {0};
	struct row r;
	size_t len;
	int rc;

	if ((rc = read_row(rows, &r, e)) != 0)
		return rc;
	file = r.f;
	const char *path = (const char *)db_blob(rows, N_COLUMNS, &len);
	file.path = xmalloc(len + 1);
	memcpy(file.path, path, len);
	file.path[len] = '\0';
	return f(arg, &file, e);
}

int ledger_each(struct ledger *l, const char *prefix,
    int (*f)(void *arg, const struct ledger_file *file, struct err *e), void *arg, struct err *e) {
	const char *p = prefix != NULL ? prefix : "";
	OWN(db_done) struct db_rows rows = {0};
	int r;

	if (l->seal.keys.data != NULL)
		return err_set(e, ERR_FAIL, "ledger: sealed names are not listed");
	/* Salt and path are one column: the path begins at 17. Blobs compare bytewise. */
	if ((r = db_query(l->db, &rows, e,
		 "SELECT " COLUMNS ", substr(e.name, 17) FROM ledger_files f JOIN ledger_entries e ON e.n = f.named"
		 " WHERE f.lookup IS NOT NULL AND substr(e.name, 17, ?) = ? ORDER BY substr(e.name, 17)",
		 "ib", (int64_t)strlen(p), p, strlen(p))) != 0)
		return r;
	while ((r = db_row(&rows, e)) == 1)
		if ((r = each_row(&rows, f, arg, e)) != 0)
			return r;
	return r;
}
