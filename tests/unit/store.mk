# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/test_store_directory
TESTS += tests/unit/test_store_directory
tests_unit_test_store_directory_SOURCES = tests/unit/test_store_directory.c tests/unit/store_suite.c tests/unit/store_suite.h
tests_unit_test_store_directory_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_unit_test_store_directory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_store_directory_LDADD = $(STORE_LIBS) $(CHECK_LIBS)

GDRIVE_TEST = tests/unit/gdrive_lab.c tests/unit/gdrive_lab.h tests/unit/store_suite.c tests/unit/store_suite.h
check_PROGRAMS += tests/unit/test_store_gdrive
TESTS += tests/unit/test_store_gdrive
tests_unit_test_store_gdrive_SOURCES = tests/unit/test_store_gdrive.c $(GDRIVE_TEST)
tests_unit_test_store_gdrive_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/tests/unit
tests_unit_test_store_gdrive_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_store_gdrive_LDADD = tests/lib/libdrive.a tests/lib/libtmp.a $(STORE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_store_gdrive_put
TESTS += tests/unit/test_store_gdrive_put
tests_unit_test_store_gdrive_put_SOURCES = tests/unit/test_store_gdrive_put.c $(GDRIVE_TEST)
tests_unit_test_store_gdrive_put_CPPFLAGS = $(tests_unit_test_store_gdrive_CPPFLAGS)
tests_unit_test_store_gdrive_put_CFLAGS = $(tests_unit_test_store_gdrive_CFLAGS)
tests_unit_test_store_gdrive_put_LDADD = $(tests_unit_test_store_gdrive_LDADD)
# oauth_lab.c stands in for net/rest.c.
OAUTH_TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/tests/unit
OAUTH_TEST_LDADD = tests/lib/libfixture.a tests/lib/libtmp.a $(STORE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_oauth tests/unit/test_oauth_login tests/unit/test_oauth_other
TESTS += tests/unit/test_oauth tests/unit/test_oauth_login tests/unit/test_oauth_other
tests_unit_test_oauth_SOURCES = tests/unit/test_oauth.c tests/unit/oauth_lab.c tests/unit/oauth_lab.h
tests_unit_test_oauth_CPPFLAGS = $(OAUTH_TEST_CPPFLAGS)
tests_unit_test_oauth_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_oauth_LDADD = $(OAUTH_TEST_LDADD)
tests_unit_test_oauth_login_SOURCES = tests/unit/test_oauth_login.c tests/unit/oauth_lab.c tests/unit/oauth_lab.h
tests_unit_test_oauth_login_CPPFLAGS = $(OAUTH_TEST_CPPFLAGS)
tests_unit_test_oauth_login_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_oauth_login_LDADD = $(OAUTH_TEST_LDADD)
tests_unit_test_oauth_other_SOURCES = tests/unit/test_oauth_other.c tests/unit/oauth_lab.c tests/unit/oauth_lab.h
tests_unit_test_oauth_other_CPPFLAGS = $(OAUTH_TEST_CPPFLAGS)
tests_unit_test_oauth_other_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_oauth_other_LDADD = $(OAUTH_TEST_LDADD)


check_PROGRAMS += tests/unit/test_store_gdrive_faults
TESTS += tests/unit/test_store_gdrive_faults
tests_unit_test_store_gdrive_faults_SOURCES = tests/unit/test_store_gdrive_faults.c $(GDRIVE_TEST)
tests_unit_test_store_gdrive_faults_CPPFLAGS = $(tests_unit_test_store_gdrive_CPPFLAGS)
tests_unit_test_store_gdrive_faults_CFLAGS = $(tests_unit_test_store_gdrive_CFLAGS)
tests_unit_test_store_gdrive_faults_LDADD = $(tests_unit_test_store_gdrive_LDADD)

check_PROGRAMS += tests/unit/test_gdrive_reply
TESTS += tests/unit/test_gdrive_reply
tests_unit_test_gdrive_reply_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_gdrive_reply_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_gdrive_reply_LDADD = tests/lib/libtmp.a $(STORE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_store_gdrive_hostile
TESTS += tests/unit/test_store_gdrive_hostile
tests_unit_test_store_gdrive_hostile_SOURCES = tests/unit/test_store_gdrive_hostile.c tests/unit/store_suite.c tests/unit/store_suite.h
tests_unit_test_store_gdrive_hostile_CPPFLAGS = $(tests_unit_test_store_gdrive_CPPFLAGS)
tests_unit_test_store_gdrive_hostile_CFLAGS = $(tests_unit_test_store_gdrive_CFLAGS)
tests_unit_test_store_gdrive_hostile_LDADD = tests/lib/libweb.a tests/lib/libfixture.a $(tests_unit_test_store_gdrive_LDADD)
