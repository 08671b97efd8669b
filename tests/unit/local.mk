# SPDX-License-Identifier: Apache-2.0
# The unit tests of one floor stand in one file: they link that floor and those below, nothing more.
if HAVE_CHECK
include tests/unit/base.mk
include tests/unit/pki.mk
include tests/unit/keyring.mk
include tests/unit/envelope.mk
include tests/unit/ledger.mk
include tests/unit/net.mk
include tests/unit/store.mk
include tests/unit/gateway.mk
include tests/unit/client.mk
include tests/unit/ca.mk
endif
