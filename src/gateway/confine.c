/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/confine.h"

#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>

#ifdef HAVE_SECCOMP
#include <seccomp.h>

/* A list of what is forbidden, not of what is allowed: the C library, curl and SQLite change from one release to the next, and the service unit has
 * systemd's list of what services need. */
static const int forbidden[] = {
	/* programs and processes */
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp), SCMP_SYS(pidfd_getfd), SCMP_SYS(personality),
	/* file systems and name spaces */
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsmount), SCMP_SYS(pivot_root),
	SCMP_SYS(chroot), SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(name_to_handle_at),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(quotactl), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct),
	/* the kernel */
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
	SCMP_SYS(reboot), SCMP_SYS(syslog), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(modify_ldt), SCMP_SYS(vhangup),
	/* clock and names of the machine */
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime), SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	/* identities */
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setfsuid),
	SCMP_SYS(setfsgid), SCMP_SYS(setgroups), SCMP_SYS(capset),
	/* what 32-bit systems have besides: there the C library calls these */
	SCMP_SYS(setuid32), SCMP_SYS(setgid32), SCMP_SYS(setreuid32), SCMP_SYS(setregid32), SCMP_SYS(setresuid32), SCMP_SYS(setresgid32),
	SCMP_SYS(setfsuid32), SCMP_SYS(setfsgid32), SCMP_SYS(setgroups32), SCMP_SYS(umount), SCMP_SYS(stime), SCMP_SYS(clock_settime64),
	SCMP_SYS(clock_adjtime64),
};

static int load(scmp_filter_ctx ctx) {
	int rc = 0;

	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden && rc == 0; i++) {
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0);
		if (rc == -EDOM) /* this architecture has no such call */
			rc = 0;
	}
	return rc == 0 ? seccomp_load(ctx) : rc;
}

static enum confine filter(void) {
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int rc;

	if (ctx == NULL)
		return CONFINE_FAILED;
	rc = load(ctx);
	seccomp_release(ctx);
	return rc == 0 ? CONFINE_DONE : CONFINE_FAILED;
}
#else
static enum confine filter(void) {
	return CONFINE_PRIVILEGES_ONLY;
}
#endif

enum confine confine_process(void) {
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return CONFINE_FAILED;
	return filter();
}
