#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# With any number of threads the same comes back; numbers that make no sense are refused.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"

make_group alice
head -c 13000000 /dev/urandom >file # four segments
for n in 1 3 64; do
	say "$n threads"
	ok scg encrypt -dir alice -threads $n -in file -out file.cms
	ok scg decrypt -dir alice -threads $n -in file.cms -out got
	same file got
	# shellcheck disable=SC2002
	cat file | scg encrypt -dir alice -threads $n -in - -out - 2>.err | scg decrypt -dir alice -threads $n -in - -out - 2>>.err |
		cmp - file || fail "$(cat .err)"
	ok scg upload -dir alice -threads $n file -to $n
	ok scg download -dir alice -threads $n $n/file -out got
	same file got
done
ok scg download -dir alice -threads 2 -j 3 1/file -out got
same file got

say "nonsense"
for n in 0 65 -1 x '' 1.5 99999999999999999999; do
	for command in "encrypt -in file -out fresh" "decrypt -in file.cms -out fresh" "upload file" "download 1/file -out fresh"; do
		# shellcheck disable=SC2086
		refuses 2 threads scg $command -dir alice -threads "$n"
	done
done
refuses 2 'repeated' scg encrypt -dir alice -threads 1 -threads 1 -in file -out fresh
refuses 2 'unknown option' scg rename -dir alice -threads 1 1/file 2/file
absent fresh
