# SPDX-License-Identifier: Apache-2.0
# A target fuzz_NAME.c is replayed over tests/fuzz/corpus/NAME by "make check". With --enable-fuzzing (clang) it is linked with
# libFuzzer: tests/fuzz/fuzz_NAME -max_total_time=60 NEW-FOLDER tests/fuzz/corpus/NAME searches for more.
EXTRA_DIST += tests/fuzz/corpus
if FUZZING
FUZZ_MAIN = tests/fuzz/fuzz.h
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/fuzz.h tests/fuzz/replay.c
FUZZ_LINK = $(AM_LDFLAGS)
endif
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

check_PROGRAMS += tests/fuzz/fuzz_der
tests_fuzz_fuzz_der_SOURCES = tests/fuzz/fuzz_der.c $(FUZZ_MAIN)
tests_fuzz_fuzz_der_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_der_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_der_LDADD = $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_der

check_PROGRAMS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_conf_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_conf_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_conf_LDADD = $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_conf

check_PROGRAMS += tests/fuzz/fuzz_signed
tests_fuzz_fuzz_signed_SOURCES = tests/fuzz/fuzz_signed.c tests/fuzz/identity.c tests/fuzz/identity.h $(FUZZ_MAIN)
tests_fuzz_fuzz_signed_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_signed_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_signed_LDADD = $(PKI_LIBS)
TESTS += tests/fuzz/fuzz_signed

check_PROGRAMS += tests/fuzz/fuzz_crl
tests_fuzz_fuzz_crl_SOURCES = tests/fuzz/fuzz_crl.c tests/fuzz/identity.c tests/fuzz/identity.h $(FUZZ_MAIN)
tests_fuzz_fuzz_crl_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_crl_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_crl_LDADD = $(PKI_LIBS)
TESTS += tests/fuzz/fuzz_crl

check_PROGRAMS += tests/fuzz/fuzz_keypackage
tests_fuzz_fuzz_keypackage_SOURCES = tests/fuzz/fuzz_keypackage.c tests/fuzz/identity.c tests/fuzz/identity.h $(FUZZ_MAIN)
tests_fuzz_fuzz_keypackage_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_keypackage_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_keypackage_LDADD = $(KEYRING_LIBS)
TESTS += tests/fuzz/fuzz_keypackage

check_PROGRAMS += tests/fuzz/fuzz_csr
tests_fuzz_fuzz_csr_SOURCES = tests/fuzz/fuzz_csr.c tests/fuzz/identity.c tests/fuzz/identity.h $(FUZZ_MAIN)
tests_fuzz_fuzz_csr_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_csr_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_csr_LDADD = $(PKI_LIBS)
TESTS += tests/fuzz/fuzz_csr

check_PROGRAMS += tests/fuzz/fuzz_cert
tests_fuzz_fuzz_cert_SOURCES = tests/fuzz/fuzz_cert.c tests/fuzz/identity.c tests/fuzz/identity.h $(FUZZ_MAIN)
tests_fuzz_fuzz_cert_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_cert_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_cert_LDADD = $(PKI_LIBS)
TESTS += tests/fuzz/fuzz_cert
check_PROGRAMS += tests/fuzz/fuzz_http
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c $(FUZZ_MAIN)
tests_fuzz_fuzz_http_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_http_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_http_LDADD = $(NET_LIBS)
TESTS += tests/fuzz/fuzz_http

check_PROGRAMS += tests/fuzz/fuzz_envelope
tests_fuzz_fuzz_envelope_SOURCES = tests/fuzz/fuzz_envelope.c tests/fuzz/identity.c tests/fuzz/identity_group.c tests/fuzz/identity.h $(FUZZ_MAIN)
tests_fuzz_fuzz_envelope_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_envelope_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_envelope_LDADD = $(ENVELOPE_LIBS)
TESTS += tests/fuzz/fuzz_envelope

check_PROGRAMS += tests/fuzz/fuzz_manifest
tests_fuzz_fuzz_manifest_SOURCES = tests/fuzz/fuzz_manifest.c tests/fuzz/identity.c tests/fuzz/identity_group.c tests/fuzz/identity.h $(FUZZ_MAIN)
tests_fuzz_fuzz_manifest_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_manifest_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_manifest_LDADD = $(ENVELOPE_LIBS)
TESTS += tests/fuzz/fuzz_manifest

check_PROGRAMS += tests/fuzz/fuzz_tree
tests_fuzz_fuzz_tree_SOURCES = tests/fuzz/fuzz_tree.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tree_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_tree_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_tree_LDADD = $(ENVELOPE_LIBS)
TESTS += tests/fuzz/fuzz_tree

check_PROGRAMS += tests/fuzz/fuzz_event
tests_fuzz_fuzz_event_SOURCES = tests/fuzz/fuzz_event.c $(FUZZ_MAIN)
tests_fuzz_fuzz_event_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_event_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_event_LDADD = $(LEDGER_LIBS)
TESTS += tests/fuzz/fuzz_event

check_PROGRAMS += tests/fuzz/fuzz_head
tests_fuzz_fuzz_head_SOURCES = tests/fuzz/fuzz_head.c tests/fuzz/identity.c tests/fuzz/identity.h $(FUZZ_MAIN)
tests_fuzz_fuzz_head_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_head_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_head_LDADD = $(LEDGER_LIBS)
TESTS += tests/fuzz/fuzz_head

check_PROGRAMS += tests/fuzz/fuzz_entries
tests_fuzz_fuzz_entries_SOURCES = tests/fuzz/fuzz_entries.c tests/fuzz/identity.c tests/fuzz/identity.h $(FUZZ_MAIN)
tests_fuzz_fuzz_entries_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_entries_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_entries_LDADD = $(LEDGER_LIBS)
TESTS += tests/fuzz/fuzz_entries

check_PROGRAMS += tests/fuzz/fuzz_settings
tests_fuzz_fuzz_settings_SOURCES = tests/fuzz/fuzz_settings.c $(FUZZ_MAIN)
tests_fuzz_fuzz_settings_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_settings_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_settings_LDADD = src/client/libclient.a $(STORE_LIBS)
TESTS += tests/fuzz/fuzz_settings

check_PROGRAMS += tests/fuzz/fuzz_reply
tests_fuzz_fuzz_reply_SOURCES = tests/fuzz/fuzz_reply.c $(FUZZ_MAIN)
tests_fuzz_fuzz_reply_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_reply_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_reply_LDADD = $(NET_LIBS)
TESTS += tests/fuzz/fuzz_reply

check_PROGRAMS += tests/fuzz/fuzz_gdrive
tests_fuzz_fuzz_gdrive_SOURCES = tests/fuzz/fuzz_gdrive.c $(FUZZ_MAIN)
tests_fuzz_fuzz_gdrive_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_gdrive_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_gdrive_LDADD = $(STORE_LIBS)
TESTS += tests/fuzz/fuzz_gdrive

check_PROGRAMS += tests/fuzz/fuzz_proof
tests_fuzz_fuzz_proof_SOURCES = tests/fuzz/fuzz_proof.c $(FUZZ_MAIN)
tests_fuzz_fuzz_proof_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_proof_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_proof_LDADD = src/client/libclient.a $(STORE_LIBS)
TESTS += tests/fuzz/fuzz_proof

check_PROGRAMS += tests/fuzz/fuzz_record
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c $(FUZZ_MAIN)
tests_fuzz_fuzz_record_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_record_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_record_LDADD = $(GATEWAY_LIBS)
TESTS += tests/fuzz/fuzz_record
