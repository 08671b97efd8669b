#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Google's own client for Node.js on the Drive emulator: drive-npm.js, with the package that install-peers put into the build folder.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/drive.sh"
. "$top_srcdir/tests/peers/peer.sh"
need node openssl
modules=$top_builddir/tests/peers/node_modules
[ -d "$modules/@googleapis/drive" ] || skip "@googleapis/drive is not installed"

peer_certificate
drive_start -tunnel "$T/peer.pem" "$T/peer.key"
drive_ask service-account '' account=robot@test.iam.gserviceaccount.com >robot.json
# The token end point of a service account is not to be chosen in that client: it is led here by the proxy.
HTTPS_PROXY=$DRIVE_URL NO_PROXY=127.0.0.1 NODE_EXTRA_CA_CERTS=$T/peer.pem NODE_PATH=$modules \
	node "$top_srcdir/tests/peers/drive-npm.js" "$DRIVE_URL" "$T/robot.json"
