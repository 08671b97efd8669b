/* SPDX-License-Identifier: Apache-2.0 */
/* Objects by their name: stat, list, destroy. Names of Drive are not unique, its "name =" takes no notice of case, and its lists lag behind what
 * was made. */
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "store/gdrive_state.h"

#define FIND_FIELDS "id,name,mimeType,size,createdTime,trashed"
#define PREFER_FIELDS FIND_FIELDS ",sha256Checksum"
#define SAME_NAME_MAX 1000u /* files that are one object: each of them is destroyed with it */

struct matches {
	const char *object;
	const char *fields;
	bool trashed; /* those too */
	size_t n;
	struct gdrive_file *v;
};

static void matches_wipe(struct matches *m) {
	free(m->v);
}

static int take_matches(void *arg, const struct gdrive_page *page, struct err *e) {
	struct matches *m = arg;
	const struct gdrive_file *v = page->items;

	for (size_t i = 0; i < page->n; i++) {
		if (strcmp(v[i].object, m->object) != 0 || (v[i].trashed && !m->trashed))
			continue;
		if (m->n == SAME_NAME_MAX)
			return err_set(e, ERR_FAIL, "more than %u files are named as object %s", SAME_NAME_MAX, m->object);
		m->v = xrealloc(m->v, m->n + 1, sizeof(*m->v));
		m->v[m->n++] = v[i];
	}
	return 0;
}

static int look(struct gdrive *g, struct matches *m, struct err *e) {
	OWN(own_free) char *where = xasprintf("name = '%s.cms'%s", m->object, m->trashed ? "" : " and trashed = false");

	return gdrive_each_file(g, where, m->fields != NULL ? m->fields : FIND_FIELDS, take_matches, m, e);
}

/* Three looks, the second soon, the third when the time is over. */
static int look_patiently(struct gdrive *g, struct matches *m, struct err *e) {
	unsigned soon = g->settle_ms / 6;
	int r = look(g, m, e);

	for (unsigned i = 0; r == 0 && m->n == 0 && i < 2 && !g->hasty; i++) {
		gdrive_pause_ms(i == 0 ? soon : g->settle_ms - soon);
		r = look(g, m, e);
	}
	return r;
}

static const struct gdrive_file *oldest(const struct matches *m) {
	const struct gdrive_file *first = &m->v[0];

	for (size_t i = 1; i < m->n; i++) {
		const struct gdrive_file *f = &m->v[i];

		if (f->created_ms < first->created_ms || (f->created_ms == first->created_ms && strcmp(f->id, first->id) < 0))
			first = f;
	}
	return first;
}

static int not_there(const char *object, struct err *e) {
	return err_set(e, ERR_NOTFOUND, "object %s is not on the drive", object);
}

/* By id Drive answers with what is so now. Somebody may have renamed it or put it into the trash. */
static int ask_remembered(struct gdrive *g, const char *object, struct gdrive_file *f, struct err *e) {
	char file[GDRIVE_FILE_MAX + 1];
	int r;

	if (!gdrive_recall(g, object, file))
		return ERR_NOTFOUND;
	r = gdrive_file_get(g, file, FIND_FIELDS, f, e);
	if (r == 0 && (f->trashed || strcmp(f->object, object) != 0))
		r = ERR_NOTFOUND;
	if (r == ERR_NOTFOUND)
		gdrive_forget(g, object);
	return r;
}

int gdrive_find(struct gdrive *g, const char *object, bool patient, struct gdrive_file *f, struct err *e) {
	OWN(matches_wipe) struct matches m = { .object = object };
	char file[GDRIVE_FILE_MAX + 1];
	bool known = gdrive_recall(g, object, file);
	int r = ask_remembered(g, object, f, e);

	if (r != ERR_NOTFOUND)
		return r;
	/* What was seen and is gone does not come to light by waiting. */
	r = patient && !known ? look_patiently(g, &m, e) : look(g, &m, e);
	if (r != 0)
		return r;
	if (m.n == 0)
		return not_there(object, e);
	*f = *oldest(&m);
	gdrive_remember(g, object, f->id);
	return 0;
}

/* Whoever writes to the folder can put an older file of the name there. */
int gdrive_prefer(void *state, const char *id, const uint8_t sha256[static 32], struct err *e) {
	struct gdrive *g = state;
	OWN(matches_wipe) struct matches m = { .object = id, .fields = PREFER_FIELDS };
	char hex[2 * 32 + 1], now[GDRIVE_FILE_MAX + 1] = "";
	int r = look(g, &m, e);

	if (r != 0)
		return r;
	text_hex(sha256, 32, hex);
	(void)gdrive_recall(g, id, now);
	for (size_t i = 0; i < m.n; i++) {
		if (strcmp(m.v[i].checksum, hex) != 0 || strcmp(m.v[i].id, now) == 0)
			continue;
		gdrive_remember(g, id, m.v[i].id);
		return 0;
	}
	return err_set(e, ERR_NOTFOUND, "object %s: no other file of that name has these bytes", id);
}

/* Of the file that was read. */
int gdrive_sha256(void *state, const char *id, uint8_t sha256[static 32], struct err *e) {
	struct gdrive_file f;
	char file[GDRIVE_FILE_MAX + 1];
	int r = gdrive_recall(state, id, file) ? gdrive_file_get(state, file, "id,sha256Checksum", &f, e) : not_there(id, e);

	if (r == 0 && text_unhex(f.checksum, sha256, 32, NULL) != 0)
		r = err_set(e, ERR_NOTFOUND, "object %s: Drive says no SHA-256 of it", id);
	return r;
}

#define LEARN_AFTER 16u /* objects that were looked for one by one: then it is worth a list of what else there is */
#define LEARN_PAGES 4u /* of 1,000 each */

struct learning {
	struct gdrive *g;
	unsigned pages;
};

/* Of several files of a name the oldest counts, and comes first. */
static int learn_page(void *arg, const struct gdrive_page *page, struct err *e) {
	struct learning *l = arg;
	const struct gdrive_file *v = page->items;
	char file[GDRIVE_FILE_MAX + 1];

	for (size_t i = 0; i < page->n; i++)
		if (v[i].object[0] != '\0' && !v[i].trashed && !gdrive_recall(l->g, v[i].object, file))
			gdrive_remember(l->g, v[i].object, v[i].id);
	return ++l->pages == LEARN_PAGES ? err_set(e, ERR_FAIL, "that is enough") : 0;
}

void gdrive_learn(struct gdrive *g) {
	struct learning l = { .g = g };
	struct err why = ERR_INIT;
	bool now;

	(void)pthread_mutex_lock(&g->lock);
	now = ++g->sought == LEARN_AFTER;
	(void)pthread_mutex_unlock(&g->lock);
	/* What cannot be learned is looked for one by one, and there an error is said. */
	if (now)
		(void)!gdrive_each_file_by_age(g, "trashed = false", FIND_FIELDS, learn_page, &l, &why);
}

static void to_stat(const struct gdrive_file *f, struct store_stat *st) {
	*st = (struct store_stat){ .size = f->size, .modified_s = f->created_ms / 1000 };
	memcpy(st->id, f->object, sizeof(st->id));
}

int gdrive_stat(void *state, const char *id, struct store_stat *st, struct err *e) {
	struct gdrive_file f;
	int r = gdrive_find(state, id, true, &f, e);

	if (r == 0)
		to_stat(&f, st);
	return r;
}

struct listing {
	bool trashed;
	int (*f)(void *arg, const struct store_stat *st, struct err *e);
	void *arg;
};

static int list_page(void *arg, const struct gdrive_page *page, struct err *e) {
	const struct listing *l = arg;
	const struct gdrive_file *v = page->items;
	struct store_stat st;
	int r = 0;

	for (size_t i = 0; r == 0 && i < page->n; i++) {
		if (v[i].object[0] == '\0' || v[i].trashed != l->trashed)
			continue;
		to_stat(&v[i], &st);
		r = l->f(l->arg, &st, e);
	}
	return r;
}

int gdrive_list(void *state, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e) {
	struct listing l = { false, f, arg };

	return gdrive_each_file(state, "trashed = false", FIND_FIELDS, list_page, &l, e);
}

int gdrive_list_trashed(void *state, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e) {
	struct listing l = { true, f, arg };

	return gdrive_each_file(state, "trashed = true", FIND_FIELDS, list_page, &l, e);
}

static int destroy_one(struct gdrive *g, const char *file, const char *object, struct err *e) {
	int r = gdrive_file_destroy(g, file, e);

	if (r != 0)
		(void)err_add(e, "object %s", object);
	return r;
}

/* All that bears the name, in the trash as well; and what was made here, which a list may not show yet. One look: what is gone already is the usual
 * case of a second run, of hundreds at a time, and what a list shows late the next cleaning up finds. */
int gdrive_destroy(void *state, const char *id, struct err *e) {
	struct gdrive *g = state;
	OWN(matches_wipe) struct matches m = { .object = id, .trashed = true };
	char file[GDRIVE_FILE_MAX + 1];
	bool known = gdrive_recall(g, id, file);
	int r = known ? destroy_one(g, file, id, e) : 0, one;

	if (r == 0)
		r = look(g, &m, e);
	/* What another put there under that name, and he alone can destroy, keeps nothing else alive. */
	for (size_t i = 0; i < m.n; i++) {
		struct err why = ERR_INIT;

		if (known && strcmp(m.v[i].id, file) == 0)
			continue;
		if ((one = destroy_one(g, m.v[i].id, id, &why)) != 0 && r == 0)
			r = err_set(e, one, "%s", why.text);
		if (one != 0 && one != ERR_REFUSED)
			break;
	}
	if (r == 0)
		gdrive_forget(g, id);
	return r;
}

int gdrive_owner(void *state, const char *id, char owner[static STORE_OWNER_MAX], struct err *e) {
	struct gdrive_file f;
	char file[GDRIVE_FILE_MAX + 1];
	int r = gdrive_find(state, id, false, &f, e);

	if (r != 0)
		return r;
	memcpy(file, f.id, sizeof(file));
	r = gdrive_file_get(state, file, "id,driveId,owners(emailAddress)", &f, e);
	if (r == 0)
		memcpy(owner, f.owner, STORE_OWNER_MAX);
	return r == ERR_NOTFOUND ? not_there(id, e) : r;
}
