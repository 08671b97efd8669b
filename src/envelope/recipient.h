/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a file is sealed to when it is not the group: the RecipientInfo of one certificate (RFC 5652 6.2.1, 6.2.2), encoded in one way only. */
#ifndef SCG_ENVELOPE_RECIPIENT_H
#define SCG_ENVELOPE_RECIPIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/der.h"
#include "base/err.h"

#define RECIPIENT_SKI_LEN 20
#define RECIPIENT_POINT_MAX 97      /* SEC 1 2.3.3: P-384, uncompressed */
#define RECIPIENT_KEY_MAX 1024      /* RSA of 8,192 bits */
#define RECIPIENT_INFO_MAX 1160     /* the longest encoding, that of such a key, has 1,146 octets */

enum recipient_kind {
	RECIPIENT_GROUP = 0,    /* under the group's key: nothing of what is here counts */
	RECIPIENT_EC,           /* ECDH-ES with SHA-256 and AES-256 key wrap (RFC 5753 3.1) */
	RECIPIENT_RSA,          /* RSAES-OAEP with SHA-256 (RFC 3560, RFC 4055 4.1) */
};
struct recipient {
	enum recipient_kind kind;
	uint8_t ski[RECIPIENT_SKI_LEN];         /* of the certificate */
	uint8_t point[RECIPIENT_POINT_MAX];     /* EC: the ephemeral key */
	uint8_t key[RECIPIENT_KEY_MAX];         /* the content key, encrypted; EC: 40 octets */
	size_t point_len, key_len;
};

/* True if the content that stands in der, that of recipientInfos, begins with one of the two forms. */
bool recipient_is_next(const struct der *set);
/* Appends the RecipientInfo; kind is not RECIPIENT_GROUP. */
void recipient_put(const struct recipient *r, struct buf *out);
/* The one RecipientInfo of a set, byte for byte as recipient_put writes it. ERR_DAMAGED. */
int recipient_parse(struct der *set, struct recipient *r, struct err *e) MUST_CHECK;
bool recipient_equal(const struct recipient *a, const struct recipient *b);

#endif
