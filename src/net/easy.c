/* SPDX-License-Identifier: Apache-2.0 */
#include "net/easy.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global = CURLE_FAILED_INIT;

static void init_global(void) {
	global = curl_global_init(CURL_GLOBAL_DEFAULT);
}

CURL *easy_new(void) {
	CURL *curl;

	(void)pthread_once(&once, init_global);
	if (global != CURLE_OK || (curl = curl_easy_init()) == NULL)
		return NULL;
	if (EASY_SET(curl, CURLOPT_FOLLOWLOCATION, 0L) && EASY_SET(curl, CURLOPT_HTTP09_ALLOWED, 0L) &&
	    EASY_SET(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L) && EASY_SET(curl, CURLOPT_NOSIGNAL, 1L) &&
	    EASY_SET(curl, CURLOPT_SSL_VERIFYPEER, 1L) && EASY_SET(curl, CURLOPT_SSL_VERIFYHOST, 2L) &&
	    EASY_SET(curl, CURLOPT_USERAGENT, "scg"))
		return curl;
	curl_easy_cleanup(curl);
	return NULL;
}

bool easy_add_line(struct curl_slist **lines, const char *name, const char *value) {
	OWN(buf_wipe) struct buf line = {0};
	struct curl_slist *longer;

	buf_addf(&line, "%s: %s", name, value);
	if ((longer = curl_slist_append(*lines, buf_str(&line))) == NULL)
		return false;
	*lines = longer;
	return true;
}

void easy_free_lines(struct curl_slist *lines) {
	for (struct curl_slist *l = lines; l != NULL; l = l->next)
		secret_clean(l->data, strlen(l->data));
	curl_slist_free_all(lines);
}

char *easy_url_part(CURLU *u, CURLUPart part) {
	char *s = NULL, *copy;

	if (curl_url_get(u, part, &s, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) != CURLUE_OK)
		return xstrdup("");
	copy = xstrdup(s);
	curl_free(s);
	return copy;
}

void easy_said(const char text[static CURL_ERROR_SIZE], CURLcode code, struct buf *out) {
	const char *said = text[0] != '\0' ? text : curl_easy_strerror(code);

	text_escape(said, strlen(said), out);
}

bool easy_kept_is_dead(CURL *curl) {
	curl_socket_t fd = CURL_SOCKET_BAD;
	struct pollfd p = { .events = POLLIN };

	if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
		return false;
	p.fd = fd;
	return poll(&p, 1, 0) != 0;
}
