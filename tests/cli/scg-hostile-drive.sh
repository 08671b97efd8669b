#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the drive does to objects is noticed, by a member with a mirror and by one who has just joined: status 4, nothing written.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq

make_group alice bob
object() { find drive -name "$(scg list -dir alice -json 2>/dev/null | jq -r --arg n "$1" '.[] | select(.name == $n).object').cms"; }

head -c 300000 /dev/urandom >one
head -c 5000000 /dev/urandom >two
ok scg upload -dir alice one two
ok scg list -dir bob
first=$(object one)
cp "$first" kept
head -c 310000 /dev/urandom >one
ok scg upload -dir alice one
absent "$first"
cp -r drive clean
restore() { rm -rf drive && cp -r clean drive; }

# new NAME: a member who has never synchronised
n=0
new() { n=$((n + 1)) fresh=fresh$n && make_member $fresh; }

# caught REGEX NAME: by both, in download and in verify, which names the file
caught() {
	new
	for who in bob $fresh; do
		refuses 4 "$2.*($1)" scg download -dir "$who" "$2" -out got
		absent got
		refuses 4 "$1" scg verify -dir "$who"
		has .out "^$2: "
		refuses 4 "$1" scg verify -dir "$who" "$2"
	done
}

say "a byte altered, anywhere"
for at in 0 7 120 500 200000 309000; do
	flip "$(object one)" $at
	refuses 4 '^scg: one: ' scg download -dir bob one -out got
	absent got
	restore
done
flip "$(object one)" 100000
caught 'RFC|segment|ledger|tag' one
restore

say "a byte less, a byte more"
truncate -s -1 "$(object two)"
caught 'bytes' two
restore
printf x >>"$(object two)"
caught 'bytes' two
restore

say "an older object put back under the new one's name"
cp kept "$(object one)"
caught 'ledger' one
restore

say "two objects swapped"
a=$(object one) b=$(object two)
mv "$a" swap && mv "$b" "$a" && mv swap "$b"
caught 'ledger' one
caught 'ledger' two
restore

say "an object deleted"
rm "$(object one)"
caught 'missing' one
ok scg download -dir bob two -out got
rm got
restore

say "an object that is a link, or a folder"
a=$(object one)
mv "$a" elsewhere && ln -s "$T/elsewhere" "$a"
caught 'missing' one
rm "$a" && mkdir "$a"
caught 'missing' one
restore

say "an object injected: it is no file, and it is named"
# a copy under another id; bytes that are no envelope; one of another group
cp "$(object one)" "$(dirname "$(object one)")/aaaaaaaaaaaaaaaaaaaaaaaaaa.cms"
head -c 1000 /dev/urandom >drive/bbbbbbbbbbbbbbbbbbbbbbbbbb.cms
new
for who in bob $fresh; do
	refuses 4 'nobody of the group' scg verify -dir "$who"
	has .out '^object aaaaaaaaaaaaaaaaaaaaaaaaaa: a copy'
	has .out '^object bbbbbbbbbbbbbbbbbbbbbbbbbb: '
	json 'map(.name) == ["one", "two"]' scg list -dir "$who" -json
done
! scg verify -dir bob -json >report 2>/dev/null || fail "injected objects are no failure"
jq -e '.injected == 2 and .failed == 0 and .files == 2 and (.findings | length) == 2' report >/dev/null || fail "the report is wrong"
restore

say "an object put back that was destroyed: no file shows it, and gc destroys it"
cp kept "$first"
json '.superseded == 1 and .failed == 0' scg verify -dir bob -json
ok scg download -dir bob one -out got
same one got
rm got
ok scg gc -dir bob
absent "$first"
present "$(object one)" "$(object two)"
restore

say "strangers' files are left alone"
echo hello >drive/README
mkdir drive/.sync drive/other
echo x >drive/other/file.txt
ok scg verify -dir bob
ok scg gc -dir bob -older 0
present drive/README drive/other/file.txt

say "what settles later is not damage while it is young"
echo 'settle = 3600;' >>bob/scg.conf
mv "$(object one)" late
refuses 5 'settled' scg download -dir bob one -out got
absent got
mv late "$(dirname "$first" | sed 's/.*/drive/')/$(scg list -dir alice -json 2>/dev/null | jq -r '.[] | select(.name == "one").object').cms"
ok scg download -dir bob one -out got
same one got
