# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/net/libnet.a
src_net_libnet_a_SOURCES =
