#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# After an eviction nothing is left on Google Drive that an older key opens: at once on a shared drive, where the re-keying member is its
# organizer; in a folder of My Drive after the next command of each owner, and until then it is named by owner.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/drive.sh"
. "$top_srcdir/tests/cli/gdlib.sh"
need openssl

# get MEMBER NAME FILE
get() {
	rm -f got
	ok scg download -dir "$1" "$2" -out got
	same got "$3"
}

# evict NAME: revoked, and the gateway has a new key
evict() {
	old=$(stock_keys alice | head -n 1)
	[ -n "$old" ] || fail "no key"
	revoke "$1"
	within 60 scg list -dir alice
	within 60 new_epoch
}
new_epoch() { scg keys -dir alice && [ "$(stock_keys alice | head -n 1)" != "$old" ]; }

# file_of NAME: the id on the drive of the file that is its object
file_of() {
	_object=$(scg list -dir alice -json | jq -er ".[] | select(.name == \"$1\").object") || fail "no $1"
	drive_dump ".files[] | select(.name == \"$_object.cms\").id"
}

echo "a shared drive" >one
head -c 700000 /dev/urandom >two

say "a shared drive"
gd_shared alice bob carol
ok scg upload -dir alice one
ok scg upload -dir bob two
ok scg upload -dir carol -to by-carol one
gd_plant carol alice two
say "what a member may not destroy, somebody puts into the trash by hand"
cp one three
ok scg upload -dir carol three
superseded=$(file_of three)
echo "three is another one" >three
ok scg upload -dir bob -replace three
has .err 'still on the drive'
drive_control "{\"trash\": {\"file\": \"$superseded\"}}" >/dev/null
say "a file's own object there is left alone by cleaning up, and can be brought back"
current=$(file_of one)
drive_control "{\"trash\": {\"file\": \"$current\"}}" >/dev/null
ok scg gc -dir bob
drive_control "{\"trash\": {\"file\": \"$current\", \"trashed\": false}}" >/dev/null
get bob one one
[ "$(gd_opens "$(stock_keys alice)")" -eq 5 ] || fail "openssl does not open them"
ok scg encrypt -dir carol -in one -out carols.cms
evict carol
refuses 1 'older epoch' scg verify -dir alice -old
say "rekey takes away the access first, then all that the old key opens"
json '.rekeyed == 4 and .failed == 0 and .left == 0 and .unshared and .owners == {}' \
	scg rekey -dir alice -json -unshare carol@example.org
[ "$(drive_dump '[.drives[].permissions[] | select(.emailAddress == "carol@example.org")] | length')" -eq 0 ] || fail "carol still has access"
json '.old == 0 and .kept == 0 and .failed == 0 and .orphans == 0 and .injected == 0' scg verify -dir alice -old -json
[ "$(gd_opens "$old")" -eq 0 ] || fail "the old key opens something"
[ "$(gd_objects)" -eq 4 ] || fail "$(gd_objects) objects"
get bob by-carol/one one
get bob three three
get bob two two
refuses 3 'revoked' scg download -dir carol two -out stolen
absent stolen

say "what lies there without an event: verify says what to do about it, and gc does it"
token=$(drive_token bob@example.org)
# put METHOD PATH FILE: the id of the file that it becomes
put() {
	curl -sS --noproxy '*' --fail-with-body -X "$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/cms' --data-binary "@$3" \
		"$DRIVE_URL/upload/drive/v3/files$2?uploadType=media&supportsAllDrives=true" | jq -er .id
}
# move ID NAME: out of bob's own folder, where a media upload without a name lands
move() {
	curl -sS --noproxy '*' --fail-with-body -X PATCH -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
		-d "{\"name\": \"$2\"}" "$DRIVE_URL/drive/v3/files/$1?addParents=$FOLDER&removeParents=root&supportsAllDrives=true" >moved.log
}
head -c 3000 /dev/urandom >junk
move "$(put POST "" carols.cms)" aaaaaaaaaaaaaaaaaaaaaaaaaa.cms
move "$(put POST "" junk)" bbbbbbbbbbbbbbbbbbbbbbbbbb.cms
# whether hers counts as one is a matter of the second in which she was revoked
refuses 4 '^scg: [12] objects .* by nobody of the group, .*scg gc' scg verify -dir alice
has .out '^object bbbbbbbbbbbbbbbbbbbbbbbbbb: '
has .out '^besides: [12] objects .*scg gc: at once .* after 7 days or with -older'
ok scg gc -dir alice
[ "$(gd_objects)" -eq 5 ] || fail "what is under an older key is still there"
ok scg gc -dir alice -older 0
[ "$(gd_objects)" -eq 4 ] || fail "$(gd_objects) objects"
json '.failed == 0 and .orphans == 0 and .injected == 0 and .files == 4' scg verify -dir alice -json

say "copies that bob made, one in the trash, one as an older revision, are named"
drive_control "{\"content\": {\"file\": \"$(drive_dump '[.files[] | select(.name | endswith(".cms"))][0].id')\"}}" >copy
binned=$(put POST "" copy)
move "$binned" "backup of mine"
drive_control "{\"trash\": {\"file\": \"$binned\"}}" >/dev/null
revised=$(put POST "" copy)
move "$revised" "backup of mine"
put PATCH "/$revised" one >/dev/null
evict bob
ok scg rekey -dir alice -mode rewrap
refuses 1 'older epoch' scg verify -dir alice -old
has .out '^trashed file backup of mine: .*older epoch'
has .out '^revision backup of mine: .*older epoch'
has .out '^2 objects under older epochs, 2 of them in the trash'
stop gw
stop gdrive
rm -rf ca gw alice bob carol gdrive.state ./*.csr ./*.crt

say "a folder of My Drive: each may destroy only what he put there"
gd_group alice bob dave
ok scg upload -dir alice one
ok scg upload -dir bob two
ok scg upload -dir dave -to by-dave one
evict dave
json '.rekeyed == 3 and .failed == 0 and .left == 2 and .owners == {"bob@example.org": 1, "dave@example.org": 1}' \
	scg rekey -dir alice -json -unshare dave@example.org
say "what is left is named by its owner"
refuses 1 'older epoch' scg verify -dir alice -old
has .out 'object .*older epoch, left to bob@example.org$'
has .out 'object .*older epoch, left to dave@example.org$'
[ "$(gd_opens "$old")" -gt 0 ] || fail "nothing is left to be destroyed"
say "it is gone after the next command of each that uses the drive"
ok scg list -dir bob
refuses 1 'older epoch' scg verify -dir alice -old
get bob one one
get alice two two
refuses 1 'older epoch' scg verify -dir alice -old
lacks .out bob@example.org
has .out '1 objects under older epochs'
