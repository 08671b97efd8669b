#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A new key and certificate for the gateway: the keys at rest follow it, whatever happens in between.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq

fingerprint() { openssl x509 -in "$1" -noout -fingerprint -sha256; }
served() {
	openssl s_client -connect "${URL#https://}" -CAfile ca/ca.crt </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256
}
sign_new() {
	ok scg-ca sign -dir ca -in gw/gateway.csr -out gw/gateway.crt.new -name gw -role gateway -san DNS:localhost,IP:127.0.0.1
	cp gw/gateway.crt.new new.crt
}
opens_the_same() {
	answers 200 - alice "$keys_path"
	answers 200 - alice /v1/group
	[ "$(jq -r .key_id .body)" = "$id" ] || fail "another epoch"
}

group_up
person alice
answers 200 - alice /v1/group
id=$(jq -r .key_id .body)

say "renew makes a key and a request, once"
ok scg-gateway renew -config gw/gateway.conf
has .out 'gateway\.crt\.new'
present gw/gateway.key.new
[ "$(stat -c %a gw/gateway.key.new)" = 600 ] || fail "mode"
refuses 1 'under way' scg-gateway renew -config gw/gateway.conf
opens_the_same

say "SIGHUP takes the signed pair over"
sign_new
kill -HUP "$(pid gw)"
within 60 grep -q ' renewed ' gw.log
absent gw/gateway.key.new gw/gateway.crt.new
same new.crt gw/gateway.crt
[ "$(served)" = "$(fingerprint new.crt)" ] || fail "the old certificate is served"
opens_the_same

say "so does a restart"
ok scg-gateway renew -config gw/gateway.conf -newkey rsa:3072
sign_new
stop gw
gateway_up
same new.crt gw/gateway.crt
[ "$(served)" = "$(fingerprint new.crt)" ] || fail "the old certificate is served"
opens_the_same

say "a crash after the keys were sealed to it, before, and between the two renames"
for step in 0 1 2; do
	ok scg-gateway renew -config gw/gateway.conf
	sign_new
	stop gw
	rm -rf old new
	cp -a gw old
	gateway_up
	stop gw
	cp -a gw new
	case $step in
	0) rm -rf gw && cp -a old gw ;;
	1) rm -rf gw && cp -a old gw && cp new/gateway.db gw/ ;;
	2) rm -rf gw && cp -a old gw && cp new/gateway.db gw/ && mv gw/gateway.key.new gw/gateway.key ;;
	esac
	gateway_up
	absent gw/gateway.key.new gw/gateway.crt.new
	same new.crt gw/gateway.crt
	opens_the_same
done

say "a certificate for another key is refused, and nothing is touched"
ok scg-gateway renew -config gw/gateway.conf
cp alice/cert.pem gw/gateway.crt.new
kill -HUP "$(pid gw)"
within 60 grep -q 'reload-failed' gw.log
present gw/gateway.key.new
opens_the_same
stop gw
refuses 3 'gateway\.crt\.new' scg-gateway run -config gw/gateway.conf
rm gw/gateway.crt.new
gateway_up
opens_the_same

say "the old certificate, superseded, changes nothing for members"
answers 200 - alice "$keys_path"
