/* SPDX-License-Identifier: Apache-2.0 */
/* What a member put on the drive and what became of it, told by the ledger alone, entry after entry. */
#include <string.h>

#include "base/own.h"
#include "ledger/mirror_state.h"

/* dead: no file's any more. upto: entries before this one were looked at. */
const char mirror_mine_schema[] =
    "CREATE TABLE mirror_mine (object TEXT PRIMARY KEY NOT NULL, file BLOB NOT NULL, dead INTEGER NOT NULL,"
    " tried INTEGER NOT NULL, time_s INTEGER NOT NULL);"
    "CREATE INDEX mirror_mine_file ON mirror_mine (file);"
    "CREATE INDEX mirror_mine_dead ON mirror_mine (tried) WHERE dead = 1;"
    "CREATE TABLE mirror_mine_upto (id INTEGER PRIMARY KEY CHECK (id = 1), n INTEGER NOT NULL);";

static int load_upto(struct mirror *m, uint64_t *n, struct err *e) {
	int64_t stored = 0;
	int r = db_get_int(m->db, e, &stored, "SELECT n FROM mirror_mine_upto WHERE id = 1", "");

	*n = (uint64_t)stored;
	return r == ERR_NOTFOUND ? 0 : r;
}

static int store_upto(struct mirror *m, uint64_t n, struct err *e) {
	return db_run(m->db, e,
	    "INSERT INTO mirror_mine_upto (id, n) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET n = excluded.n", "i",
	    (int64_t)n);
}

/* A renewed certificate has another key; the name stays. Empty: no entry has brought a certificate of ours yet. */
static int own_name(struct mirror *m, char name[static NAME_MAX_BYTES + 1], struct err *e) {
	struct signer *own = NULL;
	int r = m->has_own ? signers_find(m->ledger, m->own, &own, e) : 0;

	name[0] = '\0';
	if (r == 0 && own != NULL)
		memcpy(name, own->name, sizeof(own->name));
	return r;
}

static int is_own(struct mirror *m, const uint8_t ski[static SKI_LEN], const char *name, bool *yes, struct err *e) {
	struct signer *by = NULL;
	int r = signers_find(m->ledger, ski, &by, e);

	*yes = r == 0 && by != NULL && !by->gateway && strcmp(by->name, name) == 0;
	return r;
}

static int look_at(struct mirror *m, uint64_t index, const char *name, struct err *e) {
	uint8_t ski[SKI_LEN];
	struct event ev;
	bool own;
	int r = history_event(m->ledger, index, &ev, ski, e);

	if (r != 0)
		return r;
	if ((ev.op == EVENT_REPLACE || ev.op == EVENT_REKEY || ev.op == EVENT_REMOVE) &&
	    (r = db_run(m->db, e, "UPDATE mirror_mine SET dead = 1 WHERE file = ?", "b", ev.file, sizeof ev.file)) != 0)
		return r;
	if (ev.op != EVENT_PUT && ev.op != EVENT_REPLACE && ev.op != EVENT_REKEY)
		return 0;
	if ((r = is_own(m, ski, name, &own, e)) != 0 || !own)
		return r;
	return db_run(m->db, e, "INSERT INTO mirror_mine (object, file, dead, tried, time_s) VALUES (?, ?, 0, 0, ?)", "sbi",
	    ev.object, ev.file, sizeof ev.file, ev.time_s);
}

static int catch_up_locked(struct mirror *m, struct err *e) {
	char name[NAME_MAX_BYTES + 1];
	uint64_t n, size;
	int r;

	if ((r = ledger_reload(m->ledger, e)) != 0 || (r = load_upto(m, &n, e)) != 0 || (r = own_name(m, name, e)) != 0)
		return r;
	size = ledger_size(m->ledger);
	if (name[0] == '\0')
		return 0;
	for (; n < size && r == 0; n++)
		r = look_at(m, n, name, e);
	return r != 0 ? r : store_upto(m, size, e);
}

/* Nothing is written where there is nothing new: it is asked at each command. */
static int catch_up(struct mirror *m, struct err *e) {
	uint64_t n;
	int r = load_upto(m, &n, e);

	if (r != 0 || n >= ledger_size(m->ledger))
		return r;
	if ((r = mirror_begin(m, e)) != 0)
		return r;
	if ((r = catch_up_locked(m, e)) == 0)
		return db_commit(m->db, e);
	db_rollback(m->db);
	return r;
}

int mirror_mine(struct mirror *m, size_t max, struct mirror_object *v, size_t *n, struct err *e) {
	OWN(db_done) struct db_rows rows = {0};
	int r;

	*n = 0;
	if ((r = catch_up(m, e)) != 0 ||
	    (r = db_query(m->db, &rows, e, "SELECT object, time_s FROM mirror_mine WHERE dead = 1 ORDER BY tried LIMIT ?",
		 "i", (int64_t)max)) != 0)
		return r;
	while ((r = db_row(&rows, e)) == 1 && *n < max) {
		const char *object = db_text(&rows, 0);

		if (strlen(object) != OBJECT_ID_LEN)
			return err_set(e, ERR_DAMAGED, "ledger: damaged table of own objects");
		memcpy(v[*n].id, object, OBJECT_ID_LEN + 1);
		v[(*n)++].time_s = db_int(&rows, 1);
	}
	return r < 0 ? r : 0;
}

int mirror_mine_tried(struct mirror *m, const char *object, bool gone, struct err *e) {
	return gone ? db_run(m->db, e, "DELETE FROM mirror_mine WHERE object = ?", "s", object)
		    : db_run(m->db, e, "UPDATE mirror_mine SET tried = tried + 1 WHERE object = ?", "s", object);
}
