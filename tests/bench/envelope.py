#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sealing and opening beside age, openssl cms and the limit of the cores, in interleaved runs.

Times are medians of ROUNDS runs of whole processes, from a file to a file whose pages are there already (a fresh page of a memory
file system costs more than its encryption), then through pipes. On a machine that does other things too, compare the CPU seconds.
BENCH_BYTES (default 1 GiB), BENCH_ROUNDS (5), BENCH_DIR (/dev/shm) and BENCH_TOOLS ("scg,age,openssl cms") change what is measured.
"""
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BYTES = int(os.environ.get("BENCH_BYTES", 1 << 30))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
TOOLS = os.environ.get("BENCH_TOOLS", "scg,age,openssl cms").split(",")
BUILD = os.environ.get("top_builddir", ".")
DRIVER = os.path.join(BUILD, "tests/bench/envelope_bench")
PIPE_BYTES = 8 << 30  # what must pass in constant memory


def watch(process, peak):
    """Highest VmHWM while the process lives; getrusage would count this interpreter's own pages."""
    path = "/proc/%d/status" % process.pid
    while process.poll() is None:
        try:
            with open(path) as status:
                for line in status:
                    if line.startswith("VmHWM"):
                        peak[0] = max(peak[0], int(line.split()[1]))
        except OSError:
            return
        time.sleep(0.05)  # looking costs the one that is measured


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(argv, stdin=None, stdout=None):
    """Seconds, CPU seconds and peak KiB of one process; stdout is written from its beginning and not cut off before."""
    source = open(stdin, "rb") if isinstance(stdin, str) else stdin
    sink = os.open(stdout, os.O_WRONLY | os.O_CREAT, 0o600) if stdout else subprocess.DEVNULL
    peak = [0]
    start, cpu_start = time.monotonic(), cpu()
    process = subprocess.Popen(argv, stdin=source, stdout=sink, stderr=subprocess.PIPE)
    watcher = threading.Thread(target=watch, args=(process, peak))
    watcher.start()
    _, errors = process.communicate()
    seconds = time.monotonic() - start
    watcher.join()
    if process.returncode != 0:
        sys.exit("%s: %s" % (argv[0], errors.decode(errors="replace").strip()))
    if stdout:
        os.close(sink)
    if isinstance(stdin, str):
        source.close()
    return seconds, cpu() - cpu_start, peak[0]


class Tool:
    def __init__(self, name, seal, open_):
        self.name, self.commands = name, {"seal": seal, "open": open_}
        self.seconds = {"seal": [], "open": []}
        self.cpu = {"seal": [], "open": []}
        self.peak = {"seal": 0, "open": 0}

    def measure(self, what):
        argv, stdin, stdout = self.commands[what]
        seconds, used, peak = run(argv, stdin, stdout)
        self.seconds[what].append(seconds)
        self.cpu[what].append(used)
        self.peak[what] = max(self.peak[what], peak)

    def median(self, what):
        return statistics.median(self.seconds[what])


def tools(d):
    plain = d("plain")
    group = d("group")
    subprocess.run([DRIVER, "init", group], check=True)
    with open(os.path.join(group, "group.key")) as f:
        key, key_id = f.read().split()
    yield Tool("scg", ([DRIVER, "seal", group, plain, d("scg.cms")], None, None),
               ([DRIVER, "open", group, d("scg.cms"), d("scg.out")], None, None))
    if shutil.which("age") and shutil.which("age-keygen"):
        identity = d("age.key")
        subprocess.run(["age-keygen", "-o", identity], check=True, stderr=subprocess.DEVNULL)
        recipient = subprocess.run(["age-keygen", "-y", identity], check=True, capture_output=True, text=True).stdout.strip()
        yield Tool("age", (["age", "-r", recipient, plain], None, d("age.age")), (["age", "-d", "-i", identity, d("age.age")], None, d("age.out")))
    if BYTES <= 1 << 30:  # above it needs more than twice the file in memory, and from 1.6 GiB on it fails
        cms = ["-secretkey", key, "-secretkeyid", key_id, "-binary"]
        yield Tool("openssl cms", (["openssl", "cms", "-encrypt", "-aes-256-gcm", "-stream", "-outform", "DER", "-in", plain] + cms, None, d("ssl.cms")),
                   (["openssl", "cms", "-decrypt", "-inform", "DER", "-in", d("ssl.cms")] + cms, None, d("ssl.out")))


def limit():
    out = subprocess.run([DRIVER, "limit", str(BYTES)], check=True, capture_output=True, text=True).stdout
    return float(out)


def report(all_tools, limits):
    best = statistics.median(limits)
    base = {t.name: t for t in all_tools}
    print("%d bytes, %d rounds, %d cores; limit of AES-256-GCM and SHA-256 over cached memory: %.3f s" %
          (BYTES, ROUNDS, len(os.sched_getaffinity(0)), best))
    for what in ("seal", "open"):
        for t in all_tools:
            s = t.median(what)
            age = base["age"].median(what) / s if "age" in base else float("nan")
            print("%-5s %-12s %8.3f s %7.2f GB/s  %5.2f x age  %3.0f %% of the limit  CPU %6.3f s  peak %6.1f MiB" %
                  (what, t.name, s, BYTES / s / 1e9, age, 100 * best / s, statistics.median(t.cpu[what]), t.peak[what] / 1024))


def pipes(d, best):
    """cat | scg | null device, each way."""
    group = d("group")
    for what, source in (("seal", d("plain")), ("open", d("scg.cms"))):
        times, peaks = [], []
        for _ in range(ROUNDS):
            with subprocess.Popen(["cat", source], stdout=subprocess.PIPE) as cat, \
                 subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as end:
                start = time.monotonic()
                argv = [DRIVER, what, group, "-", "-"]
                process = subprocess.Popen(argv, stdin=cat.stdout, stdout=end.stdin)
                peak = [0]
                watch(process, peak)
                end.stdin.close()
                end.wait()
                times.append(time.monotonic() - start)
                peaks.append(peak[0])
                if process.returncode != 0:
                    sys.exit("pipe: %s failed" % what)
        s = statistics.median(times)
        print("%-5s %-12s %8.3f s %7.2f GB/s               %3.0f %% of the limit                peak %6.1f MiB" %
              (what, "scg, pipes", s, BYTES / s / 1e9, 100 * best / s, max(peaks) / 1024))


def constant_memory(d):
    """8 GiB of zeros sealed into a pipe and opened from it."""
    group = d("group")
    with subprocess.Popen(["head", "-c", str(PIPE_BYTES), "/dev/zero"], stdout=subprocess.PIPE) as zeros, \
         subprocess.Popen([DRIVER, "seal", group, "-", "-"], stdin=zeros.stdout, stdout=subprocess.PIPE) as seal, \
         subprocess.Popen([DRIVER, "open", group, "-", "-"], stdin=seal.stdout, stdout=subprocess.DEVNULL) as opened:
        seal.stdout.close()
        peaks = [[0], [0]]
        watchers = [threading.Thread(target=watch, args=(p, peaks[i])) for i, p in enumerate((seal, opened))]
        for w in watchers:
            w.start()
        for w in watchers:
            w.join()
        if opened.wait() != 0 or seal.wait() != 0:
            sys.exit("8 GiB through a pipe failed")
    print("8 GiB of a pipe: peak %.1f MiB to seal, %.1f MiB to open" % (peaks[0][0] / 1024, peaks[1][0] / 1024))


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR", "/dev/shm")) as folder:
        def d(name):
            return os.path.join(folder, name)

        with open("/dev/urandom", "rb") as noise, open(d("plain"), "wb") as f:
            for _ in range(0, BYTES, 1 << 20):
                f.write(noise.read(1 << 20))
        all_tools = [t for t in tools(d) if t.name in TOOLS]
        limits = []
        for r in range(-1, ROUNDS):  # the first one only makes pages
            for what in ("seal", "open"):
                for t in all_tools:
                    t.measure(what)
                    if r < 0:
                        t.seconds[what].clear()
                        t.cpu[what].clear()
            limits.append(limit())
        report(all_tools, limits)
        pipes(d, statistics.median(limits))
        times = subprocess.run([DRIVER, "many", d("group"), "2000"], check=True, capture_output=True, text=True).stdout.split()
        print("4 KiB in memory: %s us to seal, %s us to open" % tuple(times))
        constant_memory(d)


if __name__ == "__main__":
    main()
