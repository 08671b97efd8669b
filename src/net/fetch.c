/* SPDX-License-Identifier: Apache-2.0 */
#include "net/fetch.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "net/easy.h"
#include "net/retry.h"
#include "net/sink.h"
#include "net/tls.h"
#include "pki/ossl.h"

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
	bool foreign;             /* a server's certificate was of another CA */
	bool names_ca;            /* so the hello names ours */
	/* of the attempt under way */
	struct err refusal;       /* why the server's certificate was not taken */
	unsigned sent;            /* how often the request went onto a connection */
	bool may_repeat;
	unsigned retry_after_s;
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
		v = chain_check_now(cert, &e);
	f->foreign = v == VERDICT_FOREIGN;
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
	if (tls_client_set(ctx, f->key, f->cert, judge_server, f, &f->refusal) != 0 ||
	    (f->names_ca && tls_client_name_ca(ctx, chain_ca(f->chain), &f->refusal) != 0))
		return CURLE_ABORTED_BY_CALLBACK;
	return CURLE_OK;
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

#define SET(f, option, value) EASY_SET((f)->curl, option, value)

static bool set_tls(struct fetch *f) {
	return SET(f, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3) && SET(f, CURLOPT_CAINFO, NULL) && SET(f, CURLOPT_CAPATH, NULL) &&
	    SET(f, CURLOPT_SSL_SESSIONID_CACHE, 0L) && SET(f, CURLOPT_SSL_CTX_FUNCTION, set_up_tls) && SET(f, CURLOPT_SSL_CTX_DATA, f);
}

static bool set_http(struct fetch *f) {
	return SET(f, CURLOPT_PROTOCOLS_STR, "https") && SET(f, CURLOPT_PROXY, "") && SET(f, CURLOPT_NOPROXY, "*") &&
	    SET(f, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(f, CURLOPT_MAXCONNECTS, 1L);
}

static bool set_callbacks(struct fetch *f) {
	return SET(f, CURLOPT_HEADERFUNCTION, on_header) && SET(f, CURLOPT_HEADERDATA, f) && SET(f, CURLOPT_WRITEFUNCTION, on_body) &&
	    SET(f, CURLOPT_WRITEDATA, f) && SET(f, CURLOPT_PREREQFUNCTION, before_sending) && SET(f, CURLOPT_PREREQDATA, f) &&
	    SET(f, CURLOPT_ERRORBUFFER, f->curl_text);
}

static bool has_only_authority(CURLU *u) {
	static const CURLUPart none[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT };
	OWN(own_free) char *scheme = easy_url_part(u, CURLUPART_SCHEME);
	OWN(own_free) char *path = easy_url_part(u, CURLUPART_PATH);

	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		OWN(own_free) char *part = easy_url_part(u, none[i]);

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
	host = easy_url_part(u, CURLUPART_HOST);
	port = easy_url_part(u, CURLUPART_PORT);
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
	if ((rc = take_url(f, c->url, e)) != 0 || (rc = chain_new(c->ca, &f->chain, e)) != 0) {
		fetch_free(f);
		return rc;
	}
	if ((f->curl = easy_new()) == NULL || !set_tls(f) || !set_http(f) || !set_callbacks(f)) {
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

static int unreachable(struct fetch *f, CURLcode code, struct err *e) {
	OWN(buf_wipe) struct buf text = {0};

	easy_said(f->curl_text, code, &text);
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

static int try_once(struct fetch *f, const struct fetch_request *q, struct fetch_reply *r, int64_t left_ms, struct err *e) {
	OWN(own_free) char *url = xasprintf("%s%s", f->url, q->path);
	OWN(own_lines) struct curl_slist *lines = NULL;
	CURLcode code;
	int rc;

	f->fresh = f->fresh || easy_kept_is_dead(f->curl);
	f->refusal = (struct err)ERR_INIT;
	f->foreign = false;
	f->sent = 0;
	f->curl_text[0] = '\0';
	if (!easy_add_line(&lines, "Accept-Encoding", "deflate") || (q->expect != NULL && !easy_add_line(&lines, "Accept", q->expect)) ||
	    (q->type != NULL && !easy_add_line(&lines, "Content-Type", q->type)) || !SET(f, CURLOPT_HTTPHEADER, lines) ||
	    !SET(f, CURLOPT_URL, url) || !SET(f, CURLOPT_FRESH_CONNECT, f->fresh ? 1L : 0L) || !set_method(f, q) || !set_times(f, left_ms))
		return err_set(e, ERR_FAIL, "%s: libcurl does not take the request", url);
	sink_init(&f->sink, r, q->max);
	code = curl_easy_perform(f->curl);
	rc = outcome(f, q, code, e);
	f->retry_after_s = head_retry_after_s(&f->sink.head);
	sink_wipe(&f->sink);
	/* The lists and the body end with this call. */
	(void)SET(f, CURLOPT_HTTPHEADER, NULL);
	(void)SET(f, CURLOPT_POSTFIELDS, NULL);
	f->fresh = code != CURLE_OK || r->status >= 500;
	return rc;
}

/* A gateway of several groups cannot know which one is meant unless the hello says so, in the clear: it says so only to who showed the
 * certificate of another one. Nothing was sent by then. */
static int try_naming(struct fetch *f, const struct fetch_request *q, struct fetch_reply *r, struct retry *retry, struct err *e) {
	int rc = try_once(f, q, r, retry_left_ms(retry), e);

	if (rc == 0 || !f->foreign || f->names_ca)
		return rc;
	f->names_ca = f->fresh = true;
	fetch_reply_wipe(r);
	return try_once(f, q, r, retry_left_ms(retry), e);
}

static bool worth_again(const struct fetch *f, int rc, int status) {
	if (rc == ERR_UNREACHABLE)
		return f->sent == 0 || f->may_repeat;
	if (rc != 0)
		return false;
	/* The first two were not acted upon; behind the others a proxy may hide that they were. */
	return status == 429 || status == 503 || ((status == 502 || status == 504) && f->may_repeat);
}

int fetch(struct fetch *f, const struct fetch_request *q, struct fetch_reply *r, struct err *e) {
	struct retry retry;
	int rc;

	retry_init(&retry, q->total_s != 0 ? q->total_s : f->total_s, FETCH_ATTEMPTS, FETCH_PATIENCE_S);
	f->may_repeat = q->idempotent || strcmp(q->method, "GET") == 0 || strcmp(q->method, "PUT") == 0;
	do {
		fetch_reply_wipe(r);
		rc = try_naming(f, q, r, &retry, e);
	} while (worth_again(f, rc, r->status) && retry_pause(&retry, f->retry_after_s));
	return rc;
}
