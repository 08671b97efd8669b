#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# encrypt -recip: for one member alone; openssl opens each object with that member's key.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need jq openssl

make_group alice bob
ok scg req -dir carol -name carol -out carol.csr -noenc -newkey rsa:3072
ok scg-ca sign -dir ca -in carol.csr -out carol.crt -name carol
ok scg install -dir carol -cert carol.crt -cacert ca/ca.crt -gateway "$URL"
head -c 50000 /dev/urandom >short
head -c 9000000 /dev/urandom >long

# The objects of $1, each opened by openssl for member $2 to piece.N.
stock_pieces() {
	openssl asn1parse -inform DER -in "$1" | sed -n 's/^ *\([0-9]*\):d=0 *hl=\([0-9]*\) *l= *\([0-9]*\) .*/\1 \2 \3/p' >offsets
	n=0
	while read -r at head len; do
		tail -c +$((at + 1)) "$1" | head -c $((head + len)) >object
		openssl cms -decrypt -inform DER -in object -recip "$2/cert.pem" -inkey "$2/key.pem" -binary -out "piece.$n" 2>.err || fail "openssl: $(cat .err)"
		n=$((n + 1))
	done <offsets
}

for who in bob carol; do
	say "to $who, who alone opens it"
	ok scg encrypt -dir alice -recip $who/cert.pem -in short -out short.$who
	json '.author == "alice" and .to_certificate and .key_id == null and .unsigned == false' scg decrypt -dir $who -in short.$who -out got -json
	same short got
	dd if=long bs=64k 2>/dev/null | scg encrypt -dir alice -recip $who/cert.pem -in - -out - 2>.err1 | scg decrypt -dir $who -in - -out - -spool 2>.err | cmp - long ||
		fail "a stream came out different: $(cat .err1 .err)"
	refuses 3 'another certificate' scg decrypt -dir alice -in short.$who -out fresh
	absent fresh
	json '.key_ids == [] and .size == 50000' scg inspect -in short.$who -json

	say "openssl opens each of its objects"
	ok scg encrypt -dir alice -recip $who/cert.pem -in long -out long.$who
	stock_pieces long.$who $who
	[ $n -eq 5 ] || fail "$n objects"
	has piece.0 'scg envelope, format 1'
	cat piece.1 piece.2 piece.3 | cmp - long
	ok openssl cms -verify -inform DER -in piece.4 -CAfile ca/ca.crt -purpose smimesign -cades -binary -out text
	has text '^size 9000000$'
done

say "the group's key opens nothing of it"
ok scg keys -dir bob
key=$(stock_keys bob | head -n 1)
! openssl cms -decrypt -inform DER -in short.bob -secretkey "$key" -binary -out got 2>/dev/null || fail "the group's key opened it"
head -c 51000 short.bob >bad
refuses 4 . scg decrypt -dir bob -in bad -out fresh
refuses 4 . scg decrypt -dir bob -unsigned -in bad -out fresh
absent fresh

say "only to members of the group, good now"
refuses 3 'wrong-purpose' scg encrypt -dir alice -recip gw/gateway.crt -in short -out fresh
refuses 3 . scg encrypt -dir alice -recip ca/ca.crt -in short -out fresh
ok openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout x.key -out x.crt -subj /CN=bob -days 1
refuses 3 'foreign' scg encrypt -dir alice -recip x.crt -in short -out fresh
refuses 4 . scg encrypt -dir alice -recip carol.csr -in short -out fresh
refuses 1 'no-such' scg encrypt -dir alice -recip no-such -in short -out fresh
# dated NAME BEGIN END: a certificate as the CA would issue it, but for its dates
dated() { by_hand "$1" member "$(date -u -d "$2" +%y%m%d%H%M%SZ)" "$(date -u -d "$3" +%y%m%d%H%M%SZ)"; }
dated fine '-1 day' '+10 days'
ok scg encrypt -dir alice -recip fine/cert.pem -in short -out got
dated late '-2 days' '-1 day'
refuses 3 'expired: RFC 5280 4.1.2.5' scg encrypt -dir alice -recip late/cert.pem -in short -out fresh
refuses 2 'repeated' scg encrypt -dir alice -recip bob/cert.pem -recip carol/cert.pem -in short -out fresh
refuses 2 'unknown option -recip' scg upload -dir alice -recip bob/cert.pem short
revoke bob
within 60 status_is 3 scg encrypt -dir alice -recip bob/cert.pem -in short -out /dev/null
refuses 3 'RFC 5280 5.3: revoked' scg encrypt -dir alice -recip bob/cert.pem -in short -out fresh
absent fresh

say "on the drive it is no file of the group"
ok scg encrypt -dir alice -recip carol/cert.pem -in short -out short.carol
ok scg upload -dir alice short
object=$(objects)
cp short.carol "$object"
refuses 4 . scg download -dir carol short -out fresh
absent fresh
