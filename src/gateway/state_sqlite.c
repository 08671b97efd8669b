/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/own.h"
#include "ledger/ledger.h"

struct state {
	struct db *db;
	int64_t version; /* SQLite's count of others' commits, as last seen */
};

static const char schema[] =
    "CREATE TABLE thing ("
    "  name TEXT NOT NULL PRIMARY KEY,"
    "  value BLOB NOT NULL);"
    "CREATE TABLE crl ("
    "  id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),"
    "  number INTEGER NOT NULL,"
    "  der BLOB NOT NULL);"
    "CREATE TABLE member ("
    "  sha256 BLOB NOT NULL PRIMARY KEY,"
    "  serial BLOB NOT NULL,"
    "  name TEXT NOT NULL,"
    "  not_after INTEGER NOT NULL,"
    "  closed INTEGER NOT NULL);"
    "CREATE INDEX member_open ON member (closed, not_after);"
    "CREATE INDEX member_name ON member (name);";

static const char *const migrations[] = { schema, ledger_schema, state_audit_schema, NULL };

int state_open(struct state **s, const char *path, bool create, struct err *e) {
	struct state *st;

	if (!create && !file_exists(path))
		return err_set(e, ERR_NOTFOUND, "%s: no such file", path);
	st = xcalloc(1, sizeof *st);
	if (db_open(&st->db, path, migrations, e) != 0) {
		free(st);
		return e->code;
	}
	*s = st;
	return 0;
}

void state_close(struct state **s) {
	if (*s == NULL)
		return;
	db_close(&(*s)->db);
	free(*s);
	*s = NULL;
}

struct db *state_db(struct state *s) {
	return s->db;
}

int state_begin(struct state *s, struct err *e) {
	return db_begin(s->db, e);
}

int state_commit(struct state *s, struct err *e) {
	if (db_commit(s->db, e) != 0) {
		db_rollback(s->db);
		return e->code;
	}
	return 0;
}

void state_rollback(struct state *s) {
	db_rollback(s->db);
}

int state_savepoint(struct state *s, struct err *e) {
	return db_savepoint(s->db, e);
}

int state_savepoint_keep(struct state *s, struct err *e) {
	return db_savepoint_release(s->db, e);
}

void state_savepoint_undo(struct state *s) {
	db_savepoint_rollback(s->db);
}

/* https://www.sqlite.org/pragma.html#pragma_data_version: differs whenever another connection committed in between. */
int state_changed(struct state *s, bool *changed, struct err *e) {
	int64_t v;

	if (db_get_int(s->db, e, &v, "PRAGMA data_version", "") != 0)
		return e->code;
	*changed = v != s->version;
	s->version = v;
	return 0;
}

/* The first column of the first row, a blob. */
static int get_blob(struct db_rows *r, struct buf *out, const char *what, struct err *e) {
	int more = db_row(r, e);
	const uint8_t *data;
	size_t len;

	if (more < 0)
		return more;
	if (more == 0)
		return err_set(e, ERR_NOTFOUND, "%s: not in the database", what);
	data = db_blob(r, 0, &len);
	buf_add(out, data, len);
	return 0;
}

int state_get(struct state *s, const char *name, struct buf *out, struct err *e) {
	OWN(db_done) struct db_rows r = { 0 };

	if (db_query(s->db, &r, e, "SELECT value FROM thing WHERE name = ?", "s", name) != 0)
		return e->code;
	return get_blob(&r, out, name, e);
}

int state_put(struct state *s, const char *name, const void *data, size_t len, struct err *e) {
	return db_run(s->db, e,
	    "INSERT INTO thing (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
	    "sb", name, data, len);
}

int state_crl(struct state *s, int (*f)(void *arg, const uint8_t *piece, size_t len, struct err *e), void *arg, struct err *e) {
	size_t len;

	return db_blob_read(s->db, "crl", "der", 1, &len, f, arg, e);
}

int state_crl_put(struct state *s, uint64_t number, const void *der, size_t len, struct err *e) {
	if (db_run(s->db, e,
		"INSERT INTO crl (id, number, der) VALUES (1, ?, zeroblob(?))"
		" ON CONFLICT (id) DO UPDATE SET number = excluded.number, der = excluded.der",
		"ii", (int64_t)number, (int64_t)len) != 0)
		return e->code;
	return db_blob_write(s->db, "crl", "der", 1, der, len, e);
}

int state_member_add(struct state *s, const struct state_member *m, struct err *e) {
	return db_run(s->db, e,
	    "INSERT INTO member (sha256, serial, name, not_after, closed) VALUES (?, ?, ?, ?, 0)"
	    " ON CONFLICT (sha256) DO NOTHING",
	    "bbsi", m->sha256, sizeof m->sha256, m->serial, m->serial_len, m->name, m->not_after_s);
}

static int copy_blob(const struct db_rows *r, int col, uint8_t *out, size_t max, size_t *len, struct err *e) {
	const uint8_t *data = db_blob(r, col, len);

	if (*len > max)
		return err_set(e, ERR_DAMAGED, "member: column longer than %zu bytes", max);
	memcpy(out, data, *len);
	return 0;
}

static int each_member(
    struct db_rows *r, int (*f)(void *arg, const struct state_member *m, struct err *e), void *arg, struct err *e) {
	struct state_member m;
	int more = 0, rc = 0;
	size_t len;

	while (rc == 0 && (more = db_row(r, e)) > 0) {
		memset(&m, 0, sizeof m);
		if (copy_blob(r, 0, m.sha256, sizeof m.sha256, &len, e) != 0 ||
		    copy_blob(r, 1, m.serial, sizeof m.serial, &m.serial_len, e) != 0)
			return e->code;
		m.name = db_text(r, 2);
		m.not_after_s = db_int(r, 3);
		rc = f(arg, &m, e);
	}
	return more < 0 ? more : rc;
}

int state_member_ended(struct state *s, int64_t now_s, int (*f)(void *arg, const struct state_member *m, struct err *e),
    void *arg, struct err *e) {
	OWN(db_done) struct db_rows r = { 0 };

	if (db_query(s->db, &r, e,
		"SELECT sha256, serial, name, not_after FROM member WHERE closed = 0 AND not_after < ? ORDER BY "
		"not_after",
		"i", now_s) != 0)
		return e->code;
	return each_member(&r, f, arg, e);
}

int state_member_valid(struct state *s, const char *name, int64_t now_s,
    int (*f)(void *arg, const struct state_member *m, struct err *e), void *arg, struct err *e) {
	OWN(db_done) struct db_rows r = { 0 };

	if (db_query(s->db, &r, e,
		"SELECT sha256, serial, name, not_after FROM member WHERE name = ? AND not_after >= ?", "si", name,
		now_s) != 0)
		return e->code;
	return each_member(&r, f, arg, e);
}

int state_member_close(struct state *s, int64_t now_s, struct err *e) {
	return db_run(s->db, e, "UPDATE member SET closed = 1 WHERE closed = 0 AND not_after < ?", "i", now_s);
}
