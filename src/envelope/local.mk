# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/envelope/libenvelope.a
src_envelope_libenvelope_a_SOURCES =
