#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A revoked member is refused as soon as the list is in force, however he comes: new connection, open one, half a request, old session. Nobody else notices.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq python3

group_up
person alice
person bob
person carol

# Connections that bob opens while he is a member; alice asks all the time on one of hers.
cat >play.py <<'END'
import socket, ssl, sys, time, threading, http.client
port = int(sys.argv[1])
def ctx(who):
    c = ssl.create_default_context(cafile="ca/ca.crt")
    c.minimum_version = ssl.TLSVersion.TLSv1_3
    if who: c.load_cert_chain(who + "/cert.pem", who + "/key.pem")
    return c
def conn(who, context=None, session=None):
    s = socket.create_connection(("127.0.0.1", port))
    return (context or ctx(who)).wrap_socket(s, server_hostname="localhost", session=session)
def get(s, path):
    s.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: gw\r\n\r\n")
    return read(s)
def read(s):
    r = http.client.HTTPResponse(s); r.begin(); body = r.read()
    return r.status, body
keys = b"/v1/keys?nonce=00112233445566778899aabbccddeeff"
old = ctx("bob")
idle = conn("bob", old)
assert get(idle, keys)[0] == 200
session = idle.session
half = conn("bob"); assert get(half, keys)[0] == 200
half.sendall(b"GET " + keys + b" HTT")
body = conn("bob")
body.sendall(b"POST /v1/ledger/events HTTP/1.1\r\nHost: gw\r\nContent-Length: 100\r\n\r\n0")
bad, n, stop = [], [0], [False]
def others():
    s = conn("alice")
    while not stop[0]:
        st, _ = get(s, keys); n[0] += 1
        if st != 200: bad.append(st)
def fresh():
    while not stop[0]:
        s = conn("carol")
        if get(s, keys)[0] != 200: bad.append("fresh")
        s.close()
ts = [threading.Thread(target=others), threading.Thread(target=fresh)]
for t in ts: t.start()
def more(k):
    due = n[0] + k
    while n[0] < due and ts[0].is_alive(): time.sleep(0.01)
more(10)
print("ready", flush=True)
sys.stdin.readline()
t0 = time.monotonic()
# new connections: the first one behind the log's line is refused
while b" crl-taken from=crl.pem number=3 " not in open("gw.log", "rb").read(): time.sleep(0.001)
s = conn("bob"); st, b = get(s, keys); s.close()
assert st == 403 and b"urn:scg:revoked" in b, (st, b)
print("refused after %.0f ms" % ((time.monotonic() - t0) * 1000))
def refused(name, s, send):
    try:
        if send: s.sendall(send)
        st, b = read(s)
    except (http.client.BadStatusLine, http.client.RemoteDisconnected, ConnectionError, ssl.SSLError, OSError):
        print(name, "closed"); return
    assert st == 403 and b"revoked" in b, (name, st, b)
    print(name, "403")
refused("idle", idle, b"GET " + keys + b" HTTP/1.1\r\nHost: gw\r\n\r\n")
refused("half a head", half, b"P/1.1\r\nHost: gw\r\n\r\n")
refused("half a body", body, b"x" * 99)
# an old session, with the certificate and without
for name, context in (("old session", old), ("old session without certificate", ctx(None))):
    try:
        s = conn("bob", context, session) if session is not None and name == "old session" else conn(None, context)
    except ValueError:
        s = conn(None, context)
    assert not s.session_reused
    st, b = get(s, keys)
    assert st == 403, (name, st)
    print(name, st)
more(10)
alive = [t.is_alive() for t in ts]
stop[0] = True
for t in ts: t.join()
assert all(alive), "others were cut off"
assert not bad, bad
print("others:", n[0], "requests, none lost")
END

mkfifo go
python3 play.py "${URL##*:}" <go >play.log 2>&1 &
player=$!
exec 3>go
within 60 grep -q ready play.log
say "revoke"
revoke bob
echo go >&3
wait $player || fail "$(cat play.log)"
cat play.log
has play.log '^others: [0-9]{2,}'

say "a stored session does not resume either: no tickets are given"
printf 'GET /v1/group HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n' |
	openssl s_client -quiet -ign_eof -connect "${URL#https://}" -CAfile ca/ca.crt -cert alice/cert.pem -key alice/key.pem \
		-sess_out alice.sess >.raw 2>.err || :
has .raw 'HTTP/1.1 200'
absent alice.sess

say "the epoch changed once, and is in the ledger with the list"
[ "$(epoch alice)" = 2 ] || fail "epoch"
answers 200 - alice "$keys_path"
answers 403 revoked bob "$keys_path"
answers 403 revoked bob /v1/group
has gw.log 'crl-taken from=crl.pem number=3'
has gw.log 'refused .*name=bob .*rule=revoked'

say "superseded is refused but starts no epoch"
revoke carol superseded
refused_carol() {
	ask carol /v1/group
	[ "$code" = 403 ]
}
within 60 refused_carol
[ "$(epoch alice)" = 2 ] || fail "a new epoch for a superseded certificate"

say "from the list's arrival to the end of an open connection less than a second passes"
cat >swift.py <<'END'
import os, socket, ssl, sys, time
who, port = sys.argv[1], int(sys.argv[2])
c = ssl.create_default_context(cafile="ca/ca.crt")
c.load_cert_chain(who + "/cert.pem", who + "/key.pem")
s = c.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
s.sendall(b"GET /v1/group HTTP/1.1\r\nHost: gw\r\n\r\n")
assert s.recv(65536).startswith(b"HTTP/1.1 200"), "not served before"
t0 = time.monotonic()
os.rename("gw/.next", "gw/crl.pem")
try:
    while s.recv(65536): pass
except OSError: pass
ms = (time.monotonic() - t0) * 1000
print("closed after %.0f ms" % ms)
sys.exit(0 if ms < 1000 else 1)
END
# What a pause of the machine takes is not the gateway's: of five it has to manage one.
swift() {
	person "swift$1"
	ok scg-ca revoke -dir "$CA" -name "swift$1" -reason superseded
	cp "$CA/crl.pem" gw/.next
	python3 swift.py "swift$1" "${URL##*:}" >>swift.log 2>&1
}
for try in 1 2 3 4 5; do
	if swift $try; then break; fi
	[ $try -lt 5 ] || fail "$(cat swift.log)"
done
tail -n 1 swift.log
answers 403 revoked "swift$try" /v1/group
