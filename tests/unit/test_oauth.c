/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: at hand, refreshed, refused; and the file that keeps them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "keyring/enveloped.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "oauth_lab.h"
#include "pki/cert.h"

OWN_DEFINE(oauth, struct oauth, oauth_free)

#define FRESH "{\"access_token\":\"new\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"scope\":\"" GDRIVE_SCOPE "\"}"

static int open_oauth(struct oauth **o, struct err *e) {
	return oauth_open(o, &lab.env, &lab.conf, NULL, e);
}

/* Opens, asks for a token, and compares it. */
static void gives(const char *rejected, const char *want) {
	OWN(own_oauth) struct oauth *o = NULL;
	OWN(secret_wipe) struct secret token = {0};
	struct err e = ERR_INIT;

	ck_assert_msg(open_oauth(&o, &e) == 0, "%s", e.text);
	ck_assert_msg(oauth_token(o, rejected, &token, &e) == 0, "%s", e.text);
	ck_assert_str_eq((const char *)token.data, want);
	ck_assert_uint_eq(token.len, strlen(want) + 1);
}

/* Opens and asks: one of the two fails with this code, and a text that says this, and no secret. */
static void fails(const char *rejected, int code, const char *why) {
	OWN(own_oauth) struct oauth *o = NULL;
	OWN(secret_wipe) struct secret token = {0};
	struct err e = ERR_INIT;
	int r = open_oauth(&o, &e);

	if (r == 0)
		r = oauth_token(o, rejected, &token, &e);
	ck_assert_msg(r == code, "%d: %s", r, e.text);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
	ck_assert_msg(strstr(e.text, "S3CR3T") == NULL && strstr(e.text, "r3fr3sh") == NULL, "%s", e.text);
}

START_TEST(who_has_not_signed_in_gets_no_token) {
	fails(NULL, ERR_REFUSED, "scg login");
}
END_TEST

START_TEST(a_good_token_is_given_without_a_request) {
	OWN(own_oauth) struct oauth *o = NULL;

	lab_grant(3600, "old", "r3fr3sh");
	gives(NULL, "old");
	gives("another", "old");
	ck_assert_int_eq(lab.asked, 0);
	ck_assert_int_eq(open_oauth(&o, NULL), 0);
	ck_assert(oauth_sees_all(o));
}
END_TEST

START_TEST(a_token_in_its_last_minute_is_refreshed) {
	OWN(own_free) char *field = NULL, *secret = NULL, *type = NULL;

	lab_grant(3600, "old", "r3fr3sh");
	lab_says(200, FRESH);
	clock_shift_s(2400);
	gives(NULL, "old");
	clock_shift_s(1150);
	gives(NULL, "new");
	ck_assert_str_eq(lab.url, LAB_TOKEN_URL);
	ck_assert(lab.idempotent);
	field = lab_field(lab.form, "refresh_token");
	secret = lab_field(lab.form, "client_secret");
	type = lab_field(lab.form, "grant_type");
	ck_assert_str_eq(field, "r3fr3sh");
	ck_assert_str_eq(secret, "S3CR3T");
	ck_assert_str_eq(type, "refresh_token");
	/* and it lies in the folder */
	gives(NULL, "new");
	ck_assert_int_eq(lab.asked, 1);
}
END_TEST

START_TEST(a_rejected_token_is_not_given_again) {
	lab_grant(3600, "old", "r3fr3sh");
	lab_says(200, FRESH);
	gives("old", "new");
	ck_assert_int_eq(lab.asked, 1);
}
END_TEST

START_TEST(what_another_process_got_is_taken) {
	OWN(own_oauth) struct oauth *o = NULL;
	OWN(secret_wipe) struct secret token = {0};

	lab_grant(3600, "old", "r3fr3sh");
	ck_assert_int_eq(open_oauth(&o, NULL), 0);
	lab_grant(3600, "theirs", "r3fr3sh");
	ck_assert_int_eq(oauth_token(o, "old", &token, NULL), 0);
	ck_assert_str_eq((const char *)token.data, "theirs");
	ck_assert_int_eq(lab.asked, 0);
}
END_TEST

START_TEST(a_sign_out_meanwhile_is_noticed) {
	OWN(own_oauth) struct oauth *o = NULL;
	OWN(secret_wipe) struct secret token = {0};
	struct err e = ERR_INIT;

	lab_grant(3600, "old", "r3fr3sh");
	ck_assert_int_eq(open_oauth(&o, NULL), 0);
	ck_assert_int_eq(unlink(tmp_path(OAUTH_FILE)), 0);
	ck_assert_int_eq(oauth_token(o, "old", &token, &e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "scg login"));
	ck_assert_ptr_null(token.data);
}
END_TEST

static void *ask_in_thread(void *o) {
	OWN(secret_wipe) struct secret token = {0};

	ck_assert_int_eq(oauth_token(o, "old", &token, NULL), 0);
	ck_assert_str_eq((const char *)token.data, "new");
	return NULL;
}

START_TEST(threads_refresh_once) {
	OWN(own_oauth) struct oauth *o = NULL;
	pthread_t t[8];

	lab_grant(3600, "old", "r3fr3sh");
	lab_says(200, FRESH);
	ck_assert_int_eq(open_oauth(&o, NULL), 0);
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, ask_in_thread, o), 0);
	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_join(t[i], NULL), 0);
	ck_assert_int_eq(lab.asked, 1);
}
END_TEST

START_TEST(processes_refresh_once) {
	struct stat st;

	lab_grant(3600, "old", "r3fr3sh");
	lab_says(200, FRESH);
	lab.count_path = tmp_path("asked");
	for (int i = 0; i < 6; i++)
		if (fork() == 0) {
			gives("old", "new");
			_exit(0);
		}
	for (int i = 0; i < 6; i++) {
		int status = -1;
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(stat(lab.count_path, &st), 0);
	ck_assert_int_eq(st.st_size, 1);
}
END_TEST

START_TEST(a_rotated_refresh_token_is_kept) {
	OWN(own_free) char *field = NULL;

	lab_grant(3600, "old", "r3fr3sh");
	lab_says(200,
	    "{\"access_token\":\"new\",\"token_type\":\"bearer\",\"expires_in\":3600,\"refresh_token\":\"rotated\"}");
	gives("old", "new");
	lab_says(200, FRESH);
	lab.replies[0].body = "{\"access_token\":\"newer\",\"token_type\":\"Bearer\",\"expires_in\":3600}";
	gives("new", "newer");
	field = lab_field(lab.form, "refresh_token");
	ck_assert_str_eq(field, "rotated");
}
END_TEST

static const struct refusal {
	int rc, status;
	const char *body;
	int code;
	const char *why;
} refusals[] = {
	{ 0, 400, "{\"error\":\"invalid_grant\",\"error_description\":\"r3fr3sh\"}", ERR_REFUSED,
	    "sign in again (scg login)" },
	{ 0, 401, "{\"error\":\"invalid_client\"}", ERR_REFUSED, "client ID" },
	{ 0, 403, "{\"error\":\"org_internal\"}", ERR_REFUSED, "organisation" },
	{ 0, 400, "{\"error\":\"what_nobody_knows\"}", ERR_REFUSED, "what_nobody_knows" },
	{ 0, 400, "{\"error\":\"r3fr3sh\"}", ERR_DAMAGED, "status 400" },
	{ 0, 400, "{\"error\":\"\\u001b[31m\"}", ERR_DAMAGED, "status 400" },
	{ 0, 400, "{\"error\":{\"code\":400}}", ERR_DAMAGED, "status 400" },
	{ 0, 404, "<html>r3fr3sh</html>", ERR_DAMAGED, "status 404" },
	{ 0, 503, "<html>later</html>", ERR_UNREACHABLE, "try again" },
	{ 0, 429, "", ERR_UNREACHABLE, "try again" },
	{ 0, 400, "{\"error\":\"temporarily_unavailable\"}", ERR_UNREACHABLE, "try again" },
	{ ERR_UNREACHABLE, 0, NULL, ERR_UNREACHABLE, "token.example" },
	{ 0, 200, "", ERR_DAMAGED, "JSON" },
	{ 0, 200, "[]", ERR_DAMAGED, "JSON" },
	{ 0, 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\"", ERR_DAMAGED, "JSON" },
	{ 0, 200, "{\"access_token\":\"a\",\"access_token\":\"b\",\"token_type\":\"Bearer\"}", ERR_DAMAGED, "JSON" },
	{ 0, 200, "{\"token_type\":\"Bearer\",\"expires_in\":3600}", ERR_DAMAGED, "no access token" },
	{ 0, 200, "{\"access_token\":\"\",\"token_type\":\"Bearer\"}", ERR_DAMAGED, "no access token" },
	{ 0, 200, "{\"access_token\":\"a\\r\\nX: y\",\"token_type\":\"Bearer\"}", ERR_DAMAGED, "no access token" },
	{ 0, 200, "{\"access_token\":\"\xc3\xa4\",\"token_type\":\"Bearer\"}", ERR_DAMAGED, "no access token" },
	{ 0, 200, "{\"access_token\":7,\"token_type\":\"Bearer\"}", ERR_DAMAGED, "no access token" },
	{ 0, 200, "{\"access_token\":\"a\",\"expires_in\":3600}", ERR_DAMAGED, "bearer" },
	{ 0, 200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}", ERR_DAMAGED, "bearer" },
	{ 0, 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":-1}", ERR_DAMAGED, "life" },
	{ 0, 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":0}", ERR_DAMAGED, "life" },
	{ 0, 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":\"3600\"}", ERR_DAMAGED, "life" },
	{ 0, 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"refresh_token\":7}", ERR_DAMAGED,
	    "refresh token" },
	{ 0, 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"scope\":7}", ERR_DAMAGED, "scope" },
};

START_TEST(a_refusal_of_the_service_says_what_to_do) {
	const struct refusal *f = &refusals[_i];

	lab_grant(3600, "old", "r3fr3sh");
	lab_says(f->status, f->body);
	lab.replies[0].rc = f->rc;
	fails("old", f->code, f->why);
	/* what was there is there still */
	gives(NULL, "old");
}
END_TEST

START_TEST(a_token_above_the_cap_is_refused) {
	OWN(buf_wipe) struct buf body = {0};

	buf_adds(&body, "{\"token_type\":\"Bearer\",\"access_token\":\"");
	for (size_t i = 0; i <= GRANT_SECRET_MAX; i++)
		buf_addc(&body, 'a');
	buf_adds(&body, "\"}");
	lab_grant(3600, "old", "r3fr3sh");
	lab_says(200, buf_str(&body));
	fails("old", ERR_DAMAGED, "no access token");
}
END_TEST

START_TEST(another_client_id_is_refused) {
	static char other[] = "OTHER";

	lab_grant(3600, "old", "r3fr3sh");
	lab.conf.client_id = other;
	fails(NULL, ERR_REFUSED, "another client ID");
}
END_TEST

/* The file */

START_TEST(the_file_is_for_the_member_alone) {
	struct stat st;

	lab_grant(3600, "old", "r3fr3sh");
	ck_assert_int_eq(stat(tmp_path(OAUTH_FILE), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(chmod(tmp_path(OAUTH_FILE), 0640), 0);
	fails(NULL, ERR_FAIL, "mode 0640");
}
END_TEST

static void change_serial(X509 *cert) {
	ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711), 1);
}

START_TEST(a_renewed_certificate_of_the_same_key_opens_it) {
	X509 *old = lab.env.cert;

	lab_grant(3600, "old", "r3fr3sh");
	lab.env.cert = fixture_tamper(old, &lab.f.ca, NULL, change_serial);
	gives(NULL, "old");
	X509_free(lab.env.cert);
	lab.env.cert = old;
}
END_TEST

START_TEST(another_key_does_not_open_it) {
	lab_grant(3600, "old", "r3fr3sh");
	lab.env.key = lab.f.bob.key;
	fails(NULL, ERR_DAMAGED, "scg login");
	lab.env.cert = lab.f.bob.cert;
	fails(NULL, ERR_REFUSED, "sign in again");
}
END_TEST

static bool loads(void *arg, const uint8_t *data, size_t len) {
	OWN(grant_wipe) struct grant g = {0};

	(void)arg;
	(void)tmp_file(OAUTH_FILE, data, len, 0600);
	return grant_load(&g, &lab.env, NULL) == 0;
}

START_TEST(a_changed_file_is_refused) {
	OWN(buf_wipe) struct buf der = {0};

	lab_grant(3600, "old", "r3fr3sh");
	ck_assert_int_eq(file_load(tmp_path(OAUTH_FILE), GRANT_FILE_MAX, &der, NULL), 0);
	ck_assert(loads(NULL, der.data, der.len));
	sweep_refused(der.data, der.len, loads, NULL);
}
END_TEST

#define HEAD "{\"version\":1,\"kind\":\"user\",\"scope\":\"s\",\"client_id\":\"ID\","
static const struct content {
	const char *json;
	int code;
	const char *why;
} contents[] = {
	{ HEAD "\"refresh_token\":\"r\"}", 0, "" },
	{ "{\"version\":1,\"kind\":\"service\",\"scope\":\"s\",\"client_email\":\"e\",\"private_key\":\"a\\nb\"}", 0,
	    "" },
	{ "{\"version\":1,\"kind\":\"service\",\"scope\":\"s\",\"private_key\":\"a\\nb\"}", ERR_DAMAGED, "FORMAT" },
	{ "{\"version\":1,\"kind\":\"service\",\"scope\":\"s\",\"client_email\":\"e\"}", ERR_DAMAGED, "FORMAT" },
	{ "{\"version\":2,\"kind\":\"user\"}", ERR_FAIL, "newer" },
	{ "{\"version\":0,\"kind\":\"user\",\"scope\":\"s\",\"client_id\":\"ID\",\"refresh_token\":\"r\"}", ERR_DAMAGED,
	    "FORMAT" },
	{ "{\"kind\":\"user\",\"scope\":\"s\",\"client_id\":\"ID\",\"refresh_token\":\"r\"}", ERR_DAMAGED, "FORMAT" },
	{ "{\"version\":1,\"kind\":\"king\",\"scope\":\"s\",\"client_id\":\"ID\",\"refresh_token\":\"r\"}", ERR_DAMAGED,
	    "FORMAT" },
	{ "{\"version\":1,\"kind\":\"user\",\"scope\":\"s\",\"refresh_token\":\"r\"}", ERR_DAMAGED, "FORMAT" },
	{ "{\"version\":1,\"kind\":\"user\",\"client_id\":\"ID\",\"refresh_token\":\"r\"}", ERR_DAMAGED, "FORMAT" },
	{ HEAD "\"access_token\":\"a\"}", ERR_DAMAGED, "FORMAT" },
	{ HEAD "\"refresh_token\":\"r\\n\"}", ERR_DAMAGED, "FORMAT" },
	{ HEAD "\"refresh_token\":\"r\",\"refresh_token\":\"q\"}", ERR_DAMAGED, "FORMAT" },
	{ HEAD "\"refresh_token\":\"r\",\"access_token\":false}", ERR_DAMAGED, "FORMAT" },
	{ HEAD "\"refresh_token\":\"\"}", ERR_DAMAGED, "FORMAT" },
	{ HEAD "\"refresh_token\":\"r\"} x", ERR_DAMAGED, "FORMAT" },
	{ "", ERR_DAMAGED, "FORMAT" },
};

START_TEST(content_of_another_form_is_refused) {
	const struct content *c = &contents[_i];
	OWN(grant_wipe) struct grant g = {0};
	OWN(buf_wipe) struct buf json = {0}, der = {0};
	struct err e = ERR_INIT;
	int r;

	buf_adds(&json, c->json);
	if (json.len == 0)
		buf_addc(&json, ' ');
	ck_assert_int_eq(enveloped_seal(&json, ENVELOPED_DATA, &lab.f.alice.cert, 1, 1, &der, NULL), 0);
	(void)tmp_file(OAUTH_FILE, der.data, der.len, 0600);
	r = grant_load(&g, &lab.env, &e);
	ck_assert_msg(r == c->code && strstr(e.text, c->why) != NULL, "%s: %d: %s", c->json, r, e.text);
}
END_TEST

START_TEST(a_key_package_is_no_grant) {
	OWN(buf_wipe) struct buf json = {0}, der = {0};

	buf_adds(&json, HEAD "\"refresh_token\":\"r\"}");
	ck_assert_int_eq(enveloped_seal(&json, ENVELOPED_KEY_PACKAGE, &lab.f.alice.cert, 1, 1, &der, NULL), 0);
	(void)tmp_file(OAUTH_FILE, der.data, der.len, 0600);
	fails(NULL, ERR_DAMAGED, "content type");
}
END_TEST

START_TEST(a_scope_counts_whole) {
	struct grant g = { .scope = (char[]){ "openid " GDRIVE_SCOPE_FILE " email" } };

	ck_assert(grant_has_scope(&g, GDRIVE_SCOPE_FILE));
	ck_assert(grant_has_scope(&g, "openid"));
	ck_assert(grant_has_scope(&g, "email"));
	ck_assert(!grant_has_scope(&g, GDRIVE_SCOPE));
	ck_assert(!grant_has_scope(&g, "mail"));
	ck_assert(!grant_has_scope(&(struct grant){0}, "email"));
}
END_TEST

int main(void) {
	TCase *t = tcase_create("oauth");

	tcase_add_checked_fixture(t, lab_make, lab_drop);
	tcase_add_test(t, who_has_not_signed_in_gets_no_token);
	tcase_add_test(t, a_good_token_is_given_without_a_request);
	tcase_add_test(t, a_token_in_its_last_minute_is_refreshed);
	tcase_add_test(t, a_rejected_token_is_not_given_again);
	tcase_add_test(t, what_another_process_got_is_taken);
	tcase_add_test(t, a_sign_out_meanwhile_is_noticed);
	tcase_add_test(t, threads_refresh_once);
	tcase_add_test(t, processes_refresh_once);
	tcase_add_test(t, a_rotated_refresh_token_is_kept);
	tcase_add_loop_test(t, a_refusal_of_the_service_says_what_to_do, 0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(t, a_token_above_the_cap_is_refused);
	tcase_add_test(t, another_client_id_is_refused);
	tcase_add_test(t, the_file_is_for_the_member_alone);
	tcase_add_test(t, a_renewed_certificate_of_the_same_key_opens_it);
	tcase_add_test(t, another_key_does_not_open_it);
	tcase_add_test(t, a_changed_file_is_refused);
	tcase_add_loop_test(t, content_of_another_form_is_refused, 0, sizeof(contents) / sizeof(contents[0]));
	tcase_add_test(t, a_key_package_is_no_grant);
	tcase_add_test(t, a_scope_counts_whole);
	return suite_run("oauth", t);
}
