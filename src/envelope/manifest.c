/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/manifest.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "pki/name.h"

#define DIGEST_LINE 65       /* 64 digits and a line feed */
#define LINES_MAX 16384      /* all other lines: the name escaped threefold, the group, numbers of up to 20 digits, keywords */
#define UUID_LEN 36

void manifest_wipe(struct manifest *m) {
	free(m->group);
	free(m->name);
	free(m->digests);
	*m = (struct manifest){0};
}

uint64_t manifest_count(uint64_t size) {
	return size == 0 ? 1 : (size - 1) / SEGMENT_LEN + 1;
}

uint64_t manifest_text_max(uint64_t count) {
	return LINES_MAX + count * DIGEST_LINE;
}

static int name_is_fit(const char *name, struct err *e) {
	size_t len = strlen(name);

	if (len == 0 || len > MANIFEST_NAME_MAX)
		return err_set(e, ERR_USAGE, "name: 1 to %d bytes", MANIFEST_NAME_MAX);
	if (!text_is_utf8(name, len))
		return err_set(e, ERR_USAGE, "name: not well-formed UTF-8 (RFC 3629)");
	if (text_has_control(name, len))
		return err_set(e, ERR_USAGE, "name: holds a control character");
	return 0;
}

int manifest_check(const struct manifest *m, struct err *e) {
	int r;

	if ((r = name_check(m->group, "group", e)) != 0 || (r = name_is_fit(m->name, e)) != 0)
		return r;
	if (m->version == 0 || m->version > INT64_MAX)
		return err_set(e, ERR_USAGE, "version: 1 to 2^63-1");
	if (m->segment_size != SEGMENT_LEN)
		return err_set(e, ERR_USAGE, "segment size: format 1 has %u", SEGMENT_LEN);
	if (m->count == 0 || m->count > SEGMENTS_MAX)
		return err_set(e, ERR_USAGE, "count: 1 to 2^24 segments");
	if (m->count != manifest_count(m->size))
		return err_set(e, ERR_USAGE, "count: %" PRIu64 " segments do not hold %" PRIu64 " bytes", m->count, m->size);
	return 0;
}

static void print_head(const struct manifest *m, struct buf *out) {
	char uuid[UUID_LEN + 1];

	text_uuid(m->file_id, uuid);
	buf_addf(out, "scg-manifest 1\ngroup %s\nname ", m->group);
	text_percent(m->name, true, out);
	buf_addf(out, "\nfile %s\nversion %" PRIu64 "\nsize %" PRIu64 "\nsegment-size %" PRIu64 "\ncount %" PRIu64 "\n", uuid,
		 m->version, m->size, m->segment_size, m->count);
}

void manifest_print(const struct manifest *m, struct buf *out) {
	char hex[DIGEST_LINE];

	print_head(m, out);
	for (uint64_t i = 0; i < m->count; i++) {
		text_hex(m->digests[i], sizeof m->digests[i], hex);
		hex[DIGEST_LINE - 1] = '\n';
		buf_add(out, hex, DIGEST_LINE);
	}
}

/* What is left of the text. */
struct lines { const char *p; size_t len; };

/* Takes the line "key value" and gives a copy of its value. */
static int take(struct lines *l, const char *key, char **value, struct err *e) {
	const char *end = l->len == 0 ? NULL : memchr(l->p, '\n', l->len);
	size_t key_len = strlen(key), len = end == NULL ? 0 : (size_t)(end - l->p);

	if (end == NULL || len <= key_len || memcmp(l->p, key, key_len) != 0 || l->p[key_len] != ' ')
		return err_set(e, ERR_DAMAGED, "manifest: line \"%s\" missing", key);
	if (len > LINES_MAX || memchr(l->p, '\0', len) != NULL)
		return err_set(e, ERR_DAMAGED, "manifest: line \"%s\" is too long or holds a NUL", key);
	len -= key_len + 1;
	*value = xmalloc(len + 1);
	memcpy(*value, l->p + key_len + 1, len);
	(*value)[len] = '\0';
	l->p = end + 1;
	l->len -= key_len + 1 + len + 1;
	return 0;
}

static int take_number(struct lines *l, const char *key, uint64_t *n, struct err *e) {
	OWN(own_free) char *value = NULL;
	int r;

	if ((r = take(l, key, &value, e)) != 0)
		return r;
	if (text_u64(value, INT64_MAX, n, e) != 0)
		return err_set(e, ERR_DAMAGED, "manifest: line \"%s\" is no number", key);
	return 0;
}

static int take_name(struct lines *l, char **name, struct err *e) {
	OWN(own_free) char *value = NULL;
	OWN(buf_wipe) struct buf plain = {0};
	struct err why = ERR_INIT;
	int r;

	if ((r = take(l, "name", &value, e)) != 0)
		return r;
	if (text_unpercent(value, strlen(value), true, &plain, &why) != 0)
		return err_set(e, ERR_DAMAGED, "manifest: name: %s", why.text);
	*name = xstrdup(buf_str(&plain));
	return 0;
}

static int take_kind_and_file(struct lines *l, struct manifest *m, struct err *e) {
	OWN(own_free) char *format = NULL;
	OWN(own_free) char *uuid = NULL;
	int r;

	if ((r = take(l, "scg-manifest", &format, e)) != 0)
		return r;
	if (strcmp(format, "1") != 0)
		return err_set(e, ERR_DAMAGED, "manifest: of another format than 1");
	if ((r = take(l, "group", &m->group, e)) != 0 || (r = take_name(l, &m->name, e)) != 0 || (r = take(l, "file", &uuid, e)) != 0)
		return r;
	if (text_unuuid(uuid, m->file_id, e) != 0)
		return err_set(e, ERR_DAMAGED, "manifest: file is no UUID");
	return 0;
}

static int nibble(char c) {
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Lower case only, unlike text_unhex: there is one text for a manifest. */
static bool digest_line(const char *line, uint8_t out[static 32]) {
	for (size_t i = 0; i < 32; i++) {
		int high = nibble(line[2 * i]), low = nibble(line[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return line[DIGEST_LINE - 1] == '\n';
}

static int take_digests(struct lines *l, struct manifest *m, struct err *e) {
	if (l->len / DIGEST_LINE != m->count || l->len % DIGEST_LINE != 0)
		return err_set(e, ERR_DAMAGED, "manifest: not one digest for each of %" PRIu64 " segments", m->count);
	m->digests = xcalloc((size_t)m->count, sizeof *m->digests);
	for (uint64_t i = 0; i < m->count; i++)
		if (!digest_line(l->p + i * DIGEST_LINE, m->digests[i]))
			return err_set(e, ERR_DAMAGED, "manifest: digest %" PRIu64 " is not 64 lower-case hex digits", i);
	return 0;
}

static int parse_lines(struct lines *l, struct manifest *m, struct err *e) {
	struct err why = ERR_INIT;
	int r;

	if ((r = take_kind_and_file(l, m, e)) != 0 || (r = take_number(l, "version", &m->version, e)) != 0 ||
	    (r = take_number(l, "size", &m->size, e)) != 0 || (r = take_number(l, "segment-size", &m->segment_size, e)) != 0 ||
	    (r = take_number(l, "count", &m->count, e)) != 0)
		return r;
	if (manifest_check(m, &why) != 0)
		return err_set(e, ERR_DAMAGED, "manifest: %s", why.text);
	return take_digests(l, m, e);
}

/* Every reader above takes one spelling only; this holds even if one of them did not. */
static bool head_is_canonical(const struct manifest *m, const uint8_t *text, size_t len) {
	OWN(buf_wipe) struct buf again = {0};

	print_head(m, &again);
	return again.len <= len && memcmp(again.data, text, again.len) == 0;
}

int manifest_parse(const uint8_t *text, size_t len, struct manifest *m, struct err *e) {
	struct lines l = { (const char *)text, len };
	int r = parse_lines(&l, m, e);

	if (r == 0 && !head_is_canonical(m, text, len))
		r = err_set(e, ERR_DAMAGED, "manifest: not in its one form");
	if (r != 0)
		manifest_wipe(m);
	return r;
}
