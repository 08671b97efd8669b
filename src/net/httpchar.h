/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/net: what the two halves of the reader share. */
#ifndef SCG_NET_HTTPCHAR_H
#define SCG_NET_HTTPCHAR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline int refuse(int status, const char *text, const char **why) {
	*why = text;
	return -status;
}

static inline bool is_alnum(uint8_t c) {
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9110 5.6.2 tchar */
static inline bool is_token(uint8_t c) {
	return is_alnum(c) || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

#endif
