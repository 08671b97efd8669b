# SPDX-License-Identifier: Apache-2.0
# Helpers that unit tests of every floor link.
if HAVE_CHECK
check_LIBRARIES += tests/lib/libtmp.a
tests_lib_libtmp_a_SOURCES = tests/lib/tmp.c tests/lib/tmp.h tests/lib/suite.c tests/lib/suite.h \
	tests/lib/gauge.c tests/lib/gauge.h
tests_lib_libtmp_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_lib_libtmp_a_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
check_LIBRARIES += tests/lib/libfixture.a
tests_lib_libfixture_a_SOURCES = tests/lib/fixture.c tests/lib/fixture_crl.c tests/lib/fixture.h
check_LIBRARIES += tests/lib/libenvelopelab.a
tests_lib_libenvelopelab_a_SOURCES = tests/lib/envelope_lab.c tests/lib/envelope_lab.h tests/lib/forge.c tests/lib/forge.h
tests_lib_libenvelopelab_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_lib_libenvelopelab_a_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_lib_libfixture_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
check_LIBRARIES += tests/lib/libweb.a
tests_lib_libweb_a_SOURCES = tests/lib/web.c tests/lib/web.h tests/lib/hostile.c tests/lib/hostile.h
tests_lib_libweb_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
check_LIBRARIES += tests/lib/libmemgate.a
tests_lib_libmemgate_a_SOURCES = tests/lib/memgate.c tests/lib/memgate.h tests/lib/rawlog.c tests/lib/rawlog.h
tests_lib_libmemgate_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
check_LIBRARIES += tests/lib/libdrive.a
tests_lib_libdrive_a_SOURCES = tests/lib/drive.c tests/lib/drive.h
endif
EXTRA_DIST += tests/lib/drive_emulator.py tests/lib/drive/__init__.py tests/lib/drive/access.py tests/lib/drive/app.py \
	tests/lib/drive/control.py tests/lib/drive/errors.py tests/lib/drive/faults.py tests/lib/drive/files.py \
	tests/lib/drive/oauth.py tests/lib/drive/query.py tests/lib/drive/rsa.py tests/lib/drive/shares.py tests/lib/drive/state.py \
	tests/lib/drive/upload.py tests/lib/drive/wire.py
# Preloaded into programs under test; it takes no part in how they are built.
tests/lib/fault.so: tests/lib/fault.c
	$(AM_V_CC)$(MKDIR_P) tests/lib && $(CC) -std=c11 -D_GNU_SOURCE $(WARN_CFLAGS) -O1 -shared -fPIC -o $@ $(top_srcdir)/tests/lib/fault.c -ldl
check_DATA += tests/lib/fault.so
CLEANFILES += tests/lib/fault.so
EXTRA_DIST += tests/lib/fault.c
# Hostile clients: for a program test, and with more of them for the bench.
check_PROGRAMS += tests/lib/siege
tests_lib_siege_SOURCES = tests/lib/siege.c tests/lib/dial.c tests/lib/dial.h
tests_lib_siege_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_lib_siege_LDADD = $(DEPS_LIBS)
