#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Killed at any step, an upload and a re-encryption lose nothing: each name opens as before or as after, and the next run ends it.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq strace

make_group alice bob
# the leak checker is a tracer itself and cannot run under another one
untraced=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
strace -qq -o .trace -e trace=fsync -e inject=fsync:signal=KILL:when=99 true 2>/dev/null || skip "strace may not trace here"

# What leaves a trace outside the process: the disk and the network.
steps='fsync fdatasync linkat unlinkat rename sendto pwrite64'

# at CALL N CMD...: killed when a thread is about to make this system call for the Nth time; true if it came to its end before that
at() {
	_call=$1 _n=$2
	shift 2
	ASAN_OPTIONS=$untraced strace -f -qq -o .trace -e trace="$_call" -e inject="$_call:signal=KILL:when=$_n" "$@" >at.log 2>&1 </dev/null
}

# next STRIDE: pwrite64 is called for each page of the mirror, and not every one of them is tried
next() { if [ "$call" = pwrite64 ]; then n=$((n + 7)); else n=$((n + $1)); fi }

opens_as() {
	rm -f got
	ok scg download -dir bob "$1" -out got
	for _as in "$2" "$3"; do
		if cmp -s got "$_as"; then
			return 0
		fi
	done
	fail "$1 opens as something that was never uploaded"
}

say "an upload, killed at each of its steps"
mkdir in
head -c 70000 /dev/urandom >in/doc
cp in/doc before
ok scg upload -dir alice in/doc
kills=0
for call in $steps; do
	n=1
	while :; do
		head -c 70000 /dev/urandom >in/doc
		if at "$call" $n scg upload -dir alice in/doc; then
			cp in/doc before
			break
		fi
		kills=$((kills + 1))
		opens_as doc before in/doc
		# the same command again: no conflict with oneself, whether the gateway had taken the event or not
		ok scg upload -dir alice in/doc
		opens_as doc in/doc in/doc
		cp in/doc before
		next 1
		[ $n -lt 300 ] || fail "an upload does not $call 300 times"
	done
done
say "($kills times)"
[ $kills -gt 20 ] || fail "killed only $kills times: $(cat at.log)"
[ "$(scg list -dir bob -json 2>/dev/null | jq length)" -eq 1 ] || fail "a conflict with oneself"
ok scg gc -dir alice -older 0
[ "$(objects | wc -l)" -eq 1 ] || fail "orphans are left"
[ -z "$(find drive -name '.scg-*')" ] || fail "a half-written file is left"

say "a re-encryption, killed at every other one of its steps"
for f in 1 2 3; do
	head -c 30000 /dev/urandom >in/f$f
done
ok scg upload -dir alice in/f1 in/f2 in/f3
kills=0
for call in $steps; do
	n=1
	while :; do
		ok scg-gateway rotate -config gw/gateway.conf
		if at "$call" $n scg rekey -dir bob; then break; fi
		kills=$((kills + 1))
		if [ $((kills % 5)) -eq 0 ]; then
			for f in f1 f2 f3 doc; do
				opens_as $f in/$f in/$f
			done
		fi
		next 2
		[ $n -lt 300 ] || fail "a re-encryption does not $call 300 times"
	done
done
say "($kills times)"
[ $kills -gt 15 ] || fail "killed only $kills times: $(cat at.log)"
ok scg rekey -dir bob
json ".failed == 0 and .rekeyed == 0" scg rekey -dir bob -json
[ "$(objects | wc -l)" -eq 4 ] || fail "the second run does not destroy what the first left"
json '.old == 0 and .failed == 0 and .injected == 0' scg verify -dir bob -json -old
ok scg gc -dir bob -older 0
[ "$(objects | wc -l)" -eq 4 ] || fail "orphans are left"
for f in f1 f2 f3 doc; do
	rm -f got
	ok scg download -dir alice "$f" -out got
	same got "in/$f"
done

say "a file that replaces another, killed while it has another name"
mkdir out
sealed=sealed.cms
cp "$(objects | head -n 1)" $sealed
ok scg decrypt -dir bob -in "$sealed" -out plain
cp -r bob away
sed -i 's,https://[^"]*,https://127.0.0.1:1,' away/scg.conf
leave_plaintext() {
	cp in/f2 out/f1
	# without the gateway this is the one name that is given, by whatever thread: strace counts them each
	if at rename 1 scg decrypt -dir away -stale-ok -in "$sealed" -out out/f1; then fail "it did not put one file over the other"; fi
	same out/f1 in/f2
	[ "$(find out -name '.scg-*.tmp' | wc -l)" -eq 1 ] || fail "it was not killed in that moment: $(cat at.log)"
	# where locks may be another machine's the age counts
	find out -name '.scg-*.tmp' -exec touch -d '2 minutes ago' {} +
}
leave_plaintext
ok scg download -dir bob f1 -out out/f2
[ -z "$(find out -name '.scg-*.tmp')" ] || fail "plaintext is left: $(find out)"
same out/f2 in/f1
leave_plaintext
ok scg decrypt -dir bob -in "$sealed" -out out/f1
[ -z "$(find out -name '.scg-*.tmp')" ] || fail "plaintext is left: $(find out)"
same out/f1 plain

say "uploads killed at random moments, several files at once"
for i in 1 2 3 4 5 6 7 8 9 10; do
	head -c 3000000 /dev/urandom >in/f1
	head -c 9000000 /dev/urandom >in/f2
	scg upload -dir alice -j 2 in/f1 in/f2 >at.log 2>&1 &
	victim=$!
	sleep "0.$(printf '%02d' $((i * 3)))"
	kill -9 $victim 2>/dev/null || :
	wait $victim 2>/dev/null || :
	ok scg list -dir bob
done
ok scg upload -dir alice in/f1 in/f2
opens_as f1 in/f1 in/f1
opens_as f2 in/f2 in/f2
json 'length == 4' scg list -dir bob -json
ok scg gc -dir alice -older 0
[ "$(objects | wc -l)" -eq 4 ] || fail "orphans are left"
