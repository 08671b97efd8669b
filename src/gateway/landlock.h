/* SPDX-License-Identifier: Apache-2.0 */
/* landlock(7): what of the file system and of TCP a process keeps, by a rule of its own; for good, and for the threads that it starts later. What an
 * older kernel does not know it does not restrict. */
#ifndef SCG_GATEWAY_LANDLOCK_H
#define SCG_GATEWAY_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of what is restricted: nothing of it goes but what is allowed. Files always are. */
enum landlock_scope {
	LANDLOCK_BIND = 1,     /* from ABI 4 on: TCP sockets on ports */
	LANDLOCK_CONNECT = 2,  /* from ABI 4 on: TCP connections */
	LANDLOCK_ABSTRACT = 4, /* from ABI 6 on: sockets without a file that processes outside have opened */
	LANDLOCK_SIGNALS = 8,  /* from ABI 6 on: signals to processes outside */
};

enum landlock_right {
	LANDLOCK_READ,  /* regular files and what is below a folder: read */
	LANDLOCK_LIST,  /* the same, and folders are listed */
	LANDLOCK_WRITE, /* one file that is there: written */
	LANDLOCK_TALK,  /* a device: read, written, its settings changed */
	LANDLOCK_OWN,   /* a folder: regular files below it are read, made, written, renamed, removed; folders are listed */
};

struct landlock;

/* NULL: the kernel has none, or who started us forbids it (*why then says so, static). restrict: bits of enum landlock_scope. */
struct landlock *landlock_new(unsigned restricts, const char **why);
/* What path (a link: where it leads to) and all below it may be used for; several rights add up. What is not there is passed over. */
void landlock_allow(struct landlock *l, const char *path, enum landlock_right right);
/* A TCP port that may be bound; 0: one that the system chooses. */
void landlock_allow_port(struct landlock *l, uint16_t port);
/* In force for this thread from now on, if it returns true. Needs PR_SET_NO_NEW_PRIVS. */
bool landlock_close(struct landlock **l);

#endif
