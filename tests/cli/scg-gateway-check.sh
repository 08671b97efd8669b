#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check says all that is wrong at once, and changes nothing.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl

check() { scg-gateway check -config "$1/gateway.conf" >findings 2>.err; }
finds() { has findings "$1"; }
wrongs() { [ "$(grep -c '^wrong: ' findings)" -eq "$1" ] || fail "not $1 findings: $(cat findings)"; }

say "a gateway that was never signed"
make_ca
ok scg-gateway init -dir new -cacert ca/ca.crt -host localhost
if check new; then fail "nothing is wrong?"; fi
finds '^wrong: .*gateway\.crt: not there yet'
finds '^wrong: .*crl\.pem: no revocation list'
wrongs 2
has .err '2 things are wrong'

say "all is well: before it serves, while it serves, and after"
make_gateway
ok check gw
[ ! -s findings ] || fail "$(cat findings)"
gateway_up
ok check gw
stop gw
ok check gw
[ ! -s findings ] || fail "$(cat findings)"

say "everything wrong at once"
cp -a gw bad
cat >bad/gateway.conf <<-'END'
	listen = "nowhere";
	host = "localhost,other.example";
	store = "ftp:x";
	log_level = "loud";
	monitor = "0.0.0.0:9433";
	crl_url = "http://ca.example/crl";
	crl_fetch_s = 0;
	recovery = "none.crt";
	rotate = true;
	limits = { idle_s = "x"; };
END
chmod 644 bad/gateway.db
chmod 777 bad
printf 'garbage' >bad/crl.pem
sum=$(cat bad/* | cksum)
if check bad; then fail "nothing is wrong?"; fi
finds '^wrong: .*listen: not HOST:PORT'
finds '^wrong: .*store: neither'
finds '^wrong: .*log_level: not error'
finds '^wrong: .*monitor: not on this machine'
finds '^wrong: .*crl_url: .*only https'
finds '^wrong: .*gateway.conf:7: crl_fetch_s: must be a number from 1'
finds '^wrong: .*gateway.conf:9: unknown key rotate'
finds '^wrong: .*gateway.conf:10: limits.idle_s: must be a number'
finds '^wrong: .*none\.crt'
finds '^wrong: .*gateway.db: others may read it'
finds '^wrong: bad/\.: others may write it'
finds '^wrong: other.example: RFC 9525 6.3'
finds '^wrong: .*crl.pem: RFC 7468 2'
wrongs 13
[ "$(cat bad/* | cksum)" = "$sum" ] || fail "something was changed"

say "what cannot be read at all"
printf 'listen = ' >bad/gateway.conf
refuses 2 'gateway.conf:1: syntax error' scg-gateway check -config bad/gateway.conf
refuses 1 'No such file' scg-gateway check -config none/gateway.conf

say "a foreign list, an old one, one that has run out, one of the gateway itself"
hand_crl 1 86400
cp crl.hand gw/crl.pem
ok check gw
finds '^soon: crl.pem: older than the list in force'
hand_crl 50 1
cp crl.hand gw/crl.pem
sleep 1.2
if check gw; then fail "nothing is wrong?"; fi
finds '^wrong: crl.pem: RFC 5280 5.1.2.5: past its nextUpdate'
hand_crl 51 86400 gw/gateway.crt
cp crl.hand gw/crl.pem
if check gw; then fail "nothing is wrong?"; fi
finds "^wrong: crl.pem: lists the gateway's own certificate"
make_ca other lab
ok scg-ca crl -dir other -out gw/crl.pem
if check gw; then fail "nothing is wrong?"; fi
finds '^wrong: .*crl.pem: RFC 5280'
wrongs 1
rm gw/crl.pem
ok check gw

say "a key that others may read hides nothing else"
cp gw/gateway.conf kept.conf
sed -i 's/^host.*/host = "other.example";/' gw/gateway.conf
chmod 644 gw/gateway.key
if check gw; then fail "nothing is wrong?"; fi
finds '^wrong: .*gateway\.key: holds a key, but its mode 0644'
finds '^wrong: other.example: RFC 9525 6.3'
wrongs 2
mv gw/gateway.crt kept.crt
if check gw; then fail "nothing is wrong?"; fi
finds '^wrong: .*gateway\.crt: not there yet'
finds '^wrong: .*gateway\.key: others may read it'
wrongs 2
mv kept.crt gw/gateway.crt
mv kept.conf gw/gateway.conf
chmod 600 gw/gateway.key
ok check gw

say "another key than the certificate's, a foreign certificate, a certificate that ended"
CA=$T/ca
cp new/gateway.key gw/gateway.key
if check gw; then fail "nothing is wrong?"; fi
wrongs 1
by_hand late gateway 20200101000000Z 20200201000000Z
cp late/cert.pem gw/gateway.crt
cp late/key.pem gw/gateway.key
chmod 600 gw/gateway.key
if check gw; then fail "nothing is wrong?"; fi
finds '^wrong: gateway.crt: RFC 5280 4.1.2.5: ended 2020-02-01'
finds '^wrong: .*sealed'
