/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/secret.h"
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

struct store_stream {
	struct store *store;
	void *stream; /* of a kind that has them */
	char id[STORE_ID_LEN + 1];
	uint64_t off;
};

static const struct store_kind *const kinds[] = { &store_directory, &store_gdrive };

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
	    e, ERR_USAGE, "store %s: not a kind of store that this program knows (directory:PATH, gdrive:FOLDER-ID)", buf_str(&shown));
}

int store_open(struct store **s, const char *spec, struct err *e) {
	return store_open_env(s, spec, NULL, e);
}

int store_open_env(struct store **s, const char *spec, const struct store_env *env, struct err *e) {
	const char *where = "";
	const struct store_kind *kind = find_kind(spec, &where);
	void *state = NULL;
	int r;

	if (kind == NULL)
		return unknown_kind(spec, e);
	r = kind->open(&state, where, env, e);
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

bool store_is_remote(const struct store *s) {
	return s->kind->remote;
}

/* Ids become names on the drive: nothing but the alphabet of section 5 goes there. */
static int check_id(const char *id, struct err *e) {
	return text_is_base32_id(id) ? 0 : err_set(e, ERR_FAIL, "an object id is 26 characters of a-z and 2-7");
}

static int open_put(struct store *s, const char *id, bool fresh, struct store_put **p, struct err *e) {
	void *put = NULL;
	int r = check_id(id, e);

	if (r == 0)
		r = s->kind->put_open(s->state, id, fresh, &put, e);
	if (r != 0)
		return r;
	*p = xcalloc(1, sizeof(**p));
	**p = (struct store_put){ s->kind, put };
	return 0;
}

int store_put_open(struct store *s, const char *id, struct store_put **p, struct err *e) {
	return open_put(s, id, false, p, e);
}

int store_put_new(struct store *s, char id[static STORE_ID_LEN + 1], struct store_put **p, struct err *e) {
	uint8_t raw[16];
	int r = random_bytes(raw, sizeof(raw), e);

	if (r != 0)
		return r;
	text_base32_id(raw, id);
	return open_put(s, id, true, p, e);
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

int store_prefer(struct store *s, const char *id, const uint8_t sha256[static 32], struct err *e) {
	int r = check_id(id, e);

	if (r != 0)
		return r;
	return s->kind->prefer != NULL ? s->kind->prefer(s->state, id, sha256, e)
				       : err_set(e, ERR_NOTFOUND, "a %s has one file of a name", s->kind->name);
}

int store_sha256(struct store *s, const char *id, uint8_t sha256[static 32], struct err *e) {
	int r = check_id(id, e);

	if (r != 0)
		return r;
	return s->kind->sha256 != NULL ? s->kind->sha256(s->state, id, sha256, e)
				       : err_set(e, ERR_NOTFOUND, "a %s says no checksums", s->kind->name);
}

int store_list(
    struct store *s, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e) {
	return s->kind->list(s->state, f, arg, e);
}

int store_list_trashed(
    struct store *s, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e) {
	return s->kind->list_trashed == NULL ? 0 : s->kind->list_trashed(s->state, f, arg, e);
}

int store_destroy(struct store *s, const char *id, struct err *e) {
	int r = check_id(id, e);

	return r != 0 ? r : s->kind->destroy(s->state, id, e);
}

int store_sweep(struct store *s, int64_t before_s, uint64_t *n, struct err *e) {
	*n = 0;
	return s->kind->sweep == NULL ? 0 : s->kind->sweep(s->state, before_s, n, e);
}

void store_set_patience(struct store *s, bool patient) {
	if (s->kind->set_patience != NULL)
		s->kind->set_patience(s->state, patient);
}

uint64_t store_chunk(const struct store *s) {
	return s->kind->chunk == NULL ? 0 : s->kind->chunk(s->state);
}

int store_send(struct store *s, const char *id, const struct store_send *how, struct err *e) {
	int r = check_id(id, e);

	if (r != 0)
		return r;
	return s->kind->send != NULL ? s->kind->send(s->state, id, how, e)
				     : err_set(e, ERR_FAIL, "a %s cannot take up a transfer again", s->kind->name);
}

int store_stream_open(struct store *s, const char *id, uint64_t off, struct store_stream **out, struct err *e) {
	void *stream = NULL;
	int r = check_id(id, e);

	if (r == 0 && s->kind->stream_open != NULL)
		r = s->kind->stream_open(s->state, id, off, &stream, e);
	if (r != 0)
		return r;
	*out = xcalloc(1, sizeof(**out));
	**out = (struct store_stream){ .store = s, .stream = stream, .off = off };
	memcpy((*out)->id, id, sizeof((*out)->id));
	return 0;
}

int store_stream_read(struct store_stream *r, void *data, size_t len, size_t *got, struct err *e) {
	const struct store_kind *kind = r->store->kind;
	int rc = kind->stream_open != NULL ? kind->stream_read(r->stream, data, len, got, e)
					   : kind->get(r->store->state, r->id, r->off, data, len, got, e);

	if (rc == 0)
		r->off += *got;
	return rc;
}

void store_stream_free(struct store_stream *r) {
	if (r == NULL)
		return;
	if (r->store->kind->stream_open != NULL)
		r->store->kind->stream_free(r->stream);
	free(r);
}

int store_owner(struct store *s, const char *id, char owner[static STORE_OWNER_MAX], struct err *e) {
	int r = check_id(id, e);

	owner[0] = '\0';
	return r != 0 || s->kind->owner == NULL ? r : s->kind->owner(s->state, id, owner, e);
}

int store_each_kept(
    struct store *s, int (*f)(void *arg, const struct store_kept *k, struct err *e), void *arg, struct err *e) {
	return s->kind->each_kept == NULL ? 0 : s->kind->each_kept(s->state, f, arg, e);
}

int store_kept_get(struct store *s, const char *handle, uint64_t off, void *data, size_t len, size_t *got, struct err *e) {
	return s->kind->kept_get != NULL ? s->kind->kept_get(s->state, handle, off, data, len, got, e)
					 : err_set(e, ERR_NOTFOUND, "a %s keeps nothing", s->kind->name);
}

int store_unshare(struct store *s, const char *email, struct err *e) {
	return s->kind->unshare != NULL ? s->kind->unshare(s->state, email, e)
					: err_set(e, ERR_FAIL, "a %s has no accounts to take access from", s->kind->name);
}

int store_create(const char *spec, const struct store_env *env, char **made, struct err *e) {
	const char *where = "";
	const struct store_kind *kind = find_kind(spec, &where);

	if (kind == NULL || kind->create == NULL)
		return unknown_kind(spec, e);
	return kind->create(where, env, made, e);
}

int store_discard(const char *made, const struct store_env *env, struct err *e) {
	const char *where = "";
	const struct store_kind *kind = find_kind(made, &where);

	if (kind == NULL || kind->discard == NULL)
		return unknown_kind(made, e);
	return kind->discard(where, env, e);
}
