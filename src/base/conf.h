/* SPDX-License-Identifier: Apache-2.0 */
/* A libconfig file read once into a struct; an unknown key is an error with its line. */
#ifndef SCG_BASE_CONF_H
#define SCG_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CONF_MAX_BYTES ((size_t)64 * 1024) /* a hand-written file; ours have 1 KiB */

enum conf_kind {
	CONF_TEXT,  /* char *, malloc'd; free with conf_free */
	CONF_U64,   /* uint64_t within min..max */
	CONF_BOOL,  /* bool */
	CONF_LIST,  /* struct conf_list: ( { ... }, { ... } ), min to max groups of the keys in sub */
};

struct conf_list {
	void *v; /* n structs of the key's sub_size */
	size_t n;
};

struct conf_key {
	const char *path;  /* "store.type"; the table ends with NULL. All groups that occur in paths are known. */
	enum conf_kind kind;
	size_t off;
	const char *def;   /* the default as text ("true", "30"), NULL: none (text stays NULL, number 0) */
	bool required;
	uint64_t min, max; /* CONF_U64; CONF_LIST, where they count the groups */
	const struct conf_key *sub; /* CONF_LIST: the keys of one group; texts, numbers and truths without dots */
	size_t sub_size;
	const char *unless; /* where this key (of the top level) is given, ours must not be, nor is it required; NULL: none */
};

/* ERR_USAGE for a syntax error, unknown key, wrong type, value out of bounds, missing required key: "file:line: what". @include is
 * refused. On failure everything allocated is released and out is zeroed. */
int conf_load(const char *path, const struct conf_key *keys, void *out, struct err *e) MUST_CHECK;
/* Parses from memory (fuzzing, tests); name stands for the file in errors. */
int conf_parse(const char *text, const char *name, const struct conf_key *keys, void *out, struct err *e) MUST_CHECK;
/* conf_load that goes on: wrong is called with the text of each fault, and what is at fault or missing has its default in out. Non-zero only where
 * nothing could be read at all (no such file, a syntax error), which wrong is not called for. */
int conf_load_all(const char *path, const struct conf_key *keys, void *out, void (*wrong)(void *arg, const char *text), void *arg,
    struct err *e) MUST_CHECK;
void conf_free(const struct conf_key *keys, void *out);
/* Where the setting of this name at the top level lies in a text that conf_parse takes: from its name to the end of its value and terminator.
 * false: there is none. For changing a part of somebody's file and leaving the rest as he wrote it. */
bool conf_span(const char *text, const char *name, size_t *start, size_t *end);
/* "value" with libconfig's escapes, for writing a configuration file. malloc'd. */
char *conf_quote(const char *value);

#endif
