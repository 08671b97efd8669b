/* SPDX-License-Identifier: Apache-2.0 */
#include "client/settings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "net/rest.h"

#define ID_MAX 128 /* of Google's ids, which have 19 to 44 characters */

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)
#define GDRIVE "gdrive."
#define GDRIVE_TEXT(field, value) \
	{ .path = GDRIVE #field, .kind = CONF_TEXT, .off = offsetof(struct settings, gdrive.field), .def = (value) }

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
	GDRIVE_TEXT(client_id, ""),
	GDRIVE_TEXT(client_secret, ""),
	GDRIVE_TEXT(api_url, GDRIVE_API_URL),
	GDRIVE_TEXT(auth_url, GDRIVE_AUTH_URL),
	GDRIVE_TEXT(token_url, GDRIVE_TOKEN_URL),
	GDRIVE_TEXT(device_url, GDRIVE_DEVICE_URL),
	GDRIVE_TEXT(revoke_url, GDRIVE_REVOKE_URL),
	GDRIVE_TEXT(drive_id, ""),
	GDRIVE_TEXT(ca_file, ""),
	{ .path = "gdrive.chunk_bytes",
	    .kind = CONF_U64,
	    .off = offsetof(struct settings, gdrive.chunk_bytes),
	    .def = TEXT_OF(GDRIVE_CHUNK_BYTES),
	    .min = GDRIVE_CHUNK_UNIT,
	    .max = GDRIVE_CHUNK_MAX },
	{ .path = NULL },
};

void settings_wipe(struct settings *s) {
	conf_free(keys, s);
}

static int check_directory(const struct settings *s, const char *name, struct err *e) {
	if (s->store_path == NULL || s->store_folder != NULL)
		return err_set(e, ERR_USAGE, "%s: a store of type directory has a path and no folder", name);
	if (s->store_path[0] != '/')
		return err_set(e, ERR_USAGE, "%s: store.path does not begin with a slash", name);
	return 0;
}

/* Ids of Google's are of these characters; other bytes would end up in URLs and queries. */
static bool is_drive_id(const char *id) {
	size_t len = strlen(id);

	return len <= ID_MAX && strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == len;
}

/* The parts of the store group that belong together. */
static int check_store(const struct settings *s, const char *name, struct err *e) {
	if (s->store_type == NULL) {
		if (s->store_path != NULL || s->store_folder != NULL)
			return err_set(e, ERR_USAGE, "%s: store has no type", name);
		return 0;
	}
	if (strcmp(s->store_type, "directory") == 0)
		return check_directory(s, name, e);
	if (strcmp(s->store_type, "gdrive") != 0)
		return err_set(e, ERR_USAGE,
		    "%s: store.type: not a kind of store that this program knows (directory, gdrive)", name);
	if (s->store_folder == NULL || s->store_path != NULL)
		return err_set(e, ERR_USAGE, "%s: a store of type gdrive has a folder and no path", name);
	if (s->store_folder[0] == '\0' || !is_drive_id(s->store_folder))
		return err_set(e, ERR_USAGE, "%s: store.folder is not the id of a folder of Google Drive", name);
	return 0;
}

static int check_gdrive(const struct gdrive_conf *g, const char *name, struct err *e) {
	const struct {
		const char *url, *what;
	} urls[] = { { g->api_url, "api_url" }, { g->auth_url, "auth_url" }, { g->token_url, "token_url" },
		{ g->device_url, "device_url" }, { g->revoke_url, "revoke_url" } };

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		OWN(own_free) char *site = NULL;
		bool loopback;

		if (rest_url_check(urls[i].url, &site, &loopback, e) != 0)
			return err_add(e, "%s: gdrive.%s", name, urls[i].what);
	}
	if (g->chunk_bytes % GDRIVE_CHUNK_UNIT != 0)
		return err_set(e, ERR_USAGE, "%s: gdrive.chunk_bytes is not a multiple of %d", name, GDRIVE_CHUNK_UNIT);
	if (!is_drive_id(g->drive_id))
		return err_set(e, ERR_USAGE, "%s: gdrive.drive_id is not the id of a shared drive", name);
	if (g->ca_file[0] != '\0' && g->ca_file[0] != '/')
		return err_set(e, ERR_USAGE, "%s: gdrive.ca_file does not begin with a slash", name);
	return 0;
}

static int check(const char *name, struct settings *s, struct err *e) {
	OWN(own_free) char *host = NULL;
	int r = settings_host(s->gateway, &host, e);

	if (r != 0)
		return err_add(e, "%s: gateway", name);
	r = check_store(s, name, e);
	return r != 0 ? r : check_gdrive(&s->gdrive, name, e);
}

int settings_parse(const char *text, const char *name, struct settings *s, struct err *e) {
	int r = conf_parse(text, name, keys, s, e);
	size_t start, end;

	s->has_settle = r == 0 && conf_span(text, "settle", &start, &end);
	return r != 0 ? r : check(name, s, e);
}

int settings_load(const char *path, struct settings *s, struct err *e) {
	OWN(buf_wipe) struct buf text = {0};
	int r = file_load(path, CONF_MAX_BYTES, &text, e);

	if (r == 0 && strlen(buf_str(&text)) != text.len)
		r = err_set(e, ERR_USAGE, "%s: NUL byte", path);
	if (r != 0) {
		*s = (struct settings){0};
		return r;
	}
	return settings_parse(buf_str(&text), path, s, e);
}

void settings_print(const char *gateway, struct buf *out) {
	OWN(own_free) char *quoted = conf_quote(gateway);

	buf_addf(out, "# scg.conf(5) says what else may stand here.\ngateway = %s;\n", quoted);
}

static void print_key(const struct conf_key *k, const struct settings *s, struct buf *out) {
	const char *field = (const char *)s + k->off, *name = k->path + strlen(GDRIVE);
	OWN(own_free) char *quoted = NULL;
	char *text;
	uint64_t number;

	if (k->kind == CONF_TEXT) {
		memcpy(&text, field, sizeof(text));
		if (strcmp(text, k->def) == 0)
			return;
		quoted = conf_quote(text);
		buf_addf(out, "    %s = %s;\n", name, quoted);
	} else {
		memcpy(&number, field, sizeof(number));
		if (number != GDRIVE_CHUNK_BYTES)
			buf_addf(out, "    %s = %lluL;\n", name, (unsigned long long)number);
	}
}

/* Read back, the text says what it was to say: an editor of somebody's file is believed no more than the file. */
static int check_edited(const char *text, const char *name, const struct settings *s, struct err *e) {
	OWN(settings_wipe) struct settings got = {0};
	int r = settings_parse(text, name, &got, e);

	if (r != 0)
		return r;
	for (const struct conf_key *k = keys; k->path != NULL; k++) {
		const char *field = (const char *)s + k->off, *got_field = (const char *)&got + k->off;
		char *a, *b;

		memcpy(&a, field, sizeof(a));
		memcpy(&b, got_field, sizeof(b));
		if (k->kind == CONF_TEXT ? (a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0)
		                         : memcmp(field, got_field, sizeof(uint64_t)) != 0)
			return err_set(e, ERR_FAIL, "%s: %s cannot be changed here: edit the file", name, k->path);
	}
	return 0;
}

int settings_set_gdrive(const char *text, const char *name, const struct settings *s, struct buf *out, struct err *e) {
	OWN(buf_wipe) struct buf whole = {0};
	size_t start = strlen(text), end = start;
	bool there = conf_span(text, "gdrive", &start, &end);
	int r;

	buf_add(&whole, text, start);
	if (!there && start > 0 && text[start - 1] != '\n')
		buf_addc(&whole, '\n');
	buf_adds(&whole, "gdrive = {\n");
	for (const struct conf_key *k = keys; k->path != NULL; k++)
		if (strncmp(k->path, GDRIVE, strlen(GDRIVE)) == 0)
			print_key(k, s, &whole);
	buf_addf(&whole, "};%s%s", there ? "" : "\n", text + end);
	r = check_edited(buf_str(&whole), name, s, e);
	if (r == 0)
		buf_add(out, whole.data, whole.len);
	return r;
}

char *settings_store(const struct settings *s) {
	return s->store_type == NULL
	    ? NULL
	    : xasprintf("%s:%s", s->store_type, s->store_path != NULL ? s->store_path : s->store_folder);
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
