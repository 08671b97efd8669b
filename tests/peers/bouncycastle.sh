#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# BouncyCastle (Debian: libbcpkix-java) reads what scg seals, and scg reads what BouncyCastle seals.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq openssl java javac
jars=
for jar in bcprov bcutil bcpkix; do
	[ -e "/usr/share/java/$jar.jar" ] || skip "BouncyCastle is not installed (libbcpkix-java)"
	jars=$jars:/usr/share/java/$jar.jar
done
ok javac -Xlint:all -Xlint:-path -Werror -cp "$jars" -d classes "$top_srcdir/tests/peers/Envelope.java"
peer() { java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "classes$jars" Envelope "$@"; }

make_group alice bob
ok scg keys -dir bob
stock_keys bob | head -n 1 >key
id=$(scg keys -dir bob -json 2>/dev/null | jq -r '.[0].key_id')

say "it reads our note, segments and manifest"
for size in 0 1 5000 4194304 9000000; do
	head -c $size /dev/urandom >plain
	ok scg encrypt -dir alice -in plain -out sealed
	ok peer open key "$id" ca/ca.crt sealed got
	has .out "^alice signed plain, $size bytes"
	same plain got
done

say "it refuses what was damaged"
cp sealed bad
flip bad 5000000
! peer open key "$id" ca/ca.crt bad got >.out 2>.err || fail "a damaged file was opened"

say "it opens what is sealed to a certificate"
ok scg req -dir carol -name carol -out carol.csr -noenc -newkey rsa:3072
ok scg-ca sign -dir ca -in carol.csr -out carol.crt -name carol
cp carol.crt carol/cert.pem
head -c 5000 /dev/urandom >plain
for who in bob carol; do
	ok scg encrypt -dir alice -recip $who/cert.pem -in plain -out sealed
	ok peer own key "$id" $who/key.pem sealed got
	same plain got
done

say "scg opens a lone envelope of its"
head -c 300000 /dev/urandom >plain
ok peer lone key "$id" plain lone
refuses 4 . scg decrypt -dir bob -in lone -out got
ok scg decrypt -dir bob -unsigned -in lone -out got
same plain got

say "scg opens a whole file of its, with note and manifest, and knows its author"
for size in 0 1 4194304 9000000; do
	head -c $size /dev/urandom >plain
	ok peer seal key "$id" alice/cert.pem alice/key.pem lab from-java plain sealed
	json ".author == \"alice\" and .name == \"from-java\" and .size == $size" scg decrypt -dir bob -in sealed -out got -json
	same plain got
done
ok peer seal key "$id" carol/cert.pem carol/key.pem lab from-java plain sealed
json '.author == "carol" and .size == 9000000' scg decrypt -dir bob -in sealed -out got -json
same plain got
refuses 4 . scg decrypt -dir bob -in bad -out never
absent never
