/* SPDX-License-Identifier: Apache-2.0 */
/* Which places are taken: by a file, or by a folder with files below it. */
#include "ledger/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"

void place_wipe(struct place *p) {
	free(p->key);
	*p = (struct place){0};
}

static size_t count_parts(const char *path) {
	size_t n = 1;

	for (; *path != '\0'; path++)
		n += *path == '/';
	return n;
}

int place_make(struct ledger *l, const char *path, size_t len, struct place *p, struct err *e) {
	OWN(buf_wipe) struct buf copy = {0};
	OWN(own_free) char *folded = NULL;
	int r;

	buf_add(&copy, path, len);
	if ((r = path_fold(buf_str(&copy), &folded, e)) != 0)
		return r;
	p->key = xcalloc(count_parts(folded), sizeof *p->key);
	p->n = 0;
	for (const char *end = folded;; end++) {
		end += strcspn(end, "/");
		if ((r = seal_lookup(&l->seal, folded, (size_t)(end - folded), p->key[p->n++], e)) != 0) {
			place_wipe(p);
			return r;
		}
		if (*end == '\0')
			return 0;
	}
}

/* Is there a file at this key that is not the one that leaves? */
static int blocks(struct ledger *l, const uint8_t *key, const uint8_t *own, struct row *by, bool *yes, struct err *e) {
	int r = row_at(l, key, by, e);

	*yes = r == 0 && (own == NULL || memcmp(by->f.file, own, sizeof by->f.file) != 0);
	return r == ERR_NOTFOUND ? 0 : r;
}

static int count_below(struct ledger *l, const uint8_t *key, int64_t *n, struct err *e) {
	int r = db_get_int(l->db, e, n, "SELECT files FROM ledger_folders WHERE lookup = ?", "b", key, (size_t)32);

	if (r == ERR_NOTFOUND)
		*n = 0;
	return r == ERR_NOTFOUND ? 0 : r;
}

static bool lies_below(const struct place *below, const struct place *folder) {
	return below->n > folder->n && memcmp(below->key[folder->n - 1], folder->key[folder->n - 1], 32) == 0;
}

int place_is_free(struct ledger *l, const struct place *p, const uint8_t *own, const struct place *own_place, bool *yes,
    struct row *by, struct err *e) {
	bool blocked = false;
	struct row folder;
	int64_t n;
	int r;

	*yes = false;
	*by = (struct row){0};
	for (size_t i = 0; i + 1 < p->n; i++)
		if ((r = blocks(l, p->key[i], own, &folder, &blocked, e)) != 0 || blocked)
			return r;
	if ((r = count_below(l, p->key[p->n - 1], &n, e)) != 0)
		return r;
	if (n > (own_place != NULL && lies_below(own_place, p) ? 1 : 0))
		return 0;
	if ((r = blocks(l, p->key[p->n - 1], own, by, &blocked, e)) != 0)
		return r;
	*yes = !blocked;
	return 0;
}

static int count_one(struct ledger *l, const uint8_t *key, int more, struct err *e) {
	int r;

	if (more > 0)
		return db_run(l->db, e,
		    "INSERT INTO ledger_folders (lookup, files) VALUES (?, 1)"
		    " ON CONFLICT (lookup) DO UPDATE SET files = ledger_folders.files + 1",
		    "b", key, (size_t)32);
	r = db_run(l->db, e, "UPDATE ledger_folders SET files = files - 1 WHERE lookup = ?", "b", key, (size_t)32);
	return r != 0
	    ? r
	    : db_run(l->db, e, "DELETE FROM ledger_folders WHERE lookup = ? AND files = 0", "b", key, (size_t)32);
}

int place_count(struct ledger *l, const struct place *p, int more, struct err *e) {
	int r = 0;

	for (size_t i = 0; i + 1 < p->n && r == 0; i++)
		r = count_one(l, p->key[i], more, e);
	return r;
}
