# SPDX-License-Identifier: Apache-2.0
dist_doc_DATA += doc/PROTOCOL
dist_doc_DATA += doc/CHANGES doc/THREATS
