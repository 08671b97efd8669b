# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/store/libstore.a
src_store_libstore_a_SOURCES = \
	src/store/store.c src/store/store.h \
	src/store/gdrive.h src/store/oauth.h \
	src/store/directory.c
