/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway and two members with their mirrors. */
#ifndef SCG_TESTS_MIRROR_LAB_H
#define SCG_TESTS_MIRROR_LAB_H

#include "lib/memgate.h"

extern struct mirror_lab {
	struct fixture f;
	struct memgate g;
	struct mirror *alice, *bob;
	struct fixture_id carol, gateway2; /* whom the ledger does not know yet */
	struct err e;
} lab;

/* A checked fixture. */
void mirror_lab_set_up(void);
void mirror_lab_tear_down(void);

struct mirror *open_mirror(const char *name, const X509 *own);
void sync_ok(struct mirror *m);
/* Draws up a change as the mirror stands. */
void draft(struct mirror *m, enum event_op op, const char *path, const char *to, struct memgate_step *s);
/* Synchronises, then posts it. */
void change_ok(struct mirror *m, const struct fixture_id *who, enum event_op op, const char *path, const char *to);
void must_find(struct mirror *m, const char *path, struct ledger_file *file);
void roots_are_equal(struct ledger *a, struct ledger *b);
/* Each row is looked at, too. */
size_t evidence_count(struct mirror *m);

#endif
