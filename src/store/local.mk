# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/store/libstore.a
src_store_libstore_a_SOURCES = \
	src/store/store.c src/store/store.h \
	src/store/gdrive.h \
	src/store/gdrive_reply.c src/store/gdrive_reply.h src/store/gdrive_rules.c \
	src/store/oauth.c src/store/oauth.h src/store/oauth_grant.c src/store/oauth_grant.h src/store/oauth_jwt.c src/store/oauth_jwt.h \
	src/store/oauth_login.c src/store/oauth_redirect.c src/store/oauth_redirect.h src/store/oauth_wire.c src/store/oauth_wire.h \
	src/store/directory.c
