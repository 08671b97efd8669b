/* SPDX-License-Identifier: Apache-2.0 */
#include "store/oauth_wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "store/oauth_jwt.h"

OWN_DEFINE(json, json_t, json_decref)

#define LIFE_DEFAULT_S 300 /* where the reply says nothing: little, and a 401 tells in any case */
#define LIFE_MAX_S 86400

void wire_reply_wipe(struct wire_reply *p) {
	json_decref(p->doc);
	*p = (struct wire_reply){0};
}

/* The code goes into texts: of the characters that the registered ones have, or it is none. */
static void take_error(const json_t *doc, char out[static WIRE_ERROR_MAX]) {
	const char *code = json_string_value(json_object_get(doc, "error"));
	size_t len = code == NULL ? 0 : strlen(code);

	if (len == 0 || len >= WIRE_ERROR_MAX || strspn(code, "abcdefghijklmnopqrstuvwxyz_") != len)
		return;
	memcpy(out, code, len + 1);
}

static int take_reply(const struct rest_reply *from, struct wire_reply *p, struct err *e) {
	OWN(own_json)
	json_t *doc = json_loadb((const char *)from->body.data, from->body.len, JSON_REJECT_DUPLICATES, NULL);

	p->status = from->status;
	if (from->status / 100 == 2) {
		if (!json_is_object(doc))
			return err_set(e, ERR_DAMAGED,
			    "the token service answered something else than a JSON object (RFC 6749 5.1)");
		p->doc = json_incref(doc);
		return 0;
	}
	take_error(doc, p->error);
	if (p->error[0] != '\0')
		return 0;
	if (from->status == 429 || from->status >= 500)
		return err_set(e, ERR_UNREACHABLE, "the token service is overloaded or broken (status %d): try again",
		    from->status);
	return err_set(
	    e, ERR_DAMAGED, "the token service answered status %d and no error of RFC 6749 5.2", from->status);
}

int wire_post(
    struct rest *net, const char *url, const struct buf *form, bool idempotent, struct wire_reply *p, struct err *e) {
	OWN(rest_reply_wipe) struct rest_reply reply = {0};
	struct rest_request q = {
		.method = "POST",
		.url = url,
		.type = "application/x-www-form-urlencoded",
		.body = form->data,
		.body_len = form->len,
		.max = WIRE_REPLY_MAX,
		.expect = "application/json",
		.idempotent = idempotent,
	};
	int r = rest(net, &q, &reply, e);

	return r != 0 ? r : take_reply(&reply, p, e);
}

struct meaning {
	const char *error;
	int code;
	const char *text;
};
#define CLIENT_TEXT "the service does not take this client ID and secret (scg-gdrive(7) says how to make them)"
static const struct meaning meanings[] = {
	{ "invalid_client", ERR_REFUSED, CLIENT_TEXT },
	{ "unauthorized_client", ERR_REFUSED, CLIENT_TEXT },
	{ "deleted_client", ERR_REFUSED, CLIENT_TEXT },
	{ "disabled_client", ERR_REFUSED, CLIENT_TEXT },
	{ "redirect_uri_mismatch", ERR_REFUSED, "the client ID is not of the type Desktop app (scg-gdrive(7))" },
	{ "access_denied", ERR_REFUSED, "the consent was denied; nothing was stored" },
	{ "admin_policy_enforced", ERR_REFUSED, "the administrator of this Google account does not allow it" },
	{ "org_internal", ERR_REFUSED, "the client ID serves only accounts of its own organisation" },
	{ "expired_token", ERR_UNREACHABLE, "the code was not entered in time: run scg login again" },
	{ "temporarily_unavailable", ERR_UNREACHABLE, "the token service is not available now: try again" },
	{ "server_error", ERR_UNREACHABLE, "the token service is not available now: try again" },
};

int wire_check(const struct wire_reply *p, const char *ended, struct err *e) {
	if (p->error[0] == '\0')
		return 0;
	if (strcmp(p->error, "invalid_grant") == 0)
		return err_set(e, ERR_REFUSED, "%s", ended);
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(meanings[i].error, p->error) == 0)
			return err_set(e, meanings[i].code, "%s", meanings[i].text);
	return err_set(e, ERR_REFUSED, "the token service refuses: %s", p->error);
}

static bool take_life(const json_t *life, int64_t *expires_s) {
	json_int_t s = life == NULL ? LIFE_DEFAULT_S : json_integer_value(life);

	if ((life != NULL && !json_is_integer(life)) || s <= 0)
		return false;
	*expires_s = clock_now_s() + (s < LIFE_MAX_S ? s : LIFE_MAX_S);
	return true;
}

/* None said: what was asked for. An empty one: the user took all of it away. */
static bool take_scope(const json_t *scope, struct grant *g) {
	if (scope == NULL)
		return true;
	if (json_is_string(scope) && json_string_length(scope) == 0) {
		free(g->scope);
		g->scope = xstrdup("");
		return true;
	}
	return grant_take_text(scope, &g->scope);
}

int wire_take_tokens(const struct wire_reply *p, struct grant *g, struct err *e) {
	const char *type = json_string_value(json_object_get(p->doc, "token_type"));
	const json_t *refresh = json_object_get(p->doc, "refresh_token"), *scope = json_object_get(p->doc, "scope");

	if (type == NULL || strcasecmp(type, "Bearer") != 0)
		return err_set(
		    e, ERR_DAMAGED, "RFC 6749 5.1: the token service gave a token that is no bearer token (RFC 6750)");
	if (!grant_take_token(json_object_get(p->doc, "access_token"), &g->access))
		return err_set(e, ERR_DAMAGED, "RFC 6749 5.1: the token service gave no access token");
	if (!take_life(json_object_get(p->doc, "expires_in"), &g->expires_s))
		return err_set(e, ERR_DAMAGED, "RFC 6749 5.1: the life of the access token is no number of seconds");
	if (refresh != NULL && !grant_take_token(refresh, &g->refresh))
		return err_set(e, ERR_DAMAGED, "RFC 6749 5.1: the refresh token is ill-formed");
	return take_scope(scope, g) ? 0 : err_set(e, ERR_DAMAGED, "RFC 6749 5.1: the scope is ill-formed");
}

void wire_add_client(struct buf *form, const struct gdrive_conf *conf) {
	rest_form_add(form, "client_id", conf->client_id);
	/* A client of RFC 6749 2.1 without a secret names itself alone. */
	if (conf->client_secret[0] != '\0')
		rest_form_add(form, "client_secret", conf->client_secret);
}

#define ENDED_USER \
	"the sign-in to Google Drive has ended (revoked, unused for six months, or seven days old under a client ID in Testing): " \
	"sign in again (scg login)"
#define ENDED_SERVICE \
	"the service does not take this service account's key: it was deleted, or this machine's clock is wrong"

int wire_refresh(struct rest *net, const struct gdrive_conf *conf, struct grant *g, struct err *e) {
	OWN(wire_reply_wipe) struct wire_reply reply = {0};
	OWN(buf_wipe) struct buf form = {0}, assertion = {0};
	int r = 0;

	if (g->kind == GRANT_SERVICE) {
		r = jwt_make(g, conf->token_url, &assertion, e);
		rest_form_add(&form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
		rest_form_add(&form, "assertion", buf_str(&assertion));
	} else {
		rest_form_add(&form, "grant_type", "refresh_token");
		rest_form_add(&form, "refresh_token", (const char *)g->refresh.data);
		wire_add_client(&form, conf);
	}
	if (r == 0)
		r = wire_post(net, conf->token_url, &form, true, &reply, e);
	if (r == 0)
		r = wire_check(&reply, g->kind == GRANT_SERVICE ? ENDED_SERVICE : ENDED_USER, e);
	return r != 0 ? r : wire_take_tokens(&reply, g, e);
}
