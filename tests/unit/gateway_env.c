/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway_env.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "base/spool.h"
#include "lib/tmp.h"
#include "pki/ossl.h"

static void open_group(struct env *v) {
	struct identity id = { .key = v->f.gateway.key, .cert = v->f.gateway.cert };
	struct err e = ERR_INIT;

	EVP_PKEY_up_ref(id.key);
	X509_up_ref(id.cert);
	ck_assert_msg(group_open(&v->g, &v->conf, v->f.chain, &id, GROUP_SERVE, &e) == 0, "%s", e.text);
	v->service.group = v->g;
	ck_assert_msg(evict_settle(v->g, clock_now_s(), &e) == 0, "%s", e.text);
}

static void make(struct env *v, const char *config, const char *more) {
	OWN(own_free) char *text = xasprintf("listen = \"127.0.0.1:0\";\nhost = \"localhost\";\n%s\n", more != NULL ? more : "");
	struct err e = ERR_INIT;

	fixture_init(&v->f);
	ck_assert_msg(gwconf_parse(text, config, &v->conf, &e) == 0, "%s", e.text);
	v->service.packages = packages_new();
	ck_assert_int_eq(rate_new(&v->service.crl_rate, ROUTE_CRL_PER_MINUTE, 60000, &e), 0);
	ck_assert_int_eq(rate_new(&v->service.get_rate, ROUTE_GET_PER_MINUTE, 60000, &e), 0);
	open_group(v);
}

void env_init(struct env *v, const char *more) {
	memset(v, 0, sizeof *v);
	log_set_level(LOG_LEVEL_ERROR);
	tmp_make();
	make(v, tmp_path("gateway.conf"), more);
}

void env_beside(struct env *v, struct env *first) {
	struct err e = ERR_INIT;

	memset(v, 0, sizeof *v);
	ck_assert_msg(file_mkdir(tmp_path("beside"), 0700, false, &e) == 0, "%s", e.text);
	make(v, tmp_path("beside/gateway.conf"), NULL);
	first->service.next = &v->service;
	ck_assert_int_eq(env_crl(v, 1, NULL, 0, CRL_UNSPECIFIED), OFFER_TAKEN);
}

void env_open(struct env *v) {
	env_init(v, NULL);
	ck_assert_int_eq(env_crl(v, 1, NULL, 0, CRL_UNSPECIFIED), OFFER_TAKEN);
}

void env_wipe_beside(struct env *v) {
	group_close(&v->g);
	packages_free(v->service.packages);
	rate_free(v->service.crl_rate);
	rate_free(v->service.get_rate);
	gwconf_wipe(&v->conf);
	fixture_wipe(&v->f);
}

void env_wipe(struct env *v) {
	env_wipe_beside(v);
	tmp_drop();
}

void env_restart(struct env *v) {
	group_close(&v->g);
	open_group(v);
}

enum offer env_offer(struct env *v, uint64_t number, X509 *const *revoked, size_t n, int reason) {
	struct buf der = { 0 };
	struct err e = ERR_INIT;
	struct list *l = NULL;
	enum offer o;

	fixture_crl(&v->f, number, revoked, n, reason, &der);
	ck_assert_msg(list_make_of(&der, chain_ca(v->f.chain), &l, &e) == 0, "%s", e.text);
	o = evict_offer(v->g, l, "test", clock_now_s());
	list_free(l);
	return o;
}

enum offer env_crl(struct env *v, uint64_t number, X509 *const *revoked, size_t n, int reason) {
	enum offer o = env_offer(v, number, revoked, n, reason);
	struct err e = ERR_INIT;

	ck_assert_msg(evict_settle(v->g, clock_now_s(), &e) == 0, "%s", e.text);
	return o;
}

void env_connect(const struct env *v, X509 *cert, struct server_peer *p) {
	*p = (struct server_peer){ .cert = cert, .chain = v->f.chain, .loopback = true };
	(void)snprintf(p->address, sizeof p->address, "127.0.0.1");
	p->verdict = cert == NULL ? VERDICT_NO_CERTIFICATE : chain_check(v->f.chain, cert, PURPOSE_CLIENT, NULL);
}

static void parse(const char *head, const void *body, size_t len, struct http_request *q) {
	OWN(own_free) char *text = NULL;
	const char *why = "";
	struct err e = ERR_INIT;

	text = strncmp(head, "P", 1) == 0 ? xasprintf("%s HTTP/1.1\r\nHost: gw\r\nAccept-Encoding: deflate\r\nContent-Length: %zu\r\n\r\n", head, len) :
	                 xasprintf("%s HTTP/1.1\r\nHost: gw\r\n\r\n", head);
	ck_assert_msg(http_parse_head((const uint8_t *)text, strlen(text), q, &why) > 0, "%s: %s", head, why);
	if (len <= ROUTE_CRL_ANYBODY) {
		buf_add(&q->body, body, len);
		return;
	}
	q->spooled = true;
	ck_assert_msg(spool_open(tmp_dir(), len, &q->spool, &e) == 0 && file_write_all(q->spool, body, len, "body", &e) == 0, "%s", e.text);
}

int env_call(struct env *v, struct server_peer *p, const char *head, const void *body, size_t len, struct http_reply *r) {
	OWN(http_request_wipe) struct http_request q = { 0 };
	int64_t max = 0;

	parse(head, body, len, &q);
	*r = (struct http_reply){ 0 };
	if (len > 0 && ((max = route_body_max(&v->service, p, &q, r)) < 0 || (int64_t)len > max)) {
		if (max >= 0)
			http_refuse(r, 413, "too large");
		return r->status;
	}
	route_handle(&v->service, p, &q, r);
	if (route_commit(&v->service) != 0)
		http_problem(r, 503, "not-stored", "commit");
	(void)route_still_good(&v->service, p, &q, r);
	return r->status;
}

void env_expect(struct env *v, X509 *cert, const char *head, const void *body, size_t len, int status, const char *type) {
	OWN(http_reply_wipe) struct http_reply r = { 0 };
	struct server_peer p;
	int got;

	env_connect(v, cert, &p);
	got = env_call(v, &p, head, body, len, &r);
	route_forget(&v->service, &p);
	ck_assert_msg(got == status, "%s: %d instead of %d: %s", head, got, status, buf_str(&r.body));
	if (type != NULL) {
		OWN(own_free) char *want = xasprintf("\"urn:scg:%s\"", type);

		ck_assert_msg(strstr(buf_str(&r.body), want) != NULL, "%s: not %s: %s", head, type, buf_str(&r.body));
	}
}
