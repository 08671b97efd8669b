# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES =
src_base_libbase_a_SOURCES += src/base/db.c src/base/db.h
src_base_libbase_a_SOURCES += src/base/der.c src/base/der.h
