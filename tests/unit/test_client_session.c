/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "client/auditlog.h"
#include "client_gate.h"
#include "lib/suite.h"
#include "lib/tmp.h"
#include "pki/ossl.h"

#define HOUR_S 3600
#define GOOD_ID "\"key_id\":\"00112233445566778899aabbccddeeff\""

static void fails(const char *who, int code, const char *why) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;
	int r = gate_try_session(who, false, &s, &e);

	ck_assert_msg(r == code, "%d instead of %d: %s", r, code, e.text);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
}

static void works(const char *who) {
	OWN(session_wipe) struct session s = {0};

	gate_session(who, &s);
}

static bool has_file(const char *who, const char *name) {
	OWN(own_free) char *path = file_join(tmp_path(who), name);

	return file_exists(path);
}

START_TEST(a_member_gets_keys_list_and_ledger) {
	OWN(session_wipe) struct session s = {0};

	gate_session("alice", &s);
	ck_assert_uint_eq(s.keys.n, 2);
	ck_assert_uint_eq(s.group.epoch, 2);
	ck_assert_uint_gt(ledger_size(session_ledger(&s)), 0);
	ck_assert(!s.stale);
	ck_assert(has_file("alice", KEYS_FILE));
	ck_assert(has_file("alice", CRL_FILE));
}
END_TEST

START_TEST(a_refusal_keeps_its_class_and_reason) {
	gate.refuse = "revoked";
	fails("alice", ERR_REFUSED, "revoked");
	ck_assert(!has_file("alice", KEYS_FILE));
}
END_TEST

START_TEST(an_unreachable_gateway_is_unreachable) {
	gate.unreachable = true;
	fails("alice", ERR_UNREACHABLE, "refused");
}
END_TEST

START_TEST(another_groups_gateway_is_noticed) {
	gate.group = "other";
	fails("alice", ERR_DAMAGED, "another group");
}
END_TEST

START_TEST(keys_without_the_ledgers_epoch_are_refused) {
	works("alice");
	gate_rotate();
	gate.old_keys = true;
	fails("alice", ERR_DAMAGED, "epoch 3");
}
END_TEST

START_TEST(keys_signed_by_another_authority_are_refused) {
	gate.foreign_keys = true;
	fails("alice", ERR_DAMAGED, "gateway");
	ck_assert(!has_file("alice", KEYS_FILE));
}
END_TEST

static void other_host(X509 *cert) { fixture_set_ext(cert, NID_subject_alt_name, "DNS:other.example,DNS:*,IP:127.0.0.2"); }

/* Another gateway of the same group, good in all but its name, signs what the right one should. */
START_TEST(what_a_gateway_of_another_name_signs_is_refused) {
	X509 *right = gate.f.gateway.cert;

	gate.f.gateway.cert = fixture_tamper(right, &gate.f.ca, NULL, other_host);
	fails("alice", ERR_DAMAGED, "another name");
	ck_assert(!has_file("alice", KEYS_FILE));
	X509_free(gate.f.gateway.cert);
	gate.f.gateway.cert = right;
}
END_TEST

static void other_serial(X509 *cert) { ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x5c6), 1); }

static void ended(X509 *cert) { ck_assert_ptr_nonnull(X509_time_adj_ex(X509_getm_notAfter(cert), 0, -HOUR_S, NULL)); }

static void of_a_client(X509 *cert) { fixture_set_ext(cert, NID_ext_key_usage, "critical,clientAuth"); }

/* The connection and the ledger's head are the right gateway's: what signs the keys is asked by itself. */
static const struct {
	void (*change)(X509 *cert);
	bool revoke;
	const char *why;
} signers[] = {
	{ other_host, false, "keys: signed by a gateway of another name" },
	{ other_serial, true, "keys: the gateway's certificate is revoked" },
	{ ended, false, "keys: the signer is not the group's gateway (expired)" },
	{ of_a_client, false, "keys: the signer is not the group's gateway (wrong-purpose)" },
};

START_TEST(keys_that_the_gateway_did_not_sign_itself_are_refused) {
	OWN(own_x509) X509 *by = fixture_tamper(gate.f.gateway.cert, &gate.f.ca, NULL, signers[_i].change);

	if (signers[_i].revoke)
		gate_revoke(by);
	gate.keys_by = by;
	fails("alice", ERR_DAMAGED, signers[_i].why);
	ck_assert(!has_file("alice", KEYS_FILE));
	gate.keys_by = NULL;
	works("alice");
}
END_TEST

START_TEST(keys_of_another_group_are_refused) {
	free(gate.keys.group);
	gate.keys.group = xstrdup("other");
	fails("alice", ERR_DAMAGED, "another group");
	ck_assert(!has_file("alice", KEYS_FILE));
}
END_TEST

START_TEST(a_replayed_key_reply_is_refused) {
	gate.wrong_nonce = true;
	fails("alice", ERR_DAMAGED, "nonce");
	ck_assert(!has_file("alice", KEYS_FILE));
}
END_TEST

START_TEST(an_older_list_is_refused) {
	OWN(buf_wipe) struct buf old = {0};

	fixture_crl(&gate.f, 1, NULL, 0, CRL_UNSPECIFIED, &old);
	gate_revoke(NULL);
	works("alice");
	gate_revoke(NULL);
	gate.crl = &old;
	fails("alice", ERR_DAMAGED, "was seen before");
	gate.crl = NULL;
	works("alice");
}
END_TEST

START_TEST(a_second_list_with_one_number_is_refused) {
	OWN(buf_wipe) struct buf twin = {0};
	OWN(session_wipe) struct session s = {0};
	struct session_need need = { .dir = tmp_path("alice") };
	struct err e = ERR_INIT;
	bool fresh = true;

	works("alice");
	fixture_crl(&gate.f, 1, NULL, 0, CRL_UNSPECIFIED, &twin);
	ck_assert_int_eq(session_open(&s, &need, &e), 0);
	ck_assert_int_eq(revocation_take(&s.revocation, &twin, clock_now_s(), &fresh, &e), ERR_DAMAGED);
	ck_assert_ptr_nonnull(strstr(e.text, "5.2.3"));
	ck_assert(!fresh);
}
END_TEST

START_TEST(an_expired_list_stops_everything) {
	works("alice");
	clock_shift_s((int64_t)8 * FIXTURE_DAY_S);
	fails("alice", ERR_UNREACHABLE, "expired");
}
END_TEST

static void take_first_list(struct revocation *v) {
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;
	bool fresh = false;

	ck_assert_int_eq(revocation_init(v, tmp_path("alice"), gate.f.chain, &e), 0);
	fixture_crl(&gate.f, 1, NULL, 0, CRL_UNSPECIFIED, &der);
	ck_assert_msg(revocation_take(v, &der, clock_now_s(), &fresh, &e) == 0, "%s", e.text);
	ck_assert(fresh);
}

START_TEST(without_a_list_nothing_is_current) {
	struct revocation v = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(revocation_init(&v, tmp_path("alice"), gate.f.chain, &e), 0);
	ck_assert_int_eq(revocation_check_current(&v, clock_now_s(), &e), ERR_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(e.text, "ever seen"));
	ck_assert(revocation_is_due(&v, 1, clock_now_s()));
	revocation_wipe(&v);
}
END_TEST

START_TEST(a_list_is_due_from_half_its_life_on_or_when_another_is_announced) {
	struct revocation v = {0};
	struct crl_set *set;
	struct err e = ERR_INIT;
	int64_t from, until, half;

	take_first_list(&v);
	set = revocation_set(&v);
	from = crl_set_this_update(set);
	until = crl_set_next_update(set);
	half = from + (until - from) / 2;
	crl_set_free(set);
	ck_assert(!revocation_is_due(&v, 1, half));
	ck_assert(revocation_is_due(&v, 1, half + 1));
	ck_assert(revocation_is_due(&v, 2, from));
	ck_assert(revocation_is_due(&v, 0, from));
	ck_assert_int_eq(revocation_check_current(&v, until, &e), 0);
	ck_assert_int_eq(revocation_check_current(&v, until + 1, &e), ERR_UNREACHABLE);
	revocation_wipe(&v);
}
END_TEST

/* A command beside this one was faster: what it wrote stays. */
START_TEST(a_higher_list_of_another_command_is_not_put_back) {
	OWN(buf_wipe) struct buf two = {0}, three = {0}, four = {0};
	struct revocation v = {0}, other = {0};
	struct err e = ERR_INIT;
	bool fresh;

	take_first_list(&v);
	ck_assert_int_eq(revocation_init(&other, tmp_path("alice"), gate.f.chain, &e), 0);
	fixture_crl(&gate.f, 2, NULL, 0, CRL_UNSPECIFIED, &two);
	fixture_crl(&gate.f, 3, NULL, 0, CRL_UNSPECIFIED, &three);
	fixture_crl(&gate.f, 4, NULL, 0, CRL_UNSPECIFIED, &four);
	ck_assert_int_eq(revocation_take(&other, &three, clock_now_s(), &fresh, &e), 0);
	revocation_wipe(&other);
	ck_assert_int_eq(revocation_take(&v, &two, clock_now_s(), &fresh, &e), 0);
	revocation_wipe(&v);
	ck_assert_int_eq(revocation_init(&v, tmp_path("alice"), gate.f.chain, &e), 0);
	ck_assert_int_eq(revocation_take(&v, &two, clock_now_s(), &fresh, &e), ERR_DAMAGED);
	ck_assert_int_eq(revocation_take(&v, &four, clock_now_s(), &fresh, &e), 0);
	ck_assert(fresh);
	revocation_wipe(&v);
}
END_TEST

START_TEST(a_list_of_another_authority_is_refused) {
	OWN(buf_wipe) struct buf foreign = {0};
	struct fixture_id ca = gate.f.ca;

	gate.f.ca = gate.f.foreign_ca;
	fixture_crl(&gate.f, 5, NULL, 0, CRL_UNSPECIFIED, &foreign);
	gate.f.ca = ca;
	gate.crl = &foreign;
	fails("alice", ERR_DAMAGED, "revocation list");
	ck_assert(!has_file("alice", CRL_FILE));
}
END_TEST

START_TEST(a_revoked_gateway_is_refused_from_the_list_on) {
	OWN(buf_wipe) struct buf der = {0};

	works("alice");
	fixture_crl(&gate.f, 2, &gate.f.gateway.cert, 1, CRL_KEY_COMPROMISE, &der);
	gate.crl = &der;
	/* The list comes in over a connection that was accepted before it. */
	fails("alice", ERR_DAMAGED, "certificate is revoked");
	fails("alice", ERR_DAMAGED, "certificate is revoked");
	ck_assert(has_file("alice", CRL_FILE));
}
END_TEST

START_TEST(the_stored_list_counts_before_any_is_fetched) {
	OWN(buf_wipe) struct buf pem = {0};
	OWN(buf_wipe) struct buf der = {0};
	OWN(own_free) char *path = file_join(tmp_path("alice"), CRL_FILE);
	struct err e = ERR_INIT;

	fixture_crl(&gate.f, 9, &gate.f.gateway.cert, 1, CRL_KEY_COMPROMISE, &der);
	ck_assert_int_eq(crl_pem(der.data, der.len, &pem, &e), 0);
	ck_assert_int_eq(file_save(path, pem.data, pem.len, 0644, &e), 0);
	fails("alice", ERR_DAMAGED, "revoked");
	ck_assert_uint_eq(gate.requests, 1);
}
END_TEST

START_TEST(offline_is_an_error_unless_it_is_put_up_with) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	works("alice");
	gate.unreachable = true;
	fails("alice", ERR_UNREACHABLE, "refused");
	ck_assert_msg(gate_try_session("alice", true, &s, &e) == 0, "%s", e.text);
	ck_assert(s.stale);
	ck_assert_uint_eq(s.keys.n, 2);
}
END_TEST

START_TEST(offline_without_a_past_is_an_error) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	gate.unreachable = true;
	ck_assert_int_eq(gate_try_session("alice", true, &s, &e), ERR_UNREACHABLE);
}
END_TEST

START_TEST(a_refusal_is_not_put_up_with) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	works("alice");
	gate.refuse = "revoked";
	ck_assert_int_eq(gate_try_session("alice", true, &s, &e), ERR_REFUSED);
}
END_TEST

START_TEST(stored_keys_that_were_changed_are_refused) {
	OWN(own_free) char *path = file_join(tmp_path("alice"), KEYS_FILE);
	OWN(session_wipe) struct session s = {0};
	OWN(buf_wipe) struct buf der = {0};
	struct err e = ERR_INIT;

	works("alice");
	ck_assert_int_eq(file_load(path, KEY_REPLY_MAX, &der, &e), 0);
	der.data[der.len / 2] ^= 1;
	ck_assert_int_eq(file_save(path, der.data, der.len, 0600, &e), 0);
	gate.unreachable = true;
	ck_assert_int_eq(gate_try_session("alice", true, &s, &e), ERR_DAMAGED);
}
END_TEST

/* The command that would have fetched them anew ended between the list and the keys. */
static int recall_after_revocation(int reason, struct session *s, struct err *e) {
	OWN(own_free) char *path = file_join(tmp_path("alice"), CRL_FILE);
	OWN(buf_wipe) struct buf pem = {0}, der = {0};

	works("alice");
	fixture_crl(&gate.f, 9, &gate.f.gateway.cert, 1, reason, &der);
	ck_assert_int_eq(crl_pem(der.data, der.len, &pem, e), 0);
	ck_assert_int_eq(file_save(path, pem.data, pem.len, 0644, e), 0);
	gate.unreachable = true;
	return gate_try_session("alice", true, s, e);
}

START_TEST(stored_keys_outlive_the_renewal_of_who_signed_them) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	ck_assert_msg(recall_after_revocation(CRL_SUPERSEDED, &s, &e) == 0, "%s", e.text);
	ck_assert(s.stale);
	ck_assert_uint_eq(s.keys.n, 2);
}
END_TEST

START_TEST(stored_keys_of_a_revoked_gateway_are_not_damaged_and_not_used) {
	OWN(session_wipe) struct session s = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(recall_after_revocation(CRL_KEY_COMPROMISE, &s, &e), ERR_UNREACHABLE);
	ck_assert_msg(strstr(e.text, "list 9 has revoked (keyCompromise)") != NULL, "%s", e.text);
	ck_assert_uint_eq(s.keys.n, 0);
}
END_TEST

START_TEST(a_folder_of_somebody_else_is_refused) {
	gate_member("eve", &gate.f.foreign);
	fails("eve", ERR_REFUSED, "foreign");
	gate_member("gw", &gate.f.gateway);
	fails("gw", ERR_REFUSED, "wrong-purpose");
	ck_assert_uint_eq(gate.requests, 0);
}
END_TEST

/* --- the gateway's audit log --- */

START_TEST(a_log_that_grew_is_taken_and_kept) {
	for (gate.audit_size = 1; gate.audit_size < 20; gate.audit_size += 3)
		works("alice");
	ck_assert(has_file("alice", AUDIT_FILE));
	gate.audit_size = 1; /* bob never saw more */
	works("bob");
}
END_TEST

START_TEST(a_log_that_shrank_is_refused) {
	OWN(buf_wipe) struct buf keys = {0}, now = {0};
	OWN(own_free) char *path = file_join(tmp_path("alice"), KEYS_FILE);

	gate.audit_size = 12;
	works("alice");
	ck_assert_int_eq(file_load(path, KEY_REPLY_MAX, &keys, NULL), 0);
	gate.audit_size = 11;
	fails("alice", ERR_DAMAGED, "11 entries instead of 12");
	fails("alice", ERR_DAMAGED, "-forget-audit");
	ck_assert_int_eq(file_load(path, KEY_REPLY_MAX, &now, NULL), 0);
	ck_assert(now.len == keys.len && memcmp(now.data, keys.data, now.len) == 0);
	gate.audit_size = 12;
	works("alice");
}
END_TEST

START_TEST(another_log_is_refused_whatever_its_size) {
	gate.audit_size = 12;
	works("alice");
	gate.audit_other = true;
	for (gate.audit_size = 11; gate.audit_size < 15; gate.audit_size++)
		fails("alice", ERR_DAMAGED, "no longer contains what it had");
	gate.audit_other = false;
	works("alice");
}
END_TEST

START_TEST(a_log_without_a_proof_or_a_head_is_refused) {
	gate.audit_size = 12;
	works("alice");
	gate.audit_size = 13;
	gate.audit_no_proof = true;
	fails("alice", ERR_DAMAGED, "no proof");
	gate.audit_size = 0;
	fails("alice", ERR_DAMAGED, "no head");
}
END_TEST

START_TEST(the_ledgers_head_is_none_of_the_log) {
	gate.audit_size = 12;
	gate.audit_ledger = true;
	fails("alice", ERR_DAMAGED, "another log");
	ck_assert(!has_file("alice", KEYS_FILE));
}
END_TEST

START_TEST(what_was_forgotten_is_taken_anew) {
	struct err e = ERR_INIT;

	gate.audit_size = 12;
	works("alice");
	gate.audit_size = 3;
	fails("alice", ERR_DAMAGED, "no longer contains");
	ck_assert_int_eq(auditlog_forget(tmp_path("alice"), &e), 0);
	ck_assert_int_eq(auditlog_forget(tmp_path("alice"), &e), 0);
	works("alice");
	gate.audit_size = 2;
	fails("alice", ERR_DAMAGED, "2 entries instead of 3");
}
END_TEST

/* Somebody else in this folder was faster: what he kept stays, and nobody is refused for it. */
START_TEST(the_newer_of_two_heads_stays) {
	struct auditlog a, b;
	struct err e = ERR_INIT;

	gate.audit_size = 5;
	works("alice");
	ck_assert_int_eq(auditlog_load(&a, tmp_path("alice"), "lab", &e), 0);
	a.now = a.kept;
	a.has_now = true;
	gate.audit_size = 9;
	works("alice");
	ck_assert_int_eq(auditlog_save(&a, &e), 0);
	ck_assert_int_eq(auditlog_load(&b, tmp_path("alice"), "lab", &e), 0);
	ck_assert_uint_eq(b.kept.size, 9);
}
END_TEST

START_TEST(a_kept_head_that_was_changed_is_damage) {
	OWN(own_free) char *path = file_join(tmp_path("alice"), AUDIT_FILE);
	struct err e = ERR_INIT;

	gate.audit_size = 5;
	works("alice");
	ck_assert_int_eq(file_save(path, "scg/lab/audit\n5\n", 16, 0600, &e), 0);
	fails("alice", ERR_DAMAGED, AUDIT_FILE);
	ck_assert_int_eq(file_save(path, "", 0, 0600, &e), 0);
	fails("alice", ERR_DAMAGED, AUDIT_FILE);
}
END_TEST

#define HASH "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static int parse_proof(const char *json, size_t *n) {
	uint8_t path[PROOF_MAX][32];
	OWN(buf_wipe) struct buf b = {0};

	buf_adds(&b, json);
	return auditlog_parse_proof(&b, path, n, NULL);
}

/* A proof of so many hashes. */
static void print_proof(size_t n, struct buf *json) {
	buf_adds(json, "{\"consistency\":[");
	for (size_t i = 0; i < n; i++)
		buf_addf(json, "%s\"%s\"", i > 0 ? ", " : "", HASH);
	buf_adds(json, "]}");
}

START_TEST(a_proof_is_read_strictly) {
	static const char *const bad[] = { "", "[]", "{}", "{\"consistency\":{}}", "{\"consistency\":[1]}", "{\"consistency\":[\"AAAA\"]}",
		"{\"consistency\":[],\"x\":1}", "{\"consistency\":[],\"consistency\":[]}", "{\"consistency\":[]} x" };
	size_t n;

	for (size_t i = 0; i <= PROOF_MAX; i++) {
		OWN(buf_wipe) struct buf b = {0};

		print_proof(i, &b);
		ck_assert_int_eq(parse_proof(buf_str(&b), &n), 0);
		ck_assert_uint_eq(n, i);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(parse_proof(bad[i], &n) == ERR_DAMAGED, "%s", bad[i]);
}
END_TEST

START_TEST(a_proof_of_too_many_hashes_is_refused) {
	OWN(buf_wipe) struct buf b = {0};
	size_t n;

	print_proof(PROOF_MAX + 1, &b);
	ck_assert_int_eq(parse_proof(buf_str(&b), &n), ERR_DAMAGED);
}
END_TEST

START_TEST(group_json_is_read_strictly) {
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"null",
		"{\"group\": \"lab\"}",
		"{\"group\":\"lab\",\"epoch\":-1," GOOD_ID ",\"ledger_size\":1,\"crl_number\":1,\"store\":null}",
		"{\"group\":\"lab\",\"epoch\":1,\"key_id\":\"00112233445566778899aabbccddee\","
		"\"ledger_size\":1,\"crl_number\":1,\"store\":null}",
		"{\"group\":\"lab\",\"epoch\":\"1\"," GOOD_ID ",\"ledger_size\":1,\"crl_number\":1}",
		"{\"group\":\"lab\",\"epoch\":1,\"epoch\":2," GOOD_ID ",\"ledger_size\":1,\"crl_number\":1}",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWN(group_info_wipe) struct group_info g = {0};
		OWN(buf_wipe) struct buf json = {0};
		struct err e = ERR_INIT;

		buf_adds(&json, bad[i]);
		ck_assert_msg(group_info_parse(&json, "lab", &g, &e) == ERR_DAMAGED, "taken: %s", bad[i]);
	}
}
END_TEST

int main(void) {
	TCase *t = tcase_create("session");

	tcase_add_checked_fixture(t, gate_setup, gate_teardown);
	tcase_add_test(t, a_log_that_grew_is_taken_and_kept);
	tcase_add_test(t, a_log_that_shrank_is_refused);
	tcase_add_test(t, another_log_is_refused_whatever_its_size);
	tcase_add_test(t, a_log_without_a_proof_or_a_head_is_refused);
	tcase_add_test(t, the_ledgers_head_is_none_of_the_log);
	tcase_add_test(t, what_was_forgotten_is_taken_anew);
	tcase_add_test(t, the_newer_of_two_heads_stays);
	tcase_add_test(t, a_kept_head_that_was_changed_is_damage);
	tcase_add_test(t, a_proof_is_read_strictly);
	tcase_add_test(t, a_proof_of_too_many_hashes_is_refused);
	tcase_add_test(t, a_member_gets_keys_list_and_ledger);
	tcase_add_test(t, a_refusal_keeps_its_class_and_reason);
	tcase_add_test(t, an_unreachable_gateway_is_unreachable);
	tcase_add_test(t, another_groups_gateway_is_noticed);
	tcase_add_test(t, keys_without_the_ledgers_epoch_are_refused);
	tcase_add_test(t, keys_signed_by_another_authority_are_refused);
	tcase_add_test(t, what_a_gateway_of_another_name_signs_is_refused);
	tcase_add_loop_test(t, keys_that_the_gateway_did_not_sign_itself_are_refused, 0, (int)(sizeof(signers) / sizeof(signers[0])));
	tcase_add_test(t, keys_of_another_group_are_refused);
	tcase_add_test(t, a_replayed_key_reply_is_refused);
	tcase_add_test(t, an_older_list_is_refused);
	tcase_add_test(t, a_second_list_with_one_number_is_refused);
	tcase_add_test(t, an_expired_list_stops_everything);
	tcase_add_test(t, without_a_list_nothing_is_current);
	tcase_add_test(t, a_list_is_due_from_half_its_life_on_or_when_another_is_announced);
	tcase_add_test(t, a_higher_list_of_another_command_is_not_put_back);
	tcase_add_test(t, a_list_of_another_authority_is_refused);
	tcase_add_test(t, a_revoked_gateway_is_refused_from_the_list_on);
	tcase_add_test(t, the_stored_list_counts_before_any_is_fetched);
	tcase_add_test(t, offline_is_an_error_unless_it_is_put_up_with);
	tcase_add_test(t, offline_without_a_past_is_an_error);
	tcase_add_test(t, a_refusal_is_not_put_up_with);
	tcase_add_test(t, stored_keys_that_were_changed_are_refused);
	tcase_add_test(t, stored_keys_outlive_the_renewal_of_who_signed_them);
	tcase_add_test(t, stored_keys_of_a_revoked_gateway_are_not_damaged_and_not_used);
	tcase_add_test(t, a_folder_of_somebody_else_is_refused);
	tcase_add_test(t, group_json_is_read_strictly);
	return suite_run("client/session", t);
}
