#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual page names the options that there are, and its examples run.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/manual.sh"
need openssl jq

page=$top_srcdir/doc/scg-ca.1
check_page "$page"
check_synopsis scg-ca "$page"
say "the examples"
run_examples "$page"
present lab-ca/ca.key crl-for-the-gateway.pem
json 'length == 1 and .[0].status == "revoked" and .[0].reason == "affiliationChanged"' scg-ca list -dir lab-ca -json
