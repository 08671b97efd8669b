/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/run.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "gateway/care.h"
#include "gateway/confine.h"
#include "gateway/crlfetch.h"
#include "gateway/evict.h"
#include "gateway/monitor.h"
#include "gateway/renew.h"
#include "gateway/route.h"
#include "gateway/supervisor.h"
#include "net/server.h"
#include "net/tls.h"

#define LOCK_WAIT_MS 3000
#define MMAP_ABOVE (1 << 20) /* bytes of an allocation that goes back to the system when freed: a list of a million does not stay */
#define CRL_WINDOW_MS 60000
#define TICK_NS 250000000
#define CROWD 64 /* connections; their memory is 2 MiB */

struct run {
	const struct run_plan *plan;
	struct gwconf *conf;
	struct chain *chain;
	struct service service;
	struct server *server;
	struct monitor *monitor;
	struct crlfetch *fetch;
	struct sight sight;
	uint64_t crowd; /* most connections since memory was given back */
	struct care care;
	int lock, signals, clock;
	bool hangup; /* to be done when a list is stored */
};

static SSL_CTX *new_ctx(struct run *r, const struct identity *id, struct err *e) {
	SSL_CTX *ctx = NULL;

	return tls_server_new(id->key, id->cert, r->chain, &ctx, e) == 0 ? ctx : NULL;
}

static void warn_about(const struct identity *id, const struct gwconf *c) {
	OWN(own_free) char *host = identity_missing_host(id, c);

	if (host != NULL)
		log_event(LOG_LEVEL_WARN, "certificate-name", "host", host, "why",
		    "RFC 9525 6.3: the certificate does not name it", NULL);
}

static void settle(struct service *s) {
	struct err e = ERR_INIT;

	if (settler_settle(s->settler, s->group, clock_now_s(), &e) != 0)
		log_event(LOG_LEVEL_ERROR, "settle-failed", "error", e.text, "then",
		    "refusals stay in force; tried again", NULL);
}

static void on_swapped(void *arg) {
	struct run *r = arg;

	if (r->server != NULL)
		server_close_if(r->server, route_is_revoked, &r->service);
}

static void on_list(void *arg) {
	struct run *r = arg;
	const char *from;
	struct list *l = inbox_take(r->service.inbox, &from);

	if (l == NULL)
		return;
	(void)evict_offer(r->service.group, l, from, clock_now_s());
	list_free(l);
	settle(&r->service);
}

/* What a crowd needed does not stay when it has gone: the allocator keeps it in pieces between what lives on. */
static void give_back(struct run *r) {
	uint64_t now = r->sight.server.connections;

	if (now > r->crowd)
		r->crowd = now;
	if (r->crowd < CROWD || now > r->crowd / 4)
		return;
	r->crowd = now;
	(void)malloc_trim(0);
}

static void publish(struct run *r) {
	int64_t now_s = clock_now_s();

	server_get_stats(r->server, &r->sight.server);
	give_back(r);
	sight_take(&r->sight, r->service.group, &r->service.refused, now_s);
	care_look(&r->care, &r->sight, now_s, clock_mono_ms());
	monitor_publish(r->monitor, &r->sight);
}

static void on_hangup(struct run *r);

static void on_settled(void *arg) {
	struct run *r = arg;

	settler_end(r->service.settler, r->service.group);
	if (r->hangup && !r->service.group->away)
		on_hangup(r);
	settle(&r->service); /* a newer list may have come meanwhile */
	server_go_on(r->server);
}

/* All or nothing: a mistake in the configuration leaves everything as it was. */
static int reload(struct run *r, struct err *e) {
	struct gwconf *conf = xcalloc(1, sizeof *conf), *old = r->conf;
	const struct identity_source from = { conf, r->chain, r->plan->passin, r->service.group->id.key };
	struct identity id = { 0 };
	SSL_CTX *ctx = NULL;
	bool renewed;

	if (gwconf_load(r->plan->config, conf, e) != 0 || renew_load(&id, &renewed, &from, e) != 0 ||
	    (ctx = new_ctx(r, &id, e)) == NULL || group_change(r->service.group, conf, &id, e) != 0) {
		SSL_CTX_free(ctx);
		identity_wipe(&id);
		gwconf_wipe(conf);
		free(conf);
		return e->code;
	}
	server_set_ctx(r->server, ctx);
	SSL_CTX_free(ctx);
	log_set_level(conf->level);
	if (strcmp(conf->listen, old->listen) != 0)
		log_event(LOG_LEVEL_WARN, "listen-unchanged", "why", "another address needs a restart", NULL);
	r->conf = conf;
	gwconf_wipe(old);
	free(old);
	warn_about(&r->service.group->id, conf);
	return renewed ? renew_finish(conf, e) : 0;
}

static void on_hangup(struct run *r) {
	struct err e = ERR_INIT;

	r->hangup = r->service.group->away; /* what a thread uses does not change under it */
	if (r->hangup)
		return;
	if (reload(r, &e) != 0)
		log_event(LOG_LEVEL_ERROR, "reload-failed", "error", e.text, "then",
		    "what could not be read stays as it was", NULL);
	else
		log_event(LOG_LEVEL_INFO, "reloaded", "config", r->plan->config, NULL);
	inbox_poke(r->service.inbox);
	settle(&r->service);
}

static void on_signal(void *arg) {
	struct run *r = arg;
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGHUP) {
			on_hangup(r);
			continue;
		}
		log_event(LOG_LEVEL_INFO, "stopping", NULL);
		supervisor_tell("STOPPING=1");
		server_stop(r->server);
	}
}

/* Before the first thread: the loop alone hears of signals. */
static int take_signals(struct run *r, struct err *e) {
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
	    (r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return err_sys(e, ERR_FAIL, "signals");
	return 0;
}

static int open_group(struct run *r, struct err *e) {
	struct identity_source from = { .conf = r->conf, .passin = r->plan->passin };
	OWN(own_free) char *lock = NULL;

	if (gwconf_load(r->plan->config, r->conf, e) != 0)
		return e->code;
	log_set_level(r->conf->level);
	if (r->plan->ready != NULL && identity_check_out(r->conf, r->plan->ready, e) != 0)
		return e->code;
	lock = gwconf_path(r->conf, FILE_LOCK);
	/* One that was just killed holds it until the kernel has taken it apart. */
	if (file_lock(lock, LOCK_WAIT_MS, &r->lock, e) != 0)
		return err_add(e, "a gateway runs on this folder already");
	if (r->plan->ready != NULL && !file_is_special(r->plan->ready))
		(void)unlink(r->plan->ready); /* nobody shall read the port of an earlier run */
	if (identity_chain(r->conf, &r->chain, e) != 0)
		return e->code;
	from.chain = r->chain;
	if (renew_open(&r->service.group, &from, e) != 0)
		return e->code;
	warn_about(&r->service.group->id, r->conf);
	r->service.group->swapped = on_swapped;
	r->service.group->swapped_arg = r;
	return 0;
}

static int open_service(struct run *r, struct err *e) {
	struct service *s = &r->service;

	s->packages = packages_new();
	if (rate_new(&s->crl_rate, ROUTE_CRL_PER_MINUTE, CRL_WINDOW_MS, e) != 0 ||
	    rate_new(&s->get_rate, ROUTE_GET_PER_MINUTE, CRL_WINDOW_MS, e) != 0)
		return e->code;
	if (inbox_new(&s->inbox, r->conf->dir, FILE_CRL, r->chain, e) != 0)
		return e->code;
	inbox_look(s->inbox); /* what lies there already is in force before the first request */
	on_list(r);
	settle(&r->service);
	if (settler_new(&s->settler, e) != 0)
		return e->code;
	return inbox_start(s->inbox, e);
}

static int open_server(struct run *r, struct err *e) {
	const struct gwconf *c = r->conf;
	const struct server_limits limits = {
		.handshake_ms = (unsigned)c->handshake_s * 1000,
		.head_ms = (unsigned)c->head_s * 1000,
		.body_ms = (unsigned)c->request_s * 1000,
		.write_ms = (unsigned)c->request_s * 1000,
		.idle_ms = (unsigned)c->idle_s * 1000,
		.connections = (unsigned)c->connections,
		.per_address = (unsigned)c->per_address,
		.count_loopback = c->count_loopback,
		.spool_dir = c->dir,
	};
	const struct server_ops ops = {
		.arg = &r->service,
		.body_max = route_body_max,
		.handle = route_handle,
		.commit = route_commit,
		.still_good = route_still_good,
		.forget = route_forget,
		.refused = route_refused,
	};
	SSL_CTX *ctx = new_ctx(r, &r->service.group->id, e);
	char there[16];
	int rc, handed;

	if (ctx == NULL)
		return e->code;
	rc = supervisor_socket(&handed, e);
	(void)snprintf(there, sizeof there, "@%d", handed);
	if (rc == 0)
		rc = server_new(&r->server, handed >= 0 ? there : c->listen, ctx, &ops, &limits, e);
	SSL_CTX_free(ctx);
	if (rc != 0)
		return rc;
	if (server_watch(r->server, r->signals, on_signal, r, e) != 0)
		return e->code;
	if (server_watch(r->server, settler_fd(r->service.settler), on_settled, r, e) != 0)
		return e->code;
	return server_watch(r->server, inbox_fd(r->service.inbox), on_list, r, e);
}

/* Not one of the server's operations: their argument is the service, and this needs the server too. */
static void on_clock(void *arg) {
	struct run *r = arg;
	uint64_t n;

	if (read(r->clock, &n, sizeof n) < 0)
		return;
	settle(&r->service);
	publish(r);
}

static int start_clock(struct run *r, struct err *e) {
	const struct itimerspec each = { .it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = TICK_NS };

	if ((r->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) < 0 || timerfd_settime(r->clock, 0, &each, NULL) != 0)
		return err_sys(e, ERR_FAIL, "timer");
	return server_watch(r->server, r->clock, on_clock, r, e);
}

static int open_beside(struct run *r, struct err *e) {
	const struct crlfetch_config fetch = { r->conf->crl_url, r->conf->dir, r->conf->crl_fetch_s, r->service.inbox };
	char address[80];

	if (r->conf->monitor != NULL) {
		if (monitor_new(&r->monitor, r->conf->monitor, e) != 0)
			return err_add(e, "monitor");
		monitor_address(r->monitor, address);
		log_event(LOG_LEVEL_INFO, "monitor", "listen", address, NULL);
	}
	publish(r);
	if (r->conf->crl_url != NULL && crlfetch_start(&r->fetch, &fetch, e) != 0)
		return err_add(e, "crl_url");
	return start_clock(r, e);
}

static int say_ready(struct run *r, struct err *e) {
	const struct group *g = r->service.group;
	char address[80], line[81], number[24], epoch[24], size[24];

	server_address(r->server, address);
	(void)snprintf(line, sizeof line, "%s\n", address);
	(void)snprintf(epoch, sizeof epoch, "%" PRIu64, g->keyring.n > 0 ? keyring_current(&g->keyring)->number : 0);
	(void)snprintf(number, sizeof number, "%" PRIu64, g->list != NULL ? crl_set_number(g->list->set) : 0);
	(void)snprintf(size, sizeof size, "%" PRIu64, ledger_size(g->ledger));
	log_event(LOG_LEVEL_INFO, "serving", "listen", address, "group", chain_group(r->chain), "epoch", epoch, "crl",
	    g->list != NULL ? number : NULL, "ledger", size, NULL);
	if (r->plan->ready != NULL && file_save(r->plan->ready, line, strlen(line), 0644, e) != 0)
		return e->code;
	supervisor_tell("READY=1");
	return 0;
}

static void wipe(struct run *r) {
	crlfetch_free(r->fetch);
	monitor_free(r->monitor);
	server_free(r->server);
	inbox_free(r->service.inbox);
	settler_free(r->service.settler);
	rate_free(r->service.crl_rate);
	rate_free(r->service.get_rate);
	packages_free(r->service.packages);
	group_close(&r->service.group);
	chain_free(r->chain);
	gwconf_wipe(r->conf);
	free(r->conf);
	own_fd(&r->signals);
	own_fd(&r->clock);
	own_fd(&r->lock);
}

int run_gateway(const struct run_plan *p, struct err *e) {
	OWN(wipe) struct run r = { .plan = p, .conf = xcalloc(1, sizeof(struct gwconf)), .lock = -1, .signals = -1, .clock = -1 };

	if (confine_process() == CONFINE_FAILED)
		log_event(LOG_LEVEL_WARN, "not-confined", "why", "no filter of system calls (seccomp) could be set", NULL);
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_ABOVE); /* by itself it rises up to 32 MiB */
	if (open_group(&r, e) != 0 || take_signals(&r, e) != 0 || open_service(&r, e) != 0 || open_server(&r, e) != 0 ||
	    open_beside(&r, e) != 0 || say_ready(&r, e) != 0)
		return e->code;
	if (server_run(r.server, e) != 0)
		return e->code;
	log_event(LOG_LEVEL_INFO, "stopped", NULL);
	return 0;
}
