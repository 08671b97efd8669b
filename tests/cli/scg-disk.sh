#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A disk that is full, fails or may not be written at any moment: non-zero with a clear line, and every name opens as before or as after.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq

make_group alice bob
# the leak checker is a tracer itself and cannot run under another one
untraced=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
mkdir in
head -c 40000 /dev/urandom >in/doc
cp in/doc before
ok scg upload -dir alice in/doc

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

# fails N CMD...: the status must be one of a failure that is told in one line
said() {
	case $1 in
	1 | 5) ;;
	*) fail "status $1: $(cat at.log)" ;;
	esac
	[ "$(grep -c '^scg: ' at.log)" -ge 1 ] || fail "nothing was said: $(cat at.log)"
}

say "no room for what is written"
head -c 3000000 /dev/urandom >in/large
rc=0
(ulimit -f 2000; trap '' XFSZ; scg upload -dir alice in/large) >.out 2>at.log || rc=$?
said $rc
json 'length == 1' scg list -dir bob -json
[ "$(objects | wc -l)" -eq 1 ] || fail "a half-written object is on the drive"
ok scg upload -dir alice in/large
rc=0
(ulimit -f 2000; trap '' XFSZ; scg download -dir bob large -out large) >.out 2>at.log || rc=$?
said $rc
absent large
[ -z "$(find . -name '.scg-*')" ] || fail "a temporary file is left"

if command -v strace >/dev/null && strace -qq -o .trace -e trace=fsync true 2>/dev/null; then
	# at CALL N CMD...: the Nth such system call of a thread fails
	at() {
		_inject=$1:error=$2:when=$3 _call=$1
		shift 3
		ASAN_OPTIONS=$untraced strace -f -qq -o .trace -e trace="$_call" -e inject="$_inject" "$@" >at.log 2>&1 </dev/null
	}

	say "each write of an upload fails"
	tries=0
	for call in pwrite64 write fsync fdatasync linkat; do
		n=1
		while :; do
			head -c 40000 /dev/urandom >in/doc
			rc=0
			at $call ENOSPC $n scg upload -dir alice in/doc || rc=$?
			if ! grep -q INJECTED .trace; then
				cp in/doc before
				break
			fi
			tries=$((tries + 1))
			# the last line of an upload that went well could not be shown
			[ $rc -eq 0 ] || [ $call = write ] || said $rc
			opens_as doc before in/doc
			ok scg upload -dir alice in/doc
			opens_as doc in/doc in/doc
			cp in/doc before
			n=$((n + 3))
		done
	done
	say "($tries times)"
	[ $tries -gt 8 ] || fail "only $tries writes were seen"
	json 'length == 2' scg list -dir bob -json
	ok scg gc -dir alice -older 0
	[ "$(objects | wc -l)" -eq 2 ] || fail "orphans are left"

	say "each write of a download fails"
	for call in pwrite64 write fsync linkat; do
		n=1
		while :; do
			rm -f got
			echo old >named
			rc=0
			at $call EIO $n scg download -dir bob doc -out named || rc=$?
			if ! grep -q INJECTED .trace; then break; fi
			if [ $rc -ne 0 ]; then
				[ $call = write ] || said $rc
				cmp -s named in/doc || has named '^old$'
			else
				same named in/doc
			fi
			n=$((n + 1))
		done
	done
	[ -z "$(find . -maxdepth 1 -name '.scg-*')" ] || fail "a temporary file is left"
	ok scg download -dir bob doc -out named
	same named in/doc
fi

say "folders that may not be written"
as() { scg "$@"; }
if [ "$(id -u)" -eq 0 ]; then
	command -v setpriv >/dev/null || exit 0
	as() { setpriv --reuid 65534 --regid 65534 --clear-groups "$(readlink .bin/scg)" "$@"; }
	chmod 755 "$T"
	chmod -R go+rX drive in
	chown -R 65534:65534 alice bob
	as keys -dir alice >.out 2>.err || skip "nobody may not run the program here"
	chown -R 65534:65534 drive
fi
# all by the same user from here on: what one of them writes is for no other
chmod -R a-w drive
refuses 1 'ermission denied' as upload -dir alice in/large -to x
json 'length == 2' as list -dir bob -json
refuses 1 'ermission denied' as download -dir bob doc -out /nobody
mkdir -m 555 closed
refuses 1 'ermission denied' as download -dir bob doc -out closed
refuses 1 'ermission denied' as encrypt -dir bob -in in/doc -out closed/x
absent closed/doc closed/x
# removed by the ledger, but its object is not ours to destroy: said, and left to gc
ok as remove -dir bob doc
has .err 'still on the drive'
json 'length == 1' as list -dir bob -json
chmod -R u+w drive
ok as gc -dir alice
[ "$(objects | wc -l)" -eq 1 ] || fail "gc left it"
chmod a-w alice
refuses 1 'ermission denied|readonly|read-only' as keys -dir alice
chmod u+w alice
ok as keys -dir alice

say "a drive that is not there: try again, and it is not made"
mv drive unmounted
refuses 5 'drive' scg download -dir bob large -out got2
refuses 5 'drive' scg upload -dir alice in/doc -to y
absent drive got2
mv unmounted drive
ok scg download -dir bob large -out got2
same in/large got2
