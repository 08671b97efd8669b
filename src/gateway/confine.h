/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway gives up for good when it starts: whoever takes it over can do no more with the kernel than it does itself. */
#ifndef SCG_GATEWAY_CONFINE_H
#define SCG_GATEWAY_CONFINE_H

enum confine {
	CONFINE_DONE,
	CONFINE_PRIVILEGES_ONLY, /* built without libseccomp, or instrumented */
	CONFINE_FAILED,          /* the kernel, or who started us, does not allow the filter */
};
/* No new privileges, and system calls that no gateway makes (other programs, other processes, file systems, kernel, clock, identities) fail with EPERM, in
 * this thread and those that it starts. Before the first one. */
enum confine confine_process(void);

#endif
