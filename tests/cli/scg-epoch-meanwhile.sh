#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An upload during which the group's key changes is sealed anew under the newest key, by itself; where that happens again and again it gives up
# with status 5, and leaves nothing. No object ever stands in the ledger that was posted under an older epoch.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq

make_group alice bob
ok scg list -dir alice
head -c 6000000 /dev/urandom >big
epoch=1
[ -z "${TEST_WRAPPER:-}" ] || skip "a wrapped program cannot be stopped by its id"
so=$top_builddir/tests/lib/fault.so preloaded=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
[ -e "$so" ] || skip "fault.so is not built"

# up FILE: an upload in the background that stops itself before each file gets its name
up() {
	rm -f up.log
	start up env FAULT=stop LD_PRELOAD="$so" ASAN_OPTIONS="$preloaded" scg upload -dir alice "$1"
}

# The object that the upload has written: a file of the drive that is open and has no name yet.
written() { find "/proc/$(pid up)/fd" -lname "$T/drive/*" -printf '%l\n' 2>/dev/null | grep -E '\(deleted\)$|/\.[^/]*$'; }

state() {
	state=gone
	{ read -r _ _ state _ <"/proc/$(pid up)/stat"; } 2>/dev/null || :
}

# go_on: lets the upload run to its next stop or its end
go_on() {
	kill -CONT "$(pid up)"
	to_stop
}
to_stop() {
	_tries=1200
	state
	while [ "$state" != T ] && [ "$state" != Z ] && [ "$state" != gone ]; do
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || fail "the upload hangs"
		sleep 0.05
		state
	done
}

# meet: changes the key when the upload has written an object and not posted it
meet() {
	to_stop
	while [ "$state" = T ] && [ -z "$(written)" ]; do go_on; done
	[ "$state" = T ] || fail "the upload was not met: $(cat up.log)"
	ok scg-gateway rotate -config gw/gateway.conf
	epoch=$((epoch + 1))
	go_on
}

# ends STATUS
ends() {
	_rc=0
	while [ "$state" = T ]; do go_on; done
	wait "$(pid up)" || _rc=$?
	[ $_rc -eq "$1" ] || fail "status $_rc where $1 is due: $(cat up.log)"
}

is_whole() {
	rm -f got
	ok scg download -dir bob "$1" -out got
	same got big
}

say "the key changes once: sealed anew"
up big
meet
ends 0
json ".[0].epoch == $epoch and .[0].version == 1 and length == 1" scg list -dir bob -json
is_whole big
[ "$(objects | wc -l)" -eq 1 ] || fail "what was sealed under the older key is left"

say "twice, with a replacement"
flip big 1000
up big
meet
meet
ends 0
json ".[0].epoch == $epoch and .[0].version == 2 and length == 1" scg list -dir bob -json
is_whole big
[ "$(objects | wc -l)" -eq 1 ] || fail "what was sealed under the older keys is left"

say "again and again: status 5, nothing is left, and the next run does it"
cp big kept
flip big 1001
rm -f up.log
up big
meet
meet
meet
ends 5
has up.log 'key changed'
json '.[0].version == 2 and length == 1' scg list -dir bob -json
[ "$(objects | wc -l)" -eq 1 ] || fail "what was sealed in vain is left"
mv big newer && cp kept big
is_whole big
mv newer big
ok scg upload -dir alice big
json ".[0].epoch == $epoch and .[0].version == 3" scg list -dir bob -json
is_whole big

say "a key that changes while ten uploads run: each of them succeeds, under the epoch of its event"
for k in 1 2 3 4 5 6 7 8 9 10; do
	head -c 200000 /dev/urandom >f$k
	start up-$k scg upload -dir alice f$k
	[ $((k % 4)) -ne 0 ] || ok scg-gateway rotate -config gw/gateway.conf
done
for k in 1 2 3 4 5 6 7 8 9 10; do wait "$(pid up-$k)" || fail "up-$k: $(cat up-$k.log)"; done
json '.failed == 0 and .injected == 0 and .orphans == 0 and .files == 11' scg verify -dir bob -json
json '.good' scg ledger audit -dir bob -json
