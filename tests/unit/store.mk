# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/test_store_directory
TESTS += tests/unit/test_store_directory
tests_unit_test_store_directory_SOURCES = tests/unit/test_store_directory.c tests/unit/store_suite.c tests/unit/store_suite.h
tests_unit_test_store_directory_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_unit_test_store_directory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_store_directory_LDADD = $(STORE_LIBS) $(CHECK_LIBS)
