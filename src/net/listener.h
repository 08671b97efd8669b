/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets. */
#ifndef SCG_NET_LISTENER_H
#define SCG_NET_LISTENER_H

#include "base/err.h"

/* HOST:PORT as server_new takes it: what it would open itself, for who may not open it any more by then ("@N" then names it). Errors as there;
 * *fd is -1 after a failure. */
int listener_open(const char *where, int *fd, struct err *e) MUST_CHECK;
/* One on this machine alone; address gets what was bound. ERR_USAGE: no such address, or none of the loopback ones; ERR_FAIL: it cannot be
 * bound. *fd is -1 after a failure. */
int listener_open_local(const char *where, int *fd, char address[static 80], struct err *e) MUST_CHECK;

#endif
