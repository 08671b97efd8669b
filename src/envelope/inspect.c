/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope/envelope.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "envelope/layout.h"
#include "envelope/stock.h"
#include "envelope/stream.h"

void envelope_info_wipe(struct envelope_info *info) {
	free(info->key_ids);
	*info = (struct envelope_info){0};
}

static void set_key_id(struct envelope_info *info, const uint8_t key_id[static KEY_ID_LEN]) {
	info->cipher = "aes-256-gcm";
	info->n_key_ids = 1;
	info->key_ids = xmalloc(sizeof *info->key_ids);
	memcpy(info->key_ids[0], key_id, KEY_ID_LEN);
}

static int inspect_sealed(const struct source *in, struct envelope_info *info, struct err *e) {
	struct object_file f;
	struct layout l;
	int r;

	if ((r = layout_find(in, &f, &l, e)) != 0)
		return r;
	*info = (struct envelope_info){ .size = in->size, .segments = l.count, .segment_size = SEGMENT_LEN,
					.plain_size = layout_plain_size(&l), .has_note = l.has_note, .has_manifest = true,
					.begins_sealed = true, .cipher = "aes-256-gcm", .recipient_len = l.recipient_len };
	if (f.to.kind == RECIPIENT_GROUP) {
		set_key_id(info, f.key_id);
		return 0;
	}
	info->recipient = f.to.kind == RECIPIENT_EC ? "ECDH-ES" : "RSA-OAEP";
	memcpy(info->recipient_ski, f.to.ski, sizeof info->recipient_ski);
	return 0;
}

static struct layout layout_of(const struct envelope_info *info) {
	struct layout l;

	layout_make(&l, info->plain_size, info->recipient_len);
	return l;
}

uint64_t envelope_parts(const struct envelope_info *info) {
	return info->segments + (info->has_note ? 2 : 1);
}

struct envelope_part envelope_part(const struct envelope_info *info, uint64_t i) {
	struct layout l = layout_of(info);
	uint64_t segment = info->has_note ? i - 1 : i;
	struct object o;
	struct envelope_part part = { .kind = "segment", .index = segment };

	if (info->has_note && i == 0)
		return (struct envelope_part){ "note", 0, 0, l.note_size, layout_note_len() };
	if (segment == l.count) {
		part.kind = "manifest";
		part.off = layout_manifest_off(&l);
		part.size = info->size - part.off;
		return part;
	}
	o = layout_segment(&l, segment);
	part.off = layout_segment_off(&l, segment);
	part.plain = o.len;
	part.size = object_size(l.recipient_len, o.len);
	return part;
}

static int inspect_stock(struct feed *in, struct envelope_info *info, struct err *e) {
	uint8_t key_id[KEY_ID_LEN];
	uint64_t plain_size;
	int r;

	if ((r = stock_walk(in, key_id, &plain_size, e)) != 0)
		return r;
	*info = (struct envelope_info){ .size = in->off, .segments = 1, .segment_size = plain_size, .plain_size = plain_size };
	set_key_id(info, key_id);
	return 0;
}

int envelope_inspect(const struct source *in, struct envelope_info *info, struct err *e) {
	OWN(feed_wipe) struct feed feed = {0};
	struct object_file f;
	struct object o;
	size_t header_len;
	int r;

	*info = (struct envelope_info){0};
	if (in->read_at == NULL)
		return err_set(e, ERR_FAIL, "only a file can be inspected, not a stream");
	if ((r = feed_init(&feed, in, false, e)) != 0 || (r = feed_peek(&feed, OBJECT_HEADER_MAX, e)) != 0)
		return r;
	if (object_parse(feed.ahead, feed.ahead_len, &f, &o, &header_len, NULL) != 0 || !stock_nonce_is_ours(&o))
		return inspect_stock(&feed, info, e);
	info->begins_sealed = true;
	return inspect_sealed(in, info, e);
}

_Static_assert(ENVELOPE_HEAD_LEN >= OBJECT_GROUP_HEADER_MAX, "a header fits");

int envelope_head(const uint8_t *head, size_t len, uint8_t key_id[static KEY_ID_LEN], struct err *e) {
	struct object_file f;
	struct object o;
	size_t header_len;
	int r = object_parse(head, len, &f, &o, &header_len, e);

	if (r == 0 && f.to.kind != RECIPIENT_GROUP)
		r = err_set(e, ERR_DAMAGED, "RFC 5652 6.2: sealed to a certificate, not to the group");
	if (r == 0)
		memcpy(key_id, f.key_id, KEY_ID_LEN);
	return r;
}
