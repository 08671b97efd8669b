/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its handler: the table of resources, and the gate that every request passes. */
#ifndef SCG_GATEWAY_ROUTE_H
#define SCG_GATEWAY_ROUTE_H

#include "gateway/call.h"

#define ROUTE_BODY (64u << 10)       /* where a resource says nothing else */
#define ROUTE_CRL_ANYBODY (1u << 20) /* 30,000 revoked certificates */
#define ROUTE_CRL_PER_MINUTE 10      /* lists from one address, loopback excepted */
#define ROUTE_GET_PER_MINUTE 60      /* lists to one address without a good certificate, likewise: one may have 64 MiB */

/* The server's operations; arg is the first struct service: the chain that judged the peer says which one its requests are for. */
int64_t route_body_max(void *arg, struct server_peer *p, const struct http_request *q, struct http_reply *r);
void route_handle(void *arg, struct server_peer *p, struct http_request *q, struct http_reply *r);
int route_commit(void *arg);
bool route_still_good(void *arg, struct server_peer *p, const struct http_request *q, struct http_reply *r);
void route_forget(void *arg, struct server_peer *p);
void route_refused(void *arg, const struct server_peer *p, int status, const char *why);

/* For server_close_if after a swap; arg is the service of that group: is this peer on its list in force? */
bool route_is_revoked(void *arg, struct server_peer *p, struct http_reply *r);

#endif
