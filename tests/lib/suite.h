/* SPDX-License-Identifier: Apache-2.0 */
/* Running a suite of one case, and the sweep that each parser has to stand. */
#ifndef SCG_TESTS_SUITE_H
#define SCG_TESTS_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUITE_TIMEOUT_S 600 /* for each test: what ends one that hangs, not one that is slow */

/* Runs the case in fork mode; the exit status of main. */
int suite_run(const char *name, TCase *t);

/* Cuts the bytes at each length and flips each byte (every bit in turn, then all of them); takes must say no to all of it. It sees
 * a copy that ends with its last byte on the heap, so that a memory checker notices a read behind it. */
void sweep_refused(const uint8_t *data, size_t len, bool (*takes)(void *arg, const uint8_t *data, size_t len), void *arg);

#endif
