#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The CA's key under a passphrase: where it may come from, and that without it nothing is signed.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need openssl python3

export SECRET='correct horse 4711'
echo "$SECRET" >pass
chmod 600 pass

say "PKCS #8 with AES-256 and scrypt, which stock openssl opens"
ok scg-ca init -dir ca -group lab -passout env:SECRET
has ca/ca.key 'BEGIN ENCRYPTED PRIVATE KEY'
openssl asn1parse -in ca/ca.key >asn1
has asn1 'PBES2'
has asn1 'OBJECT *:scrypt|1\.3\.6\.1\.4\.1\.11591\.4\.11'
has asn1 'aes-256-cbc'
ok openssl pkey -in ca/ca.key -passin env:SECRET -noout
! grep -raq 'horse' ca || fail "the passphrase lies in the folder"

say "from each source"
ok scg-ca crl -dir ca -passin "pass:$SECRET"
ok scg-ca crl -dir ca -passin env:SECRET
ok scg-ca crl -dir ca -passin file:pass
scg-ca crl -dir ca -passin fd:5 5<pass || fail "fd:5"
scg-ca crl -dir ca -passin stdin <pass || fail "stdin"

say "a wrong one, none, or no terminal to ask on"
before=$(openssl crl -in ca/crl.pem -noout -crlnumber)
refuses 1 'passphrase is wrong' scg-ca crl -dir ca -passin pass:nonsense
refuses 2 '^scg-ca: ca/ca.key: a passphrase is needed and there is no terminal' setsid -w scg-ca crl -dir ca
refuses 2 'passphrase' scg-ca crl -dir ca -passin env:NO_SUCH_VARIABLE
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=x -out a.csr 2>/dev/null
refuses 1 'passphrase is wrong' scg-ca sign -dir ca -in a.csr -out a.crt -name alice -passin pass:nonsense
absent a.crt
ok scg-ca list -dir ca
[ "$(openssl crl -in ca/crl.pem -noout -crlnumber)" = "$before" ] || fail "a list was made"

# Runs scg-ca on a terminal of its own, typing the words given; prints what the terminal showed.
cat >on-terminal.py <<'EOF'
import os, pty, sys, termios, time
words = sys.argv[1].split("|")
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""
for word in words:
    while shown.count(b": ") < words.index(word) + 1 if len(set(words)) == len(words) else not shown.endswith(b": "):
        shown += os.read(fd, 1000)
    while termios.tcgetattr(fd)[3] & termios.ECHO: # goes off behind the prompt
        time.sleep(0.01)
    os.write(fd, word.encode() + b"\n")
    shown += os.read(fd, 1000)
try:
    while True:
        more = os.read(fd, 1000)
        if not more:
            break
        shown += more
except OSError:
    pass
sys.stdout.write(shown.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF

say "asked for on a terminal, twice for a new key, and not shown"
python3 on-terminal.py 'open sesame|open sesame' scg-ca init -dir asked -group lab >shown || fail "status $?: $(cat shown)"
lacks shown 'sesame'
has shown 'asked/ca.key'
ok openssl pkey -in asked/ca.key -passin 'pass:open sesame' -noout
python3 on-terminal.py 'open sesame' scg-ca crl -dir asked >shown || fail "status $?: $(cat shown)"
lacks shown 'sesame'
if python3 on-terminal.py 'one|two' scg-ca init -dir differ -group lab >shown; then fail "two passphrases that differ"; fi
has shown 'differ'
absent differ/ca.key

say "an interrupt at the prompt gives the terminal its echo back"
cat >interrupted.py <<'EOF'
import os, pty, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp("scg-ca", ["scg-ca", "crl", "-dir", "asked"])
while not os.read(fd, 1000).endswith(b": "):
    pass
while termios.tcgetattr(fd)[3] & termios.ECHO: # goes off behind the prompt
    time.sleep(0.01)
slave = os.open(os.ptsname(fd), os.O_RDWR | os.O_NOCTTY)
os.write(fd, b"half a passphr\x03")
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
assert termios.tcgetattr(slave)[3] & termios.ECHO
sys.exit(status)
EOF
status=0
python3 interrupted.py >.out 2>.err || status=$?
[ $status -eq 1 ] || fail "status $status: $(cat .err)"
