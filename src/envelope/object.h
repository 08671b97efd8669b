/* SPDX-License-Identifier: Apache-2.0 */
/* One object of an envelope, an AuthEnvelopedData (RFC 5083 2.1): its header and trailer, encoded in one way only. */
#ifndef SCG_ENVELOPE_OBJECT_H
#define SCG_ENVELOPE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/der.h"
#include "base/err.h"
#include "envelope/recipient.h"
#include "keyring/keyring.h"

#define OBJECT_WRAPPED_LEN 40   /* RFC 3394 2.2.1: 32 bytes of key and 8 of check value */
#define OBJECT_PREFIX_LEN 7
#define OBJECT_NONCE_LEN 12
#define OBJECT_TAG_LEN 16
#define OBJECT_TRAILER_LEN 18   /* the mac, an OCTET STRING; nothing stands behind it */
#define OBJECT_KEK_LEN 80       /* the RecipientInfo of a file of the group */
#define OBJECT_GROUP_HEADER_MAX 224 /* of such a file: with lengths of 8 bytes a header has 213 */
#define OBJECT_HEADER_MAX (OBJECT_GROUP_HEADER_MAX + RECIPIENT_INFO_MAX)

/* The last byte of a nonce. */
enum object_kind {
	OBJECT_MORE = 0,        /* a segment that others follow */
	OBJECT_LAST = 1,        /* the last segment */
	OBJECT_MANIFEST = 2,    /* index: number of segments */
	OBJECT_NOTE = 3,        /* index 0 */
};

/* What all objects of a file have in common. */
struct object_file {
	uint8_t key_id[KEY_ID_LEN];             /* of the group's key, and */
	uint8_t wrapped[OBJECT_WRAPPED_LEN];    /* the content key under it; or */
	struct recipient to;                    /* a certificate instead of the group */
	uint8_t prefix[OBJECT_PREFIX_LEN];
};
/* What makes one of them. */
struct object {
	uint32_t index;
	uint8_t kind;           /* as read: an enum object_kind only after object_expect */
	uint64_t len;           /* of the content, plain or encrypted */
};

/* prefix | index, big-endian | kind. */
void object_nonce(const struct object_file *f, const struct object *o, uint8_t nonce[static OBJECT_NONCE_LEN]);
/* The inverse: sets f->prefix, o->index, o->kind. */
void object_split_nonce(const uint8_t nonce[static OBJECT_NONCE_LEN], struct object_file *f, struct object *o);
/* Appends all that stands before the encrypted content. */
void object_header(const struct object_file *f, const struct object *o, struct buf *out);
/* Octets of the file's RecipientInfo: OBJECT_KEK_LEN, or what the certificate's needs. */
size_t object_recipient_len(const struct object_file *f);
/* Of a header in a file with such a RecipientInfo; len of the content. */
size_t object_header_len(size_t recipient_len, uint64_t len);
/* Header, content and trailer. len is at most 2^62. */
uint64_t object_size(size_t recipient_len, uint64_t len);
/* Sealed to the same, with the same nonces. */
bool object_same_file(const struct object_file *a, const struct object_file *b);
void object_trailer(const uint8_t tag[static OBJECT_TAG_LEN], uint8_t out[static OBJECT_TRAILER_LEN]);
/* Tag is borrowed from p. ERR_DAMAGED where something else stands there (authAttrs, a tag of another length). */
int object_trailer_parse(const uint8_t p[static OBJECT_TRAILER_LEN], const uint8_t **tag, struct err *e) MUST_CHECK;

/* The header at p, of which len bytes are in memory (OBJECT_HEADER_MAX, or what is left of the file). It must be, byte for byte, what
 * object_header writes for some file and object; ERR_DAMAGED names the rule that it breaks. */
int object_parse(const uint8_t *p, size_t len, struct object_file *f, struct object *o, size_t *header_len, struct err *e) MUST_CHECK;
/* The header at p must be the one of this object: ERR_DAMAGED says how it differs. what: "segment", "manifest". */
int object_expect(const uint8_t *p, size_t len, const struct object_file *f, const struct object *o, struct err *e) MUST_CHECK;
/* Puts the name of the object ("segment 3", "manifest") before the text of an ERR_DAMAGED; returns r. */
int object_blame(const struct object *o, int r, struct err *e);

/* The parts that stock envelopes share with ours, for their reader: content of RecipientInfos, and AlgorithmIdentifier. */
int object_parse_recipients(struct der *set, uint8_t key_id[static KEY_ID_LEN], uint8_t wrapped[static OBJECT_WRAPPED_LEN],
			    struct err *e) MUST_CHECK;
int object_parse_cipher(struct der *alg, uint8_t nonce[static OBJECT_NONCE_LEN], struct err *e) MUST_CHECK;
int object_check_type(const struct der *oid, struct err *e) MUST_CHECK;
/* id-data. */
int object_check_inner_type(const struct der *oid, struct err *e) MUST_CHECK;

#endif
