/* SPDX-License-Identifier: Apache-2.0 */
/* io: which descriptors are read and written at offsets, and where they stand afterwards. */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "base/work.h"
#include "envelope/envelope.h"
#include "envelope/layout.h"
#include "lib/envelope_lab.h"
#include "lib/suite.h"
#include "lib/tmp.h"

#define LEN (2 * SEGMENT_LEN - 4321u)
#define HELD (32u << 10) /* less than any pipe takes */

static struct lab lab;
static uint8_t *plain;

static void set_up(void) {
	tmp_make();
	lab_init(&lab);
	plain = lab_plain(LEN);
}

static void tear_down(void) {
	free(plain);
	lab_wipe(&lab);
	tmp_drop();
}

static int open_file(const char *name, int flags) {
	int fd = open(tmp_path(name), flags | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int plain_file(void) {
	int fd = open_file("plain", O_RDWR | O_CREAT | O_TRUNC);

	ck_assert_int_eq(file_pwrite_all(fd, plain, LEN, 0, "plain", NULL), 0);
	return fd;
}

static int seal_fds(int from, int to, struct err *e) {
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct io_fd in = { from, "plain" }, out = { to, "sealed" };
	struct source source;
	struct sink sink;
	int rc;

	if ((rc = source_fd(&in, &source, e)) != 0 || (rc = sink_fd(&out, &sink, e)) != 0)
		return rc;
	return envelope_seal(&lab.seal, &source, &sink, &r, e);
}

static int open_fds(int from, int to, struct err *e) {
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct io_fd in = { from, "sealed" }, out = { to, "opened" };
	struct source source;
	struct sink sink;
	int rc;

	if ((rc = source_fd(&in, &source, e)) != 0 || (rc = sink_fd(&out, &sink, e)) != 0)
		return rc;
	return envelope_open(&lab.open, &source, &sink, &r, e);
}

static void assert_opened(const char *name, size_t at) {
	OWN(buf_wipe) struct buf b = {0};

	ck_assert_int_eq(file_load(tmp_path(name), (size_t)LEN + 1000, &b, NULL), 0);
	ck_assert_uint_eq(b.len, at + LEN);
	ck_assert_mem_eq(b.data + at, plain, LEN);
}

START_TEST(files_are_seekable_and_stand_behind_what_was_written) {
	int in = plain_file(), sealed = open_file("sealed", O_RDWR | O_CREAT), out = open_file("out", O_RDWR | O_CREAT);
	struct err e = ERR_INIT;
	struct stat st;

	ck_assert_msg(seal_fds(in, sealed, &e) == 0, "%s", e.text);
	ck_assert_int_eq(fstat(sealed, &st), 0);
	ck_assert_int_eq(lseek(sealed, 0, SEEK_CUR), st.st_size);
	ck_assert_int_eq(lseek(sealed, 0, SEEK_SET), 0);
	ck_assert_msg(open_fds(sealed, out, &e) == 0, "%s", e.text);
	ck_assert_int_eq(lseek(out, 0, SEEK_CUR), LEN);
	assert_opened("out", 0);
	ck_assert(close(in) == 0 && close(sealed) == 0 && close(out) == 0);
}
END_TEST

/* As in (cat first; scg decrypt) >>out: pwrite would go to the wrong place. */
static void behind_what_is_there(int flags) {
	int in = plain_file(), sealed = open_file("sealed", O_RDWR | O_CREAT), out;
	struct err e = ERR_INIT;

	ck_assert_int_eq(file_save(tmp_path("out"), "first", 5, 0600, &e), 0);
	out = open_file("out", O_WRONLY | flags);
	if (flags == 0)
		ck_assert_int_eq(lseek(out, 5, SEEK_SET), 5);
	ck_assert_msg(seal_fds(in, sealed, &e) == 0, "%s", e.text);
	ck_assert_int_eq(lseek(sealed, 0, SEEK_SET), 0);
	ck_assert_msg(open_fds(sealed, out, &e) == 0, "%s", e.text);
	assert_opened("out", 5);
	ck_assert(close(in) == 0 && close(sealed) == 0 && close(out) == 0);
}

START_TEST(appending_appends) {
	behind_what_is_there(O_APPEND);
}
END_TEST

START_TEST(an_offset_is_kept) {
	behind_what_is_there(0);
}
END_TEST

/* A source that stands behind its beginning is what follows from there. */
START_TEST(a_source_begins_where_it_stands) {
	int in = plain_file(), sealed = open_file("sealed", O_RDWR | O_CREAT), out = open_file("out", O_RDWR | O_CREAT);
	OWN(buf_wipe) struct buf b = {0};
	struct err e = ERR_INIT;

	ck_assert_int_eq(lseek(in, 1000, SEEK_SET), 1000);
	ck_assert_msg(seal_fds(in, sealed, &e) == 0, "%s", e.text);
	ck_assert_int_eq(lseek(sealed, 0, SEEK_SET), 0);
	ck_assert_msg(open_fds(sealed, out, &e) == 0, "%s", e.text);
	ck_assert_int_eq(file_load(tmp_path("out"), LEN, &b, NULL), 0);
	ck_assert_uint_eq(b.len, LEN - 1000);
	ck_assert_mem_eq(b.data, plain + 1000, b.len);
	ck_assert(close(in) == 0 && close(sealed) == 0 && close(out) == 0);
}
END_TEST

START_TEST(a_file_that_tells_no_size_is_read_to_its_end) {
	int in = open("/proc/self/status", O_RDONLY | O_CLOEXEC), sealed = open_file("sealed", O_RDWR | O_CREAT);
	struct io_fd io = { in, "status" }, out = { sealed, "sealed" };
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct source source;
	struct sink sink;
	struct err e = ERR_INIT;

	ck_assert_int_eq(source_fd(&io, &source, &e), 0);
	ck_assert_int_eq(sink_fd(&out, &sink, &e), 0);
	ck_assert_msg(envelope_seal(&lab.seal, &source, &sink, &r, &e) == 0, "%s", e.text);
	ck_assert_uint_gt(r.manifest.size, 0);
	ck_assert(close(in) == 0 && close(sealed) == 0);
}
END_TEST

/* file | seal | open | file, all at once. */
static int pipes[3][2];

static int stage(void *arg, unsigned i, struct err *e) {
	int r;

	(void)arg;
	if (i == 0)
		r = file_write_all(pipes[0][1], plain, LEN, "pipe", e);
	else
		r = i == 1 ? seal_fds(pipes[0][0], pipes[1][1], e) : open_fds(pipes[1][0], pipes[2][1], e);
	if (close(pipes[i][1]) != 0 && r == 0)
		r = err_sys(e, ERR_FAIL, "close");
	return r;
}

static int all_stages(void *arg, unsigned i, struct err *e) {
	uint8_t *back = arg;
	size_t got;

	if (i < 3)
		return stage(NULL, i, e);
	if (file_read_full(pipes[2][0], back, LEN + 1, &got, "pipe", e) != 0)
		return ERR_FAIL;
	return got == LEN && memcmp(back, plain, LEN) == 0 ? 0 : err_set(e, ERR_FAIL, "other bytes came back");
}

START_TEST(pipes_work_as_well) {
	OWN(own_free) uint8_t *back = xmalloc(LEN + 1);
	struct err e = ERR_INIT;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pipe2(pipes[i], O_CLOEXEC), 0);
	ck_assert_msg(work_run(4, all_stages, back, &e) == 0, "%s", e.text);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(close(pipes[i][0]), 0);
}
END_TEST

/* Whoever reads may keep what he took without a copy (splice) and look at it later: it must still be what was written. */
static int append(int fd, size_t len, struct buf *b, struct err *e) {
	size_t n;
	int r = file_read_full(fd, buf_room(b, len), len, &n, "pipe", e);

	if (r == 0)
		b->len += n;
	return r;
}

static int keeper(void *arg, unsigned i, struct err *e) {
	struct buf *got = arg;
	struct pollfd more = { .fd = pipes[1][0], .events = POLLIN };
	struct layout l;
	size_t end;
	ssize_t n;
	int r;

	if (i == 0) {
		r = seal_fds(pipes[0][0], pipes[1][1], e);
		return close(pipes[1][1]) == 0 ? r : err_sys(e, ERR_FAIL, "close");
	}
	/* Of the first segment the end is held until the second one comes. */
	layout_make(&l, LEN, OBJECT_KEK_LEN);
	end = (size_t)layout_segment_off(&l, 1);
	if ((r = append(pipes[1][0], end - HELD, got, e)) != 0)
		return r;
	for (size_t held = 0; held < HELD; held += (size_t)n)
		if ((n = splice(pipes[1][0], NULL, pipes[2][1], NULL, HELD - held, 0)) <= 0)
			return err_sys(e, ERR_FAIL, "splice");
	if (poll(&more, 1, -1) != 1)
		return err_sys(e, ERR_FAIL, "poll");
	if ((r = append(pipes[2][0], HELD, got, e)) != 0)
		return r;
	return append(pipes[1][0], 2 * (size_t)LEN, got, e);
}

START_TEST(what_a_pipe_was_given_stays_as_it_is) {
	int in = plain_file(), out = open_file("out", O_RDWR | O_CREAT);
	OWN(buf_wipe) struct buf got = {0};
	struct err e = ERR_INIT;

	for (int i = 1; i < 3; i++)
		ck_assert_int_eq(pipe2(pipes[i], O_CLOEXEC), 0);
	pipes[0][0] = in;
	lab.seal.threads = 1; /* the second segment comes where the first one was */
	ck_assert_msg(work_run(2, keeper, &got, &e) == 0, "%s", e.text);
	ck_assert_int_eq(file_save(tmp_path("kept"), got.data, got.len, 0600, &e), 0);
	pipes[0][1] = open_file("kept", O_RDONLY);
	ck_assert_msg(open_fds(pipes[0][1], out, &e) == 0, "%s", e.text);
	ck_assert(close(pipes[0][1]) == 0 && close(in) == 0 && close(out) == 0);
	for (int i = 1; i < 3; i++)
		ck_assert_int_eq(close(pipes[i][0]), 0);
	ck_assert_int_eq(close(pipes[2][1]), 0);
}
END_TEST

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifndef SANITIZED /* which keep a shadow of all memory */
struct zeros { uint64_t left; };

static int read_zeros(void *arg, void *data, size_t len, size_t *got, struct err *e) {
	struct zeros *z = arg;

	(void)e;
	*got = z->left < len ? (size_t)z->left : len;
	memset(data, 0, *got);
	z->left -= *got;
	return 0;
}

static int count_bytes(void *arg, const void *data, size_t len, struct err *e) {
	(void)data;
	(void)e;
	*(uint64_t *)arg += len;
	return 0;
}

static long peak_kib(void) {
	OWN(own_file) FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	return kib;
}

/* It takes below 32 MiB; huge pages and other allocators may take more, a quarter of the stream they may not. */
START_TEST(a_stream_of_any_length_passes_in_little_memory) {
	struct zeros z = { .left = UINT64_C(256) << 20 };
	struct source source = { .arg = &z, .read = read_zeros };
	uint64_t n = 0;
	struct sink sink = { .arg = &n, .write = count_bytes };
	OWN(envelope_result_wipe) struct envelope_result r = {0};
	struct err e = ERR_INIT;

	lab.seal.threads = ENVELOPE_THREADS_MAX;
	ck_assert_msg(envelope_seal(&lab.seal, &source, &sink, &r, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(r.manifest.count, 64);
	ck_assert_uint_eq(n, r.object_size);
	ck_assert_int_gt(peak_kib(), 0);
	ck_assert_int_lt(peak_kib(), 64 << 10);
}
END_TEST
#endif

START_TEST(folders_and_closed_descriptors_are_refused) {
	int dir = open(tmp_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct io_fd folder = { dir, "folder" }, closed = { 9999, "closed" };
	struct source source;
	struct sink sink;
	struct err e = ERR_INIT;

	ck_assert_int_eq(source_fd(&folder, &source, &e), ERR_FAIL);
	ck_assert_str_eq(e.text, "folder: is a folder");
	ck_assert_int_eq(sink_fd(&folder, &sink, &e), ERR_FAIL);
	ck_assert_int_eq(source_fd(&closed, &source, &e), ERR_FAIL);
	ck_assert_int_eq(sink_fd(&closed, &sink, &e), ERR_FAIL);
	ck_assert_int_eq(close(dir), 0);
}
END_TEST

START_TEST(a_full_disk_is_an_error) {
	int in = plain_file(), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct err e = ERR_INIT;

	ck_assert_int_ge(full, 0);
	ck_assert_int_eq(seal_fds(in, full, &e), ERR_FAIL);
	ck_assert_ptr_nonnull(strstr(e.text, "sealed: cannot write"));
	ck_assert(close(in) == 0 && close(full) == 0);
}
END_TEST

int main(void) {
	TCase *c = tcase_create("descriptors");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, files_are_seekable_and_stand_behind_what_was_written);
	tcase_add_test(c, appending_appends);
	tcase_add_test(c, an_offset_is_kept);
	tcase_add_test(c, a_source_begins_where_it_stands);
	tcase_add_test(c, a_file_that_tells_no_size_is_read_to_its_end);
	tcase_add_test(c, pipes_work_as_well);
	tcase_add_test(c, what_a_pipe_was_given_stays_as_it_is);
#ifndef SANITIZED
	tcase_add_test(c, a_stream_of_any_length_passes_in_little_memory);
#endif
	tcase_add_test(c, folders_and_closed_descriptors_are_refused);
	tcase_add_test(c, a_full_disk_is_an_error);
	return suite_run("envelope, descriptors", c);
}
