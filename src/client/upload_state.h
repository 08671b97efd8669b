/* SPDX-License-Identifier: Apache-2.0 */
/* One file on its way up: what upload.c and upload_put.c share. Not for others. */
#ifndef SCG_CLIENT_UPLOAD_STATE_H
#define SCG_CLIENT_UPLOAD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/driveio.h"
#include "client/names.h"
#include "client/spool.h"
#include "client/upload.h"
#include "client/worker.h"
#include "envelope/envelope.h"

struct upload {
	struct worker *w;
	const struct name_item *item;
	const struct upload_job *job;
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
	/* What the last attempt posted. */
	uint8_t put_id[16]; /* of a new file */
	uint8_t posted_file[16];
	char *conflict;                 /* the name beside, or NULL */
	char other[NAME_MAX_BYTES + 1]; /* who was faster */
	char old_object[OBJECT_ID_LEN + 1];
};

/* --- upload_put.c --- */
/* Does a file of this size go through the spool? */
bool upload_is_spooled(const struct session *s, const struct upload_job *job, uint64_t size);
/* Takes the file's place in the spool, if it goes through it and no other process is there. */
int upload_open_spool(struct upload *u, struct err *e) MUST_CHECK;
/* Seals the file and puts it on the drive, or goes on where an earlier run was ended: object and sealed are set. STEP_RESEAL: a new
 * epoch was met. */
int upload_put(struct upload *u, struct err *e) MUST_CHECK;

#endif
