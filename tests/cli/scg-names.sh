#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names that the group cannot have are refused when sent, before anything is written.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq

make_group alice
mkdir in
echo x >in/file
newline=$(printf 'two\nlines')
bell=$(printf 'bell\007')
bidi=$(printf 'a\342\200\256txt.exe')
latin=$(printf 'caf\351')
long=$(printf '%0256d' 0)

nothing() { [ -z "$(objects)" ] || fail "something is on the drive"; }

say "names of files to upload"
for name in "$newline" "$bell" "$bidi" "$latin"; do
	echo x >"in/$name"
	refuses 2 'control|UTF-8|invisible|name' scg upload -dir alice "in/$name"
	! LC_ALL=C grep -q "$(printf '[\001-\011\013-\037]')" .err || fail "a control character reached the terminal"
done
refuses 2 'in/\.\.' scg upload -dir alice -r in/..
refuses 2 'in/\.' scg upload -dir alice -r in/.
refuses 2 . scg upload -dir alice -r /
nothing

say "one bad name in a folder: nothing of it is uploaded"
refuses 2 . scg upload -dir alice -r in
nothing

say "folders to upload to"
for to in .. ../x /x x/../y x//y ./x "x/$newline" "$long" "$latin"; do
	refuses 2 '^scg: -to' scg upload -dir alice in/file -to "$to"
done
nothing

say "two files for one name"
mkdir in/a in/b in/c
echo 1 >in/a/same
echo 2 >in/b/same
echo 3 >in/c/SAME
refuses 2 'same name' scg upload -dir alice in/a/same in/b/same
refuses 2 'same name' scg upload -dir alice in/a/same in/c/SAME
refuses 2 'same name' scg upload -dir alice in/a/same in/a/same
nothing

say "names to rename to"
ok scg upload -dir alice in/file in/a/same
for new in .. ../x /x x/../y x//y x/ "$newline" "$bell" "$latin" "$long" ''; do
	refuses 2 . scg rename -dir alice file "$new"
done
json 'map(.name) == ["file", "same"]' scg list -dir alice -json
# differs from another name only in case; a file is no folder
refuses 1 . scg rename -dir alice file SAME
refuses 1 . scg rename -dir alice file same/file
refuses 1 . scg upload -dir alice in/file -to same
refuses 1 . scg upload -dir alice in/c/SAME
json 'map(.name) == ["file", "same"]' scg list -dir alice -json
[ "$(objects | wc -l)" -eq 2 ] || fail "a refused upload left its object"

say "names to download"
mkdir out
for name in ../file /etc/passwd file/.. ./file "$newline" '' "$latin"; do
	refuses 2 . scg download -dir alice "$name" -out out
done
[ -z "$(ls out)" ] || fail "something was written"

say "a folder gets another name, whole, or none of it does"
mkdir -p in/tree/sub
echo one >in/tree/one
echo two >in/tree/sub/two
ok scg upload -dir alice -r in/tree
refuses 2 'in it' scg rename -dir alice tree tree/below
refuses 2 'old one' scg rename -dir alice tree tree
refuses 1 'no such file or folder' scg rename -dir alice tre tree2
ok scg upload -dir alice in/tree/one -to taken/sub
ok scg rename -dir alice taken/sub/one taken/sub/two
refuses 1 'tree/sub/two: there is a file of the new name' scg rename -dir alice tree taken
json 'map(.name) == ["file", "same", "taken/sub/two", "tree/one", "tree/sub/two"]' scg list -dir alice -json
refuses 1 'file: there is a file of the new name' scg rename -dir alice tree file
json 'map(.name) | contains(["tree/one", "tree/sub/two"])' scg list -dir alice -json
ok scg rename -dir alice tree a/wood
json 'map(.name) == ["a/wood/one", "a/wood/sub/two", "file", "same", "taken/sub/two"]' scg list -dir alice -json
ok scg rename -dir alice a/wood a/Wood
refuses 2 'is a folder .-r' scg download -dir alice a/Wood -out out
refuses 2 'is a folder .-r' scg download -dir alice a/Wood -out out/new
refuses 2 'is a folder, and in/file is none' scg download -dir alice -r a/Wood -out in/file
ok scg download -dir alice -r a/Wood -out out
same in/tree/one out/Wood/one
same in/tree/sub/two out/Wood/sub/two

say "to standard output, when all of it is verified"
scg download -dir alice a/Wood/sub/two -out - 2>.err >got || fail "$(cat .err)"
same in/tree/sub/two got
absent ./-
refuses 2 'one file' scg download -dir alice file same -out -
refuses 1 'no such file' scg download -dir alice a/Wood -out -
refuses 1 'standard output' sh -c 'scg download -dir alice file -out - >/dev/full'

say "a folder goes only with -r, and with all that is in it"
refuses 2 'is a folder: -r' scg remove -dir alice file a/Wood
json 'length == 5' scg list -dir alice -json
ok scg remove -dir alice -r a/Wood a/Wood/one taken file
json 'map(.name) == ["same"]' scg list -dir alice -json
[ "$(objects | wc -l)" -eq 1 ] || fail "objects stay behind"
refuses 1 "no such file" scg remove -dir alice -r a
