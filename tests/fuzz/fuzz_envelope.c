/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: envelope_open, envelope_inspect, object_parse, layout_find, stock_open. The input is a file, once seekable and once a stream: both
 * readers say the same of it, and what opens can be inspected. The group's key is known, so that a corpus can hold what opens. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/envelope.h"
#include "envelope/object.h"
#include "fuzz/identity.h"

struct input { const uint8_t *p; size_t len, at; };

static int read_at(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	const struct input *in = arg;

	(void)e;
	*got = off >= in->len ? 0 : in->len - off < len ? in->len - (size_t)off : len;
	if (*got > 0)
		memcpy(data, in->p + off, *got);
	return 0;
}

static int read_on(void *arg, void *data, size_t len, size_t *got, struct err *e) {
	struct input *in = arg;
	int r = read_at(arg, data, len, in->at, got, e);

	in->at += *got;
	return r;
}

static int write_on(void *arg, const void *data, size_t len, struct err *e) {
	(void)e;
	buf_add(arg, data, len);
	return 0;
}

static int open_by(const struct envelope_open *o, const uint8_t *data, size_t len, bool stream, struct buf *out) {
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct input in = { data, len, 0 };
	struct source source = { .arg = &in, .read = read_on, .read_at = stream ? NULL : read_at, .size = len };
	struct sink sink = { .arg = out, .write = write_on };
	struct err e = ERR_INIT;
	int rc = envelope_open(o, &source, &sink, &r, &e);

	if (rc != 0 && (rc != ERR_DAMAGED || e.text[0] == '\0') && rc != ERR_REFUSED)
		abort();
	if (rc == 0 && (r.object_size != len || r.is_unsigned != (r.author == NULL) || (r.is_unsigned && !o->allow_unsigned)))
		abort();
	return rc;
}

static int inspect(const uint8_t *data, size_t len, uint64_t *plain_size) {
	OWN(envelope_info_wipe) struct envelope_info info = {0};
	struct input in = { data, len, 0 };
	struct source source = { .arg = &in, .read_at = read_at, .size = len };
	int r = envelope_inspect(&source, &info, NULL);

	*plain_size = info.plain_size;
	return r;
}

static void parse_header(const uint8_t *data, size_t len) {
	OWN(buf_wipe) struct buf again = {0};
	struct object_file f;
	struct object o;
	size_t header_len;

	if (object_parse(data, len, &f, &o, &header_len, NULL) != 0)
		return;
	object_header(&f, &o, &again);
	if (again.len != header_len || memcmp(again.data, data, header_len) != 0 || object_expect(data, len, &f, &o, NULL) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	static struct envelope_open o;
	static struct epoch epoch;
	static char group[] = "lab";
	static struct keyring keys = { .group = group, .v = &epoch, .n = 1 };

	if (o.keys == NULL) {
		identity_group(&epoch, &o);
		o.keys = &keys;
	}
	parse_header(data, len);
	for (int allow = 0; allow < 2; allow++) {
		OWN(buf_wipe) struct buf file = {0};
		OWN(buf_wipe) struct buf stream = {0};
		uint64_t plain_size;

		o.allow_unsigned = allow != 0;
		int r = open_by(&o, data, len, false, &file), s = open_by(&o, data, len, true, &stream);
		if ((r == 0) != (s == 0))
			abort();
		if (r == 0 && (file.len != stream.len || (file.len > 0 && memcmp(file.data, stream.data, file.len) != 0)))
			abort();
		if (r == 0 && (inspect(data, len, &plain_size) != 0 || plain_size != file.len))
			abort();
		/* Of a file nothing leaves that its author did not sign. */
		if (r != 0 && !o.allow_unsigned && file.len != 0)
			abort();
	}
	return 0;
}
