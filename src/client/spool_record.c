/* SPDX-License-Identifier: Apache-2.0 */
#include "client/spool_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "ledger/path.h"
#include "pki/name.h"
#include "pki/ossl.h"
#include "store/store.h"

static const char sealed_line[] = "scg-spool 1\n", sealing_line[] = "scg-sealing 1\n", last_key[] = "sha256 ";
#define LAST_LEN (sizeof(last_key) - 1 + 2 * (size_t)SHA256_LEN + 1)

void spool_record_wipe(struct spool_record *r) {
	free(r->group);
	free(r->path);
	if (r->token != NULL)
		explicit_bzero(r->token, strlen(r->token));
	free(r->token);
	*r = (struct spool_record){0};
}

static void add_hex(const uint8_t *data, size_t len, struct buf *out) {
	char hex[2 * ENVELOPE_TICKET_LEN + 1];

	text_hex(data, len, hex);
	buf_adds(out, hex);
}

static int bad(struct err *e) {
	return err_set(e, ERR_DAMAGED, "not in the form of a record");
}

static int take_u64(char **s, uint64_t *v, struct err *e) {
	const char *word = strsep(s, " ");

	return word == NULL ? bad(e) : text_u64(word, UINT64_MAX, v, e);
}

static int take_hex(char **s, uint8_t *out, size_t len, struct err *e) {
	const char *word = strsep(s, " ");

	return word == NULL ? bad(e) : text_unhex(word, out, len, e);
}

static int take_uuid(char **s, uint8_t id[static 16], struct err *e) {
	const char *word = strsep(s, " ");

	return word == NULL ? bad(e) : text_unuuid(word, id, e);
}

/* --- one printer and one reader a line; s is what stands behind the key --- */

static void print_group(const struct spool_record *r, struct buf *out) {
	buf_adds(out, r->group);
}

static int parse_group(char *s, struct spool_record *r, struct err *e) {
	r->group = xstrdup(s);
	return name_check(s, "group", e);
}

static void print_member(const struct spool_record *r, struct buf *out) {
	add_hex(r->member, sizeof(r->member), out);
}

static int parse_member(char *s, struct spool_record *r, struct err *e) {
	return take_hex(&s, r->member, sizeof(r->member), e);
}

static void print_path(const struct spool_record *r, struct buf *out) {
	buf_adds(out, r->path);
}

static int parse_path(char *s, struct spool_record *r, struct err *e) {
	r->path = xstrdup(s);
	return path_check(s, strlen(s), e);
}

static void print_local(const struct spool_record *r, struct buf *out) {
	const struct spool_local *l = &r->local;

	buf_addf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, l->dev, l->ino,
	    l->size, l->mtime_s, l->mtime_ns, l->ctime_s, l->ctime_ns);
}

static int parse_local(char *s, struct spool_record *r, struct err *e) {
	struct spool_local *l = &r->local;
	uint64_t *const v[] = { &l->dev, &l->ino, &l->size, &l->mtime_s, &l->mtime_ns, &l->ctime_s, &l->ctime_ns };
	int rc = 0;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]) && rc == 0; i++)
		rc = take_u64(&s, v[i], e);
	return rc;
}

static void print_put(const struct spool_record *r, struct buf *out) {
	char uuid[37];

	text_uuid(r->put_id, uuid);
	buf_adds(out, uuid);
}

static int parse_put(char *s, struct spool_record *r, struct err *e) {
	return take_uuid(&s, r->put_id, e);
}

static void print_file(const struct spool_record *r, struct buf *out) {
	char uuid[37];

	text_uuid(r->file_id, uuid);
	buf_addf(out, "%s %" PRIu64, uuid, r->version);
}

static int parse_file(char *s, struct spool_record *r, struct err *e) {
	int rc = take_uuid(&s, r->file_id, e);

	return rc != 0 ? rc : take_u64(&s, &r->version, e);
}

static void print_epoch(const struct spool_record *r, struct buf *out) {
	add_hex(r->key_id, sizeof(r->key_id), out);
}

static int parse_epoch(char *s, struct spool_record *r, struct err *e) {
	return take_hex(&s, r->key_id, sizeof(r->key_id), e);
}

static void print_object(const struct spool_record *r, struct buf *out) {
	buf_addf(out, "%s %" PRIu64, r->object, r->object_size);
	if (r->sealing)
		return;
	buf_addc(out, ' ');
	add_hex(r->object_sha256, sizeof(r->object_sha256), out);
}

static int parse_object(char *s, struct spool_record *r, struct err *e) {
	const char *id = strsep(&s, " ");
	int rc;

	if (id == NULL || !text_is_base32_id(id))
		return bad(e);
	memcpy(r->object, id, sizeof(r->object));
	rc = take_u64(&s, &r->object_size, e);
	return rc != 0 || r->sealing ? rc : take_hex(&s, r->object_sha256, sizeof(r->object_sha256), e);
}

static void print_content(const struct spool_record *r, struct buf *out) {
	add_hex(r->content_sha256, sizeof(r->content_sha256), out);
}

static int parse_content(char *s, struct spool_record *r, struct err *e) {
	return take_hex(&s, r->content_sha256, sizeof(r->content_sha256), e);
}

static void print_place(const struct spool_record *r, struct buf *out) {
	char uuid[37];

	text_uuid(r->place.boot, uuid);
	buf_addf(out, "%s %" PRIu64 " %" PRIu64, uuid, r->place.dev, r->place.ino);
}

static int parse_place(char *s, struct spool_record *r, struct err *e) {
	int rc = take_uuid(&s, r->place.boot, e);

	if (rc == 0)
		rc = take_u64(&s, &r->place.dev, e);
	return rc != 0 ? rc : take_u64(&s, &r->place.ino, e);
}

static void print_ticket(const struct spool_record *r, struct buf *out) {
	add_hex(r->ticket, sizeof(r->ticket), out);
}

static int parse_ticket(char *s, struct spool_record *r, struct err *e) {
	return take_hex(&s, r->ticket, sizeof(r->ticket), e);
}

static void print_time(const struct spool_record *r, struct buf *out) {
	buf_addf(out, "%" PRIu64, r->time_s);
}

static int parse_time(char *s, struct spool_record *r, struct err *e) {
	return text_u64(s, INT64_MAX, &r->time_s, e);
}

static void print_sent(const struct spool_record *r, struct buf *out) {
	buf_adds(out, r->sent ? "yes" : "no");
}

static int parse_sent(char *s, struct spool_record *r, struct err *e) {
	r->sent = strcmp(s, "yes") == 0;
	return r->sent || strcmp(s, "no") == 0 ? 0 : bad(e);
}

static void print_token(const struct spool_record *r, struct buf *out) {
	if (r->token == NULL)
		buf_adds(out, "-");
	else
		text_base64((const uint8_t *)r->token, strlen(r->token), out);
}

static int parse_token(char *s, struct spool_record *r, struct err *e) {
	OWN(buf_wipe) struct buf token = {0};
	int rc;

	if (strcmp(s, "-") == 0)
		return 0;
	rc = text_unbase64(s, strlen(s), STORE_TOKEN_MAX, &token, e);
	if (rc == 0 && (token.len == 0 || memchr(token.data, '\0', token.len) != NULL))
		rc = bad(e);
	if (rc == 0)
		r->token = xstrdup(buf_str(&token));
	return rc;
}

/* Where a line stands: in a record of what is sealed to its end, of what is not yet, and in the purpose of the latter. */
enum { SEALED = 1, SEALING = 2, PURPOSE = 4, ALWAYS = SEALED | SEALING | PURPOSE };

static const struct line {
	const char *key;
	void (*print)(const struct spool_record *r, struct buf *out);
	int (*parse)(char *s, struct spool_record *r, struct err *e);
	unsigned in;
} lines[] = {
	{ "group ", print_group, parse_group, ALWAYS },
	{ "member ", print_member, parse_member, ALWAYS },
	{ "path ", print_path, parse_path, ALWAYS },
	{ "local ", print_local, parse_local, ALWAYS },
	{ "put ", print_put, parse_put, ALWAYS },
	{ "file ", print_file, parse_file, ALWAYS },
	{ "epoch ", print_epoch, parse_epoch, ALWAYS },
	{ "object ", print_object, parse_object, ALWAYS },
	{ "content ", print_content, parse_content, SEALED },
	{ "place ", print_place, parse_place, SEALING | PURPOSE },
	{ "time ", print_time, parse_time, ALWAYS },
	{ "ticket ", print_ticket, parse_ticket, SEALING },
	{ "sent ", print_sent, parse_sent, SEALED },
	{ "token ", print_token, parse_token, SEALED | SEALING },
};
#define N_LINES (sizeof(lines) / sizeof(lines[0]))

static unsigned kind(const struct spool_record *r) {
	return r->sealing ? SEALING : SEALED;
}

static void print_lines(const struct spool_record *r, unsigned in, struct buf *text) {
	buf_adds(text, r->sealing ? sealing_line : sealed_line);
	for (size_t i = 0; i < N_LINES; i++) {
		if ((lines[i].in & in) == 0)
			continue;
		buf_adds(text, lines[i].key);
		lines[i].print(r, text);
		buf_addc(text, '\n');
	}
}

void spool_record_purpose(const struct spool_record *r, uint8_t sha256[static 32]) {
	OWN(buf_wipe) struct buf text = {0};

	print_lines(r, PURPOSE, &text);
	ossl_sha256(text.data, text.len, sha256);
}

void spool_record_print(const struct spool_record *r, struct buf *text) {
	uint8_t sha256[SHA256_LEN];
	size_t begin = text->len;

	print_lines(r, kind(r), text);
	ossl_sha256(text->data + begin, text->len - begin, sha256);
	buf_adds(text, last_key);
	add_hex(sha256, sizeof(sha256), text);
	buf_addc(text, '\n');
}

static int parse_lines(char *s, struct spool_record *r, struct err *e) {
	for (size_t i = 0; i < N_LINES; i++) {
		size_t key = strlen(lines[i].key);
		char *line;

		if ((lines[i].in & kind(r)) == 0)
			continue;
		line = strsep(&s, "\n");
		if (line == NULL || strncmp(line, lines[i].key, key) != 0 || lines[i].parse(line + key, r, e) != 0)
			return bad(e);
	}
	return s != NULL && strncmp(s, last_key, strlen(last_key)) == 0 ? 0 : bad(e);
}

static bool begins(const uint8_t *text, size_t len, const char *line) {
	return len > strlen(line) && memcmp(text, line, strlen(line)) == 0;
}

/* A torn or flipped record is found by its digest; one of another hand has to print as it was read. */
int spool_record_parse(const uint8_t *text, size_t len, struct spool_record *r, struct err *e) {
	OWN(buf_wipe) struct buf copy = {0}, again = {0};
	size_t first;
	int rc;

	if (len > SPOOL_RECORD_MAX || len < LAST_LEN || memchr(text, '\0', len) != NULL)
		return bad(e);
	r->sealing = begins(text, len, sealing_line);
	if (!r->sealing && !begins(text, len, sealed_line))
		return bad(e);
	first = strlen(r->sealing ? sealing_line : sealed_line);
	buf_add(&copy, text + first, len - first);
	rc = parse_lines((char *)copy.data, r, e);
	if (rc == 0)
		spool_record_print(r, &again);
	if (rc == 0 && (again.len != len || memcmp(again.data, text, len) != 0))
		rc = bad(e);
	return rc;
}

void spool_local_take(const struct stat *st, struct spool_local *l) {
	*l = (struct spool_local){
		.dev = (uint64_t)st->st_dev,
		.ino = (uint64_t)st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_s = (uint64_t)st->st_mtim.tv_sec,
		.mtime_ns = (uint64_t)st->st_mtim.tv_nsec,
		.ctime_s = (uint64_t)st->st_ctim.tv_sec,
		.ctime_ns = (uint64_t)st->st_ctim.tv_nsec,
	};
}

bool spool_local_is(const struct spool_local *a, const struct spool_local *b) {
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool spool_place_is(const struct spool_place *a, const struct spool_place *b) {
	return memcmp(a->boot, b->boot, sizeof(a->boot)) == 0 && a->dev == b->dev && a->ino == b->ino;
}
