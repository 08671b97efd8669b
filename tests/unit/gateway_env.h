/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway without sockets for unit tests: a group in a folder of its own, requests as text, replies as the server would send them. */
#ifndef SCG_TESTS_GATEWAY_ENV_H
#define SCG_TESTS_GATEWAY_ENV_H

#include "gateway/evict.h"
#include "gateway/route.h"
#include "lib/fixture.h"

struct env {
	struct fixture f;
	struct gwconf conf;
	struct service service;
	struct group *g;
};

/* Checked fixture: opens ENV's group without a list. more: further lines of the configuration, or NULL. */
void env_init(struct env *v, const char *more);
/* env_init, then list number 1, which names nobody, is put in force. */
void env_open(struct env *v);
/* A second group behind the same address, in a folder of its own below first's, with list number 1. first is wiped after it. */
void env_beside(struct env *v, struct env *first);
void env_wipe(struct env *v);
void env_wipe_beside(struct env *v);
/* The same folder again, as after a restart. */
void env_restart(struct env *v);

/* A list with these revoked: made, offered and settled. */
enum offer env_crl(struct env *v, uint64_t number, X509 *const *revoked, size_t n, int reason);
/* Offered only: evict_settle is the caller's. */
enum offer env_offer(struct env *v, uint64_t number, X509 *const *revoked, size_t n, int reason);

/* A connection of this peer (cert NULL: none), with the handshake's verdict. */
void env_connect(const struct env *v, X509 *cert, struct server_peer *p);
/* One request as the server handles it: body_max, handle, commit, still_good. head: "GET /crl". Returns the status; wipe the reply. */
int env_call(struct env *v, struct server_peer *p, const char *head, const void *body, size_t len, struct http_reply *r);
/* A request on a connection of its own; the reply must have this status and, where it is a problem, this type. */
void env_expect(struct env *v, X509 *cert, const char *head, const void *body, size_t len, int status, const char *type);

#endif
