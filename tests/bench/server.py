#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scg-gateway beside nginx and haproxy: CPU time of the server for a full mutual handshake (with one request), for a resumed one, and for a
request on a kept connection, in interleaved runs.

The same keys and certificates (EC P-256), TLS 1.3 only, no tickets, no session cache. The gateway looks at a revocation list, nginx
(one worker) and haproxy (one thread) have none; "server" is the gateway's server part alone. "handshakes" and "requests" ask for GET /crl, the same bytes from
each; "group" asks the gateway for GET /v1/group, the others for a constant. "resumed" is asked of a second gateway with resumption = true
and of a second server of nginx with a session cache; besides it is compared with nginx's full handshake. CPU time is the kernel's (/proc/PID/schedstat). Figures are
medians, the ratio is the median of the rounds' own: what else the machine does changes from round to round, hardly within one.
BENCH_ROUNDS (31), BENCH_HANDSHAKES (150) and BENCH_REQUESTS (5000) change what is measured.
"""
import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 31))
HANDSHAKES = int(os.environ.get("BENCH_HANDSHAKES", 150))
REQUESTS = int(os.environ.get("BENCH_REQUESTS", 5000))
# how connections are used, how often, what is asked for
WORK = {"handshakes": ("handshakes", HANDSHAKES, "/crl"), "resumed": ("resumed", HANDSHAKES, "/crl"),
        "requests": ("requests", REQUESTS, "/crl"), "group": ("requests", REQUESTS, "/v1/group")}
BUILD = os.environ.get("top_builddir", ".")
LOAD = os.path.join(BUILD, "tests/bench/load")
SERVE = os.path.join(BUILD, "tests/bench/serve")
CA = os.path.join(BUILD, "ca/scg-ca")
GATEWAY = os.path.join(BUILD, "src/gateway/scg-gateway")
MEMBER = os.path.join(BUILD, "src/client/scg")
CONNECTIONS = "4"

NGINX = """
worker_processes 1; daemon off; pid {d}/nginx.pid; error_log {d}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {d}; proxy_temp_path {d}; fastcgi_temp_path {d};
  uwsgi_temp_path {d}; scgi_temp_path {d};
  ssl_certificate {d}/gateway.crt; ssl_certificate_key {d}/gateway.key; ssl_protocols TLSv1.3;
  ssl_client_certificate {d}/ca.crt; ssl_verify_client optional; ssl_session_tickets off;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_session_cache off;
    if ($ssl_client_verify != SUCCESS) {{ return 403; }}
    location = /crl {{ root {d}/www; default_type application/pkix-crl; }}
    location / {{ default_type text/plain; return 200 "hello\\n"; }}
  }}
  server {{
    listen 127.0.0.1:{second} ssl; ssl_session_cache shared:sessions:4m;
    if ($ssl_client_verify != SUCCESS) {{ return 403; }}
    location = /crl {{ root {d}/www; default_type application/pkix-crl; }}
  }}
}}
"""

# haproxy answers by itself: what it would have to ask another server for is not what is measured.
HAPROXY = """
global
  nbthread 1
  maxconn 1000
  tune.ssl.cachesize 0
  ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend bench
  bind 127.0.0.1:{port} ssl crt {d}/haproxy.pem ca-file {d}/ca.crt verify optional
  http-request deny deny_status 403 unless {{ ssl_c_used 1 }} {{ ssl_c_verify 0 }}
  http-request return status 200 content-type application/pkix-crl file {d}/www/crl if {{ path /crl }}
  http-request return status 200 content-type text/plain string hello
"""


started = []  # by start(): all of them end with the bench


def start(argv, **how):
    process = subprocess.Popen(argv, **how)
    started.append(process)
    return process


def run(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("%s: status %d: %s" % (" ".join(argv), done.returncode, done.stderr.strip()))
    return done.stdout


def end_all():
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def be_ended(number, frame):
    sys.exit(128 + number)


@contextlib.contextmanager
def bench(*more):
    """A folder for it, if all programs are there; what was started ends with it, however it ends."""
    missing = [os.path.relpath(p, BUILD) for p in (CA, GATEWAY, MEMBER) + more if not os.access(p, os.X_OK)]
    if missing:
        sys.exit("not built: make %s (and top_builddir says where)" % " ".join(missing))
    signal.signal(signal.SIGTERM, be_ended)
    d = tempfile.mkdtemp(prefix="scg-bench-")
    try:
        yield d
    finally:
        end_all()
        shutil.rmtree(d, ignore_errors=True)


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True).stdout.split()
    return [int(p) for p in found]


def cpu_us(pid):
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
            total += int(f.read().split()[0])
    return total / 1000


class Server:
    def __init__(self, name, pid, port, work=("handshakes", "requests", "group")):
        self.name, self.pid, self.port = name, pid, port
        self.cost = {what: [] for what in work}

    def measure(self, d, what):
        mode, n, path = WORK[what]
        before = cpu_us(self.pid)
        out = run(LOAD, self.port, d + "/member.crt", d + "/member.key", mode, str(n), CONNECTIONS, path).split()
        if int(out[0]) != n:
            sys.exit("%s: %s of %d replies" % (self.name, out[0], n))
        self.cost[what].append((cpu_us(self.pid) - before) / n)

    def peak_kib(self):
        with open("/proc/%d/status" % self.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def make_group(d):
    """A CA, a gateway's folder and a member, by the programs themselves."""
    run(CA, "init", "-dir", d + "/ca", "-group", "bench", "-noenc")
    run(GATEWAY, "init", "-dir", d + "/gw", "-cacert", d + "/ca/ca.crt", "-host", "localhost,127.0.0.1", "-listen", "127.0.0.1:0")
    run(CA, "sign", "-dir", d + "/ca", "-in", d + "/gw/gateway.csr", "-out", d + "/gw/gateway.crt", "-name", "gw", "-role", "gateway",
        "-san", "DNS:localhost,IP:127.0.0.1")
    run(MEMBER, "req", "-dir", d + "/alice", "-name", "alice", "-out", d + "/alice.csr", "-noenc")
    run(CA, "sign", "-dir", d + "/ca", "-in", d + "/alice.csr", "-out", d + "/member.crt", "-name", "alice")
    run(CA, "crl", "-dir", d + "/ca", "-out", d + "/gw/crl.pem")
    for source, target in (("/gw/gateway.crt", "/gateway.crt"), ("/gw/gateway.key", "/gateway.key"), ("/ca/ca.crt", "/ca.crt"),
                           ("/alice/key.pem", "/member.key")):
        shutil.copy(d + source, d + target)
    os.mkdir(d + "/www")
    run("openssl", "crl", "-in", d + "/gw/crl.pem", "-outform", "DER", "-out", d + "/www/crl")


def start_gateway(d, folder="/gw", work=("handshakes", "requests", "group")):
    ready = d + folder + ".ready"
    with open(d + folder + ".log", "w") as log:
        process = start([GATEWAY, "run", "-config", d + folder + "/gateway.conf", "-ready", ready], stderr=log)
    while not os.path.exists(ready):
        if process.poll() is not None:
            with open(d + folder + ".log") as log:
                sys.exit("scg-gateway does not serve: " + log.read())
        time.sleep(0.1)
    with open(ready) as f:
        return Server("scg", process.pid, f.read().strip().rsplit(":", 1)[1], work)


def start_resuming(d):
    shutil.copytree(d + "/gw", d + "/resuming", ignore=shutil.ignore_patterns("gateway.db*", "gateway.lock"))
    with open(d + "/resuming/gateway.conf", "a") as f:
        f.write("resumption = true;\n")
    return start_gateway(d, "/resuming", ("resumed",))


def start_serve(d):
    process = start([SERVE, d], stdout=subprocess.PIPE, text=True)
    port = process.stdout.readline().strip()
    if not port:
        sys.exit("tests/bench/serve does not serve")
    return Server("server", process.pid, port)


def start_nginx(d):
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if nginx is None:
        return []
    for port in range(20000 + os.getpid() % 20000, 65000, 2):
        with open(d + "/nginx.conf", "w") as f:
            f.write(NGINX.format(d=d, port=port, second=port + 1))
        process = start([nginx, "-c", d + "/nginx.conf", "-e", d + "/error.log"], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        if process.poll() is None and children(process.pid):
            worker = children(process.pid)[0]
            return [Server("nginx", worker, str(port)), Server("nginx", worker, str(port + 1), ("resumed",))]
        process.terminate()
        process.wait()
    return []


def start_haproxy(d):
    haproxy = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if haproxy is None:
        return []
    with open(d + "/haproxy.pem", "w") as out:
        for part in ("/gateway.crt", "/gateway.key"):
            with open(d + part) as f:
                out.write(f.read())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open(d + "/haproxy.conf", "w") as f:
        f.write(HAPROXY.format(d=d, port=port))
    process = start([haproxy, "-db", "-q", "-f", d + "/haproxy.conf"], stderr=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return [Server("haproxy", process.pid, str(port))]
        except ConnectionRefusedError:
            time.sleep(0.1)
    return []


def say(what, s, first, base):
    ratio = statistics.median(a / b for a, b in zip(first, base))
    print("%-10s %-7s %8.1f us CPU each   min %8.1f   max %8.1f   scg costs %.2f of it" %
          (what, s.name, statistics.median(base), min(base), max(base), ratio))


def report(servers):
    for what in WORK:
        those = [s for s in servers if what in s.cost]
        for s in those:
            say(what, s, those[0].cost[what], s.cost[what])
        if what == "resumed":
            full = [s for s in servers if s.name == "nginx" and "handshakes" in s.cost]
            for s in full:
                say("  of full", s, those[0].cost[what], s.cost["handshakes"])
    for s in {s.pid: s for s in servers}.values():
        print("peak       %-7s %8d KiB" % (s.name, s.peak_kib()))


def main():
    with bench(SERVE, LOAD) as d:
        make_group(d)
        servers = [start_gateway(d), start_serve(d), start_resuming(d)]
        servers += start_nginx(d) + start_haproxy(d)
        for s in servers:
            for what in s.cost:
                s.measure(d, what)  # warm
                s.cost[what].clear()
        for _ in range(ROUNDS):
            for what in WORK:
                for s in servers:
                    if what in s.cost:
                        s.measure(d, what)
        report(servers)
        if len(servers) == 3:
            print("neither nginx nor haproxy is installed: nothing to compare with")


if __name__ == "__main__":
    main()
