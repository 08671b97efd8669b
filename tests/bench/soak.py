#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A long life of scg-gateway in short: 200,000 requests and 200 new revocation lists, with a new key epoch now and then.

Each round puts one new list in force and asks on kept and on new connections: a member for the group, its keys and the list, a revoked one, which must be
refused each time, and somebody without a certificate. After a tenth of the rounds it is warm; from then to the end resident memory may grow by 1 MiB (a
page for each new epoch is due), and the number of descriptors may not change. Any other answer than the right one, and any growth beyond, is an error
(status 1).

BENCH_SOAK_REQUESTS (200000) and BENCH_SOAK_LISTS (200) change how long it lives; with few lists growth is printed, not judged.
"""
import os
import shutil
import ssl
import sys
import time
import urllib.error
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import million  # noqa: E402
import server  # noqa: E402
from server import run  # noqa: E402

REQUESTS = int(os.environ.get("BENCH_SOAK_REQUESTS", 200000))
LISTS = int(os.environ.get("BENCH_SOAK_LISTS", 200))
JUDGED_FROM = 50  # lists
GROWTH_KIB = 1024
ROTATE_EVERY = 25  # lists
NONCE = "00112233445566778899aabbccddeeff"
# who, how connections are used, share of a round's requests, what is asked for, whether it is granted
WORK = (
    ("member", "requests", 0.50, "/v1/group", True),
    ("member", "requests", 0.10, "/v1/keys?nonce=" + NONCE, True),
    ("member", "handshakes", 0.20, "/v1/group", True),
    ("member", "handshakes", 0.05, "/crl", True),
    ("revoked", "handshakes", 0.10, "/v1/group", False),
)
ANONYMOUS = 0.05


def make_revoked(d):
    run(server.MEMBER, "req", "-dir", d + "/eve", "-name", "eve", "-out", d + "/eve.csr", "-noenc")
    run(server.CA, "sign", "-dir", d + "/ca", "-in", d + "/eve.csr", "-out", d + "/revoked.crt", "-name", "eve")
    shutil.copy(d + "/eve/key.pem", d + "/revoked.key")
    run(server.CA, "revoke", "-dir", d + "/ca", "-name", "eve")


def is_in_force(d, number):
    with open(d + "/gw.log") as f:
        return any("crl-taken" in line and " number=%d " % number in line for line in f)


def new_list(d):
    run(server.CA, "crl", "-dir", d + "/ca", "-out", d + "/gw/.new")
    number = int(run("openssl", "crl", "-in", d + "/gw/.new", "-noout", "-crlnumber").strip().split("=")[1], 16)
    os.rename(d + "/gw/.new", d + "/gw/crl.pem")
    end = time.monotonic() + 60
    while not is_in_force(d, number):
        if time.monotonic() > end:
            sys.exit("list %d is not in force" % number)
        time.sleep(0.02)


def ask_as(s, d, who, how, n, path, granted):
    out = run(server.LOAD, s.port, d + "/%s.crt" % who, d + "/%s.key" % who, how, str(n), server.CONNECTIONS, path).split()
    good, other = int(out[0]), int(out[2])
    if (good, other) != ((n, 0) if granted else (0, n)):
        sys.exit("%s, %s: %d of %d requests granted, %d refused" % (who, path, good, n, other))


def ask_anonymously(s, n):
    context = ssl._create_unverified_context()
    for i in range(n):
        url = "https://127.0.0.1:%s%s" % (s.port, "/v1/group" if i % 2 else "/crl")
        try:
            status = urllib.request.urlopen(url, context=context).status
        except urllib.error.HTTPError as e:
            status = e.code
        if status != (403 if i % 2 else 200):
            sys.exit("without a certificate: status %d for %s" % (status, url))


def one_round(s, d, n):
    new_list(d)
    for who, how, share, path, granted in WORK:
        ask_as(s, d, who, how, max(1, round(n * share)), path, granted)
    ask_anonymously(s, max(2, round(n * ANONYMOUS)))


def descriptors(s):
    return len(os.listdir("/proc/%d/fd" % s.pid))


def settled(s):
    """Until the connections are gone."""
    fewest = descriptors(s)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        time.sleep(0.25)
        fewest = min(fewest, descriptors(s))
    return million.memory_kib(s.pid)["VmRSS"], fewest


def live(s, d):
    warm, first = max(1, LISTS // 10), None
    began = time.monotonic()
    for i in range(1, LISTS + 1):
        one_round(s, d, REQUESTS // LISTS)
        if i % ROTATE_EVERY == 0:
            run(server.GATEWAY, "rotate", "-config", d + "/gw/gateway.conf")
        if i == warm or i % max(1, LISTS // 10) == 0:
            rss, fds = settled(s)
            print("%4d lists, %7d requests, %5d s: %d KiB, %d descriptors" % (i, i * (REQUESTS // LISTS), time.monotonic() - began, rss, fds), flush=True)
            first = first or (rss, fds)
    return first, (rss, fds)


def complaints(d):
    with open(d + "/gw.log") as f:
        return [line.rstrip() for line in f if " error " in line or " not-stored" in line]


def main():
    with server.bench(server.LOAD) as d:
        server.make_group(d)
        make_revoked(d)
        run(server.CA, "crl", "-dir", d + "/ca", "-out", d + "/gw/crl.pem")
        s = server.start_gateway(d)
        (rss, fds), (rss_end, fds_end) = live(s, d)
        print("from warm to the end: %+d KiB, %+d descriptors" % (rss_end - rss, fds_end - fds))
        for line in complaints(d):
            print(line)
        if complaints(d) or (LISTS >= JUDGED_FROM and (rss_end - rss > GROWTH_KIB or fds_end != fds)):
            sys.exit(1)


if __name__ == "__main__":
    main()
