#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What scg-ca does not do: each with its status, one line that says why, and nothing written.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need openssl jq

make_ca
sum() { sha256sum ca/ca.crt ca/ca.key ca/crl.pem; }
sum >before
csr() { openssl req -new -key "$1" -subj /CN=x -out "$2" "${3:--sha256}" 2>/dev/null; }
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out good.key
csr good.key good.csr
sign() { scg-ca sign -dir ca -out out.crt -name alice "$@"; }

say "an existing CA is never written over"
refuses 1 'ca: holds a CA already; nothing was changed' scg-ca init -dir ca -group lab -noenc
refuses 1 'holds a CA already' scg-ca init -dir ca -group other -passout pass:x
sum | cmp -s - before || fail "the CA changed"

say "no folder is begun where SQLite could not open the database"
long=$(long_folder)
refuses 1 'ca.db: a path of 526 bytes from the root on; SQLite takes 504' scg-ca init -dir "$long" -group lab -noenc
absent "$long"

say "nor a folder with a key, a certificate or a list of something else, nor a CA whose database is lost"
for file in ca.key ca.crt crl.pem; do
	mkdir "f-$file"
	echo mine >"f-$file/$file"
	refuses 1 "holds $file already" scg-ca init -dir "f-$file" -group lab -noenc
	has "f-$file/$file" '^mine$'
	[ "$(find "f-$file" -type f | wc -l)" -eq 1 ] || fail "files in f-$file"
done
cp -r ca lost
rm lost/ca.db
refuses 1 'holds ca.key already' scg-ca init -dir lost -group lab -noenc
: >lost/ca.db
refuses 1 'holds ca.key already' scg-ca init -dir lost -group lab -noenc
same ca/ca.key lost/ca.key
ok scg-ca init -dir "with notes" -group lab -noenc
rm -rf "with notes"
mkdir "with notes"
echo x >"with notes/README"
ok scg-ca init -dir "with notes" -group lab -noenc
present "with notes/README" "with notes/ca.key"

say "no CA, or not all of it"
refuses 1 'no CA here' scg-ca list -dir nowhere
refuses 1 'no CA here' scg-ca sign -dir nowhere -in good.csr -out out.crt -name alice
refuses 1 'no CA here' scg-ca crl -dir nowhere
absent nowhere
cp -r ca part
rm part/ca.key
refuses 1 'ca.key' scg-ca crl -dir part
cp "with notes/ca.key" part/ca.key
refuses 4 'for another key' scg-ca crl -dir part
cp "with notes/ca.crt" part/ca.crt
refuses 4 'not the certificate of the CA' scg-ca list -dir part
rm part/ca.crt
ok scg-ca list -dir part
same part/ca.crt ca/ca.crt
cp ca/ca.key part/ca.key
chmod 640 part/ca.key
refuses 1 'mode 0640' scg-ca crl -dir part
chmod 600 part/ca.key
head -c 3000 /dev/urandom >part/ca.db
refuses 4 'damaged' scg-ca list -dir part

say "requests that are damaged or not proved"
openssl req -in good.csr -outform DER -out good.der
cp good.der flipped.der
flip flipped.der -1
refuses 4 'RFC 2986 4.2: signature does not verify' sign -in flipped.der
head -c 100 good.der >cut.der
refuses 4 'RFC 2986' sign -in cut.der
: >empty
refuses 4 'empty' sign -in empty
echo nonsense >nonsense
refuses 4 'PEM' sign -in nonsense
refuses 4 'CERTIFICATE REQUEST' sign -in ca/ca.crt
refuses 1 'none.csr' sign -in none.csr
refuses 1 'more than' sign -in /proc/self/exe

say "weak and unsuitable keys"
for alg in "-algorithm RSA -pkeyopt rsa_keygen_bits:1024" "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3" \
	"-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1" "-algorithm EC -pkeyopt ec_paramgen_curve:P-521" \
	"-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit" "-algorithm ED25519" \
	"-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"; do
	# shellcheck disable=SC2086 # words
	openssl genpkey $alg -out weak.key 2>/dev/null
	openssl req -new -key weak.key -subj /CN=x -out weak.csr 2>/dev/null
	refuses 3 'weak.csr: .*RFC' sign -in weak.csr
done
say "weak hashes"
csr good.key sha1.csr -sha1
refuses 3 'sha1.csr: .*RFC 5758' sign -in sha1.csr
openssl req -new -key ca/ca.key -subj /CN=x -out own.csr
refuses 3 "the CA's own key" sign -in own.csr
absent out.crt

say "names"
long=$(printf 'n%.0s' $(seq 65))
for name in '' a/b a%b "$(printf 'a\tb')" "$(printf 'a\nb')" "$(printf '\033[2Jb')" "$(printf 'a\177')" "$(printf '\377')" \
	"$(printf 'a\342\200\256b')" ' a' 'a ' "$long"; do
	refuses 2 'member name' scg-ca sign -dir ca -in good.csr -out out.crt -name "$name"
	refuses 2 'group name' scg-ca init -dir g -group "$name" -noenc
	absent g
done
LC_ALL=C grep -q "$(printf '\033')" .err && fail "an escape reached the terminal"

say "roles and their names"
refuses 2 'role is none of' sign -in good.csr -role king
refuses 2 'needs -san' sign -in good.csr -role gateway
refuses 2 'gateways only' sign -in good.csr -san DNS:a
refuses 2 'gateways only' sign -in good.csr -role admin -san DNS:a
for san in '' a DNS: 'DNS:*.a' 'DNS:a b' DNS:127.0.0.1 IP:localhost IP:1.2.3 email:a@b URI:http://a dirName:x 'DNS:a,'; do
	refuses 2 '' sign -in good.csr -role gateway -san "$san"
done

say "days"
for days in 0 3651 -1 x 99999999999999999999 1.5 ''; do
	refuses 2 '-days' sign -in good.csr -days "$days"
	refuses 2 '-days' scg-ca crl -dir ca -days "$days"
done
refuses 2 '-days' scg-ca crl -dir ca -days 366
refuses 2 '-days' scg-ca init -dir g -group lab -noenc -days 36501
absent g

say "kinds of key for the CA, and passphrases"
for alg in rsa:1024 ec:P-521 ed25519 ec rsa; do
	refuses 2 'key type' scg-ca init -dir g -group lab -noenc -newkey $alg
done
refuses 2 'passphrase' setsid -w scg-ca init -dir g -group lab
refuses 2 'passphrase source' scg-ca init -dir g -group lab -passout secret
refuses 2 'contradict' scg-ca init -dir g -group lab -passout pass:x -noenc
refuses 2 'URL' scg-ca init -dir g -group lab -noenc -crlurl ftp://a
refuses 2 'URL' scg-ca init -dir g -group lab -noenc -crlurl 'http://a b'
absent g

say "options: unknown, repeated, without value, surplus"
for command in init sign revoke crl list; do
	refuses 2 'unknown option' scg-ca $command -dir ca -frobnicate
	refuses 2 'repeated' scg-ca $command -dir ca -dir ca
	refuses 2 'needs' scg-ca $command -dir
	ok scg-ca $command -help
	has .out "^usage: scg-ca $command"
done
refuses 2 'missing' scg-ca sign -dir ca -in good.csr -out out.crt
refuses 2 'missing' scg-ca init -dir g
refuses 2 'surplus' scg-ca list -dir ca extra
refuses 2 'unknown command' scg-ca destroy
refuses 2 'no command' scg-ca
ok scg-ca -version
ok scg-ca -help
has .out '^  revoke'

say "an output that would replace the CA's own files, or cannot be written"
for file in ca.key ca.crt crl.pem ca.db; do
	refuses 2 "the CA's own $file" scg-ca sign -dir ca -in good.csr -out ca/$file -name alice
	[ $file = crl.pem ] || refuses 2 "the CA's own $file" scg-ca crl -dir ca -out ca/../ca/$file
done
refuses 1 'none/out.crt' scg-ca sign -dir ca -in good.csr -out none/out.crt -name alice
mkdir folder
refuses 1 'folder' scg-ca sign -dir ca -in good.csr -out folder -name alice
refuses 2 'https://HOST:PORT' scg-ca crl -dir ca -publish http://localhost:1
refuses 2 'https://HOST:PORT' scg-ca revoke -dir ca -name alice -publish nonsense

say "after all that nothing was issued and no list was made; the request is still good, once"
json '. == []' scg-ca list -dir ca -json
sum | cmp -s - before || fail "the CA changed"
echo old >out.crt
ok sign -in good.csr
ok openssl verify -CAfile ca/ca.crt out.crt
cp out.crt first.crt
refuses 3 'certified at' sign -in good.csr
refuses 3 'certified at' sign -in good.der
same out.crt first.crt

say "the list's own file as its copy"
ok scg-ca crl -dir ca -out ca/crl.pem
ok openssl crl -in ca/crl.pem -noout
