/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/realm.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "gateway/evict.h"
#include "gateway/renew.h"
#include "gateway/route.h"
#include "gateway/witness.h"
#include "net/server.h"
#include "net/tls.h"

#define LOCK_WAIT_MS 3000
#define CRL_WINDOW_MS 60000

/* The thread's log lines name this group until leave; entries lie inside one another. */
static const char *enter(const struct realm *r) {
	const char *was = log_group();

	log_set_group(r->service.name);
	return was;
}

static void leave(const char **was) {
	log_set_group(*was);
}

/* Until the end of the function. */
#define WITHIN(r) OWN(leave) __attribute__((unused)) const char *was = enter(r)

static SSL_CTX *new_ctx(const struct realm *r, const struct identity *id, struct err *e) {
	SSL_CTX *ctx = NULL;

	return tls_server_new(id->key, id->cert, r->chain, &ctx, e) == 0 ? ctx : NULL;
}

static void warn_about(const struct identity *id, const struct gwconf *c) {
	OWN(own_free) char *host = identity_missing_host(id, c);

	if (host != NULL)
		log_event(LOG_LEVEL_WARN, "certificate-name", "host", host, "why",
		    "RFC 9525 6.3: the certificate does not name it", NULL);
}

void realm_settle(struct realm *r) {
	WITHIN(r);
	struct service *s = &r->service;
	struct err e = ERR_INIT;

	if (settler_settle(s->settler, s->group, clock_now_s(), &e) != 0)
		log_event(LOG_LEVEL_ERROR, "settle-failed", "error", e.text, "then",
		    "refusals stay in force; tried again", NULL);
}

static void on_swapped(void *arg) {
	struct realm *r = arg;

	if (r->server != NULL)
		server_close_if(r->server, route_is_revoked, &r->service);
}

static void on_list(void *arg) {
	struct realm *r = arg;
	WITHIN(r);
	const char *from;
	struct list *l = inbox_take(r->service.inbox, &from);

	if (l == NULL)
		return;
	(void)evict_offer(r->service.group, l, from, clock_now_s());
	list_free(l);
	realm_settle(r);
}

static void on_settled(void *arg) {
	struct realm *r = arg;
	WITHIN(r);

	settler_end(r->service.settler, r->service.group);
	if (r->hangup && !r->service.group->away)
		realm_hangup(r);
	realm_settle(r); /* a newer list may have come meanwhile */
	server_go_on(r->server);
}

void realm_look(struct realm *r, const struct server_stats *stats) {
	WITHIN(r);
	int64_t now_s = clock_now_s();

	witness_tick(r->service.group, now_s);
	r->sight.group = r->service.name;
	r->sight.server = *stats;
	sight_take(&r->sight, r->service.group, &r->service.refused, now_s);
	care_look(&r->care, &r->sight, now_s, clock_mono_ms());
}

static int load_conf(const struct realm *r, struct gwconf *conf, struct err *e) {
	if (gwconf_load(r->config, conf, e) != 0)
		return e->code;
	if (conf->groups.n == 0)
		return 0;
	return err_set(e, ERR_USAGE, r->several ? "%s: groups: in the folder of one group" : "%s: groups need a restart", r->config);
}

/* All or nothing: a mistake in the configuration leaves everything as it was. */
static int reload(struct realm *r, struct err *e) {
	struct gwconf *conf = xcalloc(1, sizeof *conf), *old = r->conf;
	const struct identity_source from = { conf, r->chain, r->passin, r->service.group->id.key };
	struct identity id = { 0 };
	SSL_CTX *ctx = NULL;
	bool renewed;

	if (load_conf(r, conf, e) != 0 || renew_load(&id, &renewed, &from, e) != 0 ||
	    (ctx = new_ctx(r, &id, e)) == NULL || group_change(r->service.group, conf, &id, e) != 0) {
		SSL_CTX_free(ctx);
		identity_wipe(&id);
		gwconf_wipe(conf);
		free(conf);
		return e->code;
	}
	SSL_CTX_free(r->ctx);
	r->ctx = ctx;
	r->conf = conf;
	gwconf_wipe(old);
	free(old);
	if (r->changed != NULL)
		r->changed(r, r->changed_arg);
	warn_about(&r->service.group->id, conf);
	return renewed ? renew_finish(conf, e) : 0;
}

void realm_hangup(struct realm *r) {
	WITHIN(r);
	struct err e = ERR_INIT;

	r->hangup = r->service.group->away; /* what a thread uses does not change under it */
	if (r->hangup)
		return;
	if (reload(r, &e) != 0)
		log_event(LOG_LEVEL_ERROR, "reload-failed", "error", e.text, "then",
		    "what could not be read stays as it was", NULL);
	else
		log_event(LOG_LEVEL_INFO, "reloaded", "config", r->config, NULL);
	inbox_poke(r->service.inbox);
	realm_settle(r);
}

void realm_init(struct realm *r, char *config, const char *passin, bool several) {
	*r = (struct realm){ .config = config, .passin = passin, .several = several, .lock = -1 };
}

int realm_configure(struct realm *r, struct err *e) {
	r->conf = xcalloc(1, sizeof *r->conf);
	return load_conf(r, r->conf, e);
}

int realm_lock(struct realm *r, struct err *e) {
	OWN(own_free) char *lock = gwconf_path(r->conf, FILE_LOCK);

	/* One that was just killed holds it until the kernel has taken it apart. */
	if (file_lock(lock, LOCK_WAIT_MS, &r->lock, e) != 0)
		return err_add(e, "a gateway runs on this folder already");
	if (identity_chain(r->conf, &r->chain, e) != 0)
		return e->code;
	r->service.name = r->several ? chain_group(r->chain) : NULL;
	return 0;
}

int realm_open(struct realm *r, struct err *e) {
	const struct identity_source from = { .conf = r->conf, .chain = r->chain, .passin = r->passin };
	WITHIN(r);

	if (renew_open(&r->service.group, &from, e) != 0)
		return e->code;
	if ((r->ctx = new_ctx(r, &r->service.group->id, e)) == NULL)
		return e->code;
	warn_about(&r->service.group->id, r->conf);
	r->service.group->swapped = on_swapped;
	r->service.group->swapped_arg = r;
	return 0;
}

int realm_start(struct realm *r, struct err *e) {
	WITHIN(r);
	struct service *s = &r->service;

	s->packages = packages_new();
	if (rate_new(&s->crl_rate, ROUTE_CRL_PER_MINUTE, CRL_WINDOW_MS, e) != 0 ||
	    rate_new(&s->get_rate, ROUTE_GET_PER_MINUTE, CRL_WINDOW_MS, e) != 0)
		return e->code;
	if (inbox_new(&s->inbox, r->conf->dir, FILE_CRL, r->chain, e) != 0)
		return e->code;
	inbox_look(s->inbox); /* what lies there already is in force before the first request */
	on_list(r);
	realm_settle(r);
	if (settler_new(&s->settler, e) != 0)
		return e->code;
	return inbox_start(s->inbox, e);
}

int realm_serve(struct realm *r, struct server *s, struct err *e) {
	r->server = s;
	if (server_watch(s, settler_fd(r->service.settler), on_settled, r, e) != 0)
		return e->code;
	if (server_watch(s, inbox_fd(r->service.inbox), on_list, r, e) != 0)
		return e->code;
	witness_start(r->service.group, clock_now_s());
	return 0;
}

int realm_fetch(struct realm *r, struct err *e) {
	WITHIN(r);
	const struct crlfetch_config fetch = { r->conf->crl_url, r->conf->dir, r->conf->crl_fetch_s, r->service.inbox };

	if (r->conf->crl_url == NULL || crlfetch_start(&r->fetch, &fetch, e) == 0)
		return 0;
	return err_add(e, "crl_url");
}

void realm_close(struct realm *r) {
	WITHIN(r);

	crlfetch_free(r->fetch);
	inbox_free(r->service.inbox);
	settler_free(r->service.settler);
	if (r->server != NULL) {
		r->service.group->away = false; /* its thread has ended */
		witness_stop(r->service.group, clock_now_s());
	}
	rate_free(r->service.crl_rate);
	rate_free(r->service.get_rate);
	packages_free(r->service.packages);
	group_close(&r->service.group);
	SSL_CTX_free(r->ctx);
	chain_free(r->chain);
	if (r->conf != NULL)
		gwconf_wipe(r->conf);
	free(r->conf);
	own_fd(&r->lock);
	free(r->config);
	realm_init(r, NULL, NULL, false);
}
