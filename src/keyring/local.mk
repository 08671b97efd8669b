# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/keyring/libkeyring.a
src_keyring_libkeyring_a_SOURCES =
src_keyring_libkeyring_a_SOURCES += src/keyring/keyring.c src/keyring/package.c src/keyring/seal.c src/keyring/reply.c src/keyring/keyring.h
src_keyring_libkeyring_a_SOURCES += src/keyring/enveloped.c src/keyring/enveloped.h
