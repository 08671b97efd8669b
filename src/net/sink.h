/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/net: where the bytes of a reply go while they come, under caps. */
#ifndef SCG_NET_SINK_H
#define SCG_NET_SINK_H

#include <stdbool.h>
#define ZLIB_CONST
#include <zlib.h>

#include "net/fetch.h"
#include "net/head.h"

struct sink {
	struct fetch_reply *reply;
	size_t max;            /* of the inflated body of a reply that is no error */
	struct head head;
	bool deflated, inflating, ended;
	z_stream z;
	struct err why;        /* code 0: nothing wrong so far */
};
void sink_init(struct sink *s, struct fetch_reply *reply, size_t max);
void sink_wipe(struct sink *s);
/* One header line or status line; false: stop, why says it. */
bool sink_header(struct sink *s, const char *line, size_t len);
/* Bytes of the body. */
bool sink_body(struct sink *s, const uint8_t *data, size_t len);
/* The reply has ended well for HTTP: has the body too? Reads the problem of an error. */
int sink_end(struct sink *s, const char *expect, struct err *e) MUST_CHECK;

#endif
