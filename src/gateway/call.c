/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"

struct service *service_of(struct service *first, const struct chain *chain) {
	struct service *s = first;

	while (s != NULL && s->group->chain != chain)
		s = s->next;
	return s;
}

bool call_nonce(struct call *c, bool optional, uint8_t nonce[static SIGNED_NONCE_MAX], size_t *len) {
	OWN(own_free) char *hex = NULL;
	struct err e = ERR_INIT;
	int rc = http_query(c->q, "nonce", &hex, &e);

	*len = 0;
	if (rc == ERR_NOTFOUND && optional)
		return true;
	if (rc == 0) {
		*len = strlen(hex) / 2;
		if (*len >= SIGNED_NONCE_MIN && *len <= SIGNED_NONCE_MAX && text_unhex(hex, nonce, *len, &e) == 0)
			return true;
	}
	http_problem(c->r, 400, "bad-nonce", "?nonce= takes 8 to 32 bytes in hex, once");
	return false;
}

void call_not_stored(struct call *c, const struct err *e) {
	log_event(LOG_LEVEL_ERROR, "not-stored", "path", c->q->path, "error", e->text, NULL);
	http_problem(c->r, 503, "not-stored", "the gateway could not write or read its database; nothing was done");
}

static void body_json(struct http_reply *r, const json_t *json) {
	OWN(own_free) char *text = json_dumps(json, JSON_COMPACT);

	buf_clear(&r->body);
	buf_adds(&r->body, text != NULL ? text : "{}");
}

void call_json(struct call *c, int status, json_t *json) {
	c->r->status = status;
	c->r->type = "application/json";
	body_json(c->r, json);
	json_decref(json);
}

void call_problem_add(struct call *c, json_t *extra) {
	json_t *problem = json_loadb((const char *)c->r->body.data, c->r->body.len, 0, NULL);

	if (problem != NULL && json_object_update_missing(problem, extra) == 0)
		body_json(c->r, problem);
	json_decref(problem);
	json_decref(extra);
}

bool call_see(struct call *c) {
	struct err e = ERR_INIT;

	if (c->who->seen == c->g->generation)
		return true;
	if (group_see(c->g, c->peer->cert, c->now_s, &e) != 0) {
		if (e.code == ERR_REFUSED) {
			http_problem(c->r, 403, "entry-refused", e.text);
			return false;
		}
		if (c->g->away) {
			c->r->later = true;
			return false;
		}
		call_not_stored(c, &e);
		return false;
	}
	c->who->seen = c->g->generation;
	return true;
}

void call_log(const struct call *c, const char *event, const char *key, const char *value) {
	log_event(LOG_LEVEL_INFO, event, "peer", c->peer->address, "name", c->who->name, "serial",
	    c->who->serial[0] != '\0' ? c->who->serial : NULL, key != NULL ? key : "status", key != NULL ? value : NULL,
	    NULL);
}
