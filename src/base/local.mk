# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES =
