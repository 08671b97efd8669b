#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What scg-ca issues is what RFC 5280 and the profile say, in the eyes of openssl and GnuTLS, for each kind of key.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need openssl jq

text() { openssl x509 -in "$1" -noout -text >"$T/text"; }

# $1 CA folder, $2 certificate, then the purposes that must hold
strict() {
	_ca=$1 _cert=$2
	shift 2
	for _purpose in sslclient smimesign sslserver smimeencrypt crlsign; do
		_due=no
		for _good; do [ "$_good" = "$_purpose" ] && _due=yes; done
		if openssl verify -x509_strict -purpose "$_purpose" -CAfile "$_ca/ca.crt" -CRLfile "$_ca/crl.pem" -crl_check "$_cert" >"$T/.out" 2>&1; then
			[ $_due = yes ] || fail "$_cert serves as $_purpose"
		else
			[ $_due = no ] || fail "$_cert does not serve as $_purpose: $(cat "$T/.out")"
		fi
	done
	if command -v certtool >/dev/null; then
		ok certtool --verify --verify-profile high --load-ca-certificate "$_ca/ca.crt" --infile "$_cert"
	fi
}

request() { # FILE ALG...
	_file=$1
	shift
	openssl genpkey "$@" -out "$_file.key" 2>/dev/null
	openssl req -new -key "$_file.key" -subj "/C=XX/O=other/OU=admin/CN=root" -addext "basicConstraints=critical,CA:TRUE" \
		-addext "extendedKeyUsage=serverAuth,codeSigning" -addext "subjectAltName=DNS:evil.example" -out "$_file"
}

for alg in ec:P-256 ec:P-384 rsa:3072; do
	say "a CA with $alg"
	begun=$(date +%s)
	dir=ca-$alg
	ok scg-ca init -dir "$dir" -group "Lab & Söhne" -newkey $alg -noenc
	for file in ca.crt ca.key crl.pem ca.db; do present "$dir/$file"; done
	[ "$(stat -c %a "$dir" "$dir/ca.key" "$dir/ca.db" | tr '\n' ' ')" = "700 600 600 " ] || fail "modes of $dir"
	text "$dir/ca.crt"
	has text 'CA:TRUE, pathlen:0'
	has text 'Certificate Sign, CRL Sign$'
	openssl x509 -in "$dir/ca.crt" -noout -subject -nameopt RFC2253,-esc_msb >subject
	has subject '^subject=CN=Lab & Söhne CA$'
	openssl x509 -in "$dir/ca.crt" -noout -checkend $((3649 * 86400)) >/dev/null || fail "the CA ends before ten years"
	openssl x509 -in "$dir/ca.crt" -noout -checkend $((3651 * 86400)) >/dev/null && fail "the CA lasts longer than ten years"
	ok openssl verify -x509_strict -CAfile "$dir/ca.crt" "$dir/ca.crt"

	say "the first list is empty, version 2, number 1, with AKI"
	ok openssl crl -in "$dir/crl.pem" -noout -text -CAfile "$dir/ca.crt"
	has .out 'Version 2'
	has .out 'No Revoked Certificates'
	has .out 'Authority Key Identifier'
	[ $(($(openssl crl -in "$dir/crl.pem" -noout -crlnumber | cut -d= -f2))) -eq 1 ] || fail "the first list's number"

	for kind in ec rsa; do
		say "members, admins and gateways with a key of type $kind"
		for role in member admin gateway; do
			if [ $kind = ec ]; then request "$role.csr" -algorithm EC -pkeyopt ec_paramgen_curve:P-256
			else request "$role.csr" -algorithm RSA -pkeyopt rsa_keygen_bits:3072; fi
		done
		ok scg-ca sign -dir "$dir" -in member.csr -out member.crt -name "Zoë" -passin pass:unused
		ok scg-ca sign -dir "$dir" -in admin.csr -out admin.crt -name chief -role admin -days 7
		ok scg-ca sign -dir "$dir" -in gateway.csr -out gateway.crt -name gw -role gateway -san DNS:gw.example.org,IP:192.0.2.1,IP:2001:db8::1
		# smimeencrypt is openssl's word for key transport
		if [ $kind = rsa ]; then transport=smimeencrypt; else transport=; fi
		strict "$dir" member.crt sslclient smimesign $transport
		strict "$dir" admin.crt sslclient smimesign $transport
		strict "$dir" gateway.crt sslserver
		ok openssl verify -CAfile "$dir/ca.crt" -verify_hostname gw.example.org gateway.crt
		ok openssl verify -CAfile "$dir/ca.crt" -verify_ip 2001:db8::1 gateway.crt
		! openssl verify -CAfile "$dir/ca.crt" -verify_hostname evil.example gateway.crt >/dev/null 2>&1 || fail "a name of the request's"

		for role in member admin gateway; do
			text $role.crt
			has text 'Version: 3'
			has text 'CA:FALSE'
			lacks text 'Code Signing|evil\.example|CN = root'
			has text 'Subject Key Identifier'
			has text 'Authority Key Identifier'
			if [ $kind = ec ]; then has text '^ *Digital Signature, Key Agreement$'; else has text '^ *Digital Signature, Key Encipherment$'; fi
		done
		text member.crt
		has text 'TLS Web Client Authentication, E-mail Protection$'
		lacks text 'Subject Alternative Name'
		text gateway.crt
		has text '^ *TLS Web Server Authentication$'
		openssl x509 -in member.crt -noout -subject -nameopt RFC2253,-esc_msb >subject
		has subject '^subject=CN=Zoë,OU=member,O=Lab & Söhne$'
		openssl x509 -in member.crt -noout -checkend $((89 * 86400)) >/dev/null || fail "less than 90 days"
		openssl x509 -in member.crt -noout -checkend $((91 * 86400)) >/dev/null && fail "more than 90 days"
		openssl x509 -in admin.crt -noout -checkend $((8 * 86400)) >/dev/null && fail "more than 7 days"
		[ "$(openssl x509 -in member.crt -noout -pubkey)" = "$(openssl pkey -in member.csr.key -pubout)" ] || fail "another key"
	done
done

say "dates go back five minutes"
begin=$(date -u -d "$(openssl x509 -in member.crt -noout -startdate | cut -d= -f2)" +%s)
this=$(date -u -d "$(openssl crl -in "$dir/crl.pem" -noout -lastupdate | cut -d= -f2)" +%s)
now=$(date +%s)
for t in "$begin" "$this"; do
	if [ $((now - t)) -lt 300 ] || [ $((begun - t)) -gt 300 ]; then fail "$((now - t)) seconds back"; fi
done

say "serial numbers: 16 octets, all different, as the list shows them"
json 'length == 6 and ([.[].serial] | unique | length) == 6 and all(.[].serial; test("^[0-9a-f]{28,32}$"))' scg-ca list -dir "$dir" -json
serial=$(openssl x509 -in gateway.crt -noout -serial | cut -d= -f2 | tr 'A-F' 'a-f')
json ".[-1].serial == \"$serial\"" scg-ca list -dir "$dir" -json

say "the list's address stands in the certificates once it is known"
ok scg-ca init -dir url -group lab -noenc -crlurl http://gw.example.org/crl
request u.csr -algorithm EC -pkeyopt ec_paramgen_curve:P-384
ok scg-ca sign -dir url -in u.csr -out u.crt -name u
text u.crt
has text 'URI:http://gw.example.org/crl$'
strict url u.crt sslclient smimesign

say "a group name of 64 bytes still makes a CA that RFC 5280 allows"
long=$(printf 'g%.0s' $(seq 64))
ok scg-ca init -dir long -group "$long" -noenc
openssl x509 -in long/ca.crt -noout -subject -nameopt RFC2253 >subject
has subject "^subject=CN=CA,O=$long\$"
request l.csr -algorithm EC -pkeyopt ec_paramgen_curve:P-256
ok scg-ca sign -dir long -in l.csr -out l.crt -name "$long"
strict long l.crt sslclient smimesign
