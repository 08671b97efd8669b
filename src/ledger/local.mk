# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/ledger/libledger.a
src_ledger_libledger_a_SOURCES =
src_ledger_libledger_a_SOURCES += src/ledger/path.c src/ledger/path.h
src_ledger_libledger_a_SOURCES += src/ledger/tree.c src/ledger/tree.h
src_ledger_libledger_a_SOURCES += src/ledger/event.c src/ledger/event.h
src_ledger_libledger_a_SOURCES += src/ledger/entry.c src/ledger/entry.h
src_ledger_libledger_a_SOURCES += src/ledger/head.c src/ledger/head.h
