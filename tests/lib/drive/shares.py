# SPDX-License-Identifier: Apache-2.0
"""permissions.*, drives.*, revisions.*, changes.* and about.get."""

from . import access, query
from .access import FILE, FULL, METADATA, RANK, READONLY, View, find, merged, need_rank, render_permission
from .errors import ApiError, bad_request, forbidden, invalid, not_found
from .files import READ_SCOPES, masked, page_size, read_metadata
from .state import random_id, rfc3339
from .wire import Reply, json_reply

PERMISSION_FIELDS = "kind,id,type,role"
CHANGE_FIELDS = ("kind,nextPageToken,newStartPageToken,"
                 "changes(kind,removed,changeType,time,fileId,file(kind,id,name,mimeType))")
REVISION_FIELDS = "kind,id,mimeType,modifiedTime"


class Permissions:
    """Of files, and of shared drives, whose members they are."""

    def __init__(self, state):
        self.state = state

    def _holder(self, request, caller, target):
        """(file or drive, the caller's rank there, drive id)."""
        if target in self.state.drives:
            drive = self.state.drives[target]
            mine = [p for p in drive["permissions"].values() if p["emailAddress"] == caller.email]
            got = max((RANK[p["role"]] for p in mine), default=0)
            if not got or not access.knows_drives(request):
                raise not_found(target)
            return drive, got, target
        file = find(self.state, caller, target, request)
        return file, access.rank(self.state, file, caller.email), file.get("driveId")

    def _write(self, request, caller, target):
        caller.need(FULL, FILE)
        holder, got, drive_id = self._holder(request, caller, target)
        if got < RANK["organizer" if drive_id else "writer"]:
            raise forbidden()
        return holder, drive_id

    def _save(self, holder):
        if holder["id"] in self.state.drives:
            self.state.drives.put(holder["id"], holder)
        else:
            access.touch(self.state, holder)

    def list(self, request, caller, target):
        caller.need(*READ_SCOPES)
        holder, _, drive_id = self._holder(request, caller, target)
        if holder["id"] in self.state.drives:
            found = [render_permission(self.state, p, None, drive_id) for p in holder["permissions"].values()]
        else:
            need_rank(self.state, caller, holder, "writer")
            found = [render_permission(self.state, *both, drive_id) for both in merged(self.state, holder)]
        found.sort(key=lambda p: p["id"])
        size = page_size(request, 100, 100)
        start = request.query.get("pageToken", "0")
        if not start.isdigit():
            raise invalid("pageToken")
        answer = {"kind": "drive#permissionList", "permissions": found[int(start):int(start) + size]}
        if len(found) > int(start) + size:
            answer["nextPageToken"] = str(int(start) + size)
        return masked(request, "kind,nextPageToken,permissions(id,type,kind,role)", answer)

    def get(self, request, caller, target, permission_id):
        caller.need(*READ_SCOPES)
        holder, _, drive_id = self._holder(request, caller, target)
        permission, inherited = self._one(holder, permission_id)
        return masked(request, PERMISSION_FIELDS, render_permission(self.state, permission, inherited, drive_id))

    def _one(self, holder, permission_id):
        if permission_id in holder["permissions"]:
            return holder["permissions"][permission_id], None
        if holder["id"] not in self.state.drives:
            for permission, inherited in merged(self.state, holder):
                if permission["id"] == permission_id:
                    return permission, inherited
        raise ApiError(404, "notFound", f"Permission not found: {permission_id}.", location="permissionId")

    def create(self, request, caller, target):
        holder, drive_id = self._write(request, caller, target)
        body = read_metadata(request)
        kind, role = body.get("type"), body.get("role")
        self._check_role(request, kind, role, drive_id)
        if kind in ("user", "group") and not body.get("emailAddress"):
            raise bad_request("The permission's emailAddress is missing.")
        if role == "owner":
            return self._transfer(request, caller, holder, body["emailAddress"])
        permission = access.grant(self.state, holder, body.get("emailAddress"), role, kind)
        self._save(holder)
        return masked(request, PERMISSION_FIELDS, render_permission(self.state, permission, None, drive_id))

    def _check_role(self, request, kind, role, drive_id):
        if kind not in ("user", "group", "domain", "anyone"):
            raise invalid("permission.type", "The permission type field is required.")
        if role not in RANK:
            raise invalid("permission.role", "The specified role is invalid.")
        if role in ("organizer", "fileOrganizer") and not drive_id:
            raise ApiError(403, role + "OnNonTeamDriveItemNotSupported", "This role is only possible on shared drives.")
        if role == "owner" and drive_id:
            raise ApiError(403, "ownerOnTeamDriveItemNotSupported", "An item of a shared drive has no owner.")
        if role == "owner" and not request.flag("transferOwnership"):
            raise ApiError(403, "forbidden", "The transferOwnership parameter must be enabled when the permission "
                           "role is 'owner'.", location="transferOwnership")

    def _transfer(self, request, caller, file, email):
        if file["owner"] != caller.email:
            raise forbidden()
        access.grant(self.state, file, caller.email, "writer")
        permission = access.grant(self.state, file, email, "owner")
        file["owner"] = email
        self._save(file)
        return masked(request, PERMISSION_FIELDS, render_permission(self.state, permission))

    def update(self, request, caller, target, permission_id):
        holder, drive_id = self._write(request, caller, target)
        permission, inherited = self._one(holder, permission_id)
        role = read_metadata(request).get("role")
        self._check_role(request, permission["type"], role, drive_id)
        if role == "owner":
            return self._transfer(request, caller, holder, permission["emailAddress"])
        if permission["role"] == "owner" and not inherited:
            raise forbidden()
        permission = access.grant(self.state, holder, permission.get("emailAddress"), role, permission["type"])
        self._save(holder)
        return masked(request, PERMISSION_FIELDS, render_permission(self.state, permission, None, drive_id))

    def delete(self, request, caller, target, permission_id):
        caller.need(FULL, FILE)
        holder, got, drive_id = self._holder(request, caller, target)
        permission, inherited = self._one(holder, permission_id)
        own = permission.get("emailAddress") == caller.email  # everybody may leave
        if not own and got < RANK["organizer" if drive_id else "writer"]:
            raise forbidden()
        if inherited or permission["role"] == "owner":
            raise ApiError(403, "cannotRemoveOwner" if permission["role"] == "owner" else "cannotDeletePermission",
                           "The permission cannot be removed from this item.")
        if drive_id == holder["id"] and self._is_last_organizer(holder, permission):
            raise ApiError(403, "cannotRemoveLastOrganizer", "A shared drive must keep an organizer.")
        del holder["permissions"][permission_id]
        self._save(holder)
        return Reply(204)

    @staticmethod
    def _is_last_organizer(drive, permission):
        organizers = [p["id"] for p in drive["permissions"].values() if p["role"] == "organizer"]
        return organizers == [permission["id"]]


class Drives:
    def __init__(self, state, files):
        self.state, self.files = state, files

    def _role(self, caller, drive):
        for permission in drive["permissions"].values():
            if permission["emailAddress"] == caller.email:
                return permission["role"]
        return None

    def _find(self, caller, drive_id):
        drive = self.state.drives.get(drive_id)
        if not drive or not self._role(caller, drive):
            raise ApiError(404, "notFound", f"Shared drive not found: {drive_id}", location="driveId")
        return drive

    def _render(self, caller, drive):
        role = self._role(caller, drive)
        manages = role == "organizer"
        can = {"canAddChildren": RANK[role] >= RANK["writer"], "canListChildren": True, "canManageMembers": manages,
               "canDeleteDrive": manages, "canDeleteChildren": manages,
               "canTrashChildren": RANK[role] >= RANK["fileOrganizer"]}
        return {"kind": "drive#drive", "id": drive["id"], "name": drive["name"], "hidden": False,
                "createdTime": rfc3339(drive["created"]), "capabilities": can}

    def list(self, request, caller):
        caller.need(FULL, READONLY)
        size = page_size(request, 10, 100)
        mine = sorted((d for d in self.state.drives.values() if self._role(caller, d)), key=lambda d: d["id"])
        after = request.query.get("pageToken", "")
        mine = [d for d in mine if d["id"] > after]
        answer = {"kind": "drive#driveList", "drives": [self._render(caller, d) for d in mine[:size]]}
        if len(mine) > size:
            answer["nextPageToken"] = mine[size - 1]["id"]
        return masked(request, "kind,nextPageToken,drives(kind,id,name)", answer)

    def get(self, request, caller, drive_id):
        caller.need(FULL, READONLY)
        return masked(request, "kind,id,name", self._render(caller, self._find(caller, drive_id)))

    def create(self, request, caller):
        caller.need(FULL)
        if not request.query.get("requestId"):
            raise ApiError(400, "required", "Required parameter: requestId", location="requestId")
        for drive in self.state.drives.values():
            if drive["request"] == [caller.email, request.query["requestId"]]:
                raise ApiError(409, "alreadyExists", "A shared drive was already created with this request id.")
        drive = self.make(caller.email, str(read_metadata(request).get("name", "Untitled")), caller.client,
                          request.query["requestId"])
        return masked(request, "kind,id,name", self._render(caller, drive))

    def make(self, email, name, client, request_id):
        drive_id = random_id(15, "0A") + "PVA"
        drive = {"id": drive_id, "name": name, "permissions": {}, "request": [email, request_id], "created": 0}
        self.state.drives.put(drive_id, drive)
        access.grant(self.state, drive, email, "organizer")
        root = access.add_file(self.state, drive_id, name, access.FOLDER, email, drive_id, [], client)
        drive["created"] = root["created"]
        return drive

    def update(self, request, caller, drive_id):
        caller.need(FULL)
        drive = self._find(caller, drive_id)
        if self._role(caller, drive) != "organizer":
            raise forbidden()
        drive["name"] = str(read_metadata(request).get("name", drive["name"]))
        self.state.drives.put(drive_id, drive)
        return masked(request, "kind,id,name", self._render(caller, drive))

    def delete(self, request, caller, drive_id):
        caller.need(FULL)
        drive = self._find(caller, drive_id)
        if self._role(caller, drive) != "organizer":
            raise forbidden()
        if any(f["parents"] and not access.is_trashed(self.state, f) and f.get("driveId") == drive_id
               for f in self.state.files.values()):
            raise ApiError(403, "teamDriveNotEmpty", "The shared drive cannot be deleted because it is not empty.")
        self.files.destroy(self.state.files[drive_id])
        self.state.drives.remove(drive_id)
        return Reply(204)


class Revisions:
    def __init__(self, state, files):
        self.state, self.files = state, files

    def _file(self, request, caller, file_id, least="writer"):
        file = find(self.state, caller, file_id, request)
        need_rank(self.state, caller, file, least)
        return file

    @staticmethod
    def _one(file, revision_id):
        for revision in file["revisions"]:
            if revision["id"] == revision_id or revision_id == "head" and revision is file["revisions"][-1]:
                return revision
        raise ApiError(404, "notFound", f"Revision not found: {revision_id}.", location="revisionId")

    def _render(self, caller, revision):
        modifier = {**access.user(self.state, revision["modifier"]), "me": revision["modifier"] == caller.email}
        return {"kind": "drive#revision", "id": revision["id"], "mimeType": revision["mimeType"], "published": False,
                "modifiedTime": rfc3339(revision["modified"]), "keepForever": revision["keepForever"],
                "lastModifyingUser": modifier,
                "originalFilename": revision["originalFilename"], "size": str(revision["size"]),
                "md5Checksum": self.state.sum(revision, "md5")}

    def list(self, request, caller, file_id):
        caller.need(*READ_SCOPES)
        file = self._file(request, caller, file_id)
        size = page_size(request, 200, 1000)
        start = request.query.get("pageToken", "0")
        if not start.isdigit():
            raise invalid("pageToken")
        found = file["revisions"][int(start):]
        answer = {"kind": "drive#revisionList", "revisions": [self._render(caller, r) for r in found[:size]]}
        if len(found) > size:
            answer["nextPageToken"] = str(int(start) + size)
        return masked(request, f"kind,nextPageToken,revisions({REVISION_FIELDS})", answer)

    def get(self, request, caller, file_id, revision_id):
        caller.need(*READ_SCOPES)
        file = self._file(request, caller, file_id)
        return masked(request, REVISION_FIELDS, self._render(caller, self._one(file, revision_id)))

    def media(self, request, caller, file_id, revision_id):
        caller.need(FULL, READONLY, FILE)
        file = self._file(request, caller, file_id)
        return self.files.content(request, file, self._one(file, revision_id))

    def update(self, request, caller, file_id, revision_id):
        caller.need(FULL, FILE, METADATA)
        file = self._file(request, caller, file_id)
        revision = self._one(file, revision_id)
        revision["keepForever"] = bool(read_metadata(request).get("keepForever", revision["keepForever"]))
        access.touch(self.state, file)
        return masked(request, REVISION_FIELDS, self._render(caller, revision))

    def delete(self, request, caller, file_id, revision_id):
        caller.need(FULL, FILE)
        file = self._file(request, caller, file_id)
        revision = self._one(file, revision_id)
        if len(file["revisions"]) == 1:
            raise ApiError(403, "cannotDeleteOnlyRevision", "The only revision of a file cannot be deleted.")
        file["revisions"].remove(revision)
        access.touch(self.state, file)
        self.state.drop_blob(revision["blob"])
        return Reply(204)


class Changes:
    def __init__(self, state):
        self.state = state

    def start_token(self, request, caller):
        caller.need(*READ_SCOPES)
        token = str(self.state.setting("changes", 1))
        return masked(request, "*", {"kind": "drive#startPageToken", "startPageToken": token})

    def list(self, request, caller):
        caller.need(*READ_SCOPES)
        token = request.query.get("pageToken", "")
        newest = int(self.state.setting("changes", 1))
        if not token.isdigit() or not 1 <= int(token) <= newest:
            raise invalid("pageToken")
        size = page_size(request, 100, 1000)
        latest = {}  # a file is listed once, at its last change
        for number in range(int(token), newest):
            change = self.state.changes[str(number)]
            latest.pop(change["file"], None)
            latest[change["file"]] = (number, change)
        seen = [(n, c) for n, c in latest.values() if self._visible(request, caller, c)]
        answer = {"kind": "drive#changeList", "changes": [self._render(caller, c) for _, c in seen[:size]]}
        if len(seen) > size:
            answer["nextPageToken"] = str(seen[size - 1][0] + 1)
        else:
            answer["newStartPageToken"] = str(newest)
        tree = query.Mask(request.query.get("fields") or CHANGE_FIELDS).tree
        return json_reply(query.apply(tree, answer))

    def _visible(self, request, caller, change):
        drive_id = request.query.get("driveId")
        if drive_id and change["driveId"] != drive_id:
            return False
        if change["driveId"] and not request.flag("includeItemsFromAllDrives"):
            return False
        file = self.state.files.get(change["file"])
        if change["removed"] or not file:
            return request.query.get("includeRemoved", "true") == "true" and caller.email in change["viewers"]
        return access.sees(self.state, caller, file)

    def _render(self, caller, change):
        found = {"kind": "drive#change", "changeType": "file", "type": "file", "time": rfc3339(change["time"]),
                 "removed": change["removed"], "fileId": change["file"]}
        if change["driveId"]:
            found["driveId"] = change["driveId"]
        if change["file"] in self.state.files and not change["removed"]:
            found["file"] = View(self.state, self.state.files[change["file"]], caller).render({})
        return found


class About:
    def __init__(self, state, files):
        self.state, self.files = state, files

    def get(self, request, caller):
        caller.need(*READ_SCOPES)
        if not request.query.get("fields"):
            raise ApiError(400, "required", "The 'fields' parameter is required for this method.", location="fields")
        usage = str(self.files.usage(caller.email))
        quota = {"usage": usage, "usageInDrive": usage, "usageInDriveTrash": "0"}
        if caller.account["limit"] is not None:
            quota["limit"] = str(caller.account["limit"])
        about = {"kind": "drive#about", "user": {**access.user(self.state, caller.email), "me": True},
                 "storageQuota": quota, "importFormats": {}, "exportFormats": {}, "maxImportSizes": {},
                 "maxUploadSize": str(5 << 40), "appInstalled": True, "folderColorPalette": [], "driveThemes": [],
                 "canCreateDrives": True, "canCreateTeamDrives": True, "teamDriveThemes": []}
        return masked(request, "*", about)
