#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a running gateway can reach: no file outside of its folder, nothing of root's; and what of its memory others can.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq python3

# Not lib.sh's: a ready file beside the folder would make what lies there the gateway's.
up() {
	rm -f gw/ready
	start gw scg-gateway run -config gw/gateway.conf -ready gw/ready
	within 60 test -s gw/ready
	URL=https://$(cat gw/ready)
}

# put FILE: it becomes crl.pem; lead FILE: crl.pem becomes a link to it
put() { cp "$1" gw/.put && mv gw/.put gw/crl.pem; }
lead() { ln -s "$1" gw/.put && mv -T gw/.put gw/crl.pem; }

make_ca
make_gateway
person alice
mkdir outside
hand_crl 70 86400
cp crl.hand outside/list.pem
up
answers 200 - alice "$keys_path"

if grep -q ' not-fenced ' gw.log; then
	say "no fence here: $(grep -o ' not-fenced .*' gw.log)"
else
	say "what leads out of the folder leads nowhere, what is put there is taken"
	lead "$T/outside/list.pem"
	within 60 grep -q ' crl-ignored from=crl.pem error=".*Permission denied"' gw.log
	put crl.hand
	within 60 grep -q ' crl-taken from=crl.pem number=70 ' gw.log
	stop gw
	[ "$status" -eq 0 ] || fail "status $status"

	say "what leads out of it at the start is followed, also to what comes later"
	lead "$T/outside/list.pem"
	up
	hand_crl 71 86400
	cp crl.hand outside/.new
	mv outside/.new outside/list.pem
	within 60 grep -q ' crl-taken from=crl.pem number=71 ' gw.log
	put outside/list.pem
fi

say "keys lie where no core has them"
make_member bob
ok scg-gateway rotate -config gw/gateway.conf
kill -HUP "$(pid gw)"
within 60 grep -q ' reloaded ' gw.log
answers 200 - alice "$keys_path"
ok scg keys -dir bob
stock_keys bob >keys
[ "$(wc -l <keys)" -eq 2 ] || fail "not two keys"
secrets="private=$(openssl pkey -in gw/gateway.key -noout -text | sed -n '/^priv:/,/^pub:/{/^ /p;}' | tr -d ' :\n')"
for n in 1 2; do secrets="$secrets group=$(sed -n "${n}p" keys)"; done
# What a tick or the end of a request has in its hands is gone soon.
only_kept() {
	# shellcheck disable=SC2086 # words
	python3 "$top_srcdir/tests/cli/core.py" "$(pid gw)" $secrets >found || return
	[ "$(grep -v ' stack$' found | sort -u)" = "$(printf 'group kept\nprivate kept')" ]
}
status=0
instrumented || only_kept || status=$?
if instrumented; then
	echo "instrumented programs have memory of their own, terabytes of it"
elif [ $status -eq 77 ]; then
	echo "not allowed to look into it, which is as it should be"
else
	within 60 only_kept
	[ "$(cat "/proc/$(pid gw)/coredump_filter")" = 00000000 ] || fail "a core would hold memory"
fi
if ! instrumented && [ "$(id -u)" -eq 0 ] && command -v gcore >/dev/null && gcore -o core "$(pid gw)" >gcore.log 2>&1; then
	say "a core that root took"
	# shellcheck disable=SC2086
	python3 - "core.$(pid gw)" $secrets <<-'END' || fail "a key is in the core"
		import sys
		core = open(sys.argv[1], "rb").read()
		assert core[:4] == b"\x7fELF"
		for a in sys.argv[2:]:
		    key = bytes.fromhex(a.split("=")[1])
		    assert key not in core and key[::-1] not in core
	END
	rm "core.$(pid gw)"
fi
stop gw
[ "$status" -eq 0 ] || fail "status $status"

say "a user who does not exist, and one who is root"
cp gw/gateway.conf plain.conf
for who in no-such-user root; do
	{ cat plain.conf; echo "user = \"$who\";"; } >gw/gateway.conf
	refuses 2 "^scg-gateway: user: .*$who" scg-gateway run -config gw/gateway.conf
	! scg-gateway check -config gw/gateway.conf >findings 2>.err || fail "nothing is wrong?"
	has findings "^wrong: user: .*$who"
done
{ cat plain.conf; echo 'user = "nobody";'; } >gw/gateway.conf
if [ "$(id -u)" -ne 0 ]; then
	[ "$(id -un)" = nobody ] || refuses 2 '^scg-gateway: user: only root can become nobody$' scg-gateway run -config gw/gateway.conf
	exit 0
fi
chmod 711 "$T"
if ! id nobody >/dev/null || ! setpriv --reuid "$(id -u nobody)" --regid "$(id -g nobody)" --clear-groups test -x "$T"; then
	echo "no user nobody, or $T is out of his reach"
	exit 0
fi

say "root becomes the configured user, if that user can use the files"
refuses 1 '^scg-gateway: gw/gateway.conf: not to be read by the user of the gateway$' scg-gateway run -config gw/gateway.conf
chown -R nobody gw
chown 0 gw/gateway.db
refuses 1 '^scg-gateway: gw/gateway.db: not to be read and written by the user of the gateway$' scg-gateway run -config gw/gateway.conf
! scg-gateway check -config gw/gateway.conf >findings 2>.err || fail "nothing is wrong?"
has findings '^wrong: gw/gateway.db: not to be read and written by the user of the gateway'
chown nobody gw/gateway.db
ok scg-gateway check -config gw/gateway.conf
: >gw.log
up
has gw.log ' user name=nobody$'
lacks gw.log ' runs-as-root '
uid=$(id -u nobody)
grep -Eq "^Uid:(\s+$uid){4}\$" "/proc/$(pid gw)/status" || fail "$(grep ^Uid: "/proc/$(pid gw)/status")"
grep -Eq "^Gid:(\s+$(id -g nobody)){4}\$" "/proc/$(pid gw)/status" || fail "$(grep ^Gid: "/proc/$(pid gw)/status")"
for set in CapInh CapPrm CapEff CapAmb; do
	grep -Eq "^$set:\s+0+\$" "/proc/$(pid gw)/status" || fail "$(grep $set "/proc/$(pid gw)/status")"
done
[ "$(stat -c %u "/proc/$(pid gw)/status")" -eq 0 ] || fail "its own user can look into its memory"
answers 200 - alice "$keys_path"

say "a renewal that root begins, a list that root brings"
ok scg-gateway renew -config gw/gateway.conf
[ "$(stat -c %U gw/gateway.key.new)" = nobody ] || fail "the new key is not the gateway's"
ok scg-ca sign -dir ca -in gw/gateway.csr -out gw/gateway.crt.new -name gateway -role gateway -san DNS:localhost,IP:127.0.0.1
chmod 644 gw/gateway.crt.new
kill -HUP "$(pid gw)"
within 60 grep -q ' renewed ' gw.log
answers 200 - alice "$keys_path"
hand_crl 80 86400
chmod 644 crl.hand
put crl.hand
within 60 grep -q ' crl-taken from=crl.pem number=80 ' gw.log
stop gw
[ "$status" -eq 0 ] || fail "status $status"
[ -z "$(find gw ! -user nobody ! -name crl.pem ! -name gateway.crt)" ] || fail "not the user's: $(ls -l gw)"
