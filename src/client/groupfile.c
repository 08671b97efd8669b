/* SPDX-License-Identifier: Apache-2.0 */
#include "client/groupfile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "client/driveio.h"
#include "ledger/path.h"
#include "pki/cert.h"
#include "pki/ossl.h"

OWN_DEFINE(crl_set, struct crl_set, crl_set_free)

#define CHANGES_MAX 20 /* newer events met while one file is opened */
#define LAG_LOOKS 4    /* at what is young and not to be found; each takes as long as the store is patient, and a second */

int groupfile_path(const char *given, char **path, struct err *e) {
	OWN(own_free) char *nfc = NULL;

	if (!text_is_utf8(given, strlen(given)))
		return err_set(e, ERR_USAGE, "a name in the group is UTF-8 (RFC 3629)");
	if (text_nfc(given, &nfc, e) != 0 || path_check(nfc, strlen(nfc), e) != 0)
		return err_recode(e, ERR_USAGE);
	*path = nfc;
	nfc = NULL;
	return 0;
}

int groupfile_find(struct session *s, const char *path, struct ledger_file *f, struct err *e) {
	int r;

	session_lock(s);
	r = ledger_find(session_ledger(s), path, f, e);
	session_unlock(s);
	return r == ERR_NOTFOUND ? err_set(e, ERR_NOTFOUND, "no such file in the group") : r;
}

struct inside {
	int (*f)(void *arg, const struct ledger_file *file, struct err *e);
	void *arg;
	bool any;
};

static int pass_on(void *arg, const struct ledger_file *file, struct err *e) {
	struct inside *in = arg;

	in->any = true;
	return in->f(in->arg, file, e);
}

int groupfile_inside(struct session *s, const char *path,
    int (*f)(void *arg, const struct ledger_file *file, struct err *e), void *arg, struct err *e) {
	OWN(own_free) char *prefix = xasprintf("%s/", path);
	struct inside in = { .f = f, .arg = arg };
	int r;

	session_lock(s);
	r = ledger_each(session_ledger(s), prefix, pass_on, &in, e);
	session_unlock(s);
	return r != 0 || in.any ? r : err_set(e, ERR_NOTFOUND, "no such file or folder in the group");
}

static int check_author(const struct envelope_result *r, const struct ledger_file *f, struct err *e) {
	OWN(own_free) char *name = NULL;
	OWN(buf_wipe) struct buf sealer = {0}, poster = {0};
	int rc = cert_name(r->author, &name, e);

	if (rc != 0 || strcmp(name, f->author) == 0)
		return rc;
	text_escape(name, strlen(name), &sealer);
	text_escape(f->author, strlen(f->author), &poster);
	return err_set(
	    e, ERR_DAMAGED, "sealed by %s, but brought into the ledger by %s", buf_str(&sealer), buf_str(&poster));
}

/* What the envelope itself does not know. */
static int check_result(const struct envelope_result *r, const struct ledger_file *f, bool whole, struct err *e) {
	if (whole && memcmp(r->object_sha256, f->object_sha256, sizeof(f->object_sha256)) != 0)
		return err_set(e, ERR_DAMAGED, "the object on the drive is not the one of the ledger (SHA-256)");
	if (memcmp(r->key_id, f->key_id, KEY_ID_LEN) != 0)
		return err_set(e, ERR_DAMAGED, "the object is sealed under another epoch than the ledger says");
	if (r->manifest.size != f->content_size)
		return err_set(e, ERR_DAMAGED, "has %" PRIu64 " bytes, but %" PRIu64 " by the ledger", r->manifest.size,
		    f->content_size);
	return check_author(r, f, e);
}

/* garbled: it is worth another attempt. */
static int open_object(struct worker *w, const struct ledger_file *f, const struct envelope_range *range, const struct sink *out,
    struct driveio_doubt *doubt, bool *garbled, struct err *e) {
	struct session *s = w->session;
	OWN(keyring_wipe) struct keyring keys = {0};
	OWN(envelope_result_wipe) struct envelope_result result = {0};
	struct envelope_open how = {
		.keys = &keys,
		.chain = s->me.chain,
		.group = s->me.group,
		.content_sha256 = f->content_sha256,
		.in_ledger = true,
		.hash_object = range == NULL,
		.range = range,
		.threads = w->threads,
		.progress = worker_progress,
		.progress_arg = w,
	};
	struct driveio_want want = { .id = f->object, .size = f->object_size, .parts = range != NULL };
	OWN(driveio_reader_wipe) struct driveio_reader object = {0};
	struct source in;
	int r;

	*garbled = false;
	if ((r = session_epoch(s, f->key_id, &keys, e)) != 0)
		return r;
	if ((r = driveio_open(&object, s->store, &want, &in, e)) == 0)
		r = envelope_open(&how, &in, out, &result, e);
	/* The key id of the ledger is among our keys; another one in the object is the drive's doing. */
	if (r == ERR_REFUSED && object.store != NULL && !atomic_load(&object.failed))
		r = err_recode(e, ERR_DAMAGED);
	if (r == 0)
		r = check_result(&result, f, range == NULL, e);
	*garbled = r == ERR_DAMAGED && driveio_is_garbled(&object, f->object_sha256, doubt);
	return r;
}

int groupfile_check(struct worker *w, const struct ledger_file *f, struct err *e) {
	struct driveio_doubt doubt = {0};
	bool garbled;
	int r;

	do
		r = open_object(w, f, NULL, NULL, &doubt, &garbled, e);
	while (garbled);
	return r;
}

/* The newest event of the path, and the keys for it; new_keys: they had to be fetched. */
static int look_again(struct session *s, const char *path, struct ledger_file *f, bool *new_keys, struct err *e) {
	int r;

	ledger_file_wipe(f);
	*f = (struct ledger_file){0};
	if ((r = session_sync(s, e)) != 0 || (r = groupfile_find(s, path, f, e)) != 0)
		return r;
	session_lock(s);
	*new_keys = keyring_find(&s->keys, f->key_id) == NULL;
	session_unlock(s);
	return *new_keys ? session_refresh_keys(s, e) : 0;
}

/* What a network gives is whole or missing; what is synchronised to a folder may also be there in part. */
static bool may_settle(const struct session *s, const struct ledger_file *f, int code) {
	return session_may_settle(s, f->event_time_s) && (code == ERR_NOTFOUND || !store_is_remote(s->store));
}

int groupfile_verdict(const struct session *s, const struct ledger_file *f, const struct err *why, struct err *e) {
	if (may_settle(s, f, why->code))
		return err_set(e, ERR_UNREACHABLE, "has not settled on this machine yet: %s", why->text);
	if (why->code == ERR_NOTFOUND && s->stale)
		return err_set(
		    e, ERR_UNREACHABLE, "its object %s is not on the drive; perhaps there is a newer one", f->object);
	if (why->code == ERR_NOTFOUND)
		return err_set(e, ERR_DAMAGED, "its object %s is missing on the drive", f->object);
	return err_set(e, why->code, "%s", why->text);
}

/* A listing of a drive behind a network lags behind what others put there: what is young is looked for again before it counts as missing. */
static bool may_appear(const struct session *s, const struct ledger_file *f, int code, int looks) {
	struct timespec second = { .tv_sec = 1 };

	if (code != ERR_NOTFOUND || looks >= LAG_LOOKS || s->conf.has_settle || !store_is_remote(s->store) ||
	    !session_may_settle(s, f->event_time_s))
		return false;
	(void)nanosleep(&second, NULL);
	return true;
}

int groupfile_open_newest(
    struct worker *w, const char *path, const struct groupfile_target *t, struct ledger_file *f, struct err *e) {
	struct session *s = w->session;
	int r = groupfile_find(s, path, f, e), fetched = 0;

	for (int i = 0; r == 0; i++) {
		const struct sink *out = NULL;
		struct err why = ERR_INIT;
		char object[OBJECT_ID_LEN + 1];
		bool new_keys = false, garbled;
		struct driveio_doubt doubt = {0};

		do {
			if ((r = t->begin(t->arg, f, &out, e)) != 0)
				return r;
			r = open_object(w, f, t->range, out, &doubt, &garbled, &why);
		} while (garbled);
		if (r == 0)
			return 0;
		if (r == ERR_DAMAGED && i < CHANGES_MAX && (r = store_prefer(s->store, f->object, f->object_sha256, NULL)) == 0)
			continue;
		r = why.code;
		memcpy(object, f->object, sizeof(object));
		if (r != ERR_NOTFOUND && r != ERR_DAMAGED && r != ERR_REFUSED)
			return err_set(e, r, "%s", why.text);
		if (s->stale || i == CHANGES_MAX)
			return groupfile_verdict(s, f, &why, e);
		/* The mirror may know of a younger epoch than the keys do: it was synchronised since, perhaps by another command. */
		if ((r = look_again(s, path, f, &new_keys, e)) == 0 && (!new_keys || ++fetched > 1) && strcmp(object, f->object) == 0 &&
		    !may_appear(s, f, why.code, i))
			return groupfile_verdict(s, f, &why, e);
	}
	return r;
}

static int open_stray(struct session *s, const struct store_stat *st, struct envelope_result *result, struct driveio_doubt *doubt,
    bool *garbled, struct err *e) {
	OWN(own_crl_set) struct crl_set *crl = revocation_set(&s->revocation);
	struct envelope_open how = {
		.keys = &s->keys,
		.chain = s->me.chain,
		.crl = crl,
		.group = s->me.group,
		.hash_object = true,
	};
	struct driveio_want want = { .id = st->id, .size = st->size };
	OWN(driveio_reader_wipe) struct driveio_reader object = {0};
	struct source in;
	int r = driveio_open(&object, s->store, &want, &in, e);

	if (r == 0)
		r = envelope_open(&how, &in, NULL, result, e);
	*garbled = (r == ERR_DAMAGED || r == ERR_REFUSED) && driveio_is_garbled(&object, NULL, doubt);
	return r == ERR_REFUSED && atomic_load(&object.failed) ? err_recode(e, ERR_FAIL) : r;
}

int groupfile_open_stray(
    struct session *s, const struct store_stat *st, struct envelope_result *result, struct err *e) {
	struct driveio_doubt doubt = {0};
	bool garbled;
	int r;

	do {
		envelope_result_wipe(result);
		r = open_stray(s, st, result, &doubt, &garbled, e);
	} while (garbled);
	return r;
}

int groupfile_key_id(struct session *s, const char *object, uint8_t key_id[static KEY_ID_LEN], struct err *e) {
	uint8_t head[ENVELOPE_HEAD_LEN];
	unsigned reads = store_is_remote(s->store) ? DRIVEIO_READS_LONG : 1;
	size_t len;
	int r;

	do {
		r = store_get(s->store, object, 0, head, sizeof(head), &len, e);
		if (r != 0)
			return r == ERR_DAMAGED ? err_recode(e, ERR_FAIL) : r; /* which says nothing of the object */
		r = envelope_head(head, len, key_id, e);
	} while (r != 0 && --reads > 0);
	return r == 0 ? 0 : err_recode(e, ERR_DAMAGED);
}
