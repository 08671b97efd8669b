/* SPDX-License-Identifier: Apache-2.0 */
/* Which files and ports a gateway needs while it serves; all others are out of its reach from then on. */
#ifndef SCG_GATEWAY_FENCE_H
#define SCG_GATEWAY_FENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/gwconf.h"

struct fence_folder {
	const struct gwconf *conf;
	const char *config; /* its file */
	const char *passin; /* where the passphrase comes from if not from where conf says, or NULL */
};

struct fence_plan {
	const struct fence_folder *folders; /* of the first one counts what holds for the whole process: listen, user, monitor, limits */
	size_t n;                           /* at least 1 */
	const char *ready;                  /* the file that is written once it serves, or NULL */
	bool bound;                         /* the socket of listen is there already */
};

/* Reading and writing below the folders; reading in the folders of what its files and the configuration lead to, so that what is put there
 * anew under the same name is found; writing where the ready file goes; with names to resolve or URLs to fetch reading below /etc and /usr. TCP: only the
 * ports of the configuration, and connections only with crl_url. For this thread and those that it starts: before the first one, after
 * confine_process. false: not in force, and *why (static) says why. */
bool fence_close(const struct fence_plan *p, const char **why);

#endif
