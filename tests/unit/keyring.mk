# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/test_keyring
tests_unit_test_keyring_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_keyring_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_keyring_LDADD = tests/lib/libtmp.a tests/lib/libfixture.a $(KEYRING_LIBS) $(CHECK_LIBS)
TESTS += tests/unit/test_keyring
