#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Becoming a member offline: what belongs together is installed whole, anything else not at all.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq openssl

make_group alice
sign() { ok scg-ca sign -dir ca -in "$1.csr" -out "$1.crt" -name "$2"; }
install() { scg install -dir "$1" -cert "$2" -cacert ca/ca.crt -gateway "$URL"; }

say "req makes a key that nobody else can read, and never a second one"
ok scg req -dir bob -name bob -out bob.csr -noenc
[ "$(stat -c %a bob)" = 700 ] || fail "the folder is open to others"
[ "$(stat -c %a bob/key.pem)" = 600 ] || fail "the key is open to others"
ok openssl req -in bob.csr -noout -verify
cp bob/key.pem key.before
refuses 1 'waits for its certificate' scg req -dir bob -name bob -out again.csr -noenc
same bob/key.pem key.before
absent again.csr
refuses 2 'contradict' scg req -dir x -name x -out x.csr -noenc -passout pass:x
refuses 2 'name' scg req -dir x -name a/b -out x.csr -noenc
refuses 2 'is missing' scg req -dir x -out x.csr -noenc
refuses 2 'newkey|P-256' scg req -dir x -name x -out x.csr -noenc -newkey ec:P-521
refuses 1 'nowhere' scg req -dir x -name x -out nowhere/x.csr -noenc
absent x/key.pem x.csr

say "no folder is begun where SQLite could not open the mirror later"
long=$(long_folder)
refuses 1 'ledger.db: a path of 530 bytes from the root on; SQLite takes 504' scg req -dir "$long" -name long -out long.csr -noenc
absent "$long" long.csr
refuses 1 'SQLite takes 504' install "$long" alice.crt

say "install checks that certificate, key and CA belong together"
sign bob bob
ok scg-ca init -dir other -group lab -noenc
ok scg req -dir carol -name carol -out carol.csr -noenc
sign carol carol
refuses 1 'key' install bob carol.crt
refuses 3 'foreign' scg install -dir bob -cert bob.crt -cacert other/ca.crt -gateway "$URL"
refuses 3 'wrong-purpose' install bob gw/gateway.crt
refuses 1 'no key key.pem' install nobody bob.crt
refuses 4 . scg install -dir bob -cert bob.csr -cacert ca/ca.crt -gateway "$URL"
for url in http://127.0.0.1:1 https://127.0.0.1 https://127.0.0.1:0 https://127.0.0.1:65536 https://127.0.0.1:1/ https://a@b:1 127.0.0.1:1 "https://[::1:1"; do
	refuses 2 'https://HOST:PORT' scg install -dir bob -cert bob.crt -cacert ca/ca.crt -gateway "$url"
done
absent bob/cert.pem bob/ca.crt bob/scg.conf
ok install bob bob.crt
present bob/cert.pem bob/ca.crt bob/scg.conf
has bob/scg.conf "^gateway = \"$URL\";"
ok scg keys -dir bob

say "what opens the TLS connection is told to no file, whatever the environment asks for"
ok env SSLKEYLOGFILE="$T/tls.log" scg keys -dir bob
absent tls.log

say "over another identity: refused, and nothing changes"
cp -r bob bob.before
refuses 1 'another identity already: bob' install bob carol.crt
refuses 1 'another identity already: bob' install bob alice.crt
refuses 1 'names another gateway' scg install -dir bob -cert bob.crt -cacert ca/ca.crt -gateway https://127.0.0.1:1
diff -r bob bob.before >/dev/null || fail "something changed"

say "a renewal: a new key beside the old one, until its certificate is there"
echo 'settle = 7;' >>bob/scg.conf
ok scg upload -dir bob key.before -to mine
ok scg req -dir bob -name bob -out bob2.csr -noenc
present bob/key.new.pem
ok scg keys -dir bob
ok scg-ca sign -dir ca -in bob2.csr -out bob2.crt -name bob
cp -r bob bob.cut
cp bob/key.pem key.old
cp bob/cert.pem cert.old
ok install bob bob2.crt
absent bob/key.new.pem
! cmp -s bob/key.pem key.before || fail "the old key is still in use"
has bob/scg.conf 'settle = 7'
ok scg keys -dir bob
# his own file is still his own
echo new >key.before
ok scg upload -dir bob key.before -to mine
# cut off between certificate and key: put right at the next command
cp bob2.crt bob.cut/cert.pem
ok scg keys -dir bob.cut
absent bob.cut/key.new.pem
same bob/key.pem bob.cut/key.pem

say "commands that meet an installation at work wait for its end"
# waiting PID DIR: for the lock on the folder
waiting() { grep -Eq -e "-> FLOCK .* $1 .*:$(stat -c %i "$2") " /proc/locks; }
# met NAME CMD...: a command that finds NAME between its two steps; CMD is the second one
met() {
	_dir=$1
	shift
	rm -f enough held
	start "hold-$_dir" flock "$_dir" sh -c ': >held; until [ -e enough ]; do sleep 0.05; done'
	within 120 test -e held
	start "meets-$_dir" scg keys -dir "$_dir"
	within 120 waiting "$(pid "meets-$_dir")" "$_dir"
	"$@"
	: >enough
	wait "$(pid "meets-$_dir")" || fail "it met an installation: $(cat "meets-$_dir.log")"
	wait "$(pid "hold-$_dir")" || fail "hold: $(cat "hold-$_dir.log")"
}
# what it had read was the new certificate and the old key; or the old certificate and the new key
cp -r bob bob.key
cp key.old bob.key/key.pem
cp bob/key.pem bob.key/next
met bob.key mv bob.key/next bob.key/key.pem
cp -r bob bob.cert
cp cert.old bob.cert/cert.pem
met bob.cert cp bob2.crt bob.cert/cert.pem
cp key.old bob.key/key.pem
refuses 4 'RFC 5280 4.1.2.7: the certificate is for another key' scg keys -dir bob.key

say "an encrypted key: every place that openssl's -passin knows"
printf 'open sesame\nsecond line\n' >pw
ok scg req -dir dave -name dave -out dave.csr -newkey ec:P-384 -passout file:pw
has dave/key.pem 'ENCRYPTED PRIVATE KEY'
ok openssl pkey -in dave/key.pem -passin file:pw -noout
sign dave dave
refuses 2 'terminal|passphrase' install dave dave.crt
refuses 1 'passphrase|decrypt|wrong' scg install -dir dave -cert dave.crt -cacert ca/ca.crt -gateway "$URL" -passin pass:wrong
absent dave/cert.pem
ok scg install -dir dave -cert dave.crt -cacert ca/ca.crt -gateway "$URL" -passin file:pw
ok scg keys -dir dave -passin 'pass:open sesame'
PW='open sesame' ok scg keys -dir dave -passin env:PW
scg keys -dir dave -passin stdin <pw >.out 2>.err || fail "-passin stdin: $(cat .err)"
scg keys -dir dave -passin fd:7 7<pw >.out 2>.err || fail "-passin fd: $(cat .err)"
ok scg upload -dir dave -passin file:pw pw
ok scg download -dir dave -passin file:pw pw -out got
same pw got
refuses 2 'both read standard input' scg encrypt -dir dave -passin stdin -in - -out sealed

say "RSA keys serve as well"
ok scg req -dir rsa -name rita -out rita.csr -newkey rsa:3072 -noenc
sign rita rita
ok install rsa rita.crt
ok scg upload -dir rsa pw -to rita
ok scg download -dir bob rita/pw -out got2
same pw got2

say "a key that others may read is refused"
chmod 640 bob/key.pem
refuses 1 'chmod 600' scg keys -dir bob
chmod 600 bob/key.pem

say "where the folder is looked for"
SCG_DIR=bob ok scg keys
mkdir config && cp -r bob config/scg
XDG_CONFIG_HOME=$T/config ok scg keys
refuses 1 'no member is installed' scg keys

say "status"
json '.name == "bob" and .group == "lab" and .days_left > 80 and .gateway_state == "reachable" and .epoch == 1 and .drive_state == "reachable"
	and .crl_number >= 1' scg status -dir bob -json
