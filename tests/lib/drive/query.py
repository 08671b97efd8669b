# SPDX-License-Identifier: Apache-2.0
"""The small languages of the API's parameters: q, fields, orderBy and Range."""

import re

from .errors import ApiError, invalid

TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<op><=|>=|!=|=|<|>)|(?P<punct>[(){}])|(?P<word>[A-Za-z]+))", re.S)
ROLE_LISTS = {"owners": ("owner",), "writers": ("owner", "organizer", "fileOrganizer", "writer")}


def tokens(text):
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise invalid("q")
        found.append((m.lastgroup, m.group(m.lastgroup)))
        at = m.end()
    return found


def unquote(string):
    return re.sub(r"\\(.)", r"\1", string[1:-1], flags=re.S)


def words_begin(text, prefix):
    """contains on a name matches the beginnings of words only."""
    return re.search(r"(?<![^\W_])" + re.escape(prefix), text, re.I) is not None


COMPARE = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}


def only(names, test):
    """A test that no file passes but those of these names; None: of any."""
    test.names = names
    return test


def names_of(test):
    return getattr(test, "names", None)


class Query:
    """A parsed q. parents holds the ids that it asks for with in parents; names, where only files of certain names can fit, those in lower case."""

    def __init__(self, text):
        self.tokens, self.at = tokens(text), 0
        self.parents = []
        self.test = self._expression() if self.tokens else lambda view: True
        self.names = names_of(self.test)
        if self.at != len(self.tokens):
            raise invalid("q")

    def _next(self, kind=None, value=None):
        if self.at >= len(self.tokens):
            raise invalid("q")
        got_kind, got = self.tokens[self.at]
        if kind and got_kind != kind or value and got != value:
            raise invalid("q")
        self.at += 1
        return got_kind, got

    def _peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def _expression(self):
        """and and or bind alike, from left to right, as documented."""
        left = self._term()
        while self._peek() in ("and", "or"):
            _, word = self._next()
            left = self._join(word, left, self._term())
        return left

    @staticmethod
    def _join(word, a, b):
        in_a, in_b = names_of(a), names_of(b)
        if word == "and":
            return only(in_b if in_a is None else in_a, lambda view: a(view) and b(view))
        return only(None if in_a is None or in_b is None else in_a | in_b, lambda view: a(view) or b(view))

    def _term(self):
        kind, got = self._next()
        if got == "not" and kind == "word":
            inner = self._term()
            return lambda view: not inner(view)
        if got == "(" and kind == "punct":
            inner = self._expression()
            self._next("punct", ")")
            return inner
        if kind == "string":
            self._next("word", "in")
            return self._membership(unquote(got), self._next("word")[1])
        if kind != "word":
            raise invalid("q")
        return self._comparison(got)

    def _membership(self, value, field):
        if field == "parents":
            self.parents.append(value)
            return lambda view: view.has_parent(value)
        if field in ("owners", "writers", "readers"):
            return lambda view: view.has_role(value, ROLE_LISTS.get(field))
        raise invalid("q")

    def _comparison(self, field):
        if field == "sharedWithMe" and self._peek() not in ("=", "!="):
            return lambda view: view.value("sharedWithMe")
        if field in ("properties", "appProperties"):
            return self._properties(field)
        kind, op = self._next()
        if field in ("trashed", "starred", "sharedWithMe") and op in ("=", "!="):
            want = (self._next("word")[1] == "true") == (op == "=")
            return lambda view: bool(view.value(field)) == want
        value = unquote(self._next("string")[1])
        return self._text(field, kind, op, value)

    @staticmethod
    def _text(field, kind, op, value):
        if field == "name" and op in ("=", "!="):
            folded = value.casefold()
            return only({folded} if op == "=" else None, lambda view: (view.value("name").casefold() == folded) == (op == "="))
        if field in ("name", "fullText") and op == "contains":
            return lambda view: words_begin(view.value("name"), value)
        if field == "mimeType" and op == "contains":
            return lambda view: view.value("mimeType").startswith(value)
        if field == "mimeType" and op in ("=", "!="):
            return lambda view: COMPARE[op](view.value("mimeType"), value)
        if field in ("modifiedTime", "createdTime", "viewedByMeTime", "sharedWithMeTime") and kind == "op":
            stamp = re.sub(r"(\.\d+)?(Z|[+-]00:00)?$", "", value)
            return lambda view: COMPARE[op]((view.value(field) or "")[:len(stamp)], stamp)
        if field == "visibility" and op in ("=", "!="):
            return lambda view: COMPARE[op](view.value("visibility"), value)
        raise invalid("q")

    def _properties(self, field):
        self._next("word", "has")
        self._next("punct", "{")
        self._next("word", "key")
        self._next("op", "=")
        key = unquote(self._next("string")[1])
        self._next("word", "and")
        self._next("word", "value")
        self._next("op", "=")
        value = unquote(self._next("string")[1])
        self._next("punct", "}")
        return lambda view: (view.value(field) or {}).get(key) == value


class Mask:
    """A parsed fields parameter: a tree of names, {} standing for everything below."""

    def __init__(self, text):
        self.text, self.at = text, 0
        self.tree = self._list()
        if self.at != len(text):
            self._wrong(text)

    @staticmethod
    def _wrong(name):
        raise ApiError(400, "invalidParameter", f"Invalid field selection {name}", location="fields")

    def _list(self):
        tree = {}
        while True:
            self._path(tree)
            if self.at >= len(self.text) or self.text[self.at] != ",":
                return tree
            self.at += 1

    def _path(self, tree):
        m = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*|\*)\s*").match(self.text, self.at)
        if not m:
            self._wrong(self.text[self.at:])
        self.at = m.end()
        below = {}
        if self.text[self.at:self.at + 1] == "/":
            self.at += 1
            self._path(below)
        elif self.text[self.at:self.at + 1] == "(":
            self.at += 1
            below = self._list()
            if self.text[self.at:self.at + 1] != ")":
                self._wrong(self.text)
            self.at += 1
        old = tree.get(m.group(1))
        tree[m.group(1)] = {} if old == {} or not below else {**(old or {}), **below}


def wanted(tree, name):
    """The mask below a name, or None where the mask leaves it out."""
    if tree == {} or "*" in tree:
        return {} if tree == {} or not tree["*"] else tree["*"]
    return tree.get(name)


def apply(tree, value):
    if tree == {} or tree is None:
        return value
    if isinstance(value, list):
        return [apply(tree, one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: apply(wanted(tree, name), one) for name, one in value.items() if wanted(tree, name) is not None}


ORDER_KEYS = ("createdTime", "folder", "modifiedByMeTime", "modifiedTime", "name", "name_natural", "quotaBytesUsed",
              "recency", "sharedWithMeTime", "starred", "viewedByMeTime")


def natural(text):
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text.casefold())]


def order(views, text):
    """Sorted by orderBy: the last key first, as the sort is stable."""
    for part in reversed(text.split(",")):
        words = part.split()
        if not words or words[0] not in ORDER_KEYS or words[1:] not in ([], ["desc"]):
            raise invalid("orderBy")
        views = sorted(views, key=order_key(words[0]), reverse=words[1:] == ["desc"])
    return views


def order_key(name):
    if name == "folder":
        return lambda view: view.value("mimeType") != "application/vnd.google-apps.folder"
    if name in ("name", "name_natural"):
        return lambda view: natural(view.value("name"))
    if name == "quotaBytesUsed":
        return lambda view: int(view.value("quotaBytesUsed"))
    field = "modifiedTime" if name == "recency" else name
    return lambda view: str(view.value(field) or "")


def byte_range(header, size):
    """(first, length) of a single range, None where the whole is to be sent; "unsatisfiable" raises ValueError."""
    m = re.fullmatch(r"bytes=\s*(\d*)-(\d*)", header.strip())
    if not m or m.group(1) == m.group(2) == "":
        return None
    if m.group(1) == "":
        n = min(int(m.group(2)), size)
        if n == 0:
            raise ValueError
        return size - n, n
    first = int(m.group(1))
    last = min(int(m.group(2)), size - 1) if m.group(2) else size - 1
    if m.group(2) and int(m.group(2)) < first:
        return None
    if first >= size:
        raise ValueError
    return first, last - first + 1
