/* SPDX-License-Identifier: Apache-2.0 */
/* Target: conf_parse. What is accepted keeps the table's bounds, what is refused leaves nothing behind. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/own.h"
#include "base/text.h"

struct plan {
	char *listen, *type;
	uint64_t days;
	bool rotate;
};

static const struct conf_key keys[] = {
	{ .path = "listen", .kind = CONF_TEXT, .off = offsetof(struct plan, listen), .required = true },
	{ .path = "store.type", .kind = CONF_TEXT, .off = offsetof(struct plan, type), .def = "directory" },
	{ .path = "days", .kind = CONF_U64, .off = offsetof(struct plan, days), .def = "30", .min = 1, .max = 90 },
	{ .path = "rotate", .kind = CONF_BOOL, .off = offsetof(struct plan, rotate), .def = "true" },
	{ 0 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	OWN(own_free) char *text = NULL;
	struct plan p = { 0 };

	if (len > CONF_MAX_BYTES)
		return 0;
	text = xcalloc(len + 1, 1);
	if (len > 0)
		memcpy(text, data, len);
	if (conf_parse(text, "x.conf", keys, &p, NULL) != 0) {
		if (p.listen != NULL || p.type != NULL)
			abort();
		return 0;
	}
	if (p.listen == NULL || p.type == NULL || p.days < 1 || p.days > 90 || text_has_control(p.listen, strlen(p.listen)))
		abort();
	conf_free(keys, &p);
	return 0;
}
