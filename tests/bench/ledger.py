#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ledger events appended a second, on disk before each commit returns, and a new member's replay of 100,000 entries.

Medians of BENCH_ROUNDS (default 5) runs, each by a process of its own. BENCH_ENTRIES (100000) and BENCH_LEDGER_DIR (the build folder, so
that fsync is real) change what is measured.
"""
import os
import shutil
import statistics
import subprocess
import tempfile

ENTRIES = int(os.environ.get("BENCH_ENTRIES", 100000))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
BUILD = os.environ.get("top_builddir", ".")
DRIVER = os.path.join(BUILD, "tests/bench/ledger_bench")
MEMBERS = 100
APPENDS = 4000
GROUPS = (1, 4, 16, 64)  # a gateway commits together what came together


def drive(*argv):
    return subprocess.run([DRIVER, *map(str, argv)], check=True, capture_output=True, text=True).stdout.split()


def append(folder):
    seconds = {g: [] for g in GROUPS}
    for _ in range(ROUNDS):
        for g in GROUPS:
            d = os.path.join(folder, "append")
            os.mkdir(d)
            seconds[g].append(float(drive("append", d, APPENDS, g)[0]))
            shutil.rmtree(d)
    for g in GROUPS:
        print("append  %3d a commit  %8.0f events/s" % (g, APPENDS / statistics.median(seconds[g])))


def replay(folder):
    d = os.path.join(folder, "replay")
    os.mkdir(d)
    drive("make", d, ENTRIES, MEMBERS)
    first, again = [], []
    for _ in range(ROUNDS):
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(os.path.join(d, "ledger.db" + suffix)):
                os.remove(os.path.join(d, "ledger.db" + suffix))
        first.append(tuple(map(float, drive("replay", d))))
        again.append(tuple(map(float, drive("replay", d))))
    for what, runs in (("new member", first), ("no news", again)):
        print("replay  %-12s %8.3f s  peak %5.1f MiB" %
              (what, statistics.median(r[0] for r in runs), max(r[1] for r in runs) / 1024))
    print("%d entries, %d members, %d cores, ledger.db %.1f MiB" %
          (ENTRIES, MEMBERS, len(os.sched_getaffinity(0)), os.path.getsize(os.path.join(d, "ledger.db")) / 1048576))


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_LEDGER_DIR", os.path.join(BUILD, "tests/bench"))) as folder:
        append(folder)
        replay(folder)


if __name__ == "__main__":
    main()
