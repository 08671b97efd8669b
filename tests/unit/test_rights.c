/* SPDX-License-Identifier: Apache-2.0 */
/* gateway/landlock, gateway/fence, gateway/user: which files and ports are out of reach, and that there is no way back to root. Each trial is a process of its
 * own, which ends without the checks of instrumented programs. */
#include "gateway/rights.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "gateway/landlock.h"
#include "gateway/user.h"
#include "lib/suite.h"
#include "lib/tmp.h"

#define TRUE(claim) do { if (!(claim)) { (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #claim); return 1; } } while (0)

/* f in a process of its own; true if it could be tried (77: not here). */
static void in_child(int (*f)(void)) {
	pid_t pid = fork();
	int status = -1;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(f());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf("skipped: the kernel has no Landlock, or this build leaves it off\n");
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static int can(const char *path, int flags) {
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static void make_folders(void) {
	tmp_make();
	ck_assert_int_eq(mkdir(tmp_path("own"), 0700), 0);
	ck_assert_int_eq(mkdir(tmp_path("other"), 0700), 0);
	(void)tmp_file("own/a", "a", 1, 0600);
	(void)tmp_file("other/b", "b", 1, 0600);
	ck_assert_int_eq(symlink(tmp_path("other/b"), tmp_path("own/link")), 0);
}

static struct landlock *begin(unsigned restricts) {
	const char *why;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return landlock_new(restricts, &why);
}

static int own_folder_goes(void) {
	struct err e = ERR_INIT;
	struct landlock *l = begin(0);

	if (l == NULL)
		return 77;
	landlock_allow(l, tmp_path("own"), LANDLOCK_OWN);
	TRUE(landlock_close(&l));
	TRUE(can(tmp_path("own/a"), O_RDWR) == 0);
	TRUE(can(tmp_path("own/a"), O_WRONLY | O_TRUNC) == 0);
	TRUE(can(tmp_path("own"), O_RDONLY | O_DIRECTORY) == 0);
	TRUE(file_save(tmp_path("own/new"), "new", 3, 0600, &e) == 0);
	TRUE(file_save_new(tmp_path("own/newer"), "new", 3, 0600, &e) == 0);
	TRUE(rename(tmp_path("own/a"), tmp_path("own/c")) == 0);
	TRUE(unlink(tmp_path("own/c")) == 0);
	return 0;
}

START_TEST(own_folder_is_read_and_written) {
	in_child(own_folder_goes);
} END_TEST

static int nothing_else_goes(void) {
	struct landlock *l = begin(0);
	int before = open(tmp_path("other/b"), O_RDONLY | O_CLOEXEC);
	char c;

	if (l == NULL)
		return 77;
	landlock_allow(l, tmp_path("own"), LANDLOCK_OWN);
	TRUE(landlock_close(&l));
	TRUE(can("/etc/passwd", O_RDONLY) == EACCES);
	TRUE(can(tmp_path("other/b"), O_RDONLY) == EACCES);
	TRUE(can(tmp_path("own/link"), O_RDONLY) == EACCES);
	TRUE(can(tmp_path("other"), O_RDONLY | O_DIRECTORY) == EACCES);
	TRUE(can(tmp_path("other/new"), O_WRONLY | O_CREAT) == EACCES);
	TRUE(can(tmp_path("other"), O_RDWR | O_TMPFILE) == EACCES);
	TRUE(unlink(tmp_path("other/b")) == -1 && errno == EACCES);
	TRUE(rename(tmp_path("own/a"), tmp_path("other/a")) == -1);
	TRUE(mkdir(tmp_path("own/folder"), 0700) == -1 && errno == EACCES);
	TRUE(symlink("x", tmp_path("own/second")) == -1 && errno == EACCES);
	TRUE(can("/proc/self/environ", O_RDONLY) == EACCES);
	TRUE(read(before, &c, 1) == 1); /* what is open stays so */
	return 0;
}

START_TEST(all_else_is_out_of_reach) {
	in_child(nothing_else_goes);
} END_TEST

static int only_reading_goes(void) {
	struct landlock *l = begin(0);

	if (l == NULL)
		return 77;
	landlock_allow(l, tmp_path("other"), LANDLOCK_READ);
	landlock_allow(l, tmp_path("own/a"), LANDLOCK_WRITE);
	landlock_allow(l, "/nowhere/at/all", LANDLOCK_OWN);
	TRUE(landlock_close(&l));
	TRUE(can(tmp_path("other/b"), O_RDONLY) == 0);
	TRUE(can(tmp_path("own/link"), O_RDONLY) == 0);
	TRUE(can(tmp_path("other/b"), O_WRONLY) == EACCES);
	TRUE(can(tmp_path("other"), O_RDONLY | O_DIRECTORY) == EACCES);
	TRUE(can(tmp_path("other/new"), O_WRONLY | O_CREAT) == EACCES);
	TRUE(can(tmp_path("own/a"), O_WRONLY) == 0);
	TRUE(can(tmp_path("own/a"), O_RDONLY) == EACCES);
	return 0;
}

START_TEST(what_is_read_only_is_not_written) {
	in_child(only_reading_goes);
} END_TEST

static void *try_in_thread(void *arg) {
	*(int *)arg = can("/etc/passwd", O_RDONLY);
	return NULL;
}

static int threads_do_not(void) {
	struct landlock *l = begin(0);
	pthread_t thread;
	int got = 0;

	if (l == NULL)
		return 77;
	TRUE(landlock_close(&l));
	TRUE(pthread_create(&thread, NULL, try_in_thread, &got) == 0);
	TRUE(pthread_join(thread, NULL) == 0);
	TRUE(got == EACCES);
	return 0;
}

START_TEST(later_threads_are_held_by_it_too) {
	in_child(threads_do_not);
} END_TEST

/* 0: it goes; else errno */
static int tcp(bool connects, uint16_t port) {
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	OWN(own_fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if ((connects ? connect : bind)(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return 0;
	return errno;
}

static int ports_do_not(void) {
	struct landlock *l = begin(LANDLOCK_BIND | LANDLOCK_CONNECT | LANDLOCK_SIGNALS | LANDLOCK_ABSTRACT);
	pid_t parent = getppid();

	if (l == NULL)
		return 77;
	landlock_allow_port(l, 0);
	TRUE(landlock_close(&l));
	if (tcp(true, 1) != EACCES)
		return 77; /* an ABI below 4 */
	TRUE(tcp(false, 0) == 0);
	TRUE(tcp(false, 1) == EACCES);
	TRUE(kill(getpid(), 0) == 0);
	(void)kill(parent, 0); /* an ABI below 6 lets it */
	return 0;
}

START_TEST(tcp_goes_to_no_other_port) {
	in_child(ports_do_not);
} END_TEST

/* --- which rules a gateway sets --- */

static struct gwconf conf;

static void configure(const char *more) {
	OWN(own_free) char *text = xasprintf("listen = \"127.0.0.1:4433\"; host = \"localhost\";\n%s", more);
	struct err e = ERR_INIT;

	(void)tmp_file("own/gateway.conf", text, strlen(text), 0600);
	ck_assert_int_eq(gwconf_load(tmp_path("own/gateway.conf"), &conf, &e), 0);
}

static bool fenced(const char *ready, const char *passin) {
	const struct fence_folder folder = { .conf = &conf, .config = tmp_path("own/gateway.conf"), .passin = passin };
	const struct fence_plan p = { .folders = &folder, .n = 1, .ready = ready };
	const char *why;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return fence_close(&p, &why);
}

static int simple(void) {
	const char *tmp;

	if (!fenced(NULL, NULL))
		return 77;
	tmp = getenv("SQLITE_TMPDIR");
	TRUE(can(tmp_path("own/a"), O_RDWR) == 0);
	TRUE(can(tmp_path("own"), O_RDWR | O_TMPFILE) == 0);
	TRUE(can("/etc/passwd", O_RDONLY) == EACCES);
	TRUE(can("/etc/resolv.conf", O_RDONLY) != 0);
	TRUE(can(tmp_path("other/b"), O_RDONLY) == EACCES);
	TRUE(can(tmp_dir(), O_RDWR | O_TMPFILE) == EACCES);
	TRUE(tmp != NULL && strcmp(tmp, tmp_path("own")) == 0);
	return 0;
}

START_TEST(a_gateway_has_its_folder_alone) {
	configure("");
	in_child(simple);
} END_TEST

static int with_url(void) {
	if (!fenced(NULL, NULL))
		return 77;
	TRUE(can("/etc/passwd", O_RDONLY) == 0);
	TRUE(can("/etc/passwd", O_RDWR) == EACCES);
	TRUE(can(tmp_path("other/b"), O_RDONLY) == EACCES);
	TRUE(tcp(true, 1) != EACCES);
	TRUE(can("/etc", O_RDWR | O_TMPFILE) == EACCES);
	return 0;
}

START_TEST(with_lists_to_fetch_it_reads_what_names_need) {
	configure("crl_url = \"https://ca.example/crl.pem\";");
	in_child(with_url);
} END_TEST

static int named(void) {
	if (!fenced(NULL, NULL))
		return 77;
	TRUE(can(tmp_path("other/b"), O_RDONLY) == 0);
	TRUE(can(tmp_path("other/b"), O_RDWR) == EACCES);
	TRUE(can(tmp_dir(), O_RDONLY | O_DIRECTORY) == EACCES);
	return 0;
}

START_TEST(folders_that_the_configuration_names_are_read) {
	configure(_i == 0 ? "recovery = \"../other/new.crt\";" : _i == 1 ? "passin = \"file:../other/pass\";" : "");
	if (_i == 2)
		ck_assert_int_eq(symlink(tmp_path("other/b"), tmp_path("own/crl.pem")), 0);
	in_child(named);
} END_TEST

static int with_ready(void) {
	struct err e = ERR_INIT;

	if (!fenced(tmp_path("other/ready"), "file:/nowhere/pass"))
		return 77;
	TRUE(file_save(tmp_path("other/ready"), "x", 1, 0600, &e) == 0);
	TRUE(can(tmp_dir(), O_RDWR | O_TMPFILE) == EACCES);
	return 0;
}

START_TEST(the_ready_file_is_written) {
	configure("");
	in_child(with_ready);
} END_TEST

/* --- the user --- */

static void drop(void) {
	gwconf_wipe(&conf);
	tmp_drop();
}

START_TEST(neither_root_nor_nobody_known_is_a_user) {
	struct user u;
	struct err e = ERR_INIT;

	ck_assert_int_eq(user_find("root", &u, &e), ERR_USAGE);
	ck_assert_str_eq(e.text, "user: root has root's rights");
	ck_assert_int_eq(user_find("no-such-user-here", &u, &e), ERR_USAGE);
	ck_assert_int_eq(user_find("", &u, &e), ERR_USAGE);
	ck_assert_str_eq(e.text, "user: there is no user ");
} END_TEST

static bool is_testable(struct user *u) {
	struct err e = ERR_INIT;

	if (geteuid() == 0 && user_find("nobody", u, &e) == 0)
		return true;
	printf("skipped: not root, or there is no user nobody\n");
	return false;
}

static struct user nobody;

static int becomes(void) {
	struct err e = ERR_INIT;

	TRUE(user_become(&nobody, &e) == 0);
	TRUE(getuid() == nobody.uid && getegid() == nobody.gid);
	TRUE(setuid(0) == -1 && errno == EPERM);
	TRUE(seteuid(0) == -1 && setgid(0) == -1);
	TRUE(can(tmp_path("other/b"), O_RDONLY) == EACCES);
	TRUE(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	TRUE(user_become(&nobody, &e) == ERR_FAIL); /* it may not even choose its groups */
	return 0;
}

START_TEST(from_the_user_there_is_no_way_back) {
	if (is_testable(&nobody))
		in_child(becomes);
} END_TEST

#define FAULTS_MAX 16

struct faults {
	unsigned n, max;
	char text[FAULTS_MAX][512];
};

static bool count(void *arg, const char *text) {
	struct faults *f = arg;

	(void)snprintf(f->text[f->n], sizeof f->text[f->n], "%s", text);
	return ++f->n < f->max;
}

START_TEST(files_that_the_user_cannot_use_are_named) {
	struct faults all = { .max = FAULTS_MAX }, first = { .max = 1 }, after = { .max = FAULTS_MAX };
	struct err e = ERR_INIT;
	struct user u;

	configure("");
	if (!is_testable(&u))
		return;
	(void)tmp_file("own/gateway.db", "", 0, 0600);
	(void)tmp_file("own/gateway.key", "", 0, 0600);
	(void)tmp_file("own/gateway.crt", "", 0, 0644);
	ck_assert_int_eq(chmod(tmp_dir(), 0711), 0);
	ck_assert_int_eq(chmod(tmp_path("own"), 0755), 0);
	ck_assert_int_eq(user_try_files_as(&u, &conf, tmp_path("own/gateway.conf"), count, &all, &e), 0);
	ck_assert_int_eq((int)geteuid(), 0);
	ck_assert_uint_eq(all.n, 4); /* configuration, folder, key, database */
	ck_assert_ptr_nonnull(strstr(all.text[1], "/own/.: not to be read and written by the user"));
	ck_assert_ptr_nonnull(strstr(all.text[2], "/own/gateway.key: not to be read by the user"));
	ck_assert_int_eq(user_try_files_as(&u, &conf, tmp_path("own/gateway.conf"), count, &first, &e), 0);
	ck_assert_uint_eq(first.n, 1);
	ck_assert_int_eq(chown(tmp_path("own"), u.uid, u.gid), 0);
	ck_assert_int_eq(chown(tmp_path("own/gateway.db"), u.uid, u.gid), 0);
	ck_assert_int_eq(chown(tmp_path("own/gateway.key"), u.uid, u.gid), 0);
	ck_assert_int_eq(chown(tmp_path("own/gateway.conf"), u.uid, u.gid), 0);
	ck_assert_int_eq(user_try_files_as(&u, &conf, tmp_path("own/gateway.conf"), count, &after, &e), 0);
	ck_assert_uint_eq(after.n, 0);
} END_TEST

static int as_nobody(void) {
	const struct fence_folder folder = { .conf = &conf, .config = "none" };
	const struct fence_plan p = { .folders = &folder, .n = 1 };
	struct rights r;
	struct err e = ERR_INIT;

	TRUE(user_become(&nobody, &e) == 0);
	TRUE(rights_give_up(&p, &r, &e) == ERR_USAGE);
	TRUE(strcmp(e.text, "user: only root can become daemon") == 0);
	return 0;
}

START_TEST(who_is_not_root_cannot_become_another) {
	configure("user = \"daemon\";");
	if (is_testable(&nobody) && getpwnam("daemon") != NULL)
		in_child(as_nobody);
} END_TEST

int main(void) {
	TCase *t = tcase_create("rights");

	tcase_add_checked_fixture(t, make_folders, drop);
	tcase_add_test(t, own_folder_is_read_and_written);
	tcase_add_test(t, all_else_is_out_of_reach);
	tcase_add_test(t, what_is_read_only_is_not_written);
	tcase_add_test(t, later_threads_are_held_by_it_too);
	tcase_add_test(t, tcp_goes_to_no_other_port);
	tcase_add_test(t, a_gateway_has_its_folder_alone);
	tcase_add_test(t, with_lists_to_fetch_it_reads_what_names_need);
	tcase_add_loop_test(t, folders_that_the_configuration_names_are_read, 0, 3);
	tcase_add_test(t, the_ready_file_is_written);
	tcase_add_test(t, neither_root_nor_nobody_known_is_a_user);
	tcase_add_test(t, from_the_user_there_is_no_way_back);
	tcase_add_test(t, files_that_the_user_cannot_use_are_named);
	tcase_add_test(t, who_is_not_root_cannot_become_another);
	return suite_run("rights", t);
}
