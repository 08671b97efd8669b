/* SPDX-License-Identifier: Apache-2.0 */
#include "net/fetch.h"

#include <curl/curl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "net/sink.h"
#include "net/tls.h"
#include "pki/ossl.h"

#define FIRST_PAUSE_MS 200 /* doubled after each attempt; what is waited is random below it */

struct fetch {
	CURL *curl;
	char *url;                /* "https://HOST:PORT" */
	char *host;               /* as certificates name it: no brackets */
	struct chain *chain;
	X509 *cert;
	EVP_PKEY *key;
	unsigned total_s;
	bool (*accept)(void *arg, X509 *server, struct err *e);
	void *accept_arg;
	bool fresh;
	/* of the attempt under way */
	struct err refusal;       /* why the server's certificate was not taken */
	unsigned sent;            /* how often the request went onto a connection */
	bool may_repeat;
	struct sink sink;
	char curl_text[CURL_ERROR_SIZE];
};

static bool has_name(const struct fetch *f, X509 *cert) {
	static const unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
	ASN1_OCTET_STRING *ip = a2i_IPADDRESS(f->host);
	bool is_ip = ip != NULL;

	ASN1_OCTET_STRING_free(ip);
	return is_ip ? X509_check_ip_asc(cert, f->host, 0) == 1 : X509_check_host(cert, f->host, 0, flags, NULL) == 1;
}

/* Chain, purpose and dates (RFC 5280 6.1), name (RFC 6125 6.4), then whatever the caller knows. */
static bool judge_server(void *arg, X509 *cert) {
	struct fetch *f = arg;
	struct err e = ERR_INIT;
	enum verdict v = chain_check(f->chain, cert, PURPOSE_SERVER, &e);

	if (v == VERDICT_GOOD)
		v = chain_check_time(cert, clock_now_s(), &e);
	if (v != VERDICT_GOOD) {
		(void)err_set(&f->refusal, ERR_DAMAGED, "%s: not the group's gateway: certificate %s: %s", f->url, verdict_name(v), e.text);
		return false;
	}
	if (!has_name(f, cert)) {
		(void)err_set(&f->refusal, ERR_DAMAGED, "%s: not the group's gateway: RFC 6125 6.4: certificate of another name", f->url);
		return false;
	}
	if (f->accept == NULL || f->accept(f->accept_arg, cert, &e))
		return true;
	(void)err_set(&f->refusal, e.code != 0 ? e.code : ERR_DAMAGED, "%s: %s", f->url, e.text[0] != '\0' ? e.text : "not accepted");
	return false;
}

static CURLcode set_up_tls(CURL *curl, void *ctx, void *arg) {
	struct fetch *f = arg;

	(void)curl;
	return tls_client_set(ctx, f->key, f->cert, judge_server, f, &f->refusal) == 0 ? CURLE_OK : CURLE_ABORTED_BY_CALLBACK;
}

/* libcurl itself sends once more where a kept connection turns out to be dead: not what may not be sent twice. */
static int before_sending(void *arg, char *ip, char *local_ip, int port, int local_port) {
	struct fetch *f = arg;

	(void)ip, (void)local_ip, (void)port, (void)local_port;
	return f->sent++ > 0 && !f->may_repeat ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg) {
	struct fetch *f = arg;

	return sink_header(&f->sink, data, size * n) ? size * n : 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg) {
	struct fetch *f = arg;

	return sink_body(&f->sink, (const uint8_t *)data, size * n) ? size * n : 0;
}

/* One option that the library does not take is a fault of its build: then nothing is sent at all. */
#define SET(f, option, value) (curl_easy_setopt((f)->curl, option, value) == CURLE_OK)

static bool set_tls(struct fetch *f) {
	return SET(f, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3) && SET(f, CURLOPT_SSL_VERIFYPEER, 1L) &&
	    SET(f, CURLOPT_SSL_VERIFYHOST, 2L) && SET(f, CURLOPT_CAINFO, NULL) && SET(f, CURLOPT_CAPATH, NULL) &&
	    SET(f, CURLOPT_SSL_SESSIONID_CACHE, 0L) && SET(f, CURLOPT_SSL_CTX_FUNCTION, set_up_tls) && SET(f, CURLOPT_SSL_CTX_DATA, f);
}

static bool set_http(struct fetch *f) {
	return SET(f, CURLOPT_PROTOCOLS_STR, "https") && SET(f, CURLOPT_PROXY, "") && SET(f, CURLOPT_NOPROXY, "*") &&
	    SET(f, CURLOPT_FOLLOWLOCATION, 0L) && SET(f, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	    SET(f, CURLOPT_HTTP09_ALLOWED, 0L) && SET(f, CURLOPT_HTTP_CONTENT_DECODING, 0L) && SET(f, CURLOPT_NOSIGNAL, 1L) &&
	    SET(f, CURLOPT_MAXCONNECTS, 1L) && SET(f, CURLOPT_USERAGENT, "scg");
}

static bool set_callbacks(struct fetch *f) {
	return SET(f, CURLOPT_HEADERFUNCTION, on_header) && SET(f, CURLOPT_HEADERDATA, f) && SET(f, CURLOPT_WRITEFUNCTION, on_body) &&
	    SET(f, CURLOPT_WRITEDATA, f) && SET(f, CURLOPT_PREREQFUNCTION, before_sending) && SET(f, CURLOPT_PREREQDATA, f) &&
	    SET(f, CURLOPT_ERRORBUFFER, f->curl_text);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global = CURLE_FAILED_INIT;

static void init_global(void) {
	global = curl_global_init(CURL_GLOBAL_DEFAULT);
}

OWN_DEFINE(curlu, CURLU, curl_url_cleanup)

static char *url_part(CURLU *u, CURLUPart part) {
	char *s = NULL, *copy;

	if (curl_url_get(u, part, &s, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) != CURLUE_OK)
		return xstrdup("");
	copy = xstrdup(s);
	curl_free(s);
	return copy;
}

static bool has_only_authority(CURLU *u) {
	static const CURLUPart none[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT };
	OWN(own_free) char *scheme = url_part(u, CURLUPART_SCHEME);
	OWN(own_free) char *path = url_part(u, CURLUPART_PATH);

	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		OWN(own_free) char *part = url_part(u, none[i]);

		if (part[0] != '\0')
			return false;
	}
	return strcmp(scheme, "https") == 0 && strcmp(path, "/") == 0;
}

static int take_url(struct fetch *f, const char *url, struct err *e) {
	OWN(own_curlu) CURLU *u = curl_url();
	OWN(own_free) char *host = NULL;
	OWN(own_free) char *port = NULL;
	size_t len;

	if (u == NULL || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK || !has_only_authority(u))
		return err_set(e, ERR_USAGE, "%s: the gateway is named as https://HOST:PORT", url);
	host = url_part(u, CURLUPART_HOST);
	port = url_part(u, CURLUPART_PORT);
	f->url = xasprintf("https://%s:%s", host, port);
	len = strlen(host);
	f->host = xstrdup(host[0] == '[' ? host + 1 : host);
	if (host[0] == '[')
		f->host[len - 2] = '\0';
	return 0;
}

int fetch_new(struct fetch **out, const struct fetch_config *c, struct err *e) {
	struct fetch *f = xcalloc(1, sizeof *f);
	int rc;

	f->total_s = c->total_s != 0 ? c->total_s : FETCH_TOTAL_S;
	f->accept = c->accept;
	f->accept_arg = c->accept_arg;
	if (c->cert != NULL && X509_up_ref(c->cert) == 1)
		f->cert = c->cert;
	if (c->key != NULL && EVP_PKEY_up_ref(c->key) == 1)
		f->key = c->key;
	pthread_once(&once, init_global);
	if ((rc = take_url(f, c->url, e)) != 0 || (rc = chain_new(c->ca, &f->chain, e)) != 0) {
		fetch_free(f);
		return rc;
	}
	if (global != CURLE_OK || (f->curl = curl_easy_init()) == NULL || !set_tls(f) || !set_http(f) || !set_callbacks(f)) {
		fetch_free(f);
		return err_set(e, ERR_FAIL, "libcurl lacks what is needed");
	}
	*out = f;
	return 0;
}

void fetch_free(struct fetch *f) {
	if (f == NULL)
		return;
	curl_easy_cleanup(f->curl);
	chain_free(f->chain);
	X509_free(f->cert);
	EVP_PKEY_free(f->key);
	free(f->url);
	free(f->host);
	free(f);
}

void fetch_reconnect(struct fetch *f) {
	f->fresh = true;
}

OWN_DEFINE(slist, struct curl_slist, curl_slist_free_all)

static bool add_line(struct curl_slist **l, const char *name, const char *value) {
	OWN(own_free) char *line = xasprintf("%s: %s", name, value);
	struct curl_slist *longer = curl_slist_append(*l, line);

	if (longer == NULL)
		return false;
	*l = longer;
	return true;
}

static bool set_method(struct fetch *f, const struct fetch_request *q) {
	bool get = strcmp(q->method, "GET") == 0;

	if (get)
		return SET(f, CURLOPT_HTTPGET, 1L) && SET(f, CURLOPT_CUSTOMREQUEST, NULL);
	return SET(f, CURLOPT_POST, 1L) && SET(f, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len) &&
	    SET(f, CURLOPT_POSTFIELDS, q->body_len > 0 ? q->body : "") && SET(f, CURLOPT_CUSTOMREQUEST, q->method);
}

static bool set_times(struct fetch *f, int64_t left_ms) {
	int64_t connect_ms = left_ms < FETCH_CONNECT_MS ? left_ms : FETCH_CONNECT_MS;

	return SET(f, CURLOPT_TIMEOUT_MS, (long)left_ms) && SET(f, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
}

/* What libcurl says may hold a peer's words. */
static int unreachable(struct fetch *f, CURLcode code, struct err *e) {
	OWN(buf_wipe) struct buf text = {0};
	const char *said = f->curl_text[0] != '\0' ? f->curl_text : curl_easy_strerror(code);

	text_escape(said, strlen(said), &text);
	return err_set(e, ERR_UNREACHABLE, "%s: %s", f->url, buf_str(&text));
}

static int outcome(struct fetch *f, const struct fetch_request *q, CURLcode code, struct err *e) {
	int rc;

	if (f->refusal.code != 0)
		return err_set(e, f->refusal.code, "%s", f->refusal.text);
	if (f->sink.why.code != 0)
		return err_set(e, f->sink.why.code, "%s%s: %s", f->url, q->path, f->sink.why.text);
	switch (code) {
	case CURLE_OK:
		if ((rc = sink_end(&f->sink, q->expect, e)) != 0)
			(void)err_add(e, "%s%s", f->url, q->path);
		return rc;
	case CURLE_PEER_FAILED_VERIFICATION:
		return err_set(e, ERR_DAMAGED, "%s: not the group's gateway: certificate not verified", f->url);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return err_set(e, ERR_DAMAGED, "%s: answers what no gateway says (RFC 9112)", f->url);
	default:
		return unreachable(f, code, e);
	}
}

/* A server has nothing to say before it is asked, but that it closes. libcurl takes a close_notify that waits for a sign of life, and finds out when
 * the request is on its way: too late for one that may not be sent twice. */
static bool kept_one_is_dead(struct fetch *f) {
	curl_socket_t fd = CURL_SOCKET_BAD;
	struct pollfd p = { .events = POLLIN };

	if (curl_easy_getinfo(f->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
		return false;
	p.fd = fd;
	return poll(&p, 1, 0) != 0;
}

static int try_once(struct fetch *f, const struct fetch_request *q, struct fetch_reply *r, int64_t left_ms, struct err *e) {
	OWN(own_free) char *url = xasprintf("%s%s", f->url, q->path);
	OWN(own_slist) struct curl_slist *lines = NULL;
	CURLcode code;
	int rc;

	f->fresh = f->fresh || kept_one_is_dead(f);
	f->refusal = (struct err)ERR_INIT;
	f->sent = 0;
	f->curl_text[0] = '\0';
	if (!add_line(&lines, "Accept-Encoding", "deflate") || (q->expect != NULL && !add_line(&lines, "Accept", q->expect)) ||
	    (q->type != NULL && !add_line(&lines, "Content-Type", q->type)) || !SET(f, CURLOPT_HTTPHEADER, lines) ||
	    !SET(f, CURLOPT_URL, url) || !SET(f, CURLOPT_FRESH_CONNECT, f->fresh ? 1L : 0L) || !set_method(f, q) || !set_times(f, left_ms))
		return err_set(e, ERR_FAIL, "%s: libcurl does not take the request", url);
	sink_init(&f->sink, r, q->max);
	code = curl_easy_perform(f->curl);
	rc = outcome(f, q, code, e);
	sink_wipe(&f->sink);
	/* The lists and the body end with this call. */
	(void)SET(f, CURLOPT_HTTPHEADER, NULL);
	(void)SET(f, CURLOPT_POSTFIELDS, NULL);
	f->fresh = code != CURLE_OK || r->status >= 500;
	return rc;
}

static bool worth_again(const struct fetch *f, int rc, int status) {
	if (rc == ERR_UNREACHABLE)
		return f->sent == 0 || f->may_repeat;
	if (rc != 0)
		return false;
	/* The first two were not acted upon; behind the others a proxy may hide that they were. */
	return status == 429 || status == 503 || ((status == 502 || status == 504) && f->may_repeat);
}

static int64_t pause_ms(unsigned attempt, unsigned retry_after_s) {
	uint64_t top = (uint64_t)FIRST_PAUSE_MS << attempt, r = 0;

	if (random_bytes((uint8_t *)&r, sizeof r, NULL) != 0)
		r = top;
	return (int64_t)retry_after_s * 1000 + (int64_t)(r % (top + 1));
}

static void sleep_ms(int64_t ms) {
	struct timespec t = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

int fetch(struct fetch *f, const struct fetch_request *q, struct fetch_reply *r, struct err *e) {
	int64_t end = clock_mono_ms() + (int64_t)(q->total_s != 0 ? q->total_s : f->total_s) * 1000;
	int64_t pause, left;
	int rc;

	f->may_repeat = q->idempotent || strcmp(q->method, "GET") == 0 || strcmp(q->method, "PUT") == 0;
	for (unsigned attempt = 0;; attempt++) {
		left = end - clock_mono_ms();
		fetch_reply_wipe(r);
		rc = try_once(f, q, r, left > 0 ? left : 1, e);
		if (attempt + 1 >= FETCH_ATTEMPTS || !worth_again(f, rc, r->status))
			return rc;
		if (f->sink.retry_after_s > FETCH_PATIENCE_S)
			return rc;
		pause = pause_ms(attempt, f->sink.retry_after_s);
		if (clock_mono_ms() + pause >= end)
			return rc;
		sleep_ms(pause);
	}
}
