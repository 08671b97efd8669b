#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# crl and revoke send the list to the gateway; whatever goes wrong there, the list itself is made and written.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need openssl jq curl

number() { openssl crl -in ca/crl.pem -noout -crlnumber; }
served() {
	curl -sf --cacert ca/ca.crt "$URL/crl" -o served.der && openssl crl -inform DER -in served.der -noout -crlnumber >served
}
made_all_the_same() { # the number before
	[ "$(number)" != "$1" ] || fail "no list was made"
	ok openssl crl -in ca/crl.pem -noout -CAfile ca/ca.crt
	has .err 'verify OK'
}

make_ca
make_gateway
gateway_up

say "a list, and a revocation, reach the gateway"
ok scg-ca crl -dir ca -publish "$URL"
served || fail "GET /crl"
[ "$(cat served)" = "$(number)" ] || fail "the gateway has another list"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout alice.key -subj /CN=x -out alice.csr 2>/dev/null
ok scg-ca sign -dir ca -in alice.csr -out alice.crt -name alice
ok scg-ca revoke -dir ca -name alice -publish "$URL"
served || fail "GET /crl"
[ "$(cat served)" = "$(number)" ] || fail "the gateway has another list"
openssl crl -inform DER -in served.der -noout -text >text
has text "$(openssl x509 -in alice.crt -noout -serial | cut -d= -f2)"

say "nobody there"
before=$(number)
refuses 5 'list .* was made and written, but not published' scg-ca crl -dir ca -publish https://127.0.0.1:1
made_all_the_same "$before"

say "a revocation that did not arrive arrives when it is asked for again, in the same words"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout bob.key -subj /CN=x -out bob.csr 2>/dev/null
ok scg-ca sign -dir ca -in bob.csr -out bob.crt -name bob
[ "$(stat -c %a bob.crt)" = 644 ] || fail "a gateway or member of another user cannot read its certificate"
refuses 5 'list .* was made and written, but not published' scg-ca revoke -dir ca -name bob -publish https://127.0.0.1:1
refuses 5 'not published' scg-ca revoke -dir ca -name bob -publish https://127.0.0.1:1
before=$(number)
refuses 1 'published again: bob was revoked already' scg-ca revoke -dir ca -name bob -publish "$URL"
served || fail "GET /crl"
[ "$(cat served)" = "$before" ] || fail "the gateway has another list"
refuses 1 '^scg-ca: bob was revoked already' scg-ca revoke -dir ca -name bob

say "another group's gateway, and one under a wrong name"
ok scg-ca init -dir other -group lab -noenc
before=$(openssl crl -in other/crl.pem -noout -crlnumber)
refuses 4 'not published' scg-ca crl -dir other -publish "$URL"
[ "$(openssl crl -in other/crl.pem -noout -crlnumber)" != "$before" ] || fail "no list was made"
ok scg-gateway init -dir far -cacert ca/ca.crt -host far.example -listen 127.0.0.1:0 -store "directory:$T/drive"
ok scg-ca sign -dir ca -in far/gateway.csr -out far/gateway.crt -name far -role gateway -san DNS:far.example
right=$URL
gateway_up far
before=$(number)
refuses 4 'not published' scg-ca crl -dir ca -publish "$URL"
made_all_the_same "$before"
URL=$right

say "a gateway that has a higher number already, from another copy of the CA"
cp -r ca copy
ok scg-ca crl -dir ca
ok scg-ca crl -dir ca -publish "$URL"
before=$(openssl crl -in copy/crl.pem -noout -crlnumber)
refuses 1 'not published' scg-ca crl -dir copy -publish "$URL"

say "a gateway whose certificate is revoked is not sent the list, even the one that says so"
before=$(number)
refuses 4 'revoked' scg-ca revoke -dir ca -name gw -publish "$URL"
made_all_the_same "$before"

say "what is no gateway's address is said before anything is done"
before=$(number)
for url in http://127.0.0.1:1 127.0.0.1:1 https:// "https://127.0.0.1:1/crl" ''; do
	refuses 2 '' scg-ca crl -dir ca -publish "$url"
done
[ "$(number)" = "$before" ] || fail "a list was made"
