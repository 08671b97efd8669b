/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/realms.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/own.h"
#include "gateway/folders.h"
#include "net/tls.h"

const struct gwconf *realms_conf(const struct realms *a) {
	return a->own != NULL ? a->own : a->v[0].conf;
}

/* Which folder is at fault. */
static int blame(const struct realms *a, size_t i, struct err *e) {
	const struct gwconf_group *groups = a->own != NULL ? a->own->groups.v : NULL;

	return groups != NULL ? err_add(e, "group in %s", groups[i].dir) : e->code;
}

/* --- contexts --- */

static int join(const struct realms *a, SSL_CTX **ctx, struct err *e) {
	OWN(own_free) SSL_CTX **all = NULL;

	if (a->own == NULL) {
		(void)SSL_CTX_up_ref(a->v[0].ctx);
		*ctx = a->v[0].ctx;
		return 0;
	}
	all = xcalloc(a->n, sizeof(SSL_CTX *));
	for (size_t i = 0; i < a->n; i++)
		all[i] = a->v[i].ctx;
	return tls_server_join(all, a->n, ctx, e);
}

static void take_process_keys(struct realms *a) {
	log_set_level(realms_conf(a)->level);
	if (strcmp(realms_conf(a)->listen, a->listen) != 0)
		log_event(LOG_LEVEL_WARN, "listen-unchanged", "why", "another address needs a restart", NULL);
}

static void on_changed(struct realm *r, void *arg) {
	struct realms *a = arg;
	struct err e = ERR_INIT;
	SSL_CTX *ctx = NULL;

	(void)r;
	if (join(a, &ctx, &e) != 0) {
		log_event(LOG_LEVEL_ERROR, "reload-failed", "error", e.text, "then", "connections begin with the certificates of before", NULL);
		return;
	}
	SSL_CTX_free(a->ctx);
	a->ctx = ctx;
	server_set_ctx(a->server, ctx);
	if (a->own == NULL)
		take_process_keys(a);
}

/* --- the start --- */

static void make_realms(struct realms *a, struct gwconf *conf, const char *passin) {
	bool several = conf->groups.n > 0;

	a->n = several ? conf->groups.n : 1;
	a->v = xcalloc(a->n, sizeof *a->v);
	for (size_t i = 0; i < a->n; i++) {
		realm_init(&a->v[i], several ? folders_config(conf, i) : xstrdup(a->config), passin, several);
		a->v[i].changed = on_changed;
		a->v[i].changed_arg = a;
		a->v[i].service.next = i + 1 < a->n ? &a->v[i + 1].service : NULL;
		a->v[i].service.count_loopback = conf->count_loopback;
	}
	if (several)
		a->own = conf;
	else
		a->v[0].conf = conf;
}

int realms_load(struct realms *a, const char *config, const char *passin, struct err *e) {
	struct gwconf *conf = xcalloc(1, sizeof *conf);

	a->config = config;
	if (gwconf_load(config, conf, e) != 0) {
		free(conf);
		return e->code;
	}
	make_realms(a, conf, passin);
	a->listen = xstrdup(conf->listen);
	if (a->own == NULL)
		return 0;
	if (passin != NULL)
		return err_set(e, ERR_USAGE, "-passin: there are several keys: each group's gateway.conf has a passin of its own");
	if (folders_check(a->own, e) != 0)
		return err_add(e, "%s", config);
	for (size_t i = 0; i < a->n; i++)
		if (realm_configure(&a->v[i], e) != 0)
			return blame(a, i, e);
	return 0;
}

size_t realms_folders(const struct realms *a, struct fence_folder **folders) {
	struct fence_folder *v = xcalloc(a->n + 1, sizeof *v);
	size_t n = 0;

	if (a->own != NULL)
		v[n++] = (struct fence_folder){ .conf = a->own, .config = a->config };
	for (size_t i = 0; i < a->n; i++)
		v[n++] = (struct fence_folder){ .conf = a->v[i].conf, .config = a->v[i].config, .passin = a->v[i].passin };
	*folders = v;
	return n;
}

int realms_check_out(const struct realms *a, const char *path, struct err *e) {
	for (size_t i = 0; i < a->n; i++)
		if (identity_check_out(a->v[i].conf, path, e) != 0)
			return e->code;
	return 0;
}

static int check_distinct(const struct realms *a, size_t i, struct err *e) {
	for (size_t k = 0; k < i; k++)
		if (folders_distinct(a->v[i].chain, a->v[k].chain, e) != 0)
			return e->code;
	return 0;
}

int realms_lock(struct realms *a, struct err *e) {
	for (size_t i = 0; i < a->n; i++)
		if (realm_lock(&a->v[i], e) != 0 || check_distinct(a, i, e) != 0)
			return blame(a, i, e);
	return 0;
}

int realms_open(struct realms *a, struct err *e) {
	for (size_t i = 0; i < a->n; i++)
		if (realm_open(&a->v[i], e) != 0)
			return blame(a, i, e);
	return join(a, &a->ctx, e);
}

int realms_start(struct realms *a, struct err *e) {
	for (size_t i = 0; i < a->n; i++)
		if (realm_start(&a->v[i], e) != 0)
			return blame(a, i, e);
	return 0;
}

int realms_serve(struct realms *a, struct server *s, struct err *e) {
	a->server = s;
	for (size_t i = 0; i < a->n; i++)
		if (realm_serve(&a->v[i], s, e) != 0)
			return blame(a, i, e);
	return 0;
}

int realms_fetch(struct realms *a, struct err *e) {
	for (size_t i = 0; i < a->n; i++)
		if (realm_fetch(&a->v[i], e) != 0)
			return blame(a, i, e);
	return 0;
}

struct service *realms_service(struct realms *a) {
	return &a->v[0].service;
}

void realms_close(struct realms *a) {
	for (size_t i = 0; i < a->n; i++)
		crlfetch_stop(a->v[i].fetch); /* all at once: each may take CRLFETCH_TOTAL_S */
	for (size_t i = 0; i < a->n; i++)
		realm_close(&a->v[i]);
	SSL_CTX_free(a->ctx);
	if (a->own != NULL)
		gwconf_wipe(a->own);
	free(a->own);
	free(a->listen);
	free(a->v);
	*a = (struct realms){ 0 };
}

/* --- the loop --- */

void realms_settle(struct realms *a) {
	for (size_t i = 0; i < a->n; i++)
		realm_settle(&a->v[i]);
}

void realms_look(struct realms *a, const struct server_stats *stats) {
	for (size_t i = 0; i < a->n; i++)
		realm_look(&a->v[i], stats);
}

static bool same_groups(const struct gwconf *one, const struct gwconf *two) {
	const struct gwconf_group *a = one->groups.v, *b = two->groups.v;

	for (size_t i = 0; i < one->groups.n && i < two->groups.n; i++)
		if (strcmp(a[i].dir, b[i].dir) != 0)
			return false;
	return one->groups.n == two->groups.n;
}

static int reload_own(struct realms *a, struct err *e) {
	struct gwconf *conf = xcalloc(1, sizeof *conf);

	if (gwconf_load(a->config, conf, e) != 0) {
		free(conf);
		return e->code;
	}
	if (same_groups(conf, a->own)) {
		gwconf_wipe(a->own);
		free(a->own);
		a->own = conf;
		take_process_keys(a);
		return 0;
	}
	gwconf_wipe(conf);
	free(conf);
	return err_set(e, ERR_FAIL, "%s: groups: another list of groups needs a restart", a->config);
}

void realms_hangup(struct realms *a) {
	struct err e = ERR_INIT;

	if (a->own != NULL && reload_own(a, &e) != 0)
		log_event(LOG_LEVEL_ERROR, "reload-failed", "error", e.text, "then", "what could not be read stays as it was", NULL);
	for (size_t i = 0; i < a->n; i++)
		realm_hangup(&a->v[i]);
}
