#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# TLS sessions, with openssl as the client: resumed where the configuration says so, never after another list is in force,
# and never instead of a look at the list.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq

# visit SESSION-IN|- SESSION-OUT OPTION...: asks for the keys; what openssl and the gateway say is in .visit
visit() {
	_in=$1 _out=$2
	shift 2
	rm -f "$_out"
	[ "$_in" = - ] || set -- -sess_in "$_in" "$@"
	printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$keys_path" |
		openssl s_client -connect "${URL#https://}" -CAfile "$CA/ca.crt" -ign_eof -sess_out "$_out" "$@" >.visit 2>.visit-errors ||
		fail "$(cat .visit-errors)"
}
as() { printf '%s' "-cert $1/cert.pem -key $1/key.pem"; }
is_new() { has .visit '^New, TLSv1.3,'; lacks .visit '^Reused,'; }
is_reused() { has .visit '^Reused, TLSv1.3,'; }
told() { grep -aq "^HTTP/1.1 $1 " .visit || fail "$(grep -a '^HTTP/1.1' .visit) instead of $1"; }
# shellcheck disable=SC2046 # words
told_revoked() { visit - none.pem $(as alice) && grep -aq '^HTTP/1.1 403 ' .visit; }

make_ca
make_gateway
gateway_up
person alice
person bob

say "without resumption no session is given"
# shellcheck disable=SC2046
visit - alice.pem $(as alice)
is_new
told 200
absent alice.pem
stop gw

say "with it a member comes back by the session of last time, again and again"
printf 'resumption = true;\nthreads = 4;\n' >>gw/gateway.conf
gateway_up
# shellcheck disable=SC2046
visit - alice.pem $(as alice)
is_new
told 200
for _ in 1 2 3 4 5; do
	mv alice.pem before.pem
	visit before.pem alice.pem
	is_reused
	told 200
done
# shellcheck disable=SC2046
visit - bob.pem $(as bob)
told 200

say "who shows no certificate gets no session"
visit - nobody.pem
is_new
told 403
absent nobody.pem

say "the session of who is revoked opens nothing, whatever he shows"
cp alice.pem open.pem
ok scg-ca revoke -dir ca -name alice
publish_crl
within 60 told_revoked
# shellcheck disable=SC2046
visit open.pem none.pem $(as alice)
is_new
told 403
has .visit 'urn:scg:revoked'
visit open.pem none.pem
is_new
told 403

say "nor is anybody else's of before resumed"
# shellcheck disable=SC2046
visit bob.pem bob2.pem $(as bob)
is_new
told 200
visit bob2.pem bob.pem
is_reused
told 200

say "nor one of before a restart or a SIGHUP"
cp bob.pem bob2.pem
kill -HUP "$(pid gw)"
within 60 grep -q ' reloaded ' gw.log
# shellcheck disable=SC2046
visit bob2.pem bob.pem $(as bob)
is_new
told 200
stop gw
[ "$status" -eq 0 ] || fail "status $status"
gateway_up
# shellcheck disable=SC2046
visit bob.pem bob2.pem $(as bob)
is_new
told 200
