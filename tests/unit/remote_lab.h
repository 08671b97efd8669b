/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that behaves like a drive behind a network, in place of store/gdrive.c: accounts own their objects, sendings end in
 * the middle and are taken up again. And what the tests of the client do with it. */
#ifndef SCG_TESTS_REMOTE_LAB_H
#define SCG_TESTS_REMOTE_LAB_H

#include <stdbool.h>

#include "client/groupfile.h"
#include "client/spool.h"
#include "store/store.h"

#define REMOTE_OBJECTS_MAX 32

extern struct remote {
	unsigned sends, resumed;  /* seen so far; with a token */
	unsigned break_sends;     /* so many end in the middle */
	bool rotate;              /* the next one meets a new epoch */
	unsigned gets, destroyed;
	unsigned waits;           /* for files that were not whole yet */
	bool refuse;              /* the next one, at once */
	struct buf last;          /* the bytes of the last one */
	const char *twin;         /* a file that the drive keeps under the name of an object too; store_prefer has it count */
	struct {
		char id[STORE_ID_LEN + 1], owner[32];
	} object[REMOTE_OBJECTS_MAX];
	size_t n;
} remote;

/* gate_setup, and alice and bob use this drive. */
void remote_setup(void);
void remote_teardown(void);

/* FOLDER/doc, longer than a chunk, all of this letter. */
void remote_doc(char letter);
int remote_try(const char *who, struct err *e);
void remote_uploads(const char *who);
void remote_fails(const char *who, int code);
void remote_reads(const char *who, char letter);
/* The record that an upload of alice's left, or false. */
bool remote_left(struct spool_record *rec);
void remote_leaves_nothing(void);
/* What bob's ledger says of doc. */
void remote_find(struct ledger_file *f);

#endif
