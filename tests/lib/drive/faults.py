# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on purpose, and the record of what was asked."""

import fnmatch
import json
import threading
import time

from .errors import ApiError, backend, unauthorized
from .wire import Reply, http_date

RATE = {
    "rateLimitExceeded": (403, "Rate Limit Exceeded"), "userRateLimitExceeded": (403, "User Rate Limit Exceeded"),
    "dailyLimitExceeded": (403, "Daily Limit Exceeded"),
    "storageQuotaExceeded": (403, "The user's Drive storage quota has been exceeded."),
}
# Faults that answer in place of the handler, those that break the request on its way, those that spoil the answer.
ANSWERS = ("429", "500", "502", "503", "504", *RATE, "expired", "unauthorized", "html", "garbage", "endless", "redirect",
           "reset_before")
REQUESTS = ("reset_mid", "corrupt_upload")
REPLIES = ("reset_mid", "reset_after", "lost_reply", "truncated", "stall", "corrupted")
CREATIONS = ("files.create", "upload.multipart", "upload.resumable")  # one target for all; the body says which file
NAMELESS = (*CREATIONS, "upload.media", "files.generateIds", "oauth.token", "oauth.device")
NAMES = {*ANSWERS, *REQUESTS, *REPLIES, "slow", "hold", "hold_reply"}
HTML = b"<!DOCTYPE html><html><head><title>Sorry</title></head><body><p>... but try again.</p></body></html>\n"
GARBAGE = b'{"id": "\x00\xff'


class Rule:
    """One fault: which requests it hits (kind, every, skip, times) and how."""

    def __init__(self, spec):
        self.spec = spec
        self.name = str(spec["fault"])
        if self.name not in NAMES:
            raise ValueError(f"no fault {self.name}")
        self.kind = spec.get("kind", "*")
        self.every = int(spec.get("every", 1))
        self.skip = int(spec.get("skip", 0))
        self.left = int(spec["times"]) if "times" in spec else None
        self.seen = 0
        self.over = threading.Event()

    def hits(self, kind):
        if not any(fnmatch.fnmatchcase(kind, pattern) for pattern in self.kind.split(",")) or self.left == 0:
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.seen - self.skip) % self.every:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The rules in force. Control requests are never hit."""

    def __init__(self):
        self.lock, self.rules = threading.Lock(), []

    def add(self, spec):
        with self.lock:
            self.rules.append(Rule(spec))

    def clear(self):
        with self.lock:
            for rule in self.rules:
                rule.over.set()
            self.rules = []

    def pick(self, kind):
        """Every rule counts the request; the first that hits it acts."""
        with self.lock:
            hit = [rule for rule in self.rules if rule.hits(kind)]
        return hit[0] if hit else None


def instead(fault, state, request):
    """The answer that comes in place of the right one."""
    name, spec = fault.name, fault.spec
    headers = {}
    if "retry_after" in spec:
        date = http_date(time.time() + float(spec["retry_after"]) + 1)
        headers["Retry-After"] = date if spec.get("as_date") else str(spec["retry_after"])
    if name == "429":
        return ApiError(429, "rateLimitExceeded", "Too Many Requests", domain="usageLimits", headers=headers).reply()
    if name in RATE:
        domain = "global" if name == "storageQuotaExceeded" else "usageLimits"
        return ApiError(RATE[name][0], name, RATE[name][1], domain=domain, headers=headers).reply()
    if name in ("500", "502", "503", "504"):
        return backend(int(name), headers).reply()
    if name == "expired":
        token = state.tokens.get(request.headers.get("authorization", "")[7:].strip())
        if token:
            token["expires"] = 0
            state.tokens.put(token["value"], token)
        return unauthorized().reply()
    if name == "unauthorized":  # though the token is good
        return unauthorized().reply()
    if name == "html":
        return Reply(int(spec.get("status", 200)), HTML, {"Content-Type": "text/html; charset=utf-8", **headers})
    if name == "garbage":
        return Reply(int(spec.get("status", 200)), GARBAGE, {"Content-Type": "application/json; charset=UTF-8"})
    if name == "redirect":
        elsewhere = "http://localhost:" + request.base.rpartition(":")[2] + "/elsewhere"
        return Reply(int(spec.get("status", 302)), headers={"Location": spec.get("location", elsewhere)})
    return None


class Log:
    """Every request, and sums over them."""

    def __init__(self, path):
        self.lock, self.entries, self.path = threading.Lock(), [], path

    def begin(self, kind, request):
        entry = {"kind": kind, "method": request.method, "target": request.target, "time": time.time(), "status": None,
                 "object": None, "fault": None, "retry_after": None, "bytes_in": 0, "bytes_out": 0}
        with self.lock:
            entry["n"] = len(self.entries)
            self.entries.append(entry)
        return entry

    def reset(self):
        with self.lock:
            self.entries = []

    def stats(self):
        with self.lock:
            entries = list(self.entries)
        requests, statuses, faults = {}, {}, {}
        for e in entries:
            requests[e["kind"]] = requests.get(e["kind"], 0) + 1
            statuses[str(e["status"])] = statuses.get(str(e["status"]), 0) + 1
            if e["fault"]:
                faults[e["fault"]] = faults.get(e["fault"], 0) + 1
        uploads = [e for e in entries if e["kind"].startswith("upload.")]
        return {"requests": requests, "statuses": statuses, "faults": faults, "total": len(entries),
                "bytes_uploaded": sum(e["bytes_in"] for e in uploads), "bytes_in": sum(e["bytes_in"] for e in entries),
                "bytes_out": sum(e["bytes_out"] for e in entries), "early_retries": early(entries),
                "early_requests": early_of_any(entries)}

    def write(self):
        """For who reads the folder afterwards."""
        with self.lock, open(self.path, "w", encoding="utf-8") as f:
            for entry in self.entries:
                f.write(json.dumps(entry) + "\n")


def early(entries):
    """Requests that came again before the Retry-After of their refusal was over. Those that do not say what they are
    about may be those of another upload beside, and are passed over."""
    until, found = {}, []
    for e in entries:
        if e["kind"] in NAMELESS and not e["object"]:
            continue
        key = (e["method"], e["target"], e["object"])
        if e["time"] < until.get(key, 0):
            found.append(e["n"])
        if e["retry_after"]:
            until[key] = e.get("ended", e["time"]) + float(e["retry_after"])
    return found


def early_of_any(entries):
    """Requests of any kind that began while the Retry-After of any of them ran. Those that were under way are among them:
    at most one for each other connection."""
    until, found = 0, []
    for e in entries:
        if e["time"] < until:
            found.append(e["n"])
        if e["retry_after"] and "told" in e:
            until = max(until, e["told"] + float(e["retry_after"]))
    return found
