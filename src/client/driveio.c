/* SPDX-License-Identifier: Apache-2.0 */
#include "client/driveio.h"

#include <string.h>

#include "base/clock.h"

static int read_at(void *arg, void *data, size_t len, uint64_t off, size_t *got, struct err *e) {
	const struct driveio_reader *o = arg;

	return store_get(o->store, o->id, off, data, len, got, e);
}

static int read_next(void *arg, void *data, size_t len, size_t *got, struct err *e) {
	struct driveio_reader *o = arg;
	int r = store_get(o->store, o->id, o->pos, data, len, got, e);

	if (r == 0)
		o->pos += *got;
	return r;
}

int driveio_open(struct driveio_reader *o, struct store *s, const char *id, struct source *in, struct err *e) {
	struct store_stat st;
	int r = store_stat(s, id, &st, e);

	if (r != 0)
		return r;
	*o = (struct driveio_reader){ .store = s, .size = st.size };
	memcpy(o->id, st.id, sizeof(o->id));
	*in = (struct source){ .arg = o, .read = read_next, .read_at = read_at, .size = st.size };
	return 0;
}

static int write_next(void *arg, const void *data, size_t len, struct err *e) {
	struct driveio_writer *o = arg;
	int r = o->still != NULL ? o->still(o->arg, e) : 0;

	return r != 0 ? r : store_put_write(o->put, data, len, e);
}

int driveio_create(struct driveio_writer *o, struct store *s, struct sink *out, struct err *e) {
	*out = (struct sink){ .arg = o, .write = write_next };
	return store_put_new(s, o->id, &o->put, e);
}

int driveio_commit(struct driveio_writer *o, struct err *e) {
	o->committed_s = clock_now_s();
	return store_put_commit(o->put, e);
}

int driveio_is_there(const struct driveio_writer *o, struct store *s, bool *yes, struct err *e) {
	struct store_stat st;
	int r = store_stat(s, o->id, &st, e);

	*yes = r == 0;
	return r == ERR_NOTFOUND ? 0 : r;
}

void driveio_writer_wipe(struct driveio_writer *o) {
	store_put_free(o->put);
	*o = (struct driveio_writer){0};
}
