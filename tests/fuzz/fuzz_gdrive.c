/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: gdrive_parse_file, _page, _ids, _fault, _range, _span, _token, gdrive_is_session. What is accepted can stand in a path, and on a
 * terminal; a token prints as it was read. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "store/gdrive_reply.h"

static void must(bool ok) {
	if (!ok)
		abort();
}

static void must_be_shown(const char *s) {
	must(text_is_utf8(s, strlen(s)) && !text_has_control(s, strlen(s)));
}

static void check_file(const struct gdrive_file *f) {
	must(gdrive_is_file_id(f->id));
	must(f->drive[0] == '\0' || gdrive_is_file_id(f->drive));
	must(f->head[0] == '\0' || gdrive_is_file_id(f->head));
	must(f->object[0] == '\0' || (text_is_base32_id(f->object) && f->content && f->has_size));
	must(f->size <= INT64_MAX);
	must_be_shown(f->name);
	must_be_shown(f->owner);
}

static void check_id(void *arg, const char *id) {
	(void)arg;
	must(gdrive_is_file_id(id));
}

static void try_json(const struct buf *body) {
	struct gdrive_file f;
	struct gdrive_page p;
	struct gdrive_fault fault;

	if (gdrive_parse_file(body, &f, NULL) == 0)
		check_file(&f);
	if (gdrive_parse_page(body, GDRIVE_FILES, &p, NULL) == 0)
		for (size_t i = 0; i < p.n; i++)
			check_file(&((const struct gdrive_file *)p.items)[i]);
	gdrive_page_wipe(&p);
	if (gdrive_parse_page(body, GDRIVE_REVISIONS, &p, NULL) == 0)
		for (size_t i = 0; i < p.n; i++)
			must(gdrive_is_file_id(((const struct gdrive_revision *)p.items)[i].id));
	gdrive_page_wipe(&p);
	if (gdrive_parse_page(body, GDRIVE_PERMISSIONS, &p, NULL) == 0)
		for (size_t i = 0; i < p.n; i++)
			must(gdrive_is_file_id(((const struct gdrive_permission *)p.items)[i].id));
	gdrive_page_wipe(&p);
	(void)!gdrive_parse_ids(body, check_id, NULL, NULL);
	gdrive_parse_fault(body, &fault);
	must_be_shown(fault.reason);
	must_be_shown(fault.message);
	must(gdrive_refuse(403, body, "it", NULL) != 0 && gdrive_refuse(503, body, "it", NULL) != 0);
}

static void try_text(const char *text) {
	static const char api[] = "https://www.googleapis.com";
	struct gdrive_token t;
	struct gdrive_span s;
	uint64_t next;

	if (gdrive_parse_range(text, &next))
		must(next > 0);
	if (gdrive_parse_span(text, &s))
		must(s.first <= s.last && s.last < s.total);
	if (gdrive_is_session(api, text))
		must(text[strlen(api)] == '/' && strlen(text) <= GDRIVE_SESSION_MAX);
	if (gdrive_parse_token(text, &t)) {
		OWN(own_free) char *again = gdrive_print_token(&t);

		must(strcmp(again, text) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf body = {0};

	buf_add(&body, data, len);
	try_json(&body);
	try_text(buf_str(&body));
	return 0;
}
