/* SPDX-License-Identifier: Apache-2.0 */
#include "client/settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/own.h"
#include "base/text.h"

static const struct conf_key keys[] = {
	{ .path = "gateway", .kind = CONF_TEXT, .off = offsetof(struct settings, gateway), .required = true },
	{ .path = "settle",
	    .kind = CONF_U64,
	    .off = offsetof(struct settings, settle_s),
	    .def = "0",
	    .max = SETTLE_MAX_S },
	{ .path = "store.type", .kind = CONF_TEXT, .off = offsetof(struct settings, store_type) },
	{ .path = "store.path", .kind = CONF_TEXT, .off = offsetof(struct settings, store_path) },
	{ .path = "store.folder", .kind = CONF_TEXT, .off = offsetof(struct settings, store_folder) },
	{ .path = NULL },
};

void settings_wipe(struct settings *s) {
	conf_free(keys, s);
}

/* The parts of the store group that belong together. */
static int check_store(const struct settings *s, const char *name, struct err *e) {
	if (s->store_type == NULL) {
		if (s->store_path != NULL || s->store_folder != NULL)
			return err_set(e, ERR_USAGE, "%s: store has no type", name);
		return 0;
	}
	if (strcmp(s->store_type, "directory") != 0)
		return err_set(
		    e, ERR_USAGE, "%s: store.type: not a kind of store that this program knows (directory)", name);
	if (s->store_path == NULL || s->store_folder != NULL)
		return err_set(e, ERR_USAGE, "%s: a store of type directory has a path and no folder", name);
	if (s->store_path[0] != '/')
		return err_set(e, ERR_USAGE, "%s: store.path does not begin with a slash", name);
	return 0;
}

static int check(const char *name, struct settings *s, struct err *e) {
	OWN(own_free) char *host = NULL;
	int r = settings_host(s->gateway, &host, e);

	if (r != 0)
		return err_add(e, "%s: gateway", name);
	return check_store(s, name, e);
}

int settings_parse(const char *text, const char *name, struct settings *s, struct err *e) {
	int r = conf_parse(text, name, keys, s, e);

	return r != 0 ? r : check(name, s, e);
}

int settings_load(const char *path, struct settings *s, struct err *e) {
	int r = conf_load(path, keys, s, e);

	return r != 0 ? r : check(path, s, e);
}

void settings_print(const char *gateway, struct buf *out) {
	OWN(own_free) char *quoted = conf_quote(gateway);

	buf_addf(out, "# scg.conf(5) says what else may stand here.\ngateway = %s;\n", quoted);
}

char *settings_store(const struct settings *s) {
	return s->store_type == NULL ? NULL : xasprintf("%s:%s", s->store_type, s->store_path);
}

static int bad_url(struct err *e) {
	return err_set(e, ERR_USAGE, "the gateway is named https://HOST:PORT (RFC 3986 3.2), with nothing behind it");
}

int settings_host(const char *url, char **host, struct err *e) {
	static const char scheme[] = "https://";
	const char *h = url + strlen(scheme), *end;
	size_t len;
	uint64_t port;

	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return bad_url(e);
	if (*h == '[') {
		len = strspn(++h, "0123456789abcdefABCDEF:.");
		end = h + len;
		if (*end++ != ']')
			return bad_url(e);
	} else {
		len = strspn(h, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._");
		end = h + len;
	}
	if (len == 0 || len > 255 || *end != ':' || text_u64(end + 1, 65535, &port, NULL) != 0 || port == 0)
		return bad_url(e);
	*host = xasprintf("%.*s", (int)len, h);
	return 0;
}
