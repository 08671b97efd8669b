/* SPDX-License-Identifier: Apache-2.0 */
/* Where -in comes from and -out goes: files, which appear whole or not at all, and streams. */
#ifndef SCG_CLIENT_OUTPUT_H
#define SCG_CLIENT_OUTPUT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/file.h"
#include "envelope/io.h"

struct output {
	bool stream; /* "-", a pipe or a device: what was written is gone */
	int fd;      /* the stream's, -1 for standard output and files */
	struct file_out file;
	struct io_fd io;
	struct sink sink;
};
#define OUTPUT_INIT                                                                                                    \
	{                                                                                                              \
		.fd = -1, .file = {.fd = -1 }                                                                          \
	}

/* path "-": standard output. mode: of a new file. */
int output_open(struct output *o, const char *path, mode_t mode, struct err *e) MUST_CHECK;
/* The file gets its name, over an older one; a stream is done. */
int output_keep(struct output *o, struct err *e) MUST_CHECK;
/* Throws a file away unless kept. */
void output_wipe(struct output *o);

/* Where nameless files of this process go: $TMPDIR, else /tmp; a name in it for file_out_open. malloc'd. */
char *output_spool_path(void);
/* Writes all of an open file to standard output. */
int output_release(int fd, struct err *e) MUST_CHECK;

struct input {
	int fd;
	bool owned;
	struct io_fd io;
	struct source source;
};
#define INPUT_INIT                                                                                                     \
	{ .fd = -1 }

/* path "-": standard input. ERR_FAIL where it cannot be opened. */
int input_open(struct input *in, const char *path, struct err *e) MUST_CHECK;
/* Takes all of it into a nameless file ($TMPDIR, else /tmp), so that it can be read twice and from anywhere. ERR_DAMAGED where already the first
 * byte is none of CMS, in DER or PEM. */
int input_spool(struct input *in, struct err *e) MUST_CHECK;
/* An input that can be read from anywhere, if it is PEM with the label CMS or PKCS7: what is in it takes its place, in such a file.
 * ERR_DAMAGED where the PEM is not good. */
int input_unarmor(struct input *in, struct err *e) MUST_CHECK;
void input_wipe(struct input *in);

#endif
