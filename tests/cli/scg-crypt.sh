#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# encrypt, decrypt, inspect: files and streams, whole or not at all, and what stock openssl says to it.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need jq openssl

make_group alice bob
head -c 5000000 /dev/urandom >long
head -c 50000 /dev/urandom >short

say "file to file"
ok scg encrypt -dir alice -in short -out short.cms
ok scg decrypt -dir bob -in short.cms -out got
same short got
json '.name == "short" and .author == "alice" and .size == 50000 and .unsigned == false and .author_revoked == false and .fresh' \
	scg decrypt -dir bob -in short.cms -out got -json
json '.segments == 2 and .segment_size == 4194304 and .size == 5000000 and .cipher == "aes-256-gcm" and (.key_ids | length) == 1' \
	sh -c 'scg encrypt -dir alice -in long -out - | scg inspect -in - -json'

say "streams"
scg encrypt -dir alice -in - -out - <long >long.cms 2>.err || fail "$(cat .err)"
piped() { dd if="$1" bs=64k 2>/dev/null; }
piped long.cms | scg decrypt -dir bob -in - -out - 2>.err | cmp - long || fail "a stream came out different: $(cat .err)"
piped long.cms | scg decrypt -dir bob -in - -out - -spool 2>.err | cmp - long || fail "a spooled stream came out different: $(cat .err)"
ok scg decrypt -dir bob -in long.cms -out got
same long got
mkfifo pipe
cat pipe >got & scg decrypt -dir bob -in long.cms -out pipe 2>.err || fail "$(cat .err)"
wait $!
same long got
ok scg decrypt -dir bob -in short.cms -out /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"

say "what is damaged gets no name, and does not touch what is there"
echo keep >target
head -c 4800000 long.cms >cut.cms
for bad in cut.cms short; do
	refuses 4 "^scg: $bad: " scg decrypt -dir bob -in $bad -out target
	has target '^keep$'
	refuses 4 "^scg: $bad: " scg decrypt -dir bob -in $bad -out fresh
	absent fresh
done
[ -z "$(find . -maxdepth 1 -name '.scg-*')" ] || fail "a temporary file is left"
ok scg decrypt -dir bob -in short.cms -out target
same short target

say "to a pipe, -spool holds all back until all is verified; without it, status 4 comes after release"
rc=0
scg decrypt -dir bob -in - -out - <cut.cms >released 2>.err || rc=$?
[ $rc -eq 4 ] || fail "status $rc"
rc=0
piped cut.cms | scg decrypt -dir bob -in - -out - >released 2>.err || rc=$?
[ $rc -eq 4 ] || fail "status $rc"
rc=0
piped cut.cms | scg decrypt -dir bob -in - -out - -spool >released 2>.err || rc=$?
[ $rc -eq 4 ] || fail "status $rc"
[ ! -s released ] || fail "-spool released something"

say "what is damaged late: only whole segments leave, also to a file that the shell opened"
cp long.cms late.cms
flip late.cms 4900000
for how in '' -spool; do
	rc=0
	# shellcheck disable=SC2086
	scg decrypt -dir bob -in late.cms -out - $how >released 2>.err || rc=$?
	[ $rc -eq 4 ] || fail "status $rc"
	[ "$(stat -c %s released)" -le 4194304 ] || fail "unverified bytes were released"
	cmp -n "$(stat -c %s released)" released long || fail "other bytes were released"
	flip late.cms 2000000
done
[ ! -s released ] || fail "-spool released something"

say "a full disk: non-zero, the old file stays"
for out in target fresh; do
	rc=0
	(ulimit -f 20; trap '' XFSZ; scg decrypt -dir bob -in short.cms -out $out) >.out 2>.err || rc=$?
	[ $rc -eq 1 ] || fail "status $rc: $(cat .err)"
done
same short target
absent fresh
refuses 1 'No space' scg decrypt -dir bob -in short.cms -out /dev/full
refuses 1 'No space' sh -c 'scg decrypt -dir bob -in short.cms -out - >/dev/full'

say "a stock envelope that nobody signed"
ok scg keys -dir bob
key=$(stock_keys bob | head -n 1)
id=$(scg keys -dir bob -json 2>/dev/null | jq -r '.[0].key_id')
for stream in -stream ''; do
	# shellcheck disable=SC2086
	openssl cms -encrypt -aes-256-gcm -secretkey "$key" -secretkeyid "$id" -binary $stream -outform DER -in short -out stock.cms
	refuses 4 . scg decrypt -dir bob -in stock.cms -out fresh
	absent fresh
	ok scg decrypt -dir bob -unsigned -in stock.cms -out got
	has .err 'nobody signed'
	same short got
	scg decrypt -dir bob -unsigned -in - -out - <stock.cms 2>.err | cmp - short || fail "$(cat .err)"
	json '.unsigned and (has("author") | not)' scg decrypt -dir bob -unsigned -in stock.cms -out got -json
	# cut: to a pipe nothing is released
	head -c 40000 stock.cms | scg decrypt -dir bob -unsigned -in - -out - >released 2>.err && fail "a cut stock envelope was opened"
	[ ! -s released ] || fail "unverified bytes were released"
done
# -unsigned never skips a manifest
head -c 52000 short.cms >cut.cms
head -c "$(($(stat -c %s short.cms) - 700))" short.cms >cut.cms
refuses 4 . scg decrypt -dir bob -unsigned -in cut.cms -out fresh
absent fresh

say "a stock decryption of a whole long file prints the note"
openssl cms -decrypt -inform DER -in long.cms -secretkey "$key" -binary -out note 2>.err || fail "$(cat .err)"
has note 'each'

if [ -x "$top_builddir/tests/cli/make_expired" ]; then # Check is there
	say "dated ahead of the clock here: a warning and a mark"
	ok scg keys -dir bob
	stock_keys bob >keys
	id=$(scg keys -dir bob -json | jq -r '.[0].key_id')
	dated() { ok "$top_builddir/tests/cli/make_expired" alice "$id" "$(head -n 1 keys)" "$1" ahead.cms; }
	dated 7200
	ok scg decrypt -dir bob -in ahead.cms -out got
	has .err '^scg: warning: signed at .*by the clock here it is '
	has got '^the minutes of the meeting$'
	json '.dated_ahead and .author == "alice"' scg decrypt -dir bob -in ahead.cms -out got -json
	ok scg inspect -dir bob -text -in ahead.cms
	has .out '^author    alice, signed at .*Z, ahead of the clock here$'
	json '.dated_ahead' scg inspect -dir bob -text -in ahead.cms -json
	json '.dated_ahead == false' scg inspect -dir bob -text -in short.cms -json
	dated 0
	ok scg decrypt -dir bob -in ahead.cms -out got
	[ ! -s .err ] || fail "warned of what is dated now: $(cat .err)"
	json '.dated_ahead == false' scg decrypt -dir bob -in ahead.cms -out got -json
fi

say "the author was evicted since: a warning and a mark; what is dated later is refused"
sleep 1
revoke alice
is_warned() { scg decrypt -dir bob -in short.cms -out got 2>&1 | grep warning; }
within 60 is_warned
ok scg decrypt -dir bob -in short.cms -out got
has .err 'warning: the certificate of its author, alice, is revoked'
json '.author_revoked' scg decrypt -dir bob -in short.cms -out got -json
refuses 3 'revoked' scg decrypt -dir alice -in short.cms -out fresh
refuses 3 'revoked' scg encrypt -dir alice -in short -out fresh
absent fresh

say "what makes no sense is refused"
refuses 2 'is missing' scg encrypt -dir bob -in short
refuses 2 'unknown option' scg encrypt -dir bob -in short -out x -spool
refuses 2 'both write' scg decrypt -dir bob -in short.cms -out - -json
refuses 1 'no-such' scg encrypt -dir bob -in no-such -out x
refuses 1 'folder|directory' scg encrypt -dir bob -in drive -out x
refuses 1 'folder|directory' scg encrypt -dir bob -in short -out drive
refuses 1 'nowhere' scg encrypt -dir bob -in short -out nowhere/x
refuses 4 . scg inspect -in short
refuses 4 '^scg: /dev/zero: RFC 5652 3' scg decrypt -dir bob -spool -in /dev/zero -out -
absent x

say "offline: keys of the last command, and only when that is wanted"
stop gw
refuses 5 . scg decrypt -dir bob -in short.cms -out fresh
refuses 5 . scg encrypt -dir bob -in short -out fresh
absent fresh
ok scg decrypt -dir bob -in short.cms -out fresh -stale-ok
has .err 'freshness unknown'
same short fresh
json '.fresh == false' scg decrypt -dir bob -in short.cms -out fresh -stale-ok -json
