/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"

#define SHORT_DIGITS 9 /* that surely fit 32 bits */
#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*" /* of names and words */
#define KEY_MAX 128 /* bytes of a key such as "limits.body"; ours have 30 */

struct reader {
	const char *name; /* of the file, for errors */
	const struct conf_key *keys;
	void *out;
	unsigned *line; /* one for each key: where it is given, 0: not */
	unsigned at; /* where the group of a list begins that is read; 0: the whole file is */
	void (*wrong)(void *arg, const char *text); /* NULL: the first fault ends it */
	void *arg;
};

static void *field_of(const struct conf_key *k, void *out) {
	return (char *)out + k->off;
}

static int set_text(const struct conf_key *k, const char *v, void *out, struct err *e) {
	char *copy;

	if (!text_is_utf8(v, strlen(v)) || text_has_control(v, strlen(v)))
		return err_set(e, ERR_USAGE, "%s: not UTF-8 without control characters", k->path);
	copy = xstrdup(v);
	memcpy(field_of(k, out), &copy, sizeof copy);
	return 0;
}

static int set_u64(const struct conf_key *k, uint64_t v, void *out, struct err *e) {
	if (v < k->min || v > k->max)
		return err_set(e, ERR_USAGE, "%s: must be a number from %llu to %llu", k->path, (unsigned long long)k->min,
			       (unsigned long long)k->max);
	memcpy(field_of(k, out), &v, sizeof v);
	return 0;
}

static int set_bool(const struct conf_key *k, bool v, void *out) {
	memcpy(field_of(k, out), &v, sizeof v);
	return 0;
}

static int set_default(const struct conf_key *k, void *out, struct err *e) {
	uint64_t v = 0;
	int r;

	switch (k->kind) {
	case CONF_U64:
		return (r = text_u64(k->def, UINT64_MAX, &v, e)) != 0 ? r : set_u64(k, v, out, e);
	case CONF_BOOL:
		return set_bool(k, strcmp(k->def, "true") == 0, out);
	default:
		return set_text(k, k->def, out, e);
	}
}

static int set_number(const struct conf_key *k, const config_setting_t *s, void *out, struct err *e) {
	int type = config_setting_type(s);
	long long v;

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		return err_set(e, ERR_USAGE, "%s: must be a number", k->path);
	v = config_setting_get_int64(s);
	if (v < 0)
		return err_set(e, ERR_USAGE, "%s: must not be negative", k->path);
	return set_u64(k, (uint64_t)v, out, e);
}

static int set_value(const struct conf_key *k, const config_setting_t *s, void *out, struct err *e) {
	int type = config_setting_type(s);

	switch (k->kind) {
	case CONF_U64:
		return set_number(k, s, out, e);
	case CONF_BOOL:
		if (type != CONFIG_TYPE_BOOL)
			return err_set(e, ERR_USAGE, "%s: must be true or false", k->path);
		return set_bool(k, config_setting_get_bool(s) != 0, out);
	default:
		if (type != CONFIG_TYPE_STRING)
			return err_set(e, ERR_USAGE, "%s: must be a text in quotes", k->path);
		return set_text(k, config_setting_get_string(s), out, e);
	}
}

static bool is_group(const struct reader *rd, const char *path) {
	size_t len = strlen(path);

	for (const struct conf_key *k = rd->keys; k->path != NULL; k++)
		if (strncmp(k->path, path, len) == 0 && k->path[len] == '.')
			return true;
	return false;
}

static const struct conf_key *find_key(const struct conf_key *keys, const char *path) {
	for (const struct conf_key *k = keys; k->path != NULL; k++)
		if (strcmp(k->path, path) == 0)
			return k;
	return NULL;
}

static int read_leaf(struct reader *rd, const config_setting_t *s, const char *path, struct err *e) {
	const struct conf_key *k = find_key(rd->keys, path);
	int r;

	if (k != NULL) {
		r = set_value(k, s, rd->out, e);
		rd->line[k - rd->keys] = r == 0 || k->required ? config_setting_source_line(s) : 0;
		return r;
	}
	if (is_group(rd, path))
		return err_set(e, ERR_USAGE, "%s: must be a group, { ... }", path);
	return err_set(e, ERR_USAGE, "unknown key %s", path);
}

/* Ends the reading, or reports and goes on. */
static int fault(const struct reader *rd, int code, struct err *e) {
	if (rd->wrong == NULL)
		return code;
	rd->wrong(rd->arg, e->text);
	return 0;
}

static bool is_given(const struct reader *rd, const char *path) {
	const struct conf_key *k = path != NULL ? find_key(rd->keys, path) : NULL;

	return k != NULL && rd->line[k - rd->keys] != 0;
}

static int fault_at(const struct reader *rd, const config_setting_t *s, struct err *e) {
	return fault(rd, err_add(e, "%s:%u", rd->name, config_setting_source_line(s)), e);
}

static size_t count_keys(const struct conf_key *keys) {
	size_t n = 0;

	while (keys[n].path != NULL)
		n++;
	return n;
}

static int read_group(struct reader *rd, const config_setting_t *group, const char *prefix, struct err *e);
static int fill_rest(struct reader *rd, struct err *e);

static int read_element(const struct reader *rd, const struct conf_key *k, const config_setting_t *s, void *out, struct err *e) {
	OWN(own_free) unsigned *line = xcalloc(count_keys(k->sub), sizeof *line);
	struct reader sub = { rd->name, k->sub, out, line, config_setting_source_line(s), rd->wrong, rd->arg };
	int r = read_group(&sub, s, "", e);

	return r != 0 ? r : fill_rest(&sub, e);
}

static int read_list(struct reader *rd, const struct conf_key *k, const config_setting_t *s, struct err *e) {
	struct conf_list list = { .n = (size_t)config_setting_length(s) };
	int r = 0;

	if (config_setting_is_list(s) != CONFIG_TRUE || list.n < k->min || list.n > k->max) {
		(void)err_set(e, ERR_USAGE, "%s: must be a list, ( { ... } ), of %llu to %llu groups", k->path, (unsigned long long)k->min,
		    (unsigned long long)k->max);
		return fault_at(rd, s, e);
	}
	list.v = xcalloc(list.n, k->sub_size);
	memcpy(field_of(k, rd->out), &list, sizeof list);
	for (unsigned i = 0; i < list.n && r == 0; i++) {
		const config_setting_t *one = config_setting_get_elem(s, i);

		if (config_setting_is_group(one) == CONFIG_TRUE) {
			r = read_element(rd, k, one, (char *)list.v + i * k->sub_size, e);
		} else {
			(void)err_set(e, ERR_USAGE, "%s: not a group, { ... }", k->path);
			r = fault_at(rd, one, e);
		}
	}
	return r;
}

/* Goes only into groups that stand in the table, so it is as deep as the table's longest path. */
static int read_group(struct reader *rd, const config_setting_t *group, const char *prefix, struct err *e) {
	unsigned n = (unsigned)config_setting_length(group);
	char path[KEY_MAX];
	int r = 0;

	for (unsigned i = 0; i < n && r == 0; i++) {
		const config_setting_t *s = config_setting_get_elem(group, i);
		const struct conf_key *k;

		/* cut off, it is an unknown key all the same */
		(void)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix != '\0' ? "." : "", config_setting_name(s));
		k = find_key(rd->keys, path);
		if (k != NULL && k->kind == CONF_LIST) {
			rd->line[k - rd->keys] = config_setting_source_line(s);
			r = read_list(rd, k, s, e);
		} else if (config_setting_is_group(s) == CONFIG_TRUE && is_group(rd, path)) {
			r = read_group(rd, s, path, e);
		} else if (read_leaf(rd, s, path, e) != 0) {
			r = fault_at(rd, s, e);
		}
	}
	return r;
}

static int check_beside(const struct reader *rd, struct err *e) {
	for (const struct conf_key *k = rd->keys; k->path != NULL; k++) {
		unsigned line = rd->line[k - rd->keys];

		if (line == 0 || !is_given(rd, k->unless))
			continue;
		(void)err_set(e, ERR_USAGE, "%s:%u: %s: must not stand beside %s", rd->name, line, k->path, k->unless);
		if (fault(rd, ERR_USAGE, e) != 0)
			return ERR_USAGE;
	}
	return 0;
}

static int is_missing(const struct reader *rd, const struct conf_key *k, struct err *e) {
	if (rd->at > 0)
		return fault(rd, err_set(e, ERR_USAGE, "%s:%u: key %s is missing", rd->name, rd->at, k->path), e);
	return fault(rd, err_set(e, ERR_USAGE, "%s: key %s is missing", rd->name, k->path), e);
}

static int fill_rest(struct reader *rd, struct err *e) {
	if (check_beside(rd, e) != 0)
		return e->code;
	for (const struct conf_key *k = rd->keys; k->path != NULL; k++) {
		if (rd->line[k - rd->keys] != 0)
			continue;
		if (k->required && !is_given(rd, k->unless) && is_missing(rd, k, e) != 0)
			return ERR_USAGE;
		if (k->def != NULL && set_default(k, rd->out, e) != 0)
			return err_add(e, "%s: default", rd->name);
	}
	return 0;
}

/* Behind the string or comment that begins at s; s if none does. */
static const char *skip_quoted(const char *s) {
	const char *end;

	if (*s == '"') {
		for (s++; *s != '\0' && *s != '"'; s++)
			if (*s == '\\' && s[1] != '\0')
				s++;
		return *s == '"' ? s + 1 : s;
	}
	if (*s == '#' || (s[0] == '/' && s[1] == '/'))
		return s + strcspn(s, "\n");
	if (s[0] == '/' && s[1] == '*')
		return (end = strstr(s + 2, "*/")) != NULL ? end + 2 : s + strlen(s);
	return s;
}

/* Why libconfig must not see what begins at s: an include would escape our size cap, and version 1.5 can neither switch it off
 * nor keep more than 32 bits of a number without L, which it cuts silently. */
static const char *wrong_token(const char *s, size_t *len) {
	*len = strspn(s, "0123456789abcdefABCDEFxX");
	if (*s >= '0' && *s <= '9')
		return *len > SHORT_DIGITS && s[*len] != 'L' ? "a number of this length needs an L behind it" : NULL;
	*len = strspn(s, NAME_BYTES);
	if (*len == 0)
		*len = 1;
	return strncasecmp(s, "@include", 8) == 0 ? "@include is not allowed" : NULL;
}

static int check_tokens(const char *text, const char *name, struct err *e) {
	unsigned line = 1;
	size_t len = 0;

	for (const char *s = text, *next; *s != '\0'; s = next) {
		const char *why = NULL;

		if ((next = skip_quoted(s)) == s) {
			why = wrong_token(s, &len);
			next = s + len;
		}
		if (why != NULL)
			return err_set(e, ERR_USAGE, "%s:%u: %s", name, line, why);
		for (const char *c = s; c < next; c++)
			line += *c == '\n';
	}
	return 0;
}

/* Behind blanks and comments. */
static const char *skip_space(const char *s) {
	const char *next;

	for (;;) {
		s += strspn(s, " \t\r\n\f");
		next = *s == '"' ? s : skip_quoted(s);
		if (next == s)
			return s;
		s = next;
	}
}

/* What libconfig takes for an integer ends where its digits do: a name may follow without a blank. */
static size_t number_len(const char *s) {
	size_t len = *s == '+' || *s == '-';
	size_t digits = strspn(s + len, "0123456789");

	if (digits == 0)
		return 0;
	if (s[len] == '0' && (s[len + 1] == 'x' || s[len + 1] == 'X'))
		digits = 2 + strspn(s + len + 2, "0123456789abcdefABCDEF");
	return len + digits + strspn(s + len + digits, "L");
}

/* Behind one token; depth counts the brackets that are open. */
static const char *skip_token(const char *s, int *depth) {
	const char *next = skip_quoted(s);
	size_t len;

	if (next != s)
		return next;
	if ((len = number_len(s)) > 0 || (len = strspn(s, NAME_BYTES)) > 0)
		return s + len;
	*depth += strchr("{([", *s) != NULL;
	*depth -= strchr("})]", *s) != NULL;
	return s + 1;
}

/* Behind a value, its terminator too; a list or group counts as one. Texts may be in several parts. */
static const char *skip_value(const char *s) {
	int depth = 0;

	do
		s = skip_token(skip_space(s), &depth);
	while (depth > 0 && *skip_space(s) != '\0');
	while (*skip_space(s) == '"')
		s = skip_quoted(skip_space(s));
	return *skip_space(s) == ';' || *skip_space(s) == ',' ? skip_space(s) + 1 : s;
}

bool conf_span(const char *text, const char *name, size_t *start, size_t *end) {
	const char *s = skip_space(text);
	size_t len;

	while (*s != '\0') {
		const char *key = s, *value;

		len = strspn(s, NAME_BYTES);
		value = skip_space(s + len);
		if (len == 0 || (*value != '=' && *value != ':'))
			return false;
		s = skip_value(value + 1);
		if (strlen(name) == len && memcmp(key, name, len) == 0) {
			*start = (size_t)(key - text);
			*end = (size_t)(s - text);
			return true;
		}
		s = skip_space(s);
	}
	return false;
}

static void clear(const struct conf_key *keys, void *out) {
	static const size_t size[] = { [CONF_TEXT] = sizeof(char *), [CONF_U64] = sizeof(uint64_t), [CONF_BOOL] = sizeof(bool),
		[CONF_LIST] = sizeof(struct conf_list) };

	for (const struct conf_key *k = keys; k->path != NULL; k++)
		memset(field_of(k, out), 0, size[k->kind]);
}

static int parse(struct reader *rd, const char *text, struct err *e) {
	OWN(config_destroy) config_t c = { 0 };
	OWN(own_free) unsigned *line = xcalloc(count_keys(rd->keys), sizeof *line);
	int r;

	rd->line = line;
	clear(rd->keys, rd->out);
	if ((r = check_tokens(text, rd->name, e)) != 0)
		return r;
	config_init(&c);
	if (config_read_string(&c, text) != CONFIG_TRUE)
		return err_set(e, ERR_USAGE, "%s:%d: %s", rd->name, config_error_line(&c), config_error_text(&c));
	if ((r = read_group(rd, config_root_setting(&c), "", e)) == 0)
		r = fill_rest(rd, e);
	if (r != 0)
		conf_free(rd->keys, rd->out);
	return r;
}

int conf_parse(const char *text, const char *name, const struct conf_key *keys, void *out, struct err *e) {
	struct reader rd = { .name = name, .keys = keys, .out = out };

	return parse(&rd, text, e);
}

static int load(struct reader *rd, struct err *e) {
	OWN(buf_wipe) struct buf b = { 0 };
	int r;

	clear(rd->keys, rd->out);
	if ((r = file_load(rd->name, CONF_MAX_BYTES, &b, e)) != 0)
		return r;
	if (strlen(buf_str(&b)) != b.len)
		return err_set(e, ERR_USAGE, "%s: NUL byte", rd->name);
	return parse(rd, buf_str(&b), e);
}

int conf_load(const char *path, const struct conf_key *keys, void *out, struct err *e) {
	struct reader rd = { .name = path, .keys = keys, .out = out };

	return load(&rd, e);
}

int conf_load_all(const char *path, const struct conf_key *keys, void *out, void (*wrong)(void *arg, const char *text), void *arg,
    struct err *e) {
	struct reader rd = { .name = path, .keys = keys, .out = out, .wrong = wrong, .arg = arg };

	return load(&rd, e);
}

static void free_list(const struct conf_key *k, void *out) {
	struct conf_list list;

	memcpy(&list, field_of(k, out), sizeof list);
	for (size_t i = 0; i < list.n && list.v != NULL; i++)
		conf_free(k->sub, (char *)list.v + i * k->sub_size);
	free(list.v);
}

void conf_free(const struct conf_key *keys, void *out) {
	for (const struct conf_key *k = keys; k->path != NULL; k++) {
		char *text;

		if (k->kind == CONF_LIST)
			free_list(k, out);
		if (k->kind != CONF_TEXT)
			continue;
		memcpy(&text, field_of(k, out), sizeof text);
		free(text);
	}
	clear(keys, out);
}

char *conf_quote(const char *value) {
	OWN(buf_wipe) struct buf b = { 0 };

	buf_addc(&b, '"');
	for (const char *c = value; *c != '\0'; c++) {
		unsigned char u = (unsigned char)*c;

		if (u == '"' || u == '\\')
			buf_addf(&b, "\\%c", u);
		else if (u < 0x20 || u == 0x7f)
			buf_addf(&b, "\\x%02x", u);
		else
			buf_addc(&b, u);
	}
	buf_addc(&b, '"');
	return (char *)buf_take(&b, NULL);
}
