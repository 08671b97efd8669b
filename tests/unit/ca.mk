# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/test_ca
tests_unit_test_ca_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -I$(top_srcdir)/tests
tests_unit_test_ca_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_ca_LDADD = ca/libca.a tests/lib/libtmp.a $(NET_LIBS) $(CHECK_LIBS)
TESTS += tests/unit/test_ca
