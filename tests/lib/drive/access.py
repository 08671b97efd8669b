# SPDX-License-Identifier: Apache-2.0
"""Who may do what with which file, and what a caller sees of it."""

import time

from .errors import ApiError, forbidden, insufficient_scope, login_required, not_found, unauthorized
from .state import random_id, rfc3339

FOLDER = "application/vnd.google-apps.folder"
AUTH = "https://www.googleapis.com/auth/"
FULL, READONLY, FILE, METADATA = AUTH + "drive", AUTH + "drive.readonly", AUTH + "drive.file", AUTH + "drive.metadata"
METADATA_READONLY, APPDATA = AUTH + "drive.metadata.readonly", AUTH + "drive.appdata"
WIDE = {FULL, READONLY, METADATA, METADATA_READONLY}  # these see every file of the account
RANK = {"reader": 1, "commenter": 2, "writer": 3, "fileOrganizer": 4, "organizer": 5, "owner": 6}


class Caller:
    """Whose token the request bears."""

    def __init__(self, state, token):
        self.account = state.accounts[token["account"]]
        self.email = self.account["email"]
        self.client = token["client"]
        self.scopes = set(token["scopes"])

    def need(self, *scopes):
        if not self.scopes & set(scopes):
            raise insufficient_scope()

    def is_wide(self):
        return bool(self.scopes & WIDE)


def caller_of(state, request):
    """The bearer of the access token; 401 for none, an unknown or an expired one."""
    header = request.headers.get("authorization", "")
    value = header[7:].strip() if header.lower().startswith("bearer ") else request.query.get("access_token")
    if not value:
        raise login_required()
    token = state.tokens.get(value)
    if not token or token["kind"] != "access" or token["expires"] <= time.time():
        raise unauthorized()
    return Caller(state, token)


def user(state, email):
    account = state.accounts.get(email) or {"name": email.split("@")[0], "permissionId": "0"}
    return {"kind": "drive#user", "displayName": account["name"], "me": False, "permissionId": account["permissionId"],
            "emailAddress": email}


def ancestors(state, file):
    """The folders above, nearest first."""
    seen = set()
    while file["parents"] and file["id"] not in seen:
        seen.add(file["id"])
        file = state.files.get(file["parents"][0])
        if not file:
            return
        yield file


def permissions_of(state, file):
    """All that hold here, as (permission, the id that it is inherited from or None)."""
    for permission in file["permissions"].values():
        yield permission, None
    for folder in ancestors(state, file):
        for permission in folder["permissions"].values():
            yield permission, folder["id"]
    if file.get("driveId"):
        for permission in state.drives[file["driveId"]]["permissions"].values():
            yield permission, file["driveId"]


def role(state, file, email):
    """The strongest role of an account, or None; a folder's owner inherits as a writer what others put into it."""
    best = None
    for permission, inherited in permissions_of(state, file):
        if permission["type"] == "anyone":
            got = permission["role"]
        elif permission.get("emailAddress") == email:
            got = "writer" if permission["role"] == "owner" and inherited else permission["role"]
        else:
            continue
        if best is None or RANK[got] > RANK[best]:
            best = got
    return best


def rank(state, file, email):
    return RANK.get(role(state, file, email), 0)


def sees(state, caller, file):
    if not rank(state, file, caller.email):
        return False
    return caller.is_wide() or caller.client in file["clients"]


def find(state, caller, file_id, request=None):
    """The file, or 404 as if it were not there; of shared drives only for those who say that they know of them."""
    if file_id == "root":
        file_id = caller.account["root"]
    file = state.files.get(file_id)
    if not file or not sees(state, caller, file):
        raise not_found(file_id)
    if request is not None and file.get("driveId") and not knows_drives(request):
        raise not_found(file_id)
    return file


def knows_drives(request):
    return request.flag("supportsAllDrives") or request.flag("supportsTeamDrives")


def need_rank(state, caller, file, least):
    if rank(state, file, caller.email) < RANK[least]:
        raise forbidden()


def may_destroy(state, file, email):
    """In My Drive the owner, on a shared drive an organizer."""
    got = role(state, file, email)
    return got == ("organizer" if file.get("driveId") else "owner")


def may_trash(state, file, email):
    got = rank(state, file, email)
    return got >= RANK["fileOrganizer" if file.get("driveId") else "owner"]


def add_account(state, email, name=None, service=False):
    """The account of that address, made with its My Drive where it is new."""
    if email in state.accounts:
        return state.accounts[email]
    number = int(state.setting("accounts", 0)) + 1
    state.settings.put("accounts", number)
    root = random_id(16, "0A") + "PVA"
    account = {"email": email, "name": name or email.split("@")[0], "permissionId": f"{number:020d}", "root": root,
               "service": service, "limit": 0 if service else None}
    state.accounts.put(email, account)
    add_file(state, root, "My Drive", FOLDER, email, None, [], "")
    return account


def grant(state, holder, email, new_role, kind="user"):
    """Puts a permission on a file or a drive and answers it."""
    if kind == "anyone":
        permission = {"id": "anyoneWithLink", "type": "anyone", "role": new_role}
    else:
        account = add_account(state, email)
        permission = {"id": account["permissionId"], "type": kind, "emailAddress": email, "role": new_role}
    holder["permissions"][permission["id"]] = permission
    return permission


def add_file(state, file_id, name, mime, owner, drive_id, parents, client):
    """A new record without content; visible in lists once a stale listing lets it."""
    if file_id in state.files:
        raise ApiError(409, "fileIdInUse", "A file already exists with the provided ID.")
    now = time.time()
    seq = int(state.setting("sequence", 0)) + 1
    state.settings.put("sequence", seq)
    file = {"id": file_id, "name": name, "mimeType": mime, "parents": parents, "owner": None if drive_id else owner,
            "driveId": drive_id, "permissions": {}, "clients": [client], "created": now, "modified": now, "seq": seq,
            "trashed": False, "starred": [], "revisions": [], "version": 1, "properties": {}, "appProperties": {},
            "creator": owner, "modifier": owner, "listed": now + float(state.setting("list_lag", 0))}
    if not drive_id:
        grant(state, file, owner, "owner")
    state.files.put(file_id, file)
    return file


def touch(state, file, email=None, removed=False):
    """One more version, and an entry for changes.list. Removed files name who could see them."""
    file["version"] += 1
    if email:
        file["modified"], file["modifier"] = time.time(), email
    if not removed:
        state.files.put(file["id"], file)
    number = int(state.setting("changes", 1))
    viewers = sorted({p.get("emailAddress") or "" for p, _ in permissions_of(state, file)}) if removed else []
    state.changes.put(str(number), {"file": file["id"], "time": time.time(), "removed": removed, "viewers": viewers,
                                    "driveId": file.get("driveId")})
    state.settings.put("changes", number + 1)


def is_trashed(state, file):
    return file["trashed"] or any(folder["trashed"] for folder in ancestors(state, file))


class View:
    """A file as a caller sees it; each field is found when asked for."""

    def __init__(self, state, file, caller):
        self.state, self.file, self.caller = state, file, caller

    def has_parent(self, file_id):
        return (self.caller.account["root"] if file_id == "root" else file_id) in self.file["parents"]

    def has_role(self, email, roles):
        email = self.caller.email if email == "me" else email
        return any(p.get("emailAddress") == email and (roles is None or p["role"] in roles)
                   for p, _ in permissions_of(self.state, self.file))

    def head(self):
        return self.file["revisions"][-1] if self.file["revisions"] else None

    def value(self, name):
        """None where the file has no such field."""
        if name == "sharedWithMe":  # asked for by q, no field of the resource
            return self.file["owner"] not in (None, self.caller.email) and self.has_role("me", None)
        made = FIELDS.get(name)
        return made(self) if made else None

    def render(self, tree):
        """The resource with the fields of a mask's tree ({} is everything)."""
        names = FIELDS if tree == {} or "*" in tree else tree
        found = {}
        for name in names:
            if name not in KNOWN_FIELDS and name != "*":
                raise ApiError(400, "invalidParameter", f"Invalid field selection {name}", location="fields")
            value = self.value(name)
            if value is not None:
                found[name] = value
        return found

    def my(self, email):
        return {**user(self.state, email), "me": email == self.caller.email}

    def content(self, key):
        head = self.head()
        return head[key] if head else None

    def sum(self, name):
        head = self.head()
        return self.state.sum(head, name) if head else None

    def permission_list(self):
        if self.file.get("driveId") or rank(self.state, self.file, self.caller.email) < RANK["writer"]:
            return None
        return [render_permission(self.state, p, inherited) for p, inherited in merged(self.state, self.file)]

    def capabilities(self):
        state, file, email = self.state, self.file, self.caller.email
        got = rank(state, file, email)
        folder = file["mimeType"] == FOLDER
        writes = got >= RANK["writer"]
        return {"canEdit": writes, "canDownload": not folder, "canDelete": may_destroy(state, file, email),
                "canTrash": may_trash(state, file, email), "canShare": writes,
                "canReadRevisions": writes and not folder, "canAddChildren": writes and folder,
                "canListChildren": folder, "canRename": writes, "canCopy": not folder, "canModifyContent": writes}


def merged(state, file):
    """One permission for each who has one: the strongest, with where it comes from."""
    best = {}
    for permission, inherited in permissions_of(state, file):
        if permission["role"] == "owner" and inherited:
            permission = {**permission, "role": "writer"}
        old = best.get(permission["id"])
        if not old or RANK[permission["role"]] > RANK[old[0]["role"]]:
            best[permission["id"]] = (permission, inherited)
    return best.values()


def render_permission(state, permission, inherited=None, drive_id=None):
    found = {"kind": "drive#permission", "id": permission["id"], "type": permission["type"], "role": permission["role"]}
    if permission["type"] == "anyone":
        found["allowFileDiscovery"] = False
    else:
        account = state.accounts.get(permission["emailAddress"])
        found.update(emailAddress=permission["emailAddress"], displayName=account["name"] if account else "",
                     deleted=False, pendingOwner=False)
    if drive_id:
        detail = {"permissionType": "member" if inherited else "file", "role": permission["role"]}
        detail.update({"inherited": True, "inheritedFrom": inherited} if inherited else {"inherited": False})
        found["permissionDetails"] = [detail]
    return found


def _time(key):
    return lambda v: rfc3339(v.file[key]) if key in v.file else None


def _content(key):
    return lambda v: v.content(key)


def _text(key):
    return lambda v: v.file.get(key) or None


def _extension(view):
    name = view.file["name"]
    return name.rpartition(".")[2] if view.head() and "." in name else None


FIELDS = {
    "kind": lambda v: "drive#file",
    "id": lambda v: v.file["id"],
    "name": lambda v: v.file["name"],
    "mimeType": lambda v: v.file["mimeType"],
    "description": _text("description"),
    "parents": lambda v: v.file["parents"] or None,
    "starred": lambda v: v.caller.email in v.file["starred"],
    "trashed": lambda v: is_trashed(v.state, v.file),
    "explicitlyTrashed": lambda v: v.file["trashed"],
    "trashedTime": lambda v: rfc3339(v.file["trashed_at"]) if v.file["trashed"] and v.file.get("driveId") else None,
    "trashingUser": lambda v: v.my(v.file["trasher"]) if v.file["trashed"] and v.file.get("driveId") else None,
    "createdTime": _time("created"),
    "modifiedTime": _time("modified"),
    "viewedByMe": lambda v: v.file["creator"] == v.caller.email,
    "version": lambda v: str(v.file["version"]),
    "size": lambda v: str(v.content("size")) if v.head() else None,
    "quotaBytesUsed": lambda v: str(v.content("size") or 0),
    "md5Checksum": lambda v: v.sum("md5"),
    "sha1Checksum": lambda v: v.sum("sha1"),
    "sha256Checksum": lambda v: v.sum("sha256"),
    "headRevisionId": _content("id"),
    "originalFilename": _content("originalFilename"),
    "fullFileExtension": _extension,
    "fileExtension": _extension,
    "properties": _text("properties"),
    "appProperties": lambda v: v.file["appProperties"].get(v.caller.client) or None,
    "spaces": lambda v: ["drive"],
    "driveId": _text("driveId"),
    "teamDriveId": _text("driveId"),
    "owners": lambda v: [v.my(v.file["owner"])] if v.file["owner"] else None,
    "ownedByMe": lambda v: v.file["owner"] == v.caller.email if not v.file.get("driveId") else None,
    "lastModifyingUser": lambda v: v.my(v.file["modifier"]),
    "modifiedByMe": lambda v: v.file["modifier"] == v.caller.email,
    "shared": lambda v: len(list(merged(v.state, v.file))) > 1,
    "permissions": lambda v: v.permission_list(),
    "permissionIds": lambda v: [p["id"] for p, _ in merged(v.state, v.file)],
    "capabilities": lambda v: v.capabilities(),
    "visibility": lambda v: "anyoneWithLink" if "anyoneWithLink" in v.file["permissions"] else "limited",
    "writersCanShare": lambda v: True if not v.file.get("driveId") else None,
    "copyRequiresWriterPermission": lambda v: False,
    "isAppAuthorized": lambda v: v.caller.client in v.file["clients"],
    "webViewLink": lambda v: f"https://drive.google.com/file/d/{v.file['id']}/view?usp=drivesdk",
    "webContentLink": lambda v: f"https://drive.google.com/uc?id={v.file['id']}&export=download" if v.head() else None,
    "iconLink": lambda v: "https://drive-thirdparty.googleusercontent.com/16/type/" + v.file["mimeType"],
    "hasThumbnail": lambda v: False,
    "thumbnailVersion": lambda v: "0",
}
KNOWN_FIELDS = set(FIELDS) | {
    "contentHints", "contentRestrictions", "downloadRestrictions", "exportLinks", "folderColorRgb",
    "hasAugmentedPermissions", "imageMediaMetadata", "inheritedPermissionsDisabled", "labelInfo", "linkShareMetadata",
    "modifiedByMeTime", "resourceKey", "shortcutDetails", "sharedWithMeTime",
    "sharingUser", "thumbnailLink", "videoMediaMetadata", "viewedByMeTime", "viewersCanCopyContent",
}
