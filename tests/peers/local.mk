# SPDX-License-Identifier: Apache-2.0
# What other people's software says to ours, or to the servers that our tests are made with: `make check-peers`. A script each, as in
# tests/cli; status 77 where the peer is not installed. Those of the Drive emulator are installed first, where that is possible.
PEER_TESTS =
PEER_TESTS += tests/peers/bouncycastle.sh
EXTRA_DIST += $(PEER_TESTS) tests/peers/Envelope.java
PEER_TESTS += tests/peers/testssl.sh
PEER_TESTS += tests/peers/drive-rclone.sh tests/peers/drive-npm.sh
EXTRA_DIST += tests/peers/install-peers tests/peers/peer.sh tests/peers/package.json tests/peers/drive-npm.js
check-peers: all
	$(SHELL) $(srcdir)/tests/peers/install-peers '$(abs_top_builddir)/tests/peers'
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(PEER_TESTS)'
.PHONY: check-peers
