/* SPDX-License-Identifier: Apache-2.0 */
#include "client/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "pki/pem.h"

OWN_DEFINE(pem_stream, struct pem_stream, pem_stream_free)

#define SPOOL_CHUNK ((size_t)256 * 1024)

static int open_stream(struct output *o, const char *path, struct err *e) {
	o->stream = true;
	if (strcmp(path, "-") == 0) {
		o->io = (struct io_fd){ STDOUT_FILENO, "standard output" };
		return sink_fd(&o->io, &o->sink, e);
	}
	o->fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (o->fd < 0)
		return text_about(path, err_sys(e, ERR_FAIL, "cannot open"), e);
	o->io = (struct io_fd){ o->fd, path };
	return sink_fd(&o->io, &o->sink, e);
}

int output_open(struct output *o, const char *path, mode_t mode, struct err *e) {
	OWN(own_free) char *folder = file_folder(path);
	int r;

	if (strcmp(path, "-") == 0 || file_is_special(path))
		return open_stream(o, path, e);
	file_sweep(folder);
	if ((r = file_out_open(&o->file, path, mode, e)) != 0)
		return r;
	o->io = (struct io_fd){ o->file.fd, path };
	return sink_fd(&o->io, &o->sink, e);
}

int output_keep(struct output *o, struct err *e) {
	int r;

	if (!o->stream)
		return file_out_keep(&o->file, true, e);
	if (o->fd < 0)
		return 0;
	r = close(o->fd);
	o->fd = -1;
	return r == 0 ? 0 : err_sys(e, ERR_FAIL, "cannot close the output");
}

void output_wipe(struct output *o) {
	own_fd(&o->fd);
	file_out_wipe(&o->file);
	o->fd = -1;
}

int input_open(struct input *in, const char *path, struct err *e) {
	if (strcmp(path, "-") == 0) {
		in->fd = STDIN_FILENO;
		in->io = (struct io_fd){ in->fd, "standard input" };
		return source_fd(&in->io, &in->source, e);
	}
	in->fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (in->fd < 0)
		return text_about(path, err_sys(e, ERR_FAIL, "cannot open"), e);
	in->owned = true;
	in->io = (struct io_fd){ in->fd, path };
	return source_fd(&in->io, &in->source, e);
}

/* check, which may be NULL, sees how it begins. */
static int copy_all(
    const struct source *in, int fd, const char *what, int (*check)(const uint8_t *, size_t, struct err *), struct err *e) {
	OWN(own_free) uint8_t *chunk = xmalloc(SPOOL_CHUNK);
	size_t got = SPOOL_CHUNK;
	int r;

	for (; got == SPOOL_CHUNK; check = NULL)
		if ((r = in->read(in->arg, chunk, SPOOL_CHUNK, &got, e)) != 0 ||
		    (check != NULL && (r = check(chunk, got, e)) != 0) || (r = file_write_all(fd, chunk, got, what, e)) != 0)
			return r;
	return 0;
}

/* What can be neither DER nor PEM is not taken to its end, which may not exist: /dev/zero would fill the disk. */
static int check_begin(const uint8_t *p, size_t len, struct err *e) {
	bool text = len > 0 && ((p[0] >= ' ' && p[0] <= '~') || p[0] == '\t' || p[0] == '\r' || p[0] == '\n');

	/* the octet of a SEQUENCE is a digit in ASCII */
	return len == 0 || text ? 0 : err_set(e, ERR_DAMAGED, "RFC 5652 3: no ContentInfo at byte 0");
}

char *output_spool_path(void) {
	const char *tmp = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): before any thread */

	return file_join(tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp", "scg-spool");
}

int output_release(int fd, struct err *e) {
	struct io_fd io = { fd, "spool file" };
	struct source in;
	int r;

	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_sys(e, ERR_FAIL, "spool file");
	r = source_fd(&io, &in, e);
	return r != 0 ? r : copy_all(&in, STDOUT_FILENO, "standard output", NULL, e);
}

/* The spool takes the input's place. Only what is encrypted is spooled; the file never gets a name. */
static int become(struct input *in, const struct file_out *spool, struct err *e) {
	input_wipe(in);
	in->fd = fcntl(spool->fd, F_DUPFD_CLOEXEC, 3);
	if (in->fd < 0 || lseek(in->fd, 0, SEEK_SET) != 0)
		return err_sys(e, ERR_FAIL, "spool file");
	in->owned = true;
	in->io = (struct io_fd){ in->fd, "spool file" };
	return source_fd(&in->io, &in->source, e);
}

int input_spool(struct input *in, struct err *e) {
	OWN(own_free) char *path = output_spool_path();
	OWN(file_out_wipe) struct file_out spool = { .fd = -1 };
	int r;

	if ((r = file_out_open(&spool, path, 0600, e)) != 0 || (r = copy_all(&in->source, spool.fd, "spool file", check_begin, e)) != 0)
		return r;
	return become(in, &spool, e);
}

/* RFC 7468 8 and 9; *label is NULL for anything else. */
static int armor_label(const struct source *in, const char **label, struct err *e) {
	static const struct { const char *begin, *label; } armors[] = {
		{ "-----BEGIN CMS-----", "CMS" },
		{ "-----BEGIN PKCS7-----", "PKCS7" },
	};
	char head[24] = "";
	size_t got;
	int r = in->read_at(in->arg, head, sizeof(head) - 1, 0, &got, e);

	*label = NULL;
	for (size_t i = 0; r == 0 && i < sizeof(armors) / sizeof(armors[0]); i++)
		if (strncmp(head, armors[i].begin, strlen(armors[i].begin)) == 0)
			*label = armors[i].label;
	return r;
}

static int put_decoded(void *arg, const uint8_t *data, size_t len, struct err *e) {
	const struct file_out *spool = arg;

	return file_write_all(spool->fd, data, len, "spool file", e);
}

static int decode_all(const struct source *in, struct pem_stream *pem, struct err *e) {
	OWN(own_free) uint8_t *chunk = xmalloc(SPOOL_CHUNK);
	size_t got = SPOOL_CHUNK;
	int r;

	for (uint64_t off = 0; got == SPOOL_CHUNK; off += got)
		if ((r = in->read_at(in->arg, chunk, SPOOL_CHUNK, off, &got, e)) != 0 || (r = pem_stream_feed(pem, chunk, got, e)) != 0)
			return r;
	return pem_stream_end(pem, e);
}

int input_unarmor(struct input *in, struct err *e) {
	OWN(own_free) char *path = output_spool_path();
	OWN(file_out_wipe) struct file_out spool = { .fd = -1 };
	OWN(own_pem_stream) struct pem_stream *pem = NULL;
	const char *label;
	int r;

	if ((r = armor_label(&in->source, &label, e)) != 0 || label == NULL)
		return r;
	pem = pem_stream_new(label, put_decoded, &spool);
	if ((r = file_out_open(&spool, path, 0600, e)) != 0 || (r = decode_all(&in->source, pem, e)) != 0)
		return r;
	return become(in, &spool, e);
}

void input_wipe(struct input *in) {
	if (in->owned)
		own_fd(&in->fd);
	in->owned = false;
	in->fd = -1;
}
