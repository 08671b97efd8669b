/* SPDX-License-Identifier: Apache-2.0 */
/* The drive: a place for immutable objects, believed for nothing. One interface, several kinds. */
#ifndef SCG_STORE_STORE_H
#define SCG_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STORE_ID_LEN 26 /* base32 of 128 random bits; the file is ID.cms */

struct gdrive_conf;
struct secret;
struct evp_pkey_st; /* EVP_PKEY */
struct x509_st;     /* X509 */
struct store;
struct store_put;

/* What kinds beyond a folder need of the member. Borrowed as long as the store is open. */
struct store_env {
	const char *dir;                  /* the member's folder: tokens lie there */
	const struct gdrive_conf *gdrive; /* gdrive.h; NULL: the defaults */
	struct evp_pkey_st *key;          /* the member's own: what lies in the folder is sealed to it */
	struct x509_st *cert;
	/* Where access tokens come from, as oauth_token() gives them; NULL: from the grant in dir. */
	int (*token)(void *arg, const char *rejected, struct secret *token, struct err *e);
	void *token_arg;
	unsigned total_s;                 /* a drive that gives no answer for so long cannot be reached; 0: the kind's own patience */
};
/* spec: "directory:PATH", "gdrive:FOLDER-ID" (later rclone:). ERR_USAGE for another kind; ERR_UNREACHABLE where it cannot be
 * reached. Every id below that is not [a-z2-7]{26} is ERR_FAIL. */
int store_open(struct store **s, const char *spec, struct err *e) MUST_CHECK;
/* The same, for every kind. */
int store_open_env(struct store **s, const char *spec, const struct store_env *env, struct err *e) MUST_CHECK;
void store_close(struct store *s);
const char *store_spec(const struct store *s);
/* Each call is a request over a network: few long ones are better than many short ones. */
bool store_is_remote(const struct store *s);

/* A new object: write in order, then commit; it appears whole or not at all. ERR_EXISTS if the id is taken. Abort is
 * put_free without commit. */
int store_put_open(struct store *s, const char *id, struct store_put **p, struct err *e) MUST_CHECK;
int store_put_write(struct store_put *p, const void *data, size_t len, struct err *e) MUST_CHECK;
int store_put_commit(struct store_put *p, struct err *e) MUST_CHECK;
/* store_put_commit, no error code, though e has a text: the drive stored other bytes than were sent, they are destroyed, and only who has the bytes
 * can send them again, as another object. */
#define STORE_SPOILED 1
#define STORE_SPOILED_MAX 3 /* so often it is worth it */
void store_put_free(struct store_put *p);

/* The same under an id that was drawn here from 128 random bits, so that no one needs to be asked whether it is taken. */
int store_put_new(struct store *s, char id[static STORE_ID_LEN + 1], struct store_put **p, struct err *e) MUST_CHECK;

/* A put that outlives its process: the object's bytes lie in a file, and the token says how far the drive is. */
struct store_send {
	int fd;                /* read with pread, from 0 to size */
	uint64_t size;
	const uint8_t *sha256; /* of the bytes, 32, where it is known already; NULL: counted while they go */
	const char *token;     /* what keep was given last for this object and these very bytes, or NULL */
	/* The file still grows: waits until the bytes before end are there and will not change; for those before size until it is whole, and sha256 set.
	 * NULL: it is whole. An error ends the put (handed on). */
	int (*wait)(void *arg, uint64_t end, struct err *e);
	/* Must be durable when it returns. The token is a bearer secret of at most STORE_TOKEN_MAX bytes. */
	int (*keep)(void *arg, const char *token, struct err *e);
	/* So many more bytes went out, or were there already; what goes out again is not told again. */
	void (*progress)(void *arg, uint64_t bytes);
	void *arg;
};
#define STORE_TOKEN_MAX 4096
/* Objects of more bytes than this are worth store_send; 0: puts of this kind are local, or cannot be taken up again. */
uint64_t store_chunk(const struct store *s);
/* The object appears whole or not at all; what the drive holds is compared with the bytes sent. What the drive already has of this object is
 * not sent again. A token that the drive has forgotten begins anew. */
int store_send(struct store *s, const char *id, const struct store_send *how, struct err *e) MUST_CHECK;

struct store_stat {
	char id[STORE_ID_LEN + 1];
	uint64_t size;
	int64_t modified_s;
};
/* ERR_NOTFOUND. */
int store_stat(struct store *s, const char *id, struct store_stat *st, struct err *e) MUST_CHECK;
/* Up to len bytes at off; short only at the end; ERR_NOTFOUND; ERR_UNREACHABLE where the drive itself is gone.
 * Thread-safe. */
int store_get(
    struct store *s, const char *id, uint64_t off, void *data, size_t len, size_t *got, struct err *e) MUST_CHECK;
/* Some drives let several files have one name, and what was read is not what it should be: from now on another of that name counts as the object, one
 * that has these bytes by the drive's own word. ERR_NOTFOUND: there is none. */
int store_prefer(struct store *s, const char *id, const uint8_t sha256[static 32], struct err *e) MUST_CHECK;
/* What the drive itself says that the object's bytes are, so that a reply that was garbled on its way can be told from a drive that has other bytes.
 * ERR_NOTFOUND: it says nothing of it. */
int store_sha256(struct store *s, const char *id, uint8_t sha256[static 32], struct err *e) MUST_CHECK;
/* Reading from off to the end as one request: what comes in order. A broken connection is taken up again inside. One thread at a time. */
struct store_stream;
int store_stream_open(struct store *s, const char *id, uint64_t off, struct store_stream **r, struct err *e) MUST_CHECK;
/* Up to len bytes; *got 0 only at the end. */
int store_stream_read(struct store_stream *r, void *data, size_t len, size_t *got, struct err *e) MUST_CHECK;
void store_stream_free(struct store_stream *r);

/* Every object (what is not a plain file named ID.cms is passed over), in no order; an id that the drive shows twice
 * comes twice. f returns non-zero to stop (handed on). */
int store_list(struct store *s, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg,
    struct err *e) MUST_CHECK;
/* Likewise those that a person put into the drive's own trash, where it has one. */
int store_list_trashed(struct store *s, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg,
    struct err *e) MUST_CHECK;
/* For good; what is gone is no error; proved by asking again. ERR_REFUSED where it is not ours to destroy. */
int store_destroy(struct store *s, const char *id, struct err *e) MUST_CHECK;
/* Whether what is not found is looked for again, since a listing may lag behind a create (the default); not while threads are at work. */
void store_set_patience(struct store *s, bool patient);
/* Removes what puts that were killed left behind, where nothing was written to it since before_s; *n counts. */
int store_sweep(struct store *s, int64_t before_s, uint64_t *n, struct err *e) MUST_CHECK;

#define STORE_OWNER_MAX 256
/* What the drive keeps besides the objects: trash, older revisions. */
struct store_kept {
	char name[64];                /* as on the drive, escaped */
	const char *what;             /* "trashed file", "revision" of a file of that name */
	const char *handle;           /* for store_kept_get, during the call */
	uint64_t size;
	char owner[STORE_OWNER_MAX];  /* as store_owner says it */
};
/* Who alone may destroy the object, as text for a report (an e-mail address, escaped); empty where the kind knows no owners. ERR_NOTFOUND. */
int store_owner(struct store *s, const char *id, char owner[static STORE_OWNER_MAX], struct err *e) MUST_CHECK;
/* Calls f for all that is kept; a kind that keeps nothing has none. */
int store_each_kept(struct store *s, int (*f)(void *arg, const struct store_kept *k, struct err *e), void *arg, struct err *e) MUST_CHECK;
/* Like store_get, of something kept. */
int store_kept_get(
    struct store *s, const char *handle, uint64_t off, void *data, size_t len, size_t *got, struct err *e) MUST_CHECK;
/* Takes away the access that an account (an e-mail address) has to the drive. What is gone is no error; ERR_FAIL: the kind has no such thing;
 * ERR_REFUSED: not ours to say. */
int store_unshare(struct store *s, const char *email, struct err *e) MUST_CHECK;
/* Makes the drive of "gdrive:new:NAME" and gives its specification, malloc'd. */
int store_create(const char *spec, const struct store_env *env, char **made, struct err *e) MUST_CHECK;
/* Removes a drive that store_create has just made, and that nobody came to know of. */
int store_discard(const char *made, const struct store_env *env, struct err *e) MUST_CHECK;

/* One kind of store; directory.c, gdrive.c ... fill one in. */
struct store_kind {
	const char *name;
	bool remote;
	int (*open)(void **state, const char *where, const struct store_env *env, struct err *e); /* env may be NULL */
	void (*close)(void *state);
	int (*put_open)(void *state, const char *id, bool fresh, void **put, struct err *e); /* fresh: cannot be taken */
	int (*put_write)(void *put, const void *data, size_t len, struct err *e);
	int (*put_commit)(void *put, struct err *e);
	void (*put_free)(void *put);
	int (*stat)(void *state, const char *id, struct store_stat *st, struct err *e);
	int (*get)(void *state, const char *id, uint64_t off, void *data, size_t len, size_t *got, struct err *e);
	int (*list)(
	    void *state, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e);
	int (*list_trashed)(
	    void *state, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e); /* NULL: no trash */
	int (*destroy)(void *state, const char *id, struct err *e);
	int (*sweep)(void *state, int64_t before_s, uint64_t *n, struct err *e); /* NULL: puts leave nothing */
	/* All of these may be NULL. */
	uint64_t (*chunk)(void *state);
	int (*send)(void *state, const char *id, const struct store_send *how, struct err *e);
	int (*stream_open)(void *state, const char *id, uint64_t off, void **stream, struct err *e); /* NULL: get, again and again */
	int (*stream_read)(void *stream, void *data, size_t len, size_t *got, struct err *e);
	void (*stream_free)(void *stream);
	int (*prefer)(void *state, const char *id, const uint8_t sha256[static 32], struct err *e);
	int (*sha256)(void *state, const char *id, uint8_t sha256[static 32], struct err *e);
	int (*owner)(void *state, const char *id, char owner[static STORE_OWNER_MAX], struct err *e);
	int (*each_kept)(
	    void *state, int (*f)(void *arg, const struct store_kept *k, struct err *e), void *arg, struct err *e);
	int (*kept_get)(
	    void *state, const char *handle, uint64_t off, void *data, size_t len, size_t *got, struct err *e);
	int (*unshare)(void *state, const char *email, struct err *e);
	int (*create)(const char *where, const struct store_env *env, char **made, struct err *e);
	void (*set_patience)(void *state, bool patient);
	int (*discard)(const char *where, const struct store_env *env, struct err *e);
};
extern const struct store_kind store_directory, store_gdrive;

#endif
