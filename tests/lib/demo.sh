#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job, played with real processes in a temporary folder, each step said in plain words. ./autogen.sh demo runs it.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"

n=0
step() {
	n=$((n + 1))
	printf '\n%2d. %s\n' $n "$*"
}
tell() { printf '    %s\n' "$*"; }
# Shows a command and what it prints, then demands that it succeeds.
run() {
	printf '    $ %s\n' "$*"
	"$@" >"$T/.out" 2>"$T/.err" </dev/null || fail "status $?: $*"
	sed 's/^/      /' "$T/.out" "$T/.err"
}
# The same for a command that must end with this status.
refused() {
	_want=$1
	shift
	printf '    $ %s\n' "$*"
	refuses "$_want" . "$@"
	sed 's/^/      /' "$T/.err"
	tell "(exit status $_want)"
}

printf 'scg: a group shares files on a drive that nobody has to trust.\nEverything happens in %s, with real programs and real sockets.\n' "$T"

step "The group's officer makes a certificate authority. Its key could stay on a machine without network."
run scg-ca init -dir ca -group lab -noenc

step "The gateway is set up. The folder 'drive' stands for the cloud drive: anybody may look into it."
mkdir drive
run scg-gateway init -dir gateway -cacert ca/ca.crt -host localhost,127.0.0.1 -listen 127.0.0.1:0 -store "directory:$T/drive"
run scg-ca sign -dir ca -in gateway/gateway.csr -out gateway/gateway.crt -name gateway -role gateway -san DNS:localhost,IP:127.0.0.1
run scg-ca crl -dir ca
CA=ca GW=gateway
publish_crl
gateway_up gateway
tell "The gateway serves at $URL."

step "Two members enrol: each makes a key and a request (CSR), the officer signs, each installs the certificate."
for member in alice bob; do
	run scg req -dir $member -name $member -out $member.csr -noenc
	run scg-ca sign -dir ca -in $member.csr -out $member.crt -name $member
	run scg install -dir $member -cert $member.crt -cacert ca/ca.crt -gateway "$URL"
done

step "Alice uploads two files, one of them longer than a segment of 4 MiB."
printf 'minutes of the meeting\n' >minutes.txt
head -c 9000000 /dev/urandom >scan.bin
run scg upload -dir alice minutes.txt scan.bin
tell "On the drive lie objects under random names, and no word of the minutes:"
objects | sed "s|$T/|      |"
! grep -rqa 'minutes' drive || fail "plaintext on the drive"

step "Bob downloads them, and has the same bytes."
run scg list -dir bob
mkdir from-alice after
run scg download -dir bob minutes.txt scan.bin -out from-alice
same minutes.txt from-alice/minutes.txt
same scan.bin from-alice/scan.bin
tell "cmp finds no difference."

step "An outsider, with a certificate of his own authority, gets nothing."
run scg-ca init -dir other -group other -noenc
run scg req -dir outsider -name alice -out outsider.csr -noenc
run scg-ca sign -dir other -in outsider.csr -out outsider/cert.pem -name alice
cp ca/ca.crt alice/scg.conf outsider/
refused 3 scg keys -dir outsider
tell "His own program says so. The gateway does too, whatever program he takes:"
run curl -s --cacert ca/ca.crt --cert outsider/cert.pem --key outsider/key.pem "$URL/v1/keys?nonce=0123456789abcdef"
has .out foreign

step "Bob leaves in anger. Before that he notes the group key, which stock openssl takes out of his own key file."
old_key=$(stock_keys bob | head -n 1)
[ ${#old_key} -eq 64 ] || fail "no group key in bob/keys.cms"
opened=$(stock_opens "$old_key")
tell "With it, openssl alone opens $opened of $(objects | wc -l) objects."
[ "$opened" -eq 2 ] || fail "the old key should open both objects"

step "The officer revokes Bob's certificate and gives the new list to the gateway, which goes on serving."
run scg-ca revoke -dir ca -name bob -reason keyCompromise
publish_crl
within 60 status_is 3 scg keys -dir bob
refused 3 scg keys -dir bob
refused 3 scg download -dir bob minutes.txt -out again.txt
absent again.txt

step "The gateway has begun a new epoch with a new group key. Alice re-encrypts what is on the drive."
run scg keys -dir alice
run scg rekey -dir alice

step "Bob's old key opens nothing any more, even if he still can look into the drive."
opened=$(stock_opens "$old_key")
tell "openssl opens $opened of $(objects | wc -l) objects with it."
[ "$opened" -eq 0 ] || fail "the old key still opens $opened objects"

step "Alice still reads everything; the drive holds what the group's log says."
run scg download -dir alice minutes.txt scan.bin -out after
same minutes.txt after/minutes.txt
same scan.bin after/scan.bin
run scg verify -dir alice

printf '\nDone: every step went as it should.\n'
