# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/ledger/libledger.a
src_ledger_libledger_a_SOURCES =
