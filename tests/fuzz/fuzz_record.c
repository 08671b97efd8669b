/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: record_parse, record_print_body, record_line. What is taken has one form, and shows no control character. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "gateway/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf body = { 0 }, again = { 0 }, line = { 0 };
	struct err e = ERR_INIT;
	struct record r;

	if (record_parse(data, len, &r, &e) != 0) {
		if (e.code != ERR_DAMAGED)
			abort();
		return 0;
	}
	record_print_body(&r, &body);
	record_print_as(r.number, body.data, body.len, &again);
	if (again.len != len || memcmp(again.data, data, len) != 0)
		abort();
	record_line(&r, &line);
	if (text_has_control(buf_str(&line), line.len))
		abort();
	return 0;
}
