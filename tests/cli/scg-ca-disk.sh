#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A disk with too little room, a limit on file sizes, folders that may not be written: an error, and nothing half done.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need openssl jq

csr() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj /CN=x -out "$1.csr" 2>/dev/null; }
limited() { (ulimit -f "$1" && shift && exec "$@"); }
whole() {
	ok scg-ca list -dir "$1" -json
	ok scg-ca crl -dir "$1"
	ok openssl crl -in "$1/crl.pem" -noout -CAfile "$1/ca.crt"
	has .err 'verify OK'
}

make_ca
csr alice
csr bob

say "a limit on the size of files"
refuses 1 '' limited 8 scg-ca init -dir small -group lab -noenc
refuses 1 '' limited 8 scg-ca sign -dir ca -in alice.csr -out alice.crt -name alice
refuses 1 '' limited 8 scg-ca crl -dir ca
absent alice.crt
json '. == []' scg-ca list -dir ca -json
whole ca
say "with room again the same commands go through"
ok scg-ca init -dir small -group lab -noenc
ok scg-ca sign -dir ca -in alice.csr -out alice.crt -name alice
whole small

say "an output folder that may not be written: nothing is issued"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	mine() { chown -R 65534:65534 "$@"; }
	as() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
	chmod 755 "$T"
	as test -x "$top_builddir/ca/scg-ca" || skip "the build tree is closed to others"
else
	mine() { :; }
	as() { "$@"; }
fi
mkdir sealed
chmod 555 sealed
mine ca
chmod 644 bob.csr
if as test -w sealed; then skip "nothing is read-only here"; fi
refuses 1 'sealed' as scg-ca sign -dir ca -in bob.csr -out sealed/bob.crt -name bob
refuses 1 'sealed' as scg-ca init -dir sealed/ca -group lab -noenc
json '[.[].name] == ["alice"]' as scg-ca list -dir ca -json

say "a CA folder that may not be written"
cp -r ca locked
mine locked
chmod 555 locked
before=$(openssl crl -in locked/crl.pem -noout -crlnumber)
refuses 1 'locked' as scg-ca sign -dir locked -in bob.csr -out /dev/shm/none-$$.crt -name bob
refuses 1 'locked' as scg-ca revoke -dir locked -name alice
refuses 1 'locked' as scg-ca crl -dir locked
absent /dev/shm/none-$$.crt
[ "$(openssl crl -in locked/crl.pem -noout -crlnumber)" = "$before" ] || fail "the list changed"
chmod 755 locked
json '[.[] | .name + .status] == ["alicevalid"]' as scg-ca list -dir locked -json

# In a mount namespace of its own, which ends with the shell. What is left goes to "after", statuses to "statuses".
cat >on-full-disk.sh <<'EOF'
mount -t tmpfs -o size=200k,mode=777 tmpfs full
scg-ca init -dir full/ca -group lab -noenc >/dev/null
head -c 300000 /dev/zero >full/filler 2>/dev/null || :
for command in "crl -dir full/ca" "sign -dir full/ca -in bob.csr -out full/bob.crt -name bob"; do
	status=0
	scg-ca $command >/dev/null 2>>lines || status=$?
	echo $status >>statuses
done
rm full/filler
cp -r full after
EOF
mkdir full
if unshare -m mount -t tmpfs -o size=200k tmpfs full 2>/dev/null; then
	say "a file system that is full"
	ok unshare -m sh -eu on-full-disk.sh
	[ "$(grep -vc '^[01]$' statuses)" -eq 0 ] || fail "statuses: $(tr '\n' ' ' <statuses)"
	[ "$(grep -c '^1$' statuses)" -gt 0 ] || fail "it was not full"
	[ "$(wc -l <lines)" -eq "$(grep -c '^1$' statuses)" ] || fail "not one line each: $(cat lines)"
	absent after/bob.crt
	whole after/ca
	json '. == []' scg-ca list -dir after/ca -json
fi
