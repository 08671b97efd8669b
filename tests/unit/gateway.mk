# SPDX-License-Identifier: Apache-2.0
GATEWAY_TEST_LIBS = tests/lib/libfixture.a tests/lib/libtmp.a $(GATEWAY_LIBS) $(CHECK_LIBS)
GATEWAY_TEST_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/tests/unit
GATEWAY_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
check_PROGRAMS += tests/unit/test_gwconf
TESTS += tests/unit/test_gwconf
tests_unit_test_gwconf_CPPFLAGS = $(GATEWAY_TEST_CPPFLAGS)
tests_unit_test_gwconf_CFLAGS = $(GATEWAY_TEST_CFLAGS)
tests_unit_test_gwconf_LDADD = $(GATEWAY_TEST_LIBS)
check_PROGRAMS += tests/unit/test_state
TESTS += tests/unit/test_state
tests_unit_test_state_CPPFLAGS = $(GATEWAY_TEST_CPPFLAGS)
tests_unit_test_state_CFLAGS = $(GATEWAY_TEST_CFLAGS)
tests_unit_test_state_LDADD = $(GATEWAY_TEST_LIBS)
