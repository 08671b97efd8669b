#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Debian's rclone, which knows nothing of us, works on the Drive emulator as on the service: it is led there by a proxy (CONNECT) under a
# certificate of the test's own. What it does is looked at from the other side, in the emulator's own dump and log.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/drive.sh"
. "$top_srcdir/tests/peers/peer.sh"
need rclone openssl

# rc ARGUMENT...: as a user calls it, with nothing of the user's own configuration.
rc() {
	HTTPS_PROXY=http://${DRIVE_URL#http://} NO_PROXY='' rclone --config "$T/rclone.conf" --ca-cert "$T/peer.pem" --retries 1 "$@"
}

# remote NAME KEY=VALUE...: a section of its configuration
remote() {
	printf '[%s]\ntype = drive\nclient_id = ID\nclient_secret = SECRET\nscope = drive\n' "$1"
	shift
	_token=$(drive_control '{"token": {"account": "alice@example.org"}}')
	printf '%s' "$_token" | jq -r '"token = " + ({access_token, refresh_token, token_type, expiry: "2001-01-01T00:00:00Z"} | tojson)'
	printf '%s\n' "$@" ''
}

peer_certificate
drive_start -tunnel "$T/peer.pem" "$T/peer.key"
folder=$(drive_folder alice@example.org rclone)
shared=$(drive_ask drive id account=alice@example.org name=team)
{
	remote my "root_folder_id = $folder"
	remote shared "team_drive = $shared"
} >rclone.conf
mkdir in
printf 'small' >in/small
: >in/empty
head -c 700001 /dev/urandom >in/middle
head -c 3000000 /dev/urandom >"in/it's \"long\" \\ å"

say "an expired token is refreshed, small files go up, come in a list, and come down the same"
ok rc copy in my:tree
ok rc check --download in my:tree
[ "$(drive_stats '.requests["oauth.token"]')" -ge 1 ] || fail "no token was refreshed"
[ "$(drive_dump '[.files[] | select(.revisions != [])] | length')" = 4 ] || fail "not four files"

say "resumable: the size known, and not known"
ok rc --drive-upload-cutoff 0 --drive-chunk-size 256k copyto in/middle my:resumed
rc --drive-upload-cutoff 0 --drive-chunk-size 256k rcat my:streamed <in/middle || fail "rcat: status $?"
[ "$(drive_stats '.requests["upload.chunk"]')" -ge 6 ] || fail "it did not send in chunks"
for copy in resumed streamed; do
	ok rc copyto my:$copy out
	same out in/middle
done

say "a broken connection, a refusal for a while and a lost reply are got over"
drive_fault 503 kind=upload.chunk every=2 times=2
drive_fault rateLimitExceeded kind=files.list every=2 times=1
drive_fault reset_mid kind=files.media times=1
ok rc --drive-upload-cutoff 0 --drive-chunk-size 256k copyto in/middle my:retried
ok rc copyto my:retried out
same out in/middle
drive_calm
[ "$(drive_stats '.faults | add')" -ge 3 ] || fail "the faults did not come"

say "checksums, ranges, pages"
ok rc lsjson --hash --stat my:resumed
has .out "$(md5sum <in/middle | cut -d' ' -f1)"
rc cat --offset 300000 --count 1000 my:resumed >part
tail -c +300001 in/middle | head -c 1000 | cmp - part || fail "the range differs"
ok rc --drive-list-chunk 2 lsf -R my:
[ "$(wc -l <.out)" -eq 8 ] || fail "not eight entries over many pages"

say "renamed, copied within the service, changed: the revision before stays"
ok rc moveto my:resumed my:tree/moved
ok rc copyto my:tree/moved my:copied
ok rc copyto in/small my:copied
ok rc cat my:copied
same .out in/small
[ "$(drive_dump '[.files[] | select(.name == "copied") | .revisions[].size] | tojson')" = '[700001,5]' ] || fail "not both revisions"

say "into the trash, out of it, and for good"
ok rc deletefile my:copied
[ "$(drive_dump '.files[] | select(.name == "copied").trashed')" = true ] || fail "it is not in the trash"
ok rc --drive-trashed-only lsf my:
has .out '^copied$'
ok rc cleanup my:
ok rc --drive-use-trash=false deletefile my:streamed
[ -z "$(drive_dump '.files[] | select(.name == "copied" or .name == "streamed")')" ] || fail "something is left"

say "a shared drive, with folders"
ok rc backend drives my:
has .out "$shared"
ok rc copy in shared:sub/folder
ok rc check --download in shared:sub/folder
ok rc --drive-use-trash=false purge shared:sub
[ -z "$(drive_dump ".files[] | select(.driveId == \"$shared\")")" ] || fail "something is left on the shared drive"

say "what is not there, and what may not be"
refuses 3 'not found' rc --quiet --low-level-retries 1 cat my:missing
drive_control "{\"share\": {\"file\": \"$shared\", \"account\": \"bob@example.org\", \"role\": \"organizer\"}}" >/dev/null
drive_control "{\"share\": {\"file\": \"$shared\", \"account\": \"alice@example.org\", \"role\": \"reader\"}}" >/dev/null
! rc --low-level-retries 1 copyto in/small shared:refused 2>.err || fail "a reader wrote"
has .err insufficientFilePermissions
ok rc about my:
