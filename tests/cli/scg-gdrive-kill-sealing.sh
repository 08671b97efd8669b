#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A long file goes to Google Drive while it is still being sealed. Killed then, again and again, the next run goes on with the same object in the
# same session, and sends again at most one chunk; of a file, a key or a spool that is not what it was nothing is gone on with.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/drive.sh"
. "$top_srcdir/tests/cli/gdlib.sh"
[ -z "${TEST_WRAPPER:-}" ] || skip "a wrapped program cannot be killed by its id"
so=$top_builddir/tests/lib/fault.so preloaded=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
[ -e "$so" ] || skip "fault.so is not built"
[ -r /proc/sys/kernel/random/boot_id ] || skip "the kernel does not tell one boot from another"

gd_group alice bob
chunk=4194304
sed -i "s/chunk_bytes = 262144/chunk_bytes = $chunk/" alice/scg.conf
mkdir in
# 20 segments and a bit; what is shorter than 64 MiB is not sent before its end
size=$((20 * 4194304 + 1000))
truncate -s $size in/doc

sent() { drive_stats .bytes_uploaded; }
has_got() { [ "$(sent)" -ge "$1" ]; }
held() { [ -e mark ]; }
sessions() { drive_stats '.requests["upload.resumable"] // 0'; }
record() { echo alice/spool/*.rec; }
has_record() { [ -e "$(record)" ]; }

# die N BYTES: an upload that is killed when it is about to write the Nth long piece, and the drive has so many bytes
die() {
	rm -f mark
	start up env FAULT="hold:$1" FAULT_MARK="$T/mark" LD_PRELOAD="$so" ASAN_OPTIONS="$preloaded" scg upload -dir alice in/doc
	within 60 held
	within 60 has_record
	within 60 has_got "$2"
	stop up KILL
	grep -qx 'scg-sealing 1' "$(record)" || fail "no record of what was being sealed"
	[ "$(stat -c %a "$(record)")" = 600 ] || fail "the record's mode"
	[ "$(gd_objects)" -eq "$objects" ] || fail "something has a name before it is whole"
}

object() { scg list -dir bob -json | jq -er '.[] | select(.name == "doc").object'; }
recorded() { sed -n 's/^object \([a-z2-7]*\) .*/\1/p' "$(record)"; }
opens() {
	rm -f got
	ok scg download -dir bob doc -out got
	cmp -s got in/doc || fail "doc opens as something else"
	[ -z "$(ls alice/spool)" ] || fail "the spool is not empty"
	[ "$(gd_objects)" -eq 1 ] || fail "$(gd_objects) objects"
}

say "killed while it is sealed and sent, twice"
objects=0
drive_control '{"reset": {}}' >/dev/null
# 18 segments are there: as many chunks have gone out
die 19 $((18 * chunk))
id=$(recorded)
cp alice/spool/*.cms first
# one more segment, and again
die 2 $((19 * chunk))
[ "$(recorded)" = "$id" ] || fail "another object"
cmp -s -n "$(stat -c %s first)" first alice/spool/*.cms || fail "what was sent is sealed otherwise now"
ok scg upload -dir alice in/doc
[ "$(object)" = "$id" ] || fail "another object was made"
[ "$(sent)" -le $((size + chunk + 20000)) ] || fail "sent $(sent) bytes for $size"
[ "$(sessions)" -eq 1 ] || fail "$(sessions) sessions: $(drive_stats .)"
opens

# differs: what the next upload seals is under another key than what was left
differs() {
	id=$(recorded)
	head -c 200 alice/spool/*.cms >was
	drive_control '{"reset": {}}' >/dev/null
	"$@"
	ok scg upload -dir alice in/doc
	[ "$(object)" != "$id" ] || fail "$1: the same object"
	[ "$(sessions)" -eq 1 ] || fail "$1: $(sessions) sessions"
	for blob in $(gd_blobs); do
		! head -c 200 "$blob" | cmp -s - was || fail "$1: the same key"
	done
	opens
}

touched() { touch in/doc; }
rotated() { ok scg-gateway rotate -config gw/gateway.conf; }
flipped() { flip "$(echo alice/spool/*.cms)" 70000; }

objects=1 size=$((3 * 4194304))
for change in touched rotated flipped; do
	say "$change meanwhile"
	head -c $size /dev/urandom >in/doc
	die 2 0
	differs $change
done
