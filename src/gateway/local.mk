# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += src/gateway/libgateway.a
src_gateway_libgateway_a_SOURCES =
GATEWAY_LIBS = src/gateway/libgateway.a src/ledger/libledger.a $(NET_LIBS) $(SECCOMP_LIBS)
src_gateway_libgateway_a_SOURCES += src/gateway/gwconf.c src/gateway/gwconf.h
src_gateway_libgateway_a_SOURCES += src/gateway/identity.c src/gateway/identity.h
src_gateway_libgateway_a_SOURCES += src/gateway/folders.c src/gateway/folders.h
src_gateway_libgateway_a_SOURCES += src/gateway/state_sqlite.c src/gateway/state.h
src_gateway_libgateway_a_SOURCES += src/gateway/state_audit.c src/gateway/state_audit.h
src_gateway_libgateway_a_SOURCES += src/gateway/record.c src/gateway/record.h
src_gateway_libgateway_a_SOURCES += src/gateway/audit.c src/gateway/audit.h
src_gateway_libgateway_a_SOURCES += src/gateway/refusals.c src/gateway/refusals.h
src_gateway_libgateway_a_SOURCES += src/gateway/witness.c src/gateway/witness.h
src_gateway_libgateway_a_SOURCES += src/gateway/handle_audit.c
src_gateway_libgateway_a_SOURCES += src/gateway/auditor.c src/gateway/auditor.h
src_gateway_libgateway_a_SOURCES += src/gateway/rest.c src/gateway/rest.h
src_gateway_libgateway_a_SOURCES += src/gateway/list.c src/gateway/list.h
src_gateway_libgateway_a_SOURCES += src/gateway/inbox.c src/gateway/inbox.h
src_gateway_libgateway_a_SOURCES += src/gateway/rate.c src/gateway/rate.h
src_gateway_libgateway_a_SOURCES += src/gateway/packages.c src/gateway/packages.h
src_gateway_libgateway_a_SOURCES += src/gateway/group.c src/gateway/group.h
src_gateway_libgateway_a_SOURCES += src/gateway/evict.c src/gateway/evict.h
src_gateway_libgateway_a_SOURCES += src/gateway/settler.c src/gateway/settler.h
src_gateway_libgateway_a_SOURCES += src/gateway/call.c src/gateway/call.h
src_gateway_libgateway_a_SOURCES += src/gateway/handle_group.c
src_gateway_libgateway_a_SOURCES += src/gateway/handle_crl.c
src_gateway_libgateway_a_SOURCES += src/gateway/handle_ledger.c
src_gateway_libgateway_a_SOURCES += src/gateway/route.c src/gateway/route.h
src_gateway_libgateway_a_SOURCES += src/gateway/crlfetch.c src/gateway/crlfetch.h
src_gateway_libgateway_a_SOURCES += src/gateway/care.c src/gateway/care.h
src_gateway_libgateway_a_SOURCES += src/gateway/check.c src/gateway/check.h
src_gateway_libgateway_a_SOURCES += src/gateway/supervisor.c src/gateway/supervisor.h
src_gateway_libgateway_a_SOURCES += src/gateway/confine.c src/gateway/confine.h
src_gateway_libgateway_a_SOURCES += src/gateway/landlock.c src/gateway/landlock.h
src_gateway_libgateway_a_SOURCES += src/gateway/fence.c src/gateway/fence.h
src_gateway_libgateway_a_SOURCES += src/gateway/user.c src/gateway/user.h
src_gateway_libgateway_a_SOURCES += src/gateway/rights.c src/gateway/rights.h
src_gateway_libgateway_a_SOURCES += src/gateway/tally.c src/gateway/tally.h
src_gateway_libgateway_a_SOURCES += src/gateway/sight.c src/gateway/sight.h
src_gateway_libgateway_a_SOURCES += src/gateway/monitor.c src/gateway/monitor.h
src_gateway_libgateway_a_SOURCES += src/gateway/keypair.c src/gateway/keypair.h
src_gateway_libgateway_a_SOURCES += src/gateway/renew.c src/gateway/renew.h
src_gateway_libgateway_a_SOURCES += src/gateway/init.c src/gateway/init.h
src_gateway_libgateway_a_SOURCES += src/gateway/realm.c src/gateway/realm.h
src_gateway_libgateway_a_SOURCES += src/gateway/realms.c src/gateway/realms.h
src_gateway_libgateway_a_SOURCES += src/gateway/run.c src/gateway/run.h
src_gateway_libgateway_a_SOURCES += src/gateway/tools.c src/gateway/tools.h

sbin_PROGRAMS += src/gateway/scg-gateway
src_gateway_scg_gateway_SOURCES = src/gateway/main.c
src_gateway_scg_gateway_LDADD = $(GATEWAY_LIBS)

# Below --prefix like all else: with --prefix=/usr they are where systemd looks.
systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
nodist_systemdunit_DATA = src/gateway/systemd/scg-gateway.service
dist_systemdunit_DATA = src/gateway/systemd/scg-gateway.socket
nodist_sysusers_DATA = src/gateway/systemd/scg-gateway-users.conf
nodist_tmpfiles_DATA = src/gateway/systemd/scg-gateway-files.conf
EXTRA_DIST += src/gateway/systemd/scg-gateway.service.in src/gateway/systemd/sysusers.conf src/gateway/systemd/tmpfiles.conf
CLEANFILES += $(nodist_systemdunit_DATA) $(nodist_sysusers_DATA) $(nodist_tmpfiles_DATA)
src/gateway/systemd/scg-gateway.service: src/gateway/systemd/scg-gateway.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) src/gateway/systemd && sed 's|@sbindir[@]|$(sbindir)|' $(srcdir)/src/gateway/systemd/scg-gateway.service.in >$@
src/gateway/systemd/scg-gateway-users.conf: src/gateway/systemd/sysusers.conf
	$(AM_V_GEN)$(MKDIR_P) src/gateway/systemd && cp $(srcdir)/src/gateway/systemd/sysusers.conf $@
src/gateway/systemd/scg-gateway-files.conf: src/gateway/systemd/tmpfiles.conf
	$(AM_V_GEN)$(MKDIR_P) src/gateway/systemd && cp $(srcdir)/src/gateway/systemd/tmpfiles.conf $@
