/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed files on their way to a drive: DIR/spool/STEM.cms, which no other process touches while it is locked, and STEM.rec beside it, which says
 * what it is. A STEM.cms without its STEM.rec is thrown away. */
#ifndef SCG_CLIENT_SPOOL_H
#define SCG_CLIENT_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "client/spool_record.h"

#define SPOOL_DIR "spool"                    /* in the member's folder */
#define SPOOL_AGE_S ((int64_t)6 * 86400)     /* what is older names no object any more (upload.h) */
#define SPOOL_STEM_LEN 32

struct spool {
	char *dir;
	char stem[SPOOL_STEM_LEN + 1];
	int fd;                     /* of STEM.cms, locked; -1: not open */
	bool kept;                  /* there is a record */
	bool synced;                /* what it speaks of is on the disk */
	struct spool_record record; /* owned */
};
#define SPOOL_INIT \
	{ .fd = -1 }

/* The member's own folder for it, malloc'd; given: of -spool-dir, or NULL. */
char *spool_dir(const char *member_dir, const char *given);
/* Takes the place of this path of the group, making the folder (0700) if need be. kept: what an earlier run left, which still has to be
 * held against file, epoch and ledger; it is not too old. ERR_EXISTS: another process is at it. Close in every case. */
int spool_open(struct spool *s, const char *dir, const char *group, const uint8_t member[static SPOOL_SKI_LEN], const char *path,
    struct err *e) MUST_CHECK;
/* Throws away what is there; fd is empty. */
int spool_reset(struct spool *s, struct err *e) MUST_CHECK;
/* Where fd is; false where that cannot be told. */
bool spool_place(const struct spool *s, struct spool_place *p);
/* The record is on the disk when it returns. Unless it says that this is still being sealed, what was written to fd is whole, as record says, and is
 * on the disk too. Again after each change of the record. */
int spool_keep(struct spool *s, struct err *e) MUST_CHECK;
/* Removes both. */
void spool_drop(struct spool *s);
/* Releases; what has no record is removed. */
void spool_close(struct spool *s);

/* Removes what is too old, damaged, not whole (or, if still being sealed, not where it was), or (key_id not NULL) under another epoch, unless
 * a process is at it. */
int spool_sweep(const char *dir, const uint8_t *key_id, struct err *e) MUST_CHECK;

#endif
