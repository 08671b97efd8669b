/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rest_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define KEPT_CONNECTIONS 4L       /* of one handle: the drive, its uploads, its sign-in */
#define UPLOAD_BUFFER (256L * 1024)
#define DOWNLOAD_BUFFER (256L * 1024)
#define GO_ON_MS 1000L            /* for a service that does not know of 100 Continue the body goes then */

#define SET(c, option, value) EASY_SET((c)->curl, option, value)

static bool set_tls(struct rest_call *c, const struct buf *anchors) {
	struct curl_blob pem = { .data = anchors->data, .len = anchors->len, .flags = CURL_BLOB_COPY };

	if (!SET(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2))
		return false;
	return anchors->len == 0 ||
	    (SET(c, CURLOPT_CAINFO, NULL) && SET(c, CURLOPT_CAPATH, NULL) && SET(c, CURLOPT_CAINFO_BLOB, &pem));
}

/* Where it has no HTTP/2 it has no such option either. */
static bool set_version(struct rest_call *c) {
	return SET(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) || SET(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static bool set_http(struct rest_call *c) {
	return set_version(c) && SET(c, CURLOPT_MAXCONNECTS, KEPT_CONNECTIONS) && SET(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	    SET(c, CURLOPT_TCP_KEEPALIVE, 1L) && SET(c, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER) && SET(c, CURLOPT_BUFFERSIZE, DOWNLOAD_BUFFER) &&
	    SET(c, CURLOPT_EXPECT_100_TIMEOUT_MS, GO_ON_MS) &&
	    SET(c, CURLOPT_LOW_SPEED_LIMIT, (long)REST_LOW_BYTES_S) && SET(c, CURLOPT_LOW_SPEED_TIME, (long)REST_LOW_TIME_S);
}

struct rest_call *rest_call_new(const struct buf *anchors) {
	struct rest_call *c = xcalloc(1, sizeof *c);

	if ((c->curl = easy_new()) != NULL && set_tls(c, anchors) && set_http(c) && rest_flow_set(c))
		return c;
	rest_call_free(c);
	return NULL;
}

void rest_call_free(struct rest_call *c) {
	if (c == NULL)
		return;
	curl_easy_cleanup(c->curl);
	free(c);
}

static bool add_own_lines(struct curl_slist **lines, const char *const *own) {
	for (; own != NULL && *own != NULL; own++) {
		struct curl_slist *longer = curl_slist_append(*lines, *own);

		if (longer == NULL)
			return false;
		*lines = longer;
	}
	return true;
}

static bool add_lines(struct curl_slist **lines, const struct rest_request *q) {
	OWN(buf_wipe) struct buf bearer = {0};

	if (q->bearer != NULL) {
		buf_addf(&bearer, "Bearer %s", q->bearer);
		if (!easy_add_line(lines, "Authorization", buf_str(&bearer)))
			return false;
	}
	if (q->type != NULL && !easy_add_line(lines, "Content-Type", q->type))
		return false;
	if (q->expect != NULL && !easy_add_line(lines, "Accept", q->expect))
		return false;
	return add_own_lines(lines, q->headers);
}

static bool has_body(const struct rest_request *q) {
	return q->body_len > 0 || strcmp(q->method, "POST") == 0 || strcmp(q->method, "PUT") == 0 || strcmp(q->method, "PATCH") == 0;
}

static bool set_method(struct rest_call *c) {
	const struct rest_request *q = c->q;

	if (strcmp(q->method, "HEAD") == 0)
		return SET(c, CURLOPT_CUSTOMREQUEST, NULL) && SET(c, CURLOPT_HTTPGET, 1L) && SET(c, CURLOPT_NOBODY, 1L);
	if (!SET(c, CURLOPT_HTTPGET, 1L) || !SET(c, CURLOPT_CUSTOMREQUEST, q->method))
		return false;
	return !has_body(q) || (SET(c, CURLOPT_UPLOAD, 1L) && SET(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->body_len));
}

/* Those of the environment; never for a service on this machine. */
static bool set_proxy(struct rest_call *c) {
	return c->loopback ? SET(c, CURLOPT_PROXY, "") && SET(c, CURLOPT_NOPROXY, "*") :
	    SET(c, CURLOPT_PROXY, NULL) && SET(c, CURLOPT_NOPROXY, NULL);
}

static bool set_limits(struct rest_call *c) {
	int64_t left_ms = retry_left_ms(&c->retry);

	return SET(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(left_ms < REST_CONNECT_MS ? left_ms : REST_CONNECT_MS));
}

/* A request that may be sent twice libcurl sends again itself. */
static bool set_connection(struct rest_call *c) {
	bool fresh = !c->may_repeat && easy_kept_is_dead(c->curl);

	return SET(c, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L) && SET(c, CURLOPT_PROTOCOLS_STR, c->loopback ? "https,http" : "https");
}

static int broken(struct rest_call *c, int code, CURLcode curl, struct err *e) {
	OWN(buf_wipe) struct buf text = {0};

	easy_said(c->curl_text, curl, &text);
	return err_set(e, code, "%s: %s", c->site, buf_str(&text));
}

static int outcome(struct rest_call *c, CURLcode code, struct err *e) {
	if (c->own.code != 0)
		return err_set(e, c->own.code, "%s", c->own.text);
	if (c->why.code != 0)
		return err_set(e, c->why.code, "%s: %s", c->site, c->why.text);
	if (c->enough || (code == CURLE_OK && c->head.ended))
		return 0;
	if (code == CURLE_OK) /* libcurl is content with the half of one */
		return err_set(e, ERR_UNREACHABLE, "%s: RFC 9112 8: the reply ends within its head", c->site);
	if (c->late)
		return err_set(e, ERR_UNREACHABLE, "%s: no progress for %lld s", c->site, (long long)c->retry.total_ms / 1000);
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		(void)broken(c, ERR_DAMAGED, code, e);
		return err_add(e, "certificate not verified");
	case CURLE_SSL_CACERT_BADFILE:
		return broken(c, ERR_FAIL, code, e);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return err_set(e, ERR_DAMAGED, "%s: answers what is no HTTP (RFC 9112)", c->site);
	default:
		return broken(c, ERR_UNREACHABLE, code, e);
	}
}

static void begin(struct rest_call *c) {
	head_init(&c->head, REST_HEAD_MAX);
	c->why = c->own = (struct err)ERR_INIT;
	c->off = c->handed = c->went = c->came = 0;
	c->sent = 0;
	c->end_ms = c->retry.end_ms;
	c->late = c->enough = false;
	c->curl_text[0] = '\0';
}

int rest_call_try(struct rest_call *c, struct err *e) {
	OWN(own_lines) struct curl_slist *lines = NULL;
	CURLcode code;

	begin(c);
	if (!add_lines(&lines, c->q) || !easy_add_line(&lines, "Expect", c->ask_first ? "100-continue" : "") || !SET(c, CURLOPT_HTTPHEADER, lines) || !SET(c, CURLOPT_URL, c->q->url) || !set_method(c) ||
	    !set_proxy(c) || !set_limits(c) || !set_connection(c))
		return err_set(e, ERR_FAIL, "%s: libcurl does not take the request", c->site);
	code = curl_easy_perform(c->curl);
	rest_flow_end(c);
	c->went_on = c->head.went_on;
	head_wipe(&c->head);
	/* They end with this call. */
	(void)SET(c, CURLOPT_HTTPHEADER, NULL);
	return outcome(c, code, e);
}
