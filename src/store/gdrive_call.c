/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to Drive v3: the URL, the access token, what the answer means. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "net/retry.h"
#include "store/gdrive_state.h"

OWN_DEFINE(json, json_t, json_decref)

char *gdrive_url(const struct gdrive *g, const char *path, const char *const *query) {
	OWN(buf_wipe) struct buf all = {0};

	for (; *query != NULL; query += 2)
		rest_form_add(&all, query[0], query[1]);
	rest_form_add(&all, "supportsAllDrives", "true");
	return xasprintf("%s%s?%s", g->api, path, buf_str(&all));
}

enum rest_verdict gdrive_judge(int status, const char *type, const struct buf *body) {
	struct gdrive_fault f;

	(void)type; /* a body of any type is looked at: what is no JSON has no reason */
	gdrive_parse_fault(body, &f);
	if (!gdrive_is_passing(status, &f))
		return REST_FINAL;
	return status < 500 && status != 408 ? REST_SLOW : REST_AGAIN;
}

bool gdrive_may_pass(int r, const struct rest_reply *p) {
	return r == ERR_UNREACHABLE || (r == 0 && gdrive_judge(p->status, p->type, &p->body) != REST_FINAL);
}

void gdrive_pause_ms(unsigned ms) {
	struct timespec t = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* The newest token there is, or one that is newer still where it is the one that was not accepted: then newest is true. */
static int next_token(struct gdrive *g, const char *rejected, struct secret *token, bool *newest, struct err *e) {
	int r = g->token(g->token_arg, NULL, token, e);

	*newest = r == 0 && rejected != NULL && strcmp((const char *)token->data, rejected) == 0;
	if (!*newest)
		return r;
	secret_wipe(token);
	return g->token(g->token_arg, rejected, token, e);
}

static int ask_with(struct gdrive *g, struct rest_request *q, struct secret *token, struct secret *other, struct rest_reply *p, struct err *e) {
	secret_wipe(token);
	*token = *other;
	*other = (struct secret){0};
	q->bearer = (const char *)token->data;
	rest_reply_wipe(p);
	return rest(g->net, q, p, e);
}

int gdrive_rest(struct gdrive *g, const struct rest_request *q, struct rest_reply *p, struct err *e) {
	OWN(secret_wipe) struct secret token = {0}, other = {0};
	struct rest_request with = *q;
	struct retry retry;
	bool pause = false, newest;
	int r;

	with.bearer = NULL;
	retry_init(&retry, q->total_s != 0 ? q->total_s : rest_patience_s(g->net), GDRIVE_TOKENS - 1, REST_PATIENCE_S);
	for (unsigned i = 0; i < GDRIVE_TOKENS_ALL; i++) {
		if ((r = next_token(g, with.bearer, &other, &newest, e)) != 0)
			return r;
		/* The first time it has ended. A fresh one that is not accepted may not have spread yet; one that another worker knew to have ended
		 * counts for nothing. */
		if (newest && pause && !retry_pause(&retry, 0))
			break;
		pause = pause || newest;
		if ((r = ask_with(g, &with, &token, &other, p, e)) != 0 || p->status != 401)
			break;
	}
	return r;
}

int gdrive_ask(struct gdrive *g, const char *method, const char *url, size_t max, const char *what, struct rest_reply *p, struct err *e) {
	struct rest_request q = { .method = method, .url = url, .max = max, .expect = "application/json" };
	int r = gdrive_rest(g, &q, p, e);

	if (r != 0)
		(void)err_add(e, "%s", what);
	else if (p->status < 200 || p->status > 299)
		r = gdrive_refuse(p->status, &p->body, what, e);
	return r;
}

int gdrive_file_get(struct gdrive *g, const char *file, const char *fields, struct gdrive_file *f, struct err *e) {
	OWN(own_free) char *path = xasprintf("/drive/v3/files/%s", file);
	OWN(own_free) char *url = gdrive_url(g, path, (const char *const[]){ "fields", fields, NULL });
	OWN(rest_reply_wipe) struct rest_reply p = {0};
	int r = gdrive_ask(g, "GET", url, GDRIVE_REPLY_MAX, "files.get", &p, e);

	if (r == 0)
		r = gdrive_parse_file(&p.body, f, e);
	if (r == 0 && strcmp(f->id, file) != 0)
		r = err_set(e, ERR_DAMAGED, "files.get: Drive answers with another file than was asked for");
	return r;
}

static int name_owner(struct gdrive *g, const char *file, struct err *e) {
	struct err other = ERR_INIT;
	struct gdrive_file f;

	if (gdrive_file_get(g, file, "id,driveId,owners(emailAddress)", &f, &other) != 0)
		return ERR_REFUSED;
	if (f.owner[0] != '\0')
		return err_set(e, ERR_REFUSED, "only its owner %s can destroy it (insufficientFilePermissions)", f.owner);
	if (f.drive[0] != '\0')
		return err_set(e, ERR_REFUSED, "only a manager of the shared drive can destroy it (insufficientFilePermissions)");
	return ERR_REFUSED;
}

int gdrive_file_destroy(struct gdrive *g, const char *file, struct err *e) {
	OWN(own_free) char *path = xasprintf("/drive/v3/files/%s", file);
	OWN(own_free) char *url = gdrive_url(g, path, (const char *const[]){ NULL });
	OWN(rest_reply_wipe) struct rest_reply p = {0};
	struct gdrive_file f;
	int r = gdrive_ask(g, "DELETE", url, GDRIVE_REPLY_MAX, "files.delete", &p, e);

	if (r == ERR_NOTFOUND)
		return 0;
	if (r != 0)
		return r == ERR_REFUSED ? name_owner(g, file, e) : r;
	r = gdrive_file_get(g, file, "id,trashed", &f, e);
	if (r == 0)
		return err_set(e, ERR_FAIL, "file %s is still on the drive after it was destroyed", file);
	return r == ERR_NOTFOUND ? 0 : r;
}

char *gdrive_describe(const char *file, const char *name, const char *type, const char *parent) {
	OWN(own_json) json_t *o = json_pack("{s:s, s:s, s:s}", "id", file, "name", name, "mimeType", type);
	char *text;

	if (o != NULL && parent != NULL && json_object_set_new(o, "parents", json_pack("[s]", parent)) != 0)
		return xstrdup("{}"); /* Drive refuses it */
	text = json_dumps(o, JSON_COMPACT);
	return text != NULL ? text : xstrdup("{}");
}
