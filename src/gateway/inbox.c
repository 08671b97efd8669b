/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/inbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "base/spool.h"
#include "pki/crl.h"
#include "pki/ossl.h"
#include "pki/pem.h"

#define POLL_MS 250 /* where inotify says nothing: network file systems, a folder that was replaced */
/* A file younger than this may change without a new time stamp (kernel ticks, NFS seconds): look again. */
#define SETTLE_S 2
#define FILE_MAX ((size_t)2 * CRL_MAX_BYTES) /* PEM of the largest list */

struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	bool there;
};

struct inbox {
	char *dir, *name, *path;
	const char *group; /* of log lines; or NULL */
	const struct chain *chain;
	int inotify, wake, ready; /* wake: for the thread; ready: for who takes */
	pthread_t thread;
	bool running;
	/* The thread's own. */
	struct stamp seen; /* of the file as last read, once a change without a new stamp is not to be feared */
	struct stamp read; /* of the file whose bytes have this digest */
	uint8_t digest[SHA256_LEN];
	bool doubt; /* these bytes are no list, but perhaps only not yet: the complaint waits for the next look */
	/* Shared, under lock. */
	pthread_mutex_t lock;
	bool stop, poked;
	int given; /* the file that was sent last, -1: none */
	const char *given_from;
	struct list *list;
	const char *from;
};

static void log_overtaken(const struct list *l, const char *from) {
	char number[24];

	(void)snprintf(number, sizeof number, "%" PRIu64, crl_set_number(l->set));
	log_event(LOG_LEVEL_WARN, "crl-ignored", "from", from, "number", number, "why", "a newer one came at the same moment", NULL);
}

/* Nobody took the one before yet: of the two the newer stays, whichever way it came. */
static void hand_over(struct inbox *b, struct list *l, const char *from) {
	const uint64_t one = 1;
	const char *other_from = from;
	struct list *other = l;

	(void)pthread_mutex_lock(&b->lock);
	if (b->list == NULL || crl_set_number(l->set) >= crl_set_number(b->list->set)) {
		other = b->list;
		other_from = b->from;
		b->list = l;
		b->from = from;
	}
	(void)pthread_mutex_unlock(&b->lock);
	if (other != NULL)
		log_overtaken(other, other_from);
	list_free(other);
	if (write(b->ready, &one, sizeof one) < 0)
		log_event(LOG_LEVEL_ERROR, "inbox", "error", strerror(errno), NULL);
}

struct list *inbox_take(struct inbox *b, const char **from) {
	struct list *l;
	uint64_t n;

	(void)!read(b->ready, &n, sizeof n);
	(void)pthread_mutex_lock(&b->lock);
	l = b->list;
	*from = b->from;
	b->list = NULL;
	(void)pthread_mutex_unlock(&b->lock);
	return l;
}

/* The bytes are taken. */
static int verify(struct inbox *b, struct list_in *in, const char *from, struct err *e) {
	struct list *l;

	if (list_make(in, chain_ca(b->chain), &l, e) != 0)
		return e->code;
	hand_over(b, l, from);
	return 0;
}

static bool stamp_equal(const struct stamp *a, const struct stamp *b) {
	return a->there == b->there && a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static struct stamp stamp_of(const char *path) {
	struct stamp s;
	struct stat st;

	memset(&s, 0, sizeof s);
	if (stat(path, &st) == 0)
		s = (struct stamp){ st.st_dev, st.st_ino, st.st_size, st.st_mtim, true };
	return s;
}

static bool is_settled(const struct stamp *s) {
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec < s->mtime.tv_sec || now.tv_sec - s->mtime.tv_sec > SETTLE_S;
}

static void digest_of(const struct list_in *in, uint8_t digest[static SHA256_LEN]) {
	OWN(spool_unmap) struct spool_map m = { 0 };
	struct err e = ERR_INIT;

	if (in->fd >= 0 && spool_map(in->fd, CRL_MAX_BYTES, &m, &e) == 0)
		ossl_sha256(m.data, m.len, digest);
	else
		ossl_sha256(in->mem.data, in->mem.len, digest);
}

/* What to do with the bytes of the file, e being what reading them came to: a file that is being written in place is incomplete for a
 * moment. */
static void judge(struct inbox *b, const struct stamp *now, struct list_in *in, struct err e, bool again) {
	uint8_t digest[SHA256_LEN];
	bool same;

	digest_of(in, digest);
	same = memcmp(digest, b->digest, sizeof digest) == 0;
	if (same && stamp_equal(now, &b->read) && !b->doubt && !again)
		return;
	memcpy(b->digest, digest, sizeof digest);
	b->read = *now;
	if (e.code == 0 && verify(b, in, b->name, &e) == 0) {
		b->doubt = false;
		return;
	}
	if (same || again)
		log_event(LOG_LEVEL_WARN, "crl-ignored", "from", b->name, "error", e.text, NULL);
	b->doubt = !same && !again;
}

/* A list may be too large to be held as PEM and as DER. */
static int read_file(const struct inbox *b, struct list_in *in, struct err *e) {
	OWN(own_fd) int fd = open(b->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_sys(e, errno == ENOENT ? ERR_NOTFOUND : ERR_FAIL, "%s", b->path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_FAIL, "%s: no regular file", b->path);
	return list_in_read(in, fd, FILE_MAX, e);
}

static bool may_have_changed(const struct inbox *b, const struct stamp *now) {
	if (!now->there || b->doubt)
		return true;
	/* A long one is read once more when it has settled, not four times a second until then. */
	if (now->size > (off_t)LIST_SMALL && stamp_equal(now, &b->read) && !is_settled(now))
		return false;
	return !stamp_equal(now, &b->seen);
}

/* Reads the file if it may have changed; again: in any case. */
static void look(struct inbox *b, bool again) {
	struct stamp now = stamp_of(b->path);
	OWN(list_in_wipe) struct list_in in = LIST_IN(b->dir);
	struct err e = ERR_INIT;

	if (!again && !may_have_changed(b, &now))
		return;
	if (!now.there || (read_file(b, &in, &e) != 0 && e.code != ERR_DAMAGED)) {
		if (now.there && e.code != ERR_NOTFOUND && !stamp_equal(&now, &b->seen))
			log_event(LOG_LEVEL_WARN, "crl-ignored", "from", b->name, "error", e.text, NULL);
		b->seen = now;
		return;
	}
	judge(b, &now, &in, e, again);
	if (is_settled(&now))
		b->seen = now;
}

void inbox_look(struct inbox *b) {
	look(b, true);
}

/* What the thread is asked to do, taken out of the shared part. */
static bool take_orders(struct inbox *b, int *given, const char **from, bool *poked) {
	bool stop;

	(void)pthread_mutex_lock(&b->lock);
	stop = b->stop;
	*poked = b->poked;
	if (!stop) {
		*given = b->given;
		*from = b->given_from;
		b->given = -1;
	}
	b->poked = false;
	(void)pthread_mutex_unlock(&b->lock);
	return !stop;
}

/* What is DER already stays where it is. */
static int read_given(struct list_in *in, int *fd, struct err *e) {
	uint8_t first = 0;

	if (pread(*fd, &first, 1, 0) == 1 && pem_is_der(&first, 1)) {
		in->fd = *fd;
		*fd = -1;
		return 0;
	}
	if (lseek(*fd, 0, SEEK_SET) != 0)
		return err_sys(e, ERR_FAIL, "spool");
	return list_in_read(in, *fd, FILE_MAX, e);
}

static void verify_given(struct inbox *b, int given, const char *from) {
	OWN(list_in_wipe) struct list_in in = LIST_IN(b->dir);
	struct err e = ERR_INIT;

	if (given < 0)
		return;
	if (read_given(&in, &given, &e) != 0 || verify(b, &in, from, &e) != 0)
		log_event(LOG_LEVEL_WARN, "crl-ignored", "from", from, "error", e.text, NULL);
	spool_close(&given);
}

static void drain(int fd) {
	char events[4096];

	while (fd >= 0 && read(fd, events, sizeof events) > 0)
		continue;
}

static void *watch(void *arg) {
	struct inbox *b = arg;

	log_set_group(b->group);
	for (;;) {
		struct pollfd fds[2] = { { .fd = b->wake, .events = POLLIN }, { .fd = b->inotify, .events = POLLIN } };
		const char *from = NULL;
		int given = -1;
		bool poked;

		(void)poll(fds, 2, POLL_MS);
		drain(b->wake);
		drain(b->inotify);
		if (!take_orders(b, &given, &from, &poked))
			return NULL;
		verify_given(b, given, from);
		look(b, poked);
	}
}

static void wake(struct inbox *b) {
	const uint64_t one = 1;

	(void)!write(b->wake, &one, sizeof one);
}

bool inbox_give(struct inbox *b, int *fd, const char *from) {
	bool free_place;

	(void)pthread_mutex_lock(&b->lock);
	free_place = b->given < 0;
	if (free_place) {
		b->given = *fd;
		b->given_from = from;
		*fd = -1;
	}
	(void)pthread_mutex_unlock(&b->lock);
	wake(b);
	return free_place;
}

void inbox_poke(struct inbox *b) {
	(void)pthread_mutex_lock(&b->lock);
	b->poked = true;
	(void)pthread_mutex_unlock(&b->lock);
	wake(b);
}

int inbox_fd(const struct inbox *b) {
	return b->ready;
}

int inbox_new(struct inbox **out, const char *dir, const char *name, const struct chain *chain, struct err *e) {
	struct inbox *b = xcalloc(1, sizeof *b);

	b->dir = xstrdup(dir);
	b->name = xstrdup(name);
	b->path = file_join(dir, name);
	b->group = log_group();
	b->chain = chain;
	b->given = -1;
	(void)pthread_mutex_init(&b->lock, NULL);
	b->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (b->wake < 0 || b->ready < 0) {
		err_sys(e, ERR_FAIL, "eventfd");
		inbox_free(b);
		return e->code;
	}
	/* Without it (descriptors exhausted, no such folder yet) the poll alone has to do. */
	if (b->inotify >= 0 && inotify_add_watch(b->inotify, dir, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		log_event(LOG_LEVEL_WARN, "inotify", "folder", dir, "error", strerror(errno), NULL);
	*out = b;
	return 0;
}

int inbox_start(struct inbox *b, struct err *e) {
	int rc = pthread_create(&b->thread, NULL, watch, b);

	if (rc != 0) {
		errno = rc;
		return err_sys(e, ERR_FAIL, "thread");
	}
	b->running = true;
	return 0;
}

void inbox_free(struct inbox *b) {
	if (b == NULL)
		return;
	if (b->running) {
		(void)pthread_mutex_lock(&b->lock);
		b->stop = true;
		(void)pthread_mutex_unlock(&b->lock);
		wake(b);
		(void)pthread_join(b->thread, NULL);
	}
	own_fd(&b->inotify);
	own_fd(&b->wake);
	own_fd(&b->ready);
	(void)pthread_mutex_destroy(&b->lock);
	list_free(b->list);
	spool_close(&b->given);
	free(b->dir);
	free(b->name);
	free(b->path);
	free(b);
}
