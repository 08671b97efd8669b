/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "client/settings.h"
#include "lib/suite.h"

static int parse(const char *text, struct settings *s, struct err *e) {
	return settings_parse(text, "scg.conf", s, e);
}

static void is_refused(const char *text, const char *why) {
	OWN(settings_wipe) struct settings s = {0};
	struct err e = ERR_INIT;

	ck_assert_msg(parse(text, &s, &e) == ERR_USAGE, "taken: %s", text);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s: %s", text, e.text);
}

START_TEST(what_install_writes_is_read) {
	OWN(settings_wipe) struct settings s = {0};
	OWN(buf_wipe) struct buf text = {0};
	OWN(own_free) char *store = NULL;
	struct err e = ERR_INIT;

	settings_print("https://gw.example:4433", &text);
	ck_assert_msg(parse(buf_str(&text), &s, &e) == 0, "%s", e.text);
	ck_assert_str_eq(s.gateway, "https://gw.example:4433");
	ck_assert_uint_eq(s.settle_s, 0);
	store = settings_store(&s);
	ck_assert_ptr_null(store);
}
END_TEST

START_TEST(a_store_of_ones_own_is_read) {
	OWN(settings_wipe) struct settings s = {0};
	OWN(own_free) char *store = NULL;
	struct err e = ERR_INIT;

	ck_assert_int_eq(
	    parse(
		"gateway = \"https://a:1\"; settle = 30; store = { type = \"directory\"; path = \"/d r\"; };", &s, &e),
	    0);
	ck_assert_uint_eq(s.settle_s, 30);
	store = settings_store(&s);
	ck_assert_str_eq(store, "directory:/d r");
}
END_TEST

#define GATEWAY "gateway = \"https://a:1\"; "

START_TEST(a_folder_of_google_drive_is_read) {
	OWN(settings_wipe) struct settings s = {0}, t = {0};
	OWN(own_free) char *store = NULL;
	struct err e = ERR_INIT;

	ck_assert_msg(parse(GATEWAY "store = { type = \"gdrive\"; folder = \"1_aZ-9\"; };", &s, &e) == 0, "%s", e.text);
	store = settings_store(&s);
	ck_assert_str_eq(store, "gdrive:1_aZ-9");
	ck_assert_str_eq(s.gdrive.api_url, GDRIVE_API_URL);
	ck_assert_str_eq(s.gdrive.auth_url, GDRIVE_AUTH_URL);
	ck_assert_str_eq(s.gdrive.token_url, GDRIVE_TOKEN_URL);
	ck_assert_str_eq(s.gdrive.device_url, GDRIVE_DEVICE_URL);
	ck_assert_str_eq(s.gdrive.revoke_url, GDRIVE_REVOKE_URL);
	ck_assert_str_eq(s.gdrive.client_id, "");
	ck_assert_str_eq(s.gdrive.ca_file, "");
	ck_assert_uint_eq(s.gdrive.chunk_bytes, 16777216);
	ck_assert_int_eq(parse(GATEWAY "gdrive = { chunk_bytes = 262144; api_url = \"http://127.0.0.1:1/x\"; drive_id = \"0A\"; };", &t, &e), 0);
	ck_assert_uint_eq(t.gdrive.chunk_bytes, 262144);
	ck_assert_str_eq(t.gdrive.api_url, "http://127.0.0.1:1/x");
}
END_TEST

START_TEST(what_google_drive_cannot_have_is_refused) {
	is_refused(GATEWAY "store = { type = \"gdrive\"; };", "folder");
	is_refused(GATEWAY "store = { type = \"gdrive\"; folder = \"\"; };", "folder");
	is_refused(GATEWAY "store = { type = \"gdrive\"; folder = \"a'b\"; };", "folder");
	is_refused(GATEWAY "store = { type = \"gdrive\"; folder = \"a/b\"; };", "folder");
	is_refused(GATEWAY "store = { type = \"gdrive\"; folder = \"a\"; path = \"/b\"; };", "path");
	is_refused(GATEWAY "gdrive = { chunk_bytes = 262143; };", "chunk_bytes");
	is_refused(GATEWAY "gdrive = { chunk_bytes = 262145; };", "chunk_bytes");
	is_refused(GATEWAY "gdrive = { chunk_bytes = 1074003968L; };", "chunk_bytes");
	is_refused(GATEWAY "gdrive = { chunk_bytes = \"262144\"; };", "chunk_bytes");
	is_refused(GATEWAY "gdrive = { api_url = \"http://drive.example\"; };", "gdrive.api_url");
	is_refused(GATEWAY "gdrive = { auth_url = \"ftp://drive.example\"; };", "gdrive.auth_url");
	is_refused(GATEWAY "gdrive = { token_url = \"\"; };", "gdrive.token_url");
	is_refused(GATEWAY "gdrive = { device_url = \"https://u@drive.example\"; };", "gdrive.device_url");
	is_refused(GATEWAY "gdrive = { revoke_url = \"https://drive.example/#x\"; };", "gdrive.revoke_url");
	is_refused(GATEWAY "gdrive = { drive_id = \"a b\"; };", "drive_id");
	is_refused(GATEWAY "gdrive = { ca_file = \"ca.pem\"; };", "ca_file");
	is_refused(GATEWAY "gdrive = { clientid = \"\"; };", "unknown key gdrive.clientid");
	is_refused(GATEWAY "gdrive = \"x\";", "group");
}
END_TEST

static void set(char **field, const char *value) {
	free(*field);
	*field = xstrdup(value);
}

static const struct edit {
	const char *before, *after;
} edits[] = {
	{ GATEWAY, GATEWAY "\ngdrive = {\n    client_id = \"ID\";\n};\n" },
	{ GATEWAY "# end\n", GATEWAY "# end\ngdrive = {\n    client_id = \"ID\";\n};\n" },
	{ "# gdrive = { };\n" GATEWAY "// gdrive\n", "# gdrive = { };\n" GATEWAY "// gdrive\ngdrive = {\n    client_id = \"ID\";\n};\n" },
	{ "gdrive : { client_id = \"old}\"; /* } */ } ; " GATEWAY, "gdrive = {\n    client_id = \"ID\";\n}; " GATEWAY },
	{ GATEWAY "gdrive={}, settle=+5", GATEWAY "gdrive = {\n    client_id = \"ID\";\n}; settle=+5" },
	{ "settle = 5 gdrive = { chunk_bytes = 524288 # mine\n} " GATEWAY,
	    "settle = 5 gdrive = {\n    client_id = \"ID\";\n    chunk_bytes = 524288L;\n}; " GATEWAY },
	{ "gateway = \"https://a\" \":1\"\nstore : { type = \"directory\"; path = \"/gdrive = {\"; };",
	    "gateway = \"https://a\" \":1\"\nstore : { type = \"directory\"; path = \"/gdrive = {\"; };\ngdrive = {\n    client_id = \"ID\";\n};\n" },
};

START_TEST(only_the_group_gdrive_is_changed) {
	OWN(settings_wipe) struct settings s = {0};
	OWN(buf_wipe) struct buf out = {0}, again = {0};
	struct err e = ERR_INIT;

	ck_assert_msg(parse(edits[_i].before, &s, &e) == 0, "%s", e.text);
	set(&s.gdrive.client_id, "ID");
	ck_assert_msg(settings_set_gdrive(edits[_i].before, "scg.conf", &s, &out, &e) == 0, "%s", e.text);
	ck_assert_str_eq(buf_str(&out), edits[_i].after);
	/* a second time nothing changes */
	ck_assert_int_eq(settings_set_gdrive(buf_str(&out), "scg.conf", &s, &again, &e), 0);
	ck_assert_str_eq(buf_str(&again), buf_str(&out));
}
END_TEST

START_TEST(what_could_not_be_read_is_not_written) {
	OWN(settings_wipe) struct settings s = {0}, t = {0};
	OWN(buf_wipe) struct buf out = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(parse(GATEWAY, &s, &e), 0);
	set(&s.gdrive.api_url, "http://drive.example");
	ck_assert_int_eq(settings_set_gdrive(GATEWAY, "scg.conf", &s, &out, &e), ERR_USAGE);
	set(&s.gdrive.api_url, GDRIVE_API_URL);
	set(&s.gdrive.client_secret, "a\x1b[31m");
	ck_assert_int_eq(settings_set_gdrive(GATEWAY, "scg.conf", &s, &out, &e), ERR_USAGE);
	set(&s.gdrive.client_secret, "\"; gateway = \"https://evil:1");
	ck_assert_int_eq(settings_set_gdrive(GATEWAY, "scg.conf", &s, &out, &e), 0);
	ck_assert_int_eq(parse(buf_str(&out), &t, &e), 0);
	ck_assert_str_eq(t.gateway, "https://a:1");
	/* another gateway meanwhile is not written over */
	set(&s.gateway, "https://b:1");
	ck_assert_int_eq(settings_set_gdrive(GATEWAY, "scg.conf", &s, &out, &e), ERR_FAIL);
}
END_TEST

START_TEST(half_a_store_is_refused) {
	is_refused("gateway = \"https://a:1\"; store = { type = \"directory\"; };", "path");
	is_refused("gateway = \"https://a:1\"; store = { path = \"/a\"; };", "type");
	is_refused("gateway = \"https://a:1\"; store = { type = \"directory\"; path = \"a/b\"; };", "slash");
	is_refused(
	    "gateway = \"https://a:1\"; store = { type = \"directory\"; path = \"/a\"; folder = \"b\"; };", "folder");
	is_refused("gateway = \"https://a:1\"; store = { type = \"ftp\"; path = \"/a\"; };", "store.type");
}
END_TEST

START_TEST(what_nobody_knows_is_refused_with_its_line) {
	is_refused("settle = 1;", "gateway");
	is_refused("gateway = \"https://a:1\";\nsettel = 1;", "scg.conf:2");
	is_refused("gateway = \"https://a:1\"; settle = 86401;", "settle");
	is_refused("gateway = 7;", "gateway");
	is_refused("gateway = \"https://a:1\"; gateway = \"https://b:1\";", "scg.conf:1");
	is_refused("gateway = \"https://a:1;", "scg.conf:1");
}
END_TEST

static const char *const good_urls[] = {
	"https://a:1",
	"https://gw.example.org:65535",
	"https://127.0.0.1:4433",
	"https://[::1]:4433",
	"https://[2001:db8::7]:1",
};

static const char *const bad_urls[] = {
	"",
	"https://",
	"https://a",
	"https://a:",
	"https://a:0",
	"https://a:65536",
	"https://a:1/",
	"https://a:1/x",
	"https://a:1?x",
	"https://a:01",
	"https://:1",
	"http://a:1",
	"HTTPS://a:1",
	"https://u@a:1",
	"https://a b:1",
	"https://[::1:1",
	"https://::1:1",
	"https://[]:1",
	"https://[::1]x:1",
	"https://a:1\n",
	"https://a%41:1",
	"a:1",
	" https://a:1",
};

START_TEST(a_gateway_is_https_host_port) {
	for (size_t i = 0; i < sizeof(good_urls) / sizeof(good_urls[0]); i++) {
		OWN(own_free) char *host = NULL;
		struct err e = ERR_INIT;

		ck_assert_msg(settings_host(good_urls[i], &host, &e) == 0, "%s: %s", good_urls[i], e.text);
		ck_assert_ptr_null(strchr(host, '['));
	}
}
END_TEST

START_TEST(any_other_url_is_refused) {
	for (size_t i = 0; i < sizeof(bad_urls) / sizeof(bad_urls[0]); i++) {
		OWN(own_free) char *host = NULL;
		struct err e = ERR_INIT;

		ck_assert_msg(settings_host(bad_urls[i], &host, &e) == ERR_USAGE, "taken: %s", bad_urls[i]);
		ck_assert_ptr_null(host);
	}
}
END_TEST

int main(void) {
	TCase *t = tcase_create("settings");

	tcase_add_test(t, what_install_writes_is_read);
	tcase_add_test(t, a_store_of_ones_own_is_read);
	tcase_add_test(t, a_folder_of_google_drive_is_read);
	tcase_add_test(t, what_google_drive_cannot_have_is_refused);
	tcase_add_loop_test(t, only_the_group_gdrive_is_changed, 0, sizeof(edits) / sizeof(edits[0]));
	tcase_add_test(t, what_could_not_be_read_is_not_written);
	tcase_add_test(t, half_a_store_is_refused);
	tcase_add_test(t, what_nobody_knows_is_refused_with_its_line);
	tcase_add_test(t, a_gateway_is_https_host_port);
	tcase_add_test(t, any_other_url_is_refused);
	return suite_run("client/settings", t);
}
