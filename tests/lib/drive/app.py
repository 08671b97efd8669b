# SPDX-License-Identifier: Apache-2.0
"""Leads each request to its handler, with the faults that are due."""

import os
import re
import time
import traceback

from . import faults as faulty
from .access import caller_of
from .control import Control
from .errors import ApiError, OAuthError, bad_request
from .faults import Faults, Log
from .files import Files
from .oauth import OAuth
from .shares import About, Changes, Drives, Permissions, Revisions
from .state import State
from .upload import MULTIPART_CAP, Uploads, sweep
from .wire import Closed, Reply

API = "/drive/v3"
UPLOAD = "/upload/drive/v3"
ID = "([A-Za-z0-9_-]+)"
ENDLESS = b'{"kind": "drive#file", "files": [' + b'{"id": "0"}, ' * 5000
ENDLESS_BYTES = 4 << 30


class Route:
    """bare: the handler takes the state's lock itself, as a long body comes with the request; open: needs no token."""

    def __init__(self, method, pattern, kind, handler, bare=False, open_to_all=False):
        self.method, self.pattern, self.kind, self.handler = method, re.compile(pattern), kind, handler
        self.bare, self.open = bare, open_to_all


class App:
    def __init__(self, folder):
        self.state = State(folder)
        sweep(self.state)
        self.faults, self.log = Faults(), Log(os.path.join(folder, "log.json"))
        self.files, self.oauth = Files(self.state), OAuth(self.state)
        self.uploads, self.drives = Uploads(self.state, self.files), Drives(self.state, self.files)
        self.control = Control(self)
        self.routes = [*self._file_routes(), *self._share_routes(), *self._oauth_routes()]

    def _file_routes(self):
        f = self.files
        one = f"{API}/files/{ID}"
        return [
            Route("GET", f"{API}/files", "files.list", f.list),
            Route("POST", f"{API}/files", "files.create", f.create),
            Route("GET", f"{API}/files/generateIds", "files.generateIds", f.generate_ids),
            Route("DELETE", f"{API}/files/trash", "files.emptyTrash", f.empty_trash),
            Route("GET", one, "files.get", f.get),
            Route("PATCH", one, "files.update", f.update),
            Route("DELETE", one, "files.delete", f.delete),
            Route("POST", one + "/copy", "files.copy", f.copy),
        ]

    def _share_routes(self):
        p, r, d = Permissions(self.state), Revisions(self.state, self.files), self.drives
        c, about = Changes(self.state), About(self.state, self.files)
        shares, one = f"{API}/files/{ID}/permissions", f"{API}/files/{ID}/revisions"
        self.revisions = r
        return [
            Route("GET", shares, "permissions.list", p.list),
            Route("POST", shares, "permissions.create", p.create),
            Route("GET", f"{shares}/{ID}", "permissions.get", p.get),
            Route("PATCH", f"{shares}/{ID}", "permissions.update", p.update),
            Route("DELETE", f"{shares}/{ID}", "permissions.delete", p.delete),
            Route("GET", one, "revisions.list", r.list),
            Route("GET", f"{one}/{ID}", "revisions.get", r.get),
            Route("PATCH", f"{one}/{ID}", "revisions.update", r.update),
            Route("DELETE", f"{one}/{ID}", "revisions.delete", r.delete),
            Route("GET", f"{API}/drives", "drives.list", d.list),
            Route("POST", f"{API}/drives", "drives.create", d.create),
            Route("GET", f"{API}/drives/{ID}", "drives.get", d.get),
            Route("PATCH", f"{API}/drives/{ID}", "drives.update", d.update),
            Route("DELETE", f"{API}/drives/{ID}", "drives.delete", d.delete),
            Route("GET", f"{API}/changes/startPageToken", "changes.getStartPageToken", c.start_token),
            Route("GET", f"{API}/changes", "changes.list", c.list),
            Route("GET", f"{API}/about", "about.get", about.get),
        ]

    def _oauth_routes(self):
        o = self.oauth
        return [
            Route("GET", "/o/oauth2/(?:v2/)?auth", "oauth.auth", o.authorize, open_to_all=True),
            Route("POST", "/token|/o/oauth2/token|/oauth2/v4/token", "oauth.token", o.token, open_to_all=True),
            Route("POST", "/device/code", "oauth.device", o.device, open_to_all=True),
            Route("POST", "/revoke", "oauth.revoke", o.revoke, open_to_all=True),
        ]

    # Finding the handler

    def route(self, request):
        """(route, arguments); the same path means several things by its parameters."""
        if request.path.startswith(UPLOAD):
            return self._upload_route(request)
        for route in self.routes:
            m = route.pattern.fullmatch(request.path)
            if m and route.method == request.method:
                if request.query.get("alt") == "media" and route.kind in ("files.get", "revisions.get"):
                    handler = self.files.media if route.kind == "files.get" else self.revisions.media
                    route = Route("GET", "", route.kind.replace("get", "media"), handler)
                return route, m.groups()
        return None, ()

    def _upload_route(self, request):
        m = re.fullmatch(f"{UPLOAD}/files(?:/{ID})?", request.path)
        if not m:
            return None, ()
        u, way = self.uploads, request.query.get("uploadType")
        if "upload_id" in request.query:
            if request.method == "DELETE":
                return Route("DELETE", "", "upload.cancel", u.cancel, bare=True, open_to_all=True), ()
            if request.method not in ("PUT", "POST"):
                return None, ()
            asks = request.headers.get("content-range", "").startswith("bytes */") and request.body.length == 0
            return Route("PUT", "", "upload.status" if asks else "upload.chunk", u.put, bare=True, open_to_all=True), ()
        if request.method != ("PATCH" if m.group(1) else "POST"):
            return None, ()
        ways = {"media": u.media, "multipart": u.multipart, "resumable": u.start}
        if way not in ways:
            return None, ()
        return Route(request.method, "", "upload." + way, ways[way], bare=way != "resumable"), m.groups()

    # Serving

    def serve(self, request, connection):
        """Answers one request; False where the connection ends with it."""
        if request.path.startswith("/_control"):
            connection.send(self.control.handle(request))
            return True
        route, arguments = self.route(request)
        kind = route.kind if route else "unknown"
        entry = self.log.begin(kind, request)
        fault = self.faults.pick(kind)
        entry["fault"] = fault.name if fault else None
        try:
            return self._faulty(request, connection, route, arguments, fault, entry)
        finally:
            entry["ended"] = time.time()
            entry["bytes_in"] = request.body.taken

    def _faulty(self, request, connection, route, arguments, fault, entry):
        name = fault.name if fault else None
        if name == "slow":
            time.sleep(float(fault.spec.get("seconds", 1)))
        if name == "reset_before" or (name == "hold" and not connection.holds(fault.over)):
            connection.reset()
            return False
        if name in faulty.ANSWERS:
            return self._instead(request, connection, fault, entry)
        if name == "corrupt_upload":
            request.corrupt = True
        if name == "reset_mid" and request.body.length:
            request.body.cut_at = int(fault.spec.get("at", request.body.length // 2))
        try:
            if entry["kind"] in faulty.CREATIONS and not request.body.go_on:
                self._take_body(request, entry)
            reply = self.answer(request, route, arguments)
        except Closed:
            connection.reset()
            raise
        return self._send(request, connection, reply, fault, entry)

    def _instead(self, request, connection, fault, entry):
        if not request.body.go_on:  # who waits for a 100 is refused before he sends
            self._take_body(request, entry)
        if fault.name == "endless":
            entry["status"] = 200
            reply = Reply(200, headers={"Content-Type": "application/json; charset=UTF-8"})
            connection.send_endless(reply, ENDLESS, int(fault.spec.get("bytes", ENDLESS_BYTES)))
            return False
        with self.state.lock:
            reply = faulty.instead(fault, self.state, request)
            self.state.commit()
        entry["status"], entry["retry_after"] = reply.status, fault.spec.get("retry_after")
        entry["told"] = time.time()
        connection.send(reply)
        return True

    @staticmethod
    def _take_body(request, entry):
        """Reads it; of a creation notes which id was asked for."""
        if entry["kind"] not in faulty.CREATIONS:
            request.body.drain()
            return
        m = re.search(rb'"id"\s*:\s*"([A-Za-z0-9_-]+)"', request.read(MULTIPART_CAP)[:4096])
        entry["object"] = m.group(1).decode() if m else None

    def _send(self, request, connection, reply, fault, entry):
        """The right answer, whole or spoilt."""
        name = fault.name if fault else None
        entry["status"] = reply.status
        if name == "lost_reply" or (name == "hold_reply" and not connection.holds(fault.over)):
            connection.reset()
            return False
        limit, flip, told = None, None, None
        if name in ("truncated", "reset_mid", "stall"):
            limit = min(int(fault.spec.get("at", reply.length() // 2)), reply.length())
        if name == "truncated" and fault.spec.get("framed"):
            told = limit
        if name == "corrupted":
            flip = int(fault.spec.get("at", reply.length() // 2))
        entry["bytes_out"] = reply.length() if limit is None else limit
        connection.send(reply, limit, flip, told)
        if name == "stall":
            time.sleep(float(fault.spec.get("seconds", 600)))
        if name in ("reset_mid", "reset_after"):
            connection.reset()
        return told is not None or name not in ("truncated", "reset_mid", "reset_after", "stall")

    def answer(self, request, route, arguments):
        """What the service says. Nothing is told before the state that it tells of would survive a kill."""
        try:
            if not route:
                raise ApiError(404, "notFound", "Not Found")
            if not route.bare:
                request.read()
            with self.state.lock:
                caller = None if route.open else caller_of(self.state, request)
                if not route.bare:
                    reply = route.handler(request, caller, *[a for a in arguments if a])
            if route.bare:
                reply = route.handler(request, caller, *[a for a in arguments if a])
        except (ApiError, OAuthError) as e:
            reply = e.reply()
        except (KeyError, TypeError, ValueError, AttributeError) as e:  # metadata of the wrong types
            reply = bad_request(f"Invalid request: {type(e).__name__}").reply()
            traceback.print_exc()
        with self.state.lock:
            self.state.commit()
        return reply
