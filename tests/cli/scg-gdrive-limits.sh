#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What Google Drive does not give: no room, no answer, no sign-in; and a folder that has yet to be made.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/drive.sh"
. "$top_srcdir/tests/cli/gdlib.sh"

make_ca
drive_start
gd_gateway "gdrive:new:The lab"
make_member alice bob carol

say "who has not signed in is told how"
echo one >one
refuses 3 'scg login' scg upload -dir alice one
json '.drive == "gdrive:new:The lab" and (.drive_state | startswith("not made yet"))' scg status -dir alice -json
ok scg list -dir alice

say "the first member makes the folder, also when two are first; the loser's is gone"
drive_login alice
drive_login bob alice@example.org
drive_fault slow seconds=0.3 "kind=files.create"
start first scg upload -dir alice one
cp one two
ok scg upload -dir bob two
wait "$(pid first)" || fail "$(cat first.log)"
drive_calm
FOLDER=$(drive_dump '.files[] | select(.name == "The lab") | .id')
[ "$(printf '%s\n' "$FOLDER" | wc -l)" -eq 1 ] || fail "not one folder: $FOLDER"
json ".drive == \"gdrive:$FOLDER\" and .drive_state == \"reachable\"" scg status -dir alice -json
json 'length == 2' scg list -dir bob -json
ok scg download -dir bob one -out got
same got one
stop gw
gateway_up
moved
json ".drive == \"gdrive:$FOLDER\"" scg status -dir bob -json

say "an account to which the folder is not open"
drive_control '{"account": {"account": "carol@example.org"}}' >/dev/null
drive_login carol
refuses 5 'does not see it' scg download -dir carol one -out stolen
absent stolen

say "no room: at once, and nothing is left"
head -c 600000 /dev/urandom >big
drive_control '{"reset": {}}' >/dev/null
drive_fault storageQuotaExceeded "kind=upload.*"
refuses 1 '[Ff]ull|[Qq]uota|room' scg upload -dir alice big
[ "$(drive_stats '.requests["upload.resumable"] + .requests["upload.chunk"]')" -le 2 ] || fail "tried again: $(drive_stats .)"
refuses 1 '[Ff]ull|[Qq]uota|room' scg upload -dir alice -replace one
drive_calm
ok scg upload -dir alice big
[ "$(gd_objects)" -eq 3 ] || fail "$(gd_objects) objects"

say "tokens that end in the middle"
drive_fault expired every=4 times=6 "kind=files.*,upload.*"
head -c 700000 /dev/urandom >big
ok scg upload -dir alice -replace big
drive_calm
drive_fault expired times=4 "kind=files.*"
rm -f got
ok scg download -dir bob big -out got
same got big
drive_calm
say "tokens that are never accepted: an end, and what may help"
drive_fault expired "kind=files.*"
refuses 3 'scg login' scg download -dir bob big -out stolen
absent stolen
drive_calm

say "a grant that was taken back: one line that says what to do"
drive_control '{"expire": {"kind": "refresh", "account": "carol@example.org"}}' >/dev/null
drive_control '{"expire": {"account": "carol@example.org"}}' >/dev/null
refuses 3 'scg login' scg download -dir carol one -out stolen
absent stolen

say "a damaged object is damage, a missing one is one when it had time to appear"
id=$(drive_dump '[.files[] | select(.name | endswith(".cms"))] | sort_by(.revisions[0].size)[-1].id')
drive_control "{\"damage\": {\"file\": \"$id\", \"at\": 5000}}" >/dev/null
refuses 4 'big' scg download -dir bob big -out spoilt
absent spoilt
drive_control "{\"delete\": {\"file\": \"$id\"}}" >/dev/null
refuses 4 'missing' scg download -dir bob big -out spoilt
absent spoilt
echo 'settle = 600;' >>bob/scg.conf
refuses 5 'not settled' scg download -dir bob big -out spoilt
absent spoilt
ok scg remove -dir alice big

say "unreachable: status 5, and what needs no drive works"
stop gdrive KILL
if [ -n "${TEST_LONG:-}" ]; then
	start_s=$(date +%s)
	refuses 5 'reach|connect' scg download -dir bob one -out spoilt
	[ $(($(date +%s) - start_s)) -le 130 ] || fail "longer than two minutes"
	absent spoilt
fi
json 'length == 2' scg list -dir bob -json
ok scg rename -dir bob two three
ok scg ledger head -dir alice
refuses 5 'reach|connect' scg status -dir alice -json
jq -e '.gateway_state == "reachable" and .drive_state != "reachable"' .out >/dev/null || fail "$(cat .out)"
