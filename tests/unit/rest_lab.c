/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/rest_lab.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lib/tmp.h"
#include "pki/cert.h"

struct rest_lab lab;

static void set_up(void) {
	struct buf pem = {0};

	(void)signal(SIGPIPE, SIG_IGN);
	tmp_make();
	fixture_init(&lab.group);
	ck_assert_int_eq(cert_pem(lab.group.ca.cert, &pem, &lab.e), 0);
	(void)tmp_file("ca.pem", pem.data, pem.len, 0600);
	buf_wipe(&pem);
}

static void tear_down(void) {
	rest_reply_wipe(&lab.p);
	rest_free(lab.r);
	lab.r = NULL;
	buf_wipe(&lab.h.heard);
	buf_wipe(&lab.got);
	fixture_wipe(&lab.group);
	tmp_drop();
}

void lab_dial(unsigned total_s) {
	struct rest_config c = { .ca_file = tmp_path("ca.pem"), .total_s = total_s };

	ck_assert_msg(rest_new(&lab.r, &c, &lab.e) == 0, "%s", lab.e.text);
}

void lab_play_as(const struct hostile_step *steps, size_t n, const struct fixture_id *id) {
	lab.h = (struct hostile){ .steps = steps, .n_steps = n, .plain = id == NULL };
	hostile_start(&lab.h, id);
}

void lab_play(const struct hostile_step *steps, size_t n) {
	lab_play_as(steps, n, &lab.group.gateway);
	lab_dial(LAB_LONG_S);
}

struct rest_request lab_ask_for(const char *method, const char *path) {
	(void)snprintf(lab.url, sizeof lab.url, "%s%s", lab.h.url, path);
	return (struct rest_request){ .method = method, .url = lab.url, .max = 1000 };
}

int lab_get(const char *path) {
	struct rest_request q = lab_ask_for("GET", path);

	return rest(lab.r, &q, &lab.p, &lab.e);
}

int lab_post(const char *body, bool idempotent) {
	struct rest_request q = lab_ask_for("POST", "/p");

	q.body = body;
	q.body_len = strlen(body);
	q.type = "text/plain";
	q.idempotent = idempotent;
	return rest(lab.r, &q, &lab.p, &lab.e);
}

const char *lab_stop(void) {
	rest_free(lab.r);
	lab.r = NULL;
	hostile_stop(&lab.h);
	return buf_str(&lab.h.heard);
}

void lab_check_heard(const char *heard, const char *what, bool is_there) {
	ck_assert_msg((strstr(heard, what) != NULL) == is_there, "%s\nin\n%s", what, heard);
}

void lab_check_why(const char *what) {
	ck_assert_msg(strstr(lab.e.text, what) != NULL, "%s", lab.e.text);
}

void lab_tell(void *arg, uint64_t bytes) {
	(void)arg;
	lab.told += bytes;
}

int lab_take(void *arg, const void *data, size_t len, struct err *why) {
	(void)arg;
	ck_assert_int_ne(lab.p.status, 0);
	buf_add(&lab.got, data, len);
	clock_move_mono_ms(lab.jump_ms);
	return lab.take_limit > 0 && lab.got.len > lab.take_limit ? err_set(why, ERR_CONFLICT, "enough of it") : 0;
}

int lab_get_taken(void) {
	struct rest_request q = lab_ask_for("GET", "/t");

	q.take = lab_take;
	q.max = 0;
	q.progress = lab_tell;
	return rest(lab.r, &q, &lab.p, &lab.e);
}

int lab_run(const char *name, TCase *t) {
	tcase_add_checked_fixture(t, set_up, tear_down);
	return suite_run(name, t);
}
