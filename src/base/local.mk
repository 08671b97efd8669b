# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES =
src_base_libbase_a_SOURCES += src/base/db.c src/base/db.h
src_base_libbase_a_SOURCES += src/base/der.c src/base/der.h
src_base_libbase_a_SOURCES += src/base/own.h
src_base_libbase_a_SOURCES += src/base/err.c src/base/err.h
src_base_libbase_a_SOURCES += src/base/buf.c src/base/buf.h
src_base_libbase_a_SOURCES += src/base/secret.c src/base/secret.h
src_base_libbase_a_SOURCES += src/base/text.c src/base/unicode.c src/base/text.h
src_base_libbase_a_SOURCES += src/base/clock.c src/base/clock.h
src_base_libbase_a_SOURCES += src/base/file.c src/base/fileio.c src/base/file.h
src_base_libbase_a_SOURCES += src/base/log.c src/base/log.h
src_base_libbase_a_SOURCES += src/base/pass.c src/base/pass.h
src_base_libbase_a_SOURCES += src/base/work.c src/base/work.h
src_base_libbase_a_SOURCES += src/base/progress.c src/base/progress.h
src_base_libbase_a_SOURCES += src/base/opt.c src/base/opt.h
src_base_libbase_a_SOURCES += src/base/conf.c src/base/conf.h
