#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Under a supervisor: a socket that was handed over, readiness told, few rights; and what the unit file asks for.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
. "$top_srcdir/tests/cli/gwlib.sh"
need openssl curl jq python3

# supervise SOCKETS COMMAND...: as systemd would; what it is told goes to told, the port of the first socket to port.
cat >supervise.py <<'END'
import os, signal, socket, sys, threading
n = int(sys.argv[1])
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind("notify")
socks = []
for _ in range(n):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(16)
    socks.append(s)
pid = os.fork()
if pid == 0:
    # above what they are moved to
    high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(socks)]
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i, inheritable=True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(n), NOTIFY_SOCKET=os.path.abspath("notify"))
    os.execvp(sys.argv[2], sys.argv[2:])
with open("port", "w") as f:
    f.write("%d\n" % socks[0].getsockname()[1])
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
def listen():
    while text := told.recv(1000).decode():
        with open("told", "a") as f:
            f.write(text + "\n")
listener = threading.Thread(target=listen, daemon=True)
listener.start()
while True:
    try:
        status = os.waitpid(pid, 0)[1]
        break
    except InterruptedError:
        pass
# an empty word behind all that it said
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"", "notify")
listener.join()
sys.exit(os.waitstatus_to_exitcode(status))
END

make_ca
make_gateway
person alice

say "it serves on the socket that it was given, and tells when"
start super python3 supervise.py 1 scg-gateway run -config gw/gateway.conf
within 60 grep -q '^READY=1$' told
URL=https://127.0.0.1:$(cat port)
has super.log " serving listen=127.0.0.1:$(cat port) "
answers 200 - alice /v1/group
answers 200 - alice "$keys_path"

say "no new privileges, no dump"
super=$(pid super)
read -r gateway _ <"/proc/$super/task/$super/children" || :
grep -q '^NoNewPrivs:[[:space:]]*1$' "/proc/$gateway/status" || fail "new privileges"
grep -q '^Max core file size *0 *0 ' "/proc/$gateway/limits" 2>/dev/null || [ "$(id -u)" -ne 0 ] || fail "cores"

if grep -q '^SECCOMP_LIBS = .*seccomp' "$top_builddir/Makefile" && ! grep -q ' not-confined ' super.log; then
	grep -q '^Seccomp:[[:space:]]*2$' "/proc/$gateway/status" || fail "no filter of system calls"
fi

say "it tells when it ends"
stop super
[ "$status" -eq 0 ] || fail "status $status"
has told '^STOPPING=1$'

say "two sockets are one too many; a variable meant for another process is not for us"
rm -f notify told
if python3 supervise.py 2 scg-gateway run -config gw/gateway.conf 2>two; then fail "it served"; fi
has two '^scg-gateway: the supervisor hands over more than one socket$'
start gw env LISTEN_PID=1 LISTEN_FDS=1 NOTIFY_SOCKET=relative scg-gateway run -config gw/gateway.conf -ready gw/ready
within 60 test -e gw/ready
URL=https://$(cat gw/ready)
answers 200 - alice /v1/group
stop gw
if env LISTEN_PID=x scg-gateway run -config none 2>/dev/null; then fail "it served"; fi

say "the unit file: how much a service may do, of 10"
if command -v systemd-analyze >/dev/null; then
	unit=$top_builddir/src/gateway/systemd/scg-gateway.service
	systemd-analyze security --offline=yes --threshold=15 "$unit" >unit.log 2>&1 || fail "more than 1.5: $(tail -n 1 unit.log)"
fi
