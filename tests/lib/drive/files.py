# SPDX-License-Identifier: Apache-2.0
"""files.*: metadata, lists and contents."""

import base64
import datetime
import hashlib
import json
import shutil
import time

from . import access, query
from .access import FILE, FOLDER, FULL, METADATA, METADATA_READONLY, READONLY, View, find, need_rank
from .errors import ApiError, bad_request, forbidden, invalid, not_found
from .state import random_id
from .wire import Reply, json_reply

PROPERTY_BYTES = 124
PROPERTIES = 30
REVISIONS_KEPT = 100
DEFAULT_FIELDS = "kind,id,name,mimeType"
LIST_FIELDS = f"nextPageToken,kind,incompleteSearch,files({DEFAULT_FIELDS})"
WRITABLE = ("name", "mimeType", "description")
READ_SCOPES = (FULL, READONLY, FILE, METADATA, METADATA_READONLY)


def file_reply(state, caller, file, request, status=200):
    tree = query.Mask(request.query.get("fields") or DEFAULT_FIELDS).tree
    return json_reply(query.apply(tree, View(state, file, caller).render(tree)), status)


def masked(request, default, value):
    """A small answer, cut down to what fields asks for."""
    return json_reply(query.apply(query.Mask(request.query.get("fields") or default).tree, value))


def page_size(request, default, most):
    text = request.query.get("pageSize", str(default))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise ApiError(400, "invalidParameter", f"Invalid value '{text}'. Values must be within the range: [1, {most}]",
                       location="pageSize")
    return int(text)


class Files:
    def __init__(self, state):
        self.state = state

    def generate_ids(self, request, caller):
        caller.need(FULL, FILE, access.APPDATA)
        count = request.query.get("count", "10")
        if not count.isdigit() or not 1 <= int(count) <= 1000:
            raise invalid("count")
        space = request.query.get("space", "drive")
        if space not in ("drive", "appDataFolder"):
            raise invalid("space")
        ids = [random_id() for _ in range(int(count))]
        for one in ids:
            self.state.reserveds.put(one, {"account": caller.email})
        return masked(request, "*", {"kind": "drive#generatedIds", "space": space, "ids": ids})

    # Listing

    def _corpus(self, request, caller):
        """Which files are looked at: a test of a file."""
        corpora = request.query.get("corpora", "drive" if "driveId" in request.query else "user")
        drives = request.flag("includeItemsFromAllDrives") or request.flag("includeTeamDriveItems")
        if drives and not access.knows_drives(request):
            raise invalid("supportsAllDrives", "supportsAllDrives must be true if includeItemsFromAllDrives is.")
        drive_id = request.query.get("driveId") or request.query.get("teamDriveId")
        if (corpora in ("drive", "teamDrive")) != bool(drive_id):
            raise invalid("corpora", "The driveId parameter must be specified if and only if corpora is set to drive.")
        if drive_id:
            if not drives:
                raise invalid("includeItemsFromAllDrives", "It must be true if corpora is drive.")
            self._need_member(caller, drive_id)
            return lambda file: file.get("driveId") == drive_id
        if corpora not in ("user", "allDrives", "domain"):
            raise invalid("corpora")
        return lambda file: drives or not file.get("driveId")

    def _need_member(self, caller, drive_id):
        drive = self.state.drives.get(drive_id)
        if not drive or not any(p["emailAddress"] == caller.email for p in drive["permissions"].values()):
            raise ApiError(404, "notFound", f"Shared drive not found: {drive_id}", location="driveId")

    def _found(self, request, caller):
        parsed = query.Query(request.query.get("q", ""))
        if "drive" not in request.query.get("spaces", "drive").split(","):
            caller.need(access.APPDATA)
            return []  # nothing can be put there
        for parent in parsed.parents:
            if parent != "root" and parent not in self.state.files:
                raise not_found(".")
        is_in = self._corpus(request, caller)
        now = time.time()
        found = []
        for file in self.state.files.named(parsed.names):
            if not file["parents"] or file["listed"] > now or not is_in(file):
                continue
            view = View(self.state, file, caller)
            if parsed.test(view) and access.sees(self.state, caller, file):
                found.append(view)
        return found

    def list(self, request, caller):
        caller.need(*READ_SCOPES)
        size = page_size(request, 100, 1000)
        tree = query.Mask(request.query.get("fields") or LIST_FIELDS).tree
        found = self._found(request, caller)
        asked = [request.query.get(name) for name in ("q", "orderBy", "corpora", "driveId")]
        mark = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
        position = self._position(request, mark)
        size = min(size, int(self.state.setting("page_cap", 1000)))
        if "orderBy" in request.query:
            found = query.order(found, request.query["orderBy"])[position or 0:]
            after = (position or 0) + size
        else:
            found.sort(key=lambda view: -view.file["seq"])
            found = [v for v in found if position is None or v.file["seq"] < position]
            after = found[size - 1].file["seq"] if len(found) > size else None
        answer = {"kind": "drive#fileList", "incompleteSearch": bool(self.state.setting("incomplete_search", False))}
        if len(found) > size:
            answer["nextPageToken"] = "~!!~" + base64.urlsafe_b64encode(json.dumps([mark, after]).encode()).decode()
        below = query.wanted(tree, "files")
        if below is not None:
            answer["files"] = [query.apply(below, view.render(below)) for view in found[:size]]
        return json_reply({k: v for k, v in answer.items() if k == "files" or query.wanted(tree, k) is not None})

    @staticmethod
    def _position(request, mark):
        token = request.query.get("pageToken")
        if not token:
            return None
        try:
            got, position = json.loads(base64.urlsafe_b64decode(token.removeprefix("~!!~")))
        except ValueError:
            got, position = None, None
        if got != mark:
            raise invalid("pageToken")
        return position

    # Reading

    def get(self, request, caller, file_id):
        caller.need(*READ_SCOPES)
        return file_reply(self.state, caller, find(self.state, caller, file_id, request), request)

    def media(self, request, caller, file_id):
        """Content of shared drives comes without supportsAllDrives too: clients in wide use never send it here."""
        caller.need(FULL, READONLY, FILE)
        file = find(self.state, caller, file_id)
        if not file["revisions"]:
            raise ApiError(403, "fileNotDownloadable", "Only files with binary content can be directly downloaded. "
                           "Use Export with Docs Editors files.", location="alt")
        return self.content(request, file, file["revisions"][-1])

    def content(self, request, file, revision):
        """The bytes of a revision. There is no entity tag, so an If-Range never holds (RFC 9110 13.1.5)."""
        size = revision["size"]
        headers = {"Content-Type": revision["mimeType"], "Cache-Control": "private, max-age=0, must-revalidate",
                   "Content-Disposition": "attachment", "Vary": "Origin, X-Origin"}
        part = None
        if "range" in request.headers and "if-range" not in request.headers:
            try:
                part = query.byte_range(request.headers["range"], size)
            except ValueError:
                raise ApiError(416, "requestedRangeNotSatisfiable", "Request range not satisfiable", location="Range",
                               location_type="header", headers={"Content-Range": f"bytes */{size}"}) from None
        f = open(self.state.path(revision["blob"]), "rb", buffering=0)
        if not part:
            return Reply(200, headers=headers, file=(f, 0, size))
        headers["Content-Range"] = f"bytes {part[0]}-{part[0] + part[1] - 1}/{size}"
        return Reply(206, headers=headers, file=(f, *part))

    # Creating

    def place(self, request, caller, meta):
        """The folder where a new file goes, its drive and its id; refuses before any content is read."""
        parents = meta.get("parents") or [caller.account["root"]]
        if not isinstance(parents, list) or len(parents) != 1:
            raise invalid("parents", "A file must have exactly one parent.")
        root = caller.account["root"]
        if parents[0] in ("root", root):
            folder = self.state.files[root]
        else:
            folder = find(self.state, caller, parents[0], request)
        if folder["mimeType"] != FOLDER:
            raise ApiError(403, "parentNotAFolder", "The specified parent is not a folder.", location="parents")
        if access.rank(self.state, folder, caller.email) < access.RANK["writer"]:
            raise forbidden()
        file_id = meta.get("id")
        if file_id is None:
            return folder, random_id()
        if file_id in self.state.files:
            raise ApiError(409, "fileIdInUse", "A file already exists with the provided ID.")
        reserved = self.state.reserveds.get(file_id)
        if not reserved or reserved["account"] != caller.email:
            raise ApiError(400, "invalid", "The provided file ID is not usable.", location="file.id")
        if reserved.get("spent"):
            raise ApiError(409, "fileIdInUse", "A file already exists with the provided ID.")
        return folder, file_id

    def need_quota(self, caller, folder, size):
        limit = caller.account["limit"]
        if folder.get("driveId") or limit is None or size == 0:
            return
        if caller.account["service"]:
            raise ApiError(403, "storageQuotaExceeded", "Service Accounts do not have storage quota. Leverage "
                           "shared drives, or use OAuth delegation instead.")
        if self.usage(caller.email) + size > limit:
            raise ApiError(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")

    def usage(self, email):
        own = (f for f in self.state.files.values() if f["owner"] == email and f["revisions"])
        return sum(f["revisions"][-1]["size"] for f in own)

    def make(self, request, caller, meta, revision=None):
        """Creates the file; revision is its content where it has one."""
        check_metadata(meta)
        folder, file_id = self.place(request, caller, meta)
        self.need_quota(caller, folder, revision["size"] if revision else 0)
        mime = meta.get("mimeType") or (revision["mimeType"] if revision else "application/octet-stream")
        file = access.add_file(self.state, file_id, str(meta.get("name", "Untitled")), mime, caller.email,
                               folder.get("driveId"), [folder["id"]], caller.client)
        if file_id in self.state.reserveds:
            self.state.reserveds.put(file_id, {"account": caller.email, "spent": True})
        self._assign(file, caller, meta)
        if not revision and not mime.startswith("application/vnd.google-apps."):
            revision = self.empty_revision(mime)
        if revision:
            self.add_revision(file, caller, revision, mime)
        access.touch(self.state, file)
        if "modifiedTime" in meta:
            file["modified"] = parse_time(meta["modifiedTime"], "modifiedTime")
        return file

    def empty_revision(self, mime):
        blob = self.state.new_blob()
        with open(self.state.path(blob), "wb"):
            pass
        return {"blob": blob, "size": 0, "mimeType": mime}

    def add_revision(self, file, caller, revision, mime):
        revision.update(id=random_id(50, "0B"), modified=time.time(), modifier=caller.email, keepForever=False,
                        originalFilename=file["name"], mimeType=mime)
        passing = [r for r in file["revisions"] if not r["keepForever"]]
        for old in passing[:max(0, len(passing) - REVISIONS_KEPT + 1)]:
            file["revisions"].remove(old)
            self.state.drop_blob(old["blob"])
        file["revisions"].append(revision)

    def create(self, request, caller):
        caller.need(FULL, FILE)
        file = self.make(request, caller, read_metadata(request))
        return file_reply(self.state, caller, file, request)

    def copy(self, request, caller, file_id):
        caller.need(FULL, FILE)
        file = find(self.state, caller, file_id, request)
        if not file["revisions"]:
            raise ApiError(403, "cannotCopyFile", "This file cannot be copied by the user.")
        meta = {"name": "Copy of " + file["name"], "mimeType": file["mimeType"], "parents": file["parents"]}
        if access.rank(self.state, self.state.files[file["parents"][0]], caller.email) < access.RANK["writer"]:
            meta["parents"] = [caller.account["root"]]
        meta.update(read_metadata(request))
        old = file["revisions"][-1]
        blob = self.state.new_blob()
        shutil.copyfile(self.state.path(old["blob"]), self.state.path(blob))
        revision = {k: v for k, v in old.items() if k in ("size", "mimeType", "md5", "sha1", "sha256")}
        try:
            made = self.make(request, caller, meta, {**revision, "blob": blob})
        except ApiError:
            self.state.drop_blob(blob)
            raise
        return file_reply(self.state, caller, made, request)

    # Changing

    def _assign(self, file, caller, meta):
        for key in WRITABLE:
            if key in meta:
                file[key] = str(meta[key])
        if "starred" in meta:
            others = set(file["starred"]) - {caller.email}
            file["starred"] = sorted(others | {caller.email} if meta["starred"] else others)
        merge(file["properties"], meta.get("properties"))
        if meta.get("appProperties"):
            merge(file["appProperties"].setdefault(caller.client, {}), meta["appProperties"])
        if "createdTime" in meta:
            file["created"] = parse_time(meta["createdTime"], "createdTime")
        file["clients"] = sorted(set(file["clients"]) | {caller.client})

    def _move(self, request, caller, file):
        add = [p for p in request.query.get("addParents", "").split(",") if p]
        remove = [p for p in request.query.get("removeParents", "").split(",") if p]
        if not add and not remove:
            return
        remove = [caller.account["root"] if p == "root" else p for p in remove]
        left = [p for p in file["parents"] if p not in remove]
        if add and left:
            raise ApiError(403, "cannotAddParent", "Increasing the number of parents is not allowed")
        if len(add) != 1:
            raise invalid("addParents", "A file must have exactly one parent.")
        folder = find(self.state, caller, add[0], request)
        need_rank(self.state, caller, folder, "writer")
        if file.get("driveId") and folder.get("driveId") != file["driveId"]:
            need_rank(self.state, caller, file, "organizer")
        if file["id"] == folder["id"] or file in list(access.ancestors(self.state, folder)):
            raise ApiError(403, "cyclicalParentRequest", "A folder cannot be moved below itself.")
        file["parents"] = [folder["id"]]
        if folder.get("driveId") != file.get("driveId"):
            self._change_drive(file, folder.get("driveId"), caller)

    def _change_drive(self, file, drive_id, caller):
        file["driveId"] = drive_id
        file["owner"] = None if drive_id else caller.email
        file["permissions"] = {}
        if not drive_id:
            access.grant(self.state, file, caller.email, "owner")

    def change(self, request, caller, file, meta):
        """files.update without its content."""
        check_metadata(meta)
        if "id" in meta and meta["id"] != file["id"] or "parents" in meta:
            raise ApiError(403, "fieldNotWritable", "The body has fields which are not directly writable.")
        if set(meta) - {"starred"}:
            need_rank(self.state, caller, file, "writer")
        if bool(meta.get("trashed", file["trashed"])) != file["trashed"]:
            if not access.may_trash(self.state, file, caller.email):
                raise forbidden()
            file.update(trashed=bool(meta["trashed"]), trashed_at=time.time(), trasher=caller.email)
        self._move(request, caller, file)
        self._assign(file, caller, meta)
        access.touch(self.state, file)
        if "modifiedTime" in meta:
            file["modified"] = parse_time(meta["modifiedTime"], "modifiedTime")

    def update(self, request, caller, file_id):
        caller.need(FULL, FILE, METADATA)
        file = find(self.state, caller, file_id, request)
        self.change(request, caller, file, read_metadata(request))
        return file_reply(self.state, caller, file, request)

    def new_content(self, request, caller, file, meta, revision):
        """A media update: the content before stays as a revision."""
        need_rank(self.state, caller, file, "writer")
        self.need_quota(caller, file, revision["size"])
        self.change(request, caller, file, meta)
        self.add_revision(file, caller, revision, meta.get("mimeType") or revision["mimeType"])
        file["mimeType"] = file["revisions"][-1]["mimeType"]
        file["revisions"][-1]["keepForever"] = request.flag("keepRevisionForever")
        access.touch(self.state, file, caller.email)

    # Destroying

    def delete(self, request, caller, file_id):
        caller.need(FULL, FILE)
        file = find(self.state, caller, file_id, request)
        if not file["parents"] or not access.may_destroy(self.state, file, caller.email):
            raise forbidden()
        self.destroy(file)
        return Reply(204)

    def destroy(self, file):
        """For good, with all below that is the same owner's; what others own goes to their own root."""
        for child in [f for f in self.state.files.values() if file["id"] in f["parents"]]:
            if child["owner"] == file["owner"]:
                self.destroy(child)
            else:
                child["parents"] = [self.state.accounts[child["owner"]]["root"]]
                access.touch(self.state, child)
        access.touch(self.state, file, removed=True)
        self.state.files.remove(file["id"])
        for revision in file["revisions"]:
            self.state.drop_blob(revision["blob"])

    def empty_trash(self, request, caller):
        caller.need(FULL)
        drive_id = request.query.get("driveId")
        if drive_id:
            self._need_member(caller, drive_id)
        for file in [f for f in self.state.files.values() if f["trashed"] and f.get("driveId") == drive_id]:
            if file["id"] in self.state.files and access.may_destroy(self.state, file, caller.email):
                self.destroy(file)
        return Reply(204)


def read_metadata(request):
    try:
        return request.json()
    except ValueError:
        raise ApiError(400, "parseError", "Parse Error") from None


def check_metadata(meta):
    for name in ("properties", "appProperties"):
        values = meta.get(name) or {}
        if not isinstance(values, dict):
            raise invalid(name)
        for key, value in values.items():
            if value is not None and len(key.encode()) + len(str(value).encode()) > PROPERTY_BYTES:
                raise bad_request(f"A property has more than {PROPERTY_BYTES} bytes of key and value.")


def merge(into, values):
    for key, value in (values or {}).items():
        if value is None:
            into.pop(key, None)
        else:
            into[key] = str(value)
    if len(into) > PROPERTIES:
        raise ApiError(403, "propertyLimitExceeded", f"A file has at most {PROPERTIES} properties of an app.")


def parse_time(text, name):
    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise invalid(name) from None
