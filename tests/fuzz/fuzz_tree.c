/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: envelope/tree.h tree_walk(), and with it all of tree_show.h. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "envelope/tree.h"

struct input { const uint8_t *p; size_t len; };

static int read_at(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	const struct input *in = arg;

	(void)e;
	*got = off >= in->len ? 0 : in->len - off < len ? in->len - (size_t)off : len;
	if (*got > 0)
		memcpy(data, in->p + off, *got);
	return 0;
}

/* What is shown is fit for a terminal, and no deeper than is said. */
static void line(void *arg, const struct tree_line *l) {
	const struct input *in = arg;
	size_t len = strlen(l->value);

	if (l->depth > TREE_DEPTH_MAX || l->off > in->len || !text_is_utf8(l->value, len) || text_has_control(l->value, len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	struct input in = { data, len };
	struct source source = { .arg = &in, .read_at = read_at, .size = len };
	struct err e = ERR_INIT;
	int r = tree_walk(&source, line, &in, &e);

	if (r != 0 && (r != ERR_DAMAGED || e.text[0] == '\0'))
		abort();
	return 0;
}
