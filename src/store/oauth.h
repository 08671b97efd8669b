/* SPDX-License-Identifier: Apache-2.0 */
/* OAuth 2.0 for an installed program (RFC 6749, 7636, 8252, 8628) and for service accounts (RFC 7523): getting tokens,
 * keeping them sealed, having a fresh one at hand. */
#ifndef SCG_STORE_OAUTH_H
#define SCG_STORE_OAUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"
#include "net/rest.h"
#include "store/gdrive.h"
#include "store/store.h"

#define OAUTH_FILE "gdrive.cms" /* in the member's folder, 0600: the grant, enveloped to the member's own key */

#define OAUTH_LOCK "gdrive.lock" /* beside it: who refreshes or replaces the grant */

/* An access token at hand for any number of threads, and for several processes that share the folder. */
struct oauth;
/* ERR_REFUSED where nobody has signed in ("scg login"). env, conf and net are borrowed. */
int oauth_open(struct oauth **o, const struct store_env *env, const struct gdrive_conf *conf, struct rest *net,
    struct err *e) MUST_CHECK;
void oauth_free(struct oauth *o);
/* A copy of an access token, with its NUL (counted in len), that is good for a minute at least; rejected (may be NULL)
 * is one that the service has just refused with a 401, and is not given again. ERR_REFUSED where the grant has ended
 * (invalid_grant: says how to sign in again), ERR_UNREACHABLE. */
int oauth_token(struct oauth *o, const char *rejected, struct secret *token, struct err *e) MUST_CHECK;
/* Is the granted scope one that sees other members' objects? (A device's, drive.file, is not.) */
bool oauth_sees_all(const struct oauth *o);

/* Signing in. Each ends with the grant kept in the member's folder. */
struct oauth_login {
	const struct store_env *env;
	const struct gdrive_conf *conf;
	struct rest *net;
	unsigned timeout_s;
	/* Shows the URL of the consent page, or of the device page with its code. */
	int (*show)(void *arg, const char *url, const char *user_code, struct err *e);
	void *arg;
};
int oauth_login_loopback(const struct oauth_login *l, struct err *e) MUST_CHECK;
int oauth_login_device(const struct oauth_login *l, struct err *e) MUST_CHECK;
int oauth_login_service_account(const struct oauth_login *l, const char *json_file, struct err *e) MUST_CHECK;
/* Revokes the grant (RFC 7009) and removes it from the folder; the file goes even where the service cannot be reached,
 * and the error says so. ERR_NOTFOUND where there is none. */
int oauth_logout(
    const struct store_env *env, const struct gdrive_conf *conf, struct rest *net, struct err *e) MUST_CHECK;

#endif
