# SPDX-License-Identifier: Apache-2.0
if HAVE_CHECK
check_LIBRARIES += tests/lib/libfixture.a
tests_lib_libfixture_a_SOURCES = tests/lib/fixture.c tests/lib/fixture_crl.c tests/lib/fixture.h
endif
