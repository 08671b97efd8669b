/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/list.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "ca/records.h"

OWN_DEFINE(json, json_t, json_decref)

#define COLUMNS 7

static const char *const titles[COLUMNS] = {"SERIAL", "NAME", "ROLE", "STATUS", "NOT AFTER", "REVOKED AT", "REASON"};
/* The keys of the JSON form, in the same order. */
static const char *const keys[COLUMNS] = {"serial", "name", "role", "status", "not_after", "revoked_at", "reason"};

struct listing {
	int64_t now_s;
	bool all;
	enum record_status status;
	json_t *rows; /* an array of objects; null where there is nothing to say */
};

static json_t *json_time(int64_t t_s) {
	char text[CLOCK_TEXT];

	if (t_s == 0)
		return json_null();
	clock_print(t_s, text);
	return json_string(text);
}

static int add_row(void *arg, const struct record *r, struct err *e) {
	struct listing *l = arg;
	enum record_status status = record_status(r, l->now_s);
	char serial[SERIAL_HEX];
	bool unknown = r->name[0] == '\0';

	if (!l->all && status != l->status)
		return 0;
	text_hex(r->serial, r->serial_len, serial);
	json_t *values[COLUMNS] = {
	    json_string(serial), unknown ? json_null() : json_string(r->name), unknown ? json_null() : json_string(role_name(r->role)),
	    json_string(record_status_name(status)),
	    json_time(r->not_after_s), json_time(r->revoked_s), r->revoked_s == 0 ? json_null() : json_string(crl_reason_name(r->reason)),
	};
	json_t *row = json_object();
	int rc = 0;
	for (size_t i = 0; i < COLUMNS; i++)
		rc |= json_object_set_new(row, keys[i], values[i]);
	rc |= json_array_append_new(l->rows, row);
	return rc == 0 ? 0 : err_set(e, ERR_DAMAGED, "ca.db: a record that is no text");
}

static int print_json(const json_t *rows, struct err *e) {
	if (json_dumpf(rows, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF)
		return err_sys(e, ERR_FAIL, "standard output");
	return 0;
}

static const char *cell(const json_t *row, size_t column) {
	const char *text = json_string_value(json_object_get(row, keys[column]));

	return text == NULL ? "-" : text;
}

/* Columns of the terminal, not bytes. */
static size_t width(const char *text) {
	size_t n = 0;
	utf8proc_int32_t c;
	utf8proc_ssize_t len;

	for (; *text != '\0' && (len = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &c)) > 0; text += len)
		n += (size_t)utf8proc_charwidth(c);
	return n;
}

static void measure(const json_t *rows, size_t widths[static COLUMNS]) {
	for (size_t c = 0; c < COLUMNS; c++) {
		widths[c] = width(titles[c]);
		for (size_t i = 0; i < json_array_size(rows); i++) {
			size_t w = width(cell(json_array_get(rows, i), c));
			widths[c] = w > widths[c] ? w : widths[c];
		}
	}
}

/* A row of the table; NULL: the titles. */
static void add_line(struct buf *b, const json_t *row, const size_t widths[static COLUMNS]) {
	for (size_t c = 0; c < COLUMNS; c++) {
		const char *text = row == NULL ? titles[c] : cell(row, c);
		size_t pad = c + 1 == COLUMNS ? 0 : widths[c] - width(text) + 2;
		buf_adds(b, text);
		buf_addf(b, "%*s", (int)pad, "");
	}
	buf_addc(b, '\n');
}

static int print_table(const json_t *rows, struct err *e) {
	OWN(buf_wipe) struct buf b = {0};
	size_t widths[COLUMNS];

	measure(rows, widths);
	add_line(&b, NULL, widths);
	for (size_t i = 0; i < json_array_size(rows); i++)
		add_line(&b, json_array_get(rows, i), widths);
	return fwrite(b.data, 1, b.len, stdout) == b.len ? 0 : err_sys(e, ERR_FAIL, "standard output");
}

int list_print(struct ca *ca, const struct list_plan *p, struct err *e) {
	OWN(own_json) json_t *rows = json_array();
	struct listing l = {.now_s = clock_now_s(), .all = p->status == NULL, .rows = rows};
	int rc;

	if (p->status != NULL && (rc = record_status_parse(p->status, &l.status, e)) < 0)
		return rc;
	if ((rc = records_each(ca->db, NULL, add_row, &l, e)) < 0)
		return rc;
	return p->json ? print_json(rows, e) : print_table(rows, e);
}
