/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/keys, /v1/group: what a member needs to work. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "gateway/call.h"
#include "gateway/witness.h"

static void log_keys(const struct call *c) {
	char epoch[24];

	(void)snprintf(epoch, sizeof epoch, "%" PRIu64, keyring_current(&c->g->keyring)->number);
	call_log(c, "keys", "epoch", epoch);
}

void handle_keys(struct call *c) {
	const struct witness_peer to = { c->who->name, c->who->serial, c->peer->address };
	uint8_t nonce[SIGNED_NONCE_MAX];
	struct signed_make by = { .key = c->g->id.key, .cert = c->g->id.cert, .nonce = nonce, .log_head = audit_head_text(c->g->audit), .time_s = c->now_s };
	struct err e = ERR_INIT;
	const struct buf *sealed;

	if (!call_nonce(c, false, nonce, &by.nonce_len))
		return;
	if (!witness_is_able(c->g)) {
		c->r->later = c->g->away;
		if (!c->g->away)
			http_problem(c->r, 503, "not-stored", "the gateway cannot write its audit log (is its disk full?)");
		return;
	}
	if (packages_get(
		c->s->packages, &c->g->keyring, c->g->generation, c->peer->cert, c->who->sha256, &sealed, &e) != 0 ||
	    keyring_reply_make(sealed->data, sealed->len, &by, &c->r->body, &e) != 0) {
		log_event(LOG_LEVEL_ERROR, "keys-failed", "serial", c->who->serial, "error", e.text, NULL);
		http_problem(c->r, 500, "internal", "the key package could not be made");
		return;
	}
	c->r->status = 200;
	c->r->type = "application/cms";
	witness_keys(c->g, &to, RECORD_KEYS, c->now_s);
	log_keys(c);
}

/* Remembers the reply: jansson takes half of the time that the whole request does, and members ask for little else within a second. */
static void remember(struct group_text *t, const struct group_text *now, const struct buf *json) {
	free(t->store);
	buf_clear(&t->json);
	buf_add(&t->json, json->data, json->len);
	*t = (struct group_text){ now->epoch, now->ledger_size, now->crl_number, now->time_s,
		now->store != NULL ? xstrdup(now->store) : NULL, { 0 }, t->json };
	memcpy(t->key_id, now->key_id, sizeof t->key_id);
}

static bool says(const struct group_text *t, const struct group_text *now) {
	bool same_store = t->store == NULL || now->store == NULL ? t->store == now->store : strcmp(t->store, now->store) == 0;

	return t->json.len > 0 && t->epoch == now->epoch && t->ledger_size == now->ledger_size &&
	       t->crl_number == now->crl_number && t->time_s == now->time_s && same_store &&
	       memcmp(t->key_id, now->key_id, sizeof t->key_id) == 0; /* after a commit that failed: another key of that number */
}

void handle_group(struct call *c) {
	const struct epoch *epoch = keyring_current(&c->g->keyring);
	const struct list *told = group_told(c->g, c->now_s);
	struct group_text now = { epoch->number, ledger_size(c->g->ledger), told != NULL ? crl_set_number(told->set) : 0, c->now_s,
		c->g->store, { 0 }, { 0 } };
	char key_id[KEY_ID_HEX], time[CLOCK_TEXT];

	memcpy(now.key_id, epoch->key_id, sizeof now.key_id);
	if (says(&c->g->text, &now)) {
		c->r->status = 200;
		c->r->type = "application/json";
		buf_add(&c->r->body, c->g->text.json.data, c->g->text.json.len);
		return;
	}
	text_hex(epoch->key_id, KEY_ID_LEN, key_id);
	clock_print(c->now_s, time);
	call_json(c, 200, json_pack("{s:s, s:I, s:s, s:I, s:I, s:s?, s:s}", "group", chain_group(c->g->chain), "epoch",
	    (json_int_t)now.epoch, "key_id", key_id, "ledger_size", (json_int_t)now.ledger_size, "crl_number",
	    (json_int_t)now.crl_number, "store", now.store, "time", time));
	remember(&c->g->text, &now, &c->r->body);
}

/* The "store" of {"store": text}, malloc'd; NULL: the reply says what is wrong. */
static char *wanted_store(struct call *c) {
	json_t *json = json_loadb((const char *)c->q->body.data, c->q->body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *store = json_string_value(json_object_get(json, "store"));
	struct err e = ERR_INIT;
	char *copy = NULL;

	if (store == NULL || json_object_size(json) != 1)
		http_problem(c->r, 400, "bad-store", "not {\"store\": text}");
	else if (gwconf_check_store(store, &e) != 0)
		http_problem(c->r, 400, "bad-store", e.text);
	else if (gwconf_is_wish(store))
		http_problem(c->r, 400, "bad-store", "a store that has yet to be made");
	else
		copy = xstrdup(store);
	json_decref(json);
	return copy;
}

static int put_store(struct call *c, const char *store, struct err *e) {
	if (group_part(c->g, e) != 0)
		return e->code;
	if (state_put(c->g->state, STATE_STORE, store, strlen(store), e) != 0 || group_keep(c->g, e) != 0) {
		group_undo(c->g);
		return e->code;
	}
	return 0;
}

/* There is none yet, or a wish for one of this kind. */
static bool is_open(const char *there, const char *store) {
	return there == NULL || (gwconf_is_wish(there) && strncmp(there, store, strcspn(there, ":") + 1) == 0);
}

void handle_store_put(struct call *c) {
	OWN(own_free) char *store = wanted_store(c);
	struct err e = ERR_INIT;

	if (store == NULL)
		return;
	if (is_open(c->g->store, store)) {
		if (put_store(c, store, &e) != 0) {
			call_not_stored(c, &e);
			return;
		}
		free(c->g->store);
		c->g->store = xstrdup(store);
		call_log(c, "store-set", "store", store);
	}
	if (strcmp(c->g->store, store) == 0) {
		c->r->status = 204;
		return;
	}
	http_problem(c->r, 409, "store-set", "the group has a store already");
	call_problem_add(c, json_pack("{s:s}", "store", c->g->store));
}
