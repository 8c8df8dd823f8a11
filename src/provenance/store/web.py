"""What a web server says of a file, and fetching it. Standard library only.

Files of the Hugging Face hub are asked for where its documentation has them: at
``ENDPOINT/REPOSITORY/resolve/REVISION/PATH``, whose answer names the commit and the content's tag.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any, NamedTuple

from provenance import __version__

WEB = ("http://", "https://")
HUB = "hf://"
_CHUNK = 1 << 20
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HOW = "prov/%s" % __version__
_REFUSES_HEAD = (403, 405, 501)
"""Answers of servers that allow GET only; addresses that are signed for GET give 403."""


class Told(NamedTuple):
    """What a server says of an object; "" and None for what it does not say.

    problem: why nothing is known, in words without the address. status: of HTTP.
    """

    etag: str = ""
    revision: str = ""
    last_modified: str = ""
    size: int | None = None
    status: int | None = None
    problem: str = ""


class Refused(OSError):
    """The server does not give the object; the text says why. status: of HTTP, if it was that."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.strerror = text
        self.status = status


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Keeps the method, and tells no credentials to another host.

    own: stay with the first host, whose answer is wanted and not that of where the bytes are.
    """

    def __init__(self, own: bool) -> None:
        self._own = own

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request to follow with."""
        del fp, code, msg, headers
        same = urllib.parse.urlsplit(newurl).netloc == urllib.parse.urlsplit(req.full_url).netloc
        if self._own and not same:
            return None
        if not newurl.startswith(WEB):
            raise Refused("it sends to an address that is not of the web")
        kept = {k: v for k, v in req.header_items() if same or k.lower() != "authorization"}
        method = req.get_method()
        return urllib.request.Request(newurl, headers=kept, method=method)  # noqa: S310  # checked


def ask(url: str, revision: str = "", limit_s: float = 10.0) -> Told:
    """Return what the server says of ``url``; never raises.

    revision: of a repository of the hub, what to ask for unless ``url`` names one. limit_s: seconds
    of silence after which it counts as not answering.
    """
    try:
        if url.startswith(HUB):
            address, is_file = hub_address(url, revision)
            return _of_file(address, limit_s, hub=True) if is_file else _of_hub(address, limit_s)
        return _of_file(url, limit_s, hub=False)
    except Refused as error:
        return Told(status=error.status, problem=str(error))


def hub_address(url: str, revision: str = "") -> tuple[str, bool]:
    """Return where the hub has ``url``, and whether that is a file. Raises `Refused`.

    ``hf://[datasets/|spaces/]OWNER/NAME[@REVISION][/PATH]``.
    """
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    parts = url[len(HUB) :].strip("/").split("/")
    kind = parts.pop(0) if parts[0] in ("datasets", "spaces", "models") else "models"
    if len(parts) < 2:
        raise Refused("hf:// needs an owner and a name")
    owner, (name, _, stated) = parts[0], parts[1].partition("@")
    revision = urllib.parse.quote(stated or revision or "main", safe="")
    if len(parts) == 2:
        return "%s/api/%s/%s/%s/revision/%s" % (endpoint, kind, owner, name, revision), False
    path = urllib.parse.quote("/".join(parts[2:]))
    before = "" if kind == "models" else kind + "/"
    return "%s/%s%s/%s/resolve/%s/%s" % (endpoint, before, owner, name, revision, path), True


def _of_hub(address: str, limit_s: float) -> Told:
    """Return which commit a revision of a whole repository is today."""
    with _opened(_request(address, "GET", hub=True), limit_s) as answer:
        try:
            told = json.loads(answer.read(_CHUNK * 16))
            sha = str(told["sha"])
        except (ValueError, KeyError, TypeError) as error:
            raise Refused("its answer is none of the hub's") from error
        return Told(revision=sha, last_modified=str(told.get("lastModified") or ""), status=200)


def _of_file(address: str, limit_s: float, hub: bool) -> Told:
    try:
        answer = _opened(_request(address, "HEAD", hub), limit_s, own=hub)
    except Refused as error:
        if error.status not in _REFUSES_HEAD:
            raise
        first = _request(address, "GET", hub)
        first.add_header("Range", "bytes=0-0")
        answer = _opened(first, limit_s, own=hub)
    with answer:
        return _told(answer)


def _told(answer: Any) -> Told:
    headers = answer.headers
    size = headers.get("X-Linked-Size") or headers.get("Content-Length", "")
    if answer.status == 206:
        size = headers.get("Content-Range", "").rpartition("/")[2]
    return Told(
        plain_tag(headers.get("X-Linked-Etag") or headers.get("ETag") or ""),
        headers.get("X-Repo-Commit") or headers.get("x-amz-version-id") or "",
        headers.get("Last-Modified") or "",
        int(size) if size.isdigit() else None,
        answer.status,
    )


def plain_tag(etag: str) -> str:
    """Return an ETag without quotes."""
    return etag.strip()[2:].strip('"') if etag.startswith("W/") else etag.strip().strip('"')


def _request(address: str, method: str, hub: bool) -> urllib.request.Request:
    headers = {"User-Agent": _HOW, "Accept-Encoding": "identity"}
    token = os.environ.get("HF_TOKEN", "") if hub else ""
    if token:
        headers["Authorization"] = "Bearer " + token
    parts = urllib.parse.urlsplit(address)
    if parts.username is not None:  # urllib takes it for a part of the host's name
        import base64

        user = "%s:%s" % (parts.username, parts.password or "")
        user = urllib.parse.unquote(user)
        headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode("ascii")
        address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    try:
        bare = address.partition("#")[0]
        if not bare.startswith(WEB):
            raise ValueError(bare)
        return urllib.request.Request(bare, headers=headers, method=method)  # noqa: S310  # checked
    except ValueError as error:
        raise Refused("it is no address") from error


def _opened(request: urllib.request.Request, limit_s: float, own: bool = False) -> Any:
    """Return the answer. Raises `Refused`; own: as for `_Redirects`."""
    opener = urllib.request.build_opener(_Redirects(own))
    try:
        return opener.open(request, timeout=limit_s)
    except urllib.error.HTTPError as error:
        if own and 300 <= error.code < 400:
            return error
        error.close()
        raise Refused("the server says %d %s" % (error.code, error.reason), error.code) from error
    except urllib.error.URLError as error:
        why = getattr(error.reason, "strerror", None) or error.reason
        raise Refused("it cannot be reached: %s" % why) from error
    except (TimeoutError, ConnectionError, http.client.HTTPException, ValueError) as error:
        raise Refused("it cannot be reached: %s" % (str(error) or type(error).__name__)) from error


def fetch(url: str, target: str, revision: str, tag: str, watch: Callable[[int], None]) -> None:
    """Write the object to ``target``, going on behind what is there of it.

    tag: the strong ETag of what is at ``target`` already; if the server has another object by now,
    it is begun anew. watch: told how many bytes came. Raises `Refused`, OSError.
    """
    hub = url.startswith(HUB)
    address = hub_address(url, revision)[0] if hub else url
    request = _request(address, "GET", hub)
    have = os.path.getsize(target) if tag and os.path.exists(target) else 0
    if have:
        request.add_header("Range", "bytes=%d-" % have)
        request.add_header("If-Range", '"%s"' % tag)
    try:
        answer = _opened(request, 60.0)
    except Refused as error:
        if error.status != 416 or not have:  # nothing is left, or less than is here
            raise
        return
    with answer:
        goes_on = answer.status == 206
        with open(target, "r+b" if goes_on else "wb") as stream:
            if goes_on:
                stream.seek(0, os.SEEK_END)
                watch(have)
            tag = answer.headers.get("ETag") or ""
            _note_tag(target, "" if tag.startswith("W/") else plain_tag(tag))
            _drain(answer, stream, watch)


def _note_tag(target: str, tag: str) -> None:
    """Note beside an unfinished file which object it is a part of."""
    with open(target + ".etag", "w", encoding="utf-8") as stream:
        stream.write(tag)


def _drain(answer: Any, stream: Any, watch: Callable[[int], None]) -> None:
    try:
        while chunk := answer.read(_CHUNK):
            stream.write(chunk)
            watch(len(chunk))
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise Refused("the connection broke off: begun again it goes on from there") from error
    if answer.length:
        raise Refused("the connection broke off: begun again it goes on from there")


def is_commit(text: str) -> bool:
    """Return whether ``text`` is the whole name of a commit."""
    return _COMMIT.fullmatch(text) is not None
