#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What an operator sees: health and metrics on a local port, warnings in the log; and lists that the gateway fetches by itself.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq python3

sees() { curl -s -o .seen -w '%{http_code}' "$@" >.seen-code || :; }
health() { sees "$M/healthz" && jq -e "$1" .seen >/dev/null; }
metric() { sees "$M/metrics" && grep -Fxq "$1" .seen; }

make_ca
make_gateway
cp gw/crl.pem first.pem
rm gw/crl.pem
echo 'monitor = "127.0.0.1:0";' >>gw/gateway.conf
gateway_up
M=http://$(sed -n 's/.* monitor listen=//p' gw.log)

say "without a list it is closed, and says so"
within 60 health '.status == "closed" and .reasons[0] == "no-crl" and .crl == null and .epoch == 1'
has .seen-code '^503$'
metric 'scg_open 0' || fail "open"
has gw.log ' warn closed reasons=no-crl'

say "with a list all is well"
cp first.pem gw/crl.pem
within 60 health '.status == "ok" and .reasons == [] and .crl.number == 2 and .crl.stored and .certificate_days > 80'
has .seen-code '^200$'
within 60 grep -q ' info healthy' gw.log

say "what happens is counted, and nobody is named"
person alice
person bob
answers 200 - alice /v1/group
answers 200 - alice "$keys_path"
answers 403 no-certificate - /v1/group
answers 404 not-found alice /nothing
within 60 metric 'scg_requests_total{status="404"} 1'
for line in 'scg_open 1' 'scg_degraded 0' 'scg_epoch 1' 'scg_crl_number 2' 'scg_crl_entries 0' 'scg_requests_total{status="403"} 1' \
	'scg_requests_total{status="404"} 1' 'scg_refusals_total{reason="no-certificate"} 1' 'scg_refusals_total{reason="not-found"} 1' \
	'scg_handshakes_total{result="ok"} 4' 'scg_request_seconds_bucket{le="+Inf"} 4' 'scg_request_seconds_count 4'; do
	grep -Fxq "$line" .seen || fail "no $line in: $(cat .seen)"
done
lacks .seen 'alice|127\.0\.0\.1'

say "how far the audit log is, and that it can be written"
all_is_on_disk() { health '.audit.waiting == 0 and .audit.signed == .audit.size and .audit.written'; }
within 60 all_is_on_disk
ok scg-gateway audit -config gw/gateway.conf -json
jq -e --slurpfile log .out '$log[0] as $l | .audit.size == ($l | length) and .audit.last == $l[-1].time' .seen >/dev/null ||
	fail "health tells of another log: $(jq -c .audit .seen), $(tail -n 1 .out)"
metric 'scg_audit_written 1' || fail "audit_written"
has .seen '^scg_audit_size [1-9]'

say "revoked: refused, counted, a new epoch"
revoke bob keyCompromise
within 60 metric 'scg_epoch 2'
answers 403 revoked bob "$keys_path"
within 60 metric 'scg_refusals_total{reason="revoked"} 1'
metric 'scg_crl_entries 1' || fail "entries"

say "nothing else is there, for nobody else"
sees "$M/"
has .seen-code '^404$'
sees -X POST -d x "$M/metrics"
has .seen-code '^405$'
sees -H 'Host: rebound.example' "$M/metrics"
has .seen-code '^403$'
lacks .seen scg_
sees -H 'Bad Header: x' "$M/healthz"
has .seen-code '^400$'

say "a client that says nothing keeps the others out for a second at most"
for _ in 1 2 3; do
	curl -s -m 5 telnet://"${M#http://}" </dev/null >/dev/null 2>&1 &
done
within 60 health '.status == "ok"'

say "from half of the list's life on it is a warning"
# A machine that was too slow to see the second half of a short life sees that of a longer one.
n=60
for life in 8 20 60 120; do
	hand_crl $n $life
	cp crl.hand gw/.new && mv gw/.new gw/crl.pem
	over=$(($(date +%s) + life + 2))
	until grep -q ' warn degraded reasons=crl-half-life crl-hours-left=0' gw.log || [ "$(date +%s)" -gt $over ]; do sleep 0.1; done
	! grep -q ' warn degraded reasons=crl-half-life' gw.log || break
	n=$((n + 1))
done
has gw.log ' warn degraded reasons=crl-half-life crl-hours-left=0'
metric 'scg_degraded 1' || fail "not degraded" # closed is that too
within $((life + 60)) health '.status == "closed" and .reasons[0] == "crl-not-current"'
answers 503 crl-not-current alice "$keys_path"

say "lists are fetched from a URL: the first at once, the next in time, garbage is not taken"
stop gw
hand_crl 70 86400
mkdir www
cp crl.hand www/list.pem
start www env PYTHONUNBUFFERED=1 python3 -m http.server --directory www --bind 127.0.0.1 0
within 60 grep -q 'port [0-9]' www.log
port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' www.log | head -n 1)
printf 'crl_url = "http://127.0.0.1:%s/list.pem";\ncrl_fetch_s = 1;\n' "$port" >>gw/gateway.conf
: >gw.log
gateway_up
M=http://$(sed -n 's/.* monitor listen=//p' gw.log)
within 60 metric 'scg_crl_number 70'
has gw.log 'crl-taken from=crl_url number=70'
answers 200 - alice "$keys_path"
hand_crl 71 86400 alice/cert.pem
cp crl.hand www/.new && mv www/.new www/list.pem
within 60 metric 'scg_crl_number 71'
answers 403 revoked alice "$keys_path"
echo garbage >www/list.pem
within 60 grep -q 'crl-ignored from=crl_url' gw.log
rm www/list.pem
within 60 grep -q ' warn crl-fetch url=.* error="HTTP status 404"' gw.log
metric 'scg_crl_number 71' || fail "another list"
stop gw
[ "$status" -eq 0 ] || fail "status $status"

say "a port that is taken is an error at the start, an address that others reach one of the configuration"
printf 'monitor = "127.0.0.1:%s";\n' "$port" >monitor
sed -i '/^monitor/d' gw/gateway.conf
cat monitor >>gw/gateway.conf
if scg-gateway run -config gw/gateway.conf 2>taken; then fail "it runs"; fi
has taken '^scg-gateway: monitor: .*cannot listen'
sed -i 's/^monitor.*/monitor = "0.0.0.0:0";/' gw/gateway.conf
refuses 2 'monitor: not on this machine' scg-gateway run -config gw/gateway.conf
