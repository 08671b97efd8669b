# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/test_base
tests_unit_test_base_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_base_LDADD = $(BASE_LIBS) $(CHECK_LIBS)
TESTS += tests/unit/test_base
check_PROGRAMS += tests/unit/test_text
tests_unit_test_text_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_text_LDADD = $(BASE_LIBS) $(CHECK_LIBS)
TESTS += tests/unit/test_text
check_PROGRAMS += tests/unit/test_file
tests_unit_test_file_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_file_LDADD = $(BASE_LIBS) $(CHECK_LIBS)
TESTS += tests/unit/test_file
