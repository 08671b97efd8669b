/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rest.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "net/gate.h"
#include "net/rest_call.h"

#define BODY_ANNOUNCED 4096u /* a shorter body is sent twice as well as asked for */
#define WARY_FOR 100u        /* bodies */
#define ANCHORS_MAX ((size_t)4 * 1024 * 1024) /* the system's whole bundle has a quarter of a megabyte */

/* libcurl's connections must not be shared between threads, so each call takes a handle for itself, and the one that was used last has the
 * connections that are the likeliest to live. */
struct rest {
	struct buf anchors;
	unsigned total_s, tired_s;
	enum rest_verdict (*judge)(int status, const char *type, const struct buf *body);
	atomic_uint wary;  /* a body was sent and refused or broken off: so many of the next ones are announced */
	atomic_bool mute;  /* the service does not answer that */
	atomic_bool tired; /* a request has waited all its time in vain, and none was answered since */
	pthread_mutex_t lock;
	struct rest_call *idle;
};

static enum rest_verdict judge_status(int status, const char *type, const struct buf *body) {
	(void)type, (void)body;
	if (status == 429)
		return REST_SLOW;
	return status == 408 || status == 500 || (status >= 502 && status <= 504) ? REST_AGAIN : REST_FINAL;
}

static int load_anchors(struct rest *r, const char *path, struct err *e) {
	int rc = file_load(path, ANCHORS_MAX, &r->anchors, e);

	if (rc != 0)
		return rc;
	if (strstr(buf_str(&r->anchors), "-----BEGIN CERTIFICATE-----") == NULL)
		return err_set(e, ERR_FAIL, "%s: RFC 7468 5: no certificate in it", path);
	return 0;
}

int rest_new(struct rest **out, const struct rest_config *c, struct err *e) {
	struct rest *r = xcalloc(1, sizeof *r);
	int rc;

	r->total_s = c->total_s != 0 ? c->total_s : REST_TOTAL_S;
	r->tired_s = c->tired_s != 0 && c->tired_s < r->total_s ? c->tired_s : r->total_s;
	r->judge = c->judge != NULL ? c->judge : judge_status;
	(void)pthread_mutex_init(&r->lock, NULL);
	if (c->ca_file != NULL && (rc = load_anchors(r, c->ca_file, e)) != 0) {
		rest_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void rest_free(struct rest *r) {
	struct rest_call *next;

	if (r == NULL)
		return;
	for (struct rest_call *c = r->idle; c != NULL; c = next) {
		next = c->next;
		rest_call_free(c);
	}
	(void)pthread_mutex_destroy(&r->lock);
	buf_wipe(&r->anchors);
	free(r);
}

static struct rest_call *take_call(struct rest *r) {
	struct rest_call *c;

	(void)pthread_mutex_lock(&r->lock);
	if ((c = r->idle) != NULL)
		r->idle = c->next;
	(void)pthread_mutex_unlock(&r->lock);
	return c != NULL ? c : rest_call_new(&r->anchors);
}

static void give_back(struct rest *r, struct rest_call *c) {
	(void)pthread_mutex_lock(&r->lock);
	c->next = r->idle;
	r->idle = c;
	(void)pthread_mutex_unlock(&r->lock);
}

/* What goes into header lines must not end them. */
static int check_lines(const struct rest_request *q, struct err *e) {
	const char *const own[] = { q->method, q->type, q->bearer, q->expect };
	bool bad = false;

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		bad |= own[i] != NULL && text_has_control(own[i], strlen(own[i]));
	for (const char *const *h = q->headers; h != NULL && *h != NULL; h++)
		bad |= text_has_control(*h, strlen(*h));
	return bad ? err_set(e, ERR_FAIL, "RFC 9110 5.5: a control character in a header") : 0;
}

static bool is_idempotent(const struct rest_request *q) {
	static const char *const always[] = { "GET", "HEAD", "PUT", "DELETE" };

	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		if (strcmp(q->method, always[i]) == 0)
			return true;
	return q->idempotent;
}

static enum rest_verdict judge(const struct rest *r, const struct rest_reply *p, int rc) {
	return rc == 0 && p->status >= 400 ? r->judge(p->status, p->type, &p->body) : REST_FINAL;
}

/* What this reply means for all other requests to the same site. */
static void tell_gate(const struct rest_call *c, int rc, enum rest_verdict v, unsigned round) {
	if (v != REST_FINAL && c->p->retry_after_s > 0)
		gate_shut(c->site, c->p->retry_after_s);
	else if (v == REST_SLOW)
		gate_back_off(c->site, round);
	else if (rc == 0 && c->p->status < 400)
		gate_ease(c->site);
}

static bool worth_again(const struct rest_call *c, int rc, enum rest_verdict v) {
	const struct rest_reply *p = c->p;

	if (c->q->once || c->taken || c->own.code != 0 || c->late)
		return false;
	if (rc == ERR_UNREACHABLE)
		return c->sent == 0 || c->may_repeat;
	if (rc != 0 || v == REST_FINAL)
		return false;
	/* With these the service says that it has not acted; with the other ones it perhaps has. */
	return c->may_repeat || p->status < 500 || p->status == 503;
}

unsigned rest_patience_s(const struct rest *r) {
	return atomic_load(&r->tired) ? r->tired_s : r->total_s;
}

void rest_gave_up(struct rest *r) {
	atomic_store(&r->tired, true);
}

bool rest_is_wary(const struct rest *r) {
	return atomic_load(&r->wary) > 0;
}

/* A round trip more is little where the service refuses things; else it is not worth it. */
static bool asks_first(const struct rest *r, const struct rest_request *q) {
	return q->body_len >= BODY_ANNOUNCED && atomic_load(&r->wary) > 0 && !atomic_load(&r->mute);
}

static void learn(struct rest *r, const struct rest_call *c, int rc) {
	unsigned wary = atomic_load(&r->wary);

	if (rc == 0 ? c->p->status >= 400 && c->q->body_len > 0 : c->p->sent > 0)
		atomic_store(&r->wary, WARY_FOR);
	else if (rc == 0 && c->ask_first && !c->went_on)
		atomic_store(&r->mute, true);
	else if (rc == 0 && c->ask_first && wary > 0)
		(void)atomic_compare_exchange_strong(&r->wary, &wary, wary - 1);
}

static int wait_at_gate(struct rest_call *c, unsigned *round, struct err *e) {
	if (gate_wait(c->site, &c->retry, round))
		return 0;
	c->p->retry_after_s = (unsigned)((gate_left_ms(c->site) + 999) / 1000);
	return err_set(e, ERR_UNREACHABLE, "%s: asks for patience for %u s more", c->site, c->p->retry_after_s);
}

static int run(struct rest *r, struct rest_call *c, struct err *e) {
	struct rest_reply *p = c->p;
	unsigned attempts = 0, round;
	enum rest_verdict v;
	bool again;
	int rc;

	retry_init(&c->retry, c->q->total_s != 0 ? c->q->total_s : rest_patience_s(r), REST_ATTEMPTS, REST_PATIENCE_S);
	do {
		rest_reply_wipe(p);
		p->attempts = attempts;
		if ((again = (rc = wait_at_gate(c, &round, e)) != 0))
			break;
		c->ask_first = asks_first(r, c->q);
		rc = rest_call_try(c, e);
		learn(r, c, rc);
		v = judge(r, p, rc);
		tell_gate(c, rc, v, round);
		p->attempts = ++attempts;
		again = worth_again(c, rc, v);
	} while (again && retry_pause(&c->retry, p->retry_after_s));
	if (again || c->late)
		rest_gave_up(r);
	else if (rc == 0)
		atomic_store(&r->tired, false);
	return rc;
}

int rest(struct rest *r, const struct rest_request *q, struct rest_reply *p, struct err *e) {
	OWN(own_free) char *site = NULL;
	struct rest_call *c;
	bool loopback;
	int rc;

	if ((rc = rest_url_check(q->url, &site, &loopback, e)) != 0 || (rc = check_lines(q, e)) != 0)
		return rc;
	if ((c = take_call(r)) == NULL)
		return err_set(e, ERR_FAIL, "libcurl lacks what is needed");
	c->q = q;
	c->p = p;
	c->site = site;
	c->loopback = loopback;
	c->may_repeat = !q->once && is_idempotent(q);
	c->taken = false;
	c->counted = 0;
	rc = run(r, c, e);
	c->q = NULL;
	c->p = NULL;
	c->site = NULL;
	give_back(r, c);
	return rc;
}

void rest_reply_wipe(struct rest_reply *p) {
	buf_wipe(&p->body);
	if (p->location != NULL)
		secret_clean(p->location, strlen(p->location));
	free(p->location);
	free(p->range);
	free(p->content_range);
	*p = (struct rest_reply){0};
}
