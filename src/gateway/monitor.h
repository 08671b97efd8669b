/* SPDX-License-Identifier: Apache-2.0 */
/* The local listener for operators: GET /healthz and /metrics, plain HTTP on a loopback address, by a thread of its own, so that it tells also
 * when the loop stands still. */
#ifndef SCG_GATEWAY_MONITOR_H
#define SCG_GATEWAY_MONITOR_H

#include "gateway/sight.h"

struct monitor;

/* For n groups. ERR_USAGE: no loopback address; ERR_FAIL: it cannot be bound. It answers when monitor_publish was called for each. */
int monitor_new(struct monitor **m, const char *listen, size_t n, struct err *e) MUST_CHECK;
void monitor_free(struct monitor *m); /* m may be NULL */
void monitor_address(const struct monitor *m, char out[static 80]);
/* What it tells of group i from here on; m may be NULL. */
void monitor_publish(struct monitor *m, size_t i, const struct sight *s);
/* One request (a whole head) to its reply; for tests. */
void monitor_answer(const struct sight *v, size_t n, const uint8_t *head, size_t len, struct http_reply *r);

#endif
