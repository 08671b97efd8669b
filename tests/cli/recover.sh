#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/recover.sh opens what scg sealed where no program of scg is installed, and refuses what is not whole. TEST_LONG=1: 1 GiB too.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq openssl

# A place with what the script's head names, and nothing else.
mkdir tools
for tool in sh openssl tail head awk mkdir mv rm; do
	ln -s "$(command -v $tool)" "tools/$tool"
done
recover() { env -i PATH="$T/tools" sh "$top_srcdir/doc/recover.sh" "$@"; }
! env -i PATH="$T/tools" sh -c 'command -v scg || command -v scg-gateway' || fail "scg is in that place"
[ "$(wc -l <"$top_srcdir/doc/recover.sh")" -le 80 ] || fail "longer than it says"

make_group alice bob
ok openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout rec.key -out rec.crt -subj /CN=recovery -days 30 \
	-addext keyUsage=critical,keyAgreement
for size in 0 1 4194303 4194304 4194305; do
	head -c $size /dev/urandom >"plain.$size"
	ok scg encrypt -dir alice -in "plain.$size" -out "sealed.$size"
done
ok scg keys -dir bob
stock_keys bob >keys
key=$(cat keys)

say "wrong usage"
for args in '' 'ca/ca.crt ca/crl.pem keys sealed.1' 'ca/ca.crt ca/crl.pem keys sealed.1 fresh rec.crt' '-help'; do
	# shellcheck disable=SC2086 # the words of it
	refuses 2 '^recover.sh: usage: CA.crt CRL.pem' recover $args
	absent fresh
done

say "with the group key, from a file and from standard input"
for size in 0 1 4194303 4194304 4194305; do
	ok recover ca/ca.crt ca/crl.pem keys "sealed.$size" "got.$size"
	has .out "plain.$size, version 1, $size bytes, signed at .*CN *= *alice"
	same "plain.$size" "got.$size"
done
recover ca/ca.crt ca/crl.pem - sealed.1 got.stdin <keys >.out 2>.err || fail "$(cat .err)"
same plain.1 got.stdin
printf '\r\n %s \r\n' "$key" >keys.edited
ok recover ca/ca.crt ca/crl.pem keys.edited sealed.1 got.edited
same plain.1 got.edited

say "with the exported package and the recovery key"
ok scg-gateway export -config gw/gateway.conf -recip rec.crt -out package.cms
ok recover ca/ca.crt ca/crl.pem package.cms sealed.4194305 got.package rec.crt rec.key
same plain.4194305 got.package

say "what was sealed to one certificate, with its own key"
ok openssl req -new -newkey rsa:3072 -noenc -keyout carol.key -out carol.csr -subj /CN=carol
ok scg-ca sign -dir ca -in carol.csr -out carol.crt -name carol
for who in bob/cert.pem:bob/key.pem carol.crt:carol.key; do
	ok scg encrypt -dir alice -recip "${who%:*}" -in plain.4194305 -out "sealed.own"
	ok recover ca/ca.crt ca/crl.pem none sealed.own got.own "${who%:*}" "${who#*:}"
	same plain.4194305 got.own
	rm got.own
done

say "the passphrase of that key comes from the environment"
ok openssl pkey -in carol.key -aes256 -passout pass:secret -out carol.locked
ok env -i PATH="$T/tools" PASS=secret sh "$top_srcdir/doc/recover.sh" ca/ca.crt ca/crl.pem none sealed.own got.own carol.crt carol.locked
same plain.4194305 got.own
_got=0
env -i PATH="$T/tools" PASS=wrong sh "$top_srcdir/doc/recover.sh" ca/ca.crt ca/crl.pem none sealed.own fresh carol.crt carol.locked >.out 2>.err || _got=$?
[ $_got -eq 4 ] || fail "status $_got"
absent fresh

say "the author's certificate has expired since: what counts is when he signed"
ok "$top_builddir/tests/cli/make_expired"
ok recover expired.ca expired.crl expired.keys in-time got.expired
has .out 'minutes, version 1, 27 bytes, signed at .*CN *= *eve'
has got.expired '^the minutes of the meeting$'

say "a long file"
long=$((${TEST_LONG:-0} ? 1 << 30 : 1 << 25))
long_plain() { head -c $long /dev/zero | openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 2>/dev/null; }
long_plain | scg encrypt -dir alice -in - -out sealed.long
ok recover ca/ca.crt ca/crl.pem keys sealed.long got.long
long_plain | cmp - got.long || fail "another file"
rm sealed.long got.long

say "a whole drive, by the names that the authors gave"
mkdir -p up/inner
echo one >'up/inner/año 1.txt'
echo two >'up/inner/ blanks '
cp plain.4194305 up/long
ok scg upload -dir alice -r up
ok recover ca/ca.crt ca/crl.pem keys drive/ got.drive/
same 'up/inner/año 1.txt' 'got.drive/up/inner/año 1.txt'
same 'up/inner/ blanks ' 'got.drive/up/inner/ blanks '
same plain.4194305 got.drive/up/long
[ "$(find got.drive -type f | wc -l)" -eq 3 ] || fail "something else is there"

# refused PATTERN FILE [KEYS [CA [CRL [CERT KEY]]]]: nothing under the name, nothing beside it
refused() {
	_rule=$1
	_got=0
	recover "${4:-ca/ca.crt}" "${5:-ca/crl.pem}" "${3:-keys}" "$2" fresh ${6:+"$6" "$7"} >.out 2>.err || _got=$?
	[ $_got -eq 4 ] || fail "status $_got: $(cat .err)"
	has .err "$_rule"
	absent fresh
	[ -z "$(find . -maxdepth 1 -name 'fresh.*')" ] || fail "something is left"
}
long=sealed.4194305
size=$(wc -c <$long)
note=806 full=4194488

say "what is cut off, doubled, swapped, damaged, mixed, or has something behind it"
head -c $((size - 1)) $long >bad; refused 'cut off' bad
head -c $((note + full)) $long >bad; refused 'not good' bad
head -c $note $long >bad; refused 'no sealed file' bad
: >bad; refused 'no sealed file' bad
cp plain.4194304 bad; refused 'no sealed file' bad
{ cat $long; echo; } >bad; refused 'behind it' bad
{ cat $long; cat sealed.1; } >bad; refused . bad
tail -c +$((note + 1)) $long >bad; refused 'cut off' bad
{ head -c $((note + full)) $long; tail -c +$((note + 1)) $long; } >bad; refused 'doubled' bad
{ head -c $note $long; tail -c +$((note + full + 1)) $long; } >bad; refused 'cut off' bad
last=$((size - note - full)) # the last segment (174 bytes) and the manifest
{ head -c $note $long; tail -c $last $long | head -c 173; head -c $((note + full)) $long | tail -c $full; tail -c $((last - 173)) $long; } >bad
refused 'damaged|not what' bad
for at in 900 $((note + full + 150)) $((size - 300)) $((size - 3)); do
	cp $long bad
	flip bad $at
	refused "byte|no key" bad
done
for at in 5 $((note - 1)); do
	cp $long bad
	flip bad $at
	refused 'byte 0: no note' bad
done
head -c 4194305 /dev/urandom >plain.other
ok scg encrypt -dir alice -in plain.other -out other
{ head -c $note $long; tail -c +$((note + 1)) other | head -c $full; tail -c +$((note + full + 1)) $long; } >bad
refused 'byte 806' bad
{ head -c $((size - last + 173)) $long; tail -c $((last - 173)) other; } >bad
refused . bad

say "names that lead elsewhere or that command the terminal"
lone() { openssl cms -encrypt -aes-256-gcm -secretkey "$key" -secretkeyid 00 -binary -outform DER; }
# named NAME: a file of one byte whose author, alice, wrote this into its manifest
named() {
	openssl cms -sign -signer alice/cert.pem -inkey alice/key.pem -cades -nosmimecap -nodetach -binary -outform DER -in - -out signed 2>.err <<-MANIFEST || fail "$(cat .err)"
		scg-manifest 1
		group lab
		name $1
		file 123e4567-e89b-42d3-a456-426614174000
		version 1
		size 1
		segment-size 4194304
		count 1
		$(sha256sum <plain.1 | cut -d ' ' -f 1)
	MANIFEST
	{ lone <plain.1; lone <signed; } >bad
}
named 'a~b/%C3%A9'
ok recover ca/ca.crt ca/crl.pem keys bad got.named
same plain.1 got.named
for name in ../a /a a//b %1B%5B1m a%C2%9Bb a%E2%80%AEb; do
	named "$name"
	refused 'name not fit' bad
done

say "what another one signed, or who was evicted before"
(
	make_ca eve lab
	ok scg-ca crl -dir eve
)
refused 'CRL|not of' sealed.1 keys eve/ca.crt
refused 'signature or certificate' sealed.1 keys eve/ca.crt eve/crl.pem
refused 'not of' sealed.1 keys ca/ca.crt eve/crl.pem
refused 'signature or certificate' too-late expired.keys expired.ca expired.crl
echo 00112233 >none; refused 'no group key' sealed.1 none
refused 'no key opens' sealed.own
refused 'no key opens' sealed.own none ca/ca.crt ca/crl.pem bob/cert.pem bob/key.pem
refused 'no key opens' sealed.1 none ca/ca.crt ca/crl.pem bob/cert.pem bob/key.pem
cp sealed.own bad; flip bad $((size / 2)); refused 'damaged at byte' bad none ca/ca.crt ca/crl.pem carol.crt carol.key
printf '%064d\n' 0 >none; refused 'no key opens' sealed.1 none
CA=ca GW=gw
sleep 1
revoke alice
ok recover ca/ca.crt ca/crl.pem keys sealed.1 got.revoked
has .err 'warning: .*revoked at'
same plain.1 got.revoked

say "in a folder each bad file is named, the good ones come out, nothing is overwritten"
cp bad drive/aaaa.cms
first=$(objects | grep -v aaaa | head -n 1)
: >"drive/$(printf 'esc\033[1m\nx').cms"
cp "$first" drive/copy.cms
_got=0
recover ca/ca.crt ca/crl.pem keys drive got.bad >.out 2>.err || _got=$?
[ $_got -eq 4 ] || fail "status $_got"
has .err 'aaaa.cms'
has .err 'is there'
has .err 'esc\?\[1m\?x'
lacks .err "$(printf '\033')"
[ "$(find got.bad -type f | wc -l)" -eq 3 ] || fail "not the three files"
mkdir empty
_got=0
recover ca/ca.crt ca/crl.pem keys empty got.empty >.out 2>.err || _got=$?
[ $_got -eq 4 ] || fail "status $_got of a folder with nothing in it"
echo keep >keep
_got=0
recover ca/ca.crt ca/crl.pem keys sealed.1 keep >.out 2>.err || _got=$?
[ $_got -eq 4 ] || fail "status $_got"
has keep '^keep$'
lacks .out "$key"
lacks .err "$key"
