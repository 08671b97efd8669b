/* SPDX-License-Identifier: Apache-2.0 */
/* One group as the running gateway serves it: its folder and configuration, identity, database, and what works for it
 * beside the loop. What is there once a process (server, monitor, clock, signals) is run.c's. */
#ifndef SCG_GATEWAY_REALM_H
#define SCG_GATEWAY_REALM_H

#include <openssl/ssl.h>

#include "gateway/call.h"
#include "gateway/care.h"
#include "gateway/crlfetch.h"
#include "gateway/gwconf.h"
#include "gateway/sight.h"

struct realm {
	char *config;       /* the path of its gateway.conf; owned */
	const char *passin; /* goes before the configuration's; borrowed, or NULL */
	bool several;       /* it is one of several: its log lines name it */
	/* After a reload, in the loop's thread: ctx and perhaps conf are others. */
	void (*changed)(struct realm *r, void *arg);
	void *changed_arg;
	struct gwconf *conf; /* owned; realm_configure reads it, unless it was read already */
	/* What the functions below fill. */
	struct chain *chain; /* stays as long as the realm does */
	SSL_CTX *ctx;        /* for connections that begin now */
	struct service service;
	struct server *server; /* borrowed; NULL until realm_serve */
	struct crlfetch *fetch;
	struct sight sight;
	struct care care;
	int lock;    /* of the folder */
	bool hangup; /* to be read anew when a list is stored */
};

/* Before all else; config is taken over, passin borrowed. */
void realm_init(struct realm *r, char *config, const char *passin, bool several);
/* Reads the configuration, nothing else. ERR_USAGE. */
int realm_configure(struct realm *r, struct err *e) MUST_CHECK;
/* Then the folder is ours, and its anchor is known. ERR_UNREACHABLE: another gateway runs on it. */
int realm_lock(struct realm *r, struct err *e) MUST_CHECK;
/* Then identity and database are open. No thread runs yet. */
int realm_open(struct realm *r, struct err *e) MUST_CHECK;
/* Puts in force the list that lies there, settles what is due, and starts the threads that watch for lists. Signals are
 * blocked already. */
int realm_start(struct realm *r, struct err *e) MUST_CHECK;
/* From here on the server's loop hears of its lists; s is borrowed and has to be freed before realm_close. */
int realm_serve(struct realm *r, struct server *s, struct err *e) MUST_CHECK;
/* Starts fetching lists where the configuration says so. */
int realm_fetch(struct realm *r, struct err *e) MUST_CHECK;
/* Whatever was done since realm_init. Other realms' connections may go on, but not the server: it is freed before. */
void realm_close(struct realm *r);

/* The rest is for the loop's thread. */

/* Does what is due (evict.h), or begins it; what fails is logged and tried again. */
void realm_settle(struct realm *r);
/* Takes a sight of it, and logs what an operator has to hear of. */
void realm_look(struct realm *r, const struct server_stats *stats);
/* Reads configuration, certificate and list anew: all or nothing, and logged either way. While a list is being stored:
 * when that is done. */
void realm_hangup(struct realm *r);

#endif
