/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds a fuzz target the files of its corpus, each as it is and in some changed forms that are the same at every run. It stands in
 * for libFuzzer where that is not linked, so that "make check" sees what fuzzing once found. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"
#include "fuzz/fuzz.h"

#define INPUT_MAX ((size_t)1024 * 1024) /* what libFuzzer takes at most by default */
#define CHANGES 64              /* changed forms of each file */
#define PATH_BYTES 4096

static unsigned n_files;
static bool failed;

/* A copy of exactly this size, so that a sanitizer sees a read one byte too far. */
static void feed(const uint8_t *data, size_t len) {
	OWN(own_free) uint8_t *copy = xmalloc(len);

	if (len > 0)
		memcpy(copy, data, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
}

static uint32_t next_random(uint32_t *state) {
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void feed_changed(struct buf *b) {
	uint32_t state = (uint32_t)b->len;

	for (unsigned i = 0; i < CHANGES && b->len > 0; i++) {
		size_t at = next_random(&state) % b->len;
		uint8_t was = b->data[at];

		feed(b->data, at);
		b->data[at] ^= (uint8_t)(1u << (next_random(&state) % 8));
		feed(b->data, b->len);
		b->data[at] = was;
	}
}

static void replay_file(const char *path) {
	OWN(buf_wipe) struct buf b = { 0 };
	struct err e = ERR_INIT;

	if (file_load(path, INPUT_MAX, &b, &e) != 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		failed = true;
		return;
	}
	(void)printf("%s\n", path);
	(void)fflush(stdout); /* so that the log ends with the input that crashed */
	feed(b.data, b.len);
	feed_changed(&b);
	n_files++;
}

static void replay(const char *path) {
	struct dirent *de;
	DIR *d = opendir(path);

	if (d == NULL) {
		replay_file(path);
		return;
	}
	while ((de = readdir(d)) != NULL) {
		char name[PATH_BYTES];

		if (de->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof name, "%s/%s", path, de->d_name);
		replay_file(name);
	}
	(void)closedir(d);
}

int main(int argc, char **argv) {
	for (int i = 1; i < argc; i++)
		if (argv[i][0] != '-') /* libFuzzer's own options mean nothing here */
			replay(argv[i]);
	(void)printf("%u files\n", n_files);
	return failed || n_files == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
