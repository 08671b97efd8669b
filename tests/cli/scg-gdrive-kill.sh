#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Killed at any moment, an upload to Google Drive loses nothing: the name opens as before or as after; the next run of the same command ends it,
# goes on with the same object and sends at most one chunk again; gc leaves no orphan.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/drive.sh"
. "$top_srcdir/tests/cli/gdlib.sh"
[ -z "${TEST_WRAPPER:-}" ] || skip "a wrapped program cannot be killed by its id"

gd_group alice bob
chunk=262144 size=1100000
mkdir in
head -c $size /dev/urandom >in/doc
cp in/doc before
ok scg upload -dir alice in/doc

opens_as() {
	rm -f got
	ok scg download -dir bob doc -out got
	for _as; do
		if cmp -s got "$_as"; then
			return 0
		fi
	done
	fail "doc opens as something that was never uploaded"
}

runs() { [ "$(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null)" != Z ] && kill -0 "$1" 2>/dev/null; }

# upto N: waits until the drive has seen so many requests, or the upload has ended
upto() {
	while runs "$victim" && [ "$(drive_stats .total)" -lt "$1" ]; do :; done
}

# kill_after CMD...: an upload that is killed when this returns
kill_after() {
	scg upload -dir alice in/doc >up.log 2>&1 </dev/null &
	victim=$!
	"$@"
	kill -9 $victim 2>/dev/null || :
	killed=true
	! wait $victim 2>/dev/null || killed=false
}

ends_it() {
	opens_as before in/doc
	# killed when all was done, and before it could say so
	if [ -z "$(ls alice/spool/*.rec 2>/dev/null)" ] && cmp -s got in/doc; then killed=false; fi
	ok scg upload -dir alice in/doc
	_sent=$(drive_stats .bytes_uploaded)
	# the envelope has a few thousand bytes more than the file
	[ "$_sent" -le $((size + chunk + 10000)) ] || ! $killed || fail "$1: sent $_sent bytes for $size: $(cat up.log; drive_stats .)"
	opens_as in/doc
	cp in/doc before
	[ -z "$(ls alice/spool)" ] || fail "$1: the spool is not empty"
	[ "$(drive_dump '.doubles | length')" -eq 0 ] || fail "$1: doubles"
}

change() {
	flip in/doc "$1"
	drive_control '{"reset": {}}' >/dev/null
}

say "killed after each of its requests"
requests=0 cut=0
while [ $requests -lt 15 ]; do
	requests=$((requests + 1))
	change $requests
	# by turns before and after it was acted upon
	if [ $((requests % 2)) -eq 1 ]; then held=hold; else held=hold_reply; fi
	drive_fault $held skip=$((requests - 1)) times=1
	kill_after upto $requests
	drive_calm
	[ -z "$(ls alice/spool/*.rec 2>/dev/null)" ] || cut=$((cut + 1))
	ends_it "request $requests"
done
say "($cut times with something in the spool)"
[ $cut -ge 6 ] || fail "nothing was left to go on with"

if [ -n "${TEST_LONG:-}" ]; then
	say "killed at random moments"
	i=0
	while [ $i -lt 50 ]; do
		i=$((i + 1))
		change $((100 + i))
		kill_after sleep "0.$(od -An -N2 -tu2 /dev/urandom | awk '{ printf "%03d", $1 % 400 }')"
		ends_it "moment $i"
	done
fi

say "what was left of them is collected"
json 'length == 1' scg list -dir bob -json
ok scg gc -dir alice -older 0
[ "$(gd_objects)" -eq 1 ] || fail "$(gd_objects) objects"

# leave: an upload that is killed with something in the spool
leave() {
	drive_control '{"reset": {}}' >/dev/null
	drive_fault hold skip=6 times=1
	kill_after upto 7
	drive_calm
	$killed || fail "the upload was too fast to be killed"
	present alice/spool/*.rec
	[ "$(stat -c %a alice/spool alice/spool/*.rec alice/spool/*.cms | tr '\n' ' ')" = "700 600 600 " ] || fail "the spool's modes"
}

say "a file that changed since is sealed anew"
change 300
leave
change 301
ends_it "changed"
[ "$(drive_stats .bytes_uploaded)" -gt $size ] || fail "another file was taken for this one"

say "so it is under a new key, and where the record is damaged"
change 302
leave
ok scg-gateway rotate -config gw/gateway.conf
drive_control '{"reset": {}}' >/dev/null
ends_it "new key"
json '.[0].epoch == 2' scg list -dir bob -json
change 303
leave
sed -i 's/^time ./time 9/' alice/spool/*.rec
drive_control '{"reset": {}}' >/dev/null
ends_it "damaged record"
change 304
leave
flip "$(ls alice/spool/*.cms)" 70000
drive_control '{"reset": {}}' >/dev/null
ends_it "damaged spool"

say "an upload whose event is in the ledger is only cleared away"
change 305
leave
cp -r alice/spool kept
ok scg upload -dir alice in/doc
cp -p kept/* alice/spool/
drive_control '{"reset": {}}' >/dev/null
ok scg upload -dir alice in/doc
has .err 'uploaded before'
[ "$(drive_stats .bytes_uploaded)" -eq 0 ] || fail "it was sent again"
json 'length == 1' scg list -dir bob -json
opens_as in/doc
ok scg gc -dir alice -older 0
[ "$(gd_objects)" -eq 1 ] || fail "$(gd_objects) objects"
[ -z "$(ls alice/spool)" ] || fail "the spool is not empty"

spooled() { [ -n "$(ls alice/spool)" ]; }

say "two at once to one name: no conflict with oneself"
change 306
drive_fault hold times=1 kind=upload.chunk
start first scg upload -dir alice in/doc
within 60 spooled
start second scg upload -dir alice in/doc
within 60 grep -q 'waiting for it' second.log
drive_calm
for one in first second; do wait "$(pid $one)" || fail "the $one upload failed: $(cat $one.log)"; done
opens_as in/doc
json 'length == 1' scg list -dir bob -json
[ "$(gd_objects)" -eq 1 ] || fail "$(gd_objects) objects"
