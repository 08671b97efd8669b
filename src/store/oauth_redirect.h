/* SPDX-License-Identifier: Apache-2.0 */
/* Where the browser brings the answer of the consent page: a listener on the loopback address for one redirect (RFC
 * 8252 7.3). */
#ifndef SCG_STORE_OAUTH_REDIRECT_H
#define SCG_STORE_OAUTH_REDIRECT_H

#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define REDIRECT_VISITORS_MAX 16 /* connections at once: browsers open some that they never use */
#define REDIRECT_VISITOR_MS 10000
#define REDIRECT_LINGER_MS 1000
#define REDIRECT_CODE_MAX 1024 /* Google's codes have at most 256 bytes */

struct redirect {
	int fd; /* -1: none */
	unsigned port;
	char uri[32]; /* "http://127.0.0.1:PORT" */
};
/* Listens on a port of the system's choice. */
int redirect_open(struct redirect *r, struct err *e) MUST_CHECK;
void redirect_close(struct redirect *r);
/* Answers requests until one has the state; what it brings is the code. Whatever else comes is refused there and waited
 * past. ERR_REFUSED: it brings an error (RFC 6749 4.1.2.1), so a denied consent; ERR_UNREACHABLE: none came before
 * end_ms of the monotonic clock. */
int redirect_wait(struct redirect *r, const char *state, int64_t end_ms, struct secret *code, struct err *e) MUST_CHECK;

#endif
