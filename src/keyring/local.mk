# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/keyring/libkeyring.a
src_keyring_libkeyring_a_SOURCES =
