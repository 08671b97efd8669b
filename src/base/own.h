/* SPDX-License-Identifier: Apache-2.0 */
/* Owners that release by themselves at the end of their scope. */
#ifndef SCG_BASE_OWN_H
#define SCG_BASE_OWN_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* OWN(buf_wipe) struct buf b = {0};  calls buf_wipe(&b) at the end of the scope. */
#define OWN(f) __attribute__((cleanup(f)))

/* Defines own_NAME(T **p), which calls freefn(*p) if *p is not NULL. For: OWN(own_NAME) T *x = NULL; */
#define OWN_DEFINE(name, type, freefn) \
	static inline void own_##name(type **p) { if (*p != NULL) freefn(*p); } /* NOLINT(bugprone-macro-parentheses): a type */

static inline void own_free(void *p) { free(*(void **)p); }
static inline void own_fd(const int *fd) { if (*fd >= 0) close(*fd); }
static inline void own_file(FILE **f) { if (*f != NULL) fclose(*f); }

#endif
