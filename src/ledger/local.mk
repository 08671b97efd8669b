# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/ledger/libledger.a
src_ledger_libledger_a_SOURCES =
src_ledger_libledger_a_SOURCES += src/ledger/path.c src/ledger/path.h
src_ledger_libledger_a_SOURCES += src/ledger/tree.c src/ledger/tree.h
src_ledger_libledger_a_SOURCES += src/ledger/proof.c src/ledger/proof.h
src_ledger_libledger_a_SOURCES += src/ledger/event.c src/ledger/event.h
src_ledger_libledger_a_SOURCES += src/ledger/entry.c src/ledger/entry.h
src_ledger_libledger_a_SOURCES += src/ledger/head.c src/ledger/head.h
src_ledger_libledger_a_SOURCES += src/ledger/seal.c src/ledger/seal.h
src_ledger_libledger_a_SOURCES += src/ledger/ledger.c src/ledger/ledger.h src/ledger/state.h
src_ledger_libledger_a_SOURCES += src/ledger/signer.c src/ledger/item.c src/ledger/files.c src/ledger/place.c
src_ledger_libledger_a_SOURCES += src/ledger/rules.c src/ledger/apply.c src/ledger/step.h
src_ledger_libledger_a_SOURCES += src/ledger/change.c src/ledger/replay.c src/ledger/history.c
src_ledger_libledger_a_SOURCES += src/ledger/mirror.c src/ledger/mirror.h src/ledger/mirror_state.h src/ledger/audit.c \
	src/ledger/mine.c src/ledger/dropped.c
