#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A ca.db out of a backup: nobody who was evicted since comes back, one command brings the numbers above those of before, and who was
# certified since can be revoked by his certificate.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need openssl jq curl

number() { printf '%d\n' "0x$(openssl crl -in "$1" -noout -crlnumber | cut -d= -f2 | sed 's/^0x//')"; }
serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }
lists() { openssl crl -in "$1" -noout -text -CAfile ca/ca.crt >crl.text 2>&1; grep -q "verify OK" crl.text && grep -q "$(serial "$2")" crl.text; }

make_group alice bob carol grace
ok scg keys -dir alice
ok scg keys -dir carol
ok scg-ca crl -dir ca
cp -r ca backup
cp backup/crl.pem old.pem
for who in dave erin frank; do
	ok openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout $who.key -subj /CN=$who -out $who.csr
	ok scg-ca sign -dir ca -in $who.csr -out $who.crt -name $who
done
ok scg-ca revoke -dir ca -name carol -reason keyCompromise
ok scg-ca revoke -dir ca -name dave
ok scg-ca crl -dir ca -publish "$URL"
ok curl -sS --fail --cacert ca/ca.crt -o newest.crl "$URL/crl"
newest=$(number ca/crl.pem)
[ "$newest" -ge 5 ] || fail "the story is another"

say "where crl.pem is newer than ca.db no list is made, and it is not written over"
cp backup/ca.db ca/ca.db
rm -f ca/ca.db-wal ca/ca.db-shm
cp ca/crl.pem kept.pem
hint="ca/crl.pem is list $newest, ca.db knows of [0-9]*: an older ca.db was put back \(scg-ca crl -above ca/crl.pem"
refuses 1 "$hint" scg-ca crl -dir ca -out copy.pem
refuses 1 "$hint" scg-ca revoke -dir ca -name bob
json 'map(select(.name == "bob").status) == ["valid"]' scg-ca list -dir ca -json
refuses 1 "$hint" scg-ca crl -dir ca -above old.pem
same ca/crl.pem kept.pem
absent copy.pem

say "lists that prove nothing are not taken over"
cp kept.pem bad.pem
openssl crl -in kept.pem -outform DER -out bad.crl
flip bad.crl -5
ok scg-ca init -dir other -group lab -noenc
refuses 4 'bad.crl: .*5280' scg-ca crl -dir ca -above bad.crl
refuses 3 'other/crl.pem: ' scg-ca crl -dir ca -above other/crl.pem
refuses 4 'ca.crt' scg-ca crl -dir ca -above ca/ca.crt
refuses 1 'nowhere' scg-ca crl -dir ca -above nowhere
: >empty
refuses 4 'empty' scg-ca crl -dir ca -above empty
same ca/crl.pem kept.pem

say "the whole folder of the backup, and the list that the gateway has"
rm -rf ca
cp -r backup ca
if scg-ca crl -dir ca -publish "$URL" >.out 2>.err; then fail "a list below the gateway's was taken"; fi
has .err 'was made and written, but not published'
has .err 'scg-ca crl -above'
while [ "$(number ca/crl.pem)" -lt $((newest - 1)) ]; do ok scg-ca crl -dir ca; done
if scg-ca crl -dir ca -publish "$URL" >.out 2>.err; then fail "another list with the gateway's number was taken"; fi
has .err 'crl-number: .*scg-ca crl -above'

say "a list above the gateway's that lacks a revocation is no better: nobody comes back, and whom it names is out"
ok scg keys -dir grace
if scg-ca revoke -dir ca -name grace -publish "$URL" >.out 2>.err; then fail "a list that lacks carol was taken"; fi
has .err "crl-incomplete: RFC 5280 3.3: .*serial number $(serial carol/cert.pem | tr A-F a-f) .*scg-ca crl -above"
refuses 3 'revoked' scg keys -dir carol
refuses 3 'revoked' scg keys -dir grace
ok scg keys -dir alice
ok curl -sS --fail --cacert ca/ca.crt -o still.crl "$URL/crl"
same newest.crl still.crl
has gw.log "error crl-incomplete serial=$(serial carol/cert.pem | tr A-F a-f) name=carol "
cp ca/crl.pem gw/crl.pem
refuses 1 'wrong' scg-gateway check -config gw/gateway.conf
has .out "RFC 5280 3.3: it lacks the revocation of $(serial carol/cert.pem | tr A-F a-f) .carol.*scg-ca crl -above"

ok scg-ca crl -dir ca -above newest.crl -publish "$URL"
has .out "^taken over from list $newest: 1 revocations, and 1 of certificates that ca.db does not know$"
[ "$(number ca/crl.pem)" -eq $((newest + 2)) ] || fail "not the next number"
for who in carol dave; do
	file=$who.crt
	[ -e $file ] || file=$who/cert.pem
	lists ca/crl.pem $file || fail "$who is not on the list"
done
has crl.text 'Key Compromise'
refuses 3 'revoked' scg keys -dir carol
refuses 3 'revoked' scg keys -dir grace
ok scg keys -dir alice
json '[.[] | select(.name == "carol")] | .[0].status == "revoked" and .[0].reason == "keyCompromise"' scg-ca list -dir ca -json
json '[.[] | select(.name == null)] | length == 1 and .[0].status == "revoked" and .[0].role == null and .[0].not_after == null' scg-ca list -dir ca -json
ok scg-ca list -dir ca -status revoked
has .out "^$(serial dave.crt | tr A-F a-f)  -  "

say "again, and by an older list, changes nothing but the number"
ok scg-ca crl -dir ca -above newest.crl
has .out ": 0 revocations, and 0 of"
ok scg-ca crl -dir ca -above old.pem
has .out ": 0 revocations, and 0 of"
[ "$(number ca/crl.pem)" -eq $((newest + 4)) ] || fail "the number fell"
[ "$(openssl crl -in ca/crl.pem -noout -text | grep -c 'Serial Number')" -eq 3 ] || fail "not three entries"

say "whose revocation is known is not revoked twice; who was certified since is revoked by the certificate"
refuses 1 'revoked already' scg-ca revoke -dir ca -serial "$(serial dave.crt)"
refuses 1 'revoked already' scg-ca revoke -dir ca -cert dave.crt
refuses 1 'no certificate was issued to erin' scg-ca revoke -dir ca -name erin
ok scg-ca revoke -dir ca -cert erin.crt -reason affiliationChanged -publish "$URL"
has .out '^erin, serial'
lists ca/crl.pem erin.crt || fail "erin is not on the list"
lists ca/crl.pem dave.crt || fail "dave is no more on the list"
refuses 3 'certified at' scg-ca sign -dir ca -in erin.csr -out again.crt -name erin
json 'map(select(.name == "frank")) == []' scg-ca list -dir ca -json
refuses 1 'not issued by this CA' scg-ca revoke -dir ca -cert other/ca.crt
refuses 1 'not issued by this CA' scg-ca revoke -dir ca -cert ca/ca.crt
ok scg keys -dir bob
