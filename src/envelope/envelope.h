/* SPDX-License-Identifier: Apache-2.0 */
/* Files as sequences of CMS AuthEnvelopedData (RFC 5083, 5084): seal, open, change the key, inspect; as streams, on all cores. */
#ifndef SCG_ENVELOPE_ENVELOPE_H
#define SCG_ENVELOPE_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "envelope/io.h"
#include "envelope/manifest.h"
#include "keyring/keyring.h"
#include "pki/chain.h"
#include "pki/crl.h"

#define ENVELOPE_THREADS_MAX 64 /* more are taken for as many */

struct envelope_seal {
	const struct epoch *epoch;      /* the group key to wrap the content key with; or */
	X509 *recip;                    /* a certificate to wrap it to instead, checked by the caller: no file for the group's drive */
	const char *group, *name;       /* go into the manifest; name is a ledger path or a file's last component */
	const uint8_t *file_id;         /* 16 bytes, or NULL: random */
	uint64_t version;               /* 1.. */
	EVP_PKEY *key; X509 *cert;      /* the author */
	unsigned threads;               /* 0: all cores; in a stream at most 4 work, since each holds a whole segment */
	bool hash_object;               /* also SHA-256 of the whole ciphertext (costs one more pass, in order) */
	uint64_t object_size;           /* as envelope_seal_size said: the ciphertext has just so many bytes; 0: as it comes */
	const uint8_t *ticket;          /* the content key and nonces of envelope_ticket, for a sealing that an earlier process began: see there; NULL: */
	const uint8_t *purpose;         /* fresh ones. 32 bytes, as the ticket was made for */
	void (*progress)(void *arg, uint64_t plain_bytes); void *progress_arg; /* bytes done since the last call; may be NULL; any thread */
};

struct envelope_result {
	struct manifest manifest;       /* what is signed (owned) */
	uint8_t content_sha256[32];     /* of the manifest's SignedData, as in events */
	uint64_t object_size;           /* ciphertext bytes */
	uint8_t object_sha256[32];      /* if asked for */
	uint8_t key_id[KEY_ID_LEN];
	X509 *author;                   /* open: the signer's certificate (owned); NULL after -unsigned */
	int64_t signed_s;
	bool author_revoked;            /* the author's certificate is on the list now, and revoked after signed_s (a claim) */
	bool is_unsigned;
	bool to_certificate;            /* and key_id is zero */
};
/* Releases manifest and author; safe on {0}. */
void envelope_result_wipe(struct envelope_result *r);

/* Seals the source, whose length need not be known, into the sink. Constant memory. Nothing is finished (renamed, committed) here. */
int envelope_seal(const struct envelope_seal *s, const struct source *in, const struct sink *out, struct envelope_result *r,
    struct err *e) MUST_CHECK;

/* The ciphertext's length for plain_size bytes, before they are read. An author's signature (ECDSA) varies in length, so envelope_seal has to be
 * told to keep to it (object_size). */
int envelope_seal_size(const struct envelope_seal *s, uint64_t plain_size, uint64_t *object_size, struct err *e) MUST_CHECK;

/* With a ticket a sealing outlives its process: another one that is given it, and the same source, writes the same bytes up to the manifest, whose
 * signature is another one at each time. Two plaintexts under one key and nonce would lay both open (NIST SP 800-38D 8), so whoever seals with a
 * ticket a second time has to hold what comes against *all* that left before, and at the first difference, or if a byte of a manifest has left, to
 * throw all away and take a fresh ticket. It holds the content key, wrapped with the epoch's key, and is bound to a digest of what it is for. */
#define ENVELOPE_TICKET_LEN 80
int envelope_ticket(const struct epoch *epoch, const uint8_t purpose[static 32], uint8_t ticket[static ENVELOPE_TICKET_LEN],
    struct err *e) MUST_CHECK;
/* ERR_DAMAGED where it was not made with this epoch's key and for this purpose: no file is sealed with it. */
int envelope_ticket_check(const struct epoch *epoch, const uint8_t purpose[static 32], const uint8_t ticket[static ENVELOPE_TICKET_LEN],
    struct err *e) MUST_CHECK;
/* How many bytes of ciphertext stand before the manifest, in a file of the group. */
uint64_t envelope_body_size(uint64_t plain_size);

/* Bytes first to last of a file, last included; what lies behind the end is left out. */
struct envelope_range { uint64_t first, last; };

struct envelope_open {
	const struct keyring *keys;
	X509 *own_cert;                 /* with own_key: also opens what is sealed to this certificate; NULL: that is ERR_DAMAGED */
	EVP_PKEY *own_key;
	const struct chain *chain;      /* the group's CA */
	const struct crl_set *crl;      /* the highest list seen, or NULL: revocation of the author is not asked */
	const char *group;              /* must match the manifest's */
	const uint8_t *content_sha256;  /* 32 bytes: the manifest's SignedData must have it (files of the group), or NULL */
	bool in_ledger;                 /* the ledger's order decides about revocation: a revoked author is no error and no warning */
	bool allow_unsigned;            /* a lone stock AuthEnvelopedData is opened too */
	bool hash_object;
	const struct envelope_range *range; /* NULL: all; else hash_object and allow_unsigned do not count */
	unsigned threads;
	void (*progress)(void *arg, uint64_t plain_bytes); void *progress_arg;
};

/* Opens and verifies all; structure before any decryption. Where in has read_at the manifest is verified before a byte leaves; else each
 * segment is written after its own tag and the author is known at the end (the caller spools what must not be released).
 * ERR_DAMAGED names the rule; ERR_REFUSED where the key id is not in the keyring, or it is for another certificate. out NULL: verify only, write nothing.
 * Of a range only the ends of the file (note, manifest, a few headers) and the segments that hold it are read, each verified against its
 * signed digest before it is written (always in order, by write); damage elsewhere is not seen. ERR_USAGE where in has no read_at;
 * ERR_FAIL where the file ends before the range. */
int envelope_open(const struct envelope_open *o, const struct source *in, const struct sink *out, struct envelope_result *r,
    struct err *e) MUST_CHECK;

/* Only who signed it and what: the manifest, verified as envelope_open does; the segments are not looked at. in has read_at. */
int envelope_manifest(const struct envelope_open *o, const struct source *in, struct envelope_result *r, struct err *e) MUST_CHECK;

/* The body under a new content key and epoch; the manifest's SignedData byte for byte; segments are verified against it on the way. */
int envelope_reencrypt(const struct envelope_open *o, const struct epoch *to, const struct source *in, const struct sink *out,
    struct envelope_result *r, struct err *e) MUST_CHECK;
/* Only the recipient info changes: the content key stays, who knew it opens the new object too. Tags are not verified. */
int envelope_rewrap(const struct envelope_open *o, const struct epoch *to, const struct source *in, const struct sink *out,
    struct envelope_result *r, struct err *e) MUST_CHECK;

struct envelope_info {
	uint64_t size, segments, segment_size, plain_size;
	uint8_t (*key_ids)[KEY_ID_LEN]; size_t n_key_ids; /* none where it is sealed to a certificate */
	const char *cipher;             /* "aes-256-gcm" */
	bool has_note, has_manifest;
	bool begins_sealed;             /* set on failure too: it begins as a file of scg, so that whatever is wrong with it is damage */
	const char *recipient;          /* NULL: the group; else how the certificate receives: "ECDH-ES" or "RSA-OAEP" */
	uint8_t recipient_ski[20];      /* of that certificate */
	size_t recipient_len;           /* octets of the RecipientInfo, on which the objects' places depend */
};
/* One object of a file with a manifest: what it is, where it stands, its bytes and those of its plaintext. */
struct envelope_part { const char *kind; uint64_t index, off, size, plain; };
/* How many there are, and the one at i. */
uint64_t envelope_parts(const struct envelope_info *info);
struct envelope_part envelope_part(const struct envelope_info *info, uint64_t i);
/* What it says of itself, without a key: structure is checked as strictly as for opening, as far as it is in the clear. */
int envelope_inspect(const struct source *in, struct envelope_info *info, struct err *e) MUST_CHECK;
void envelope_info_wipe(struct envelope_info *info);
/* Which key it names, from its first ENVELOPE_HEAD_LEN bytes (or all, if there are fewer): whoever has that key opens it, if it is whole.
 * ERR_DAMAGED: it does not begin as one object of a known form. */
#define ENVELOPE_HEAD_LEN 224
int envelope_head(const uint8_t *head, size_t len, uint8_t key_id[static KEY_ID_LEN], struct err *e) MUST_CHECK;
/* The ciphertext's length for n bytes of plaintext is not fixed (the manifest's signature varies), but bounded: */
uint64_t envelope_size_max(uint64_t plain_size);

#endif
