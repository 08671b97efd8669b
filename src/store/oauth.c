/* SPDX-License-Identifier: Apache-2.0 */
#include "store/oauth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "store/oauth_grant.h"
#include "store/oauth_wire.h"

#define EARLY_S 60 /* a token is not used in the last minute of its life: a request may take as long */

struct oauth {
	const struct store_env *env;
	const struct gdrive_conf *conf;
	struct rest *net;
	pthread_mutex_t lock; /* over grant */
	struct grant grant;
	struct err ended;     /* what the service said when it took the grant for ended: asked once is enough */
	bool sees_all;
};

static int not_signed_in(struct err *e) {
	return err_set(e, ERR_REFUSED, "nobody has signed in to Google Drive in this folder: scg login does it");
}

/* The grant as the file has it now: perhaps another process has refreshed it. */
static int load(struct oauth *o, struct err *e) {
	int r;

	grant_wipe(&o->grant);
	r = grant_load(&o->grant, o->env, e);
	if (r != 0)
		return r == ERR_NOTFOUND ? not_signed_in(e) : r;
	if (o->grant.kind != GRANT_SERVICE && strcmp(o->grant.client_id, o->conf->client_id) != 0)
		return err_set(e, ERR_REFUSED,
		    "the sign-in was made with another client ID than scg.conf has now: sign in again (scg login)");
	return 0;
}

int oauth_open(
    struct oauth **out, const struct store_env *env, const struct gdrive_conf *conf, struct rest *net, struct err *e) {
	struct oauth *o = xcalloc(1, sizeof(*o));
	int r;

	o->env = env;
	o->conf = conf;
	o->net = net;
	(void)pthread_mutex_init(&o->lock, NULL);
	r = load(o, e);
	if (r != 0) {
		oauth_free(o);
		return r;
	}
	o->sees_all = grant_has_scope(&o->grant, GDRIVE_SCOPE);
	*out = o;
	return 0;
}

void oauth_free(struct oauth *o) {
	if (o == NULL)
		return;
	grant_wipe(&o->grant);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}

bool oauth_sees_all(const struct oauth *o) {
	return o->sees_all;
}

static bool is_good(const struct grant *g, const char *rejected) {
	if (g->access.len == 0 || g->expires_s - EARLY_S <= clock_now_s())
		return false;
	return rejected == NULL || strlen(rejected) != g->access.len ||
	    CRYPTO_memcmp(rejected, g->access.data, g->access.len) != 0;
}

/* The refresh token that is in force must not get lost; a mere access token may. */
static int keep(struct oauth *o, const struct secret *before, struct err *e) {
	int r = grant_save(&o->grant, o->env, e);

	return r != 0 && secret_equal(before, &o->grant.refresh) ? 0 : r;
}

/* One process at a time asks, the others find what it got in the file. */
static int renew(struct oauth *o, const char *rejected, struct err *e) {
	OWN(own_fd) int fd = -1;
	OWN(secret_wipe) struct secret before = {0};
	struct err why = ERR_INIT;
	int r = grant_lock(o->env, &fd, e);

	if (r != 0 || (r = load(o, e)) != 0)
		return r;
	if (is_good(&o->grant, rejected))
		return 0;
	if (o->ended.code != 0)
		return err_set(e, o->ended.code, "%s", o->ended.text);
	if (o->grant.refresh.len > 0 && (r = secret_copy(&before, o->grant.refresh.data, o->grant.refresh.len, e)) != 0)
		return r;
	r = wire_refresh(o->net, o->conf, &o->grant, &why);
	if (r == ERR_REFUSED)
		o->ended = why;
	return r != 0 ? err_set(e, r, "%s", why.text) : keep(o, &before, e);
}

int oauth_token(struct oauth *o, const char *rejected, struct secret *token, struct err *e) {
	int r = 0;

	(void)pthread_mutex_lock(&o->lock);
	if (!is_good(&o->grant, rejected))
		r = renew(o, rejected, e);
	/* With the NUL that lies behind every secret of a grant. */
	if (r == 0)
		r = secret_copy(token, o->grant.access.data, o->grant.access.len + 1, e);
	(void)pthread_mutex_unlock(&o->lock);
	return r;
}
