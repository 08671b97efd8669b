/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway that starts takes while it still may, and then gives up for good. */
#ifndef SCG_GATEWAY_RIGHTS_H
#define SCG_GATEWAY_RIGHTS_H

#include "gateway/fence.h"

struct rights {
	int listener;            /* the socket, -1: none yet */
	bool root;               /* it goes on as root */
	bool unconfined;         /* no filter of system calls */
	const char *unfenced;    /* why there is no fence, or NULL */
	const char *user;        /* whom root became, or NULL; borrowed from the configuration */
};

/* In this order, before any file is made and any thread started: the socket (the supervisor's, else listen's if root is to become the configured user), room
 * for the keys of so many connections, root's rights, privileges and system calls (confine.h), files and ports (fence.h). ERR_USAGE, ERR_FAIL: it must not
 * serve so; a kernel that lacks something is no error. p->bound is ignored. */
int rights_give_up(const struct fence_plan *p, struct rights *r, struct err *e) MUST_CHECK;
/* Lines in the log about what is not as it should be. */
void rights_tell(const struct rights *r);

#endif
