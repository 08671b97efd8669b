/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for each test: tmp_make and tmp_drop are a checked fixture; or stand around all of a program's. */
#ifndef SCG_TESTS_TMP_H
#define SCG_TESTS_TMP_H

#include <stddef.h>

/* Creates the folder. */
void tmp_make(void);
/* Removes it with all that lies in it. */
void tmp_drop(void);
/* FOLDER/name; the same memory until tmp_drop. At most 16 in a test. */
const char *tmp_path(const char *name);
const char *tmp_dir(void);
/* Writes FOLDER/name with this mode (over what is there); returns its path as tmp_path does. */
const char *tmp_file(const char *name, const void *data, size_t len, unsigned mode);

#endif
