/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: head_line, head_retry_after_s, sink_header, sink_body, sink_end. Whatever a server says, statuses have three digits, texts are
 * capped, and no more is kept than was asked for. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "net/head.h"
#include "net/sink.h"

#define BODY_MAX 1000

static void check_head(const struct head *h) {
	if (h->status < 0 || h->status > 999 || memchr(h->type, 0, sizeof h->type) == NULL || memchr(h->coding, 0, sizeof h->coding) == NULL)
		abort();
	if (h->bytes > h->max || head_retry_after_s(h) > HEAD_RETRY_AFTER_MAX || h->length > INT64_MAX)
		abort();
	if (head_check_type(h, NULL, NULL) != 0)
		abort();
}

static void try_head(const uint8_t *data, size_t len) {
	struct err why = ERR_INIT;
	struct head h;

	head_init(&h, 2000);
	for (size_t n; len > 0; data += n, len -= n) {
		const uint8_t *end = memchr(data, '\n', len);

		n = end != NULL ? (size_t)(end - data) + 1 : len;
		if (!head_line(&h, (const char *)data, n, &why)) {
			if (why.code == 0)
				abort();
			break;
		}
		check_head(&h);
	}
	head_wipe(&h);
}

/* The head, then the body in pieces. */
static void try_sink(const uint8_t *data, size_t len) {
	struct fetch_reply r = {0};
	struct sink s;
	bool going = true;

	sink_init(&s, &r, BODY_MAX);
	while (going && len > 0 && !s.head.ended) {
		const uint8_t *end = memchr(data, '\n', len);
		size_t n = end != NULL ? (size_t)(end - data) + 1 : len;

		going = sink_header(&s, (const char *)data, n);
		data += n;
		len -= n;
	}
	for (size_t n; going && len > 0; data += n, len -= n) {
		n = len < 7 ? len : 7;
		going = sink_body(&s, data, n);
	}
	if (!going && s.why.code == 0)
		abort();
	if (going)
		(void)!sink_end(&s, "application/json", NULL);
	if (r.body.len > (BODY_MAX > FETCH_PROBLEM_MAX ? BODY_MAX : FETCH_PROBLEM_MAX))
		abort();
	sink_wipe(&s);
	fetch_reply_wipe(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	try_head(data, len);
	try_sink(data, len);
	return 0;
}
