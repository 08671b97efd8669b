#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two hundred hostile clients of each of six kinds (tests/lib/siege.c) against scg-gateway, while good requests are timed; then 5,000 handshakes that
cannot succeed. Memory and descriptors before and after.

BENCH_HOSTILE (200, of each kind), BENCH_SECONDS (30) and BENCH_BAD (5000) change what is measured.
"""
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import million  # noqa: E402
import server  # noqa: E402

HOSTILE = os.environ.get("BENCH_HOSTILE", "200")
SECONDS = os.environ.get("BENCH_SECONDS", "30")
BAD = os.environ.get("BENCH_BAD", "5000")
SIEGE = os.path.join(server.BUILD, "tests/lib/siege")


def siege(s, d, n, how):
    return server.run(SIEGE, s.port, d + "/member.crt", d + "/member.key", n, how).split()


def state(s):
    m = million.memory_kib(s.pid)
    return "%d KiB (%d anonymous), %d descriptors" % (m["VmRSS"], m["RssAnon"], len(os.listdir("/proc/%d/fd" % s.pid)))


def main():
    with server.bench(SIEGE) as d:
        server.make_group(d)
        s = server.start_gateway(d)
        siege(s, d, "1", "1")
        print("before:                  %s" % state(s))
        good, made, kept, fresh, out = siege(s, d, HOSTILE, SECONDS)
        print("%s of each kind: %s of %s good requests answered, slowest %.1f ms kept, %.1f ms with handshake; thrown out %s times" %
              (HOSTILE, good, made, int(kept) / 1000, int(fresh) / 1000, out))
        time.sleep(12)  # what they left waits for its limits
        print("after:                   %s" % state(s))
        siege(s, d, BAD, "bad")
        time.sleep(6)
        print("%s bad handshakes: %s" % (BAD, state(s)))
        siege(s, d, BAD, "bad")
        time.sleep(6)
        print("%s more:           %s" % (BAD, state(s)))


if __name__ == "__main__":
    main()
