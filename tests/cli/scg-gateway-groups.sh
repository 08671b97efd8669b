#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two groups behind one address: each member is served by his own, and sees nothing of the other, whatever he presents.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq

# group NAME: CA in ca-NAME, folder in site/NAME, drive in drive-NAME; its gateway is also NAME.test
group() {
	make_ca "ca-$1" "$1"
	mkdir -p site "drive-$1"
	ok scg-gateway init -dir "site/$1" -cacert "$CA/ca.crt" -host "localhost,127.0.0.1,$1.test" -store "directory:$T/drive-$1"
	ok scg-ca sign -dir "$CA" -in "site/$1/gateway.csr" -out "site/$1/gateway.crt" -name gw -role gateway -san "DNS:localhost,IP:127.0.0.1,DNS:$1.test"
	ok scg-ca crl -dir "$CA"
}

# by GROUP: what follows is about its CA
by() { CA=ca-$1; }

# to HOST NAME|- PATH [...]: status in $code, body in .body; the certificate that is shown is looked at elsewhere
to() {
	_to=$1 _me=$2 _at=$3
	shift 3
	[ "$_me" = - ] || set -- --cert "$_me/cert.pem" --key "$_me/key.pem" "$@"
	code=$(curl -s -k --tlsv1.3 --connect-to "::127.0.0.1:${URL##*:}" -o "$T/.body" -w '%{http_code}' "$@" "https://$_to:${URL##*:}$_at") || code=000
}

# tells CODE TYPE|- HOST NAME|- PATH [...]
tells() {
	_code=$1 _type=$2
	shift 2
	to "$@"
	[ "$code" = "$_code" ] || fail "$code instead of $_code for $*: $(head -c 300 .body)"
	[ "$_type" = - ] || grep -q "\"urn:scg:$_type\"" .body || fail "not $_type for $*: $(head -c 300 .body)"
}

# shown_to OPTION...: the organization whose certificate the gateway shows
shown_to() { openssl s_client -connect "${URL#https://}" "$@" </dev/null 2>/dev/null | sed -n 's/^subject=O *= *\([a-z]*\),.*/\1/p'; }

sees() { curl -s -o .seen -w '%{http_code}' "$@" >.seen-code || :; }
metric() { sees "$M/metrics" && grep -Fxq "$1" .seen; }
health() { sees "$M/healthz" && jq -e "$1" .seen >/dev/null; }

group lab
group law
by lab
publish_crl site/lab
cat >site/gateway.conf <<-END
	listen = "127.0.0.1:0";
	monitor = "127.0.0.1:0";
	resumption = true;
	groups = (
		{ dir = "lab"; },
		{ dir = "$T/site/law"; }
	);
END
gateway_up site
M=http://$(sed -n 's/.* monitor listen=//p' site.log)

say "a group without a list is closed; the other one serves"
person alice
person anna admin
person carl
by law
person bob
make_ca ca-nobody lab # the name of one, but not its key
person mallory
tells 200 - localhost alice /v1/group
tells 503 no-crl localhost bob /v1/group
tells 503 no-crl law.test bob "$keys_path"
tells 404 not-found law.test - /crl
within 60 health '.status == "degraded" and .groups[0].group == "lab" and .groups[0].status == "ok" and .groups[1].status == "closed"'
by law
publish_crl site/law
within 60 health '.status == "ok"'

say "the certificate that is shown: by the CA that is named, by a host of one group alone, else the first"
[ "$(shown_to -servername law.test)" = law ] || fail "law.test shows $(shown_to -servername law.test)"
[ "$(shown_to -servername lab.test)" = lab ] || fail "lab.test"
[ "$(shown_to -servername localhost)" = lab ] || fail "localhost"
[ "$(shown_to -noservername)" = lab ] || fail "no name"
[ "$(shown_to -servername lab.test -requestCAfile ca-law/ca.crt)" = law ] || fail "the CA goes before the name"
[ "$(shown_to -servername law.test -requestCAfile ca-nobody/ca.crt)" = lab ] || fail "the name of lab's CA"
! openssl s_client -connect "${URL#https://}" </dev/null 2>/dev/null | grep -q 'Acceptable client certificate CA names' || fail "CAs are named to strangers"

say "each is answered by his own group, whatever host he asks and whatever certificate is shown"
for host in localhost lab.test law.test 127.0.0.1; do
	tells 200 - $host alice /v1/group
	jq -e --arg s "directory:$T/drive-lab" '.group == "lab" and .store == $s' .body >/dev/null || fail "alice at $host: $(cat .body)"
	tells 200 - $host bob /v1/group
	jq -e --arg s "directory:$T/drive-law" '.group == "law" and .store == $s' .body >/dev/null || fail "bob at $host: $(cat .body)"
	for who in alice bob; do
		[ $who = alice ] && own=lab other=law || own=law other=lab
		tells 200 - $host $who "$keys_path"
		ok openssl cms -verify -inform DER -in .body -CAfile ca-"$own"/ca.crt -purpose sslserver -binary -out keys.cms
		! openssl cms -verify -inform DER -in .body -CAfile ca-"$other"/ca.crt -purpose sslserver -binary -out foreign.cms 2>/dev/null || fail "$who: keys of $other"
		ok openssl cms -decrypt -inform DER -in keys.cms -recip $who/cert.pem -inkey $who/key.pem -binary -out package
		lacks package "$other"
		tells 200 - $host $who /v1/ledger/head?nonce=$NONCE
		ok openssl cms -verify -inform DER -in .body -CAfile ca-"$own"/ca.crt -purpose sslserver -binary -out head
		has head "^scg/$own"
		tells 200 - $host $who '/v1/ledger/entries?from=0'
		lacks .body "$other"
		tells 200 - $host $who /crl
		ok openssl crl -in ca-"$own"/crl.pem -outform DER -out crl.der
		same .body crl.der
	done
done

say "a session that is resumed stays in its group, whoever else is named or shown"
# visit OPTION...: asks for the group; the reply is in .visit
visit() {
	printf 'GET /v1/group HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
		openssl s_client -connect "${URL#https://}" -ign_eof "$@" >.visit 2>.visit-errors || fail "$(cat .visit-errors)"
}
visit -servername law.test -cert alice/cert.pem -key alice/key.pem -sess_out alice.session
has .visit '"group":"lab"'
visit -servername law.test -requestCAfile ca-law/ca.crt -cert bob/cert.pem -key bob/key.pem -sess_in alice.session
has .visit '^Reused, TLSv1.3,'
has .visit '"group":"lab"'
visit -cert bob/cert.pem -key bob/key.pem -sess_out bob.session
visit -servername lab.test -sess_in bob.session
has .visit '^Reused, TLSv1.3,'
has .visit '"group":"law"'

say "who belongs to none, or shows nothing, gets nothing but what he is shown anyway"
for host in localhost law.test; do
	for path in /v1/group "$keys_path" "/v1/ledger/head?nonce=$NONCE" '/v1/ledger/entries?from=0'; do
		tells 403 foreign $host mallory "$path"
		lacks .body 'lab|law'
		tells 403 no-certificate $host - "$path"
		lacks .body 'lab|law'
	done
	for who in mallory -; do
		[ $who = - ] && why=no-certificate || why=foreign
		tells 403 "$why" $host $who /v1/ledger/events -X POST --data-binary x
		tells 403 "$why" $host $who /v1/group/store -X PUT --data-binary '{"store": "gdrive:x"}'
	done
done
tells 404 not-found localhost alice /law
tells 200 - localhost - /crl
ok openssl crl -inform DER -in .body -CAfile ca-lab/ca.crt -noout
tells 200 - law.test - /crl
ok openssl crl -inform DER -in .body -CAfile ca-law/ca.crt -noout
tells 200 - law.test mallory /crl
tells 409 store-set law.test alice /v1/group/store -X PUT --data-binary '{"store": "directory:/elsewhere"}'
lacks .body 'law'

say "scg finds its group by itself, and the drives hold what is theirs"
by lab
make_member ada
by law
make_member ben
echo "of the lab" >lab.txt
echo "of the law" >law.txt
ok scg upload -dir ada lab.txt
ok scg upload -dir ben law.txt
json 'length == 1 and .[0].name == "lab.txt"' scg list -dir ada -json
json 'length == 1 and .[0].name == "law.txt"' scg list -dir ben -json
ok scg download -dir ada lab.txt -out ada.txt
ok scg download -dir ben law.txt -out ben.txt
same lab.txt ada.txt
same law.txt ben.txt
for drive in drive-lab drive-law; do
	[ "$(find $drive -name '*.cms' | wc -l)" -eq 1 ] || fail "objects in $drive"
done
refuses 1 'law.txt' scg download -dir ada law.txt -out none
absent none

say "an event of one group is none of the other's"
tells 200 - localhost ben '/v1/ledger/entries?from=0' -H 'Accept-Encoding: identity'
cp .body entries
tells 400 - localhost ada /v1/ledger/events -X POST --data-binary @entries

say "a list goes to the group of its issuer, whoever sends it"
number() { metric "scg_crl_number{group=\"$1\"} $2"; }
number lab 2 || fail "lab: $(cat .seen)"
number law 2 || fail "law: $(cat .seen)"
by law
ok scg-ca crl -dir "$CA"
tells 204 - localhost - /crl -X PUT --data-binary @ca-law/crl.pem
within 60 number law 3
number lab 2 || fail "lab: $(cat .seen)"
by lab
ok scg-ca crl -dir "$CA"
tells 204 - law.test alice /crl -X PUT --data-binary @ca-lab/crl.pem
within 60 number lab 3
by nobody
hand_crl 90 3600
tells 400 crl-invalid law.test bob /crl -X PUT --data-binary @crl.hand
lacks .body 'lab|law'
truncate -s 1200000 long
tells 413 - localhost bob /crl -X PUT --data-binary @long
tells 413 - law.test alice /crl -X PUT --data-binary @long

say "a revocation bites in its group alone; the other's requests go on meanwhile"
(
	while [ ! -e enough ]; do
		code=$(curl -s -k --cert bob/cert.pem --key bob/key.pem -o .bobs-body -w '%{http_code}' "$URL$keys_path") || code=000
		[ "$code" = 200 ] || echo "$code" >>bob.wrong
		echo "$code" >>bob.count
	done
) &
busy=$!
within 60 test -s bob.count
by lab
ok scg-ca revoke -dir "$CA" -name carl -reason keyCompromise
publish_crl site/lab
within 60 number lab 4
tells 403 revoked law.test carl "$keys_path"
within 60 metric 'scg_epoch{group="lab"} 2'
seen=$(wc -l <bob.count)
more() { [ "$(wc -l <bob.count)" -gt $((seen + 1)) ]; } # the one that was under way, and one that began now
within 60 more
touch enough
wait $busy
absent bob.wrong
metric 'scg_epoch{group="law"} 1' || fail "law: $(cat .seen)"
tells 200 - localhost alice "$keys_path"
within 60 metric 'scg_refusals_total{group="lab",reason="revoked"} 1'
lacks .seen 'group="law",reason="revoked"'
has site.log ' revoked group=lab serial='
lacks site.log ' (revoked|epoch) group=law .*(serial=|epoch=2)'

say "the same serial number means nothing in the other group"
by law
hand_crl 40 3600 alice/cert.pem
tells 204 - localhost - /crl -X PUT --data-binary @crl.hand
tells 200 - localhost alice "$keys_path"
tells 200 - law.test bob "$keys_path"

say "the commands take one group"
ok scg-gateway audit -config site/gateway.conf -group law -verify
ok scg-gateway audit -config site/gateway.conf -group law
has .out bob
lacks .out 'alice|carl'
refuses 2 '-group' scg-gateway audit -config site/gateway.conf
refuses 2 '-group' scg-gateway keys -config site/gateway.conf
refuses 1 'no folder of a group of this name' scg-gateway keys -config site/gateway.conf -group nobody
json 'length == 2' scg-gateway keys -config site/gateway.conf -group lab -json
json 'length == 2' scg-gateway keys -config site/lab/gateway.conf -json
json 'length == 2' scg-gateway keys -config site/lab/gateway.conf -group lab -json
refuses 1 "another group's" scg-gateway keys -config site/lab/gateway.conf -group law
ok scg-gateway rotate -config site/gateway.conf -group law
json 'length == 3' scg-gateway keys -config site/gateway.conf -group law -json # one for the list above
json 'length == 2' scg-gateway keys -config site/gateway.conf -group lab -json
ok scg-gateway export -config site/gateway.conf -group law -recip bob/cert.pem -out law.keys
ok openssl cms -decrypt -inform DER -in law.keys -recip bob/cert.pem -inkey bob/key.pem -binary -out package
has package law
ok scg-gateway check -config site/gateway.conf
chmod 644 site/law/gateway.key
refuses 1 '1 thing is wrong' scg-gateway check -config site/gateway.conf
has .out "^wrong: .*/site/law: .*gateway.key: holds a key, but its mode 0644 lets others in"
ok scg-gateway check -config site/gateway.conf -group lab
chmod 600 site/law/gateway.key

say "SIGHUP: what is wrong in one folder leaves that group as it was, and no other"
cp site/law/gateway.conf good.conf
echo 'nonsense = 1;' >>site/law/gateway.conf
refuses 1 'no folder of a group of this name, as far as they can be read' scg-gateway keys -config site/gateway.conf -group law
json 'length == 2' scg-gateway keys -config site/gateway.conf -group lab -json
kill -HUP "$(pid site)"
within 60 grep -q ' error reload-failed group=law error=.*unknown key nonsense' site.log
within 60 grep -q ' info reloaded group=lab ' site.log
tells 200 - localhost alice /v1/group
tells 200 - localhost bob /v1/group
cp good.conf site/law/gateway.conf
kill -HUP "$(pid site)"
within 60 grep -q ' info reloaded group=law ' site.log
[ "$(shown_to -servername law.test)" = law ] || fail "after a reload: $(shown_to -servername law.test)"
tells 200 - localhost bob /v1/group

say "a folder serves one gateway, alone or with others"
refuses 5 'runs on this folder already' scg-gateway run -config site/law/gateway.conf
stop site
[ "$status" -eq 0 ] || fail "stopped with $status"

say "what does not fit is refused at the start"
# starts_not REGEX: with site/bad.conf
starts_not() {
	refuses "$1" "$2" scg-gateway run -config site/bad.conf -ready "$T/ready"
	absent ready
}
bad() { printf 'listen = "127.0.0.1:0";\n%s\n' "$1" >site/bad.conf; }
bad 'groups = ( { dir = "lab"; }, { dir = "law"; }, { dir = "../site/./lab"; } );'
starts_not 2 'groups: ../site/./lab: the folder of two groups'
cp -r site/lab site/twin
bad 'groups = ( { dir = "lab"; }, { dir = "twin"; } );'
starts_not 2 'group in twin: ca.crt: the CA of another group too'
refuses 1 'wrong' scg-gateway check -config site/bad.conf
has .out '^wrong: group in twin: ca.crt: the CA of another group too'
bad 'groups = ( { dir = "lab"; }, { dir = "gone"; } );'
starts_not 1 'group in gone: .*gone/gateway.conf'
bad 'groups = ( { dir = "lab"; } );
host = "localhost";'
starts_not 2 'bad.conf:3: host: must not stand beside groups'
bad 'groups = ( { dir = "lab"; host = "localhost"; } );'
starts_not 2 'bad.conf:2: unknown key host'
bad 'groups = ( { } );'
starts_not 2 'bad.conf:2: key dir is missing'
bad 'groups = ( );'
starts_not 2 'bad.conf:2: groups: must be a list'
bad 'groups = ( "lab" );'
starts_not 2 'bad.conf:2: groups: not a group'
bad 'groups = ( { dir = "."; } );'
cp site/bad.conf site/gateway.conf
starts_not 2 'groups: in the folder of one group'
bad 'groups = ( { dir = "lab"; }, { dir = "law"; } );'
refuses 2 'there are several keys' scg-gateway run -config site/bad.conf -passin pass:x
refuses 2 "is the gateway's own" scg-gateway run -config site/bad.conf -ready site/law/gateway.key
printf 'no database' >site/law/gateway.db
rm -f site/law/gateway.db-wal site/law/gateway.db-shm
starts_not 4 'group in law: .*gateway.db'

say "each folder works alone, as it did"
gateway_up_alone() { start lab scg-gateway run -config site/lab/gateway.conf -ready "$T/lab.ready"; }
sed -i 's/^listen = .*/listen = "127.0.0.1:0";/' site/lab/gateway.conf
gateway_up_alone
within 60 test -e lab.ready
URL=https://$(cat lab.ready)
by lab
answers 200 - alice /v1/group
answers 403 foreign bob /v1/group
lacks lab.log 'group=lab (serial|peer)'
