/* SPDX-License-Identifier: Apache-2.0 */
/* All groups of one gateway: one, whose folder the configuration lies in, or several, whose folders it names. Nothing of a group is told to another's members:
 * the chain that judged a connection (server_peer) chooses the realm, here and in route.c alone. */
#ifndef SCG_GATEWAY_REALMS_H
#define SCG_GATEWAY_REALMS_H

#include "gateway/fence.h"
#include "gateway/realm.h"

struct realms {
	const char *config; /* borrowed */
	struct gwconf *own; /* of a configuration that names groups; NULL: it is that of the one realm */
	struct realm *v;
	size_t n;
	char *listen;  /* as the configuration had it at the start */
	SSL_CTX *ctx;  /* for connections that begin now */
	struct server *server; /* borrowed; NULL until realms_serve */
};

/* Reads all configurations. *a must be zeroed. config and passin are borrowed. ERR_USAGE. */
int realms_load(struct realms *a, const char *config, const char *passin, struct err *e) MUST_CHECK;
/* What holds for the whole process; until the next reload. */
const struct gwconf *realms_conf(const struct realms *a);
/* Which folders the process needs, the first one's configuration being the process's: n of them in *folders, malloc'd. What they point to is borrowed. */
size_t realms_folders(const struct realms *a, struct fence_folder **folders);
/* ERR_USAGE if an output file of this name would replace one of theirs. */
int realms_check_out(const struct realms *a, const char *path, struct err *e) MUST_CHECK;
/* Locks all folders and loads the anchors. ERR_USAGE: two groups of one name or of one CA; ERR_UNREACHABLE: a gateway runs on one of them. */
int realms_lock(struct realms *a, struct err *e) MUST_CHECK;
/* Opens identities and databases; no thread runs yet. */
int realms_open(struct realms *a, struct err *e) MUST_CHECK;
/* realm_start, realm_serve, realm_fetch of each. */
int realms_start(struct realms *a, struct err *e) MUST_CHECK;
int realms_serve(struct realms *a, struct server *s, struct err *e) MUST_CHECK;
int realms_fetch(struct realms *a, struct err *e) MUST_CHECK;
/* The argument of route.h's operations. */
struct service *realms_service(struct realms *a);
void realms_close(struct realms *a); /* {0} is fine */

/* In the loop's thread. */
void realms_settle(struct realms *a);
void realms_look(struct realms *a, const struct server_stats *stats);
/* Reads all anew; what is wrong in one folder leaves that group alone as it was. */
void realms_hangup(struct realms *a);

#endif
