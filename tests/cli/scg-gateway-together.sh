#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Several processes write at once: commands beside the running gateway, lists and members; nothing is lost and nobody gets an error.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq

make_ca
make_gateway
echo 'threads = 4;' >>gw/gateway.conf
gateway_up
has gw.log ' serving listen=127.0.0.1:[0-9]+ threads=4 '
person alice
for n in 1 2 3 4 5; do
	person "m$n"
done

say "ten rotations, five new members and a list, at the same time"
pids=
for n in 1 2 3 4 5 6 7 8 9 10; do
	scg-gateway rotate -config gw/gateway.conf 2>"rotate$n.log" &
	pids="$pids $!"
done
for n in 1 2 3 4 5; do
	(
		T=$T/m$n
		for _ in 1 2 3 4 5 6; do
			ask "m$n" "$keys_path"
			[ "$code" = 200 ] || exit 1
		done
	) &
	pids="$pids $!"
done
ok scg-ca crl -dir ca
publish_crl
for pid in $pids; do
	wait "$pid" || fail "$(cat rotate*.log)"
done

say "ten epochs more, each once, and every member is in the ledger once"
[ "$(epoch alice)" = 11 ] || fail "epoch $(epoch alice)"
json 'map(.epoch) == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1] and (map(.key_id) | unique | length) == 11' \
	scg-gateway keys -config gw/gateway.conf -json
# the gateway, alice and five members; eleven epochs; two lists
twenty() {
	ask alice /v1/group
	[ "$(jq .ledger_size .body)" = 20 ]
}
within 60 twenty
lacks gw.log 'not-stored|settle-failed|commit-failed| error '
stop gw
[ "$status" -eq 0 ] || fail "status $status"
absent gw/gateway.db-wal
