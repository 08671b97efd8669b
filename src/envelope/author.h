/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of an envelope: signed by its author, and checked when it comes back. */
#ifndef SCG_ENVELOPE_AUTHOR_H
#define SCG_ENVELOPE_AUTHOR_H

#include "envelope/envelope.h"
#include "envelope/layout.h"

/* Signs r->manifest (complete) and sets content_sha256, signed_s. der: ContentInfo(SignedData). */
int author_sign(const struct envelope_seal *s, struct envelope_result *r, struct buf *der, struct err *e) MUST_CHECK;
/* The SignedData against all that o asks of it and against the layout: structure, text, signature, chain at the signing time, revocation.
 * Sets manifest, content_sha256, author, signed_s, author_revoked. ERR_DAMAGED. */
int author_check(const struct envelope_open *o, const struct layout *l, const uint8_t *der, size_t len, struct envelope_result *r,
		 struct err *e) MUST_CHECK;

#endif
