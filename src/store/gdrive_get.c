/* SPDX-License-Identifier: Apache-2.0 */
/* Reading objects: a range, or as a stream that a thread of its own fills. */
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "store/gdrive_pull.h"

#define RING_BYTES ((size_t)2 << 20) /* several streams at once stay far below 64 MiB */
#define RING_PART (RING_BYTES / 4)   /* neither side is woken for less: what comes over TLS comes in 16 KiB */

static int path_of(struct gdrive *g, const char *object, char **path, struct err *e) {
	char file[GDRIVE_FILE_MAX + 1];
	struct gdrive_file f;
	bool known = gdrive_recall(g, object, file);
	int r;

	if (!known) {
		gdrive_learn(g);
		known = gdrive_recall(g, object, file);
	}
	if (!known) {
		if ((r = gdrive_find(g, object, true, &f, e)) != 0)
			return r;
		memcpy(file, f.id, sizeof(file));
	}
	*path = xasprintf("/drive/v3/files/%s", file);
	return 0;
}

int gdrive_get(void *state, const char *id, uint64_t off, void *data, size_t len, size_t *got, struct err *e) {
	OWN(own_free) char *path = NULL, *again = NULL;
	int r = path_of(state, id, &path, e);

	*got = 0;
	if (r == 0)
		r = gdrive_pull_into(state, path, off, data, len, got, e);
	if (r != ERR_NOTFOUND || path == NULL)
		return r;
	/* What was remembered is gone: another of the name counts now, if there is one. */
	gdrive_forget(state, id);
	r = path_of(state, id, &again, e);
	return r != 0 ? r : gdrive_pull_into(state, again, off, data, len, got, e);
}

struct stream {
	struct gdrive_pull pull;
	char *path;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	uint8_t *ring;
	size_t head, len; /* where the oldest byte is, and how many there are */
	size_t due;       /* what the reader waits for; 0: it does not */
	bool ended, stop;
	int code;         /* once it has ended */
	struct err why;
};

static void add(struct stream *s, const uint8_t *data, size_t len) {
	size_t tail = (s->head + s->len) % RING_BYTES;
	size_t first = len < RING_BYTES - tail ? len : RING_BYTES - tail;

	memcpy(s->ring + tail, data, first);
	memcpy(s->ring, data + first, len - first);
	s->len += len;
}

static void wait_for_room(struct stream *s) {
	if (s->len < RING_BYTES)
		return;
	while (RING_BYTES - s->len < RING_PART && !s->stop)
		(void)pthread_cond_wait(&s->changed, &s->lock);
}

/* Waits for room: so Drive is read no faster than the stream. */
static int fill(void *arg, const void *data, size_t len, struct err *e) {
	struct stream *s = arg;
	const uint8_t *from = data;
	size_t n;
	bool stop;

	(void)pthread_mutex_lock(&s->lock);
	while (len > 0 && !s->stop) {
		n = RING_BYTES - s->len < len ? RING_BYTES - s->len : len;
		add(s, from, n);
		from += n;
		len -= n;
		if (s->due > 0 && s->len >= s->due)
			(void)pthread_cond_signal(&s->changed);
		wait_for_room(s);
	}
	stop = s->stop;
	(void)pthread_mutex_unlock(&s->lock);
	return stop ? err_set(e, ERR_FAIL, "nobody reads it any more") : 0;
}

static void *run(void *arg) {
	struct stream *s = arg;
	struct err why = ERR_INIT;
	int r = gdrive_pull(&s->pull, &why);

	(void)pthread_mutex_lock(&s->lock);
	s->ended = true;
	s->code = r;
	s->why = why;
	(void)pthread_cond_signal(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void release(struct stream *s) {
	(void)pthread_cond_destroy(&s->changed);
	(void)pthread_mutex_destroy(&s->lock);
	free(s->ring);
	free(s->path);
	free(s);
}

int gdrive_stream_open(void *state, const char *id, uint64_t off, void **stream, struct err *e) {
	char *path = NULL;
	struct stream *s;
	int r = path_of(state, id, &path, e);

	if (r != 0)
		return r;
	s = xcalloc(1, sizeof(*s));
	s->path = path;
	s->pull = (struct gdrive_pull){ .g = state, .path = path, .pos = off, .end = GDRIVE_END_UNKNOWN, .take = fill, .arg = s };
	s->ring = xmalloc(RING_BYTES);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->changed, NULL);
	if (pthread_create(&s->thread, NULL, run, s) != 0) {
		release(s);
		return err_set(e, ERR_FAIL, "no thread for reading from the drive");
	}
	*stream = s;
	return 0;
}

int gdrive_stream_read(void *stream, void *data, size_t len, size_t *got, struct err *e) {
	struct stream *s = stream;
	size_t n;
	int r = 0;

	(void)pthread_mutex_lock(&s->lock);
	s->due = len < RING_PART ? len : RING_PART;
	while (s->len < s->due && !s->ended)
		(void)pthread_cond_wait(&s->changed, &s->lock);
	s->due = 0;
	n = s->len < RING_BYTES - s->head ? s->len : RING_BYTES - s->head;
	n = n < len ? n : len;
	memcpy(data, s->ring + s->head, n);
	s->head = (s->head + n) % RING_BYTES;
	s->len -= n;
	if (n == 0 && len > 0 && s->code != 0)
		r = err_set(e, s->code, "%s", s->why.text);
	if (RING_BYTES - s->len >= RING_PART)
		(void)pthread_cond_signal(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	*got = n;
	return r;
}

void gdrive_stream_free(void *stream) {
	struct stream *s = stream;

	(void)pthread_mutex_lock(&s->lock);
	s->stop = true;
	(void)pthread_cond_signal(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->thread, NULL);
	release(s);
}
