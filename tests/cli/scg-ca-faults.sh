#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Killed at each of its steps, in the midst of a write, or with the disk full from any step on: the CA stays whole, no certificate exists that it
# does not know, none has a serial number twice, no revocation is lost, and the same command done again comes to its end.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need openssl jq
so=$top_builddir/tests/lib/fault.so
[ -e "$so" ] || skip "fault.so is not built"
[ -z "${TEST_WRAPPER:-}" ] || skip "runs without a wrapper only"
LD_PRELOAD=$so scg-ca -version >/dev/null 2>&1 || skip "this build cannot be preloaded"

# with FAULT CMD...: status in $status, what it said in .err
with() {
	_fault=$1 status=0
	shift
	rm -f mark
	{ env FAULT="$_fault" FAULT_MARK="$T/mark" LD_PRELOAD="$so" "$@" >"$T/.out" 2>"$T/.err" </dev/null || status=$?; } 2>/dev/null
}

number() { openssl crl -in "$1" -noout -crlnumber | sed 's/.*0x//' | tr 'A-F' 'a-f'; }

# The list in the file is whole and signed, and there is no other with its number.
list_is_whole() {
	openssl crl -in "$1/crl.pem" -noout -CAfile "$1/ca.crt" >"$T/.out" 2>&1 || fail "$_fault: $(cat "$T/.out")"
	_copy=$1.list.$(number "$1/crl.pem")
	if [ -e "$_copy" ]; then same "$_copy" "$1/crl.pem"; else cp "$1/crl.pem" "$_copy"; fi
}

ca_is_whole() {
	json '([.[].serial] | unique | length) == length and ([.[].name] | unique | length) == length' scg-ca list -dir "$1" -json
	cp .out "$1.json"
	[ ! -e "$1/crl.pem" ] || list_is_whole "$1"
	_was=$([ -e "$1/crl.pem" ] && number "$1/crl.pem" || echo 0)
	ok scg-ca crl -dir "$1"
	list_is_whole "$1"
	[ $((0x$(number "$1/crl.pem"))) -gt $((0x$_was)) ] || fail "$_fault: the number did not rise"
}

failed_well() {
	case $_fault in
	full:*) [ "$status" -eq 1 ] || fail "$_fault: status $status"
		[ "$(wc -l <.err)" -eq 1 ] || fail "$_fault: not one line: $(cat .err)" ;;
	*) [ "$status" -eq 137 ] || fail "$_fault: status $status: $(cat .err)" ;;
	esac
}

# until_untouched STEP: calls STEP FAULT for kill at 1, 2, 3 ..., for torn and full at each third, until it was not touched any more.
until_untouched() {
	for _kind in kill torn full; do
		_n=1
		while "$1" "$_kind:$_n"; do
			if [ $_kind = kill ]; then _n=$((_n + 1)); else _n=$((_n + ${FAULT_STRIDE:-3})); fi
			[ $_n -lt 300 ] || fail "no end of steps"
		done
		say "$1: $_kind, up to step $((_n - 1))"
		[ $_n -gt 5 ] || fail "that few?"
	done
}

openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout alice.key -subj /CN=x -out alice.csr 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout bob.key -subj /CN=x -out bob.csr 2>/dev/null

init() {
	rm -rf new new.list.*
	with "$1" scg-ca init -dir new -group lab -noenc
	[ -e mark ] || return 1
	if [ $status -ne 0 ]; then
		failed_well
		# Done again it makes the CA, unless the first run came far enough.
		if ! scg-ca init -dir new -group lab -noenc >.out 2>.err; then
			has .err 'holds a CA already'
		fi
	fi
	ok scg-ca sign -dir new -in alice.csr -out new.crt -name alice
	ok openssl verify -x509_strict -CAfile new/ca.crt new.crt
	ok scg-ca crl -dir new
	list_is_whole new
}
until_untouched init

make_ca base
ok scg-ca sign -dir base -in bob.csr -out bob.crt -name bob
bob=$(openssl x509 -in bob.crt -noout -serial | cut -d= -f2)

sign() {
	rm -rf d d.list.* alice.crt
	cp -r base d
	with "$1" scg-ca sign -dir d -in alice.csr -out alice.crt -name alice
	[ -e mark ] || return 1
	[ $status -eq 0 ] || failed_well
	ca_is_whole d
	if [ -e alice.crt ]; then
		ok openssl verify -x509_strict -CAfile d/ca.crt alice.crt
		jq -e --arg s "$(openssl x509 -in alice.crt -noout -serial | cut -d= -f2 | tr 'A-F' 'a-f')" \
			'any(.[]; .serial == $s and .name == "alice")' d.json >/dev/null || fail "$1: a certificate that the CA does not know"
		cp alice.crt first.crt
	else
		rm -f first.crt
	fi
	# Done again it gives the certificate, the same one if there was one.
	if ! scg-ca sign -dir d -in alice.csr -out alice.crt -name alice >.out 2>.err; then
		has .err 'certified at'
		present first.crt
	fi
	ok openssl verify -x509_strict -CAfile d/ca.crt alice.crt
	[ ! -e first.crt ] || same first.crt alice.crt
	json '[.[] | select(.name == "alice")] | length == 1' scg-ca list -dir d -json
}
until_untouched sign

revoke_bob() {
	rm -rf d d.list.*
	cp -r base d
	with "$1" scg-ca revoke -dir d -name bob -reason keyCompromise
	[ -e mark ] || return 1
	[ $status -eq 0 ] || failed_well
	list_is_whole d
	json '[.[] | select(.name == "bob")] | length == 1' scg-ca list -dir d -json
	state=$(jq -r '.[0].status' .out)
	if openssl crl -in d/crl.pem -noout -text | grep -q "$bob"; then
		[ "$state" = revoked ] || fail "$1: on the list, but valid in the database"
	fi
	# Done again it is revoked and on the list, whatever came before.
	if scg-ca revoke -dir d -name bob -reason keyCompromise >.out 2>.err; then
		[ "$state" = valid ] || fail "$1: revoked twice"
	else
		has .err 'revoked already'
		[ "$state" = revoked ] || fail "$1: the revocation appeared later"
	fi
	list_is_whole d
	openssl crl -in d/crl.pem -noout -text | grep -q "$bob" || fail "$1: not on the list"
	ca_is_whole d
	openssl crl -in d/crl.pem -noout -text | grep -q "$bob" || fail "$1: not on the next list"
}
until_untouched revoke_bob

renew() {
	rm -rf d d.list.* copy.pem
	cp -r base d
	with "$1" scg-ca crl -dir d -out copy.pem
	[ -e mark ] || return 1
	[ $status -eq 0 ] || failed_well
	list_is_whole d
	[ ! -e copy.pem ] || same copy.pem d/crl.pem
	ca_is_whole d
}
until_untouched renew
