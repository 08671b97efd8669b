#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a gateway does to the ledger, once somebody has taken it over with its key: a member with a mirror and one who has just joined refuse
# it with status 4, keep the evidence, and write nothing. What the latter cannot see is said and shown too.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq sqlite3

log() { "$top_builddir/tests/cli/hostile_log" gw "$@"; }

# at OP [NUMBER]: the index of the Nth entry of this kind
at() { log list | awk -v op="$1" -v n="${2:-1}" '$2 == op && --n == 0 { print $1 }'; }

# alice and bob have mirrors, alice's and dave's end with carol's eviction; nina joins when all of it has happened
make_group alice bob carol dave mallory
for who in alice bob carol mallory; do
	echo "by $who" >$who.txt
	ok scg upload -dir $who $who.txt
done
echo "again by carol" >carol.txt
ok scg upload -dir carol carol.txt
ok scg list -dir bob
stop gw
cp -r gw gw.early
gateway_up gw
moved
revoke carol
has_epoch() { scg-gateway keys -config gw/gateway.conf -json | jq -e "length == $1"; }
within 60 has_epoch 2
ok scg upload -dir alice -replace carol.txt
ok scg list -dir dave
echo "by alice at the end" >last.txt
ok scg upload -dir alice last.txt
stop gw
# make_new NAME: enrolled, and never heard of by the gateway
make_new() {
	ok scg req -dir "$1" -name "$1" -out "$1.csr" -noenc
	ok scg-ca sign -dir ca -in "$1.csr" -out "$1.crt" -name "$1"
	ok scg install -dir "$1" -cert "$1.crt" -cacert ca/ca.crt -gateway "$URL"
}
make_new nina
for d in gw alice bob dave nina drive; do cp -r $d $d.clean; done

restore() {
	for _d; do
		rm -rf "$_d" && cp -r "$_d.clean" "$_d"
	done
}

evidence() { sqlite3 "$1/ledger.db" 'SELECT count(*) FROM mirror_evidence'; }

# What the mirror believes: entries, files, head.
belief() {
	sqlite3 "$1/ledger.db" 'SELECT count(*), hex(max(root)) FROM ledger_entries; SELECT hex(der) FROM mirror_head;
		SELECT hex(file), object FROM ledger_files ORDER BY 1'
}

# caught WHO REGEX: each command says it, leaves mirror, keys and drive as they were, and keeps the evidence
caught() {
	belief "$1" >belief.before 2>/dev/null || :
	refuses 4 "$2" scg list -dir "$1"
	[ "$(evidence "$1")" -ge 1 ] || fail "no evidence is kept"
	refuses 4 "$2" scg download -dir "$1" alice.txt -out got
	absent got
	refuses 4 "$2" scg upload -dir "$1" new.txt
	refuses 4 "$2" scg rekey -dir "$1"
	[ "$(evidence "$1")" -eq 4 ] || fail "not each refusal is kept"
	refuses 4 "$2" scg ledger audit -dir "$1" -json
	jq -e '.good and (.refused | length == 5 and all(.[]; (.head | length) > 500))' .out >/dev/null || fail "the evidence is not shown"
	jq -r '.refused[0].reason' .out | grep -Eq "$2" || fail "the evidence does not say why"
	belief "$1" >belief.after
	[ ! -s belief.before ] || same belief.before belief.after
	[ -s belief.before ] || [ "$(sqlite3 "$1/ledger.db" 'SELECT count(*) FROM ledger_entries')" -eq 0 ] || fail "forged entries are kept"
	diff -r drive drive.clean >/dev/null || fail "the drive changed"
	if [ -e "$1.clean/keys.cms" ]; then same "$1/keys.cms" "$1.clean/keys.cms"; else absent "$1/keys.cms"; fi
}

sees_nothing() {
	ok scg list -dir "$1"
	[ "$(evidence "$1")" -eq 0 ] || fail "evidence of nothing"
}

# forged NAME OLD NEW -- hostile_log's arguments: what an old and a brand-new member say; "-": cannot know
forged() {
	say "$1"
	_old=$2 _new=$3
	shift 4
	restore gw dave nina
	log "$@" || fail "hostile_log $*"
	meet dave "$_old"
	meet nina "$_new"
	stop gw
}

# meet WHO REGEX: the gateway runs from the first meeting on
meet() {
	if [ ! -e "/proc/$(pid gw)" ]; then gateway_up gw; fi
	moved
	if [ "$2" = - ]; then sees_nothing "$1"; else caught "$1" "$2"; fi
}

echo new >new.txt

say "as it is"
restore gw dave nina
gateway_up gw
moved
for who in dave nina alice bob; do sees_nothing $who; done
stop gw
restore alice bob

own=$(at put 2) crl=$(at crl 2) evicted=$(at replace 1) last=$(at put 5)
log list >story.log
case ",$own,$crl,$evicted,$last," in
*,,*) fail "the story is another: $(cat story.log)" ;;
esac

# Hashes, index of the tree and head fit in each of them: what fails is the rule.
forged "a signature altered" 'forked' "entry $own: event: " -- edit "$own" signature
forged "a text altered" 'forked' "entry $evicted: event: RFC 5652 11.2" -- edit "$evicted" text
forged "the newest entry altered" "entry $last: event: RFC 5652 11.2" "entry $last: event: RFC 5652 11.2" -- edit "$last" text

# What stands beside an event is asked for once: who has it already is not touched by a change.
forged "a path altered" - "entry $own: entry: path" -- edit "$own" path
forged "a salt altered" - "entry $own: entry: path" -- edit "$own" salt
forged "the newest path altered" "entry $last: entry: path" "entry $last: entry: path" -- edit "$last" path
forged "a certificate exchanged" - "entry $((own - 1)): entry: certificate" -- edit $((own - 1)) certificate
forged "serial numbers withheld" - "entry $crl: entry: list of serial" -- edit "$crl" serials

forged "an entry removed" 'forked' "entry $evicted: event: it saw" -- drop "$evicted"
forged "the eviction removed" 'forked' "entry $crl: event: it saw" -- drop "$crl"
forged "two entries swapped" 'forked' "entry $own: event: " -- swap "$own" $((own + 2))

new="entry $((last + 1)): event"
forged "an event of an evicted member" "$new: RFC 5280 5.3" "$new: RFC 5280 5.3" -- put carol evil.txt
forged "the same, dated before the eviction" "$new: RFC 5280 5.3" "$new: RFC 5280 5.3" -- replace carol alice.txt 200
forged "the same, put in before the eviction" "entry $last: event: a certificate with this key is known" "entry $((crl + 2)): event: its signer saw another ledger" -- put carol evil.txt 200 "$crl"
forged "an event by another member in alice's name" "$new: RFC 5035" "$new: RFC 5035" -- put bob evil.txt 0 $((last + 1)) alice
forged "an event by the gateway in a member's place" "$new: RFC 5280 4.2.1.12" "$new: RFC 5280 4.2.1.12" -- remove gw alice.txt
make_ca other lab
CA=other make_new foreigner
CA=ca
forged "an event by a foreign CA's member" "$new: nobody's signature" "$new: nobody's signature" -- put foreigner evil.txt

say "a back-dated event"
restore gw dave nina
log put alice ahead.txt -400 # more than a certificate of this hour can be dated back
log put mallory evil.txt 250
meet dave "entry $((last + 2)): event: back-dated"
meet nina "entry $((last + 2)): event: back-dated"
stop gw

say "an event dated ahead, which a gateway with a right clock refuses: who replays it is told, and goes on"
restore gw dave nina
log put alice ahead.txt -3600
gateway_up gw
moved
for who in dave nina; do
	sees_nothing $who
	has .err '^scg: warning: the ledger has an event of .* and by the clock here it is '
	has .out 'ahead.txt'
done
stop gw

say "the database edited, hashes left as they were"
restore gw dave nina
sqlite3 gw/gateway.db "UPDATE ledger_entries SET event = (SELECT event FROM ledger_entries WHERE n = $((own + 2))) WHERE n = $own"
meet nina "entry $own: "
stop gw
restore gw
sqlite3 gw/gateway.db "UPDATE ledger_entries SET root = zeroblob(32) WHERE n = $last"
refuses 4 'ledger: ' scg-gateway run -config gw/gateway.conf

# A pure cut is a true ledger of the past: who was not there, and has no newer list, cannot know. All others do.
say "the end cut off: who saw it knows"
restore gw alice dave nina
log cut "$last"
meet alice 'rolled back: the gateway says 1[0-9] entries'
meet dave -
meet nina -
stop gw

say "a gateway.db of before the eviction put back, but with the newer list: all know"
restore alice dave nina bob
rm -rf gw && cp -r gw.early gw
cp ca/crl.pem gw/crl.pem
sqlite3 gw/gateway.db "ATTACH 'gw.clean/gateway.db' AS newer; DELETE FROM crl; INSERT INTO crl SELECT * FROM newer.crl"
meet alice 'rolled back: the gateway says 1[0-9] entries'
meet dave 'rolled back: the gateway says 1[0-9] entries'
meet bob 'a crl event was held back'
meet nina 'a crl event was held back'
stop gw

say "the list put back with it: who saw a newer one knows"
restore alice dave nina bob
rm -rf gw && cp -r gw.early gw
gateway_up gw
moved
cp ca/crl.pem nina/crl.pem
for who in alice dave nina; do refuses 4 'list 2, but 3 was seen before: an old state was put back' scg list -dir $who; done
restore nina
meet nina -
meet bob -
stop gw

say "the true one again: nobody is left behind with what he refused"
restore gw
gateway_up gw
moved
# bob and nina followed the other one, where dave's request had already left an event: for them this one is the fork
for who in bob nina; do refuses 4 'its signer saw another ledger|forked' scg list -dir $who; done
restore bob nina
moved
for who in alice dave bob nina; do
	ok scg list -dir $who
	json ".good and (.refused | length) == $(evidence $who)" scg ledger audit -dir $who -json
	ok scg verify -dir $who
done
stop gw

say "a list that is newer than the mirror, of which the gateway cannot be asked, is no sign of anything"
restore bob
cp ca/crl.pem bob/crl.pem
refuses 5 'onnect' scg ledger audit -dir bob
json '.good and .refused == []' scg ledger audit -dir bob -json -stale-ok

say "a fork: two gateways go on from one database, each with events of its own"
restore alice dave nina bob drive
for g in one two; do
	rm -rf $g && cp -r gw.clean $g
	gateway_up $g
	echo "$URL" >$g.url
done
meets() { sed -i "s|https://127.0.0.1:[0-9]*|$(cat "$2.url")|" "$1/scg.conf"; }
meets alice one && meets dave two && meets nina two && meets bob one
ok scg upload -dir alice new.txt
ok scg upload -dir dave -to elsewhere new.txt
ok scg list -dir nina
ok scg list -dir bob
rm -rf drive.clean alice.clean dave.clean nina.clean bob.clean
for d in drive alice dave nina bob; do cp -r $d $d.clean; done
meets alice two && meets dave one && meets nina one && meets bob two
for who in alice dave nina bob; do
	caught $who 'forked|rolled back|its signer saw another ledger'
done
echo more >more.txt
meets alice one
ok scg upload -dir alice more.txt
ok scg upload -dir alice -to also more.txt
restore drive
for who in dave nina; do
	restore $who
	meets $who one
	caught $who 'forked|its signer saw another ledger'
done
