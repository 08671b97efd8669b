/* SPDX-License-Identifier: Apache-2.0 */
/* What a sign-in was granted, and the file in the member's folder that keeps it. */
#ifndef SCG_STORE_OAUTH_GRANT_H
#define SCG_STORE_OAUTH_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "base/secret.h"
#include "store/store.h"

#define GRANT_FILE_MAX ((size_t)64 * 1024)
#define GRANT_SECRET_MAX (SECRET_MAX - 1) /* a token; Google's have at most 2,048 bytes */
#define GRANT_LOCK_MS 150000              /* longer than a request with all its attempts may take */

enum grant_kind { GRANT_USER, GRANT_DEVICE, GRANT_SERVICE };

struct grant {
	enum grant_kind kind;
	char *client_id;       /* whose program was granted it; NULL for a service account */
	char *scope;           /* blank-separated, RFC 6749 3.3 */
	struct secret refresh; /* empty for a service account */
	struct secret access;  /* empty before the first */
	int64_t expires_s;
	char *email, *key_id; /* of a service account; key_id may be NULL */
	struct secret key;    /* its private key, PEM */
};
void grant_wipe(struct grant *g);
/* Opens the file; g begins as {0}, wipe it in every case. ERR_NOTFOUND; ERR_REFUSED: sealed to another certificate than
 * the member's present one; ERR_DAMAGED. */
int grant_load(struct grant *g, const struct store_env *env, struct err *e) MUST_CHECK;
/* Writes it whole, mode 0600. The caller holds the lock. */
int grant_save(const struct grant *g, const struct store_env *env, struct err *e) MUST_CHECK;
/* *fd is closed to release. */
int grant_lock(const struct store_env *env, int *fd, struct err *e) MUST_CHECK;

/* The scope that sees all of a drive is among those granted; that of this name is. */
bool grant_has_scope(const struct grant *g, const char *scope);

/* The text as a secret of 1 to GRANT_SECRET_MAX bytes, replacing what is there; a NUL lies behind it. A token has
 * printable ASCII alone, for it goes into a header; a key in PEM may have line ends too. false: not such a text. */
bool grant_take_token(const json_t *text, struct secret *s);
bool grant_take_pem(const json_t *text, struct secret *s);
/* Likewise for what is none: at most 1,024 bytes of UTF-8 without control characters. */
bool grant_take_text(const json_t *text, char **s);

#endif
