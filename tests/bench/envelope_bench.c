/* SPDX-License-Identifier: Apache-2.0 */
/* Seals and opens files with a group that lies in a folder, without gateway and client: what tests/bench/envelope.py measures.
 *     envelope_bench init DIR                  a group: ca.crt, cert.pem, key.pem, group.key ("KEY ID" in hex)
 *     envelope_bench seal DIR IN OUT [N]       N threads; "-" is standard input or output; OUT is not cut off beforehand (warm)
 *     envelope_bench open DIR IN OUT [N]
 *     envelope_bench limit BYTES [N]           AES-256-GCM and SHA-256 over memory that is in the cache: what no envelope can beat
 *     envelope_bench many DIR N                seals and opens N files of 4 KiB in memory, prints microseconds of each */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/own.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/work.h"
#include "envelope/content.h"
#include "envelope/envelope.h"
#include "lib/fixture.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/ossl.h"

#define KEY_HEX (2 * (size_t)GROUP_KEY_LEN)
#define ID_HEX (2 * (size_t)KEY_ID_LEN)
#define LINE_LEN (KEY_HEX + 1 + ID_HEX + 1) /* "KEY ID\n" */

struct group {
	struct epoch epoch;
	struct keyring keys;
	EVP_PKEY *key;
	X509 *cert, *ca;
	struct chain *chain;
};

static int save_pem(const char *dir, const char *name, const X509 *cert, struct err *e) {
	OWN(own_free) char *path = file_join(dir, name);
	OWN(buf_wipe) struct buf pem = {0};
	int r = cert_pem(cert, &pem, e);

	return r != 0 ? r : file_save(path, pem.data, pem.len, 0600, e);
}

static int init(char **argv, struct err *e) {
	OWN(fixture_wipe) struct fixture f = {0};
	OWN(own_free) char *key = file_join(argv[0], "key.pem");
	OWN(own_free) char *group = file_join(argv[0], "group.key");
	uint8_t raw[GROUP_KEY_LEN + KEY_ID_LEN];
	char line[LINE_LEN + 1];
	struct secret none = {0};
	int r;

	fixture_init(&f);
	if ((r = random_bytes(raw, sizeof raw, e)) != 0)
		return r;
	text_hex(raw, GROUP_KEY_LEN, line);
	line[KEY_HEX] = ' ';
	text_hex(raw + GROUP_KEY_LEN, KEY_ID_LEN, line + KEY_HEX + 1);
	line[LINE_LEN - 1] = '\n';
	if ((r = file_mkdir(argv[0], 0700, true, e)) != 0 || (r = save_pem(argv[0], "ca.crt", f.ca.cert, e)) != 0 ||
	    (r = save_pem(argv[0], "cert.pem", f.alice.cert, e)) != 0 || (r = key_save_new(key, f.alice.key, &none, e)) != 0)
		return r;
	return file_save(group, line, LINE_LEN, 0600, e);
}

static int load(const char *dir, struct group *g, struct err *e) {
	OWN(own_free) char *ca = file_join(dir, "ca.crt");
	OWN(own_free) char *cert = file_join(dir, "cert.pem");
	OWN(own_free) char *key = file_join(dir, "key.pem");
	OWN(own_free) char *group = file_join(dir, "group.key");
	OWN(buf_wipe) struct buf line = {0};
	int r;

	if ((r = file_load(group, 1024, &line, e)) != 0 || (r = cert_load(ca, &g->ca, e)) != 0 || (r = cert_load(cert, &g->cert, e)) != 0 ||
	    (r = key_load(key, NULL, &g->key, e)) != 0 || (r = chain_new(g->ca, &g->chain, e)) != 0 ||
	    (r = secret_init(&g->epoch.key, GROUP_KEY_LEN, e)) != 0)
		return r;
	if (line.len != LINE_LEN)
		return err_set(e, ERR_FAIL, "group.key is not what init wrote");
	line.data[KEY_HEX] = line.data[LINE_LEN - 1] = '\0';
	g->epoch.number = 1;
	g->keys = (struct keyring){ .v = &g->epoch, .n = 1 };
	if ((r = text_unhex(buf_str(&line), g->epoch.key.data, GROUP_KEY_LEN, e)) != 0)
		return r;
	return text_unhex(buf_str(&line) + KEY_HEX + 1, g->epoch.key_id, KEY_ID_LEN, e);
}

static void group_wipe(struct group *g) {
	secret_wipe(&g->epoch.key);
	EVP_PKEY_free(g->key);
	X509_free(g->cert);
	X509_free(g->ca);
	chain_free(g->chain);
}

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

static int transfer(bool seal, char **argv, struct err *e) {
	OWN(group_wipe) struct group g = {0};
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	OWN(own_fd) int in_fd = strcmp(argv[1], "-") == 0 ? dup(0) : open(argv[1], O_RDONLY | O_CLOEXEC);
	OWN(own_fd) int out_fd = strcmp(argv[2], "-") == 0 ? dup(1) : open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct io_fd in = { in_fd, argv[1] }, out = { out_fd, argv[2] };
	struct source source;
	struct sink sink;
	int r;

	if (in_fd < 0 || out_fd < 0)
		return err_sys(e, ERR_FAIL, "cannot open %s", in_fd < 0 ? argv[1] : argv[2]);
	if ((r = load(argv[0], &g, e)) != 0 || (r = source_fd(&in, &source, e)) != 0 || (r = sink_fd(&out, &sink, e)) != 0)
		return r;
	if (seal) {
		struct envelope_seal s = sealing(&g, threads_of(argv[3]));

		if ((r = envelope_seal(&s, &source, &sink, &result, e)) != 0 || sink.write_at == NULL)
			return r;
		/* What a longer signature of an earlier run left behind. */
		return ftruncate(out_fd, (off_t)result.object_size) == 0 ? 0 : err_sys(e, ERR_FAIL, "cannot truncate");
	}
	struct envelope_open o = opening(&g, threads_of(argv[3]));

	return envelope_open(&o, &source, &sink, &result, e);
}

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

static double now_s(void) {
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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

	if ((r = load(argv[0], &g, e)) != 0)
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

static int run(int argc, char **argv, struct err *e) {
	if (argc == 3 && strcmp(argv[1], "init") == 0)
		return init(argv + 2, e);
	if ((argc == 5 || argc == 6) && (strcmp(argv[1], "seal") == 0 || strcmp(argv[1], "open") == 0))
		return transfer(argv[1][0] == 's', argv + 2, e);
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "limit") == 0)
		return limit(argv + 2, e);
	if (argc == 4 && strcmp(argv[1], "many") == 0)
		return many(argv + 2, e);
	return err_set(e, ERR_USAGE, "init DIR | seal DIR IN OUT [N] | open DIR IN OUT [N] | limit BYTES [N] | many DIR N");
}

int main(int argc, char **argv) {
	struct err e = ERR_INIT;
	int r = run(argc, argv, &e);

	if (r != 0)
		(void)fprintf(stderr, "envelope_bench: %s\n", e.text);
	return err_status(r);
}
