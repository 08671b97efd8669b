/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in by a browser: the consent page's answer on the loopback address. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "oauth_lab.h"
#include "pki/ossl.h"
#include "store/oauth_redirect.h"

OWN_DEFINE(oauth, struct oauth, oauth_free)

#define GRANTED \
	"{\"access_token\":\"4cc3ss\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"r3fr3sh\",\"scope\":\"openid " GDRIVE_SCOPE \
	"\"}"

#define LONG_S 600 /* a limit that no machine is slow enough to meet */

/* A browser */

static bool reach(int fd, unsigned port) {
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};

	return connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

static int browser(unsigned port) {
	struct timeval limit = { .tv_sec = 120 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	ck_assert(reach(fd, port));
	return fd;
}

/* A connection, if anybody listens still. */
static void nudge(unsigned port) {
	OWN(own_fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)reach(fd, port);
}

static void say(int fd, const char *text) {
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads to the end; the status. */
static int hear(int fd, char *page, size_t size) {
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = recv(fd, page + len, size - 1 - len, 0)) > 0)
		len += (size_t)n;
	page[len] = '\0';
	return strncmp(page, "HTTP/1.1 ", strlen("HTTP/1.1 ")) == 0 ? (int)strtol(page + strlen("HTTP/1.1 "), NULL, 10)
	                                                            : 0;
}

static int visit(unsigned port, const char *target) {
	OWN(own_free)
	char *request = xasprintf("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\n\r\n", target, port);
	OWN(own_fd) int fd = browser(port);
	char page[2048];
	int status;

	say(fd, request);
	status = hear(fd, page, sizeof(page));
	ck_assert_ptr_nonnull(strstr(page, "Connection: close\r\n"));
	ck_assert_ptr_nonnull(strstr(page, "text/html"));
	return status;
}

/* The consent page, which show() opens: a thread that does what the test wants. */
struct page {
	pthread_t thread;
	bool is_open;
	char url[2048];
	char *state;
	unsigned port;
	void (*act)(struct page *p);
	int status; /* of the last visit */
};

static void *act(void *arg) {
	struct page *p = arg;

	p->act(p);
	return NULL;
}

static int show(void *arg, const char *url, const char *user_code, struct err *e) {
	struct page *p = arg;

	(void)e;
	(void)snprintf(p->url, sizeof(p->url), "%s", url);
	(void)user_code;
	if (p->act == NULL)
		return 0;
	OWN(own_free) char *redirect = lab_field(strchr(url, '?') + 1, "redirect_uri");
	p->state = lab_field(strchr(url, '?') + 1, "state");
	ck_assert_int_eq(strncmp(redirect, "http://127.0.0.1:", strlen("http://127.0.0.1:")), 0);
	p->port = (unsigned)strtoul(redirect + strlen("http://127.0.0.1:"), NULL, 10);
	p->is_open = pthread_create(&p->thread, NULL, act, p) == 0;
	return 0;
}

static void page_wipe(struct page *p) {
	if (p->is_open)
		(void)pthread_join(p->thread, NULL);
	free(p->state);
}

static int login(struct page *p, unsigned timeout_s, struct err *e) {
	struct oauth_login l = { .env = &lab.env, .conf = &lab.conf, .timeout_s = timeout_s, .show = show, .arg = p };
	int r = oauth_login_loopback(&l, e);

	if (p->is_open)
		(void)pthread_join(p->thread, NULL);
	p->is_open = false;
	ck_assert_msg(e == NULL ||
	        (strstr(e->text, "S3CR3T") == NULL && strstr(e->text, "r3fr3sh") == NULL &&
	            strstr(e->text, "c0d3") == NULL),
	    "%s", e != NULL ? e->text : "");
	return r;
}

static void visit_with(struct page *p, const char *fmt) {
	OWN(buf_wipe) struct buf b = {0};

	for (const char *s = fmt; *s != '\0'; s++)
		if (*s == '@')
			buf_adds(&b, p->state);
		else
			buf_addc(&b, (uint8_t)*s);
	p->status = visit(p->port, buf_str(&b));
}

static void allow(struct page *p) {
	visit_with(p, "/?state=@&code=c0d3%2F4&scope=x");
}

static bool is_signed_in(void) {
	return file_exists(tmp_path(OAUTH_FILE));
}

START_TEST(a_consent_is_kept) {
	OWN(page_wipe) struct page p = { .act = allow };
	OWN(own_oauth) struct oauth *o = NULL;
	OWN(own_free) char *code = NULL, *uri = NULL, *type = NULL;
	struct err e = ERR_INIT;

	lab_says(200, GRANTED);
	ck_assert_msg(login(&p, LONG_S, &e) == 0, "%s", e.text);
	ck_assert_int_eq(p.status, 200);
	ck_assert_str_eq(lab.url, LAB_TOKEN_URL);
	ck_assert(!lab.idempotent);
	code = lab_field(lab.form, "code");
	type = lab_field(lab.form, "grant_type");
	uri = lab_field(lab.form, "redirect_uri");
	ck_assert_str_eq(code, "c0d3/4");
	ck_assert_str_eq(type, "authorization_code");
	ck_assert_int_eq(strncmp(uri, "http://127.0.0.1:", 17), 0);
	ck_assert_int_eq(oauth_open(&o, &lab.env, &lab.conf, NULL, &e), 0);
	ck_assert(oauth_sees_all(o));
}
END_TEST

START_TEST(the_challenge_is_the_hash_of_the_verifier) {
	OWN(page_wipe) struct page p = { .act = allow };
	OWN(own_free) char *verifier = NULL, *challenge = NULL, *method = NULL;
	OWN(buf_wipe) struct buf want = {0};
	uint8_t digest[SHA256_LEN];

	lab_says(200, GRANTED);
	ck_assert_int_eq(login(&p, LONG_S, NULL), 0);
	ck_assert_int_eq(strncmp(p.url, "https://auth.example/auth?client_id=ID&", 39), 0);
	verifier = lab_field(lab.form, "code_verifier");
	challenge = lab_field(strchr(p.url, '?') + 1, "code_challenge");
	method = lab_field(strchr(p.url, '?') + 1, "code_challenge_method");
	ossl_sha256(verifier, strlen(verifier), digest);
	text_base64url(digest, sizeof(digest), &want);
	ck_assert_uint_eq(strlen(verifier), 43);
	ck_assert_str_eq(challenge, buf_str(&want));
	ck_assert_str_eq(method, "S256");
	ck_assert_ptr_null(strstr(p.url, "S3CR3T"));
}
END_TEST

START_TEST(a_query_in_the_configured_url_stays) {
	static char auth[] = "https://auth.example/auth?hd=example.org";
	OWN(page_wipe) struct page p = { .act = allow };

	lab.conf.auth_url = auth;
	lab_says(200, GRANTED);
	ck_assert_int_eq(login(&p, LONG_S, NULL), 0);
	ck_assert_int_eq(strncmp(p.url, "https://auth.example/auth?hd=example.org&client_id=ID&", 54), 0);
}
END_TEST

static const char *const strangers[] = {
	"/?code=c0d3",
	"/?state=&code=c0d3",
	"/?state=@x&code=c0d3",
	"/?state=x@&code=c0d3",
	"/?state=@&state=@&code=c0d3",
	"/?state=@",
	"/?state=@&code=",
	"/?state=@&code=a&code=b",
	"/?state=@&code=a&error=access_denied",
	"/?state=@&error=a&error=b",
	"/x?state=@&code=c0d3",
	"/favicon.ico",
	"/",
};

static void visit_strangely(struct page *p) {
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		visit_with(p, strangers[i]);
		ck_assert_msg(p->status == 400 || p->status == 404, "%s: %d", strangers[i], p->status);
	}
	allow(p);
}

START_TEST(what_is_not_the_answer_is_refused_and_waited_past) {
	OWN(page_wipe) struct page p = { .act = visit_strangely };
	struct err e = ERR_INIT;

	lab_says(200, GRANTED);
	ck_assert_msg(login(&p, LONG_S, &e) == 0, "%s", e.text);
	ck_assert_int_eq(p.status, 200);
	ck_assert_int_eq(lab.asked, 1);
}
END_TEST

static const char *const requests[] = {
	"GET /?state=%s&code=x HTTP/1.1\r\nHost: evil.example\r\n\r\n",
	"GET /?state=%s&code=x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
	"GET /?state=%s&code=x HTTP/1.1\r\n\r\n",
	"GET /?state=%s&code=x HTTP/0.9\r\n\r\n",
	"POST /?state=%s&code=x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 0\r\n\r\n",
	"GET /?state=%s&code=%%00 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n",
	"\x16\x03\x01\x02 this is TLS %s\r\n\r\n",
};

static void send_oddly(struct page *p) {
	char page[2048];

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		OWN(buf_wipe) struct buf text = {0};
		OWN(own_fd) int fd = browser(p->port);
		const char *mark = strstr(requests[i], "%s");

		buf_add(&text, requests[i], (size_t)(mark - requests[i]));
		buf_addf(&text, "%s%s", p->state, mark + 2);
		say(fd, buf_str(&text));
		p->status = hear(fd, page, sizeof(page));
		ck_assert_msg(p->status == 400 || p->status == 404, "%s: %d", requests[i], p->status);
	}
	allow(p);
}

START_TEST(a_request_of_another_form_is_refused) {
	OWN(page_wipe) struct page p = { .act = send_oddly };
	struct err e = ERR_INIT;

	lab_says(200, GRANTED);
	ck_assert_msg(login(&p, LONG_S, &e) == 0, "%s", e.text);
}
END_TEST

/* More silent connections than there are places, then the answer in pieces. */
static void crowd(struct page *p) {
	OWN(own_free)
	char *rest = xasprintf("tate=%s&code=c0d3 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", p->state, p->port);
	char page[2048];
	int silent[REDIRECT_VISITORS_MAX + 4], fd;

	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		silent[i] = browser(p->port);
	fd = browser(p->port);
	say(fd, "GET /?s");
	for (const char *s = rest; *s != '\0'; s++)
		say(fd, (char[]){ *s, '\0' });
	p->status = hear(fd, page, sizeof(page));
	close(fd);
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		close(silent[i]);
}

START_TEST(connections_that_say_nothing_are_in_nobodys_way) {
	OWN(page_wipe) struct page p = { .act = crowd };
	struct err e = ERR_INIT;

	lab_says(200, GRANTED);
	ck_assert_msg(login(&p, LONG_S, &e) == 0, "%s", e.text);
	ck_assert_int_eq(p.status, 200);
}
END_TEST

static void deny(struct page *p) {
	visit_with(p, "/?state=@&error=access_denied");
}

static void deny_strangely(struct page *p) {
	visit_with(p, "/?state=@&error=%1B%5B31mr3fr3sh");
}

START_TEST(a_denied_consent_is_refused) {
	OWN(page_wipe) struct page p = { .act = deny };
	OWN(page_wipe) struct page q = { .act = deny_strangely };
	struct err e = ERR_INIT;

	ck_assert_int_eq(login(&p, LONG_S, &e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "denied"));
	ck_assert_int_eq(login(&q, LONG_S, &e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "no known form"));
	ck_assert_int_eq(lab.asked, 0);
	ck_assert(!is_signed_in());
}
END_TEST

static void guess(struct page *p) {
	visit_with(p, "/?state=x&code=c0d3");
	/* the time is over for the waiting thread as soon as it looks again: it is made to look, if it does not anyway
	 */
	clock_step_mono_ms(INT64_C(3600000));
	nudge(p->port);
}

START_TEST(without_an_answer_it_ends_in_time) {
	OWN(page_wipe) struct page p = { .act = NULL };
	OWN(page_wipe) struct page q = { .act = guess };
	struct err e = ERR_INIT;

	ck_assert_int_eq(login(&p, 0, &e), ERR_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(e.text, "no answer"));
	ck_assert_int_eq(login(&q, LONG_S, &e), ERR_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(e.text, "1 with a wrong state"));
	ck_assert(!is_signed_in());
}
END_TEST

static const struct exchange {
	int status;
	const char *body;
	int code;
	const char *why;
	int asked;
} exchanges[] = {
	{ 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"refresh_token\":\"r3fr3sh\",\"scope\":\"openid\"}",
	    ERR_REFUSED, "ticked", 2 },
	{ 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"refresh_token\":\"r3fr3sh\",\"scope\":\"\"}",
	    ERR_REFUSED, "ticked", 2 },
	{ 200,
	    "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"refresh_token\":\"r3fr3sh\",\"scope\":\"" GDRIVE_SCOPE_FILE
	    "\"}",
	    ERR_REFUSED, "ticked", 2 },
	{ 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\"}", ERR_REFUSED, "no refresh token", 1 },
	{ 400, "{\"error\":\"invalid_grant\"}", ERR_REFUSED, "login again", 1 },
	{ 400, "{\"error\":\"redirect_uri_mismatch\"}", ERR_REFUSED, "Desktop app", 1 },
	{ 401, "{\"error\":\"invalid_client\"}", ERR_REFUSED, "client ID", 1 },
	{ 200, "<html>", ERR_DAMAGED, "JSON", 1 },
	{ 302, "", ERR_DAMAGED, "status 302", 1 },
};

START_TEST(an_exchange_that_fails_leaves_nothing) {
	const struct exchange *x = &exchanges[_i];
	OWN(page_wipe) struct page p = { .act = allow };
	struct err e = ERR_INIT;
	int r;

	lab_says(x->status, x->body);
	r = login(&p, LONG_S, &e);
	ck_assert_msg(r == x->code && strstr(e.text, x->why) != NULL, "%d: %s", r, e.text);
	ck_assert_int_eq(lab.asked, x->asked);
	ck_assert(!is_signed_in());
}
END_TEST

START_TEST(a_failed_sign_in_leaves_the_old_one) {
	OWN(page_wipe) struct page p = { .act = deny };
	OWN(own_oauth) struct oauth *o = NULL;
	OWN(secret_wipe) struct secret token = {0};

	lab_grant(3600, "old", "r3fr3sh");
	ck_assert_int_eq(login(&p, LONG_S, NULL), ERR_REFUSED);
	ck_assert_int_eq(oauth_open(&o, &lab.env, &lab.conf, NULL, NULL), 0);
	ck_assert_int_eq(oauth_token(o, NULL, &token, NULL), 0);
	ck_assert_str_eq((const char *)token.data, "old");
}
END_TEST

static int fail_to_show(void *arg, const char *url, const char *user_code, struct err *e) {
	(void)arg;
	(void)url;
	(void)user_code;
	return err_set(e, ERR_FAIL, "standard output is closed");
}

START_TEST(a_url_that_cannot_be_shown_ends_it) {
	struct oauth_login l = { .env = &lab.env, .conf = &lab.conf, .timeout_s = LONG_S, .show = fail_to_show };
	struct err e = ERR_INIT;

	ck_assert_int_eq(oauth_login_loopback(&l, &e), ERR_FAIL);
	ck_assert_str_eq(e.text, "standard output is closed");
}
END_TEST

#define LOOP(t, f, v) tcase_add_loop_test(t, f, 0, sizeof(v) / sizeof((v)[0]))

int main(void) {
	TCase *t = tcase_create("oauth_login");

	tcase_add_checked_fixture(t, lab_make, lab_drop);
	tcase_add_test(t, a_consent_is_kept);
	tcase_add_test(t, the_challenge_is_the_hash_of_the_verifier);
	tcase_add_test(t, a_query_in_the_configured_url_stays);
	tcase_add_test(t, what_is_not_the_answer_is_refused_and_waited_past);
	tcase_add_test(t, a_request_of_another_form_is_refused);
	tcase_add_test(t, connections_that_say_nothing_are_in_nobodys_way);
	tcase_add_test(t, a_denied_consent_is_refused);
	tcase_add_test(t, without_an_answer_it_ends_in_time);
	LOOP(t, an_exchange_that_fails_leaves_nothing, exchanges);
	tcase_add_test(t, a_failed_sign_in_leaves_the_old_one);
	tcase_add_test(t, a_url_that_cannot_be_shown_ends_it);
	return suite_run("oauth_login", t);
}
