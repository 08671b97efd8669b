# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/net/libnet.a
src_net_libnet_a_SOURCES = \
	src/net/conn.c src/net/conn.h \
	src/net/fetch.c src/net/fetch.h src/net/sink.c src/net/sink.h \
	src/net/http.c src/net/http.h src/net/http_reply.c src/net/http_scan.c src/net/httpchar.h \
	src/net/easy.c src/net/easy.h src/net/gate.c src/net/gate.h src/net/head.c src/net/head.h \
	src/net/rest.c src/net/rest.h src/net/rest_call.c src/net/rest_call.h src/net/rest_flow.c src/net/rest_url.c \
	src/net/hello.c src/net/hello.h src/net/resume.c src/net/resume.h src/net/retry.c src/net/retry.h \
	src/net/door.c src/net/listen.c src/net/listener.h src/net/loop.c src/net/phase.c src/net/reply.c \
	src/net/server.c src/net/server.h \
	src/net/tls.c src/net/tls.h
