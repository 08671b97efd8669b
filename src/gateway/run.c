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
#include "gateway/monitor.h"
#include "gateway/realms.h"
#include "gateway/rights.h"
#include "gateway/route.h"
#include "gateway/supervisor.h"
#include "net/server.h"

#define MMAP_ABOVE (1 << 20) /* bytes of an allocation that goes back to the system when freed: a list of a million does not stay */
#define SESSIONS 1024 /* that can be resumed: a group has up to 300 members */
#define ARENAS 2 /* by itself 8 for each core, and each keeps what a crowd needed */
#define TICK_NS 250000000
#define CROWD 64 /* connections; their memory is 2 MiB */

struct run {
	const struct run_plan *plan;
	struct realms realms;
	struct server *server;
	struct monitor *monitor;
	uint64_t crowd; /* most connections since memory was given back */
	int signals, clock;
	struct rights rights;
};

/* What a crowd needed does not stay when it has gone: the allocator keeps it in pieces between what lives on. */
static void give_back(struct run *r, uint64_t now) {
	if (now > r->crowd)
		r->crowd = now;
	if (r->crowd < CROWD || now > r->crowd / 4)
		return;
	r->crowd = now;
	(void)malloc_trim(0);
}

static void publish(struct run *r) {
	struct server_stats stats;

	server_get_stats(r->server, &stats);
	give_back(r, stats.connections);
	realms_look(&r->realms, &stats);
	for (size_t i = 0; i < r->realms.n; i++)
		monitor_publish(r->monitor, i, &r->realms.v[i].sight);
}

static void on_signal(void *arg) {
	struct run *r = arg;
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGHUP) {
			realms_hangup(&r->realms);
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

static int configure(struct run *r, struct err *e) {
	if (realms_load(&r->realms, r->plan->config, r->plan->passin, e) != 0)
		return e->code;
	log_set_level(realms_conf(&r->realms)->level);
	return 0;
}

static int give_up_rights(struct run *r, struct err *e) {
	OWN(own_free) struct fence_folder *folders = NULL;
	struct fence_plan p = { .ready = r->plan->ready };

	p.n = realms_folders(&r->realms, &folders);
	p.folders = folders;
	return rights_give_up(&p, &r->rights, e);
}

static int open_realms(struct run *r, struct err *e) {
	const char *ready = r->plan->ready;

	if ((ready != NULL && realms_check_out(&r->realms, ready, e) != 0) || realms_lock(&r->realms, e) != 0)
		return e->code;
	if (ready != NULL && !file_is_special(ready))
		(void)unlink(ready); /* nobody shall read the port of an earlier run */
	return realms_open(&r->realms, e);
}

static int open_server(struct run *r, struct err *e) {
	const struct gwconf *c = realms_conf(&r->realms);
	const struct server_limits limits = {
		.handshake_ms = (unsigned)c->handshake_s * 1000,
		.head_ms = (unsigned)c->head_s * 1000,
		.body_ms = (unsigned)c->request_s * 1000,
		.write_ms = (unsigned)c->request_s * 1000,
		.idle_ms = (unsigned)c->idle_s * 1000,
		.threads = gwconf_threads(c),
		.sessions = c->resumption ? SESSIONS : 0,
		.connections = (unsigned)c->connections,
		.per_address = (unsigned)c->per_address,
		.count_loopback = c->count_loopback,
		.spool_dir = c->dir,
	};
	const struct server_ops ops = {
		.arg = realms_service(&r->realms),
		.body_max = route_body_max,
		.handle = route_handle,
		.commit = route_commit,
		.still_good = route_still_good,
		.forget = route_forget,
		.refused = route_refused,
	};
	char there[16];

	(void)snprintf(there, sizeof there, "@%d", r->rights.listener);
	if (server_new(&r->server, r->rights.listener >= 0 ? there : c->listen, r->realms.ctx, &ops, &limits, e) != 0)
		return e->code;
	if (server_watch(r->server, r->signals, on_signal, r, e) != 0)
		return e->code;
	return realms_serve(&r->realms, r->server, e);
}

/* Not one of the server's operations: their argument is the service, and this needs the server too. */
static void on_clock(void *arg) {
	struct run *r = arg;
	uint64_t n;

	if (read(r->clock, &n, sizeof n) < 0)
		return;
	realms_settle(&r->realms);
	publish(r);
}

static int start_clock(struct run *r, struct err *e) {
	const struct itimerspec each = { .it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = TICK_NS };

	if ((r->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) < 0 || timerfd_settime(r->clock, 0, &each, NULL) != 0)
		return err_sys(e, ERR_FAIL, "timer");
	return server_watch(r->server, r->clock, on_clock, r, e);
}

static int open_beside(struct run *r, struct err *e) {
	const struct gwconf *c = realms_conf(&r->realms);
	char address[80];

	if (c->monitor != NULL) {
		if (monitor_new(&r->monitor, c->monitor, r->realms.n, e) != 0)
			return err_add(e, "monitor");
		monitor_address(r->monitor, address);
		log_event(LOG_LEVEL_INFO, "monitor", "listen", address, NULL);
	}
	publish(r);
	if (realms_fetch(&r->realms, e) != 0)
		return e->code;
	return start_clock(r, e);
}

static void say_serving(const struct realm *r, const char *address, unsigned n_threads) {
	const struct group *g = r->service.group;
	char number[24], epoch[24], size[24], threads[24];

	(void)snprintf(epoch, sizeof epoch, "%" PRIu64, g->keyring.n > 0 ? keyring_current(&g->keyring)->number : 0);
	(void)snprintf(number, sizeof number, "%" PRIu64, g->list != NULL ? crl_set_number(g->list->set) : 0);
	(void)snprintf(size, sizeof size, "%" PRIu64, ledger_size(g->ledger));
	(void)snprintf(threads, sizeof threads, "%u", n_threads);
	log_event(LOG_LEVEL_INFO, "serving", "listen", address, "threads", threads, "group", chain_group(r->chain), "epoch", epoch, "crl",
	    g->list != NULL ? number : NULL, "ledger", size, NULL);
}

static int say_ready(struct run *r, struct err *e) {
	char address[80], line[81];

	rights_tell(&r->rights);
	server_address(r->server, address);
	(void)snprintf(line, sizeof line, "%s\n", address);
	for (size_t i = 0; i < r->realms.n; i++)
		say_serving(&r->realms.v[i], address, gwconf_threads(realms_conf(&r->realms)));
	if (r->plan->ready != NULL && file_save(r->plan->ready, line, strlen(line), 0644, e) != 0)
		return e->code;
	supervisor_tell("READY=1");
	return 0;
}

static void wipe(struct run *r) {
	monitor_free(r->monitor);
	server_free(r->server);
	realms_close(&r->realms);
	own_fd(&r->signals);
	own_fd(&r->clock);
}

int run_gateway(const struct run_plan *p, struct err *e) {
	OWN(wipe) struct run r = { .plan = p, .signals = -1, .clock = -1 };

	(void)mallopt(M_MMAP_THRESHOLD, MMAP_ABOVE); /* by itself it rises up to 32 MiB */
	(void)mallopt(M_ARENA_MAX, ARENAS);
	if (configure(&r, e) != 0 || give_up_rights(&r, e) != 0)
		return e->code;
	if (open_realms(&r, e) != 0 || take_signals(&r, e) != 0 || realms_start(&r.realms, e) != 0 || open_server(&r, e) != 0 ||
	    open_beside(&r, e) != 0 || say_ready(&r, e) != 0)
		return e->code;
	if (server_run(r.server, e) != 0)
		return e->code;
	log_event(LOG_LEVEL_INFO, "stopped", NULL);
	return 0;
}
