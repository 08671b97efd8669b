/* SPDX-License-Identifier: Apache-2.0 */
/* What Drive answers, as values: JSON resources, errors, the headers of ranges and of resumable sessions. Nothing here asks anything. */
#ifndef SCG_STORE_GDRIVE_REPLY_H
#define SCG_STORE_GDRIVE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

#define GDRIVE_FILE_MAX 128                           /* characters of an id of Drive: today's have 33 to 44 */
#define GDRIVE_REASON_MAX 64
#define GDRIVE_MESSAGE_MAX 160                        /* what is shown of an error's own words */
#define GDRIVE_PAGE_TOKEN_MAX ((size_t)4096)
#define GDRIVE_SESSION_MAX ((size_t)3072)             /* a token with it stays below STORE_TOKEN_MAX */
#define GDRIVE_FOLDER_TYPE "application/vnd.google-apps.folder"
#define GDRIVE_OBJECT_TYPE "application/cms"

/* [A-Za-z0-9_-]{1,128}: what may stand in a path and in a query. */
bool gdrive_is_file_id(const char *s);
/* "ID.cms". */
void gdrive_name(const char *object, char name[static STORE_ID_LEN + sizeof(".cms")]);

struct gdrive_file {
	char id[GDRIVE_FILE_MAX + 1];
	char object[STORE_ID_LEN + 1];       /* of a plain file named ID.cms; else empty */
	char name[sizeof(((struct store_kept *)0)->name)]; /* escaped, cut */
	char drive[GDRIVE_FILE_MAX + 1];     /* the shared drive, or empty */
	char head[GDRIVE_FILE_MAX + 1];      /* headRevisionId, or empty */
	char owner[STORE_OWNER_MAX];         /* escaped; empty on a shared drive */
	char checksum[65], md5[33];          /* sha256Checksum, md5Checksum: lower-case hex, or empty */
	uint64_t size;
	int64_t created_ms;                  /* 0: not said */
	bool has_size, folder, content, trashed; /* content: it has bytes of its own, is none of Google's own kinds */
};
/* Is it a JSON object at all? */
bool gdrive_is_document(const struct buf *body);
/* Each: ERR_DAMAGED for what is no such document, or holds what cannot be. */
int gdrive_parse_file(const struct buf *body, struct gdrive_file *f, struct err *e) MUST_CHECK;

struct gdrive_revision {
	char id[GDRIVE_FILE_MAX + 1];
	uint64_t size;
};
struct gdrive_permission {
	char id[GDRIVE_FILE_MAX + 1];
	char email[STORE_OWNER_MAX];         /* as sent; empty for what is nobody's in particular */
	char type[16], role[24];
};
enum gdrive_list { GDRIVE_FILES, GDRIVE_REVISIONS, GDRIVE_PERMISSIONS };
struct gdrive_page {
	enum gdrive_list list;
	size_t n;
	void *items;                         /* of the list's type */
	char *next;                          /* nextPageToken, or NULL */
	bool incomplete;                     /* incompleteSearch */
};
int gdrive_parse_page(const struct buf *body, enum gdrive_list list, struct gdrive_page *p, struct err *e) MUST_CHECK;
void gdrive_page_wipe(struct gdrive_page *p);
/* generateIds: the ids are handed out one by one, an error of take ends it. */
int gdrive_parse_ids(const struct buf *body, void (*take)(void *arg, const char *id), void *arg, struct err *e) MUST_CHECK;

struct gdrive_fault {
	char reason[GDRIVE_REASON_MAX];      /* of the first error; empty if there is none */
	char message[GDRIVE_MESSAGE_MAX];    /* escaped */
};
/* Whatever the body is: without a reason that can be read there is none. */
void gdrive_parse_fault(const struct buf *body, struct gdrive_fault *f);
/* Would the same request, a moment later, perhaps be served? By the reason before the status. */
bool gdrive_is_passing(int status, const struct gdrive_fault *f);
/* What a status that is not 2xx says, named what: ERR_NOTFOUND (404, 410), ERR_EXISTS (409), ERR_REFUSED, ERR_UNREACHABLE (passing, a day's limit), ERR_FAIL. */
int gdrive_refuse(int status, const struct buf *body, const char *what, struct err *e) MUST_CHECK;

/* "bytes=0-N" of a 308, or "0-N" as the documentation has it in places, gives N + 1, NULL gives 0; false for anything else. */
bool gdrive_parse_range(const char *range, uint64_t *next);
/* "bytes A-B/TOTAL" (RFC 9110 14.4); A <= B < TOTAL. */
struct gdrive_span {
	uint64_t first, last, total;
};
bool gdrive_parse_span(const char *content_range, struct gdrive_span *s);
/* Is it a URI of this very service (scheme and authority of api), without what no URI has, and not too long? */
bool gdrive_is_session(const char *api, const char *uri);

/* What a put that outlives its process needs to go on. */
struct gdrive_token {
	char folder[GDRIVE_FILE_MAX + 1], object[STORE_ID_LEN + 1], file[GDRIVE_FILE_MAX + 1];
	uint64_t size;
	char session[GDRIVE_SESSION_MAX + 1];
};
char *gdrive_print_token(const struct gdrive_token *t);
bool gdrive_parse_token(const char *text, struct gdrive_token *t);

#endif
