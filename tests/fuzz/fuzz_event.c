/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: event_parse, event_print. A text has one meaning and a meaning one text. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ledger/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf again = {0};
	struct err e = ERR_INIT;
	struct event ev;

	if (event_parse(data, len, &ev, &e) != 0) {
		if (e.code != ERR_DAMAGED)
			abort();
		return 0;
	}
	event_print(&ev, &again);
	if (again.len != len || memcmp(again.data, data, len) != 0 || ev.op >= EVENT_SNAPSHOT)
		abort();
	return 0;
}
