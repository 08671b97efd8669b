/* SPDX-License-Identifier: Apache-2.0 */
#include "client/namelock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "client/note.h"
#include "pki/ossl.h"

/* Two names that share one of 2^62 bytes would wait for each other without need. */
static off_t place_of(const char *path) {
	uint8_t sha256[SHA256_LEN];
	uint64_t place = 0;

	ossl_sha256(path, strlen(path), sha256);
	for (size_t i = 0; i < sizeof(place); i++)
		place = place << 8 | sha256[i];
	return (off_t)(place >> 2);
}

static void say_waiting(const char *path) {
	OWN(buf_wipe) struct buf name = {0};

	text_escape(path, strlen(path), &name);
	note("%s: another process is uploading to this name: waiting for it", buf_str(&name));
}

/* Of the open file, not of the process: its threads take turns too. Where there are no such locks nobody waits. */
static int lock(int fd, const char *path, struct err *e) {
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = place_of(path), .l_len = 1 };
	int r = fcntl(fd, F_OFD_SETLK, &l);

	if (r != 0 && (errno == EAGAIN || errno == EACCES)) {
		say_waiting(path);
		while ((r = fcntl(fd, F_OFD_SETLKW, &l)) != 0 && errno == EINTR)
			;
	}
	if (r == 0 || errno == EINVAL || errno == ENOLCK || errno == EOPNOTSUPP)
		return 0;
	return err_sys(e, ERR_FAIL, "cannot lock");
}

int namelock_take(const char *member_dir, const char *path, int *fd, struct err *e) {
	OWN(own_free) char *file = file_join(member_dir, NAMELOCK_FILE);
	int r;

	*fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	if (*fd < 0)
		return text_about(file, err_sys(e, ERR_FAIL, "cannot open"), e);
	r = lock(*fd, path, e);
	return r == 0 ? 0 : text_about(file, r, e);
}
