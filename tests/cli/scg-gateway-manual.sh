#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual pages name the options and keys that there are, and their examples run.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
. "$top_srcdir/tests/cli/manual.sh"
need openssl jq sqlite3

page=$top_srcdir/doc/scg-gateway.8
check_page "$page"
check_page "$top_srcdir/doc/gateway.conf.5"
check_synopsis scg-gateway "$page"

say "the examples"
make_ca
person officer admin
cp officer/cert.pem recovery.crt
cp officer/key.pem recovery.key
run_examples "$page"
[ "$(grep -c 'OCTET STRING' .out)" -eq 2 ] || fail "not the keys of two epochs"

say "gateway.conf: the example is taken, and each key that init writes is explained"
sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$top_srcdir/doc/gateway.conf.5" | sed -n '/^\.Bd/,/^\.Ed/{/^\./d;p;}' |
	sed 's/^listen = .*/listen = "127.0.0.1:0";/' >gw/gateway.conf
rm gw/ready
start gw scg-gateway run -config gw/gateway.conf -ready gw/ready
within 60 test -e gw/ready
stop gw
[ "$status" -eq 0 ] || fail "status $status"
ok scg-gateway init -dir gw2 -cacert ca/ca.crt -host localhost
sed -n 's/^#* *\([a-z_]*\) = .*/\1/p' gw2/gateway.conf >written
[ "$(wc -l <written)" -ge 6 ] || fail "few keys"
while read -r key; do
	has "$top_srcdir/doc/gateway.conf.5" "^\.It Cm $key No = "
done <written
