/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway's ledger with two members, and entries whose every field can be spoilt before they are signed. */
#ifndef SCG_TESTS_LEDGER_LAB_H
#define SCG_TESTS_LEDGER_LAB_H

#include "lib/memgate.h"

extern struct lab {
	struct fixture f;
	struct memgate g;
	struct fixture_id carol, gateway2; /* whom the ledger does not know yet */
	struct err e;
} lab;

/* A checked fixture. */
void lab_set_up(void);
void lab_tear_down(void);

/* An entry in the making. */
struct draft {
	struct event ev;
	const char *path;
	uint8_t salt[SALT_LEN];
	bool salted, with_cert;
	X509 *brought;
	const struct buf *raw; /* instead of it; or NULL */
	struct buf serials;
	bool revokes;
	const struct fixture_id *by;
	struct ledger_how how;
	int64_t signing_time_s; /* 0: the event's */
	bool with_nonce;
};
void draft_wipe(struct draft *d);
/* What alice would post now about the file at path (put: a new one at to). */
void draft_file(struct draft *d, enum event_op op, const char *path, const char *to);
/* What the gateway would say now; the op's own fields are left to the caller. */
void draft_own(struct draft *d, enum event_op op);
void draft_rename(struct draft *d, const char *path);
/* The whole ledger as it stands. */
void draft_sees(struct event *ev);
void draft_print(struct draft *d, struct buf *entry);
/* r may be NULL; the error is in lab.e. */
int draft_append(struct draft *d, struct ledger_result *r);
void draft_append_ok(struct draft *d);
/* Alice does it. */
void file_ok(enum event_op op, const char *path, const char *to);
/* dir/old, other, third/a/b. */
void some_files(void);

#endif
