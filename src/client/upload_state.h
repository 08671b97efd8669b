/* SPDX-License-Identifier: Apache-2.0 */
/* One file on its way up: what upload.c and upload_put.c share. Not for others. */
#ifndef SCG_CLIENT_UPLOAD_STATE_H
#define SCG_CLIENT_UPLOAD_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "client/driveio.h"
#include "client/growing.h"
#include "client/names.h"
#include "client/spool.h"
#include "client/upload.h"
#include "client/worker.h"
#include "envelope/envelope.h"

struct upload {
	struct worker *w;
	const struct name_item *item;
	const struct upload_job *job;
	int turn; /* namelock_take */
	int fd;
	uint64_t size; /* when it was opened */
	/* The content that this member saw last, if it was the newest when the upload began. */
	bool has_base;
	uint8_t base_file[16];
	uint64_t base_content;
	/* What the manifest says. */
	uint8_t file_id[16];
	uint64_t version;
	/* The object as sealed. */
	struct keyring epoch; /* of one */
	struct driveio_writer object;
	struct envelope_result sealed;
	int64_t asked_ms;
	bool met_epoch;
	unsigned spoiled; /* times that the drive stored other bytes */
	struct spool spool; /* fd -1: it goes straight to the drive */
	struct growing growing;      /* what is in the spool, while it is sealed and sent at once */
	bool is_growing;
	pthread_mutex_t record_lock; /* of the spool's record meanwhile */
	/* What the last attempt posted. */
	uint8_t put_id[16]; /* of a new file */
	uint8_t posted_file[16];
	char *conflict;                 /* the name beside, or NULL */
	char other[NAME_MAX_BYTES + 1]; /* who was faster */
	char old_object[OBJECT_ID_LEN + 1];
};

/* --- upload_spool.c --- */
/* Does a file of this size go through the spool? */
bool upload_is_spooled(const struct session *s, const struct upload_job *job, uint64_t size);
/* Takes the file's place in the spool, if it goes through it and no other process is there. */
int upload_open_spool(struct upload *u, struct err *e) MUST_CHECK;
/* Seals into the spool, and sends what is sealed; or sends what an earlier run left there, if it is what would be sealed now. */
int upload_put_spooled(struct upload *u, struct err *e) MUST_CHECK;

/* --- upload_put.c --- */
/* A gateway that does not answer now may do so at the end; one that refuses us will not. Asked each minute at most. */
int upload_still_current(void *arg, struct err *e) MUST_CHECK;
/* How this file is sealed, into an object of so many bytes; 0: as it comes. */
struct envelope_seal upload_how(struct upload *u, uint64_t object_size);
/* before: the file as it was when its first byte was read, and is still when this returns. */
int upload_seal(struct upload *u, uint64_t object_size, const struct sink *out, struct stat *before, struct err *e) MUST_CHECK;
/* Seals the file and puts it on the drive, or goes on where an earlier run was ended: object and sealed are set. STEP_RESEAL: a new
 * epoch was met. */
int upload_put(struct upload *u, struct err *e) MUST_CHECK;

#endif
