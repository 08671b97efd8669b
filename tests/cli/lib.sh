# shellcheck shell=sh
# shellcheck disable=SC2034,SC2119,SC2120,SC2164 # sourced under set -e; its functions have optional arguments, its results are used there
# SPDX-License-Identifier: Apache-2.0
# Sourced by every program test (POSIX sh). A test begins with
#     set -eu
#     . "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
# and then stands in an empty folder $T of its own, with the three programs of the build tree in its PATH. At the end, however it
# comes, the processes started here are ended by their id; after a failure the last lines of each *.log in $T are shown.
#
#   say TEXT               what comes now           fail TEXT   ends the test as failed       skip TEXT   as skipped
#   need TOOL...           skips where one is missing
#   ok CMD...              must succeed; standard output is in $T/.out, standard error in $T/.err
#   refuses N REGEX CMD... must end with status N and exactly one line on standard error that matches (grep -E)
#   json FILTER CMD...     must succeed, and jq -e FILTER must hold for its standard output
#   same A B, absent FILE..., present FILE..., has FILE REGEX, lacks FILE REGEX
#   long_folder            a path of 520 bytes, made but for its last part; called in $T
#   flip FILE OFFSET       another byte there: all its bits are turned; a negative offset counts from the end
#   instrumented           whether memory figures mean nothing: sanitizers, valgrind
#   within SECONDS CMD...  CMD must succeed before the time is over; tried again and again. The time is what the slowest machine needs, 60 and more
#   status_is N CMD...     whether it ends so: for within
#   start NAME CMD...      in the background, output in $T/NAME.log; pid NAME, stop NAME [SIGNAL] (status in $status)
#   make_ca [DIR [GROUP]], make_gateway [DIR [OPTION...]], gateway_up [DIR], publish_crl [DIR], make_member NAME..., make_group NAME...
#   revoke NAME [REASON]   and publishes the list
#   stock_keys MEMBER      the group keys (hex, newest first) of MEMBER/keys.cms, by openssl alone
#   objects                the files of the drive's objects
#   stock_opens KEY        how many objects on the drive openssl opens with this key
#   moved                  after the gateway came back on another port: tells the members

: "${top_srcdir:?}" "${top_builddir:=$top_srcdir/build}" "${TEST_LIMIT:=1200}"
LC_ALL=C.UTF-8
export LC_ALL
unset SCG_DIR XDG_CONFIG_HOME

T=$(mktemp -d "${TMPDIR:-/tmp}/scg-test.XXXXXX")
HOME=$T
export HOME
cd "$T"

say() { printf '%s\n' "== $*"; }
fail() { printf '%s\n' "FAIL: $*" >&2; exit 1; }
skip() { printf '%s\n' "SKIP: $*"; exit 77; }

need() {
	for _tool; do
		command -v "$_tool" >/dev/null || skip "$_tool is not installed"
	done
}

# The children of this shell, in $_list. By the builtin: a command substitution would find itself among them.
_children() {
	_list=
	read -r _list <"/proc/$$/task/$$/children" || :
}

# True while a child runs; those that wait to be reaped do not count.
_any_runs() {
	_children
	for _pid in $_list; do
		_state=Z
		read -r _ _ _state _ <"/proc/$_pid/stat" || :
		[ "$_state" = Z ] || return 0
	done 2>/dev/null
	return 1
}

_signal_children() {
	_children
	for _pid in $_list; do kill -"$1" "$_pid" 2>/dev/null; done
}

_finish() {
	_status=$?
	trap - EXIT INT TERM HUP
	set +e
	_signal_children TERM
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		_any_runs || break
		sleep 0.1
	done
	_signal_children KILL
	wait 2>/dev/null
	case $_status in
	0 | 77) ;;
	*) _dump ;;
	esac
	cd /
	rm -rf "$T"
	exit "$_status"
}

_dump() {
	for _log in "$T"/*.log "$T/.out" "$T/.err"; do
		[ -s "$_log" ] || continue
		printf '%s\n' "---- ${_log#"$T/"}"
		tail -n 40 "$_log"
	done >&2
}

trap _finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A test that hangs is ended: its foreground child first, or the shell would not act on the signal.
(
	trap 'kill $_sleep; exit 0' TERM
	sleep "$TEST_LIMIT" & _sleep=$!
	wait $_sleep
	echo "FAIL: longer than $TEST_LIMIT seconds" >&2
	trap '' TERM
	kill "$$"
	_signal_children TERM
) &

# The programs of the build tree, behind $TEST_WRAPPER if there is one ("valgrind -q ...").
mkdir .bin
for _prog in src/client/scg ca/scg-ca src/gateway/scg-gateway; do
	if [ -n "${TEST_WRAPPER:-}" ]; then
		printf '#!/bin/sh\nexec %s %s "$@"\n' "$TEST_WRAPPER" "$top_builddir/$_prog" >".bin/${_prog##*/}"
		chmod +x ".bin/${_prog##*/}"
	else
		ln -s "$top_builddir/$_prog" .bin/
	fi
done
PATH=$T/.bin:$PATH

ok() {
	"$@" >"$T/.out" 2>"$T/.err" </dev/null || fail "status $?: $*"
}

refuses() {
	_want=$1 _pattern=$2 _got=0
	shift 2
	"$@" >"$T/.out" 2>"$T/.err" </dev/null || _got=$?
	[ "$_got" -eq "$_want" ] || fail "status $_got where $_want is due: $*"
	[ "$(wc -l <"$T/.err")" -eq 1 ] || fail "not one line on standard error: $*"
	grep -Eq -e "$_pattern" "$T/.err" || fail "'$_pattern' is not in: $(cat "$T/.err")"
}

json() {
	_filter=$1
	shift
	ok "$@"
	[ -s "$T/.out" ] || fail "no output: $*" # of which some versions of jq believe anything
	jq -e "$_filter" "$T/.out" >/dev/null || fail "$_filter does not hold: $*"
}

long_folder() {
	_long=$(pwd -P)
	while [ ${#_long} -lt 319 ]; do _long=$_long/$(printf %0100d 0); done
	mkdir -p "$_long"
	printf "%s/%0$((519 - ${#_long}))d\n" "$_long" 0
}

same() { cmp -s "$1" "$2" || fail "$1 and $2 differ"; }
has() { grep -Eq -e "$2" "$1" || fail "$1 does not hold '$2'"; }
lacks() { ! grep -Eaq -e "$2" "$1" || fail "$1 holds '$2'"; }

absent() {
	for _file; do
		if [ -e "$_file" ] || [ -L "$_file" ]; then
			fail "$_file is there"
		fi
	done
}

present() {
	for _file; do
		[ -e "$_file" ] || fail "$_file is not there"
	done
}

# What is damaged by a fixed byte is damaged 255 times of 256.
flip() {
	_at=$2
	[ "$_at" -ge 0 ] || _at=$(($(stat -c %s "$1") + _at))
	_byte=$(od -An -tu1 -j "$_at" -N 1 "$1" | tr -d ' ')
	[ -n "$_byte" ] || fail "$1 has no byte $_at"
	# shellcheck disable=SC2059 # the byte is the format
	printf "\\$(printf %03o $((255 - _byte)))" | dd of="$1" bs=1 seek="$_at" conv=notrunc 2>"$T/.err" || fail "$1: $(cat "$T/.err")"
}

instrumented() { [ -n "${TEST_WRAPPER:-}" ] || grep -q '^SAN_CFLAGS = .*sanitize' "$top_builddir/Makefile"; }

within() {
	_tries=$(($1 * 20)) _limit=$1
	shift
	while ! "$@" >"$T/.out" 2>"$T/.err" </dev/null; do
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || fail "not within $_limit s: $*"
		sleep 0.05
	done
}

status_is() {
	_due=$1 _is=0
	shift
	"$@" || _is=$?
	[ $_is -eq "$_due" ]
}

start() {
	_name=$1
	shift
	"$@" >>"$T/$_name.log" 2>&1 </dev/null &
	echo $! >"$T/.pid-$_name"
}

pid() { cat "$T/.pid-$1"; }

stop() {
	_pid=$(pid "$1") status=0
	kill -"${2:-TERM}" "$_pid" 2>/dev/null || :
	wait "$_pid" 2>/dev/null || status=$?
}

make_ca() {
	CA=${1:-ca}
	ok scg-ca init -dir "$CA" -group "${2:-lab}" -noenc
}

# Its deadlines are for who means it ill, and not for a machine that is slow.
be_patient() { echo 'limits = { handshake_s = 120; head_s = 120; request_s = 120; idle_s = 300; };' >>"$1/gateway.conf"; }

# The gateway's folder, its certificate and the first list; gateway_up starts it.
make_gateway() {
	GW=${1:-gw}
	[ $# -eq 0 ] || shift
	mkdir -p drive
	ok scg-gateway init -dir "$GW" -cacert "$CA/ca.crt" -host localhost,127.0.0.1 -listen 127.0.0.1:0 -store "directory:$T/drive" "$@"
	be_patient "$GW"
	ok scg-ca sign -dir "$CA" -in "$GW/gateway.csr" -out "$GW/gateway.crt" -name "$GW" -role gateway -san DNS:localhost,IP:127.0.0.1
	ok scg-ca crl -dir "$CA"
	publish_crl
}

# Appears whole, as an operator's copy should.
publish_crl() {
	cp "$CA/crl.pem" "${1:-$GW}/.crl.new"
	mv "${1:-$GW}/.crl.new" "${1:-$GW}/crl.pem"
}

gateway_up() {
	GW=${1:-$GW}
	rm -f "$T/$GW.ready"
	start "$GW" scg-gateway run -config "$GW/gateway.conf" -ready "$T/$GW.ready"
	_tries=2400
	while [ ! -e "$T/$GW.ready" ]; do
		kill -0 "$(pid "$GW")" 2>/dev/null || fail "the gateway ended"
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || fail "the gateway does not serve"
		sleep 0.05
	done
	URL=https://$(cat "$T/$GW.ready")
}

moved() { sed -i "s|https://127.0.0.1:[0-9]*|$URL|" "$T"/*/scg.conf; }

make_member() {
	for _member; do
		ok scg req -dir "$_member" -name "$_member" -out "$_member.csr" -noenc
		ok scg-ca sign -dir "$CA" -in "$_member.csr" -out "$_member.crt" -name "$_member"
		ok scg install -dir "$_member" -cert "$_member.crt" -cacert "$CA/ca.crt" -gateway "$URL"
	done
}

make_group() {
	make_ca
	make_gateway
	gateway_up
	make_member "$@"
}

revoke() {
	ok scg-ca revoke -dir "$CA" -name "$1" -reason "${2:-keyCompromise}"
	publish_crl
}

stock_keys() {
	openssl cms -verify -inform DER -in "$1/keys.cms" -CAfile "$CA/ca.crt" -purpose sslserver -binary -out "$T/.enveloped" 2>>"$T/openssl.log" &&
	openssl cms -decrypt -inform DER -in "$T/.enveloped" -recip "$1/cert.pem" -inkey "$1/key.pem" -binary -out "$T/.package" 2>>"$T/openssl.log" &&
	openssl asn1parse -inform DER -in "$T/.package" | sed -n 's/.*OCTET STRING *\[HEX DUMP\]://p'
}

objects() { find "$T/drive" -type f -name '*.cms'; }

# One object a line; their names have no blanks.
stock_opens() {
	_opened=0
	for _object in $(objects); do
		! openssl cms -decrypt -inform DER -in "$_object" -secretkey "$1" -binary -out "$T/.plain" 2>/dev/null || _opened=$((_opened + 1))
	done
	rm -f "$T/.plain"
	echo $_opened
}
