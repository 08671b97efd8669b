#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files go up and come down as the same bytes, under the names that the command line gives them.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq

make_group alice bob
mkdir in

say "every size around the segment's limits"
for n in 0 1 4095 4194303 4194304 4194305 9000001; do
	head -c $n /dev/urandom >in/size-$n
done
ok scg upload -dir alice -j 3 in/size-*
for n in 0 1 4095 4194303 4194304 4194305 9000001; do
	ok scg download -dir bob size-$n -out got
	same in/size-$n got
	rm got
done
json 'map(.size) | sort == [0, 1, 4095, 4194303, 4194304, 4194305, 9000001]' scg list -dir bob -json

say "a folder with -r: its own name comes first, and -to before that"
mkdir -p tree/deep/deeper tree/empty
echo one >tree/f1
echo two >tree/deep/f2
echo three >tree/deep/deeper/f3
ln -s f1 tree/link
ok scg upload -dir alice -r tree
has .err 'tree/link: passed over'
ok scg upload -dir alice tree/f1 -to there/below -r tree/deep
json '[.[].name | select(startswith("t"))] == ["there/below/deep/deeper/f3", "there/below/deep/f2", "there/below/f1",
	"tree/deep/deeper/f3", "tree/deep/f2", "tree/f1"]' scg list -dir bob -json
refuses 2 'is a folder: -r' scg upload -dir alice tree
ok scg upload -dir alice -r tree/empty
refuses 1 'no-such-file' scg upload -dir alice no-such-file

say "Unicode and long names"
printf x >'in/Ein Name mit Ü und 日本'
decomposed=$(printf 'Cafe\314\201')
printf y >"in/$decomposed"
long=$(printf '%0255d' 7)
printf z >"in/$long"
ok scg upload -dir alice "in/Ein Name mit Ü und 日本" "in/$decomposed" "in/$long"
for name in 'Ein Name mit Ü und 日本' "$(printf 'Caf\303\251')" "$long"; do
	ok scg download -dir bob "$name" -out got
	rm got
done
# a name typed decomposed is the same name
ok scg download -dir bob "$decomposed" -out got
same "in/$decomposed" got
rm got

say "options may stand behind names, -- ends them"
echo dash >./-to
ok scg upload in/size-1 -dir alice -to dashes -- -to
json '[.[].name | select(startswith("dashes/"))] == ["dashes/-to", "dashes/size-1"]' scg list -dir alice -json
mkdir out
ok scg download -dir bob -out out -- dashes/-to
same ./-to out/-to

say "without -out the last part of the name, here; a folder takes it too"
mkdir here
cd here
ok scg download -dir ../bob tree/deep/f2
cd ..
same tree/deep/f2 here/f2
ok scg download -dir bob tree/f1 tree/deep/f2 tree/deep/deeper/f3 -out out -j 3
same tree/f1 out/f1
same tree/deep/deeper/f3 out/f3

say "nothing is overwritten but the file that -out names"
echo mine >out/f1
refuses 1 'f1.*(already|not overwritten)' scg download -dir bob tree/f1 -out out
has out/f1 '^mine$'
ok scg download -dir bob tree/f1 -out out/f1
same tree/f1 out/f1
refuses 2 'is no folder' scg download -dir bob tree/f1 tree/deep/f2 -out out/f1
refuses 2 'same file' scg download -dir bob tree/f1 there/below/f1 -out out
same tree/f1 out/f1

say "a link in the target folder is not followed"
echo precious >precious
ln -s "$T/precious" out/f9
mkdir other && echo nine >other/f9
ok scg upload -dir alice other/f9
refuses 1 'f9' scg download -dir bob f9 -out out
has precious '^precious$'
ln -s "$T/dangling" out/size-1
refuses 1 'size-1' scg download -dir bob size-1 -out out
absent dangling
# named itself it is replaced, what it points to is not
ok scg download -dir bob f9 -out out/f9
[ ! -L out/f9 ] || fail "the link is still there"
has precious '^precious$'
refuses 2 'no plain file' scg download -dir bob f9 -out /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"

say "rename and remove"
ok scg rename -dir bob size-1 moved/one
ok scg download -dir alice moved/one -out got
same in/size-1 got
rm got
refuses 1 'size-1: no such file' scg download -dir alice size-1 -out got
refuses 1 'exists|taken|already' scg rename -dir bob moved/one size-0
refuses 1 'no such file' scg rename -dir bob size-1 size-2
refuses 2 'old one' scg rename -dir bob size-0 size-0
refuses 1 . scg rename -dir bob size-0 tree
refuses 1 . scg rename -dir bob size-0 tree/f1/below
before=$(objects | wc -l)
ok scg remove -dir bob moved/one size-0
[ "$(objects | wc -l)" -eq $((before - 2)) ] || fail "the objects of what was removed are still there"
refuses 1 'no such file' scg remove -dir bob moved/one
refuses 1 'no such file' scg download -dir bob size-0 -out got
absent got

say "the history of one file"
ok scg upload -dir alice in/size-4095 -to moved
json 'length == 1 and .[0].op == "put" and .[0].author == "alice" and .[0].size == 4095' scg list -dir bob -json -history moved/size-4095
ok scg rename -dir bob moved/size-4095 f
head -c 5000 /dev/urandom >in/f
ok scg download -dir alice f -out got
ok scg upload -dir alice in/f
json 'map(.op) == ["put", "rename", "replace"] and map(.version) == [1, 1, 2] and map(.author) == ["alice", "bob", "alice"]' \
	scg list -dir bob -json -history f
refuses 1 'no such file' scg list -dir bob -history nothing

say "everything on the drive is right, and nothing else is there"
json '.failed == 0 and .injected == 0 and .orphans == 0 and .superseded == 0 and (.findings | length) == 0' scg verify -dir bob -json
[ "$(objects | wc -l)" -eq "$(scg list -dir bob -json 2>/dev/null | jq length)" ] || fail "objects and files do not correspond"

say "an output that is the member's own file is refused, whatever its name"
for file in key.pem cert.pem scg.conf keys.cms ledger.db; do
	cp "alice/$file" kept
	refuses 2 "own $file" scg encrypt -dir alice -in in/f -out "alice/$file"
	refuses 2 "own $file" scg download -dir alice f -out "bob/../alice/$file"
	case $file in ledger.db | keys.cms) ;; *) same kept "alice/$file" ;; esac
done
refuses 2 'own key.pem' scg req -dir fresh -name fresh -noenc -out fresh/key.pem
absent fresh/key.pem
