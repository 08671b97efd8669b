/* SPDX-License-Identifier: Apache-2.0 */
/* Making one file of Drive: in one request, or through a resumable session; and whether it is what was sent. */
#ifndef SCG_STORE_GDRIVE_UPLOAD_H
#define SCG_STORE_GDRIVE_UPLOAD_H

#include "net/retry.h"
#include "store/gdrive_state.h"

#define GDRIVE_TOTAL_UNKNOWN UINT64_MAX
#define GDRIVE_GARBLED 12 /* answers of a session in a row */

/* What the file has to be. */
struct gdrive_want {
	const char *object;
	uint64_t size;
	/* The digest of all bytes in lower-case hex: SHA-256, or else MD5 (where Drive says no other). */
	int (*digest)(void *arg, bool md5, char hex[static 65], struct err *e);
	void *arg;
};
/* Is f (asked for once more where it says no checksum) that object, whole, in these bytes? ERR_UNREACHABLE where that cannot be told. */
int gdrive_prove(struct gdrive *g, const struct gdrive_want *want, const char *file, struct gdrive_file *f, bool *same, struct err *e) MUST_CHECK;
/* Hex digest of len bytes. */
int gdrive_digest(const void *data, size_t len, bool md5, char hex[static 65], struct err *e) MUST_CHECK;

/* Destroys what is not what was sent. Where that is not allowed (only a manager of a shared drive may) it keeps its name, and being the oldest would
 * count: ERR_UNREACHABLE, and nothing more may be made under that name. */
int gdrive_undo(struct gdrive *g, const char *object, const char *file, struct err *e) MUST_CHECK;

/* A whole object of a known size at hand: made, proved, and made anew where Drive has stored other bytes. make fills f with what was made as file. */
int gdrive_make_proved(struct gdrive *g, const struct gdrive_want *want,
    int (*make)(void *arg, const char *file, struct gdrive_file *f, struct err *e), void *arg, struct err *e) MUST_CHECK;

/* After a files.create that was answered by r (ERR_DAMAGED: not to be understood; ERR_EXISTS: by an earlier attempt): is the file there? Else r
 * and e stay; ERR_NOTFOUND: its id is used up. */
int gdrive_made_anyway(struct gdrive *g, const char *file, int r, struct gdrive_file *f, struct err *e) MUST_CHECK;

/* files.create in one request (uploadType=multipart). */
int gdrive_make_small(
    struct gdrive *g, const char *object, const char *file, const struct buf *data, struct gdrive_file *f, struct err *e) MUST_CHECK;

/* A resumable session. */
struct gdrive_upload {
	struct gdrive *g;
	const char *object;
	char file[GDRIVE_FILE_MAX + 1];
	uint64_t total;        /* or GDRIVE_TOTAL_UNKNOWN */
	uint64_t have;         /* so many bytes the drive has; set by it alone */
	uint64_t floor;        /* what stands before cannot be read any more */
	/* Exactly len bytes at off. */
	int (*read)(void *arg, void *data, size_t len, uint64_t off, struct err *e);
	void *arg;
	/* Until the bytes before end can be read; NULL: they always can. */
	int (*wait)(void *arg, uint64_t end, struct err *e);
	/* A session has begun, nothing was sent yet; or NULL. */
	int (*began)(void *arg, const struct gdrive_upload *u, struct err *e);
	void (*progress)(void *arg, uint64_t bytes); /* or NULL */
	void *progress_arg;
	uint64_t shown;        /* of which progress was told */
	char *session;         /* a bearer secret, or NULL */
	uint64_t sent;         /* no more than that can have arrived */
	uint64_t from, moved;  /* of the chunk under way: where it begins, how much went out */
	struct retry retry;
	struct gdrive_luck luck; /* since it came on last */
	bool asked;          /* after the last failure Drive was asked: after the next it is not */
	bool done;
	struct gdrive_file made;
};
/* Takes the URI of a session, which is wiped with the upload. */
void gdrive_upload_take(struct gdrive_upload *u, char *session);
/* A new session for u->file; or it is there already (a lost reply): done. */
int gdrive_upload_begin(struct gdrive_upload *u, struct err *e) MUST_CHECK;
/* What has arrived? ERR_NOTFOUND: the session is forgotten. */
int gdrive_upload_ask(struct gdrive_upload *u, struct err *e) MUST_CHECK;
/* Brings the bytes before end to the drive: all of them, and done, where end is the total; else whole units of 256 KiB. ERR_NOTFOUND as above. */
int gdrive_upload_push(struct gdrive_upload *u, uint64_t end, struct err *e) MUST_CHECK;
/* All of it, total being known, chunk by chunk; with another session where one is forgotten. ERR_NOTFOUND: the id is used up. */
int gdrive_upload_run(struct gdrive_upload *u, struct err *e) MUST_CHECK;
void gdrive_upload_wipe(struct gdrive_upload *u);

#endif
