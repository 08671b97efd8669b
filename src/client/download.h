/* SPDX-License-Identifier: Apache-2.0 */
/* Downloading: plaintext into a nameless file of the target folder, named when everything is verified. */
#ifndef SCG_CLIENT_DOWNLOAD_H
#define SCG_CLIENT_DOWNLOAD_H

#include <stdbool.h>

#include "base/err.h"
#include "client/session.h"
#include "envelope/envelope.h"

struct download_job {
	char *const *names; /* paths in the group */
	size_t n;
	const char *out; /* a folder, which gets the last parts of the names; with one name also a file, which is
			    replaced; NULL: the working folder; "-": standard output, when all is verified */
	bool recursive;  /* a name may be a folder of the group: it is made anew below out with all that is in it,
			    and out itself where nothing is there yet */
	unsigned workers, threads; /* as of struct worker_job */
	const struct envelope_range *range; /* of one file, or NULL: all */
};
/* Nothing but a file named by out is overwritten: ERR_EXISTS; no link below out is followed. ERR_USAGE: several names
 * and out is no folder or a range is asked for, two names with one last part, a folder without recursive. */
int download(struct session *s, const struct download_job *job, struct err *e) MUST_CHECK;

#endif
