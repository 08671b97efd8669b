/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/crlfetch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "net/rest.h"
#include "pki/ossl.h"

#define FROM "crl_url"
#define AGAIN_MS 30000 /* after a failure, where the interval is longer */
#define FETCHED_MAX ((size_t)2 * CRL_MAX_BYTES) /* PEM of the largest list */

struct crlfetch {
	char *url, *dir;
	const char *group; /* of log lines; or NULL */
	uint64_t every_s;
	struct inbox *inbox;
	struct rest *rest;
	int wake;
	atomic_bool stop;
	pthread_t thread;
	uint8_t sha256[SHA256_LEN]; /* of the bytes that were handed over last */
};

struct arrival {
	const struct crlfetch *f;
	int fd;
	uint64_t len;
};

static int take(void *arg, const void *data, size_t len, struct err *e) {
	struct arrival *a = arg;

	if (atomic_load(&a->f->stop))
		return err_set(e, ERR_FAIL, "the gateway ends");
	if (len > FETCHED_MAX - a->len)
		return err_set(e, ERR_DAMAGED, "a revocation list above %zu MiB", FETCHED_MAX >> 20);
	a->len += len;
	return file_write_all(a->fd, data, len, "spool", e);
}

/* What came is news; its digest is remembered. */
static bool is_news(struct crlfetch *f, int fd) {
	OWN(spool_unmap) struct spool_map m = { 0 };
	uint8_t sha256[SHA256_LEN];
	struct err e = ERR_INIT;

	if (spool_map(fd, FETCHED_MAX, &m, &e) != 0)
		return true;
	ossl_sha256(m.data, m.len, sha256);
	if (memcmp(sha256, f->sha256, sizeof sha256) == 0)
		return false;
	memcpy(f->sha256, sha256, sizeof sha256);
	return true;
}

static int fetch_once(struct crlfetch *f, struct err *e) {
	OWN(rest_reply_wipe) struct rest_reply p = { 0 };
	struct arrival a = { .f = f, .fd = -1 };
	const struct rest_request q = { .method = "GET", .url = f->url, .take = take, .take_arg = &a };
	int r;

	/* A full disk keeps no revocation out. */
	if (spool_open(f->dir, 0, &a.fd, e) != 0 && spool_open_in_memory(&a.fd, e) != 0)
		return e->code;
	r = rest(f->rest, &q, &p, e);
	if (r == 0 && p.status != 200)
		r = err_set(e, ERR_FAIL, "HTTP status %d", p.status);
	if (r == 0 && is_news(f, a.fd) && !inbox_give(f->inbox, &a.fd, FROM)) {
		memset(f->sha256, 0, sizeof f->sha256);
		r = err_set(e, ERR_UNREACHABLE, "another list is being verified");
	}
	spool_close(&a.fd);
	return r;
}

static void *work(void *arg) {
	struct crlfetch *f = arg;
	struct pollfd p = { .fd = f->wake, .events = POLLIN };
	int64_t every_ms = (int64_t)f->every_s * 1000, pause_ms;

	log_set_group(f->group);
	while (!atomic_load(&f->stop)) {
		struct err e = ERR_INIT;

		pause_ms = every_ms;
		if (fetch_once(f, &e) != 0 && !atomic_load(&f->stop)) {
			log_event(LOG_LEVEL_WARN, "crl-fetch", "url", f->url, "error", e.text, NULL);
			pause_ms = every_ms < AGAIN_MS ? every_ms : AGAIN_MS;
		}
		if (!atomic_load(&f->stop))
			(void)poll(&p, 1, (int)pause_ms);
	}
	return NULL;
}

static void release(struct crlfetch *f) {
	rest_free(f->rest);
	own_fd(&f->wake);
	free(f->url);
	free(f->dir);
	free(f);
}

int crlfetch_start(struct crlfetch **out, const struct crlfetch_config *c, struct err *e) {
	const struct rest_config config = { .total_s = CRLFETCH_TOTAL_S };
	struct crlfetch *f = xcalloc(1, sizeof *f);
	int r;

	f->url = xstrdup(c->url);
	f->dir = xstrdup(c->dir);
	f->group = log_group();
	f->every_s = c->every_s;
	f->inbox = c->inbox;
	f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = f->wake < 0 ? err_sys(e, ERR_FAIL, "eventfd") : rest_new(&f->rest, &config, e);
	if (r == 0 && (errno = pthread_create(&f->thread, NULL, work, f)) != 0)
		r = err_sys(e, ERR_FAIL, "thread");
	if (r != 0) {
		release(f);
		return r;
	}
	*out = f;
	return 0;
}

void crlfetch_stop(struct crlfetch *f) {
	const uint64_t one = 1;

	if (f == NULL)
		return;
	atomic_store(&f->stop, true);
	(void)!write(f->wake, &one, sizeof one);
}

void crlfetch_free(struct crlfetch *f) {
	if (f == NULL)
		return;
	crlfetch_stop(f);
	(void)pthread_join(f->thread, NULL);
	release(f);
}
