#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An upload during which the group's key changes is sealed anew under the newest key, by itself; where that happens again and again it gives up
# with status 5, and leaves nothing. No object ever stands in the ledger that was posted under an older epoch.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq

make_group alice bob
ok scg list -dir alice
head -c 60000000 /dev/urandom >big
epoch=1
[ -z "${TEST_WRAPPER:-}" ] || skip "a wrapped program cannot be stopped by its id"

# The object that the upload is writing: a file of the drive that is open and has no name yet.
writing() { find "/proc/$1/fd" -lname "$T/drive/*" -printf '%l\n' 2>/dev/null | grep -E '\(deleted\)$|/\.[^/]*$'; }

# meet [SEEN]: stops the upload once it writes another object than SEEN, changes the key, and lets it go on. Sets $object.
meet() {
	_up=$(pid up) _tries=2000
	while :; do
		object=$(writing "$_up" | head -n 1) || :
		if [ -n "$object" ] && [ "$object" != "${1:-}" ]; then
			kill -STOP "$_up"
			object=$(writing "$_up" | head -n 1) || :
			[ -z "$object" ] || break
			kill -CONT "$_up"
		fi
		[ -e "/proc/$_up/task/$_up/children" ] || fail "the upload was too fast to be met: $(cat up.log)"
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || fail "the upload writes nothing"
	done
	ok scg-gateway rotate -config gw/gateway.conf
	epoch=$((epoch + 1))
	kill -CONT "$_up"
}

# ends STATUS
ends() {
	_rc=0
	wait "$(pid up)" || _rc=$?
	[ $_rc -eq "$1" ] || fail "status $_rc where $1 is due: $(cat up.log)"
}

is_whole() {
	rm -f got
	ok scg download -dir bob "$1" -out got
	same got big
}

say "the key changes once: sealed anew"
start up scg upload -dir alice big
meet
ends 0
json ".[0].epoch == $epoch and .[0].version == 1 and length == 1" scg list -dir bob -json
is_whole big
[ "$(objects | wc -l)" -eq 1 ] || fail "what was sealed under the older key is left"

say "twice, with a replacement"
flip big 1000
start up scg upload -dir alice big
meet
meet "$object"
ends 0
json ".[0].epoch == $epoch and .[0].version == 2 and length == 1" scg list -dir bob -json
is_whole big
[ "$(objects | wc -l)" -eq 1 ] || fail "what was sealed under the older keys is left"

say "again and again: status 5, nothing is left, and the next run does it"
cp big kept
flip big 1001
rm -f up.log
start up scg upload -dir alice big
meet
meet "$object"
meet "$object"
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
