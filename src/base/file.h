/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are read with a cap and appear whole or not at all. */
#ifndef SCG_BASE_FILE_H
#define SCG_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the whole file; ERR_NOTFOUND if there is none, ERR_FAIL above max bytes or if it is no regular file. */
int file_load(const char *path, size_t max, struct buf *out, struct err *e) MUST_CHECK;
/* The same for secrets: refuses a file that group or others may read (RFC-less house rule: 0600). */
int file_load_private(const char *path, size_t max, struct buf *out, struct err *e) MUST_CHECK;
/* Writes a whole file: temporary name in the same folder, fsync, rename over path, fsync of the folder. */
int file_save(const char *path, const void *data, size_t len, mode_t mode, struct err *e) MUST_CHECK;
/* As file_save, but ERR_EXISTS where path is there already (link, never over it). */
int file_save_new(const char *path, const void *data, size_t len, mode_t mode, struct err *e) MUST_CHECK;

/* A file in the making: O_TMPFILE or a hidden temporary name in the folder of path; nameless until kept. */
struct file_out {
	int fd;      /* -1 when idle; write to it as you like */
	char *path;  /* the final name */
	char *tmp;   /* the temporary name, or NULL with O_TMPFILE */
};
/* Begins the file that will be path: ERR_NOTFOUND without its folder, ERR_FAIL where path is a folder or a device. Wipe in every case. */
int file_out_open(struct file_out *o, const char *path, mode_t mode, struct err *e) MUST_CHECK;
/* fsync, then gives it its name: replace: over what is there, else ERR_EXISTS; fsync of the folder; closes (checked). */
int file_out_keep(struct file_out *o, bool replace, struct err *e) MUST_CHECK;
/* Throws it away unless kept; safe to call always (cleanup). */
void file_out_wipe(struct file_out *o);

/* All len bytes or an error. write_all names what in the error ("disk full" shows by errno). */
int file_write_all(int fd, const void *data, size_t len, const char *what, struct err *e) MUST_CHECK;
int file_pwrite_all(int fd, const void *data, size_t len, uint64_t off, const char *what, struct err *e) MUST_CHECK;
/* Up to len bytes, short only at the end of the file. */
int file_read_full(int fd, void *data, size_t len, size_t *got, const char *what, struct err *e) MUST_CHECK;
int file_pread_full(int fd, void *data, size_t len, uint64_t off, size_t *got, const char *what, struct err *e) MUST_CHECK;

/* Creates a folder (0700 unless mode says otherwise), and those above it if parents; there already is fine. */
int file_mkdir(const char *path, mode_t mode, bool parents, struct err *e) MUST_CHECK;
int file_sync_dir(const char *path, struct err *e) MUST_CHECK;
bool file_exists(const char *path);
/* Both are there and one and the same, by whatever names. */
bool file_is_same(const char *a, const char *b);
/* Which of the files of dir (names ends with NULL) path leads to, by whatever name; NULL: none of them. For outputs that must not replace a program's own. */
const char *file_is_one_of(const char *dir, const char *const *names, const char *path);
/* A device, a pipe or a socket, or a name that leads to an open descriptor: what a rename may never replace, or /dev/null would be gone. */
bool file_is_special(const char *path);
/* The name (without folder) is one that the functions above give to what is not finished; what is old and so named may be removed. */
bool file_is_temporary(const char *name);
/* Removes such files of this user whose writers were killed from a folder that is about to be written into; what cannot be removed stays. The
 * folder that this process looked into last is not looked into again. Not for folders that several machines write into. */
void file_sweep(const char *folder);
/* The folder that path lies in, malloc'd: "." for a bare name. */
char *file_folder(const char *path);
/* DIR/name, malloc'd. */
char *file_join(const char *dir, const char *name);
/* Exclusive advisory lock on path (created 0600), waiting at most wait_ms; *fd is closed to release. ERR_UNREACHABLE when busy. */
int file_lock(const char *path, int wait_ms, int *fd, struct err *e) MUST_CHECK;

#endif
