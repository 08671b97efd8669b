/* SPDX-License-Identifier: Apache-2.0 */
/* A member who signs in, and a token service that says what a test wrote down: rest() of net/rest.h, without a network.
 */
#ifndef SCG_TESTS_OAUTH_LAB_H
#define SCG_TESTS_OAUTH_LAB_H

#include <stdatomic.h>

#include "lib/fixture.h"
#include "net/rest.h"
#include "store/oauth.h"
#include "store/oauth_grant.h"

#define LAB_TOKEN_URL "https://token.example/token"
#define LAB_REPLIES 8

/* What rest() answers, in turn; the last one again and again. */
struct lab_reply {
	int rc; /* not 0: rest() fails with it */
	int status;
	const char *body;
};
struct lab {
	struct fixture f;
	struct store_env env;
	struct gdrive_conf conf;
	struct lab_reply replies[LAB_REPLIES];
	atomic_int asked;          /* requests so far */
	char url[256], form[8192]; /* of the last one */
	bool idempotent;
	const char *count_path; /* or NULL: a byte is appended for each request, by whichever process */
};
extern struct lab lab;

/* A checked fixture. */
void lab_make(void);
void lab_drop(void);
/* The service answers this from now on. */
void lab_says(int status, const char *body);
/* A grant of a user that lives so many seconds, in the folder. */
void lab_grant(int64_t life_s, const char *access, const char *refresh);
/* The value of a field of a form, decoded; malloc'd, NULL: absent. */
char *lab_field(const char *form, const char *name);

#endif
