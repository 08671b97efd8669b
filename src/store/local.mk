# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/store/libstore.a
src_store_libstore_a_SOURCES = \
	src/store/store.c src/store/store.h \
	src/store/gdrive.c src/store/gdrive.h src/store/gdrive_state.h \
	src/store/gdrive_call.c src/store/gdrive_list.c \
	src/store/gdrive_reply.c src/store/gdrive_reply.h src/store/gdrive_rules.c \
	src/store/gdrive_ids.c src/store/gdrive_find.c \
	src/store/gdrive_make.c src/store/gdrive_upload.c src/store/gdrive_upload.h \
	src/store/gdrive_put.c src/store/gdrive_send.c \
	src/store/gdrive_pull.c src/store/gdrive_pull.h src/store/gdrive_get.c \
	src/store/gdrive_kept.c src/store/gdrive_share.c \
	src/store/oauth.c src/store/oauth.h src/store/oauth_grant.c src/store/oauth_grant.h src/store/oauth_jwt.c src/store/oauth_jwt.h \
	src/store/oauth_login.c src/store/oauth_redirect.c src/store/oauth_redirect.h src/store/oauth_wire.c src/store/oauth_wire.h \
	src/store/directory.c
