# shellcheck shell=sh
# shellcheck disable=SC2154 # lib.sh has what stands in capitals
# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh and drive.sh by the tests of a group whose files lie on the Drive emulator.
#   drive_login MEMBER [ACCOUNT]   signs in with the consent of MEMBER@example.org, or of that account; chunks of 256 KiB from now on
#   gd_gateway SPEC                a gateway whose store that is, up and running
#   gd_group MEMBER...             CA, drive, a folder of alice's shared with the others as writers ($FOLDER), gateway, members signed in
#   gd_shared MEMBER...            the same on a shared drive of alice's ($FOLDER), the others being content managers
#   gd_objects                     how many objects lie in $FOLDER, not in the trash
#   gd_plant ACCOUNT MEMBER NAME   another file, older, with the name of the object of this file, put there by ACCOUNT@example.org
#   gd_opens KEY                   how many of all things there, trash and revisions included, openssl opens with this key
#   gd_hides TEXT...               none of these stands anywhere in what the emulator was ever given

drive_login() {
	_member=$1 _account=${2:-$1@example.org}
	drive_control "{\"consent\": {\"mode\": \"allow\", \"account\": \"$_account\"}}" >/dev/null
	: >"$T/.page"
	scg login -dir "$_member" -client-id ID -client-secret SECRET -no-browser -api-url "$DRIVE_URL" -auth-url "$DRIVE_URL/o/oauth2/v2/auth" \
		-token-url "$DRIVE_URL/token" -device-url "$DRIVE_URL/device/code" -revoke-url "$DRIVE_URL/revoke" \
		>"$T/.page" 2>"$T/login-$_member.log" </dev/null &
	_login=$!
	_tries=2400
	while [ "$(wc -l <"$T/.page")" -eq 0 ]; do
		kill -0 $_login 2>/dev/null || break
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || fail "no URL"
		sleep 0.05
	done
	curl -sS --noproxy '*' -L -o /dev/null "$(cat "$T/.page")" || fail "the consent of $_account"
	wait $_login || fail "$_member is not signed in"
	sed -i 's/^gdrive = {/gdrive = {\n    chunk_bytes = 262144;/' "$_member/scg.conf"
}

gd_gateway() {
	GW=gw
	ok scg-gateway init -dir "$GW" -cacert "$CA/ca.crt" -host localhost,127.0.0.1 -listen 127.0.0.1:0 -store "$1"
	be_patient "$GW"
	ok scg-ca sign -dir "$CA" -in "$GW/gateway.csr" -out "$GW/gateway.crt" -name "$GW" -role gateway -san DNS:localhost,IP:127.0.0.1
	ok scg-ca crl -dir "$CA"
	publish_crl
	gateway_up
}

# _gd_members ROLE THING MEMBER...
_gd_members() {
	_role=$1 _thing=$2
	shift 2
	for _one; do
		[ "$_one" = alice ] || drive_control "{\"account\": {\"account\": \"$_one@example.org\"}}" >/dev/null
		[ "$_one" = alice ] || drive_control "{\"share\": {\"file\": \"$_thing\", \"account\": \"$_one@example.org\", \"role\": \"$_role\"}}" >/dev/null
	done
	gd_gateway "gdrive:$FOLDER"
	for _one; do
		make_member "$_one"
		drive_login "$_one"
	done
}

gd_group() {
	make_ca
	drive_start
	FOLDER=$(drive_folder alice@example.org group)
	_gd_members writer "$FOLDER" "$@"
}

gd_shared() {
	make_ca
	drive_start
	DRIVE=$(drive_ask drive id account=alice@example.org name=lab)
	FOLDER=$(drive_ask folder id account=alice@example.org name=group "parent=$DRIVE")
	_gd_members fileOrganizer "$DRIVE" "$@"
}

gd_objects() { drive_dump "[.files[] | select(.trashed | not) | select(.name | endswith(\".cms\"))] | length"; }

gd_plant() {
	_object=$(scg list -dir "$2" -json | jq -er ".[] | select(.name == \"$3\").object") || fail "no $3"
	{
		printf -- '--XX\r\nContent-Type: application/json\r\n\r\n{"name": "%s.cms", "parents": ["%s"], "createdTime": "2026-01-01T00:00:00Z"}\r\n' "$_object" "$FOLDER"
		printf -- '--XX\r\nContent-Type: application/cms\r\n\r\nplanted\r\n--XX--\r\n'
	} >"$T/.planted"
	curl -sS --fail-with-body --noproxy '*' -H "Authorization: Bearer $(drive_token "$1@example.org")" -H 'Content-Type: multipart/related; boundary=XX' \
		--data-binary "@$T/.planted" "$DRIVE_URL/upload/drive/v3/files?uploadType=multipart&supportsAllDrives=true" >"$T/.out" || fail "$(cat "$T/.out")"
}

gd_blobs() { drive_dump '.files[].revisions[].path'; }

gd_opens() {
	_opened=0
	for _blob in $(gd_blobs); do
		! openssl cms -decrypt -inform DER -in "$_blob" -secretkey "$1" -binary -out "$T/.plain" 2>/dev/null || _opened=$((_opened + 1))
	done
	rm -f "$T/.plain"
	echo $_opened
}

gd_hides() {
	for _text; do
		! grep -rqaF -e "$_text" "$T/gdrive.state" || fail "'$_text' came to the drive"
	done
}
