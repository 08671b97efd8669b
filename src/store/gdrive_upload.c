/* SPDX-License-Identifier: Apache-2.0 */
/* The resumable session. What the drive has is what its 308 says, never what was sent. */
#include "store/gdrive_upload.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/secret.h"

#define PASSING 1 /* the attempt came to nothing, another may do better; the error says why */
#define GARBLED 2 /* likewise, and a moment has passed */

void gdrive_upload_take(struct gdrive_upload *u, char *session) {
	if (u->session != NULL)
		secret_clean(u->session, strlen(u->session));
	free(u->session);
	u->session = session;
}

void gdrive_upload_wipe(struct gdrive_upload *u) {
	gdrive_upload_take(u, NULL);
}

static bool may_be_garbled(struct gdrive_upload *u) {
	return u->luck.misses < GDRIVE_GARBLED && gdrive_again(u->g, &u->luck);
}

static int take_session(struct gdrive_upload *u, const char *asked, struct rest_reply *p, struct err *e) {
	char *session = p->location != NULL ? rest_url_resolve(asked, p->location) : NULL;

	if (session == NULL || !gdrive_is_session(u->g->api, session)) {
		free(session);
		return err_set(e, ERR_DAMAGED, "object %s: Drive names no upload session of its own (Location)", u->object);
	}
	gdrive_upload_take(u, session);
	u->have = u->sent = 0;
	u->luck = (struct gdrive_luck){0};
	return 0;
}

static int take_made(struct gdrive_upload *u, const struct rest_reply *p, struct err *e) {
	int r = gdrive_parse_file(&p->body, &u->made, e);

	if (r != 0)
		r = gdrive_made_anyway(u->g, u->file, r, &u->made, e);
	u->done = r == 0;
	return r;
}

static int begin_answered(struct gdrive_upload *u, const char *asked, struct rest_reply *p, struct err *e) {
	int r;

	if (p->status >= 200 && p->status <= 299)
		return take_session(u, asked, p, e);
	r = gdrive_refuse(p->status, &p->body, "files.create", e);
	if (r != ERR_EXISTS)
		return r == ERR_NOTFOUND ? err_set(e, ERR_UNREACHABLE, "the drive's folder is gone, or not shared with this account any more") : r;
	r = gdrive_made_anyway(u->g, u->file, r, &u->made, e);
	u->done = r == 0;
	return r;
}

int gdrive_upload_begin(struct gdrive_upload *u, struct err *e) {
	OWN(own_free) char *url =
	    gdrive_url(u->g, "/upload/drive/v3/files", (const char *const[]){ "uploadType", "resumable", "fields", GDRIVE_MADE_FIELDS, NULL });
	OWN(own_free) char *length = xasprintf("X-Upload-Content-Length: %llu", (unsigned long long)u->total);
	char name[STORE_ID_LEN + sizeof(".cms")];
	OWN(own_free) char *body = NULL;
	OWN(rest_reply_wipe) struct rest_reply p = {0};
	int r;

	gdrive_name(u->object, name);
	body = gdrive_describe(u->file, name, GDRIVE_OBJECT_TYPE, u->g->folder);
	struct rest_request q = {
		.method = "POST",
		.url = url,
		.type = "application/json; charset=UTF-8",
		.headers = (const char *const[]){ "X-Upload-Content-Type: " GDRIVE_OBJECT_TYPE, u->total != GDRIVE_TOTAL_UNKNOWN ? length : NULL, NULL },
		.body = body,
		.body_len = strlen(body),
		.max = GDRIVE_REPLY_MAX,
		.idempotent = true, /* a second session for the same id: only one of them can end */
	};
	do {
		rest_reply_wipe(&p);
		r = gdrive_rest(u->g, &q, &p, e);
	} while (r == 0 && p.status / 100 == 2 && p.location == NULL && may_be_garbled(u));
	return r != 0 ? r : begin_answered(u, url, &p, e);
}

static int take_have(struct gdrive_upload *u, const struct rest_reply *p, struct err *e) {
	uint64_t have;

	if (!gdrive_parse_range(p->range, &have) || have > u->sent)
		return err_set(e, ERR_DAMAGED, "object %s: Drive says that it has what was not sent (Range of a 308)", u->object);
	if (have < u->floor)
		return err_set(e, ERR_UNREACHABLE, "object %s: Drive has lost what it said it had", u->object);
	u->have = have;
	return 0;
}

/* What became of it the session tells as well. */
static bool is_garbled(struct gdrive_upload *u, const struct rest_reply *p, struct err *e) {
	if (gdrive_is_document(&p->body) || !may_be_garbled(u))
		return false;
	return err_set(e, ERR_UNREACHABLE, "object %s: the session's answer is no JSON object (RFC 8259)", u->object) != 0;
}

/* After a request that went to the session. */
static int judge(struct gdrive_upload *u, int r, const struct rest_reply *p, struct err *e) {
	int refused;

	if (r != 0)
		return r == ERR_UNREACHABLE ? PASSING : r;
	if (p->status == 308)
		return take_have(u, p, e);
	if (p->status >= 200 && p->status <= 299)
		return is_garbled(u, p, e) ? GARBLED : take_made(u, p, e);
	refused = gdrive_refuse(p->status, &p->body, "upload session", e);
	if (p->status == 400 && u->retry.attempt > 0)
		return PASSING; /* it had got part of what went unasked */
	return gdrive_judge(p->status, p->type, &p->body) != REST_FINAL ? PASSING : refused;
}

/* Of the time without progress; 0 before the first chunk. */
static unsigned left_s(const struct gdrive_upload *u) {
	return u->retry.total_ms != 0 ? retry_left_s(&u->retry) : 0;
}

int gdrive_upload_ask(struct gdrive_upload *u, struct err *e) {
	OWN(own_free) char *known = xasprintf("Content-Range: bytes */%llu", (unsigned long long)u->total);
	const char *range = u->total == GDRIVE_TOTAL_UNKNOWN ? "Content-Range: bytes */*" : known;
	OWN(rest_reply_wipe) struct rest_reply p = {0};
	struct rest_request q = {
		.method = "PUT",
		.url = u->session,
		.headers = (const char *const[]){ range, NULL },
		.max = GDRIVE_REPLY_MAX,
		.total_s = left_s(u),
	};
	int r;

	do {
		rest_reply_wipe(&p);
		r = gdrive_rest(u->g, &q, &p, e);
		r = judge(u, r, &p, e);
	} while (r == GARBLED);
	return r == PASSING ? ERR_UNREACHABLE : r; /* rest() was patient already */
}

static int read_chunk(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	struct gdrive_upload *u = arg;

	*got = len;
	return u->read(u->arg, data, len, u->from + off, e);
}

static void show(struct gdrive_upload *u, uint64_t reached) {
	if (u->progress != NULL && reached > u->shown) {
		u->progress(u->progress_arg, reached - u->shown);
		u->shown = reached;
	}
}

static void show_sent(void *arg, uint64_t bytes) {
	struct gdrive_upload *u = arg;

	u->moved += bytes;
	show(u, u->from + u->moved);
}

/* One attempt at [have, end). */
static int send_chunk(struct gdrive_upload *u, uint64_t end, unsigned *retry_after_s, struct err *e) {
	OWN(own_free) char *total = xasprintf("%llu", (unsigned long long)u->total);
	OWN(own_free) char *range = xasprintf("Content-Range: bytes %llu-%llu/%s", (unsigned long long)u->have, (unsigned long long)end - 1,
	    u->total == GDRIVE_TOTAL_UNKNOWN ? "*" : total);
	OWN(rest_reply_wipe) struct rest_reply p = {0};
	struct rest_request q = {
		.method = "PUT",
		.url = u->session,
		.headers = (const char *const[]){ range, NULL },
		.type = GDRIVE_OBJECT_TYPE,
		.body_len = end - u->have,
		.read = read_chunk,
		.read_arg = u,
		.max = GDRIVE_REPLY_MAX,
		.once = true, /* Drive is asked first what it has of it */
		.total_s = left_s(u),
		.progress = show_sent,
		.progress_arg = u,
	};
	int r;

	u->from = u->have;
	u->moved = 0;
	u->sent = end > u->sent ? end : u->sent;
	r = gdrive_rest(u->g, &q, &p, e);
	r = judge(u, r, &p, e);
	*retry_after_s = p.retry_after_s;
	return r == GARBLED ? PASSING : r;
}

/* Drive has more than it had: what comes now has all the time and all the attempts again, however often the one before broke off. */
static void came_on(struct gdrive_upload *u) {
	u->asked = false;
	u->luck = (struct gdrive_luck){0};
	show(u, u->done ? u->total : u->have);
	retry_init(&u->retry, rest_patience_s(u->g->net), REST_ATTEMPTS, REST_PATIENCE_S);
}

/* One round: a chunk, and where that came to nothing the question what became of it. */
static int round_trip(struct gdrive_upload *u, uint64_t end, struct err *e) {
	uint64_t before = u->have;
	unsigned retry_after_s = 0;
	int r = u->have < end ? send_chunk(u, end, &retry_after_s, e) : gdrive_upload_ask(u, e);

	if (r != 0 && r != PASSING)
		return r;
	if (u->done || u->have > before) {
		came_on(u);
		return 0;
	}
	if (r == 0)
		(void)err_set(e, ERR_UNREACHABLE, "object %s: Drive takes no more of it", u->object);
	if (!retry_pause(&u->retry, retry_after_s)) {
		rest_gave_up(u->g->net);
		return ERR_UNREACHABLE;
	}
	/* After an answer that brought nothing the chunk goes again unasked, once: where each second request fails, the answered question would else
	 * always be followed by the chunk that is not. What comes twice Drive takes once, or says 400. */
	u->asked = !u->asked;
	r = u->asked ? gdrive_upload_ask(u, e) : 0;
	if (r == 0 && (u->done || u->have > before))
		came_on(u);
	return r;
}

/* Every chunk but the last is a multiple of the unit. */
static uint64_t reach(const struct gdrive_upload *u, uint64_t end) {
	if (end == u->total || end <= u->have)
		return end;
	return u->have + (end - u->have) / GDRIVE_CHUNK_UNIT * GDRIVE_CHUNK_UNIT;
}

int gdrive_upload_push(struct gdrive_upload *u, uint64_t end, struct err *e) {
	int r = 0;

	retry_init(&u->retry, rest_patience_s(u->g->net), REST_ATTEMPTS, REST_PATIENCE_S);
	while (r == 0 && !u->done && (end == u->total || u->have < reach(u, end)))
		r = round_trip(u, reach(u, end), e);
	return r;
}

static int push_next(struct gdrive_upload *u, struct err *e) {
	uint64_t end = u->total - u->have > u->g->chunk ? u->have + u->g->chunk : u->total;
	int r = u->wait != NULL ? u->wait(u->arg, end, e) : 0;

	if (r == ERR_NOTFOUND) /* which would mean the session */
		return err_recode(e, ERR_FAIL);
	return r != 0 ? r : gdrive_upload_push(u, end, e);
}

int gdrive_upload_run(struct gdrive_upload *u, struct err *e) {
	int r = ERR_NOTFOUND;

	for (unsigned i = 0; r == ERR_NOTFOUND && i < GDRIVE_TRIES; i++) {
		if (u->session == NULL) {
			if ((r = gdrive_upload_begin(u, e)) != 0 || u->done)
				return r;
			if (u->began != NULL && (r = u->began(u->arg, u, e)) != 0)
				return r;
		}
		do
			r = push_next(u, e);
		while (r == 0 && !u->done);
		if (r == ERR_NOTFOUND)
			gdrive_upload_take(u, NULL);
	}
	return r == ERR_NOTFOUND ? err_set(e, ERR_UNREACHABLE, "object %s: Drive forgets its upload sessions", u->object) : r;
}
