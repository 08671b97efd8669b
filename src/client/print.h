/* SPDX-License-Identifier: Apache-2.0 */
/* Results on standard output: JSON documents, and lines for people. */
#ifndef SCG_CLIENT_PRINT_H
#define SCG_CLIENT_PRINT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "base/own.h"

OWN_DEFINE(json, json_t, json_decref)

/* One document and a line feed. ERR_FAIL where it cannot be written. */
int print_json(const json_t *doc, struct err *e) MUST_CHECK;
/* Values for json_object_set_new: text (null for NULL), numbers, times (null for 0), hex. */
json_t *print_text(const char *s);
json_t *print_u64(uint64_t v);
json_t *print_time(int64_t t_s);
json_t *print_hex(const uint8_t *data, size_t len);

/* printf to standard output, checked when it is flushed at the end. */
void print_line(const char *fmt, ...) ERR_PRINTF(1, 2);
/* The same text made harmless for a terminal; malloc'd. */
char *print_safe(const char *s);

#endif
