# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/net/libnet.a
src_net_libnet_a_SOURCES = \
	src/net/http.c src/net/http.h src/net/http_reply.c \
	src/net/tls.c src/net/tls.h
