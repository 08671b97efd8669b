/* SPDX-License-Identifier: Apache-2.0 */
#include "client/driveio.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "net/retry.h"
#include "pki/ossl.h"

#define OUT_OF_STEP_MS 64

static int get_at(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	struct driveio_reader *o = arg;
	int r = store_get(o->store, o->id, off, data, len, got, e);

	if (r != 0)
		atomic_store(&o->failed, true);
	return r;
}

static int get_next(void *arg, void *data, size_t len, size_t *got, struct err *e) {
	struct driveio_reader *o = arg;
	int r = get_at(o, data, len, o->pos, got, e);

	if (r == 0)
		o->pos += *got;
	return r;
}

static int copy_at(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	const struct driveio_reader *o = arg;
	size_t left = off < o->whole.len ? o->whole.len - (size_t)off : 0;

	(void)e;
	*got = len < left ? len : left;
	if (*got > 0)
		memcpy(data, o->whole.data + off, *got);
	return 0;
}

static int wrong_size(const struct driveio_reader *o, uint64_t is, struct err *e) {
	return err_set(e, ERR_DAMAGED, "the object on the drive has %s%" PRIu64 " bytes, but %" PRIu64 " by the ledger",
	    is > o->size && store_is_remote(o->store) ? "at least " : "", is, o->size);
}

/* A stream that ends early is found by who parses it; one that does not end is cut here. */
static int stream_next(void *arg, void *data, size_t len, size_t *got, struct err *e) {
	struct driveio_reader *o = arg;
	size_t done = 0, n = 1;
	int r = 0;

	while (r == 0 && n > 0 && done < len) {
		r = store_stream_read(o->stream, (uint8_t *)data + done, len - done, &n, e);
		done += r == 0 ? n : 0;
	}
	o->pos += done;
	*got = done;
	if (r != 0)
		atomic_store(&o->failed, true);
	return r != 0 || o->pos <= o->size ? r : wrong_size(o, o->pos, e);
}

/* A byte more than is due is asked for, and tells whether there is one. */
static int take_whole(struct driveio_reader *o, struct source *in, struct err *e) {
	size_t due = (size_t)o->size, got = 0;
	int r = store_get(o->store, o->id, 0, buf_room(&o->whole, due + 1), due + 1, &got, e);

	if (r != 0) {
		atomic_store(&o->failed, true);
		return r;
	}
	o->whole.len = got;
	if (got != due)
		return wrong_size(o, got, e);
	*in = (struct source){ .arg = o, .read_at = copy_at, .size = o->size };
	return 0;
}

static int open_remote(struct driveio_reader *o, bool parts, struct source *in, struct err *e) {
	if (parts) {
		*in = (struct source){ .arg = o, .read = get_next, .read_at = get_at, .size = o->size };
		return 0;
	}
	if (o->size <= DRIVEIO_SMALL)
		return take_whole(o, in, e);
	*in = (struct source){ .arg = o, .read = stream_next };
	return store_stream_open(o->store, o->id, 0, &o->stream, e);
}

int driveio_open(
    struct driveio_reader *o, struct store *s, const struct driveio_want *want, struct source *in, struct err *e) {
	struct store_stat st = { .size = want->size };
	bool remote = store_is_remote(s);
	int r = remote && want->size > 0 ? 0 : store_stat(s, want->id, &st, e);

	if (r != 0)
		return r;
	o->store = s;
	o->size = want->size > 0 ? want->size : st.size;
	(void)snprintf(o->id, sizeof(o->id), "%s", want->id);
	if (st.size != o->size)
		return wrong_size(o, st.size, e);
	if (remote)
		return open_remote(o, want->parts, in, e);
	*in = (struct source){ .arg = o, .read = get_next, .read_at = get_at, .size = o->size };
	return 0;
}

void driveio_reader_wipe(struct driveio_reader *o) {
	store_stream_free(o->stream);
	buf_wipe(&o->whole);
	*o = (struct driveio_reader){0};
}

static bool has_word(const struct driveio_reader *o, struct driveio_doubt *d) {
	if (!d->asked)
		d->has_word = store_sha256(o->store, o->id, d->word, NULL) == 0;
	d->asked = true;
	return d->has_word;
}

/* Workers that take turns would meet the same beat of what goes wrong each time. */
static void fall_out_of_step(void) {
	uint16_t random = 0;

	(void)!random_bytes((uint8_t *)&random, sizeof(random), NULL);
	retry_sleep_ms(random % OUT_OF_STEP_MS);
}

static bool is_in_doubt(const struct driveio_reader *o, const uint8_t *sha256, struct driveio_doubt *d) {
	bool small = o->size <= DRIVEIO_SMALL;
	uint8_t is[SHA256_LEN];

	if (o->store == NULL || !store_is_remote(o->store) || atomic_load(&o->failed))
		return false;
	if (++d->reads >= (small && has_word(o, d) ? DRIVEIO_READS : DRIVEIO_READS_LONG))
		return false;
	if (!has_word(o, d))
		return true;
	if (sha256 == NULL && small)
		ossl_sha256(o->whole.data, o->whole.len, is);
	return sha256 != NULL ? memcmp(d->word, sha256, sizeof(d->word)) == 0 : !small || memcmp(d->word, is, sizeof(is)) != 0;
}

bool driveio_is_garbled(const struct driveio_reader *o, const uint8_t *sha256, struct driveio_doubt *d) {
	bool yes = is_in_doubt(o, sha256, d);

	if (yes)
		fall_out_of_step();
	return yes;
}

static int write_next(void *arg, const void *data, size_t len, struct err *e) {
	struct driveio_writer *o = arg;
	int r = o->still != NULL ? o->still(o->arg, e) : 0;

	if (r == 0)
		r = store_put_write(o->put, data, len, e);
	o->failed = o->failed || r != 0;
	return r;
}

int driveio_create(struct driveio_writer *o, struct store *s, struct sink *out, struct err *e) {
	*out = (struct sink){ .arg = o, .write = write_next };
	return store_put_new(s, o->id, &o->put, e);
}

int driveio_commit(struct driveio_writer *o, struct err *e) {
	int r;

	o->committed_s = clock_now_s();
	if ((r = store_put_commit(o->put, e)) == 0)
		o->seen_ms = clock_mono_ms();
	return r;
}

static int ask(const struct driveio_writer *o, struct store *s, bool *yes, struct err *e) {
	struct store_stat st;
	int r = store_stat(s, o->id, &st, e);

	*yes = r == 0;
	return r == ERR_NOTFOUND ? 0 : r;
}

static bool was_seen(const struct driveio_writer *o, const struct store *s) {
	return store_is_remote(s) && o->seen_ms != 0 && clock_mono_ms() - o->seen_ms < DRIVEIO_SEEN_MS;
}

int driveio_is_there(const struct driveio_writer *o, struct store *s, bool *yes, struct err *e) {
	*yes = was_seen(o, s);
	return *yes ? 0 : ask(o, s, yes, e);
}

int driveio_look(struct driveio_writer *o, struct store *s, struct err *e) {
	bool yes;
	int r;

	if (!store_is_remote(s) || was_seen(o, s))
		return 0;
	if ((r = ask(o, s, &yes, e)) == 0 && yes)
		o->seen_ms = clock_mono_ms();
	return r;
}

void driveio_writer_wipe(struct driveio_writer *o) {
	store_put_free(o->put);
	*o = (struct driveio_writer){0};
}
