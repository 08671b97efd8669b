/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "net/rest_call.h"

static bool is_loopback(const char *host) {
	struct in6_addr six;
	struct in_addr four;
	char bare[INET6_ADDRSTRLEN + 2];
	size_t len = strlen(host);

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	if (host[0] != '[' || len < 2 || len > sizeof bare)
		return false;
	memcpy(bare, host + 1, len - 2);
	bare[len - 2] = '\0';
	return inet_pton(AF_INET6, bare, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static bool has_stranger(CURLU *u) {
	static const CURLUPart none[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT };

	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		OWN(own_free) char *part = easy_url_part(u, none[i]);

		if (part[0] != '\0')
			return true;
	}
	return false;
}

int rest_url_check(const char *url, char **site, bool *loopback, struct err *e) {
	OWN(own_curlu) CURLU *u = curl_url();
	OWN(own_free) char *scheme = NULL, *host = NULL, *port = NULL;
	OWN(buf_wipe) struct buf text = {0};

	if (u == NULL || text_has_control(url, strlen(url)) || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK || has_stranger(u))
		return err_set(e, ERR_USAGE, "RFC 3986: not the URL of a service");
	scheme = easy_url_part(u, CURLUPART_SCHEME);
	host = easy_url_part(u, CURLUPART_HOST);
	port = easy_url_part(u, CURLUPART_PORT);
	*loopback = is_loopback(host);
	buf_addf(&text, "%s://", scheme);
	text_escape(host, strlen(host), &text);
	if (strcmp(port, strcmp(scheme, "https") == 0 ? "443" : "80") != 0)
		buf_addf(&text, ":%s", port);
	if (strcmp(scheme, "https") != 0 && !(strcmp(scheme, "http") == 0 && *loopback))
		return err_set(e, ERR_USAGE, "%s: only https, or http to a loopback address (RFC 8252 8.3)", buf_str(&text));
	*site = xstrdup(buf_str(&text));
	return 0;
}

char *rest_url_resolve(const char *base, const char *reference) {
	OWN(own_curlu) CURLU *u = curl_url();
	size_t scheme = strcspn(reference, ":/?#");
	char *whole;

	if (u == NULL || reference[0] == '\0' || text_has_control(reference, strlen(reference)))
		return NULL;
	if (reference[scheme] == ':')
		return xstrdup(reference);
	if (curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK || curl_url_set(u, CURLUPART_URL, reference, 0) != CURLUE_OK)
		return NULL;
	whole = easy_url_part(u, CURLUPART_URL);
	if (whole[0] != '\0')
		return whole;
	free(whole);
	return NULL;
}

void rest_form_add(struct buf *out, const char *name, const char *value) {
	if (out->len > 0)
		buf_addc(out, '&');
	text_percent(name, false, out);
	buf_addc(out, '=');
	text_percent(value, false, out);
}
