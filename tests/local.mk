# SPDX-License-Identifier: Apache-2.0
# What takes long begins first, so that nothing is waited for at the end.
include tests/cli/local.mk
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/vectors/local.mk
include tests/bench/local.mk
include tests/peers/local.mk
include tests/lib/local.mk
