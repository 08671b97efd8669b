/* SPDX-License-Identifier: Apache-2.0 */
#include "client/gateway.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/own.h"
#include "base/text.h"
#include "client/auditlog.h"
#include "ledger/entry.h"
#include "ledger/head.h"
#include "pki/crl.h"
#include "pki/signed.h"

OWN_DEFINE(json, json_t, json_decref)

#define POST_REPLY_MAX ((size_t)64 * 1024)
#define CRL_WAIT_S 120 /* 64 MiB over a line of 5 Mbit/s */
#define ENTRIES_WAIT_S 120

void group_info_wipe(struct group_info *g) {
	free(g->store);
	*g = (struct group_info){0};
}

static bool get_u64(const json_t *o, const char *name, uint64_t *v) {
	const json_t *n = json_object_get(o, name);

	if (!json_is_integer(n) || json_integer_value(n) < 0)
		return false;
	*v = (uint64_t)json_integer_value(n);
	return true;
}

int group_info_parse(const struct buf *json, const char *group, struct group_info *g, struct err *e) {
	OWN(own_json) json_t *o = json_loadb((const char *)json->data, json->len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(o, "group"));
	const char *key_id = json_string_value(json_object_get(o, "key_id"));
	const json_t *store = json_object_get(o, "store");

	if (name == NULL || key_id == NULL || text_unhex(key_id, g->key_id, KEY_ID_LEN, NULL) != 0 ||
	    !get_u64(o, "epoch", &g->epoch) || !get_u64(o, "ledger_size", &g->ledger_size) ||
	    !get_u64(o, "crl_number", &g->crl_number))
		return err_set(
		    e, ERR_DAMAGED, "what the gateway says of the group is not in the form of GET /v1/group");
	if (strcmp(name, group) != 0)
		return err_set(e, ERR_DAMAGED, "this gateway serves another group than %s", group);
	if (json_is_string(store))
		g->store = xstrdup(json_string_value(store));
	return 0;
}

/* A GET whose body, of this type, goes to out. */
static int get(struct fetch *f, const struct fetch_request *q, const char *what, struct buf *out, struct err *e) {
	OWN(fetch_reply_wipe) struct fetch_reply reply = {0};
	int r = fetch(f, q, &reply, e);

	if (r == 0)
		r = fetch_check(&reply, what, e);
	if (r == 0)
		buf_add(out, reply.body.data, reply.body.len);
	return r;
}

int gateway_group(struct fetch *f, struct buf *json, struct err *e) {
	struct fetch_request q = {
		.method = "GET", .path = "/v1/group", .max = GROUP_JSON_MAX, .expect = "application/json"
	};

	return get(f, &q, "group", json, e);
}

int gateway_set_store(struct fetch *f, const char *store, struct err *e) {
	OWN(fetch_reply_wipe) struct fetch_reply reply = {0};
	OWN(own_json) json_t *o = json_pack("{s:s}", "store", store);
	OWN(own_free) char *body = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	int r;

	if (body == NULL)
		return err_set(e, ERR_FAIL, "a store's specification is UTF-8");
	struct fetch_request q = {
		.method = "PUT",
		.path = "/v1/group/store",
		.type = "application/json",
		.body = body,
		.body_len = strlen(body),
		.max = POST_REPLY_MAX,
	};
	r = fetch(f, &q, &reply, e);
	return r != 0 ? r : fetch_check(&reply, "the group's store", e);
}

int gateway_crl(struct fetch *f, struct buf *der, struct err *e) {
	struct fetch_request q = { .method = "GET",
		.path = "/crl",
		.max = CRL_MAX_BYTES,
		.expect = "application/pkix-crl",
		.total_s = CRL_WAIT_S };
	int r = get(f, &q, "revocation list", der, e);

	if (r == ERR_NOTFOUND)
		return err_set(e, ERR_UNREACHABLE,
		    "the gateway has no revocation list yet: try again when the CA has published one");
	return r;
}

static int get_with_nonce(struct fetch *f, const char *resource, const uint8_t *nonce, size_t nonce_len, size_t max,
    struct buf *der, struct err *e) {
	char hex[2 * SIGNED_NONCE_MAX + 1], path[128];

	if (nonce_len > SIGNED_NONCE_MAX)
		return err_set(e, ERR_FAIL, "a nonce has at most %d bytes", SIGNED_NONCE_MAX);
	text_hex(nonce, nonce_len, hex);
	(void)snprintf(path, sizeof(path), "/v1/%s?nonce=%s", resource, hex);
	struct fetch_request q = { .method = "GET", .path = path, .max = max, .expect = "application/cms" };
	return get(f, &q, resource, der, e);
}

int gateway_keys(struct fetch *f, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e) {
	return get_with_nonce(f, "keys", nonce, nonce_len, KEY_REPLY_MAX, der, e);
}

int gateway_audit_proof(struct fetch *f, uint64_t from, uint64_t to, struct buf *json, struct err *e) {
	char path[96];

	(void)snprintf(path, sizeof(path), "/v1/audit/consistency?from=%llu&to=%llu", (unsigned long long)from, (unsigned long long)to);
	struct fetch_request q = { .method = "GET", .path = path, .max = AUDITLOG_JSON_MAX, .expect = "application/json" };
	return get(f, &q, "proof of the audit log", json, e);
}

int gateway_head(struct fetch *f, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e) {
	return get_with_nonce(f, "ledger/head", nonce, nonce_len, HEAD_MAX_BYTES, der, e);
}

int gateway_entries(struct fetch *f, uint64_t from, struct buf *der, struct err *e) {
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/ledger/entries?from=%llu", (unsigned long long)from);
	struct fetch_request q = {
		.method = "GET",
		.path = path,
		.max = ENTRIES_MAX_BYTES,
		.expect = "application/octet-stream",
		.total_s = ENTRIES_WAIT_S,
	};
	return get(f, &q, "ledger entries", der, e);
}

int gateway_post(struct fetch *f, const struct buf *entries, struct err *e) {
	OWN(fetch_reply_wipe) struct fetch_reply reply = {0};
	/* Not idempotent for fetch: a second sending would be refused as a conflict with the first. Who asks finds out
	 * by the ledger. */
	struct fetch_request q = {
		.method = "POST",
		.path = "/v1/ledger/events",
		.type = "application/octet-stream",
		.body = entries->data,
		.body_len = entries->len,
		.max = POST_REPLY_MAX,
	};
	int r = fetch(f, &q, &reply, e);

	return r != 0 ? r : fetch_check(&reply, "ledger event", e);
}
