/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth_lab.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "lib/suite.h"
#include "lib/tmp.h"

struct lab lab;

void lab_make(void) {
	static char id[] = "ID", secret[] = "S3CR3T", url[] = LAB_TOKEN_URL, auth[] = "https://auth.example/auth",
	            device[] = "https://device.example/code", revoke[] = "https://revoke.example/revoke", none[] = "";

	tmp_make();
	memset(&lab, 0, sizeof(lab));
	fixture_init(&lab.f);
	lab.conf = (struct gdrive_conf){ .client_id = id,
		.client_secret = secret,
		.api_url = none,
		.auth_url = auth,
		.token_url = url,
		.device_url = device,
		.revoke_url = revoke,
		.drive_id = none,
		.ca_file = none };
	lab.env = (struct store_env){
		.dir = tmp_dir(), .gdrive = &lab.conf, .key = lab.f.alice.key, .cert = lab.f.alice.cert
	};
}

void lab_drop(void) {
	fixture_wipe(&lab.f);
	tmp_drop();
}

void lab_says(int status, const char *body) {
	lab.asked = 0;
	memset(lab.replies, 0, sizeof(lab.replies));
	lab.replies[0] = (struct lab_reply){ .status = status, .body = body };
}

static void set_secret(struct secret *s, const char *text) {
	ck_assert_int_eq(secret_copy(s, (const uint8_t *)text, strlen(text), NULL), 0);
}

void lab_grant(int64_t life_s, const char *access, const char *refresh) {
	OWN(grant_wipe)
	struct grant g = { .client_id = xstrdup(lab.conf.client_id),
		.scope = xstrdup(GDRIVE_SCOPE),
		.expires_s = clock_now_s() + life_s };

	set_secret(&g.access, access);
	set_secret(&g.refresh, refresh);
	ck_assert_int_eq(grant_save(&g, &lab.env, NULL), 0);
}

char *lab_field(const char *form, const char *name) {
	size_t len = strlen(name), n;

	for (const char *s = form; *s != '\0'; s += n) {
		s += *s == '&';
		n = strcspn(s, "&");
		if (n > len && strncmp(s, name, len) == 0 && s[len] == '=') {
			OWN(buf_wipe) struct buf out = {0};
			ck_assert_int_eq(text_unpercent(s + len + 1, n - len - 1, false, &out, NULL), 0);
			return xstrdup(buf_str(&out));
		}
	}
	return NULL;
}

/* What stands in for net/rest.c. */

void rest_reply_wipe(struct rest_reply *r) {
	buf_wipe(&r->body);
}

int rest_new(struct rest **r, const struct rest_config *c, struct err *e) {
	(void)c;
	(void)e;
	*r = NULL;
	return 0;
}

void rest_free(struct rest *r) {
	(void)r;
}

static void count(void) {
	OWN(own_fd)
	int fd = lab.count_path != NULL ? open(lab.count_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd >= 0)
		ck_assert_int_eq(write(fd, "x", 1), 1);
}

int rest(struct rest *r, const struct rest_request *q, struct rest_reply *p, struct err *e) {
	int n = atomic_fetch_add(&lab.asked, 1);
	const struct lab_reply *reply = &lab.replies[n];

	(void)r;
	count();
	for (int i = n < LAB_REPLIES ? n : LAB_REPLIES - 1;
	     reply >= lab.replies + LAB_REPLIES || (reply->status == 0 && reply->rc == 0); i--) {
		ck_assert_int_ge(i, 0); /* else nothing was to be asked */
		reply = &lab.replies[i];
	}
	ck_assert_uint_lt(q->body_len, sizeof(lab.form));
	(void)snprintf(lab.url, sizeof(lab.url), "%s", q->url);
	memcpy(lab.form, q->body, (size_t)q->body_len);
	lab.form[q->body_len] = '\0';
	lab.idempotent = q->idempotent;
	if (reply->rc != 0)
		return err_set(e, reply->rc, "https://token.example: not there");
	p->status = reply->status;
	buf_adds(&p->body, reply->body);
	return 0;
}
