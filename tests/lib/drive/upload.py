# SPDX-License-Identifier: Apache-2.0
"""The three ways of sending content: media, multipart and resumable."""

import contextlib
import json
import os
import re
import secrets
import threading
import time

from . import query
from .access import FILE, FULL, Caller, caller_of, find
from .errors import ApiError, bad_request
from .files import DEFAULT_FIELDS, file_reply, read_metadata
from .state import BlobWriter, random_id, sums_asked
from .wire import Closed, Reply

CHUNK_UNIT = 256 << 10
WEEK = 7 * 24 * 3600
MULTIPART_CAP = 64 << 20


class Uploads:
    """Bodies are read without the state's lock; only what they lead to is done under it."""

    def __init__(self, state, files):
        self.state, self.files = state, files
        self.writers = {}  # of sessions, by upload id: a hash is carried from one chunk to the next
        self.session_locks = {}

    # In one request

    def media(self, request, caller, file_id=None):
        caller.need(FULL, FILE)
        mime = request.media_type() or "application/octet-stream"
        with self.state.lock:
            self._check(request, caller, file_id, {}, request.body.length or 0)
        revision = self._receive(request, request.body.pieces(), mime)
        return self._finish(request, caller, file_id, {}, revision)

    def multipart(self, request, caller, file_id=None):
        caller.need(FULL, FILE)
        meta, mime, content = split_multipart(request)
        with self.state.lock:
            self._check(request, caller, file_id, meta, len(content))
        revision = self._receive(request, [content], mime)
        return self._finish(request, caller, file_id, meta, revision)

    def _check(self, request, caller, file_id, meta, size):
        """What would be refused at the end is refused at the start."""
        query.Mask(request.query.get("fields") or DEFAULT_FIELDS)
        if file_id:
            self.files.need_quota(caller, find(self.state, caller, file_id, request), size)
        else:
            folder, _ = self.files.place(request, caller, meta)
            self.files.need_quota(caller, folder, size)

    def _receive(self, request, pieces, mime):
        blob = self.state.new_blob()
        writer = BlobWriter(self.state, blob, sums_asked(request.query.get("fields")), request.corrupt)
        try:
            for piece in pieces:
                writer.write(piece)
        except BaseException:
            self.state.drop_blob(blob)
            raise
        finally:
            writer.close()
        return {"blob": blob, "size": writer.size, "mimeType": mime, **writer.digests()}

    def _finish(self, request, caller, file_id, meta, revision):
        try:
            with self.state.lock:
                file = self._store(request, caller, file_id, meta, revision)
                return file_reply(self.state, caller, file, request)
        except ApiError:
            self.state.drop_blob(revision["blob"])
            raise

    def _store(self, request, caller, file_id, meta, revision):
        if not file_id:
            return self.files.make(request, caller, meta, revision)
        file = find(self.state, caller, file_id, request)
        self.files.new_content(request, caller, file, meta, revision)
        return file

    # Resumable

    def start(self, request, caller, file_id=None):
        caller.need(FULL, FILE)
        meta = read_metadata(request)
        declared = request.headers.get("x-upload-content-length")
        if declared is not None and not declared.isdigit():
            raise bad_request("Invalid X-Upload-Content-Length")
        self._check(request, caller, file_id, meta, int(declared or 0))
        if not file_id and "id" not in meta:
            meta["id"] = self._reserve(caller)
        upload_id = "A" + secrets.token_urlsafe(64)
        self.state.sessions.put(upload_id, {
            "account": caller.email, "client": caller.client, "scopes": sorted(caller.scopes), "meta": meta,
            "file": file_id, "query": request.query, "size": int(declared) if declared else None,
            "mime": request.headers.get("x-upload-content-type") or meta.get("mimeType") or "application/octet-stream",
            "blob": self.state.new_blob(), "started": time.time(), "done": None, "received": 0})
        location = f"{request.base}{request.path}?uploadType=resumable&upload_id={upload_id}"
        return Reply(200, headers={"Location": location, "X-GUploader-UploadID": upload_id,
                                   "Content-Type": "text/plain; charset=utf-8"})

    def _reserve(self, caller):
        file_id = random_id()
        self.state.reserveds.put(file_id, {"account": caller.email})
        return file_id

    def _session(self, request):
        """The session of the URI, which is itself the right to use it; an Authorization that is sent must hold too."""
        if "authorization" in request.headers:
            caller_of(self.state, request)
        upload_id = request.query["upload_id"]
        session = self.state.sessions.get(upload_id)
        if not session:
            raise ApiError(404, "notFound", "Upload session not found.")
        if session["started"] + float(self.state.setting("session_life", WEEK)) < time.time():
            raise ApiError(410, "gone", "Upload session expired.")
        return upload_id, session

    def put(self, request, _):
        """A chunk, everything, or the question how much is there."""
        with self.state.lock:
            upload_id, session = self._session(request)
            lock = self.session_locks.setdefault(upload_id, threading.Lock())
        with lock:  # a client that resumes waits until the broken connection has been noticed
            return self._put(request, upload_id, session)

    def _put(self, request, upload_id, session):
        if session["done"]:
            return self._done(request, session)
        first, last, total = content_range(request)
        if total is not None and session["size"] is not None and total != session["size"]:
            raise bad_request(f"The size {total} is not the one declared, {session['size']}.")
        if total is not None:
            session["size"] = total
        writer = self._writer(upload_id, session, request)
        if first is not None:
            self._chunk(request, session, writer, first, last)
        elif "content-range" not in request.headers:
            self._everything(request, session, writer)
        session["received"] = writer.size
        if session["size"] is not None and writer.size == session["size"]:
            return self._end(request, upload_id, session, writer)
        with self.state.lock:
            self.state.sessions.put(upload_id, session)
        return resume_reply(writer.size)

    def _writer(self, upload_id, session, request):
        writer = self.writers.get(upload_id)
        if not writer:
            writer = BlobWriter(self.state, session["blob"], sums_asked(session["query"].get("fields")))
            writer.truncate(self._kept(session, writer.size))  # what a kill of this server left
            self.writers[upload_id] = writer
        writer.corrupt = request.corrupt
        return writer

    def _kept(self, session, size):
        """How much of a broken request the service keeps: whole units of its own storage."""
        if size == session["size"]:
            return size
        unit = int(self.state.setting("granularity", CHUNK_UNIT))
        return max(size - size % unit, min(session["received"], size))

    def _take(self, session, writer, pieces, skip=0):
        try:
            for piece in pieces:
                if skip >= len(piece):
                    skip -= len(piece)
                    continue
                writer.write(piece[skip:])
                skip = 0
                if session["size"] is not None and writer.size > session["size"]:
                    writer.truncate(session["received"])
                    raise bad_request("More bytes came than were declared.")
        except Closed:
            writer.truncate(self._kept(session, writer.size))
            session["received"] = writer.size
            raise

    def _everything(self, request, session, writer):
        length = request.body.length
        if length is not None:
            if session["size"] is not None and length != session["size"]:
                raise bad_request(f"{length} bytes are not the declared {session['size']}.")
            session["size"] = length
        writer.truncate(0)
        session["received"] = 0
        self._take(session, writer, request.body.pieces())
        session["size"] = writer.size

    def _chunk(self, request, session, writer, first, last):
        length = last - first + 1
        if request.body.length is not None and request.body.length != length:
            raise bad_request(f"Content-Length {request.body.length} is not that of the range, {length}.")
        if first > writer.size:
            raise bad_request(f"Invalid Content-Range: the next byte is {writer.size}.")
        is_last = session["size"] is not None and last + 1 == session["size"]
        if not is_last and length % CHUNK_UNIT:
            raise bad_request(f"A chunk of {length} bytes is no multiple of {CHUNK_UNIT}.")
        self._take(session, writer, request.body.pieces(), writer.size - first)
        if writer.size != max(last + 1, session["received"]):
            writer.truncate(session["received"])
            raise bad_request("The chunk is not as long as its range says.")

    def _end(self, request, upload_id, session, writer):
        writer.close()
        self.writers.pop(upload_id, None)
        revision = {"blob": session["blob"], "size": writer.size, "mimeType": session["mime"], **writer.digests()}
        with self.state.lock:
            caller = Caller(self.state, session)
            request.query = {**session["query"], **request.query}
            try:
                file = self._store(request, caller, session["file"], session["meta"], revision)
            except ApiError:
                self.state.sessions.remove(upload_id)
                self.state.drop_blob(session["blob"])
                raise
            session["done"] = file["id"]
            self.state.sessions.put(upload_id, session)
            return file_reply(self.state, caller, file, request)

    def _done(self, request, session):
        """A completed session goes on answering with the file."""
        request.body.drain()
        with self.state.lock:
            file = self.state.files.get(session["done"])
            if not file:
                raise ApiError(404, "notFound", "Upload session not found.")
            request.query = {**session["query"], **request.query}
            return file_reply(self.state, Caller(self.state, session), file, request)

    def cancel(self, request, _):
        with self.state.lock:
            upload_id, session = self._session(request)
            self.state.sessions.remove(upload_id)
            writer = self.writers.pop(upload_id, None)
            if writer:
                writer.close()
            if not session["done"]:
                self.state.drop_blob(session["blob"])
        return Reply(499)


def resume_reply(size):
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if size:
        headers["Range"] = f"bytes=0-{size - 1}"
    return Reply(308, headers=headers)


def content_range(request):
    """(first, last, total): None for what the header leaves open."""
    text = request.headers.get("content-range")
    if text is None:
        return None, None, None
    m = re.fullmatch(r"bytes\s+(?:(\d+)-(\d+)|\*)/(\d+|\*)", text)
    if not m:
        raise bad_request("Failed to parse Content-Range header.")
    first, last = (int(m.group(1)), int(m.group(2))) if m.group(1) else (None, None)
    total = None if m.group(3) == "*" else int(m.group(3))
    if first is not None and (last < first or total is not None and last >= total):
        raise bad_request("Failed to parse Content-Range header.")
    return first, last, total


def split_multipart(request):
    """(metadata, media type, content) of a multipart/related body: RFC 2387 with exactly two parts."""
    m = re.search(r'boundary="?([^";]+)"?', request.headers.get("content-type", ""))
    if request.media_type() != "multipart/related" or not m:
        raise bad_request("Malformed multipart body.")
    data = request.read(MULTIPART_CAP)
    delimiter = b"\r\n--" + m.group(1).encode("latin-1")
    parts = (b"\r\n" + data).split(delimiter)
    if len(parts) != 4 or not parts[3].startswith(b"--"):
        raise bad_request("Malformed multipart body.")
    head, meta = split_part(parts[1])
    if head.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise bad_request("The first part of a multipart upload is the metadata.")
    try:
        meta = json.loads(meta or b"{}")
    except ValueError:
        raise ApiError(400, "parseError", "Parse Error") from None
    head, content = split_part(parts[2])
    return meta, head.get("content-type") or meta.get("mimeType") or "application/octet-stream", content


def split_part(part):
    head, empty, content = part.partition(b"\r\n\r\n")
    if not empty:
        raise bad_request("Malformed multipart body.")
    headers = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers, content


def sweep(state):
    """Contents that nothing names: a kill came between writing and naming them."""
    named = {r["blob"] for f in state.files.values() for r in f["revisions"]}
    named |= {s["blob"] for s in state.sessions.values()}
    for name in os.listdir(state.blobs):
        if name not in named:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(state.path(name))
