#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who is refused, and why: each refusal is one 403 with its reason, and then the connection is closed.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq

group_up
person alice
by_hand late member 20240101000000Z 20250101000000Z
by_hand early member 20400101000000Z 20410101000000Z
by_hand fine member "$(date -u -d '-1 minute' +%Y%m%d%H%M%SZ)" "$(date -u -d '+1 day' +%Y%m%d%H%M%SZ)"
by_hand gw2 gateway "$(date -u -d '-1 minute' +%Y%m%d%H%M%SZ)" "$(date -u -d '+1 day' +%Y%m%d%H%M%SZ)"
ok scg-ca init -dir foreign -group lab -noenc
key_and_request mallory
ok scg-ca sign -dir foreign -in mallory.csr -out mallory/cert.pem -name alice

say "good members are served"
for who in alice fine; do
	answers 200 - $who "$keys_path"
done

say "the others are told why not"
for path in "$keys_path" /v1/group "/v1/ledger/head?nonce=$NONCE" '/v1/ledger/entries?from=0'; do
	answers 403 no-certificate - "$path"
	answers 403 foreign mallory "$path"
	answers 403 expired late "$path"
	answers 403 not-yet-valid early "$path"
	answers 403 wrong-purpose gw2 "$path"
done
answers 403 no-certificate - /v1/ledger/events -X POST --data-binary @ca/ca.crt
answers 403 foreign mallory /v1/ledger/events -X POST --data-binary @ca/ca.crt
answers 403 expired late /v1/group/store -X PUT --data-binary '{"store":"gdrive:x"}'

say "a clock error names the gateway's time"
hour=$(date -u +%Y-%m-%dT%H)
answers 403 expired late /v1/group
has .body "$hour|$(date -u +%Y-%m-%dT%H)"

say "a refused connection is closed"
printf 'GET /v1/group HTTP/1.1\r\nHost: localhost\r\n\r\n' |
	openssl s_client -quiet -ign_eof -connect "${URL#https://}" -CAfile ca/ca.crt >.raw 2>.err
has .raw '^HTTP/1.1 403'
has .raw '^Connection: close'

say "anybody may have the list"
answers 200 - - /crl
ok openssl crl -inform DER -in .body -CAfile ca/ca.crt -noout
answers 200 - mallory /crl

say "what is not there, and other methods"
answers 404 not-found alice /v1/nothing
answers 405 method-not-allowed alice "$keys_path" -X POST -d x
answers 405 method-not-allowed - /crl -X DELETE
answers 400 bad-nonce alice /v1/keys
answers 400 bad-nonce alice '/v1/keys?nonce=0011223344556677889900112233445566778899001122334455667788990011223344'

say "one line a refusal in the log, with its rule, and no key"
has gw.log 'refused .*status=403 rule=foreign'
has gw.log 'refused .*name=late .*rule=expired'
lacks gw.log 'PRIVATE'

say "TLS 1.2 is not spoken"
if openssl s_client -tls1_2 -connect "${URL#https://}" </dev/null >.raw 2>&1; then
	fail "TLS 1.2"
fi
