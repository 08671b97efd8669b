/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/path.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "pki/ossl.h"

#define HASH_PREFIX "scg-name"

static int check_part(const char *part, size_t len, struct err *e) {
	if (len == 0)
		return err_set(e, ERR_USAGE, "path: an empty part ('/' at an end, or twice)");
	if (len > PATH_PART_MAX)
		return err_set(e, ERR_USAGE, "path: a part of %zu bytes, %d are allowed", len, PATH_PART_MAX);
	if ((len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
		return err_set(e, ERR_USAGE, "path: \".\" and \"..\" are not allowed");
	return 0;
}

static int check_parts(const char *path, size_t len, struct err *e) {
	const char *end = path + len;

	for (const char *part = path;; part++) {
		const char *slash = memchr(part, '/', (size_t)(end - part));
		size_t n = (size_t)((slash != NULL ? slash : end) - part);
		int r = check_part(part, n, e);

		if (r != 0 || slash == NULL)
			return r;
		part += n;
	}
}

static bool is_nfc(const char *path, size_t len) {
	OWN(buf_wipe) struct buf copy = {0};
	OWN(own_free) char *nfc = NULL;

	buf_add(&copy, path, len);
	return text_nfc(buf_str(&copy), &nfc, NULL) == 0 && strcmp(nfc, buf_str(&copy)) == 0;
}

static int check_form(const char *path, size_t len, struct err *e) {
	if (len > PATH_BYTES_MAX)
		return err_set(e, ERR_USAGE, "path: %zu bytes, %d are allowed", len, PATH_BYTES_MAX);
	if (!text_is_utf8(path, len))
		return err_set(e, ERR_USAGE, "path: not UTF-8 (RFC 3629 3), or with a NUL");
	if (text_has_control(path, len))
		return err_set(e, ERR_USAGE, "path: a control character");
	return check_parts(path, len, e);
}

static int check_normal(const char *path, size_t len, struct err *e) {
	return is_nfc(path, len) ? 0 : err_set(e, ERR_USAGE, "path: not in Unicode's normal form C");
}

int path_check(const char *path, size_t len, struct err *e) {
	int r = check_form(path, len, e);

	if (r != 0)
		return r;
	if (text_has_unassigned(path, len))
		return err_set(e, ERR_USAGE, "path: a code point that Unicode does not assign");
	return check_normal(path, len, e);
}

int path_check_taken(const char *path, size_t len, struct err *e) {
	int r = check_form(path, len, e);

	return r != 0 || text_has_unassigned(path, len) ? r : check_normal(path, len, e);
}

int path_fold(const char *path, char **key, struct err *e) {
	return text_casefold(path, key, e);
}

void path_hash(const char *path, size_t len, const uint8_t salt[static SALT_LEN], uint8_t out[static 32]) {
	OWN(buf_wipe) struct buf b = {0};

	buf_adds(&b, HASH_PREFIX);
	buf_add(&b, salt, SALT_LEN);
	buf_add(&b, path, len);
	ossl_sha256(b.data, b.len, out);
}

/* len or less, so that no character is cut in two (RFC 3629 3: continuation bytes are 10xxxxxx). */
static size_t cut_at_character(const char *s, size_t len) {
	while (len > 0 && ((uint8_t)s[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void conflict_suffix(const char *who, int64_t at_s, struct buf *out) {
	char at[CLOCK_TEXT];

	clock_print(at_s, at);
	buf_addf(out, " (conflict %s ", who);
	for (const char *c = at; *c != '\0'; c++) /* file systems that refuse colons must be able to hold the name */
		if (*c != ':')
			buf_addc(out, (uint8_t)*c);
	buf_addc(out, ')');
}

int path_conflict(const char *path, const char *who, int64_t at_s, char **out, struct err *e) {
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	size_t folder = (size_t)(name - path), keep = strlen(name), room;
	OWN(buf_wipe) struct buf suffix = {0}, b = {0};
	int r;

	*out = NULL;
	conflict_suffix(who, at_s, &suffix);
	if (suffix.len >= PATH_PART_MAX || folder + suffix.len >= PATH_BYTES_MAX)
		return err_set(e, ERR_USAGE, "path: no room for \"conflict\" behind the name");
	room = PATH_BYTES_MAX - folder < PATH_PART_MAX ? PATH_BYTES_MAX - folder : PATH_PART_MAX;
	if (keep > room - suffix.len)
		keep = cut_at_character(name, room - suffix.len);
	buf_add(&b, path, folder + keep);
	buf_add(&b, suffix.data, suffix.len);
	if ((r = path_check(buf_str(&b), b.len, e)) != 0)
		return r;
	*out = (char *)buf_take(&b, NULL);
	return 0;
}
