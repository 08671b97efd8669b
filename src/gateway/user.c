/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "base/secret.h"
#include "gateway/identity.h"

int user_find(const char *name, struct user *u, struct err *e) {
	const struct passwd *p = getpwnam(name); /* NOLINT(concurrency-mt-unsafe): before any thread */

	if (p == NULL)
		return err_set(e, ERR_USAGE, "user: there is no user %s", name);
	if (p->pw_uid == 0 || p->pw_gid == 0)
		return err_set(e, ERR_USAGE, "user: %s has root's rights", name);
	*u = (struct user){ p->pw_uid, p->pw_gid };
	return 0;
}

/* Securebits can let capabilities outlive the change of the user. */
static bool has_capabilities(void) {
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capget, &head, data) != 0)
		return true;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if (data[i].permitted != 0 || data[i].effective != 0)
			return true;
	return false;
}

static bool is_for_good(const struct user *u) {
	uid_t real, effective, saved;
	gid_t group, effective_group, saved_group;

	if (getresuid(&real, &effective, &saved) != 0 || real != u->uid || effective != u->uid || saved != u->uid)
		return false;
	if (getresgid(&group, &effective_group, &saved_group) != 0 || group != u->gid || effective_group != u->gid || saved_group != u->gid)
		return false;
	if (getgroups(0, NULL) != 1 || has_capabilities())
		return false;
	return setresuid((uid_t)-1, 0, (uid_t)-1) != 0 && setresgid((gid_t)-1, 0, (gid_t)-1) != 0;
}

int user_become(const struct user *u, struct err *e) {
	if (setgroups(1, &u->gid) != 0 || setresgid(u->gid, u->gid, u->gid) != 0 || setresuid(u->uid, u->uid, u->uid) != 0)
		return err_sys(e, ERR_FAIL, "user: root's rights cannot be given up");
	secret_undumpable();
	return is_for_good(u) ? 0 : err_set(e, ERR_FAIL, "user: root's rights could be had back");
}

struct trial {
	const struct gwconf *conf;
	bool (*wrong)(void *arg, const char *text);
	void *arg;
	bool stop;
};

/* What is missing is said elsewhere. */
static void try_path(struct trial *t, const char *path, int mode) {
	OWN(own_free) char *text = NULL;

	if (t->stop || faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 || errno == ENOENT)
		return;
	text = xasprintf("%s: %s", path,
	    (mode & W_OK) != 0 ? "not to be read and written by the user of the gateway" : "not to be read by the user of the gateway");
	t->stop = !t->wrong(t->arg, text);
}

static void try_file(struct trial *t, const char *name, int mode) {
	OWN(own_free) char *path = gwconf_path(t->conf, name);

	try_path(t, path, mode);
}

void user_try_files(const struct gwconf *c, const char *config, const char *ready, bool (*wrong)(void *arg, const char *text), void *arg) {
	static const struct { const char *name; int mode; } files[] = {
		{ ".", R_OK | W_OK | X_OK }, { FILE_KEY, R_OK }, { FILE_CERT, R_OK }, { FILE_KEY_NEW, R_OK }, { FILE_CERT_NEW, R_OK }, { FILE_CA, R_OK },
		{ FILE_CRL, R_OK }, { FILE_DB, R_OK | W_OK }, { FILE_DB "-wal", R_OK | W_OK }, { FILE_DB "-shm", R_OK | W_OK }, { FILE_LOCK, R_OK | W_OK },
	};
	struct trial t = { .conf = c, .wrong = wrong, .arg = arg };

	try_path(&t, config, R_OK);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		try_file(&t, files[i].name, files[i].mode);
	if (c->recovery != NULL)
		try_file(&t, c->recovery, R_OK);
	if (c->passin != NULL && strncmp(c->passin, "file:", 5) == 0)
		try_path(&t, c->passin + 5, R_OK);
	if (ready != NULL && !file_is_special(ready)) {
		OWN(own_free) char *folder = file_folder(ready);

		try_path(&t, folder, R_OK | W_OK | X_OK);
	}
}

int user_try_files_as(const struct user *u, const struct gwconf *c, const char *config, bool (*wrong)(void *arg, const char *text), void *arg,
    struct err *e) {
	gid_t groups[NGROUPS_MAX], own = getegid();
	int n = getgroups(NGROUPS_MAX, groups);

	if (n < 0 || setgroups(1, &u->gid) != 0 || setegid(u->gid) != 0 || seteuid(u->uid) != 0)
		return err_sys(e, ERR_FAIL, "user: cannot be tried");
	user_try_files(c, config, NULL, wrong, arg);
	if (seteuid(0) != 0 || setegid(own) != 0 || setgroups((size_t)n, groups) != 0)
		return err_sys(e, ERR_FAIL, "user: cannot be left again");
	secret_undumpable();
	return 0;
}
