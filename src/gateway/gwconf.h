/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.conf: read once into a struct, and written by init. */
#ifndef SCG_GATEWAY_GWCONF_H
#define SCG_GATEWAY_GWCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"

#define GWCONF_LISTEN "0.0.0.0:4433" /* init's default */
#define GWCONF_STORE_MAX 1024        /* bytes of a store specification; a path rarely has more than 255 */

#define GWCONF_GROUPS_MAX 64 /* behind one address: each has a database and a thread of its own */

/* One of groups. */
struct gwconf_group {
	char *dir; /* the folder that init made, absolute or below that of the configuration */
};

struct gwconf {
	struct conf_list groups; /* of struct gwconf_group: then what is a group's stands in the gateway.conf of its folder, and is 0 here */
	char *listen;   /* "HOST:PORT" */
	char *host;     /* "NAME,NAME,IP": what members call the gateway; each must be in its certificate */
	char *store;    /* "directory:PATH" ... or NULL */
	char *recovery; /* certificate that the keys at rest are also sealed to, or NULL */
	char *passin;   /* where the passphrase of gateway.key comes from, or NULL */
	char *log_level;
	char *user;     /* whom root becomes once the socket is open, or NULL */
	char *monitor;  /* "127.0.0.1:PORT" for /healthz and /metrics, or NULL */
	char *crl_url;  /* where revocation lists are fetched, or NULL */
	uint64_t crl_fetch_s;
	bool rotate_on_revoke, rotate_on_expiry;
	uint64_t threads;                  /* 0: as many as cores */
	bool resumption;                   /* of TLS sessions */
	bool audit_sync; /* a key reply leaves when its entry in the audit log is on disk */
	uint64_t connections, per_address; /* 0: the server's defaults */
	bool count_loopback;               /* limits by address hold for loopback too */
	uint64_t handshake_s, head_s, request_s, idle_s;
	enum log_level level; /* log_level, parsed */
	char *dir;            /* folder of the configuration file, where the gateway's other files lie */
};

/* Reads and checks; ERR_USAGE names file, line and rule. *c must be zeroed; it is zeroed after a failure too. */
int gwconf_load(const char *path, struct gwconf *c, struct err *e) MUST_CHECK;
/* The same, but tells all faults, each by a call of wrong, and leaves what it could make of the rest in c. Non-zero where nothing could be read. */
int gwconf_load_all(const char *path, struct gwconf *c, void (*wrong)(void *arg, const char *text), void *arg, struct err *e) MUST_CHECK;
/* The same from memory: name stands for the file in errors. */
int gwconf_parse(const char *text, const char *name, struct gwconf *c, struct err *e) MUST_CHECK;
void gwconf_wipe(struct gwconf *c);
/* How many threads serve: those of the configuration, else one for each core that this process may use, at most SERVER_THREADS_MAX. */
unsigned gwconf_threads(const struct gwconf *c);
/* The path of one of the gateway's files; an absolute name stays. malloc'd. */
char *gwconf_path(const struct gwconf *c, const char *name);

/* "directory:/PATH" (absolute), "gdrive:FOLDER-ID", "rclone:REMOTE:PATH"; UTF-8 without control characters. ERR_USAGE.
 */
int gwconf_check_store(const char *store, struct err *e) MUST_CHECK;
/* Is it one that the first member has yet to make, "gdrive:new:NAME"? */
bool gwconf_is_wish(const char *store);
/* "HOST:PORT", "[::1]:PORT". ERR_USAGE. */
int gwconf_check_listen(const char *listen, struct err *e) MUST_CHECK;
/* The hosts one by one: "DNS:a,IP:1.2.3.4" as scg-ca sign takes it in -san; malloc'd. ERR_USAGE for what is neither. */
int gwconf_san(const char *host, char **san, struct err *e) MUST_CHECK;

/* The file that init writes: every key with its value or, as a comment, its default. malloc'd. store, recovery may be
 * NULL. */
char *gwconf_print(const char *group, const char *listen, const char *host, const char *store, const char *recovery);

#endif
