#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Nothing is overwritten unseen: who has not seen the newest content has his own kept beside it.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq python3

make_group alice bob carol
mkdir a b c got
count() { scg list -dir alice -json 2>/dev/null | jq length; }

say "a file that one has not seen is not replaced"
echo alice-1 >a/doc
echo bob-1 >b/doc
ok scg upload -dir alice a/doc
refuses 1 'doc: alice changed it.*"doc \(conflict bob [^"]*\)"' scg upload -dir bob b/doc
ok scg download -dir carol doc -out got/doc
has got/doc '^alice-1$'
beside=$(scg list -dir carol -json 2>/dev/null | jq -r '.[1].name')
ok scg download -dir carol "$beside" -out got/beside
has got/beside '^bob-1$'
[ "$(objects | wc -l)" -eq 2 ] || fail "not the two objects of the two files"

say "who has downloaded the newest replaces it"
ok scg download -dir bob doc -out got/doc
echo bob-2 >b/doc
ok scg upload -dir bob b/doc
json '[.[] | select(.name == "doc")][0] | .version == 2 and .author == "bob"' scg list -dir alice -json

say "the author replaces his own again and again, alice has not seen it"
echo bob-3 >b/doc
ok scg upload -dir bob b/doc
echo alice-2 >a/doc
refuses 1 'bob changed it' scg upload -dir alice a/doc
ok scg upload -dir alice -replace a/doc
json '[.[] | select(.name == "doc")][0] | .version == 4 and .author == "alice"' scg list -dir alice -json

say "newer events that bring no content are taken silently: rename there and back, rekey"
ok scg rename -dir carol doc elsewhere
ok scg rename -dir carol elsewhere doc
ok scg-gateway rotate -config gw/gateway.conf
ok scg rekey -dir carol
echo alice-3 >a/doc
ok scg upload -dir alice a/doc
json '[.[] | select(.name == "doc")][0] | .version == 5 and .epoch == 2' scg list -dir alice -json

say "a name that was freed is free"
ok scg remove -dir carol doc
echo bob-4 >b/doc
ok scg upload -dir bob b/doc
json '[.[] | select(.name == "doc")][0] | .version == 1 and .author == "bob"' scg list -dir alice -json

say "a second copy in the same second, and a name of 255 bytes"
long=$(printf '%0251d.txt' 0)
echo alice >"a/$long"
echo bob >"b/$long"
ok scg upload -dir alice "a/$long"
refuses 1 'changed it' scg upload -dir bob "b/$long"
refuses 1 'changed it' scg upload -dir bob "b/$long"
json '[.[].name | select(startswith("000"))] | length == 3 and all(.[]; utf8bytelength <= 255)' scg list -dir alice -json

say "eight at once on one file: one succeeds, each other version is kept"
ok scg remove -dir alice "$long"
make_member m1 m2 m3 m4 m5 m6 m7 m8
before=$(count)
for m in m1 m2 m3 m4 m5 m6 m7 m8; do
	mkdir "$m-in"
	echo "$m was here" >"$m-in/race"
	start "up-$m" scg upload -dir $m "$m-in/race"
done
won=0
for m in m1 m2 m3 m4 m5 m6 m7 m8; do
	rc=0
	wait "$(pid up-$m)" || rc=$?
	case $rc in
	0) won=$((won + 1)) ;;
	1) grep -q 'changed it' "up-$m.log" || fail "$m: $(cat "up-$m.log")" ;;
	*) fail "$m: status $rc: $(cat "up-$m.log")" ;;
	esac
done
[ $won -eq 1 ] || fail "$won of eight succeeded"
[ "$(count)" -eq $((before + 8)) ] || fail "a version is missing"
scg list -dir alice -json 2>/dev/null | jq -r '.[].name | select(startswith("race"))' >names
while read -r name; do
	ok scg download -dir alice "$name" -out got/race
	cat got/race
done <names | sort >all
[ "$(wc -l <all)" -eq 8 ] || fail "bytes were lost"
[ "$(sort -u all | wc -l)" -eq 8 ] || fail "a version is there twice"

say "two commands of one member at once raise no false alarm"
for i in 1 2 3 4 5 6; do
	echo "$i" >"a/par-$i"
	start "par-$i" scg upload -dir alice "a/par-$i"
	start "lst-$i" scg list -dir alice
	start "dl-$i" scg download -dir alice race -out "got/par-$i"
done
for i in 1 2 3 4 5 6; do
	for what in par lst dl; do
		wait "$(pid $what-$i)" || fail "$what-$i: $(cat "$what-$i.log")"
	done
done

say "nor does the same file, uploaded by several commands of one member at once, make a conflict with oneself"
echo same >a/same
before=$(count)
for i in 1 2 3 4 5 6; do start "same-$i" scg upload -dir alice a/same; done
for i in 1 2 3 4 5 6; do wait "$(pid same-$i)" || fail "same-$i: $(cat same-$i.log)"; done
[ "$(count)" -eq $((before + 1)) ] || fail "copies of one's own: $(scg list -dir alice -json 2>/dev/null)"
json '[.[] | select(.name == "same")][0].version == 6' scg list -dir alice -json

say "they take turns; another name need not wait"
cat >hold.py <<'EOF'
import fcntl
import hashlib
import os
import time

with open("alice/upload.lock", "r+b") as f:
    fcntl.lockf(f, fcntl.LOCK_EX, 1, int.from_bytes(hashlib.sha256(b"same").digest()[:8], "big") >> 2)
    open("held", "w").close()
    while not os.path.exists("enough"):
        time.sleep(0.05)
EOF
start hold python3 hold.py
within 60 test -e held
start turn scg upload -dir alice a/same
within 60 grep -q 'same: another process is uploading to this name: waiting for it' turn.log
ok scg upload -dir alice a/doc -to beside
json '[.[] | select(.name == "same")][0].version == 6' scg list -dir alice -json
: >enough
wait "$(pid hold)" || fail "hold.py: $(cat hold.log)"
wait "$(pid turn)" || fail "after its turn: $(cat turn.log)"
json '[.[] | select(.name == "same")][0].version == 7' scg list -dir alice -json

say "all of it is right"
json '.failed == 0 and .injected == 0 and .orphans == 0' scg verify -dir carol -json
