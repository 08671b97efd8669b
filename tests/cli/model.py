# SPDX-License-Identifier: Apache-2.0
"""model.py SEED STEPS [STATE]: drives scg in the working folder, where alice, bob and carol are members, the drive is ./drive
and the gateway's folder ./gw, and holds each outcome against a model of the group. STATE goes on from what the last run left."""
import hashlib
import json
import os
import random
import re
import subprocess
import sys

MEMBERS = ("alice", "bob", "carol")
NAMES = ("doc", "reports/q1.pdf", "Ünï ☂.txt", "deep/er/x")
SIZES = (0, 1, 100, 4096, 70000)
STATE = "model.json"


class Wrong(Exception):
    pass


def need(holds, what):
    if not holds:
        raise Wrong(what)


class Model:
    """files: name -> file number, version, digest, author. seen: what each member saw last, by file number and version."""

    def __init__(self, random_source):
        self.random, self.files, self.seen, self.made = random_source, {}, {m: {} for m in MEMBERS}, 0

    def save(self):
        with open(STATE, "w", encoding="utf-8") as f:
            json.dump([self.files, self.seen, self.made], f)

    def load(self):
        with open(STATE, encoding="utf-8") as f:
            self.files, self.seen, self.made = json.load(f)

    def name(self, there=False):
        names = sorted(self.files) if there else NAMES
        return self.random.choice(names) if names else None

    def put(self, name, digest, member):
        self.made += 1
        self.files[name] = [str(self.made), 1, digest, member]
        self.seen[member][str(self.made)] = 1


def run(status, *argv):
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    err = r.stderr.decode()
    need(r.returncode == status, f"{argv}: status {r.returncode}, not {status}: {err}")
    need(status == 0 or re.search(r"\Ascg: [^\n]*\n\Z", err), f"{argv}: not one line: {err}")
    return r.stdout.decode(), err


def digest_of(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def upload(m, member):
    name, replace = m.name(), m.random.random() < 0.4
    folder, base = os.path.split(name)
    os.makedirs("in", exist_ok=True)
    with open(f"in/{base}", "wb") as f:
        f.write(m.random.randbytes(m.random.choice(SIZES)))
    digest, there = digest_of(f"in/{base}"), m.files.get(name)
    argv = ["scg", "upload", "-dir", member, f"in/{base}"] + (["-to", folder] if folder else []) + (["-replace"] if replace else [])
    if not there:
        run(0, *argv)
        m.put(name, digest, member)
    elif replace or m.seen[member].get(there[0]) == there[1]:
        run(0, *argv)
        m.files[name] = [there[0], there[1] + 1, digest, member]
        m.seen[member][there[0]] = there[1] + 1
    else:
        beside = re.search(f'{there[3]} changed it .* "(.* \\(conflict {member} .*\\).*)"', run(1, *argv)[1])
        need(beside and beside[1] not in m.files, f"{name}: no name beside")
        m.put(beside[1], digest, member)


def fetch(member, name, status):
    if os.path.exists("got"):
        os.unlink("got")
    run(status, "scg", "download", "-dir", member, name, "-out", "got")
    need(os.path.exists("got") == (status == 0), f"{name}: status {status}, but a file is there, or none")


def download(m, member):
    name = m.name(there=m.random.random() < 0.8) or NAMES[0]
    there = m.files.get(name)
    fetch(member, name, 0 if there else 1)
    if there:
        need(digest_of("got") == there[2], f"{name}: other bytes")
        m.seen[member][there[0]] = there[1]


def rename(m, member):
    old = m.name(there=True) or NAMES[0]
    new = m.random.choice([n for n in NAMES if n != old])
    free = old in m.files and new not in m.files
    run(0 if free else 1, "scg", "rename", "-dir", member, old, new)
    if free:
        m.files[new] = m.files.pop(old)


def remove(m, member):
    name = m.name()
    run(0 if name in m.files else 1, "scg", "remove", "-dir", member, name)
    m.files.pop(name, None)


def rekey(m, member):
    if m.random.random() < 0.5:
        run(0, "scg-gateway", "rotate", "-config", "gw/gateway.conf")
    report = json.loads(run(0, "scg", "rekey", "-dir", member, "-json")[0])
    need(report["failed"] == 0 and report["rekeyed"] + report["unchanged"] == len(m.files), f"rekey: {report}")


def objects():
    return {f[:-4]: os.path.join(folder, f) for folder, _, files in os.walk("drive") for f in files}


def lie(m, member):
    """The drive does to one object what it likes; it is noticed, and forgotten when the bytes are back."""
    name = m.name(there=True)
    if not name:
        return
    entries = {e["name"]: e for e in json.loads(run(0, "scg", "list", "-dir", member, "-json")[0])}
    there = objects()
    path = there[entries[name]["object"]]
    with open(path, "rb") as f:
        was = f.read()
    others = [p for p in sorted(there.values()) if p != path]
    how = m.random.choice(("cut", "longer", "flip", "gone") + (("another",) if others else ()))
    at = m.random.randrange(len(was))
    now = {"cut": was[:at], "longer": was + b"x", "flip": was[:at] + bytes([was[at] ^ 0xFF]) + was[at + 1:], "gone": None}
    if how == "another":
        with open(m.random.choice(others), "rb") as f:
            now[how] = f.read()
    os.unlink(path)
    if now[how] is not None:
        with open(path, "wb") as f:
            f.write(now[how])
    fetch(member, name, 4)
    run(4, "scg", "verify", "-dir", member, name)
    with open(path, "wb") as f:
        f.write(was)


def agree(m):
    for member in MEMBERS:
        entries = json.loads(run(0, "scg", "list", "-dir", member, "-json")[0])
        told = {e["name"]: [e["version"], e["author"]] for e in entries}
        need(told == {n: [f[1], f[3]] for n, f in m.files.items()}, f"{member} is told {told}, but there is {m.files}")
    heads = [json.loads(run(0, "scg", "ledger", "head", "-dir", member, "-json")[0]) for member in MEMBERS]
    need(len({(h["size"], h["root"]) for h in heads}) == 1, f"several roots of the ledger: {heads}")


def main():
    seed, steps = int(sys.argv[1]), int(sys.argv[2])
    m = Model(random.Random(seed))
    if len(sys.argv) > 3:
        m.load()
    acts = (upload, download, rename, remove, rekey, lie)
    for step in range(steps):
        act, member = m.random.choices(acts, (10, 6, 3, 2, 1, 3))[0], m.random.choice(MEMBERS)
        try:
            act(m, member)
        except Wrong as e:
            sys.exit(f"seed {seed}, step {step}, {act.__name__} by {member}: {e}")
    agree(m)
    m.save()
    print(f"{steps} steps, {len(m.files)} files")


main()
