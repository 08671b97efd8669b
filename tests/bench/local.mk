# SPDX-License-Identifier: Apache-2.0
# "make bench" measures: it is no part of "make check". Each folder's part is a script of its own, run one after the other.
BENCHES = tests/bench/envelope.py tests/bench/server.py tests/bench/ledger.py tests/bench/million.py tests/bench/siege.py tests/bench/soak.py
EXTRA_DIST += $(BENCHES)
BENCH_BUILT =
EXTRA_PROGRAMS =

if HAVE_CHECK
EXTRA_PROGRAMS += tests/bench/envelope_bench
BENCH_BUILT += tests/bench/envelope_bench
tests_bench_envelope_bench_SOURCES = tests/bench/envelope_bench.c tests/bench/envelope_group.c tests/bench/envelope_group.h
tests_bench_envelope_bench_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_bench_envelope_bench_LDADD = tests/lib/libfixture.a $(ENVELOPE_LIBS)

EXTRA_PROGRAMS += tests/bench/ledger_bench
BENCH_BUILT += tests/bench/ledger_bench
tests_bench_ledger_bench_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_bench_ledger_bench_LDADD = tests/lib/libmemgate.a tests/lib/libfixture.a $(LEDGER_LIBS)

endif

EXTRA_PROGRAMS += tests/bench/load tests/bench/serve tests/bench/crl_make
BENCH_BUILT += tests/bench/load tests/bench/serve tests/bench/crl_make tests/lib/siege ca/scg-ca src/gateway/scg-gateway src/client/scg
tests_bench_serve_LDADD = $(NET_LIBS)
tests_bench_load_SOURCES = tests/bench/load.c tests/lib/dial.c tests/lib/dial.h
tests_bench_load_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_bench_load_LDADD = $(DEPS_LIBS)
tests_bench_crl_make_LDADD = $(PKI_LIBS)

.PHONY: bench
bench: $(BENCH_BUILT)
	@for b in $(BENCHES); do echo "== $$b"; top_builddir=$(abs_top_builddir) $(srcdir)/$$b || exit 1; done
