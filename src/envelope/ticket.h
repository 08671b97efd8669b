/* SPDX-License-Identifier: Apache-2.0 */
/* A ticket read again: see envelope_ticket. */
#ifndef SCG_ENVELOPE_TICKET_H
#define SCG_ENVELOPE_TICKET_H

#include "envelope/content.h"
#include "envelope/envelope.h"

/* The ticket of this key and these nonces. */
int ticket_make(const struct content *c, const struct epoch *epoch, const uint8_t purpose[static 32],
    uint8_t ticket[static ENVELOPE_TICKET_LEN], struct err *e) MUST_CHECK;
/* The key and the nonces, wrapped anew: every header comes out as it did. ERR_DAMAGED where the ticket is not of this epoch and purpose. Wipe c. */
int ticket_open(struct content *c, const struct epoch *epoch, const uint8_t purpose[static 32],
    const uint8_t ticket[static ENVELOPE_TICKET_LEN], struct err *e) MUST_CHECK;

#endif
