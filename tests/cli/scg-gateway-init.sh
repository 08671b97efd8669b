#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scg-gateway init: a whole folder or none, never over another one; what it writes is what scg-ca and run take.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl

make_ca
init_gw() {
	_dir=$1
	shift
	scg-gateway init -dir "$_dir" -cacert ca/ca.crt -host localhost,127.0.0.1 -listen 127.0.0.1:0 "$@"
}

say "the folder is complete and private"
ok init_gw gw -store directory:/mnt/drive
present gw/gateway.conf gw/gateway.key gw/gateway.csr gw/ca.crt gw/gateway.db
absent gw/gateway.crt gw/crl.pem gw/gateway.db-wal
has .out 'san DNS:localhost,IP:127\.0\.0\.1'
[ "$(stat -c %a gw)" = 700 ] || fail "folder"
for file in gw/gateway.key gw/gateway.db; do
	[ "$(stat -c %a $file)" = 600 ] || fail "$file is not private"
done
has gw/gateway.conf '^listen = "127\.0\.0\.1:0";'
has gw/gateway.conf '^store = "directory:/mnt/drive";'
ok openssl req -in gw/gateway.csr -verify -noout

say "nor begun where SQLite could not open the database"
long=$(long_folder)
refuses 1 'gateway.db: a path of 531 bytes from the root on; SQLite takes 504' init_gw "$long"
absent "$long"

say "never over an existing one"
cp -a gw before
refuses 1 'there already' init_gw gw
for file in gateway.conf gateway.key gateway.csr ca.crt gateway.db; do
	same before/$file gw/$file
	rm -rf one
	mkdir one
	cp gw/$file one/
	refuses 1 "$file.*there already" init_gw one
	[ "$(ls one)" = "$file" ] || fail "something was written beside $file"
done

say "what is wrong is found before anything is written"
refuses 2 'cacert' scg-gateway init -dir no -host localhost
refuses 2 'host' scg-gateway init -dir no -cacert ca/ca.crt
refuses 2 'colour' init_gw no -colour red
refuses 2 'host' scg-gateway init -dir no -cacert ca/ca.crt -host a -host b
refuses 2 'noenc|passout' init_gw no -noenc -passout pass:secret
refuses 2 'host' scg-gateway init -dir no -cacert ca/ca.crt -host 'a b'
refuses 2 'host' scg-gateway init -dir no -cacert ca/ca.crt -host https://a
refuses 2 'listen' scg-gateway init -dir no -cacert ca/ca.crt -host a -listen 127.0.0.1
refuses 2 'store' init_gw no -store ftp:x
refuses 2 'key type' init_gw no -newkey x25519
refuses 2 . init_gw no operand
refuses 1 'nothing.crt' scg-gateway init -dir no -cacert nothing.crt -host a
refuses 4 . scg-gateway init -dir no -cacert gw/gateway.conf -host a
absent no

say "a member's certificate is no CA"
person alice
refuses 4 . scg-gateway init -dir no -cacert alice/cert.pem -host a
absent no

say "a folder where nothing can be written"
if [ "$(id -u)" -ne 0 ]; then
	mkdir -m 500 sealed
	refuses 1 . init_gw sealed/gw
	absent sealed/gw
fi

say "a relative store is made absolute, a recovery certificate copied, a key encrypted"
person officer admin
ok init_gw gw2 -store directory:drive -recovery officer/cert.pem -newkey ec:P-384 -passout pass:secret
has gw2/gateway.conf "^store = \"directory:$T/drive\";"
has gw2/gateway.conf '^recovery = "recovery.crt";'
same officer/cert.pem gw2/recovery.crt
has gw2/gateway.key 'BEGIN ENCRYPTED PRIVATE KEY'
ok openssl pkey -in gw2/gateway.key -passin pass:secret -noout

say "before it is signed run says what is missing"
refuses 1 'gateway\.crt: not there yet' scg-gateway run -config gw/gateway.conf

say "an encrypted key: its passphrase on the command line or by the configuration"
ok scg-ca sign -dir ca -in gw2/gateway.csr -out gw2/gateway.crt -name gw2 -role gateway -san DNS:localhost,IP:127.0.0.1
printf 'secret\n' >gw2/passphrase
printf 'wrong\n' >wrong
refuses 1 'passphrase' scg-gateway run -config gw2/gateway.conf -passin file:wrong
refuses 2 'terminal|passphrase' setsid scg-gateway run -config gw2/gateway.conf
refuses 1 'never ran' scg-gateway keys -config gw2/gateway.conf -passin file:gw2/passphrase
echo 'passin = "file:passphrase";' >>gw2/gateway.conf
gateway_up gw2
json 'length == 1' scg-gateway keys -config gw2/gateway.conf -json
kill -HUP "$(pid gw2)"
within 60 grep -q ' reloaded ' gw2.log
stop gw2
[ "$status" -eq 0 ] || fail "status $status"
