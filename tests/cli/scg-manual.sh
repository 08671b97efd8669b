#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual pages name the options and settings that there are, and their examples run.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/manual.sh"
need openssl jq tar

page=$top_srcdir/doc/scg.1 conf=$top_srcdir/doc/scg.conf.5
check_page "$page"
check_page "$conf"
check_page "$top_srcdir/doc/scg-gdrive.7"
check_synopsis scg "$page"

say "the examples of scg.1"
make_group bob
doc=$top_srcdir/doc
export URL doc
run_examples "$page"
same report.txt got/report.txt
same photos/one got/one
json '[.[].name] == ["2026/report.txt", "photos/one"]' scg list -dir bob -json

say "the examples of scg.conf.5 are taken, and so is each setting by itself"
sed -n '/^\.Bd/,/^\.Ed/p' "$conf" | awk '/^\.Bd/ { n++; next } /^\.Ed/ { next } { print > ("example-" n) }'
cp -r bob reader
for example in example-*; do
	sed 's|https://[^"]*|https://127.0.0.1:1|; s|/home/alice/Dropbox/group|/nowhere|' "$example" >reader/scg.conf
	refuses 5 '127\.0\.0\.1' scg keys -dir reader
done
for setting in settle store.type store.path store.folder gateway gdrive.client_id gdrive.client_secret gdrive.api_url gdrive.auth_url \
	gdrive.token_url gdrive.device_url gdrive.revoke_url gdrive.drive_id gdrive.chunk_bytes gdrive.ca_file; do
	has "$conf" "^\\.It Cm $setting "
done
# a store of one's own is used instead of the gateway's, and it is not made
sed "s|https://[^\"]*|$URL|; s|/home/alice/Dropbox/group|$T/nowhere|" example-2 >reader/scg.conf
refuses 5 'nowhere' scg download -dir reader photos/one -out new
absent nowhere new
sed -i "s|$T/nowhere|$T/drive|" reader/scg.conf
ok scg download -dir reader photos/one -out new
