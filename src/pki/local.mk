# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/pki/libpki.a
src_pki_libpki_a_SOURCES =
