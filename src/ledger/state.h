/* SPDX-License-Identifier: Apache-2.0 */
/* What the modules of the ledger share: its state in memory, signers, entries being checked, rows of files. Not for
 * other folders. */
#ifndef SCG_LEDGER_STATE_H
#define SCG_LEDGER_STATE_H

#include "ledger/ledger.h"
#include "ledger/seal.h"
#include "ledger/tree.h"
#include "pki/signed.h"

#define SKI_LEN 20
#define SIGNER_BUCKETS 256

/* Who may sign: a certificate whose chain was checked, and what its member event and the later ones say of it. */
struct signer {
	struct signer *next; /* in its bucket */
	X509 *cert;
	uint8_t ski[SKI_LEN], sha256[32], serial[SERIAL_MAX];
	size_t serial_len;
	char name[NAME_MAX_BYTES + 1];
	bool gateway; /* EKU serverAuth; else emailProtection */
	bool revoked; /* by a crl event */
	uint64_t seen; /* the most that an event of his saw */
};

struct ledger {
	struct db *db;
	const struct chain *chain;
	struct seal seal;
	struct tree tree;
	uint8_t root[32];
	int64_t latest_s; /* the latest time that a member's event says */
	uint64_t epoch; /* 0: none yet */
	uint8_t key_id[KEY_ID_LEN];
	uint64_t crl; /* number of the newest list; 0: none yet */
	struct signer *signers[SIGNER_BUCKETS];
	unsigned n_signers;
	bool audit; /* entries are compared with what is stored, not inserted */
};

/* --- ledger.c --- */
/* What the database holds now, whatever this process knows: size, root and latest time of a member's event. */
int ledger_tip(struct ledger *l, uint64_t *size, uint8_t root[static 32], int64_t *latest_s, struct err *e) MUST_CHECK;

/* --- signer.c --- */
/* Checks chain and purpose. cert is taken (up_ref). ERR_DAMAGED. */
int signer_make(const struct chain *chain, X509 *cert, struct signer **s, struct err *e) MUST_CHECK;
void signer_free(struct signer *s);
/* *s: borrowed until signers_flush, NULL if the ledger has no member event for this key. */
int signers_find(struct ledger *l, const uint8_t ski[static SKI_LEN], struct signer **s, struct err *e) MUST_CHECK;
/* Stores what the entry with this index introduces; s is owned by the cache then, in every case. */
int signers_add(struct ledger *l, struct signer *s, uint64_t index, struct err *e) MUST_CHECK;
int signers_saw(struct ledger *l, struct signer *s, uint64_t seen, struct err *e) MUST_CHECK;
/* Asks the tables anew who is revoked. */
int signers_refresh(struct ledger *l, struct err *e) MUST_CHECK;
void signers_flush(struct ledger *l);
/* Flushes once the cache has grown large: between two appends, while nobody holds a signer. */
void signers_trim(struct ledger *l);

/* --- item.c: one entry, parsed and verified without the database, on any thread --- */
struct item {
	struct entry en;
	struct signed_info info;
	struct event ev;
	struct signer *fresh; /* of a member event: whom it brings */
	bool verified;
};
/* Releases what it owns (certificate, fresh); safe on {0}. */
void item_wipe(struct item *it);
/* Form of everything inside; a brought certificate's chain. ERR_DAMAGED. */
int item_parse(const struct chain *chain, const struct entry *en, struct item *it, struct err *e) MUST_CHECK;
/* The signature, with this certificate. */
int item_verify(struct item *it, X509 *cert, struct err *e) MUST_CHECK;

/* --- rules.c --- */
/* As ledger_append; the signature is verified unless it was. it->fresh is taken. */
int rules_append(
    struct ledger *l, struct item *it, const struct ledger_how *how, struct ledger_result *r, struct err *e) MUST_CHECK;

/* --- files.c --- */
struct row {
	struct ledger_file f; /* but for the path */
	uint64_t named; /* index of the entry that brought salt and path */
	bool placed; /* lookup is set: the file is present */
	uint8_t lookup[32];
};
/* The file with this id, removed ones too; ERR_NOTFOUND. */
int row_load(struct ledger *l, const uint8_t file[static 16], struct row *r, struct err *e) MUST_CHECK;
/* Stores a new file's row; or changes the one of its id. */
int row_insert(struct ledger *l, const struct row *r, struct err *e) MUST_CHECK;
int row_update(struct ledger *l, const struct row *r, struct err *e) MUST_CHECK;
/* Who has this place; ERR_NOTFOUND. */
int row_at(struct ledger *l, const uint8_t lookup[static 32], struct row *r, struct err *e) MUST_CHECK;
/* Salt and path that the entry with this index brought. */
int row_name(struct ledger *l, uint64_t named, struct buf *name, struct err *e) MUST_CHECK;

/* --- place.c: where a path lies, folded: its folders from the top and itself, as look-up keys --- */
struct place {
	uint8_t (*key)[32];
	size_t n;
};
void place_wipe(struct place *p);
/* The keys of a path that was checked (path_check); wipe p. */
int place_make(struct ledger *l, const char *path, size_t len, struct place *p, struct err *e) MUST_CHECK;
/* May a file stand there? own (file id and place, or NULL): the file that is about to leave its own place. by: who is
 * in the way, if a file is. */
int place_is_free(struct ledger *l, const struct place *p, const uint8_t *own, const struct place *own_place, bool *yes,
    struct row *by, struct err *e) MUST_CHECK;
/* One file more (or less) below these folders. */
int place_count(struct ledger *l, const struct place *p, int more, struct err *e) MUST_CHECK;

/* --- history.c --- */
/* One stored event, parsed; whose signature it was said to be when it was checked. */
int history_event(struct ledger *l, uint64_t index, struct event *ev, uint8_t ski[static SKI_LEN], struct err *e) MUST_CHECK;

/* --- replay.c --- */
struct replay {
	struct ledger *l;
	uint64_t upto; /* the size to reach */
	/* A SEQUENCE OF Entry that begins with this index, of any length. */
	int (*fetch)(void *arg, uint64_t from, struct buf *der, struct err *e);
	bool aside; /* fetch may be called on another thread while the database is used on this one */
	int (*applied)(void *arg, uint64_t index, const struct item *it, struct err *e); /* or NULL */
	void *arg;
	struct buf *ahead; /* fetched already, from this index on (which may be below the ledger's size); taken */
	uint64_t ahead_from;
	struct buf *culprit; /* gets the DER of the entry that was refused; or NULL */
};
/* Appends entries in order until the size is reached, inside the caller's transaction. While some are appended the next
 * ones are verified on the other cores and those behind them are fetched. */
int replay_run(const struct replay *p, struct err *e) MUST_CHECK;

#endif
