/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/sight, gateway/monitor, gateway/tally: what is told of the gateway, and to whom. */
#include "gateway/sight.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "gateway/monitor.h"
#include "lib/suite.h"

#define NOW ((int64_t)1800000000)
#define DAY ((int64_t)86400)

/* All is well with it. */
static struct sight well(void) {
	return (struct sight){
		.taken_ms = 1000000, .has_list = true, .is_stored = true, .crl_number = 7, .crl_entries = 3, .crl_bytes = 400, .epoch = 2, .ledger_size = 9,
		.crl_this_s = NOW - DAY, .crl_next_s = NOW + 6 * DAY, .cert_end_s = NOW + 80 * DAY, .ca_end_s = NOW + 900 * DAY,
	};
}

static enum sight_state judge(const struct sight *s, const char *want) {
	const char *reasons[SIGHT_REASONS];
	size_t n;
	enum sight_state state = sight_judge(s, NOW, 1001000, reasons, &n);

	ck_assert_uint_eq(n, want != NULL);
	if (want != NULL)
		ck_assert_str_eq(reasons[0], want);
	return state;
}

START_TEST(a_gateway_without_fault_is_well) {
	struct sight s = well();

	ck_assert_int_eq(judge(&s, NULL), SIGHT_OK);
} END_TEST

START_TEST(the_list_is_old_from_half_of_its_life_on) {
	struct sight s = well();

	s.crl_this_s = NOW - 3 * DAY + 1;
	s.crl_next_s = NOW + 3 * DAY;
	ck_assert_int_eq(judge(&s, NULL), SIGHT_OK);
	s.crl_this_s--;
	ck_assert_int_eq(judge(&s, "crl-half-life"), SIGHT_DEGRADED);
	s.has_list = false;
	ck_assert_int_eq(judge(&s, NULL), SIGHT_OK); /* then it is closed, and says why */
} END_TEST

START_TEST(ends_are_told_days_before) {
	struct sight s = well();

	s.cert_end_s = NOW + 14 * DAY;
	s.ca_end_s = NOW + 60 * DAY;
	ck_assert_int_eq(judge(&s, NULL), SIGHT_OK);
	s.cert_end_s--;
	ck_assert_int_eq(judge(&s, "certificate-ends"), SIGHT_DEGRADED);
	s.cert_end_s++;
	s.ca_end_s--;
	ck_assert_int_eq(judge(&s, "ca-ends"), SIGHT_DEGRADED);
} END_TEST

START_TEST(a_loop_that_stands_still_is_told) {
	struct sight s = well();

	s.taken_ms = 1001000 - SIGHT_STALL_MS;
	ck_assert_int_eq(judge(&s, NULL), SIGHT_OK);
	s.taken_ms--;
	ck_assert_int_eq(judge(&s, "stalled"), SIGHT_DEGRADED);
} END_TEST

START_TEST(a_list_that_is_not_on_disk_is_told) {
	struct sight s = well();

	s.is_stored = false;
	ck_assert_int_eq(judge(&s, "crl-not-stored"), SIGHT_DEGRADED);
} END_TEST

START_TEST(a_list_that_lacks_a_revocation_is_told) {
	OWN(buf_wipe) struct buf out = {0};
	struct sight s = well();

	sight_metrics(&s, 1, NOW, 1001000, &out);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_crl_incomplete 0\n"));
	buf_clear(&out);
	s.has_held = true;
	ck_assert_int_eq(judge(&s, "crl-incomplete"), SIGHT_DEGRADED);
	sight_metrics(&s, 1, NOW, 1001000, &out);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_crl_incomplete 1\n"));
} END_TEST

START_TEST(an_audit_log_that_cannot_be_written_is_told) {
	OWN(buf_wipe) struct buf out = {0};
	struct sight s = well();

	s.audit_size = 12;
	s.audit_fails = true;
	s.audit_newest_s = NOW - 5;
	ck_assert_int_eq(judge(&s, "audit-not-written"), SIGHT_DEGRADED);
	ck_assert_int_eq(sight_health(&s, 1, NOW, 1001000, &out), 200);
	ck_assert_msg(strstr(buf_str(&out), "\"audit\": {\n  \"size\": 12,\n  \"signed\": 0,\n  \"waiting\": 0,\n"
					    "  \"last\": \"2027-01-15T07:59:55Z\",\n  \"written\": false\n }") != NULL, "%s", buf_str(&out));
	buf_clear(&out);
	sight_metrics(&s, 1, NOW, 1001000, &out);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_audit_size 12\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_audit_written 0\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_audit_last_timestamp_seconds 1799999995\n"));
} END_TEST

START_TEST(a_log_without_an_entry_has_no_time) {
	OWN(buf_wipe) struct buf out = {0};
	struct sight s = well();

	(void)sight_health(&s, 1, NOW, 1001000, &out);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\"last\": null,"));
} END_TEST

START_TEST(closed_is_more_than_degraded) {
	OWN(buf_wipe) struct buf out = {0};
	struct sight s = well();

	s.closed = "crl-not-current";
	ck_assert_int_eq(judge(&s, "crl-not-current"), SIGHT_CLOSED);
	ck_assert_int_eq(sight_health(&s, 1, NOW, 1001000, &out), 503);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\"status\": \"closed\""));
} END_TEST

/* Every line of the exposition format: a comment, or a name, perhaps a label, a number. */
static void check_line(const char *line, size_t len) {
	size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	const char *p = line + name;

	if (strncmp(line, "# HELP scg_", 11) == 0 || strncmp(line, "# TYPE scg_", 11) == 0)
		return;
	ck_assert_msg(strncmp(line, "scg_", 4) == 0, "%.*s", (int)len, line);
	if (*p == '{')
		p = strchr(p, '}') + 1;
	ck_assert_msg(*p == ' ' && strspn(p + 1, "0123456789.-") == len - (size_t)(p + 1 - line), "%.*s", (int)len, line);
}

START_TEST(metrics_are_well_formed) {
	OWN(buf_wipe) struct buf out = {0};
	struct sight s = well();

	s.server.replies[200] = 5;
	s.server.latency[0] = 3;
	s.server.latency[SERVER_BUCKETS - 1] = 2;
	s.server.latency_us = 2500001;
	tally_add(&s.refused, "revoked\"}", 7);
	sight_metrics(&s, 1, NOW, 1001000, &out);
	for (const char *line = buf_str(&out); *line != '\0'; line += strcspn(line, "\n") + 1)
		check_line(line, strcspn(line, "\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_requests_total{status=\"200\"} 5\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_request_seconds_bucket{le=\"0.000250\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_request_seconds_bucket{le=\"+Inf\"} 5\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_request_seconds_sum 2.500001\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_refusals_total{reason=\"revoked\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_crl_age_seconds 86400\n"));
} END_TEST

START_TEST(of_several_groups_each_is_told) {
	OWN(buf_wipe) struct buf health = {0};
	OWN(buf_wipe) struct buf out = {0};
	struct sight s[2] = { well(), well() };

	s[0].group = "lab";
	s[1].group = "a\"b\\c";
	s[1].has_list = false;
	s[1].closed = "no-crl";
	s[1].epoch = 5;
	tally_add(&s[1].refused, "revoked", 7);
	ck_assert_int_eq(sight_health(s, 2, NOW, 1001000, &health), 200); /* one is served */
	ck_assert_ptr_nonnull(strstr(buf_str(&health), "\"status\": \"degraded\",\n \"groups\""));
	ck_assert_ptr_nonnull(strstr(buf_str(&health), "\"group\": \"a\\\"b\\\\c\""));
	sight_metrics(s, 2, NOW, 1001000, &out);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_epoch{group=\"lab\"} 2\nscg_epoch{group=\"a\\\"b\\\\c\"} 5\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_open{group=\"lab\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_crl_number{group=\"lab\"} 7\n#"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_refusals_total{group=\"a\\\"b\\\\c\",reason=\"revoked\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\nscg_connections 0\n"));
	buf_clear(&health);
	s[0].closed = "no-crl";
	ck_assert_int_eq(sight_health(s, 2, NOW, 1001000, &health), 503);
} END_TEST

START_TEST(more_reasons_than_there_is_room_for_are_counted_as_the_last) {
	struct tally t = {0};
	char name[16];

	for (int i = 0; i < 2 * TALLY_MAX; i++) {
		(void)snprintf(name, sizeof name, "r%d", i);
		tally_add(&t, name, strlen(name));
		tally_add(&t, "r0", 2);
	}
	tally_add(&t, "a-name-that-is-longer-than-any-reason", 37);
	ck_assert_uint_eq(t.n, TALLY_MAX);
	ck_assert_uint_eq(t.v[0].n, 2 * TALLY_MAX + 1);
	ck_assert_uint_eq(t.v[TALLY_MAX - 1].n, TALLY_MAX + 2);
	ck_assert_uint_eq(t.v[1].n, 1);
} END_TEST

static const struct { const char *head; int status; } asked[] = {
	{ "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:9433\r\n\r\n", 200 },
	{ "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 200 },
	{ "HEAD /metrics HTTP/1.1\r\nHost: [::1]:1\r\n\r\n", 200 },
	{ "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 404 },
	{ "GET /healthz/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 404 },
	{ "GET /healthz HTTP/1.1\r\nHost: rebound.example\r\n\r\n", 403 },
	{ "GET /healthz HTTP/1.1\r\nHost: localhost.example\r\n\r\n", 403 },
	{ "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1.example\r\n\r\n", 403 },
	{ "GET /healthz HTTP/1.0\r\n\r\n", 403 },
	{ "DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 405 },
	{ "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n", 405 },
	{ "POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 411 },
	{ "GET /healthz HTTP/1.1\r\n\r\n", 400 },
	{ "GET /healthz HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n", 400 },
	{ "GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n", 505 },
	{ "GET /healthz HTTP/1.1\r\nHost: local", 408 },
	{ "", 408 },
};

START_TEST(each_question_has_one_answer) {
	OWN(http_reply_wipe) struct http_reply r = {0};
	struct sight s = well();

	monitor_answer(&s, 1, (const uint8_t *)asked[_i].head, strlen(asked[_i].head), &r);
	ck_assert_msg(r.status == asked[_i].status, "%d: %s", r.status, asked[_i].head);
	ck_assert(r.close);
	if (r.status != 200)
		ck_assert_ptr_null(strstr(buf_str(&r.body), "scg_"));
} END_TEST

START_TEST(only_this_machine_is_listened_to) {
	struct monitor *m = NULL;
	struct err e = ERR_INIT;
	char address[80];

	ck_assert_int_eq(monitor_new(&m, "0.0.0.0:0", 1, &e), ERR_USAGE);
	ck_assert_int_eq(monitor_new(&m, "[::]:0", 1, &e), ERR_USAGE);
	ck_assert_int_eq(monitor_new(&m, "nonsense", 1, &e), ERR_USAGE);
	ck_assert_ptr_null(m);
	ck_assert_msg(monitor_new(&m, "127.0.0.1:0", 1, &e) == 0, "%s", e.text);
	monitor_address(m, address);
	ck_assert_int_eq(strncmp(address, "127.0.0.1:", 10), 0);
	monitor_free(m);
} END_TEST

int main(void) {
	TCase *t = tcase_create("sight");

	tcase_add_test(t, a_gateway_without_fault_is_well);
	tcase_add_test(t, the_list_is_old_from_half_of_its_life_on);
	tcase_add_test(t, ends_are_told_days_before);
	tcase_add_test(t, a_loop_that_stands_still_is_told);
	tcase_add_test(t, a_list_that_is_not_on_disk_is_told);
	tcase_add_test(t, a_list_that_lacks_a_revocation_is_told);
	tcase_add_test(t, an_audit_log_that_cannot_be_written_is_told);
	tcase_add_test(t, a_log_without_an_entry_has_no_time);
	tcase_add_test(t, closed_is_more_than_degraded);
	tcase_add_test(t, metrics_are_well_formed);
	tcase_add_test(t, of_several_groups_each_is_told);
	tcase_add_test(t, more_reasons_than_there_is_room_for_are_counted_as_the_last);
	tcase_add_loop_test(t, each_question_has_one_answer, 0, sizeof asked / sizeof *asked);
	tcase_add_test(t, only_this_machine_is_listened_to);
	return suite_run("sight", t);
}
