#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The key reply without scg: openssl verifies, decrypts and lists it; Python's RFC 6031 module decodes it and encodes it alike.
set -eu
. "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}/tests/cli/lib.sh"
need openssl awk

ok "$top_builddir/tests/cli/make_replies"

for who in ec rsa; do
	say "the reply to a member with an $who key"
	ok openssl cms -verify -inform DER -in $who.p7 -CAfile ca.pem -purpose sslserver -cades -binary -out $who.env
	ok openssl cms -decrypt -inform DER -in $who.env -recip $who.pem -inkey $who.key -binary -out $who.pkg
	ok openssl asn1parse -inform DER -in $who.pkg
	awk -F: '/OCTET STRING/ { key = $NF }
		/UTF8STRING/ { if (length($NF) == 32) id = $NF }
		key != "" && id != "" { print tolower(key), id; key = ""; id = "" }' .out >$who.got
	same $who.got expected
	has .out 'UTF8STRING.*:0123456789abcdef0123456789abcdef$'
done

say "it is canonical, and for this purpose and this member only"
ok openssl cms -cmsout -inform DER -outform DER -in ec.p7 -out ec.again
same ec.p7 ec.again
ok openssl cms -cmsout -inform DER -outform DER -in ec.env -out env.again
same ec.env env.again
if openssl cms -verify -inform DER -in ec.p7 -CAfile ca.pem -purpose smimesign -binary -out refused 2>/dev/null; then
	fail "a gateway's certificate passed for a member's"
fi
if openssl cms -decrypt -inform DER -in ec.env -recip rsa.pem -inkey rsa.key -binary -out refused 2>/dev/null; then
	fail "another member opened the reply"
fi

python=/usr/bin/python3
"$python" -c 'import pyasn1_modules' 2>/dev/null || skip "pyasn1-modules is not installed (the rest holds)"
say "Python's RFC 6031 decodes it and encodes the same bytes"
"$python" - ec.pkg >python.got <<'PYTHON'
import sys
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1_modules import rfc6031

der = open(sys.argv[1], "rb").read()
package, rest = decode(der, asn1Spec=rfc6031.SymmetricKeyPackage(), decodeOpenTypes=True)
assert not rest and encode(package) == der
for key in package["sKeys"]:
    attrs = {a["attrType"]: a["attrValues"][0] for a in key["sKeyAttrs"]}
    assert rfc6031.id_pskc_keyStartDate in attrs and rfc6031.id_pskc_counter in attrs
    print(bytes(key["sKey"]).hex(), attrs[rfc6031.id_pskc_keyId])
PYTHON
same python.got expected
