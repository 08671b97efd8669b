/* SPDX-License-Identifier: Apache-2.0 */
/* What of the CA needs a clock that jumps or a database that was touched; the rest is tested by its program. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "ca/ca.h"
#include "ca/issue.h"
#include "ca/restored.h"
#include "ca/revocation.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki/ossl.h"

#define DAY CA_DAY_S

static struct ca ca;

static void make_ca(const char *dir) {
	struct ca_plan p = {.dir = dir, .group = "lab", .noenc = true, .days = CA_DAYS};
	struct err e = ERR_INIT;

	ck_assert_msg(ca_create(&p, &e) == 0, "%s", e.text);
}

static void open_ca(const char *dir) {
	struct err e = ERR_INIT;

	ck_assert_msg(ca_open(&ca, dir, &e) == 0 && ca_unlock(&ca, NULL, &e) == 0, "%s", e.text);
}

static void setup(void) {
	tmp_make();
	make_ca(tmp_path("ca"));
	open_ca(tmp_path("ca"));
}

static void teardown(void) {
	ca_wipe(&ca);
	clock_shift_s(0);
	tmp_drop();
}

/* A request over a new key, in FOLDER/name.csr. */
static const char *request(const char *name) {
	OWN(own_pkey) EVP_PKEY *key = NULL;
	OWN(buf_wipe) struct buf pem = {0};
	OWN(own_free) char *file = xasprintf("%s.csr", name);
	struct err e = ERR_INIT;

	ck_assert_int_eq(key_make(NULL, &key, &e), 0);
	ck_assert_int_eq(csr_make(key, name, &pem, &e), 0);
	return tmp_file(file, pem.data, pem.len, 0644);
}

static int sign(const char *csr, const char *name, enum role role, const char *san, struct issue_result *result, struct err *e) {
	struct issue_plan p = {.csr = csr, .out = tmp_path("out.crt"), .name = name, .role = role, .san = san, .days = 10};
	int rc = issue_check(&p, e);

	return rc < 0 ? rc : issue(&ca, &p, result, e);
}

static struct record member(const char *name) {
	struct issue_result r;
	struct err e = ERR_INIT;

	ck_assert_msg(sign(request(name), name, ROLE_MEMBER, NULL, &r, &e) == 0, "%s", e.text);
	return r.record;
}

static void revoke_name(const char *name, int reason) {
	struct revocation_plan p = {.name = name, .reason = reason};
	OWN(revocation_wipe) struct revocation done = {0};
	struct err e = ERR_INIT;

	ck_assert_msg(revocation_add(&ca, &p, &done, &e) == 0, "%s", e.text);
	ck_assert_str_eq(revocation_at(&done, 0)->name, name);
}

static void renew(void) {
	const struct revocation_renewal week = { .days = 7 };
	struct restored taken;
	struct err e = ERR_INIT;

	ck_assert_msg(revocation_renew(&ca, &week, &taken, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(taken.known + taken.unknown, 0);
}

/* The list in crl.pem. */
static struct crl_set *list(void) {
	OWN(buf_wipe) struct buf pem = {0}, der = {0};
	OWN(own_free) char *path = file_join(ca.dir, "crl.pem");
	struct crl_set *set = NULL;
	struct err e = ERR_INIT;

	ck_assert_msg(file_load(path, CRL_MAX_BYTES, &pem, &e) == 0 && crl_der(pem.data, pem.len, &der, &e) == 0 &&
	    crl_set_make(der.data, der.len, ca.cert, &set, &e) == 0, "%s", e.text);
	return set;
}

static bool is_listed(const struct record *r) {
	struct crl_set *set = list();
	bool has = crl_set_has(set, r->serial, r->serial_len, NULL, NULL);

	crl_set_free(set);
	return has;
}

static uint64_t list_number(void) {
	struct crl_set *set = list();
	uint64_t number = crl_set_number(set);

	crl_set_free(set);
	return number;
}

START_TEST(an_expired_certificate_leaves_the_list_one_issue_later) {
	struct record alice = member("alice"), bob = member("bob");

	revoke_name("alice", CRL_KEY_COMPROMISE);
	clock_shift_s(9 * DAY);
	renew();
	ck_assert(is_listed(&alice));
	clock_shift_s(10 * DAY + (int64_t)2 * PROFILE_SKEW_S);
	renew();
	ck_assert_msg(is_listed(&alice), "RFC 5280 3.3: the first list after its expiry still names it");
	renew();
	ck_assert(!is_listed(&alice));
	ck_assert(!is_listed(&bob));
} END_TEST

START_TEST(numbers_rise_whatever_the_clock_does) {
	uint64_t first = list_number();

	clock_shift_s(100 * DAY);
	renew();
	clock_shift_s(-100 * DAY);
	renew();
	ck_assert_uint_eq(list_number(), first + 2);
} END_TEST

/* Its number says nothing of ours. */
START_TEST(a_list_of_another_ca_in_the_place_of_ours_is_written_over) {
	OWN(own_free) char *path = xasprintf("%s/crl.pem", tmp_path("ca"));
	OWN(own_free) char *foreign = xasprintf("%s/crl.pem", tmp_path("other"));
	OWN(buf_wipe) struct buf pem = {0};
	uint64_t first = list_number();
	struct err e = ERR_INIT;

	make_ca(tmp_path("other"));
	ca_wipe(&ca);
	open_ca(tmp_path("other"));
	while (list_number() < first + 5)
		renew();
	ca_wipe(&ca);
	open_ca(tmp_path("ca"));
	ck_assert_int_eq(file_load(foreign, CRL_MAX_BYTES, &pem, &e), 0);
	ck_assert_int_eq(file_save(path, pem.data, pem.len, 0644, &e), 0);
	renew();
	ck_assert_uint_eq(list_number(), first + 1);
} END_TEST

START_TEST(an_expired_certificate_is_not_revoked_and_says_so) {
	struct revocation_plan p = {.name = "alice"};
	OWN(revocation_wipe) struct revocation done = {0};
	struct record alice = member("alice");
	struct err e = ERR_INIT;

	clock_shift_s(11 * DAY);
	ck_assert_int_eq((int)record_status(&alice, clock_now_s()), (int)RECORD_EXPIRED);
	ck_assert_int_eq(revocation_add(&ca, &p, &done, &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "expired at"));
} END_TEST

START_TEST(the_valid_one_is_meant_where_older_ones_expired_or_were_revoked) {
	struct record now;

	(void)member("alice");
	clock_shift_s(11 * DAY);
	(void)member("alice");
	revoke_name("alice", CRL_SUPERSEDED);
	now = member("alice");
	revoke_name("alice", CRL_UNSPECIFIED);
	ck_assert(is_listed(&now));
} END_TEST

START_TEST(no_certificate_outlives_the_ca) {
	struct record r;

	clock_shift_s((CA_DAYS - 5) * DAY);
	r = member("late");
	ck_assert_int_eq(r.not_after_s, cert_not_after(ca.cert));
} END_TEST

START_TEST(an_expired_ca_issues_nothing) {
	struct issue_result r;
	struct err e = ERR_INIT;

	clock_shift_s((CA_DAYS + 5) * DAY);
	ck_assert_int_eq(sign(request("late"), "late", ROLE_MEMBER, NULL, &r, &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "RFC 5280 4.1.2.5"));
} END_TEST

static void run(const char *sql) {
	struct err e = ERR_INIT;

	ck_assert_msg(db_run(ca.db, &e, sql, "") == 0, "%s", e.text);
}

START_TEST(what_was_issued_but_not_written_is_handed_out_again) {
	const char *csr = request("alice");
	struct issue_result first, second;
	struct err e = ERR_INIT;
	OWN(own_x509) X509 *a = NULL, *b = NULL;

	ck_assert_int_eq(sign(csr, "alice", ROLE_MEMBER, NULL, &first, &e), 0);
	ck_assert_int_eq(cert_load(tmp_path("out.crt"), &a, &e), 0);
	ck_assert_int_eq(unlink(tmp_path("out.crt")), 0);
	run("UPDATE issued SET delivered = 0");
	ck_assert_int_eq(sign(csr, "alice", ROLE_MEMBER, NULL, &second, &e), 0);
	ck_assert(second.again);
	ck_assert_int_eq(cert_load(tmp_path("out.crt"), &b, &e), 0);
	ck_assert_int_eq(X509_cmp(a, b), 0);
	ck_assert_int_eq(sign(csr, "alice", ROLE_MEMBER, NULL, &second, &e), ERR_REFUSED);
} END_TEST

START_TEST(what_was_issued_but_not_written_is_not_handed_to_another) {
	static const struct { const char *name; enum role role; const char *san; bool revoked; int64_t later_s; } others[] = {
	    {"mallory", ROLE_GATEWAY, "DNS:gw", false, 0}, {"gw", ROLE_MEMBER, NULL, false, 0}, {"gw", ROLE_GATEWAY, "DNS:evil", false, 0},
	    {"gw", ROLE_GATEWAY, "DNS:gw", true, 0}, {"gw", ROLE_GATEWAY, "DNS:gw", false, 11 * DAY},
	};
	const char *csr = request("gw");
	struct issue_result r;
	struct err e = ERR_INIT;

	ck_assert_int_eq(sign(csr, "gw", ROLE_GATEWAY, "DNS:gw", &r, &e), 0);
	run("UPDATE issued SET delivered = 0");
	if (others[_i].revoked)
		revoke_name("gw", CRL_UNSPECIFIED);
	clock_shift_s(others[_i].later_s);
	ck_assert_int_eq(sign(csr, others[_i].name, others[_i].role, others[_i].san, &r, &e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, "certified at"));
} END_TEST

START_TEST(the_database_forgets_nothing) {
	static const char *const sins[] = {
	    "DELETE FROM issued", "UPDATE issued SET revoked_s = NULL", "UPDATE issued SET reason = 0", "UPDATE crl SET number = number - 1",
	    "UPDATE crl SET number = number", "INSERT INTO issued (serial, spki, name, role, not_after_s, issued_s, cert) "
	    "SELECT serial, x'00', name, role, not_after_s, issued_s, cert FROM issued", "INSERT INTO issued (serial, spki, name, role, "
	    "not_after_s, issued_s, cert) SELECT x'01', spki, name, role, not_after_s, issued_s, cert FROM issued",
	    "INSERT INTO ca (id, cert) VALUES (2, x'00')", "INSERT INTO ca (id, cert) VALUES (1, x'00')",
	};
	struct err e = ERR_INIT;

	(void)member("alice");
	revoke_name("alice", CRL_KEY_COMPROMISE);
	ck_assert_int_lt(db_run(ca.db, &e, sins[_i], ""), 0);
} END_TEST

/* A folder as init leaves it when it is killed before its commit: a key in the file, and noted in the database. */
static void interrupt_init(const char *dir, bool noted) {
	OWN(own_free) char *path = file_join(dir, "ca.db"), *key_path = file_join(dir, "ca.key");
	OWN(own_pkey) EVP_PKEY *key = NULL;
	OWN(db_close) struct db *d = NULL;
	struct secret none = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_mkdir(dir, 0700, false, &e), 0);
	ck_assert_int_eq(key_make(NULL, &key, &e), 0);
	ck_assert_int_eq(key_save_new(key_path, key, &none, &e), 0);
	ck_assert_int_eq(records_open(&d, path, &e), 0);
	if (noted)
		ck_assert_int_eq(records_begin_making(d, key, &e), 0);
}

START_TEST(an_interrupted_init_begins_anew) {
	const char *dir = tmp_path("interrupted");
	struct ca other;
	struct err e = ERR_INIT;

	interrupt_init(dir, true);
	ck_assert_int_eq(ca_open(&other, dir, &e), ERR_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(e.text, "interrupted"));
	ca_wipe(&other);
	make_ca(dir);
	ck_assert_int_eq(ca_open(&other, dir, &e), 0);
	ca_wipe(&other);
} END_TEST

START_TEST(a_key_that_no_init_left_is_not_touched) {
	const char *dir = tmp_path("mine");
	struct ca_plan p = {.dir = dir, .group = "lab", .noenc = true, .days = 1};
	OWN(own_free) char *key_path = file_join(dir, "ca.key");
	struct err e = ERR_INIT;

	interrupt_init(dir, false);
	ck_assert_int_eq(ca_create(&p, &e), ERR_EXISTS);
	ck_assert(file_exists(key_path));
} END_TEST

static int find_by(const char *serial) {
	struct revocation_plan p = {.serial = serial};
	OWN(revocation_wipe) struct revocation done = {0};
	struct err e = ERR_INIT;

	return revocation_add(&ca, &p, &done, &e);
}

START_TEST(serial_numbers_are_taken_as_others_print_them) {
	struct record alice = member("alice");
	char hex[SERIAL_HEX];
	OWN(own_free) char *padded = NULL;

	text_hex(alice.serial, alice.serial_len, hex);
	padded = xasprintf("0000%s", hex);
	ck_assert_int_eq(find_by(padded), 0);
	for (char *p = hex; *p != '\0'; p++)
		*p = (char)(*p >= 'a' ? *p - 'a' + 'A' : *p);
	ck_assert_int_eq(find_by(hex), ERR_EXISTS);
} END_TEST

START_TEST(what_is_no_serial_number_is_refused) {
	static const char *const bad[] = {"", "0", "00:00", ":", "-1", "0x12", "12 34", "12g4", "é",
	    "112233445566778899aabbccddeeff00112233445566"};

	ck_assert_int_eq(find_by(bad[_i]), ERR_USAGE);
} END_TEST

int main(void) {
	TCase *t = tcase_create("ca");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, an_expired_certificate_leaves_the_list_one_issue_later);
	tcase_add_test(t, numbers_rise_whatever_the_clock_does);
	tcase_add_test(t, a_list_of_another_ca_in_the_place_of_ours_is_written_over);
	tcase_add_test(t, an_expired_certificate_is_not_revoked_and_says_so);
	tcase_add_test(t, the_valid_one_is_meant_where_older_ones_expired_or_were_revoked);
	tcase_add_test(t, no_certificate_outlives_the_ca);
	tcase_add_test(t, an_expired_ca_issues_nothing);
	tcase_add_test(t, what_was_issued_but_not_written_is_handed_out_again);
	tcase_add_loop_test(t, what_was_issued_but_not_written_is_not_handed_to_another, 0, 5);
	tcase_add_loop_test(t, the_database_forgets_nothing, 0, 9);
	tcase_add_test(t, an_interrupted_init_begins_anew);
	tcase_add_test(t, a_key_that_no_init_left_is_not_touched);
	tcase_add_test(t, serial_numbers_are_taken_as_others_print_them);
	tcase_add_loop_test(t, what_is_no_serial_number_is_refused, 0, 10);
	return suite_run("ca", t);
}
