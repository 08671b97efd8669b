/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: http_scan, http_parse_head, http_header, http_query. The answer does not depend on how the bytes are cut. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "net/http.h"

static void must(int ok) {
	if (!ok)
		abort();
}

/* In steps that the data itself chooses. */
static int scan_in_pieces(const uint8_t *data, size_t len) {
	struct http_scan s = {0};
	const char *why;
	size_t have = 0;
	int n = 0;

	while (n == 0 && have < len) {
		have += 1 + (size_t)(data[have] & 7);
		n = http_scan(&s, data, have < len ? have : len, &why);
	}
	return n;
}

static void check_request(const struct http_request *r, const uint8_t *data, size_t len) {
	char key[8] = "";
	char *value = NULL;

	must(r->path[0] == '/' && strstr(r->path, "/../") == NULL && strstr(r->path, "/./") == NULL);
	must(r->has_body == (r->content_length > 0));
	must(http_header(r, "transfer-encoding") == NULL);
	for (size_t i = 0; i < r->n_headers; i++)
		must(r->headers[i].name[0] != '\0' && strpbrk(r->headers[i].value, "\r\n") == NULL);
	memcpy(key, data, len < 7 ? len : 7);
	if (http_query(r, key, &value, NULL) == 0)
		must(value != NULL);
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
	OWN(http_request_wipe) struct http_request r = {0};
	struct http_scan s = {0};
	const char *why = NULL;
	int whole = http_scan(&s, data, len, &why), n;

	must(whole <= HTTP_HEAD_MAX && whole <= (int)len && (whole >= 0 || why != NULL));
	must(scan_in_pieces(data, len) == whole);
	n = http_parse_head(data, len, &r, &why);
	must(n == whole || (whole > 0 && n < 0 && why != NULL));
	if (n > 0)
		check_request(&r, data, len);
	return 0;
}
