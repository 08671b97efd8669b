# SPDX-License-Identifier: Apache-2.0
check_PROGRAMS += tests/unit/test_envelope
TESTS += tests/unit/test_envelope
tests_unit_test_envelope_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_envelope_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_envelope_LDADD = tests/lib/libenvelopelab.a tests/lib/libfixture.a $(ENVELOPE_LIBS) $(CHECK_LIBS)
