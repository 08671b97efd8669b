#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The group key by curl and openssl alone, for members with keys of each kind; the lists of epochs; export and the recovery drill.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq sqlite3

make_ca
person recovery admin
make_gateway gw -recovery recovery/cert.pem
gateway_up
person alice
person bob member -newkey rsa:3072
person carol member -newkey ec -pkeyopt ec_paramgen_curve:P-384

# stock_keys NAME: "KEY ID" an epoch, newest first
stock_keys() {
	answers 200 - "$1" "$keys_path"
	ok openssl cms -verify -inform DER -in .body -CAfile ca/ca.crt -purpose sslserver -binary -out k.env
	ok openssl cms -decrypt -inform DER -in k.env -recip "$1/cert.pem" -inkey "$1/key.pem" -binary -out k.pkg
	list_keys k.pkg
}
list_keys() {
	ok openssl asn1parse -inform DER -in "$1"
	awk -F: '/OCTET STRING/ { key = $NF }
		/UTF8STRING/ { if (length($NF) == 32) id = $NF }
		key != "" && id != "" { print tolower(key), id; key = ""; id = "" }' .out
}

say "members with keys of each kind get the same key"
stock_keys alice >keys.alice
stock_keys bob >keys.bob
stock_keys carol >keys.carol
has keys.alice '^[0-9a-f]{64} [0-9a-f]{32}$'
[ "$(wc -l <keys.alice)" -eq 1 ] || fail "not one epoch"
same keys.alice keys.bob
same keys.alice keys.carol

say "the nonce comes back signed"
answers 200 - alice "$keys_path"
ok openssl cms -cmsout -print -inform DER -in .body
has .out '2\.16\.840\.1\.113733\.1\.9\.6'
ok openssl asn1parse -inform DER -in .body
has .out "OCTET STRING.*:00112233445566778899AABBCCDDEEFF"

say "outside of the connection nobody else reads the reply"
answers 200 - alice "$keys_path"
ok openssl cms -verify -inform DER -in .body -CAfile ca/ca.crt -purpose sslserver -binary -out k.env
if openssl cms -decrypt -inform DER -in k.env -recip carol/cert.pem -inkey carol/key.pem -binary -out other 2>/dev/null; then
	fail "opened with another member's key"
fi
if openssl cms -verify -inform DER -in .body -CAfile ca/ca.crt -purpose smimesign -binary -out other 2>/dev/null; then
	fail "the gateway's signature passed for a member's"
fi

say "keys lists epochs, never a key"
json 'length == 1 and .[0].epoch == 1 and .[0].retired == null and (.[0].created | test("^20.*Z$"))' scg-gateway keys -config gw/gateway.conf -json
jq -r '.[0].key_id' .out >id
has keys.alice " $(cat id)\$"
key=$(cut -d' ' -f1 keys.alice)
lacks .out "$key"
ok scg-gateway keys -config gw/gateway.conf
has .out "^1  $(cat id)  created .* current$"
lacks gw.log "$key"

say "rotate beside the running gateway is served at once"
ok scg-gateway rotate -config gw/gateway.conf
stock_keys bob >keys.bob
[ "$(wc -l <keys.bob)" -eq 2 ] || fail "not two epochs"
tail -n 1 keys.bob >keys.old
same keys.old keys.alice
json 'map(.epoch) == [2, 1] and .[0].retired == null and .[1].retired != null' scg-gateway keys -config gw/gateway.conf -json
[ "$(epoch alice)" = 2 ] || fail "the running gateway did not notice"

say "export: the same package to a certificate"
ok scg-gateway export -config gw/gateway.conf -recip carol/cert.pem -out exported.cms
[ "$(stat -c %a exported.cms)" = 600 ] || fail "mode"
ok openssl cms -decrypt -inform DER -in exported.cms -recip carol/cert.pem -inkey carol/key.pem -binary -out e.pkg
list_keys e.pkg >keys.exported
same keys.exported keys.bob
refuses 2 'recip' scg-gateway export -config gw/gateway.conf -out x.cms
refuses 1 'none.crt' scg-gateway export -config gw/gateway.conf -recip none.crt -out x.cms
absent x.cms
sha256sum gw/gateway.key gw/gateway.conf >before
for file in gateway.db gateway.db-wal gateway.key gateway.conf; do
	refuses 2 "the gateway's own $file" scg-gateway export -config gw/gateway.conf -recip carol/cert.pem -out "gw/../gw/$file"
	refuses 2 "the gateway's own $file" scg-gateway run -config gw/gateway.conf -ready "gw/$file"
done
sha256sum gw/gateway.key gw/gateway.conf | cmp -s - before || fail "the gateway's files changed"
ok scg-gateway keys -config gw/gateway.conf

say "the recovery drill: a copy of the database, the offline key, stock tools"
stop gw
cp gw/gateway.db backup.db
ok sqlite3 backup.db "SELECT writefile('$T/rest.cms', value) FROM thing WHERE name = 'keys'"
ok openssl cms -decrypt -inform DER -in rest.cms -recip recovery/cert.pem -inkey recovery/key.pem -binary -out r.pkg
list_keys r.pkg >keys.rest
same keys.rest keys.bob

say "no key and no name lies in the files in the clear"
raw=$(cut -d' ' -f1 keys.bob | head -n 1)
[ "$(xxd -p gw/gateway.db | tr -d '\n' | grep -c "$raw" || :)" = 0 ] || fail "a key in the database"
