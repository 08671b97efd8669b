#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A list that newly names a million certificates, taken by scg-gateway while 8 connections keep asking, then one more of that size:
the slowest request, errors, memory while and after, how long until it is in force and until it is stored. Then the server's CPU time for a full
mutual handshake beside a gateway whose list names nobody, in interleaved runs.

"Waited for a processor" is what the kernel says of the threads that serve (/proc/PID/task/TID/schedstat): on a machine that does other things too
the slowest request is slow by that. BENCH_FIRST=yes (as root) runs these threads and the load before all other programs (chrt -f 1); those
that read and store lists stay what they are.

BENCH_REVOKED (1000000), BENCH_SECONDS (30, how long the 8 ask), BENCH_ROUNDS (15) and BENCH_HANDSHAKES (150) change what is measured.
"""
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import server  # noqa: E402

REVOKED = int(os.environ.get("BENCH_REVOKED", 1000000))
SECONDS = int(os.environ.get("BENCH_SECONDS", 30))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 15))
FIRST = os.environ.get("BENCH_FIRST", "no") == "yes"
CRL_MAKE = os.path.join(server.BUILD, "tests/bench/crl_make")


def memory_kib(pid):
    with open("/proc/%d/status" % pid) as f:
        fields = dict(line.split(":", 1) for line in f)
    return {k: int(fields[k].split()[0]) for k in ("VmHWM", "VmRSS", "RssAnon")}


def make_list(d, number, n, seed, out):
    server.run(CRL_MAKE, d + "/ca/ca.crt", d + "/ca/ca.key", str(number), str(n), str(seed), out)


def ask(s, d, args):
    return [int(n) for n in server.run(server.LOAD, s.port, d + "/member.crt", d + "/member.key", *args).split()]


def epochs(d):
    return server.run(server.GATEWAY, "keys", "-config", d + "/gw/gateway.conf", "-json").count('"epoch"')


def seen(d, what):
    with open(d + "/gw.log") as f:
        return f.read().count(what)


def wait_for(what, condition):
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > 300:
            sys.exit("%s: not within 300 s" % what)
        time.sleep(0.05)
    return time.monotonic() - begin


def scheduled(s):
    """Of each thread: how long it ran, and how long it waited for a processor."""
    found = {}
    for task in os.listdir("/proc/%d/task" % s.pid):
        with contextlib.suppress(OSError):  # it has ended
            with open("/proc/%d/task/%s/schedstat" % (s.pid, task)) as f:
                found[task] = [int(n) / 1e6 for n in f.read().split()[:2]]
    return found


def serving(s):
    """The threads that work while nothing but requests comes."""
    before = scheduled(s)
    time.sleep(2)
    after = scheduled(s)
    return [task for task in after if task in before and after[task][0] - before[task][0] > 10]


def swap(s, d, number, seed):
    """The list is taken in the middle of the load."""
    make_list(d, number, REVOKED, seed, d + "/next.pem")
    taken, made = seen(d, " crl-taken "), epochs(d)
    load = server.start((["chrt", "-f", "1"] if FIRST else []) +
                        [server.LOAD, s.port, d + "/member.crt", d + "/member.key", "during", str(SECONDS * 1000), "8", "/v1/group"],
                        stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    threads = serving(s)
    for task in threads if FIRST else ():
        server.run("chrt", "-R", "-f", "-p", "1", task)
    before = scheduled(s)
    os.rename(d + "/next.pem", d + "/gw/crl.pem")
    force = wait_for("the list", lambda: seen(d, " crl-taken ") > taken)
    stored = force + wait_for("the epoch", lambda: epochs(d) > made)
    out = load.communicate()[0].split()
    if load.returncode != 0:
        sys.exit("a connection was lost")
    after = scheduled(s)
    for task in threads if FIRST else ():
        server.run("chrt", "-o", "-p", "0", task)
    wait_for("the end of the thread that stored", lambda: len(scheduled(s)) <= len(before))
    m = memory_kib(s.pid)
    print("%d revoked: in force after %.1f s, stored after %.1f s; %s replies, %s others, slowest %.1f ms; peak %d KiB, now %d KiB (%d anonymous)" %
          (REVOKED, force, stored, out[0], out[2], int(out[1]) / 1000, m["VmHWM"], m["VmRSS"], m["RssAnon"]))
    print("    its %d threads that serve ran %.0f ms and waited for a processor %.0f ms" %
          (len(threads), sum(after[t][0] - before[t][0] for t in threads), sum(after[t][1] - before[t][1] for t in threads)), flush=True)


def compare(servers, d):
    cost = [[], []]
    for _ in range(ROUNDS):
        for s, c in zip(servers, cost):
            before = server.cpu_us(s.pid)
            n = ask(s, d, ["handshakes", str(server.HANDSHAKES), server.CONNECTIONS, "/v1/group"])[0]
            if n != server.HANDSHAKES:
                sys.exit("%d of %d replies" % (n, server.HANDSHAKES))
            c.append((server.cpu_us(s.pid) - before) / n)
    print("handshake and request: %.1f us CPU with %d revoked, %.1f us with none: %.3f" %
          (statistics.median(cost[0]), REVOKED, statistics.median(cost[1]), statistics.median(a / b for a, b in zip(*cost))))


def main():
    with server.bench(server.LOAD, CRL_MAKE) as d:
        server.make_group(d)
        shutil.copytree(d + "/gw", d + "/few")
        many = server.start_gateway(d)
        print("before: %(VmRSS)d KiB (%(RssAnon)d anonymous)" % memory_kib(many.pid))
        swap(many, d, 100, 1)
        swap(many, d, 101, 2)
        compare((many, server.start_gateway(d, "/few")), d)


if __name__ == "__main__":
    main()
