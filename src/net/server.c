/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/secret.h"
#include "net/conn.h"
#include "net/resume.h"

#define OTHER_DESCRIPTORS 64  /* the database's, the log's, the watches' */
#define LOOP_DESCRIPTORS 2
#define STACK (1u << 20)      /* of a loop's thread: handlers keep what is large elsewhere */

static void set_default(unsigned *v, unsigned def) {
	if (*v == 0)
		*v = def;
}

static void set_defaults(struct server_limits *l) {
	set_default(&l->handshake_ms, 5000);
	set_default(&l->head_ms, 5000);
	set_default(&l->body_ms, 10000);
	set_default(&l->write_ms, 10000);
	set_default(&l->park_ms, 60000);
	set_default(&l->idle_ms, 30000);
	set_default(&l->linger_ms, 2000);
	set_default(&l->stop_ms, 5000);
	set_default(&l->connections, 2048);
	set_default(&l->per_address, 128);
	set_default(&l->tick_ms, 250);
	set_default(&l->threads, 1);
	if (l->threads > SERVER_THREADS_MAX)
		l->threads = SERVER_THREADS_MAX;
}

static void raise_descriptors(const struct server_limits *l) {
	struct rlimit r;
	rlim_t want = (rlim_t)l->connections + OTHER_DESCRIPTORS + (rlim_t)l->threads * LOOP_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= want)
		return;
	r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r); /* too few are handled where they run out */
}

static void init_loops(struct server *s) {
	s->n_loops = s->lim.threads;
	s->loops = xcalloc(s->n_loops, sizeof *s->loops);
	for (unsigned i = 0; i < s->n_loops; i++) {
		s->loops[i].s = s;
		s->loops[i].epoll = s->loops[i].wake = -1;
		pthread_mutex_init(&s->loops[i].mail, NULL);
		pthread_mutex_init(&s->loops[i].writing, NULL);
	}
}

static int listen_all(struct server *s, struct err *e) {
	for (unsigned i = 0; i < s->n_loops; i++) {
		s->loops[i].listens = true;
		atomic_fetch_add(&s->listening, 1);
		door_listen(&s->loops[i], true);
		if (s->loops[i].paused)
			return err_sys(e, ERR_FAIL, "epoll");
	}
	return 0;
}

static int open_all(struct server *s, const char *listen, struct err *e) {
	int rc;

	if ((rc = random_bytes((uint8_t *)&s->hash_key, sizeof s->hash_key, e)) != 0)
		return rc;
	for (unsigned i = 0; i < s->n_loops; i++)
		if ((rc = loop_open(&s->loops[i], s, e)) != 0)
			return rc;
	if ((rc = listen_open(listen, &s->listener, &s->bound, e)) != 0)
		return rc;
	return listen_all(s, e);
}

int server_new(struct server **out, const char *listen, SSL_CTX *ctx, const struct server_ops *ops, const struct server_limits *lim,
    struct err *e) {
	struct server *s = xcalloc(1, sizeof *s);
	int rc;

	s->listener = -1;
	s->ops = *ops;
	if (lim != NULL)
		s->lim = *lim;
	if (s->lim.spool_dir != NULL)
		s->lim.spool_dir = s->spool_dir = xstrdup(s->lim.spool_dir);
	set_defaults(&s->lim);
	raise_descriptors(&s->lim);
	(void)signal(SIGPIPE, SIG_IGN); /* a peer that hung up is an error of its connection */
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->ctx_lock, NULL);
	pthread_mutex_init(&s->door, NULL);
	if (s->lim.sessions > 0)
		s->sessions = resume_new(s->lim.sessions);
	init_loops(s);
	server_set_ctx(s, ctx);
	if ((rc = open_all(s, listen, e)) != 0) {
		server_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

static void free_loops(struct server *s) {
	for (unsigned i = 0; i < s->n_loops; i++) {
		loop_close(&s->loops[i]);
		pthread_mutex_destroy(&s->loops[i].mail);
		pthread_mutex_destroy(&s->loops[i].writing);
	}
	free(s->loops);
}

void server_free(struct server *s) {
	struct watch *h;

	if (s == NULL)
		return;
	free_loops(s);
	while ((h = s->watches) != NULL) {
		s->watches = h->next;
		free(h);
	}
	if (s->listener >= 0)
		(void)close(s->listener);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->ctx_lock);
	pthread_mutex_destroy(&s->door);
	SSL_CTX_free(s->ctx);
	resume_free(s->sessions);
	free(s->spool_dir);
	free(s);
}

void server_address(const struct server *s, char out[static 80]) {
	listen_print(&s->bound, true, out, 80);
}

void server_set_ctx(struct server *s, SSL_CTX *ctx) {
	SSL_CTX *old;

	(void)SSL_CTX_up_ref(ctx);
	pthread_mutex_lock(&s->ctx_lock);
	old = s->ctx;
	s->ctx = ctx;
	pthread_mutex_unlock(&s->ctx_lock);
	SSL_CTX_free(old);
	resume_flush(s->sessions);
}

int server_watch(struct server *s, int fd, void (*f)(void *arg), void *arg, struct err *e) {
	struct watch *h = xcalloc(1, sizeof *h);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &h->source };

	*h = (struct watch){ .source = { SOURCE_WATCH }, .next = s->watches, .f = f, .arg = arg };
	if (epoll_ctl(s->loops[0].epoll, EPOLL_CTL_ADD, fd, &ev) != 0) {
		free(h);
		return err_sys(e, ERR_FAIL, "epoll");
	}
	s->watches = h;
	return 0;
}

/* Only what a signal handler may do. */
void server_stop(struct server *s) {
	atomic_store(&s->stopping, true);
	for (unsigned i = 0; i < s->n_loops; i++)
		loop_wake(&s->loops[i]);
}

/* The loop whose turn it is can do it now; the others do when they have theirs, before they handle or write anything. */
static bool is_elsewhere(const struct server *s, const struct loop *l) {
	return s->turn != NULL && l != s->turn;
}

static void leave_notice(struct loop *l, bool (*f)(void *arg, struct server_peer *p, struct http_reply *reply), void *arg) {
	struct notice *n;

	for (n = l->notices; n != NULL; n = n->next)
		if (n->f == f && n->arg == arg)
			return;
	n = xmalloc(sizeof *n);
	*n = (struct notice){ l->notices, f, arg };
	l->notices = n;
	loop_wake(l);
}

/* Replies that were judged before are written when this returns. */
static void let_write(struct loop *l) {
	pthread_mutex_lock(&l->writing);
	pthread_mutex_unlock(&l->writing);
}

void server_close_if(struct server *s, bool (*f)(void *arg, struct server_peer *p, struct http_reply *reply), void *arg) {
	resume_flush(s->sessions);
	for (unsigned i = 0; i < s->n_loops; i++) {
		if (is_elsewhere(s, &s->loops[i]))
			leave_notice(&s->loops[i], f, arg);
		else
			loop_close_if(&s->loops[i], f, arg);
	}
	for (unsigned i = 0; i < s->n_loops; i++)
		if (is_elsewhere(s, &s->loops[i]))
			let_write(&s->loops[i]);
}

void server_go_on(struct server *s) {
	for (unsigned i = 0; i < s->n_loops; i++) {
		if (is_elsewhere(s, &s->loops[i])) {
			s->loops[i].go_on = true;
			loop_wake(&s->loops[i]);
		} else {
			loop_go_on(&s->loops[i]);
		}
	}
}

void server_get_stats(const struct server *s, struct server_stats *out) {
	uint64_t *sum = (uint64_t *)out;

	*out = (struct server_stats){0};
	for (unsigned i = 0; i < s->n_loops; i++) {
		const uint64_t *one = (const uint64_t *)&s->loops[i].stats;

		for (size_t k = 0; k < sizeof *out / sizeof *sum; k++)
			sum[k] += __atomic_load_n(&one[k], __ATOMIC_RELAXED);
	}
	out->threads = s->n_loops;
}

static void *run_loop(void *arg) {
	struct loop *l = arg;

	l->rc = loop_run(l, &l->e);
	if (l->rc != 0)
		server_stop(l->s);
	return NULL;
}

static int start_others(struct server *s, struct err *e) {
	pthread_attr_t attr;
	int rc = pthread_attr_init(&attr);

	if (rc == 0)
		rc = pthread_attr_setstacksize(&attr, STACK);
	for (unsigned i = 1; i < s->n_loops && rc == 0; i++) {
		atomic_fetch_add(&s->running, 1);
		rc = pthread_create(&s->loops[i].thread, &attr, run_loop, &s->loops[i]);
		s->loops[i].started = rc == 0;
		if (rc != 0)
			atomic_fetch_sub(&s->running, 1);
	}
	(void)pthread_attr_destroy(&attr);
	errno = rc;
	return rc == 0 ? 0 : err_sys(e, ERR_FAIL, "thread");
}

static int join_others(struct server *s, int rc, struct err *e) {
	for (unsigned i = 1; i < s->n_loops; i++) {
		struct loop *l = &s->loops[i];

		if (!l->started)
			continue;
		(void)pthread_join(l->thread, NULL);
		l->started = false;
		if (rc == 0 && l->rc != 0) {
			*e = l->e;
			rc = l->rc;
		}
	}
	return rc;
}

int server_run(struct server *s, struct err *e) {
	int rc;

	atomic_fetch_add(&s->running, 1);
	if ((rc = start_others(s, e)) != 0 || (rc = loop_run(&s->loops[0], e)) != 0)
		server_stop(s);
	return join_others(s, rc, e);
}
