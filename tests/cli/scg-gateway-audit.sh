#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The audit log: what becomes an entry, what is found when somebody changes it, and what members do about a gateway that forgot.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq sqlite3

audit() { scg-gateway audit -config gw/gateway.conf "$@"; }
# counts N FILTER: so many entries are like that, now or soon
counts() { audit -json >.audit && [ "$(jq "[.[] | select($2)] | length" .audit)" -eq "$1" ]; }
# some FILTER: at least one
some() { audit -json >.audit && [ "$(jq "[.[] | select($1)] | length" .audit)" -gt 0 ]; }
soon() { within 60 counts "$@" || fail "not $1 entries with $2: $(cat .audit)"; }

group_up
person alice
person bob
make_member carol

say "each thing that happens is an entry"
answers 200 - alice "$keys_path"
answers 200 - bob "$keys_path"
soon 1 '.kind == "keys" and .name == "alice" and .epoch == 1 and .address == "127.0.0.1"'
soon 1 '.kind == "keys" and .name == "bob" and (.serial | test("^[0-9a-f]{24,32}$"))'
ok scg keys -dir carol
soon 1 '.kind == "keys" and .name == "carol"'
soon 3 '.kind == "member"'
ok scg-gateway rotate -config gw/gateway.conf
soon 1 '.kind == "epoch" and .reason == "rotate" and .epoch == 2'
ok scg-gateway export -config gw/gateway.conf -recip alice/cert.pem -out exported.cms
soon 1 '.kind == "export" and .name == "alice" and .epoch == 2'
revoke bob
refused() { ask bob "$keys_path" && [ "$code" = 403 ]; }
within 60 refused
soon 1 '.kind == "crl" and .count == 1'
soon 1 '.kind == "epoch" and .reason == "revoked"'
within 60 some '.kind == "refused" and .reason == "revoked" and .name == "bob" and .address == "127.0.0.1"'
jq -e '.[0].kind == "epoch" or .[0].kind == "crl"' .audit >/dev/null || fail "the log does not begin with the first epoch: $(head -c 300 .audit)"
jq -e '[.[].number] == [range(length)]' .audit >/dev/null || fail "numbers with gaps"
lacks .audit "$(stock_keys carol | head -n 1)"

say "strangers are counted, not listed"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	answers 403 no-certificate - "$keys_path"
done
within 60 some '.kind == "refused" and .reason == "no-certificate" and .name == null and .address == null'
stop gw
ok audit -json
jq -e '[.[] | select(.reason == "no-certificate") | .count] | add == 10 and length < 10' .out >/dev/null || fail "not ten in fewer entries: $(cat .out)"
jq -e '.[-1].kind == "stop"' .out >/dev/null || fail "no stop at the end"

say "the lists"
ok audit
has .out '  start '
has .out '  keys epoch=1 address=127.0.0.1 serial=[0-9a-f]* name=alice$'
all=$(wc -l <.out)
ok audit -name alice
[ "$(grep -vc 'name=alice$' .out)" -eq 0 ] || fail "others than alice"
[ "$(wc -l <.out)" -eq 3 ] || fail "not alice's entries: $(cat .out)"
ok audit -since 1d
[ "$(wc -l <.out)" -eq "$all" ] || fail "not all of a day"
ok audit -since 2026-01-01
[ "$(wc -l <.out)" -eq "$all" ] || fail "not all since that day"
for then in 9999-12-31T00:00:00Z 9999-12-31; do
	ok audit -since $then
	[ ! -s .out ] || fail "entries of the future"
	json '. == []' scg-gateway audit -config gw/gateway.conf -json -since $then
done
for then in yesterday 2026-02-29 2026-13-01 2026-1-1 26-01-01 2026-01-01T 2026-01-01T00:00 2026-01-01Z '' ' 2026-01-01' 2026-01-01d; do
	refuses 2 '-since takes a date \(2026-01-31' audit -since "$then"
done
refuses 2 'whole log' audit -verify -name alice
ok audit -verify
has .out "^$all entries are what was written, $all of them signed$"

say "stock tools still open the reply, and see the head in it"
gateway_up
answers 200 - alice "$keys_path"
ok openssl cms -verify -inform DER -in .body -CAfile ca/ca.crt -purpose sslserver -binary -out k.env
ok openssl cms -decrypt -inform DER -in k.env -recip alice/cert.pem -inkey alice/key.pem -binary -out k.pkg
ok openssl cms -cmsout -print -inform DER -in .body
has .out '2\.25\.110908438789538320601894475354990771666'
has .out 'scg/lab/audit'
answers 200 - alice "/v1/audit/head?nonce=$NONCE"
ok openssl cms -verify -inform DER -in .body -CAfile ca/ca.crt -purpose sslserver -binary -out head
[ "$(head -n 1 head)" = scg/lab/audit ] || fail "head: $(cat head)"
size=$(sed -n 2p head)
answers 200 - alice "/v1/audit/consistency?from=3&to=$size"
jq -e '.consistency | length > 0' .body >/dev/null || fail "no proof"
answers 404 not-found - /v1/audit/nothing
answers 403 no-certificate - "/v1/audit/consistency?from=3&to=$size"
answers 400 bad-argument alice "/v1/audit/consistency?from=4&to=3"
answers 400 bad-argument alice "/v1/audit/consistency?from=4"
answers 404 not-found alice "/v1/audit/consistency?from=3&to=99999999"

say "beside the running gateway"
ok audit -verify
moved
ok scg keys -dir carol
stop gw
ok audit -verify

# damage REGEX SQL...: status 4 with this text; the database is put back
damage() {
	_regex=$1
	shift
	cp gw/gateway.db kept.db
	ok sqlite3 gw/gateway.db "$@"
	refuses 4 "$_regex" audit -verify
	mv kept.db gw/gateway.db
}
n=$(sqlite3 gw/gateway.db 'SELECT max(n) FROM audit')
say "changed, removed, swapped, cut"
damage 'entry 5 is not what was written' 'UPDATE audit SET entry = zeroblob(length(entry)) WHERE n = 5'
damage 'entry 5 is not what was written' "UPDATE audit SET entry = CAST(substr(entry, 1, length(entry) - 1) AS BLOB) WHERE n = 5"
damage 'entry 6 is missing' 'DELETE FROM audit WHERE n = 6'
damage 'entry 0 is missing' 'DELETE FROM audit WHERE n = 0'
damage 'in the place of entry 6 is entry 7' 'DELETE FROM audit WHERE n = 6; UPDATE audit SET n = n - 1 WHERE n = 7; DELETE FROM audit WHERE n > 7'
damage 'in the place of entry 4 is entry 6' 'UPDATE audit SET n = -1 WHERE n = 4; UPDATE audit SET n = 4 WHERE n = 6; UPDATE audit SET n = 6 WHERE n = -1'
damage "from $n on are cut off" "DELETE FROM audit WHERE n = $n"
damage 'signed heads are missing' 'DELETE FROM audit_head'
damage 'signed head' "UPDATE audit_head SET head = CAST(substr(head, 1, length(head) - 1) AS BLOB)"
damage 'lacks|entry 7 or one before' "UPDATE audit SET nodes = CAST(substr(nodes, 1, 32) AS BLOB) WHERE n = 7"
ok audit -verify

say "a gateway does not run on a log that was cut"
cp gw/gateway.db kept.db
ok sqlite3 gw/gateway.db "DELETE FROM audit WHERE n = $n"
refuses 4 'audit' scg-gateway run -config gw/gateway.conf
mv kept.db gw/gateway.db

say "a member refuses a gateway with an older log, until he says that it is right"
gateway_up
moved
ok scg keys -dir carol
[ "$(stat -c %a carol/audit.head)" = 600 ] || fail "mode"
stop gw
cp gw/gateway.db newer.db
# The rest of the database is as it was: only the log is of an older state.
ok sqlite3 gw/gateway.db "DELETE FROM audit; DELETE FROM audit_head"
gateway_up
moved
cp carol/audit.head seen
refuses 4 'no longer contains what it had: [0-9]+ entries instead of [0-9]+.*-forget-audit' scg keys -dir carol
refuses 4 'no longer contains' scg list -dir carol
same carol/audit.head seen
ok scg keys -dir carol -forget-audit
cmp -s carol/audit.head seen && fail "the old head is still there"
ok scg keys -dir carol
stop gw

say "likewise one whose log grew anew"
cp newer.db gw/gateway.db
cp seen carol/audit.head
gateway_up
moved
ok scg keys -dir carol
printf 'scg/lab/audit\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n' >carol/audit.head
refuses 4 'no longer contains what it had: the hashes do not fit' scg keys -dir carol
printf 'scg/lab\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n' >carol/audit.head
refuses 4 'audit.head is not the head of the audit log' scg keys -dir carol
ok scg keys -dir carol -forget-audit

say "a database of before the log gets one"
stop gw
ok sqlite3 gw/gateway.db 'DROP TABLE audit; DROP TABLE audit_head; PRAGMA user_version = 2'
gateway_up
soon 1 '.kind == "start" and .number == 0'
stop gw
ok audit -verify
