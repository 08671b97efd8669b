/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/event.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "pki/signed.h"

#define MAGIC "scg-event 1\n"
#define TEXT_MAX 1024 /* the longest text of this form has 64 bytes of group and 560 of the rest */

static const struct op {
	const char *name;
	unsigned fields;
} ops[] = {
#define MEMBERS                                                                                                        \
	(EVENT_HAS_FILE | EVENT_HAS_VERSION | EVENT_HAS_NAME | EVENT_HAS_OBJECT | EVENT_HAS_CONTENT | EVENT_HAS_EPOCH)
    [EVENT_PUT] = {"put", MEMBERS},
    [EVENT_REPLACE] = {"replace", MEMBERS | EVENT_HAS_BASE},
    [EVENT_RENAME] = {"rename", MEMBERS | EVENT_HAS_BASE},
    [EVENT_REMOVE] = {"remove", MEMBERS | EVENT_HAS_BASE},
    [EVENT_REKEY] = {"rekey", MEMBERS | EVENT_HAS_BASE},
    [EVENT_EPOCH] = {"epoch", EVENT_HAS_VERSION | EVENT_HAS_EPOCH},
    [EVENT_CRL] = {"crl", EVENT_HAS_VERSION | EVENT_HAS_NAME | EVENT_HAS_CONTENT},
    [EVENT_MEMBER] = {"member", EVENT_HAS_CONTENT},
    [EVENT_SNAPSHOT] = {"snapshot", 0},
};
#define N_OPS (sizeof ops / sizeof ops[0])

const char *event_op_name(enum event_op op) {
	return ops[op].name;
}

unsigned event_fields(enum event_op op) {
	return ops[op].fields;
}

static void print_hex(const uint8_t *data, size_t len, struct buf *out) {
	char hex[65];

	text_hex(data, len, hex);
	buf_adds(out, hex);
}

/* Takes the next word (ended by a blank or the end) off the front; NULL: there is none. */
static char *next_word(char **s) {
	char *word = *s, *end;

	if (word == NULL)
		return NULL;
	end = strchr(word, ' ');
	*s = end != NULL ? end + 1 : NULL;
	if (end != NULL)
		*end = '\0';
	return word;
}

static int take_hex(char **s, uint8_t *out, size_t len, struct err *e) {
	const char *word = next_word(s);

	return word == NULL ? err_set(e, ERR_DAMAGED, "too short") : text_unhex(word, out, len, e);
}

static int take_u64(char **s, uint64_t *v, struct err *e) {
	const char *word = next_word(s);

	return word == NULL ? err_set(e, ERR_DAMAGED, "too short") : text_u64(word, INT64_MAX, v, e);
}

/* --- one printer and one reader a line; s is what stands behind the key --- */

static void print_group(const struct event *ev, struct buf *out) {
	buf_adds(out, ev->group);
}

static int parse_group(char *s, struct event *ev, struct err *e) {
	if (name_check(s, "group", e) != 0)
		return ERR_DAMAGED;
	memcpy(ev->group, s, strlen(s) + 1);
	return 0;
}

static void print_op(const struct event *ev, struct buf *out) {
	buf_adds(out, event_op_name(ev->op));
}

static int parse_op(char *s, struct event *ev, struct err *e) {
	for (size_t i = 0; i < N_OPS; i++)
		if (strcmp(s, ops[i].name) == 0 && i != EVENT_SNAPSHOT) {
			ev->op = (enum event_op)i;
			return 0;
		}
	return err_set(e, ERR_DAMAGED, "an operation that this version does not know");
}

static void print_file(const struct event *ev, struct buf *out) {
	char uuid[37];

	text_uuid(ev->file, uuid);
	buf_adds(out, uuid);
}

static int parse_file(char *s, struct event *ev, struct err *e) {
	return text_unuuid(s, ev->file, e);
}

static void print_version(const struct event *ev, struct buf *out) {
	buf_addf(out, "%" PRIu64, ev->version);
}

static int parse_version(char *s, struct event *ev, struct err *e) {
	int r = take_u64(&s, &ev->version, e);

	return r == 0 && ev->version == 0 ? err_set(e, ERR_DAMAGED, "versions begin with 1") : r;
}

static void print_base(const struct event *ev, struct buf *out) {
	buf_addf(out, "%" PRIu64, ev->base);
}

static int parse_base(char *s, struct event *ev, struct err *e) {
	return take_u64(&s, &ev->base, e);
}

static void print_name(const struct event *ev, struct buf *out) {
	text_base64(ev->name, sizeof ev->name, out);
}

static int parse_name(char *s, struct event *ev, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};
	int r = text_unbase64(s, strlen(s), sizeof ev->name, &b, e);

	if (r == 0 && b.len != sizeof ev->name)
		r = err_set(e, ERR_DAMAGED, "not 32 bytes");
	if (r == 0)
		memcpy(ev->name, b.data, sizeof ev->name);
	return r;
}

static void print_object(const struct event *ev, struct buf *out) {
	buf_addf(out, "%s %" PRIu64 " ", ev->object, ev->object_size);
	print_hex(ev->object_sha256, sizeof ev->object_sha256, out);
}

static int parse_object(char *s, struct event *ev, struct err *e) {
	const char *id = next_word(&s);
	int r;

	if (!text_is_base32_id(id))
		return err_set(e, ERR_DAMAGED, "not an object id (RFC 4648 6: [a-z2-7]{26})");
	memcpy(ev->object, id, sizeof ev->object);
	if ((r = take_u64(&s, &ev->object_size, e)) != 0)
		return r;
	return take_hex(&s, ev->object_sha256, sizeof ev->object_sha256, e);
}

static void print_content(const struct event *ev, struct buf *out) {
	print_hex(ev->content_sha256, sizeof ev->content_sha256, out);
	buf_addf(out, " %" PRIu64, ev->content_size);
}

static int parse_content(char *s, struct event *ev, struct err *e) {
	int r = take_hex(&s, ev->content_sha256, sizeof ev->content_sha256, e);

	return r != 0 ? r : take_u64(&s, &ev->content_size, e);
}

static void print_epoch(const struct event *ev, struct buf *out) {
	print_hex(ev->key_id, sizeof ev->key_id, out);
}

static int parse_epoch(char *s, struct event *ev, struct err *e) {
	return take_hex(&s, ev->key_id, sizeof ev->key_id, e);
}

static void print_seen(const struct event *ev, struct buf *out) {
	buf_addf(out, "%" PRIu64 " ", ev->seen);
	print_hex(ev->seen_root, sizeof ev->seen_root, out);
}

static int parse_seen(char *s, struct event *ev, struct err *e) {
	int r = take_u64(&s, &ev->seen, e);

	return r != 0 ? r : take_hex(&s, ev->seen_root, sizeof ev->seen_root, e);
}

static void print_time(const struct event *ev, struct buf *out) {
	char text[CLOCK_TEXT];

	clock_print(ev->time_s, text);
	buf_adds(out, text);
}

static int parse_time(char *s, struct event *ev, struct err *e) {
	return clock_parse(s, &ev->time_s, e);
}

static const struct line {
	const char *key;
	unsigned field; /* 0: every op has it */
	void (*print)(const struct event *ev, struct buf *out);
	int (*parse)(char *s, struct event *ev, struct err *e);
} lines[] = {
    {"group", 0, print_group, parse_group},
    {"op", 0, print_op, parse_op},
    {"file", EVENT_HAS_FILE, print_file, parse_file},
    {"version", EVENT_HAS_VERSION, print_version, parse_version},
    {"base", EVENT_HAS_BASE, print_base, parse_base},
    {"name", EVENT_HAS_NAME, print_name, parse_name},
    {"object", EVENT_HAS_OBJECT, print_object, parse_object},
    {"content", EVENT_HAS_CONTENT, print_content, parse_content},
    {"epoch", EVENT_HAS_EPOCH, print_epoch, parse_epoch},
    {"seen", 0, print_seen, parse_seen},
    {"time", 0, print_time, parse_time},
};
#define N_LINES (sizeof lines / sizeof lines[0])

static bool has_line(const struct event *ev, const struct line *l) {
	return l->field == 0 || (event_fields(ev->op) & l->field) != 0;
}

void event_print(const struct event *ev, struct buf *text) {
	buf_adds(text, MAGIC);
	for (const struct line *l = lines; l < lines + N_LINES; l++) {
		buf_addf(text, "%s ", l->key);
		if (has_line(ev, l))
			l->print(ev, text);
		else
			buf_addc(text, '-');
		buf_addc(text, '\n');
	}
}

/* Cuts "KEY VALUE\n" off the front; NULL: another key, or no end. */
static char *take_value(char **at, const char *key) {
	char *line = *at, *end = strchr(line, '\n');
	size_t n = strlen(key);

	if (end == NULL || strncmp(line, key, n) != 0 || line[n] != ' ')
		return NULL;
	*end = '\0';
	*at = end + 1;
	return line + n + 1;
}

static int parse_lines(char *at, struct event *ev, struct err *e) {
	for (const struct line *l = lines; l < lines + N_LINES; l++) {
		char *value = take_value(&at, l->key);

		if (value == NULL)
			return err_set(e, ERR_DAMAGED, "event: line \"%s\" missing", l->key);
		if (has_line(ev, l) && l->parse(value, ev, e) != 0) {
			(void)err_add(e, "event: %s", l->key);
			return err_recode(e, ERR_DAMAGED);
		}
	}
	return 0;
}

int event_parse(const uint8_t *text, size_t len, struct event *ev, struct err *e) {
	const size_t magic = sizeof MAGIC - 1;
	OWN(buf_wipe) struct buf again = {0};
	char copy[TEXT_MAX + 1];
	int r;

	*ev = (struct event){0};
	if (len > TEXT_MAX || len < magic || memcmp(text, MAGIC, magic) != 0)
		return err_set(e, ERR_DAMAGED, "event: does not begin with \"scg-event 1\", or is too long");
	memcpy(copy, text, len);
	copy[len] = '\0';
	if ((r = parse_lines(copy + magic, ev, e)) != 0)
		return r;
	event_print(ev, &again);
	if (again.len != len || memcmp(again.data, text, len) != 0)
		return err_set(e, ERR_DAMAGED, "event: not in its one form");
	return 0;
}

int event_sign(const struct event *ev, EVP_PKEY *key, X509 *cert, struct buf *der, struct err *e) {
	const struct signed_make m = {.key = key, .cert = cert, .by_ski = true, .time_s = ev->time_s};
	OWN(buf_wipe) struct buf text = {0};

	event_print(ev, &text);
	return signed_make(&m, text.data, text.len, der, e);
}
