/* SPDX-License-Identifier: Apache-2.0 */
/* From a file to an object on the drive. */
#include "client/upload_state.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "client/step.h"

#define ASK_MS 60000 /* a long upload asks each minute whether its epoch is still the newest */

int upload_still_current(void *arg, struct err *e) {
	struct upload *u = arg;
	OWN(buf_wipe) struct buf json = {0};
	OWN(group_info_wipe) struct group_info g = {0};
	int64_t now_ms = clock_mono_ms();
	int r;

	if (now_ms - u->asked_ms < ASK_MS)
		return 0;
	u->asked_ms = now_ms;
	r = gateway_group(u->w->fetch, &json, e);
	if (r == ERR_UNREACHABLE)
		return 0;
	if (r != 0 || (r = group_info_parse(&json, u->w->session->me.group, &g, e)) != 0)
		return r;
	u->met_epoch = g.epoch > u->epoch.v[0].number;
	return u->met_epoch ? err_set(e, ERR_UNREACHABLE, "the group's key has changed") : 0;
}

static int check_unchanged(const struct upload *u, const struct stat *before, struct err *e) {
	struct stat st;

	if (fstat(u->fd, &st) != 0)
		return err_sys(e, ERR_FAIL, "cannot stat");
	if (st.st_size != before->st_size || (uint64_t)st.st_size != u->sealed.manifest.size ||
	    st.st_mtim.tv_sec != before->st_mtim.tv_sec || st.st_mtim.tv_nsec != before->st_mtim.tv_nsec)
		return err_set(e, ERR_FAIL, "was changed while it was read; nothing was uploaded");
	return 0;
}

struct envelope_seal upload_how(struct upload *u, uint64_t object_size) {
	const struct session *s = u->w->session;

	return (struct envelope_seal){
		.epoch = &u->epoch.v[0],
		.group = s->me.group,
		.name = u->item->path,
		.file_id = u->file_id,
		.version = u->version,
		.key = s->me.key,
		.cert = s->me.cert,
		.threads = u->w->threads,
		.hash_object = true,
		.object_size = object_size,
		.progress = worker_progress,
		.progress_arg = u->w,
	};
}

int upload_seal(struct upload *u, uint64_t object_size, const struct sink *out, struct stat *before, struct err *e) {
	struct envelope_seal how = upload_how(u, object_size);
	struct io_fd io = { u->fd, u->item->local };
	struct source in;
	int r;

	if (u->spool.fd >= 0) {
		how.ticket = u->spool.record.ticket;
		how.purpose = u->purpose;
	}
	if (lseek(u->fd, 0, SEEK_SET) < 0)
		return err_sys(e, ERR_FAIL, "cannot seek");
	if ((r = source_fd(&io, &in, e)) != 0)
		return r;
	if (fstat(u->fd, before) != 0)
		return err_sys(e, ERR_FAIL, "cannot stat");
	r = envelope_seal(&how, &in, out, &u->sealed, e);
	return r != 0 ? r : check_unchanged(u, before, e);
}

static int put_straight(struct upload *u, struct err *e) {
	struct sink out;
	struct stat before;
	int r;

	u->object = (struct driveio_writer){ .still = upload_still_current, .arg = u };
	if ((r = driveio_create(&u->object, u->w->session->store, &out, e)) != 0)
		return r;
	r = upload_seal(u, 0, &out, &before, e);
	if (r == 0 && (r = driveio_commit(&u->object, e)) == STORE_SPOILED) {
		u->spoiled++;
		return STEP_RESEAL; /* the same bytes would need the same content key */
	}
	return r;
}

int upload_put(struct upload *u, struct err *e) {
	int r = session_epoch(u->w->session, NULL, &u->epoch, e);

	if (r != 0)
		return r;
	u->met_epoch = false;
	u->asked_ms = clock_mono_ms();
	r = u->spool.fd >= 0 ? upload_put_spooled(u, e) : put_straight(u, e);
	return r != 0 && u->met_epoch ? STEP_RESEAL : r;
}
