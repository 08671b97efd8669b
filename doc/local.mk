# SPDX-License-Identifier: Apache-2.0
dist_doc_DATA += doc/FORMAT doc/PROTOCOL
dist_doc_DATA += doc/CHANGES doc/THREATS
dist_man_MANS += doc/scg-gateway.8 doc/gateway.conf.5
dist_man_MANS += doc/scg-ca.1
dist_man_MANS += doc/scg.1 doc/scg.conf.5 doc/scg-gdrive.7
dist_doc_DATA += doc/recover.sh doc/MEASURED
