#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Revocation lists: which are taken, from where, and that the gateway is closed without a current one.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq

served_number() {
	ask - /crl
	[ "$code" = 200 ] && openssl crl -inform DER -in .body -noout -crlnumber | sed 's/.*0x//'
}
number_is() { [ "$(served_number)" = "$1" ]; }

make_ca
make_gateway
cp gw/crl.pem first.pem
person alice
person bob
rm gw/crl.pem

say "without a list it starts, and is closed"
gateway_up
answers 503 no-crl alice "$keys_path"
answers 503 no-crl alice /v1/group
answers 503 no-crl - /v1/group
answers 404 not-found - /crl

say "a list in the folder opens it"
cp first.pem gw/crl.pem
within 60 number_is 02
answers 200 - alice "$keys_path"

say "a list that is sent is taken: PEM, DER, and again"
ok scg-ca crl -dir ca
answers 204 - - /crl -X PUT --data-binary @ca/crl.pem
number_is 03 || fail "not in force"
ok openssl crl -in ca/crl.pem -outform DER -out crl.der
answers 204 - - /crl -X PUT --data-binary @crl.der
ok scg-ca crl -dir ca
ok openssl crl -in ca/crl.pem -outform DER -out crl.der
answers 204 - - /crl -X PUT --data-binary @crl.der
number_is 04 || fail "not in force"

say "an older one is refused, and ignored in the folder"
answers 409 crl-older - /crl -X PUT --data-binary @first.pem
cp first.pem gw/crl.pem
within 60 grep -q 'crl-ignored from=crl.pem number=2 .*older' gw.log
number_is 04 || fail "went back"

say "another list with the same number is refused"
hand_crl 4 86400 bob/cert.pem
answers 409 crl-number - /crl -X PUT --data-binary @crl.hand
cp crl.hand gw/crl.pem
within 60 grep -q 'crl-ignored from=crl.pem number=4 .*another list' gw.log
answers 200 - bob "$keys_path"

say "neither forged nor foreign nor broken ones are taken"
ok scg-ca init -dir foreign -group lab -noenc
ok scg-ca crl -dir foreign
answers 400 crl-invalid - /crl -X PUT --data-binary @ca/ca.crt
cp foreign/crl.pem gw/crl.pem
hand_crl 9 86400 alice/cert.pem
ok openssl crl -in crl.hand -outform DER -out forged.der
size=$(stat -c %s forged.der)
flip forged.der -3
answers 400 crl-invalid - /crl -X PUT --data-binary @forged.der
head -c $((size / 2)) crl.der >cut.der
answers 400 crl-invalid - /crl -X PUT --data-binary @cut.der
number_is 04 || fail "taken"
answers 200 - alice "$keys_path"

say "sizes: 1 MiB from anybody"
head -c 1048577 /dev/zero >large
answers 413 too-large - /crl -X PUT --data-binary @large
answers 413 too-large alice /crl -X PUT --data-binary @large

say "an expired list is refused"
hand_crl 16 1
sleep 1.2
answers 400 crl-expired - /crl -X PUT --data-binary @crl.hand
number_is 04 || fail "taken"

say "when nextUpdate passes, it closes by itself"
# A machine that was too slow for a short life tries a longer one.
opened() {
	hand_crl "$1" "$2"
	ask - /crl -X PUT --data-binary @crl.hand
	[ "$code" = 204 ] || return 1
	ask alice "$keys_path"
	[ "$code" = 200 ]
}
life=2
until opened "$((15 + life))" $life; do
	[ $life -lt 64 ] || fail "$code where a current list is in force: $(cat .body)"
	life=$((life * 2))
done
ask_closed() {
	ask alice "$keys_path"
	[ "$code" = 503 ]
}
within $((life + 30)) ask_closed
grep -q crl-not-current .body || fail "not for this reason"
answers 200 - - /crl

say "closed it stays after a restart, and opens with the next list"
stop gw
[ "$status" -eq 0 ] || fail "status $status"
gateway_up
answers 503 crl-not-current alice /v1/group
hand_crl 96 86400
cp crl.hand gw/.new && mv gw/.new gw/crl.pem
within 60 number_is 60
answers 200 - alice "$keys_path"

say "a large list is an admin's: verified aside, then in force"
person officer admin
hand_crl 112 86400
awk -v soon="$(date -u -d '+1 day' +%y%m%d%H%M%SZ)" -v then="$(date -u -d '-1 minute' +%y%m%d%H%M%SZ)" 'BEGIN {
	for (i = 0; i < 45000; i++)
		printf "R\t%s\t%s,superseded\tAA%010X\tunknown\t/CN=x\n", soon, then, i
}' >hand.idx
printf '70\n' >hand.number
ok openssl ca -config hand.cnf -gencrl -cert ca/ca.crt -keyfile ca/ca.key -crlsec 86400 -out crl.hand
ok openssl crl -in crl.hand -outform DER -out large.der
[ "$(stat -c %s large.der)" -gt 1048576 ] || fail "not large"
answers 413 too-large - /crl -X PUT --data-binary @large.der
answers 202 - officer /crl -X PUT --data-binary @large.der
within 60 number_is 70
answers 200 - alice "$keys_path"

say "a body of 48 MiB costs the gateway disk while it comes, not memory, and leaves no file"
peak() { awk '$1 == "VmHWM:" { print $2 }' "/proc/$(pid gw)/status"; }
spools() { # its file has no name, or a hidden one
	find gw -name '.scg-*'
	find "/proc/$(pid gw)/fd" -lname '*(deleted)' 2>/dev/null || : # another user may not look
}
no_spool() { [ -z "$(spools)" ]; }
# A list is reloaded only when the large one is stored: no other thread needs memory or files then.
kill -HUP "$(pid gw)"
within 60 grep -q ' reloaded ' gw.log
within 60 no_spool
head -c 50331648 /dev/zero >large
before=$(peak)
answers 400 crl-invalid officer /crl -X PUT --data-binary @large
instrumented || [ $(($(peak) - before)) -lt 16384 ] || fail "$before KiB before, $(peak) after"
within 60 no_spool
rm large

say "none of this rotated: nobody was named"
[ "$(epoch alice)" = 1 ] || fail "a new epoch"
