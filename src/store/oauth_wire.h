/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the token service (RFC 6749): a form goes there, JSON comes back; what it refuses becomes one line that says
 * what to do. */
#ifndef SCG_STORE_OAUTH_WIRE_H
#define SCG_STORE_OAUTH_WIRE_H

#include <stdbool.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/rest.h"
#include "store/gdrive.h"
#include "store/oauth_grant.h"

#define WIRE_REPLY_MAX ((size_t)64 * 1024) /* of JSON; Google's has 3 KiB with an ID token */
#define WIRE_ERROR_MAX 48

struct wire_reply {
	int status;
	char error[WIRE_ERROR_MAX]; /* the code of RFC 6749 5.2, empty for none; safe for a terminal */
	json_t *doc;                /* an object, or NULL where the status is an error or nothing is due */
};
void wire_reply_wipe(struct wire_reply *p);

/* 0 for a 2xx with a JSON object, and for every status whose body names an error (p begins as {0}; wipe it in every
 * case). ERR_UNREACHABLE, also for 429 and 5xx; ERR_DAMAGED: no such reply. idempotent: may be sent again though the
 * service perhaps acted on it. */
int wire_post(struct rest *net, const char *url, const struct buf *form, bool idempotent, struct wire_reply *p,
    struct err *e) MUST_CHECK;
/* Fails for a reply that names an error: invalid_grant with the text ended, others with what is known of them.
 * ERR_REFUSED, or ERR_UNREACHABLE where it is a matter of trying again. */
int wire_check(const struct wire_reply *p, const char *ended, struct err *e) MUST_CHECK;
/* RFC 6749 5.1: access token and its life, and if they are there refresh token and scope. ERR_DAMAGED. */
int wire_take_tokens(const struct wire_reply *p, struct grant *g, struct err *e) MUST_CHECK;

/* Adds client_id, and client_secret if there is one. */
void wire_add_client(struct buf *form, const struct gdrive_conf *conf);
/* A new access token for this grant; for a user's or a device's with the refresh token. What the service rotates is
 * taken over. ERR_REFUSED where the grant has ended. */
int wire_refresh(struct rest *net, const struct gdrive_conf *conf, struct grant *g, struct err *e) MUST_CHECK;

#endif
