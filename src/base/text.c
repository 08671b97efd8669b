/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

void text_hex(const uint8_t *data, size_t len, char *out) {
	for (size_t i = 0; i < len; i++) {
		*out++ = hex_digits[data[i] >> 4];
		*out++ = hex_digits[data[i] & 15];
	}
	*out = '\0';
}

static int hex_value(char c) {
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int text_unhex(const char *hex, uint8_t *out, size_t len, struct err *e) {
	if (strlen(hex) != 2 * len)
		return err_set(e, ERR_FAIL, "%zu hex digits wanted", 2 * len);
	for (size_t i = 0; i < len; i++) {
		int hi = hex_value(hex[2 * i]), lo = hex_value(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return err_set(e, ERR_FAIL, "not a hex digit");
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_base64(const uint8_t *data, size_t len, struct buf *out) {
	size_t i;

	for (i = 0; i + 3 <= len; i += 3) {
		uint32_t v = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];

		for (int s = 18; s >= 0; s -= 6)
			buf_addc(out, (uint8_t)base64_digits[v >> s & 63]);
	}
	if (i < len) {
		uint32_t v = (uint32_t)data[i] << 16 | (i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0);

		buf_addc(out, (uint8_t)base64_digits[v >> 18 & 63]);
		buf_addc(out, (uint8_t)base64_digits[v >> 12 & 63]);
		buf_addc(out, i + 1 < len ? (uint8_t)base64_digits[v >> 6 & 63] : '=');
		buf_addc(out, '=');
	}
}

void text_base64url(const uint8_t *data, size_t len, struct buf *out) {
	size_t start = out->len;

	text_base64(data, len, out);
	while (out->len > start && out->data[out->len - 1] == '=')
		out->data[--out->len] = 0;
	for (size_t i = start; i < out->len; i++) {
		if (out->data[i] == '+')
			out->data[i] = '-';
		else if (out->data[i] == '/')
			out->data[i] = '_';
	}
}

static int base64_value(char c) {
	const char *p = c != '\0' ? strchr(base64_digits, c) : NULL;

	return p != NULL ? (int)(p - base64_digits) : -1;
}

/* Four characters to one to three bytes; pad is allowed in the last quartet only. */
static int base64_quartet(const char *s, bool last, struct buf *out) {
	int pad = last ? (s[3] == '=') + (s[3] == '=' && s[2] == '=') : 0;
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		int d = i >= 4 - pad ? 0 : base64_value(s[i]);

		if (d < 0)
			return -1;
		v = v << 6 | (uint32_t)d;
	}
	if ((pad == 1 && (v & 0xff) != 0) || (pad == 2 && (v & 0xffff) != 0))
		return -1;
	buf_addc(out, (uint8_t)(v >> 16));
	if (pad < 2)
		buf_addc(out, (uint8_t)(v >> 8));
	if (pad < 1)
		buf_addc(out, (uint8_t)v);
	return 0;
}

int text_unbase64(const char *s, size_t slen, size_t max, struct buf *out, struct err *e) {
	if (slen % 4 != 0)
		return err_set(e, ERR_FAIL, "base64 comes in fours (RFC 4648 4)");
	if (slen / 4 * 3 > max + 2)
		return err_set(e, ERR_FAIL, "more than %zu bytes of base64", max);
	for (size_t i = 0; i < slen; i += 4)
		if (base64_quartet(s + i, i + 4 == slen, out) != 0)
			return err_set(e, ERR_FAIL, "not canonical base64 (RFC 4648 4)");
	return 0;
}

static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

void text_base32_id(const uint8_t id[static 16], char out[static 27]) {
	uint32_t v = 0;
	unsigned bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < 16; i++) {
		v = v << 8 | id[i];
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			out[n++] = base32_digits[v >> bits & 31];
		}
		v &= (1u << bits) - 1;
	}
	out[n++] = base32_digits[v << (5 - bits) & 31];
	out[n] = '\0';
}

bool text_is_base32_id(const char *s) {
	return strlen(s) == 26 && strspn(s, base32_digits) == 26;
}

static bool is_unreserved(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c) != NULL);
}

void text_percent(const char *s, bool keep_slash, struct buf *out) {
	for (; *s != '\0'; s++)
		if (is_unreserved(*s) || (keep_slash && *s == '/'))
			buf_addc(out, (uint8_t)*s);
		else
			buf_addf(out, "%%%02X", (unsigned)(uint8_t)*s);
}

int text_unpercent(const char *s, size_t len, bool keep_slash, struct buf *out, struct err *e) {
	for (size_t i = 0; i < len; i++) {
		int hi, lo;
		char c = s[i];

		if (is_unreserved(c) || (keep_slash && c == '/')) {
			buf_addc(out, (uint8_t)c);
			continue;
		}
		if (c != '%' || len - i < 3)
			return err_set(e, ERR_FAIL, "not percent-encoded (RFC 3986 2.1)");
		hi = hex_value(s[i + 1]);
		lo = hex_value(s[i + 2]);
		c = (char)(hi < 0 || lo < 0 ? 0 : hi << 4 | lo);
		/* One spelling only: upper-case digits, and nothing escaped that need not be. */
		if (c == '\0' || is_unreserved(c) || (keep_slash && c == '/') || s[i + 1] >= 'a' || s[i + 2] >= 'a')
			return err_set(e, ERR_FAIL, "not canonical percent-encoding (RFC 3986 6.2.2)");
		buf_addc(out, (uint8_t)c);
		i += 2;
	}
	return 0;
}

void text_uuid(const uint8_t id[static 16], char out[static 37]) {
	char hex[33];

	text_hex(id, 16, hex);
	(void)snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

int text_unuuid(const char *s, uint8_t id[static 16], struct err *e) {
	char hex[33], again[37];
	size_t n = 0;

	for (size_t i = 0; s[i] != '\0' && n < 32; i++)
		if (s[i] != '-')
			hex[n++] = s[i];
	hex[n] = '\0';
	if (n != 32 || text_unhex(hex, id, 16, NULL) != 0)
		return err_set(e, ERR_FAIL, "not a UUID (RFC 9562 4)");
	text_uuid(id, again);
	if (strcmp(s, again) != 0)
		return err_set(e, ERR_FAIL, "not a UUID in lower case (RFC 9562 4)");
	return 0;
}
