/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a file of the group: its object against the event that names it, then the envelope; each mismatch is
 * damage. */
#ifndef SCG_CLIENT_GROUPFILE_H
#define SCG_CLIENT_GROUPFILE_H

#include "base/err.h"
#include "client/worker.h"
#include "envelope/envelope.h"
#include "ledger/ledger.h"

/* A name as typed, as the ledger would have it: NFC, checked by path_check; malloc'd. ERR_USAGE. */
int groupfile_path(const char *given, char **path, struct err *e) MUST_CHECK;

/* Asks the ledger. ERR_NOTFOUND names the path. f begins as {0}; wipe it in every case. */
int groupfile_find(struct session *s, const char *path, struct ledger_file *f, struct err *e) MUST_CHECK;

/* Calls f for each file in a folder of the group, in order of path, under the session's lock; path as of groupfile_path. ERR_NOTFOUND: no
 * file is in it, so there is no such folder. */
int groupfile_inside(struct session *s, const char *path,
    int (*f)(void *arg, const struct ledger_file *file, struct err *e), void *arg, struct err *e) MUST_CHECK;

/* Opens the object of f and compares its size and SHA-256, key id, group, manifest digest, length and author with the
 * event. ERR_NOTFOUND: the object is not there. ERR_DAMAGED. What a drive behind a network gives is read again
 * (driveio_is_garbled) before it counts as damage. */
int groupfile_check(struct worker *w, const struct ledger_file *f, struct err *e) MUST_CHECK;

struct groupfile_target {
	int (*begin)(void *arg, const struct ledger_file *f, const struct sink **out, struct err *e);
	void *arg;
	const struct envelope_range *range;
};
/* As groupfile_check for the file of this path, whatever its newest version is: where the object is missing or not as it
 * should be, synchronises and takes a newer event; else ERR_DAMAGED, or ERR_UNREACHABLE where the event is younger than
 * the settle time. begin is called before each attempt and gives the sink (NULL: none), where nothing may be released before 0 is returned. Of a range
 * (NULL: all) only its segments are read, and the object's SHA-256 cannot be compared: that these bytes are the author's show the digests in the
 * manifest, which the event names. f: what was opened. */
int groupfile_open_newest(struct worker *w, const char *path, const struct groupfile_target *t, struct ledger_file *f,
    struct err *e) MUST_CHECK;

/* The last word on the object of f, the newest event that we know of, of which why speaks: missing is damage, unless it
 * may still settle on this machine (ERR_UNREACHABLE) or there may be a newer one. Returns the code. */
int groupfile_verdict(const struct session *s, const struct ledger_file *f, const struct err *why, struct err *e);

/* An object that no event names: rightly sealed by a member of the group, under whatever name? The list decides about
 * its author. ERR_NOTFOUND, ERR_DAMAGED, ERR_REFUSED (no key of the group), ERR_FAIL (the drive does not let us). result begins as {0}; wipe it in every
 * case. */
int groupfile_open_stray(
    struct session *s, const struct store_stat *st, struct envelope_result *result, struct err *e) MUST_CHECK;
/* Which key an object names, by its first bytes alone. ERR_NOTFOUND: it is gone, ERR_DAMAGED: no envelope of ours. */
int groupfile_key_id(struct session *s, const char *object, uint8_t key_id[static KEY_ID_LEN], struct err *e) MUST_CHECK;

#endif
