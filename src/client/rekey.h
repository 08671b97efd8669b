/* SPDX-License-Identifier: Apache-2.0 */
/* After an eviction: every file whose object is not under the newest epoch gets a new object that is. */
#ifndef SCG_CLIENT_REKEY_H
#define SCG_CLIENT_REKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "client/destroy.h"
#include "client/session.h"

struct rekey_report {
	size_t rekeyed, unchanged, failed; /* files */
	uint64_t bytes;                    /* of plaintext under the new epoch now */
	uint64_t epoch;
	uint64_t destroyed; /* superseded objects, in this run */
	uint64_t left;      /* superseded objects that could not be destroyed */
	struct left owners; /* of these, as far as the drive says */
};
void rekey_report_wipe(struct rekey_report *report);
/* rewrap: only the recipient infos change. Killed anywhere, every file opens and a second run finishes. The report is
 * right also after an error; wipe it in every case. */
int rekey(struct session *s, bool rewrap, struct rekey_report *report, struct err *e) MUST_CHECK;

#endif
