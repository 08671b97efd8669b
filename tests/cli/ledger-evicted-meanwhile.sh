#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A member is evicted while his uploads are on their way, again and again: whatever moment it hits, the log stays one that every member takes,
# and nothing of his stands behind the event that evicted him.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq sqlite3

rounds=6
make_group alice
ok scg list -dir alice
echo x >file

# One after the other until he is refused: what he is told then is 3, or 5 where the connection was cut.
flood() {
	_n=0
	while [ ! -e "$1.end" ]; do
		_n=$((_n + 1)) _rc=0
		scg upload -dir "$1" -to "$1/$2-$_n" file || _rc=$?
		echo $_rc >>"$1.$2.statuses"
		[ $_rc -eq 0 ] || : >"$1.$2.ended"
		[ $_rc -eq 0 ] || return 0
	done
}

n=0
while [ $n -lt $rounds ]; do
	n=$((n + 1)) m=mallory$n
	make_member $m
	for k in 1 2 3; do start "flood-$k" flood $m $k; done
	for k in 1 2 3; do within 120 test -s "$m.$k.statuses"; done
	# the list lands at another point of his uploads in each round
	sleep "0.$((n * 7 % 10))$((n * 3 % 10))"
	revoke $m
	for k in 1 2 3; do
		within 120 test -e "$m.$k.ended"
		wait "$(pid "flood-$k")" || :
		case $(tail -n 1 "$m.$k.statuses") in
		3 | 5) ;;
		*) fail "$m.$k: his last status is $(tail -n 1 "$m.$k.statuses"): $(cat "flood-$k.log")" ;;
		esac
		lacks "flood-$k.log" 'forked|rolled back|held back|forged'
	done
	refuses 3 'revoked' scg list -dir $m
	ok scg list -dir alice
done

say "an old member and a brand-new one take the log, and it is what the gateway has"
make_member fresh
for who in alice fresh; do
	ok scg list -dir $who
	json '.good' scg ledger audit -dir $who -json
	[ "$(sqlite3 $who/ledger.db 'SELECT count(*) FROM mirror_evidence')" -eq 0 ] || fail "$who refused something"
done
ok scg rekey -dir alice
json '.failed == 0 and .injected == 0' scg verify -dir fresh -json

say "no event of an evicted one stands behind the event that evicted him"
# the signer's subject key identifier stands in each SignedData: [0] of 20 octets
sqlite3 alice/ledger.db "SELECT hex(s.ski), s.name, (SELECT r.n FROM ledger_revoked r WHERE r.serial = s.serial) FROM ledger_signers s
	WHERE s.serial IN (SELECT serial FROM ledger_revoked)" >evicted
[ "$(wc -l <evicted)" -eq $rounds ] || fail "not $rounds evicted: $(cat evicted)"
while IFS='|' read -r ski name at; do
	sqlite3 alice/ledger.db "SELECT count(*) FROM ledger_entries WHERE n > $at AND instr(event, x'8014$ski') > 0;
		SELECT count(*) FROM ledger_entries WHERE n < $at AND instr(event, x'8014$ski') > 0" >counts
	[ "$(sed -n 1p counts)" -eq 0 ] || fail "$name: an event behind his eviction (entry $at)"
	[ "$(sed -n 2p counts)" -ge 3 ] || fail "$name: none of his events is found before it"
done <evicted

say "what his last uploads left on the drive is no file, and goes"
ok scg gc -dir alice -older 0
[ "$(objects | wc -l)" -eq "$(scg list -dir alice -json 2>/dev/null | jq length)" ] || fail "objects are left"
