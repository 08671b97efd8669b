/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger without sockets: what tests/bench/ledger.py measures.
 *     ledger_bench append DIR N GROUP    seconds to append N posted events, GROUP of them in each committed transaction
 *     ledger_bench make DIR N MEMBERS    a ledger of N entries, as replies of a gateway (batch-INDEX), with its keys
 *     ledger_bench replay DIR            seconds and peak KiB of a synchronisation with that; a second one has it all
 * already */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/file.h"
#include "base/own.h"
#include "lib/memgate.h"
#include "pki/key.h"

#define MEMBERS_MAX 300
#define FILES_MAX 100000

struct bench {
	struct fixture f;
	struct memgate g;
	struct fixture_id member[MEMBERS_MAX];
	unsigned n_members;
	uint32_t seed;
	struct { uint8_t file[16]; uint64_t base; } file[FILES_MAX];
	size_t n_files;
};

static void die(const struct err *e) {
	(void)fprintf(stderr, "ledger_bench: %s\n", e->text);
	exit(EXIT_FAILURE);
}

static void must(int r, const struct err *e) {
	if (r != 0)
		die(e);
}

static double now(void) {
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t pick(struct bench *b, uint32_t n) {
	b->seed = b->seed * 1664525u + 1013904223u;
	return (uint32_t)(((uint64_t)(b->seed >> 8) * n) >> 24);
}

static void set_up(struct bench *b, const char *dir, unsigned members) {
	OWN(own_free) char *db = file_join(dir, "gateway.db");
	char name[32];

	fixture_init(&b->f);
	memgate_init(&b->g, &b->f, db);
	b->n_members = members;
	for (unsigned i = 0; i < members; i++) {
		(void)snprintf(name, sizeof name, "member %u", i);
		fixture_member(&b->f, name, &b->member[i]);
		memgate_member(&b->g, b->member[i].cert);
	}
}

/* Half of the events bring new files, the others change one of them. */
static void draw(struct bench *b, struct memgate_step *s, char *path, size_t path_size, size_t *at) {
	enum event_op op = b->n_files == 0 || (pick(b, 2) == 0 && b->n_files < FILES_MAX) ? EVENT_PUT
	    : pick(b, 4) == 0 ? EVENT_RENAME : pick(b, 2) == 0 ? EVENT_REKEY : EVENT_REPLACE;
	struct ledger_file base = {0};

	*at = op == EVENT_PUT ? b->n_files : pick(b, (uint32_t)b->n_files);
	(void)snprintf(
	    path, path_size, "folder %u/%u/file %" PRIu64 ".txt", pick(b, 50), pick(b, 50), ledger_size(b->g.ledger));
	memcpy(base.file, b->file[*at].file, sizeof base.file);
	base.base = b->file[*at].base;
	memgate_step(&b->g, op, path, op == EVENT_PUT ? NULL : &base, s);
}

static void append_one(
    struct bench *b, const struct fixture_id *who, const struct buf *entry, struct ledger_result *r, struct err *e) {
	const struct ledger_how how = {.mode = LEDGER_POST, .peer = who->cert, .now_s = b->g.now_s};
	struct entry en;

	must(entry_parse(entry->data, entry->len, &en, e), e);
	must(ledger_append(b->g.ledger, &en, &how, r, e), e);
}

static void change_one(struct bench *b, struct err *e) {
	const struct fixture_id *who = &b->member[pick(b, b->n_members)];
	const struct ledger_signer by = {.key = who->key, .cert = who->cert, .now_s = b->g.now_s};
	OWN(buf_wipe) struct buf entry = {0};
	struct ledger_result r;
	struct memgate_step s;
	char path[64];
	size_t at;

	draw(b, &s, path, sizeof path, &at);
	must(ledger_change(b->g.ledger, &s.c, &by, &entry, e), e);
	append_one(b, who, &entry, &r, e);
	memcpy(b->file[at].file, s.file, sizeof s.file);
	b->file[at].base = r.index;
	b->n_files += at == b->n_files;
}

static void append(struct bench *b, char **argv, struct err *e) {
	size_t n = strtoul(argv[1], NULL, 10), group = strtoul(argv[2], NULL, 10);
	struct buf *entry = xcalloc(n, sizeof *entry);
	struct memgate_step s;
	struct ledger_result r;
	char path[64];
	double start;

	set_up(b, argv[0], 20);
	for (size_t i = 0; i < n; i++) { /* signed in advance: that is the members' work */
		const struct fixture_id *who = &b->member[i % b->n_members];
		const struct ledger_signer by = {.key = who->key, .cert = who->cert, .now_s = b->g.now_s};

		(void)snprintf(path, sizeof path, "folder %zu/file %zu", i % 50, i);
		memgate_step(&b->g, EVENT_PUT, path, NULL, &s);
		must(ledger_change(b->g.ledger, &s.c, &by, &entry[i], e), e);
	}
	start = now();
	for (size_t i = 0; i < n;) {
		must(db_begin(b->g.db, e), e);
		for (size_t k = 0; k < group && i < n; k++, i++)
			append_one(b, &b->member[i % b->n_members], &entry[i], &r, e);
		must(db_commit(b->g.db, e), e);
	}
	printf("%.3f\n", now() - start);
	for (size_t i = 0; i < n; i++)
		buf_wipe(&entry[i]);
	free(entry);
}

static void save(const char *dir, const char *name, const struct buf *b, struct err *e) {
	OWN(own_free) char *path = file_join(dir, name);

	must(file_save(path, b->data, b->len, 0600, e), e);
}

static void save_batches(struct bench *b, const char *dir, struct err *e) {
	uint64_t from = 0, next;

	while (from < ledger_size(b->g.ledger)) {
		OWN(buf_wipe) struct buf der = {0};
		char name[32];

		must(ledger_entries(b->g.ledger, from, ENTRIES_BATCH_BYTES, &der, &next, e), e);
		(void)snprintf(name, sizeof name, "batch-%" PRIu64, from);
		save(dir, name, &der, e);
		from = next;
	}
}

static void save_keys(struct bench *b, const char *dir, struct err *e) {
	OWN(own_free) char *key = file_join(dir, "gateway.key");
	OWN(buf_wipe) struct buf ca = {0}, cert = {0}, head = {0};
	struct secret none = {0};
	struct head h;

	must(cert_der(b->f.ca.cert, &ca, e), e);
	must(cert_der(b->f.gateway.cert, &cert, e), e);
	ledger_head(b->g.ledger, &h);
	head_print(&h, &head);
	save(dir, "ca.crt", &ca, e);
	save(dir, "gateway.crt", &cert, e);
	save(dir, "head", &head, e);
	must(key_save_new(key, b->f.gateway.key, &none, e), e);
}

static void make(struct bench *b, char **argv, struct err *e) {
	size_t n = strtoul(argv[1], NULL, 10);

	set_up(b, argv[0], (unsigned)strtoul(argv[2], NULL, 10));
	while (ledger_size(b->g.ledger) < n) {
		must(db_begin(b->g.db, e), e);
		for (int k = 0; k < 1000 && ledger_size(b->g.ledger) < n; k++)
			change_one(b, e);
		must(db_commit(b->g.db, e), e);
	}
	save_batches(b, argv[0], e);
	save_keys(b, argv[0], e);
}

/* What a member's process sees of that gateway. */
struct far { const char *dir; struct fixture_id id; struct head head; int64_t now_s; };

static int far_head(void *arg, const uint8_t *nonce, size_t nonce_len, struct buf *der, struct err *e) {
	const struct far *r = arg;
	const struct head_sign by = {
	    .key = r->id.key, .cert = r->id.cert, .nonce = nonce, .nonce_len = nonce_len, .now_s = r->now_s};

	return head_sign(&r->head, &by, der, e);
}

static int far_entries(void *arg, uint64_t from, struct buf *der, struct err *e) {
	const struct far *r = arg;
	char name[32];

	(void)snprintf(name, sizeof name, "batch-%" PRIu64, from);
	OWN(own_free) char *path = file_join(r->dir, name);
	return file_load(path, ENTRIES_MAX_BYTES, der, e);
}

static void load(const char *dir, struct far *r, struct chain **chain, struct err *e) {
	OWN(own_free)
	char *key = file_join(dir, "gateway.key"),
	     *cert = file_join(dir, "gateway.crt"), *ca = file_join(dir, "ca.crt"), *head = file_join(dir, "head");
	OWN(buf_wipe) struct buf text = {0};
	X509 *anchor;

	must(cert_load(ca, &anchor, e), e);
	must(chain_new(anchor, chain, e), e);
	must(cert_load(cert, &r->id.cert, e), e);
	must(key_load(key, NULL, &r->id.key, e), e);
	must(file_load(head, HEAD_MAX_BYTES, &text, e), e);
	must(head_parse(text.data, text.len, &r->head, e), e);
	X509_free(anchor);
	r->dir = dir;
	r->now_s = cert_not_before(r->id.cert) + 3600;
}

static void replay(char **argv, struct err *e) {
	OWN(own_free) char *db = file_join(argv[0], "ledger.db");
	struct far r = {0};
	const struct mirror_transport t = {.arg = &r, .head = far_head, .entries = far_entries};
	struct chain *chain;
	struct rusage used;
	struct mirror *m;
	double start;

	load(argv[0], &r, &chain, e);
	start = now();
	must(mirror_open(&m, db, chain, NULL, e), e);
	must(mirror_sync(m, &t, NULL, r.now_s, e), e);
	mirror_close(m);
	printf("%.3f ", now() - start);
	(void)getrusage(RUSAGE_SELF, &used);
	printf("%ld\n", used.ru_maxrss);
	chain_free(chain);
	fixture_id_wipe(&r.id);
}

int main(int argc, char **argv) {
	struct bench *b = xcalloc(1, sizeof *b);
	struct err e = ERR_INIT;

	if (argc == 5 && strcmp(argv[1], "append") == 0)
		append(b, argv + 2, &e);
	else if (argc == 5 && strcmp(argv[1], "make") == 0)
		make(b, argv + 2, &e);
	else if (argc == 3 && strcmp(argv[1], "replay") == 0)
		replay(argv + 2, &e);
	else
		must(err_set(&e, ERR_USAGE, "append DIR N GROUP | make DIR N MEMBERS | replay DIR"), &e);
	if (b->g.db != NULL)
		memgate_wipe(&b->g);
	for (unsigned i = 0; i < b->n_members; i++)
		fixture_id_wipe(&b->member[i]);
	fixture_wipe(&b->f);
	free(b);
	return EXIT_SUCCESS;
}
