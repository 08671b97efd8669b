/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text and back: hex, base64, base32, percent-encoding, UTF-8, escaping. All decoders are strict. */
#ifndef SCG_BASE_TEXT_H
#define SCG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Lower-case hex; out holds 2 * len + 1. */
void text_hex(const uint8_t *data, size_t len, char *out);
/* Exactly len bytes from 2 * len hex digits of either case, nothing more; 0 or ERR_FAIL. */
int text_unhex(const char *hex, uint8_t *out, size_t len, struct err *e) MUST_CHECK;

/* RFC 4648 4, one line, padded. */
void text_base64(const uint8_t *data, size_t len, struct buf *out);
/* RFC 4648 5, without padding. */
void text_base64url(const uint8_t *data, size_t len, struct buf *out);
/* Canonical only (padding, zero spare bits, no white space); at most max bytes are appended. */
int text_unbase64(const char *s, size_t slen, size_t max, struct buf *out, struct err *e) MUST_CHECK;

/* RFC 4648 6 base32, lower case, no padding: 16 bytes are 26 characters (+ NUL). */
void text_base32_id(const uint8_t id[static 16], char out[static 27]);
bool text_is_base32_id(const char *s);

/* Percent-encodes all but RFC 3986 unreserved characters; '/' is kept if keep_slash. */
void text_percent(const char *s, bool keep_slash, struct buf *out);
/* Strict inverse: refuses %00, incomplete escapes, and (canonical) what text_percent would not have written. */
int text_unpercent(const char *s, size_t len, bool keep_slash, struct buf *out, struct err *e) MUST_CHECK;

/* UUID version 4, lower case. */
void text_uuid(const uint8_t id[static 16], char out[static 37]);
int text_unuuid(const char *s, uint8_t id[static 16], struct err *e) MUST_CHECK;

/* Well-formed UTF-8 without NUL. */
bool text_is_utf8(const char *s, size_t len);
/* Contains a control character (C0, DEL, C1, U+2028/9, bidi overrides), s being UTF-8. */
bool text_has_control(const char *s, size_t len);
/* Contains a code point that this version of Unicode does not assign: its normal form and case are not known yet. */
bool text_has_unassigned(const char *s, size_t len);
/* NFC (utf8proc); malloc'd into *out. */
int text_nfc(const char *s, char **out, struct err *e) MUST_CHECK;
/* NFC + full case folding: equal for two names that a case-insensitive file system takes for one. */
int text_casefold(const char *s, char **out, struct err *e) MUST_CHECK;

/* What may go to a terminal or a log: printable UTF-8 as it is, all else (control, bidi, ill-formed, and " \ when quoting) as \xNN. */
void text_escape(const char *s, size_t len, struct buf *out);

/* Puts name, made harmless for a terminal, before the text of an error. Returns code, which e has (e may be NULL). */
int text_about(const char *name, int code, struct err *e);

/* Whole decimal number without sign, leading zeros or blanks, 0..max. */
int text_u64(const char *s, uint64_t max, uint64_t *out, struct err *e) MUST_CHECK;

/* "12.3 MiB" */
void text_size(uint64_t bytes, char out[static 16]);

#endif
