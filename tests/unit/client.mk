# SPDX-License-Identifier: Apache-2.0
# client_gate.c stands in for the four functions of net/fetch.c; the rest of that floor is the real one.
CLIENT_GATE = tests/unit/client_gate.c tests/unit/client_gate.h
CLIENT_TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/tests/unit
CLIENT_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
CLIENT_TEST_LDADD = tests/lib/libmemgate.a tests/lib/libfixture.a tests/lib/libtmp.a src/client/libclient.a $(STORE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_client_settings
tests_unit_test_client_settings_CPPFLAGS = $(CLIENT_TEST_CPPFLAGS)
tests_unit_test_client_settings_CFLAGS = $(CLIENT_TEST_CFLAGS)
tests_unit_test_client_settings_LDADD = $(CLIENT_TEST_LDADD)
TESTS += tests/unit/test_client_settings
check_PROGRAMS += tests/unit/test_client_range
tests_unit_test_client_range_CPPFLAGS = $(CLIENT_TEST_CPPFLAGS)
tests_unit_test_client_range_CFLAGS = $(CLIENT_TEST_CFLAGS)
tests_unit_test_client_range_LDADD = $(CLIENT_TEST_LDADD)
TESTS += tests/unit/test_client_range
check_PROGRAMS += tests/unit/test_client_session
tests_unit_test_client_session_SOURCES = tests/unit/test_client_session.c $(CLIENT_GATE)
tests_unit_test_client_session_CPPFLAGS = $(CLIENT_TEST_CPPFLAGS)
tests_unit_test_client_session_CFLAGS = $(CLIENT_TEST_CFLAGS)
tests_unit_test_client_session_LDADD = $(CLIENT_TEST_LDADD)
TESTS += tests/unit/test_client_session
check_PROGRAMS += tests/unit/test_client_upload
tests_unit_test_client_upload_SOURCES = tests/unit/test_client_upload.c $(CLIENT_GATE)
tests_unit_test_client_upload_CPPFLAGS = $(CLIENT_TEST_CPPFLAGS)
tests_unit_test_client_upload_CFLAGS = $(CLIENT_TEST_CFLAGS)
tests_unit_test_client_upload_LDADD = $(CLIENT_TEST_LDADD)
TESTS += tests/unit/test_client_upload
check_PROGRAMS += tests/unit/test_client_drive
tests_unit_test_client_drive_SOURCES = tests/unit/test_client_drive.c $(CLIENT_GATE)
tests_unit_test_client_drive_CPPFLAGS = $(CLIENT_TEST_CPPFLAGS)
tests_unit_test_client_drive_CFLAGS = $(CLIENT_TEST_CFLAGS)
tests_unit_test_client_drive_LDADD = $(CLIENT_TEST_LDADD)
TESTS += tests/unit/test_client_drive
# The test has the few functions of store/store.c that driveio.c calls.
check_PROGRAMS += tests/unit/test_client_driveio
tests_unit_test_client_driveio_CPPFLAGS = $(CLIENT_TEST_CPPFLAGS)
tests_unit_test_client_driveio_CFLAGS = $(CLIENT_TEST_CFLAGS)
tests_unit_test_client_driveio_LDADD = $(CLIENT_TEST_LDADD)
TESTS += tests/unit/test_client_driveio
check_PROGRAMS += tests/unit/test_client_spool
tests_unit_test_client_spool_CPPFLAGS = $(CLIENT_TEST_CPPFLAGS)
tests_unit_test_client_spool_CFLAGS = $(CLIENT_TEST_CFLAGS)
tests_unit_test_client_spool_LDADD = $(CLIENT_TEST_LDADD)
TESTS += tests/unit/test_client_spool
# The test has a kind of store that behaves like store/gdrive.c.
check_PROGRAMS += tests/unit/test_client_remote
tests_unit_test_client_remote_SOURCES = tests/unit/test_client_remote.c $(CLIENT_GATE)
tests_unit_test_client_remote_CPPFLAGS = $(CLIENT_TEST_CPPFLAGS)
tests_unit_test_client_remote_CFLAGS = $(CLIENT_TEST_CFLAGS)
tests_unit_test_client_remote_LDADD = $(CLIENT_TEST_LDADD)
TESTS += tests/unit/test_client_remote
