#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Google Drive fails in each of its ways, every n-th time: all files end right, none double, no request comes before the drive's Retry-After is
# over, and not much more is sent than there is.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/drive.sh"
. "$top_srcdir/tests/cli/gdlib.sh"

gd_group alice bob
mkdir in
for i in 1 2 3; do head -c $((i * 1000)) /dev/urandom >in/small$i; done
head -c 900000 /dev/urandom >in/long
files=4

# round NAME: all goes up as new versions and comes down
round() {
	drive_control '{"reset": {}}' >/dev/null
	for _f in in/*; do printf x >>"$_f"; done
	_size=$(cat in/* | wc -c)
	ok scg upload -dir alice -r -replace -j 4 in
	rm -rf got
	mkdir got
	ok scg download -dir bob -r -j 4 in -out got
	for _f in in/*; do same "$_f" "got/$_f"; done
	_wrong=$(drive_stats '[.faults[]?] | add // 0')
	[ "$_wrong" -gt 0 ] || fail "$1: nothing went wrong"
	[ "$(drive_stats '.early_retries | length')" -eq 0 ] || fail "$1: a request came too early: $(drive_stats .)"
	_sent=$(drive_stats .bytes_uploaded)
	# envelopes are longer than what is in them; each fault may cost a chunk, but those that are answers only the first one of each of the four workers
	case $1 in
	[45]??' '* | *LimitExceeded* | unauthorized*) _cost=4 ;;
	*) _cost=$_wrong ;;
	esac
	[ "$_sent" -le $((_size * 11 / 10 + files * 3000 + _cost * 262144 + ${2:-0})) ] || fail "$1: sent $_sent bytes for $_size: $(drive_stats .)"
	drive_calm
	[ "$(drive_dump '.doubles | length')" -eq 0 ] || fail "$1: doubles"
	[ "$(gd_objects)" -eq $files ] || fail "$1: $(gd_objects) objects"
}

# each FAULT N...
each() {
	_fault_name=$1
	shift
	for n; do
		_times=
		[ "$n" -ne 1 ] || _times=times=5 # for ever is no bad day but the end
		# shellcheck disable=SC2086 # none or one
		drive_fault "$_fault_name" every=$n retry_after=0 "kind=files.*,upload.*" $_times
		round "$_fault_name every $n"
	done
}

say "answers that ask for patience, connections that break"
if [ -n "${TEST_LONG:-}" ]; then
	i=4
	while [ $i -le 49 ]; do
		head -c $((i * 1000)) /dev/urandom >in/small$i
		i=$((i + 1))
		files=$((files + 1))
	done
	for fault in 429 500 502 503 504 rateLimitExceeded userRateLimitExceeded reset_before lost_reply reset_mid reset_after truncated html garbage unauthorized; do
		each $fault 1 2 3 4 5 6 7
	done
else
	each 429 1
	each 503 3
	each userRateLimitExceeded 2
	each reset_before 4
	each lost_reply 5
	each reset_mid 3
	each truncated 2
	each html 3
fi
drive_fault 503 every=5 retry_after=1 times=2 "kind=upload.*"
round "503 with Retry-After"

say "a good token that is not accepted, in step with its renewals"
printf x >>in/small1
drive_control '{"reset": {}}' >/dev/null
drive_fault unauthorized every=2 "kind=files.*,upload.*,oauth.token"
ok scg upload -dir alice -replace -to in in/small1
drive_calm
drive_fault unauthorized every=2 "kind=files.*,upload.*,oauth.token"
ok scg download -dir bob in/small1 -out small1
drive_calm
same small1 in/small1

say "who says when to come again is left alone until then by all workers"
few=40 # of 150: seven are under way, and some begin before the thread that was told so is given a processor
mkdir many
i=0
while [ $i -lt 150 ]; do
	echo $i >many/f$i
	i=$((i + 1))
done
files=$((files + 150))
for fault in 429 503; do
	drive_control '{"reset": {}}' >/dev/null
	drive_fault $fault skip=9 times=1 retry_after=1
	ok scg upload -dir alice -r -replace -j 8 many
	[ "$(drive_stats ".faults[\"$fault\"]")" -eq 1 ] || fail "$fault: nobody was asked for patience"
	[ "$(drive_stats '.early_requests | length')" -le $few ] || fail "$fault: too early: $(drive_stats .)"
	drive_calm
	for _f in many/*; do echo $fault >>"$_f"; done
done
rm -rf got
mkdir got
drive_control '{"reset": {}}' >/dev/null
drive_fault userRateLimitExceeded skip=9 times=1 retry_after=1
ok scg download -dir bob -r -j 8 many -out got
[ "$(drive_stats '.early_requests | length')" -le $few ] || fail "download: too early: $(drive_stats .)"
drive_calm
[ "$(drive_dump '.doubles | length')" -eq 0 ] || fail "doubles"
[ "$(gd_objects)" -eq $files ] || fail "$(gd_objects) objects"

say "bytes that change on the way: noticed by their checksum, and the object is made anew"
drive_fault corrupt_upload every=3 times=2 "kind=upload.*"
round "corrupt_upload" 2000000
head -c 6000000 /dev/urandom >streamed
drive_fault corrupt_upload skip=3 times=1 kind=upload.chunk
ok scg upload -dir alice -no-spool streamed
drive_calm
ok scg download -dir bob streamed -out streamed.got
same streamed streamed.got
json '.failed == 0 and .orphans == 0 and .injected == 0' scg verify -dir bob -json

say "what nobody has named yet, in a reply that is garbled: read again, and nobody is accused"
objects=$(gd_objects)
drive_fault hold_reply times=1 kind=upload.multipart
echo stray >stray
start stray scg upload -dir alice stray
tries=0
while [ "$(gd_objects)" -eq "$objects" ]; do
	tries=$((tries + 1))
	[ $tries -lt 1200 ] || fail "it does not come to the drive"
	sleep 0.05
done
stop stray KILL
drive_calm
drive_fault corrupted times=1 "skip=$(scg list -dir bob -json | jq length)" kind=files.media
json '.failed == 0 and .orphans == 1 and .injected == 0' scg verify -dir bob -json
[ "$(drive_stats '.faults.corrupted')" -eq 1 ] || fail "nothing was garbled"
drive_calm

say "a reply that is garbled each second time"
drive_fault corrupted every=2 kind=files.media
rm -rf got
mkdir got
ok scg download -dir bob -r -j 4 in -out got
drive_calm
for _f in in/*; do same "$_f" "got/$_f"; done

say "a drive that lies is still found out"
drive_fault corrupted kind=files.media
refuses 4 'in/small1' scg download -dir bob in/small1 -out spoilt
absent spoilt
drive_calm
drive_fault corrupted "skip=$(scg list -dir bob -json | jq length)" kind=files.media
refuses 4 '1 objects on the drive were put there by nobody' scg verify -dir bob
