/* SPDX-License-Identifier: Apache-2.0 */
#include "net/resume.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "pki/cert.h"

/* What was true when the member was authenticated: it goes from each session to those that come of it. */
struct stamp {
	uint64_t generation;
	int64_t until_ms; /* monotonic: a clock that is set back makes no session older */
	int64_t until_s;  /* end of the certificate */
	const struct chain *by;
};

#define WAYS 8 /* a session is in one of so many places; the oldest of them gives way */

struct place {
	SSL_SESSION *s;
	uint64_t stored; /* the how manieth */
};

struct resume {
	atomic_uint_least64_t generation;
	pthread_mutex_t lock;
	uint64_t stored;
	unsigned ways, sets;
	struct place place[]; /* set by set; the id, which is random, says which */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int store_index = -1, stamp_index = -1;

static int stamp_dup(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **p, int idx, long argl, void *argp) {
	struct stamp *copy;

	(void)to, (void)from, (void)idx, (void)argl, (void)argp;
	if (*p == NULL)
		return 1;
	copy = xmalloc(sizeof *copy);
	memcpy(copy, *p, sizeof *copy);
	*p = copy;
	return 1;
}

static void stamp_free(void *parent, void *p, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp) {
	(void)parent, (void)ad, (void)idx, (void)argl, (void)argp;
	free(p);
}

static void make_indexes(void) {
	store_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	stamp_index = SSL_SESSION_get_ex_new_index(0, NULL, NULL, stamp_dup, stamp_free);
}

struct resume *resume_new(unsigned max) {
	struct resume *r = xcalloc(1, sizeof *r + max * sizeof(struct place));

	r->ways = max < WAYS ? max : WAYS;
	r->sets = max / r->ways;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void resume_flush(struct resume *r) {
	if (r == NULL)
		return;
	atomic_fetch_add(&r->generation, 1);
	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->ways * r->sets; i++) {
		SSL_SESSION_free(r->place[i].s);
		r->place[i].s = NULL;
	}
	pthread_mutex_unlock(&r->lock);
}

void resume_free(struct resume *r) {
	if (r == NULL)
		return;
	resume_flush(r);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static bool is_fresh(const struct resume *r, const SSL_SESSION *s) {
	const struct stamp *t = SSL_SESSION_get_ex_data(s, stamp_index);

	return t != NULL && t->generation == atomic_load(&r->generation) && clock_mono_ms() < t->until_ms && clock_now_s() <= t->until_s;
}

static struct place *set_of(struct resume *r, const unsigned char *id, unsigned len) {
	uint32_t h = 0;

	memcpy(&h, id, len < sizeof h ? len : sizeof h);
	return &r->place[(size_t)(h % r->sets) * r->ways];
}

static bool has_id(const SSL_SESSION *s, const unsigned char *id, unsigned len) {
	const unsigned char *its;
	unsigned its_len;

	if (s == NULL)
		return false;
	its = SSL_SESSION_get_id(s, &its_len);
	return its_len == len && memcmp(its, id, len) == 0;
}

/* An empty place, or the oldest session's. */
static struct place *oldest(const struct resume *r, struct place *set) {
	struct place *p = set;

	for (unsigned i = 0; i < r->ways; i++) {
		if (set[i].s == NULL)
			return &set[i];
		if (set[i].stored < p->stored)
			p = &set[i];
	}
	return p;
}

/* 1: the reference that comes with it is ours. */
static int keep(SSL *ssl, SSL_SESSION *s) {
	struct resume *r = SSL_get_ex_data(ssl, store_index);
	const unsigned char *id;
	SSL_SESSION *old;
	struct place *p;
	unsigned len;

	if (r == NULL || !is_fresh(r, s))
		return 0;
	id = SSL_SESSION_get_id(s, &len);
	pthread_mutex_lock(&r->lock);
	p = oldest(r, set_of(r, id, len));
	old = p->s;
	*p = (struct place){ s, ++r->stored };
	pthread_mutex_unlock(&r->lock);
	SSL_SESSION_free(old);
	return 1;
}

/* With a reference for the caller, or NULL. */
static SSL_SESSION *look_up(struct resume *r, const unsigned char *id, unsigned len) {
	struct place *set = set_of(r, id, len);
	SSL_SESSION *s = NULL;

	pthread_mutex_lock(&r->lock);
	for (unsigned i = 0; i < r->ways && s == NULL; i++)
		if (has_id(set[i].s, id, len))
			s = set[i].s;
	if (s != NULL && (!is_fresh(r, s) || SSL_SESSION_up_ref(s) != 1))
		s = NULL;
	pthread_mutex_unlock(&r->lock);
	return s;
}

static SSL_SESSION *find(SSL *ssl, const unsigned char *id, int len, int *copy) {
	struct resume *r = SSL_get_ex_data(ssl, store_index);
	SSL_SESSION *s;

	*copy = 0;
	if (r == NULL || len <= 0 || (s = look_up(r, id, (unsigned)len)) == NULL)
		return NULL;
	/* A client uses each session once (RFC 8446 C.4), so it gets another. */
	if (SSL_set_num_tickets(ssl, 1) == 1)
		return s;
	SSL_SESSION_free(s);
	return NULL;
}

void resume_install(SSL_CTX *ctx) {
	static const unsigned char context[] = "scg";

	pthread_once(&once, make_indexes);
	/* Without a context OpenSSL resumes no session of a client that was asked for a certificate. */
	if (SSL_CTX_set_session_id_context(ctx, context, sizeof context - 1) != 1 || store_index < 0 || stamp_index < 0)
		return;
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
	(void)SSL_CTX_set_timeout(ctx, RESUME_MS / 1000);
	SSL_CTX_sess_set_new_cb(ctx, keep);
	SSL_CTX_sess_set_get_cb(ctx, find);
}

bool resume_attach(SSL *ssl, struct resume *r) {
	return r == NULL || SSL_set_ex_data(ssl, store_index, r) == 1;
}

void resume_allow(SSL *ssl, const X509 *cert, const struct chain *by) {
	struct resume *r = SSL_get_ex_data(ssl, store_index);
	SSL_SESSION *s = SSL_get_session(ssl);
	struct stamp *t;

	if (r == NULL || s == NULL || clock_now_s() > cert_not_after(cert))
		return;
	t = xmalloc(sizeof *t);
	*t = (struct stamp){ atomic_load(&r->generation), clock_mono_ms() + RESUME_MS, cert_not_after(cert), by };
	if (SSL_SESSION_set_ex_data(s, stamp_index, t) != 1)
		free(t);
	else
		(void)SSL_set_num_tickets(ssl, 1);
}

const struct chain *resume_chain(const SSL *ssl) {
	const SSL_SESSION *s = SSL_get0_session(ssl);
	const struct stamp *t = s != NULL && SSL_session_reused(ssl) == 1 ? SSL_SESSION_get_ex_data(s, stamp_index) : NULL;

	return t != NULL ? t->by : NULL;
}
