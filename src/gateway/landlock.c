/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"

/* The kernel's interface (linux/landlock.h); headers of the C library are older than kernels. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_REG (1ull << 8)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define FS_OF_FILES (1ull | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV) /* 1: execute */
#define NET_BIND_TCP (1ull << 0)
#define NET_CONNECT_TCP (1ull << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ull << 0)
#define SCOPE_SIGNAL (1ull << 1)
#define ABI_NET 4
#define ABI_SCOPE 6

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

struct net_port_attr {
	uint64_t allowed, port;
};

struct landlock {
	int fd;
	struct ruleset_attr handled;
};

/* All that a kernel of this ABI can restrict of files: each one forbids what the one before did not know. */
static uint64_t fs_of(long abi) {
	static const unsigned bits[] = { 13, 13, 14, 15, 15 }; /* by ABI, from 0 on: REFER came with 2, TRUNCATE with 3, IOCTL_DEV with 5 */
	size_t n = sizeof bits / sizeof *bits;

	return (1ull << ((size_t)abi < n ? bits[abi] : 16)) - 1;
}

static struct ruleset_attr handled_of(long abi, unsigned restricts) {
	struct ruleset_attr a = { .fs = fs_of(abi) };

	if (abi >= ABI_NET)
		a.net = ((restricts & LANDLOCK_BIND) != 0 ? NET_BIND_TCP : 0) | ((restricts & LANDLOCK_CONNECT) != 0 ? NET_CONNECT_TCP : 0);
	if (abi >= ABI_SCOPE)
		a.scoped = ((restricts & LANDLOCK_ABSTRACT) != 0 ? SCOPE_ABSTRACT_UNIX_SOCKET : 0) |
		    ((restricts & LANDLOCK_SIGNALS) != 0 ? SCOPE_SIGNAL : 0);
	return a;
}

struct landlock *landlock_new(unsigned restricts, const char **why) {
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_RULESET_VERSION);
	struct landlock *l;

	if (abi < 1) {
		*why = errno == EPERM ? "who started the gateway forbids it" : "the kernel has no Landlock";
		return NULL;
	}
	l = xcalloc(1, sizeof *l);
	l->handled = handled_of(abi, restricts);
	/* Older kernels take the longer struct as long as what they do not know is 0. */
	if ((l->fd = (int)syscall(SYS_landlock_create_ruleset, &l->handled, sizeof l->handled, 0u)) < 0) {
		*why = "no set of rules could be made";
		free(l);
		return NULL;
	}
	return l;
}

static uint64_t fs_right(enum landlock_right right) {
	static const uint64_t of[] = {
		[LANDLOCK_READ] = FS_READ_FILE,
		[LANDLOCK_LIST] = FS_READ_FILE | FS_READ_DIR,
		[LANDLOCK_WRITE] = FS_WRITE_FILE | FS_TRUNCATE,
		[LANDLOCK_TALK] = FS_READ_FILE | FS_WRITE_FILE | FS_IOCTL_DEV,
		[LANDLOCK_OWN] = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG | FS_REMOVE_FILE,
	};

	return of[right];
}

void landlock_allow(struct landlock *l, const char *path, enum landlock_right right) {
	OWN(own_fd) int fd = open(path, O_PATH | O_CLOEXEC);
	struct path_beneath_attr a = { .allowed = fs_right(right) & l->handled.fs, .parent = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return;
	if (!S_ISDIR(st.st_mode))
		a.allowed &= FS_OF_FILES;
	(void)syscall(SYS_landlock_add_rule, l->fd, RULE_PATH_BENEATH, &a, 0u);
}

void landlock_allow_port(struct landlock *l, uint16_t port) {
	const struct net_port_attr a = { .allowed = NET_BIND_TCP & l->handled.net, .port = port };

	if (a.allowed != 0)
		(void)syscall(SYS_landlock_add_rule, l->fd, RULE_NET_PORT, &a, 0u);
}

bool landlock_close(struct landlock **l) {
	bool in_force = syscall(SYS_landlock_restrict_self, (*l)->fd, 0u) == 0;

	own_fd(&(*l)->fd);
	free(*l);
	*l = NULL;
	return in_force;
}
