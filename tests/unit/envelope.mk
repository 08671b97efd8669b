# SPDX-License-Identifier: Apache-2.0
ENVELOPE_TESTS = tests/unit/test_manifest tests/unit/test_envelope tests/unit/test_envelope_author tests/unit/test_envelope_hostile \
	tests/unit/test_envelope_io tests/unit/test_envelope_range tests/unit/test_envelope_stock
check_PROGRAMS += $(ENVELOPE_TESTS)
TESTS += $(ENVELOPE_TESTS)
ENVELOPE_TEST_LIBS = tests/lib/libtmp.a tests/lib/libenvelopelab.a tests/lib/libfixture.a $(ENVELOPE_LIBS) $(CHECK_LIBS)
tests_unit_test_manifest_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_manifest_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_manifest_LDADD = $(ENVELOPE_TEST_LIBS)
tests_unit_test_envelope_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_envelope_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_envelope_LDADD = $(ENVELOPE_TEST_LIBS)
tests_unit_test_envelope_author_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_envelope_author_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_envelope_author_LDADD = $(ENVELOPE_TEST_LIBS)
tests_unit_test_envelope_hostile_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_envelope_hostile_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_envelope_hostile_LDADD = $(ENVELOPE_TEST_LIBS)
tests_unit_test_envelope_stock_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_envelope_stock_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_envelope_stock_LDADD = $(ENVELOPE_TEST_LIBS)
tests_unit_test_envelope_io_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_envelope_io_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_envelope_io_LDADD = $(ENVELOPE_TEST_LIBS)
tests_unit_test_envelope_range_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_envelope_range_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_envelope_range_LDADD = $(ENVELOPE_TEST_LIBS)
