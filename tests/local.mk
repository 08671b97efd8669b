# SPDX-License-Identifier: Apache-2.0
include tests/unit/local.mk
include tests/cli/local.mk
include tests/fuzz/local.mk
include tests/vectors/local.mk
include tests/bench/local.mk
include tests/peers/local.mk
include tests/lib/local.mk
