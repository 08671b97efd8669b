#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tour of the README runs as it is written there, and does what the text around it says.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"

sed -n 's/^    \$ //p' "$top_srcdir/README" >tour
[ "$(wc -l <tour)" -ge 25 ] || fail "the README has no tour"
# Sourced, so that the gateway is a child of this shell and ended with it.
# shellcheck source=/dev/null
. ./tour >tour.log 2>&1

has tour.log 'meetings/plan.txt'
has tour.log 'Bob is refused: status 3'
same plan.txt copy.txt
! grep -rqa 'Tuesday' drive || fail "plaintext on the drive"
