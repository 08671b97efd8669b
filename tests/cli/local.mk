# SPDX-License-Identifier: Apache-2.0
# A program test is a script; lib.sh has what they share. They run from any folder: the environment names the two trees.
TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = $(SHELL)
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/lib/run-test
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	CK_DEFAULT_TIMEOUT=600; export CK_DEFAULT_TIMEOUT; \
	LSAN_OPTIONS='suppressions=$(abs_top_srcdir)/tests/lib/lsan.supp:print_suppressions=0'; export LSAN_OPTIONS; \
	unset SCG_DIR XDG_CONFIG_HOME;
EXTRA_DIST += tests/lib/run-test tests/lib/demo.sh tests/lib/lsan.supp tests/cli/lib.sh $(CLI_TESTS)
CLI_TESTS = tests/cli/scg-ca-faults.sh tests/cli/ledger-hundred-members.sh tests/cli/drive-emulator.sh
CLI_TESTS += tests/cli/main-job.sh tests/cli/readme-tour.sh
TESTS += $(CLI_TESTS)
if HAVE_CHECK
CLI_TESTS += tests/cli/interop-keypackage.sh
check_PROGRAMS += tests/cli/make_replies
tests_cli_make_replies_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_cli_make_replies_LDADD = tests/lib/libfixture.a $(KEYRING_LIBS)
endif
CLI_TESTS += tests/cli/scg-ca-profile.sh
CLI_TESTS += tests/cli/scg-ca-revoke.sh
CLI_TESTS += tests/cli/scg-ca-refuse.sh
CLI_TESTS += tests/cli/scg-ca-passphrase.sh
EXTRA_DIST += tests/cli/gwlib.sh tests/cli/core.py
CLI_TESTS += tests/cli/scg-gateway-init.sh tests/cli/scg-gateway-keys.sh tests/cli/scg-gateway-refusals.sh \
	tests/cli/scg-gateway-crl.sh tests/cli/scg-gateway-revoke.sh tests/cli/scg-gateway-restart.sh tests/cli/scg-gateway-renew.sh \
	tests/cli/scg-gateway-full.sh tests/cli/scg-gateway-check.sh tests/cli/scg-gateway-monitor.sh tests/cli/scg-gateway-siege.sh tests/cli/scg-gateway-resume.sh tests/cli/scg-gateway-systemd.sh tests/cli/scg-gateway-manual.sh tests/cli/scg-gateway-together.sh tests/cli/scg-gateway-groups.sh
CLI_TESTS += tests/cli/scg-gateway-audit.sh tests/cli/scg-gateway-rights.sh
CLI_TESTS += tests/cli/scg-roundtrip.sh tests/cli/scg-names.sh tests/cli/scg-install.sh tests/cli/scg-crypt.sh tests/cli/scg-conflict.sh \
	tests/cli/scg-hostile-drive.sh tests/cli/scg-kill.sh
CLI_TESTS += tests/cli/scg-ca-disk.sh
CLI_TESTS += tests/cli/scg-ca-together.sh
CLI_TESTS += tests/cli/scg-ca-publish.sh tests/cli/scg-ca-restored.sh
EXTRA_DIST += tests/cli/manual.sh
CLI_TESTS += tests/cli/scg-ca-manual.sh
CLI_TESTS += tests/cli/scg-refusals.sh tests/cli/scg-disk.sh
if HAVE_CHECK
check_PROGRAMS += tests/cli/hostile_log
tests_cli_hostile_log_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_cli_hostile_log_LDADD = tests/lib/libmemgate.a tests/lib/libfixture.a $(GATEWAY_LIBS)
CLI_TESTS += tests/cli/ledger-hostile-gateway.sh
endif
CLI_TESTS += tests/cli/ledger-evicted-meanwhile.sh tests/cli/scg-epoch-meanwhile.sh
CLI_TESTS += tests/cli/scg-manual.sh
CLI_TESTS += tests/cli/scg-folders.sh
CLI_TESTS += tests/cli/scg-full-disk.sh
EXTRA_DIST += tests/cli/model.py
CLI_TESTS += tests/cli/scg-model.sh
CLI_TESTS += tests/cli/scg-range.sh
CLI_TESTS += tests/cli/scg-threads.sh
if HAVE_CHECK
check_PROGRAMS += tests/cli/make_expired
tests_cli_make_expired_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_cli_make_expired_LDADD = tests/lib/libfixture.a $(ENVELOPE_LIBS)
CLI_TESTS += tests/cli/recover.sh
endif
EXTRA_DIST += tests/cli/drive.sh
CLI_TESTS += tests/cli/scg-login.sh
CLI_TESTS += tests/cli/scg-recip.sh
CLI_TESTS += tests/cli/scg-inspect.sh
EXTRA_DIST += tests/cli/gdlib.sh
CLI_TESTS += tests/cli/scg-gdrive-roundtrip.sh
CLI_TESTS += tests/cli/scg-gdrive-evict.sh
CLI_TESTS += tests/cli/scg-gdrive-faults.sh tests/cli/scg-gdrive-kill.sh tests/cli/scg-gdrive-kill-sealing.sh
CLI_TESTS += tests/cli/scg-gdrive-limits.sh
