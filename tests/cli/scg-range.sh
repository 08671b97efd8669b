#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A range is read, verified and written alone: of a loose file and of one on the drive.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq

make_group alice bob
head -c 9000000 /dev/urandom >file # three segments
ok scg encrypt -dir alice -in file -out file.cms
ok scg upload -dir alice file
object=$(objects)
mkdir out

# part FROM TO: those bytes, both included
part() { tail -c +$(($1 + 1)) file | head -c $(($2 - $1 + 1)); }
# taken RANGE FROM TO: by both commands
taken() {
	part "$2" "$3" >want
	ok scg decrypt -dir bob -range "$1" -in file.cms -out got
	same got want
	ok scg download -dir bob -range "$1" file -out got
	same got want
}

say "inside a segment, over a border, over all, to the end and beyond"
taken 0-0 0 0
taken 100-199 100 199
taken 4194303-4194304 4194303 4194304
taken 4194304-8388607 4194304 8388607
taken 4000000-8400000 4000000 8400000
taken 8999999- 8999999 8999999
taken 8388608-99999999 8388608 8999999
taken 0- 0 8999999
part 5 9 >want
scg decrypt -dir bob -range 5-9 -in - -out - <file.cms >got 2>.err || fail "a range to a stream: $(cat .err)"
same got want
json '.size == 9000000 and .author == "alice" and .first == 5 and .last == 9' scg decrypt -dir bob -range 5-9 -in file.cms -out got -json
json '.first == 8999000 and .last == 8999999' scg decrypt -dir bob -range 8999000- -in file.cms -out got -json

say "a new file bears the name; a part is not the whole: what is uploaded later does not replace it"
(cd out && ok scg download -dir ../bob -range 0-9 file)
part 0 9 >want
same out/file want
refuses 1 'here already' sh -c 'cd out && scg download -dir ../bob -range 0-9 file'
refuses 1 'have not seen that' scg upload -dir bob out/file
ok scg list -dir bob
json '[.[] | select(.name == "file") | .size] == [9000000]' scg list -dir bob -json

say "nonsense"
for range in '' 5 -5 9-5 1-2,4-5 bytes=0-1 0x1-2 ' 1-2' 99999999999999999999-; do
	for command in "decrypt -in file.cms" "download file"; do
		# shellcheck disable=SC2086
		refuses 2 'range' scg $command -dir bob -range "$range" -out fresh
	done
done
refuses 2 'contradict' scg decrypt -dir bob -unsigned -range 0-1 -in file.cms -out fresh
refuses 2 'contradict' scg download -dir bob -r -range 0-1 file -out fresh
refuses 2 'one file' scg download -dir bob -range 0-1 file file -out out
refuses 2 'repeated' scg download -dir bob -range 0-1 -range 0-1 file -out fresh
refuses 2 'unknown option' scg encrypt -dir bob -range 0-1 -in file -out fresh
refuses 1 'length is 9000000' scg decrypt -dir bob -range 9000000-9000001 -in file.cms -out fresh
refuses 1 'length is 9000000' scg download -dir bob -range 9000000- file -out fresh
refuses 1 'no-such' scg download -dir bob -range 0-1 no-such -out fresh
refuses 4 'empty' scg decrypt -dir bob -range 0-1 -in /dev/null -out fresh
absent fresh

say "a pipe has no ranges, unless it is spooled"
# shellcheck disable=SC2002
refuses 2 'standard input: .*stream' sh -c 'cat file.cms | scg decrypt -dir bob -range 0-1 -in - -out fresh'
absent fresh
# shellcheck disable=SC2002
cat file.cms | scg decrypt -dir bob -range 0-1 -spool -in - -out got 2>.err || fail "$(cat .err)"
part 0 1 >want
same got want

# damage FILE SEGMENT: a byte in the middle of it
damage() { flip "$1" $((2000000 + $2 * 4194304)); }

say "damage elsewhere is not seen, damage inside is status 4"
damage file.cms 1
damage "$object" 1
taken 0-4194303 0 4194303
taken 8388608- 8388608 8999999
for range in 4194304-4194304 0- 4194303-4194304; do
	refuses 4 'segment 1' scg decrypt -dir bob -range $range -in file.cms -out fresh
	refuses 4 'file: damaged or forged: segment 1' scg download -dir bob -range $range file -out fresh
	absent fresh
done
refuses 4 'segment 1' scg decrypt -dir bob -range 0-5000000 -spool -in file.cms -out -
[ ! -s .out ] || fail "-spool released a part"

say "the event decides, for a range too: size, manifest and key of the object"
cp "$object" keep
cat file.cms >"$object"
refuses 4 'ledger' scg download -dir bob -range 0-1 file -out fresh
cp keep "$object"
printf x >>"$object"
refuses 4 'bytes' scg download -dir bob -range 0-1 file -out fresh
rm "$object"
refuses 4 'missing' scg download -dir bob -range 0-1 file -out fresh
absent fresh
