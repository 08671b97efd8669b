#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Folders go up and come down whole; what comes down stays below its folder and follows no link there.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"

make_group alice bob
mkdir -p tree/sub/deep out precious
for name in tree/one tree/sub/two tree/sub/deep/three; do echo "$name" >"$name"; done
echo kept >precious/two
ok scg upload -dir alice -r tree -to docs

say "a folder comes down with its own name first"
ok scg download -dir bob -r docs/tree -out out
ok diff -r tree out/tree
(cd out && ok scg download -dir ../bob -r docs)
ok diff -r tree out/docs/tree

say "a part of it, beside a file"
mkdir part
ok scg download -dir bob -r docs/tree/sub docs/tree/one -out part
ok diff -r tree/sub part/sub
same tree/one part/one

say "what is there already is kept, the rest comes"
rm out/tree/sub/two
echo mine >out/tree/one
rm -r out/docs
! scg download -dir bob -r docs/tree -out out >.out 2>.err || fail "overwrote a file"
has .err 'tree/one: is here already'
has out/tree/one '^mine$'
same tree/sub/two out/tree/sub/two

say "a folder without -r, and one that nobody has"
refuses 2 'docs/tree: is a folder \(-r' scg download -dir bob docs/tree -out out
refuses 1 'nothing: no such file or folder' scg download -dir bob -r nothing -out out
refuses 1 'nothing: no such file or folder' scg download -dir bob -r nothing -out new
refuses 1 'nothing: no such file or folder' scg download -dir bob -r docs nothing -out new
absent new
refuses 1 'none/new: cannot make the folder' scg download -dir bob -r docs -out none/new
refuses 2 'new: is no folder, and there are 2' scg download -dir bob docs/tree/one docs/tree/sub/two -out new
ln -s nowhere dangling
refuses 2 'docs/tree: is a folder, and dangling is none' scg download -dir bob -r docs/tree -out dangling

say "with -r the folder that -out names is made; a single file is still a file"
ok scg download -dir bob -r docs/tree -out new
ok diff -r tree new/tree
ok scg download -dir bob -r docs/tree/sub docs/tree/one -out both
ok diff -r tree/sub both/sub
same tree/one both/one
ok scg download -dir bob -r docs/tree/one -out single
same tree/one single

say "a link or a file in the way is not followed"
mkdir trap trap/tree
ln -s "$T/precious" trap/tree/sub
! scg download -dir bob -r docs/tree -out trap >.out 2>.err || fail "followed a link"
has .err 'tree/sub/deep/three: .*link'
has precious/two '^kept$'
absent precious/deep
same tree/one trap/tree/one
mkdir blocked
echo mine >blocked/tree
! scg download -dir bob -r docs/tree -out blocked >.out 2>.err || fail "took a file for a folder"
has blocked/tree '^mine$'
