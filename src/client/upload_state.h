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
	/* While it is sealed into the spool, under a key of the record's ticket. */
	uint8_t purpose[32];
	uint64_t found;              /* bytes that an earlier run left there under this key */
	uint64_t written, body;      /* and that are there as due; those before the manifest */
	bool lasting;                /* the record tells the next run where it was */
	bool differs;                /* what was found is not what is due */
	bool unwanted;               /* the sending has ended */
	bool sealing_failed;         /* for a reason of its own */
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
/* Seals into the spool, and sends what is sealed; or goes on with what an earlier run left there, if it is what would be sealed now. */
int upload_put_spooled(struct upload *u, struct err *e) MUST_CHECK;

/* --- upload_sealing.c --- */
/* What is known before the first byte is read: the record, with a new object and a new key. The spool is empty. */
int upload_describe(struct upload *u, struct err *e) MUST_CHECK;
/* Is what is in the spool, and fits, the beginning of an object that can be sealed to its end? */
bool upload_can_go_on(struct upload *u);
/* One half of the work: seals into the spool, while the other half sends. What stops it is an error of the sending, which tells of it itself. */
int upload_seal_spooled(struct upload *u, struct err *e) MUST_CHECK;
/* The spool holds it all: u->sealed. local: what it was sealed from. */
int upload_keep_sealed(struct upload *u, const struct spool_local *local, struct err *e) MUST_CHECK;

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
