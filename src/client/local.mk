# SPDX-License-Identifier: Apache-2.0
# All but main.c is an archive, so that unit tests link it.
noinst_LIBRARIES += src/client/libclient.a
src_client_libclient_a_SOURCES = \
	src/client/auditlog.c src/client/auditlog.h \
	src/client/change.c src/client/change.h \
	src/client/cmd_crypt.c src/client/cmd_drive.c src/client/cmd_files.c src/client/cmd_login.c src/client/cmd_member.c src/client/commands.h \
	src/client/destroy.c src/client/destroy.h \
	src/client/cmd_crypt.c src/client/cmd_drive.c src/client/cmd_files.c src/client/cmd_inspect.c src/client/cmd_login.c src/client/cmd_member.c src/client/commands.h \
	src/client/download.c src/client/download.h \
	src/client/driveio.c src/client/driveio.h \
	src/client/gateway.c src/client/gateway.h \
	src/client/gc.c src/client/gc.h \
	src/client/groupfile.c src/client/groupfile.h \
	src/client/growing.c src/client/growing.h \
	src/client/identity.c src/client/identity.h \
	src/client/install.c src/client/install.h \
	src/client/listing.c src/client/listing.h \
	src/client/namelock.c src/client/namelock.h \
	src/client/names.c src/client/names.h \
	src/client/note.c src/client/note.h \
	src/client/output.c src/client/output.h \
	src/client/print.c src/client/print.h \
	src/client/range.c src/client/range.h \
	src/client/rekey.c src/client/rekey.h \
	src/client/revocation.c src/client/revocation.h \
	src/client/session.c src/client/session.h \
	src/client/settings.c src/client/settings.h \
	src/client/spool.c src/client/spool.h \
	src/client/spool_record.c src/client/spool_record.h \
	src/client/step.c src/client/step.h \
	src/client/upload.c src/client/upload.h src/client/upload_put.c src/client/upload_sealing.c src/client/upload_spool.c src/client/upload_state.h \
	src/client/verify.c src/client/verify.h \
	src/client/worker.c src/client/worker.h

bin_PROGRAMS += src/client/scg
src_client_scg_SOURCES = src/client/main.c
src_client_scg_LDADD = src/client/libclient.a $(STORE_LIBS)
