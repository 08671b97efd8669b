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
	tcase_add_test(t, half_a_store_is_refused);
	tcase_add_test(t, what_nobody_knows_is_refused_with_its_line);
	tcase_add_test(t, a_gateway_is_https_host_port);
	tcase_add_test(t, any_other_url_is_refused);
	return suite_run("client/settings", t);
}
