# SPDX-License-Identifier: Apache-2.0
# All but main.c is an archive, so that unit tests link it.
noinst_LIBRARIES += src/client/libclient.a
src_client_libclient_a_SOURCES =
src_client_libclient_a_SOURCES += src/client/settings.c src/client/identity.c src/client/note.c src/client/revocation.c src/client/gateway.c src/client/session.c src/client/settings.c src/client/identity.c src/client/note.c src/client/revocation.c src/client/gateway.c src/client/session.h
src_client_libclient_a_SOURCES += src/client/worker.c src/client/driveio.c src/client/groupfile.c src/client/listing.c src/client/step.c src/client/worker.c src/client/driveio.c src/client/groupfile.c src/client/listing.c src/client/step.h
src_client_libclient_a_SOURCES += src/client/names.c src/client/upload.c src/client/download.c src/client/change.c src/client/gc.c src/client/rekey.c src/client/verify.c src/client/names.c src/client/upload.c src/client/download.c src/client/change.c src/client/gc.c src/client/rekey.c src/client/verify.h
