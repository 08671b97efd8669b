/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of a server on standard error: time level event key=value..., one event a line, values escaped. */
#ifndef SCG_BASE_LOG_H
#define SCG_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Events above this level are left out; info at the start. */
void log_set_level(enum log_level level);
/* One line in one write(2). event: [a-z-]+. Then pairs: key, value (both strings; a NULL value is left out), ended by NULL. Values
 * are quoted and escaped where needed. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

/* Lines of this thread carry group=NAME behind the event from here on (NULL: none), for a server that serves several. name is borrowed until the
 * next call. A thread begins without one. */
void log_set_group(const char *name);
const char *log_group(void);

#endif
