#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# inspect: the objects of a sealed file, who signed it where the keys are at hand, and any other CMS file as a tree.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq openssl

make_group alice
head -c 60000000 /dev/zero >long
head -c 3000 /dev/urandom >short
ok scg encrypt -dir alice -in long -out long.cms
ok scg encrypt -dir alice -in short -out short.cms
ok scg encrypt -dir alice -recip alice/cert.pem -in short -out own.cms

say "without a key: objects, sizes, the key's id"
json '.segments == 15 and .segment_size == 4194304 and .cipher == "aes-256-gcm" and .size == 60000000 and .signed and
	(.key_ids | length) == 1 and (.objects | length) == 17 and .objects[0] == {kind: "note", offset: 0, size: 806} and
	.objects[2] == {kind: "segment", index: 1, plain: 4194304, offset: 4195294, size: 4194488} and .objects[16].kind == "manifest" and
	.recipients[0].type == "group" and .recipients[0].epoch == null and (has("author") | not)' scg inspect -in long.cms -json
[ "$(jq '.objects[16] | .offset + .size' .out)" -eq "$(wc -c <long.cms)" ] || fail "the manifest does not end with the file"
ok scg inspect -in long.cms
has .out '^object    segment 9 at 37751198, 4194488 bytes$'
has .out '^          and 5 more$'
lacks .out 'segment 10'
json '.key_ids == [] and .recipients[0].type == "certificate" and .recipients[0].algorithm == "ECDH-ES"' scg inspect -in own.cms -json

say "with the member's folder: epochs, and what is signed; nobody is asked"
stop gw
json '.recipients[0].epoch == 1' scg inspect -dir alice -in short.cms -json
sha=$(sha256sum <short | cut -d ' ' -f 1)
json ".author == \"alice\" and .name == \"short\" and .version == 1 and .digests == [\"$sha\"] and .author_revoked == false" \
	scg inspect -dir alice -text -in short.cms -json
json '.author == "alice"' scg inspect -dir alice -text -in own.cms -json
ok scg inspect -dir alice -text -in short.cms
has .out '^author    alice, signed at 20'
has .out "^sha256    segment 0: $sha"
cp short.cms bad
flip bad -30
refuses 4 '^scg: bad: manifest' scg inspect -dir alice -text -in bad
refuses 1 . scg inspect -dir nobody -text -in short.cms

say "any other CMS file"
key=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
openssl cms -sign -in short -signer alice/cert.pem -inkey alice/key.pem -binary -nodetach -outform DER -out signed 2>/dev/null
openssl cms -encrypt -in short -aes-256-cbc -binary -outform DER -out enveloped alice/cert.pem
openssl cms -encrypt -in short -aes-256-gcm -secretkey $key -secretkeyid 00112233445566778899aabbccddeeff -binary -stream -outform DER -out lone
openssl cms -EncryptedData_encrypt -in short -aes-256-cbc -secretkey $key -binary -outform DER -out encrypted
openssl cms -digest_create -in short -binary -outform DER -out digested
for file in signed enveloped lone encrypted digested alice/keys.cms; do
	ok scg inspect -in $file
	has .out '^object: at 0, '
	# of which the signed ones nest
	json '.tree | length > 5 and .[0].depth == 0 and .[0].name == "object"' scg inspect -in $file -json
done
ok scg inspect -in signed
has .out 'certificate: CN=alice,OU=member,O=lab, by CN=lab CA, serial '
has .out 'signature algorithm: ecdsa-with-SHA256'
has .out '^not an envelope of scg: '
ok scg inspect -in lone
has .out '^key       00112233445566778899aabbccddeeff$'
has .out 'cipher: aes-256-gcm, nonce [0-9a-f]{24}, tag of 16 octets$'
has .out 'encrypted content: 3000 octets'

openssl cms -encrypt -in short -aes-256-cbc -pwri_password secret -binary -outform DER -out locked
ok scg inspect -in locked
has .out 'key derivation: PBKDF2, with parameters$'

say "whoever never fetched a key sees it too; of what is sealed he is told why not"
ok scg req -dir fresh -name fresh -out fresh.csr -noenc
ok scg-ca sign -dir ca -in fresh.csr -out fresh.crt -name fresh
ok scg install -dir fresh -cert fresh.crt -cacert ca/ca.crt -gateway "$URL"
for file in signed enveloped lone; do
	ok scg inspect -in $file -text
	ok env SCG_DIR=fresh scg inspect -in $file -text
done
refuses 5 'no keys were ever fetched' scg inspect -dir fresh -text -in short.cms

say "what a mail program stored is named, and not taken for CMS"
openssl cms -encrypt -in short -aes-256-cbc -binary -out mail alice/cert.pem
openssl cms -sign -in short -signer alice/cert.pem -inkey alice/key.pem -out mail.clear 2>/dev/null
for file in mail mail.clear; do
	refuses 4 "^scg: $file: an S/MIME message .*-inform SMIME" scg inspect -in $file
	openssl cms -cmsout -inform SMIME -in $file -outform DER -out out.der
	ok scg inspect -in out.der
done

say "the same as PEM"
openssl crl2pkcs7 -nocrl -certfile alice/cert.pem -certfile ca/ca.crt -out certs.pem
ok scg inspect -in certs.pem
has .out 'certificate: CN=alice,OU=member,O=lab, by CN=lab CA, serial '
openssl cms -cmsout -in signed -inform DER -outform PEM -out signed.pem
ok scg inspect -in signed
cp .out der.out
ok scg inspect -in signed.pem
same der.out .out
scg inspect -in - <signed.pem >.out || fail "PEM from a pipe"
same der.out .out
head -n 5 signed.pem >bad
refuses 4 'RFC 7468' scg inspect -in bad
{ cat signed.pem; echo more; } >bad
refuses 4 'RFC 7468' scg inspect -in bad
openssl pkey -in alice/key.pem -out bad
refuses 4 'RFC 5652 3' scg inspect -in bad

say "what is cut off or no CMS"
head -c 300 signed >bad
refuses 4 'or cut off$' scg inspect -in bad
truncate -s 5G bad
refuses 4 'end of contents|longer|cut off|RFC 5652 3' scg inspect -in bad
refuses 1 'is a folder' scg inspect -in alice
for file in short.cms signed enveloped lone; do
	head -c 700 $file >bad
	refuses 4 '^scg: bad: ' scg inspect -in bad
	refuses 4 '^scg: bad: ' scg inspect -in bad -json
	[ ! -s .out ] || fail "a document of half a file"
done
{ cat short.cms; echo; } >bad
refuses 4 'behind the manifest' scg inspect -in bad
refuses 4 . scg inspect -in short
: >bad
refuses 4 'empty' scg inspect -in bad
refuses 1 'no-such' scg inspect -in no-such
refuses 4 . sh -c 'head -c 100000 /dev/zero | scg inspect -in -'
# which has no end, and is not taken into a file to find that out
refuses 4 '^scg: /dev/zero: RFC 5652 3' scg inspect -in /dev/zero
