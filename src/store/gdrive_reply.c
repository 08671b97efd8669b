/* SPDX-License-Identifier: Apache-2.0 */
#include "store/gdrive_reply.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"

#define PAGE_MAX 1000 /* items, as asked for */

OWN_DEFINE(json, json_t, json_decref)

/* A value of two bytes costs the parser a hundred: what is asked for has no more commas, colons and brackets than this. */
#define MARKS_MAX 200000u

static bool is_modest(const struct buf *body) {
	const char *s = buf_str(body);
	unsigned marks = 0;
	bool quoted = false;

	for (size_t i = 0; i < body->len && marks <= MARKS_MAX; i++) {
		if (quoted && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (!quoted && s[i] != '\0' && strchr(",:[{", s[i]) != NULL)
			marks++;
	}
	return marks <= MARKS_MAX;
}

static json_t *load(const struct buf *body) {
	json_t *o = !is_modest(body) ? NULL : json_loadb(buf_str(body), body->len, JSON_REJECT_DUPLICATES, NULL);

	if (o != NULL && !json_is_object(o)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int odd(const char *what, struct err *e) {
	return err_set(e, ERR_DAMAGED, "the drive's answer is none of Drive v3: %s", what);
}

/* A member that is a string without NUL of at most max bytes; NULL for all else. */
static const char *member(const json_t *o, const char *name, size_t max) {
	const json_t *v = json_object_get(o, name);
	const char *s = json_string_value(v);

	return s != NULL && json_string_length(v) <= max && strlen(s) == json_string_length(v) ? s : NULL;
}

static bool copy(const json_t *o, const char *name, char *out, size_t size) {
	const char *s = member(o, name, size - 1);

	if (s == NULL)
		return json_object_get(o, name) == NULL;
	memcpy(out, s, strlen(s) + 1);
	return true;
}

/* Escaped, and cut where it is too long. */
static void copy_shown(const json_t *v, char *out, size_t size) {
	OWN(buf_wipe) struct buf shown = {0};

	if (!json_is_string(v))
		return;
	text_escape(json_string_value(v), json_string_length(v), &shown);
	(void)snprintf(out, size, "%s", buf_str(&shown));
	/* Not in the middle of a character. */
	if (shown.len >= size) {
		size_t n = size - 1;

		while (n > 0 && (shown.data[n] & 0xc0) == 0x80)
			n--;
		out[n] = '\0';
	}
}

/* An int64 travels as a string, and is taken as a number too (Google's JSON mapping). */
static bool copy_size(const json_t *o, bool *has, uint64_t *size) {
	const json_t *number = json_object_get(o, "size");
	const char *s = member(o, "size", 20);

	*has = s != NULL || json_is_integer(number);
	if (json_is_integer(number) && json_integer_value(number) >= 0) {
		*size = (uint64_t)json_integer_value(number);
		return true;
	}
	return s != NULL ? text_u64(s, INT64_MAX, size, NULL) == 0 : json_object_get(o, "size") == NULL;
}

/* RFC 3339 in UTC, with or without a fraction: milliseconds count. */
static bool copy_time(const json_t *o, const char *name, int64_t *ms) {
	const char *s = member(o, name, 40), *fraction;
	char whole[CLOCK_TEXT];
	int64_t t_s;
	unsigned part = 0;

	if (s == NULL)
		return json_object_get(o, name) == NULL;
	if (strlen(s) < CLOCK_TEXT - 1 || s[strlen(s) - 1] != 'Z')
		return false;
	memcpy(whole, s, CLOCK_TEXT - 2);
	memcpy(whole + CLOCK_TEXT - 2, "Z", 2);
	if (clock_parse(whole, &t_s, NULL) != 0)
		return false;
	fraction = s + CLOCK_TEXT - 2;
	if (*fraction == '.') {
		for (unsigned i = 0; i < 3; i++)
			part = part * 10 + (fraction[1] >= '0' && fraction[1] <= '9' ? (unsigned)(*++fraction - '0') : 0);
		fraction += 1 + strspn(fraction + 1, "0123456789");
	}
	*ms = t_s * 1000 + part;
	return strcmp(fraction, "Z") == 0;
}

static bool copy_hex(const json_t *o, const char *name, char *out, size_t size) {
	return copy(o, name, out, size) && (out[0] == '\0' || (strlen(out) == size - 1 && strspn(out, "0123456789abcdef") == size - 1));
}

static bool copy_id(const json_t *o, const char *name, char *out) {
	return copy(o, name, out, GDRIVE_FILE_MAX + 1) && (out[0] == '\0' || gdrive_is_file_id(out));
}

static void copy_object(const json_t *o, struct gdrive_file *f) {
	const char *name = member(o, "name", STORE_ID_LEN + strlen(".cms"));

	if (name == NULL || strlen(name) != STORE_ID_LEN + strlen(".cms") || strcmp(name + STORE_ID_LEN, ".cms") != 0)
		return;
	memcpy(f->object, name, STORE_ID_LEN);
	if (!f->content || !text_is_base32_id(f->object))
		f->object[0] = '\0';
}

static bool parse_file(const json_t *o, void *item) {
	struct gdrive_file *f = item;
	static const char googles_own[] = "application/vnd.google-apps.";
	const char *type = member(o, "mimeType", 255);

	f->folder = type != NULL && strcmp(type, GDRIVE_FOLDER_TYPE) == 0;
	f->trashed = json_is_true(json_object_get(o, "trashed"));
	copy_shown(json_object_get(o, "name"), f->name, sizeof(f->name));
	copy_shown(json_object_get(json_array_get(json_object_get(o, "owners"), 0), "emailAddress"), f->owner, sizeof(f->owner));
	if (!copy_id(o, "id", f->id) || f->id[0] == '\0' || !copy_id(o, "driveId", f->drive) || !copy_id(o, "headRevisionId", f->head) ||
	    !copy_size(o, &f->has_size, &f->size) || !copy_time(o, "createdTime", &f->created_ms) ||
	    !copy_hex(o, "sha256Checksum", f->checksum, sizeof(f->checksum)) || !copy_hex(o, "md5Checksum", f->md5, sizeof(f->md5)))
		return false;
	f->content = f->has_size && (type == NULL || strncmp(type, googles_own, strlen(googles_own)) != 0);
	copy_object(o, f);
	return true;
}

static bool parse_revision(const json_t *o, void *item) {
	struct gdrive_revision *r = item;
	bool has_size;

	return copy_id(o, "id", r->id) && r->id[0] != '\0' && copy_size(o, &has_size, &r->size);
}

static bool parse_permission(const json_t *o, void *item) {
	struct gdrive_permission *p = item;

	return copy_id(o, "id", p->id) && p->id[0] != '\0' && copy(o, "emailAddress", p->email, sizeof(p->email)) &&
	    copy(o, "type", p->type, sizeof(p->type)) && copy(o, "role", p->role, sizeof(p->role));
}

static const struct {
	const char *name;
	size_t size;
	bool (*parse)(const json_t *o, void *item);
} lists[] = {
	[GDRIVE_FILES] = { "files", sizeof(struct gdrive_file), parse_file },
	[GDRIVE_REVISIONS] = { "revisions", sizeof(struct gdrive_revision), parse_revision },
	[GDRIVE_PERMISSIONS] = { "permissions", sizeof(struct gdrive_permission), parse_permission },
};

bool gdrive_is_document(const struct buf *body) {
	OWN(own_json) json_t *o = load(body);

	return o != NULL;
}

int gdrive_parse_file(const struct buf *body, struct gdrive_file *f, struct err *e) {
	OWN(own_json) json_t *o = load(body);

	memset(f, 0, sizeof(*f));
	if (o == NULL)
		return odd("no JSON object (RFC 8259)", e);
	return parse_file(o, f) ? 0 : odd("no file resource", e);
}

static int parse_next(const json_t *o, struct gdrive_page *p, struct err *e) {
	const char *next = member(o, "nextPageToken", GDRIVE_PAGE_TOKEN_MAX);

	if (next == NULL && json_object_get(o, "nextPageToken") != NULL)
		return odd("nextPageToken", e);
	if (next != NULL && next[0] != '\0')
		p->next = xstrdup(next);
	p->incomplete = json_is_true(json_object_get(o, "incompleteSearch"));
	return 0;
}

int gdrive_parse_page(const struct buf *body, enum gdrive_list list, struct gdrive_page *p, struct err *e) {
	OWN(own_json) json_t *o = load(body);
	const json_t *all = json_object_get(o, lists[list].name);
	int r;

	memset(p, 0, sizeof(*p));
	p->list = list;
	if (o == NULL)
		return odd("no JSON object (RFC 8259)", e);
	if (!json_is_array(all) || json_array_size(all) > PAGE_MAX)
		return odd("no page of a list", e);
	if ((r = parse_next(o, p, e)) != 0)
		return r;
	p->items = xcalloc(json_array_size(all) + 1, lists[list].size);
	for (; p->n < json_array_size(all); p->n++)
		if (!lists[list].parse(json_array_get(all, p->n), (char *)p->items + p->n * lists[list].size)) {
			gdrive_page_wipe(p);
			return odd("an item of a list", e);
		}
	return 0;
}

void gdrive_page_wipe(struct gdrive_page *p) {
	free(p->items);
	free(p->next);
	memset(p, 0, sizeof(*p));
}

int gdrive_parse_ids(const struct buf *body, void (*take)(void *arg, const char *id), void *arg, struct err *e) {
	OWN(own_json) json_t *o = load(body);
	const json_t *ids = json_object_get(o, "ids"), *v;

	if (!json_is_array(ids) || json_array_size(ids) == 0 || json_array_size(ids) > PAGE_MAX)
		return odd("no list of ids", e);
	for (size_t i = 0; i < json_array_size(ids); i++) {
		v = json_array_get(ids, i);
		if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v) || !gdrive_is_file_id(json_string_value(v)))
			return odd("an id", e);
	}
	for (size_t i = 0; i < json_array_size(ids); i++)
		take(arg, json_string_value(json_array_get(ids, i)));
	return 0;
}

/* Google's newer services say it there (google.rpc.ErrorInfo), also in front of the old ones. */
static void copy_info(const json_t *details, struct gdrive_fault *f) {
	for (size_t i = 0; i < json_array_size(details) && f->reason[0] == '\0'; i++)
		copy_shown(json_object_get(json_array_get(details, i), "reason"), f->reason, sizeof(f->reason));
}

void gdrive_parse_fault(const struct buf *body, struct gdrive_fault *f) {
	OWN(own_json) json_t *o = load(body);
	const json_t *error = json_object_get(o, "error");

	memset(f, 0, sizeof(*f));
	copy_shown(json_object_get(error, "message"), f->message, sizeof(f->message));
	copy_shown(json_object_get(json_array_get(json_object_get(error, "errors"), 0), "reason"), f->reason, sizeof(f->reason));
	copy_info(json_object_get(error, "details"), f);
}
