#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Hostile clients of six kinds, and handshakes that cannot succeed: good requests are answered meanwhile, and nothing is left behind.
# How fast, and what hundreds of them do, is measured by tests/bench/siege.py.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq

connections() { curl -s "$M/healthz" | jq .connections; }
nobody_left() { [ "$(connections)" -eq 0 ]; }
descriptors() { find "/proc/$(pid gw)/fd" -mindepth 1 | wc -l; }
as_before() { [ "$(descriptors)" -le "$before" ]; }
anonymous() { awk '$1 == "RssAnon:" { print $2 }' "/proc/$(pid gw)/status"; }

make_ca
make_gateway
echo 'monitor = "127.0.0.1:0";' >>gw/gateway.conf
person alice

# deadlines SECONDS: serves anew with these
deadlines() {
	sed -i '/^limits/d' gw/gateway.conf
	echo "limits = { handshake_s = $1; head_s = $1; request_s = $1; idle_s = 300; };" >>gw/gateway.conf
	gateway_up
	M=http://$(sed -n 's/.* monitor listen=//p' gw.log | tail -n 1)
	within 60 is_served
	within 60 nobody_left
	before=$(descriptors)
}
is_served() {
	ask alice "$keys_path"
	[ "$code" = 200 ]
}

say "eight of each kind for six seconds"
# A machine where good requests cannot meet short deadlines has longer ones.
for limit in 2 10 40; do
	deadlines $limit
	good=0 made=0 out=0
	! "$top_builddir/tests/lib/siege" "${URL##*:}" alice/cert.pem alice/key.pem 8 $((limit * 3)) >.out 2>siege.log || read -r good made _ _ out <.out
	say "$good of $made good requests, $out times somebody was thrown out"
	[ "$good" -eq 0 ] || [ "$good" -ne "$made" ] || [ "$out" -lt 8 ] || break
	[ $limit -eq 40 ] || stop gw
done
[ "$good" -eq "$made" ] || fail "$good of $made"
[ "$good" -gt 0 ] || fail "none"
[ "$out" -ge 8 ] || fail "nobody was thrown out"
within 60 nobody_left
within 60 as_before

say "handshakes that cannot succeed leave nothing"
stop gw
deadlines 120
ok "$top_builddir/tests/lib/siege" "${URL##*:}" alice/cert.pem alice/key.pem 60 bad
within 60 nobody_left
# What leaks does so each time; an allocator that grows, or a kernel that makes large pages of small ones, does not.
for _ in 1 2 3 4 5; do
	kib=$(anonymous)
	ok "$top_builddir/tests/lib/siege" "${URL##*:}" alice/cert.pem alice/key.pem 300 bad
	within 60 nobody_left
	within 60 as_before
	grown=$(($(anonymous) - kib))
	[ "$grown" -ge 1024 ] || break
done
# Sanitizers keep what was freed for a while.
instrumented || [ "$grown" -lt 1024 ] || fail "$grown KiB more each time"
answers 200 - alice "$keys_path"

say "what stands behind a request that is refused is never read: one answer each"
one_answer() { # STATUS REQUEST
	printf '%b' "$2" >request
	openssl s_client -connect "${URL#https://}" -quiet -cert alice/cert.pem -key alice/key.pem <request >reply 2>/dev/null || :
	[ "$(grep -ac '^HTTP/1.1 ' reply)" -eq 1 ] || fail "$(grep -ac '^HTTP/1.1 ' reply) answers to: $2"
	has reply "^HTTP/1.1 $1 "
}
next='GET /v1/group HTTP/1.1\r\nHost: localhost\r\n\r\n'
one_answer 501 "POST /v1/ledger/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$next"
one_answer 501 "POST /v1/ledger/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$next"
one_answer 400 "POST /v1/ledger/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 60\r\n\r\n$next"
one_answer 400 "POST /v1/ledger/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0,60\r\n\r\n$next"
one_answer 400 "GET /v1/group HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n$next"
one_answer 400 "GET /v1/group HTTP/1.1\nHost: localhost\n\n$next"
one_answer 400 "GET /v1/group HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n$next"
one_answer 411 "PUT /crl HTTP/1.1\r\nHost: localhost\r\n\r\n$next"
one_answer 413 "PUT /v1/group/store HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n$next"
one_answer 405 "DELETE /crl HTTP/1.1\r\nHost: localhost\r\n\r\n$next"
one_answer 505 "GET /v1/group HTTP/1.2\r\nHost: localhost\r\n\r\n$next"
one_answer 400 "GET /../v1/group HTTP/1.1\r\nHost: localhost\r\n\r\n$next"
