/* SPDX-License-Identifier: Apache-2.0 */
/* The Google Drive emulator (drive_emulator.py, which lists what it can be told) as a process beside a unit test. Every
 * failure here aborts the test. */
#ifndef SCG_TESTS_DRIVE_H
#define SCG_TESTS_DRIVE_H

#include <jansson.h>
#include <sys/types.h>

#define DRIVE_ACCOUNT "alice@example.org"
#define DRIVE_CLIENT "ID"
#define DRIVE_SECRET "SECRET"

struct drive {
	pid_t pid;
	char url[64]; /* "http://127.0.0.1:PORT", or https with the option -tls */
	char *state;
	int port; /* bound and never listened on: keeps it from others */
};

/* Starts it with its state in the folder dir/drive, DRIVE_ACCOUNT and the client DRIVE_CLIENT; options may be NULL,
 * else they end with NULL. It dies with the thread that started it. */
void drive_start(struct drive *d, const char *dir, const char *const options[]);
/* Kills it and serves again under the same url and with what it held; faults and counters begin anew. */
void drive_restart(struct drive *d, const char *const options[]);
/* Kills it and releases what the struct holds; a drive all zero is fine. */
void drive_stop(struct drive *d);

/* One control command with its arguments (JSON text, "{}" for none); the answer is the caller's to json_decref. */
json_t *drive_control(const struct drive *d, const char *command, const char *arguments);
/* An access token of the account, of the scope "drive", that lives a year; malloc'd. */
char *drive_token(const struct drive *d, const char *account);
/* A new folder in the account's My Drive; its id, malloc'd. */
char *drive_folder(const struct drive *d, const char *account, const char *name);
/* How many requests of a kind ("upload.multipart"; NULL: of all) came since the start or the command reset. */
json_int_t drive_requests(const struct drive *d, const char *kind);

#endif
