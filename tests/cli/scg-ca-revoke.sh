#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Revocation: by name, serial number and file; reasons; numbers that rise; what the list of certificates says.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need openssl jq

issue() { # NAME FILE [OPTION...]
	_name=$1 _file=$2
	shift 2
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$_file.key" -subj /CN=x -out "$_file.csr" 2>/dev/null
	ok scg-ca sign -dir ca -in "$_file.csr" -out "$_file.crt" -name "$_name" "$@"
}
serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }
number() { printf '%d\n' "$(openssl crl -in ca/crl.pem -noout -crlnumber | cut -d= -f2)"; }
listed() { openssl crl -in ca/crl.pem -noout -text -CAfile ca/ca.crt >"$T/crl" 2>&1 && grep -q 'verify OK' "$T/crl" && grep -q "$1" "$T/crl"; }
seconds() { date -u -d "$(openssl crl -in ca/crl.pem -noout -nextupdate | cut -d= -f2)" +%s; }

make_ca
for name in alice bob carol dora; do issue $name $name; done

say "by name, with a reason"
before=$(number)
ok scg-ca revoke -dir ca -name alice -reason keyCompromise
[ "$(number)" -eq $((before + 1)) ] || fail "the number did not rise by one"
listed "$(serial alice.crt)" || fail "alice is not on the list"
has crl 'Key Compromise'
if openssl verify -crl_check -CAfile ca/ca.crt -CRLfile ca/crl.pem alice.crt >/dev/null 2>&1; then fail "alice still verifies"; fi
ok openssl verify -crl_check -CAfile ca/ca.crt -CRLfile ca/crl.pem bob.crt
if command -v certtool >/dev/null; then
	ok certtool --verify-crl --load-ca-certificate ca/ca.crt --infile ca/crl.pem
fi

say "a second time is an error that says when, and changes nothing"
before=$(number)
refuses 1 'alice was revoked already, at 20..-..-..T..:..:..Z \(keyCompromise\)' scg-ca revoke -dir ca -name alice
[ "$(number)" -eq "$before" ] || fail "a list was made"
say "but it puts a lost list back"
rm ca/crl.pem
refuses 1 'revoked already' scg-ca revoke -dir ca -name alice
listed "$(serial alice.crt)" || fail "the list did not come back"

say "by serial number, as openssl prints it, and by the certificate's file; without reason no extension stands there"
ok scg-ca revoke -dir ca -serial "$(serial bob.crt)"
listed "$(serial bob.crt)" || fail "bob is not on the list"
[ "$(grep -c 'Reason Code' crl)" -eq 1 ] || fail "a reason for bob"
ok scg-ca revoke -dir ca -cert carol.crt -reason cessationOfOperation
has .out '^carol, serial'
listed "$(serial carol.crt)" || fail "carol is not on the list"
colons=$(serial dora.crt | sed 's/../&:/g; s/:$//' | tr 'A-F' 'a-f')
ok scg-ca revoke -dir ca -serial "00:$colons" -reason superseded
listed "$(serial dora.crt)" || fail "dora is not on the list"

say "unknown ones"
before=$(number)
refuses 1 'no certificate was issued to nobody' scg-ca revoke -dir ca -name nobody
refuses 1 'no certificate with this serial' scg-ca revoke -dir ca -serial 0123456789abcdef0123456789abcdef
refuses 2 'serial' scg-ca revoke -dir ca -serial 0
refuses 2 'serial' scg-ca revoke -dir ca -serial 'xyz'
refuses 2 'serial' scg-ca revoke -dir ca -serial "$(printf 'a%.0s' $(seq 41))"
ok scg-ca init -dir other -group lab -noenc
ok scg-ca sign -dir other -in alice.csr -out other.crt -name alice
refuses 1 'not issued by this CA' scg-ca revoke -dir ca -cert other.crt
refuses 1 'not issued by this CA' scg-ca revoke -dir ca -cert ca/ca.crt
refuses 4 'alice.key' scg-ca revoke -dir ca -cert alice.key
refuses 1 'none.crt' scg-ca revoke -dir ca -cert none.crt
refuses 2 'reason is none of' scg-ca revoke -dir ca -name bob -reason because
refuses 2 'reason is none of' scg-ca revoke -dir ca -name bob -reason certificateHold
refuses 2 'contradict' scg-ca revoke -dir ca -name bob -serial 01
refuses 2 'missing' scg-ca revoke -dir ca
[ "$(number)" -eq "$before" ] || fail "a list was made"

say "a renewal: the name has two certificates; superseded says which, whoever goes loses both"
issue erin erin
issue erin erin2
has .out 'had a valid certificate before'
before=$(number)
refuses 1 "erin has 2 valid certificates; say by -serial which one is superseded: $(serial erin.crt | tr 'A-F' 'a-f'), $(serial erin2.crt | tr 'A-F' 'a-f')" \
	scg-ca revoke -dir ca -name erin -reason superseded
[ "$(number)" -eq "$before" ] || fail "a list was made"
ok scg-ca revoke -dir ca -serial "$(serial erin.crt)" -reason superseded
issue erin erin3
ok scg-ca revoke -dir ca -name erin -reason privilegeWithdrawn
[ "$(wc -l <.out)" -eq 2 ] || fail "not both: $(cat .out)"
for cert in erin2.crt erin3.crt; do
	listed "$(serial $cert)" || fail "$cert is not on the list"
done
[ "$(number)" -eq $((before + 2)) ] || fail "not one list"
refuses 1 'erin was revoked already' scg-ca revoke -dir ca -name erin

say "a key is certified once, also after its revocation"
refuses 3 'certified at .* for alice .*a renewal needs a new key' scg-ca sign -dir ca -in alice.csr -out again.crt -name alice
refuses 3 'certified at' scg-ca sign -dir ca -in bob.csr -out again.crt -name gw -role gateway -san DNS:gw
absent again.crt

say "the number rises with each list; its life is seven days, and what crl sets is kept by revoke"
issue frank frank
before=$(number)
ok scg-ca crl -dir ca
[ "$(number)" -eq $((before + 1)) ] || fail "the number did not rise"
left=$(($(seconds) - $(date +%s)))
if [ $left -lt $((7 * 86400 - 600)) ] || [ $left -gt $((7 * 86400)) ]; then fail "the list lives $left seconds"; fi
ok scg-ca crl -dir ca -days 30 -out copy.pem
same ca/crl.pem copy.pem
ok scg-ca revoke -dir ca -name frank
[ $(($(seconds) - $(date +%s))) -gt $((29 * 86400)) ] || fail "the emergency shortened the list's life"
if command -v certtool >/dev/null; then
	ok certtool --crl-info --infile ca/crl.pem
fi

say "the list of certificates, as a table and as JSON"
issue gina gina -role admin
issue gw gw -role gateway -san DNS:localhost
json 'length == 10 and ([.[].name] == ["alice", "bob", "carol", "dora", "erin", "erin", "erin", "frank", "gina", "gw"])' scg-ca list -dir ca -json
json '[.[] | keys == ["name", "not_after", "reason", "revoked_at", "role", "serial", "status"]] | all' scg-ca list -dir ca -json
json '.[0] | .status == "revoked" and .reason == "keyCompromise" and (.revoked_at | test("^20..-..-..T..:..:..Z$")) and .role == "member"' \
	scg-ca list -dir ca -json
json '.[1].reason == "unspecified"' scg-ca list -dir ca -json
json '.[8] == (.[8] + {"status": "valid", "role": "admin", "revoked_at": null, "reason": null})' scg-ca list -dir ca -json
json 'length == 2 and all(.[]; .status == "valid")' scg-ca list -dir ca -json -status valid
json 'length == 8 and all(.[]; .status == "revoked")' scg-ca list -dir ca -json -status revoked
json '. == []' scg-ca list -dir ca -json -status expired
refuses 2 'status is none of' scg-ca list -dir ca -status gone
ok scg-ca list -dir ca -status valid
[ "$(wc -l <.out)" -eq 3 ] || fail "not two lines and a title"
has .out '^SERIAL +NAME +ROLE +STATUS +NOT AFTER'
# column 4 begins at the same place in each line
[ "$(sed 's/\(STATUS\|valid\).*//' .out | awk '{ print length($0) }' | sort -u | wc -l)" -eq 1 ] || fail "the columns do not stand below each other"
