/* SPDX-License-Identifier: Apache-2.0 */
/* key | prefix | 0 | purpose, wrapped under the group's key (RFC 3394). Its check value makes the ticket's maker somebody who has that key: who only
 * holds the place where it lies cannot have a file sealed under the key of another one, whose nonces are used up. */
#include "envelope/ticket.h"

#include <string.h>

#include "base/secret.h"
#include "pki/ossl.h"

#define PURPOSE_LEN 32
#define PURPOSE_AT (GROUP_KEY_LEN + OBJECT_PREFIX_LEN + 1)
#define TEXT_LEN (PURPOSE_AT + PURPOSE_LEN)

_Static_assert(TEXT_LEN % 8 == 0, "RFC 3394 2: whole blocks");
_Static_assert(ENVELOPE_TICKET_LEN == TEXT_LEN + 8, "RFC 3394 2.2.1: and one of check value");

int ticket_make(const struct content *c, const struct epoch *epoch, const uint8_t purpose[static 32],
		uint8_t ticket[static ENVELOPE_TICKET_LEN], struct err *e) {
	uint8_t text[TEXT_LEN] = {0};
	int r;

	memcpy(text, c->key.data, GROUP_KEY_LEN);
	memcpy(text + GROUP_KEY_LEN, c->file.prefix, OBJECT_PREFIX_LEN);
	memcpy(text + PURPOSE_AT, purpose, PURPOSE_LEN);
	r = epoch->key.len == GROUP_KEY_LEN ? content_key_wrap(epoch->key.data, true, text, sizeof text, ticket) : -1;
	secret_clean(text, sizeof text);
	return r == 0 ? 0 : ossl_err(e, ERR_FAIL, "cannot wrap the content key");
}

int envelope_ticket(const struct epoch *epoch, const uint8_t purpose[static 32], uint8_t ticket[static ENVELOPE_TICKET_LEN],
		    struct err *e) {
	OWN(content_wipe) struct content c = {0};
	int r = content_make(&c, epoch, e);

	return r != 0 ? r : ticket_make(&c, epoch, purpose, ticket, e);
}

static int take(struct content *c, const struct epoch *epoch, const uint8_t text[static TEXT_LEN], struct err *e) {
	OWN(content_wipe) struct content found = {0};
	int r = secret_copy(&found.key, text, GROUP_KEY_LEN, e);

	memcpy(found.file.prefix, text + GROUP_KEY_LEN, OBJECT_PREFIX_LEN);
	return r != 0 ? r : content_rewrap(c, &found, epoch, e);
}

int ticket_open(struct content *c, const struct epoch *epoch, const uint8_t purpose[static 32],
		const uint8_t ticket[static ENVELOPE_TICKET_LEN], struct err *e) {
	uint8_t text[TEXT_LEN];
	int r = -1;

	if (epoch->key.len == GROUP_KEY_LEN)
		r = content_key_wrap(epoch->key.data, false, ticket, ENVELOPE_TICKET_LEN, text);
	if (r == 0 && text[PURPOSE_AT - 1] == 0 && memcmp(text + PURPOSE_AT, purpose, PURPOSE_LEN) == 0)
		r = take(c, epoch, text, e);
	else
		r = ossl_err(e, ERR_DAMAGED, "RFC 3394 2.2.2: the ticket was not made for this sealing");
	secret_clean(text, sizeof text);
	return r;
}

int envelope_ticket_check(const struct epoch *epoch, const uint8_t purpose[static 32], const uint8_t ticket[static ENVELOPE_TICKET_LEN],
			  struct err *e) {
	OWN(content_wipe) struct content c = {0};

	return ticket_open(&c, epoch, purpose, ticket, e);
}
