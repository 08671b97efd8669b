#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The drive, the member's folder, or the gateway's, on a small disk that is full: each command says so in a line and ends with 1 (5 where the
# gateway cannot store), each name opens as before or as after, and with room again the same command goes through.
set -eu
if [ "${IN_NAMESPACE:-}" != yes ]; then
	unshare -rm true 2>/dev/null || {
		echo "SKIP: no namespace to mount a small disk in"
		exit 77
	}
	IN_NAMESPACE=yes exec unshare -rm /bin/sh "$0" "$@"
fi
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq
mkdir drive alice gw
disk() { mount -t tmpfs -o "size=$2,mode=700" small "$1" 2>/dev/null || skip "a small disk cannot be mounted"; }
trap 'umount -l "$T/drive" "$T/alice" "$T/gw" 2>/dev/null; _finish' EXIT
disk drive 1600k
disk alice 2m
disk gw 3m

# fill DIR [BLOCKS]: until nothing fits any more, or, with BLOCKS, until so many blocks of 4 KiB are left
fill() {
	dd if=/dev/zero of="$1/.filler" bs=4096 2>/dev/null || :
	[ $# -eq 1 ] || truncate -s -$(($2 * 4096)) "$1/.filler"
}
free() { rm -f "$1/.filler"; }

make_group alice bob
mkdir in
for f in one two three; do head -c 100000 /dev/urandom >in/$f; done
ok scg upload -dir alice in/one in/two in/three
head -c 100000 /dev/urandom >in/new
head -c 600000 /dev/urandom >in/large

whole() {
	for f in one two three; do
		rm -f got
		ok scg download -dir bob $f -out got
		same got in/$f
	done
}

# hits CMD...: 0, or 1 or 5 with a line that names the disk; the status is in $rc
hits() {
	rc=0
	"$@" >.out 2>.err </dev/null || rc=$?
	case $rc in
	0) return 0 ;;
	1 | 5) ;;
	*) fail "status $rc: $*: $(cat .err)" ;;
	esac
	grep -Eq 'No space left|full|not-stored|disk' .err || fail "not said why: $*: $(cat .err)"
	[ "$(grep -c '^scg: ' .err)" -ge 1 ] || fail "nothing said: $*"
}

say "the drive is full: upload"
fill drive
hits scg upload -dir alice in/new
[ $rc -eq 1 ] || fail "status $rc"
json 'length == 3' scg list -dir bob -json
cp in/one kept && cp in/new in/one
hits scg upload -dir alice in/one
[ $rc -eq 1 ] || fail "status $rc"
cp kept in/one
whole
[ "$(objects | wc -l)" -eq 3 ] || fail "half an object is on the drive"
free drive

say "room for a part of it"
for left in 1 10 60 140; do
	fill drive $left
	hits scg upload -dir alice in/large
	[ $rc -eq 1 ] || fail "600 kB in $left blocks: status $rc"
	free drive
done
[ -z "$(find drive -type f ! -name '*.cms')" ] || fail "a temporary file is left"
json 'length == 3' scg list -dir bob -json

say "the drive is full: rekey"
ok scg-gateway rotate -config gw/gateway.conf
fill drive 30
hits scg rekey -dir alice
[ $rc -eq 1 ] || fail "status $rc"
whole
free drive
fill drive 80
hits scg rekey -dir alice
whole
free drive
ok scg rekey -dir alice
whole
json 'all(.[]; .epoch == 2)' scg list -dir bob -json
[ "$(objects | wc -l)" -eq 3 ] || fail "objects are left: $(objects | wc -l)"
json '.failed == 0 and .injected == 0 and .orphans == 0' scg verify -dir bob -json

say "the member's folder is full"
refused=0
for left in 0 1 2 4 8 16; do
	fill alice $left
	head -c 100000 /dev/urandom >in/next
	cp in/one kept && cp in/next in/one
	for what in "list -dir alice" "keys -dir alice" "status -dir alice" "download -dir alice two -out got" "upload -dir alice in/one" \
	    "rekey -dir alice"; do
		# shellcheck disable=SC2086 # words
		hits scg $what
		[ $rc -eq 0 ] || refused=$((refused + 1))
		case $what in download*) [ $rc -eq 0 ] || absent got ;; esac
		rm -f got
	done
	# what the gateway took is so, though the member could not write it down
	ok scg download -dir bob one -out got
	if cmp -s got kept; then cp kept in/one; else same got in/one; fi
	whole
	free alice
	ok scg list -dir alice
	ok scg upload -dir alice in/one
	whole
	json '.good' scg ledger audit -dir alice -json
done
[ $refused -gt 6 ] || fail "it was not full: $refused"
[ -z "$(find alice -name '.scg-*')" ] || fail "a temporary file is left"
json 'length == 3' scg list -dir bob -json
ok scg rekey -dir alice
ok scg gc -dir alice -older 0

say "the gateway's folder is full: no event is half taken, members go on reading"
fill gw
refused=0
for _ in $(seq 40); do
	cp in/one kept
	head -c 10000 /dev/urandom >in/one
	hits scg upload -dir alice in/one
	[ $rc -eq 0 ] || { cp kept in/one && refused=$((refused + 1)); }
	[ $refused -lt 2 ] || break
done
[ $refused -eq 2 ] || fail "it was not full"
[ $rc -eq 5 ] || fail "status $rc where 5 is due: $(cat .err)"
refuses 5 'stor' scg rename -dir alice two second
refuses 5 'stor' scg remove -dir alice two
whole
ok scg list -dir bob
free gw
ok scg upload -dir alice in/one
ok scg rename -dir alice two second
ok scg rename -dir alice second two
whole
stop gw
gateway_up gw
moved
whole
for who in alice bob; do json '.good' scg ledger audit -dir $who -json; done
ok scg gc -dir alice -older 0
json '.failed == 0 and .injected == 0 and .orphans == 0 and .files == 3' scg verify -dir bob -json
[ "$(objects | wc -l)" -eq 3 ] || fail "objects are left"

say "a limit on the size of files, instead of a full disk"
limited() { (ulimit -f "$1" && shift && exec "$@"); }
refuses 1 'large' limited 200 scg upload -dir alice in/large
rm -f got
refuses 1 'large' limited 40 scg download -dir bob two -out got
absent got
whole
make_member carol
refuses 1 'large|full|disk' limited 4 scg list -dir carol
ok scg list -dir carol
