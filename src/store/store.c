/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"

struct store {
	const struct store_kind *kind;
	void *state;
	char *spec;
};

struct store_put {
	const struct store_kind *kind;
	void *put;
};

static const struct store_kind *const kinds[] = { &store_directory };

static const struct store_kind *find_kind(const char *spec, const char **where) {
	const char *colon = strchr(spec, ':');

	if (colon == NULL)
		return NULL;
	*where = colon + 1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i]->name) == (size_t)(colon - spec) &&
		    strncmp(kinds[i]->name, spec, (size_t)(colon - spec)) == 0)
			return kinds[i];
	return NULL;
}

/* The specification may come from the gateway: made harmless before it stands in a text. */
static int unknown_kind(const char *spec, struct err *e) {
	OWN(buf_wipe) struct buf shown = {0};

	text_escape(spec, strlen(spec), &shown);
	return err_set(
	    e, ERR_USAGE, "store %s: not a kind of store that this program knows (directory:PATH)", buf_str(&shown));
}

int store_open(struct store **s, const char *spec, struct err *e) {
	const char *where = "";
	const struct store_kind *kind = find_kind(spec, &where);
	void *state = NULL;
	int r;

	if (kind == NULL)
		return unknown_kind(spec, e);
	r = kind->open(&state, where, e);
	if (r != 0)
		return r;
	*s = xcalloc(1, sizeof(**s));
	(*s)->kind = kind;
	(*s)->state = state;
	(*s)->spec = xstrdup(spec);
	return 0;
}

void store_close(struct store *s) {
	if (s == NULL)
		return;
	s->kind->close(s->state);
	free(s->spec);
	free(s);
}

const char *store_spec(const struct store *s) {
	return s->spec;
}

/* Ids become names on the drive: nothing but the alphabet of section 5 goes there. */
static int check_id(const char *id, struct err *e) {
	return text_is_base32_id(id) ? 0 : err_set(e, ERR_FAIL, "an object id is 26 characters of a-z and 2-7");
}

int store_put_open(struct store *s, const char *id, struct store_put **p, struct err *e) {
	void *put = NULL;
	int r = check_id(id, e);

	if (r == 0)
		r = s->kind->put_open(s->state, id, &put, e);
	if (r != 0)
		return r;
	*p = xcalloc(1, sizeof(**p));
	**p = (struct store_put){ s->kind, put };
	return 0;
}

int store_put_write(struct store_put *p, const void *data, size_t len, struct err *e) {
	return p->kind->put_write(p->put, data, len, e);
}

int store_put_commit(struct store_put *p, struct err *e) {
	return p->kind->put_commit(p->put, e);
}

void store_put_free(struct store_put *p) {
	if (p == NULL)
		return;
	p->kind->put_free(p->put);
	free(p);
}

int store_stat(struct store *s, const char *id, struct store_stat *st, struct err *e) {
	int r = check_id(id, e);

	return r != 0 ? r : s->kind->stat(s->state, id, st, e);
}

int store_get(struct store *s, const char *id, uint64_t off, void *data, size_t len, size_t *got, struct err *e) {
	int r = check_id(id, e);

	return r != 0 ? r : s->kind->get(s->state, id, off, data, len, got, e);
}

int store_list(
    struct store *s, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e) {
	return s->kind->list(s->state, f, arg, e);
}

int store_destroy(struct store *s, const char *id, struct err *e) {
	int r = check_id(id, e);

	return r != 0 ? r : s->kind->destroy(s->state, id, e);
}

int store_sweep(struct store *s, int64_t before_s, uint64_t *n, struct err *e) {
	*n = 0;
	return s->kind->sweep == NULL ? 0 : s->kind->sweep(s->state, before_s, n, e);
}
