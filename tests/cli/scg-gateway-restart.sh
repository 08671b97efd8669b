#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What outlives a restart, a kill -9 and a copy; one gateway a folder; reloading; configuration errors.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq

group_up
person alice
person bob
answers 200 - alice "$keys_path"
answers 200 - bob "$keys_path"
revoke bob
refused_bob() {
	ask bob "$keys_path"
	[ "$code" = 403 ]
}
within 60 refused_bob
ask alice /v1/group
jq -S 'del(.time)' .body >before

say "two at once: the second is refused and disturbs nothing"
refuses 5 'runs on this folder already' scg-gateway run -config gw/gateway.conf -ready other
absent other
refuses 5 'runs on this folder already' scg-gateway run -config gw/gateway.conf -ready gw.ready
present gw.ready
answers 200 - alice "$keys_path"

say "SIGTERM ends it with one complete file"
stop gw
[ "$status" -eq 0 ] || fail "status $status"
absent gw/gateway.db-wal gw/gateway.db-shm
cp gw/gateway.db backup.db

say "a restart changes nothing: no epoch, no entry, bob still refused even without crl.pem"
rm gw/crl.pem
gateway_up
answers 403 revoked bob "$keys_path"
ask alice /v1/group
jq -S 'del(.time)' .body >after
same before after

say "kill -9 in the middle of requests"
for _ in 1 2 3; do
	(while ask alice "$keys_path" && [ "$code" = 200 ]; do :; done) &
	sleep 0.2
	stop gw KILL
	wait $! || :
	gateway_up
	answers 200 - alice "$keys_path"
	answers 403 revoked bob "$keys_path"
	ask alice /v1/group
	jq -S 'del(.time)' .body >after
	same before after
done

say "the copy of the one file is a backup"
stop gw
cp backup.db gw/gateway.db
rm -f gw/gateway.db-wal gw/gateway.db-shm
gateway_up
ask alice /v1/group
jq -S 'del(.time)' .body >after
same before after

say "SIGHUP: a mistake leaves everything as it was, a change is taken"
cp gw/gateway.conf good.conf
echo 'rotate_on_revok = true;' >>gw/gateway.conf
kill -HUP "$(pid gw)"
within 60 grep -q 'reload-failed.*rotate_on_revok' gw.log
answers 200 - alice "$keys_path"
{
	cat good.conf
	echo 'rotate_on_revoke = false;'
} | sed '0,/^rotate_on_revoke = true;/{//d}' >gw/gateway.conf
kill -HUP "$(pid gw)"
within 60 grep -q ' reloaded ' gw.log
person carol
answers 200 - carol "$keys_path"
revoke carol
refused_carol() {
	ask carol "$keys_path"
	[ "$code" = 403 ]
}
within 60 refused_carol
[ "$(epoch alice)" = 2 ] || fail "rotated although it was switched off"

say "SIGHUP reads crl.pem anew"
kill -HUP "$(pid gw)"
within 60 grep -q 'crl-ignored from=crl.pem .*already' gw.log

say "configuration errors: status 2 and the line"
stop gw
sed '/^limits/d' gw/gateway.conf >good.conf
wrong() {
	cp good.conf gw/gateway.conf
	echo "$2" >>gw/gateway.conf
	refuses 2 "gateway\.conf.*$1" scg-gateway run -config gw/gateway.conf -ready other
	absent other
}
wrong ':[0-9]+.*colour' 'colour = "red";'
wrong 'log_level' 'log_level = "loud";'
wrong 'limits' 'limits = { nothing = 1; };'
wrong ':[0-9]+' 'host = ;'
wrong . 'listen = "127.0.0.1:1";'
cp good.conf gw/gateway.conf
refuses 2 'config' scg-gateway run
refuses 1 'no-such.conf' scg-gateway run -config no-such.conf
refuses 2 'unknown|subcommand|command' scg-gateway walk
refuses 2 . scg-gateway run -config gw/gateway.conf -config gw/gateway.conf

say "files that do not fit: refused at the start"
cp gw/gateway.crt good.crt
cp alice/cert.pem gw/gateway.crt
refuses 3 'gateway\.crt.*not a gateway' scg-gateway run -config gw/gateway.conf
by_hand gw2 gateway "$(date -u -d '-1 minute' +%Y%m%d%H%M%SZ)" "$(date -u -d '+1 day' +%Y%m%d%H%M%SZ)"
cp gw2/cert.pem gw/gateway.crt
refuses 4 'key' scg-gateway run -config gw/gateway.conf
cp gw2/key.pem gw/gateway.key
chmod 600 gw/gateway.key
refuses 3 'sealed to' scg-gateway run -config gw/gateway.conf
chmod 644 gw/gateway.key
refuses 1 'gateway\.key' scg-gateway run -config gw/gateway.conf
