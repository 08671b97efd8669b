/* SPDX-License-Identifier: Apache-2.0 */
#include "base/progress.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"

#define REDRAW_MS 100
#define BAR 30

struct progress {
	pthread_mutex_t lock;
	const char *verb;
	uint64_t total, done;
	int64_t started_ms, drawn_ms;
	bool quiet, terminal, drawn;
};

struct progress *progress_new(const char *verb, uint64_t total_bytes, bool quiet) {
	struct progress *p = xcalloc(1, sizeof(*p));

	(void)pthread_mutex_init(&p->lock, NULL);
	p->verb = verb;
	p->total = total_bytes;
	p->quiet = quiet;
	p->terminal = isatty(STDERR_FILENO) == 1;
	p->started_ms = p->drawn_ms = clock_mono_ms();
	return p;
}

/* A line as wide as the terminal would begin another one, and be left there at the next. */
static size_t room(void) {
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col - 1U : INT_MAX;
}

static void draw(struct progress *p, int64_t now) {
	OWN(buf_wipe) struct buf line = {0};
	char done[16], rate[16], bar[BAR + 1];
	uint64_t ms = (uint64_t)(now - p->started_ms) + 1;
	size_t full = p->total > 0 && p->done < p->total ? (size_t)((double)p->done / (double)p->total * BAR) : BAR, most = room();

	memset(bar, ' ', BAR);
	memset(bar, '#', full);
	bar[BAR] = '\0';
	text_size(p->done, done);
	text_size((uint64_t)((double)p->done * 1000 / (double)ms), rate);
	buf_addf(&line, "%s [%s] %s, %s/s", p->verb, bar, done, rate);
	if (p->total == 0 || line.len > most) {
		buf_clear(&line);
		buf_addf(&line, "%s %s, %s/s", p->verb, done, rate);
	}
	(void)fprintf(stderr, "\r%.*s\033[K", (int)(line.len < most ? line.len : most), buf_str(&line));
	p->drawn = true;
	p->drawn_ms = now;
}

static void clear(struct progress *p) {
	if (p->drawn)
		(void)fputs("\r\033[K", stderr);
	p->drawn = false;
}

void progress_add(struct progress *p, uint64_t bytes) {
	int64_t now;

	if (p == NULL || p->quiet)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->done += bytes;
	now = clock_mono_ms();
	if (p->terminal && now - p->drawn_ms >= REDRAW_MS)
		draw(p, now);
	(void)pthread_mutex_unlock(&p->lock);
}

void progress_item(struct progress *p, const char *name, const char *result) {
	OWN(buf_wipe) struct buf shown = {0};

	if (p == NULL || p->quiet)
		return;
	text_escape(name, strlen(name), &shown);
	(void)pthread_mutex_lock(&p->lock);
	clear(p);
	(void)fprintf(stderr, "%s: %s\n", buf_str(&shown), result);
	(void)pthread_mutex_unlock(&p->lock);
}

void progress_free(struct progress *p) {
	if (p == NULL)
		return;
	clear(p);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
