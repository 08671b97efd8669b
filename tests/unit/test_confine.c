/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/confine, gateway/supervisor: what is given up, what still goes, and what is told to whom. */
#include "gateway/confine.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/own.h"
#include "gateway/supervisor.h"
#include "lib/suite.h"
#include "lib/tmp.h"

static void *run(void *arg) {
	*(int *)arg = 7;
	return NULL;
}

START_TEST(threads_and_sockets_still_go) {
	pthread_t thread;
	int got = 0, fd;

	(void)confine_process();
	ck_assert_int_eq(pthread_create(&thread, NULL, run, &got), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(got, 7);
	ck_assert_int_ge(fd = socket(AF_INET, SOCK_STREAM, 0), 0);
	close(fd);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
} END_TEST

START_TEST(programs_and_other_processes_do_not) {
	char *argv[] = { (char *)(uintptr_t)"true", NULL };

	if (confine_process() != CONFINE_DONE)
		return; /* built without it, or forbidden here */
	ck_assert_int_eq(execv("/bin/true", argv), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq((int)ptrace(PTRACE_TRACEME, 0, NULL, NULL), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(setuid(getuid()), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(chroot("/"), -1);
	ck_assert_int_eq(errno, EPERM);
} END_TEST

/* A socket in the file system, and one without a file. */
START_TEST(readiness_is_told_to_who_waits) {
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 10 };
	socklen_t len = sizeof a;
	char got[32] = "", name[sizeof a.sun_path + 1] = "@";
	int fd;

	tmp_make();
	if (_i == 0)
		(void)snprintf(a.sun_path, sizeof a.sun_path, "%s", tmp_path("notify"));
	ck_assert_int_ge(fd = socket(AF_UNIX, SOCK_DGRAM, 0), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, _i == 0 ? sizeof a : sizeof(sa_family_t)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	if (_i == 1)
		memcpy(name + 1, a.sun_path + 1, len - offsetof(struct sockaddr_un, sun_path) - 1);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", _i == 0 ? a.sun_path : name, 1), 0);
	supervisor_tell("READY=1");
	ck_assert_int_eq((int)recv(fd, got, sizeof got - 1, 0), 7);
	ck_assert_str_eq(got, "READY=1");
	close(fd);
	tmp_drop();
} END_TEST

START_TEST(without_somebody_who_waits_nothing_is_told) {
	static const char *const nobody[] = { "", "/", "@", "relative", "/nowhere/at/all" };

	ck_assert_int_eq(setenv("NOTIFY_SOCKET", nobody[_i], 1), 0);
	supervisor_tell("READY=1");
	ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	supervisor_tell("READY=1");
} END_TEST

static int handed(const char *pid, const char *n, struct err *e) {
	char own[16];
	int fd = 99;

	(void)snprintf(own, sizeof own, "%d", (int)getpid());
	(void)setenv("LISTEN_PID", strcmp(pid, "own") == 0 ? own : pid, 1);
	(void)setenv("LISTEN_FDS", n, 1);
	if (supervisor_socket(&fd, e) != 0)
		return -2;
	ck_assert_ptr_null(getenv("LISTEN_PID"));
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	return fd;
}

START_TEST(only_one_socket_that_is_meant_for_us_is_taken) {
	struct err e = ERR_INIT;

	ck_assert_int_eq(handed("own", "1", &e), 3);
	ck_assert_int_eq(handed("own", "0", &e), -1);
	ck_assert_int_eq(handed("1", "1", &e), -1);
	ck_assert_int_eq(handed("own", "x", &e), -1);
	ck_assert_int_eq(handed("", "1", &e), -1);
	ck_assert_int_eq(handed("own", "-1", &e), -1);
	ck_assert_int_eq(handed("own", "2", &e), -2);
	ck_assert_int_eq(e.code, ERR_USAGE);
} END_TEST

int main(void) {
	TCase *t = tcase_create("confine");

	tcase_add_test(t, threads_and_sockets_still_go);
	tcase_add_test(t, programs_and_other_processes_do_not);
	tcase_add_loop_test(t, readiness_is_told_to_who_waits, 0, 2);
	tcase_add_loop_test(t, without_somebody_who_waits_nothing_is_told, 0, 5);
	tcase_add_test(t, only_one_socket_that_is_meant_for_us_is_taken);
	return suite_run("confine", t);
}
