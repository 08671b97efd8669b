/* SPDX-License-Identifier: Apache-2.0 */
/* The entry that libFuzzer and replay.c call. A target aborts where a rule is broken; what it returns is always 0. */
#ifndef SCG_TESTS_FUZZ_H
#define SCG_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
