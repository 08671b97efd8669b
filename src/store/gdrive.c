/* SPDX-License-Identifier: Apache-2.0 */
#include "store/gdrive.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "store/gdrive_state.h"
#include "store/oauth.h"

#define NEW "new:"
#define FOLDER_NAME_MAX 255

static const struct gdrive_conf defaults = {
	.client_id = "",
	.client_secret = "",
	.api_url = GDRIVE_API_URL,
	.auth_url = GDRIVE_AUTH_URL,
	.token_url = GDRIVE_TOKEN_URL,
	.device_url = GDRIVE_DEVICE_URL,
	.revoke_url = GDRIVE_REVOKE_URL,
	.drive_id = "",
	.chunk_bytes = GDRIVE_CHUNK_BYTES,
	.ca_file = "",
};

static int token_of_grant(void *arg, const char *rejected, struct secret *token, struct err *e) {
	return oauth_token(arg, rejected, token, e);
}

static void gdrive_close(void *state) {
	struct gdrive *g = state;

	oauth_free(g->oauth);
	rest_free(g->net);
	gdrive_pool_free(g->pool);
	gdrive_known_free(g->known);
	(void)pthread_mutex_destroy(&g->turn);
	(void)pthread_mutex_destroy(&g->lock);
	free(g->api);
	free(g->folder);
	free(g);
}

OWN_DEFINE(gdrive, struct gdrive, gdrive_close)

static char *without_slash(const char *url) {
	char *s = xstrdup(url);

	for (size_t len = strlen(s); len > 0 && s[len - 1] == '/'; len--)
		s[len - 1] = '\0';
	return s;
}

static uint64_t whole_chunk(uint64_t bytes) {
	uint64_t whole = bytes / GDRIVE_CHUNK_UNIT * GDRIVE_CHUNK_UNIT;

	return whole == 0 ? GDRIVE_CHUNK_UNIT : whole > GDRIVE_CHUNK_MAX ? GDRIVE_CHUNK_MAX : whole;
}

/* Without a folder yet. */
static int begin(struct gdrive **out, const struct store_env *env, struct err *e) {
	const struct gdrive_conf *conf = env != NULL && env->gdrive != NULL ? env->gdrive : &defaults;
	struct rest_config net = { .ca_file = conf->ca_file[0] != '\0' ? conf->ca_file : NULL, .judge = gdrive_judge, .total_s = env != NULL && env->total_s != 0 ? env->total_s : GDRIVE_TOTAL_S,
		.tired_s = GDRIVE_TIRED_S };
	OWN(own_gdrive) struct gdrive *g = NULL;
	int r;

	if (env == NULL)
		return err_set(e, ERR_FAIL, "a drive of Google is opened with a member's sign-in");
	if (conf->drive_id[0] != '\0' && !gdrive_is_file_id(conf->drive_id))
		return err_set(e, ERR_USAGE, "drive_id: not an id of Google Drive");
	g = xcalloc(1, sizeof(*g));
	(void)pthread_mutex_init(&g->turn, NULL);
	(void)pthread_mutex_init(&g->lock, NULL);
	g->known = gdrive_known_new();
	g->pool = gdrive_pool_new();
	g->api = without_slash(conf->api_url);
	g->chunk = whole_chunk(conf->chunk_bytes);
	g->settle_ms = conf->settle_ms != 0 ? conf->settle_ms : GDRIVE_SETTLE_MS;
	memcpy(g->drive, conf->drive_id, strlen(conf->drive_id) + 1);
	if ((r = rest_new(&g->net, &net, e)) != 0)
		return r;
	g->token = env->token;
	g->token_arg = env->token_arg;
	if (env->token == NULL) {
		if ((r = oauth_open(&g->oauth, env, conf, g->net, e)) != 0)
			return r;
		g->token = token_of_grant;
		g->token_arg = g->oauth;
	}
	*out = g;
	g = NULL;
	return 0;
}

/* One request, so that what is wrong with the folder is said before anything is done; and it says which shared drive it lies on. */
static int check_folder(struct gdrive *g, struct err *e) {
	struct gdrive_file f;
	int r = gdrive_file_get(g, g->folder, "id,mimeType,trashed,driveId", &f, e);

	if (r == ERR_NOTFOUND)
		return err_set(e, ERR_UNREACHABLE, "folder %s is not there, or this account does not see it", g->folder);
	if (r != 0)
		return r;
	if (!f.folder)
		return err_set(e, ERR_FAIL, "%s is no folder of Google Drive", g->folder);
	if (f.trashed)
		return err_set(e, ERR_UNREACHABLE, "folder %s lies in the trash", g->folder);
	if (g->drive[0] != '\0' && strcmp(g->drive, f.drive) != 0)
		return err_set(e, ERR_USAGE, "folder %s does not lie on the shared drive %s", g->folder, g->drive);
	memcpy(g->drive, f.drive, sizeof(g->drive));
	return 0;
}

static int named(int r, const char *folder, struct err *e) {
	if (r != 0)
		(void)err_add(e, "gdrive:%s", folder);
	return r;
}

static int gdrive_open(void **state, const char *where, const struct store_env *env, struct err *e) {
	OWN(own_gdrive) struct gdrive *g = NULL;
	int r;

	if (strncmp(where, NEW, strlen(NEW)) == 0)
		return err_set(e, ERR_FAIL, "the drive's folder has not been made yet");
	if (!gdrive_is_file_id(where))
		return err_set(e, ERR_USAGE, "gdrive: a folder's id has 1 to %d characters of A-Z a-z 0-9 _ -", GDRIVE_FILE_MAX);
	r = begin(&g, env, e);
	if (r != 0)
		return named(r, where, e);
	g->folder = xstrdup(where);
	if ((r = check_folder(g, e)) != 0)
		return named(r, where, e);
	*state = g;
	g = NULL;
	return 0;
}

static uint64_t gdrive_chunk(void *state) {
	const struct gdrive *g = state;

	return g->chunk;
}

static void gdrive_set_patience(void *state, bool patient) {
	struct gdrive *g = state;

	g->hasty = !patient;
}

static int create_answered(struct gdrive *g, const char *file, const struct rest_reply *p, struct err *e) {
	struct gdrive_file f = {0};
	int r;

	if (p->status >= 200 && p->status <= 299)
		r = gdrive_parse_file(&p->body, &f, e);
	else if ((r = gdrive_refuse(p->status, &p->body, "files.create", e)) == ERR_EXISTS)
		r = gdrive_file_get(g, file, "id,mimeType,trashed", &f, e); /* a reply was lost */
	if (r == 0 && (strcmp(f.id, file) != 0 || !f.folder))
		return err_set(e, ERR_DAMAGED, "files.create: Drive has made something else than that folder");
	return r;
}

static int make_folder(struct gdrive *g, const char *name, const char *file, struct err *e) {
	OWN(own_free) char *url = gdrive_url(g, "/drive/v3/files", (const char *const[]){ "fields", "id,mimeType", NULL });
	OWN(own_free) char *body = gdrive_describe(file, name, GDRIVE_FOLDER_TYPE, g->drive[0] != '\0' ? g->drive : NULL);
	OWN(rest_reply_wipe) struct rest_reply p = {0};
	struct rest_request q = {
		.method = "POST",
		.url = url,
		.type = "application/json; charset=UTF-8",
		.body = body,
		.body_len = strlen(body),
		.max = GDRIVE_REPLY_MAX,
		.expect = "application/json",
		.idempotent = true, /* by its id */
	};
	int r = gdrive_rest(g, &q, &p, e);

	return r != 0 ? r : create_answered(g, file, &p, e);
}

static int gdrive_create(const char *where, const struct store_env *env, char **made, struct err *e) {
	const char *name = where + strlen(NEW);
	OWN(own_gdrive) struct gdrive *g = NULL;
	char file[GDRIVE_FILE_MAX + 1];
	int r;

	if (strncmp(where, NEW, strlen(NEW)) != 0 || name[0] == '\0' || strlen(name) > FOLDER_NAME_MAX || !text_is_utf8(name, strlen(name)) ||
	    text_has_control(name, strlen(name)))
		return err_set(e, ERR_USAGE, "gdrive: what makes a folder is gdrive:new:NAME, with a name of at most %d bytes", FOLDER_NAME_MAX);
	r = begin(&g, env, e);
	if (r == 0)
		r = gdrive_new_id(g, file, e);
	if (r == 0)
		r = make_folder(g, name, file, e);
	if (r == 0)
		*made = xasprintf("gdrive:%s", file);
	return r;
}

static int gdrive_discard(const char *where, const struct store_env *env, struct err *e) {
	OWN(own_gdrive) struct gdrive *g = NULL;
	int r;

	if (!gdrive_is_file_id(where))
		return err_set(e, ERR_USAGE, "gdrive: not the id of a folder");
	r = begin(&g, env, e);
	return named(r != 0 ? r : gdrive_file_destroy(g, where, e), where, e);
}

const struct store_kind store_gdrive = {
	.name = "gdrive",
	.remote = true,
	.open = gdrive_open,
	.close = gdrive_close,
	.put_open = gdrive_put_open,
	.put_write = gdrive_put_write,
	.put_commit = gdrive_put_commit,
	.put_free = gdrive_put_free,
	.stat = gdrive_stat,
	.get = gdrive_get,
	.list = gdrive_list,
	.list_trashed = gdrive_list_trashed,
	.destroy = gdrive_destroy,
	.prefer = gdrive_prefer,
	.sha256 = gdrive_sha256,
	.set_patience = gdrive_set_patience,
	.chunk = gdrive_chunk,
	.send = gdrive_send,
	.stream_open = gdrive_stream_open,
	.stream_read = gdrive_stream_read,
	.stream_free = gdrive_stream_free,
	.owner = gdrive_owner,
	.each_kept = gdrive_each_kept,
	.kept_get = gdrive_kept_get,
	.unshare = gdrive_unshare,
	.create = gdrive_create,
	.discard = gdrive_discard,
};
