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

#define PAUSE_MS 50u       /* of gdrive_again: below 0.1 s at first */
#define PAUSE_DOUBLINGS 5u /* and below 1.6 s at last */
#define SAME_AGAIN 3u      /* each third token that is refused is shown once more before it is renewed */

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

static bool is_served(const struct rest_request *q, int r, const struct rest_reply *p) {
	return r == 0 && (p->status < 400 || p->status == 404 || p->status == 409) && !gdrive_is_garbled(q, r, p);
}

bool gdrive_is_garbled(const struct rest_request *q, int r, const struct rest_reply *p) {
	if (q->take != NULL || p->status < 200 || p->status > 299)
		return false;
	if (r != 0)
		return r == ERR_DAMAGED;
	return strcmp(p->type, "text/html") == 0 || (q->expect != NULL && (p->body.len > 0 || strcmp(q->method, "DELETE") != 0) && !gdrive_is_document(&p->body));
}

bool gdrive_again(struct gdrive *g, struct gdrive_luck *l) {
	unsigned doublings, served = atomic_load(&g->served);
	uint64_t random = 0;

	if (served != l->served)
		l->vain = 0;
	l->served = served;
	l->vain++;
	if (atomic_load(&g->shut) || ++l->misses >= GDRIVE_MISSES || l->vain >= GDRIVE_VAIN) {
		atomic_store(&g->shut, true);
		return false;
	}
	doublings = l->vain < PAUSE_DOUBLINGS ? l->vain : PAUSE_DOUBLINGS;
	if (random_bytes((uint8_t *)&random, sizeof(random), NULL) != 0)
		random = PAUSE_MS;
	retry_sleep_ms((int64_t)(random % (PAUSE_MS << doublings)));
	return true;
}

/* The sign-in of one request. */
struct sign_in {
	struct gdrive *g;
	const struct rest_request *q;
	struct secret token;
	unsigned refused; /* how often it was the newest there was */
	bool again, turn;
	struct gdrive_luck luck;
};

static void leave_turn(struct sign_in *s) {
	if (s->turn)
		(void)pthread_mutex_unlock(&s->g->turn);
	s->turn = false;
}

static void sign_in_wipe(struct sign_in *s) {
	leave_turn(s);
	secret_wipe(&s->token);
}

/* What is refused more than once goes one after the other, lest each request's renewal makes the others' tokens old ones. */
static void take_turn(struct sign_in *s) {
	if (s->again && !s->turn) {
		(void)pthread_mutex_lock(&s->g->turn);
		s->turn = true;
	}
	s->again = true;
}

/* It was accepted. What takes may wait for who takes no more before another request of his is served. */
static int take(void *arg, const void *data, size_t len, struct err *e) {
	struct sign_in *s = arg;

	leave_turn(s);
	return s->q->take(s->q->take_arg, data, len, e);
}

/* After a 401; 1: there is no other to be tried. The first time the token has ended. A fresh one that is not accepted may not have spread yet, so it is
 * now and then shown again: else each request and its renewal could go on meeting the same beat of what goes wrong. */
static int sign_in_again(struct sign_in *s, struct err *e) {
	OWN(secret_wipe) struct secret newest = {0};
	const char *rejected = (const char *)s->token.data;
	struct gdrive *g = s->g;
	int r;

	take_turn(s);
	if ((r = g->token(g->token_arg, NULL, &newest, e)) != 0)
		return r;
	if (strcmp((const char *)newest.data, rejected) != 0) {
		if (++s->luck.misses >= GDRIVE_MISSES) /* one that another worker knew to have ended */
			return 1;
	} else if (s->refused++ > 0 && !gdrive_again(g, &s->luck)) {
		return 1;
	} else if (s->refused % SAME_AGAIN != 0) {
		secret_wipe(&newest);
		if ((r = g->token(g->token_arg, rejected, &newest, e)) != 0)
			return r;
	}
	secret_wipe(&s->token);
	s->token = newest;
	newest = (struct secret){0};
	return 0;
}

/* What came of one attempt: false: it stands; true: to be made again. */
static bool weigh(struct sign_in *s, int r, const struct rest_reply *p) {
	if (is_served(s->q, r, p)) {
		(void)atomic_fetch_add(&s->g->served, 1);
		atomic_store(&s->g->shut, false);
		return false;
	}
	return !s->q->once && gdrive_is_garbled(s->q, r, p) && gdrive_again(s->g, &s->luck);
}

int gdrive_rest(struct gdrive *g, const struct rest_request *q, struct rest_reply *p, struct err *e) {
	OWN(sign_in_wipe) struct sign_in s = { .g = g, .q = q };
	struct rest_request with = *q;
	int r = g->token(g->token_arg, NULL, &s.token, e), last;
	bool again;

	if (r != 0)
		return r;
	if (q->take != NULL) {
		with.take = take;
		with.take_arg = &s;
	}
	do {
		with.bearer = (const char *)s.token.data;
		rest_reply_wipe(p);
		r = rest(g->net, &with, p, e);
		if (r != 0 || p->status != 401) {
			again = weigh(&s, r, p);
			continue;
		}
		if ((last = sign_in_again(&s, e)) < 0)
			return last;
		again = last == 0;
	} while (again);
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
