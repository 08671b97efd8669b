#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A group on Google Drive: what one member puts there another gets, in few requests, and neither contents nor names ever reach the drive.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/drive.sh"
. "$top_srcdir/tests/cli/gdlib.sh"
need openssl

gd_group alice bob
mkdir in got

# gets NAME FILE: bob downloads that
gets() {
	rm -f got/it
	ok scg download -dir bob "$1" -out got/it
	same got/it "$2"
}

say "nothing, little, a segment, several"
: >in/empty
echo "plainly readable words" >in/small-plain-name
head -c 1000000 /dev/urandom >in/chunks
head -c 10000000 /dev/urandom >in/segments
ok scg upload -dir alice in/empty in/small-plain-name in/chunks in/segments
for f in empty small-plain-name chunks segments; do gets $f in/$f; done
[ "$(gd_objects)" -eq 4 ] || fail "four objects"
json '.failed == 0 and .orphans == 0 and .injected == 0 and .files == 4' scg verify -dir bob -json
[ -z "$(ls alice/spool 2>/dev/null)" ] || fail "the spool is not empty"

say "a part of a long one: one segment of three is fetched, and the ends"
tail -c +5000001 in/segments | head -c 100 >part
drive_control '{"reset": {}}' >/dev/null
ok scg download -dir bob segments -range 5000000-5000099 -out got/part
same got/part part
[ "$(drive_stats .bytes_out)" -lt 9000000 ] || fail "too much was fetched: $(drive_stats .)" # once again, if need be

say "few requests: a file of 4 KiB is one to put and one to see it"
drive_control '{"reset": {}}' >/dev/null
mkdir few
for i in 1 2 3 4 5 6 7 8 9 10; do head -c 4096 /dev/urandom >few/f$i; done
ok scg upload -dir alice -r few
[ "$(drive_stats .total)" -le 22 ] || fail "too many requests: $(drive_stats .)"
drive_control '{"reset": {}}' >/dev/null
ok scg download -dir bob -r few -out got
[ "$(drive_stats .total)" -le 22 ] || fail "too many requests: $(drive_stats .)"
for i in 1 2 3 4 5 6 7 8 9 10; do same few/f$i got/few/f$i; done

say "replaced and removed: the objects go for good"
echo other >in/small-plain-name
ok scg upload -dir alice in/small-plain-name
gets small-plain-name in/small-plain-name
ok scg remove -dir alice empty chunks
ok scg rename -dir bob segments "renamed at last"
gets "renamed at last" in/segments
[ "$(gd_objects)" -eq 12 ] || fail "$(gd_objects) objects"
[ "$(drive_dump '[.files[] | select(.trashed)] | length')" -eq 0 ] || fail "something lies in the trash"
[ "$(drive_dump '.doubles | length')" -eq 0 ] || fail "doubles"

say "straight, without a spool; and a spool elsewhere"
head -c 1500000 /dev/urandom >in/straight
ok scg upload -dir alice -no-spool in/straight
gets straight in/straight
head -c 1500000 /dev/urandom >in/elsewhere
ok scg upload -dir alice -spool-dir "$T/away" in/elsewhere
gets elsewhere in/elsewhere
[ -z "$(ls away)" ] || fail "the other spool is not empty"
refuses 1 'spool-dir names another folder' scg upload -dir alice -replace -spool-dir "$T/none/such" in/elsewhere
refuses 2 'no-spool' scg upload -dir alice -no-spool -spool-dir away in/elsewhere

say "a file that is removed while all are verified is none any more, and one that is renamed is looked at under its new name, and a new epoch"
drive_control '{"reset": {}}' >/dev/null
drive_fault hold kind=files.media times=1
start verify scg verify -dir bob -json
held() { [ "$(drive_stats '[.faults[]?] | add // 0')" -eq 1 ]; }
within 120 held
ok scg remove -dir alice elsewhere
ok scg-gateway rotate -config gw/gateway.conf
head -c 1400000 /dev/urandom >in/straight
ok scg upload -dir alice in/straight
ok scg rename -dir alice straight straightened
drive_calm
wait "$(pid verify)" || fail "verify: $(cat verify.log)"
refuses 1 'no such file' scg verify -dir bob elsewhere
gets straightened in/straight

say "older files of the same names, put there by another: the ledger's digest tells which is right"
gd_plant bob alice small-plain-name
gd_plant bob alice "renamed at last"
gets small-plain-name in/small-plain-name
gets "renamed at last" in/segments

say "what the drive knows"
gd_hides "plainly readable words" small-plain-name "renamed at last" few/f1 segments

say "a list that is not complete: nothing is said of what was not seen"
drive_control '{"settings": {"incomplete_search": true}}' >/dev/null
refuses 5 'incompleteSearch' scg verify -dir alice -old
[ ! -s .out ] || fail "it says something all the same: $(cat .out)"
