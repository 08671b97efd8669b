#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sealing and opening beside age, openssl cms, rclone crypt, gpg and the limit of the cores, in interleaved runs.

What is measured, as medians of ROUNDS runs of whole processes, each round running every tool once:
  - each size, from a file to a file whose pages are there already (a fresh page of a memory file system costs more than its
    encryption; rclone alone makes a new file to seal into), and to /dev/null;
  - through pipes: between two processes that splice, so that only scg's own copies count, and between two cat;
  - 10,000 files of 4 KiB in one process, folder to folder: through the library, since "scg encrypt" takes one file; rclone copies
    the folder;
  - 4 KiB out of the largest file, beside one whole segment;
  - peak memory from /dev/zero through pipes to /dev/null.
The limit is AES-256-GCM and SHA-256 over memory in the cache, by all cores. On a machine that does other things too, compare
the CPU seconds, and those with the limit's CPU seconds: they hardly depend on the others.

BENCH_SIZES (2G,64M), BENCH_FILES (10000), BENCH_ROUNDS (5), BENCH_DIR (/dev/shm), BENCH_TOOLS (scg,age,openssl cms,rclone crypt,gpg),
BENCH_PIPE (8G; 64G is the size that is promised to pass in 32 MiB) and BENCH_PARTS (sizes,pipes,files,range,memory) choose less or more.
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

def number(text):
    return int(text[:-1]) << {"K": 10, "M": 20, "G": 30}[text[-1]] if text[-1] in "KMG" else int(text)


SIZES = [number(n) for n in os.environ.get("BENCH_SIZES", "2G,64M").split(",")]
FILES = int(os.environ.get("BENCH_FILES", 10000))
FILE_BYTES = 4096
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
TOOLS = os.environ.get("BENCH_TOOLS", "scg,age,openssl cms,rclone crypt,gpg").split(",")
PARTS = os.environ.get("BENCH_PARTS", "sizes,pipes,files,range,memory").split(",")
PIPE_BYTES = number(os.environ.get("BENCH_PIPE", "8G"))  # what must pass in constant memory
BUILD = os.environ.get("top_builddir", ".")
DRIVER = os.path.join(BUILD, "tests/bench/envelope_bench")
PIPE_LIMIT_KIB = 32 << 10
SEGMENT = 4 << 20


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
    """commands: seal and open as (argv, standard input, standard output); writes_last: the output is the last of argv."""

    def __init__(self, name, seal, open_, writes_last=False):
        self.name, self.commands, self.writes_last = name, {"seal": seal, "open": open_}, writes_last
        self.runs = {}

    def measure(self, what, target, keep):
        argv, stdin, stdout = self.commands[what]
        if target == "null":
            argv, stdout = argv[:-1] + ["/dev/null"] if self.writes_last else argv, None
        result = run(argv, stdin, stdout)
        if keep:
            self.runs.setdefault((what, target), []).append(result)

    def median(self, what, target, i):
        return statistics.median(r[i] for r in self.runs[(what, target)])


def scg(d):
    group = d("group")
    return Tool("scg", ([DRIVER, "seal", group, d("plain"), d("scg.sealed")], None, None),
                ([DRIVER, "open", group, d("scg.sealed"), d("scg.opened")], None, None), True)


def age(d):
    identity = d("age.key")
    if not os.path.exists(identity):
        subprocess.run(["age-keygen", "-o", identity], check=True, stderr=subprocess.DEVNULL)
    recipient = subprocess.run(["age-keygen", "-y", identity], check=True, capture_output=True, text=True).stdout.strip()
    return Tool("age", (["age", "-r", recipient, d("plain")], None, d("age.sealed")),
                (["age", "-d", "-i", identity, d("age.sealed")], None, d("age.opened")))


def openssl(d):
    with open(os.path.join(d("group"), "group.key")) as f:
        key, key_id = f.read().split()
    cms = ["-secretkey", key, "-secretkeyid", key_id, "-binary"]
    return Tool("openssl cms",
                (["openssl", "cms", "-encrypt", "-aes-256-gcm", "-stream", "-outform", "DER", "-in", d("plain")] + cms, None, d("ssl.sealed")),
                (["openssl", "cms", "-decrypt", "-inform", "DER", "-in", d("ssl.sealed")] + cms, None, d("ssl.opened")))


def rclone_remote(folder):
    password = subprocess.run(["rclone", "obscure", "bench"], check=True, capture_output=True, text=True).stdout.strip()
    return ":crypt,remote='%s',filename_encryption=off,directory_name_encryption=false,password='%s':" % (folder, password)


def rclone(d):
    os.makedirs(d("rclone"), exist_ok=True)
    remote = rclone_remote(d("rclone"))
    quiet = ["rclone", "--config", "/dev/null", "-q"]
    return Tool("rclone crypt", (quiet + ["copyto", "--ignore-times", d("plain"), remote + "plain"], None, None),
                (quiet + ["cat", remote + "plain"], None, d("rclone.opened")))


def gpg(d):
    os.makedirs(d("gnupg"), mode=0o700, exist_ok=True)
    quiet = ["gpg", "--homedir", d("gnupg"), "--batch", "-q", "--pinentry-mode", "loopback", "--passphrase", "bench"]
    return Tool("gpg", (quiet + ["-z", "0", "--cipher-algo", "AES256", "-o", "-", "-c", d("plain")], None, d("gpg.sealed")),
                (quiet + ["-o", "-", "-d", d("gpg.sealed")], None, d("gpg.opened")))


OPENSSL_MAX = 1 << 30  # above it needs more than twice the file in memory, and from 1.6 GiB on it fails


def tools(d, size):
    """Those that are asked for, installed and fit for this size."""
    makers = {"scg": ("", scg), "age": ("age", age), "openssl cms": ("openssl", openssl), "rclone crypt": ("rclone", rclone), "gpg": ("gpg", gpg)}
    for name, (program, make) in makers.items():
        if name in TOOLS and (not program or shutil.which(program)) and (name != "openssl cms" or size <= OPENSSL_MAX):
            yield make(d)


def limit(size):
    """Seconds of all cores, and CPU seconds."""
    used = cpu()
    out = subprocess.run([DRIVER, "limit", str(size)], check=True, capture_output=True, text=True).stdout
    return float(out), cpu() - used


def report(size, all_tools, limits):
    best, best_cpu = (statistics.median(column) for column in zip(*limits))
    base = {t.name: t for t in all_tools}
    print("%d MiB, %d rounds, %d cores; limit of AES-256-GCM and SHA-256 over cached memory: %.3f s, CPU %.3f s" %
          (size >> 20, ROUNDS, len(os.sched_getaffinity(0)), best, best_cpu))
    for what in ("seal", "open"):
        for target in ("file", "null"):
            for t in all_tools:
                if (what, target) not in t.runs:
                    continue
                s, used, peak = (t.median(what, target, i) for i in range(3))
                ratio = base["age"].median(what, target, 0) / s if "age" in base else float("nan")
                print("%-5s to %-5s %-12s %8.3f s %6.2f GB/s %6.2f x age %4.0f %% of the limit   CPU %7.3f s %4.0f %%   peak %6.1f MiB" %
                      (what, target, t.name, s, size / s / 1e9, ratio, 100 * best / s, used, 100 * best_cpu / used, peak / 1024))


def sizes(d, size):
    all_tools = list(tools(d, size))
    limits = []
    for r in range(-1, ROUNDS):  # the first one only makes pages
        for t in all_tools:
            for what in ("seal", "open"):
                t.measure(what, "file", r >= 0)
        for t in all_tools:
            for what in ("seal", "open"):
                if r >= 0 and (t.name, what) != ("rclone crypt", "seal"):
                    t.measure(what, "null", True)
        limits.append(limit(size))
    report(size, all_tools, limits[1:])
    for t in all_tools[1:]:
        for name in os.listdir(d("")):
            if name.endswith((".sealed", ".opened")) and not name.startswith("scg"):
                os.unlink(d(name))
    shutil.rmtree(d("rclone"), ignore_errors=True)


def through(feed, what, group, drain):
    """Seconds, and CPU seconds of all three."""
    start, used = time.monotonic(), cpu()
    first = subprocess.Popen(feed, stdout=subprocess.PIPE)
    last = subprocess.Popen(drain, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process = subprocess.Popen([DRIVER, what, group, "-", "-"], stdin=first.stdout, stdout=last.stdin)
    first.stdout.close()
    last.stdin.close()
    if process.wait() != 0 or first.wait() != 0 or last.wait() != 0:
        sys.exit("pipe: %s failed" % what)
    return time.monotonic() - start, cpu() - used


def pipes(d, size):
    ways = [("seal", "splice", [DRIVER, "feed", d("plain")], [DRIVER, "drain"]), ("open", "splice", [DRIVER, "feed", d("scg.sealed")], [DRIVER, "drain"]),
            ("seal", "cat", ["cat", d("plain")], ["cat"]), ("open", "cat", ["cat", d("scg.sealed")], ["cat"])]
    runs, limits = {}, []
    for _ in range(ROUNDS):
        for what, ends, feed, drain in ways:
            runs.setdefault((what, ends), []).append(through(feed, what, d("group"), drain))
        limits.append(limit(size))
    best, best_cpu = (statistics.median(column) for column in zip(*limits))
    for (what, ends), times in runs.items():
        s, used = (statistics.median(column) for column in zip(*times))
        print("%-5s scg through pipes (%s) %8.3f s %6.2f GB/s %4.0f %% of the limit   CPU %7.3f s %4.0f %% (with both ends)" %
              (what, ends, s, size / s / 1e9, 100 * best / s, used, 100 * best_cpu / used))


def files(d):
    """Medians for the whole folder, and microseconds of CPU for each file."""
    for folder in ("many", "many.sealed", "many.opened", "many.rclone"):
        os.makedirs(d(folder), exist_ok=True)
    for i in range(FILES):
        with open(os.path.join(d("many"), "%05d" % i), "wb") as f:
            f.write(os.urandom(FILE_BYTES))
    commands = {("scg", "seal"): [DRIVER, "files-seal", d("group"), d("many"), d("many.sealed")],
                ("scg", "open"): [DRIVER, "files-open", d("group"), d("many.sealed"), d("many.opened")]}
    if "rclone crypt" in TOOLS and shutil.which("rclone"):
        copy = ["rclone", "--config", "/dev/null", "-q", "copy", "--ignore-times", "--transfers", str(len(os.sched_getaffinity(0)))]
        commands["rclone crypt", "seal"] = copy + [d("many"), rclone_remote(d("many.rclone"))]
        commands["rclone crypt", "open"] = copy + [rclone_remote(d("many.rclone")), d("many.opened")]
    runs = {}
    for r in range(-1, ROUNDS):
        for key, argv in commands.items():
            result = run(argv)
            if r >= 0:
                runs.setdefault(key, []).append(result)
    for (name, what), results in sorted(runs.items()):
        s, used, peak = (statistics.median(column) for column in zip(*results))
        print("%-5s %d files of 4 KiB  %-12s %8.3f s   CPU %7.3f s, %5.0f us a file   peak %6.1f MiB" %
              (what, FILES, name, s, used, used / FILES * 1e6, peak / 1024))
    times = subprocess.run([DRIVER, "many", d("group"), "2000"], check=True, capture_output=True, text=True).stdout.split()
    print("4 KiB in memory: %s us to seal, %s us to open" % tuple(times))


def parts_of(d, size):
    def ms(first, last):
        out = subprocess.run([DRIVER, "range", d("group"), d("scg.sealed"), str(first), str(last)], check=True, capture_output=True, text=True)
        return float(out.stdout)

    middle = size // SEGMENT // 2 * SEGMENT
    spans = {"4 KiB out of %d MiB" % (size >> 20): (middle + 12345, middle + 12345 + FILE_BYTES - 1), "one segment": (middle, middle + SEGMENT - 1),
             "4 KiB over a border": (middle - 100, middle + FILE_BYTES - 101)}
    runs = {}
    for _ in range(4 * ROUNDS):
        for name, (first, last) in spans.items():
            runs.setdefault(name, []).append(ms(first, last))
    print("range: " + ", ".join("%s %.1f ms" % (name, statistics.median(times)) for name, times in runs.items()))


def constant_memory(d):
    """Zeros sealed into a pipe and opened from it."""
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
            sys.exit("%d MiB through a pipe failed" % (PIPE_BYTES >> 20))
    print("%d MiB of a pipe: peak %.1f MiB to seal, %.1f MiB to open" % (PIPE_BYTES >> 20, peaks[0][0] / 1024, peaks[1][0] / 1024))
    if max(peaks[0][0], peaks[1][0]) > PIPE_LIMIT_KIB:
        sys.exit("more than 32 MiB")


def make_plain(path, size):
    with open("/dev/urandom", "rb") as noise, open(path, "wb") as f:
        for _ in range(0, size, 1 << 20):
            f.write(noise.read(1 << 20))


def big_parts(d, size):
    for name in ("scg.sealed", "scg.opened"):
        if os.path.exists(d(name)):
            os.unlink(d(name))
    make_plain(d("plain"), size)
    if "sizes" in PARTS:
        sizes(d, size)
    if size == SIZES[0]:
        subprocess.run([DRIVER, "seal", d("group"), d("plain"), d("scg.sealed")], check=True)
        if "pipes" in PARTS:
            pipes(d, size)
        if "range" in PARTS:
            parts_of(d, size)


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR", "/dev/shm")) as folder:
        def d(name):
            return os.path.join(folder, name)

        subprocess.run([DRIVER, "init", d("group")], check=True)
        if {"sizes", "pipes", "range"} & set(PARTS):
            for size in SIZES:
                big_parts(d, size)
        if "files" in PARTS:
            files(d)
        if "memory" in PARTS:
            constant_memory(d)


if __name__ == "__main__":
    main()
