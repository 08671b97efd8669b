# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += ca/libca.a
ca_libca_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
ca_libca_a_SOURCES = ca/ca.c ca/ca.h
ca_libca_a_SOURCES += ca/records.c ca/records.h
ca_libca_a_SOURCES += ca/revocation.c ca/revocation.h
ca_libca_a_SOURCES += ca/restored.c ca/restored.h
ca_libca_a_SOURCES += ca/issue.c ca/issue.h
ca_libca_a_SOURCES += ca/list.c ca/list.h
ca_libca_a_SOURCES += ca/publish.c ca/publish.h

bin_PROGRAMS += ca/scg-ca
ca_scg_ca_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
ca_scg_ca_SOURCES = ca/main.c
ca_scg_ca_LDADD = ca/libca.a $(NET_LIBS)
