# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/test_mirror
tests_unit_test_mirror_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_mirror_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_mirror_LDADD = tests/lib/libmemgate.a tests/lib/libfixture.a tests/lib/libtmp.a $(LEDGER_LIBS) $(CHECK_LIBS)
TESTS += tests/unit/test_mirror
