# SPDX-License-Identifier: Apache-2.0
# What other people's software says to ours: `make check-peers`. A script each, as in tests/cli; status 77 where the peer is not installed.
PEER_TESTS =
PEER_TESTS += tests/peers/bouncycastle.sh
EXTRA_DIST += $(PEER_TESTS) tests/peers/Envelope.java
check-peers: all
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(PEER_TESTS)'
.PHONY: check-peers
