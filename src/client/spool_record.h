/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of an upload under way: which file was sealed as which object, and how far the drive is. */
#ifndef SCG_CLIENT_SPOOL_RECORD_H
#define SCG_CLIENT_SPOOL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "envelope/envelope.h"
#include "keyring/keyring.h"
#include "ledger/event.h"

#define SPOOL_RECORD_MAX ((size_t)32 * 1024) /* a path of 4,096 bytes and a token, base64 */
#define SPOOL_SKI_LEN 20

/* A file as it was when it was read. */
struct spool_local {
	uint64_t dev, ino, size, mtime_s, mtime_ns, ctime_s, ctime_ns;
};
/* Where sealed bytes lie: this very file of the spool, as it was left since this start of the machine. Then all that ever left it is still there,
 * though it was never synced: after a loss of power less may be there than was sent, and in a copy too. */
struct spool_place {
	uint8_t boot[16];
	uint64_t dev, ino;
};
struct spool_record {
	bool sealing; /* not sealed to its end: its digests are not known and it is not sent, but place and ticket count */
	char *group, *path; /* the name that it is for */
	uint8_t member[SPOOL_SKI_LEN];
	struct spool_local local;
	uint8_t put_id[16];              /* of a new file, or of the one beside another */
	uint8_t file_id[16];             /* this and the version stand in the manifest */
	uint64_t version;
	uint8_t key_id[KEY_ID_LEN];
	char object[OBJECT_ID_LEN + 1];
	uint64_t object_size;
	uint8_t object_sha256[32], content_sha256[32];
	struct spool_place place;
	uint8_t ticket[ENVELOPE_TICKET_LEN]; /* for spool_record_purpose */
	uint64_t time_s; /* of the sealing */
	bool sent;       /* the drive has said that it has it all */
	char *token;     /* store_send.token, or NULL */
};
/* Releases what is inside; safe on {0}. */
void spool_record_wipe(struct spool_record *r);
void spool_record_print(const struct spool_record *r, struct buf *text);
/* SHA-256 of all that a sealing is for: the lines of its record but ticket and token. */
void spool_record_purpose(const struct spool_record *r, uint8_t sha256[static 32]);
/* Exactly what spool_record_print makes. ERR_DAMAGED. r begins as {0}; wipe it in every case. */
int spool_record_parse(const uint8_t *text, size_t len, struct spool_record *r, struct err *e) MUST_CHECK;

void spool_local_take(const struct stat *st, struct spool_local *l);
bool spool_local_is(const struct spool_local *a, const struct spool_local *b);
bool spool_place_is(const struct spool_place *a, const struct spool_place *b);

#endif
