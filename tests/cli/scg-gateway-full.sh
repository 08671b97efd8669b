#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A full disk: who is revoked is refused all the same, nothing half is kept, and with room again the rest follows by itself.
set -eu
if [ "${IN_NAMESPACE:-}" != yes ]; then
	unshare -rm true 2>/dev/null || {
		echo "SKIP: no namespaces to mount a small disk in"
		exit 77
	}
	IN_NAMESPACE=yes exec unshare -rm /bin/sh "$0" "$@"
fi
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq

make_ca
mkdir gw
mount -t tmpfs -o size=3m small gw || skip "cannot mount"
trap 'umount -l "$T/gw" 2>/dev/null; _finish' EXIT
rmdir gw/* 2>/dev/null || :
make_gateway
echo 'monitor = "127.0.0.1:0";' >>gw/gateway.conf
gateway_up
M=http://$(sed -n 's/.* monitor listen=//p' gw.log)
health() { curl -s "$M/healthz" >.seen && jq -e "$1" .seen >/dev/null; }
person alice
person bob
person officer admin
head -c 2000000 /dev/zero >large
answers 200 - alice "$keys_path"
answers 200 - bob "$keys_path"

# A list of bob and 5,000 others, larger than what the write-ahead log has room for already.
hand_crl 50 86400 bob/cert.pem
for serial in $(seq 100000 105000); do
	printf 'R\t%s\t%s,keyCompromise\tAA%s\tunknown\t/CN=x\n' "$(cut -f2 hand.idx | head -n 1)" "$(cut -f3 hand.idx | head -n 1 | cut -d, -f1)" "$serial"
done >more.idx
cat more.idx >>hand.idx
ok openssl ca -config hand.cnf -gencrl -cert ca/ca.crt -keyfile ca/ca.key -crlsec 86400 -out crl.hand

fill() { dd if=/dev/zero of=gw/filler bs=4096 2>/dev/null || :; }

say "no room for the list: it is in force, but the sender is told that it is not stored"
fill
answers 503 not-stored - /crl -X PUT --data-binary @crl.hand
answers 503 not-stored - /crl -X PUT --data-binary @crl.hand
answers 507 not-stored officer /crl -X PUT --data-binary @large
answers 403 revoked bob "$keys_path"
[ "$(epoch alice)" = 1 ] || fail "an epoch without its commit"
# As long as the audit log's entries find room in what the disk has already given; not beyond.
ask alice "$keys_path"
[ "$code" = 200 ] || [ "$code" = 503 ] || fail "$code for the keys"
has gw.log 'not-stored|settle-failed'

say "from when the audit log finds no room no key is handed out, and health says so"
no_room() {
	ask alice "$keys_path"
	[ "$code" = 503 ] && health '.status == "degraded" and (.reasons | index("audit-not-written")) and (.audit.written | not)'
}
within 60 no_room

say "it is not forgotten while the disk stays full"
sleep 2.5
answers 403 revoked bob "$keys_path"
[ "$(epoch alice)" = 1 ] || fail "an epoch without its commit"

say "with room again list, event and epoch follow within seconds"
rm gw/filler
epoch_is_two() { [ "$(epoch alice)" = 2 ]; }
within 60 epoch_is_two
within 60 health '.audit.written'
answers 204 - - /crl -X PUT --data-binary @crl.hand
answers 403 revoked bob "$keys_path"

say "rotate on a full disk fails, and changes nothing"
fill
size=$(ask alice /v1/group && jq .ledger_size .body)
failed=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	scg-gateway rotate -config gw/gateway.conf >/dev/null 2>.err || {
		failed=1
		has .err 'full'
		break
	}
done
now=$(epoch alice)
[ "$now" -lt 22 ] || fail "twenty epochs on a full disk"
[ $failed -eq 1 ] || say "the log had room for twenty epochs"

say "killed on a full disk it comes back whole"
stop gw KILL
rm gw/filler
gateway_up
answers 403 revoked bob "$keys_path"
[ "$(epoch alice)" = "$now" ] || fail "the epoch changed: $(epoch alice), was $now"
answers 200 - alice "$keys_path"
stop gw
[ "$status" -eq 0 ] || fail "status $status"
[ "${size:-0}" -gt 0 ] || fail "no ledger"
