/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: entries_open, entry_take, entry_serials, item_parse. What is taken prints to the same bytes. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "fuzz/identity.h"
#include "ledger/state.h"

static int check_serial(void *arg, const uint8_t *serial, size_t len, struct err *e) {
	(void)arg;
	(void)e;
	if (len == 0 || len > SERIAL_MAX || serial[0] == 0)
		abort();
	return 0;
}

static void check_entry(const struct entry *en, const uint8_t *whole, size_t len) {
	OWN(item_wipe) struct item it = {0};
	OWN(buf_wipe) struct buf again = {0};
	struct err e = ERR_INIT;

	entry_print(en, &again);
	if (again.len != len || memcmp(again.data, whole, len) != 0 || (en->salt == NULL) != (en->path == NULL))
		abort();
	if (en->revoked != NULL && entry_serials(en, check_serial, NULL, &e) != 0)
		abort();
	if (item_parse(identity_chain(), en, &it, &e) != 0 && (e.code != ERR_DAMAGED || it.fresh != NULL))
		abort();
	if (it.fresh != NULL && (it.ev.op != EVENT_MEMBER || it.fresh->revoked))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	struct err e = ERR_INIT;
	struct der run, before;
	struct entry en;

	if (entries_open(data, len, &run, &e) != 0) {
		if (e.code != ERR_DAMAGED)
			abort();
		return 0;
	}
	while (run.len > 0) {
		before = run;
		if (entry_take(&run, &en, &e) != 0) {
			if (e.code != ERR_DAMAGED)
				abort();
			return 0;
		}
		check_entry(&en, before.p, before.len - run.len);
	}
	return 0;
}
