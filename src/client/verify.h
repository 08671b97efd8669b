/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and checks what is on the drive against the ledger, and writes no plaintext. */
#ifndef SCG_CLIENT_VERIFY_H
#define SCG_CLIENT_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "client/session.h"

enum verify_kind {
	VERIFY_FILE,
	VERIFY_OBJECT,
	VERIFY_KEPT, /* by the drive: trash, older revisions */
};
struct verify_finding {
	enum verify_kind kind;
	char *what; /* a file's name, an object's id, what the drive calls it */
	char *why;
	char *owner; /* of what is under an older epoch: who alone may destroy it; or NULL */
};
struct verify_report {
	bool begun;           /* else nothing was looked at, and the numbers say nothing */
	size_t files, failed; /* of the ledger */
	uint64_t superseded;  /* objects that an event named, and that are no file's now: gc destroys them */
	uint64_t orphans;     /* rightly sealed, but no event names them: an upload under way, or one that was killed */
	uint64_t injected;    /* no member can have put these there */
	uint64_t old;         /* objects that a key of an older epoch opens, files' and others, and what is kept of them */
	uint64_t kept;        /* of these, in the trash or as older revisions */
	bool complete;        /* all was looked at: what was not found is not there */
	struct verify_finding *v; /* n of them: each bad file and object by itself, in no order */
	size_t n, cap;
};
/* Releases the findings; safe on {0}. */
void verify_report_wipe(struct verify_report *r);
struct verify_job {
	char *const *names; /* n 0: all files, and all else on the drive */
	size_t n;
	bool old; /* says of each object that an older epoch's key opens it */
};
/* report begins as {0}; wipe it in every case. ERR_DAMAGED where anything is missing, altered or injected; ERR_FAIL
 * where old was asked and something is left under an older epoch. */
int verify(struct session *s, const struct verify_job *job, struct verify_report *report, struct err *e) MUST_CHECK;

#endif
