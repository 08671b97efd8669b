/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of long work: a bar on a terminal, a plain line per finished item elsewhere; standard error. */
#ifndef SCG_BASE_PROGRESS_H
#define SCG_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress;

/* total in bytes (0: unknown). quiet: prints nothing at all. Safe to use from several threads. */
struct progress *progress_new(const char *verb, uint64_t total_bytes, bool quiet);
void progress_add(struct progress *p, uint64_t bytes); /* p may be NULL */
/* A finished item; name is escaped. */
void progress_item(struct progress *p, const char *name, const char *result);
/* Clears the bar, releases. */
void progress_free(struct progress *p);

#endif
