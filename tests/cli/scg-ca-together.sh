#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Several scg-ca at once wait for each other: nothing is issued twice, no number is used twice, the newest list stays in the file.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need openssl jq

N=12
for i in $(seq $N); do
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "k$i" -subj /CN=x -out "r$i.csr" 2>/dev/null
done

# all FILTER: how many of the N background commands named "p..." ended with this status
ended() {
	_n=0
	for i in $(seq $N); do
		_status=0
		wait "$(pid "$1$i")" || _status=$?
		[ $_status -ne "$2" ] || _n=$((_n + 1))
	done
	echo $_n >count
}

say "one folder, $N times init: one CA"
for i in $(seq $N); do start "init$i" scg-ca init -dir ca -group "lab$i" -noenc; done
ended init 0
[ "$(cat count)" -eq 1 ] || fail "$(cat count) of $N inits went through"
# who comes between the winner's first file and the last names that file
[ "$(cat init*.log | grep -Ec 'holds (a CA|ca.key) already; nothing was changed')" -eq $((N - 1)) ] || fail "the others do not say why"
ok scg-ca crl -dir ca

say "$N requests at once"
for i in $(seq $N); do start "sign$i" scg-ca sign -dir ca -in "r$i.csr" -out "c$i.crt" -name "m$i"; done
ended sign 0
[ "$(cat count)" -eq $N ] || fail "$(cat count) of $N"
for i in $(seq $N); do ok openssl verify -CAfile ca/ca.crt "c$i.crt"; done
json "length == $N and ([.[].serial] | unique | length) == $N" scg-ca list -dir ca -json

say "one request $N times at once: one certificate"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=x -out one.csr 2>/dev/null
for i in $(seq $N); do start "one$i" scg-ca sign -dir ca -in one.csr -out "one$i.crt" -name "one"; done
ended one 0
[ "$(cat count)" -ge 1 ] || fail "none went through"
json '[.[] | select(.name == "one")] | length == 1' scg-ca list -dir ca -json
[ "$(cat one*.crt | grep -v '^-' | sort | uniq -c | sort -n | awk '{ print $1 }' | sort -u | wc -l)" -eq 1 ] || fail "two certificates over one key"

say "$N revocations at once, and lists in between"
for i in $(seq $N); do
	start "revoke$i" scg-ca revoke -dir ca -name "m$i"
	start "crl$i" scg-ca crl -dir ca
done
ended revoke 0
[ "$(cat count)" -eq $N ] || fail "$(cat count) of $N"
ended crl 0
[ "$(cat count)" -eq $N ] || fail "$(cat count) of $N lists"
ok openssl crl -in ca/crl.pem -noout -text -CAfile ca/ca.crt
[ "$(grep -c 'Serial Number' .out)" -eq $N ] || fail "a revocation is missing in the file"
[ $(($(openssl crl -in ca/crl.pem -noout -crlnumber | cut -d= -f2))) -eq $((2 + 2 * N)) ] || fail "not one number for each list"
json "length == $N" scg-ca list -dir ca -json -status revoked
