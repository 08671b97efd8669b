#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# testssl.sh (Debian's) on a gateway: protocols, ciphers, certificate, headers, known holes. No finding of LOW or worse.
TEST_LIMIT=1500
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need testssl openssl jq

# A certificate says where its revocation list is, if the officer knew.
CA=ca
ok scg-ca init -dir ca -group lab -noenc -crlurl https://ca.example/crl.pem
make_gateway
gateway_up

# Without name servers: it is a gateway of this machine. A machine that is too slow shows nothing.
status=0
timeout -k 10 900 testssl --quiet --color 0 --warnings off --nodns none --ip 127.0.0.1 --add-ca "$T/ca/ca.crt" --jsonfile "$T/found.json" \
	-p -s -f -P -S -h -U "localhost:${URL##*:}" >testssl.log 2>&1 </dev/null || status=$?
[ $status -ne 124 ] || skip "testssl took longer than 15 minutes"

say "it has looked"
for sure in 'TLS1_3:offered with final' 'TLS1_2:not offered' 'heartbleed:not vulnerable' 'cert_chain_of_trust:passed' 'PFS:offered'; do
	jq -e --arg id "${sure%%:*}" --arg is "${sure#*:}" 'any(.[]; (.id | startswith($id)) and (.finding | startswith($is)))' found.json >/dev/null ||
		fail "no finding that begins with $sure: $(jq -c --arg id "${sure%%:*}" '.[] | select(.id | startswith($id))' found.json)"
done

say "it has found nothing"
# What is let pass, each with its reason:
#   none
allowed=''
jq -r --arg allowed "$allowed" '.[] | select(.severity | IN("LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL")) |
	select(.id | IN($allowed | split(" ")[]) | not) | "\(.severity) \(.id): \(.finding)"' found.json >findings
[ ! -s findings ] || fail "$(cat findings)"
