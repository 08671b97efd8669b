# SPDX-License-Identifier: Apache-2.0
"""/_control: what a test arranges and looks at. The commands are listed on top of ../drive_emulator.py."""

import secrets
import time

from . import access, rsa
from .access import AUTH
from .wire import Reply, json_reply

SETTINGS = ("token_life", "refresh_life", "list_lag", "granularity", "session_life", "device_interval",
            "device_life", "page_cap", "incomplete_search")


class Control:
    def __init__(self, app):
        self.app, self.state = app, app.state

    def handle(self, request):
        """POST /_control {"command": {arguments}, ...} or any method with /_control/command?argument=..."""
        name = request.path.removeprefix("/_control").strip("/")
        try:
            body = request.json() if request.method == "POST" else {}
            with self.state.lock:
                if name:
                    answer = self.run(name, {**request.query, **body})
                else:
                    answers = {key: self.run(key, arguments) for key, arguments in body.items()}
                    answer = next(iter(answers.values())) if len(answers) == 1 else answers
                self.state.commit()
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            return json_reply({"error": f"{type(e).__name__}: {e}"}, 400)
        return answer if isinstance(answer, Reply) else json_reply(answer)

    def run(self, name, arguments):
        command = getattr(self, "do_" + name.replace("-", "_"), None)
        if not command:
            raise KeyError(f"no command {name}")
        return command(arguments)

    def _file(self, a):
        return self.state.files[a["file"]]

    # Who there is

    def do_account(self, a):
        account = access.add_account(self.state, a["account"], a.get("name"))
        if "quota" in a:
            account["limit"] = None if a["quota"] in (None, "none") else int(a["quota"])
            self.state.accounts.put(account["email"], account)
        return account

    def do_client(self, a):
        return self.state.clients.put(a["id"], {"id": a["id"], "secret": a.get("secret", "")})

    def do_service_account(self, a):
        """The key file, as the console gives it out."""
        email = a["account"]
        account = access.add_account(self.state, email, service=True)
        private, account["public_key"] = rsa.new_key()
        self.state.accounts.put(email, account)
        return {"type": "service_account", "project_id": "test", "private_key_id": secrets.token_hex(20),
                "private_key": private, "client_email": email, "client_id": account["permissionId"],
                "auth_uri": "https://accounts.google.com/o/oauth2/auth",
                "token_uri": a.get("token_uri", "https://oauth2.googleapis.com/token")}

    def do_token(self, a):
        """A token without consent; it lives a year unless told."""
        client = a.get("client") or next(iter(self.state.clients), "")
        scopes = [s if s.startswith("http") else AUTH + s for s in a.get("scope", "drive").split()]
        account = access.add_account(self.state, a["account"])
        return self.app.oauth.issue_both(account["email"], client, scopes, a.get("life", 365 * 24 * 3600))

    def do_expire(self, a):
        """Access tokens end: one, an account's, or all. kind=refresh: refresh tokens."""
        n = 0
        for token in self.state.tokens.values():
            if token["kind"] == a.get("kind", "access") and a.get("token", token["value"]) == token["value"] \
                    and a.get("account", token["account"]) == token["account"]:
                token["expires"] = 0
                self.state.tokens.put(token["value"], token)
                n += 1
        return {"expired": n}

    def do_consent(self, a):
        """Kept as it is given: oauth.py looks into it."""
        self.state.settings.put("consent", a)
        return a

    def do_device(self, a):
        return {"found": self.app.oauth.decide_device(a.get("user_code"), a.get("mode", "allow"), a.get("account"))}

    # What there is

    def do_folder(self, a):
        account = access.add_account(self.state, a["account"])
        parent = self.state.files[a.get("parent") or account["root"]]
        file = access.add_file(self.state, access.random_id(), a.get("name", "folder"), access.FOLDER, a["account"],
                               parent.get("driveId"), [parent["id"]], a.get("client", "web"))
        access.touch(self.state, file)
        return {"id": file["id"]}

    def do_drive(self, a):
        access.add_account(self.state, a["account"])
        drive = self.app.drives.make(a["account"], a.get("name", "drive"), a.get("client", "web"), secrets.token_hex(8))
        return {"id": drive["id"]}

    def do_share(self, a):
        """file: an id of a file or a shared drive; role none takes the permission away."""
        holder = self.state.drives.get(a["file"]) or self._file(a)
        account = access.add_account(self.state, a["account"])
        if a.get("role", "writer") == "none":
            holder["permissions"].pop(account["permissionId"], None)
        else:
            access.grant(self.state, holder, a["account"], a.get("role", "writer"))
        (self.state.drives if a["file"] in self.state.drives else self.state.files).put(holder["id"], holder)
        return holder["permissions"]

    def do_trash(self, a):
        file = self._file(a)
        file.update(trashed=a.get("trashed", "true") in (True, "true"), trashed_at=time.time(), trasher=file["creator"])
        access.touch(self.state, file)
        return {"id": file["id"], "trashed": file["trashed"]}

    def do_owner(self, a):
        """Another account owns it, without a trace of the one before."""
        file = self._file(a)
        file["permissions"] = {}
        access.grant(self.state, file, a["account"], "owner")
        file["owner"] = a["account"]
        access.touch(self.state, file)
        return {"id": file["id"], "owner": file["owner"]}

    def do_delete(self, a):
        self.app.files.destroy(self._file(a))
        return {}

    def do_damage(self, a):
        """Flips a byte of the stored content, unseen by the checksums that were told before."""
        revision = self._file(a)["revisions"][-1]
        for name in ("md5", "sha1", "sha256"):
            self.state.sum(revision, name)
        self.state.files.put(a["file"], self._file(a))
        with open(self.state.path(revision["blob"]), "r+b") as f:
            f.seek(int(a.get("at", 0)))
            byte = f.read(1)
            f.seek(int(a.get("at", 0)))
            f.write(bytes([byte[0] ^ 1]))
        return {}

    def do_content(self, a):
        file = self._file(a)
        revision = next(r for r in reversed(file["revisions"]) if a.get("revision", r["id"]) == r["id"])
        f = open(self.state.path(revision["blob"]), "rb", buffering=0)
        return Reply(200, headers={"Content-Type": "application/octet-stream"}, file=(f, 0, revision["size"]))

    def do_dump(self, a):
        """All files but the roots, with trash and every revision; doubles: one name twice in a folder."""
        files = []
        for f in self.state.files.values():
            if f["parents"]:
                same = ("id", "name", "mimeType", "owner", "driveId", "properties", "appProperties", "description")
                files.append({
                    **{key: f.get(key) for key in same}, "parent": f["parents"][0],
                    "trashed": access.is_trashed(self.state, f), "permissions": list(f["permissions"].values()),
                    "revisions": [{"id": r["id"], "size": r["size"], "path": self.state.path(r["blob"]),
                                   "sha256": self.state.sum(r, "sha256")} for r in f["revisions"]]})
        seen, doubles = set(), []
        for f in files:
            if not f["trashed"]:
                (doubles.append(f["name"]) if (f["parent"], f["name"]) in seen else seen.add((f["parent"], f["name"])))
        return {"files": files, "doubles": doubles, "drives": list(self.state.drives.values()),
                "sessions": sum(not s["done"] for s in self.state.sessions.values())}

    # What goes wrong

    def do_fault(self, a):
        self.app.faults.add(a)
        return {}

    def do_faults(self, a):
        for spec in a:
            self.app.faults.add(spec)
        return {}

    def do_clear(self, a):
        self.app.faults.clear()
        return {}

    def do_settings(self, a):
        for name, value in a.items():
            if name not in SETTINGS:
                raise KeyError(f"no setting {name}")
            if value is None:
                self.state.settings.remove(name)
            else:
                self.state.settings.put(name, value)
        return {name: self.state.setting(name) for name in SETTINGS}

    def do_stats(self, a):
        return self.app.log.stats()

    def do_log(self, a):
        with self.app.log.lock:
            return list(self.app.log.entries)

    def do_reset(self, a):
        self.app.log.reset()
        return {}
