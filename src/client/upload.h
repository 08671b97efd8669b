/* SPDX-License-Identifier: Apache-2.0 */
/* Uploading: seal, put the object on the drive, post the event, destroy what it replaces; killed anywhere, nothing is
 * lost. */
#ifndef SCG_CLIENT_UPLOAD_H
#define SCG_CLIENT_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "client/names.h"
#include "client/session.h"

/* An object that no event names after so long is destroyed by gc, so no event is posted for one that is a day
 * younger. */
#define UPLOAD_ORPHAN_S ((int64_t)7 * 86400)
#define UPLOAD_POST_WITHIN_S ((int64_t)6 * 86400)
#define UPLOAD_EPOCHS_MAX 2 /* new epochs met before the upload gives up */

struct upload_job {
	const struct names *files;
	bool replace; /* the newest content is the base, seen or not */
	unsigned workers, threads; /* as of struct worker_job */
	const char *spool_dir; /* where what is longer than a chunk of the drive waits sealed; NULL: in the member's folder */
	bool no_spool;         /* an upload that is ended cannot be taken up again */
};
/* ERR_CONFLICT where somebody's newer content was found: ours stands beside it under another name. */
int upload(struct session *s, const struct upload_job *job, struct err *e) MUST_CHECK;

#endif
