/* SPDX-License-Identifier: Apache-2.0 */
/* Who started this process, if it speaks systemd's protocols (sd_notify(3), sd_listen_fds(3)), which are a datagram and two variables. */
#ifndef SCG_GATEWAY_SUPERVISOR_H
#define SCG_GATEWAY_SUPERVISOR_H

#include <stdbool.h>

#include "base/err.h"

/* "READY=1", "STOPPING=1", "STATUS=..." to $NOTIFY_SOCKET; without one nothing is done. A failure is not worth an error: who waits for it has
 * a limit of time. */
void supervisor_tell(const char *state);
/* A listening socket was handed over: *fd (else -1). The variables are removed, so that no child takes it for its own. ERR_USAGE: more than one. */
int supervisor_socket(int *fd, struct err *e) MUST_CHECK;

#endif
