# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/envelope/libenvelope.a
src_envelope_libenvelope_a_SOURCES = \
	src/envelope/author.c src/envelope/author.h \
	src/envelope/content.c src/envelope/content.h \
	src/envelope/envelope.h \
	src/envelope/inspect.c \
	src/envelope/io.c src/envelope/io.h \
	src/envelope/layout.c src/envelope/layout.h \
	src/envelope/manifest.c src/envelope/manifest.h \
	src/envelope/object.c src/envelope/object.h \
	src/envelope/receiver.c src/envelope/receiver.h \
	src/envelope/recipient.c src/envelope/recipient.h \
	src/envelope/open.c \
	src/envelope/piece.c src/envelope/piece.h \
	src/envelope/seal.c \
	src/envelope/segments.c src/envelope/segments.h \
	src/envelope/stock.c src/envelope/stock.h \
	src/envelope/stream.c src/envelope/stream.h \
	src/envelope/ticket.c src/envelope/ticket.h \
	src/envelope/tree.c src/envelope/tree.h \
	src/envelope/tree_show.c src/envelope/tree_show.h
