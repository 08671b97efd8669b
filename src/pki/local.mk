# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/pki/libpki.a
src_pki_libpki_a_SOURCES =
src_pki_libpki_a_SOURCES += src/pki/ossl.c src/pki/ossl.h
src_pki_libpki_a_SOURCES += src/pki/pem.c src/pki/pem_stream.c src/pki/pem.h
src_pki_libpki_a_SOURCES += src/pki/lean.c src/pki/lean.h
src_pki_libpki_a_SOURCES += src/pki/key.c src/pki/key.h
src_pki_libpki_a_SOURCES += src/pki/name.c src/pki/name.h
src_pki_libpki_a_SOURCES += src/pki/cert.c src/pki/cert.h
src_pki_libpki_a_SOURCES += src/pki/csr.c src/pki/csr.h
src_pki_libpki_a_SOURCES += src/pki/sigalg.c src/pki/sigalg.h
src_pki_libpki_a_SOURCES += src/pki/signed.c src/pki/signed.h
src_pki_libpki_a_SOURCES += src/pki/san.c src/pki/san.h
src_pki_libpki_a_SOURCES += src/pki/profile.c src/pki/profile.h
src_pki_libpki_a_SOURCES += src/pki/chain.c src/pki/chain.h
src_pki_libpki_a_SOURCES += src/pki/crl.c src/pki/crl_set.c src/pki/crl.h
