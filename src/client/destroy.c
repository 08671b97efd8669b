/* SPDX-License-Identifier: Apache-2.0 */
#include "client/destroy.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "client/note.h"

void left_wipe(struct left *l) {
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	free(l->v);
	*l = (struct left){0};
}

void left_add(struct left *l, const char *owner) {
	if (owner[0] == '\0')
		return;
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].name, owner) != 0)
			continue;
		l->v[i].n++;
		return;
	}
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 8 : 2 * l->cap;
		l->v = xrealloc(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = (struct left_owner){ xstrdup(owner), 1 };
}

static int by_name(const void *a, const void *b) {
	const struct left_owner *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void left_sort(struct left *l) {
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
}

/* What the mirror thinks of it is a help for the next command: an error there is none here. */
static void note_tried(struct session *s, const char *id, bool gone) {
	struct err e = ERR_INIT;

	if (!store_is_remote(s->store))
		return;
	session_lock(s);
	if (mirror_mine_tried(s->mirror, id, gone, &e) != 0)
		note("%s", e.text);
	session_unlock(s);
}

int destroy_object(struct session *s, const char *id, char owner[static STORE_OWNER_MAX], struct err *e) {
	int r = store_destroy(s->store, id, e);

	owner[0] = '\0';
	if (r == 0)
		note_tried(s, id, true);
	if (r == ERR_REFUSED && store_owner(s->store, id, owner, NULL) != 0)
		owner[0] = '\0';
	return r;
}

void destroy_superseded(struct session *s, const char *id, const char *what) {
	char owner[STORE_OWNER_MAX];
	struct err e = ERR_INIT;
	int r = destroy_object(s, id, owner, &e);

	if (r == ERR_REFUSED && owner[0] != '\0')
		note("%s is still on the drive: %s alone may destroy it, and his next command does", what, owner);
	else if (r != 0)
		note("%s is still on the drive (scg gc): %s", what, e.text);
}

void destroy_own(struct session *s) {
	int64_t until_ms = clock_mono_ms() + DESTROY_OWN_MS;
	struct mirror_object v[DESTROY_OWN_MAX];
	size_t n = 0;
	int r;

	if (s->store == NULL || !store_is_remote(s->store) || s->stale)
		return;
	session_lock(s);
	r = mirror_mine(s->mirror, DESTROY_OWN_MAX, v, &n, NULL);
	session_unlock(s);
	for (size_t i = 0; r == 0 && i < n && clock_mono_ms() < until_ms; i++) {
		store_set_patience(s->store, clock_now_s() - v[i].time_s < DESTROY_YOUNG_S);
		r = store_destroy(s->store, v[i].id, NULL);
		if (r == 0 || r == ERR_REFUSED)
			note_tried(s, v[i].id, r == 0);
		r = r == ERR_REFUSED ? 0 : r;
	}
	store_set_patience(s->store, true);
}
