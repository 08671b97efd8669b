/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/net: what every use of libcurl's easy interface shares. */
#ifndef SCG_NET_EASY_H
#define SCG_NET_EASY_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/own.h"

/* One option that the library does not take is a fault of its build: then nothing is sent at all. */
#define EASY_SET(curl, option, value) (curl_easy_setopt(curl, option, value) == CURLE_OK)

/* A handle on which redirects, HTTP/0.9, decoding and signals are off; NULL: libcurl cannot. Any thread may call it. */
CURL *easy_new(void);

/* Appends "NAME: VALUE" to the header lines. */
bool easy_add_line(struct curl_slist **lines, const char *name, const char *value);
/* Wipes them too: one may be a token. */
void easy_free_lines(struct curl_slist *lines);
OWN_DEFINE(lines, struct curl_slist, easy_free_lines)

OWN_DEFINE(curlu, CURLU, curl_url_cleanup)
/* A part of a URL, malloc'd, "" where it has none. */
char *easy_url_part(CURLU *u, CURLUPart part);

/* What libcurl says of a failure, made harmless for a terminal: it may hold a peer's words. */
void easy_said(const char text[static CURL_ERROR_SIZE], CURLcode code, struct buf *out);

/* A server has nothing to say before it is asked, but that it closes. libcurl takes a close_notify that waits for a sign of life, and finds out when
 * the request is on its way: too late for one that may not be sent twice. */
bool easy_kept_is_dead(CURL *curl);

#endif
