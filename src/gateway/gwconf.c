/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gwconf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "net/rest.h"
#include "net/server.h"

#define DAY_S 86400
#define SECONDS_MAX 3600 /* no phase of a connection is longer than an hour */
#define CONNECTIONS_MAX 100000
#define HOST_MAX 253 /* RFC 1035 2.3.4, as text */

#define OFF(member) offsetof(struct gwconf, member)

static const struct conf_key group_keys[] = {
	{ .path = "dir", .kind = CONF_TEXT, .off = offsetof(struct gwconf_group, dir), .required = true },
	{ .path = NULL },
};

/* Not beside groups: what each group has for itself. */
static const struct conf_key keys[] = {
	{ .path = "groups", .kind = CONF_LIST, .off = OFF(groups), .min = 1, .max = GWCONF_GROUPS_MAX, .sub = group_keys,
	    .sub_size = sizeof(struct gwconf_group) },
	{ .path = "listen", .kind = CONF_TEXT, .off = OFF(listen), .required = true },
	{ .path = "host", .kind = CONF_TEXT, .off = OFF(host), .required = true, .unless = "groups" },
	{ .path = "store", .kind = CONF_TEXT, .off = OFF(store), .unless = "groups" },
	{ .path = "recovery", .kind = CONF_TEXT, .off = OFF(recovery), .unless = "groups" },
	{ .path = "passin", .kind = CONF_TEXT, .off = OFF(passin), .unless = "groups" },
	{ .path = "log_level", .kind = CONF_TEXT, .off = OFF(log_level), .def = "info" },
	{ .path = "user", .kind = CONF_TEXT, .off = OFF(user) },
	{ .path = "monitor", .kind = CONF_TEXT, .off = OFF(monitor) },
	{ .path = "crl_url", .kind = CONF_TEXT, .off = OFF(crl_url), .unless = "groups" },
	{ .path = "crl_fetch_s", .kind = CONF_U64, .off = OFF(crl_fetch_s), .def = "900", .min = 1, .max = DAY_S, .unless = "groups" },
	{ .path = "rotate_on_revoke", .kind = CONF_BOOL, .off = OFF(rotate_on_revoke), .def = "true", .unless = "groups" },
	{ .path = "rotate_on_expiry", .kind = CONF_BOOL, .off = OFF(rotate_on_expiry), .def = "true", .unless = "groups" },
	{ .path = "threads", .kind = CONF_U64, .off = OFF(threads), .def = "0", .max = SERVER_THREADS_MAX },
	{ .path = "resumption", .kind = CONF_BOOL, .off = OFF(resumption), .def = "false" },
	{ .path = "audit_sync", .kind = CONF_BOOL, .off = OFF(audit_sync), .def = "false", .unless = "groups" },
	{ .path = "limits.connections", .kind = CONF_U64, .off = OFF(connections), .def = "0", .max = CONNECTIONS_MAX },
	{ .path = "limits.per_address", .kind = CONF_U64, .off = OFF(per_address), .def = "0", .max = CONNECTIONS_MAX },
	{ .path = "limits.loopback", .kind = CONF_BOOL, .off = OFF(count_loopback), .def = "false" },
	{ .path = "limits.handshake_s", .kind = CONF_U64, .off = OFF(handshake_s), .def = "0", .max = SECONDS_MAX },
	{ .path = "limits.head_s", .kind = CONF_U64, .off = OFF(head_s), .def = "0", .max = SECONDS_MAX },
	{ .path = "limits.request_s", .kind = CONF_U64, .off = OFF(request_s), .def = "0", .max = SECONDS_MAX },
	{ .path = "limits.idle_s", .kind = CONF_U64, .off = OFF(idle_s), .def = "0", .max = SECONDS_MAX },
	{ .path = NULL },
};

#define WISH "gdrive:new:"

bool gwconf_is_wish(const char *store) {
	return strncmp(store, WISH, strlen(WISH)) == 0;
}

/* RFC 4648 5: what Drive's ids are made of. */
static int check_gdrive(const char *store, struct err *e) {
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *id = store + strlen("gdrive:");

	if (gwconf_is_wish(store))
		return store[strlen(WISH)] != '\0' ? 0 : err_set(e, ERR_USAGE, "store: gdrive:new: without a name for the folder");
	if (id[strspn(id, letters)] != '\0')
		return err_set(e, ERR_USAGE, "store: gdrive: neither the id of a folder nor new:NAME");
	return 0;
}

int gwconf_check_store(const char *store, struct err *e) {
	static const char *const kinds[] = { "directory:/", "gdrive:", "rclone:" };
	size_t len = strlen(store);

	if (len > GWCONF_STORE_MAX)
		return err_set(e, ERR_USAGE, "store: longer than %d bytes", GWCONF_STORE_MAX);
	if (!text_is_utf8(store, len) || text_has_control(store, len))
		return err_set(e, ERR_USAGE, "store: control character or no UTF-8");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t n = strlen(kinds[i]);

		if (strncmp(store, kinds[i], n) == 0 && len > n)
			return strcmp(kinds[i], "gdrive:") == 0 ? check_gdrive(store, e) : 0;
	}
	return err_set(e, ERR_USAGE, "store: neither directory:/PATH nor gdrive:FOLDER-ID nor gdrive:new:NAME nor rclone:REMOTE:PATH");
}

int gwconf_check_listen(const char *listen, struct err *e) {
	const char *colon = strrchr(listen, ':');
	uint64_t port;

	if (colon == NULL || colon == listen || text_u64(colon + 1, 65535, &port, NULL) != 0)
		return err_set(e, ERR_USAGE, "listen: not HOST:PORT with a port from 0 to 65535");
	if (listen[0] != '[' && memchr(listen, ':', (size_t)(colon - listen)) != NULL)
		return err_set(e, ERR_USAGE, "listen: an IPv6 address stands in brackets, [::1]:4433");
	if (listen[0] == '[' && colon[-1] != ']')
		return err_set(e, ERR_USAGE, "listen: not [ADDRESS]:PORT");
	return 0;
}

/* Letters, digits, hyphens and dots, no empty label (RFC 1123 2.1). */
static bool is_dns_name(const char *s) {
	size_t label = 0, len = strlen(s);

	if (len == 0 || len > HOST_MAX)
		return false;
	for (; *s != '\0'; s++) {
		if (*s == '.' && label == 0)
			return false;
		if (*s != '.' && *s != '-' && !isalnum((unsigned char)*s))
			return false;
		label = *s == '.' ? 0 : label + 1;
	}
	return label > 0;
}

static bool is_address(const char *s) {
	uint8_t address[16];

	return inet_pton(AF_INET, s, address) == 1 || inet_pton(AF_INET6, s, address) == 1;
}

int gwconf_san(const char *host, char **san, struct err *e) {
	OWN(buf_wipe) struct buf out = { 0 };
	OWN(own_free) char *copy = xstrdup(host);
	char *rest = copy;

	for (char *one; (one = strsep(&rest, ",")) != NULL;) {
		bool address = is_address(one);

		if (!address && !is_dns_name(one))
			return err_set(e, ERR_USAGE, "host: neither a list of names nor of addresses, NAME,NAME,IP");
		buf_addf(&out, "%s%s:%s", out.len > 0 ? "," : "", address ? "IP" : "DNS", one);
	}
	*san = (char *)buf_take(&out, NULL);
	return 0;
}

static int parse_level(struct gwconf *c, struct err *e) {
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARN] = "warn",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(c->log_level, names[i]) == 0) {
			c->level = (enum log_level)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "log_level: not error, warn, info or debug");
}

static int check_listen(struct gwconf *c, struct err *e) {
	return c->listen == NULL ? 0 : gwconf_check_listen(c->listen, e);
}

static int check_host(struct gwconf *c, struct err *e) {
	OWN(own_free) char *san = NULL;

	return c->host == NULL ? 0 : gwconf_san(c->host, &san, e);
}

static int check_store(struct gwconf *c, struct err *e) {
	return c->store == NULL ? 0 : gwconf_check_store(c->store, e);
}

/* What it tells is nobody else's business, and it speaks without TLS. */
static int check_monitor(struct gwconf *c, struct err *e) {
	static const char *const local[] = { "127.", "[::1]:", "localhost:" };

	if (c->monitor == NULL)
		return 0;
	if (gwconf_check_listen(c->monitor, e) != 0)
		return err_add(e, "monitor");
	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		if (strncmp(c->monitor, local[i], strlen(local[i])) == 0)
			return 0;
	return err_set(e, ERR_USAGE, "monitor: not on this machine: 127.0.0.1:PORT or [::1]:PORT");
}

static int check_crl_url(struct gwconf *c, struct err *e) {
	OWN(own_free) char *site = NULL;
	bool loopback;

	if (c->crl_url == NULL || rest_url_check(c->crl_url, &site, &loopback, e) == 0)
		return 0;
	return err_add(e, "crl_url");
}

static int (*const checks[])(struct gwconf *c, struct err *e) = {
	check_listen, check_host, parse_level, check_store, check_monitor, check_crl_url,
};
#define N_CHECKS (sizeof checks / sizeof *checks)

static int check(struct gwconf *c, struct err *e) {
	for (size_t i = 0; i < N_CHECKS; i++)
		if (checks[i](c, e) != 0)
			return e->code;
	return 0;
}

/* Where the program was started from is no part of the configuration. */
static void anchor_passphrase(struct gwconf *c) {
	static const char kind[] = "file:";
	OWN(own_free) char *path = NULL;

	if (c->passin == NULL || strncmp(c->passin, kind, strlen(kind)) != 0)
		return;
	path = gwconf_path(c, c->passin + strlen(kind));
	free(c->passin);
	c->passin = xasprintf("%s%s", kind, path);
}

static int finish(int rc, const char *name, struct gwconf *c, struct err *e) {
	if (rc == 0 && check(c, e) != 0)
		rc = err_add(e, "%s", name);
	if (rc != 0) {
		gwconf_wipe(c);
		return rc;
	}
	c->dir = file_folder(name);
	anchor_passphrase(c);
	return 0;
}

int gwconf_load(const char *path, struct gwconf *c, struct err *e) {
	return finish(conf_load(path, keys, c, e), path, c, e);
}

int gwconf_load_all(const char *path, struct gwconf *c, void (*wrong)(void *arg, const char *text), void *arg, struct err *e) {
	int r = conf_load_all(path, keys, c, wrong, arg, e);

	if (r != 0)
		return r;
	for (size_t i = 0; i < N_CHECKS; i++)
		if (checks[i](c, e) != 0) {
			(void)err_add(e, "%s", path);
			wrong(arg, e->text);
		}
	c->dir = file_folder(path);
	anchor_passphrase(c);
	return 0;
}

int gwconf_parse(const char *text, const char *name, struct gwconf *c, struct err *e) {
	return finish(conf_parse(text, name, keys, c, e), name, c, e);
}

void gwconf_wipe(struct gwconf *c) {
	conf_free(keys, c);
	free(c->dir);
	*c = (struct gwconf){ 0 };
}

unsigned gwconf_threads(const struct gwconf *c) {
	cpu_set_t cores;
	int n;

	if (c->threads > 0)
		return (unsigned)c->threads;
	/* A machine with more cores than the set holds is an error of the call. */
	n = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : SERVER_THREADS_MAX;
	return n < SERVER_THREADS_MAX ? (unsigned)n : SERVER_THREADS_MAX;
}

char *gwconf_path(const struct gwconf *c, const char *name) {
	return name[0] == '/' ? xstrdup(name) : file_join(c->dir, name);
}

static void add_key(struct buf *b, const char *key, const char *value, const char *example) {
	OWN(own_free) char *quoted = conf_quote(value != NULL ? value : example);

	buf_addf(b, "%s%s = %s;\n", value != NULL ? "" : "# ", key, quoted);
}

char *gwconf_print(const char *group, const char *listen, const char *host, const char *store, const char *recovery) {
	OWN(buf_wipe) struct buf b = { 0 };

	buf_addf(&b, "# The gateway of the group %s. gateway.conf(5) says what each key means.\n", group);
	buf_adds(&b, "# Restart the gateway after a change of listen, user, threads, resumption, monitor, crl_url or limits; for the others a SIGHUP will do.\n");
	add_key(&b, "listen", listen, NULL);
	add_key(&b, "host", host, NULL);
	add_key(&b, "store", store, "directory:/mnt/drive/group");
	add_key(&b, "recovery", recovery, "recovery.crt");
	add_key(&b, "user", NULL, "scg-gateway");
	add_key(&b, "monitor", NULL, "127.0.0.1:9433");
	add_key(&b, "crl_url", NULL, "https://ca.example/crl.pem");
	buf_adds(&b, "rotate_on_revoke = true;\nrotate_on_expiry = true;\n# audit_sync = false;\n# log_level = \"info\";\n");
	return (char *)buf_take(&b, NULL);
}
