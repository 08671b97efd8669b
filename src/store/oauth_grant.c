/* SPDX-License-Identifier: Apache-2.0 */
#include "store/oauth_grant.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "keyring/enveloped.h"
#include "store/oauth.h"

OWN_DEFINE(json, json_t, json_decref)

#define GRANT_VERSION 1
#define GRANT_TEXT_MAX 1024

static const char *const kind_names[] = {
	[GRANT_USER] = "user", [GRANT_DEVICE] = "device", [GRANT_SERVICE] = "service"
};
#define KINDS (sizeof(kind_names) / sizeof(kind_names[0]))

void grant_wipe(struct grant *g) {
	secret_wipe(&g->refresh);
	secret_wipe(&g->access);
	secret_wipe(&g->key);
	free(g->client_id);
	free(g->scope);
	free(g->email);
	free(g->key_id);
	*g = (struct grant){0};
}

bool grant_has_scope(const struct grant *g, const char *scope) {
	size_t len = strlen(scope), n;

	for (const char *s = g->scope; s != NULL && *s != '\0'; s += n) {
		s += strspn(s, " ");
		n = strcspn(s, " ");
		if (n == len && memcmp(s, scope, len) == 0)
			return true;
	}
	return false;
}

static bool take_ascii(const json_t *text, const char *also, struct secret *s) {
	const char *v = json_string_value(text);
	size_t len = json_string_length(text);
	struct secret fresh = {0};

	if (v == NULL || len == 0 || len > GRANT_SECRET_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((v[i] < 0x20 || v[i] > 0x7e) && (v[i] == '\0' || strchr(also, v[i]) == NULL))
			return false;
	/* Its pages are zeroed when they are made: the byte behind is a NUL. */
	if (secret_copy(&fresh, (const uint8_t *)v, len, NULL) != 0)
		return false;
	secret_wipe(s);
	*s = fresh;
	return true;
}

bool grant_take_token(const json_t *text, struct secret *s) {
	return take_ascii(text, "", s);
}

bool grant_take_pem(const json_t *text, struct secret *s) {
	return take_ascii(text, "\r\n", s);
}

bool grant_take_text(const json_t *text, char **s) {
	const char *v = json_string_value(text);
	size_t len = json_string_length(text);

	if (v == NULL || len == 0 || len > GRANT_TEXT_MAX || strlen(v) != len || text_has_control(v, len))
		return false;
	free(*s);
	*s = xstrdup(v);
	return true;
}

/* Absent is well. */
static bool take_token(const json_t *o, const char *name, struct secret *s) {
	const json_t *text = json_object_get(o, name);

	return text == NULL || grant_take_token(text, s);
}

static bool take_pem(const json_t *o, const char *name, struct secret *s) {
	const json_t *text = json_object_get(o, name);

	return text == NULL || grant_take_pem(text, s);
}

static bool take_text(const json_t *o, const char *name, char **s) {
	const json_t *text = json_object_get(o, name);

	return text == NULL || grant_take_text(text, s);
}

static bool take_kind(const json_t *o, enum grant_kind *kind) {
	const char *name = json_string_value(json_object_get(o, "kind"));

	for (size_t i = 0; name != NULL && i < KINDS; i++)
		if (strcmp(kind_names[i], name) == 0) {
			*kind = (enum grant_kind)i;
			return true;
		}
	return false;
}

static bool is_whole(const struct grant *g) {
	if (g->scope == NULL)
		return false;
	return g->kind == GRANT_SERVICE ? g->email != NULL && g->key.len > 0
	                                : g->client_id != NULL && g->refresh.len > 0;
}

static int parse(const struct buf *json, struct grant *g, struct err *e) {
	OWN(own_json) json_t *o = json_loadb((const char *)json->data, json->len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *version = json_object_get(o, "version");

	if (json_is_integer(version) && json_integer_value(version) > GRANT_VERSION)
		return err_set(e, ERR_FAIL, "written by a newer version of this program");
	if (!json_is_integer(version) || json_integer_value(version) != GRANT_VERSION || !take_kind(o, &g->kind) ||
	    !take_text(o, "client_id", &g->client_id) || !take_text(o, "scope", &g->scope) ||
	    !take_token(o, "refresh_token", &g->refresh) || !take_token(o, "access_token", &g->access) ||
	    !take_text(o, "client_email", &g->email) || !take_text(o, "private_key_id", &g->key_id) ||
	    !take_pem(o, "private_key", &g->key) || !is_whole(g))
		return err_set(e, ERR_DAMAGED, "not in the form of doc/FORMAT");
	g->expires_s = (int64_t)json_integer_value(json_object_get(o, "expires"));
	return 0;
}

static int open_file(struct grant *g, const struct store_env *env, const char *path, struct err *e) {
	OWN(buf_wipe) struct buf der = {0}, json = {0};
	int r = file_load_private(path, GRANT_FILE_MAX, &der, e);

	if (r != 0)
		return r;
	r = enveloped_open(der.data, der.len, ENVELOPED_DATA, env->cert, env->key, &json, e);
	if (r == ERR_REFUSED)
		return err_set(e, r,
		    "%s was sealed to an earlier certificate of yours, whose key is gone: sign in again (scg login)",
		    OAUTH_FILE);
	if (r == 0)
		r = parse(&json, g, e);
	return r == 0 ? 0 : err_add(e, "%s in the member's folder (scg login makes a new one)", OAUTH_FILE);
}

int grant_load(struct grant *g, const struct store_env *env, struct err *e) {
	OWN(own_free) char *path = file_join(env->dir, OAUTH_FILE);

	return open_file(g, env, path, e);
}

static void put_secret(json_t *o, const char *name, const struct secret *s) {
	if (s->len > 0)
		(void)json_object_set_new(o, name, json_stringn((const char *)s->data, s->len));
}

static void put_text(json_t *o, const char *name, const char *s) {
	if (s != NULL)
		(void)json_object_set_new(o, name, json_string(s));
}

static int add_dump(const char *data, size_t len, void *out) {
	buf_add(out, data, len);
	return 0;
}

static int print(const struct grant *g, struct buf *out, struct err *e) {
	OWN(own_json) json_t *o = json_object();

	(void)json_object_set_new(o, "version", json_integer(GRANT_VERSION));
	put_text(o, "kind", kind_names[g->kind]);
	put_text(o, "client_id", g->client_id);
	put_text(o, "scope", g->scope);
	put_secret(o, "refresh_token", &g->refresh);
	put_secret(o, "access_token", &g->access);
	(void)json_object_set_new(o, "expires", json_integer((json_int_t)g->expires_s));
	put_text(o, "client_email", g->email);
	put_text(o, "private_key_id", g->key_id);
	put_secret(o, "private_key", &g->key);
	return json_dump_callback(o, add_dump, out, JSON_INDENT(2)) == 0
	    ? 0
	    : err_set(e, ERR_FAIL, "%s: no memory", OAUTH_FILE);
}

int grant_save(const struct grant *g, const struct store_env *env, struct err *e) {
	OWN(own_free) char *path = file_join(env->dir, OAUTH_FILE);
	OWN(buf_wipe) struct buf json = {0}, der = {0};
	X509 *cert = env->cert;
	int r = print(g, &json, e);

	buf_addc(&json, '\n');
	/* By SKI: a renewed certificate of the same key opens it. */
	if (r == 0)
		r = enveloped_seal(&json, ENVELOPED_DATA, &cert, 1, 1, &der, e);
	return r != 0 ? r : file_save(path, der.data, der.len, 0600, e);
}

int grant_lock(const struct store_env *env, int *fd, struct err *e) {
	OWN(own_free) char *path = file_join(env->dir, OAUTH_LOCK);

	return file_lock(path, GRANT_LOCK_MS, fd, e);
}
