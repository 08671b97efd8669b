/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in without a browser: devices and service accounts; and signing out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "oauth_lab.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "store/oauth_jwt.h"

OWN_DEFINE(json, json_t, json_decref)
OWN_DEFINE(oauth, struct oauth, oauth_free)

#define GRANTED \
	"{\"access_token\":\"4cc3ss\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"r3fr3sh\",\"scope\":\"" GDRIVE_SCOPE \
	"\"}"

struct shown {
	char url[256], code[32];
};

static int show(void *arg, const char *url, const char *user_code, struct err *e) {
	struct shown *s = arg;

	(void)e;
	(void)snprintf(s->url, sizeof(s->url), "%s", url);
	(void)snprintf(s->code, sizeof(s->code), "%s", user_code != NULL ? user_code : "");
	return 0;
}

static int login(struct shown *s, unsigned timeout_s, struct err *e) {
	struct oauth_login l = { .env = &lab.env, .conf = &lab.conf, .timeout_s = timeout_s, .show = show, .arg = s };

	return oauth_login_device(&l, e);
}

static bool is_signed_in(void) {
	return file_exists(tmp_path(OAUTH_FILE));
}

/* Devices */

#define DEVICE \
	"{\"device_code\":\"d3v1c3\",\"user_code\":\"ABCD-EFGH\",\"verification_url\":\"https://www.google.com/device\",\"expires_in\":1800,\"interval\":1}"
#define DEVICE_GRANTED \
	"{\"access_token\":\"4cc3ss\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"r3fr3sh\",\"scope\":\"" GDRIVE_SCOPE_FILE \
	"\"}"
#define DEVICE_STEP_MS 2000 /* longer than an interval: nobody sleeps */

static void device_says(int i, int status, const char *body) {
	lab.replies[i] = (struct lab_reply){ .status = status, .body = body };
}

START_TEST(a_device_waits_until_it_is_allowed) {
	struct shown p = { .url = "" };
	OWN(own_oauth) struct oauth *o = NULL;
	OWN(own_free) char *code = NULL, *type = NULL;
	struct err e = ERR_INIT;

	lab_says(200, DEVICE);
	device_says(1, 428, "{\"error\":\"authorization_pending\"}");
	device_says(2, 428, "{\"error\":\"authorization_pending\"}");
	device_says(3, 200, DEVICE_GRANTED);
	clock_step_mono_ms(DEVICE_STEP_MS);
	ck_assert_msg(login(&p, 3600, &e) == 0, "%s", e.text);
	ck_assert_str_eq(p.url, "https://www.google.com/device");
	ck_assert_str_eq(p.code, "ABCD-EFGH");
	ck_assert_int_eq(lab.asked, 4);
	code = lab_field(lab.form, "device_code");
	type = lab_field(lab.form, "grant_type");
	ck_assert_str_eq(code, "d3v1c3");
	ck_assert_str_eq(type, "urn:ietf:params:oauth:grant-type:device_code");
	ck_assert_int_eq(oauth_open(&o, &lab.env, &lab.conf, NULL, &e), 0);
	ck_assert(!oauth_sees_all(o));
}
END_TEST

START_TEST(a_device_that_is_told_to_slow_down_goes_on) {
	struct shown p = { .url = "" };

	lab_says(200, DEVICE);
	for (int i = 1; i < LAB_REPLIES - 1; i++)
		device_says(i, 403, "{\"error\":\"slow_down\"}");
	device_says(LAB_REPLIES - 1, 200, DEVICE_GRANTED);
	clock_step_mono_ms(60000);
	ck_assert_int_eq(login(&p, 3600, NULL), 0);
	ck_assert_int_eq(lab.asked, LAB_REPLIES);
}
END_TEST

static const struct refusal {
	int status;
	const char *body;
	int code;
	const char *why;
	int asked;
} device_refusals[] = {
	{ 403, "{\"error\":\"access_denied\"}", ERR_REFUSED, "denied", 2 },
	{ 400, "{\"error\":\"expired_token\"}", ERR_UNREACHABLE, "in time", 2 },
	{ 400, "{\"error\":\"invalid_grant\"}", ERR_REFUSED, "in time", 2 },
	{ 401, "{\"error\":\"invalid_client\"}", ERR_REFUSED, "client ID", 2 },
	{ 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"refresh_token\":\"r3fr3sh\",\"scope\":\"openid\"}",
	    ERR_REFUSED, "ticked", 3 },
	{ 200, "<html>", ERR_DAMAGED, "JSON", 2 },
};

START_TEST(a_refused_device_leaves_nothing) {
	const struct refusal *x = &device_refusals[_i];
	struct shown p = { .url = "" };
	struct err e = ERR_INIT;
	int r;

	lab_says(200, DEVICE);
	device_says(1, x->status, x->body);
	clock_step_mono_ms(DEVICE_STEP_MS);
	r = login(&p, 3600, &e);
	ck_assert_msg(r == x->code && strstr(e.text, x->why) != NULL, "%d: %s", r, e.text);
	ck_assert_int_eq(lab.asked, x->asked);
	ck_assert(!is_signed_in());
}
END_TEST

START_TEST(a_device_that_nobody_allows_ends_in_time) {
	struct shown p = { .url = "" };
	struct err e = ERR_INIT;

	lab_says(200, DEVICE);
	device_says(1, 428, "{\"error\":\"authorization_pending\"}");
	clock_step_mono_ms(DEVICE_STEP_MS);
	ck_assert_int_eq(login(&p, 30, &e), ERR_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(e.text, "in time"));
	ck_assert(!is_signed_in());
}
END_TEST

static const char *const bad_devices[] = {
	"{\"user_code\":\"A\",\"verification_url\":\"https://a/\"}",
	"{\"device_code\":\"d\",\"verification_url\":\"https://a/\"}",
	"{\"device_code\":\"d\",\"user_code\":\"A\"}",
	"{\"device_code\":\"d\",\"user_code\":\"A\\u001b\",\"verification_url\":\"https://a/\"}",
	"{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_url\":\"http://a/\"}",
	"{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_url\":\"javascript:alert(1)\"}",
	"{\"device_code\":\"d\",\"user_code\":\"A\",\"verification_uri\":7,\"verification_url\":\"https://a/\"}",
};

START_TEST(half_a_device_code_is_refused) {
	struct shown p = { .url = "" };
	struct err e = ERR_INIT;

	lab_says(200, bad_devices[_i]);
	ck_assert_int_eq(login(&p, 30, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "RFC 8628"));
	ck_assert_str_eq(p.url, "");
}
END_TEST

/* Service accounts */

static char *pem_of(const char *spec) {
	OWN(own_pkey) EVP_PKEY *key = NULL;
	OWN(own_bio) BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	if (strcmp(spec, "rsa:1024") == 0)
		key = EVP_RSA_gen(1024);
	else
		ck_assert_int_eq(key_make(spec, &key, NULL), 0);
	ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &data);
	return xasprintf("%.*s", (int)len, data);
}

static const char *account_file(const char *type, const char *token_uri, const char *pem, unsigned mode) {
	OWN(own_json)
	json_t *o = json_pack("{s:s*, s:s, s:s, s:s*, s:s*}", "type", type, "client_email", "robot@project.example",
	    "private_key_id", "k1", "private_key", pem, "token_uri", token_uri);
	OWN(own_free) char *text = json_dumps(o, 0);

	return tmp_file("account.json", text, strlen(text), mode);
}

static int login_service(const char *path, struct err *e) {
	struct oauth_login l = { .env = &lab.env, .conf = &lab.conf };

	return oauth_login_service_account(&l, path, e);
}

static json_t *part(const char *s, size_t len) {
	OWN(buf_wipe) struct buf b64 = {0}, out = {0};

	for (size_t i = 0; i < len; i++)
		buf_addc(&b64, (uint8_t)(s[i] == '-' ? '+' : s[i] == '_' ? '/' : s[i]));
	while (b64.len % 4 != 0)
		buf_addc(&b64, '=');
	ck_assert_int_eq(text_unbase64(buf_str(&b64), b64.len, 4096, &out, NULL), 0);
	return json_loadb((const char *)out.data, out.len, 0, NULL);
}

/* A browser saves its key as any file. */
static const mode_t modes[] = { 0600, 0644 };

START_TEST(a_service_account_asks_with_a_signed_assertion) {
	OWN(own_free) char *pem = pem_of("rsa:2048"), *jwt = NULL, *type = NULL;
	OWN(own_json) json_t *head = NULL, *claims = NULL;
	OWN(own_oauth) struct oauth *o = NULL;
	OWN(secret_wipe) struct secret token = {0};
	struct err e = ERR_INIT;
	const char *dot;

	lab_says(200, "{\"access_token\":\"4cc3ss\",\"token_type\":\"Bearer\",\"expires_in\":3600}");
	ck_assert_msg(login_service(account_file("service_account", LAB_TOKEN_URL, pem, modes[_i]), &e) == 0, "%s", e.text);
	jwt = lab_field(lab.form, "assertion");
	type = lab_field(lab.form, "grant_type");
	ck_assert_str_eq(type, "urn:ietf:params:oauth:grant-type:jwt-bearer");
	ck_assert_ptr_null(strstr(lab.form, "client_secret"));
	dot = strchr(jwt, '.');
	head = part(jwt, (size_t)(dot - jwt));
	claims = part(dot + 1, strcspn(dot + 1, "."));
	ck_assert_str_eq(json_string_value(json_object_get(head, "alg")), "RS256");
	ck_assert_str_eq(json_string_value(json_object_get(head, "kid")), "k1");
	ck_assert_str_eq(json_string_value(json_object_get(claims, "iss")), "robot@project.example");
	ck_assert_str_eq(json_string_value(json_object_get(claims, "aud")), LAB_TOKEN_URL);
	ck_assert_str_eq(json_string_value(json_object_get(claims, "scope")), GDRIVE_SCOPE);
	ck_assert_int_eq(
	    json_integer_value(json_object_get(claims, "exp")) - json_integer_value(json_object_get(claims, "iat")),
	    3600);
	/* an hour later it asks again, without the file */
	ck_assert_int_eq(unlink(tmp_path("account.json")), 0);
	clock_shift_s(3600);
	lab_says(200, "{\"access_token\":\"n3w\",\"token_type\":\"Bearer\",\"expires_in\":3600}");
	ck_assert_int_eq(oauth_open(&o, &lab.env, &lab.conf, NULL, &e), 0);
	ck_assert(oauth_sees_all(o));
	ck_assert_msg(oauth_token(o, NULL, &token, &e) == 0, "%s", e.text);
	ck_assert_str_eq((const char *)token.data, "n3w");
}
END_TEST

START_TEST(another_file_than_a_service_accounts_is_refused) {
	OWN(own_free) char *rsa = pem_of("rsa:2048"), *weak = pem_of("rsa:1024"), *ec = pem_of("ec:P-256");
	struct err e = ERR_INIT;

	ck_assert_int_eq(login_service(tmp_path("none.json"), &e), ERR_NOTFOUND);
	ck_assert_int_eq(login_service(account_file("authorized_user", LAB_TOKEN_URL, rsa, 0600), &e), ERR_USAGE);
	ck_assert_int_eq(login_service(account_file(NULL, LAB_TOKEN_URL, rsa, 0600), &e), ERR_USAGE);
	ck_assert_int_eq(login_service(account_file("service_account", NULL, rsa, 0600), &e), ERR_USAGE);
	ck_assert_int_eq(login_service(account_file("service_account", LAB_TOKEN_URL, NULL, 0600), &e), ERR_USAGE);
	ck_assert_int_eq(login_service(account_file("service_account", LAB_TOKEN_URL, "no key", 0600), &e), ERR_USAGE);
	ck_assert_int_eq(login_service(account_file("service_account", LAB_TOKEN_URL, ec, 0600), &e), ERR_REFUSED);
	ck_assert_int_eq(login_service(account_file("service_account", LAB_TOKEN_URL, weak, 0600), &e), ERR_REFUSED);
	ck_assert_int_eq(login_service(tmp_file("account.json", "[]", 2, 0600), &e), ERR_USAGE);
	ck_assert_int_eq(login_service(tmp_file("account.json", "{", 1, 0600), &e), ERR_USAGE);
	ck_assert_int_eq(lab.asked, 0);
	ck_assert(!is_signed_in());
}
END_TEST

START_TEST(an_assertion_goes_to_whom_its_file_names) {
	static char google[] = GDRIVE_TOKEN_URL;
	OWN(own_free) char *pem = pem_of("rsa:2048");
	struct err e = ERR_INIT;

	lab_says(200, GRANTED);
	lab.conf.token_url = google;
	ck_assert_int_eq(
	    login_service(account_file("service_account", "https://evil.example/token", pem, 0600), &e), ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(e.text, "-token-url"));
	ck_assert_int_eq(lab.asked, 0);
	ck_assert_int_eq(login_service(account_file("service_account", GDRIVE_TOKEN_URL, pem, 0600), &e), 0);
}
END_TEST

START_TEST(a_service_account_that_was_deleted_is_refused) {
	OWN(own_free) char *pem = pem_of("rsa:2048");
	struct err e = ERR_INIT;

	lab_says(400, "{\"error\":\"invalid_grant\"}");
	ck_assert_int_eq(login_service(account_file("service_account", LAB_TOKEN_URL, pem, 0600), &e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "service account's key"));
	ck_assert(!is_signed_in());
}
END_TEST

/* Signing out */

static int logout(struct err *e) {
	return oauth_logout(&lab.env, &lab.conf, NULL, e);
}

START_TEST(signing_out_revokes_and_removes) {
	OWN(own_free) char *token = NULL;
	struct err e = ERR_INIT;

	lab_grant(3600, "4cc3ss", "r3fr3sh");
	lab_says(200, "{}");
	ck_assert_msg(logout(&e) == 0, "%s", e.text);
	token = lab_field(lab.form, "token");
	ck_assert_str_eq(token, "r3fr3sh");
	ck_assert_str_eq(lab.url, "https://revoke.example/revoke");
	ck_assert(!is_signed_in());
	ck_assert_int_eq(logout(&e), ERR_NOTFOUND);
}
END_TEST

START_TEST(what_is_revoked_already_is_no_error) {
	lab_grant(3600, "4cc3ss", "r3fr3sh");
	lab_says(400, "{\"error\":\"invalid_token\"}");
	ck_assert_int_eq(logout(NULL), 0);
	ck_assert(!is_signed_in());
}
END_TEST

START_TEST(without_the_service_it_is_removed_all_the_same) {
	struct err e = ERR_INIT;

	lab_grant(3600, "4cc3ss", "r3fr3sh");
	lab.replies[0].rc = ERR_UNREACHABLE;
	ck_assert_int_eq(logout(&e), ERR_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(e.text, "not revoked"));
	ck_assert(!is_signed_in());
	lab_grant(3600, "4cc3ss", "r3fr3sh");
	lab_says(503, "");
	ck_assert_int_eq(logout(&e), ERR_UNREACHABLE);
	ck_assert(!is_signed_in());
	lab_grant(3600, "4cc3ss", "r3fr3sh");
	lab.env.cert = lab.f.bob.cert;
	ck_assert_int_eq(logout(&e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "not revoked"));
	ck_assert(!is_signed_in());
}
END_TEST

START_TEST(a_service_account_has_nothing_to_revoke) {
	OWN(own_free) char *pem = pem_of("rsa:2048");

	lab_says(200, "{\"access_token\":\"4cc3ss\",\"token_type\":\"Bearer\",\"expires_in\":3600}");
	ck_assert_int_eq(login_service(account_file("service_account", LAB_TOKEN_URL, pem, 0600), NULL), 0);
	ck_assert_int_eq(logout(NULL), 0);
	ck_assert_int_eq(lab.asked, 1);
	ck_assert(!is_signed_in());
}
END_TEST

#define LOOP(t, f, v) tcase_add_loop_test(t, f, 0, sizeof(v) / sizeof((v)[0]))

int main(void) {
	TCase *t = tcase_create("oauth_other");

	tcase_add_checked_fixture(t, lab_make, lab_drop);
	tcase_add_test(t, a_device_waits_until_it_is_allowed);
	tcase_add_test(t, a_device_that_is_told_to_slow_down_goes_on);
	LOOP(t, a_refused_device_leaves_nothing, device_refusals);
	tcase_add_test(t, a_device_that_nobody_allows_ends_in_time);
	LOOP(t, half_a_device_code_is_refused, bad_devices);
	tcase_add_loop_test(t, a_service_account_asks_with_a_signed_assertion, 0, 2);
	tcase_add_test(t, another_file_than_a_service_accounts_is_refused);
	tcase_add_test(t, an_assertion_goes_to_whom_its_file_names);
	tcase_add_test(t, a_service_account_that_was_deleted_is_refused);
	tcase_add_test(t, signing_out_revokes_and_removes);
	tcase_add_test(t, what_is_revoked_already_is_no_error);
	tcase_add_test(t, without_the_service_it_is_removed_all_the_same);
	tcase_add_test(t, a_service_account_has_nothing_to_revoke);
	return suite_run("oauth_other", t);
}
