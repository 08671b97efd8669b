/* SPDX-License-Identifier: Apache-2.0 */
/* A small application behind the server, for its tests: strangers get a 403, members what they ask for. */
#ifndef SCG_TESTS_SERVER_APP_H
#define SCG_TESTS_SERVER_APP_H

#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "lib/suite.h"
#include "lib/web.h"

#define GET "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define BIG (8u << 20) /* what GET /big gives: more than sockets buffer */

extern struct fixture group;
extern struct web web;
extern struct app {
	atomic_int handled, commits, forgotten, ticks, refused, released, held;
	atomic_bool commit_fails, revoked;
	atomic_bool let_go; /* GET /hold keeps the whole server until then */
	X509 *_Atomic named; /* GET /swap closes the connections of who has this certificate */
} app;
extern uint8_t big[BIG];

/* Serves it with the group's gateway certificate. */
void app_start(const struct server_limits *lim);
/* The server reads app from its own thread. */
void app_handle(void *arg, struct server_peer *p, struct http_request *r, struct http_reply *reply);
void app_forget(void *arg, struct server_peer *p);
/* Waits up to 2 min. */
bool app_wait_for(atomic_int *v, int want);
/* True: the end of a TCP connection came within 2 min. */
bool tcp_is_dropped(int fd);
/* Runs the case with a fresh group for each test. */
int app_run(const char *name, TCase *t);

#endif
