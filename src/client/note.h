/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for the person at the terminal that are no error: "scg: ..." on standard error. */
#ifndef SCG_CLIENT_NOTE_H
#define SCG_CLIENT_NOTE_H

#include "base/err.h"

#define PROGRAM "scg"

/* One whole line in one write. What comes from others has to be escaped by the caller. */
void note(const char *fmt, ...) ERR_PRINTF(1, 2);

#endif
