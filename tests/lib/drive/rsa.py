# SPDX-License-Identifier: Apache-2.0
"""Just enough of RSA to check an RS256 signature (RFC 8017 8.2.2); keys are made by the openssl command."""

import base64
import hashlib
import subprocess

SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def der(data, at=0):
    """(tag, content, next position) of one DER element."""
    tag, length, at = data[at], data[at + 1], at + 2
    if length & 0x80:
        n = length & 0x7F
        length = int.from_bytes(data[at:at + n], "big")
        at += n
    return tag, data[at:at + length], at + length


def public_numbers(pem):
    """(n, e) of a SubjectPublicKeyInfo in PEM."""
    body = "".join(line for line in pem.strip().splitlines() if not line.startswith("-"))
    _, spki, _ = der(base64.b64decode(body))
    _, _, after = der(spki)
    _, bits, _ = der(spki, after)
    _, key, _ = der(bits[1:])
    _, n, after = der(key)
    _, e, _ = der(key, after)
    return int.from_bytes(n, "big"), int.from_bytes(e, "big")


def verify(pem, message, signature):
    n, e = public_numbers(pem)
    size = (n.bit_length() + 7) // 8
    if len(signature) != size:
        return False
    tail = SHA256_INFO + hashlib.sha256(message).digest()
    want = b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail
    return pow(int.from_bytes(signature, "big"), e, n).to_bytes(size, "big") == want


def new_key():
    """(private, public), both PEM."""
    private = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                             check=True, capture_output=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=private, check=True, capture_output=True).stdout
    return private.decode(), public.decode()
