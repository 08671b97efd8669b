#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Many commands by several members, in an order that was drawn once, and after each of them the group is what a model of it says.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need python3

make_group alice bob carol

say "uploads, downloads, renames, removals, new epochs and a drive that lies"
ok python3 "$top_srcdir/tests/cli/model.py" 4711 40
cat .out

say "killed, the gateway has it all again"
stop "$GW" KILL
gateway_up
moved
ok python3 "$top_srcdir/tests/cli/model.py" 4712 15 state
cat .out

say "in the end nothing is left over"
ok scg rekey -dir alice
ok scg gc -dir bob -older 0
ok scg verify -dir carol -old
[ "$(objects | wc -l)" -eq "$(scg list -dir alice -json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" ] || fail "objects that no file has"
[ -z "$(find drive -type f ! -name '*.cms')" ] || fail "a temporary file is on the drive"
