/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/audit: the head of the audit log, and the proof that it contains what it had. */
#include <stdlib.h>

#include "base/own.h"
#include "base/text.h"
#include "gateway/call.h"

void handle_audit_head(struct call *c) {
	uint8_t nonce[SIGNED_NONCE_MAX];
	struct head_sign by = { .key = c->g->id.key, .cert = c->g->id.cert, .nonce = nonce, .now_s = c->now_s };
	struct err e = ERR_INIT;
	struct head h;

	if (!call_nonce(c, false, nonce, &by.nonce_len))
		return;
	audit_head(c->g->audit, &h);
	if (head_sign(&h, &by, &c->r->body, &e) != 0) {
		call_not_stored(c, &e);
		return;
	}
	c->r->status = 200;
	c->r->type = "application/cms";
}

static bool number(struct call *c, const char *name, uint64_t *v) {
	OWN(own_free) char *text = NULL;
	struct err e = ERR_INIT;

	return http_query(c->q, name, &text, &e) == 0 && text_u64(text, INT64_MAX, v, &e) == 0;
}

/* As in RFC 6962 4.4. */
static json_t *proof_json(uint8_t (*path)[32], size_t n) {
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		OWN(buf_wipe) struct buf text = { 0 };

		text_base64(path[i], 32, &text);
		(void)json_array_append_new(list, json_string(buf_str(&text)));
	}
	return json_pack("{s:o}", "consistency", list);
}

void handle_audit_consistency(struct call *c) {
	uint8_t path[PROOF_MAX][32];
	struct err e = ERR_INIT;
	uint64_t from, to;
	size_t n;

	if (!number(c, "from", &from) || !number(c, "to", &to) || from > to) {
		http_problem(c->r, 400, "bad-argument", "?from= and &to= take sizes of the audit log, once, the smaller one first");
		return;
	}
	if (audit_prove(c->g->audit, from, to, path, &n, &e) == 0)
		call_json(c, 200, proof_json(path, n));
	else if (e.code == ERR_NOTFOUND)
		http_problem(c->r, 404, "not-found", "the audit log has not that many entries");
	else
		call_not_stored(c, &e);
}
