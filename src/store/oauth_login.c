/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in and out. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "pki/ossl.h"
#include "store/oauth.h"
#include "store/oauth_grant.h"
#include "store/oauth_jwt.h"
#include "store/oauth_redirect.h"
#include "store/oauth_wire.h"

#define NONCE_LEN 32        /* 43 characters of base64url: the least of RFC 7636 4.1 */
#define DEVICE_INTERVAL_S 5 /* RFC 8628 3.2, where the reply has none */
#define DEVICE_INTERVAL_MAX_S 300
#define DEVICE_LIFE_MAX_S 3600

#define CODE_ENDED "the service does not take its own answer any more (it came late or twice): run scg login again"

/* RFC 7009 2.1: with the refresh token its access tokens end too. One that is not known any more has ended already. */
static int revoke_grant(const struct gdrive_conf *conf, struct rest *net, const struct grant *g, struct err *e) {
	OWN(rest_reply_wipe) struct rest_reply reply = {0};
	OWN(buf_wipe) struct buf form = {0};
	struct rest_request q = {
		.method = "POST",
		.url = conf->revoke_url,
		.type = "application/x-www-form-urlencoded",
		.max = WIRE_REPLY_MAX,
		.idempotent = true,
	};
	int r;

	rest_form_add(&form, "token", (const char *)g->refresh.data);
	q.body = form.data;
	q.body_len = form.len;
	if ((r = rest(net, &q, &reply, e)) != 0)
		return r;
	return reply.status / 100 == 2 || reply.status == 400
	    ? 0
	    : err_set(e, ERR_UNREACHABLE, "the service answered status %d", reply.status);
}

/* What a consent has to cover, and that it is refreshed; then it goes to the member's folder. */
static int keep(const struct oauth_login *l, const struct grant *g, const char *scope, struct err *e) {
	OWN(own_fd) int fd = -1;
	int r;

	if (!grant_has_scope(g, scope)) {
		/* What is of no use is not left alive; if that fails, it is of no use all the same. */
		if (g->refresh.len > 0)
			(void)!revoke_grant(l->conf, l->net, g, NULL);
		return err_set(e, ERR_REFUSED,
		    "access to Google Drive was not granted: run scg login again and leave the box of Google Drive ticked");
	}
	if (g->kind != GRANT_SERVICE && g->refresh.len == 0)
		return err_set(e, ERR_REFUSED,
		    "the service gave no refresh token: take this program's access away in the account's settings, then run scg login again");
	r = grant_lock(l->env, &fd, e);
	return r != 0 ? r : grant_save(g, l->env, e);
}

static int random_text(struct buf *out, struct err *e) {
	uint8_t raw[NONCE_LEN];
	int r = random_bytes(raw, sizeof(raw), e);

	if (r == 0)
		text_base64url(raw, sizeof(raw), out);
	secret_clean(raw, sizeof(raw));
	return r;
}

/* One consent under way. */
struct consent {
	struct redirect redirect;
	struct buf verifier, state; /* RFC 7636 4.1; RFC 6749 10.12 */
	struct secret code;
};

static void consent_wipe(struct consent *c) {
	redirect_close(&c->redirect);
	buf_wipe(&c->verifier);
	buf_wipe(&c->state);
	secret_wipe(&c->code);
}

/* RFC 6749 4.1.1, RFC 7636 4.3; access_type and prompt are Google's way to a refresh token. */
static void consent_url(const struct consent *c, const struct gdrive_conf *conf, struct buf *url) {
	OWN(buf_wipe) struct buf query = {0}, challenge = {0};
	uint8_t digest[SHA256_LEN];

	ossl_sha256(c->verifier.data, c->verifier.len, digest);
	text_base64url(digest, sizeof(digest), &challenge);
	rest_form_add(&query, "client_id", conf->client_id);
	rest_form_add(&query, "redirect_uri", c->redirect.uri);
	rest_form_add(&query, "response_type", "code");
	rest_form_add(&query, "scope", GDRIVE_SCOPE);
	rest_form_add(&query, "state", buf_str(&c->state));
	rest_form_add(&query, "code_challenge", buf_str(&challenge));
	rest_form_add(&query, "code_challenge_method", "S256");
	rest_form_add(&query, "access_type", "offline");
	rest_form_add(&query, "prompt", "consent");
	buf_addf(url, "%s%c%s", conf->auth_url, strchr(conf->auth_url, '?') != NULL ? '&' : '?', buf_str(&query));
}

/* RFC 6749 4.1.3, RFC 7636 4.5. A code is good once: asked again only where it was not sent. */
static int exchange(const struct oauth_login *l, const struct consent *c, struct grant *g, struct err *e) {
	OWN(wire_reply_wipe) struct wire_reply reply = {0};
	OWN(buf_wipe) struct buf form = {0};
	int r;

	rest_form_add(&form, "grant_type", "authorization_code");
	rest_form_add(&form, "code", (const char *)c->code.data);
	rest_form_add(&form, "redirect_uri", c->redirect.uri);
	rest_form_add(&form, "code_verifier", buf_str(&c->verifier));
	wire_add_client(&form, l->conf);
	if ((r = wire_post(l->net, l->conf->token_url, &form, false, &reply, e)) != 0 ||
	    (r = wire_check(&reply, CODE_ENDED, e)) != 0)
		return r;
	return wire_take_tokens(&reply, g, e);
}

int oauth_login_loopback(const struct oauth_login *l, struct err *e) {
	OWN(consent_wipe) struct consent c = { .redirect.fd = -1 };
	/* A reply without scope grants what was asked for, RFC 6749 5.1. */
	OWN(grant_wipe)
	struct grant g = {
		.kind = GRANT_USER, .client_id = xstrdup(l->conf->client_id), .scope = xstrdup(GDRIVE_SCOPE)
	};
	OWN(buf_wipe) struct buf url = {0};
	int64_t end_ms = clock_mono_ms() + (int64_t)l->timeout_s * 1000;
	int r;

	if ((r = random_text(&c.verifier, e)) != 0 || (r = random_text(&c.state, e)) != 0 ||
	    (r = redirect_open(&c.redirect, e)) != 0)
		return r;
	consent_url(&c, l->conf, &url);
	if ((r = l->show(l->arg, buf_str(&url), NULL, e)) != 0)
		return r;
	if ((r = redirect_wait(&c.redirect, buf_str(&c.state), end_ms, &c.code, e)) != 0 ||
	    (r = exchange(l, &c, &g, e)) != 0)
		return r;
	return keep(l, &g, GDRIVE_SCOPE, e);
}

/* RFC 8628 3.2. */
struct device {
	struct secret code;
	char *user_code, *url;
	int64_t interval_s, life_s;
};

static void device_wipe(struct device *d) {
	secret_wipe(&d->code);
	free(d->user_code);
	free(d->url);
}

static int64_t seconds(const json_t *n, int64_t def, int64_t max) {
	int64_t v = json_is_integer(n) ? (int64_t)json_integer_value(n) : def;

	return v < 1 ? 1 : v > max ? max : v;
}

static int take_device(const json_t *o, struct device *d, struct err *e) {
	/* Google says url where RFC 8628 3.2 says uri. */
	const json_t *url = json_object_get(o, "verification_uri");

	if (!grant_take_token(json_object_get(o, "device_code"), &d->code) ||
	    !grant_take_text(json_object_get(o, "user_code"), &d->user_code) ||
	    !grant_take_text(url != NULL ? url : json_object_get(o, "verification_url"), &d->url))
		return err_set(e, ERR_DAMAGED, "RFC 8628 3.2: the reply of the device service lacks a code or a URL");
	if (strncmp(d->url, "https://", strlen("https://")) != 0 &&
	    strncmp(d->url, "http://127.0.0.1:", strlen("http://127.0.0.1:")) != 0)
		return err_set(e, ERR_DAMAGED, "RFC 8628 3.2: the page that the device service names has no https URL");
	d->interval_s = seconds(json_object_get(o, "interval"), DEVICE_INTERVAL_S, DEVICE_INTERVAL_MAX_S);
	d->life_s = seconds(json_object_get(o, "expires_in"), DEVICE_LIFE_MAX_S, DEVICE_LIFE_MAX_S);
	return 0;
}

static int ask_device(const struct oauth_login *l, struct device *d, struct err *e) {
	OWN(wire_reply_wipe) struct wire_reply reply = {0};
	OWN(buf_wipe) struct buf form = {0};
	int r;

	rest_form_add(&form, "client_id", l->conf->client_id);
	rest_form_add(&form, "scope", GDRIVE_SCOPE_FILE);
	if ((r = wire_post(l->net, l->conf->device_url, &form, true, &reply, e)) != 0 ||
	    (r = wire_check(&reply, CODE_ENDED, e)) != 0)
		return r;
	return take_device(reply.doc, d, e);
}

/* Sleeps until then, or until the end if that comes first; false: it came. */
static bool sleep_until(int64_t ms, int64_t end_ms) {
	int64_t until_ms = ms < end_ms ? ms : end_ms, left_ms;

	while ((left_ms = until_ms - clock_mono_ms()) > 0) {
		struct timespec t = { .tv_sec = (time_t)(left_ms / 1000), .tv_nsec = (long)(left_ms % 1000) * 1000000L };
		(void)nanosleep(&t, NULL);
	}
	return ms < end_ms;
}

/* RFC 8628 3.5. 1: not yet. */
static int poll_device(const struct oauth_login *l, struct device *d, struct grant *g, struct err *e) {
	OWN(wire_reply_wipe) struct wire_reply reply = {0};
	OWN(buf_wipe) struct buf form = {0};
	int r;

	rest_form_add(&form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
	rest_form_add(&form, "device_code", (const char *)d->code.data);
	wire_add_client(&form, l->conf);
	r = wire_post(l->net, l->conf->token_url, &form, true, &reply, e);
	if (r != 0)
		return r;
	if (strcmp(reply.error, "slow_down") == 0)
		d->interval_s += DEVICE_INTERVAL_S;
	if (strcmp(reply.error, "slow_down") == 0 || strcmp(reply.error, "authorization_pending") == 0)
		return 1;
	r = wire_check(&reply, "the code was not entered in time: run scg login again", e);
	return r != 0 ? r : wire_take_tokens(&reply, g, e);
}

int oauth_login_device(const struct oauth_login *l, struct err *e) {
	OWN(device_wipe) struct device d = {0};
	OWN(grant_wipe)
	struct grant g = {
		.kind = GRANT_DEVICE, .client_id = xstrdup(l->conf->client_id), .scope = xstrdup(GDRIVE_SCOPE_FILE)
	};
	int64_t end_ms, wait_ms;
	int r = ask_device(l, &d, e);

	if (r != 0 || (r = l->show(l->arg, d.url, d.user_code, e)) != 0)
		return r;
	wait_ms = (d.life_s < (int64_t)l->timeout_s ? d.life_s : (int64_t)l->timeout_s) * 1000;
	end_ms = clock_mono_ms() + wait_ms;
	do {
		if (!sleep_until(clock_mono_ms() + d.interval_s * 1000, end_ms))
			return err_set(e, ERR_UNREACHABLE, "the code was not entered in time: run scg login again");
		r = poll_device(l, &d, &g, e);
	} while (r == 1);
	return r != 0 ? r : keep(l, &g, GDRIVE_SCOPE_FILE, e);
}

/* An assertion goes to whom its key file names; elsewhere only where somebody said so. */
static int check_audience(const struct gdrive_conf *conf, const char *token_uri, struct err *e) {
	OWN(buf_wipe) struct buf shown = {0};

	if (strcmp(token_uri, conf->token_url) == 0 || strcmp(conf->token_url, GDRIVE_TOKEN_URL) != 0)
		return 0;
	text_escape(token_uri, strlen(token_uri), &shown);
	return err_set(e, ERR_USAGE,
	    "the service account's file names the token service %s: say so with -token-url if that is right",
	    buf_str(&shown));
}

int oauth_login_service_account(const struct oauth_login *l, const char *json_file, struct err *e) {
	OWN(grant_wipe) struct grant g = {0};
	OWN(own_free) char *token_uri = NULL;
	int r;

	if ((r = jwt_load(json_file, &g, &token_uri, e)) != 0 || (r = check_audience(l->conf, token_uri, e)) != 0)
		return r;
	r = wire_refresh(l->net, l->conf, &g, e);
	return r != 0 ? r : keep(l, &g, GDRIVE_SCOPE, e);
}

int oauth_logout(const struct store_env *env, const struct gdrive_conf *conf, struct rest *net, struct err *e) {
	OWN(own_free) char *path = file_join(env->dir, OAUTH_FILE);
	OWN(grant_wipe) struct grant g = {0};
	OWN(own_fd) int fd = -1;
	struct err why = ERR_INIT;
	int r = grant_lock(env, &fd, e), opened, told = 0;

	if (r != 0)
		return r;
	opened = grant_load(&g, env, &why);
	if (opened == ERR_NOTFOUND)
		return err_set(e, ERR_NOTFOUND, "nobody has signed in to Google Drive in this folder");
	/* A service account has a key and no consent: there is nothing to revoke. */
	if (opened == 0 && g.kind != GRANT_SERVICE)
		told = revoke_grant(conf, net, &g, &why);
	if (unlink(path) != 0)
		return err_sys(e, ERR_FAIL, "%s: cannot remove", OAUTH_FILE);
	if ((r = file_sync_dir(env->dir, e)) != 0 || (opened == 0 && told == 0))
		return r;
	return err_set(e, opened != 0 ? opened : told,
	    "%s is removed, but not revoked (%s): take the access away in the account's settings", OAUTH_FILE,
	    why.text);
}
