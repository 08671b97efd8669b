#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scg on Google Drive beside rclone with a crypt remote on the same emulator, in interleaved runs.

Both are led to the emulator as to the service, through a proxy (CONNECT) and TLS. One file of BENCH_BYTES (1 GiB) goes up and down, then
BENCH_FILES (1000) of 4 KiB, eight at once. Times are medians of BENCH_ROUNDS (5) runs of whole processes; a ratio is the median of the rounds'
own, with the least and the greatest of them: what else the machine does changes from round to round, hardly within one. Requests are those that
the emulator counted. BENCH_DIR (/dev/shm) is where all of it lies.

The emulator takes part of the same cores: what it alone needs is shown too, and a second ratio, of the processor time of a program with the
emulator's. On two cores the first can hardly be better than that one. Of the time beside other programs only the second means something; the
first wants a machine without others, or "chrt -r 1" before the whole.
"""
import contextlib
import json
import mmap
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True  # the tree of the sources may be read-only

from envelope import run  # noqa: E402

BYTES = int(os.environ.get("BENCH_BYTES", 1 << 30))
FILES = int(os.environ.get("BENCH_FILES", 1000))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
SMALL = 4096
AT_ONCE = "8"
BUILD = os.environ.get("top_builddir", ".")
HERE = os.path.dirname(os.path.abspath(__file__))
EMULATOR = os.path.join(HERE, "../lib/drive_emulator.py")
CA = os.path.join(BUILD, "ca/scg-ca")
GATEWAY = os.path.join(BUILD, "src/gateway/scg-gateway")
SCG = os.path.join(BUILD, "src/client/scg")
ACCOUNT = "alice@example.org"
NAMES = "DNS:www.googleapis.com,DNS:oauth2.googleapis.com,DNS:accounts.google.com"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def quietly(*argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s: %s" % (" ".join(argv[:2]), done.stderr.strip()))
    return done.stdout


def wait_for(path, process, what):
    while not os.path.exists(path):
        if process.poll() is not None:
            sys.exit("%s did not serve" % what)
        time.sleep(0.05)
    with open(path) as f:
        return f.read().strip()


class Emulator:
    def __init__(self, d):
        quietly("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2", "-subj", "/CN=bench",
                "-keyout", d("peer.key"), "-out", d("peer.pem"), "-addext", "subjectAltName=" + NAMES)
        self.process = subprocess.Popen([sys.executable, EMULATOR, "-state", d("drive"), "-ready", d("drive.ready"), "-account", ACCOUNT, "-client",
                                         "ID", "SECRET", "-tunnel", d("peer.pem"), d("peer.key")], stderr=subprocess.DEVNULL)
        self.url = "http://" + wait_for(d("drive.ready"), self.process, "the emulator")

    def ask(self, command, **arguments):
        request = urllib.request.Request(self.url + "/_control", json.dumps({command: arguments}).encode())
        with DIRECT.open(request) as reply:
            return json.load(reply)

    def cpu(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def warm():
    """Has the host of a virtual machine give the memory that the files will take: it comes dear, and to whom it comes first is luck."""
    with open("/proc/meminfo") as f:
        free = next(int(line.split()[1]) for line in f if line.startswith("MemAvailable")) << 10
    with mmap.mmap(-1, min(2 * BYTES + (256 << 20), free // 2)) as memory:
        for at in range(0, len(memory), mmap.PAGESIZE):
            memory[at] = 1


class Tool:
    """How a program does each kind of work; clean is called between two runs."""

    def __init__(self, name, work, clean):
        self.name, self.work, self.clean = name, work, clean
        self.seconds, self.cpu, self.peak, self.requests, self.served = {}, {}, {}, {}, {}

    def measure(self, what, emulator):
        emulator.ask("reset")
        warm()
        before = emulator.cpu()
        seconds, used, peak = run(self.work[what])
        for store, value in ((self.seconds, seconds), (self.cpu, used), (self.served, emulator.cpu() - before)):
            store.setdefault(what, []).append(value)
        self.peak[what] = max(self.peak.get(what, 0), peak)
        self.requests[what] = sum(emulator.ask("stats")["requests"].values())


def make_group(d, emulator, folder):
    """A CA, a gateway that runs, and a member who has signed in."""
    quietly(CA, "init", "-dir", d("ca"), "-group", "bench", "-noenc")
    quietly(GATEWAY, "init", "-dir", d("gw"), "-cacert", d("ca/ca.crt"), "-host", "localhost,127.0.0.1", "-listen", "127.0.0.1:0", "-store",
            "gdrive:" + folder)
    quietly(CA, "sign", "-dir", d("ca"), "-in", d("gw/gateway.csr"), "-out", d("gw/gateway.crt"), "-name", "gw", "-role", "gateway", "-san",
            "DNS:localhost,IP:127.0.0.1")
    quietly(CA, "crl", "-dir", d("ca"), "-out", d("gw/crl.pem"))
    gateway = subprocess.Popen([GATEWAY, "run", "-config", d("gw/gateway.conf"), "-ready", d("gw.ready")], stderr=subprocess.DEVNULL)
    address = wait_for(d("gw.ready"), gateway, "scg-gateway")
    quietly(SCG, "req", "-dir", d("alice"), "-name", "alice", "-out", d("alice.csr"), "-noenc")
    quietly(CA, "sign", "-dir", d("ca"), "-in", d("alice.csr"), "-out", d("alice.crt"), "-name", "alice")
    quietly(SCG, "install", "-dir", d("alice"), "-cert", d("alice.crt"), "-cacert", d("ca/ca.crt"), "-gateway", "https://" + address)
    sign_in(d, emulator)
    return gateway


def sign_in(d, emulator):
    login = subprocess.Popen([SCG, "login", "-dir", d("alice"), "-client-id", "ID", "-client-secret", "SECRET", "-no-browser", "-ca-file",
                              d("peer.pem")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    page = login.stdout.readline().strip()
    quietly("curl", "-sS", "--fail", "-L", "--proxy", emulator.url, "--noproxy", "127.0.0.1", "--cacert", d("peer.pem"), page)
    _, errors = login.communicate()
    if login.returncode != 0:
        sys.exit("scg login: " + errors.strip())


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    return folder


def scg_tool(d):
    def at_once(*argv):
        return [SCG, *argv[:1], "-dir", d("alice"), "-j", AT_ONCE, *argv[1:]]

    def clean():
        quietly(SCG, "remove", "-dir", d("alice"), "big", *("many/%04d" % i for i in range(FILES)))
        fresh(d("scg.out"))

    return Tool("scg", {"up": [SCG, "upload", "-dir", d("alice"), d("big")],
                        "down": [SCG, "download", "-dir", d("alice"), "-out", d("scg.big"), "big"],
                        "many up": at_once("upload", "-r", d("many")),
                        "many down": at_once("download", "-r", "-out", d("scg.out"), "many")}, clean)


def rclone_tool(d, emulator, folder):
    token = {**emulator.ask("token", account=ACCOUNT), "expiry": "2001-01-01T00:00:00Z"}
    password = quietly("rclone", "obscure", "bench").strip()
    with open(d("rclone.conf"), "w") as f:
        f.write("[my]\ntype = drive\nclient_id = ID\nclient_secret = SECRET\nscope = drive\nroot_folder_id = %s\ntoken = %s\n"
                "[crypt]\ntype = crypt\nremote = my:crypt\npassword = %s\n" % (folder, json.dumps(token), password))
    base = ["rclone", "--config", d("rclone.conf"), "--ca-cert", d("peer.pem"), "--transfers", AT_ONCE, "--drive-pacer-min-sleep", "0",
            "--drive-pacer-burst", "1000000"]  # it would else send 10 requests a second

    def clean():
        quietly(*base, "--drive-use-trash=false", "purge", "crypt:")
        fresh(d("rclone.out"))

    return Tool("rclone", {"up": base + ["copyto", d("big"), "crypt:big"], "down": base + ["copyto", "crypt:big", d("rclone.big")],
                           "many up": base + ["copy", d("many"), "crypt:many"], "many down": base + ["copy", "crypt:many", d("rclone.out")]}, clean)


def make_files(d):
    with open("/dev/urandom", "rb") as noise:
        os.mkdir(d("many"))
        for i in range(FILES):
            with open(d("many/%04d" % i), "wb") as f:
                f.write(noise.read(SMALL))
        renew(d)


def renew(d):
    """The big file changes, so that nobody finds it there already."""
    with open("/dev/urandom", "rb") as noise, open(d("big"), "wb") as f:
        for left in range(BYTES, 0, -(1 << 20)):
            f.write(noise.read(min(left, 1 << 20)))


def same(d, tool):
    quietly("cmp", d("big"), d(tool.name + ".big"))
    found = {name for _, _, names in os.walk(d(tool.name + ".out")) for name in names}
    if len(found) != FILES:
        sys.exit("%s: %d of %d files came down" % (tool.name, len(found), FILES))


def one_round(d, tools, emulator):
    renew(d)
    for what in ("up", "down", "many up", "many down"):
        for t in tools:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(d(t.name + ".big")) if what == "down" else None
            t.measure(what, emulator)
    for t in tools:
        same(d, t)
        t.clean()


def against(tools, own, measure):
    """The median of the rounds' own ratios to rclone, and the least and the greatest of them."""
    ratios = sorted(other / mine for mine, other in zip(measure(own), measure(tools[-1])))
    return "%5.2f (%.2f to %.2f)" % (statistics.median(ratios), ratios[0], ratios[-1])


def report(tools):
    print("%d bytes, %d files of %d bytes, %d rounds, %d cores" % (BYTES, FILES, SMALL, ROUNDS, len(os.sched_getaffinity(0))))
    for what in ("up", "down", "many up", "many down"):
        n = FILES if what.startswith("many") else 1
        for t in tools:
            times = t.seconds[what]
            print("%-9s %-6s %8.3f s %7.1f MB/s  %s x rclone  CPU %7.3f s  emulator's %7.3f s  %s x rclone  %6.3f requests a file  peak %6.1f MiB" %
                  (what, t.name, statistics.median(times), (BYTES if n == 1 else n * SMALL) / statistics.median(times) / 1e6,
                   against(tools, t, lambda x: x.seconds[what]), statistics.median(t.cpu[what]), statistics.median(t.served[what]),
                   against(tools, t, lambda x: [a + b for a, b in zip(x.cpu[what], x.served[what])]), t.requests[what] / n, t.peak[what] / 1024))


def main():
    if not shutil.which("rclone"):
        print("rclone is not installed: nothing to compare with")
        return
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR", "/dev/shm")) as top:
        def d(name):
            return os.path.join(top, name)

        emulator, gateway = Emulator(d), None
        os.environ.update({"https_proxy": emulator.url, "HTTPS_PROXY": emulator.url, "HOME": top})
        try:
            folder = emulator.ask("folder", account=ACCOUNT, name="bench")["id"]
            gateway = make_group(d, emulator, folder)
            tools = [scg_tool(d), rclone_tool(d, emulator, emulator.ask("folder", account=ACCOUNT, name="rclone")["id"])]
            make_files(d)
            for t in tools:
                fresh(d(t.name + ".out"))
            for _ in range(ROUNDS):
                one_round(d, tools, emulator)
            report(tools)
        finally:
            for process in (gateway, emulator.process):
                if process is not None:
                    process.terminate()
                    process.wait()


if __name__ == "__main__":
    main()
