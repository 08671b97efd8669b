/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of Google Drive that is open: its requests, what is known of its objects, and the parts that the kind is made of. */
#ifndef SCG_STORE_GDRIVE_STATE_H
#define SCG_STORE_GDRIVE_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/rest.h"
#include "store/gdrive.h"
#include "store/gdrive_reply.h"
#include "store/store.h"

#define GDRIVE_SMALL_MAX ((size_t)5 << 20)      /* "multipart only for small ones (5 MB documented)" */
#define GDRIVE_WINDOW GDRIVE_SMALL_MAX          /* what a put of unknown length holds: eight at once stay below 64 MiB */
#define GDRIVE_TOTAL_S 110                      /* what ends a command comes within REST_TOTAL_S even so */
#define GDRIVE_TIRED_S 5                        /* Drive is waited for in patience once; what comes behind is told sooner that it is not to be reached */
#define GDRIVE_VAIN 8                           /* so often a request goes again that is refused or garbled for no reason of its own, where no other is served */
#define GDRIVE_MISSES 50                        /* and so often where others are */
#define GDRIVE_TRIES 3                          /* an object whose checksum is wrong is sent so often, where no other arrives whole */
#define GDRIVE_TRIES_SMALL 12                   /* and a small one so often where others do */
#define GDRIVE_REPLY_MAX ((size_t)64 * 1024)    /* a resource, with room for fields that were not asked for */
#define GDRIVE_PAGE_MAX ((size_t)16 << 20)      /* 1,000 items with the longest names that a person gives; else fewer */
#define GDRIVE_MADE_FIELDS "id,name,mimeType,size,createdTime,trashed,sha256Checksum"
#define GDRIVE_FILE_FIELDS GDRIVE_MADE_FIELDS ",md5Checksum" /* where that was not enough */

struct gdrive_known; /* object id to file id of Drive */
struct gdrive_pool;  /* ids that were generated and not used */
struct oauth;

struct gdrive {
	struct rest *net;
	struct oauth *oauth;   /* NULL where tokens come from elsewhere */
	int (*token)(void *arg, const char *rejected, struct secret *token, struct err *e);
	void *token_arg;
	char *api;             /* without a slash at its end */
	char *folder;
	char drive[GDRIVE_FILE_MAX + 1]; /* the shared drive that the folder lies on, or empty */
	uint64_t chunk;
	unsigned settle_ms;
	bool hasty;              /* what is not found is not looked for again */
	atomic_uint served;      /* requests that were answered */
	atomic_uint proved;      /* objects that arrived whole */
	atomic_bool shut;        /* one had no luck at all, and none was served since */
	pthread_mutex_t turn;  /* of requests whose sign-in is refused again and again: one at a time */
	pthread_mutex_t lock;  /* of the three below */
	unsigned sought;       /* objects that were not known, and wanted to be read */
	struct gdrive_known *known;
	struct gdrive_pool *pool;
};

/* Requests. */

/* API + path + a query of names and values (NULL at the end); malloc'd. supportsAllDrives is always among them. */
char *gdrive_url(const struct gdrive *g, const char *path, const char *const *query);
/* rest() with an access token; with others where it is not accepted. p begins as {0}; wipe it in every case. */
int gdrive_rest(struct gdrive *g, const struct rest_request *q, struct rest_reply *p, struct err *e) MUST_CHECK;
/* The same for a reply in JSON, or an error by its status (gdrive_refuse; what names it). */
int gdrive_ask(struct gdrive *g, const char *method, const char *url, size_t max, const char *what, struct rest_reply *p, struct err *e) MUST_CHECK;
/* Attempts at what is not accepted under a fresh token (401), or garbled: Google does so now and then, and who has lost the account hears nothing else.
 * What tells them apart is whether others are served. Begins as {0}. */
struct gdrive_luck {
	unsigned misses, vain, served;
};
/* Waits a moment; false, at once, where it is not worth another attempt. */
bool gdrive_again(struct gdrive *g, struct gdrive_luck *l);
/* A 2xx that is none of Drive's answers: a page in place of it, no JSON. gdrive_rest asks again by itself, but for what may go once or has a take. */
bool gdrive_is_garbled(const struct rest_request *q, int r, const struct rest_reply *p);
/* Attempts that rest() does not repeat itself: should this outcome be followed by another? r is what gdrive_rest gave. */
bool gdrive_may_pass(int r, const struct rest_reply *p);
enum rest_verdict gdrive_judge(int status, const char *type, const struct buf *body);
void gdrive_pause_ms(unsigned ms);

/* files.get by an id of Drive. ERR_NOTFOUND. */
int gdrive_file_get(struct gdrive *g, const char *file, const char *fields, struct gdrive_file *f, struct err *e) MUST_CHECK;
/* files.delete, and files.get until it says that there is none; gone already is no error. ERR_REFUSED names the owner. */
int gdrive_file_destroy(struct gdrive *g, const char *file, struct err *e) MUST_CHECK;
/* The media type and the rest of a resource for files.create: JSON, malloc'd. parent may be NULL. */
char *gdrive_describe(const char *file, const char *name, const char *type, const char *parent);

/* Every page of a list: url without pageToken. each returns non-zero to stop (handed on). */
int gdrive_each_page(struct gdrive *g, enum gdrive_list list, const char *path, const char *const *query, const char *what,
    int (*each)(void *arg, const struct gdrive_page *p, struct err *e), void *arg, struct err *e) MUST_CHECK;
/* files.list of the folder: where is put behind "'FOLDER' in parents". fields are those of a file. */
int gdrive_each_file(struct gdrive *g, const char *where, const char *fields,
    int (*each)(void *arg, const struct gdrive_page *p, struct err *e), void *arg, struct err *e) MUST_CHECK;
/* The same, the oldest first. */
int gdrive_each_file_by_age(struct gdrive *g, const char *where, const char *fields,
    int (*each)(void *arg, const struct gdrive_page *p, struct err *e), void *arg, struct err *e) MUST_CHECK;

/* Ids. */

/* An id for files.create that was never used; from generateIds, many at once. */
int gdrive_new_id(struct gdrive *g, char file[static GDRIVE_FILE_MAX + 1], struct err *e) MUST_CHECK;
/* What was made or seen: bounded, so that any may have been forgotten. */
struct gdrive_known *gdrive_known_new(void);
void gdrive_known_free(struct gdrive_known *k);
struct gdrive_pool *gdrive_pool_new(void);
void gdrive_pool_free(struct gdrive_pool *p);
bool gdrive_recall(struct gdrive *g, const char *object, char file[static GDRIVE_FILE_MAX + 1]);
void gdrive_remember(struct gdrive *g, const char *object, const char *file);
void gdrive_forget(struct gdrive *g, const char *object);

/* Called for each object that is not known and will be read: after some of them a list of the folder tells of many more in one request. */
void gdrive_learn(struct gdrive *g);
/* The file that is the object: the one remembered, else by name, where the oldest of several counts. patient: a name that is not found is looked for
 * again for a while, since listings lag. ERR_NOTFOUND. */
int gdrive_find(struct gdrive *g, const char *object, bool patient, struct gdrive_file *f, struct err *e) MUST_CHECK;

/* The kind's functions. */
int gdrive_put_open(void *state, const char *id, bool fresh, void **put, struct err *e) MUST_CHECK;
int gdrive_put_write(void *put, const void *data, size_t len, struct err *e) MUST_CHECK;
int gdrive_put_commit(void *put, struct err *e) MUST_CHECK;
void gdrive_put_free(void *put);
int gdrive_send(void *state, const char *id, const struct store_send *how, struct err *e) MUST_CHECK;
int gdrive_get(void *state, const char *id, uint64_t off, void *data, size_t len, size_t *got, struct err *e) MUST_CHECK;
int gdrive_stream_open(void *state, const char *id, uint64_t off, void **stream, struct err *e) MUST_CHECK;
int gdrive_stream_read(void *stream, void *data, size_t len, size_t *got, struct err *e) MUST_CHECK;
void gdrive_stream_free(void *stream);
int gdrive_stat(void *state, const char *id, struct store_stat *st, struct err *e) MUST_CHECK;
int gdrive_list(void *state, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e) MUST_CHECK;
int gdrive_list_trashed(void *state, int (*f)(void *arg, const struct store_stat *st, struct err *e), void *arg, struct err *e) MUST_CHECK;
int gdrive_destroy(void *state, const char *id, struct err *e) MUST_CHECK;
int gdrive_prefer(void *state, const char *id, const uint8_t sha256[static 32], struct err *e) MUST_CHECK;
int gdrive_sha256(void *state, const char *id, uint8_t sha256[static 32], struct err *e) MUST_CHECK;
int gdrive_owner(void *state, const char *id, char owner[static STORE_OWNER_MAX], struct err *e) MUST_CHECK;
int gdrive_each_kept(void *state, int (*f)(void *arg, const struct store_kept *k, struct err *e), void *arg, struct err *e) MUST_CHECK;
int gdrive_kept_get(void *state, const char *handle, uint64_t off, void *data, size_t len, size_t *got, struct err *e) MUST_CHECK;
int gdrive_unshare(void *state, const char *email, struct err *e) MUST_CHECK;

#endif
