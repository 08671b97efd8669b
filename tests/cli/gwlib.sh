# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # its results are used by the tests that source it, after lib.sh
# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh by the gateway's program tests: members without scg, requests by curl.
#   person NAME [ROLE [OPENSSL-KEY-OPTION...]]   NAME/{key,cert}.pem, signed by scg-ca
#   by_hand NAME ROLE BEGIN END                  the same, signed with openssl and dates YYYYMMDDHHMMSSZ
#   hand_crl NUMBER SECONDS [CERT...]            crl.hand: a list that lives so long and names these
#   ask NAME|- PATH [CURL-OPTION...]             status in $code, body in .body
#   answers CODE TYPE|- NAME|- PATH [...]        ... and both must be so
#   epoch NAME                                   the epoch that the gateway tells NAME
#   group_up                                     CA, gateway with a list, serving

NONCE=00112233445566778899aabbccddeeff

key_and_request() {
	_who=$1
	shift
	mkdir -p "$_who"
	[ $# -gt 0 ] || set -- -newkey ec -pkeyopt ec_paramgen_curve:P-256
	ok openssl req -new "$@" -noenc -keyout "$_who/key.pem" -subj "/CN=$_who" -out "$_who.csr"
}

person() {
	_person=$1 _role=${2:-member}
	shift
	[ $# -eq 0 ] || shift
	key_and_request "$_person" "$@"
	ok scg-ca sign -dir "$CA" -in "$_person.csr" -out "$_person/cert.pem" -name "$_person" -role "$_role"
}

hand_config() {
	cat >hand.cnf <<-END
		[ca]
		default_ca = d
		[d]
		database = $T/hand.idx
		new_certs_dir = $T
		rand_serial = yes
		default_md = sha256
		policy = p
		crl_extensions = l
		crlnumber = $T/hand.number
		[p]
		O = supplied
		OU = supplied
		CN = supplied
		[l]
		authorityKeyIdentifier = keyid
		[member]
		basicConstraints = critical,CA:FALSE
		keyUsage = critical,digitalSignature,keyAgreement
		extendedKeyUsage = clientAuth,emailProtection
		subjectKeyIdentifier = hash
		authorityKeyIdentifier = keyid
		[gateway]
		basicConstraints = critical,CA:FALSE
		keyUsage = critical,digitalSignature,keyAgreement
		extendedKeyUsage = serverAuth
		subjectKeyIdentifier = hash
		authorityKeyIdentifier = keyid
		subjectAltName = DNS:localhost,IP:127.0.0.1
	END
	[ -e hand.idx ] || : >hand.idx
}

by_hand() {
	hand_config
	key_and_request "$1"
	ok openssl ca -config hand.cnf -batch -notext -cert "$CA/ca.crt" -keyfile "$CA/ca.key" -extensions "$2" \
		-subj "/O=lab/OU=$2/CN=$1" -startdate "$3" -enddate "$4" -in "$1.csr" -out "$1/cert.pem"
}

hand_crl() {
	_number=$1 _life=$2
	shift 2
	hand_config
	: >hand.idx
	printf '%02X\n' "$_number" >hand.number
	for _cert; do
		printf 'R\t%s\t%s,keyCompromise\t%s\tunknown\t/CN=x\n' "$(date -u -d '+1 day' +%y%m%d%H%M%SZ)" \
			"$(date -u -d '-1 minute' +%y%m%d%H%M%SZ)" "$(openssl x509 -in "$_cert" -noout -serial | cut -d= -f2)" >>hand.idx
	done
	ok openssl ca -config hand.cnf -gencrl -cert "$CA/ca.crt" -keyfile "$CA/ca.key" -crlsec "$_life" -out crl.hand
}

ask() {
	_asks=$1 _path=$2
	shift 2
	if [ "$_asks" != - ]; then
		set -- --cert "$_asks/cert.pem" --key "$_asks/key.pem" "$@"
	fi
	code=$(curl -s --expect100-timeout 60 --tlsv1.3 --cacert "$CA/ca.crt" -o "$T/.body" -w '%{http_code}' "$@" "$URL$_path") || code=000
}

answers() {
	_code=$1 _type=$2
	shift 2
	ask "$@"
	[ "$code" = "$_code" ] || fail "$code instead of $_code for $*: $(head -c 300 .body)"
	[ "$_type" = - ] || grep -q "\"urn:scg:$_type\"" .body || fail "not $_type for $*: $(head -c 300 .body)"
}

keys_path="/v1/keys?nonce=$NONCE"

epoch() {
	ask "$1" /v1/group
	jq -r .epoch .body
}

group_up() {
	make_ca
	make_gateway
	gateway_up
}
