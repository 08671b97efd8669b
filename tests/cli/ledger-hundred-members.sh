#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A hundred members replace one file at the same moment, each having seen the newest content: one succeeds, every other version is kept beside
# it under a name of its own, no byte is lost. Then: a re-encryption makes no conflict, and many commands of one member at once raise no alarm.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq

# Sanitizers make each process many times slower.
members=100 rounds=10
if instrumented; then members=20 rounds=3; fi

make_group owner
json_list() { scg list -dir owner -json 2>/dev/null; }

say "$members members, who all have seen the file"
echo "the first version" >doc
ok scg upload -dir owner doc
i=0 all='' begun=$(date +%s)
# Where they are slow to come, fewer have to do: a hundred at once would wait for the gateway longer than a command does.
while [ $i -lt $members ] && { [ $i -lt 20 ] || [ $(($(date +%s) - begun)) -lt 60 ]; }; do
	i=$((i + 1))
	m=$(printf 'm%03d' $i)
	all="$all $m"
	make_member "$m"
	ok scg download -dir "$m" doc -out got
	mkdir "$m-in"
	{ echo "version by $m" && head -c $((i * 997)) /dev/urandom; } >"$m-in/doc"
done
members=$i
[ "$(json_list | jq length)" -eq 1 ] || fail "not one file at the start"

say "all $members replace it at once"
# They wait at a gate, a folder that appears: processes that are started one behind the other would not meet.
upload() {
	until [ -d gate ]; do sleep 0.05; done
	exec scg upload -dir "$1" "$1-in/doc"
}
for m in $all; do start "up-$m" upload "$m"; done
mkdir gate
won=
for m in $all; do
	rc=0
	wait "$(pid "up-$m")" || rc=$?
	case $rc in
	0)
		[ -z "$won" ] || fail "both $won and $m replaced it"
		won=$m
		;;
	1)
		grep -Eq "doc: m[0-9]+ changed it and you have not seen that: your version is \"doc \(conflict $m [^\"]*\)\"" "up-$m.log" ||
			fail "$m: $(cat "up-$m.log")"
		[ "$(grep -c . "up-$m.log")" -eq 1 ] || fail "$m says more than one line: $(cat "up-$m.log")"
		;;
	*) fail "$m: status $rc: $(cat "up-$m.log")" ;;
	esac
done
[ -n "$won" ] || fail "nobody succeeded"

say "$won did; no byte is lost"
json_list >list
jq -e "length == $members" list >/dev/null || fail "not $members files: $(jq length list)"
jq -e --arg m "$won" '[.[] | select(.name == "doc")] | length == 1 and .[0].version == 2 and .[0].author == $m' list >/dev/null || fail "doc is not $won's"
[ "$(objects | wc -l)" -eq $members ] || fail "not an object a file"
for m in $all; do
	if [ "$m" = "$won" ]; then name=doc; else name=$(jq -r --arg m "$m" '.[] | select(.author == $m).name' list); fi
	case $name in
	doc) [ "$m" = "$won" ] || fail "$m is the author of doc" ;;
	"doc (conflict $m "*) ;;
	*) fail "$m's version is called '$name'" ;;
	esac
	ok scg download -dir owner "$name" -out got
	same got "$m-in/doc"
done
json ".failed == 0 and .injected == 0 and .orphans == 0 and .files == $members" scg verify -dir owner -json
for m in owner "$won"; do
	json '.good' scg ledger audit -dir "$m" -json
done

say "a re-encryption changes no content: who saw the newest replaces it"
ok scg-gateway rotate -config gw/gateway.conf
json ".rekeyed == $members and .failed == 0" scg rekey -dir owner -json
echo "after the re-encryption" >"$won-in/doc"
ok scg upload -dir "$won" "$won-in/doc"
json "length == $members and ([.[] | select(.name == \"doc\")][0] | .version == 3 and .author == \"$won\" and .epoch == 2)" scg list -dir owner -json

say "a re-encryption and an upload at once are no conflict either"
for n in $(seq $rounds); do
	ok scg-gateway rotate -config gw/gateway.conf
	echo "round $n" >"$won-in/doc"
	start rekey scg rekey -dir owner
	start upload scg upload -dir "$won" "$won-in/doc"
	wait "$(pid upload)" || fail "upload in round $n: $(cat upload.log)"
	wait "$(pid rekey)" || fail "rekey in round $n: $(cat rekey.log)"
done
json "length == $members and ([.[] | select(.name == \"doc\")][0] | .version == 3 + $rounds)" scg list -dir owner -json

say "ten commands of one member at once, $rounds times"
for n in $(seq $rounds); do
	for k in 1 2 3; do
		echo "$n $k" >"par-$k"
		start "list-$k" scg list -dir owner
		start "keys-$k" scg keys -dir owner
		start "up-$k" scg upload -dir owner "par-$k"
	done
	start head scg ledger head -dir owner
	for w in list-1 list-2 list-3 keys-1 keys-2 keys-3 up-1 up-2 up-3 head; do
		wait "$(pid $w)" || fail "$w in round $n: $(cat "$w.log")"
	done
done
# one that never synchronised, so that all of them replay the whole log
make_member fresh
for k in 1 2 3 4 5 6 7 8 9 10; do start "first-$k" scg list -dir fresh; done
for k in 1 2 3 4 5 6 7 8 9 10; do
	wait "$(pid "first-$k")" || fail "first-$k: $(cat "first-$k.log")"
done
for m in owner fresh; do
	json '.good' scg ledger audit -dir "$m" -json
	json ".failed == 0 and .injected == 0 and .orphans == 0 and .files == $members + 3" scg verify -dir "$m" -json
done
