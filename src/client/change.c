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

static int change_begin(struct change *c, struct session *s, const char *name, struct err *e) {
	OWN(own_free) char *path = NULL;
	int r = groupfile_path(name, &path, e);

	return r != 0 ? r : groupfile_find(s, path, &c->was, e);
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

int change_rename(struct session *s, const char *from, const char *to, struct err *e) {
	OWN(change_wipe) struct change c = {0};
	struct step st = { .arg = &c, .prepare = prepare_rename, .landed = renamed };
	struct worker w = { .session = s, .fetch = s->fetch };
	int r = groupfile_path(to, &c.to, e);

	if (r != 0)
		return text_about(to, r, e);
	r = change_begin(&c, s, from, e);
	if (r != 0)
		return text_about(from, r, e);
	if (strcmp(c.was.path, c.to) == 0)
		return err_set(e, ERR_USAGE, "the new name is the old one");
	r = step_run(&w, &st, e);
	return r < 0 ? text_about(from, r, e) : 0;
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

static int remove_one(void *arg, struct worker *w, size_t i, char *result, struct err *e) {
	char *const *names = arg;
	OWN(change_wipe) struct change c = {0};
	struct step st = { .arg = &c, .prepare = prepare_remove, .landed = removed };
	int r = change_begin(&c, w->session, names[i], e);

	if (r == 0)
		r = step_run(w, &st, e);
	if (r < 0)
		return r;
	if (r == STEP_POSTED)
		destroy_superseded(w->session, c.object, "its object");
	(void)snprintf(result, WORKER_RESULT_MAX, "removed");
	return 0;
}

static const char *name_of(void *arg, size_t i) {
	char *const *names = arg;

	return names[i];
}

int change_remove(struct session *s, char *const *names, size_t n, struct err *e) {
	struct worker_job job = {
		.verb = "remove",
		.workers = 1,
		.n = n,
		.arg = (void *)(uintptr_t)names,
		.name = name_of,
		.f = remove_one,
	};

	return worker_run(s, &job, NULL, e);
}
