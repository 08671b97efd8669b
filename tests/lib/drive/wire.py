# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 over plain sockets and TLS, with the means to break a connection at a chosen place."""

import json
import select
import socket
import ssl
import struct
import threading
import time
import urllib.parse

HEAD_CAP = 64 << 10
PIECE = 1 << 20
REASONS = {
    100: "Continue", 200: "OK", 201: "Created", 204: "No Content", 206: "Partial Content", 302: "Found",
    308: "Resume Incomplete", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 409: "Conflict", 410: "Gone", 411: "Length Required", 413: "Payload Too Large",
    416: "Requested Range Not Satisfiable", 428: "Precondition Required", 429: "Too Many Requests",
    499: "Client Closed Request", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}


def http_date(seconds):
    """RFC 9110 5.6.7."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(seconds))


class Closed(Exception):
    """The peer went away, or a fault cut the connection."""


class Malformed(Exception):
    """What came is not HTTP/1.1."""


class Reply:
    """Status, headers and a body: bytes, or a range of an open file (f, offset, length), closed once sent."""

    def __init__(self, status, body=b"", headers=None, file=None):
        self.status, self.body, self.headers, self.file = status, body, dict(headers or {}), file

    def length(self):
        return self.file[2] if self.file else len(self.body)


def json_reply(value, status=200, headers=None):
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": "application/json; charset=UTF-8", **(headers or {})})


class Stream:
    """Buffered reading from a socket."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, bytearray()

    def _more(self):
        try:
            piece = self.sock.recv(65536)
        except OSError as e:
            raise Closed from e
        self.buffer += piece
        return len(piece)

    def line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            if len(self.buffer) > HEAD_CAP or not self._more():
                raise Closed
        line = bytes(self.buffer[:end])
        del self.buffer[:end + 2]
        return line

    def head(self):
        """The lines up to the empty one; None where the peer ended between two requests."""
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            if len(self.buffer) > HEAD_CAP:
                raise Malformed
            if not self._more():
                return None
        head = bytes(self.buffer[:end])
        del self.buffer[:end + 4]
        return head.decode("latin-1").split("\r\n")

    def readinto(self, view):
        if self.buffer:
            n = min(len(view), len(self.buffer))
            view[:n] = self.buffer[:n]
            del self.buffer[:n]
            return n
        try:
            n = self.sock.recv_into(view)
        except OSError as e:
            raise Closed from e
        if n == 0:
            raise Closed
        return n


class Body:
    """A request's body, read in pieces. cut_at breaks it off there as a lost connection would."""

    def __init__(self, stream, length, chunked, go_on):
        self.stream, self.chunked, self.go_on = stream, chunked, go_on
        self.left = 0 if chunked else length
        self.length = None if chunked else length
        self.ended = not chunked and length == 0
        self.taken, self.cut_at = 0, None

    def _next_chunk(self):
        try:
            self.left = int(self.stream.line().split(b";")[0], 16)
        except ValueError as e:
            raise Malformed from e
        if self.left == 0:
            while self.stream.line():
                pass
            self.ended = True

    def readinto(self, view):
        """How many bytes came; 0 at the end. Raises Closed where the peer stopped short."""
        if self.go_on:
            self.go_on()
            self.go_on = None
        if self.chunked and not self.left and not self.ended:
            self._next_chunk()
        if self.ended:
            return 0
        want = min(len(view), self.left)
        if self.cut_at is not None:
            want = min(want, self.cut_at - self.taken)
            if want <= 0:
                raise Closed
        n = self.stream.readinto(view[:want])
        self.taken += n
        self.left -= n
        if self.chunked:
            if not self.left:
                self.stream.line()
        elif not self.left:
            self.ended = True
        return n

    def pieces(self):
        """Views of at most PIECE bytes; each is good until the next is asked for. Small reads are gathered."""
        space = memoryview(bytearray(min(PIECE, self.length) if self.length is not None else PIECE))
        filled = 0
        while not self.ended:
            try:
                n = self.readinto(space[filled:])
            except Closed:
                if filled:
                    yield space[:filled]
                raise
            filled += n
            if filled and (n == 0 or filled == len(space)):
                yield space[:filled]
                filled = 0
        if filled:
            yield space[:filled]

    def all(self, cap):
        data = bytearray()
        for piece in self.pieces():
            data += piece
            if len(data) > cap:
                raise Malformed
        return bytes(data)

    def drain(self):
        for _ in self.pieces():
            pass


class Request:
    """One request; query holds the first value of each parameter."""

    def __init__(self, line, headers, secure):
        try:
            self.method, self.target, version = line.split(" ")
        except ValueError as e:
            raise Malformed from e
        if not version.startswith("HTTP/1."):
            raise Malformed
        self.http10 = version == "HTTP/1.0"
        self.headers = headers
        parts = urllib.parse.urlsplit(self.target)
        self.path = urllib.parse.unquote(parts.path)
        self.query = {}
        for name, value in urllib.parse.parse_qsl(parts.query, keep_blank_values=True):
            self.query.setdefault(name, value)
        self.base = f"{'https' if secure else 'http'}://{headers.get('host', 'localhost')}"
        self.body, self.data = None, None
        self.corrupt = False  # a fault: what is stored differs from what came

    def flag(self, name):
        return self.query.get(name, "").lower() == "true"

    def media_type(self):
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def read(self, cap=1 << 20):
        """The whole body, taken from the connection once."""
        if self.data is None:
            self.data = self.body.all(cap)
        return self.data

    def json(self):
        """An empty body stands for an empty object; ValueError for anything but an object."""
        if not self.read().strip():
            return {}
        value = json.loads(self.read())
        if not isinstance(value, dict):
            raise ValueError("not an object")
        return value

    def form(self):
        return dict(urllib.parse.parse_qsl(self.read().decode("utf-8", "replace"), keep_blank_values=True))


class Connection:
    """One client's connection: reads requests, hands them to app(request, connection), which answers by send()."""

    def __init__(self, sock, app, tunnel_context):
        self.sock, self.app, self.tunnel_context = sock, app, tunnel_context
        self.stream = Stream(sock)
        self.secure = isinstance(sock, ssl.SSLSocket)

    def serve(self):
        try:
            while (request := self._read()) and self._one(request):
                pass
        except (Closed, OSError):
            pass
        except Malformed:
            self._quietly(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        finally:
            self.sock.close()

    def _one(self, request):
        if request.method == "CONNECT":
            return self._tunnel()
        if not self.app(request, self):
            return False
        if request.body.go_on:  # the client still waits for a 100 that never came
            return False
        request.body.drain()
        return not request.http10 and request.headers.get("connection", "").lower() != "close"

    def _read(self):
        lines = self.stream.head()
        if lines is None:
            return None
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise Malformed
            headers[name.lower()] = value.strip()
        request = Request(lines[0], headers, self.secure)
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        length = headers.get("content-length", "0")
        if not length.isdigit():
            raise Malformed
        go_on = None
        if headers.get("expect", "").lower() == "100-continue":
            go_on = lambda: self._quietly(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.body = Body(self.stream, int(length), chunked, go_on)
        return request

    def _tunnel(self):
        """As a proxy that leads every host here; what follows is TLS with the test certificate."""
        if not self.tunnel_context:
            self._quietly(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return True
        self._quietly(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.sock = self.tunnel_context.wrap_socket(self.sock, server_side=True)
        self.stream = Stream(self.sock)
        self.secure = True
        return True

    def _quietly(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Closed from e

    def send_head(self, reply, framing):
        lines = [f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Unknown')}", "Date: " + http_date(time.time())]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        return ("\r\n".join(lines + framing) + "\r\n\r\n").encode("latin-1", "replace")

    def send(self, reply, limit=None, flip=None, told=None):
        """The whole reply; or only the first limit bytes of its body; flip: the index of a byte to corrupt; told: the
        length that is told instead of the right one."""
        if reply.status == 204:
            self._quietly(self.send_head(reply, []))
            return
        head = self.send_head(reply, [f"Content-Length: {reply.length() if told is None else told}"])
        if not reply.file:
            body = bytearray(reply.body)
            if flip is not None and body:
                body[flip % len(body)] ^= 1
            self._quietly(head + (body if limit is None else body[:limit]))
            return
        self._quietly(head)
        self._send_file(*reply.file, limit, flip)

    def _quietly_file(self, f, left):
        try:
            self.sock.sendfile(f, f.tell(), left) if left else None
        except OSError as e:
            raise Closed from e

    def _send_file(self, f, offset, length, limit, flip):
        left = length if limit is None else min(length, limit)
        with f:
            f.seek(offset)
            if flip is not None and left:
                first = bytearray(f.read(min(left, PIECE)))
                first[flip % len(first)] ^= 1
                self._quietly(first)
                left -= len(first)
            if not self.secure:
                self._quietly_file(f, left)
                return
            space = memoryview(bytearray(PIECE))  # TLS has no sendfile, and Python's stand-in makes records of 8 KiB
            while left and (n := f.readinto(space[:left])):
                self._quietly(space[:n])
                left -= n

    def send_endless(self, reply, piece, at_most):
        """A body that does not end while the client reads, up to at_most bytes."""
        self._quietly(self.send_head(reply, ["Transfer-Encoding: chunked"]))
        framed = b"%x\r\n%s\r\n" % (len(piece), piece)
        sent = 0
        while sent < at_most:
            self._quietly(framed)
            sent += len(piece)

    def holds(self, over):
        """Waits until that event; False if the client goes away before."""
        gone = select.poll()
        gone.register(self.sock, select.POLLRDHUP)
        while not over.is_set():
            if gone.poll(50):
                return False
        return True

    def reset(self):
        """The client gets a reset, not an orderly end."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass


class Listener:
    """Accepts, a thread each."""

    def __init__(self, host, port, app, context, tunnel_context):
        self.sock = socket.create_server((host, port), backlog=256)
        self.app, self.context, self.tunnel_context = app, context, tunnel_context

    def address(self):
        return "%s:%d" % self.sock.getsockname()[:2]

    def forever(self):
        while True:
            sock, _ = self.sock.accept()
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
        except OSError:  # ssl.SSLError is one: a client that refuses the certificate
            sock.close()
            return
        Connection(sock, self.app, self.tunnel_context).serve()
