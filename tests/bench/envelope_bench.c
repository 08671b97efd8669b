/* SPDX-License-Identifier: Apache-2.0 */
/* Seals and opens files with a group that lies in a folder, without gateway and client: what tests/bench/envelope.py measures.
 *     envelope_bench init DIR                  a group: ca.crt, cert.pem, key.pem, group.key ("KEY ID" in hex)
 *     envelope_bench seal DIR IN OUT [N]       N threads; "-" is standard input or output; OUT is not cut off beforehand (warm)
 *     envelope_bench open DIR IN OUT [N]
 *     envelope_bench limit BYTES [N]           AES-256-GCM and SHA-256 over memory that is in the cache: what no envelope can beat
 *     envelope_bench many DIR N                seals and opens N files of 4 KiB in memory, prints microseconds of each
 *     envelope_bench files-seal DIR FROM TO [N]  each file of the folder FROM into the folder TO, N at once
 *     envelope_bench files-open DIR FROM TO [N]
 *     envelope_bench range DIR IN FIRST LAST   opens these bytes into nothing, prints milliseconds
 *     envelope_bench feed FILE                 the file to a pipe on standard output, without a copy (splice)
 *     envelope_bench drain                     what comes through a pipe goes nowhere, without a copy */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/work.h"
#include "bench/envelope_group.h"
#include "envelope/content.h"
#include "envelope/envelope.h"

static struct envelope_seal sealing(const struct group *g, unsigned threads) {
	return (struct envelope_seal){ .epoch = &g->epoch, .group = "lab", .name = "bench", .version = 1, .key = g->key, .cert = g->cert,
				       .threads = threads };
}

static struct envelope_open opening(const struct group *g, unsigned threads) {
	return (struct envelope_open){ .keys = &g->keys, .chain = g->chain, .group = "lab", .threads = threads };
}

static unsigned threads_of(const char *arg) {
	return arg == NULL ? 0 : (unsigned)strtoul(arg, NULL, 10);
}

static double now_s(void) {
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One file; the group is loaded already. */
static int pass(const struct group *g, bool seal, unsigned threads, int in_fd, int out_fd, struct err *e) {
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	struct io_fd in = { in_fd, "input" }, out = { out_fd, "output" };
	struct envelope_seal s = sealing(g, threads);
	struct envelope_open o = opening(g, threads);
	struct source source;
	struct sink sink;
	int r;

	if ((r = source_fd(&in, &source, e)) != 0 || (r = sink_fd(&out, &sink, e)) != 0)
		return r;
	if (!seal)
		return envelope_open(&o, &source, &sink, &result, e);
	if ((r = envelope_seal(&s, &source, &sink, &result, e)) != 0 || sink.write_at == NULL)
		return r;
	/* What a longer signature of an earlier run left behind. */
	return ftruncate(out_fd, (off_t)result.object_size) == 0 ? 0 : err_sys(e, ERR_FAIL, "cannot truncate");
}

static int transfer(bool seal, char **argv, struct err *e) {
	OWN(group_wipe) struct group g = {0};
	OWN(own_fd) int in_fd = strcmp(argv[1], "-") == 0 ? dup(0) : open(argv[1], O_RDONLY | O_CLOEXEC);
	OWN(own_fd) int out_fd = strcmp(argv[2], "-") == 0 ? dup(1) : open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int r;

	if (in_fd < 0 || out_fd < 0)
		return err_sys(e, ERR_FAIL, "cannot open %s", in_fd < 0 ? argv[1] : argv[2]);
	return (r = group_load(argv[0], &g, e)) != 0 ? r : pass(&g, seal, threads_of(argv[3]), in_fd, out_fd, e);
}

static int range(char **argv, struct err *e) {
	OWN(group_wipe) struct group g = {0};
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	OWN(own_fd) int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	struct envelope_open o = opening(&g, 0);
	struct io_fd io = { fd, argv[1] };
	struct envelope_range range;
	struct source source;
	double start;
	int r;

	if ((r = text_u64(argv[2], INT64_MAX, &range.first, e)) != 0 || (r = text_u64(argv[3], INT64_MAX, &range.last, e)) != 0 ||
	    (r = group_load(argv[0], &g, e)) != 0 || (r = source_fd(&io, &source, e)) != 0)
		return r;
	o.chain = g.chain;
	o.range = &range;
	start = now_s();
	if ((r = envelope_open(&o, &source, NULL, &result, e)) == 0)
		(void)printf("%.3f\n", (now_s() - start) * 1e3);
	return r;
}

/* ---- many files in one process ---- */

struct files {
	struct group g;
	const char *from, *to;
	bool seal;
	char **names;
	size_t n;
	atomic_size_t next;
};

static int list(struct files *f, struct err *e) {
	DIR *d = opendir(f->from);
	const struct dirent *ent;
	size_t cap = 0;

	if (d == NULL)
		return err_sys(e, ERR_FAIL, "cannot open %s", f->from);
	while ((ent = readdir(d)) != NULL) {
		if (ent->d_name[0] == '.')
			continue;
		if (f->n == cap) {
			cap = cap == 0 ? 1024 : 2 * cap;
			f->names = xrealloc(f->names, cap, sizeof *f->names);
		}
		f->names[f->n++] = xstrdup(ent->d_name);
	}
	(void)closedir(d);
	return 0;
}

static int files_worker(void *arg, unsigned who, struct err *e) {
	struct files *f = arg;
	size_t i;
	int r = 0;

	(void)who;
	while (r == 0 && (i = atomic_fetch_add(&f->next, 1)) < f->n) {
		OWN(own_free) char *from = file_join(f->from, f->names[i]);
		OWN(own_free) char *to = file_join(f->to, f->names[i]);
		OWN(own_fd) int in_fd = open(from, O_RDONLY | O_CLOEXEC);
		OWN(own_fd) int out_fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		r = in_fd < 0 || out_fd < 0 ? err_sys(e, ERR_FAIL, "cannot open %s", in_fd < 0 ? from : to)
					    : pass(&f->g, f->seal, 1, in_fd, out_fd, e);
	}
	return r;
}

static void files_wipe(struct files *f) {
	group_wipe(&f->g);
	for (size_t i = 0; i < f->n; i++)
		free(f->names[i]);
	free(f->names);
}

static int files(bool seal, char **argv, struct err *e) {
	OWN(files_wipe) struct files f = { .from = argv[1], .to = argv[2], .seal = seal };
	int r;

	if ((r = group_load(argv[0], &f.g, e)) != 0 || (r = list(&f, e)) != 0)
		return r;
	return work_run(argv[3] == NULL ? work_cores() : threads_of(argv[3]), files_worker, &f, e);
}

/* ---- pipes that cost next to nothing ---- */

#define SPLICE_LEN (512u << 10)

static int splice_all(int from, int to, struct err *e) {
	ssize_t n;

	(void)fcntl(from, F_SETPIPE_SZ, SPLICE_LEN);
	while ((n = splice(from, NULL, to, NULL, SPLICE_LEN, SPLICE_F_MOVE)) > 0)
		;
	return n == 0 ? 0 : err_sys(e, ERR_FAIL, "cannot splice");
}

static int splice_file(const char *name, bool feed, struct err *e) {
	OWN(own_fd) int fd = open(name, (feed ? O_RDONLY : O_WRONLY) | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, ERR_FAIL, "cannot open %s", name);
	return feed ? splice_all(fd, STDOUT_FILENO, e) : splice_all(STDIN_FILENO, fd, e);
}

/* ---- what no envelope can beat ---- */

struct limit { struct content c; uint64_t segments; };

static int limit_worker(void *arg, unsigned who, struct err *e) {
	struct limit *l = arg;
	OWN(crypt_wipe) struct crypt c = {0};
	OWN(own_free) uint8_t *p = xcalloc(1, 64u << 10);
	uint8_t tag[OBJECT_TAG_LEN], digest[32];
	int r = crypt_init(&c, NULL, &l->c, true, e);

	for (uint64_t i = 0; r == 0 && i < l->segments; i++) {
		struct object o = { (uint32_t)(i | (uint64_t)who << 24), OBJECT_MORE, SEGMENT_LEN };

		r = crypt_begin(&c, &o, e);
		for (size_t n = 0; r == 0 && n < SEGMENT_LEN; n += 64u << 10)
			r = crypt_update(&c, p, 64u << 10, e);
		if (r == 0)
			r = crypt_end(&c, NULL, tag, digest, e);
	}
	return r;
}

static int limit(char **argv, struct err *e) {
	struct epoch epoch = {0};
	struct limit l = {0};
	unsigned n = argv[1] == NULL ? work_cores() : threads_of(argv[1]);
	uint64_t bytes;
	double start;
	int r;

	if ((r = text_u64(argv[0], UINT64_C(1) << 40, &bytes, e)) != 0 || (r = secret_random(&epoch.key, GROUP_KEY_LEN, e)) != 0)
		return r;
	r = content_make(&l.c, &epoch, e);
	l.segments = bytes / SEGMENT_LEN / n;
	start = now_s();
	if (r == 0 && (r = work_run(n, limit_worker, &l, e)) == 0)
		(void)printf("%.6f\n", now_s() - start);
	content_wipe(&l.c);
	secret_wipe(&epoch.key);
	return r;
}

struct memory { uint8_t data[16384]; size_t len; };

static int memory_read_at(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	struct memory *m = arg;

	(void)e;
	*got = off >= m->len ? 0 : m->len - off < len ? m->len - (size_t)off : len;
	memcpy(data, m->data + off, *got);
	return 0;
}

static int memory_write_at(void *arg, const void *data, size_t len, uint64_t off, struct err *e) {
	struct memory *m = arg;

	if (len > sizeof m->data || off > sizeof m->data - len)
		return err_set(e, ERR_FAIL, "memory is full");
	memcpy(m->data + off, data, len);
	m->len = off + len > m->len ? (size_t)off + len : m->len;
	return 0;
}

static int many(char **argv, struct err *e) {
	OWN(group_wipe) struct group g = {0};
	static struct memory plain, sealed, again;
	struct source in = { .arg = &plain, .read_at = memory_read_at }, mid = { .arg = &sealed, .read_at = memory_read_at };
	struct sink out = { .arg = &sealed, .write_at = memory_write_at }, end = { .arg = &again, .write_at = memory_write_at };
	struct envelope_result result;
	double times[2] = {0}, start;
	unsigned n = threads_of(argv[1]);
	int r;

	if ((r = group_load(argv[0], &g, e)) != 0)
		return r;
	in.size = plain.len = 4096;
	for (unsigned i = 0; i < n; i++) {
		struct envelope_seal s = sealing(&g, 1);
		struct envelope_open o = opening(&g, 1);

		sealed.len = 0;
		start = now_s();
		if ((r = envelope_seal(&s, &in, &out, &result, e)) != 0)
			return r;
		envelope_result_wipe(&result);
		times[0] += now_s() - start;
		mid.size = sealed.len;
		start = now_s();
		if ((r = envelope_open(&o, &mid, &end, &result, e)) != 0)
			return r;
		envelope_result_wipe(&result);
		times[1] += now_s() - start;
	}
	(void)printf("%.1f %.1f\n", times[0] / n * 1e6, times[1] / n * 1e6);
	return 0;
}

static int do_init(char **argv, struct err *e) { return group_init(argv[0], e); }
static int do_seal(char **argv, struct err *e) { return transfer(true, argv, e); }
static int do_open(char **argv, struct err *e) { return transfer(false, argv, e); }
static int do_files_seal(char **argv, struct err *e) { return files(true, argv, e); }
static int do_files_open(char **argv, struct err *e) { return files(false, argv, e); }
static int do_feed(char **argv, struct err *e) { return splice_file(argv[0], true, e); }
static int do_drain(char **argv, struct err *e) { (void)argv; return splice_file("/dev/null", false, e); }

static const struct { const char *name; int min, max; int (*f)(char **argv, struct err *e); } commands[] = {
	{ "init", 1, 1, do_init }, { "seal", 3, 4, do_seal }, { "open", 3, 4, do_open }, { "limit", 1, 2, limit }, { "many", 2, 2, many },
	{ "files-seal", 3, 4, do_files_seal }, { "files-open", 3, 4, do_files_open }, { "range", 4, 4, range },
	{ "feed", 1, 1, do_feed }, { "drain", 0, 0, do_drain },
};

static int run(int argc, char **argv, struct err *e) {
	for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].min && argc - 2 <= commands[i].max)
			return commands[i].f(argv + 2, e);
	return err_set(e, ERR_USAGE, "a command and its arguments, as its source says");
}

int main(int argc, char **argv) {
	struct err e = ERR_INIT;
	int r = run(argc, argv, &e);

	if (r != 0)
		(void)fprintf(stderr, "envelope_bench: %s\n", e.text);
	return err_status(r);
}
