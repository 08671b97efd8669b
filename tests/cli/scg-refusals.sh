#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who is refused is told so with status 3 and one line, who does not reach the gateway with 5, and nothing is written.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq openssl

make_group alice bob mallory
echo content >file
ok scg upload -dir alice file
ok scg download -dir mallory file -out before

# every command that asks the gateway; what it would write is in $T/no
all_refuse() { # STATUS REGEX MEMBER
	_s=$1 _r=$2 _m=$3
	for _cmd in "keys" "list" "status" "upload file" "download file -out no" "rename file other" "remove file" "rekey" "verify" "gc" \
		"ledger head" "ledger audit" "encrypt -in file -out no" "decrypt -in sealed -out no"; do
		# shellcheck disable=SC2086 # words
		refuses "$_s" "$_r" scg $_cmd -dir "$_m"
		absent no
	done
	json 'length == 1 and .[0].name == "file" and .[0].version == 1' scg list -dir alice -json
	[ "$(objects | wc -l)" -eq 1 ] || fail "something was written to the drive"
}
ok scg encrypt -dir alice -in file -out sealed

say "revoked"
revoke mallory
within 60 status_is 3 scg keys -dir mallory
cp -r mallory mallory.before
all_refuse 3 'revoked' mallory
same mallory/keys.cms mallory.before/keys.cms
# -stale-ok is for a gateway that cannot be reached, not for one that says no
refuses 3 'revoked' scg download -dir mallory file -out no -stale-ok
absent no

say "a certificate of another authority, of another purpose, expired"
ok scg-ca init -dir other -group lab -noenc
ok scg req -dir foreign -name alice -out foreign.csr -noenc
ok scg-ca sign -dir other -in foreign.csr -out foreign/cert.pem -name alice
cp alice/ca.crt alice/scg.conf foreign/
refuses 3 'foreign' scg keys -dir foreign
mkdir -m 700 purpose
cp gw/gateway.key purpose/key.pem && cp gw/gateway.crt purpose/cert.pem && cp alice/ca.crt alice/scg.conf purpose/
refuses 3 'wrong-purpose' scg keys -dir purpose

say "the wrong gateway: another authority's, another name, a revoked one"
cp -r alice fooled
cp other/ca.crt fooled/ca.crt
refuses 3 'foreign' scg keys -dir fooled
cp -r bob elsewhere
sed -i 's|https://127.0.0.1:|https://ip6-localhost-is-not-it.invalid:|' elsewhere/scg.conf
refuses 5 . scg keys -dir elsewhere
# a gateway of our group under a name that its certificate does not have
ok scg-gateway init -dir gw2 -cacert ca/ca.crt -host other.example -listen 127.0.0.1:0 -store "directory:$T/drive"
ok scg-ca sign -dir ca -in gw2/gateway.csr -out gw2/gateway.crt -name gw2 -role gateway -san DNS:other.example
publish_crl gw2
good=$URL
gateway_up gw2
cp -r bob misled
sed -i "s|$good|$URL|" misled/scg.conf
refuses 4 "gateway|name" scg keys -dir misled
refuses 4 . scg upload -dir misled file -to x
stop gw2
GW=gw URL=$good

say "unreachable: 5, and what may be read offline only when that is wanted"
stop gw
for cmd in keys list 'download file -out no' 'upload file' 'remove file' rekey 'encrypt -in file -out no'; do
	# shellcheck disable=SC2086 # words
	refuses 5 . scg $cmd -dir bob
	absent no
done
ok scg list -dir alice -stale-ok
has .err 'freshness unknown'
json 'length == 1' scg list -dir alice -stale-ok -json
ok scg download -dir alice -stale-ok file -out got
same file got
ok scg verify -dir alice -stale-ok
ok scg keys -dir alice -stale-ok
ok scg ledger head -dir alice -stale-ok
ok scg status -dir alice -stale-ok
refuses 2 'unknown option' scg upload -dir alice -stale-ok file
# bob never synchronised before: there is nothing to take
make_nothing=$(mktemp -d "$T/fresh.XXXX")
cp bob/key.pem bob/cert.pem bob/ca.crt bob/scg.conf "$make_nothing/"
refuses 5 'never' scg list -dir "$make_nothing" -stale-ok

say "an older list: the gateway went back, nothing is sent or written"
gateway_up
moved
ok scg keys -dir alice
cp alice/crl.pem older.pem
ok scg-ca crl -dir ca
cp ca/crl.pem alice/crl.pem
cp -r alice alice.before
for cmd in keys list 'upload file -to x' 'download file -out no' 'remove file'; do
	# shellcheck disable=SC2086 # words
	refuses 4 'list [0-9]+, but [0-9]+ was seen' scg $cmd -dir alice
	absent no
done
for file in keys.cms crl.pem; do same alice/$file alice.before/$file; done
json 'length == 1' scg list -dir bob -json
publish_crl
within 60 scg keys -dir alice
ok scg keys -dir bob
same bob/crl.pem ca/crl.pem

say "a broken list or a broken configuration is named with its file"
cp -r alice broken
echo 'unknown_key = 1;' >>broken/scg.conf
refuses 2 'scg\.conf:[0-9]+: .*unknown_key' scg keys -dir broken
echo 'gateway = "https://x:1"; settle = -1;' >broken/scg.conf
refuses 2 'scg\.conf:1: .*settle' scg keys -dir broken
echo 'gateway = "https://x:1"; store = { type = "floppy"; path = "/a"; };' >broken/scg.conf
refuses 2 'store\.type' scg keys -dir broken
echo 'settle = 1;' >broken/scg.conf
refuses 2 'gateway' scg keys -dir broken
cp alice/scg.conf broken/scg.conf
echo garbage >broken/crl.pem
refuses 4 'crl\.pem' scg keys -dir broken
rm broken/scg.conf
refuses 1 'scg\.conf is missing' scg keys -dir broken

say "options"
refuses 2 'no command' scg
refuses 2 'unknown command' scg frobnicate
refuses 2 'unknown option -frob' scg list -dir alice -frob
refuses 2 'repeated' scg list -dir alice -json -json
refuses 2 'repeated' scg list -dir alice -dir bob
refuses 2 'needs' scg list -dir
refuses 2 'surplus' scg list -dir alice x
refuses 2 'missing' scg upload -dir alice
refuses 2 'missing' scg rename -dir alice one
refuses 2 'number' scg upload -dir alice -j 0 file
refuses 2 'number' scg upload -dir alice -j 33 file
refuses 2 'number' scg gc -dir alice -older -1
refuses 2 'number' scg gc -dir alice -older x
refuses 2 'reencrypt or rewrap' scg rekey -dir alice -mode fast
refuses 2 'whole drive' scg verify -dir alice -old file
refuses 2 'head' scg ledger -dir alice tail
for cmd in req install status keys encrypt decrypt inspect upload download list rename remove rekey verify gc ledger; do
	ok scg $cmd -help
	has .out "^usage: scg $cmd"
done
