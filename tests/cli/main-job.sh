#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job: enrol, upload, download, refuse, evict, re-encrypt; and what must not happen on the way.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq openssl curl

make_group alice bob carol

say "files of several sizes and names arrive as the same bytes"
mkdir files
head -c 100000 /dev/urandom >files/a.bin
head -c 9000000 /dev/urandom >files/long.bin
: >files/empty
printf 'CANARY-4711\n' >'files/Ein Name mit Ü.txt'
ok scg upload -dir alice files/*
json 'length == 4 and all(.[]; .author == "alice" and .epoch == 1 and .version == 1)' scg list -dir bob -json
json '[.[] | select(.name == "long.bin")][0].size == 9000000' scg list -dir bob -json
mkdir got
for file in files/*; do
	ok scg download -dir bob "${file#files/}" -out "got/${file#files/}"
	same "$file" "got/${file#files/}"
done

say "the drive shows neither names nor content"
[ "$(objects | wc -l)" -eq 4 ] || fail "not four objects on the drive"
! find drive | grep -Eq 'a\.bin|long|empty|Name' || fail "a name on the drive"
! grep -rqa 'CANARY' drive || fail "plaintext on the drive"

say "an unknown name is an error, and nothing is written"
refuses 1 'none\.txt' scg download -dir bob none.txt -out got/none
absent got/none

say "who has no certificate of the group gets no key"
ok scg-ca init -dir other -group lab -noenc
ok scg req -dir outsider -name alice -out outsider.csr -noenc
ok scg-ca sign -dir other -in outsider.csr -out outsider/cert.pem -name alice
cp ca/ca.crt alice/scg.conf outsider/
refuses 3 'foreign|not a member|not issued' scg keys -dir outsider
refuses 3 . scg upload -dir outsider files/a.bin
refuses 3 . scg download -dir outsider a.bin -out got/outsider
absent outsider/keys.cms got/outsider
keys="$URL/v1/keys?nonce=00112233445566778899aabbccddeeff"
code() { curl -s -o .reply -w '%{http_code}' --cacert ca/ca.crt "$@"; }
[ "$(code "$keys")" = 403 ] || fail "no certificate: $(cat .reply)"
has .reply no-certificate
[ "$(code --cert outsider/cert.pem --key outsider/key.pem "$keys")" = 403 ] || fail "foreign certificate: $(cat .reply)"
has .reply foreign
[ "$(code --cert gw/gateway.crt --key gw/gateway.key "$keys")" = 403 ] || fail "gateway's certificate as a member's: $(cat .reply)"
has .reply wrong-purpose
[ "$(code --cert alice/cert.pem --key alice/key.pem "$keys")" = 200 ] || fail "a member's certificate: $(cat .reply)"

say "a member does not talk to a gateway of another authority"
cp -r alice fooled
cp other/ca.crt fooled/ca.crt
! scg keys -dir fooled >.out 2>.err || fail "took another authority's gateway"

say "carol takes what she can while she is a member"
ok scg download -dir carol a.bin -out got/carol
ok scg keys -dir carol
old_key=$(stock_keys carol | head -n 1)
[ ${#old_key} -eq 64 ] || fail "stock tools find no group key"
[ "$(stock_opens "$old_key")" -eq 4 ] || fail "the key does not open the objects"

cp gw/crl.pem before.pem
say "once revoked she is refused, and the others are not"
revoke carol
within 60 status_is 3 scg keys -dir carol
refuses 3 revoked scg keys -dir carol
refuses 3 revoked scg download -dir carol a.bin -out got/carol2
refuses 3 revoked scg upload -dir carol files/a.bin -to carol
absent got/carol2
[ "$(code --cert carol/cert.pem --key carol/key.pem "$keys")" = 403 ] || fail "revoked: $(cat .reply)"
has .reply revoked
json 'max_by(.epoch).epoch == 2 and length == 2' scg keys -dir bob -json

say "the list from before is ignored"
cp before.pem gw/crl.pem
within 60 grep -q 'crl-ignored from=crl.pem .*older' gw.log
refuses 3 revoked scg keys -dir carol

say "new files are under the new key, old ones follow by a re-encryption of somebody else"
ok scg upload -dir bob files/a.bin -to later
[ "$(stock_opens "$old_key")" -eq 4 ] || fail "before the re-encryption the old key opens the four old objects and no other"
json '.rekeyed == 4 and .failed == 0 and .epoch == 2' scg rekey -dir bob -json
json '.rekeyed == 0 and .failed == 0' scg rekey -dir bob -json
[ "$(stock_opens "$old_key")" -eq 0 ] || fail "the old key still opens something"
[ "$(objects | wc -l)" -eq 5 ] || fail "old objects are left on the drive"
json 'length == 5 and all(.[]; .epoch == 2)' scg list -dir alice -json
json '[.[] | select(.name == "a.bin")][0] | .author == "alice" and .version == 1' scg list -dir alice -json

say "everything still opens as the same bytes"
for file in files/*; do
	ok scg download -dir alice "${file#files/}" -out "got/${file#files/}"
	same "$file" "got/${file#files/}"
done
ok scg verify -dir alice

say "a restarted gateway keeps keys, list and epoch"
stop gw KILL
gateway_up
moved
json 'max_by(.epoch).epoch == 2' scg keys -dir bob -json
refuses 3 revoked scg keys -dir carol

say "without the gateway nothing is sent, and it says try again"
stop gw
[ "$status" -eq 0 ] || fail "SIGTERM ended the gateway with status $status"
refuses 5 . scg upload -dir alice files/a.bin -to unreachable
[ "$(objects | wc -l)" -eq 5 ] || fail "an object was left on the drive"
