/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/ledger: the head, the entries, and members' events. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <zlib.h>

#include "base/der.h"
#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "gateway/call.h"

static int sign_head(struct call *c, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e) {
	const struct head_sign by = {
		.key = c->g->id.key,
		.cert = c->g->id.cert,
		.nonce = nonce_len > 0 ? nonce : NULL,
		.nonce_len = nonce_len,
		.now_s = c->now_s,
	};
	struct head h;

	ledger_head(c->g->ledger, &h);
	return head_sign(&h, &by, der, e);
}

void handle_head(struct call *c) {
	uint8_t nonce[SIGNED_NONCE_MAX];
	struct err e = ERR_INIT;
	size_t len;

	if (!call_nonce(c, false, nonce, &len))
		return;
	if (sign_head(c, nonce, len, &c->r->body, &e) != 0) {
		call_not_stored(c, &e);
		return;
	}
	c->r->status = 200;
	c->r->type = "application/cms";
}

#define DEFLATE_MAX ((size_t)2 * ENTRIES_BATCH_BYTES) /* above are only the serial numbers of a large list: random bytes, 0.6 s of work for nothing */

/* RFC 9110 12.5.3, as far as one coding goes: listed, and not with a weight of 0. */
static bool takes_deflate(const struct http_request *q) {
	const char *p = http_header(q, "accept-encoding");

	while (p != NULL && *p != '\0') {
		size_t len;

		p += strspn(p, " \t,");
		len = strcspn(p, ",");
		if (strncasecmp(p, "deflate", 7) == 0 && strchr(" \t,;", p[7]) != NULL)
			return memchr(p, '=', len) == NULL || strspn(p + 7, " \t;qQ=0.") < len - 7;
		p += len;
	}
	return false;
}

/* RFC 1950. The fastest level: hashes and signatures hardly shrink, the texts around them do at any level. */
static void deflate_body(struct http_reply *r) {
	uLongf len = compressBound(r->body.len);
	struct buf out = { 0 };

	if (compress2(buf_room(&out, len), &len, r->body.data, r->body.len, Z_BEST_SPEED) != Z_OK ||
	    len >= r->body.len) {
		buf_wipe(&out);
		return;
	}
	out.len = len;
	buf_wipe(&r->body);
	r->body = out;
	r->encoding = "deflate";
}

void handle_entries(struct call *c) {
	OWN(own_free) char *text = NULL;
	struct err e = ERR_INIT;
	uint64_t from, next;

	if (http_query(c->q, "from", &text, &e) != 0 || text_u64(text, INT64_MAX, &from, &e) != 0) {
		http_problem(c->r, 400, "bad-argument", "?from= takes the index of an entry, once");
		return;
	}
	if (from > ledger_size(c->g->ledger)) {
		http_problem(c->r, 404, "not-found", "the ledger has no such entry yet");
		return;
	}
	if (from == ledger_size(c->g->ledger))
		entries_wrap(&c->r->body, 0);
	else if (ledger_entries(c->g->ledger, from, ENTRIES_BATCH_BYTES, &c->r->body, &next, &e) != 0) {
		call_not_stored(c, &e);
		return;
	}
	c->r->status = 200;
	c->r->type = "application/octet-stream";
	if (c->r->body.len <= DEFLATE_MAX && takes_deflate(c->q))
		deflate_body(c->r);
}

static json_t *file_json(const struct ledger_result *res) {
	return json_pack("{s:I, s:I, s:s}", "index", (json_int_t)res->file_index, "version",
	    (json_int_t)res->file_version, "author", res->file_author);
}

static void refuse_event(struct call *c, const struct ledger_result *res, const struct err *e) {
	bool clock = res->why == LEDGER_WHY_CLOCK;

	call_log(c, "event-refused", "why", e->text);
	switch (e->code) {
	case ERR_CONFLICT:
		http_problem(c->r, 409, ledger_why_name(res->why), e->text);
		if (res->why == LEDGER_WHY_BASE || res->why == LEDGER_WHY_PATH)
			call_problem_add(c, file_json(res));
		return;
	case ERR_REFUSED:
		http_problem(c->r, 403, clock ? ledger_why_name(res->why) : "entry-refused", e->text);
		return;
	case ERR_DAMAGED:
	case ERR_USAGE:
		http_problem(c->r, 400, "bad-entry", e->text);
		return;
	default:
		call_not_stored(c, e);
	}
}

/* All entries of the body, one behind the other. */
static int append_all(struct call *c, uint64_t *first, struct ledger_result *res, struct err *e) {
	const struct ledger_how how = { .mode = LEDGER_POST, .peer = c->peer->cert, .now_s = c->now_s };
	struct der run;
	struct entry en;

	*first = ledger_size(c->g->ledger);
	if (entries_open(c->q->body.data, c->q->body.len, &run, e) != 0)
		return e->code;
	if (run.len == 0)
		return err_set(e, ERR_DAMAGED, "no entry");
	while (run.len > 0) {
		*res = (struct ledger_result){ 0 };
		if (entry_take(&run, &en, e) != 0 || ledger_append(c->g->ledger, &en, &how, res, e) != 0)
			return e->code;
	}
	return 0;
}

static void answer_events(struct call *c, uint64_t first, const struct buf *head) {
	OWN(buf_wipe) struct buf text = { 0 };
	char index[24];
	json_t *json;

	text_base64(head->data, head->len, &text);
	(void)snprintf(index, sizeof index, "%" PRIu64, first);
	call_log(c, "events", "index", index);
	json = json_pack("{s:I, s:I, s:s}", "index", (json_int_t)first, "size", (json_int_t)ledger_size(c->g->ledger),
	    "head", buf_str(&text));
	call_json(c, 201, json);
}

void handle_events(struct call *c) {
	uint8_t nonce[SIGNED_NONCE_MAX];
	OWN(buf_wipe) struct buf head = { 0 };
	struct ledger_result res = { 0 };
	struct err e = ERR_INIT;
	uint64_t first;
	size_t len;

	if (!call_nonce(c, true, nonce, &len))
		return;
	if (group_part(c->g, &e) != 0) {
		call_not_stored(c, &e);
		return;
	}
	if (append_all(c, &first, &res, &e) != 0) {
		group_undo(c->g);
		refuse_event(c, &res, &e);
		return;
	}
	if (sign_head(c, nonce, len, &head, &e) != 0 || group_keep(c->g, &e) != 0) {
		group_undo(c->g);
		call_not_stored(c, &e);
		return;
	}
	answer_events(c, first, &head);
}
