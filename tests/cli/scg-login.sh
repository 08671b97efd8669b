#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signing in to Google Drive and out: the consent in a browser, what goes wrong there, and what is kept.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/drive.sh"
need openssl script
unset DISPLAY WAYLAND_DISPLAY BROWSER

# Members of a group whose gateway never answers: signing in does not need it.
make_ca
URL=https://127.0.0.1:1
make_member alice bob
drive_start
endpoints="-api-url $DRIVE_URL -auth-url $DRIVE_URL/o/oauth2/v2/auth -token-url $DRIVE_URL/token -device-url $DRIVE_URL/device/code
	-revoke-url $DRIVE_URL/revoke"

# begin OPTION...: scg login goes on in the background, and $page is the URL that it printed.
begin() {
	: >page
	scg login "$@" >page 2>login.err </dev/null &
	echo $! >.pid-login
	_tries=2400
	while [ "$(wc -l <page)" -eq 0 ]; do
		kill -0 "$(pid login)" 2>/dev/null || break
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || fail "no URL"
		sleep 0.05
	done
	page=$(cat page)
}

two_lines() { [ "$(wc -l <page)" -eq 2 ]; }

# ends STATUS [REGEX]: that login ends so; its one line on standard error matches.
ends() {
	status=0
	wait "$(pid login)" || status=$?
	[ $status -eq "$1" ] || fail "status $status where $1 is due: $(cat login.err)"
	cat page login.err >>said.log
	[ "$(wc -l <login.err)" -eq 1 ] || fail "not one line on standard error: $(cat login.err)"
	has login.err "${2:-signed in}"
}

# browse [CURL-OPTION...] URL: what a browser gets there, the status last.
browse() { curl -sS --noproxy '*' -o browsed -w '%{http_code}' "$@"; }

# The part of the redirect: the parameter of $page, decoded.
parameter() { printf '%s' "$page" | tr '?&' '[\n*]' | sed -n "s/^$1=//p" | sed 's/%3A/:/g; s/%2F/\//g'; }

# What gdrive.cms of a member holds.
grant() { openssl cms -decrypt -inform DER -in "$1/gdrive.cms" -inkey "$1/key.pem"; }

say "a consent, followed as a browser would"
# shellcheck disable=SC2086 # many options
begin -dir alice -client-id ID -client-secret SECRET -no-browser $endpoints
[ "$(wc -l <page)" -eq 1 ] || fail "more than the URL on standard output"
has page "^$DRIVE_URL/o/oauth2/v2/auth\\?client_id=ID&"
has page '&code_challenge=[A-Za-z0-9_-]{43}&code_challenge_method=S256&'
redirect=$(parameter redirect_uri)
[ "$(browse "$redirect/favicon.ico")" = 404 ] || fail "there is more than the answer"
[ "$(browse -L "$page")" = 200 ] || fail "the redirect is not answered"
has browsed 'may close this window'
ends 0
! browse "$redirect/?state=$(parameter state)&code=x" >/dev/null 2>&1 || fail "a second redirect is answered"
[ "$(stat -c %a alice/gdrive.cms)" = 600 ] || fail "the mode of gdrive.cms"
[ "$(stat -c %a alice/scg.conf)" = 600 ] || fail "the mode of scg.conf"

say "stock openssl opens what is kept"
grant alice >granted
jq -e '.kind == "user" and .client_id == "ID" and (.refresh_token | length > 20) and (.scope | contains("/auth/drive"))' granted >/dev/null ||
	fail "not the form of doc/FORMAT"
openssl cms -decrypt -inform DER -in alice/gdrive.cms -inkey bob/key.pem -out other 2>>openssl.log && fail "bob opens it too"

say "what was given is kept in scg.conf, and what stood there stays"
has alice/scg.conf "^gateway = \"$URL\";"
has alice/scg.conf "^# scg.conf"
has alice/scg.conf "token_url = \"$DRIVE_URL/token\";"
has alice/scg.conf 'client_secret = "SECRET";'
lacks alice/scg.conf 'chunk_bytes'
sed -i 's/^gdrive = {/settle = 30; # mine\ngdrive = {\n    chunk_bytes = 524288;/' alice/scg.conf
begin -dir alice -drive-id SHARED
[ "$(browse -L "$page")" = 200 ]
ends 0
has alice/scg.conf '^settle = 30; # mine'
has alice/scg.conf 'chunk_bytes = 524288L;'
has alice/scg.conf 'drive_id = "SHARED";'
grant alice >second
! cmp -s granted second || fail "the second login changed nothing"

say "a denied consent"
cp alice/gdrive.cms kept
drive_control '{"consent": {"mode": "deny"}}' >/dev/null
begin -dir alice
[ "$(browse -L "$page")" = 200 ]
ends 3 'denied'
begin -dir bob -client-id ID -client-secret SECRET -auth-url "$DRIVE_URL/o/oauth2/v2/auth"
[ "$(browse -L "$page")" = 200 ]
ends 3 'denied'
absent bob/gdrive.cms
lacks bob/scg.conf 'client_id'

say "a scope that was unticked"
drive_control '{"consent": {"mode": "allow", "untick": ["drive"]}}' >/dev/null
begin -dir alice
page=$(printf '%s\n' "$page" | sed 's/&scope=/&openid%20/') # a page with one box alone has none
[ "$(browse -L "$page")" = 200 ]
ends 3 'ticked'
[ "$(drive_stats '.requests["oauth.revoke"]')" = 1 ] || fail "the useless token lives on"
same kept alice/gdrive.cms

say "answers with a wrong state, or with half of what is due"
drive_control '{"consent": {"mode": "allow", "override": {"state": "forged"}}}' >/dev/null
begin -dir alice
[ "$(browse -L "$page")" = 400 ] || fail "a forged state is taken"
same kept alice/gdrive.cms
drive_control '{"consent": {"mode": "allow"}}' >/dev/null
redirect=$(parameter redirect_uri) state=$(parameter state)
[ "$(browse "$redirect/?code=x")" = 400 ]
[ "$(browse "$redirect/?state=$state")" = 400 ]
[ "$(browse "$redirect/?state=$state&code=x&code=y")" = 400 ]
[ "$(browse "$redirect/?state=$state&state=$state&code=y")" = 400 ]
[ "$(browse "$redirect/?state=${state}x&code=y")" = 400 ]
[ "$(browse "$redirect/?state=$state&code=x&error=y")" = 400 ]
[ "$(browse -H 'Host: evil.example' "$redirect/?state=$state&code=x")" = 400 ]
[ "$(browse -d "state=$state&code=x" "$redirect/")" = 404 ]
[ "$(browse "$redirect/x?state=$state&code=x")" = 404 ]
[ "$(browse -H "X: $(printf '%9000d' 0)" "$redirect/")" = 400 ]
[ "$(browse -L "$page")" = 200 ] || fail "the right answer is not taken any more"
ends 0
begin -dir alice
[ "$(browse "$(parameter redirect_uri)/?state=$(parameter state)&code=forged")" = 200 ]
ends 3 'login again'
begin -dir alice
[ "$(browse "$(parameter redirect_uri)/?state=$(parameter state)&error=%1b%5b31m")" = 200 ]
ends 3 'no known form'

say "a service that is no such service"
drive_fault html kind=oauth.token
begin -dir alice
[ "$(browse -L "$page")" = 200 ]
ends 4 'text/html|JSON|type'
drive_calm
drive_fault redirect kind=oauth.token location=https://elsewhere.example/
begin -dir alice
[ "$(browse -L "$page")" = 200 ]
ends 4 'elsewhere'
drive_calm

say "usage"
refuses 2 'client ID' scg login -dir bob
refuses 2 'contradict' scg login -dir alice -device -service-account x
refuses 2 'alone' scg login -dir alice -alone
refuses 2 'gdrive\.api_url.*https' scg login -dir alice -api-url http://drive.example
refuses 2 'gdrive\.token_url' scg login -dir alice -token-url 'https://u:p@drive.example/'
refuses 2 'drive_id' scg login -dir alice -drive-id "a'b"
refuses 2 'timeout' scg login -dir alice -timeout 0
refuses 2 'client-secret' scg login -dir alice -client-secret env:NOT_SET
refuses 1 'nothing: cannot open' scg login -dir alice -ca-file nothing
refuses 1 'installed' scg login -dir nobody
refuses 2 'surplus' scg login -dir alice now
has alice/scg.conf "api_url = \"$DRIVE_URL\";"

say "the client's secret from elsewhere; a wrong one"
CLIENT_SECRET=SECRET
export CLIENT_SECRET
chmod 644 alice/scg.conf
begin -dir alice -client-secret env:CLIENT_SECRET
[ "$(browse -L "$page")" = 200 ]
ends 0
[ "$(stat -c %a alice/scg.conf)" = 600 ] || fail "the mode of scg.conf"
begin -dir alice -client-secret WRONG
[ "$(browse -L "$page")" = 200 ]
ends 3 'client ID and secret'
has alice/scg.conf 'client_secret = "SECRET";'

say "logout revokes"
grant alice >granted
ok scg logout -dir alice
absent alice/gdrive.cms
refresh=$(jq -r .refresh_token granted)
[ "$(browse -d "grant_type=refresh_token&client_id=ID&client_secret=SECRET&refresh_token=$refresh" "$DRIVE_URL/token")" = 400 ] ||
	fail "it still refreshes"
refuses 1 'nobody has signed in' scg logout -dir alice

say "a service account"
drive_control "{\"service-account\": {\"account\": \"robot@example.org\", \"token_uri\": \"$DRIVE_URL/token\"}}" >robot.json
chmod 600 robot.json
refuses 2 'token service.*-token-url' scg login -dir bob -service-account robot.json
refuses 2 'service account' scg login -dir bob -service-account alice/scg.conf
refuses 2 'no-browser' scg login -dir bob -service-account robot.json -no-browser
absent bob/gdrive.cms
# shellcheck disable=SC2086 # many options
ok scg login -dir bob -service-account robot.json $endpoints
[ ! -s .out ] || fail "there is no consent, and yet a URL"
grant bob >granted
jq -e '.kind == "service" and .client_email == "robot@example.org" and (has("refresh_token") | not)' granted >/dev/null || fail "not the form of doc/FORMAT"
lacks bob/scg.conf 'client_id|PRIVATE'
lacks .err 'robot'
chmod 644 robot.json
ok scg login -dir bob -service-account robot.json
has .err 'robot\.json: others.*mode 0644'
ok scg logout -dir bob

say "a device: not without the ledger, whose one member may have it"
drive_control '{"settings": {"device_interval": 1}}' >/dev/null
refuses 5 '127\.0\.0\.1' scg login -dir alice -device
make_gateway
gateway_up
moved
begin -dir alice -device
within 60 two_lines
[ "$(sed -n 1p page)" = https://www.google.com/device ] || fail "$(cat page)"
drive_control "{\"device\": {\"mode\": \"allow\", \"user_code\": \"$(sed -n 2p page)\"}}" >/dev/null
ends 0
grant alice >granted
jq -e '.kind == "device" and (.scope | endswith("/drive.file"))' granted >/dev/null || fail "not the form of doc/FORMAT"

say "of two members none may, unless they share the account"
ok scg keys -dir bob
refuses 3 'drive\.file.*2 members' scg login -dir alice -device
begin -dir alice -device -alone
within 60 two_lines
drive_control '{"device": {"mode": "deny"}}' >/dev/null
ends 3 'denied'

say "a token that expires in the middle is refreshed, a revoked sign-in is not"
begin -dir alice
[ "$(browse -L "$page")" = 200 ]
ends 0
folder=$(drive_folder alice@example.org group)
echo "store = { type = \"gdrive\"; folder = \"$folder\"; };" >>alice/scg.conf
sed -i '/drive_id/d' alice/scg.conf
echo one >report
ok scg upload -dir alice report
drive_control '{"expire": {"account": "alice@example.org"}}' >/dev/null
ok scg download -dir alice report -out got
same report got
grant alice >granted
jq -r '.access_token, .refresh_token' granted >secrets
drive_control '{"expire": {"account": "alice@example.org"}}' >/dev/null
drive_control '{"expire": {"account": "alice@example.org", "kind": "refresh"}}' >/dev/null
echo two >report
refuses 3 'scg login' scg upload -dir alice report
begin -dir alice
[ "$(browse -L "$page")" = 200 ]
ends 0
ok scg upload -dir alice report
ok scg logout -dir alice
refuses 3 'scg login' scg download -dir alice report -out again
absent again

say "a browser is opened where somebody sees it, and says nothing here"
cat >.bin/xdg-open <<END
#!/bin/sh
echo noise
echo noise >&2
echo "\$1" >>"$T/opened"
exec curl -sSL --noproxy '*' -o "$T/browsed" "\$1"
END
chmod +x .bin/xdg-open
DISPLAY=:7 ok script -qec 'scg login -dir alice' terminal
grep -Fq "$(cat opened)" terminal || fail "another URL was opened"
lacks terminal noise
(DISPLAY=:7 ok script -qec 'scg login -dir alice -no-browser -timeout 1; echo "status $?"' terminal)
has terminal 'status 5'
has terminal 'no answer'
export DISPLAY=:7
begin -dir alice
unset DISPLAY
[ "$(browse -L "$page")" = 200 ]
ends 0
[ "$(wc -l <opened)" -eq 1 ] || fail "a browser is opened without need"
ok scg logout -dir alice

say "TLS: an anchor that is known, or nothing is sent"
ok openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout tls.key -out tls.crt -days 2 -subj /CN=drive \
	-addext subjectAltName=IP:127.0.0.1
stop gdrive
drive_start -tls tls.crt tls.key
begin -dir alice -auth-url "$DRIVE_URL/o/oauth2/v2/auth" -token-url "$DRIVE_URL/token"
[ "$(browse -k -L "$page")" = 200 ]
ends 4 'certificate'
absent alice/gdrive.cms
begin -dir alice -auth-url "$DRIVE_URL/o/oauth2/v2/auth" -token-url "$DRIVE_URL/token" -ca-file tls.crt
[ "$(browse -k -L "$page")" = 200 ]
ends 0
has alice/scg.conf "ca_file = \"$T/tls.crt\";"

say "no secret is in anything that was printed"
lacks said.log 'SECRET|WRONG|1//0|ya29|4/0A'
! grep -aFq -f secrets said.log || fail "a token was printed"
