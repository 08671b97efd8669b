# shellcheck shell=sh
# shellcheck disable=SC2034,SC2119,SC2120,SC2154 # its results are used by the tests that source it, after lib.sh; its functions have options
# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh by the tests that need a Google Drive: the emulator of tests/lib/drive_emulator.py, which lists its commands.
#   drive_start [OPTION...]         serves as $DRIVE_URL with the account alice@example.org and the client ID SECRET, state in $T/gdrive.state;
#                                   its pid is $(pid gdrive), and it ends with the test
#   drive_restart [SIGNAL [OPTION...]]   ends it by KILL or that signal, and serves again under the same URL with what it held
#   drive_control JSON              '{"COMMAND": {ARGUMENTS}, ...}'; the answer is on standard output
#   drive_ask COMMAND FIELD [NAME=VALUE...]   one field of a command's answer
#   drive_token ACCOUNT             an access token of the scope drive     drive_refresh ACCOUNT   a refresh token
#   drive_folder ACCOUNT NAME       the id of a new folder
#   drive_stats [FILTER]            the counters, through jq
#   drive_dump [FILTER]             all that lies there with trash and revisions, through jq
#   drive_fault NAME [KEY=VALUE...] from now on        drive_calm   no faults any more

need python3 jq curl

_drive_up() {
	rm -f "$T/gdrive.ready"
	start gdrive python3 "$top_srcdir/tests/lib/drive_emulator.py" -state "$T/gdrive.state" -ready "$T/gdrive.ready" "$@"
	_tries=2400
	while [ ! -e "$T/gdrive.ready" ]; do
		kill -0 "$(pid gdrive)" 2>/dev/null || fail "the drive ended"
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || fail "the drive does not serve"
		sleep 0.05
	done
	_scheme=http
	for _option; do
		[ "$_option" != -tls ] || _scheme=https
	done
	DRIVE_URL=$_scheme://$(cat "$T/gdrive.ready")
}

drive_start() { _drive_up -account alice@example.org -client ID SECRET "$@"; }

drive_restart() {
	_address=$(cat "$T/gdrive.ready")
	stop gdrive "${1:-KILL}"
	[ $# -eq 0 ] || shift
	_drive_up -listen "$_address" "$@"
}

_drive_curl() { curl -sS -k --noproxy '*' "$@"; }

drive_control() {
	_drive_curl --fail-with-body -d "$1" "$DRIVE_URL/_control" || fail "the drive does not take $1"
}

drive_ask() {
	_command=$1 _field=$2
	shift 2
	for _argument; do
		set -- "$@" --data-urlencode "$_argument"
		shift
	done
	_drive_curl --fail-with-body -G "$@" "$DRIVE_URL/_control/$_command" | jq -er ".$_field" || fail "no $_field of $_command"
}

drive_token() { drive_ask token access_token "account=$1"; }
drive_refresh() { drive_ask token refresh_token "account=$1"; }
drive_folder() { drive_ask folder id "account=$1" "name=$2"; }
drive_stats() { _drive_curl "$DRIVE_URL/_control/stats" | jq -r "${1:-.}"; }
drive_dump() { _drive_curl "$DRIVE_URL/_control/dump" | jq -r "${1:-.}"; }
drive_calm() { drive_control '{"clear": {}}' >/dev/null; }

drive_fault() {
	_fault=$(jq -cn --arg fault "$1" '{fault: $fault}')
	shift
	for _argument; do
		_fault=$(printf '%s' "$_fault" | jq -c --arg k "${_argument%%=*}" --arg v "${_argument#*=}" '.[$k] = $v')
	done
	drive_control "{\"fault\": $_fault}" >/dev/null
}
