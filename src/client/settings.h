/* SPDX-License-Identifier: Apache-2.0 */
/* scg.conf: which gateway, and what a member sets for himself. */
#ifndef SCG_CLIENT_SETTINGS_H
#define SCG_CLIENT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/gdrive.h"

#define SETTLE_MAX_S 86400 /* a desktop client that needs longer than a day is broken */

struct settings {
	char *gateway;      /* "https://HOST:PORT" */
	uint64_t settle_s;  /* how long an object may take to appear on this machine; 0: it is there or missing */
	bool has_settle;    /* it was set; else the kind of store decides (session_may_settle) */
	char *store_type;   /* "directory", "gdrive": instead of the store that the gateway names, or NULL */
	char *store_path;   /* of a directory */
	char *store_folder; /* of other kinds */
	struct gdrive_conf gdrive;
};

/* ERR_USAGE: unknown key, ill-formed value, no gateway ("file:line: what"); ERR_NOTFOUND. *s is released by
 * settings_wipe in every case. */
int settings_load(const char *path, struct settings *s, struct err *e) MUST_CHECK;
/* The same from memory; name stands for the file in errors. */
int settings_parse(const char *text, const char *name, struct settings *s, struct err *e) MUST_CHECK;
void settings_wipe(struct settings *s);
/* Appends a fresh file that names this gateway. */
void settings_print(const char *gateway, struct buf *out);
/* text, a whole file, is appended with its group gdrive as s has it, what is a default left out; all the rest stays as
 * it was written. ERR_USAGE where a value cannot stand there; name stands for the file in errors. */
int settings_set_gdrive(
    const char *text, const char *name, const struct settings *s, struct buf *out, struct err *e) MUST_CHECK;

/* "KIND:WHERE" for store_open, malloc'd, or NULL when the gateway's counts. */
char *settings_store(const struct settings *s);
/* Takes exactly "https://HOST:PORT" (RFC 3986 3.2; IPv6 in brackets); the host without brackets is malloc'd into *host.
 * ERR_USAGE. */
int settings_host(const char *url, char **host, struct err *e) MUST_CHECK;

#endif
