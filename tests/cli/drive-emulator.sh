#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Drive that other tests lean on says what the service says, refuses what it refuses, and breaks only where it is told to. (make
# check-peers asks clients that others wrote.)
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/drive.sh"

files=/drive/v3/files
uploads=/upload/drive/v3/files

# api WHO PATH [CURL-OPTION...]: the status in $code, the head in .head, the body in .body
api() {
	_who=$1 _path=$2
	shift 2
	[ "$_who" = - ] || set -- -H "Authorization: Bearer $(cat "$_who.token")" "$@"
	code=$(curl -s --noproxy '*' -D "$T/.head" -o "$T/.body" -w '%{http_code}' "$@" "$DRIVE_URL$_path") || code="cut"
}

# gives CODE PATTERN|- WHO PATH [...]: both must be so, the pattern in the body
gives() {
	_code=$1 _pattern=$2
	shift 2
	api "$@"
	[ "$code" = "$_code" ] || fail "$code instead of $_code for $*: $(head -c 300 .body)"
	[ "$_pattern" = - ] || grep -q -e "$_pattern" .body || fail "no '$_pattern' for $*: $(head -c 300 .body)"
}

field() { jq -er "$1" .body; }

# put NAME [ID [PARENT]]: a small file of alice's in one request; its id in $id
put() {
	jq -cn --arg name "$1" --arg id "${2:-}" --arg parent "${3:-$folder}" \
		'{name: $name, parents: [$parent]} + if $id == "" then {} else {id: $id} end' >.meta
	{
		printf -- '--b\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n'
		cat .meta
		printf -- '\r\n--b\r\nContent-Type: application/cms\r\n\r\n0123456789\r\n--b--\r\n'
	} >.parts
	api alice "$uploads?uploadType=multipart&supportsAllDrives=true&fields=id,size,md5Checksum" -H 'Content-Type: multipart/related; boundary=b' \
		--data-binary @.parts
	id=$(jq -r '.id? // ""' .body 2>/dev/null) || id=
}

# session SIZE: opens a resumable one; its URI in $uri
session() {
	gives 200 - alice "$uploads?uploadType=resumable&fields=id,sha256Checksum" -H "X-Upload-Content-Length: $1" -d "{\"name\": \"big$((sessions += 1))\", \"parents\": [\"$folder\"]}"
	uri=$(sed -n "s|^Location: $DRIVE_URL||p" .head | tr -d '\r')
}

# chunk CODE RANGE FILE [CURL-OPTION...]: one PUT to the session
chunk() {
	_code=$1 _range=$2 _file=$3
	shift 3
	gives "$_code" - - "$uri" -X PUT -H "Content-Range: bytes $_range" -H 'Expect:' --data-binary "@$_file" "$@"
}

drive_start
for who in alice bob; do drive_token $who@example.org >$who.token; done
folder=$(drive_folder alice@example.org group)
head -c 600000 /dev/urandom >big
head -c 262144 big >big.0
tail -c +262145 big >big.1
: >none
printf 0123456789 >ten
sessions=0

say "who has no token, an ended one or too little scope is refused"
gives 401 '"required"' - $files
echo wrong >eve.token
gives 401 authError eve $files
drive_ask token access_token account=alice@example.org scope=drive.readonly >reader.token
gives 403 insufficientPermissions reader $files -d '{}'
drive_ask token access_token account=alice@example.org life=0 >late.token
gives 401 authError late $files

say "an id that was made is good for one file; the wrong parent, JSON and properties are refused"
gives 200 generatedIds alice "$files/generateIds?count=2"
made=$(field .ids[0])
put one "$made"
[ "$code $(field .size) $(field .md5Checksum)" = "200 10 781e5e245d69b566979b86e28d23f2c7" ] || fail "the file is not so: $(cat .body)"
put one "$made"
[ "$code $(field .error.errors[0].reason)" = "409 fileIdInUse" ] || fail "the id was good twice"
put one 1ThatNobodyMade00000000000000000000
[ "$code" = 400 ] || fail "an id that was not made was good"
put one '' "$made"
[ "$code" = 403 ] || fail "a file was a folder"
gives 404 notFound alice $files -d '{"parents": ["nowhere"]}'
gives 400 parseError alice $files -d '{"name": '
gives 400 badRequest alice $files -d "{\"properties\": {\"k\": \"$(printf '%0124d' 0)\"}}"

say "ranges"
gives 206 '^345$' alice "$files/$made?alt=media" -r 3-5
gives 206 '^9$' alice "$files/$made?alt=media" -r -1
gives 416 requestedRangeNotSatisfiable alice "$files/$made?alt=media" -r 10-
gives 200 '^0123456789$' alice "$files/$made?alt=media" -r 3-5 -H 'If-Range: "x"'
gives 403 fileNotDownloadable alice "$files/$folder?alt=media"

say "a resumable upload tells what it has, and takes no gap, no odd piece, no byte too many"
session 600000
chunk 308 '*/600000' none
lacks .head '^Range'
chunk 308 0-262143/600000 big.0
has .head '^Range: bytes=0-262143'
chunk 400 262145-599999/600000 big.1
chunk 400 262144-262153/600000 ten
chunk 400 262144-599999/700000 big.1
chunk 308 '*/600000' none
has .head '^Range: bytes=0-262143'
chunk 200 262144-599999/600000 big.1
[ "$(field .sha256Checksum)" = "$(sha256sum <big | cut -d' ' -f1)" ] || fail "the content differs"
chunk 200 '*/600000' none
gives 404 notFound - "$uploads?uploadType=resumable&upload_id=none" -X PUT -H 'Content-Range: bytes */600000'

say "a session outlives a kill, and a broken request leaves whole pieces of 256 KiB"
session 600000
drive_fault reset_mid kind=upload.chunk times=1
api - "$uri" -X PUT -H 'Expect:' --data-binary @big
[ "$code" = cut ] || fail "the connection was not broken"
drive_restart
chunk 308 '*/600000' none
has .head '^Range: bytes=0-262143'
chunk 200 262144-599999/600000 big.1
[ "$(field .sha256Checksum)" = "$(sha256sum <big | cut -d' ' -f1)" ] || fail "the content differs after a kill"

say "queries"
for name in "it's" BACK\\slash third; do put "$name"; done
q() {
	_q=$1
	shift
	api alice "$files" -G --data-urlencode "q=$_q" "$@"
}
q "name = 'IT\\'S' and '$folder' in parents"
[ "$(field '.files | length')" = 1 ] || fail "a name with a quote"
q "not (name contains 'third' or mimeType = 'application/vnd.google-apps.folder') and trashed = false" -d pageSize=2 -d 'fields=nextPageToken,files/name'
[ "$(field '.files | length')" = 2 ] || fail "not a page of two"
q "not (name contains 'third' or mimeType = 'application/vnd.google-apps.folder') and trashed = false" -d pageSize=2 -d "pageToken=$(field .nextPageToken)"
[ "$(field '.files | length')" = 2 ] || fail "not the second page"
q "name contains 'hird'"
[ "$(field '.files | length')" = 0 ] || fail "contains found the middle of a word"
finds() {
	q "$2"
	[ "$(field '.files | length')" = "$1" ] || fail "not $1 found: $2"
}
finds 2 "(name = 'third' or name = 'it\\'s') and trashed = false"
finds 1 "name = 'nobody' or name contains 'third'"
finds 0 "not name = 'third' and name = 'third'"
gives 200 fourth alice "$files/$id" -X PATCH -d '{"name": "fourth"}'
finds 1 "name = 'FOURTH'"
finds 0 "name = 'third'"
drive_restart
finds 1 "name = 'fourth'"
for wrong in 'name =' "name like 'x'" "name = 'x" "trashed = false)" "'x' in nothing"; do
	q "$wrong"
	[ "$code" = 400 ] || fail "taken: $wrong"
done
gives 400 invalidParameter alice "$files?pageSize=1001"
gives 400 invalid alice "$files?pageToken=x"
gives 400 invalidParameter alice "$files/$made?fields=id,nothing"

say "in a shared folder nobody destroys what another one owns; on a shared drive an organizer does"
gives 404 notFound bob "$files/$made"
drive_control "{\"share\": {\"file\": \"$folder\", \"account\": \"bob@example.org\", \"role\": \"writer\"}}" >/dev/null
gives 200 application bob "$files/$made"
gives 403 insufficientFilePermissions bob "$files/$made" -X DELETE
team=$(drive_ask drive id account=alice@example.org)
drive_control "{\"share\": {\"file\": \"$team\", \"account\": \"bob@example.org\", \"role\": \"fileOrganizer\"}}" >/dev/null
put member '' "$team"
gives 404 notFound bob "$files/$id"
gives 403 insufficientFilePermissions bob "$files/$id?supportsAllDrives=true" -X DELETE
gives 204 - alice "$files/$id?supportsAllDrives=true" -X DELETE
gives 404 notFound alice "$files/$id?supportsAllDrives=true"

say "an old content stays as a revision until it is deleted; the only one cannot be"
gives 200 '"2' alice "$uploads/$made?uploadType=media&fields=size" -X PATCH --data-binary 'new content of longer size'
gives 200 revisionList alice "$files/$made/revisions?fields=*"
old=$(field .revisions[0].id) new=$(field .revisions[1].id)
gives 200 '^0123456789$' bob "$files/$made/revisions/$old?alt=media"
gives 204 - alice "$files/$made/revisions/$old" -X DELETE
gives 404 notFound alice "$files/$made/revisions/$old?alt=media"
gives 403 cannotDeleteOnlyRevision alice "$files/$made/revisions/$new" -X DELETE

say "a program with drive.file sees what it made, and nothing else"
drive_control '{"client": {"id": "other", "secret": "s"}}' >/dev/null
drive_ask token access_token account=alice@example.org client=other scope=drive.file >narrow.token
gives 404 notFound narrow "$files/$made"
gives 200 drive#file narrow $files -d '{"name": "own"}'
gives 200 '"own"' narrow "$files?fields=files/name"
[ "$(field '.files | length')" = 1 ] || fail "it sees more"

say "OAuth: refusals"
refresh=$(drive_refresh alice@example.org)
token() { api - /token -d client_id=ID -d client_secret="$1" -d grant_type=refresh_token -d refresh_token="$2"; }
token wrong "$refresh"
[ "$code $(field .error)" = "401 invalid_client" ] || fail "a wrong secret"
token SECRET wrong
[ "$code $(field .error)" = "400 invalid_grant" ] || fail "a wrong token"
token SECRET "$refresh"
[ "$code $(field .token_type)" = "200 Bearer" ] || fail "no token"
gives 200 '{}' - /revoke -d token="$refresh"
token SECRET "$refresh"
[ "$code $(field .error)" = "400 invalid_grant" ] || fail "a revoked token"
gives 400 invalid_scope - /device/code -d client_id=ID -d scope=https://www.googleapis.com/auth/drive
gives 400 redirect_uri_mismatch - "/o/oauth2/v2/auth?client_id=ID&response_type=code&scope=drive&redirect_uri=https://elsewhere.example/"

say "a device waits for the person, not too hastily"
narrow=https://www.googleapis.com/auth/drive.file
device() {
	gives 200 verification_url - /device/code -d client_id=ID -d scope=$narrow
	device_code=$(field .device_code)
}
poll() {
	api - /token -d client_id=ID -d client_secret=SECRET -d grant_type=urn:ietf:params:oauth:grant-type:device_code -d device_code="$device_code"
	[ "$code $(field .error)" = "$1" ] || fail "$(cat .body) instead of $1"
}
drive_control '{"settings": {"device_interval": 3600}}' >/dev/null
device
poll '428 authorization_pending'
poll '403 slow_down'
drive_control '{"settings": {"device_interval": 0}}' >/dev/null
device
drive_control '{"device": {"mode": "deny"}}' >/dev/null
poll '403 access_denied'
device
drive_control '{"device": {"mode": "allow"}}' >/dev/null
api - /token -d client_id=ID -d client_secret=SECRET -d grant_type=urn:ietf:params:oauth:grant-type:device_code -d device_code="$device_code"
[ "$code $(field .scope)" = "200 $narrow" ] || fail "no token for the device: $(cat .body)"
poll '400 invalid_grant'

say "a list may lag behind, a session ends after its week, and who is not in any more sees nothing"
drive_control '{"settings": {"list_lag": 3600}}' >/dev/null
put lagging
q "name = 'lagging'"
[ "$(field '.files | length')" = 0 ] || fail "the list does not lag"
gives 200 lagging alice "$files/$id"
session 600000
drive_control '{"settings": {"list_lag": null, "session_life": 0}}' >/dev/null
chunk 410 '*/600000' none
drive_control "{\"share\": {\"file\": \"$folder\", \"account\": \"bob@example.org\", \"role\": \"none\"}}" >/dev/null
gives 404 notFound bob "$files/$id"

say "faults come where they are told to, and are counted"
drive_control '{"reset": {}}' >/dev/null
drive_fault 429 kind=files.get every=2 retry_after=3600
gives 200 - alice "$files/$made"
gives 429 rateLimitExceeded alice "$files/$made"
has .head '^Retry-After: 3600'
gives 200 - alice "$files/$made"
[ "$(drive_stats '[.faults["429"], .requests["files.get"], (.early_retries | length)] | tojson')" = '[1,3,1]' ] || fail "$(drive_stats)"
drive_calm
drive_fault lost_reply kind=upload.multipart times=1
gives 200 generatedIds alice "$files/generateIds?count=1"
made=$(field .ids[0])
put lost "$made"
[ "$code" = cut ] || fail "the reply was not lost"
put lost "$made"
[ "$code" = 409 ] || fail "the request was not acted upon"
drive_fault corrupt_upload kind=upload.multipart times=1
put corrupt
[ "$(field .md5Checksum)" != 781e5e245d69b566979b86e28d23f2c7 ] || fail "what was stored is what was sent"
[ "$(drive_dump '.doubles | length')" = 0 ] || fail "something is there twice"
