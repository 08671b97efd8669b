/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rights.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "base/secret.h"
#include "gateway/confine.h"
#include "gateway/supervisor.h"
#include "gateway/user.h"
#include "net/listener.h"

#define BIND_WAIT_MS 3000 /* as for the lock: one that was just ended has it until the kernel has taken it apart */
#define BIND_NAP_MS 50
#define CONNECTIONS 2048          /* where the configuration names no number: server.h */
#define CONNECTION_SECRETS 256    /* bytes: the keys of one handshake, P-521 among them */

static int open_listener(const char *listen, int *fd, struct err *e) {
	int64_t end_ms = clock_mono_ms() + BIND_WAIT_MS;
	int rc;

	while ((rc = listener_open(listen, fd, e)) == ERR_FAIL && clock_mono_ms() < end_ms)
		(void)poll(NULL, 0, BIND_NAP_MS);
	return rc;
}

static bool first_fault(void *arg, const char *text) {
	struct err *e = arg;

	(void)err_set(e, ERR_FAIL, "%s", text);
	return false;
}

static int become(const struct fence_plan *p, const struct user *u, struct err *e) {
	int rc = user_become(u, e);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < p->n && e->code == 0; i++)
		user_try_files(p->folders[i].conf, p->folders[i].config, i == 0 ? p->ready : NULL, first_fault, e);
	return e->code;
}

/* Who is not root can only be whom the configuration names. */
static int give_up_root(const struct fence_plan *p, struct rights *r, struct err *e) {
	const struct gwconf *c = p->folders[0].conf;
	struct user u = { 0, 0 };

	r->root = geteuid() == 0 && c->user == NULL;
	if (c->user == NULL)
		return 0;
	if (user_find(c->user, &u, e) != 0)
		return e->code;
	if (geteuid() != 0)
		return geteuid() == u.uid ? 0 : err_set(e, ERR_USAGE, "user: only root can become %s", c->user);
	if (r->listener < 0 && open_listener(c->listen, &r->listener, e) != 0)
		return e->code;
	r->user = c->user;
	return become(p, &u, e);
}

int rights_give_up(const struct fence_plan *p, struct rights *r, struct err *e) {
	uint64_t connections = p->folders[0].conf->connections;
	struct fence_plan plan = *p;

	*r = (struct rights){ .listener = -1 };
	if (supervisor_socket(&r->listener, e) != 0)
		return e->code;
	secret_heap((size_t)(connections > 0 ? connections : CONNECTIONS) * CONNECTION_SECRETS);
	if (give_up_root(p, r, e) != 0)
		return e->code;
	r->unconfined = confine_process() == CONFINE_FAILED;
	plan.bound = r->listener >= 0;
	(void)fence_close(&plan, &r->unfenced);
	return 0;
}

void rights_tell(const struct rights *r) {
	if (r->user != NULL)
		log_event(LOG_LEVEL_INFO, "user", "name", r->user, NULL);
	if (r->root)
		log_event(LOG_LEVEL_WARN, "runs-as-root", "why", "gateway.conf names no user", NULL);
	if (r->unconfined)
		log_event(LOG_LEVEL_WARN, "not-confined", "why", "no filter of system calls (seccomp) could be set", NULL);
	if (r->unfenced != NULL)
		log_event(LOG_LEVEL_WARN, "not-fenced", "why", r->unfenced, NULL);
}
