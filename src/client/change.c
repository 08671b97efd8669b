/* SPDX-License-Identifier: Apache-2.0 */
#include "client/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "client/destroy.h"
#include "client/groupfile.h"
#include "client/step.h"
#include "client/worker.h"
#include "ledger/path.h"

/* The file as it was when the command began. */
struct change {
	struct ledger_file was;
	char *to; /* of a rename, else NULL */
	char object[OBJECT_ID_LEN + 1];
};

static void change_wipe(struct change *c) {
	ledger_file_wipe(&c->was);
	free(c->to);
}

static int prepare_rename(void *arg, struct ledger *l, struct ledger_change *c, struct err *e) {
	struct change *change = arg;
	OWN(ledger_file_wipe) struct ledger_file now = {0}, taken = {0};
	int r = ledger_find_id(l, change->was.file, &now, e);

	if (r != 0)
		return r;
	if (now.removed || strcmp(now.path, change->was.path) != 0)
		return err_set(e, ERR_CONFLICT, "somebody else renamed or removed it meanwhile");
	r = ledger_find(l, change->to, &taken, e);
	if (r != ERR_NOTFOUND)
		return r != 0 ? r : err_set(e, ERR_EXISTS, "there is a file of the new name already");
	c->op = EVENT_RENAME;
	c->path = change->to;
	c->file = change->was.file;
	c->base = now.base;
	return 0;
}

static int renamed(void *arg, struct ledger *l, bool *yes, struct err *e) {
	const struct change *change = arg;
	OWN(ledger_file_wipe) struct ledger_file now = {0};
	int r = ledger_find_id(l, change->was.file, &now, e);

	*yes = r == 0 && !now.removed && strcmp(now.path, change->to) == 0;
	return r;
}

static int rename_one(struct worker *w, const char *from, const char *to, struct err *e) {
	OWN(change_wipe) struct change c = { .to = xstrdup(to) };
	struct step st = { .arg = &c, .prepare = prepare_rename, .landed = renamed };
	int r = groupfile_find(w->session, from, &c.was, e);

	if (r == 0 && strcmp(c.was.path, c.to) == 0)
		return err_set(e, ERR_USAGE, "the new name is the old one");
	if (r == 0)
		r = step_run(w, &st, e);
	return r < 0 ? r : 0;
}

/* What a command goes through: paths of the group as groupfile_path gives them. */
struct item {
	char *from, *to; /* to: of a rename, else NULL */
};
struct items {
	struct item *v;
	size_t n, cap;
	const char *to; /* the new name of the folder that is being gone through, or NULL */
	size_t skip;    /* of its old one */
};

static void items_wipe(struct items *x) {
	for (size_t i = 0; i < x->n; i++) {
		free(x->v[i].from);
		free(x->v[i].to);
	}
	free(x->v);
}

/* Takes both over. */
static void add(struct items *x, char *from, char *to) {
	if (x->n == x->cap) {
		x->cap = x->cap > 0 ? 2 * x->cap : 16;
		x->v = xrealloc(x->v, x->cap, sizeof(*x->v));
	}
	x->v[x->n++] = (struct item){ from, to };
}

static int add_inside(void *arg, const struct ledger_file *f, struct err *e) {
	struct items *x = arg;

	(void)e;
	add(x, xstrdup(f->path), x->to != NULL ? xasprintf("%s%s", x->to, f->path + x->skip) : NULL);
	return 0;
}

static const char *name_of(void *arg, size_t i) {
	const struct items *x = arg;

	return x->v[i].from;
}

static int check_free(struct session *s, const char *path, struct err *e) {
	OWN(ledger_file_wipe) struct ledger_file taken = {0};
	int r = path_check(path, strlen(path), e);

	if (r == 0)
		r = groupfile_find(s, path, &taken, e);
	if (r == ERR_NOTFOUND)
		return 0;
	return r != 0 ? r : err_set(e, ERR_EXISTS, "there is a file of the new name already");
}

/* Before the first is renamed: can all be? Somebody else may still be faster with a name; then the others are renamed. */
static int check_all_free(struct session *s, const struct items *x, struct err *e) {
	int r = check_free(s, x->to, e);

	if (r != 0)
		return text_about(x->to, r, e);
	for (size_t i = 0; i < x->n; i++)
		if ((r = check_free(s, x->v[i].to, e)) != 0)
			return text_about(x->v[i].from, r, e);
	return 0;
}

static int rename_item(void *arg, struct worker *w, size_t i, char *result, struct err *e) {
	const struct items *x = arg;

	(void)snprintf(result, WORKER_RESULT_MAX, "renamed");
	return rename_one(w, x->v[i].from, x->v[i].to, e);
}

static int rename_folder(struct session *s, const char *from, const char *to, struct err *e) {
	OWN(items_wipe) struct items x = { .to = to, .skip = strlen(from) };
	int r = groupfile_inside(s, from, add_inside, &x, e);

	if (r != 0)
		return text_about(from, r, e);
	if (strncmp(to, from, x.skip) == 0 && (to[x.skip] == '/' || to[x.skip] == '\0'))
		return text_about(from, err_set(e, ERR_USAGE, "the new name is the old one, or in it"), e);
	r = check_all_free(s, &x, e);
	if (r != 0)
		return r;
	struct worker_job job = {
		.verb = "rename",
		.workers = 1,
		.n = x.n,
		.arg = &x,
		.name = name_of,
		.f = rename_item,
	};
	return worker_run(s, &job, NULL, e);
}

int change_rename(struct session *s, const char *from, const char *to, struct err *e) {
	OWN(own_free) char *old = NULL, *new = NULL;
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	struct worker w = { .session = s, .fetch = s->fetch };
	int r = groupfile_path(to, &new, e);

	if (r != 0)
		return text_about(to, r, e);
	if ((r = groupfile_path(from, &old, e)) == 0 && (r = groupfile_find(s, old, &f, e)) == ERR_NOTFOUND)
		return rename_folder(s, old, new, e);
	if (r == 0)
		r = rename_one(&w, old, new, e);
	return r != 0 ? text_about(from, r, e) : 0;
}

static int prepare_remove(void *arg, struct ledger *l, struct ledger_change *c, struct err *e) {
	struct change *change = arg;
	OWN(ledger_file_wipe) struct ledger_file now = {0};
	int r = ledger_find_id(l, change->was.file, &now, e);

	if (r != 0)
		return r;
	if (now.removed)
		return STEP_MOOT;
	if (now.content_index != change->was.content_index)
		return err_set(e, ERR_CONFLICT, "somebody else replaced it meanwhile; it was not removed");
	memcpy(change->object, now.object, sizeof(change->object));
	c->op = EVENT_REMOVE;
	c->file = change->was.file;
	c->base = now.base;
	return 0;
}

static int removed(void *arg, struct ledger *l, bool *yes, struct err *e) {
	const struct change *change = arg;
	OWN(ledger_file_wipe) struct ledger_file now = {0};
	int r = ledger_find_id(l, change->was.file, &now, e);

	*yes = r == 0 && now.removed;
	return r;
}

static int remove_item(void *arg, struct worker *w, size_t i, char *result, struct err *e) {
	const struct items *x = arg;
	OWN(change_wipe) struct change c = {0};
	struct step st = { .arg = &c, .prepare = prepare_remove, .landed = removed };
	int r = groupfile_find(w->session, x->v[i].from, &c.was, e);

	if (r == 0)
		r = step_run(w, &st, e);
	if (r < 0)
		return r;
	if (r == STEP_POSTED)
		destroy_superseded(w->session, c.object, "its object");
	(void)snprintf(result, WORKER_RESULT_MAX, "removed");
	return 0;
}

/* A name that is neither a file nor a folder stays: its failure is one of the run's. */
static int add_operand(struct session *s, const char *given, bool recursive, struct items *x, struct err *e) {
	OWN(ledger_file_wipe) struct ledger_file f = {0};
	OWN(own_free) char *path = NULL;
	int r = groupfile_path(given, &path, e);

	if (r != 0)
		return r;
	r = groupfile_find(s, path, &f, e);
	if (r == ERR_NOTFOUND && (r = groupfile_inside(s, path, add_inside, x, e)) == 0)
		return recursive ? 0 : err_set(e, ERR_USAGE, "is a folder: -r removes what is in it");
	if (r != 0 && r != ERR_NOTFOUND)
		return r;
	add(x, path, NULL);
	path = NULL;
	return 0;
}

static int by_path(const void *a, const void *b) {
	const struct item *x = a, *y = b;

	return strcmp(x->from, y->from);
}

/* A file that was named twice, or besides its folder, goes once. */
static void drop_doubles(struct items *x) {
	size_t n = 0;

	if (x->n > 1)
		qsort(x->v, x->n, sizeof(*x->v), by_path);
	for (size_t i = 0; i < x->n; i++)
		if (n > 0 && strcmp(x->v[n - 1].from, x->v[i].from) == 0)
			free(x->v[i].from);
		else
			x->v[n++] = x->v[i];
	x->n = n;
}

int change_remove(struct session *s, char *const *names, size_t n, bool recursive, struct err *e) {
	OWN(items_wipe) struct items x = {0};
	int r;

	for (size_t i = 0; i < n; i++)
		if ((r = add_operand(s, names[i], recursive, &x, e)) != 0)
			return text_about(names[i], r, e);
	drop_doubles(&x);
	struct worker_job job = {
		.verb = "remove",
		.workers = 1,
		.n = x.n,
		.arg = &x,
		.name = name_of,
		.f = remove_item,
	};
	return worker_run(s, &job, NULL, e);
}
