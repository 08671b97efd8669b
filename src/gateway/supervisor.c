/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/supervisor.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

void supervisor_tell(const char *state) {
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = path != NULL ? strlen(path) : 0;
	OWN(own_fd) int fd = -1;

	if (len < 2 || len >= sizeof a.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(a.sun_path, path, len);
	if (path[0] == '@') /* a name without a file */
		a.sun_path[0] = '\0';
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) >= 0)
		(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

int supervisor_socket(int *fd, struct err *e) {
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	uint64_t for_whom = 0, many = 0;
	bool ours = pid != NULL && n != NULL && text_u64(pid, INT32_MAX, &for_whom, NULL) == 0 && for_whom == (uint64_t)getpid() &&
	    text_u64(n, INT32_MAX, &many, NULL) == 0;

	*fd = -1;
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	if (!ours || many == 0)
		return 0;
	if (many > 1)
		return err_set(e, ERR_USAGE, "the supervisor hands over more than one socket");
	*fd = FIRST_FD;
	return 0;
}
