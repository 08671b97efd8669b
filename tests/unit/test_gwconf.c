/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/gwconf: what gateway.conf may say. */
#include "gateway/gwconf.h"

#include <check.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "lib/tmp.h"

#define BASE "listen = \"127.0.0.1:4433\";\nhost = \"localhost\";\n"

static void refused(const char *text, const char *why) {
	static const struct gwconf none;
	struct gwconf c = { 0 };
	struct err e = ERR_INIT;

	ck_assert_msg(gwconf_parse(text, "gateway.conf", &c, &e) == ERR_USAGE, "accepted: %s", text);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s: %s", text, e.text);
	ck_assert_mem_eq(&c, &none, sizeof c);
}

START_TEST(defaults_stand_in_one_place) {
	OWN(gwconf_wipe) struct gwconf c = { 0 };
	struct err e = ERR_INIT;

	ck_assert_msg(gwconf_parse(BASE, "/etc/scg/gateway.conf", &c, &e) == 0, "%s", e.text);
	ck_assert(c.rotate_on_revoke && c.rotate_on_expiry);
	ck_assert_int_eq(c.level, LOG_LEVEL_INFO);
	ck_assert_ptr_null(c.store);
	ck_assert_str_eq(c.dir, "/etc/scg");
}
END_TEST

START_TEST(threads_are_as_many_as_cores_or_as_asked) {
	OWN(gwconf_wipe) struct gwconf c = { 0 }, asked = { 0 };
	struct err e = ERR_INIT;
	cpu_set_t cores;

	ck_assert_int_eq(sched_getaffinity(0, sizeof cores, &cores), 0);
	ck_assert_int_eq(gwconf_parse(BASE, "gateway.conf", &c, &e), 0);
	ck_assert_uint_eq(gwconf_threads(&c), CPU_COUNT(&cores) < 64 ? (unsigned)CPU_COUNT(&cores) : 64);
	ck_assert(!c.resumption);
	ck_assert_int_eq(gwconf_parse(BASE "threads = 64;\nresumption = true;\n", "gateway.conf", &asked, &e), 0);
	ck_assert_uint_eq(gwconf_threads(&asked), 64);
	ck_assert(asked.resumption);
}
END_TEST

START_TEST(files_lie_beside_the_configuration) {
	static const char *const name[][2] = { { "gateway.conf", "./gateway.db" }, { "/gateway.conf", "/gateway.db" },
		{ "a/b/x.conf", "a/b/gateway.db" } };

	for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
		OWN(gwconf_wipe) struct gwconf c = { 0 };
		OWN(own_free) char *path = NULL;
		struct err e = ERR_INIT;

		ck_assert_msg(gwconf_parse(BASE, name[i][0], &c, &e) == 0, "%s", e.text);
		path = gwconf_path(&c, "gateway.db");
		ck_assert(strcmp(path, name[i][1]) == 0 || strcmp(path + 1, name[i][1]) == 0);
	}
}
END_TEST

START_TEST(so_does_a_passphrase) {
	OWN(gwconf_wipe) struct gwconf c = { 0 };
	struct err e = ERR_INIT;

	ck_assert_msg(gwconf_parse(BASE "passin = \"file:secret\";\n", "/etc/scg/gateway.conf", &c, &e) == 0, "%s", e.text);
	ck_assert_str_eq(c.passin, "file:/etc/scg/secret");
}
END_TEST

START_TEST(what_init_writes_is_read_back) {
	OWN(own_free) char *text = gwconf_print("lab \"x\"", "[::1]:0", "gw.example,10.0.0.1", "directory:/a \"b\"", "recovery.crt");
	OWN(gwconf_wipe) struct gwconf c = { 0 };
	struct err e = ERR_INIT;

	ck_assert_msg(gwconf_parse(text, "gateway.conf", &c, &e) == 0, "%s", e.text);
	ck_assert_str_eq(c.listen, "[::1]:0");
	ck_assert_str_eq(c.host, "gw.example,10.0.0.1");
	ck_assert_str_eq(c.store, "directory:/a \"b\"");
	ck_assert_str_eq(c.recovery, "recovery.crt");
}
END_TEST

START_TEST(without_store_and_recovery_examples_stand_as_comments) {
	OWN(own_free) char *text = gwconf_print("lab", "127.0.0.1:0", "gw", NULL, NULL);
	OWN(gwconf_wipe) struct gwconf c = { 0 };
	struct err e = ERR_INIT;

	ck_assert_msg(gwconf_parse(text, "gateway.conf", &c, &e) == 0, "%s", e.text);
	ck_assert_ptr_null(c.store);
	ck_assert_ptr_null(c.recovery);
	ck_assert_ptr_nonnull(strstr(text, "# store = "));
}
END_TEST

START_TEST(unknown_keys_are_refused_with_their_line) {
	refused(BASE "rotate_on_revok = true;\n", "gateway.conf:3");
	refused(BASE "limits = { threads = 4; };\n", "threads");
}
END_TEST

START_TEST(missing_keys_are_refused) {
	refused("listen = \"127.0.0.1:0\";\n", "host");
	refused("host = \"localhost\";\n", "listen");
}
END_TEST

START_TEST(values_of_the_wrong_kind_are_refused) {
	refused(BASE "rotate_on_revoke = \"yes\";\n", "rotate_on_revoke");
	refused(BASE "limits = { idle_s = 3601; };\n", "idle_s");
	refused(BASE "threads = 65;\n", "threads");
	refused(BASE "threads = -1;\n", "threads");
	refused(BASE "threads = \"all\";\n", "threads");
	refused(BASE "log_level = \"loud\";\n", "log_level");
	refused(BASE "crl_fetch_s = 0;\n", "crl_fetch_s");
}
END_TEST

START_TEST(what_is_told_is_told_on_this_machine_alone) {
	static const char *const bad[] = { "0.0.0.0:9433", "192.0.2.1:9433", "[::]:9433", ":9433", "gw.example:9433", "127.0.0.1", "localhost.example:1" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		OWN(own_free) char *text = xasprintf(BASE "monitor = \"%s\";\n", bad[i]);

		refused(text, "monitor");
	}
}
END_TEST

START_TEST(lists_come_over_https) {
	refused(BASE "crl_url = \"http://ca.example/crl\";\n", "crl_url");
	refused(BASE "crl_url = \"file:///etc/passwd\";\n", "crl_url");
	refused(BASE "crl_url = \"https://me:secret@ca.example/\";\n", "crl_url");
	refused(BASE "crl_url = \"\";\n", "crl_url");
}
END_TEST

static void add_fault(void *arg, const char *text) {
	buf_addf(arg, "%s\n", text);
}

START_TEST(all_faults_are_told_at_once) {
	OWN(buf_wipe) struct buf faults = { 0 };
	OWN(gwconf_wipe) struct gwconf c = { 0 };
	static const char text[] = "listen = \"x\";\nstore = \"y\";\nidle = 1;\nrotate_on_revoke = 3;\nlimits = { a = 1; idle_s = 7; };\n";
	const char *path;
	struct err e = ERR_INIT;

	tmp_make();
	path = tmp_file("gateway.conf", text, strlen(text), 0600);
	ck_assert_msg(gwconf_load_all(path, &c, add_fault, &faults, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < 6; i++) {
		static const char *const want[] = { "listen: not HOST:PORT", "store: neither", "gateway.conf:3: unknown key idle",
			"gateway.conf:4: rotate_on_revoke: must be true", "gateway.conf:5: unknown key limits.a", "key host is missing" };

		ck_assert_msg(strstr(buf_str(&faults), want[i]) != NULL, "%s: %s", want[i], buf_str(&faults));
	}
	ck_assert_uint_eq(c.idle_s, 7);
	ck_assert(c.rotate_on_revoke); /* its default */
	gwconf_wipe(&c);
	ck_assert_int_eq(gwconf_load_all("/nowhere", &c, add_fault, &faults, &e), ERR_NOTFOUND);
	tmp_drop();
}
END_TEST

START_TEST(addresses_that_nobody_can_listen_on_are_refused) {
	static const char *const bad[] = { "127.0.0.1", ":", "127.0.0.1:", ":4433", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "::1:4433",
		"[::1:4433", "127.0.0.1:4433 " };
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(gwconf_check_listen(bad[i], &e) == ERR_USAGE, "%s", bad[i]);
	ck_assert_int_eq(gwconf_check_listen("[::1]:0", &e), 0);
	ck_assert_int_eq(gwconf_check_listen("gw.example:65535", &e), 0);
}
END_TEST

START_TEST(hosts_become_alternative_names) {
	OWN(own_free) char *san = NULL;
	struct err e = ERR_INIT;

	ck_assert_msg(gwconf_san("gw.example,10.0.0.1,::1", &san, &e) == 0, "%s", e.text);
	ck_assert_str_eq(san, "DNS:gw.example,IP:10.0.0.1,IP:::1");
}
END_TEST

START_TEST(hosts_that_are_none_are_refused) {
	static const char *const bad[] = { "", ",", "a,", "a..b", ".a", "a b", "a,b c", "DNS:a", "a/b", "a\n", "*", "https://a" };
	struct err e = ERR_INIT;
	char *san = NULL;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(gwconf_san(bad[i], &san, &e) == ERR_USAGE, "%s", bad[i]);
	ck_assert_ptr_null(san);
}
END_TEST

START_TEST(stores_of_other_kinds_are_refused) {
	static const char *const bad[] = { "", "directory:", "directory:relative", "gdrive:", "rclone:", "ftp:/x", "/x", "directory:/a\nb",
		"directory:/\xff", "gdrive:a/b", "gdrive:a b", "gdrive:new:", "gdrive:new:a\tb" };
	OWN(own_free) char *longer = xasprintf("directory:/%0*d", GWCONF_STORE_MAX, 0);
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(gwconf_check_store(bad[i], &e) == ERR_USAGE, "%s", bad[i]);
	ck_assert_int_eq(gwconf_check_store(longer, &e), ERR_USAGE);
	ck_assert_int_eq(gwconf_check_store("directory:/mnt/drive", &e), 0);
	ck_assert_int_eq(gwconf_check_store("gdrive:0Ab-C_", &e), 0);
	ck_assert_int_eq(gwconf_check_store("gdrive:new:The lab's files", &e), 0);
	ck_assert(gwconf_is_wish("gdrive:new:x") && !gwconf_is_wish("gdrive:newx"));
	refused(BASE "store = \"directory:x\";\n", "store");
}
END_TEST

START_TEST(each_prefix_is_refused_or_read) {
	OWN(own_free) char *text = gwconf_print("lab", "127.0.0.1:0", "gw", "directory:/d", NULL);

	for (size_t n = 0; n <= strlen(text); n++) {
		OWN(gwconf_wipe) struct gwconf c = { 0 };
		OWN(own_free) char *cut = xasprintf("%.*s", (int)n, text);
		struct err e = ERR_INIT;

		if (gwconf_parse(cut, "gateway.conf", &c, &e) != 0)
			ck_assert_int_eq(e.code, ERR_USAGE);
	}
}
END_TEST

int main(void) {
	Suite *s = suite_create("gwconf");
	TCase *t = tcase_create("gwconf");
	SRunner *r;
	int failed;

	tcase_add_test(t, defaults_stand_in_one_place);
	tcase_add_test(t, threads_are_as_many_as_cores_or_as_asked);
	tcase_add_test(t, files_lie_beside_the_configuration);
	tcase_add_test(t, so_does_a_passphrase);
	tcase_add_test(t, what_init_writes_is_read_back);
	tcase_add_test(t, without_store_and_recovery_examples_stand_as_comments);
	tcase_add_test(t, unknown_keys_are_refused_with_their_line);
	tcase_add_test(t, missing_keys_are_refused);
	tcase_add_test(t, values_of_the_wrong_kind_are_refused);
	tcase_add_test(t, addresses_that_nobody_can_listen_on_are_refused);
	tcase_add_test(t, what_is_told_is_told_on_this_machine_alone);
	tcase_add_test(t, lists_come_over_https);
	tcase_add_test(t, all_faults_are_told_at_once);
	tcase_add_test(t, hosts_become_alternative_names);
	tcase_add_test(t, hosts_that_are_none_are_refused);
	tcase_add_test(t, stores_of_other_kinds_are_refused);
	tcase_add_test(t, each_prefix_is_refused_or_read);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
