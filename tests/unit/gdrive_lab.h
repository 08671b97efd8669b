/* SPDX-License-Identifier: Apache-2.0 */
/* One emulator of Google Drive for a whole program, and for each case a folder of its own on it. */
#ifndef SCG_TESTS_GDRIVE_LAB_H
#define SCG_TESTS_GDRIVE_LAB_H

#include <jansson.h>
#include <stdint.h>

#include "lib/drive.h"
#include "store/gdrive.h"
#include "store/store.h"

#define LAB_CHUNK (512u << 10)

extern struct drive lab_drive;
extern struct gdrive_conf lab_conf;
extern struct store_env lab_env;   /* of DRIVE_ACCOUNT */

/* Around all cases. */
void lab_begin(void);
void lab_end(void);
/* Around each: no faults, the usual settings, a fresh folder. */
const char *lab_setup(void); /* its specification */
void lab_teardown(void);

/* The environment of another account; the same memory for the same account. */
struct store_env *lab_env_of(const char *account);
const char *lab_folder(void);
/* Sets a fault, as JSON. */
void lab_fault(const char *json);
void lab_calm(void); /* no fault any more; counters begin anew */
void lab_settings(const char *json);
/* A control command whose answer nobody wants; arguments as for printf. */
void lab_do(const char *command, const char *arguments, ...) __attribute__((format(printf, 2, 3)));
json_int_t lab_stat(const char *name); /* of stats: "bytes_uploaded" ... */
/* How many requests came whose target has this in it: unlike a counter, right also while requests of an earlier case, which were broken off,
 * still come to light. */
unsigned lab_asked(const char *part);
unsigned lab_early(void);              /* retries before their time */
unsigned lab_doubles(void);            /* names that are twice in the folder */
/* The file of the name in the folder, its id, malloc'd; NULL: none. n counts those, trashed ones included. */
char *lab_find(const char *name, unsigned *n);
/* Makes a file in the folder, past the store; its id, malloc'd. meta: more members of its resource (", \"x\": 1"), or "". */
char *lab_plant(const char *account, const char *name, const char *content, const char *meta);
/* Writes new content over a file. */
void lab_overwrite(const char *account, const char *file, const char *content);
/* A request of that account in JSON, past the store. */
void lab_post(const char *account, const char *path, const char *json);

#endif
