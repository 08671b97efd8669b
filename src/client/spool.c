/* SPDX-License-Identifier: Apache-2.0 */
#include "client/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "client/upload.h"
#include "pki/ossl.h"

#define DATA ".cms"
#define RECORD ".rec"
#define LOCK_TRIES 20 /* a fiftieth of a second apart */
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define TRIES_MAX 100 /* a file that others remove each time that it is opened */

_Static_assert(SPOOL_AGE_S <= UPLOAD_POST_WITHIN_S, "what is taken up can still be posted");

char *spool_dir(const char *member_dir, const char *given) {
	return given != NULL ? xstrdup(given) : file_join(member_dir, SPOOL_DIR);
}

static char *path_to(const struct spool *s, const char *suffix) {
	return xasprintf("%s/%s%s", s->dir, s->stem, suffix);
}

/* Two members may share a folder; a path tells nobody its name. */
static void make_stem(const char *group, const uint8_t member[static SPOOL_SKI_LEN], const char *path, char stem[static SPOOL_STEM_LEN + 1]) {
	OWN(buf_wipe) struct buf b = {0};
	uint8_t sha256[SHA256_LEN];

	buf_addf(&b, "scg-spool\n%s\n%s\n", group, path);
	buf_add(&b, member, SPOOL_SKI_LEN);
	ossl_sha256(b.data, b.len, sha256);
	text_hex(sha256, SPOOL_STEM_LEN / 2, stem);
}

/* In a folder that others write to, what they put there is not taken. */
static int check_data(int fd, const char *path, struct err *e) {
	struct stat st;

	if (fstat(fd, &st) != 0)
		return text_about(path, err_sys(e, ERR_FAIL, "cannot stat"), e);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return text_about(path, err_set(e, ERR_FAIL, "not a private file of ours in the spool"), e);
	return 0;
}

/* A sweep holds a lock for a moment only. */
static bool lock_soon(int fd, unsigned tries) {
	const struct timespec pause = { 0, 20000000 };

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || --tries == 0)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

/* Locked, and still the file of that name: who removes it holds the lock. 1: try again. */
static int try_lock(const char *path, unsigned tries, int *fd, struct err *e) {
	struct stat ours, there;

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (*fd < 0)
		return text_about(path, err_sys(e, ERR_FAIL, "cannot open in the spool"), e);
	if (!lock_soon(*fd, tries))
		return errno == EWOULDBLOCK ? err_set(e, ERR_EXISTS, "another process is uploading to this name")
					    : text_about(path, err_sys(e, ERR_FAIL, "cannot lock"), e);
	if (fstat(*fd, &ours) != 0 || stat(path, &there) != 0 || ours.st_ino != there.st_ino || ours.st_dev != there.st_dev)
		return 1;
	return check_data(*fd, path, e);
}

static int lock_data(struct spool *s, unsigned tries, struct err *e) {
	OWN(own_free) char *path = path_to(s, DATA);
	int r = 1;

	for (int i = 0; r == 1 && i < TRIES_MAX; i++) {
		r = try_lock(path, tries, &s->fd, e);
		if (r != 0 && s->fd >= 0) {
			(void)close(s->fd);
			s->fd = -1;
		}
	}
	return r == 1 ? err_set(e, ERR_EXISTS, "other processes are uploading to this name") : r;
}

bool spool_place(const struct spool *s, struct spool_place *p) {
	OWN(buf_wipe) struct buf id = {0};
	struct stat st;

	if (file_load(BOOT_ID, 64, &id, NULL) != 0 || id.len != 37 || id.data[36] != '\n' || fstat(s->fd, &st) != 0)
		return false;
	id.data[36] = '\0';
	*p = (struct spool_place){ .dev = (uint64_t)st.st_dev, .ino = (uint64_t)st.st_ino };
	return text_unuuid((const char *)id.data, p->boot, NULL) == 0;
}

static bool is_where_it_was(const struct spool *s) {
	struct spool_place now;

	return spool_place(s, &now) && spool_place_is(&now, &s->record.place);
}

static bool is_usable(const struct spool *s) {
	const struct spool_record *rec = &s->record;
	int64_t age = clock_now_s() - (int64_t)rec->time_s;
	struct stat st;

	if (fstat(s->fd, &st) != 0 || age >= SPOOL_AGE_S || age <= -SPOOL_AGE_S)
		return false;
	if (rec->sealing)
		return (uint64_t)st.st_size <= rec->object_size && is_where_it_was(s);
	return (uint64_t)st.st_size == rec->object_size;
}

/* What cannot be read, is damaged or too old is none. */
static void load_record(struct spool *s) {
	OWN(own_free) char *path = path_to(s, RECORD);
	OWN(buf_wipe) struct buf text = {0};

	s->kept = file_load_private(path, SPOOL_RECORD_MAX, &text, NULL) == 0 &&
	    spool_record_parse(text.data, text.len, &s->record, NULL) == 0 && is_usable(s);
	s->synced = s->kept && !s->record.sealing;
	if (!s->kept)
		spool_record_wipe(&s->record);
}

static int open_stem(struct spool *s, unsigned tries, struct err *e) {
	int r = lock_data(s, tries, e);

	if (r == 0)
		load_record(s);
	return r;
}

int spool_open(struct spool *s, const char *dir, const char *group, const uint8_t member[static SPOOL_SKI_LEN], const char *path,
    struct err *e) {
	int r = file_mkdir(dir, 0700, false, e);

	if (r != 0)
		return r;
	s->dir = xstrdup(dir);
	make_stem(group, member, path, s->stem);
	if ((r = open_stem(s, LOCK_TRIES, e)) != 0)
		spool_close(s);
	if (r != 0 || !s->kept)
		return r;
	if (strcmp(s->record.group, group) != 0 || strcmp(s->record.path, path) != 0 ||
	    memcmp(s->record.member, member, SPOOL_SKI_LEN) != 0)
		return spool_reset(s, e);
	return 0;
}

static void remove_record(struct spool *s) {
	OWN(own_free) char *path = path_to(s, RECORD);

	(void)unlink(path);
	s->kept = s->synced = false;
	spool_record_wipe(&s->record);
}

/* The record first: without it the rest counts for nothing. */
int spool_reset(struct spool *s, struct err *e) {
	remove_record(s);
	if (ftruncate(s->fd, 0) != 0 || lseek(s->fd, 0, SEEK_SET) != 0)
		return text_about(s->dir, err_sys(e, ERR_FAIL, "cannot empty a file of the spool"), e);
	return 0;
}

int spool_keep(struct spool *s, struct err *e) {
	OWN(own_free) char *path = path_to(s, RECORD);
	OWN(buf_wipe) struct buf text = {0};
	int r;

	if (!s->record.sealing && !s->synced && fsync(s->fd) != 0)
		return text_about(s->dir, err_sys(e, ERR_FAIL, "cannot sync a file of the spool"), e);
	s->synced = !s->record.sealing;
	spool_record_print(&s->record, &text);
	r = file_save(path, text.data, text.len, 0600, e);
	s->kept = s->kept || r == 0;
	return r;
}

void spool_drop(struct spool *s) {
	OWN(own_free) char *path = NULL;

	if (s->fd < 0)
		return;
	path = path_to(s, DATA);
	remove_record(s);
	(void)unlink(path);
	(void)close(s->fd);
	s->fd = -1;
}

void spool_close(struct spool *s) {
	if (!s->kept)
		spool_drop(s);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->dir);
	spool_record_wipe(&s->record);
	*s = (struct spool)SPOOL_INIT;
}

/* --- sweeping --- */

static bool is_stem(const char *name, const char *suffix) {
	return strspn(name, "0123456789abcdef") == SPOOL_STEM_LEN && strcmp(name + SPOOL_STEM_LEN, suffix) == 0;
}

static void sweep_stem(const char *dir, const char *name, const uint8_t *key_id) {
	OWN(spool_close) struct spool s = SPOOL_INIT;

	s.dir = xstrdup(dir);
	memcpy(s.stem, name, SPOOL_STEM_LEN);
	s.stem[SPOOL_STEM_LEN] = '\0';
	if (open_stem(&s, 1, NULL) == 0 && s.kept && key_id != NULL && memcmp(s.record.key_id, key_id, KEY_ID_LEN) != 0)
		spool_drop(&s);
}

/* A record that is being written is younger than that. */
static void sweep_temporary(int dir_fd, const char *name) {
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && clock_now_s() - st.st_mtime > 86400)
		(void)unlinkat(dir_fd, name, 0);
}

int spool_sweep(const char *dir, const uint8_t *key_id, struct err *e) {
	DIR *d = opendir(dir);
	const struct dirent *entry;

	if (d == NULL)
		return errno == ENOENT ? 0 : text_about(dir, err_sys(e, ERR_FAIL, "cannot read the spool"), e);
	while ((entry = readdir(d)) != NULL) { /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		if (is_stem(entry->d_name, DATA) || is_stem(entry->d_name, RECORD))
			sweep_stem(dir, entry->d_name, key_id);
		else if (file_is_temporary(entry->d_name))
			sweep_temporary(dirfd(d), entry->d_name);
	}
	(void)closedir(d);
	return 0;
}
