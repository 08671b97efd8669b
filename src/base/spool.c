/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"

/* File systems that cannot promise room notice a full disk when it is written to. */
static int reserve(int fd, uint64_t len, const char *dir, struct err *e) {
	if (len == 0 || fallocate(fd, 0, 0, (off_t)len) == 0 || (errno != ENOSPC && errno != EDQUOT && errno != EFBIG))
		return 0;
	return err_sys(e, ERR_FAIL, "%s: no room for %llu bytes", dir, (unsigned long long)len);
}

int spool_open(const char *dir, uint64_t len, int *fd, struct err *e) {
	OWN(own_free) char *path = file_join(dir, "spool");
	OWN(file_out_wipe) struct file_out o = { .fd = -1 };

	*fd = -1;
	if (len > INT64_MAX)
		return err_set(e, ERR_FAIL, "%s: too long for a file", dir);
	if (file_out_open(&o, path, 0600, e) != 0 || reserve(o.fd, len, dir, e) != 0)
		return e->code;
	*fd = o.fd; /* what name it has it loses with o */
	o.fd = -1;
	return 0;
}

int spool_open_in_memory(int *fd, struct err *e) {
	*fd = memfd_create("spool", MFD_CLOEXEC);
	return *fd >= 0 ? 0 : err_sys(e, ERR_FAIL, "memfd");
}

void spool_close(int *fd) {
	own_fd(fd);
	*fd = -1;
}

int spool_map(int fd, size_t max, struct spool_map *m, struct err *e) {
	struct stat st;
	void *p;

	*m = (struct spool_map){ 0 };
	if (fstat(fd, &st) != 0)
		return err_sys(e, ERR_FAIL, "spool");
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return err_set(e, ERR_FAIL, "more than %zu bytes", max);
	if (st.st_size == 0)
		return 0;
	if ((p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		return err_sys(e, ERR_FAIL, "mmap");
	*m = (struct spool_map){ p, (size_t)st.st_size };
	return 0;
}

void spool_rest(const struct spool_map *m) {
	if (m->data != NULL)
		(void)madvise((void *)(uintptr_t)m->data, m->len, MADV_DONTNEED);
}

void spool_unmap(struct spool_map *m) {
	if (m->data != NULL)
		(void)munmap((void *)(uintptr_t)m->data, m->len);
	*m = (struct spool_map){ 0 };
}
