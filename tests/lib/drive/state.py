# SPDX-License-Identifier: Apache-2.0
"""What survives a kill: records in SQLite, kept in memory too, and contents as files."""

import hashlib
import json
import os
import secrets
import sqlite3
import string
import threading
import time

ALPHABET = string.ascii_letters + string.digits + "-_"
TABLES = ("account", "client", "token", "file", "drive", "session", "reserved", "change", "setting")
SUMS = {"md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256}


def random_id(length=32, prefix="1"):
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


def rfc3339(seconds):
    whole = int(seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + ".%03dZ" % int((seconds - whole) * 1000)


class Table(dict):
    """id -> record. put() after every change of a record; State.commit() makes it last."""

    def __init__(self, name):
        super().__init__()
        self.name, self.dirty = name, set()

    def put(self, key, record):
        self[key] = record
        self.dirty.add(key)
        return record

    def remove(self, key):
        if self.pop(key, None) is not None:
            self.dirty.add(key)


class FileTable(Table):
    """Files are also found by name, since some clients look for each name before they use it."""

    def __init__(self, name):
        super().__init__(name)
        self.by_name, self.name_of = {}, {}

    def index(self, key, record):
        folded, before = record["name"].casefold(), self.name_of.get(key)
        if folded != before:
            self.forget(key)
            self.name_of[key] = folded
            self.by_name.setdefault(folded, set()).add(key)

    def forget(self, key):
        keys = self.by_name.get(self.name_of.pop(key, None), set())
        keys.discard(key)

    def put(self, key, record):
        self.index(key, record)
        return super().put(key, record)

    def remove(self, key):
        self.forget(key)
        super().remove(key)

    def named(self, names):
        """Those of one of the names (in lower case), the oldest first; None: all."""
        if names is None:
            return self.values()
        return sorted((self[key] for name in names for key in self.by_name.get(name, ())), key=lambda file: file["seq"])


class State:
    """All tables under one lock, and the folder of contents."""

    def __init__(self, folder):
        self.blobs = os.path.join(folder, "blobs")
        os.makedirs(self.blobs, exist_ok=True)
        self.lock = threading.RLock()
        self.db = sqlite3.connect(os.path.join(folder, "state.db"), isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=OFF")  # a kill must lose nothing, a power cut may
        self.db.execute("CREATE TABLE IF NOT EXISTS record (kind TEXT, id TEXT, json TEXT, PRIMARY KEY (kind, id))")
        self.tables = {name: FileTable(name) if name == "file" else Table(name) for name in TABLES}
        for kind, key, text in self.db.execute("SELECT kind, id, json FROM record"):
            dict.__setitem__(self.tables[kind], key, json.loads(text))
        for key, record in self.tables["file"].items():
            self.tables["file"].index(key, record)
        for name, table in self.tables.items():
            setattr(self, name + "s", table)

    def commit(self):
        rows, gone = [], []
        for name, table in self.tables.items():
            for key in table.dirty:
                if key in table:
                    rows.append((name, key, json.dumps(table[key])))
                else:
                    gone.append((name, key))
            table.dirty.clear()
        if not rows and not gone:
            return
        self.db.execute("BEGIN")
        self.db.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", rows)
        self.db.executemany("DELETE FROM record WHERE kind = ? AND id = ?", gone)
        self.db.execute("COMMIT")

    def setting(self, name, default=None):
        return self.settings.get(name, default)

    def path(self, blob):
        return os.path.join(self.blobs, blob)

    def new_blob(self):
        return secrets.token_hex(12)

    def drop_blob(self, blob):
        try:
            os.unlink(self.path(blob))
        except FileNotFoundError:
            pass

    def sum(self, revision, name):
        """A checksum of a revision's content; found by reading it where nobody asked before."""
        if name not in revision:
            digest = SUMS[name]()
            with open(self.path(revision["blob"]), "rb") as f:
                while piece := f.read(1 << 20):
                    digest.update(piece)
            revision[name] = digest.hexdigest()
        return revision[name]


class BlobWriter:
    """Content on its way in; hashed while it passes with the sums that will be asked for."""

    def __init__(self, state, blob, sums, corrupt=False):
        self.path, self.names, self.corrupt = state.path(blob), sums, corrupt
        self.f = open(self.path, "ab", buffering=0)
        self.size = self.f.tell()
        self._hash_file()

    def _hash_file(self):
        self.sums = {name: SUMS[name]() for name in self.names}
        if not self.size:
            return
        with open(self.path, "rb") as f:
            while piece := f.read(1 << 20):
                for digest in self.sums.values():
                    digest.update(piece)

    def write(self, piece):
        if self.corrupt and len(piece):
            piece = bytearray(piece)
            piece[len(piece) // 2] ^= 1
            self.corrupt = False
        self.f.write(piece)
        self.size += len(piece)
        for digest in self.sums.values():
            digest.update(piece)

    def truncate(self, size):
        if size != self.size:
            self.f.truncate(size)
            self.size = size
            self._hash_file()

    def close(self):
        self.f.close()

    def digests(self):
        return {name: digest.hexdigest() for name, digest in self.sums.items()}


def sums_asked(fields):
    """Which sums a fields mask names."""
    if fields is None:
        return ()
    if "*" in fields:
        return tuple(SUMS)
    return tuple(name for name in SUMS if name + "Checksum" in fields)
